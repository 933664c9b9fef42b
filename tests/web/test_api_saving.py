"""Answers sent by phones one by one: saved, scored by the server, done once, merged, or put side by side."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from tests.web.conftest import GBT, TODAY, add_crew, logged_in
from webapp.access import ASSESSOR, rule_of
from webapp.accounts.logins import COOKIE
from webapp.storage import DONE, operations
from webapp.storage.models import OperationRow, VisitRow


def op(base: int = 0, **parts: Any) -> dict[str, Any]:
    """A change as a phone sends it."""
    return {"op": str(uuid4()), "base": base, **parts}


def send(client: FlaskClient, visit: str, body: Any, key: str | None = None, **headers: str) -> TestResponse:
    key = key if key is not None else body.get("op", "")
    return client.post(f"/api{visit}/changes", json=body, headers={"Idempotency-Key": key, **headers})


def gbt(**answers: Any) -> dict[str, Any]:
    return {"answers": {GBT: answers}}


def version(client: FlaskClient, visit: str) -> int:
    found = client.get(f"/api{visit}").json
    assert found
    number: int = found["version"]
    return number


def test_a_tap_is_stored_and_scored_by_the_server(assessor: Any) -> None:
    visit = assessor.start()
    answer = send(assessor.client, visit, op(version(assessor.client, visit), **gbt(eating="3", grooming=4)))
    assert answer.status_code == 200
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 3, "grooming": 4}
    assert answer.json["version"] == assessor.stored(visit).version
    sheet = answer.json["sheets"][0]
    assert (sheet["instrument"], sheet["answered"], sheet["total"], sheet["grade"]) == (GBT, 2, 26, None)
    assert sheet["bounds"]


def test_facts_settings_and_taking_back(assessor: Any) -> None:
    visit = assessor.start()
    facts = {"coma": False, "diagnoses": ["dementia"], "height_cm": 158.5, "medications": "阿司匹林 <b>"}
    assert send(assessor.client, visit, op(facts=facts)).status_code == 200
    assert dict(assessor.stored(visit).facts) == facts
    base = version(assessor.client, visit)
    answer = send(assessor.client, visit, op(base, facts={"diagnoses": [], "height_cm": None, "coma": "yes"}))
    assert answer.status_code == 200
    assert dict(assessor.stored(visit).facts) == {"coma": True, "diagnoses": [], "medications": "阿司匹林 <b>"}


def test_the_answer_is_the_same_when_the_request_comes_again(assessor: Any) -> None:
    visit = assessor.start()
    body = op(**gbt(eating="3"))
    first = send(assessor.client, visit, body)
    # Somebody else has gone on meanwhile: the repeated request must not put the old answer back.
    send(assessor.client, visit, op(first.json["version"], **gbt(eating="1")))
    again = send(assessor.client, visit, body)
    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 1}


def test_a_key_that_comes_back_with_another_body_is_refused(assessor: Any) -> None:
    visit, other = assessor.start(), assessor.start()
    body = op(**gbt(eating="3"))
    assert send(assessor.client, visit, body).status_code == 200
    changed = send(assessor.client, visit, body | gbt(eating="0"))
    assert changed.status_code == 422 and changed.json["error"]["code"] == "key_used"
    elsewhere = send(assessor.client, other, body)
    assert elsewhere.status_code == 422 and elsewhere.json["error"]["code"] == "key_used"
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 3}
    assert dict(assessor.stored(other).assessments[0].answers) == {}


def test_a_request_that_is_still_running_is_told_to_wait(assessor: Any, monkeypatch: Any, log_in: Any) -> None:
    visit = assessor.start()
    entered, leave = threading.Event(), threading.Event()
    real = operations.keep_answer

    def slow(*args: Any, **named: Any) -> None:
        entered.set()
        assert leave.wait(10)
        real(*args, **named)

    monkeypatch.setattr(operations, "keep_answer", slow)
    body = op(**gbt(eating="3"))
    first: list[TestResponse] = []
    phone = log_in("main")
    thread = threading.Thread(target=lambda: first.append(send(phone, visit, body)))
    thread.start()
    assert entered.wait(10)
    second = send(assessor.client, visit, body)
    assert second.status_code == 409 and second.json["error"]["code"] == "in_flight"
    assert int(second.headers["Retry-After"]) >= 1
    leave.set()
    thread.join()
    assert first[0].status_code == 200
    assert send(assessor.client, visit, body).json == first[0].json


def test_a_failure_after_the_write_takes_the_write_back(assessor: Any, monkeypatch: Any) -> None:
    visit = assessor.start()
    body = op(**gbt(eating="3"))
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(operations, "keep_answer", lambda *_, **__: 1 / 0)
        send(assessor.client, visit, body)
    assert dict(assessor.stored(visit).assessments[0].answers) == {}
    assert send(assessor.client, visit, body).status_code == 200


@pytest.mark.parametrize("key", ["", "1", "not-a-uuid", str(UUID(int=7))])
def test_a_key_that_is_not_the_operation_is_refused(assessor: Any, key: str) -> None:
    visit = assessor.start()
    answer = send(assessor.client, visit, op(**gbt(eating="3")), key=key)
    assert answer.status_code == 400 and answer.json["error"]["code"] == "bad_key"


def test_the_key_may_be_quoted_as_the_draft_standard_writes_it(assessor: Any) -> None:
    visit = assessor.start()
    body = op(**gbt(eating="3"))
    assert send(assessor.client, visit, body, key=f'"{body["op"]}"').status_code == 200


def test_stored_answers_are_sealed_and_forgotten_after_ninety_days(assessor: Any, database: Any) -> None:
    visit = assessor.start()
    body = op(facts={"medications": "华法林"})
    send(assessor.client, visit, body)
    with database.reading() as db:
        (raw,) = db.scalars(select(OperationRow.answer_sealed)).all()
    assert raw and b"medications" not in raw and "华法林".encode() not in raw
    now = dt.datetime.now(dt.UTC)
    with database.writing() as db:
        assert operations.purge(db, now=now + dt.timedelta(days=89)) == 0
        assert operations.purge(db, now=now + dt.timedelta(days=91)) == 1


# -- two phones --------------------------------------------------------------------------------------------


@pytest.fixture
def colleague(assessor: Any, log_in: Callable[[str], FlaskClient], crew: Any, database: Any) -> Callable[[str], Any]:
    """The second assessor's phone, on a visit that she has joined."""

    def join(visit: str) -> FlaskClient:
        with database.writing() as db:
            db.get(VisitRow, UUID(visit.rsplit("/", 1)[1])).second_id = crew.ids["second"]
        return log_in("second")

    return join


