"""Choosing instruments: every one of the rulebook, with the place's bundle ticked beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, allow
from webapp.app import services
from webapp.storage import Visit, visits
from webapp.visits.blueprint import blueprint, open_draft, writing
from webapp.visits.leaving import leave
from webapp.visits.pages import pages_of
from yyassess import Rulebook
from yyassess.rulebook.instrument import Instrument

DEFAULT_INSTRUMENT = "gbt-42195-2022"
KINDS = ("ability", "screening", "staging", "need", "self-rating", "constitution")


@blueprint.get("/visits/<uuid:visit>/instruments")
@allow(ASSESSOR)
def instruments(visit: UUID) -> str:
    """All instruments in force on the day of the visit."""
    found = open_draft(visit)
    chosen = [a.instrument for a in found.assessments] or bundle(services().rules, found.place)
    return _page(found, chosen)


@blueprint.post("/visits/<uuid:visit>/instruments")
@allow(ASSESSOR)
def choose_instruments(visit: UUID) -> Response | tuple[str, int]:
    """Keep the choice; what has answers already stays."""
    known = services()
    found = open_draft(visit)
    ticked = request.form.getlist("instrument")
    there = {i.id for i in offered(known.rules, found)}
    answered = [a.instrument for a in found.assessments if a.answers]
    if not ticked:
        return _page(found, ticked, _("Choose at least one")), 422
    if not set(ticked) <= there:
        return _page(found, ticked, _("Choose from the list")), 422
    if not set(answered) <= set(ticked):
        return _page(found, [*ticked, *answered], _("An instrument with answers cannot be taken away")), 422
    # Answered ones keep their place, so that going back never shuffles the pages.
    order = [a.instrument for a in found.assessments if a.instrument in ticked]
    order += [id for id in _in_order(known.rules, ticked) if id not in order]
    with writing() as db:
        visits.choose_instruments(db, visit, order)
    pages = pages_of(known.rules, open_draft(visit))
    here = url_for("visits.instruments", visit=visit)
    return leave(pages[0].url, here, back=url_for("people.consent_page", visit=visit))


@blueprint.post("/visits/<uuid:visit>/instruments/<instrument>")
@allow(ASSESSOR)
def add_instrument(visit: UUID, instrument: str) -> Response:
    """One more instrument, because an outcome hangs on its grade."""
    known = services()
    found = open_draft(visit)
    known.rules.instrument(instrument)
    order = [a.instrument for a in found.assessments]
    if instrument not in order:
        with writing() as db:
            visits.choose_instruments(db, visit, [*order, instrument])
    pages = pages_of(known.rules, open_draft(visit))
    return leave(next(p.url for p in pages if p.instrument.id == instrument), "")


def bundle(book: Rulebook, place: str) -> list[str]:
    """The instruments a place uses: its own list, else that of the nearest place around it."""
    for level in reversed(book.chain(place) if place in book.places else ()):
        chosen = [id for id in level.bundle if id in book.instruments]
        if chosen:
            return chosen
    return [DEFAULT_INSTRUMENT] if DEFAULT_INSTRUMENT in book.instruments else []


def offered(book: Rulebook, visit: Visit) -> list[Instrument]:
    chosen = {a.instrument for a in visit.assessments}
    around = {place.id for place in book.chain(visit.place)} if visit.place in book.places else {"national"}
    return [
        i
        for i in book.instruments.values()
        if i.id in chosen or (i.in_force.holds(visit.visited_on) and i.place in around)
    ]


def _in_order(book: Rulebook, ids: Sequence[str]) -> list[str]:
    default = {id: n for n, id in enumerate(ids)}
    return sorted(ids, key=lambda id: (KINDS.index(book.instruments[id].kind), default[id]))


def _page(visit: Visit, chosen: Sequence[str], error: str | None = None) -> str:
    book = services().rules
    usual = bundle(book, visit.place)
    there = offered(book, visit)
    titles = {
        "ability": _("Ability and care grades"),
        "screening": _("Screening"),
        "staging": _("Staging"),
        "need": _("Care needs"),
        "self-rating": _("Self-rating"),
        "constitution": _("Constitution"),
    }
    shown = [i for i in there if i.id in usual or i.id in chosen]
    groups = [(_("Used here"), shown)] if shown else []
    groups += [(titles[kind], [i for i in there if i.kind == kind and i not in shown]) for kind in KINDS]
    return render_template(
        "instruments.html",
        visit=visit,
        groups=[(title, found) for title, found in groups if found],
        chosen=chosen,
        answered=[a.instrument for a in visit.assessments if a.answers],
        error=error,
    )
