"""Commands about one person's grades: assess, screen, crosswalk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import click

from yyassess.cli.common import BadInput, a_day, in_future, read_json, rulebook, shared_options, write_json


@click.command()
@click.argument("instrument")
@click.argument("file", default="-")
@shared_options
def assess(instrument: str, file: str, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """Grade answers (JSON in FILE, or - for stdin) by INSTRUMENT."""
    from yyassess import InputError
    from yyassess import assess as grade

    book = rulebook(folders)
    book.instrument(instrument)
    request = read_json(file)
    late = []
    if isinstance(request, Mapping):
        if request.get("date") is None:
            request = {**request, "date": dt.date.today().isoformat()}
        late = in_future(request["date"], "date")
    try:
        result = grade(instrument, request, book)
    except InputError as error:
        raise BadInput([*late, *error.errors]) from None
    if late:
        raise BadInput(late)
    if form == "json":
        write_json(result)
    else:
        from yyassess.report.text import show_grade

        show_grade(result, book, lang)


@click.command()
@click.argument("file", default="-")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option("--pathway", default="dementia", show_default=True)
@shared_options
def screen(file: str, on: str | None, pathway: str, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """Follow a screening pathway for a case (JSON in FILE, or -): result, what is still needed, what to do."""
    from yyassess import screen as follow

    book = rulebook(folders)
    day = a_day(on, "--on")
    result = follow(read_json(file), on=day, pathway=pathway, rules=book)
    if form == "json":
        write_json(result)
    else:
        from yyassess.report.screening import show_screening

        show_screening(result, book, lang)


@click.command()
@click.argument("file", default="-")
@click.option("--on", "on", help="The day asked about (default: today).")
@shared_options
def crosswalk(file: str, on: str | None, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """Show one case under each standard it has answers for, side by side; grades are never converted."""
    from yyassess import crosswalk as compare

    book = rulebook(folders)
    result = compare(read_json(file), on=a_day(on, "--on"), rules=book)
    if form == "json":
        write_json(result)
    else:
        from yyassess.report.screening import show_crosswalk

        show_crosswalk(result, book, lang)
