"""Saving a page of items: answers, notes, and reasons why an item could not be assessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from webapp.app import services
from webapp.storage import Assessment, Visit, visits
from webapp.visits.blueprint import writing
from webapp.visits.casework import Sheet
from webapp.visits.merging import Base, Overtaken, Theirs, theirs
from webapp.visits.pages import Page
from webapp.visits.questions import Unreadable, Words, item_field, not_asked, read_item
from webapp.visits.reasons import cannot_words
from webapp.visits.remarks import BOTH, BadRemark, Remark, cannot_field, note_field, read_remark, stored_remark
from webapp.visits.telling import answer_words
from yyassess.rulebook.instrument import Item


def save_items(visit: Visit, page: Page) -> dict[str, Words]:
    """Save what is right; say what is wrong with the rest, by form field."""
    assert page.dimension is not None
    assessment = visit.assessment(page.instrument.id)
    assert assessment is not None
    base = Base.posted(request.form)
    answers: dict[str, Any] = {}
    remarks: dict[str, dict[str, str]] = {}
    errors: dict[str, Words] = {}
    for item in page.dimension.items:
        _read(visit, page, assessment, base, item, answers, remarks, errors)
    fields = {item_field(item.id) for item in page.dimension.items}
    for field in request.form:
        if field.startswith("item.") and field not in fields:
            errors[field] = not_asked(field)
    if answers or remarks:
        with writing() as db:
            if answers:
                visits.save_answers(db, visit.id, page.instrument.id, answers)
            if remarks:
                visits.save_remarks(db, services().database.cipher, visit.id, page.instrument.id, remarks)
    return errors


def _read(
    visit: Visit,
    page: Page,
    assessment: Assessment,
    base: Base,
    item: Item,
    answers: dict[str, Any],
    remarks: dict[str, dict[str, str]],
    errors: dict[str, Words],
) -> None:
    """One item of the page. An answer takes a stored reason away and a new reason a stored answer; new ones both: error."""
    field, given = item_field(item.id), assessment.answers.get(item.id)
    value, answered = given, False
    if field in request.form:
        try:
            value = read_item(page.instrument, item, request.form[field])
            answered = base.settle(visit, f"{page.instrument.id}.item.{item.id}", _text(value), _text(given))
        except Unreadable as error:
            errors[field] = error.say
        except Overtaken:
            errors[field] = theirs(_words(page, item, given), _words(page, item, value))
    if field in errors:
        return
    stored = stored_remark(assessment, item.id)
    try:
        remark = read_remark(request.form, item.id, stored)
        if not base.settle(visit, f"{page.instrument.id}.remark.{item.id}", *_both(remark, stored)):
            remark = stored
    except BadRemark as error:
        errors[note_field(item.id)] = error.say
        remark = stored
    except Overtaken:
        errors[note_field(item.id)] = theirs(_remark_words(stored), _remark_words(remark))
        remark = stored
    reasoned = remark["cannot"] and remark["cannot"] != stored["cannot"]
    if answered and value is not None and reasoned:
        errors[field] = BOTH
        return
    if reasoned and given is not None:
        value, answered = None, True
    elif answered and value is not None:
        remark = {**remark, "cannot": ""}
    if answered:
        answers[item.id] = value
    # A reason that an answer has hidden is gone for good once the page is saved.
    if remark != stored or (assessment.remarks.get(item.id, {}).get("cannot", "") != remark["cannot"]):
        remarks[item.id] = remark


def shown_remarks(visit: Visit, found: Sheet, page: Page, errors: Mapping[str, Words]) -> list[Remark]:
    """What stands folded under each item of a page, with last time's answers."""
    assert page.dimension is not None
    before = _last(visit, page.instrument.id)
    remarks = []
    for item in page.dimension.items:
        stored = stored_remark(found.assessment, item.id)
        error = errors.get(note_field(item.id))
        if isinstance(error, Theirs):
            pass
        elif error is not None or item_field(item.id) in errors:
            stored = {
                "note": request.form.get(note_field(item.id), stored["note"]),
                "cannot": request.form.get(cannot_field(item.id), stored["cannot"]),
            }
        last, score = (None, None)
        if before is not None and item.id in before.answers:
            last, score = answer_words(page.instrument, item, before.answers[item.id])
        remarks.append(Remark(item.id, stored["note"], stored["cannot"], error, last, score))
    return remarks


def _last(visit: Visit, instrument: str) -> Assessment | None:
    """The assessment by the same instrument at the last finished visit to the same person."""
    database = services().database
    with database.reading() as db:
        before = visits.last_finished(db, database.cipher, visit)
    return before.assessment(instrument) if before is not None else None


def _text(value: Any) -> list[str]:
    return [] if value is None else [str(value)]


def _both(remark: Mapping[str, str], stored: Mapping[str, str]) -> tuple[list[str], list[str]]:
    return [remark["note"], remark["cannot"]], [stored["note"], stored["cannot"]]


def _words(page: Page, item: Item, answer: Any) -> Words | None:
    return answer_words(page.instrument, item, answer)[0] if answer is not None else None


def _remark_words(remark: Mapping[str, str]) -> Words | None:
    reason = cannot_words(remark["cannot"]) if remark["cannot"] else {"zh": "", "en": ""}
    words = {language: f"{said} {remark['note']}".strip() for language, said in reason.items()}
    return words if any(words.values()) else None
