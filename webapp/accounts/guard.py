"""The guard at the log-in: checks a password, counts failures under the name and from the address, makes guessers wait."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.accounts.passwords import hashed, matches, outdated
from webapp.app import services
from webapp.storage import accounts, audit, lockout
from webapp.storage.accounts import Account
from webapp.storage.lockout import Door, Limit

#: An organisation may share one address: it takes more failures than a name does.
ADDRESS_FACTOR = 6
ADDRESS_FORGOTTEN = dt.timedelta(hours=1)
#: Networks are given to households by this prefix; single addresses of IPv6 cost nothing.
IPV6_NETWORK = 64


@dataclass(frozen=True)
class Verdict:
    """What became of a try."""

    account: Account | None = None
    """Whose password it was."""
    wait: dt.timedelta | None = None
    """Too many failures: how long the door stays closed, whatever is typed."""


def name_door(username: str) -> Door:
    """Counts the tries under a user name, whether anybody has it or not."""
    known = services()
    return Door(lockout.name_key(known.database.cipher, username), Limit(after=known.settings.lock_after))


def address_doors(address: str | None) -> list[Door]:
    """Counts the tries from an address; none where the server does not know it."""
    if not address:
        return []
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
        if found.version == 6:
            found = found.ipv4_mapped or ipaddress.ip_network((found, IPV6_NETWORK), strict=False).network_address
    except ValueError:
        return []
    known = services()
    key = lockout.address_key(known.database.cipher, str(found))
    return [Door(key, Limit(after=known.settings.lock_after * ADDRESS_FACTOR, forgotten=ADDRESS_FORGOTTEN))]


def try_password(username: str, password: str, *, address: str | None) -> Verdict:
    """Check a name and a password. Opens its own transactions; none is held while the password is hashed.

    Args:
        username: as typed.
        password: as typed.
        address: where the try comes from.
    """
    database, now = services().database, dt.datetime.now(dt.UTC)
    name, others = name_door(username), address_doors(address)
    with database.writing() as db:
        wait = lockout.knock(db, [name, *others], now)
        row = accounts.account_row(db, username)
        account = accounts.open_account(row) if row else None
        stored = row.password_hash if row else None
    if wait is not None:
        return Verdict(wait=wait)
    good = matches(password, stored) and account is not None and account.active
    fresh = hashed(password) if good and stored is not None and outdated(stored) else None
    with database.writing() as db:
        if good and account is not None:
            lockout.opened(db, name, others)
            if fresh is not None:
                accounts.rehash(db, account.id, fresh)
        else:
            _note_refusal(db, account, [name, *others], now)
    return Verdict(account=account if good else None)


def reopen(db: Session, username: str) -> None:
    """Let somebody try again at once."""
    lockout.forget(db, name_door(username).key)


def closed_names(db: Session, usernames: Sequence[str]) -> set[str]:
    """Which of these names are closed just now."""
    now = dt.datetime.now(dt.UTC)
    return {name for name in usernames if lockout.closed_for(db, [name_door(name)], now) is not None}


def _note_refusal(db: Session, account: Account | None, doors: Sequence[Door], now: dt.datetime) -> None:
    whose: UUID | None = account.id if account else None
    audit.record(
        db,
        "login.refused",
        f"account:{whose or 'unknown'}",
        account=whose,
        organisation=account.organisation if account else None,
        detail={"closed": True} if lockout.closed_for(db, doors, now) else None,
    )