def test_changes_to_different_items_are_merged_and_told(assessor: Any, colleague: Any) -> None:
    visit = assessor.start()
    phone = colleague(visit)
    base = version(phone, visit)
    assert send(assessor.client, visit, op(base, **gbt(eating="3"), facts={"coma": False})).status_code == 200
    answer = send(phone, visit, op(base, **gbt(grooming="2"), facts={"diagnoses": []}))
    assert answer.status_code == 200
    assert answer.json["theirs"] == {
        "answers": {GBT: {"eating": 3}},
        "settings": {},
        "facts": {"coma": False},
        "remarks": {},
    }
    stored = assessor.stored(visit)
    assert dict(stored.assessments[0].answers) == {"eating": 3, "grooming": 2}
    assert dict(stored.facts) == {"coma": False, "diagnoses": []}


def test_the_same_item_changed_on_two_phones_is_put_side_by_side(assessor: Any, colleague: Any) -> None:
    visit = assessor.start()
    phone = colleague(visit)
    base = version(phone, visit)
    send(assessor.client, visit, op(base, **gbt(eating="3", bathing="1")))
    answer = send(phone, visit, op(base, **gbt(eating="1", grooming="2")))
    assert answer.status_code == 409 and answer.json["error"]["code"] == "conflict"
    (both,) = answer.json["error"]["conflicts"]
    assert both["where"] == ["answers", GBT, "eating"] and (both["mine"], both["theirs"]) == (1, 3)
    assert both["mine_say"]["zh"] != both["theirs_say"]["zh"] and both["name"]["zh"]
    assert answer.json["error"]["theirs"]["answers"] == {GBT: {"bathing": 1}}
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 3, "bathing": 1}, "nothing written"
    # The assessor has looked at both and keeps hers.
    chosen = op(answer.json["error"]["version"], **gbt(eating="1", grooming="2"))
    assert send(phone, visit, chosen).status_code == 200
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 1, "bathing": 1, "grooming": 2}


