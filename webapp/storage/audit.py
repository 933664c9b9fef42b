"""The audit log: who did what to what, in a chain of hashes that shows every later change."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from webapp.storage.models import AuditRow

#: The line before the first.
START = bytes(32)
#: Any fixed number: PostgreSQL's lock while a line is added, so that no two lines follow the same one.
AUDIT_LOCK = 42195_2023


def record(
    session: Session,
    action: str,
    object: str,
    *,
    account: UUID | None,
    organisation: UUID | None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line, in the transaction of what it tells about.

    Args:
        session: a writing session.
        action: what was done, such as ``visit.signed``.
        object: what it was done to, such as ``visit:<id>``.
        account: who did it; none for a command of the server's owner.
        organisation: whose log it belongs to.
        detail: never personal data.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": AUDIT_LOCK})
    last = session.execute(select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)).first()
    row = AuditRow(
        seq=last.seq + 1 if last else 1,
        at=dt.datetime.now(dt.UTC),
        account_id=account,
        organisation_id=organisation,
        action=action,
        object=object,
        detail=dict(detail or {}),
        previous=last.hash if last else START,
    )
    row.hash = line_hash(row)
    session.add(row)
    session.flush()


def line_hash(row: AuditRow) -> bytes:
    """What the line's hash must be, by its content and the line before."""
    content = {
        "seq": row.seq,
        "at": row.at.isoformat(timespec="microseconds"),
        "account": str(row.account_id) if row.account_id else None,
        "organisation": str(row.organisation_id) if row.organisation_id else None,
        "action": row.action,
        "object": row.object,
        "detail": row.detail,
    }
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(row.previous + written.encode()).digest()


def faults(session: Session) -> Iterator[tuple[int, str]]:
    """Every line that does not follow from the one before: its number, and what is wrong with it."""
    previous, expected = START, 1
    for row in session.scalars(select(AuditRow).order_by(AuditRow.seq)).yield_per(1000):
        if row.seq != expected:
            yield row.seq, f"line {expected} is missing"
        if row.previous != previous:
            yield row.seq, "it does not follow the line before"
        if row.hash != line_hash(row):
            yield row.seq, "it was changed"
        previous, expected = row.hash, row.seq + 1


def newest(session: Session) -> tuple[int, str]:
    """Number and hash (hex) of the last line; 0 and that of nothing when there is none."""
    last = session.execute(select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)).first()
    return (last.seq, last.hash.hex()) if last else (0, START.hex())


def holds(session: Session, seq: int, hash: str) -> bool:
    """Whether the line of a number still has that hash (hex)."""
    if not seq:
        return hash == START.hex()
    found = session.scalar(select(AuditRow.hash).where(AuditRow.seq == seq))
    return found is not None and found.hex() == hash


@dataclass(frozen=True)
class Line:
    """A line of the log, as its readers see it."""

    seq: int
    at: dt.datetime
    account: UUID | None
    action: str
    object: str
    detail: Mapping[str, Any]


def lines(
    session: Session,
    organisation: UUID,
    *,
    kind: str = "",
    account: UUID | None = None,
    object: str = "",
    before: int | None = None,
    limit: int,
) -> list[Line]:
    """Lines of an organisation, the newest first.

    Args:
        session: a session.
        organisation: whose.
        kind: what actions begin with, such as ``login.``.
        account: of this one only.
        object: about this only.
        before: older than that line.
        limit: at most so many.
    """
    wanted = select(AuditRow).where(AuditRow.organisation_id == organisation)
    if kind:
        wanted = wanted.where(AuditRow.action.startswith(kind, autoescape=True))
    if account is not None:
        wanted = wanted.where(AuditRow.account_id == account)
    if object:
        wanted = wanted.where(AuditRow.object == object)
    if before is not None:
        wanted = wanted.where(AuditRow.seq < before)
    rows = session.scalars(wanted.order_by(AuditRow.seq.desc()).limit(limit))
    return [Line(row.seq, row.at, row.account_id, row.action, row.object, row.detail) for row in rows]


def kinds(session: Session, organisation: UUID) -> list[str]:
    """What an organisation's lines are about: the first words of their actions."""
    actions = session.scalars(select(AuditRow.action).where(AuditRow.organisation_id == organisation).distinct())
    return sorted({action.partition(".")[0] for action in actions})


def count(session: Session) -> int:
    """How many lines there are, of all organisations."""
    return session.scalar(select(func.count()).select_from(AuditRow)) or 0
