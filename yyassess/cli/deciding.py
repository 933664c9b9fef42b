"""Commands about what a person or a place may get: determine, table."""

from __future__ import annotations

from pathlib import Path

import click

from yyassess.cli.common import a_day, read_json, rulebook, shared_options, write_json


@click.command()
@click.argument("file", default="-")
@click.option("--place", required=True, help="Place: id, administrative code or name.")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option("--known-on", help="Count only texts known by that day.")
@click.option("--explain", is_flag=True, help="Show every criterion as a tree.")
@click.option("--engine", type=click.Choice(["durable", "reference"]), help="Evaluator (default: durable).")
@shared_options
def determine(
    file: str,
    place: str,
    on: str | None,
    known_on: str | None,
    explain: bool,
    engine: str | None,
    form: str,
    lang: str,
    folders: tuple[Path, ...],
) -> None:
    """Decide what the person of a case (JSON in FILE, or -) may get at a place on a day."""
    from yyassess import determine as decide

    book = rulebook(folders)
    book.place(place)
    day = a_day(on, "--on")
    known = a_day(known_on, "--known-on") if known_on is not None else None
    case = read_json(file)
    result = decide(case, place=place, on=day, known_on=known, rules=book, engine=engine)
    if form == "json":
        write_json(result)
    else:
        from yyassess.report.text import show_determination

        show_determination(result, book, lang, explain=explain)


@click.command()
@click.option("--place", required=True, help="Place: id, administrative code or name.")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option(
    "--as", "kind", type=click.Choice(["text", "json", "csv", "html"]), help="Output; csv and html go to stdout."
)
@shared_options
def table(place: str, on: str | None, kind: str | None, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """Grade x programme: what each grade opens, closes or leaves to other facts, derived from the rules."""
    from yyassess.entitlement.table import correspondence_table
    from yyassess.report.table import table_csv, table_html, table_text

    book = rulebook(folders)
    found = correspondence_table(book, place, a_day(on, "--on"))
    kind = kind or form
    if kind == "json":
        write_json(found)
    elif kind == "csv":
        click.echo(table_csv(found, lang), nl=False)
    elif kind == "html":
        click.echo(table_html(found, lang), nl=False)
    else:
        table_text(found, lang)
