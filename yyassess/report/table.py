"""The grade x programme table as text, CSV and a page that opens offline."""

from __future__ import annotations

import csv
import io
from html import escape
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape as plain
from rich.table import Table

SIGNS = {
    "open": ("✔", "green", "开放", "open"),
    "closed": ("✘", "red", "不开放", "closed"),
    "depends": ("◐", "yellow", "看其他条件", "depends"),
    "not_configured": ("—", "bright_black", "未配置", "not configured"),
}


def _words(cell: dict[str, Any], lang: str) -> str:
    return SIGNS[cell["cell"]][3 if lang == "en" else 2]


def _facts(cell: dict[str, Any], table: dict[str, Any], lang: str) -> str:
    names = [table["facts"][n][lang] for n in cell.get("depends_on", ())]
    return "、".join(names) if lang == "zh" else ", ".join(names)


def table_text(table: dict[str, Any], lang: str) -> None:
    """To the terminal: one table an instrument, programmes down, grades across."""
    out = Console(highlight=False)
    out.print(f"[bold]{plain(table['name'][lang])}[/bold]  {table['on']}  [dim]{table['ruleset']['hash'][:19]}[/dim]")
    legend = "  ".join(f"[{colour}]{sign}[/] {en if lang == 'en' else zh}" for sign, colour, zh, en in SIGNS.values())
    for part in table["instruments"]:
        levels = "  ".join(f"{row['level']} {row['name'][lang]}" for row in part["rows"])
        out.print(f"\n[bold]{plain(part['name'][lang])}[/bold]\n[dim]{plain(levels)}[/dim]\n{legend}")
        shown = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1))
        shown.add_column("项目" if lang == "zh" else "Programme", ratio=3, overflow="fold")
        for row in part["rows"]:
            shown.add_column(str(row["level"]), justify="center", no_wrap=True, min_width=1)
        shown.add_column("还看什么" if lang == "zh" else "Also depends on", ratio=4, overflow="fold", style="dim")
        for column in part["columns"]:
            cells = [row["cells"][column["id"]] for row in part["rows"]]
            signs = [f"[{SIGNS[c['cell']][1]}]{SIGNS[c['cell']][0]}[/]" for c in cells]
            depends = next((_facts(c, table, lang) for c in cells if c.get("depends_on")), "")
            shown.add_row(plain(column["name"][lang] + _standing(column, lang)), *signs, plain(depends))
        out.print(shown)
    names = [f"{c['name'][lang]}{_standing(c, lang)}" for c in table["without_grade"]]
    if names:
        out.print(
            ("不看等级的项目：" if lang == "zh" else "Programmes no grade decides: ")
            + ("、" if lang == "zh" else ", ").join(names)
        )
    names = [c["name"][lang] for c in table["not_in_force"]]
    if names:
        out.print(
            ("当日未施行：" if lang == "zh" else "Not in force that day: ")
            + ("、" if lang == "zh" else ", ").join(names)
        )


def _standing(column: dict[str, Any], lang: str) -> str:
    words = {
        "announced": ("（已宣布）", " (announced)"),
        "pilot": ("（试点）", " (pilot)"),
        "none_known": ("（未见制度）", " (none known)"),
    }
    return words.get(column["standing"], ("", ""))[lang == "en"]


def table_csv(table: dict[str, Any], lang: str) -> str:
    """One line a grade and programme."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["place", "on", "instrument", "level", "grade", "programme", "name", "cell", "depends_on"])
    for part in table["instruments"]:
        for row in part["rows"]:
            for column in part["columns"]:
                cell = row["cells"][column["id"]]
                writer.writerow(
                    [
                        table["place"],
                        table["on"],
                        part["instrument"],
                        row["level"],
                        row["name"][lang],
                        column["id"],
                        column["name"][lang],
                        cell["cell"],
                        ";".join(cell.get("depends_on", ())),
                    ]
                )
    return stream.getvalue()


STYLE = """
body{font:18px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:70rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.5rem}table{border-collapse:collapse;width:100%;margin:1rem 0}
caption{text-align:left;font-weight:600;font-size:1.15rem;padding:.5rem 0}
th,td{border:1px solid #bbb;padding:.45rem .6rem;text-align:center;vertical-align:top}th[scope=row]{text-align:left;font-weight:400}
.open{background:#d9f2e3}.closed{background:#f8dedb}.depends{background:#fdf3d0}.not_configured{background:#eee}
small{color:#444;display:block}.wide{overflow-x:auto}
"""


def table_html(table: dict[str, Any], lang: str) -> str:
    """A page of its own: no script, no request."""
    zh = lang == "zh"
    title = f"{table['name'][lang]} · {table['on']} · " + ("等级与待遇对应表" if zh else "grades and programmes")
    parts = [
        f'<!doctype html><html lang="{"zh-Hans" if zh else "en"}"><meta charset="utf-8">',
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>',
        f"<h1>{escape(title)}</h1>",
    ]
    for part in table["instruments"]:
        parts.append(
            f'<div class="wide"><table><caption>{escape(part["name"][lang])}</caption><tr><th>{"项目" if zh else "Programme"}</th>'
        )
        parts += [f'<th scope="col">{row["level"]} {escape(row["name"][lang])}</th>' for row in part["rows"]]
        parts.append("</tr>")
        for column in part["columns"]:
            parts.append(
                f'<tr><th scope="row">{escape(column["name"][lang] + _standing(column, lang))}<small>{column["id"]}</small></th>'
            )
            for row in part["rows"]:
                cell = row["cells"][column["id"]]
                depends = _facts(cell, table, lang)
                more = f"<small>{escape(depends)}</small>" if depends else ""
                parts.append(
                    f'<td class="{cell["cell"]}">{SIGNS[cell["cell"]][0]} {escape(_words(cell, lang))}{more}</td>'
                )
            parts.append("</tr>")
        parts.append("</table></div>")
    for key, words in (
        ("without_grade", ("不看等级的项目", "Programmes no grade decides")),
        ("not_in_force", ("当日未施行", "Not in force that day")),
    ):
        names = [escape(c["name"][lang] + _standing(c, lang)) for c in table[key]]
        if names:
            parts.append(f"<h2>{words[not zh]}</h2><p>{('、' if zh else ', ').join(names)}</p>")
    parts.append(f"<p><small>{escape(table['ruleset']['hash'])}</small></p></html>\n")
    return "".join(parts)
