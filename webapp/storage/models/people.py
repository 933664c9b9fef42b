"""People, the visits to them, and the assessments made."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.storage.models.base import Base


class PersonRow(Base):
    """A person who is assessed."""

    __tablename__ = "person"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    name_sealed: Mapped[bytes]
    name_index: Mapped[bytes] = mapped_column(index=True)
    citizen_id_sealed: Mapped[bytes | None]
    citizen_id_index: Mapped[bytes | None] = mapped_column(index=True)
    birth_date_sealed: Mapped[bytes]
    sex: Mapped[str] = mapped_column(String(16))
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]


class VisitRow(Base):
    """One visit to a person: the day, the place, what was learnt, and the assessments made."""

    __tablename__ = "visit"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    """The record's number as people say it; it tells nothing about anybody."""
    assessor_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    """The main assessor: whose draft it is."""
    second_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    """The second assessor, once one has joined."""
    previous_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"), index=True)
    """The visit this one repeats, reviews or disputes."""
    occasion: Mapped[str] = mapped_column(String(24), default="first")
    """Why it was made: first, regular, change or dispute."""
    from_paper: Mapped[bool] = mapped_column(default=False)
    """Keyed in afterwards from a paper form."""
    review: Mapped[str] = mapped_column(String(16), default="none")
    """Where it stands at the review desk: none, waiting, approved or returned."""
    verify_index: Mapped[bytes | None] = mapped_column(unique=True)
    verify_sealed: Mapped[bytes | None]
    """The random token behind the report's QR code: its hash to find it by, and itself, to print it again."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    place: Mapped[str] = mapped_column(String(80))
    visited_on: Mapped[dt.date]
    status: Mapped[str] = mapped_column(String(16))
    facts: Mapped[dict[str, Any]]
    """Facts of the vocabulary that identify nobody."""
    private_sealed: Mapped[bytes | None]
    """Free text and identifying facts, and the note, as sealed JSON."""
    determination_sealed: Mapped[bytes | None]
    """What the person was told they may apply for, when the visit was finished; sealed JSON."""
    ruleset_hash: Mapped[str | None] = mapped_column(String(80))
    version: Mapped[int] = mapped_column()
    changed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Answer, fact or setting -> the version that last changed it; two phones' changes are merged by it."""
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime] = mapped_column(index=True)
    finished_at: Mapped[dt.datetime | None]

    person: Mapped[PersonRow] = relationship(lazy="joined", innerjoin=True)
    assessments: Mapped[list[AssessmentRow]] = relationship(
        lazy="selectin", order_by="AssessmentRow.position", cascade="all, delete-orphan"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class AssessmentRow(Base):
    """One instrument filled in at a visit."""

    __tablename__ = "assessment"
    __table_args__ = (UniqueConstraint("visit_id", "instrument"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    instrument: Mapped[str] = mapped_column(String(80))
    answers: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]]
    remarks_sealed: Mapped[bytes | None]
    """Notes to single items, and why an item could not be assessed; sealed JSON."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The library's result, stored when the visit is finished."""
    ruleset_hash: Mapped[str | None] = mapped_column(String(80))
