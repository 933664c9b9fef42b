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
from webapp.visits.blueprint import blueprint, open_draft, private_facts
from webapp.visits.casework import Sheet, open_choices, sheet
from webapp.visits.leaving import leave
from webapp.visits.pages import Page, pages_of
from webapp.visits.questions import (
    Question,
    Unreadable,
    Words,
    fact_field,
    fact_question,
    item_field,
    item_question,
    read_fact,
    read_item,
    read_setting,
    setting_field,
    setting_question,
)
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
    errors = _save_items(found, page)
    if errors:
        return _items_page(open_draft(visit), pages, page, errors), 422
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
        return _context_page(open_draft(visit), pages, page, errors), 422
    return _onward(found, pages, page)


# -- saving ------------------------------------------------------------------------------------------------


def _save_items(visit: Visit, page: Page) -> dict[str, Words]:
    """Save the answers that are right; say what is wrong with the others."""
    assert page.dimension is not None
    fields = {item_field(item.id): item for item in page.dimension.items}
    answers: dict[str, Any] = {}
    errors: dict[str, Words] = {}
    for name in request.form:
        if name in fields:
            try:
                answers[fields[name].id] = read_item(page.instrument, fields[name], request.form[name])
            except Unreadable as error:
                errors[name] = error.say
        elif name.startswith("item."):
            errors[name] = _not_asked(name)
    if answers:
        with services().database.writing() as db:
            visits.save_answers(db, visit.id, page.instrument.id, answers)
    return errors


def save_posted_facts(visit: Visit, names: tuple[str, ...]) -> dict[str, Words]:
    """Save the posted facts that are right; say what is wrong with the others."""
    known = services()
    book, database = known.rules, known.database
    facts: dict[str, Any] = {}
    errors: dict[str, Words] = {}
    shown = set(request.form.getlist("shown"))
    fields = {fact_field(name): name for name in names}
    for field, name in fields.items():
        # Boxes that are not ticked are not posted: the page says which ones it showed.
        if field not in request.form and field not in shown:
            continue
        try:
            facts[name] = read_fact(book.facts[name], request.form.getlist(field), book.places)
        except Unreadable as error:
            errors[field] = error.say
    for field in request.form:
        if field.startswith("fact.") and field not in fields:
            errors[field] = _not_asked(field)
    if facts:
        with database.writing() as db:
            visits.save_facts(db, database.cipher, visit.id, facts, private=private_facts(book))
    return errors


def _save_settings(visit: Visit, page: Page) -> dict[str, Words]:
    chosen: dict[str, Any] = {}
    errors: dict[str, Words] = {}
    for setting in open_choices(services().rules, page.instrument):
        field = setting_field(setting.id)
        if field in request.form:
            try:
                chosen[setting.id] = read_setting(setting, request.form[field])
            except Unreadable as error:
                errors[field] = error.say
    if chosen:
        with services().database.writing() as db:
            visits.save_settings(db, visit.id, page.instrument.id, chosen)
    return errors


def _not_asked(field: str) -> Words:
    name = field.split(".", 1)[1][:60]
    return {"zh": f"本页没有“{name}”这一题，未保存", "en": f"This page does not ask “{name}”; it was not saved"}


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
            posted=request.form.get(item_field(item.id)) if item_field(item.id) in errors else None,
            error=errors.get(item_field(item.id)),
            inapplicable=found.inapplicable,
            warnings=_warnings(found, item.id),
        )
        for item in page.dimension.items
    ]
    return render_template(
        "items.html",
        questions=questions,
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
            posted=request.form.get(setting_field(s.id)) if setting_field(s.id) in errors else None,
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
        posted=request.form.getlist(field) if field in errors else None,
        error=errors.get(field),
        optional=optional,
        places={p.id: p.name for p in book.places.values()} if fact.type == "place" else None,
        warnings=warnings,
    )


def _frame(
    visit: Visit, pages: list[Page], page: Page, found: Sheet, errors: Errors, questions: list[Question]
) -> dict[str, Any]:
    place = pages.index(page)
    shown = {q.name for q in questions}
    return {
        "visit": visit,
        "page": page,
        "sheet": found,
        "place": place + 1,
        "places": len(pages),
        "errors": [q for q in questions if q.error],
        "strays": [say for field, say in errors.items() if field not in shown],
    }


def _sheet(visit: Visit, page: Page) -> Sheet:
    assessment = visit.assessment(page.instrument.id)
    if assessment is None:
        abort(404)
    return sheet(services().rules, visit, assessment)


def _warnings(found: Sheet, name: str) -> tuple[Words, ...]:
    return tuple(w["say"] for w in found.warnings if name in w["items"])
