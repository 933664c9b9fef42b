"""The rule browser: every instrument, programme, pathway and place as a page. It shows rules, and never a record."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _

from webapp.access import EVERY_ROLE, allow
from webapp.app import services
from webapp.rulebrowser.blocks import Lines, Section
from webapp.rulebrowser.instruments import instrument_sections
from webapp.rulebrowser.programmes import KINDS, STANDING, document_cells, pathway_sections, programme_sections
from yyassess import Rulebook
from yyassess.entitlement.table import correspondence_table
from yyassess.report.listing import coverage_rows

blueprint = Blueprint("rulebook", __name__)
#: Rules are asked about for days within these years.
FIRST_YEAR, LAST_YEAR = 1990, 2100
INSTRUMENT_KINDS = {
    "ability": lambda: _("Ability"),
    "need": lambda: _("Need of care"),
    "screening": lambda: _("Screening"),
    "staging": lambda: _("Staging"),
    "self-rating": lambda: _("Self-rating"),
    "constitution": lambda: _("Constitution"),
}


@blueprint.get("/rules")
@allow(*EVERY_ROLE)
def overview() -> str:
    """Everything there is: instruments, pathways, places."""
    book = services().rules
    instruments: dict[str, list[Any]] = {}
    for it in book.instruments.values():
        instruments.setdefault(it.kind, []).append(it)
    return render_template(
        "rules.html",
        instruments=[(INSTRUMENT_KINDS[kind](), instruments[kind]) for kind in INSTRUMENT_KINDS if kind in instruments],
        pathways=list(book.pathways.values()),
        places=_places(book),
        documents=len(book.documents),
        coverage=len(book.coverage),
        hash=book.hash,
    )


@blueprint.get("/rules/instruments/<id>")
@allow(*EVERY_ROLE)
def instrument(id: str) -> str:
    """One instrument."""
    book = services().rules
    it = book.instrument(id)
    return _page(it.name, instrument_sections(book, it), id)


@blueprint.get("/rules/programmes/<place>/<id>")
@allow(*EVERY_ROLE)
def programme(place: str, id: str) -> str:
    """One programme of a place: the text in force today, or the one asked for by its number."""
    book = services().rules
    texts = book.programmes.get(place, {}).get(id)
    if texts is None:
        abort(404)
    today = services().settings.today()
    holding = [n for n, text in enumerate(texts.texts) if text.in_force.holds(today)]
    wanted = request.args.get("text", holding[-1] if holding else len(texts.texts) - 1, type=int)
    if not 0 <= wanted < len(texts.texts):
        abort(404)
    text = texts.texts[wanted]
    return _page(text.name, programme_sections(book, texts, text), id, texts=texts.texts, wanted=wanted, place=place)


@blueprint.get("/rules/pathways/<id>")
@allow(*EVERY_ROLE)
def pathway(id: str) -> str:
    """One screening pathway."""
    book = services().rules
    if id not in book.pathways:
        abort(404)
    found = book.pathways[id]
    return _page(found.name, pathway_sections(book, found), id)


@blueprint.get("/rules/documents")
@allow(*EVERY_ROLE)
def documents() -> str:
    """Every document the rules cite."""
    return _page(_("Documents"), [Section("", (Lines(tuple(document_cells(services().rules))),))])


@blueprint.get("/rules/coverage")
@allow(*EVERY_ROLE)
def coverage() -> str:
    """What of each place is written down as rules, on what evidence, and what is still unknown."""
    book = services().rules
    by_place: dict[str, list[dict[str, Any]]] = {}
    for row in coverage_rows(book):
        by_place.setdefault(row["place"], []).append(row)
    return render_template(
        "rules_coverage.html", places=[(book.places[id], rows) for id, rows in by_place.items()], standing=STANDING
    )


@blueprint.get("/rules/places/<id>")
@allow(*EVERY_ROLE)
def place(id: str) -> str:
    """What stands in a place on a day, and which level opens what there."""
    book = services().rules
    found = book.place(id)
    on = _day(request.args.get("on"))
    table = _table(book, found.id, on)
    standings = [s for s in book.at(found.id, on).standings.values()]
    return render_template(
        "rules_place.html",
        place=found,
        chain=book.chain(found.id),
        inside=[p for p in _places(book) if p.within == found.id],
        on=on,
        table=table,
        programmes=[s for s in standings if s.in_force],
        past=[s for s in standings if not s.in_force],
        kinds=KINDS,
        standing=STANDING,
    )


def _page(name: Any, sections: list[Section], id: str | None = None, **more: Any) -> str:
    known = services().rules.documents
    return render_template("rules_page.html", name=name, sections=sections, id=id, documents=known, **more)


def _places(book: Rulebook) -> list[Any]:
    return sorted(book.places.values(), key=lambda p: p.code)


def _day(given: str | None) -> dt.date:
    """The day asked about; today when none or no real one was given."""
    try:
        found = dt.date.fromisoformat(given or "")
    except ValueError:
        return services().settings.today()
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        return services().settings.today()
    return found


@lru_cache(maxsize=64)
def _table(book: Rulebook, place: str, on: dt.date) -> dict[str, Any]:
    return correspondence_table(book, place, on)
