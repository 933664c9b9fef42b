"""Consents: what a person, or somebody for them, agreed to or refused, under which wording. Never overwritten."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.storage.models import ConsentRow
from webapp.storage.sealing import FieldCipher

ASSESSMENT, INSURER, PHOTO, POSITION = "assessment", "insurer", "photo", "position"
KINDS = (ASSESSMENT, INSURER, PHOTO, POSITION)
SELF, GUARDIAN, RELATIVE = "self", "guardian", "relative"
GIVERS = (SELF, GUARDIAN, RELATIVE)
BY_NAME = "consent.by_name"


class NoSuchConsent(LookupError):
    """There is no consent of that id for this person."""


@dataclass(frozen=True)
class Consent:
    """One answer to the question whether somebody agrees."""

    id: UUID
    person: UUID
    visit: UUID | None
    kind: str
    """assessment, insurer, photo or position."""
    given: bool
    by: str
    """self, guardian or relative."""
    by_name: str = field(repr=False)
    """Empty when the person answered for herself."""
    wording: str
    """The version of the text that was read out."""
    given_at: dt.datetime
    withdrawn_at: dt.datetime | None

    @property
    def holds(self) -> bool:
        """Agreed, and not withdrawn."""
        return self.given and self.withdrawn_at is None


def add_consent(
    session: Session,
    cipher: FieldCipher,
    *,
    person: UUID,
    visit: UUID | None,
    kind: str,
    given: bool,
    by: str,
    by_name: str,
    wording: str,
    account: UUID,
) -> UUID:
    """Write an answer down; it takes the place of the earlier one, which stays on record. Returns its id."""
    if kind not in KINDS or by not in GIVERS:
        raise ValueError(f"{kind!r} by {by!r} is no consent")
    row = ConsentRow(
        id=uuid4(),
        person_id=person,
        visit_id=visit,
        kind=kind,
        given=given,
        by=by,
        wording=wording,
        account_id=account,
        given_at=dt.datetime.now(dt.UTC),
    )
    row.by_name_sealed = cipher.seal(by_name, BY_NAME, row.id) if by_name else None
    session.add(row)
    session.flush()
    return row.id


def consents_of(session: Session, cipher: FieldCipher, person: UUID) -> list[Consent]:
    """All answers on record for a person, the last first."""
    rows = session.scalars(
        select(ConsentRow).where(ConsentRow.person_id == person).order_by(ConsentRow.given_at.desc(), ConsentRow.id)
    )
    return [_open(row, cipher) for row in rows]


def current(found: list[Consent]) -> dict[str, Consent]:
    """The last answer of each kind, from the list of `consents_of`."""
    last: dict[str, Consent] = {}
    for consent in found:
        last.setdefault(consent.kind, consent)
    return last


def refused(session: Session, person: UUID, kind: str) -> bool:
    """Whether the last answer of that kind was no, or was withdrawn. Never asked is not refused."""
    row = session.scalars(
        select(ConsentRow)
        .where(ConsentRow.person_id == person, ConsentRow.kind == kind)
        .order_by(ConsentRow.given_at.desc(), ConsentRow.id)
        .limit(1)
    ).first()
    return row is not None and (not row.given or row.withdrawn_at is not None)


def withdraw(session: Session, person: UUID, id: UUID) -> str:
    """Take a consent back; returns its kind. Raises `NoSuchConsent`."""
    row = session.get(ConsentRow, id)
    if row is None or row.person_id != person or not row.given:
        raise NoSuchConsent(str(id))
    if row.withdrawn_at is None:
        row.withdrawn_at = dt.datetime.now(dt.UTC)
        session.flush()
    return row.kind


def move(session: Session, visit: UUID, person: UUID) -> None:
    """The visit turned out to be about somebody else: what was answered at it belongs to them."""
    for row in session.scalars(select(ConsentRow).where(ConsentRow.visit_id == visit, ConsentRow.person_id != person)):
        row.person_id = person
    session.flush()


def _open(row: ConsentRow, cipher: FieldCipher) -> Consent:
    return Consent(
        id=row.id,
        person=row.person_id,
        visit=row.visit_id,
        kind=row.kind,
        given=row.given,
        by=row.by,
        by_name=cipher.open(row.by_name_sealed, BY_NAME, row.id) if row.by_name_sealed is not None else "",
        wording=row.wording,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
    )
