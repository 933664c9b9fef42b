"""What must not happen when somebody sends nonsense: each is refused beside its question, and nothing is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

GBT = "gbt-42195-2022"


@pytest.mark.parametrize("wrong", ["7", "-1", "4.5", "true", "NaN", "四", "4 ", "1e0", "٤"])
def test_a_score_that_is_not_printed_is_refused_and_the_rest_is_saved(assessor: Any, wrong: str) -> None:
    visit = assessor.start()
    data = {"item.eating": wrong, "item.grooming": "3"}
    answer = assessor.client.post(f"{visit}/{GBT}/items/self_care", data=data)
    if wrong.strip() == "4":
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    question = re.search(r'id="item-eating".*?</fieldset>', answer.text, re.S)
    assert question and "请从列出的选项中选一项" in question[0] and 'aria-invalid="true"' in question[0]
    assert re.search(r'name="item.grooming" value="3" checked', answer.text)
    assert dict(assessor.stored(visit).assessments[0].answers) == {"grooming": 3}


def test_an_unknown_item_is_named_and_not_stored(assessor: Any) -> None:
    visit = assessor.start()
    data = {"item.flying": "4", "item.stairs": "3", "item.eating": "4"}
    answer = assessor.client.post(f"{visit}/{GBT}/items/self_care", data=data)
    assert answer.status_code == 422
    assert "flying" in answer.text and "stairs" in answer.text
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 4}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fact.coma", "maybe"),
        ("fact.diagnoses", "dragon_pox"),
        ("fact.diagnoses", ["-none-", "dementia"]),
        ("fact.care_risk_events.fall", "seven"),
        ("fact.height_cm", "tall"),
        ("fact.height_cm", "1600"),
        ("fact.height_cm", "160.55"),
        ("fact.medications", "药" * 2001),
    ],
)
def test_a_fact_out_of_range_is_refused_and_stays_in_its_field(assessor: Any, field: str, value: Any) -> None:
    visit = assessor.start()
    data = {field: value, "shown": "fact.diagnoses", "fact.pain": "mild"}
    answer = assessor.client.post(f"{visit}/{GBT}/context", data=data)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert dict(assessor.stored(visit).facts) == {"pain": "mild"}
    if field == "fact.height_cm":
        assert f'value="{value}"' in answer.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "请填姓名"),
        ({"name": "王" * 61}, "最多 60 个字"),
        ({"name": "王\x07"}, "无法显示"),
        ({"citizen_id": "123"}, "共 18 位"),
        ({"citizen_id": "110105194912310021"}, "最后一位校验不符"),
        ({"citizen_id": "110105194913310026"}, "没有这个日期"),
        ({"citizen_id": ""}, "请填出生日期"),
        ({"citizen_id": "", "birth_date": "2026-11-23", "sex": "female"}, "1900 年到评估日期"),
        ({"citizen_id": "", "birth_date": "1899-12-31", "sex": "female"}, "1900 年到评估日期"),
        ({"citizen_id": "", "birth_date": "1941-05-02", "sex": "other"}, "请选择性别"),
        ({"place": "atlantis"}, "请选择地区"),
        ({"place": ""}, "请选择地区"),
        ({"visited_on": "2026-11-23"}, "不能晚于今天"),
        ({"visited_on": "2026-02-30"}, "请填评估日期"),
        ({"visited_on": "0001-01-01"}, "请核对年份"),
    ],
)
def test_a_wrong_field_of_the_person_is_named_and_what_was_typed_stays(
    assessor: Any, changes: dict[str, str], words: str
) -> None:
    answer = assessor.person(**changes)
    assert answer.status_code == 422
    assert words in answer.text and 'aria-invalid="true"' in answer.text
    if "name" not in changes:
        assert 'value="王测试"' in answer.text
    assert "还没有记录" in assessor.client.get("/").text


def test_the_number_of_another_person_is_refused_without_telling_the_name(assessor: Any) -> None:
    assessor.start()
    answer = assessor.person(name="李四")
    assert answer.status_code == 422
    assert "已登记在另一个姓名（王**）名下" in answer.text and "王测试" not in answer.text


def test_a_birth_date_typed_beside_a_number_gives_way_to_the_number(assessor: Any) -> None:
    visit = assessor.start(birth_date="1950-01-01", sex="male")
    person = assessor.stored(visit).person
    assert (person.birth_date.isoformat(), person.sex) == ("1941-05-02", "female")


@pytest.mark.parametrize(
    "script", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "%(x)s"]
)
def test_markup_in_names_notes_and_facts_is_shown_as_text(assessor: Any, script: str) -> None:
    visit = assessor.start(name=script)
    assessor.fill(visit)
    assessor.context(visit, medications=script, contact_name=script)
    assessor.client.post(f"{visit}/check", data={"note": script})
    for path in ("/", f"{visit}/check", f"{visit}/result", f"{visit}/{GBT}/context", f"{visit}/person"):
        page = assessor.client.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text and "<img src=x" not in page.text
        assert "49" not in re.findall(r'class="who">([^<]*)<', page.text)
    assert assessor.stored(visit).person.name == script and assessor.stored(visit).note == script


def test_a_long_note_is_refused_and_comes_back(assessor: Any) -> None:
    visit = assessor.start()
    answer = assessor.client.post(f"{visit}/check", data={"note": "长" * 2001})
    assert answer.status_code == 422 and "长" * 2001 in answer.text
    assert assessor.stored(visit).note == ""


def test_five_megabytes_get_a_friendly_page(assessor: Any) -> None:
    visit = assessor.start()
    answer = assessor.client.post(f"{visit}/check", data={"note": "x" * 5_000_000})
    assert answer.status_code == 413 and "内容太大" in answer.text


@pytest.mark.parametrize("chosen", [[], ["no-such-scale"]])
def test_instruments_outside_the_list_are_refused(assessor: Any, chosen: list[str]) -> None:
    visit = assessor.start()
    answer = assessor.client.post(f"{visit}/instruments", data={"instrument": chosen})
    assert answer.status_code == 422
    assert [a.instrument for a in assessor.stored(visit).assessments] == [GBT]


def test_an_instrument_with_answers_cannot_be_taken_away(assessor: Any) -> None:
    visit = assessor.start()
    assessor.client.post(f"{visit}/{GBT}/items/self_care", data={"item.eating": "4"})
    assert assessor.client.post(f"{visit}/instruments", data={"instrument": ["ad8"]}).status_code == 422
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 4}


@pytest.mark.parametrize(
    "path",
    [
        "/visits/00000000-0000-0000-0000-000000000000/result",
        "/visits/not-an-id/result",
        "{visit}/mmse/items/entries",
        "{visit}/gbt-42195-2022/items/nothing",
        "{visit}/nothing/context",
        "/visits/00000000-0000-0000-0000-000000000000/person",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(assessor: Any, path: str) -> None:
    visit = assessor.start()
    answer = assessor.client.get(path.format(visit=visit))
    assert answer.status_code == 404 and "回首页" in answer.text


def test_an_unknown_instrument_cannot_be_added(assessor: Any) -> None:
    visit = assessor.start()
    assert assessor.client.post(f"{visit}/instruments/no-such-scale").status_code == 404


def test_a_start_without_its_id_is_refused(client: Any) -> None:
    assert client.post("/visits/new", data={"visit": "1"}).status_code == 400


def test_the_number_is_checked_while_it_is_typed(client: Any) -> None:
    good = client.post("/people/check", data={"citizen_id": "11010519491231002x", "visited_on": "2026-11-22"})
    assert good.json == {
        "ok": True,
        "birth_date": "1949-12-31",
        "sex": "female",
        "say": "1949年12月31日出生，女，76 周岁",
    }
    bad = client.post("/people/check", data={"citizen_id": "110105194912310021", "visited_on": "?"})
    assert bad.json["ok"] is False and "校验不符" in bad.json["say"]


def test_without_a_script_a_button_checks_the_number(assessor: Any) -> None:
    answer = assessor.person(check="1", name="")
    assert answer.status_code == 200
    assert "1941年5月2日出生，女，85 周岁" in answer.text and "请填姓名" not in answer.text
    assert re.search(r'name="birth_date" value="1941-05-02"', answer.text)


def test_answers_that_newer_rules_refuse_are_asked_again(assessor: Any, database: Any) -> None:
    from uuid import UUID

    from webapp.storage import visits

    visit = assessor.complete()
    id = UUID(visit.rsplit("/", 1)[1])
    with database.writing() as session:
        visits.save_answers(session, id, GBT, {"eating": 9, "left_the_scale": 1})
        visits.save_facts(session, database.cipher, id, {"pain": "gone_code"}, private=())
    check = assessor.client.get(f"{visit}/check")
    assert check.status_code == 200 and "规则已更新" in check.text and "#item-eating" in check.text
    assert assessor.client.get(f"{visit}/result").status_code == 200
    assert assessor.submit(visit).status_code == 422
