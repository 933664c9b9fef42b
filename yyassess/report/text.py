"""Results as a person reads them in a terminal: a grade bar, short tables, trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from yyassess.rulebook.book import Rulebook

COLOURS = ("green", "green3", "yellow", "dark_orange", "red", "bright_red", "magenta")
MARKS = {
    "verified": ("已核实", "verified"),
    "single": ("单一来源", "single source"),
    "recall": ("未核对", "unconfirmed"),
    "decision": ("本项目判读", "project's reading"),
    "unknown": ("未知", "unknown"),
}
LICENCES = {
    "government": ("政府表单", "government form"),
    "public_domain": ("公有领域", "public domain"),
    "permitted": ("允许使用", "permitted"),
    "restricted": ("受限", "restricted"),
    "unconfirmed": ("待确认", "unconfirmed"),
}
STATUS = {
    "eligible": ("✔", "green", "可享受", "eligible"),
    "ineligible": ("✘", "red", "不符合", "not eligible"),
    "unknown": ("?", "yellow", "尚缺信息", "more facts needed"),
    "not_configured": ("—", "bright_black", "未配置", "not configured"),
    "not_in_force": ("·", "bright_black", "当日未施行", "not in force"),
}
TRUTH = {"true": ("✔", "green"), "false": ("✘", "red"), "unknown": ("?", "yellow")}


def _console() -> Console:
    return Console(highlight=False, soft_wrap=False)


def mark(evidence: str, lang: str) -> str:
    """An evidence mark in words."""
    return MARKS[evidence][lang == "en"]


def show_grade(result: dict[str, Any], book: Rulebook, lang: str) -> None:
    """An assessment's result."""
    out = _console()
    zh = lang == "zh"
    grade = result["grade"]
    out.print(f"[bold]{escape(result['name'][lang])}[/bold]  [dim]{result['instrument']}  {result['date'] or ''}[/dim]")
    levels = book.instruments[result["instrument"]].levels
    if levels and not result.get("results"):
        out.print(_bar(levels, grade, result.get("bounds"), lang))
    if grade:
        badge = f"  [black on yellow] {result['unconfirmed'][lang]} [/]" if result.get("unconfirmed") else ""
        out.print(f"[bold]{'等级' if zh else 'Grade'} {grade['level']}  {escape(grade['name'][lang])}[/bold]{badge}")
    elif result.get("not_computed"):
        out.print(f"[yellow]{escape(result['not_computed'][lang])}[/yellow]")
    elif not result["complete"]:
        names = _item_names(book, result["instrument"], lang)
        missing = result["missing"]
        shown = (
            "、".join(names.get(m, m) for m in missing[:8]) if zh else ", ".join(names.get(m, m) for m in missing[:8])
        )
        more = "…" if len(missing) > 8 else ""
        out.print(
            f"[yellow]{'未完成，缺' if zh else 'Incomplete, missing'} {len(missing)}: {escape(shown)}{more}[/yellow]"
        )
    for id, part in result.get("results", {}).items():
        out.print(
            f"  {escape(part['name'][lang])}: [bold]{escape(part['name_of_level'][lang]) if 'name_of_level' in part else part['code']}[/bold]  {part.get('score', '')}  [dim]{id}[/dim]"
        )
    _scores(out, result, book, lang)
    for adjustment in result["adjustments"]:
        levels_moved = adjustment["levels"]
        sign = "" if levels_moved is None else f" ({levels_moved:+d})"
        clause = adjustment["source"]["clause"] or ""
        out.print(
            f"  [cyan]{'变更' if zh else 'Change'}{sign}[/cyan] {escape(adjustment['say'][lang])} [dim]{clause} · {mark(adjustment['evidence'], lang)}[/dim]"
        )
    for decision in result["decisions"]:
        out.print(f"  [blue]{decision['id']}[/blue] {escape(decision['say'][lang])}")
    for warning in result["warnings"]:
        out.print(f"  [yellow]! {escape(warning['say'][lang])}[/yellow]")
    if result.get("official_output", {}).get("blocked"):
        out.print(f"  [yellow]! {escape(result['official_output']['say'][lang])}[/yellow]")
    out.print(
        f"[dim]{'依据' if zh else 'Evidence'}: {mark(result['evidence'], lang)} · {result['ruleset']['hash'][:19]}[/dim]"
    )


def _bar(levels: Sequence[Any], grade: Any, bounds: Any, lang: str) -> str:
    cells = []
    for level in levels:
        colour = COLOURS[min(level.level, len(COLOURS) - 1)]
        chosen = grade is not None and grade["level"] == level.level
        possible = bounds is not None and bounds["best"] <= level.level <= bounds["worst"]
        if chosen:
            cells.append(f"[black on {colour}] ▶{level.level} [/]")
        elif possible:
            cells.append(f"[{colour}] ?{level.level} [/]")
        else:
            cells.append(f"[dim]  {level.level} [/dim]")
    return "│".join(cells)


