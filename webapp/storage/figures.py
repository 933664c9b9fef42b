"""Counts over an organisation's records, for the dashboard. Counted by the database; no name is opened for a count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from webapp.storage.models import AssessmentRow, VisitRow
from webapp.storage.opening import open_visit
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE, Visit


@dataclass(frozen=True)
class GradeCount:
    """How many done visits of a place ended with a level of an instrument."""

    instrument: str
    level: int | None
    """None: the instrument gave no single level."""
    count: int


def status_counts(session: Session, organisation: UUID) -> dict[str, int]:
    """Visits by status."""
    rows = session.execute(
        select(VisitRow.status, func.count()).where(VisitRow.organisation_id == organisation).group_by(VisitRow.status)
    )
    return {status: count for status, count in rows}


def review_counts(session: Session, organisation: UUID) -> dict[str, int]:
    """Done visits by where they stand at the review desk."""
    rows = session.execute(
        select(VisitRow.review, func.count())
        .where(VisitRow.organisation_id == organisation, VisitRow.status == DONE)
        .group_by(VisitRow.review)
    )
    return {review: count for review, count in rows}


def grade_counts(session: Session, organisation: UUID) -> list[GradeCount]:
    """Done assessments by instrument and level, the mildest level first."""
    level = AssessmentRow.result[("grade", "level")].as_integer()
    rows = session.execute(
        select(AssessmentRow.instrument, level, func.count())
        .join(VisitRow, VisitRow.id == AssessmentRow.visit_id)
        .where(VisitRow.organisation_id == organisation, VisitRow.status == DONE, AssessmentRow.result.is_not(None))
        .group_by(AssessmentRow.instrument, level)
    )
    found = [GradeCount(instrument, number, count) for instrument, number, count in rows]
    return sorted(found, key=lambda c: (c.instrument, c.level is None, c.level or 0))


def place_counts(session: Session, organisation: UUID) -> dict[str, int]:
    """Done visits by place, the most first."""
    rows = session.execute(
        select(VisitRow.place, func.count())
        .where(VisitRow.organisation_id == organisation, VisitRow.status == DONE)
        .group_by(VisitRow.place)
        .order_by(func.count().desc(), VisitRow.place)
    )
    return {place: count for place, count in rows}


def day_counts(session: Session, organisation: UUID, since: dt.date, until: dt.date) -> dict[dt.date, int]:
    """Done visits by the day of the visit, from one day to another, both included."""
    rows = session.execute(
        select(VisitRow.visited_on, func.count())
        .where(
            VisitRow.organisation_id == organisation,
            VisitRow.status == DONE,
            VisitRow.visited_on.between(since, until),
        )
        .group_by(VisitRow.visited_on)
    )
    return {day: count for day, count in rows}


def resting_drafts(
    session: Session, cipher: FieldCipher, organisation: UUID, before: dt.datetime, *, limit: int
) -> tuple[int, list[Visit]]:
    """Visits that are not done and were not touched since a moment: how many, and those that rest longest."""
    condition = (VisitRow.organisation_id == organisation, VisitRow.status != DONE, VisitRow.updated_at < before)
    count = session.scalar(select(func.count()).select_from(VisitRow).where(*condition)) or 0
    rows = session.scalars(select(VisitRow).where(*condition).order_by(VisitRow.updated_at, VisitRow.id).limit(limit))
    return count, [open_visit(row, cipher) for row in rows]


def last_visits(
    session: Session, cipher: FieldCipher, organisation: UUID, *, limit: int
) -> tuple[int, Iterator[Visit]]:
    """Each person's last done visit: how many there are, and the oldest of them one by one."""
    later = aliased(VisitRow)
    superseded = (
        select(later.id)
        .where(
            later.person_id == VisitRow.person_id,
            later.status == DONE,
            (later.visited_on > VisitRow.visited_on)
            | ((later.visited_on == VisitRow.visited_on) & (later.finished_at > VisitRow.finished_at)),
        )
        .exists()
    )
    condition = (VisitRow.organisation_id == organisation, VisitRow.status == DONE, ~superseded)
    count = session.scalar(select(func.count()).select_from(VisitRow).where(*condition)) or 0
    rows = session.scalars(select(VisitRow).where(*condition).order_by(VisitRow.visited_on, VisitRow.id).limit(limit))
    return count, (open_visit(row, cipher) for row in rows)
