"""Who works with the form: organisations, accounts, log-ins."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.storage.models.base import Base


class OrganisationRow(Base):
    """An assessment organisation; nobody sees another one's records."""

    __tablename__ = "organisation"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    place: Mapped[str | None] = mapped_column(String(80))
    """The place its visits start with."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime]


class AccountRow(Base):
    """Somebody who may log in."""

    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    """None for the system's administrators, who see no records."""
    username: Mapped[str] = mapped_column(String(80), unique=True)
    """As compared: one width, lower case."""
    name: Mapped[str] = mapped_column(String(80))
    certificate: Mapped[str | None] = mapped_column(String(80))
    """The assessor's certificate number, printed beside the signature."""
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=False)
    """The password was set by somebody else."""
    password_changed_at: Mapped[dt.datetime]
    active: Mapped[bool] = mapped_column(default=True)
    wechat_index: Mapped[bytes | None] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime]

    organisation: Mapped[OrganisationRow | None] = relationship(lazy="joined")


class LoginRow(Base):
    """One log-in on one device; the browser holds a random token, the table only its hash."""

    __tablename__ = "login"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    device: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    proved_at: Mapped[dt.datetime]
    """When the password was last typed in this log-in; signing asks for it again."""
    ended_at: Mapped[dt.datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(24))

    account: Mapped[AccountRow] = relationship(lazy="joined", innerjoin=True)


class AttemptRow(Base):
    """Passwords tried lately under one name or from one address; a name that nobody has is counted like any other."""

    __tablename__ = "attempt"
    key: Mapped[bytes] = mapped_column(primary_key=True)
    """The blind index of the name or the address: neither can be read here."""
    failures: Mapped[int]
    last_at: Mapped[dt.datetime] = mapped_column(index=True)
    closed_until: Mapped[dt.datetime | None]
