"""Commands that list what the rulebook holds."""

from __future__ import annotations

from pathlib import Path

import click

from yyassess.cli.common import a_day, rulebook, shared_options, write_json


@click.command()
@shared_options
def instruments(form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """List the instruments with licence and evidence."""
    from yyassess.report.listing import instrument_rows
    from yyassess.report.text import show_rows

    rows = instrument_rows(rulebook(folders))
    write_json(rows) if form == "json" else show_rows(
        rows, ("id", "name", "levels", "items", "licence", "evidence"), lang
    )


@click.command()
@click.option("--place", help="Only what applies in this place.")
@click.option("--on", help="The day asked about, with --place (default: today).")
@shared_options
def programmes(place: str | None, on: str | None, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """List the programmes with place, status and evidence."""
    from yyassess.report.listing import programme_rows
    from yyassess.report.text import show_rows

    rows = programme_rows(rulebook(folders), place, a_day(on, "--on"))
    write_json(rows) if form == "json" else show_rows(
        rows, ("id", "name", "place", "kind", "status", "in_force", "evidence"), lang
    )


@click.command()
@shared_options
def places(form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """List the places."""
    from yyassess.report.listing import place_rows
    from yyassess.report.text import show_rows

    rows = place_rows(rulebook(folders))
    write_json(rows) if form == "json" else show_rows(
        rows, ("id", "code", "name", "level", "within", "programmes"), lang
    )


@click.command()
@click.option("--place", help="Only this place.")
@shared_options
def coverage(place: str | None, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """Print the registry: place x programme x what is encoded, on what evidence, checked when."""
    from yyassess.report.listing import coverage_rows
    from yyassess.report.text import show_coverage

    book = rulebook(folders)
    rows = coverage_rows(book, place)
    if form == "json":
        write_json(rows)
    else:
        show_coverage(rows, {p.id: p.name for p in book.places.values()}, lang)