def test_the_same_answer_from_two_phones_is_no_conflict(assessor: Any, colleague: Any) -> None:
    visit = assessor.start()
    phone = colleague(visit)
    base = version(phone, visit)
    send(assessor.client, visit, op(base, **gbt(eating="3")))
    answer = send(phone, visit, op(base, **gbt(eating=3)))
    assert answer.status_code == 200 and answer.json["changed"] == 0 and answer.json["wrote"] is None


def test_a_phone_is_never_in_conflict_with_itself(assessor: Any, colleague: Any) -> None:
    # Tapped twice before the first answer came back: the second tap still has the old base.
    visit = assessor.start()
    base = version(assessor.client, visit)
    first = send(assessor.client, visit, op(base, **gbt(eating="3"), facts={"coma": False}))
    again = op(base, **gbt(eating="2"))
    assert send(assessor.client, visit, again).status_code == 409
    assert send(assessor.client, visit, again | {"own": [first.json["wrote"]]}).status_code == 200
    # What somebody else wrote in between is none of it.
    send(colleague(visit), visit, op(version(assessor.client, visit), **gbt(eating="0")))
    third = op(base, own=[first.json["wrote"]], **gbt(eating="3"))
    assert send(assessor.client, visit, third).status_code == 409


def test_an_answer_posted_by_the_form_counts_as_a_change_too(assessor: Any, colleague: Any) -> None:
    visit = assessor.start()
    phone = colleague(visit)
    base = version(phone, visit)
    assessor.client.post(f"{visit}/{GBT}/items/self_care", data={"item.eating": "4"})
    assert send(phone, visit, op(base, **gbt(eating="0"))).status_code == 409
    assert send(phone, visit, op(base, **gbt(grooming="4"))).status_code == 200


def test_a_value_taken_back_elsewhere_is_a_conflict_not_a_silent_return(assessor: Any, colleague: Any) -> None:
    visit = assessor.start()
    phone = colleague(visit)
    first = send(assessor.client, visit, op(**gbt(eating="3")))
    send(assessor.client, visit, op(first.json["version"], **gbt(eating=None)))
    answer = send(phone, visit, op(first.json["version"], **gbt(eating="2")))
    assert answer.status_code == 409
    assert answer.json["error"]["conflicts"][0]["theirs_say"] == {"zh": "未答", "en": "not answered"}


def test_a_base_from_the_future_takes_nothing_for_seen(assessor: Any, colleague: Any) -> None:
    # The database was put back from a backup: the phone believes in versions that are gone.
    visit = assessor.start()
    phone = colleague(visit)
    send(assessor.client, visit, op(**gbt(eating="3")))
    assert send(phone, visit, op(10_000, **gbt(eating="1"))).status_code == 409
    assert send(phone, visit, op(10_000, **gbt(grooming="1"))).status_code == 200


# -- bad input ---------------------------------------------------------------------------------------------


