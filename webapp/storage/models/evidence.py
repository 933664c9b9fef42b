"""What proves how a record came about: signatures, consents, reviews, replayed requests, the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.storage.models.base import Base


class SignatureRow(Base):
    """Somebody signed exactly this content; any later edit voids it."""

    __tablename__ = "signature"
    __table_args__ = (
        # One account signs a visit once, whatever its role there.
        Index(
            "uq_signature_standing",
            "visit_id",
            "account_id",
            unique=True,
            sqlite_where=text("voided_at IS NULL"),
            postgresql_where=text("voided_at IS NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """None for the informant, who has no account."""
    role: Mapped[str] = mapped_column(String(16))
    """main, second or informant."""
    name_sealed: Mapped[bytes]
    certificate: Mapped[str | None] = mapped_column(String(80))
    method: Mapped[str] = mapped_column(String(8))
    """drawn or typed."""
    strokes_sealed: Mapped[bytes]
    """The drawn lines, or the typed name; sealed JSON."""
    content_hash: Mapped[str] = mapped_column(String(80))
    """SHA-256 of the canonical answers and the rules they were graded by."""
    signed_at: Mapped[dt.datetime]
    voided_at: Mapped[dt.datetime | None]
    void_reason: Mapped[str | None] = mapped_column(String(40))


class ConsentRow(Base):
    """What a person, or somebody for them, agreed to or refused, under which wording."""

    __tablename__ = "consent"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(24))
    """assessment, insurer, photo or position."""
    given: Mapped[bool]
    by: Mapped[str] = mapped_column(String(16))
    """self, guardian or relative."""
    by_name_sealed: Mapped[bytes | None]
    wording: Mapped[str] = mapped_column(String(24))
    """The version of the text that was read out."""
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    given_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]


class ReviewRow(Base):
    """One act of the review desk: approved, returned, reassigned, handed over."""

    __tablename__ = "review"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    verdict: Mapped[str] = mapped_column(String(16))
    comment_sealed: Mapped[bytes | None]
    content_hash: Mapped[str | None] = mapped_column(String(80))
    """What was reviewed."""
    at: Mapped[dt.datetime]


class OperationRow(Base):
    """A request that carried an idempotency key, with its answer: sent twice, it is done once."""

    __tablename__ = "operation"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[bytes]
    status: Mapped[int | None]
    answer_sealed: Mapped[bytes | None]
    created_at: Mapped[dt.datetime] = mapped_column(index=True)


class AuditRow(Base):
    """One line of the audit log. Each line's hash covers the line before, so that none can be changed or taken out."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    account_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(80), index=True)
    """What it was done to: ``visit:<id>``, ``account:<id>`` and so on."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Never personal data: names of fields, hashes, reasons chosen from a list."""
    previous: Mapped[bytes]
    hash: Mapped[bytes]
