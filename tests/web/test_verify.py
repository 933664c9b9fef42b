"""The page behind a report's QR code: anybody may open it, and it tells next to nothing."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.web.conftest import CITIZEN_ID, add_crew, logged_in
from webapp.report.qr import qr_code
from webapp.report.verify import PER_MINUTE, Limiter, masked_name
from webapp.settings import Settings
from webapp.storage import verification
from webapp.storage.models import VisitRow
from webapp.storage.rotation import rotate


@pytest.fixture
def anybody(app: Any) -> Any:
    """A phone that never logged in; it reads English, whose texts are the message ids."""
    client = app.test_client()
    client.set_cookie("lang", "en")
    return client


@pytest.fixture
def finished(assessor: Any) -> str:
    """A finished visit."""
    visit = assessor.complete()
    assessor.finish(visit)
    found: str = visit
    return found


def code_of(assessor: Any, visit: str) -> str:
    """Where the code on a report leads."""
    return re.search(r"http://localhost(/verify/[\w-]{20,})", assessor.client.get(f"{visit}/report").text)[1]


def change(assessor: Any, visit: str, **values: Any) -> None:
    """Change a visit as reopening it would."""
    with assessor.database.writing() as db:
        row = db.get(VisitRow, UUID(visit.rsplit("/", 1)[1]))
        for name, value in values.items():
            setattr(row, name, value)


def test_it_shows_number_level_day_and_masked_name_and_nothing_else(assessor: Any, anybody: Any, finished: str) -> None:
    visit = assessor.stored(finished)
    answer = anybody.get(code_of(assessor, finished))
    page = re.search(r"<main.*?</main>", answer.text, re.S)[0]
    assert answer.status_code == 200 and "Valid: the report stands." in page
    grade = visit.assessments[0].result["grade"]
    assert visit.number in page and "王**" in page and f"Level {grade['level']} · {grade['name']['en']}" in page
    kept = {"王测试", CITIZEN_ID, CITIZEN_ID[:6], CITIZEN_ID[-4:], "main 某", "ZS-main", "测试机构", str(visit.id)}
    assert not [secret for secret in kept if secret in answer.text]
    assert not re.search(r"\b90\b|Self-care|Zhoushan", page)


def test_it_may_not_be_indexed_kept_or_guessed(assessor: Any, anybody: Any, finished: str) -> None:
    answer = anybody.get(code_of(assessor, finished))
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow" and answer.headers["Cache-Control"] == "no-store"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    visit = assessor.stored(finished)
    wrong = ("x", "0" * 32, "a" * 5000, str(visit.id), visit.number, "%00", "..%2f..%2fetc")
    answers = [anybody.get(f"/verify/{token}") for token in wrong]
    assert {a.status_code for a in answers} == {404}
    mains = {
        re.sub(r'back=[^"]*|value="[^"]*"', "", re.search(r"<main.*?</main>", a.text, re.S)[0]) for a in answers[:5]
    }
    assert len(mains) == 1, "no wrong code can be told from another"


def test_the_token_is_random_and_stored_only_sealed(assessor: Any, finished: str) -> None:
    token = code_of(assessor, finished).rsplit("/", 1)[1]
    assert code_of(assessor, finished).endswith(token), "a report printed twice has one code"
    with assessor.database.reading() as db:
        row = db.scalars(select(VisitRow)).one()
        assert token.encode() not in row.verify_sealed and token.encode() not in row.verify_index
    assert len(token) >= 32


@pytest.mark.parametrize("change_", [{"status": "draft"}, {"status": "to_sign"}])
def test_it_is_void_once_the_record_is_open_again(
    assessor: Any, anybody: Any, finished: str, change_: dict[str, Any]
) -> None:
    code = code_of(assessor, finished)
    change(assessor, finished, **change_)
    page = anybody.get(code).text
    assert "No longer valid: the record was opened again after this report." in page
    assert "Level" not in re.search(r"<main.*?</main>", page, re.S)[0]


def test_a_record_finished_anew_gets_a_new_code_and_the_old_paper_stays_void(
    assessor: Any, anybody: Any, finished: str
) -> None:
    old = code_of(assessor, finished)
    change(assessor, finished, finished_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    assert "No longer valid" in anybody.get(old).text
    new = code_of(assessor, finished)
    assert new != old
    assert "Valid: the report stands." in anybody.get(new).text
    assert anybody.get(old).status_code == 404


def test_the_result_of_a_dispute_takes_its_place_once_it_is_done(assessor: Any, anybody: Any, finished: str) -> None:
    code = code_of(assessor, finished)
    review = assessor.start()
    change(assessor, review, previous_id=UUID(finished.rsplit("/", 1)[1]), occasion="dispute")
    assert "Valid: the report stands." in anybody.get(code).text
    change(assessor, review, status="done", finished_at=dt.datetime.now(dt.UTC))
    assert "No longer valid: a review after a dispute has taken its place." in anybody.get(code).text


def test_another_regular_assessment_leaves_it_valid(assessor: Any, anybody: Any, finished: str) -> None:
    code = code_of(assessor, finished)
    again = assessor.start()
    change(assessor, again, previous_id=UUID(finished.rsplit("/", 1)[1]), occasion="regular", status="done")
    assert "Valid: the report stands." in anybody.get(code).text


def test_a_draft_has_no_token(assessor: Any) -> None:
    visit = assessor.start()
    with assessor.database.writing() as db:
        id = UUID(visit.rsplit("/", 1)[1])
        assert verification.ensure_token(db, assessor.database.cipher, id) is None
    assert "/verify/" not in assessor.client.get(f"{visit}/report").text


def test_the_code_points_to_the_public_address(make_app: Any, settings: Any, book: Any) -> None:
    from tests.web.conftest import Assessor

    app = make_app(replace(settings, public_url="https://ping.example"))
    database = app.extensions["yyassess"].database
    crew = add_crew(database)
    assessor = Assessor(logged_in(app, crew.ids["main"]), database, book, lambda: logged_in(app, crew.ids["second"]))
    visit = assessor.complete()
    assessor.finish(visit)
    assert "https://ping.example/verify/" in assessor.client.get(f"{visit}/report").text


def test_too_many_looks_are_asked_to_wait(anybody: Any) -> None:
    answers = [anybody.get("/verify/nothing") for _ in range(PER_MINUTE + 1)]
    assert [a.status_code for a in answers] == [404] * PER_MINUTE + [429]
    assert answers[-1].headers["Retry-After"] == "60"


def test_the_limit_is_for_each_address_and_ends_after_a_minute() -> None:
    now = [0.0]
    limiter = Limiter(2, clock=lambda: now[0])
    assert [limiter.allows("a") for _ in range(3)] == [True, True, False]
    assert limiter.allows("b")
    now[0] = 59.9
    assert not limiter.allows("a")
    now[0] = 60.0
    assert limiter.allows("a")


@pytest.mark.parametrize(("name", "masked"), [("王测试", "王**"), ("王", "王**"), ("Ana Li", "A**"), ("", "**")])
def test_a_name_is_masked_to_its_first_character(name: str, masked: str) -> None:
    assert masked_name(name) == masked


def test_the_code_is_inline_and_has_a_name() -> None:
    drawn = str(qr_code("https://ping.example/verify/x", 'a "name" & <more>'))
    assert drawn.startswith("<svg ") and 'role="img"' in drawn and "<title>a" in drawn and "<more>" not in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def test_the_public_address_is_an_address_of_the_web() -> None:
    found = Settings.from_environment({"YYASSESS_PUBLIC_URL": "https://ping.example/"})
    assert found.public_url == "https://ping.example"
    with pytest.raises(ValueError, match="YYASSESS_PUBLIC_URL"):
        Settings.from_environment({"YYASSESS_PUBLIC_URL": "ping.example"})


def test_a_printed_code_outlives_a_change_of_keys(assessor: Any, anybody: Any, finished: str) -> None:
    code = code_of(assessor, finished)
    rotate(assessor.database)
    assert "Valid: the report stands." in anybody.get(code).text
    assert code_of(assessor, finished) == code
