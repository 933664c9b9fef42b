"""Rows of people and visits as plain data, and the sealed parts of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from webapp.storage.models import AssessmentRow, PersonRow, VisitRow
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import Assessment, Person, Visit

NAME, CITIZEN_ID, BIRTH_DATE = "person.name", "person.citizen_id", "person.birth_date"
PRIVATE, DETERMINATION, REMARKS = "visit.private", "visit.determination", "assessment.remarks"

Remarks = dict[str, dict[str, str]]


def open_person(row: PersonRow, cipher: FieldCipher) -> Person:
    """A row as plain data."""
    sealed_number = row.citizen_id_sealed
    return Person(
        id=row.id,
        name=cipher.open(row.name_sealed, NAME, row.id),
        citizen_id=cipher.open(sealed_number, CITIZEN_ID, row.id) if sealed_number is not None else None,
        birth_date=dt.date.fromisoformat(cipher.open(row.birth_date_sealed, BIRTH_DATE, row.id)),
        sex=row.sex,
        demo=row.demo,
    )


def open_visit(row: VisitRow, cipher: FieldCipher) -> Visit:
    """A row as plain data."""
    private = open_private(row, cipher)
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
            Assessment(a.id, a.instrument, a.answers, a.settings, open_remarks(a, cipher), a.result, a.ruleset_hash)
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
        reason=private.get("reason", ""),
        salt=private.get("salt", ""),
        from_paper=row.from_paper,
        review=row.review,
        changed=row.changed,
    )


def open_private(row: VisitRow, cipher: FieldCipher) -> dict[str, Any]:
    """What is sealed of a visit: facts, note, reason, salt."""
    if row.private_sealed is None:
        return {}
    found: dict[str, Any] = json.loads(cipher.open(row.private_sealed, PRIVATE, row.id))
    return found


def seal_private(row: VisitRow, cipher: FieldCipher, content: dict[str, Any]) -> None:
    """Write it back."""
    row.private_sealed = cipher.seal(json.dumps(content, ensure_ascii=False), PRIVATE, row.id)


def open_remarks(row: AssessmentRow, cipher: FieldCipher) -> Remarks:
    """Notes to items, and why an item could not be assessed."""
    if row.remarks_sealed is None:
        return {}
    found: Remarks = json.loads(cipher.open(row.remarks_sealed, REMARKS, row.id))
    return found


def seal_remarks(row: AssessmentRow, cipher: FieldCipher, remarks: Remarks) -> None:
    """Write them back."""
    row.remarks_sealed = cipher.seal(json.dumps(remarks, ensure_ascii=False), REMARKS, row.id) if remarks else None
