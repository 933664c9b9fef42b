"""Organisations, accounts and log-ins."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.storage.models import AccountRow, LoginRow, OrganisationRow

ASSESSOR, REVIEWER, ORG_ADMIN, SYSTEM_ADMIN = "assessor", "reviewer", "org_admin", "system_admin"
ROLES = (ASSESSOR, REVIEWER, ORG_ADMIN, SYSTEM_ADMIN)
TOKEN_BYTES = 32


class NoSuchAccount(LookupError):
    """There is no account of that id or name."""


@dataclass(frozen=True)
class Account:
    """Somebody who may log in."""

    id: UUID
    organisation: UUID | None
    organisation_name: str | None
    place: str | None
    username: str
    name: str
    certificate: str | None
    role: str
    must_change: bool
    active: bool
    locked_until: dt.datetime | None
    created_at: dt.datetime


@dataclass(frozen=True)
class Login:
    """A log-in that stands."""

    id: UUID
    account: Account
    device: str
    created_at: dt.datetime
    seen_at: dt.datetime
    proved_at: dt.datetime


def plain_username(given: str) -> str:
    """A user name as compared: one width, lower case, no spaces around."""
    return unicodedata.normalize("NFKC", given).strip().casefold()


def add_organisation(session: Session, *, name: str, place: str | None = None) -> UUID:
    """A new organisation; returns its id."""
    row = OrganisationRow(id=uuid4(), name=name, place=place, created_at=dt.datetime.now(dt.UTC))
    session.add(row)
    session.flush()
    return row.id


def add_account(
    session: Session,
    *,
    organisation: UUID | None,
    username: str,
    name: str,
    role: str,
    password_hash: str,
    certificate: str | None = None,
    must_change: bool = False,
) -> UUID:
    """A new account; returns its id. The password's strength is the caller's business."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is not a role: {', '.join(ROLES)}")
    if (organisation is None) != (role == SYSTEM_ADMIN):
        raise ValueError("a system administrator belongs to no organisation, everybody else to one")
    now = dt.datetime.now(dt.UTC)
    row = AccountRow(
        id=uuid4(),
        organisation_id=organisation,
        username=plain_username(username),
        name=name,
        certificate=certificate,
        role=role,
        password_hash=password_hash,
        must_change=must_change,
        password_changed_at=now,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def get_account(session: Session, id: UUID) -> Account:
    """The account; raises `NoSuchAccount`."""
    row = session.get(AccountRow, id)
    if row is None:
        raise NoSuchAccount(str(id))
    return open_account(row)


def account_row(session: Session, username: str) -> AccountRow | None:
    """The row behind a user name, for checking a password."""
    return session.scalars(select(AccountRow).where(AccountRow.username == plain_username(username))).first()


def open_account(row: AccountRow) -> Account:
    """A row as plain data; the password's hash stays behind."""
    return Account(
        id=row.id,
        organisation=row.organisation_id,
        organisation_name=row.organisation.name if row.organisation else None,
        place=row.organisation.place if row.organisation else None,
        username=row.username,
        name=row.name,
        certificate=row.certificate,
        role=row.role,
        must_change=row.must_change,
        active=row.active and (row.organisation is None or row.organisation.active),
        locked_until=row.locked_until,
        created_at=row.created_at,
    )


def start_login(session: Session, account: UUID, *, device: str = "") -> str:
    """A new log-in; returns the token for the browser, which is kept nowhere else."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = dt.datetime.now(dt.UTC)
    row = LoginRow(
        id=uuid4(),
        account_id=account,
        token_hash=_hashed(token),
        device=device[:120],
        created_at=now,
        seen_at=now,
        proved_at=now,
    )
    session.add(row)
    session.flush()
    return token


def find_login(session: Session, token: str) -> Login | None:
    """The log-in behind a token, unless it was ended or its account closed. Time limits are the caller's business."""
    row = session.scalars(
        select(LoginRow).where(LoginRow.token_hash == _hashed(token), LoginRow.ended_at.is_(None))
    ).first()
    if row is None:
        return None
    account = open_account(row.account)
    if not account.active:
        return None
    return Login(row.id, account, row.device, row.created_at, row.seen_at, row.proved_at)


def note_seen(session: Session, login: UUID) -> None:
    """The log-in was used just now."""
    session.execute(update(LoginRow).where(LoginRow.id == login).values(seen_at=dt.datetime.now(dt.UTC)))


def note_proved(session: Session, login: UUID) -> None:
    """The password was typed again just now."""
    session.execute(update(LoginRow).where(LoginRow.id == login).values(proved_at=dt.datetime.now(dt.UTC)))


def end_login(session: Session, login: UUID, reason: str) -> None:
    """The log-in stops to hold."""
    now = dt.datetime.now(dt.UTC)
    session.execute(
        update(LoginRow)
        .where(LoginRow.id == login, LoginRow.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
