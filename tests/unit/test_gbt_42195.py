"""GB/T 42195-2022: its figures as a person would check them, and the mistakes met elsewhere that must not be made here.

The figures are written out once more in plain Python, so that a slip in the rule file cannot hide behind itself.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yyassess import InputError, Rulebook, assess

GBT = "gbt-42195-2022"

#: The highest score of every item, by dimension; every whole number from 0 up to it is a score.
HIGHEST = {
    "self_care": {
        "eating": 4,
        "grooming": 4,
        "bathing": 4,
        "dressing_upper": 4,
        "dressing_lower": 4,
        "bladder_control": 4,
        "bowel_control": 4,
        "toileting": 4,
    },
    "basic_mobility": {"bed_mobility": 4, "bed_chair_transfer": 4, "level_walking": 4, "stairs": 3},
    "mental_state": {
        "orientation_time": 4,
        "orientation_place": 4,
        "orientation_person": 4,
        "memory": 4,
        "comprehension": 4,
        "expression": 4,
        "aggression": 1,
        "depressive_symptoms": 1,
        "consciousness": 2,
    },
    "perception_social": {"vision": 2, "hearing": 2, "daily_affairs": 4, "transport": 3, "social_contact": 4},
}
ITEMS = {item: highest for dimension in HIGHEST.values() for item, highest in dimension.items()}
BEST = dict(ITEMS)
EVENTS = ("fall", "wandering", "choking", "suicide_self_harm", "other_event")
COUNTS = {"none": 0, "once": 1, "twice": 2, "three_or_more": 3}
NOTHING = {
    "coma": False,
    "diagnoses": [],
    "psychiatrist_diagnosis": False,
    "care_risk_events": dict.fromkeys(EVENTS, "none"),
}


def band(total: int) -> int:
    """The printed levels: 90; 66-89; 46-65; 30-45; 0-29."""
    if total == 90:
        return 0
    if 66 <= total <= 89:
        return 1
    if 46 <= total <= 65:
        return 2
    if 30 <= total <= 45:
        return 3
    return 4


def expected(answers: dict[str, int], context: dict[str, Any], other_counts: bool = True) -> tuple[int, int | None]:
    """The final and the preliminary level, as the standard's text reads."""
    if context.get("coma"):
        return 4, None
    preliminary = band(sum(answers.values()))
    diagnoses = context.get("diagnoses", [])
    events = context.get("care_risk_events", {})
    counted = sum(COUNTS[how_often] for kind, how_often in events.items() if other_counts or kind != "other_event")
    trigger = (
        "dementia" in diagnoses
        or ("other_mental_disorder" in diagnoses and context.get("psychiatrist_diagnosis", False))
        or counted >= 2
    )
    return (min(4, preliminary + 1) if trigger else preliminary), preliminary


def adding_up_to(total: int, **fixed: int) -> dict[str, int]:
    """Answers with that total: points are taken away from item after item; ``fixed`` items stay as given."""
    answers = {**BEST, **fixed}
    surplus = sum(answers.values()) - total
    for item in ITEMS:
        if item not in fixed:
            taken = min(surplus, answers[item])
            answers[item] -= taken
            surplus -= taken
    assert surplus == 0
    return answers


