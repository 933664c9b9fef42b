"""What may be seen, taken out and deleted: for a reason, by those who may, and never without a line in the log."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import CITIZEN_ID, GBT, PASSWORD, TODAY, Crew, add_crew, logged_in
from flask import Flask
from flask.testing import FlaskClient
from quick import quick_hashes  # noqa: F401
from sqlalchemy import func, select

from webapp.access import ANYONE, allow
from webapp.people.citizen_id import check_digit
from webapp.privacy.exporting import written
from webapp.privacy.masking import masked_birth, masked_name, masked_number
from webapp.storage import Database
from webapp.storage.models import AuditRow, Base, ConsentRow, PersonRow, SignatureRow, VisitRow

OTHER = "99999919380101000"
OTHER_ID = OTHER + check_digit(OTHER)


def acts(database: Database, action: str) -> list[AuditRow]:
    with database.reading() as db:
        return list(db.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)))


def count(database: Database, table: type[Base]) -> int:
    with database.reading() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


# ---- masking ----


def test_masks_tell_who_it_may_be_and_not_who_it_is() -> None:
    assert masked_name("王测试") == masked_name("王五") == "王**"
    assert masked_number(CITIZEN_ID) == "999999********" + CITIZEN_ID[14:] and masked_number(None) is None
    assert masked_birth(TODAY) == "2026"


def test_no_page_of_a_record_shows_the_whole_number(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.submit(visit)

    def look(*paths: str) -> None:
        for path in paths:
            page = assessor.client.get(path)
            assert page.status_code == 200 and CITIZEN_ID not in page.text, path

    look("/", f"{visit}/result", f"{visit}/number", f"{visit}/sign")
    assessor.finish(visit)
    look("/", f"{visit}/result", f"{visit}/number", f"{visit}/report")


@pytest.mark.parametrize("who", ["main", "second", "reviewer", "admin"])
def test_the_whole_number_is_shown_for_a_reason_and_noted(
    assessor: Any, log_in: Callable[[str], FlaskClient], crew: Crew, database: Database, who: str
) -> None:
    visit = assessor.start()
    client = log_in(who)
    answer = client.post(f"{visit}/number", data={"reason": "card"})
    assert answer.status_code == 200 and CITIZEN_ID in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    line = acts(database, "person.revealed")[0]
    assert (line.account_id, line.organisation_id) == (crew.ids[who], crew.organisation)
    assert (line.object, line.detail) == (f"visit:{visit.rsplit('/')[-1]}", {"reason": "card"})


@pytest.mark.parametrize("reason", ["", "curiosity", "card' OR 1=1"])
def test_without_a_reason_of_the_list_no_number_is_shown(assessor: Any, database: Database, reason: str) -> None:
    visit = assessor.start()
    answer = assessor.client.post(f"{visit}/number", data={"reason": reason})
    assert answer.status_code == 422 and CITIZEN_ID not in answer.text
    assert acts(database, "person.revealed") == []


def test_a_person_without_a_number_has_none_to_show(assessor: Any) -> None:
    visit = assessor.start(citizen_id="", birth_date="1940-01-01", sex="male")
    assert "<form method" not in assessor.client.get(f"{visit}/number").text.split("<footer")[0]


# ---- drafts ----


def test_a_draft_is_deleted_with_all_it_holds_by_its_assessor_only(
    assessor: Any, log_in: Callable[[str], FlaskClient], database: Database
) -> None:
    visit = assessor.complete()
    for who in ("second", "reviewer", "admin"):
        assert log_in(who).post(f"{visit}/delete", data={"reason": "mistake"}).status_code == 403
    assert assessor.client.get(f"{visit}/delete").status_code == 200
    assert assessor.client.post(f"{visit}/delete").status_code == 422
    assert count(database, VisitRow) == 1, "asking and forgetting the reason delete nothing"
    assert assessor.client.post(f"{visit}/delete", data={"reason": "mistake"}).status_code == 303
    assert count(database, VisitRow) == count(database, PersonRow) == count(database, ConsentRow) == 0
    assert acts(database, "visit.deleted")[0].detail == {"reason": "mistake", "status": "draft"}
    assert assessor.client.get(f"{visit}/check").status_code == 404


def test_what_waits_for_signatures_or_is_done_is_not_a_draft_any_more(assessor: Any, database: Database) -> None:
    visit = assessor.complete()
    assert assessor.submit(visit).status_code == 303
    assert assessor.client.post(f"{visit}/delete", data={"reason": "mistake"}).status_code == 409
    for client, name in ((assessor.client, "main 某"), (assessor.second, "second 某")):
        assert assessor.sign(visit, client, name).status_code == 303
    assert assessor.client.post(f"{visit}/delete", data={"reason": "mistake"}).status_code == 409
    assert count(database, VisitRow) == 1


def test_what_the_reviewer_sent_back_cannot_be_made_away_with(assessor: Any, database: Database) -> None:
    visit = assessor.complete()
    with database.writing() as db:
        db.get_one(VisitRow, UUID(visit.rsplit("/")[-1])).review = "returned"
    assert assessor.client.post(f"{visit}/delete", data={"reason": "mistake"}).status_code == 409


def test_a_person_with_another_visit_stays(assessor: Any, database: Database) -> None:
    assessor.start()
    second = assessor.start()
    assert count(database, PersonRow) == 1
    assert assessor.client.post(f"{second}/delete", data={"reason": "gone"}).status_code == 303
    assert (count(database, PersonRow), count(database, VisitRow)) == (1, 1)


# ---- exports ----


@pytest.fixture
def admin(log_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """The administrator's browser."""
    return log_in("admin")