def _item_names(book: Rulebook, instrument: str, lang: str) -> dict[str, str]:
    return {i.id: i.name[lang] for d in book.instruments[instrument].dimensions for i in d.items}


def _scores(out: Console, result: dict[str, Any], book: Rulebook, lang: str) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(4):
        table.add_column()
    for part in result["dimensions"].values():
        score, top = part.get("score"), part.get("max")
        bar = ""
        if score is not None and top:
            full = round(12 * float(score) / float(top))
            bar = "█" * full + "[dim]" + "░" * (12 - full) + "[/dim]"
        level = part.get("level_name", {}).get(lang) or ("" if part.get("level") is None else str(part["level"]))
        shown = "" if score is None else f"{score} / {top}"
        table.add_row("  " + escape(part["name"][lang]), shown, bar, escape(level))
    if "total" in result["scores"]:
        total = result["scores"]["total"]
        table.add_row(
            "  [bold]" + ("总分" if lang == "zh" else "Total") + "[/bold]",
            "" if total is None else f"[bold]{total}[/bold]",
            "",
            "",
        )
    if table.row_count:
        out.print(table)


def show_determination(result: dict[str, Any], book: Rulebook, lang: str, *, explain: bool = False) -> None:
    """A determination: one line a programme (or a tree each with ``explain``), then the plan."""
    out = _console()
    zh = lang == "zh"
    place = book.places[result["place"]]
    out.print(f"[bold]{escape(place.name[lang])}[/bold]  {result['on']}  [dim]{result['ruleset']['hash'][:19]}[/dim]")
    for id, grade in result["grades"].items():
        name = grade.get("name")
        badge = f" [black on yellow] {grade['unconfirmed'][lang]} [/]" if grade.get("unconfirmed") else ""
        out.print(f"  {id}: [bold]{escape(name[lang]) if name else '—'}[/bold]{badge} [dim]{grade['date']}[/dim]")
    order = list(STATUS)
    for outcome in sorted(result["outcomes"], key=lambda o: order.index(o["status"])):
        _outcome(out, outcome, lang, explain)
    if result["plan"]:
        out.print(f"[bold]{'服务计划' if zh else 'Plan'}[/bold]")
        for step in result["plan"]:
            note = (
                f" [dim]({'已宣布，尚非权利' if zh else 'announced, not yet a right'})[/dim]"
                if step.get("announced")
                else ""
            )
            out.print(f"  {step['order']}. {escape(step['service'][lang])}{note} [dim]{step['because']}[/dim]")
    names = {o["programme"]: o["name"][lang] for o in result["outcomes"]}
    grouped: dict[str, list[str]] = {}
    for warning in result["warnings"]:
        about = names.get(warning.get("programme", "")) or warning.get("instrument", "")
        grouped.setdefault(warning["say"][lang], []).append(about)
    for words, abouts in grouped.items():
        listed = ("、" if zh else ", ").join(dict.fromkeys(a for a in abouts if a))
        out.print(f"[yellow]! {escape(words)}[/yellow]" + (f" [dim]{escape(listed)}[/dim]" if listed else ""))


def _outcome(out: Console, outcome: dict[str, Any], lang: str, explain: bool) -> None:
    sign, colour, zh, en = STATUS[outcome["status"]]
    words = zh if lang == "zh" else en
    standing = {"announced": (" · 已宣布", " · announced"), "pilot": (" · 试点", " · pilot")}.get(
        outcome["standing"], ("", "")
    )
    head = f"[{colour}]{sign} {words}[/{colour}]  [bold]{escape(outcome['name'][lang])}[/bold][dim]{standing[lang == 'en']}  {outcome['programme']}[/dim]"
    tree = Tree(head, guide_style="dim")
    if outcome.get("same_as"):
        tree.add(f"[dim]= {outcome['same_as']}[/dim]")
        out.print(tree)
        return
    for benefit in outcome["benefits"] if outcome["status"] in ("eligible", "not_configured") or explain else []:
        tree.add(_benefit(benefit, lang))
    for question in outcome.get("ask", []):
        tree.add(
            f"[yellow]{'需要' if lang == 'zh' else 'ask'}: {escape(question['say'][lang])}[/yellow] [dim]{question['fact']}[/dim]"
        )
    for near in outcome["near"]:
        tree.add(
            f"[magenta]{escape(near['say'][lang])}[/magenta] [dim]{near['fact']}: {near['given']} -> {near['needed']}[/dim]"
        )
    if outcome.get("dropped_for"):
        tree.add(
            f"[magenta]{'与' if lang == 'zh' else 'gives way to'} {outcome['dropped_for']} {'只取其一' if lang == 'zh' else ''}[/magenta]"
        )
    if outcome.get("suspended"):
        tree.add(f"[magenta]{escape(outcome['suspended']['say'][lang])}[/magenta]")
    if outcome.get("not_configured"):
        tree.add(f"[dim]{escape(outcome['not_configured'][lang])}[/dim]")
    for criterion in outcome["criteria"]:
        if explain or (criterion["status"] == "false" and outcome["status"] == "ineligible"):
            mark_sign, mark_colour = TRUTH[criterion["status"]]
            facts = ", ".join(f"{k}={v}" for k, v in criterion["facts"].items())
            detail = (
                f" [dim]{facts} · {criterion['source']['clause'] or ''} · {mark(criterion['evidence'], lang)}[/dim]"
                if explain
                else ""
            )
            tree.add(f"[{mark_colour}]{mark_sign}[/{mark_colour}] {escape(criterion['say'][lang])}{detail}")
    out.print(tree)


