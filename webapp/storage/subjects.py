"""What is stored about one person: found, handed out, erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.storage import audit
from webapp.storage.consents import BY_NAME
from webapp.storage.models import AuditRow, ConsentRow, PersonRow, SignatureRow, VisitRow
from webapp.storage.opening import CITIZEN_ID, NAME, open_person, open_visit
from webapp.storage.retention import delete_visit
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import Person


class NoSuchPerson(LookupError):
    """There is no person of that id in the organisation."""


def find_people(session: Session, cipher: FieldCipher, organisation: UUID, words: str, *, limit: int) -> list[Person]:
    """People of exactly that name, identity number, or record number."""
    visited = select(VisitRow.person_id).where(
        VisitRow.organisation_id == organisation, VisitRow.number == words.strip().upper()
    )
    rows = session.scalars(
        select(PersonRow)
        .where(
            PersonRow.organisation_id == organisation,
            or_(
                PersonRow.name_index == cipher.index(words, NAME),
                PersonRow.citizen_id_index == cipher.index(words, CITIZEN_ID),
                PersonRow.id.in_(visited),
            ),
        )
        .order_by(PersonRow.created_at, PersonRow.id)
        .limit(limit)
    )
    return [open_person(row, cipher) for row in rows]


def get_person(session: Session, cipher: FieldCipher, organisation: UUID, id: UUID) -> Person:
    """The person; raises `NoSuchPerson`, also when they are another organisation's."""
    return open_person(_row(session, organisation, id), cipher)


def visit_lines(session: Session, person: UUID) -> list[tuple[str, str, str]]:
    """Number, day and status of a person's visits, the last first."""
    rows = session.execute(
        select(VisitRow.number, VisitRow.visited_on, VisitRow.status)
        .where(VisitRow.person_id == person)
        .order_by(VisitRow.visited_on.desc(), VisitRow.number)
    )
    return [(number, day.isoformat(), status) for number, day, status in rows]


def visit_numbers(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The record numbers of those visits that are still there."""
    if not ids:
        return {}
    return {
        id: number for id, number in session.execute(select(VisitRow.id, VisitRow.number).where(VisitRow.id.in_(ids)))
    }


def everything_about(session: Session, cipher: FieldCipher, organisation: UUID, id: UUID) -> dict[str, Any]:
    """All that is stored about a person, in the clear, as JSON: what they may ask to see."""
    row = _row(session, organisation, id)
    person = open_person(row, cipher)
    visits = session.scalars(
        select(VisitRow).where(VisitRow.person_id == id).order_by(VisitRow.visited_on, VisitRow.number)
    ).all()
    names = [f"person:{id}", *(f"visit:{visit.id}" for visit in visits)]
    lines = session.scalars(select(AuditRow).where(AuditRow.object.in_(names)).order_by(AuditRow.seq))
    return {
        "person": {
            "name": person.name,
            "citizen_id": person.citizen_id,
            "birth_date": person.birth_date.isoformat(),
            "sex": person.sex,
            "recorded_at": row.created_at.isoformat(),
        },
        "consents": [_consent(consent, cipher) for consent in _consents(session, id)],
        "visits": [_visit(session, visit, cipher) for visit in visits],
        "acts": [{"at": line.at.isoformat(), "act": line.action, "detail": line.detail} for line in lines],
    }


def erase_person(session: Session, organisation: UUID, id: UUID, *, reason: str, account: UUID | None) -> int:
    """Delete a person and all their visits; returns how many visits. The audit log keeps that it was done, not who.

    Raises:
        NoSuchPerson: also when they are another organisation's.
    """
    row = _row(session, organisation, id)
    visits = session.scalars(select(VisitRow.id).where(VisitRow.person_id == id)).all()
    for visit in visits:
        delete_visit(session, visit, reason=reason, account=account)
    # With the last visit the person goes, too; somebody without any visit is still there.
    if session.scalar(select(PersonRow.id).where(PersonRow.id == id)) is not None:
        session.delete(row)
        session.flush()
    audit.record(
        session,
        "person.erased",
        f"person:{id}",
        account=account,
        organisation=organisation,
        detail={"reason": reason, "visits": len(visits)},
    )
    return len(visits)


def _row(session: Session, organisation: UUID, id: UUID) -> PersonRow:
    row = session.get(PersonRow, id)
    if row is None or row.organisation_id != organisation:
        raise NoSuchPerson(str(id))
    return row


def _consents(session: Session, person: UUID) -> list[ConsentRow]:
    return list(session.scalars(select(ConsentRow).where(ConsentRow.person_id == person).order_by(ConsentRow.given_at)))


def _consent(row: ConsentRow, cipher: FieldCipher) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "given": row.given,
        "by": row.by,
        "by_name": cipher.open(row.by_name_sealed, BY_NAME, row.id) if row.by_name_sealed is not None else None,
        "wording": row.wording,
        "given_at": row.given_at.isoformat(),
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
    }


def _visit(session: Session, row: VisitRow, cipher: FieldCipher) -> dict[str, Any]:
    visit = open_visit(row, cipher)
    signatures = session.scalars(
        select(SignatureRow).where(SignatureRow.visit_id == row.id).order_by(SignatureRow.signed_at)
    )
    return {
        "number": visit.number,
        "visited_on": visit.visited_on.isoformat(),
        "place": visit.place,
        "status": visit.status,
        "occasion": visit.occasion,
        "reason": visit.reason,
        "review": visit.review,
        "from_paper": visit.from_paper,
        "facts": dict(visit.facts),
        "note": visit.note,
        "assessments": [
            {
                "instrument": a.instrument,
                "answers": dict(a.answers),
                "settings": dict(a.settings),
                "remarks": {item: dict(said) for item, said in a.remarks.items()},
                "result": a.result,
            }
            for a in visit.assessments
        ],
        "determination": visit.determination,
        "signed": [
            {
                "role": s.role,
                "at": s.signed_at.isoformat(),
                "voided_at": s.voided_at.isoformat() if s.voided_at else None,
            }
            for s in signatures
        ],
        "created_at": visit.created_at.isoformat(),
        "finished_at": visit.finished_at.isoformat() if visit.finished_at else None,
    }
