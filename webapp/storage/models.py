"""The tables. Columns that end in ``_sealed`` are encrypted, those in ``_index`` are blind indexes."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, Date, DateTime, ForeignKey, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[dt.datetime]):
    """A moment in UTC; SQLite forgets time zones, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """Refuses moments without a time zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(dt.UTC) if value is not None else None

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """Always in UTC."""
        return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Base of the tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON,
        dt.datetime: UtcTime,
        dt.date: Date,
        UUID: Uuid,
        bytes: LargeBinary,
    }


class KeyRow(Base):
    """Which key files this database has been used with."""

    __tablename__ = "field_key"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))


class PersonRow(Base):
    """A person who is assessed."""

    __tablename__ = "person"
    id: Mapped[UUID] = mapped_column(primary_key=True)
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
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The library's result, stored when the visit is finished."""
    ruleset_hash: Mapped[str | None] = mapped_column(String(80))
