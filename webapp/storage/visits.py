"""Visits: drafts saved page by page, signed by two, finished once, listed and found.

Whoever saves into a visit that waits for signatures turns it back into a draft and voids them; a save that changes
nothing does not.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.storage.course import (
    finish_visit,
    lock_visit,
    reopen_visit,
    set_assessors,
    settle_review,
    submit_visit,
    void_signatures,
)
from webapp.storage.models import AssessmentRow, VisitRow
from webapp.storage.opening import (
    DETERMINATION,
    PRIVATE,
    REMARKS,
    open_private,
    open_remarks,
    open_visit,
    seal_private,
    seal_remarks,
)
from webapp.storage.rows import NoSuchVisit, NotSigned, VisitLocked, edited, open_row
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE, DRAFT, TO_SIGN, Visit

#: Letters and digits that nobody mixes up when a record number is read out.
NUMBER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NUMBER_LENGTH = 8


# -- making, finding -----------------------------------------------------------------------------------------


def add_visit(
    session: Session,
    *,
    id: UUID,
    organisation: UUID,
    assessor: UUID,
    person: UUID,
    place: str,
    visited_on: dt.date,
    instruments: Sequence[str] = (),
    previous: UUID | None = None,
    occasion: str = "first",
    from_paper: bool = False,
) -> None:
    """A new draft of that assessor."""
    now = dt.datetime.now(dt.UTC)
    row = VisitRow(
        id=id,
        organisation_id=organisation,
        number=new_number(visited_on),
        assessor_id=assessor,
        previous_id=previous,
        occasion=occasion,
        from_paper=from_paper,
        changed={},
        person_id=person,
        place=place,
        visited_on=visited_on,
        status=DRAFT,
        facts={},
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    choose_instruments(session, id, instruments)


def new_number(day: dt.date) -> str:
    """A record number: the year, and letters by chance, so that it tells nothing about how many there are."""
    letters = "".join(secrets.choice(NUMBER_LETTERS) for _ in range(NUMBER_LENGTH))
    return f"{day.year}-{letters}"


def get_visit(session: Session, cipher: FieldCipher, id: UUID, *, organisation: UUID | None = None) -> Visit:
    """The visit; raises `NoSuchVisit`, also when it is another organisation's than the one given."""
    row = session.get(VisitRow, id)
    if row is None or organisation not in (None, row.organisation_id):
        raise NoSuchVisit(str(id))
    return open_visit(row, cipher)


def visit_exists(session: Session, organisation: UUID, id: UUID) -> bool:
    """Whether there is a visit of that id; raises `NoSuchVisit` when it is another organisation's."""
    row = session.get(VisitRow, id)
    if row is not None and row.organisation_id != organisation:
        raise NoSuchVisit(str(id))
    return row is not None


def recent_visits(
    session: Session,
    cipher: FieldCipher,
    organisation: UUID,
    *,
    limit: int,
    skip: int = 0,
    account: UUID | None = None,
    statuses: Sequence[str] = (DRAFT, TO_SIGN, DONE),
) -> list[Visit]:
    """Drafts first, then finished visits, the last changed first; those of one assessor when ``account`` is given."""
    mine = [or_(VisitRow.assessor_id == account, VisitRow.second_id == account)] if account is not None else []
    rows = session.scalars(
        select(VisitRow)
        .where(VisitRow.organisation_id == organisation, VisitRow.status.in_(statuses), *mine)
        .order_by(VisitRow.status == DONE, VisitRow.updated_at.desc(), VisitRow.id)
        .limit(limit)
        .offset(skip)
    )
    return [open_visit(row, cipher) for row in rows]


def last_finished(session: Session, cipher: FieldCipher, visit: Visit) -> Visit | None:
    """The visit to the same person that was finished last before this one."""
    row = session.scalars(
        select(VisitRow)
        .where(
            VisitRow.organisation_id == visit.organisation,
            VisitRow.person_id == visit.person.id,
            VisitRow.status == DONE,
            VisitRow.id != visit.id,
            VisitRow.visited_on <= visit.visited_on,
        )
        .order_by(VisitRow.visited_on.desc(), VisitRow.finished_at.desc(), VisitRow.id)
        .limit(1)
    ).first()
    return open_visit(row, cipher) if row is not None else None


# -- editing -------------------------------------------------------------------------------------------------


def change_visit(session: Session, id: UUID, *, person: UUID, place: str, visited_on: dt.date) -> None:
    """Correct whom, where and when a draft is about."""
    row = open_row(session, id)
    if (row.person_id, row.place, row.visited_on) != (person, place, visited_on):
        row.person_id, row.place, row.visited_on = person, place, visited_on
        edited(session, row, "person")
    session.flush()
    session.expire(row)