def grade(answers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return assess(GBT, {"date": "2026-11-22", "answers": answers, **rest})


def level(answers: dict[str, Any], **rest: Any) -> int | None:
    found = grade(answers, **rest)["grade"]
    return None if found is None else found["level"]


def faults(request: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(InputError) as caught:
        assess(GBT, request)
    return caught.value.errors


# -- the form -----------------------------------------------------------------------------------------------
def test_there_are_26_items_in_four_groups_with_the_printed_scores(book: Rulebook) -> None:
    it = book.instruments[GBT]
    found = {
        d.id: {i.id: [o.score for o in (it.ladders[i.ladder] if i.ladder else i.options)] for i in d.items}
        for d in it.dimensions
    }
    assert found == {d: {i: list(range(high, -1, -1)) for i, high in items.items()} for d, items in HIGHEST.items()}
    assert [i.code for d in it.dimensions for i in d.items] == [
        f"B.{group}.{number}" for group, count in enumerate((8, 4, 9, 5), 1) for number in range(1, count + 1)
    ]
    assert [d.name["zh"] for d in it.dimensions] == ["自理能力", "基础运动能力", "精神状态", "感知觉与社会参与"]


def test_the_groups_add_up_to_32_15_28_and_15_and_all_to_90() -> None:
    assert grade(BEST)["scores"] == {
        "self_care": 32,
        "basic_mobility": 15,
        "mental_state": 28,
        "perception_social": 15,
        "total": 90,
    }


def test_there_are_five_levels_with_the_printed_names(book: Rulebook) -> None:
    assert [(lv.level, lv.code, lv.name["zh"]) for lv in book.instruments[GBT].levels] == [
        (0, "intact", "能力完好"),
        (1, "mild", "能力轻度受损（轻度失能）"),
        (2, "moderate", "能力中度受损（中度失能）"),
        (3, "severe", "能力重度受损（重度失能）"),
        (4, "total", "能力完全丧失（完全失能）"),
    ]


def test_every_option_is_worded_in_both_languages(book: Rulebook) -> None:
    it = book.instruments[GBT]
    options = [o for d in it.dimensions for i in d.items for o in (it.ladders[i.ladder] if i.ladder else i.options)]
    assert all(o.say["zh"].strip() and o.say["en"].strip() for o in options)


# -- levels -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("total", range(91))
def test_every_total_from_0_to_90_has_its_printed_level(total: int) -> None:
    result = grade(adding_up_to(total), context=NOTHING)
    assert result["scores"]["total"] == total
    assert result["grade"]["level"] == result["preliminary"]["level"] == band(total)
    assert result["adjustments"] == []


@pytest.mark.parametrize("item", ITEMS)
def test_one_point_lost_anywhere_gives_level_1(item: str) -> None:
    assert level(BEST | {item: ITEMS[item] - 1}) == 1


def once(*events: str) -> dict[str, Any]:
    return {"care_risk_events": dict.fromkeys(events, "once")}


@pytest.mark.parametrize(
    ("total", "context", "final"),
    [
        (90, {}, 0),
        (89, {}, 1),
        (66, {}, 1),
        (65, {}, 2),
        (46, {}, 2),
        (45, {}, 3),
        (30, {}, 3),
        (29, {}, 4),
        (0, {}, 4),
        (90, {"diagnoses": ["dementia"]}, 1),
        (66, {"diagnoses": ["dementia"], "care_risk_events": {"fall": "twice"}}, 2),
        (45, {"diagnoses": ["dementia"]}, 4),
        (29, {"diagnoses": ["dementia"]}, 4),
        (70, once("fall", "choking"), 2),
        (70, once("fall"), 1),
        (70, {"care_risk_events": {"fall": "three_or_more"}}, 2),
        (70, {"diagnoses": ["other_mental_disorder"], "psychiatrist_diagnosis": False}, 1),
        (70, {"diagnoses": ["other_mental_disorder"]}, 1),
        (70, {"diagnoses": ["other_mental_disorder"], "psychiatrist_diagnosis": True}, 2),
    ],
)
def test_the_worked_vectors_of_the_standard(total: int, context: dict[str, Any], final: int) -> None:
    assert level(adding_up_to(total), context=context) == final


def test_coma_is_level_4_without_any_item() -> None:
    result = grade({}, context={"coma": True})
    assert result["complete"] is True
    assert result["grade"]["level"] == 4
    assert result["preliminary"] is None and result["scores"] == {} and result["missing"] == []
    assert [(a["id"], a["source"]["clause"]) for a in result["adjustments"]] == [("coma_override", "C.4")]
    assert {d["id"] for d in result["decisions"]} == {"GB-D5", "GB-D6"}


def test_stupor_or_coma_as_an_answer_is_not_the_coma_flag() -> None:
    result = grade(adding_up_to(60, consciousness=0), context={"coma": False})
    assert result["grade"]["level"] == 2
    assert result["adjustments"] == []


def somebody(seed: int) -> tuple[dict[str, int], dict[str, Any], bool]:
    rng = random.Random(seed)
    leaning = rng.random()
    answers = {i: high if rng.random() < leaning else rng.randint(0, high) for i, high in ITEMS.items()}
    others = ["hypertension", "parkinsonism", "epilepsy", "other_diagnosis"]
    ticked = [d for d in ("dementia", "other_mental_disorder") if rng.random() < 0.2]
    context = {
        "coma": rng.random() < 0.1,
        "diagnoses": ticked + rng.sample(others, rng.randint(0, 3)),
        "psychiatrist_diagnosis": rng.random() < 0.5,
        "care_risk_events": {e: rng.choices(list(COUNTS), (8, 2, 1, 1))[0] for e in EVENTS},
    }
    return answers, {name: context[name] for name in context if rng.random() < 0.9}, rng.random() < 0.5


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_library_grades_everybody_as_the_plain_reading_of_the_standard_does(seed: int) -> None:
    answers, context, other_counts = somebody(seed)
    result = grade(answers, context=context, settings={"count_other_events": other_counts})
    final, preliminary = expected(answers, context, other_counts)
    assert result["grade"]["level"] == final
    assert (result["preliminary"] or {}).get("level") == preliminary
    if preliminary is not None:
        sums = {d: sum(answers[i] for i in items) for d, items in HIGHEST.items()}
        assert result["scores"] == {**sums, "total": sum(answers.values())}
        assert {d: part["score"] for d, part in result["dimensions"].items()} == sums


# -- mistakes met elsewhere ---------------------------------------------------------------------------------
def test_g1_the_bands_are_not_reversed() -> None:
    assert [level(adding_up_to(total)) for total in (20, 21, 45, 66, 90)] == [4, 4, 3, 1, 0]


@pytest.mark.parametrize("score", [5, 10, -1])
def test_g2_no_item_is_scored_0_to_10(score: int) -> None:
    [fault] = faults({"answers": BEST | {"eating": score}})
    assert (fault["where"], fault["given"], sorted(fault["allowed"])) == ("answers.eating", score, [0, 1, 2, 3, 4])


def test_g3_intact_is_90_only_and_nothing_lies_above() -> None:
    assert level(BEST) == 0
    assert sum(BEST.values()) == 90
    assert all(level(BEST | {item: high - 1}) == 1 for item, high in ITEMS.items())


@pytest.mark.parametrize("score", [3.5, 3.99, 0.1])
def test_g4_a_score_is_a_whole_number(score: float) -> None:
    [fault] = faults({"answers": BEST | {"eating": score}})
    assert fault["where"] == "answers.eating"


def test_g5_mental_state_adds_up_to_28_not_29() -> None:
    assert grade(BEST)["dimensions"]["mental_state"]["max"] == 28


def test_g6_transport_is_scored_3_to_0() -> None:
    assert [grade(BEST | {"transport": n})["scores"]["total"] for n in (3, 2, 1, 0)] == [90, 89, 88, 87]


def test_g7_the_worst_group_does_not_decide() -> None:
    lost = dict.fromkeys(HIGHEST["perception_social"], 0)
    assert level(BEST | lost) == 1


def test_g8_the_ten_questions_of_another_form_are_refused() -> None:
    found = faults({"answers": {f"q{n}": 3 for n in range(1, 11)}})
    assert [f["where"] for f in found] == [f"answers.q{n}" for n in range(1, 11)]


def test_g9_bathing_and_upper_dressing_are_needed() -> None:
    answers = {i: s for i, s in BEST.items() if i not in ("bathing", "dressing_upper")}
    result = grade(answers)
    assert result["complete"] is False and result["grade"] is None
    assert result["missing"] == ["bathing", "dressing_upper"]
    assert result["bounds"] == {"best": 0, "worst": 1}


def test_g10_the_groups_and_the_number_of_the_standard_are_its_own(book: Rulebook) -> None:
    it = book.instruments[GBT]
    assert not any("日常生活活动" in d.name["zh"] for d in it.dimensions)
    assert book.documents[it.source.document].number == "GB/T 42195-2022"


def words(book: Rulebook, item: str, score: int) -> str:
    it = book.instruments[GBT]
    [found] = [i for d in it.dimensions for i in d.items if i.id == item]
    [option] = [o for o in (it.ladders[found.ladder] if found.ladder else found.options) if o.score == score]
    return str(option.say["zh"])


def test_g11_bowel_control_3_is_less_than_once_a_week(book: Rulebook) -> None:
    assert "每周" in words(book, "bowel_control", 3)
    assert "每天" not in words(book, "bowel_control", 3)


def test_g12_level_walking_2_is_a_little_support(book: Rulebook) -> None:
    assert "少量" in words(book, "level_walking", 2)
    assert "大量" in words(book, "level_walking", 1)


def test_g13_orientation_to_time_4_asks_for_year_and_month_not_for_the_hour(book: Rulebook) -> None:
    assert "年、月" in words(book, "orientation_time", 4)
    assert "时辰" not in words(book, "orientation_time", 4) and "小时" not in words(book, "orientation_time", 4)


def test_g14_two_triggers_raise_one_level_and_the_result_names_the_decision() -> None:
    context = {
        "diagnoses": ["dementia", "other_mental_disorder"],
        "psychiatrist_diagnosis": True,
        "care_risk_events": {"fall": "three_or_more"},
    }
    result = grade(adding_up_to(70), context=context)
    assert result["grade"]["level"] == 2
    assert [(a["id"], a["levels"]) for a in result["adjustments"]] == [
        ("dementia_raise", 1),
        ("psychiatric_raise", 0),
        ("events_raise", 0),
    ]
    assert "GB-D1" in [d["id"] for d in result["decisions"]]


@pytest.mark.parametrize("first", EVENTS)
@pytest.mark.parametrize("second", EVENTS)
def test_g15_events_of_any_two_types_add_up(first: str, second: str) -> None:
    events = {first: "twice"} if first == second else {first: "once", second: "once"}
    assert level(adding_up_to(70), context={"care_risk_events": events}) == 2


def test_g16_self_harm_counts_and_other_events_count_unless_set_otherwise() -> None:
    other = {"care_risk_events": {"other_event": "twice"}}
    assert level(adding_up_to(70), context={"care_risk_events": {"suicide_self_harm": "twice"}}) == 2
    assert level(adding_up_to(70), context=other) == 2
    assert level(adding_up_to(70), context=other, settings={"count_other_events": False}) == 1


@pytest.mark.parametrize("consciousness", [0, 1, 2])
def test_g17_the_score_of_consciousness_never_means_coma(consciousness: int) -> None:
    answers = BEST | {"consciousness": consciousness}
    assert level(answers) == (0 if consciousness == 2 else 1)


def test_g18_coma_is_never_preset_to_yes() -> None:
    result = grade(BEST)
    assert result["assumed"]["coma"] is False
    [warning] = [w for w in result["warnings"] if w["id"] == "assumed"]
    assert "coma" in warning["items"]


def test_g19_the_tick_decides_not_a_free_text() -> None:
    context = {"other_health": "老年痴呆（F00）", "medications": "多奈哌齐（痴呆）"}
    assert level(adding_up_to(70), context=context) == 1
    [fault] = faults({"answers": BEST, "context": {"diagnoses": "痴呆"}})
    assert fault["where"] == "context.diagnoses"


@pytest.mark.parametrize(("psychiatrist", "final"), [(None, 1), (False, 1), (True, 2)])
def test_g20_other_mental_disorders_raise_only_with_a_psychiatrist(psychiatrist: bool | None, final: int) -> None:
    context = {"diagnoses": ["other_mental_disorder"], "psychiatrist_diagnosis": psychiatrist}
    result = grade(adding_up_to(70), context=context)
    assert result["grade"]["level"] == final
    decisions = [d["id"] for d in result["decisions"]]
    assert ("GB-D9" in decisions) is (final == 1)
    assert ("H6" in [w["id"] for w in result["warnings"]]) is (final == 1)


def test_g21_there_are_22_diagnoses_and_other_with_the_printed_codes(book: Rulebook) -> None:
    codes = book.facts["diagnoses"].codes
    assert len(codes) == 23 and "other_diagnosis" in codes
    assert "C00-D48" in codes["tumour"].name["zh"]
    assert "K74" in codes["liver_cirrhosis"].name["zh"]
    assert "E01-E03" in codes["hypothyroidism"].name["zh"]
    assert "F00-F03" in codes["dementia"].name["zh"]
    assert "F04-F99" in codes["other_mental_disorder"].name["zh"]


def test_g22_the_lists_of_annex_a_are_its_own(book: Rulebook) -> None:
    assert book.facts["medical_payment"].codes["resident_insurance"].name["zh"] == "城乡居民基本医疗保险"
    assert set(book.facts["living"].codes).isdisjoint(book.facts["education"].codes)
    assert set(book.facts["living"].codes) == {
        "alone",
        "with_spouse",
        "with_children",
        "with_parents",
        "with_siblings",
        "with_other_relatives",
        "with_non_relatives",
        "institution",
    }
    names = {i.id: i.name["zh"] for d in book.instruments[GBT].dimensions for i in d.items}
    assert names["bed_chair_transfer"] == "床椅转移"


@pytest.mark.parametrize("key", ["total", "level", "grade", "scores"])
def test_g23_a_total_or_level_of_the_client_is_refused(key: str) -> None:
    assert [f["where"] for f in faults({"answers": BEST | {key: 90}})] == [f"answers.{key}"]
    assert [f["where"] for f in faults({"answers": BEST, key: 0})] == [key]


def test_g24_level_4_is_not_raised() -> None:
    result = grade(adding_up_to(0), context={"diagnoses": ["dementia"], "care_risk_events": {"fall": "twice"}})
    assert result["grade"]["level"] == 4
    assert {a["levels"] for a in result["adjustments"]} == {0}
    assert "GB-D2" in [d["id"] for d in result["decisions"]]


def test_g25_items_answered_before_coma_was_set_do_not_score() -> None:
    result = grade(BEST | {"consciousness": 0}, context={"coma": True})
    blank = grade({}, context={"coma": True})
    assert result["grade"] == blank["grade"] and result["trace"] == blank["trace"]
    assert result["scores"] == {} and result["dimensions"] == {}
    [warning] = [w for w in result["warnings"] if w["id"] == "not_counted"]
    assert warning["items"] == list(ITEMS)


def test_g26_no_diagnosis_but_dementia_and_mental_disorders_raises_and_a_bare_code_is_refused(book: Rulebook) -> None:
    for code in book.facts["diagnoses"].codes:
        raised = code in ("dementia", "other_mental_disorder")
        context = {"diagnoses": [code], "psychiatrist_diagnosis": True}
        assert level(adding_up_to(70), context=context) == (2 if raised else 1), code
    [fault] = faults({"answers": BEST, "context": {"diagnoses": ["G30"]}})
    assert fault["where"] == "context.diagnoses"


# -- hints and bad input ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("hint", "answers", "context"),
    [
        ("H1", {"consciousness": 1}, {"coma": True}),
        ("H2", {"eating": 1}, {"special_care": ["gastric_tube"]}),
        ("H3", {"bladder_control": 1}, {"special_care": ["urinary_catheter"]}),
        ("H4", {"eating": 3}, {"swallowing": ["cough_choke"]}),
        ("H5", {}, {"wounds": ["none", "burn"]}),
        ("H6", {}, {"diagnoses": ["other_mental_disorder"], "psychiatrist_diagnosis": False}),
    ],
)
def test_a_contradiction_is_pointed_out_and_changes_no_score(
    hint: str, answers: dict[str, int], context: dict[str, Any]
) -> None:
    result = grade(BEST | answers, context=context)
    assert hint in [w["id"] for w in result["warnings"]]
    assert result["grade"]["level"] == expected(BEST | answers, context)[0]


def test_the_severity_of_a_contradiction_about_coma_blocks_the_form() -> None:
    result = grade(BEST, context={"coma": True})
    assert [w["severity"] for w in result["warnings"] if w["id"] == "H1"] == ["block"]


@pytest.mark.parametrize(
    "score", [True, False, "4", "四", "", float("nan"), float("inf"), [4], {"score": 4}, 10**400, 4.5, -1]
)
def test_anything_but_a_printed_score_is_refused(score: Any) -> None:
    [fault] = faults({"answers": BEST | {"eating": score}})
    assert fault["where"] == "answers.eating"
    assert sorted(fault["allowed"]) == [0, 1, 2, 3, 4]
    assert fault["say"]["zh"] and fault["say"]["en"]


def test_a_missing_item_and_an_item_given_as_null_are_the_same() -> None:
    answers = {i: s for i, s in BEST.items() if i != "memory"}
    assert grade(answers) == grade({**answers, "memory": None})


def test_all_faults_of_a_request_come_at_once() -> None:
    found = faults(
        {
            "date": "2026-02-30",
            "answers": {"eating": 9, "stairs": 4, "eatng": 3},
            "context": {"coma": "yes", "diagnosis": []},
            "settings": {"count_other_events": 1},
            "answer": {},
        }
    )
    assert {f["where"] for f in found} == {
        "date",
        "answers.eating",
        "answers.stairs",
        "answers.eatng",
        "context.coma",
        "context.diagnosis",
        "settings.count_other_events",
        "answer",
    }
    [misspelt] = [f for f in found if f["where"] == "answers.eatng"]
    assert "'eating'" in misspelt["say"]["en"]
