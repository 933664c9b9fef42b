"""The random token behind a report's QR code: one for each finishing of a visit, found by its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.storage.models import VisitRow
from webapp.storage.opening import open_visit
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE

TOKEN = "visit.verify"
TOKEN_BYTES = 24
#: A visit of this occasion, once done, takes the place of the one it disputes.
DISPUTE = "dispute"


@dataclass(frozen=True)
class Verified:
    """What is known of the report behind a token."""

    number: str
    visited_on: dt.date
    name: str = field(repr=False)
    """In the clear: the page masks it."""
    demo: bool
    results: tuple[tuple[str, Mapping[str, Any]], ...] = field(repr=False)
    """Instrument and stored result."""
    reopened: bool
    """The record was changed after the report: opened again, returned, or finished anew."""
    disputed: bool
    """A review after a dispute has taken its place."""

    @property
    def valid(self) -> bool:
        """The report stands as it was printed."""
        return not (self.reopened or self.disputed)


def current_token(session: Session, cipher: FieldCipher, visit: UUID) -> str | None:
    """The token of a done visit as it was finished last; none when it has not got one yet."""
    row = session.get_one(VisitRow, visit)
    token, finished = _opened(row, cipher)
    return token if _stands(row, finished) else None


def ensure_token(session: Session, cipher: FieldCipher, visit: UUID) -> str | None:
    """The token of a done visit, made now if it has none for this finishing; none while the visit is not done."""
    row = session.get_one(VisitRow, visit, with_for_update={"of": VisitRow})
    if row.status != DONE or row.finished_at is None:
        return None
    token, finished = _opened(row, cipher)
    if token is not None and _stands(row, finished):
        return token
    new = secrets.token_urlsafe(TOKEN_BYTES)
    content = {"token": new, "finished_at": row.finished_at.isoformat()}
    row.verify_index = _hashed(new)
    row.verify_sealed = cipher.seal(json.dumps(content), TOKEN, row.id)
    session.flush()
    return new


def find_report(session: Session, cipher: FieldCipher, token: str) -> Verified | None:
    """What the token of a report stands for; none when nothing was ever printed with it, or it was replaced."""
    row = session.scalars(select(VisitRow).where(VisitRow.verify_index == _hashed(token))).first()
    if row is None:
        return None
    _token, finished = _opened(row, cipher)
    visit = open_visit(row, cipher)
    disputed = session.scalar(
        select(exists().where(VisitRow.previous_id == row.id, VisitRow.occasion == DISPUTE, VisitRow.status == DONE))
    )
    return Verified(
        number=row.number,
        visited_on=row.visited_on,
        name=visit.person.name,
        demo=visit.person.demo,
        results=tuple((a.instrument, a.result) for a in visit.assessments if a.result),
        reopened=not _stands(row, finished),
        disputed=bool(disputed),
    )


def _opened(row: VisitRow, cipher: FieldCipher) -> tuple[str | None, str | None]:
    if row.verify_sealed is None:
        return None, None
    content = json.loads(cipher.open(row.verify_sealed, TOKEN, row.id))
    return content["token"], content["finished_at"]


def _stands(row: VisitRow, finished: str | None) -> bool:
    return row.status == DONE and row.finished_at is not None and finished == row.finished_at.isoformat()


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
