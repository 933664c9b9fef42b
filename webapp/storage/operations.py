"""Requests that carry an idempotency key: done once, however often a phone on a bad network sends them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from webapp.storage.models import OperationRow
from webapp.storage.sealing import FieldCipher

ANSWER = "operation.answer"
#: So long a phone may repeat a request and gets the first answer.
KEPT = dt.timedelta(days=90)


class KeyUsed(RuntimeError):
    """The key came before, with another request."""


class StillRunning(RuntimeError):
    """The same request is being carried out by another process just now."""


@dataclass(frozen=True)
class Answer:
    """What was answered to a request."""

    status: int
    body: dict[str, Any]


def request_hash(address: str, body: bytes) -> bytes:
    """What makes two requests the same: where they went, and every byte."""
    return hashlib.sha256(address.encode() + b"\0" + body).digest()


def earlier_answer(
    session: Session, cipher: FieldCipher, *, account: UUID, key: UUID, body_hash: bytes
) -> Answer | None:
    """The answer given to this request before; none when it is new. Holds the key until the transaction ends.

    Args:
        session: a writing session.
        cipher: opens the stored answer.
        account: whose key it is; keys of different accounts have nothing to do with each other.
        key: the idempotency key.
        body_hash: of this request, by `request_hash`.

    Raises:
        KeyUsed: the key came before, with another request.
        StillRunning: another process is at it just now (PostgreSQL; SQLite lets one writer in at a time).
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = int.from_bytes(hashlib.sha256(account.bytes + key.bytes).digest()[:8], signed=True)
        if not session.scalar(select(func.pg_try_advisory_xact_lock(lock))):
            raise StillRunning(str(key))
    row = session.get(OperationRow, (account, str(key)))
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise KeyUsed(str(key))
    if row.status is None or row.answer_sealed is None:
        raise StillRunning(str(key))
    return Answer(row.status, json.loads(cipher.open(row.answer_sealed, ANSWER, key)))


def keep_answer(
    session: Session, cipher: FieldCipher, *, account: UUID, key: UUID, body_hash: bytes, answer: Answer
) -> None:
    """Remember the answer, in the transaction of what it tells about: both are kept, or neither."""
    text = json.dumps(answer.body, ensure_ascii=False, allow_nan=False)
    session.add(
        OperationRow(
            account_id=account,
            key=str(key),
            body_hash=body_hash,
            status=answer.status,
            answer_sealed=cipher.seal(text, ANSWER, key),
            created_at=dt.datetime.now(dt.UTC),
        )
    )
    session.flush()


def purge(session: Session, *, now: dt.datetime, kept: dt.timedelta = KEPT) -> int:
    """Forget answers older than ``kept``; returns how many."""
    done = session.execute(delete(OperationRow).where(OperationRow.created_at < now - kept))
    assert isinstance(done, CursorResult)
    return done.rowcount
