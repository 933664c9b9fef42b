"""Guessing passwords made slow: tries are counted under each name and from each address, and waits grow.

A name that nobody has is counted like one that somebody has, so that a stranger learns nothing from a wait.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.storage.accounts import plain_username
from webapp.storage.models import AttemptRow
from webapp.storage.sealing import FieldCipher


@dataclass(frozen=True)
class Limit:
    """When tries begin to cost time, and how much."""

    after: int
    """So many failures are free."""
    first: dt.timedelta = dt.timedelta(minutes=1)
    """The first wait; each further failure doubles it."""
    longest: dt.timedelta = dt.timedelta(hours=1)
    forgotten: dt.timedelta = dt.timedelta(hours=24)
    """After so long without a try, counting starts anew."""

    def wait(self, failures: int) -> dt.timedelta | None:
        """How long to wait after that many failures; none while they are free."""
        if failures < self.after:
            return None
        doublings = min(failures - self.after, 20)
        return min(self.first * 2**doublings, self.longest)


@dataclass(frozen=True)
class Door:
    """One name or one address, and its limit."""

    key: bytes
    limit: Limit


def name_key(cipher: FieldCipher, username: str) -> bytes:
    """What tries under a user name are counted by."""
    return cipher.index("name:" + plain_username(username), "attempt")


def address_key(cipher: FieldCipher, address: str) -> bytes:
    """What tries from an address are counted by."""
    return cipher.index(f"address:{address}", "attempt")


def closed_for(session: Session, doors: Sequence[Door], now: dt.datetime) -> dt.timedelta | None:
    """How long until all the doors are open again; none when they are."""
    waits = [
        row.closed_until - now
        for row in (session.get(AttemptRow, door.key) for door in doors)
        if row is not None and row.closed_until is not None and row.closed_until > now
    ]
    return max(waits, default=None)


def knock(session: Session, doors: Sequence[Door], now: dt.datetime) -> dt.timedelta | None:
    """Count a try, before the password is looked at; returns how long to wait when one of the doors is closed.

    Counted beforehand, so that a hundred guesses sent at once are a hundred guesses. A try at a closed door is not
    counted: whoever waits gets in. `opened` takes the count back when the password was right.
    """
    doors = sorted(doors, key=lambda door: door.key)
    rows = [_row(session, door.key, now) for door in doors]
    wait = closed_for(session, doors, now)
    if wait is not None:
        return wait
    for door, row in zip(doors, rows, strict=True):
        if now - row.last_at > door.limit.forgotten:
            row.failures = 0
        row.failures += 1
        row.last_at = now
        closed = door.limit.wait(row.failures)
        row.closed_until = now + closed if closed is not None else None
    session.flush()
    return None


def opened(session: Session, name: Door, others: Sequence[Door] = ()) -> None:
    """The password was right: the name's failures are forgotten, and of the ``others`` just this try.

    An address keeps its earlier failures: else whoever has one account could try all others for ever.
    """
    forget(session, name.key)
    for door in others:
        row = session.get(AttemptRow, door.key, with_for_update=True)
        if row is not None:
            row.failures = max(row.failures - 1, 0)
            if row.failures < door.limit.after:
                row.closed_until = None
    session.flush()


def forget(session: Session, key: bytes) -> None:
    """Open that door and forget its failures."""
    row = session.get(AttemptRow, key, with_for_update=True)
    if row is not None:
        session.delete(row)
        session.flush()


def forget_old(session: Session, before: dt.datetime) -> int:
    """Drop counts that ended before then; returns how many."""
    found = session.execute(delete(AttemptRow).where(AttemptRow.last_at < before))
    return int(found.rowcount)  # type: ignore[attr-defined]


def _row(session: Session, key: bytes, now: dt.datetime) -> AttemptRow:
    # Two first tries at the same moment: one of them makes the row, both count in it.
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(AttemptRow).values(key=key, failures=0, last_at=now).on_conflict_do_nothing())
    return session.get_one(AttemptRow, key, with_for_update=True)
