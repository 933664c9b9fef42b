"""Organisations: listed, found, renamed, closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.storage.models import AccountRow, OrganisationRow


class NoSuchOrganisation(LookupError):
    """There is no organisation of that id or name."""


@dataclass(frozen=True)
class Organisation:
    """An assessment organisation."""

    id: UUID
    name: str
    place: str | None
    """The place its visits start with."""
    active: bool
    created_at: dt.datetime
    accounts: int
    """How many may log in."""


def list_organisations(session: Session) -> list[Organisation]:
    """All of them, the open ones first."""
    rows = session.scalars(select(OrganisationRow).order_by(OrganisationRow.active.desc(), OrganisationRow.name))
    return [_opened(session, row) for row in rows]


def get_organisation(session: Session, id: UUID) -> Organisation:
    """The organisation; raises `NoSuchOrganisation`."""
    row = session.get(OrganisationRow, id)
    if row is None:
        raise NoSuchOrganisation(str(id))
    return _opened(session, row)


def organisation_named(session: Session, name: str) -> Organisation | None:
    """The organisation of exactly that name."""
    row = session.scalars(select(OrganisationRow).where(OrganisationRow.name == name)).first()
    return _opened(session, row) if row else None


def change_organisation(session: Session, id: UUID, *, name: str, place: str | None, active: bool) -> list[str]:
    """Change what is said of it; returns the names of what was changed. In a closed one nobody can log in."""
    row = session.get_one(OrganisationRow, id)
    wanted = {"name": name, "place": place, "active": active}
    changed = [field for field, value in wanted.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, wanted[field])
    session.flush()
    return changed


def _opened(session: Session, row: OrganisationRow) -> Organisation:
    count = session.scalar(
        select(func.count())
        .select_from(AccountRow)
        .where(AccountRow.organisation_id == row.id, AccountRow.active.is_(True))
    )
    return Organisation(row.id, row.name, row.place, row.active, row.created_at, count or 0)
