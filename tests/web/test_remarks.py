"""Notes to items, items that could not be assessed, last time's answers, and two phones on one page."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from markupsafe import escape
from sqlalchemy import select

from webapp.storage.models import AssessmentRow

GBT = "gbt-42195-2022"
ITEMS = f"{GBT}/items/self_care"


def remarks(assessor: Any, visit: str) -> dict[str, Any]:
    return {item: dict(remark) for item, remark in assessor.stored(visit).assessments[0].remarks.items()}


def test_a_note_is_kept_sealed_and_shown_wherever_the_answer_is(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.client.post(f"{visit}/{ITEMS}", data={"note.eating": "左手\r\n拿勺"})
    assert remarks(assessor, visit) == {"eating": {"note": "左手\n拿勺"}}
    for page in (ITEMS, "check", "result", "sign"):
        assert "左手\n拿勺" in assessor.client.get(f"{visit}/{page}").text, page
    with assessor.database.reading() as db:
        row = db.scalars(select(AssessmentRow)).one()
    assert row.remarks_sealed and "左手".encode() not in row.remarks_sealed
    assessor.client.post(f"{visit}/{ITEMS}", data={"note.eating": ""})
    assert remarks(assessor, visit) == {}


@pytest.mark.parametrize("note", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_markup_in_a_note_is_shown_as_text(assessor: Any, note: str) -> None:
    visit = assessor.complete()
    assessor.client.post(f"{visit}/{ITEMS}", data={"note.eating": note, "cannot.bathing": "", "note.bathing": note})
    assessor.submit(visit)
    for page in (ITEMS, "check", "result", "sign"):
        text = assessor.client.get(f"{visit}/{page}").text
        assert str(escape(note)) in text and (note not in text or note == str(escape(note))), page
    assert remarks(assessor, visit)["eating"]["note"] == note


def test_a_note_of_five_megabytes_is_refused_and_a_long_one_comes_back(assessor: Any) -> None:
    visit = assessor.start()
    assert assessor.client.post(f"{visit}/{ITEMS}", data={"note.eating": "字" * 1_700_000}).status_code == 413
    answer = assessor.client.post(f"{visit}/{ITEMS}", data={"note.eating": "字" * 2001, "item.eating": "4"})
    assert answer.status_code == 422 and "字" * 2001 in answer.text
    assert remarks(assessor, visit) == {} and dict(assessor.stored(visit).assessments[0].answers) == {"eating": 4}


def test_an_item_that_cannot_be_assessed_is_treated_but_never_graded(assessor: Any) -> None:
    visit = assessor.complete()
    data = {"cannot.eating": "refused", "note.eating": "不让看"}
    assert assessor.client.post(f"{visit}/{ITEMS}", data=data).status_code == 303
    assert "eating" not in assessor.stored(visit).assessments[0].answers, "the reason takes the answer away"
    page = assessor.client.get(f"{visit}/{ITEMS}").text
    assert "<span data-count>26</span> / 26" in page
    check = assessor.client.get(f"{visit}/check").text
    assert "不让看" in check and f"{visit}/{ITEMS}#item-eating" in check
    result = assessor.client.get(f"{visit}/result").text
    assert "还可能是" in result and f"{visit}/submit" in result
    assessor.finish(visit)
    stored = assessor.stored(visit).assessments[0].result
    assert stored["grade"] is None and not stored["complete"]
    assert stored["not_graded"]["items"] == ["eating"] and stored["bounds"]["best"] <= stored["bounds"]["worst"]
    assert "本人或家属不愿意" in assessor.client.get(f"{visit}/result").text


def test_a_gap_beside_an_item_that_cannot_be_assessed_still_blocks(assessor: Any) -> None:
    visit = assessor.start()
    assessor.client.post(f"{visit}/{ITEMS}", data={"cannot.eating": "unwell"})
    assert assessor.submit(visit).status_code == 422


def test_an_answer_takes_the_reason_away_and_both_at_once_are_asked_back(assessor: Any) -> None:
    visit = assessor.start()
    where = f"{visit}/{ITEMS}"
    answer = assessor.client.post(where, data={"item.eating": "3", "cannot.eating": "unwell"})
    assert answer.status_code == 422 and "item-eating-error" in answer.text
    assert not assessor.stored(visit).assessments[0].answers and remarks(assessor, visit) == {}
    assessor.client.post(where, data={"cannot.eating": "unwell"})
    assert assessor.client.post(where, data={"item.eating": "3", "cannot.eating": "unwell"}).status_code == 303
    assert remarks(assessor, visit) == {} and assessor.stored(visit).assessments[0].answers["eating"] == 3


@pytest.mark.parametrize(
    "data", [{"cannot.eating": "lazy"}, {"cannot.eating": "other"}, {"cannot.eating": "other", "note.eating": " "}]
)
def test_a_reason_comes_from_the_list_and_other_needs_words(assessor: Any, data: dict[str, str]) -> None:
    visit = assessor.start()
    assert assessor.client.post(f"{visit}/{ITEMS}", data=data).status_code == 422
    assert remarks(assessor, visit) == {}
    assessor.client.post(f"{visit}/{ITEMS}", data={"cannot.eating": "other", "note.eating": "停电"})
    assert remarks(assessor, visit) == {"eating": {"cannot": "other", "note": "停电"}}


def test_last_time_s_answers_can_be_opened_and_are_never_filled_in(assessor: Any) -> None:
    old = assessor.complete(eating=2)
    assessor.finish(old)
    new = assessor.client.post(f"{old}/again").location.removesuffix("/person")
    page = assessor.client.get(f"{new}/{ITEMS}").text
    assert " checked" not in page
    assert re.search(r"<summary>看上次的答案|<summary>Last time", page) and "至少要少量动手帮" in page
    assert page.count('class="more more_inner remark"') >= 8


def test_two_phones_on_one_page_do_not_overwrite_each_other(assessor: Any) -> None:
    visit = assessor.start()
    assert assessor.second.post(f"{visit}/join").status_code == 303
    where = f"{visit}/{ITEMS}"
    version = str(assessor.stored(visit).version)
    assert assessor.client.post(where, data={"version": version, "item.eating": "4"}).status_code == 303
    other = {"version": version, "item.eating": "1", "item.bathing": "3", "note.grooming": "乙"}
    answer = assessor.second.post(where, data=other)
    assert answer.status_code == 409, "the page is older than the other phone's answer"
    answers = dict(assessor.stored(visit).assessments[0].answers)
    assert answers == {"eating": 4, "bathing": 3}, "what does not collide is merged"
    assert remarks(assessor, visit) == {"grooming": {"note": "乙"}}
    assert "自行进食咽下，不呛" in answer.text and "要大量动手帮" in answer.text, "both answers stand side by side"
    assert re.search(r'name="item.eating" value="4" checked', answer.text)
    again = re.search(r'name="version" value="(\d+)"', answer.text)
    assert again and assessor.second.post(where, data=other | {"version": again[1]}).status_code == 303
    assert assessor.stored(visit).assessments[0].answers["eating"] == 1


def test_two_phones_on_facts_and_the_note_do_not_overwrite_each_other(assessor: Any) -> None:
    visit = assessor.start()
    assessor.second.post(f"{visit}/join")
    version = str(assessor.stored(visit).version)
    for path, mine, theirs in (
        (f"{GBT}/context", {"fact.pain": "mild"}, {"fact.pain": "severe"}),
        ("check", {"note": "甲的话"}, {"note": "乙的话"}),
    ):
        assert assessor.client.post(f"{visit}/{path}", data=mine | {"version": version}).status_code == 303
        assert assessor.second.post(f"{visit}/{path}", data=theirs | {"version": version}).status_code == 409
    stored = assessor.stored(visit)
    assert stored.facts["pain"] == "mild" and stored.note == "甲的话"


def test_a_colleague_who_has_not_joined_may_look_but_not_write(assessor: Any) -> None:
    visit = assessor.start()
    assert assessor.second.get(f"{visit}/result").status_code == 200
    assert assessor.second.post(f"{visit}/{ITEMS}", data={"note.eating": "x"}).status_code == 403
    assert UUID(visit.rsplit("/", 1)[1]) and remarks(assessor, visit) == {}
