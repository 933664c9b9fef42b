"""What every change of a visit goes through: the row of one that may still be changed, and what an edit entails."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.storage.models import VisitRow
from webapp.storage.signatures import void
from webapp.storage.views import DONE, DRAFT, TO_SIGN


class NoSuchVisit(LookupError):
    """There is no visit of that id."""


class VisitLocked(RuntimeError):
    """The visit is finished and cannot be changed."""

    def __init__(self, visit: UUID) -> None:
        self.visit = visit
        super().__init__(str(visit))


class NotSigned(RuntimeError):
    """The visit lacks a valid signature of one of its two assessors over its present content."""


def open_row(session: Session, id: UUID) -> VisitRow:
    """The row of a visit that may still be changed; raises `NoSuchVisit` and `VisitLocked`."""
    row = session.get(VisitRow, id, with_for_update={"of": VisitRow})
    if row is None:
        raise NoSuchVisit(str(id))
    if row.status == DONE:
        raise VisitLocked(id)
    return row


def edited(session: Session, row: VisitRow, what: str) -> None:
    """The content is another one now: what was signed is void, and the visit is a draft again."""
    if row.status == TO_SIGN:
        void(session, row, what)
        row.status = DRAFT
    touch(row)


def touch(row: VisitRow) -> None:
    """It was changed just now."""
    row.updated_at = dt.datetime.now(dt.UTC)
