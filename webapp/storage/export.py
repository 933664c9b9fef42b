"""Finished visits of an organisation, handed out one after the other: a large export is never held as a whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.storage.database import Database
from webapp.storage.models import VisitRow
from webapp.storage.opening import open_visit
from webapp.storage.views import DONE, Visit

BATCH = 100


def finished_ids(session: Session, organisation: UUID, first: dt.date | None, last: dt.date | None) -> list[UUID]:
    """The finished visits of those days, in the order of their days."""
    wanted = select(VisitRow.id).where(VisitRow.organisation_id == organisation, VisitRow.status == DONE)
    if first is not None:
        wanted = wanted.where(VisitRow.visited_on >= first)
    if last is not None:
        wanted = wanted.where(VisitRow.visited_on <= last)
    return list(session.scalars(wanted.order_by(VisitRow.visited_on, VisitRow.number)))


def opened(database: Database, ids: list[UUID]) -> Iterator[Visit]:
    """These visits, read in batches, each with a transaction of its own; what was deleted meanwhile is left out."""
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        with database.reading() as db:
            rows = {row.id: row for row in db.scalars(select(VisitRow).where(VisitRow.id.in_(batch)))}
            found = [open_visit(rows[id], database.cipher) for id in batch if id in rows]
        yield from found
