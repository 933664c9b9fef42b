"""Screening results and the crosswalk as a person reads them in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from yyassess.report.text import mark
from yyassess.rulebook.book import Rulebook

SIGNS = {"done": "✔", "needed": "→", "not_needed": "·", "optional": "○", "perhaps": "?"}


def show_screening(result: dict[str, Any], book: Rulebook, lang: str) -> None:
    """The pathway as far as it goes."""
    out = Console(highlight=False)
    zh = lang == "zh"
    out.print(f"[bold]{escape(result['name'][lang])}[/bold]  {result['on']}")
    for clause in result["entry"]:
        if clause["status"] == "true":
            out.print(
                f"  {'进入' if zh else 'enters'}: {escape(clause['say'][lang])} [dim]{mark(clause['evidence'], lang)}[/dim]"
            )
    for stage in result["stages"]:
        done = ", ".join(f"{d['instrument']} {d['name'][lang]} ({d['date']})" for d in stage["done"])
        choose = "、".join(c["name"][lang] for c in stage.get("choose", ())) if not done else ""
        extra = done or (
            f"{'可用' if zh else 'use one of'}: {choose}" if choose and stage["status"] != "not_needed" else ""
        )
        out.print(f"  {SIGNS[stage['status']]} {escape(stage['name'][lang])}  {escape(extra)}")
    for conflict in result["conflicts"]:
        screens = ", ".join(f"{s['instrument']}: {s['code']}" for s in conflict["screens"])
        out.print(f"  [yellow]! {'结果不一致' if zh else 'the screens disagree'}: {escape(screens)}[/yellow]")
    graded = result["result"]
    if graded:
        state = "" if result["complete"] else (" （未完成）" if zh else " (not complete)")
        out.print(f"[bold]{escape(graded['name'][lang])}[/bold]{state}  [dim]{escape(graded['because'][lang])}[/dim]")
    for key in ("cautions", "actions", "flags", "decisions"):
        for line in result[key]:
            out.print(f"  • {escape(line['say'][lang])} [dim]{mark(line['evidence'], lang)}[/dim]")
    if result["rescreen"]:
        due = result["rescreen"].get("due", "")
        out.print(f"  {'复筛' if zh else 'Screen again'} {due}: {escape(result['rescreen']['say'][lang])}")
    if result["missing"]:
        names = [book.facts[n].name[lang] for n in result["missing"]]
        out.print(f"  [yellow]{'还需知道' if zh else 'To be asked'}: {escape('、'.join(names))}[/yellow]")
    out.print(f"[dim]{escape(result['note'][lang])}[/dim]")


def show_crosswalk(result: dict[str, Any], book: Rulebook, lang: str) -> None:
    """The standards side by side."""
    out = Console(highlight=False)
    zh = lang == "zh"
    for row in result["standards"]:
        grade = row["grade"]
        shown = f"{grade['level']} {grade['name'][lang]}" if grade else "—"
        badge = f" [black on yellow] {row['unconfirmed'][lang]} [/]" if row.get("unconfirmed") else ""
        if row.get("entered"):
            badge += f" [dim]{'填报，未计算' if zh else 'entered, not computed'}[/dim]"
        out.print(f"{escape(row['name'][lang])}: [bold]{escape(shown)}[/bold]{badge} [dim]{row['date']}[/dim]")
    for row in result["carried"]:
        source, target = row["from"], row["to"]
        out.print(
            f"  ⇢ {source['instrument']}.{source['item']} {source['answer']} → {target['instrument']}.{target['item']} "
            f"{target['answer']}  [dim]{escape(row['say'][lang])} · {mark(row['evidence'], lang)}[/dim]"
        )
    for warning in result["warnings"]:
        out.print(f"[yellow]! {escape(warning[lang])}[/yellow]")
