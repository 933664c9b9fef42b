"""The result of a simulation as a page an official can read (HTML that opens offline) and as a table of all figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html import escape
from typing import Any

from yyassess.population.programmes import STATUSES
from yyassess.population.simulate import Result

NAMES = {
    "zh": {
        "eligible": "符合", "ineligible": "不符合", "unknown": "待定（缺事实）", "not_configured": "未配置", "not_in_force": "未生效",
        "title": "模拟：规则变动的影响", "people": "人数", "weighted": "加权人数", "gain": "新增符合", "lose": "不再符合",
        "open": "待定或未配置有变动", "before": "变动前", "after": "变动后", "cost": "金额", "change": "变动", "age": "年龄段",
        "sex": "性别", "district": "地区", "grade": "能力等级", "programme": "项目", "moves": "结论的变动", "none": "没有项目受影响",
        "male": "男", "female": "女", "amount_unknown": "金额待定（缺事实）的人数", "amount_not_configured": "另有金额未配置的人数",
        "indicators": "指标", "share": "比例", "target": "目标", "numerator": "分子", "denominator": "分母", "paid": "享受人数",
        "note": "“待定”是缺少事实、还不能认定；“未配置”是没有查到规定或数额。两者都不计入符合，也不计入金额。金额按所列单位，只加总能算出的部分。",
        "sample": "加权样本：± 为 95% 置信区间的一半。", "rejected": "拒绝的行", "rules": "规则集", "by": "分组",
    },
    "en": {
        "eligible": "eligible", "ineligible": "ineligible", "unknown": "unknown (facts missing)", "not_configured": "not configured",
        "not_in_force": "not in force", "title": "Simulation: what a change of rules does", "people": "people", "weighted": "weighted people",
        "gain": "gain", "lose": "lose", "open": "unknown or not configured, changed", "before": "before", "after": "after", "cost": "cost",
        "change": "change", "age": "age band", "sex": "sex", "district": "district", "grade": "ability grade", "programme": "programme",
        "moves": "How outcomes move", "none": "No programme is affected", "male": "male", "female": "female",
        "amount_unknown": "people whose amount is unknown (facts missing)", "amount_not_configured": "people with a further amount not configured",
        "indicators": "Indicators", "share": "share", "target": "target", "numerator": "numerator", "denominator": "denominator",
        "paid": "people paid",
        "note": "\"Unknown\" lacks a fact; \"not configured\" lacks a rule or a figure that nobody found. Neither counts as eligible, nor towards the cost. Sums are in the unit shown, of what can be worked out.",
        "sample": "Weighted sample: ± is half a 95 % interval.", "rejected": "rows refused", "rules": "ruleset", "by": "by",
    },
}  # fmt: skip
COLOURS = {
    "eligible": "#07843f",
    "ineligible": "#8a8f98",
    "unknown": "#c98a00",
    "not_configured": "#7a5ea8",
    "not_in_force": "#c4c7cc",
}
STYLE = """
body{font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2rem;border-bottom:2px solid #07843f}h3{font-size:1.05rem}
table{border-collapse:collapse;margin:.5rem 0;width:100%}th,td{border-bottom:1px solid #d5d8dd;padding:.25rem .5rem;text-align:right}
th:first-child,td:first-child{text-align:left}.big{display:flex;flex-wrap:wrap;gap:1rem}.big div{background:#f3f5f7;padding:.5rem 1rem;border-radius:.5rem}
.big b{display:block;font-size:1.5rem}svg{max-width:100%;height:auto}.note{color:#555}@media print{body{max-width:none}}
"""


def number(value: float) -> str:
    """A number with thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"


def people(count: dict[str, Any]) -> str:
    """A count: exact, or weighted with its interval."""
    if "weighted" in count:
        return f"{number(count['weighted']['value'])} ± {number(count['weighted']['half'])}"
    return number(count["n"])


def weight(count: dict[str, Any]) -> float:
    """The size of a count for a chart."""
    return float(count["weighted"]["value"]) if "weighted" in count else float(count["n"])


def money(total: dict[str, float]) -> str:
    """A sum, with its interval where it has one."""
    return number(total["value"]) + (f" ± {number(total['half'])}" if "half" in total else "")


def html(result: Result, lang: str = "zh") -> str:
    """The page."""
    t = NAMES[lang]
    study = result.study
    body = [f"<h1>{t['title']}</h1>"]
    weighted = f"，{t['weighted']} {number(result.weight)}" if study.weight else ""
    body.append(
        f"<p>{escape(study.place)} · {study.on} · {t['people']} {number(result.people)}{weighted}"
        + (f" · {t['rejected']} {number(result.rejected)}" if result.rejected else "")
        + f"</p><p class=note>{t['note']}{t['sample'] if study.weight else ''}</p>"
    )
    for scenario in result.scenarios[1:]:
        body.append(f"<h2>{escape(scenario['name'][lang])}</h2>")
        if not scenario["programmes"]:
            body.append(f"<p>{t['none']}</p>")
        for id, figures in scenario["programmes"].items():
            body += _programme(result, id, figures, lang)
    if result.indicators:
        body += _indicators(result, lang)
    body.append(f"<p class=note>{t['rules']}: {escape(result.ruleset)}</p>")
    language = "zh-CN" if lang == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{t['title']}</title><style>{STYLE}</style>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _programme(result: Result, id: str, figures: dict[str, Any], lang: str) -> Iterator[str]:
    t = NAMES[lang]
    yield f"<h3>{escape(result.names[id][lang])}</h3>"
    boxes = [(t[k], people(figures[k])) for k in ("gain", "lose", "open")]
    for unit in figures["after"]["cost"]:
        more = figures["after"]["cost"][unit]["value"] - figures["before"]["cost"][unit]["value"]
        boxes.append((f"{t['cost']} {unit} {t['change']}", ("+" if more >= 0 else "−") + number(abs(more))))
    yield '<div class="big">' + "".join(f"<div>{escape(k)}<b>{v}</b></div>" for k, v in boxes) + "</div>"
    yield sankey(figures["moves"], lang)
    yield _costs(figures, lang)
    for dimension, parts in figures["by"].items():
        yield _by(dimension, parts, lang)


def _costs(figures: dict[str, Any], lang: str) -> str:
    t = NAMES[lang]
    rows = [f"<tr><th></th><th>{t['before']}</th><th>{t['after']}</th></tr>"]
    for status in STATUSES:
        before, after = (figures[side]["status"][status] for side in ("before", "after"))
        if before["n"] or after["n"]:
            rows.append(f"<tr><td>{t[status]}</td><td>{people(before)}</td><td>{people(after)}</td></tr>")
    for unit in figures["after"]["cost"]:
        cells = "".join(f"<td>{money(figures[side]['cost'][unit])}</td>" for side in ("before", "after"))
        rows.append(f"<tr><td>{t['cost']} ({escape(unit)})</td>{cells}</tr>")
    for key in ("paid", "amount_unknown", "amount_not_configured"):
        if figures["before"][key] or figures["after"][key]:
            cells = "".join(f"<td>{number(figures[side][key])}</td>" for side in ("before", "after"))
            rows.append(f"<tr><td>{t[key]}</td>{cells}</tr>")
    return "<table>" + "".join(rows) + "</table>"


def _by(dimension: str, parts: dict[str, Any], lang: str) -> str:
    t = NAMES[lang]
    units = list(next(iter(parts.values()))["after"]["cost"])
    head = "".join(f"<th>{t['cost']} {escape(u)} {t['change']}</th>" for u in units)
    rows = [
        f"<tr><th>{t[dimension]}</th><th>{t['before']} {t['eligible']}</th><th>{t['after']} {t['eligible']}</th><th>{t['gain']}</th><th>{t['lose']}</th>{head}</tr>"
    ]
    for name, part in parts.items():
        shown = t.get(name, name)
        cells = [people(part[side]["status"]["eligible"]) for side in ("before", "after")] + [
            people(part["gain"]),
            people(part["lose"]),
        ]
        cells += [number(part["after"]["cost"][u]["value"] - part["before"]["cost"][u]["value"]) for u in units]
        rows.append(f"<tr><td>{escape(shown)}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    return bars(dimension, parts, lang) + "<table>" + "".join(rows) + "</table>"


def _indicators(result: Result, lang: str) -> Iterator[str]:
    t = NAMES[lang]
    yield f"<h2>{t['indicators']}</h2><table>"
    yield f"<tr><th></th><th>{t['numerator']}</th><th>{t['denominator']}</th><th>{t['unknown']}</th><th>{t['share']}</th><th>{t['target']}</th></tr>"
    for one in result.indicators:
        share = f"{one['share']:.1%}" if one["share"] is not None else "—"
        sign = "≥" if one["at_least"] else "≤"
        yield (
            f"<tr><td>{escape(one['say'][lang])}</td><td>{number(one['numerator'])}</td><td>{number(one['denominator'])}</td>"
            f"<td>{number(one['unknown'])}</td><td>{share}</td><td>{sign} {one['target']:.0%}</td></tr>"
        )
    yield "</table>"


# -- pictures -----------------------------------------------------------------------------------------------
def sankey(moves: list[dict[str, Any]], lang: str) -> str:
    """How people move between outcomes: before on the left, after on the right, as wide as they are many."""
    t = NAMES[lang]
    total = sum(weight(m) for m in moves) or 1.0
    high, gap, top = 300.0, 14.0, 30.0
    left = {s: sum(weight(m) for m in moves if m["before"] == s) for s in STATUSES}
    right = {s: sum(weight(m) for m in moves if m["after"] == s) for s in STATUSES}
    parts = [f'<svg viewBox="0 0 720 {top + high + gap * 5:.0f}" role="img" aria-label="{t["moves"]}">']
    parts.append(
        f'<text x="170" y="16" text-anchor="middle">{t["before"]}</text><text x="550" y="16" text-anchor="middle">{t["after"]}</text>'
    )
    starts: dict[str, dict[str, float]] = {"before": {}, "after": {}}
    for side, sizes, x, anchor, label in (("before", left, 160, "end", 152), ("after", right, 540, "start", 568)):
        y = top
        for status, size in sizes.items():
            if not size:
                continue
            tall = max(size / total * high, 1.0)
            starts[side][status] = y
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="20" height="{tall:.1f}" fill="{COLOURS[status]}"/>')
            shown = f"{t[status]} {number(size)}"
            parts.append(
                f'<text x="{label}" y="{y + min(tall / 2, 40) + 5:.1f}" text-anchor="{anchor}" font-size="13">{escape(shown)}</text>'
            )
            y += tall + gap
    for move in sorted(moves, key=lambda m: (STATUSES.index(m["before"]), STATUSES.index(m["after"]))):
        tall = weight(move) / total * high
        a, b = starts["before"][move["before"]], starts["after"][move["after"]]
        changed = move["before"] != move["after"]
        colour, opaque = (COLOURS[move["after"]], 0.65) if changed else (COLOURS[move["before"]], 0.18)
        path = f"M180 {a:.1f}C360 {a:.1f} 360 {b:.1f} 540 {b:.1f}V{b + tall:.1f}C360 {b + tall:.1f} 360 {a + tall:.1f} 180 {a + tall:.1f}Z"
        said = f"{t[move['before']]} → {t[move['after']]}: {number(weight(move))}"
        parts.append(f'<path d="{path}" fill="{colour}" fill-opacity="{opaque}"><title>{escape(said)}</title></path>')
        starts["before"][move["before"]] += tall
        starts["after"][move["after"]] += tall
    return "".join(parts) + "</svg>"


def bars(dimension: str, parts: dict[str, Any], lang: str) -> str:
    """Share of each group that is eligible: before in pale, what is added or lost in full colour."""
    t = NAMES[lang]
    rows = []
    for place, (name, part) in enumerate(parts.items()):
        size = sum(weight(part["after"]["status"][s]) for s in STATUSES) or 1.0
        before, after = (weight(part[side]["status"]["eligible"]) / size for side in ("before", "after"))
        y = 8 + place * 26
        both, more = min(before, after) * 460, abs(after - before) * 460
        colour = COLOURS["eligible"] if after >= before else "#b3261e"
        rows.append(f'<text x="130" y="{y + 14}" text-anchor="end" font-size="13">{escape(t.get(name, name))}</text>')
        rows.append(
            f'<rect x="140" y="{y}" width="460" height="18" fill="#eceef1"/><rect x="140" y="{y}" width="{both:.1f}" height="18" fill="#8cc8a4"/>'
        )
        rows.append(f'<rect x="{140 + both:.1f}" y="{y}" width="{more:.1f}" height="18" fill="{colour}"/>')
        rows.append(f'<text x="608" y="{y + 14}" font-size="13">{before:.1%} → {after:.1%}</text>')
    label = f"{t['eligible']} {t['by']} {t[dimension]}"
    return (
        f'<svg viewBox="0 0 720 {16 + 26 * len(parts)}" role="img" aria-label="{escape(label)}">'
        + "".join(rows)
        + "</svg>"
    )


def table(result: Result) -> str:
    """All figures as CSV: one line a scenario, programme, group and figure."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "scenario",
            "programme",
            "dimension",
            "group",
            "figure",
            "before_status",
            "after_status",
            "unit",
            "value",
            "half_interval",
            "sample_n",
        ]
    )
    for scenario in result.scenarios:
        for id, figures in scenario["programmes"].items():
            groups = [
                ("all", "", figures),
                *((d, g, f) for d, parts in figures["by"].items() for g, f in parts.items()),
            ]
            for dimension, group, part in groups:
                for row in _rows(part):
                    writer.writerow([scenario["id"], id, dimension, group, *row])
    for one in result.indicators:
        for figure in ("numerator", "denominator", "unknown", "target"):
            writer.writerow(["base", one["programme"], "indicator", one["id"], figure, "", "", "", one[figure], "", ""])
    return out.getvalue()


def _rows(part: dict[str, Any]) -> Iterator[list[Any]]:
    def counted(count: dict[str, Any]) -> list[Any]:
        found = count.get("weighted")
        return [found["value"], found["half"], count["n"]] if found else [count["n"], "", count["n"]]

    for move in part["moves"]:
        yield ["move", move["before"], move["after"], "people", *counted(move)]
    for key in ("gain", "lose", "open"):
        yield [key, "", "", "people", *counted(part[key])]
    for side in ("before", "after"):
        for unit, total in part[side]["cost"].items():
            yield [f"cost_{side}", "", "", unit, total["value"], total.get("half", ""), ""]
        for key in ("paid", "amount_unknown", "amount_not_configured"):
            yield [f"{key}_{side}", "", "", "people", part[side][key], "", ""]
