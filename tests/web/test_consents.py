"""Consents: each on its own, who gave it under which wording, and taken back at any time."""

from __future__ import annotations

from typing import Any

import pytest

from webapp.people.wordings import CURRENT, WORDINGS
from webapp.storage import consents
from webapp.storage.consents import KINDS

ALL = {f"consent.{kind}": "yes" for kind in KINDS}


def on_record(assessor: Any, visit: str) -> list[consents.Consent]:
    with assessor.database.reading() as db:
        return consents.consents_of(db, assessor.database.cipher, assessor.stored(visit).person.id)


def test_the_person_page_leads_to_the_consents_and_they_to_the_instruments(assessor: Any) -> None:
    answer = assessor.person()
    assert answer.location.endswith("/consents")
    page = assessor.client.get(answer.location).text
    assert " checked" not in page
    for kind in KINDS:
        assert WORDINGS[CURRENT][kind]["zh"] in page
    assert assessor.client.post(answer.location, data={}).location.endswith("/instruments")


def test_each_consent_is_stored_with_who_gave_it_and_the_wording(assessor: Any) -> None:
    visit = assessor.start()
    data = ALL | {"consent.photo": "no", "by": "guardian", "by_name": "王 监护"}
    assert assessor.client.post(f"{visit}/consents", data=data).status_code == 303
    found = {c.kind: c for c in on_record(assessor, visit)}
    assert set(found) == set(KINDS)
    assert {kind: c.given for kind, c in found.items()} == {kind: kind != "photo" for kind in KINDS}
    assert {(c.by, c.by_name, c.wording) for c in found.values()} == {("guardian", "王 监护", CURRENT)}
    assessor.client.post(f"{visit}/consents", data=data)
    assert len(on_record(assessor, visit)) == len(KINDS), "the same page sent twice is one answer"


@pytest.mark.parametrize(
    "data", [{"by": ""}, {"by": "nobody"}, {"by": "relative"}, {"by": "relative", "by_name": "长" * 61}]
)
def test_who_answered_must_be_said(assessor: Any, data: dict[str, str]) -> None:
    visit = assessor.start()
    answer = assessor.client.post(f"{visit}/consents", data=ALL | data)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert on_record(assessor, visit) == []


def test_without_consent_to_the_assessment_nothing_is_signed(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.client.post(f"{visit}/consents", data={"consent.assessment": "no", "by": "self"})
    assert assessor.submit(visit).status_code == 422
    assessor.client.post(f"{visit}/consents", data={"consent.assessment": "yes", "by": "self"})
    assert assessor.submit(visit).status_code == 303
    given = next(c for c in on_record(assessor, visit) if c.given)
    assert assessor.client.post(f"{visit}/consents/{given.id}/withdraw").status_code == 303
    assert assessor.sign(visit).status_code == 422
    assert not assessor.stored(visit).done


def test_a_consent_can_be_taken_back_after_the_record_is_finished(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.client.post(f"{visit}/consents", data={"consent.insurer": "yes", "by": "self"})
    assessor.finish(visit)
    (given,) = on_record(assessor, visit)
    page = assessor.client.get(f"{visit}/consents").text
    assert f"{visit}/consents/{given.id}/withdraw" in page and 'name="by"' not in page
    assessor.client.post(f"{visit}/consents/{given.id}/withdraw")
    (taken,) = on_record(assessor, visit)
    assert taken.withdrawn_at and not taken.holds
    assert assessor.client.post(f"{visit}/consents", data=ALL | {"by": "self"}).status_code == 409


def test_an_earlier_consent_is_told_but_asked_again(assessor: Any) -> None:
    first, second = assessor.start(), assessor.start()
    assessor.client.post(f"{first}/consents", data=ALL | {"by": "self"})
    page = assessor.client.get(f"{second}/consents").text
    assert " checked" not in page and page.count("11月22日") + page.count("Nov") >= 1
    assert " checked" in assessor.client.get(f"{first}/consents").text


def test_a_consent_of_somebody_else_cannot_be_taken_back(assessor: Any) -> None:
    first = assessor.start()
    other = assessor.start(citizen_id="", name="周某", birth_date="1940-01-01", sex="male")
    assessor.client.post(f"{first}/consents", data=ALL | {"by": "self"})
    given = on_record(assessor, first)[0]
    assert assessor.client.post(f"{other}/consents/{given.id}/withdraw").status_code == 404
    assert all(c.withdrawn_at is None for c in on_record(assessor, first))
