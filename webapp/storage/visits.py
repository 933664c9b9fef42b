"""Visits: drafts saved page by page, finished once, listed and found."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.storage.models import AssessmentRow, PersonRow, VisitRow
from webapp.storage.people import CITIZEN_ID, NAME, open_person
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE, DRAFT, Assessment, Visit

#: Letters and digits that nobody mixes up when a record number is read out.
NUMBER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NUMBER_LENGTH = 8


PRIVATE, DETERMINATION, REMARKS = "visit.private", "visit.determination", "assessment.remarks"


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
) -> list[Visit]:
    """Drafts first, then finished visits, the last changed first; those of one assessor when ``account`` is given."""
    mine = [or_(VisitRow.assessor_id == account, VisitRow.second_id == account)] if account is not None else []
    rows = session.scalars(
        select(VisitRow)
        .where(VisitRow.organisation_id == organisation, *mine)
        .order_by(VisitRow.status == DONE, VisitRow.updated_at.desc(), VisitRow.id)
        .limit(limit)
        .offset(skip)
    )
    return [open_visit(row, cipher) for row in rows]


def find_visits(session: Session, cipher: FieldCipher, organisation: UUID, words: str, *, limit: int) -> list[Visit]:
    """Visits to people of exactly that name or number, or of that record number, through the blind indexes."""
    rows = session.scalars(
        select(VisitRow)
        .join(PersonRow)
        .where(
            VisitRow.organisation_id == organisation,
            or_(
                VisitRow.number == words.upper(),
                PersonRow.name_index == cipher.index(words, NAME),
                PersonRow.citizen_id_index == cipher.index(words, CITIZEN_ID),
            ),
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
    row = _draft(session, id)
    assessment = _assessment(row, instrument)
    _note_changes(row, f"{instrument}.item", assessment.answers, answers)
    assessment.answers = _merged(assessment.answers, answers)
    session.flush()


def save_settings(session: Session, id: UUID, instrument: str, settings: Mapping[str, Any]) -> None:
    """Write choices on points the instrument leaves open."""
    row = _draft(session, id)
    assessment = _assessment(row, instrument)
    _note_changes(row, f"{instrument}.setting", assessment.settings, settings)
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
    _note_changes(row, "fact", {**row.facts, **sealed.get("facts", {})}, facts)
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
            Assessment(a.id, a.instrument, a.answers, a.settings, _remarks(a, cipher), a.result, a.ruleset_hash)
            for a in row.assessments
        ),
        determination=determination,
        ruleset_hash=row.ruleset_hash,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        organisation=row.organisation_id,
        number=row.number,
        assessor=row.assessor_id,
        second=row.second_id,
        previous=row.previous_id,
        occasion=row.occasion,
        from_paper=row.from_paper,
        review=row.review,
        changed=row.changed,
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


def _remarks(row: AssessmentRow, cipher: FieldCipher) -> dict[str, dict[str, str]]:
    if row.remarks_sealed is None:
        return {}
    found: dict[str, dict[str, str]] = json.loads(cipher.open(row.remarks_sealed, REMARKS, row.id))
    return found


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def _note_changes(row: VisitRow, prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Remember which version changed what, to tell later whether two phones changed the same thing."""
    next_version = row.version + 1
    changed = {f"{prefix}.{name}": next_version for name, value in new.items() if old.get(name) != value}
    if changed:
        row.changed = {**row.changed, **changed}


def _touch(row: VisitRow) -> None:
    row.updated_at = dt.datetime.now(dt.UTC)
