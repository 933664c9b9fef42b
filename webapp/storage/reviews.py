"""The review desk: finished visits that wait, verdicts with comments, and whose draft is whose."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from webapp.storage.accounts import ASSESSOR
from webapp.storage.models import AccountRow, AssessmentRow, ReviewRow, VisitRow
from webapp.storage.opening import open_visit
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import DONE, Visit

APPROVED, RETURNED, REASSIGNED, HANDED_OVER = "approved", "returned", "reassigned", "handed_over"
COMMENT = "review.comment"
#: The filter value for visits that ended without any grade.
NO_GRADE = "none"


@dataclass(frozen=True)
class Review:
    """One act of the review desk, or one hand-over."""

    id: UUID
    visit: UUID
    account: UUID
    verdict: str
    """approved, returned, reassigned or handed_over."""
    comment: str = field(repr=False)
    content_hash: str | None
    at: dt.datetime


@dataclass(frozen=True)
class Filters:
    """What the queue is narrowed to; nothing given, nothing narrowed."""

    state: str = "waiting"
    """waiting, approved or returned."""
    place: str | None = None
    grade: str | None = None
    """A level, or ``none``."""
    assessor: UUID | None = None
    """The main or the second one."""
    first_day: dt.date | None = None
    """Of the visit."""
    last_day: dt.date | None = None


def add_review(
    session: Session,
    cipher: FieldCipher,
    *,
    visit: UUID,
    account: UUID,
    verdict: str,
    comment: str = "",
    content_hash: str | None = None,
) -> UUID:
    """Write an act down; returns its id. What it does to the visit is done by `visits`."""
    row = ReviewRow(
        id=uuid4(),
        visit_id=visit,
        account_id=account,
        verdict=verdict,
        content_hash=content_hash,
        at=dt.datetime.now(dt.UTC),
    )
    row.comment_sealed = cipher.seal(comment, COMMENT, row.id) if comment else None
    session.add(row)
    session.flush()
    return row.id


def reviews_of(session: Session, cipher: FieldCipher, visit: UUID) -> list[Review]:
    """All acts on a visit, the last first."""
    rows = session.scalars(
        select(ReviewRow).where(ReviewRow.visit_id == visit).order_by(ReviewRow.at.desc(), ReviewRow.id)
    )
    return [
        Review(
            row.id,
            row.visit_id,
            row.account_id,
            row.verdict,
            cipher.open(row.comment_sealed, COMMENT, row.id) if row.comment_sealed is not None else "",
            row.content_hash,
            row.at,
        )
        for row in rows
    ]


def queue(
    session: Session, cipher: FieldCipher, organisation: UUID, filters: Filters, *, limit: int, skip: int = 0
) -> list[Visit]:
    """Visits of that state, those that have waited longest first."""
    wanted = [VisitRow.organisation_id == organisation, VisitRow.review == filters.state]
    if filters.state != RETURNED:
        wanted.append(VisitRow.status == DONE)
    if filters.place:
        wanted.append(VisitRow.place == filters.place)
    if filters.assessor:
        wanted.append(or_(VisitRow.assessor_id == filters.assessor, VisitRow.second_id == filters.assessor))
    if filters.first_day:
        wanted.append(VisitRow.visited_on >= filters.first_day)
    if filters.last_day:
        wanted.append(VisitRow.visited_on <= filters.last_day)
    if filters.grade:
        level = AssessmentRow.result[("grade", "level")].as_integer()
        graded = exists().where(AssessmentRow.visit_id == VisitRow.id)
        if filters.grade == NO_GRADE:
            wanted.append(~graded.where(level.is_not(None)))
        else:
            wanted.append(graded.where(level == int(filters.grade)))
    rows = session.scalars(
        select(VisitRow)
        .where(*wanted)
        .order_by(VisitRow.finished_at, VisitRow.updated_at, VisitRow.id)
        .limit(limit)
        .offset(skip)
    )
    return [open_visit(row, cipher) for row in rows]


def names_of(session: Session, organisation: UUID) -> dict[UUID, str]:
    """Account -> name, for everybody who ever had an account in the organisation."""
    found = session.execute(select(AccountRow.id, AccountRow.name).where(AccountRow.organisation_id == organisation))
    return {id: name for id, name in found}


def assessors_of(session: Session, organisation: UUID) -> dict[UUID, str]:
    """Account -> name of the organisation's assessors who may work now, by name."""
    found = session.execute(
        select(AccountRow.id, AccountRow.name)
        .where(AccountRow.organisation_id == organisation, AccountRow.role == ASSESSOR, AccountRow.active.is_(True))
        .order_by(AccountRow.name, AccountRow.id)
    )
    return {id: name for id, name in found}