def export(admin: FlaskClient, **fields: str) -> Any:
    return admin.post("/export", data={"reason": "statistics", "format": "csv", "password": PASSWORD} | fields)


def test_a_masked_table_of_finished_visits(assessor: Any, admin: FlaskClient, database: Database) -> None:
    visit = assessor.complete(eating=2)
    assessor.finish(visit)
    assessor.start(name="另一位", citizen_id=OTHER_ID)
    answer = export(admin)
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    text = answer.data.decode()
    assert text.startswith("\ufeff") and "王测试" not in text and CITIZEN_ID not in text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    stored = assessor.stored(visit)
    assert [row["number"] for row in rows] == [stored.number], "drafts are no results"
    row = rows[0]
    assert (row["name"], row["citizen_id"], row["birth"]) == ("王**", masked_number(CITIZEN_ID), "1941")
    result = stored.assessments[0].result
    assert (row["instrument"], row["level"], row["grade"]) == (
        GBT,
        str(result["grade"]["level"]),
        result["grade"]["name"]["zh"],
    )
    assert row["ruleset"] == stored.assessments[0].ruleset_hash
    line = acts(database, "records.exported")[0]
    assert line.detail["reason"] == "statistics" and line.detail["full"] is False and line.detail["records"] == 1


@pytest.mark.parametrize("reason", ["settlement", "handover", "move"])
def test_some_reasons_need_names_and_numbers(
    assessor: Any, admin: FlaskClient, database: Database, reason: str
) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    text = export(admin, reason=reason).data.decode()
    assert "王测试" in text and CITIZEN_ID in text and "1941-05-02" in text
    assert acts(database, "records.exported")[0].detail["full"] is True


def test_json_holds_answers_and_outcomes_and_masks_what_identifies(assessor: Any, admin: FlaskClient) -> None:
    visit = assessor.complete()
    assessor.context(visit, contact_name="联系人赵六", contact_phone="13900001111")
    assessor.client.post(f"{visit}/check", data={"note": "住在海边的老屋"})
    assessor.finish(visit)
    masked = export(admin, format="json").data.decode()
    for secret in ("王测试", CITIZEN_ID, "联系人赵六", "13900001111", "住在海边的老屋", "1941-05-02"):
        assert secret not in masked, secret
    found = json.loads(masked)[0]
    stored = assessor.stored(visit)
    assert found["assessments"][0]["answers"] == dict(stored.assessments[0].answers)
    assert found["assessments"][0]["grade"] == stored.assessments[0].result["grade"]
    assert {o["programme"] for o in found["outcomes"]} == {o["programme"] for o in stored.determination["outcomes"]}
    full = json.loads(export(admin, format="json", reason="move").data)[0]
    assert (full["name"], full["note"], full["facts"]["contact_name"]) == ("王测试", "住在海边的老屋", "联系人赵六")


