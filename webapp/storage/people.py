"""People: saved with sealed identity data, found by number."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from webapp.storage.models import PersonRow, VisitRow
from webapp.storage.opening import BIRTH_DATE, CITIZEN_ID, NAME, open_person
from webapp.storage.rows import edited
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE, TO_SIGN, Person


def find_by_citizen_id(session: Session, cipher: FieldCipher, organisation: UUID, number: str) -> Person | None:
    """The person of that organisation with that number, through the blind index."""
    index = cipher.index(number, CITIZEN_ID)
    row = session.scalars(
        select(PersonRow).where(PersonRow.citizen_id_index == index, PersonRow.organisation_id == organisation)
    ).first()
    return open_person(row, cipher) if row is not None else None


def add_person(
    session: Session,
    cipher: FieldCipher,
    *,
    organisation: UUID,
    name: str,
    citizen_id: str | None,
    birth_date: dt.date,
    sex: str,
    demo: bool = False,
) -> UUID:
    """A new person; returns the id."""
    row = PersonRow(id=uuid4(), organisation_id=organisation, demo=demo, created_at=dt.datetime.now(dt.UTC))
    _fill(row, cipher, name, citizen_id, birth_date, sex)
    session.add(row)
    session.flush()
    return row.id


def change_person(
    session: Session,
    cipher: FieldCipher,
    person: UUID,
    *,
    name: str,
    citizen_id: str | None,
    birth_date: dt.date,
    sex: str,
) -> None:
    """Correct a person's identity data; visits to them that were being signed are drafts again."""
    row = session.get_one(PersonRow, person)
    old = open_person(row, cipher)
    if (old.name, old.citizen_id, old.birth_date, old.sex) == (name, citizen_id, birth_date, sex):
        return
    _fill(row, cipher, name, citizen_id, birth_date, sex)
    for visit in session.scalars(select(VisitRow).where(VisitRow.person_id == person, VisitRow.status == TO_SIGN)):
        edited(session, visit, "person")
    session.flush()


def remove_if_unused(session: Session, person: UUID) -> None:
    """Forget a person whom no visit names any more."""
    if not session.scalar(select(exists().where(VisitRow.person_id == person))):
        session.delete(session.get_one(PersonRow, person))
        session.flush()


def has_finished_visit(session: Session, person: UUID) -> bool:
    """Whether a finished visit rests on this person's data."""
    return bool(session.scalar(select(exists().where(VisitRow.person_id == person, VisitRow.status == DONE))))


def count_people(session: Session) -> int:
    """How many people are on record."""
    return session.scalar(select(func.count()).select_from(PersonRow)) or 0


def _fill(
    row: PersonRow, cipher: FieldCipher, name: str, citizen_id: str | None, birth_date: dt.date, sex: str
) -> None:
    row.name_sealed = cipher.seal(name, NAME, row.id)
    row.name_index = cipher.index(name, NAME)
    row.citizen_id_sealed = cipher.seal(citizen_id, CITIZEN_ID, row.id) if citizen_id else None
    row.citizen_id_index = cipher.index(citizen_id, CITIZEN_ID) if citizen_id else None
    row.birth_date_sealed = cipher.seal(birth_date.isoformat(), BIRTH_DATE, row.id)
    row.sex = sex


__all__ = [
    "BIRTH_DATE",
    "CITIZEN_ID",
    "NAME",
    "add_person",
    "change_person",
    "count_people",
    "find_by_citizen_id",
    "has_finished_visit",
    "open_person",
    "remove_if_unused",
]
