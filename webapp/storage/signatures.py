"""Signatures: each over the hash of what was signed, voided by any later edit, never deleted."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from webapp.storage import audit
from webapp.storage.models import SignatureRow, VisitRow
from webapp.storage.opening import open_visit
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import TO_SIGN, Visit

MAIN, SECOND, INFORMANT = "main", "second", "informant"
DRAWN, TYPED = "drawn", "typed"
NAME, DRAWING = "signature.name", "signature.drawing"
#: The key in ``session.info`` under which the pages say who is writing, for the audit lines made here.
ACTOR = "actor"


class AlreadySigned(RuntimeError):
    """That account, or somebody in that role, has already signed this visit."""


@dataclass(frozen=True)
class Signature:
    """One signature, standing or voided."""

    id: UUID
    visit: UUID
    account: UUID | None
    """None for the informant."""
    role: str
    """main, second or informant."""
    name: str = field(repr=False)
    certificate: str | None
    method: str
    """drawn or typed."""
    drawing: Any = field(repr=False)
    """Drawn: ``{"strokes": [[[x, y], …], …]}`` on a field of 1000 by 400. Typed: ``{"text": name}``."""
    content_hash: str
    signed_at: dt.datetime
    voided_at: dt.datetime | None
    void_reason: str | None

    @property
    def standing(self) -> bool:
        """Not voided."""
        return self.voided_at is None


def add_signature(
    session: Session,
    cipher: FieldCipher,
    *,
    visit: UUID,
    account: UUID | None,
    role: str,
    name: str,
    certificate: str | None,
    method: str,
    drawing: Mapping[str, Any],
    content_hash: str,
) -> UUID:
    """Somebody signs exactly this content; returns the signature's id.

    Raises:
        AlreadySigned: the account, or somebody in that role, has a standing signature on this visit.
    """
    for row in _standing(session, visit):
        if row.role == role or (account is not None and row.account_id == account):
            raise AlreadySigned(role)
    row = SignatureRow(
        id=uuid4(),
        visit_id=visit,
        account_id=account,
        role=role,
        certificate=certificate,
        method=method,
        content_hash=content_hash,
        signed_at=dt.datetime.now(dt.UTC),
    )
    row.name_sealed = cipher.seal(name, NAME, row.id)
    row.strokes_sealed = cipher.seal(json.dumps(drawing, ensure_ascii=False), DRAWING, row.id)
    session.add(row)
    session.flush()
    return row.id


def signatures_of(session: Session, cipher: FieldCipher, visit: UUID) -> list[Signature]:
    """All signatures of a visit, voided ones included, in the order they were made."""
    rows = session.scalars(
        select(SignatureRow).where(SignatureRow.visit_id == visit).order_by(SignatureRow.signed_at, SignatureRow.id)
    )
    return [
        Signature(
            id=row.id,
            visit=row.visit_id,
            account=row.account_id,
            role=row.role,
            name=cipher.open(row.name_sealed, NAME, row.id),
            certificate=row.certificate,
            method=row.method,
            drawing=json.loads(cipher.open(row.strokes_sealed, DRAWING, row.id)),
            content_hash=row.content_hash,
            signed_at=row.signed_at,
            voided_at=row.voided_at,
            void_reason=row.void_reason,
        )
        for row in rows
    ]


def void(session: Session, row: VisitRow, reason: str) -> int:
    """Void every standing signature of a visit, and note it in the audit log; returns how many there were."""
    now = dt.datetime.now(dt.UTC)
    found = _standing(session, row.id)
    for signature in found:
        signature.voided_at, signature.void_reason = now, reason
    if found:
        session.flush()
        audit.record(
            session,
            "signature.voided",
            f"visit:{row.id}",
            account=session.info.get(ACTOR),
            organisation=row.organisation_id,
            detail={"reason": reason, "signatures": len(found)},
        )
    return len(found)


def both_signed(session: Session, row: VisitRow, content_hash: str) -> bool:
    """Main and second assessor, two different accounts, have both signed exactly this content."""
    signed = {s.role: s.account_id for s in _standing(session, row.id) if s.content_hash == content_hash}
    main, second = signed.get(MAIN), signed.get(SECOND)
    return (
        main is not None
        and second is not None
        and main != second
        and (main, second) == (row.assessor_id, row.second_id)
    )


def waiting_for(
    session: Session, cipher: FieldCipher, organisation: UUID, account: UUID, *, limit: int
) -> tuple[list[Visit], list[Visit]]:
    """Visits to be signed: those this account can sign now, and its own that wait for a colleague."""
    signed = exists().where(
        SignatureRow.visit_id == VisitRow.id, SignatureRow.account_id == account, SignatureRow.voided_at.is_(None)
    )
    mine = or_(VisitRow.assessor_id == account, VisitRow.second_id == account)
    both = (VisitRow.organisation_id == organisation, VisitRow.status == TO_SIGN)
    order = (VisitRow.updated_at, VisitRow.id)
    for_me = session.scalars(
        select(VisitRow).where(*both, or_(mine, VisitRow.second_id.is_(None)), ~signed).order_by(*order).limit(limit)
    ).all()
    for_others = session.scalars(select(VisitRow).where(*both, mine, signed).order_by(*order).limit(limit)).all()
    return [open_visit(row, cipher) for row in for_me], [open_visit(row, cipher) for row in for_others]


def _standing(session: Session, visit: UUID) -> list[SignatureRow]:
    return list(
        session.scalars(
            select(SignatureRow).where(SignatureRow.visit_id == visit, SignatureRow.voided_at.is_(None))
        ).all()
    )