def test_an_export_of_nothing_is_an_empty_list(admin: FlaskClient) -> None:
    assert json.loads(export(admin, format="json").data) == []


def test_an_export_is_of_the_days_that_were_asked_for(assessor: Any, admin: FlaskClient) -> None:
    assessor.finish(assessor.complete())
    day = TODAY.isoformat()
    for fields, found in (
        ({"first": day, "last": day}, 1),
        ({"last": "2026-11-21"}, 0),
        ({"first": "2026-11-23"}, 0),
    ):
        assert len(json.loads(export(admin, format="json", **fields).data)) == found


def test_another_organisations_records_are_never_part_of_it(assessor: Any, app: Flask, database: Database) -> None:
    assessor.finish(assessor.complete())
    other = add_crew(database, "另一机构", "b-")
    assert json.loads(export(logged_in(app, other.ids["admin"]), format="json").data) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": ""},
        {"reason": "curiosity"},
        {"format": "xlsx"},
        {"password": "wrong"},
        {"password": ""},
        {"first": "yesterday"},
        {"first": "2026-11-22", "last": "2026-11-21"},
    ],
)
def test_nothing_leaves_without_reason_and_password(
    admin: FlaskClient, database: Database, fields: dict[str, str]
) -> None:
    answer = export(admin, **fields)
    assert answer.status_code == 422 and "Content-Disposition" not in answer.headers
    assert acts(database, "records.exported") == []


def test_a_name_that_looks_like_a_formula_stays_text_in_a_spreadsheet(assessor: Any) -> None:
    visit = assessor.start(name="=HYPERLINK(1)")
    line = list(written([assessor.stored(visit)], "csv", full=True, private=set()))[1]
    assert "'=HYPERLINK(1)" in line and ",=HYPERLINK" not in line


# ---- one person's data ----


def person_of(database: Database) -> str:
    with database.reading() as db:
        return f"/people/{db.scalars(select(PersonRow.id)).one()}"


def test_a_person_is_found_by_name_number_or_record_and_only_whole(assessor: Any, admin: FlaskClient) -> None:
    visit = assessor.start()
    for words in ("王测试", CITIZEN_ID, CITIZEN_ID.lower(), assessor.stored(visit).number):
        assert "/people/" in admin.post("/people", data={"words": words}).text.split("<main")[1], words
    for words in ("王", "测试", "", "%", CITIZEN_ID[:17]):
        page = admin.post("/people", data={"words": words}).text
        assert not re.search(r'href="/people/[0-9a-f]', page), words


def test_everything_stored_about_a_person_is_handed_out_to_them(
    assessor: Any, admin: FlaskClient, database: Database
) -> None:
    visit = assessor.complete()
    assessor.context(visit, contact_name="联系人赵六")
    assessor.client.post(f"{visit}/check", data={"note": "住在海边的老屋"})
    assessor.finish(visit)
    page = person_of(database)
    assert admin.post(f"{page}/data", data={"reason": "person", "password": "wrong"}).status_code == 422
    answer = admin.post(f"{page}/data", data={"reason": "person", "password": PASSWORD})
    found = json.loads(answer.data)
    assert found["person"]["name"] == "王测试" and found["person"]["citizen_id"] == CITIZEN_ID
    assert (
        found["visits"][0]["note"] == "住在海边的老屋" and found["visits"][0]["facts"]["contact_name"] == "联系人赵六"
    )
    assert found["visits"][0]["determination"]["outcomes"] and len(found["visits"][0]["signed"]) == 2
    assert "visit.started" in {act["act"] for act in found["acts"]}
    assert acts(database, "person.handed_out")[0].detail == {"reason": "person"}


