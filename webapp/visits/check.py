"""The check page: what is still open, each a link to its question; what does not fit together; the note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, allow
from webapp.app import services
from webapp.storage import Visit, consents, reviews, visits
from webapp.visits.blueprint import blueprint, open_draft, writing
from webapp.visits.casework import Sheet, sheets
from webapp.visits.leaving import leave
from webapp.visits.merging import Base, Overtaken
from webapp.visits.pages import Page, context_page, page_of_fact, page_of_item, pages_of
from webapp.visits.questions import TEXT_LIMIT, fact_anchor
from webapp.visits.telling import Line, told


@dataclass(frozen=True)
class Link:
    """A way to a question."""

    name: Mapping[str, str]
    url: str
    code: str | None = None


@dataclass(frozen=True)
class Warning_:
    """Something that does not fit together, with ways to the questions it is about."""

    say: Mapping[str, str]
    severity: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Part:
    """One instrument on the check page."""

    sheet: Sheet
    gaps: tuple[tuple[Mapping[str, str], tuple[Link, ...]], ...]
    """Missing answers by page title."""
    warnings: tuple[Warning_, ...]
    first: str
    """The instrument's first page."""
    cannot: tuple[tuple[Link, Line], ...] = ()
    """Items that could not be assessed, with the reason."""
    notes: tuple[tuple[Link, Line], ...] = ()
    """Items with an answer and a note."""


@blueprint.get("/visits/<uuid:visit>/check")
@allow(ASSESSOR)
def check(visit: UUID) -> str:
    """What is still open."""
    return _page(open_draft(visit))


@blueprint.post("/visits/<uuid:visit>/check")
@allow(ASSESSOR)
def save_note(visit: UUID) -> Response | tuple[str, int]:
    """Save the note and go on to the result."""
    found = open_draft(visit)
    note = request.form.get("note", "").replace("\r\n", "\n").strip()
    if len(note) > TEXT_LIMIT:
        error = _("The note is longer than %(limit)s characters", limit=TEXT_LIMIT)
        return _page(found, note=note, error=error), 422
    database = services().database
    try:
        changed = Base.posted(request.form).settle(found, "note", [note], [found.note])
    except Overtaken:
        error = _("Somebody else changed the note meanwhile; theirs is kept: %(note)s", note=found.note)
        return _page(found, note=note, error=error), 409
    if changed:
        with writing() as db:
            visits.save_facts(db, database.cipher, visit, {}, private=(), note=note)
    pages = pages_of(services().rules, found)
    back = pages[-1].url if pages else url_for("visits.instruments", visit=visit)
    return leave(url_for("report.result", visit=visit), url_for("visits.check", visit=visit), back=back)


def _page(visit: Visit, note: str | None = None, error: str | None = None) -> str:
    book = services().rules
    pages = pages_of(book, visit)
    lines = {part.id: part.remarks for part in told(book, visit)}
    parts = [_part(s, pages, lines.get(s.instrument.id, ())) for s in sheets(book, visit)]
    database = services().database
    with database.reading() as db:
        answered = consents.current(consents.consents_of(db, database.cipher, visit.person.id))
        reviewed = reviews.reviews_of(db, database.cipher, visit.id) if visit.review == "returned" else []
        names = reviews.names_of(db, visit.organisation)
    consent = answered.get(consents.ASSESSMENT)
    return render_template(
        "check.html",
        visit=visit,
        parts=parts,
        complete=bool(parts) and all(p.sheet.complete for p in parts),
        blocked=any(p.sheet.blocks for p in parts),
        not_graded=any(p.sheet.not_graded for p in parts),
        refused=consent is not None and not consent.holds,
        consented=consent is not None and consent.holds,
        returned=next((r for r in reviewed if r.verdict == reviews.RETURNED), None),
        names=names,
        lost=[a.instrument for a in visit.assessments if a.instrument not in book.instruments],
        note=visit.note if note is None else note,
        error=error,
        limit=TEXT_LIMIT,
    )


def _part(found: Sheet, pages: list[Page], remarks: tuple[Line, ...]) -> Part:
    gaps: dict[str, tuple[Any, list[Link]]] = {}

    def note(page: Page | None, title: Mapping[str, str], link: Link | None) -> None:
        if page is not None and link is not None:
            gaps.setdefault(page.url, (title, []))[1].append(link)

    for item in found.open_items:
        page = page_of_item(pages, found.instrument.id, item)
        if page is not None and page.dimension is not None:
            note(page, page.dimension.name, _link(found, pages, item))
    for name in (*found.open_settings, *found.open_facts):
        note(_home(found, pages, name), MORE, _link(found, pages, name))
    return Part(
        sheet=found,
        gaps=tuple((title, tuple(links)) for title, links in gaps.values()),
        warnings=tuple(
            Warning_(
                w["say"],
                w.get("severity", "hint"),
                tuple(link for n in _named(found, w) if (link := _link(found, pages, n)) is not None),
            )
            for w in found.warnings
        ),
        first=next(p.url for p in pages if p.instrument.id == found.instrument.id),
        cannot=tuple((link, line) for line in remarks if line.cannot and (link := _link(found, pages, line.id))),
        notes=tuple((link, line) for line in remarks if not line.cannot and (link := _link(found, pages, line.id))),
    )


def _named(found: Sheet, warning: Mapping[str, Any]) -> list[str]:
    """The questions a warning is about: its items, and the context its condition reads."""
    if warning["id"] == "not_counted":
        return []
    hint = next((h for h in found.instrument.hints if h.id == warning["id"]), None)
    context = [u.fact for u in found.instrument.context if hint is not None and u.fact in hint.when]
    return list(dict.fromkeys([*warning["items"], *context]))


def _home(found: Sheet, pages: list[Page], name: str) -> Page | None:
    if name in found.open_settings:
        return context_page(pages, found.instrument.id)
    return page_of_fact(pages, name)


def _link(found: Sheet, pages: list[Page], name: str) -> Link | None:
    """The way to an item, a fact or a setting."""
    for dimension in found.instrument.dimensions:
        for item in dimension.items:
            if item.id == name:
                page = page_of_item(pages, found.instrument.id, name)
                return Link(item.name, f"{page.url}#item-{name}", item.code) if page else None
    page = _home(found, pages, name)
    if page is None:
        return None
    setting = next((s for s in found.instrument.settings if s.id == name), None)
    if setting is not None:
        return Link(setting.say, f"{page.url}#setting-{name}")
    fact = services().rules.facts.get(name)
    return Link(fact.name, f"{page.url}#{fact_anchor(name)}") if fact else None


MORE = {"zh": "其他情况", "en": "Other questions"}
