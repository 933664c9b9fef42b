"""A report of ``yyassess check`` as a person reads it in a terminal."""

from __future__ import annotations

import json
import shlex

from rich.console import Console
from rich.markup import escape

from yyassess.assurance.checker import Report

COLOURS = {"error": "red", "warning": "yellow", "note": "bright_black"}
SEVERITY = {"error": ("错误", "error"), "warning": ("警告", "warning"), "note": ("说明", "note")}
HOW = {"proved": ("已证明", "proved"), "enumerated": ("已穷举", "enumerated"), "sampled": ("已抽样", "sampled")}


def show_report(report: Report, lang: str) -> None:
    """Findings with file, line and witness; then what was looked at, and how."""
    out = Console(highlight=False, soft_wrap=True)
    english = lang == "en"
    for finding in report.findings:
        colour = COLOURS[finding.severity]
        out.print(
            f"[{colour}]{SEVERITY[finding.severity][english]}[/] [bold]{finding.code}[/bold] "
            f"{escape(finding.file)}:{finding.line} {escape(finding.of)}: {escape(finding.say[lang])}"
        )
        if finding.intended:
            out.print(f"  [dim]{'有意为之' if not english else 'meant'}: {escape(finding.intended[lang])}[/dim]")
        elif finding.how:
            case = json.dumps(dict(finding.witness), ensure_ascii=False)
            out.print(f"  [dim]echo {escape(shlex.quote(case))} | {escape(finding.how)}[/dim]")
    for how, words in HOW.items():
        claims = report.looked[how]  # type: ignore[index]
        number = sum(sum(things.values()) for things in claims.values())
        said = (
            f"{words[english]} {number}"
            + ("" if english else " 项")
            + (f" ({len(claims)} claims)" if english else f"（{len(claims)} 类）")
        )
        out.print(said)
    counts = {s: sum(f.severity == s for f in report.findings) for s in SEVERITY}
    out.print("  ".join(f"[{COLOURS[s]}]{SEVERITY[s][english]} {n}[/]" for s, n in counts.items()))