def choose_instruments(session: Session, id: UUID, instruments: Sequence[str]) -> None:
    """Make these the instruments of a draft; those with answers stay even when they are not named."""
    row = open_row(session, id)
    before = [a.instrument for a in row.assessments]
    kept = [a for a in row.assessments if a.instrument in instruments or a.answers]
    have = {a.instrument for a in kept}
    for instrument in instruments:
        if instrument not in have:
            kept.append(AssessmentRow(id=uuid4(), instrument=instrument, answers={}, settings={}))
    wanted = list(instruments)
    kept.sort(key=lambda a: wanted.index(a.instrument) if a.instrument in wanted else len(wanted))
    if [a.instrument for a in kept] == before:
        return
    for position, assessment in enumerate(kept):
        assessment.position = position
    row.assessments[:] = kept
    edited(session, row, "instruments")
    session.flush()


def save_answers(session: Session, id: UUID, instrument: str, answers: Mapping[str, Any]) -> None:
    """Write some answers of one instrument over those that are there; ``None`` takes one away."""
    row = open_row(session, id)
    assessment = _assessment(row, instrument)
    merged = _merged(assessment.answers, answers)
    if merged == assessment.answers and _types(merged) == _types(assessment.answers):
        return
    _note_changes(row, f"{instrument}.item", assessment.answers, answers)
    assessment.answers = merged
    edited(session, row, "answers")
    session.flush()


def save_settings(session: Session, id: UUID, instrument: str, settings: Mapping[str, Any]) -> None:
    """Write choices on points the instrument leaves open."""
    row = open_row(session, id)
    assessment = _assessment(row, instrument)
    merged = _merged(assessment.settings, settings)
    if merged == assessment.settings and _types(merged) == _types(assessment.settings):
        return
    _note_changes(row, f"{instrument}.setting", assessment.settings, settings)
    assessment.settings = merged
    edited(session, row, "settings")
    session.flush()


def save_remarks(
    session: Session, cipher: FieldCipher, id: UUID, instrument: str, remarks: Mapping[str, Mapping[str, str]]
) -> None:
    """Write what was noted to some items: ``note``, and ``cannot``, a reason's code. An empty remark is taken away."""
    row = open_row(session, id)
    assessment = _assessment(row, instrument)
    before = open_remarks(assessment, cipher)
    given = {item: {key: text for key, text in remark.items() if text} for item, remark in remarks.items()}
    merged = {item: remark for item, remark in {**before, **given}.items() if remark}
    if merged == before:
        return
    _note_changes(row, f"{instrument}.remark", before, {item: remark or None for item, remark in given.items()})
    seal_remarks(assessment, cipher, merged)
    edited(session, row, "remarks")
    session.flush()


def save_facts(
    session: Session,
    cipher: FieldCipher,
    id: UUID,
    facts: Mapping[str, Any],
    *,
    private: Iterable[str],
    note: str | None = None,
    reason: str | None = None,
) -> None:
    """Write some facts over those that are there; the names in ``private`` are sealed, and so are note and reason."""
    row = open_row(session, id)
    names = set(private)
    sealed = open_private(row, cipher)
    old = {**row.facts, **sealed.get("facts", {})}
    new = dict(sealed)
    readable = _merged(row.facts, {n: v for n, v in facts.items() if n not in names})
    new["facts"] = _merged(sealed.get("facts", {}), {n: v for n, v in facts.items() if n in names})
    if note is not None:
        new["note"] = note
    if reason is not None:
        new["reason"] = reason
    now = {**readable, **new["facts"]}
    changed = now != old or _types(now) != _types(old)
    if not changed and all(new.get(k) == sealed.get(k, "") for k in ("note", "reason") if k in new):
        return
    _note_changes(row, "fact", old, facts)
    if new.get("note", "") != sealed.get("note", ""):
        row.changed = {**row.changed, "note": row.version + 1}
    row.facts = readable
    seal_private(row, cipher, new)
    edited(session, row, "facts" if changed else "note")
    session.flush()


def _assessment(row: VisitRow, instrument: str) -> AssessmentRow:
    for assessment in row.assessments:
        if assessment.instrument == instrument:
            return assessment
    raise NoSuchVisit(f"{row.id}/{instrument}")


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def _types(values: Mapping[str, Any]) -> dict[str, type]:
    """Python takes ``True`` and ``1`` and ``1.0`` for equal; a record does not."""
    return {name: type(value) for name, value in values.items()}


def _note_changes(row: VisitRow, prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Remember which version changed what, to tell later whether two phones changed the same thing."""
    next_version = row.version + 1
    changed = {f"{prefix}.{name}": next_version for name, value in new.items() if old.get(name) != value}
    if changed:
        row.changed = {**row.changed, **changed}


__all__ = [
    "DETERMINATION",
    "PRIVATE",
    "REMARKS",
    "NoSuchVisit",
    "NotSigned",
    "VisitLocked",
    "add_visit",
    "change_visit",
    "choose_instruments",
    "finish_visit",
    "get_visit",
    "last_finished",
    "lock_visit",
    "new_number",
    "open_visit",
    "recent_visits",
    "reopen_visit",
    "save_answers",
    "save_facts",
    "save_remarks",
    "save_settings",
    "set_assessors",
    "settle_review",
    "submit_visit",
    "visit_exists",
    "void_signatures",
]
