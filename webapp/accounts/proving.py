"""Typing the password again, for acts that must be one's own: signing, a new password, binding WeChat."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from webapp.access import Actor
from webapp.accounts.guard import name_door
from webapp.accounts.passwords import matches
from webapp.app import services
from webapp.storage import accounts, audit, lockout

#: How long a typed password stands for the hand that typed it.
FRESH = dt.timedelta(minutes=5)


def recently_proved(actor: Actor, within: dt.timedelta = FRESH) -> bool:
    """Whether the password was typed in this log-in not longer ago than that."""
    return dt.datetime.now(dt.UTC) - actor.proved_at <= within


def prove(actor: Actor, password: str) -> bool:
    """Check the password of whoever is logged in; a failure counts towards the lock-out, as at the log-in.

    Opens its own transactions, so that nobody waits for the database while the password is hashed: call it before
    ``database.writing()``, not inside. True also renews `Actor.proved_at` from the next request on.
    """
    database = services().database
    with database.writing() as db:
        stored = _knock(db, actor)
    if stored is None:
        return False
    good = matches(password, stored)
    with database.writing() as db:
        _note(db, actor, good)
    return good


def check_password(db: Session, actor: Actor, password: str) -> bool:
    """Like `prove`, inside a transaction of the caller's, which must be committed also when the answer is False.

    Hashing takes a good part of a second, and SQLite lets nobody else write meanwhile: `prove` is the kinder one.
    """
    stored = _knock(db, actor)
    if stored is None:
        return False
    good = matches(password, stored)
    _note(db, actor, good)
    return good


def wait_of(actor: Actor) -> dt.timedelta | None:
    """How long this person has to wait after too many failures; none when a password may be tried."""
    with services().database.reading() as db:
        return lockout.closed_for(db, [name_door(actor.username)], dt.datetime.now(dt.UTC))


def _knock(db: Session, actor: Actor) -> str | None:
    wait = lockout.knock(db, [name_door(actor.username)], dt.datetime.now(dt.UTC))
    return None if wait is not None else accounts.password_hash(db, actor.id)


def _note(db: Session, actor: Actor, good: bool) -> None:
    if good:
        lockout.opened(db, name_door(actor.username))
        accounts.note_proved(db, actor.login)
        return
    audit.record(db, "password.refused", f"account:{actor.id}", account=actor.id, organisation=actor.organisation)