def test_every_wrong_value_is_named_and_nothing_is_stored(assessor: Any) -> None:
    visit = assessor.start()
    body = op(
        answers={GBT: {"eating": "9", "flying": 1, "grooming": "3"}, "ad8": {"total": 1}, "none": {"x": 1}},
        settings={GBT: {"nothing": True}},
        facts={"height_cm": 1600, "diagnoses": "dementia", "name": "李", "coma": ["yes"], "dragons": 1},
    )
    answer = send(assessor.client, visit, body)
    assert answer.status_code == 422
    faults = {".".join(f["where"]): f["say"] for f in answer.json["error"]["faults"]}
    assert set(faults) == {
        f"answers.{GBT}.eating",
        f"answers.{GBT}.flying",
        "answers.ad8.total",
        "answers.none.x",
        f"settings.{GBT}.nothing",
        "facts.height_cm",
        "facts.diagnoses",
        "facts.name",
        "facts.coma",
        "facts.dragons",
    }
    assert all(say["zh"] and say["en"] for say in faults.values())
    stored = assessor.stored(visit)
    assert dict(stored.assessments[0].answers) == {} and dict(stored.facts) == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ("eating", 400),
        (None, 400),
        ({"op": "1"}, 422),
        ({"op": str(UUID(int=1)), "anwsers": {}}, 422),
        ({"op": str(UUID(int=1)), "total": 90}, 422),
        ({"op": str(UUID(int=1)), "base": -1}, 422),
        ({"op": str(UUID(int=1)), "base": "3"}, 422),
        ({"op": str(UUID(int=1)), "answers": {GBT: {"eating": {"a": 1}}}}, 422),
        ({"op": str(UUID(int=1)), "answers": {GBT: [1]}}, 422),
        ({"op": str(UUID(int=1)), "facts": {"x" * 201: 1}}, 422),
        ({"op": str(UUID(int=1)), "facts": {f"f{n}": 1 for n in range(501)}}, 422),
    ],
)
def test_a_body_of_another_shape_is_refused_in_both_languages(assessor: Any, body: Any, status: int) -> None:
    visit = assessor.start()
    key = body.get("op", "") if isinstance(body, dict) else str(UUID(int=1))
    answer = send(assessor.client, visit, body, key=key)
    assert answer.status_code == status
    assert answer.json["error"]["say"]["zh"] and answer.json["error"]["say"]["en"]
    if status == 422:
        assert answer.json["error"]["faults"][0]["say"]["en"]


@pytest.mark.parametrize("given", [4.0, 4, "4", " 4 "])
def test_whole_numbers_are_read_however_json_writes_them(assessor: Any, given: Any) -> None:
    visit = assessor.start()
    assert send(assessor.client, visit, op(**gbt(eating=given))).status_code == 200
    assert assessor.stored(visit).assessments[0].answers["eating"] == 4


@pytest.mark.parametrize("given", [True, "true", 4.5, "4.0", "1e0", "NaN", 10**30, [4], "四"])
def test_a_score_that_is_not_printed_is_refused(assessor: Any, given: Any) -> None:
    visit = assessor.start()
    assert send(assessor.client, visit, op(**gbt(eating=given))).status_code == 422
    assert dict(assessor.stored(visit).assessments[0].answers) == {}


def test_what_the_phone_made_of_the_answers_is_never_used(assessor: Any) -> None:
    visit = assessor.complete(eating="0", bathing="0")
    forged = {GBT: {"grade": {"level": 0}, "scores": {"total": 90}}}
    base = version(assessor.client, visit)
    answer = send(assessor.client, visit, op(base, **gbt(grooming="0"), provisional=forged))
    assert answer.status_code == 200
    sheet = answer.json["sheets"][0]
    assert sheet["scores"]["total"] == 78 and sheet["grade"]["level"] == 1
    assert "90" not in str(dict(assessor.stored(visit).assessments[0].answers))


