"""The way from a person to a locked result, as an assessor goes it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from yyassess import assess

GBT = "gbt-42195-2022"


def test_the_first_page_is_empty_and_offers_a_new_assessment(client: Any) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "还没有记录" in page.text and 'href="/visits/new"' in page.text


def test_the_place_s_bundle_is_ticked_beforehand_and_every_instrument_is_offered(assessor: Any, book: Any) -> None:
    visit = assessor.person().location.removesuffix("/consents")
    page = assessor.client.get(f"{visit}/instruments").text
    ticked = re.findall(r'name="instrument" value="([^"]+)" checked', page)
    chain = [place for place in reversed(book.chain("zhoushan")) if place.bundle]
    assert ticked == list(chain[0].bundle)
    offered = set(re.findall(r'name="instrument" value="([^"]+)"', page))
    assert offered == {i.id for i in book.instruments.values() if i.in_force.holds(assessor.stored(visit).visited_on)}


def test_each_dimension_is_a_page_and_no_answer_is_preset(assessor: Any, book: Any) -> None:
    visit = assessor.start()
    for dimension in book.instruments[GBT].dimensions:
        page = assessor.client.get(f"{visit}/{GBT}/items/{dimension.id}").text
        for item in dimension.items:
            assert f'id="item-{item.id}"' in page and item.name["zh"] in page
        assert " checked" not in page
    page = assessor.client.get(f"{visit}/{GBT}/context").text
    assert 'name="fact.coma"' in page and " checked" not in page


def test_each_post_saves_and_goes_on_to_the_next_page(assessor: Any) -> None:
    visit = assessor.start()
    answer = assessor.client.post(f"{visit}/{GBT}/items/self_care", data={"item.eating": "4"})
    assert (answer.status_code, answer.location) == (303, f"{visit}/{GBT}/items/basic_mobility")
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 4}
    answer = assessor.client.post(f"{visit}/{GBT}/items/basic_mobility", data={"go": "back", "item.stairs": "0"})
    assert answer.location == f"{visit}/{GBT}/items/self_care"
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 4, "stairs": 0}
    page = assessor.client.get(answer.location).text
    assert re.search(r'name="item.eating" value="4" checked', page)
    assert "<span data-count>2</span> / 26" in page


def test_pages_follow_one_another_to_the_check_page(assessor: Any) -> None:
    visit = assessor.start()
    way = [f"{visit}/{GBT}/items/self_care"]
    while not way[-1].endswith("/check"):
        way.append(assessor.client.post(way[-1], data={}).location)
    pages = [place.removeprefix(f"{visit}/{GBT}/") for place in way]
    assert pages[:5] == [
        "items/self_care",
        "items/basic_mobility",
        "items/mental_state",
        "items/perception_social",
        "context",
    ]
    assert len(pages) == 6


def test_the_check_page_names_each_gap_and_links_to_its_question(assessor: Any, book: Any) -> None:
    visit = assessor.start()
    page = assessor.client.get(f"{visit}/check").text
    for dimension in book.instruments[GBT].dimensions:
        for item in dimension.items:
            assert f'href="{visit}/{GBT}/items/{dimension.id}#item-{item.id}"' in page
    link = re.search(r'href="([^"#]+)#(fact-coma)"', page)
    assert link and f'id="{link[2]}"' in assessor.client.get(link[1]).text


def test_an_incomplete_draft_shows_what_is_still_possible_and_cannot_be_finished(assessor: Any) -> None:
    visit = assessor.start()
    assessor.client.post(f"{visit}/{GBT}/items/self_care", data={"item.eating": "0"})
    page = assessor.client.get(f"{visit}/result").text
    assert "还可能是：1 级到 4 级" in page and f"{visit}/submit" not in page
    assert assessor.submit(visit).status_code == 422
    assert not assessor.stored(visit).done


def test_finishing_stores_the_library_s_own_result_and_locks(assessor: Any, book: Any) -> None:
    visit = assessor.complete(bathing=2, memory=1)
    page = assessor.client.get(f"{visit}/result").text
    assert "1 级" in page and "能力轻度受损" in page and f"{visit}/submit" in page
    assessor.finish(visit)
    stored = assessor.stored(visit)
    expected = assess(
        GBT,
        {
            "date": "2026-11-22",
            "answers": dict(stored.assessments[0].answers),
            "context": {n: v for n, v in stored.facts.items()},
        },
        rules=book,
    )
    assert stored.done and stored.assessments[0].result == expected
    assert stored.assessments[0].ruleset_hash == expected["ruleset"]["hash"]
    assert stored.ruleset_hash == stored.determination["ruleset"]["hash"] == book.at("zhoushan", stored.visited_on).hash


def test_a_finished_record_cannot_be_changed_by_any_page(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    before = assessor.stored(visit)
    for path, data in (
        (f"{GBT}/items/self_care", {"item.eating": "0"}),
        (f"{GBT}/context", {"fact.coma": "yes"}),
        ("person", {"name": "别人"}),
        ("instruments", {"instrument": "ad8"}),
        ("instruments/ad8", {}),
        ("check", {"note": "改"}),
        ("more", {"fact.destitute_support": "yes"}),
        (f"{GBT}/items/self_care", {"note.eating": "改"}),
        ("consents", {"consent.photo": "yes", "by": "self"}),
        ("submit", {}),
        ("sign", {"typed": "main 某"}),
        ("sign/informant", {"name": "女儿", "typed": "女儿"}),
        ("join", {}),
        ("reopen", {}),
    ):
        assert assessor.client.post(f"{visit}/{path}", data=data).status_code == 409, path
    assert assessor.stored(visit) == before
    assert "已完成并锁定" in assessor.client.get(f"{visit}/result").text


def test_a_tampered_total_is_not_believed(assessor: Any) -> None:
    visit = assessor.start()
    assessor.client.post(f"{visit}/{GBT}/items/self_care", data={"item.eating": "0", "total": "90", "grade": "0"})
    assessor.fill(visit, eating=0)
    assessor.context(visit)
    forged = {"total": "90", "level": "0", "result": '{"grade": {"level": 0}}'}
    assessor.client.post(f"{visit}/submit", data=forged)
    assert assessor.sign(visit, **forged).status_code == 303
    assert assessor.sign(visit, assessor.second, "second 某", **forged).status_code == 303
    stored = assessor.stored(visit)
    assert stored.assessments[0].result["scores"]["total"] == 86
    assert stored.assessments[0].result["grade"]["level"] == 1


def test_a_coma_settles_the_grade_without_any_item(assessor: Any) -> None:
    visit = assessor.start()
    assert assessor.context(visit, coma="yes").status_code == 303
    page = assessor.client.get(f"{visit}/result").text
    assert "4 级" in page and f"{visit}/submit" in page
    assessor.finish(visit)


def test_a_contradiction_must_be_resolved_before_finishing(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.context(visit, coma="yes")  # with consciousness answered as alert
    check = assessor.client.get(f"{visit}/check").text
    assert "互相矛盾" in check and "#item-consciousness" in check
    assert assessor.submit(visit).status_code == 422
    assessor.client.post(f"{visit}/{GBT}/items/mental_state", data={"item.consciousness": "0"})
    assert assessor.submit(visit).status_code == 303


def test_facts_once_given_can_be_taken_back(assessor: Any) -> None:
    visit = assessor.start()
    where = f"{visit}/{GBT}/context"
    everything = {"fact.pain": "mild", "fact.height_cm": "160.5", "fact.living": ["alone"], "shown": "fact.living"}
    assessor.client.post(where, data=everything)
    facts = assessor.stored(visit).facts
    assert (facts["pain"], facts["height_cm"], facts["living"]) == ("mild", 160.5, ["alone"])
    assessor.client.post(where, data={"fact.pain": "", "fact.height_cm": "", "shown": "fact.living"})
    assert not {"pain", "height_cm", "living"} & set(assessor.stored(visit).facts)


def test_none_of_these_is_an_answer_and_no_tick_is_none(assessor: Any) -> None:
    visit = assessor.start()
    where = f"{visit}/{GBT}/context"
    assessor.client.post(where, data={"shown": "fact.diagnoses"})
    assert "diagnoses" not in assessor.stored(visit).facts
    assessor.client.post(where, data={"shown": "fact.diagnoses", "fact.diagnoses": "-none-"})
    assert assessor.stored(visit).facts["diagnoses"] == []
    page = assessor.client.get(where).text
    assert re.search(r'name="fact.diagnoses" value="-none-" checked', page)


def test_more_facts_settle_more_outcomes(assessor: Any) -> None:
    visit = assessor.complete()
    page = assessor.client.get(f"{visit}/more").text
    asked = set(re.findall(r'name="fact\.([^"]+)"', page))
    assert "destitute_support" in asked
    answer = assessor.client.post(f"{visit}/more", data={"fact.destitute_support": "no"})
    assert answer.location == f"{visit}/result#outcomes"
    assert assessor.stored(visit).facts["destitute_support"] is False
    again = assessor.client.get(f"{visit}/more").text
    assert "已经填过的" in again and 'name="fact.destitute_support" value="no" checked' in again


def test_an_instrument_that_an_outcome_hangs_on_can_be_added(assessor: Any) -> None:
    visit = assessor.complete()
    assert f"{visit}/instruments/ltci-2021-37" in assessor.client.get(f"{visit}/more").text
    answer = assessor.client.post(f"{visit}/instruments/ltci-2021-37")
    assert answer.location.startswith(f"{visit}/ltci-2021-37/items/")
    assert [a.instrument for a in assessor.stored(visit).assessments] == [GBT, "ltci-2021-37"]


def test_an_unconfirmed_result_says_so_everywhere(assessor: Any) -> None:
    visit = assessor.start("ltci-2021-37")
    assessor.fill(visit, "ltci-2021-37")
    page = assessor.client.get(f"{visit}/result").text
    assert re.search(r'class="weui-badge badge">未核对<', page) and "不得用于正式报告" in page
    assessor.finish(visit)
    assert "未核对" in assessor.client.get(f"{visit}/result").text
    assert "未核对" in assessor.client.get("/").text


def test_a_second_visit_to_the_same_person_is_found_by_the_number(assessor: Any) -> None:
    first, second = assessor.start(), assessor.start(name=" 王 测试 ")
    assert assessor.stored(first).person.id == assessor.stored(second).person.id


def test_the_same_page_sent_twice_starts_one_visit(assessor: Any) -> None:
    page = assessor.client.get("/visits/new").text
    found = re.search(r'name="visit" value="([^"]+)"', page)
    assert found
    assessor.person(visit=found[1])
    assessor.person(visit=found[1])
    assert assessor.client.get("/").text.count('class="card"') == 1


def test_assessing_again_takes_over_the_person_and_no_answer(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    answer = assessor.client.post(f"{visit}/again")
    new = answer.location.removesuffix("/person")
    stored = assessor.stored(new)
    assert stored.person.id == assessor.stored(visit).person.id
    assert [(a.instrument, dict(a.answers)) for a in stored.assessments] == [(GBT, {})] and not stored.facts


def test_correcting_a_draft_leaves_the_finished_record_as_it_was(assessor: Any) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    new = assessor.client.post(f"{visit}/again").location.removesuffix("/person")
    changed = {"name": "王改名", "citizen_id": assessor.stored(visit).person.citizen_id}
    changed |= {"place": "national", "visited_on": "2026-11-21"}
    assert assessor.client.post(f"{new}/person", data=changed).status_code == 303
    assert assessor.stored(new).person.name == "王改名" and assessor.stored(new).place == "national"
    assert assessor.stored(visit).person.name == "王测试"


def test_the_list_shows_drafts_first_with_progress_and_a_masked_number(assessor: Any) -> None:
    done = assessor.complete()
    assessor.finish(done)
    draft = assessor.start()
    assessor.client.post(f"{draft}/{GBT}/items/self_care", data={"item.eating": "4"})
    page = assessor.client.get("/").text
    assert page.index(draft) < page.index(done)
    assert "已答 1 / 26" in page and "999999********" in page
    assert assessor.stored(draft).person.citizen_id not in page
    assert f'href="{draft}/{GBT}/items/self_care"' in page, "go on where the first answer is missing"


def test_records_are_found_by_name_or_number_written_in_any_way(assessor: Any) -> None:
    visit = assessor.start()
    number = assessor.stored(visit).person.citizen_id
    for words, found in (("王测试", True), (" 王测 试", True), (number, True), ("王", True), (number[:6], False)):
        page = assessor.client.post("/search", data={"words": words}).text
        assert (visit in page) is found, words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_a_visit_speaks_the_chosen_language(assessor: Any, language: str) -> None:
    visit = assessor.complete()
    assessor.client.set_cookie("lang", language)
    other = "保存，下一步" if language == "en" else "Save and go on"
    for path in ("person", "instruments", f"{GBT}/items/self_care", f"{GBT}/context", "check", "result", "more"):
        page = assessor.client.get(f"{visit}/{path}")
        assert page.status_code == 200
        assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}"' in page.text
        assert other not in page.text, path


def test_changing_the_language_in_the_middle_of_a_page_saves_the_page(assessor: Any) -> None:
    visit = assessor.start()
    where = f"{visit}/{GBT}/items/self_care"
    answer = assessor.client.post(where, data={"item.eating": "3", "go": "language:en"})
    assert answer.location == where
    assert dict(assessor.stored(visit).assessments[0].answers) == {"eating": 3}
    assert "Self-care" in assessor.client.get(where).text


def test_changing_the_size_on_a_half_filled_person_page_keeps_what_was_typed(client: Any) -> None:
    visit = re.search(r'name="visit" value="([^"]+)"', client.get("/visits/new").text)
    assert visit
    answer = client.post("/visits/new", data={"visit": visit[1], "name": "王半页", "go": "size:largest"})
    assert answer.status_code == 200 and 'value="王半页"' in answer.text
    assert 'data-size="largest"' in answer.text and 'role="alert"' not in answer.text
    assert client.get("/").text.count('data-size="largest"') == 1
