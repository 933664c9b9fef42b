"""The result of a simulation as a page an official can read (HTML that opens offline) and as a table of all figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html import escape
from typing import Any

from yyassess.population.charts import COLOURS, LOST, PALE, bars, number, sankey, share, weight
from yyassess.population.figures import Result
from yyassess.population.programmes import STATUSES

NAMES = {
    "zh": {
        "eligible": "符合", "ineligible": "不符合", "unknown": "待定（缺事实）", "not_configured": "未配置", "not_in_force": "未生效",
        "title": "规则变动模拟", "people": "人数", "weighted": "加权人数", "gain": "新增符合", "lose": "不再符合",
        "open": "待定、未配置有变动", "before": "变动前", "after": "变动后", "cost": "金额", "change": "变动", "age": "年龄段",
        "sex": "性别", "district": "地区", "grade": "能力等级", "programme": "项目", "moves": "结论的变动", "none": "没有项目受影响",
        "male": "男", "female": "女", "amount_unknown": "其中：缺事实，金额算不出", "amount_not_configured": "其中：数额未配置，金额算不全",
        "indicators": "目标指标", "share": "比例", "target": "目标", "numerator": "分子", "denominator": "分母", "paid": "实际享受人数",
        "note": "“待定”：缺少事实，还不能认定。“未配置”：没有查到规定或数额。两者都不计入“符合”，也不计入金额。金额只加总算得出的部分，不是预算。",
        "sample": "抽样数据：人数与金额已按权重推算，± 后为 95% 置信区间的一半。", "rejected": "拒绝的行", "rules": "规则集", "by": "按",
        "synthetic": "虚构的人：演示用，不是任何真实人口的数据。", "on": "认定日期", "place": "地区", "summary": "一览", "scenario": "方案",
        "who": "影响了谁", "met": "达到", "not_met": "未达到", "stay": "原已符合", "legend_more": "变动后增加", "legend_less": "变动后减少",
        "missing": "未知", "row": "结论（人数）", "out_of": "占全部", "of": "共", "person": "人", "until": "期限", "aim": "要求", "reached": "达到与否", "cannot_say": "还不能说",
        "targets_note": "“未知”的人分子或分母缺事实；不论他们怎样都达到（或达不到），才写达到（或未达到）。", "base": "现行规则",
        "same": "没有变动", "all_programmes": "其他项目（现行规则）", "per": "人均",
    },
    "en": {
        "eligible": "eligible", "ineligible": "ineligible", "unknown": "unknown (facts missing)", "not_configured": "not configured",
        "not_in_force": "not in force", "title": "What a change of rules does", "people": "people", "weighted": "weighted people",
        "gain": "newly eligible", "lose": "no longer eligible", "open": "unknown or not configured, changed", "before": "before", "after": "after",
        "cost": "cost", "change": "change", "age": "age band", "sex": "sex", "district": "district", "grade": "ability grade",
        "programme": "programme", "moves": "how outcomes move", "none": "No programme is affected", "male": "male", "female": "female",
        "amount_unknown": "of these: facts missing, amount not known", "amount_not_configured": "of these: a figure is not configured, amount incomplete",
        "indicators": "Targets", "share": "share", "target": "target", "numerator": "numerator", "denominator": "denominator", "paid": "people paid",
        "note": "\"Unknown\" lacks a fact, so nothing is decided yet. \"Not configured\" lacks a rule or a figure that nobody found. Neither counts as eligible, nor towards the cost. Sums are of what can be worked out; they are no budget.",
        "sample": "A sample: people and sums are weighted up; after ± stands half a 95 % interval.", "rejected": "rows refused", "rules": "ruleset", "by": "by",
        "synthetic": "Made-up people, for demonstration: no data about any real population.", "on": "day", "place": "place", "summary": "At a glance", "scenario": "change",
        "who": "Who is affected", "met": "met", "not_met": "not met", "stay": "eligible before", "legend_more": "added", "legend_less": "lost",
        "missing": "unknown", "row": "outcome (people)", "out_of": "of all", "of": "of", "person": "people", "until": "by", "aim": "wanted", "reached": "reached", "cannot_say": "cannot be said yet",
        "targets_note": "\"Unknown\": a fact for numerator or denominator is missing. A target counts as met (or not met) only where these people could not change that.", "base": "rules as they are",
        "same": "no change", "all_programmes": "Other programmes (rules as they are)", "per": "a head",
    },
}  # fmt: skip
UNITS = {
    "zh": {
        "CNY": "元",
        "year": "年",
        "month": "月",
        "day": "天",
        "hour": "小时",
        "meal": "餐",
        "delivery": "次",
        "visit": "次",
    },
    "en": {},
}
STYLE = """
body{font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei","WenQuanYi Micro Hei",sans-serif;max-width:68rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.7rem;line-height:1.3;margin-bottom:.25rem}h2{font-size:1.35rem;margin-top:2.5rem;border-bottom:3px solid #07843f}h3{font-size:1.15rem;margin:1.75rem 0 .25rem}h4{font-size:1rem;margin:1.25rem 0 .25rem}
table{border-collapse:collapse;margin:.5rem 0;width:100%;font-variant-numeric:tabular-nums}th,td{border-bottom:1px solid #d5d8dd;padding:.3rem .5rem;text-align:right}th{background:#f3f5f7;font-weight:600}
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:8rem}td{white-space:nowrap}.names td:nth-child(2){white-space:normal;text-align:left}td.sub{padding-left:1.5rem;color:#555}.wide{overflow-x:auto}
.big{display:flex;flex-wrap:wrap;gap:.75rem;margin:.75rem 0}.big div{background:#f3f5f7;padding:.5rem 1rem;border-radius:.5rem;min-width:8rem}.big b{display:block;font-size:1.5rem}.big small{color:#555}
.up{color:#07843f}.down{color:#b3261e}svg{width:100%;min-width:34rem;height:auto}.note{color:#555;overflow-wrap:anywhere}.mark{background:#fff4e0;border-left:4px solid #c98a00;padding:.5rem 1rem}
.key span{display:inline-block;width:1em;height:1em;margin:0 .35em 0 1em;vertical-align:-.15em}@media print{body{max-width:none}h2{break-before:page}svg,table{break-inside:avoid}}
"""


def people(count: dict[str, Any]) -> str:
    """A count: exact, or weighted with its interval."""
    if "weighted" in count and count["n"]:
        return f"{number(round(count['weighted']['value']))} ± {number(round(count['weighted']['half']))}"
    return number(count["n"])


def money(total: dict[str, float]) -> str:
    """A sum, with its interval where it has one."""
    return number(total["value"]) + (f" ± {number(total['half'])}" if "half" in total else "")


def unit_name(unit: str, lang: str) -> str:
    """A unit of money in words: ``CNY/month`` -> 元/月."""
    return "/".join(UNITS[lang].get(part, part) for part in unit.split("/"))


def signed(value: float) -> str:
    """A difference with its sign."""
    return "0" if not value else ("+" if value > 0 else "−") + number(abs(value))


class Page:
    """One page in one language."""

    def __init__(self, result: Result, lang: str) -> None:
        self.result, self.lang, self.t = result, lang, NAMES[lang]

    def html(self) -> str:
        """The page."""
        t, result = self.t, self.result
        changed = result.scenarios[1:]
        title = changed[0]["name"][self.lang] if len(changed) == 1 else t["title"]
        body = [f"<h1>{escape(title)}</h1>", *self._head()]
        body += self._summary(changed)
        for scenario in changed:
            if len(changed) > 1:
                body.append(f"<h2>{escape(scenario['name'][self.lang])}</h2>")
            if not scenario["programmes"]:
                body.append(f"<p>{t['none']}</p>")
            for id, figures in scenario["programmes"].items():
                body += self._programme(id, figures)
        body += self._others()
        if result.indicators:
            body += self._indicators()
        body.append(f"<p class=note>{t['rules']}: {escape(result.ruleset)}</p>")
        language = "zh-CN" if self.lang == "zh" else "en"
        return (
            f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
            f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
        )

    def _head(self) -> Iterator[str]:
        t, result, study = self.t, self.result, self.result.study
        place = result.place[self.lang] if result.place else study.place
        facts = [f"{t['place']}: {escape(place)}", f"{t['on']}: {study.on}", f"{t['people']}: {number(result.people)}"]
        if study.weight:
            facts.append(f"{t['weighted']}: {number(round(result.weight))}")
        if result.rejected:
            facts.append(f"{t['rejected']}: {number(result.rejected)}")
        yield f"<p>{' · '.join(facts)}</p>"
        if result.synthetic:
            yield f"<p class=mark><strong>{t['synthetic']}</strong></p>"
        yield f"<p class=note>{t['note']}{t['sample'] if study.weight else ''}</p>"

    def _changes(self, figures: dict[str, Any]) -> dict[str, float]:
        """What a change costs more, by unit."""
        before, after = figures["before"]["cost"], figures["after"]["cost"]
        return {u: after[u]["value"] - before[u]["value"] for u in after}

    def _summary(self, changed: list[dict[str, Any]]) -> Iterator[str]:
        t, lang = self.t, self.lang
        rows = []
        for scenario in changed:
            for id, figures in scenario["programmes"].items():
                more = "<br>".join(
                    f"{signed(v)} {escape(unit_name(u, lang))}" for u, v in self._changes(figures).items()
                )
                cells = [people(figures[k]) for k in ("gain", "lose", "open")] + [more or "—"]
                first = f"<td>{escape(scenario['name'][lang])}</td>" if len(changed) > 1 else ""
                name = escape(self.result.names[id][lang])
                rows.append(f"<tr>{first}<td>{name}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
        if len(rows) < 2:
            return
        heads = ([t["scenario"]] if len(changed) > 1 else []) + [t[k] for k in ("programme", "gain", "lose", "open")]
        yield f"<h2>{t['summary']}</h2><div class=wide><table><tr>"
        yield "".join(
            f"<th>{h}</th>" for h in (*heads, f"{t['cost']}{t['change']}" if lang == "zh" else "cost, change")
        )
        yield "</tr>" + "".join(rows) + "</table></div>"

    def _programme(self, id: str, figures: dict[str, Any]) -> Iterator[str]:
        t, lang = self.t, self.lang
        size = weight(figures["people"])
        yield f"<h3>{escape(self.result.names[id][lang])}</h3>"
        boxes = []
        for key, kind in (("gain", "up"), ("lose", "down"), ("open", "")):
            some = weight(figures[key])
            part = f"<small>{t['out_of']} {share(some, size)}</small>"
            boxes.append(f"<div>{t[key]}<b class={(some and kind) or 'note'}>{people(figures[key])}</b>{part}</div>")
        for unit, more in self._changes(figures).items():
            total = f"<small>{money(figures['before']['cost'][unit])} → {money(figures['after']['cost'][unit])}</small>"
            boxes.append(f"<div>{t['cost']} ({escape(unit_name(unit, lang))})<b>{signed(more)}</b>{total}</div>")
        yield '<div class="big">' + "".join(boxes) + "</div>"
        yield f"<div class=wide>{sankey(figures['moves'], t)}</div>"
        yield self._outcomes(figures)
        yield f"<h4>{t['who']}</h4>" + self._key()
        for dimension, parts in figures["by"].items():
            yield self._by(dimension, parts)

    def _key(self) -> str:
        t = self.t
        marks = ((PALE, "stay"), (COLOURS["eligible"], "legend_more"), (LOST, "legend_less"))
        return (
            '<p class="note key">' + "".join(f'<span style="background:{c}"></span>{t[k]}' for c, k in marks) + "</p>"
        )

    def _outcomes(self, figures: dict[str, Any]) -> str:
        t, lang = self.t, self.lang
        rows = [f"<tr><th>{t['row']}</th><th>{t['before']}</th><th>{t['after']}</th><th>{t['change']}</th></tr>"]

        def line(name: str, before: str, after: str, more: float, kind: str = "") -> None:
            rows.append(f"<tr><td{kind}>{name}</td><td>{before}</td><td>{after}</td><td>{signed(more)}</td></tr>")

        for status in STATUSES:
            before, after = (figures[side]["status"][status] for side in ("before", "after"))
            if before["n"] or after["n"]:
                line(t[status], people(before), people(after), round(weight(after) - weight(before)))
        for key in ("paid", "amount_unknown", "amount_not_configured"):
            before, after = figures["before"][key], figures["after"][key]
            if (before["n"] or after["n"]) and (figures["after"]["cost"] or key != "amount_unknown"):
                kind = ' class="sub"' if key != "paid" else ""
                line(t[key], people(before), people(after), round(weight(after) - weight(before)), kind)
        for unit, more in self._changes(figures).items():
            name = f"{t['cost']} ({escape(unit_name(unit, lang))})"
            line(name, money(figures["before"]["cost"][unit]), money(figures["after"]["cost"][unit]), more)
        return "<div class=wide><table>" + "".join(rows) + "</table></div>"

    def named(self, dimension: str, name: str) -> str:
        """A group as people call it."""
        t = self.t
        if name == "unknown":
            return t["missing"]
        if dimension == "grade" and name in self.result.grades:
            return f"{name} {self.result.grades[name][self.lang]}"
        if dimension == "age" and self.lang == "zh":
            return f"{name}岁"
        return t.get(name, name) if dimension == "sex" else name

    def _by(self, dimension: str, parts: dict[str, Any]) -> str:
        t, lang = self.t, self.lang
        shown = [(self.named(dimension, name), part) for name, part in parts.items()]
        units = list(next(iter(parts.values()))["after"]["cost"])
        heads = [t[dimension], t["people"], f"{t['before']}{' ' if lang == 'en' else ''}{t['eligible']}",
                 f"{t['after']}{' ' if lang == 'en' else ''}{t['eligible']}", t["gain"], t["lose"], t["open"]]  # fmt: skip
        heads += [
            f"{t['cost']}{t['change']} ({unit_name(u, lang)})" if lang == "zh" else f"cost, change ({u})" for u in units
        ]
        rows = ["<tr>" + "".join(f"<th>{escape(h)}</th>" for h in heads) + "</tr>"]
        for name, part in shown:
            counts = [part["people"], *(part[side]["status"]["eligible"] for side in ("before", "after"))]
            cells = [people(c) for c in (*counts, part["gain"], part["lose"], part["open"])]
            cells += [signed(v) for v in self._changes(part).values()]
            rows.append(f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
        title = f"{t['by']}{' ' if lang == 'en' else ''}{t[dimension]}"
        picture = bars(shown, f"{t['eligible']} {title}")
        return f"<h4>{title}</h4><div class=wide>{picture}</div><div class=wide><table>{''.join(rows)}</table></div>"

    def _others(self) -> Iterator[str]:
        """What the rules as they are say of the programmes that no change touches."""
        t, lang = self.t, self.lang
        base = self.result.scenarios[0]["programmes"]
        touched = {id for s in self.result.scenarios[1:] for id in s["programmes"]}
        rest = [id for id in base if id not in touched]
        if not rest:
            return
        yield f"<h2>{t['all_programmes']}</h2><div class=wide><table><tr><th>{t['programme']}</th>"
        yield "".join(f"<th>{t[s]}</th>" for s in STATUSES) + f"<th>{t['cost']}</th></tr>"
        for id in rest:
            side = base[id]["before"]
            cells = [people(side["status"][s]) if side["status"][s]["n"] else "—" for s in STATUSES]
            sums = [f"{money(c)} {escape(unit_name(u, lang))}" for u, c in side["cost"].items()]
            cells.append("<br>".join(sums) or "—")
            yield (
                f"<tr><td>{escape(self.result.names[id][lang])}</td>"
                + "".join(f"<td>{c}</td>" for c in cells)
                + "</tr>"
            )
        yield "</table></div>"

    def _indicators(self) -> Iterator[str]:
        t = self.t
        heads = ("target", "numerator", "denominator", "missing", "share", "aim", "reached", "until")
        yield (
            f"<h2>{t['indicators']}</h2><div class=wide><table><tr>"
            + "".join(f"<th>{t[h]}</th>" for h in heads)
            + "</tr>"
        )
        for one in self.result.indicators:
            cells = [number(round(one[k])) for k in ("numerator", "denominator", "unknown")]
            value = "—" if one["share"] is None else f"{one['share']:.1%}"
            reached = t[{True: "met", False: "not_met", None: "cannot_say"}[one["reached"]]]
            cells += [value, f"{'≥' if one['at_least'] else '≤'} {one['target']:.0%}", reached, one["by"]]
            yield f"<tr><td>{escape(one['say'][self.lang])}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
        yield f"</table></div><p class=note>{t['targets_note']}</p>"


def html(result: Result, lang: str = "zh") -> str:
    """The page, in Chinese or English."""
    return Page(result, lang).html()


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

    yield ["people", "", "", "people", *counted(part["people"])]
    for move in part["moves"]:
        yield ["move", move["before"], move["after"], "people", *counted(move)]
    for key in ("gain", "lose", "open"):
        yield [key, "", "", "people", *counted(part[key])]
    for side in ("before", "after"):
        for unit, total in part[side]["cost"].items():
            yield [f"cost_{side}", "", "", unit, total["value"], total.get("half", ""), ""]
        for key in ("paid", "amount_unknown", "amount_not_configured"):
            yield [f"{key}_{side}", "", "", "people", *counted(part[side][key])]
