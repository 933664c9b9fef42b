"""Organisations, accounts and log-ins."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.storage.models import AccountRow, LoginRow, OrganisationRow

ASSESSOR, REVIEWER, ORG_ADMIN, SYSTEM_ADMIN = "assessor", "reviewer", "org_admin", "system_admin"
ROLES = (ASSESSOR, REVIEWER, ORG_ADMIN, SYSTEM_ADMIN)
TOKEN_BYTES = 32
#: When a password was typed in a log-in that never asked for one.
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


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
        created_at=row.created_at,
    )


def password_hash(session: Session, account: UUID) -> str:
    """What is stored of the account's password."""
    return session.get_one(AccountRow, account).password_hash


def set_password(session: Session, account: UUID, password_hash: str, *, must_change: bool) -> None:
    """A new password; ``must_change`` when somebody else chose it. The log-ins are the caller's business."""
    row = session.get_one(AccountRow, account)
    row.password_hash, row.must_change = password_hash, must_change
    row.password_changed_at = dt.datetime.now(dt.UTC)
    session.flush()


def rehash(session: Session, account: UUID, password_hash: str) -> None:
    """The same password, hashed with today's settings."""
    session.get_one(AccountRow, account).password_hash = password_hash
    session.flush()


def list_accounts(session: Session, organisation: UUID | None) -> list[Account]:
    """The accounts of an organisation, or the system's administrators: those who may log in first, then by name."""
    rows = session.scalars(
        select(AccountRow)
        .where(AccountRow.organisation_id == organisation)
        .order_by(AccountRow.active.desc(), AccountRow.username)
    )
    return [open_account(row) for row in rows]


def account_of(session: Session, organisation: UUID, id: UUID) -> Account:
    """The account; raises `NoSuchAccount`, also when it is another organisation's."""
    account = get_account(session, id)
    if account.organisation != organisation:
        raise NoSuchAccount(str(id))
    return account


def change_account(
    session: Session, id: UUID, *, name: str, role: str, certificate: str | None, active: bool
) -> list[str]:
    """Change what an account says; returns the names of what was changed. A closed account has no log-in any more."""
    row = session.get_one(AccountRow, id)
    if role not in ROLES or (role == SYSTEM_ADMIN) != (row.role == SYSTEM_ADMIN):
        raise ValueError(f"{row.role!r} cannot become {role!r}")
    wanted = {"name": name, "role": role, "certificate": certificate, "active": active}
    changed = [field for field, value in wanted.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, wanted[field])
    session.flush()
    if not active:
        end_logins(session, id, "closed")
    return changed


def count_accounts(session: Session) -> int:
    """How many accounts there are, of all organisations."""
    return session.scalar(select(func.count()).select_from(AccountRow)) or 0


def bind_wechat(session: Session, account: UUID, index: bytes | None) -> bool:
    """Let a WeChat user log in to this account, or nobody; False when another account has that user already."""
    if index is not None:
        other = account_by_wechat(session, index)
        if other is not None and other.id != account:
            return False
    session.get_one(AccountRow, account).wechat_index = index
    session.flush()
    return True


def account_by_wechat(session: Session, index: bytes) -> Account | None:
    """The account that a WeChat user was bound to."""
    row = session.scalars(select(AccountRow).where(AccountRow.wechat_index == index)).first()
    return open_account(row) if row else None


def has_wechat(session: Session, account: UUID) -> bool:
    """Whether a WeChat user is bound to the account."""
    return session.get_one(AccountRow, account).wechat_index is not None


def start_login(session: Session, account: UUID, *, device: str = "", proved: bool = True) -> str:
    """A new log-in; returns the token for the browser, which is kept nowhere else. ``proved``: by the password."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = dt.datetime.now(dt.UTC)
    row = LoginRow(
        id=uuid4(),
        account_id=account,
        token_hash=_hashed(token),
        device=device[:120],
        created_at=now,
        seen_at=now,
        proved_at=now if proved else NEVER,
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
    found = _open_login(row)
    return found if found.account.active else None


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


def end_logins(session: Session, account: UUID, reason: str, *, but: UUID | None = None) -> int:
    """End all log-ins of an account, ``but`` one; returns how many stood."""
    found = session.execute(
        update(LoginRow)
        .where(LoginRow.account_id == account, LoginRow.ended_at.is_(None), LoginRow.id != (but or UUID(int=0)))
        .values(ended_at=dt.datetime.now(dt.UTC), end_reason=reason)
    )
    return int(found.rowcount)  # type: ignore[attr-defined]


def owner_of_login(session: Session, login: UUID) -> UUID | None:
    """Whose log-in it is; none when there is no such one."""
    return session.scalar(select(LoginRow.account_id).where(LoginRow.id == login))


def list_logins(session: Session, account: UUID, *, used_since: dt.datetime, begun_since: dt.datetime) -> list[Login]:
    """The log-ins of an account that stand, the last used first."""
    rows = session.scalars(
        select(LoginRow)
        .where(
            LoginRow.account_id == account,
            LoginRow.ended_at.is_(None),
            LoginRow.seen_at >= used_since,
            LoginRow.created_at >= begun_since,
        )
        .order_by(LoginRow.seen_at.desc())
    )
    return [_open_login(row) for row in rows]


def _open_login(row: LoginRow) -> Login:
    return Login(row.id, open_account(row.account), row.device, row.created_at, row.seen_at, row.proved_at)


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
