"""What a phone fetches to work without a network: a draft, the rules, the questions; and visits it began alone."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import CITIZEN_ID, GBT, PERSON, TODAY, add_crew, logged_in
from webapp.people.wordings import CURRENT
from webapp.storage import audit, consents

NEW = {k: PERSON[k] for k in ("name", "citizen_id", "birth_date", "place", "visited_on")} | {"instruments": [GBT]}


def begin(client: FlaskClient, **changes: Any) -> Any:
    body = {"op": str(uuid4()), "visit": str(uuid4())} | NEW | changes
    return client.post("/api/visits", json=body, headers={"Idempotency-Key": body["op"]})


def test_a_draft_names_nobody_and_says_where_its_rules_are(assessor: Any) -> None:
    visit = assessor.start()
    assessor.fill(visit)
    assessor.context(visit, contact_name="王小明", pain="mild")
    answer = assessor.client.get(f"/api{visit}")
    draft = answer.json
    assert draft["person"] == {"name": "王**", "birth_date": "1941-05-02", "sex": "female"}
    assert CITIZEN_ID not in answer.text and "王测试" not in answer.text and "王小明" not in answer.text
    assert draft["facts"]["pain"] == "mild" and draft["facts"]["coma"] is False
    assert draft["assessments"][0]["answers"]["eating"] == 4
    assert draft["sheets"][0]["grade"]["level"] == 0 and draft["editable"] is True
    for kind in ("rules", "form"):
        assert assessor.client.get(draft["files"][kind]).status_code == 200


def test_the_files_of_a_place_never_change_under_their_address(assessor: Any) -> None:
    visit = assessor.start()
    files = assessor.client.get(f"/api{visit}").json["files"]
    for url in files.values():
        first = assessor.client.get(url)
        assert "immutable" in first.headers["Cache-Control"]
        again = assessor.client.get(url, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304 and not again.data
        without = assessor.client.get(url.split("?")[0])
        assert "no-cache" in without.headers["Cache-Control"] and without.data == first.data


def test_the_files_are_compressed_once_and_hold_the_same(assessor: Any) -> None:
    import gzip

    url = assessor.client.get(f"/api{assessor.start()}").json["files"]["rules"]
    plain, packed = assessor.client.get(url), assessor.client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.content_encoding == "gzip" and gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_the_questions_are_those_of_the_forms_pages(assessor: Any, book: Any) -> None:
    visit = assessor.start(GBT, "ad8")
    form = assessor.client.get(assessor.client.get(f"/api{visit}").json["files"]["form"]).json
    assert {GBT, "ad8"} <= set(form["instruments"]) and GBT in form["bundle"]
    gbt = form["instruments"][GBT]
    for page in gbt["pages"]:
        html = assessor.client.get(f"{visit}/{GBT}/items/{page['id']}").text
        for question in page["questions"]:
            assert f'id="{question["anchor"]}"' in html
            for choice in question.get("choices", ()):
                assert f'name="{question["name"]}" value="{choice["value"]}"' in html
    asked = {q["name"] for group in gbt["groups"] for q in group["questions"]}
    html = assessor.client.get(f"{visit}/{GBT}/context").text
    assert {"fact.coma", "fact.diagnoses", "fact.medications"} <= asked
    assert all(f'name="{name}"' in html for name in asked)


def test_every_instrument_of_the_rulebook_has_questions_for_a_phone(assessor: Any, book: Any) -> None:
    every = ",".join(sorted(book.instruments))
    url = f"/api/form/zhoushan/{TODAY.isoformat()}?with={every}"
    form = assessor.client.get(url).json
    assert set(form["instruments"]) == set(book.instruments)
    for id, found in form["instruments"].items():
        items = [i.id for d in book.instruments[id].dimensions for i in d.items]
        assert [q["name"] for p in found["pages"] for q in p["questions"]] == [f"item.{i}" for i in items]
        assert all(q.get("choices") or "low" in q for p in found["pages"] for q in p["questions"])


@pytest.mark.parametrize(
    "path",
    [
        "/api/rules/atlantis/2026-11-22",
        "/api/rules/zhoushan/2026-13-01",
        "/api/rules/zhoushan/2026-11-22?with=nothing",
        "/api/other/zhoushan/2026-11-22",
        "/api/visits/00000000-0000-0000-0000-000000000000",
    ],
)
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 404


# -- visits begun without a network ------------------------------------------------------------------------


def test_a_visit_begun_on_a_phone_is_made_once(assessor: Any, database: Any) -> None:
    body = {"op": str(uuid4()), "visit": str(uuid4())} | NEW
    answers = [
        assessor.client.post("/api/visits", json=body, headers={"Idempotency-Key": body["op"]}) for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [201, 201] and answers[0].json == answers[1].json
    stored = assessor.stored(f"/visits/{body['visit']}")
    assert (stored.person.name, stored.person.citizen_id, stored.place) == ("王测试", CITIZEN_ID, "zhoushan")
    assert [a.instrument for a in stored.assessments] == [GBT] and not stored.from_paper
    with database.reading() as db:
        assert list(audit.faults(db)) == []


def test_the_same_visit_under_another_operation_stays_one_visit(assessor: Any) -> None:
    id = str(uuid4())
    assert begin(assessor.client, visit=id).status_code == 201
    assert begin(assessor.client, visit=id, name="王测试").status_code == 201


def test_a_paper_form_keyed_in_later_is_marked(assessor: Any) -> None:
    id = str(uuid4())
    assert begin(assessor.client, visit=id, from_paper=True, visited_on="2026-11-20").status_code == 201
    assert assessor.stored(f"/visits/{id}").from_paper


def test_what_was_answered_to_the_consents_at_the_bedside_is_kept_with_the_visit(assessor: Any) -> None:
    id = str(uuid4())
    said = {"wording": CURRENT, "by": "relative", "by_name": " 王 女儿 ", "given": {"assessment": True, "photo": False}}
    for _ in range(2):
        assert begin(assessor.client, visit=id, consents=said).status_code == 201
    with assessor.database.reading() as db:
        person = assessor.stored(f"/visits/{id}").person.id
        found = consents.consents_of(db, assessor.database.cipher, person)
        assert list(audit.faults(db)) == []
    assert {(c.kind, c.given) for c in found} == {("assessment", True), ("photo", False)}
    assert {(str(c.visit), c.by, c.by_name, c.wording) for c in found} == {(id, "relative", "王 女儿", CURRENT)}


SAID = {"wording": CURRENT, "by": "self", "given": {"assessment": True}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "relative"},
        {"by": "relative", "by_name": " "},
        {"by": "nobody"},
        {"wording": "1999-01"},
        {"given": {"everything": True}},
        {"given": {"assessment": "yes"}},
        {"by_name": "长" * 61},
    ],
)
def test_a_consent_that_does_not_say_who_or_what_is_refused(assessor: Any, wrong: dict[str, Any]) -> None:
    answer = begin(assessor.client, consents=SAID | wrong)
    assert answer.status_code == 422
    assert {f["where"][0] for f in answer.json["error"]["faults"]} == {"consents"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"citizen_id": "110105194912310021"}, "citizen_id"),
        ({"citizen_id": "", "birth_date": "", "sex": "female"}, "birth_date"),
        ({"citizen_id": "", "birth_date": "1940-01-01", "sex": "x"}, "sex"),
        ({"place": "atlantis"}, "place"),
        ({"visited_on": "2026-11-24"}, "visited_on"),
        ({"visited_on": "2026-02-30"}, "visited_on"),
        ({"instruments": ["no-such-scale"]}, "instruments"),
        ({"instruments": []}, "instruments"),
        ({"instruments": GBT}, "instruments"),
        ({"visit": "7"}, "visit"),
        ({"grade": 3}, "grade"),
    ],
)
def test_the_person_is_checked_as_on_the_person_page(client: FlaskClient, changes: Any, field: str) -> None:
    answer = begin(client, **changes)
    assert answer.status_code == 422
    assert field in {f["where"][0] for f in answer.json["error"]["faults"]}


def test_a_number_of_another_person_is_refused_without_telling_the_name(assessor: Any) -> None:
    assessor.start()
    answer = begin(assessor.client, name="李四")
    assert answer.status_code == 422 and answer.json["error"]["code"] == "other_name"
    assert "王**" in answer.text and "王测试" not in answer.text


def test_a_phone_that_is_in_tomorrow_already_has_visited_today(assessor: Any) -> None:
    id = str(uuid4())
    tomorrow = TODAY + dt.timedelta(days=1)
    assert begin(assessor.client, visit=id, visited_on=tomorrow.isoformat()).status_code == 201
    assert assessor.stored(f"/visits/{id}").visited_on == TODAY


def test_a_visit_id_of_another_organisation_is_not_found(app: Any, assessor: Any, database: Any) -> None:
    visit = assessor.start()
    other = logged_in(app, add_crew(database, "别的机构", "other-").ids["main"])
    assert begin(other, visit=visit.rsplit("/", 1)[1]).status_code == 404


def test_a_visit_id_of_a_colleague_is_not_taken_over(assessor: Any, log_in: Any) -> None:
    visit = assessor.start()
    answer = begin(log_in("second"), visit=visit.rsplit("/", 1)[1])
    assert answer.status_code == 403 and answer.json["error"]["code"] == "not_yours"
