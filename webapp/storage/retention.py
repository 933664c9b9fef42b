"""Deleting: drafts their assessor gave up, and what was kept long enough."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CursorResult, and_, delete, false, or_, select
from sqlalchemy.orm import Session

from webapp.storage import audit, lockout, operations
from webapp.storage.models import LoginRow, VisitRow
from webapp.storage.people import remove_if_unused
from webapp.storage.rows import NoSuchVisit, VisitLocked
from webapp.storage.views import DONE, DRAFT

RETURNED = "returned"

#: Ended log-ins are kept so long, to answer questions about them.
LOGINS_KEPT = dt.timedelta(days=90)
ATTEMPTS_KEPT = dt.timedelta(days=2)


@dataclass(frozen=True)
class Due:
    """A visit that was kept long enough."""

    id: UUID
    number: str
    organisation: UUID
    done: bool
    last: dt.datetime
    """When it was finished, or a draft was last touched."""


def years_before(moment: dt.datetime, years: int) -> dt.datetime:
    """The same moment so many years ago; 29 February becomes 28."""
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        return moment.replace(year=moment.year - years, day=28)


def due_visits(
    session: Session,
    *,
    finished_before: dt.datetime | None,
    untouched_since: dt.datetime | None,
    only: UUID | None = None,
) -> list[Due]:
    """What would be deleted, the oldest first.

    Args:
        session: a session.
        finished_before: finished visits from before then; none keeps them all.
        untouched_since: visits not finished and not touched since then; none keeps them all.
        only: look at this visit only.
    """
    finished = and_(VisitRow.status == DONE, VisitRow.finished_at < finished_before) if finished_before else false()
    drafts = and_(VisitRow.status != DONE, VisitRow.updated_at < untouched_since) if untouched_since else false()
    rows = session.execute(
        select(
            VisitRow.id,
            VisitRow.number,
            VisitRow.organisation_id,
            VisitRow.status,
            VisitRow.finished_at,
            VisitRow.updated_at,
        )
        .where(or_(finished, drafts), *([VisitRow.id == only] if only else []))
        .order_by(VisitRow.updated_at, VisitRow.id)
    )
    return [
        Due(id, number, organisation, status == DONE, (ended if status == DONE else None) or touched)
        for id, number, organisation, status, ended, touched in rows
    ]


def delete_visit(session: Session, id: UUID, *, reason: str, account: UUID | None) -> None:
    """Delete a visit with its answers and signatures, and its person when no other visit names them.

    Args:
        session: a writing session.
        id: the visit; raises `NoSuchVisit`.
        reason: a word of a list, for the audit log.
        account: who did it; none for a command of the server's owner.
    """
    row = session.get(VisitRow, id, with_for_update={"of": VisitRow})
    if row is None:
        raise NoSuchVisit(str(id))
    person, organisation, status = row.person_id, row.organisation_id, row.status
    session.delete(row)
    session.flush()
    audit.record(
        session,
        "visit.deleted",
        f"visit:{id}",
        account=account,
        organisation=organisation,
        detail={"reason": reason, "status": status},
    )
    remove_if_unused(session, person)


def delete_draft(session: Session, id: UUID, *, reason: str, account: UUID) -> None:
    """Delete a draft that was never finished.

    Raises:
        NoSuchVisit: it is gone already.
        VisitLocked: it waits for signatures, or was finished, in the meantime.
    """
    row = session.get(VisitRow, id, with_for_update={"of": VisitRow})
    if row is not None and (row.status != DRAFT or row.review == RETURNED):
        raise VisitLocked(id)
    delete_visit(session, id, reason=reason, account=account)


def tidy(session: Session, now: dt.datetime) -> dict[str, int]:
    """Forget ended log-ins, answers to repeated requests and counts of failures that nobody needs any more."""
    logins = session.execute(delete(LoginRow).where(LoginRow.seen_at < now - LOGINS_KEPT))
    assert isinstance(logins, CursorResult)
    return {
        "logins": logins.rowcount,
        "operations": operations.purge(session, now=now),
        "attempts": lockout.forget_old(session, now - ATTEMPTS_KEPT),
    }
