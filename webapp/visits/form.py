"""The form pages: one dimension a page, then what else is asked. Each post saves what is right and goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, allow
from webapp.app import services
from webapp.storage import Visit, visits
from webapp.visits.blueprint import blueprint, open_draft, private_facts, writing
from webapp.visits.casework import Sheet, open_choices, sheet
from webapp.visits.items import save_items, shown_remarks
from webapp.visits.leaving import leave
from webapp.visits.merging import Base, Overtaken, Theirs, theirs
from webapp.visits.pages import Page, pages_of
from webapp.visits.questions import (
    Question,
    Unreadable,
    Words,
    fact_field,
    fact_question,
    item_field,
    item_question,
    not_asked,
    read_fact,
    read_setting,
    setting_field,
    setting_question,
    stored_as_posted,
)
from webapp.visits.reasons import CANNOT
from webapp.visits.telling import fact_value, setting_words
from yyassess import Rulebook
from yyassess.rulebook.vocabulary import FactDefinition

Errors = Mapping[str, Words]


@blueprint.route("/visits/<uuid:visit>/<instrument>/items/<dimension>", methods=["GET", "POST"])
@allow(ASSESSOR)
def items(visit: UUID, instrument: str, dimension: str) -> Response | str | tuple[str, int]:
    """One dimension of an instrument."""
    book = services().rules
    found = open_draft(visit)
    pages = pages_of(book, found)
    page = next(
        (p for p in pages if p.instrument.id == instrument and p.dimension and p.dimension.id == dimension), None
    )
    if page is None:
        abort(404)
    if request.method == "GET":
        return _items_page(found, pages, page, {})
    errors = save_items(found, page)
    if errors:
        return _items_page(open_draft(visit), pages, page, errors), failed(errors)
    return _onward(found, pages, page)


@blueprint.route("/visits/<uuid:visit>/<instrument>/context", methods=["GET", "POST"])
@allow(ASSESSOR)
def context(visit: UUID, instrument: str) -> Response | str | tuple[str, int]:
    """What an instrument asks beside its items: settings, facts, and the basic information form."""
    book = services().rules
    found = open_draft(visit)
    pages = pages_of(book, found)
    page = next((p for p in pages if p.instrument.id == instrument and p.dimension is None), None)
    if page is None:
        abort(404)
    if request.method == "GET":
        return _context_page(found, pages, page, {})
    errors = {**save_posted_facts(found, page.facts), **_save_settings(found, page)}
    if errors:
        return _context_page(open_draft(visit), pages, page, errors), failed(errors)
    return _onward(found, pages, page)


# -- saving ------------------------------------------------------------------------------------------------


def failed(errors: Errors) -> int:
    """409 when the only fault is that somebody else was faster, else 422."""
    return 409 if all(isinstance(say, Theirs) for say in errors.values()) else 422


def save_posted_facts(visit: Visit, names: tuple[str, ...]) -> dict[str, Words]:
    """Save the posted facts that are right; say what is wrong with the others."""
    known = services()
    book, database = known.rules, known.database
    facts: dict[str, Any] = {}
    errors: dict[str, Words] = {}
    shown_fields = set(request.form.getlist("shown"))
    fields = {fact_field(name): name for name in names}
    base = Base.posted(request.form)
    for field, name in fields.items():
        # Boxes that are not ticked are not posted: the page says which ones it showed.
        if field not in request.form and field not in shown_fields:
            continue
        fact = book.facts[name]
        try:
            value = read_fact(fact, request.form.getlist(field), book.places)
            posted, stored = stored_as_posted(fact, value), stored_as_posted(fact, visit.facts.get(name))
            if base.settle(visit, f"fact.{name}", posted, stored):
                facts[name] = value
        except Unreadable as error:
            errors[field] = error.say
        except Overtaken:
            was, now = visit.facts.get(name), value
            errors[field] = theirs(*(None if v is None else fact_value(book, name, v) for v in (was, now)))
    for field in request.form:
        if field.startswith("fact.") and field not in fields:
            errors[field] = not_asked(field)
    if facts:
        with writing() as db:
            visits.save_facts(db, database.cipher, visit.id, facts, private=private_facts(book))
    return errors


def _save_settings(visit: Visit, page: Page) -> dict[str, Words]:
    chosen: dict[str, Any] = {}
    errors: dict[str, Words] = {}
    base = Base.posted(request.form)
    assessment = visit.assessment(page.instrument.id)
    settings = assessment.settings if assessment else {}
    for setting in open_choices(services().rules, page.instrument):
        field = setting_field(setting.id)
        if field not in request.form:
            continue
        given = settings.get(setting.id)
        try:
            value = read_setting(setting, request.form[field])
            key = f"{page.instrument.id}.setting.{setting.id}"
            if base.settle(visit, key, _texts(value), _texts(given)):
                chosen[setting.id] = value
        except Unreadable as error:
            errors[field] = error.say
        except Overtaken:
            errors[field] = theirs(*(None if v is None else setting_words(setting, v) for v in (given, value)))
    if chosen:
        with writing() as db:
            visits.save_settings(db, visit.id, page.instrument.id, chosen)
    return errors


def _texts(value: Any) -> list[str]:
    return [] if value is None else [str(value)]


def _onward(visit: Visit, pages: list[Page], page: Page) -> Response:
    place = pages.index(page)
    onward = pages[place + 1].url if place + 1 < len(pages) else url_for("visits.check", visit=visit.id)
    back = pages[place - 1].url if place else url_for("visits.instruments", visit=visit.id)
    return leave(onward, page.url, back=back)


# -- showing -----------------------------------------------------------------------------------------------


def _items_page(visit: Visit, pages: list[Page], page: Page, errors: Errors) -> str:
    assert page.dimension is not None
    found = _sheet(visit, page)
    questions = [
        item_question(
            page.instrument,
            item,
            found.assessment.answers,
            posted=request.form.get(item_field(item.id)) if _shows_posted(errors, item_field(item.id)) else None,
            error=errors.get(item_field(item.id)),
            inapplicable=found.inapplicable,
            warnings=_warnings(found, item.id),
            treated=item.id in found.cannot,
        )
        for item in page.dimension.items
    ]
    remarks = shown_remarks(visit, found, page, errors)
    return render_template(
        "items.html",
        questions=list(zip(questions, remarks, strict=True)),
        reasons=CANNOT,
        title=page.dimension.name,
        code=page.dimension.code,
        gap=next((q for q in questions if q.counted and not q.answered), None),
        here=sum(1 for q in questions if q.counted and q.answered),
        **_frame(visit, pages, page, found, errors, questions),
    )


def _context_page(visit: Visit, pages: list[Page], page: Page, errors: Errors) -> str:
    book = services().rules
    found = _sheet(visit, page)
    settings = [
        setting_question(
            s,
            found.assessment.settings,
            posted=request.form.get(setting_field(s.id)) if _shows_posted(errors, setting_field(s.id)) else None,
            error=errors.get(setting_field(s.id)),
        )
        for s in open_choices(book, page.instrument)
    ]
    groups = []
    questions = list(settings)
    for group in page.groups:
        asked = [
            posted_fact_question(
                book,
                name,
                visit.facts,
                errors,
                code=code,
                optional=not group.main,
                warnings=_warnings(found, name),
            )
            for name, code in group.facts
        ]
        questions += asked
        groups.append((group, asked))
    return render_template(
        "context.html",
        settings=settings,
        groups=groups,
        **_frame(visit, pages, page, found, errors, questions),
    )


def posted_fact_question(
    book: Rulebook,
    name: str,
    facts: Mapping[str, Any],
    errors: Errors,
    *,
    code: str | None = None,
    optional: bool = False,
    warnings: tuple[Words, ...] = (),
) -> Question:
    """A fact as a question; what was posted stays in the field when it was wrong."""
    fact: FactDefinition = book.facts[name]
    field = fact_field(name)
    return fact_question(
        name,
        fact,
        facts,
        code=code,
        posted=request.form.getlist(field) if _shows_posted(errors, field) else None,
        error=errors.get(field),
        optional=optional,
        places={p.id: p.name for p in book.places.values()} if fact.type == "place" else None,
        warnings=warnings,
    )


def _shows_posted(errors: Errors, field: str) -> bool:
    """What was posted stays in a field that is wrong; where somebody else was faster, their answer stands."""
    return field in errors and not isinstance(errors[field], Theirs)


def _frame(
    visit: Visit,
    pages: list[Page],
    page: Page,
    found: Sheet,
    errors: Errors,
    questions: list[Question],
) -> dict[str, Any]:
    place = pages.index(page)
    fields = {q.name for q in questions}
    return {
        "visit": visit,
        "page": page,
        "sheet": found,
        "place": place + 1,
        "places": len(pages),
        "errors": [q for q in questions if q.error],
        "strays": [say for field, say in errors.items() if field not in fields],
    }


def _sheet(visit: Visit, page: Page) -> Sheet:
    assessment = visit.assessment(page.instrument.id)
    if assessment is None:
        abort(404)
    return sheet(services().rules, visit, assessment)


def _warnings(found: Sheet, name: str) -> tuple[Words, ...]:
    return tuple(w["say"] for w in found.warnings if name in w["items"])