def test_a_person_is_erased_with_everything_and_the_log_stays_whole(
    assessor: Any, admin: FlaskClient, database: Database
) -> None:
    from webapp.storage import audit

    assessor.finish(assessor.complete())
    assessor.start()
    page = person_of(database)
    for fields in ({"sure": "yes"}, {"reason": "consent"}, {"reason": "consent", "sure": "yes", "password": "wrong"}):
        assert admin.post(f"{page}/erase", data={"password": PASSWORD} | fields).status_code == 422
    assert count(database, PersonRow) == 1
    fields = {"reason": "consent", "sure": "yes", "password": PASSWORD}
    assert admin.post(f"{page}/erase", data=fields).status_code == 303
    for table in (PersonRow, VisitRow, SignatureRow, ConsentRow):
        assert count(database, table) == 0
    assert acts(database, "person.erased")[0].detail == {"reason": "consent", "visits": 2}
    with database.reading() as db:
        assert list(audit.faults(db)) == []
    assert admin.get(page).status_code == 404


def test_people_of_another_organisation_are_not_there(assessor: Any, app: Flask, database: Database) -> None:
    assessor.start()
    page = person_of(database)
    other = logged_in(app, add_crew(database, "另一机构", "b-").ids["admin"])
    assert not re.search(r'href="/people/[0-9a-f]', other.post("/people", data={"words": "王测试"}).text)
    assert other.get(page).status_code == 404
    fields = {"reason": "person", "sure": "yes", "password": PASSWORD}
    assert [other.post(f"{page}/{way}", data=fields).status_code for way in ("data", "erase")] == [404, 404]
    assert count(database, PersonRow) == 1


def test_a_number_that_another_organisation_has_tells_nothing_of_it(
    assessor: Any, app: Flask, database: Database, book: Any
) -> None:
    from conftest import Assessor

    assessor.start()
    client = logged_in(app, add_crew(database, "另一机构", "b-").ids["main"])
    other = Assessor(client, database, book, lambda: client)
    visit = other.start(name="李四")
    assert other.stored(visit).person.name == "李四" and count(database, PersonRow) == 2


def test_a_number_of_another_person_is_refused_and_the_other_name_stays_hidden(
    assessor: Any, database: Database
) -> None:
    assessor.start()
    answer = assessor.person(name="李四")
    assert answer.status_code == 422 and "王**" in answer.text and "王测试" not in answer.text
    assert count(database, VisitRow) == 1


# ---- what the server writes ----


def test_log_lines_and_output_of_a_whole_flow_hold_no_personal_data(
    assessor: Any, admin: FlaskClient, app: Flask, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    visit = assessor.complete()
    assessor.context(visit, contact_name="联系人赵六", contact_phone="13900001111")
    assessor.client.post(f"{visit}/check", data={"note": "住在海边的老屋"})
    assessor.client.post("/search", data={"words": CITIZEN_ID})
    assessor.client.post("/people/check", data={"citizen_id": CITIZEN_ID})
    assessor.client.post(f"{visit}/number", data={"reason": "card"})
    assessor.finish(visit)
    export(admin, reason="move")
    app.test_client().post("/login", data={"username": "main", "password": "wrong-password-typed"})
    # A failure in the middle of a page, with its traceback.
    app.testing = False
    app.view_functions["visits.search"] = allow(ANYONE)(lambda: 1 / 0)
    assert assessor.client.post("/search", data={"words": "王测试"}).status_code == 500
    out = capfd.readouterr()
    said = caplog.text + out.out + out.err
    assert "ZeroDivisionError" in said, "failures are logged"
    for secret in (
        "王测试",
        CITIZEN_ID,
        "1941-05-02",
        "联系人赵六",
        "13900001111",
        "住在海边的老屋",
        PASSWORD,
        "wrong-password-typed",
    ):
        assert secret not in said, secret
