"""The dashboard: what an organisation's records add up to, and what has been waiting too long."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from webapp.access import ORG_ADMIN, REVIEWER, allow, organisation
from webapp.app import services
from webapp.dashboard.pictures import Chart, chart
from webapp.i18n import say
from webapp.report.next_date import next_dates
from webapp.settings import CHINA
from webapp.storage import DONE, DRAFT, TO_SIGN, Visit, figures
from yyassess import Rulebook

blueprint = Blueprint("dashboard", __name__)
WEEKS = 12
#: The choices of "drafts older than so many days"; the first is the one shown unasked.
DRAFT_DAYS = (14, 7, 30, 90)
LISTED = 50
#: People whose last visit is looked at for its term, the oldest first; more would make the page slow.
LOOKED_AT = 500


@dataclass(frozen=True)
class Due:
    """A person who should have been assessed again."""

    visit: Visit
    day: dt.date
    why: str


@dataclass(frozen=True)
class Terms:
    """How the terms of the last visits stand."""

    overdue: list[Due]
    running: int
    unknown: int
    looked_at: int
    people: int


@blueprint.get("/dashboard")
@allow(REVIEWER, ORG_ADMIN)
def page() -> str:
    """Counts by grade, place and week; overdue reassessments; drafts that rest."""
    known = services()
    database, book, today = known.database, known.rules, known.settings.today()
    days = request.args.get("days", type=int)
    days = days if days in DRAFT_DAYS else DRAFT_DAYS[0]
    monday = today - dt.timedelta(days=today.weekday())
    since = monday - dt.timedelta(weeks=WEEKS - 1)
    before = dt.datetime.combine(today - dt.timedelta(days=days), dt.time(), CHINA)
    with database.reading() as db:
        mine = organisation()
        statuses = figures.status_counts(db, mine)
        reviews = figures.review_counts(db, mine)
        grades = _grades(book, figures.grade_counts(db, mine))
        places = chart([(_place(book, id), count) for id, count in figures.place_counts(db, mine).items()])
        weeks = _weeks(figures.day_counts(db, mine, since, monday + dt.timedelta(days=6)), since)
        resting, drafts = figures.resting_drafts(db, database.cipher, mine, before, limit=LISTED)
        terms = _terms(book, db, mine, today)
    return render_template(
        "dashboard.html",
        counts=[
            (_("Drafts"), statuses.get(DRAFT, 0)),
            (_("To sign"), statuses.get(TO_SIGN, 0)),
            (_("Done"), statuses.get(DONE, 0)),
            (_("Waiting for review"), reviews.get("waiting", 0)),
        ],
        grades=grades,
        places=places,
        weeks=weeks,
        terms=terms,
        listed=LISTED,
        resting=resting,
        drafts=drafts,
        days=days,
        choices=sorted(DRAFT_DAYS),
        today=today,
    )


def _grades(book: Rulebook, counts: list[figures.GradeCount]) -> list[tuple[str, Chart]]:
    """One chart an instrument: every level it has, also those nobody was given."""
    found: dict[str, dict[int | None, int]] = {}
    for count in counts:
        found.setdefault(count.instrument, {})[count.level] = count.count
    charts = []
    for id, levels in found.items():
        instrument = book.instruments.get(id)
        names = {level.level: level.name for level in instrument.levels} if instrument else {}
        bars: list[tuple[str, int]] = [
            (f"{level} · {say(name)}", levels.pop(level, 0)) for level, name in sorted(names.items())
        ]
        for level, count in levels.items():
            bars.append((_("no single level") if level is None else str(level), count))
        charts.append((say(instrument.name) if instrument else id, chart(bars)))
    return charts


def _weeks(days: dict[dt.date, int], since: dt.date) -> Chart:
    counts = []
    for week in range(WEEKS):
        monday = since + dt.timedelta(weeks=week)
        total = sum(days.get(monday + dt.timedelta(days=day), 0) for day in range(7))
        counts.append((monday.isoformat(), total))
    return chart(counts)


def _terms(book: Rulebook, db: Any, mine: UUID, today: dt.date) -> Terms:
    people, visits = figures.last_visits(db, services().database.cipher, mine, limit=LOOKED_AT)
    overdue, running, unknown, looked_at = [], 0, 0, 0
    for visit in visits:
        looked_at += 1
        results = [(a.instrument, a.result) for a in visit.assessments if a.result]
        dates = next_dates(book, visit.place, visit.visited_on, results, visit.determination)
        if not dates:
            unknown += 1
        elif dates[0].day < today:
            overdue.append(Due(visit, dates[0].day, say(dates[0].name)))
        else:
            running += 1
    return Terms(sorted(overdue, key=lambda d: d.day), running, unknown, looked_at, people)


def _place(book: Rulebook, id: str) -> str:
    return say(book.places[id].name) if id in book.places else id
