"""Visits: drafts saved page by page, finished once, listed and found."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.storage.models import AssessmentRow, PersonRow, VisitRow
from webapp.storage.people import CITIZEN_ID, NAME, open_person
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE, DRAFT, Assessment, Visit

PRIVATE, DETERMINATION = "visit.private", "visit.determination"


class NoSuchVisit(LookupError):
    """There is no visit of that id."""


class VisitLocked(RuntimeError):
    """The visit is finished and cannot be changed."""

    def __init__(self, visit: UUID) -> None:
        self.visit = visit
        super().__init__(str(visit))


def add_visit(
    session: Session,
    *,
    id: UUID,
    person: UUID,
    place: str,
    visited_on: dt.date,
    instruments: Sequence[str] = (),
) -> None:
    """A new draft."""
    now = dt.datetime.now(dt.UTC)
    row = VisitRow(
        id=id,
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


def get_visit(session: Session, cipher: FieldCipher, id: UUID) -> Visit:
    """The visit; raises `NoSuchVisit`."""
    row = session.get(VisitRow, id)
    if row is None:
        raise NoSuchVisit(str(id))
    return open_visit(row, cipher)


def visit_exists(session: Session, id: UUID) -> bool:
    """Whether there is a visit of that id."""
    return session.get(VisitRow, id) is not None


def recent_visits(session: Session, cipher: FieldCipher, *, limit: int, skip: int = 0) -> list[Visit]:
    """Drafts first, then finished visits, the last changed first."""
    rows = session.scalars(
        select(VisitRow)
        .order_by(VisitRow.status == DONE, VisitRow.updated_at.desc(), VisitRow.id)
        .limit(limit)
        .offset(skip)
    )
    return [open_visit(row, cipher) for row in rows]


def find_visits(session: Session, cipher: FieldCipher, words: str, *, limit: int) -> list[Visit]:
    """Visits to people of exactly that name or number, through the blind indexes."""
    rows = session.scalars(
        select(VisitRow)
        .join(PersonRow)
        .where(
            or_(
                PersonRow.name_index == cipher.index(words, NAME),
                PersonRow.citizen_id_index == cipher.index(words, CITIZEN_ID),
            )
        )
        .order_by(VisitRow.updated_at.desc(), VisitRow.id)
        .limit(limit)
    )
    return [open_visit(row, cipher) for row in rows]


def change_visit(session: Session, id: UUID, *, person: UUID, place: str, visited_on: dt.date) -> None:
    """Correct whom, where and when a draft is about."""
    row = _draft(session, id)
    row.person_id, row.place, row.visited_on = person, place, visited_on
    _touch(row)
    session.flush()
    session.expire(row)


def choose_instruments(session: Session, id: UUID, instruments: Sequence[str]) -> None:
    """Make these the instruments of a draft; those with answers stay even when they are not named."""
    row = _draft(session, id)
    kept = [a for a in row.assessments if a.instrument in instruments or a.answers]
    have = {a.instrument for a in kept}
    for instrument in instruments:
        if instrument not in have:
            kept.append(AssessmentRow(id=uuid4(), instrument=instrument, answers={}, settings={}))
    wanted = list(instruments)
    kept.sort(key=lambda a: wanted.index(a.instrument) if a.instrument in wanted else len(wanted))
    for position, assessment in enumerate(kept):
        assessment.position = position
    row.assessments[:] = kept
    _touch(row)
    session.flush()


def save_answers(session: Session, id: UUID, instrument: str, answers: Mapping[str, Any]) -> None:
    """Write some answers of one instrument over those that are there; ``None`` takes one away."""
    assessment = _assessment(_draft(session, id), instrument)
    assessment.answers = _merged(assessment.answers, answers)
    session.flush()


def save_settings(session: Session, id: UUID, instrument: str, settings: Mapping[str, Any]) -> None:
    """Write choices on points the instrument leaves open."""
    assessment = _assessment(_draft(session, id), instrument)
    assessment.settings = _merged(assessment.settings, settings)
    session.flush()


def save_facts(
    session: Session,
    cipher: FieldCipher,
    id: UUID,
    facts: Mapping[str, Any],
    *,
    private: Iterable[str],
    note: str | None = None,
) -> None:
    """Write some facts over those that are there; the names in ``private`` are sealed, and so is the note."""
    row = _draft(session, id)
    names = set(private)
    sealed = _private(row, cipher)
    row.facts = _merged(row.facts, {n: v for n, v in facts.items() if n not in names})
    sealed["facts"] = _merged(sealed.get("facts", {}), {n: v for n, v in facts.items() if n in names})
    if note is not None:
        sealed["note"] = note
    row.private_sealed = cipher.seal(json.dumps(sealed, ensure_ascii=False), PRIVATE, row.id)
    _touch(row)
    session.flush()


def finish_visit(
    session: Session,
    cipher: FieldCipher,
    id: UUID,
    *,
    results: Mapping[str, Mapping[str, Any]],
    determination: Mapping[str, Any] | None,
) -> None:
    """Lock a draft, with the results by instrument and the determination as they were computed just now."""
    row = _draft(session, id)
    for assessment in row.assessments:
        result = results[assessment.instrument]
        assessment.result = dict(result)
        assessment.ruleset_hash = result["ruleset"]["hash"]
    if determination is not None:
        text = json.dumps(determination, ensure_ascii=False, allow_nan=False)
        row.determination_sealed = cipher.seal(text, DETERMINATION, row.id)
        row.ruleset_hash = determination["ruleset"]["hash"]
    row.status = DONE
    row.finished_at = dt.datetime.now(dt.UTC)
    _touch(row)
    session.flush()


def open_visit(row: VisitRow, cipher: FieldCipher) -> Visit:
    """A row as plain data."""
    private = _private(row, cipher)
    determination = None
    if row.determination_sealed is not None:
        determination = json.loads(cipher.open(row.determination_sealed, DETERMINATION, row.id))
    return Visit(
        id=row.id,
        person=open_person(row.person, cipher),
        place=row.place,
        visited_on=row.visited_on,
        status=row.status,
        facts={**row.facts, **private.get("facts", {})},
        note=private.get("note", ""),
        assessments=tuple(
            Assessment(a.id, a.instrument, a.answers, a.settings, a.result, a.ruleset_hash) for a in row.assessments
        ),
        determination=determination,
        ruleset_hash=row.ruleset_hash,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
    )


def _draft(session: Session, id: UUID) -> VisitRow:
    row = session.get(VisitRow, id, with_for_update={"of": VisitRow})
    if row is None:
        raise NoSuchVisit(str(id))
    if row.status == DONE:
        raise VisitLocked(id)
    return row


def _assessment(row: VisitRow, instrument: str) -> AssessmentRow:
    for assessment in row.assessments:
        if assessment.instrument == instrument:
            _touch(row)
            return assessment
    raise NoSuchVisit(f"{row.id}/{instrument}")


def _private(row: VisitRow, cipher: FieldCipher) -> dict[str, Any]:
    if row.private_sealed is None:
        return {}
    found: dict[str, Any] = json.loads(cipher.open(row.private_sealed, PRIVATE, row.id))
    return found


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def _touch(row: VisitRow) -> None:
    row.updated_at = dt.datetime.now(dt.UTC)