@pytest.mark.parametrize("hours", [-1, 1, -24 * 400, 24 * 400])
def test_a_wrong_clock_on_the_phone_does_not_matter(assessor: Any, colleague: Any, hours: int) -> None:
    visit = assessor.start()
    wrong = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).isoformat()
    first = send(assessor.client, visit, op(**gbt(eating="3"), made_at=wrong))
    later = send(assessor.client, visit, op(first.json["version"], **gbt(eating="1"), made_at="2020-01-01T00:00:00Z"))
    assert (first.status_code, later.status_code) == (200, 200)
    assert assessor.stored(visit).assessments[0].answers["eating"] == 1, "the order is that of arrival, not of clocks"
    # And it is no way around a conflict either.
    stale = send(colleague(visit), visit, op(0, **gbt(eating="4"), made_at=wrong))
    assert stale.status_code == 409


# -- who may ------------------------------------------------------------------------------------------------


def test_another_organisation_sees_and_changes_nothing(app: Any, assessor: Any, database: Any) -> None:
    visit = assessor.start()
    other = logged_in(app, add_crew(database, "别的机构", "other-").ids["main"])
    assert other.get(f"/api{visit}").status_code == 404
    assert send(other, visit, op(**gbt(eating="3"))).status_code == 404
    assert dict(assessor.stored(visit).assessments[0].answers) == {}


def test_a_colleague_reads_a_draft_and_cannot_change_it(assessor: Any, log_in: Callable[[str], FlaskClient]) -> None:
    visit = assessor.start()
    phone = log_in("second")
    assert phone.get(f"/api{visit}").json["editable"] is False
    answer = send(phone, visit, op(**gbt(eating="3")))
    assert answer.status_code == 403 and answer.json["error"]["code"] == "not_yours"


@pytest.mark.parametrize("who", ["reviewer", "admin", "system"])
def test_only_assessors_save(assessor: Any, log_in: Callable[[str], FlaskClient], who: str) -> None:
    visit = assessor.start()
    assert send(log_in(who), visit, op(**gbt(eating="3"))).status_code == 403


def test_a_log_in_that_ended_answers_401_and_the_same_request_works_after_the_next(
    assessor: Any, app: Any, crew: Any
) -> None:
    visit = assessor.start()
    body = op(**gbt(eating="3"))
    token = assessor.client.get_cookie(COOKIE).value
    assessor.client.delete_cookie(COOKIE)
    answer = send(assessor.client, visit, body)
    assert answer.status_code == 401 and answer.is_json
    assert assessor.client.get("/api/session", headers={"Accept": "application/json"}).status_code == 401
    assessor.client.set_cookie(COOKIE, token)
    assert send(assessor.client, visit, body).status_code == 200


def test_the_queue_gets_a_fresh_token_against_forged_posts(assessor: Any, app: Any) -> None:
    visit = assessor.start()
    app.config["WTF_CSRF_ENABLED"] = True
    body = op(**gbt(eating="3"))
    accept = {"Accept": "application/json"}
    assert send(assessor.client, visit, body, **accept).status_code == 400
    session = assessor.client.get("/api/session", headers=accept).json
    assert send(assessor.client, visit, body, **accept, **{"X-CSRFToken": session["csrf"]}).status_code == 200
    assert session["today"] == TODAY.isoformat() and session["assessor"] is True


def test_a_finished_record_is_locked_for_phones_too(assessor: Any, database: Any) -> None:
    visit = assessor.complete()
    with database.writing() as db:
        db.get(VisitRow, UUID(visit.rsplit("/", 1)[1])).status = DONE
    answer = send(assessor.client, visit, op(**gbt(eating="0")))
    assert answer.status_code == 409 and answer.json["error"]["code"] == "locked"
    assert assessor.stored(visit).assessments[0].answers["eating"] == 4


