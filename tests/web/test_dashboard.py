"""The dashboard: what the records of one organisation add up to; the pictures say what the tables say."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.web.conftest import GBT, TODAY, add_crew, logged_in
from webapp.dashboard.pictures import LETTERS, chart, shortened
from webapp.dashboard.routes import DRAFT_DAYS, WEEKS
from webapp.storage import people, visits
from webapp.storage.models import AssessmentRow, VisitRow
from yyassess import assess


@pytest.fixture
def reviewer(log_in: Any) -> Any:
    """Somebody who may see the figures; reads English, whose texts are the message ids."""
    client = log_in("reviewer")
    client.set_cookie("lang", "en")
    return client


class Records:
    """Writes finished and unfinished visits straight into the database."""

    def __init__(self, database: Any, crew: Any) -> None:
        self.database, self.crew = database, crew

    def person(self) -> UUID:
        with self.database.writing() as db:
            found: UUID = people.add_person(
                db,
                self.database.cipher,
                organisation=self.crew.organisation,
                name="某老人",
                citizen_id=None,
                birth_date=dt.date(1941, 5, 2),
                sex="female",
            )
            return found

    def visit(
        self,
        *,
        level: int | None = None,
        on: dt.date = TODAY,
        place: str = "zhoushan",
        person: UUID | None = None,
        instrument: str = GBT,
        touched: dt.datetime | None = None,
    ) -> UUID:
        id, person = uuid4(), person or self.person()
        with self.database.writing() as db:
            visits.add_visit(
                db,
                id=id,
                organisation=self.crew.organisation,
                assessor=self.crew.ids["main"],
                person=person,
                place=place,
                visited_on=on,
                instruments=[instrument],
            )
            db.flush()
            row = db.get(VisitRow, id)
            if level is not None:
                row.status, row.finished_at, row.review = "done", dt.datetime.now(dt.UTC), "waiting"
                grade = {"level": level, "code": "x", "name": {"zh": "某级", "en": "some level"}}
                db.query(AssessmentRow).filter_by(visit_id=id).one().result = {"complete": True, "grade": grade}
            if touched:
                row.updated_at = touched
        return id


@pytest.fixture
def records(database: Any, crew: Any) -> Records:
    """Writes visits."""
    return Records(database, crew)


def panel(page: str, title: str) -> str:
    """The part of the page under a heading."""
    return next(s for s in re.findall(r"<section.*?</section>", page, re.S) if title in s)


def table(part: str) -> dict[str, int]:
    """The numbers of a table by the words before them."""
    found = re.findall(r'<th scope="row">(.*?)</th><td class="number">(?:<b>)?(\d+)', part)
    return {name.replace("&#39;", "'"): int(number) for name, number in found}


def drawn(part: str) -> list[tuple[str, int, float]]:
    """The bars of a picture: as described, and as long as they are."""
    said = re.search(r"<desc[^>]*>(.*?)</desc>", part, re.S)[1].split("; ")
    widths = [float(w) for w in re.findall(r'<rect class="bars__bar"[^>]* width="([\d.]+)"', part)]
    numbers = [int(n) for n in re.findall(r'<text class="bars__number"[^>]*>(\d+)<', part)]
    assert len(said) == len(widths) == len(numbers)
    assert [int(s.rsplit(" ", 1)[1]) for s in said] == numbers
    return [(s.rsplit(" ", 1)[0], n, w) for s, n, w in zip(said, numbers, widths, strict=True)]


def test_counts_by_level_place_and_week_are_those_of_the_records(reviewer: Any, records: Records, book: Any) -> None:
    for level, on, place in (
        (2, TODAY, "zhoushan"),
        (2, TODAY - dt.timedelta(days=7), "daishan"),
        (4, TODAY - dt.timedelta(days=7), "zhoushan"),
        (0, TODAY - dt.timedelta(weeks=WEEKS), "zhoushan"),
    ):
        records.visit(level=level, on=on, place=place)
    records.visit()
    page = reviewer.get("/dashboard").text
    assert table(panel(page, "Where the records stand")) == {
        "Drafts": 1,
        "To sign": 0,
        "Done": 4,
        "Waiting for review": 4,
    }
    names = {level.level: f"{level.level} · {level.name['en']}" for level in book.instruments[GBT].levels}
    expected = {names[0]: 1, names[1]: 0, names[2]: 2, names[3]: 0, names[4]: 1, "In all": 4}
    assert table(panel(page, "Done records by level")) == expected
    assert table(panel(page, "By place")) == {"Zhoushan City": 3, "Daishan County": 1, "In all": 4}
    weeks = table(panel(page, "By week"))
    monday = TODAY - dt.timedelta(days=TODAY.weekday())
    assert weeks[monday.isoformat()] == 1 and weeks[(monday - dt.timedelta(weeks=1)).isoformat()] == 2
    assert weeks["In all"] == 3, "the oldest lies before the weeks shown"
    assert len(weeks) == WEEKS + 1


def test_pictures_say_what_the_tables_say(reviewer: Any, records: Records) -> None:
    for level in (1, 1, 1, 3, 4):
        records.visit(level=level)
    page = reviewer.get("/dashboard").text
    for title in ("Done records by level", "By place", "By week"):
        part = panel(page, title)
        bars = drawn(part)
        numbers = {name: count for name, count in table(part).items() if name != "In all"}
        assert {name: count for name, count, _width in bars} == numbers
        most = max(count for _name, count, _width in bars)
        longest = max(width for _name, _count, width in bars)
        assert all(width == pytest.approx(longest * count / most, abs=0.06) for _name, count, width in bars)


def test_of_each_person_the_last_visit_counts_for_what_is_overdue(reviewer: Any, records: Records) -> None:
    long_ago = TODAY - dt.timedelta(days=3 * 366)
    late, seen_again = records.person(), records.person()
    overdue = records.visit(level=4, on=long_ago, person=late, instrument="ltci-2021-37")
    records.visit(level=4, on=long_ago, person=seen_again, instrument="ltci-2021-37")
    records.visit(level=4, on=TODAY, person=seen_again, instrument="ltci-2021-37")
    records.visit(level=2, on=long_ago)
    part = panel(reviewer.get("/dashboard").text, "Reassessment overdue")
    assert (
        "Of 3 people, by their last finished visit: term over 1, term running 1, no term known to the rules 1." in part
    )
    assert re.findall(r'href="/visits/([^/"]+)/report"', part) == [str(overdue)]


@pytest.mark.parametrize(("asked", "shown"), [("", 14), ("?days=7", 7), ("?days=1000000", 14), ("?days=x", 14)])
def test_drafts_that_rest_are_named(reviewer: Any, records: Records, asked: str, shown: int) -> None:
    ages = {days: records.visit(touched=dt.datetime.now(dt.UTC) - dt.timedelta(days=days)) for days in (1, 10, 20)}
    # The form's own day is fixed; what counts is how long before it a draft was touched.
    start_of_day = dt.datetime.combine(TODAY, dt.time(), dt.timezone(dt.timedelta(hours=8)))
    with records.database.writing() as db:
        for days, id in ages.items():
            db.get(VisitRow, id).updated_at = start_of_day - dt.timedelta(days=days)
    part = panel(reviewer.get(f"/dashboard{asked}").text, "Drafts not touched")
    assert f"Drafts not touched for {shown} days" in part
    resting = [str(id) for days, id in ages.items() if days > shown]
    assert sorted(re.findall(r'href="/visits/([^/"]+)/result"', part)) == sorted(resting)
    assert shown in DRAFT_DAYS


def test_other_organisations_do_not_count(app: Any, reviewer: Any, records: Records, database: Any) -> None:
    records.visit(level=3)
    stranger = logged_in(app, add_crew(database, "另一家", "x-").ids["reviewer"])
    stranger.set_cookie("lang", "en")
    page = stranger.get("/dashboard").text
    assert set(table(panel(page, "Where the records stand")).values()) == {0}
    assert "Nothing is finished yet." in page and "some level" not in page


def test_it_is_for_those_who_answer_for_an_organisation(app: Any, client: Any, log_in: Any) -> None:
    assert client.get("/dashboard").status_code == 403
    assert log_in("system").get("/dashboard").status_code == 403
    assert log_in("admin").get("/dashboard").status_code == 200
    assert app.test_client().get("/dashboard").status_code == 303


def test_real_results_are_counted_by_their_level(reviewer: Any, assessor: Any, book: Any) -> None:
    visit = assessor.complete(eating=0)
    assessor.finish(visit)
    stored = assessor.stored(visit).assessments[0]
    level = assess(GBT, {"answers": dict(stored.answers), "context": {"coma": False}}, rules=book)["grade"]["level"]
    counted = table(panel(reviewer.get("/dashboard").text, "Done records by level"))
    assert next(name for name, count in counted.items() if count == 1).startswith(f"{level} ·")


def test_a_long_label_is_cut_where_its_room_ends() -> None:
    assert shortened("能" * 40) == "能" * (LETTERS // 2 - 1) + "…"
    assert len(shortened("x" * 40)) == LETTERS
    assert shortened("short") == "short"
    assert [bar.width for bar in chart([("a", 0), ("b", 0)]).bars] == [0, 0]