def _benefit(benefit: dict[str, Any], lang: str) -> str:
    amount = f" [bold]{benefit['amount']} {benefit['unit']}[/bold]" if benefit.get("amount") is not None else ""
    unknown = f" [dim]({'未配置' if lang == 'zh' else 'not configured'})[/dim]" if benefit.get("not_configured") else ""
    guide = f" [dim]({'国家指导值' if lang == 'zh' else 'national guide value'})[/dim]" if benefit.get("guide") else ""
    return f"{escape(benefit['say'][lang])}{amount}{unknown}{guide} [dim]{mark(benefit['evidence'], lang)}[/dim]"


def show_rows(rows: list[dict[str, Any]], columns: Sequence[str], lang: str) -> None:
    """A list as a table."""
    titles = {
        "id": ("编号", "id"),
        "name": ("名称", "name"),
        "levels": ("等级", "levels"),
        "items": ("条目", "items"),
        "licence": ("许可", "licence"),
        "evidence": ("证据", "evidence"),
        "place": ("地区", "place"),
        "kind": ("类别", "kind"),
        "status": ("状态", "status"),
        "in_force": ("施行", "in force"),
        "code": ("代码", "code"),
        "level": ("层级", "level"),
        "within": ("上级", "within"),
        "programmes": ("项目数", "programmes"),
    }
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(titles[column][lang == "en"], overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*(_cell(row, column, lang) for column in columns))
    _console().print(table)


def _cell(row: dict[str, Any], column: str, lang: str) -> str:
    value = row[column]
    if column == "name":
        return escape(str(value[lang]))
    if column == "evidence":
        return mark(value, lang)
    if column == "levels":
        return f"{value[0]['level']}–{value[-1]['level']}" if value else "—"
    if column == "licence":
        totals = "" if value["items"] == "shipped" else ("，只录总分", ", totals only")[lang == "en"]
        return LICENCES[value["status"]][lang == "en"] + totals
    if column == "in_force":
        return f"{value['from'] or '…'} – {value['to'] or '…'}"
    return "" if value is None else escape(str(value))


PARTS = {
    "criteria": ("条件", "criteria"),
    "benefits": ("待遇", "benefits"),
    "services": ("服务", "services"),
    "interactions": ("衔接", "interactions"),
    "effects": ("暂停与终止", "suspension and end"),
    "indicators": ("指标", "indicators"),
    "examples": ("算例", "examples"),
}
STANDINGS = {
    "in_force": ("施行", "in force"),
    "pilot": ("试点", "pilot"),
    "announced": ("已宣布", "announced"),
    "none_known": ("未见制度", "none known"),
}


def show_coverage(rows: list[dict[str, Any]], places: dict[str, Any], lang: str) -> None:
    """The registry, place by place: what is encoded, on what evidence, what is still unknown."""
    out, en = _console(), lang == "en"
    place = None
    for row in rows:
        if row["place"] != place:
            place = row["place"]
            out.print(f"\n[bold]{escape(places[place][lang])}[/bold] [dim]{place}[/dim]")
        state = f"{STANDINGS[row['status']][en]} · {mark(row['evidence'], lang)} · {row['checked']}"
        out.print(f"  [bold]{escape(row['name'][lang])}[/bold] [dim]{row['id']}[/dim]  {state}")
        parts = ", ".join(f"{PARTS[key][en]} {count}" for key, count in row["encoded"].items())
        alias = f"= {row['same_as']}  " if "same_as" in row else ""
        if row.get("ends"):
            alias = "does not apply here: a local text stands in its place" if en else "本地不适用，由本地文件代替"
        out.print(f"    [dim]{alias}{parts}[/dim]")
        for unknown in row["not_configured"]:
            out.print(f"    [yellow]{'unknown' if en else '未知'}: {escape(unknown[lang])}[/yellow]")
    out.print(f"\n{len(rows)} {'programmes' if en else '个项目'}")


def show_examples(results: Sequence[Any], lang: str) -> None:
    """How the worked examples went: failures with file and line, then the counts."""
    out = _console()
    failed = [r for r in results if not r.passed]
    for result in failed:
        out.print(
            f"[red]{escape(result.file)}:{result.line}[/red] {result.of}: {escape(result.name)}: {escape(result.problem)}"
        )
    words = "通过 {0}，失败 {1}" if lang == "zh" else "{0} passed, {1} failed"
    out.print(words.format(len(results) - len(failed), len(failed)))