def test_every_route_that_writes_is_for_assessors(app: Any) -> None:
    writing = [r.endpoint for r in app.url_map.iter_rules() if r.endpoint.startswith("api.") and "POST" in r.methods]
    assert sorted(writing) == ["api.change", "api.create"]
    assert all(rule_of(app.view_functions[e]) == (ASSESSOR,) for e in writing)


# -- notes and reasons ---------------------------------------------------------------------------------------


def remark(visit: Any, assessor: Any, item: str = "eating") -> dict[str, str]:
    return dict(assessor.stored(visit).assessments[0].remarks.get(item, {}))


def test_a_note_and_a_reason_are_kept_and_an_answer_takes_the_reason_away(assessor: Any) -> None:
    visit = assessor.start()
    noted = {"remarks": {GBT: {"eating": {"note": "<b>女儿说</b>", "cannot": "unwell"}}}}
    first = send(assessor.client, visit, op(**noted))
    assert first.status_code == 200 and first.json["sheets"][0]["answered"] == 1
    assert remark(visit, assessor) == {"note": "<b>女儿说</b>", "cannot": "unwell"}
    send(assessor.client, visit, op(first.json["version"], **gbt(eating="3")))
    assert remark(visit, assessor) == {"note": "<b>女儿说</b>"}


def test_a_reason_takes_the_answer_away_and_both_at_once_are_refused(assessor: Any) -> None:
    visit = assessor.start()
    first = send(assessor.client, visit, op(**gbt(eating="3", grooming="2")))
    reason = {"remarks": {GBT: {"eating": {"cannot": "refused"}}}}
    assert send(assessor.client, visit, op(first.json["version"], **reason)).status_code == 200
    assert dict(assessor.stored(visit).assessments[0].answers) == {"grooming": 2}
    both = send(assessor.client, visit, op(version(assessor.client, visit), **reason, **gbt(eating="1")))
    assert both.status_code == 422 and both.json["error"]["faults"][0]["where"] == ["remarks", GBT, "eating"]


@pytest.mark.parametrize(
    "bad", [{"cannot": "lazy"}, {"cannot": "other"}, {"note": "长" * 2001}, {"note": "x" * 900_000}, {"word": 1}]
)
def test_a_reason_that_is_none_and_a_note_too_long_are_refused(assessor: Any, bad: Any) -> None:
    visit = assessor.start()
    assert send(assessor.client, visit, op(remarks={GBT: {"eating": bad}})).status_code == 422
    assert send(assessor.client, visit, op(remarks={GBT: {"flying": {"note": "x"}}})).status_code == 422
    assert remark(visit, assessor) == {}


def test_five_megabytes_are_refused_before_they_are_read(assessor: Any) -> None:
    visit = assessor.start()
    answer = send(assessor.client, visit, op(remarks={GBT: {"eating": {"note": "x" * 5_000_000}}}))
    assert answer.status_code == 413 and answer.is_json


def test_notes_of_two_phones_to_one_item_are_put_side_by_side(assessor: Any, colleague: Any) -> None:
    visit = assessor.start()
    phone = colleague(visit)
    base = version(phone, visit)
    send(assessor.client, visit, op(base, remarks={GBT: {"eating": {"note": "一"}}}))
    answer = send(phone, visit, op(base, remarks={GBT: {"eating": {"note": "二", "cannot": "unwell"}}}))
    assert answer.status_code == 409
    (both,) = answer.json["error"]["conflicts"]
    assert both["theirs_say"]["zh"] == "一" and both["mine_say"]["zh"].endswith("、二")


def test_a_database_that_stays_locked_is_said_to_be_busy(assessor: Any, monkeypatch: Any) -> None:
    visit = assessor.start()
    body = op(**gbt(eating="3"))

    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    with monkeypatch.context() as patched:
        patched.setattr(operations, "earlier_answer", locked)
        answer = send(assessor.client, visit, body)
    assert answer.status_code == 503 and answer.json["error"]["code"] == "busy" and answer.headers["Retry-After"]
    assert send(assessor.client, visit, body).status_code == 200
