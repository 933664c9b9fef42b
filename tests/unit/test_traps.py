"""Confusions met in public code and on web pages, each as a test: scales that must not be mixed, figures of another
place or year, and what an engine must never do in silence. The traps of a single scale stand with that scale's tests.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from yyassess import InputError, Rulebook, assess, determine
from yyassess.assessment.scoring import scorer

GBT, LTCI, MZT = "gbt-42195-2022", "ltci-2021-37", "mzt-039-2013"
NEED, SELF_CARE, SCREEN = "nursing-need-2019-48", "phs-self-care", "ltci-self-screen"
TODAY = "2026-11-22"


def typed(instrument: str, level: int, day: str = "2026-10-01") -> dict[str, Any]:
    """A grade as an assessor types it in from a signed conclusion."""
    return {"instrument": instrument, "date": day, "grade": {"level": level}}


def outcome(programme: str, place: str, *assessments: dict[str, Any], on: str = TODAY, **facts: Any) -> dict[str, Any]:
    found = determine({"facts": facts, "assessments": list(assessments)}, place=place, on=on)
    [one] = [o for o in found["outcomes"] if o["programme"] == programme]
    return one  # type: ignore[no-any-return]


def amounts(found: dict[str, Any]) -> dict[str, Any]:
    """The known amounts by benefit, with their units; national guide values are no amounts."""
    return {b["id"]: (b["amount"], b["unit"]) for b in found["benefits"] if b.get("amount") is not None}


def where(case: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        determine(case, place="national", on=TODAY)
    return [fault["where"] for fault in caught.value.errors]


def best(book: Rulebook, instrument: str, **changed: Any) -> dict[str, Any]:
    """The best answer to every item, by the order of the form's data."""
    return {id: q.best for id, q in scorer(book, instrument).questions.items()} | changed


def options(book: Rulebook, instrument: str, item: str) -> dict[Any, str]:
    it = book.instruments[instrument]
    [found] = [i for d in it.dimensions for i in d.items if i.id == item]
    return {o.answer: o.say["zh"] for o in (it.ladders[found.ladder] if found.ladder else found.options)}


# -- scales that must not be mixed --------------------------------------------------------------------------
def test_the_consumption_subsidy_takes_no_grade_of_another_scale() -> None:
    others = [typed(LTCI, 4), typed(MZT, 3), {"instrument": SCREEN, "date": "2026-10-01", "code": "g"}]
    found = outcome("national-consumption-subsidy", "national", *others, age=80, destitute_support=False)
    assert found["status"] == "unknown"
    assert found["missing"] == ["gbt_grade"]


@pytest.mark.parametrize(("programme", "place"), [("zs-ltci", "zhoushan"), ("cq-ltci", "chongqing-jiulongpo")])
def test_long_term_care_insurance_takes_no_level_of_the_ability_standard(programme: str, place: str) -> None:
    facts = {"insurance_scheme": "employee", "insured_months_continuous": 60, "disabled_months": 12}
    found = outcome(programme, place, typed(GBT, 4), typed(MZT, 3), **facts)
    assert found["status"] == "unknown"
    assert found["missing"] == ["ltci_grade"]
    assert outcome(programme, place, typed(LTCI, 4), **facts)["status"] == "eligible"


def test_destitute_self_care_is_asked_for_and_never_taken_from_another_scale(book: Rulebook) -> None:
    others = [
        typed(GBT, 3),
        {"instrument": SCREEN, "date": "2026-10-01", "code": "g"},
        {"instrument": SELF_CARE, "date": "2026-10-01", "answers": best(book, SELF_CARE)},
    ]
    found = outcome("national-destitute-support", "national", *others, destitute_support=True)
    rows = {b["id"]: b for b in found["benefits"] if b["id"] in ("care-able", "care-partial", "care-full")}
    assert set(rows) == {"care-able", "care-partial", "care-full"}
    for row in rows.values():
        assert set(row["depends_on"]) == {
            f"destitute_self_care.{item}"
            for item in ("eat", "dress", "get_out_of_bed", "use_toilet", "walk_indoors", "bathe")
        }


@pytest.mark.parametrize(
    ("instrument", "lowest", "highest"), [(GBT, 0, 4), (LTCI, 0, 5), (MZT, 0, 3), (NEED, 0, 4), (SELF_CARE, 1, 4)]
)
def test_a_level_that_a_scale_does_not_have_is_refused(instrument: str, lowest: int, highest: int) -> None:
    assert where({"assessments": [typed(instrument, lowest - 1)]}) == ["assessments.0.grade"]
    assert where({"assessments": [typed(instrument, highest + 1)]}) == ["assessments.0.grade"]
    case = {"assessments": [typed(instrument, highest)]}
    assert determine(case, place="national", on=TODAY)["grades"][instrument]["level"] == highest


def test_a_grade_is_never_named_in_words_that_could_be_another_scales() -> None:
    for name in ("中度失能", "重度失能", "moderate"):
        assert where({"assessments": [{"instrument": LTCI, "date": TODAY, "grade": {"level": name}}]})
        assert where({"facts": {"gbt_grade": name}}) == ["facts.gbt_grade"]


@pytest.mark.parametrize(
    ("instrument", "dimension", "direction"),
    [
        (GBT, None, "more_able"),
        (LTCI, None, "more_able"),
        (MZT, "adl", "more_able"),
        (MZT, "mental_state", "worse"),
        (MZT, "perception_communication", "worse"),
        (MZT, "social_participation", "worse"),
        (NEED, None, "worse"),
        (SELF_CARE, None, "worse"),
    ],
)
def test_every_scale_counts_in_its_own_direction(
    book: Rulebook, instrument: str, dimension: str | None, direction: str
) -> None:
    it = book.instruments[instrument]
    for group in it.dimensions:
        if dimension in (None, group.id):
            assert (group.higher_score or it.higher_score) == direction


def test_items_of_one_name_on_two_scales_are_answered_apart(book: Rulebook) -> None:
    case = {
        "assessments": [
            {"instrument": GBT, "date": "2026-10-01", "answers": best(book, GBT, memory=0, vision=0)},
            {"instrument": LTCI, "date": "2026-10-01", "answers": best(book, LTCI)},
        ]
    }
    grades = determine(case, place="national", on=TODAY)["grades"]
    assert grades[GBT]["level"] == 1
    assert grades[LTCI]["level"] == 0


def test_orientation_is_found_by_its_id_not_by_its_position(book: Rulebook) -> None:
    order = {
        id: [i.id for d in book.instruments[id].dimensions for i in d.items if i.id.startswith("orientation_")]
        for id in (GBT, LTCI)
    }
    assert order[GBT] == ["orientation_time", "orientation_place", "orientation_person"]
    assert order[LTCI] == ["orientation_time", "orientation_person", "orientation_place"]
    for id in (GBT, LTCI):
        assert "没有空间概念" in options(book, id, "orientation_place")[0]


@pytest.mark.parametrize("item", ["vision", "hearing"])
def test_sight_and_hearing_have_the_scores_of_their_own_scale(book: Rulebook, item: str) -> None:
    found = {id: (scorer(book, id).questions[item].best, scorer(book, id).questions[item].worst) for id in (GBT, MZT)}
    assert found == {GBT: (2, 0), MZT: (0, 4)}
    assert (scorer(book, LTCI).questions[item].best, scorer(book, LTCI).questions[item].worst) == (4, 0)
    assert (scorer(book, NEED).questions[item].best, scorer(book, NEED).questions[item].worst) == (0, 3)


def test_walking_is_50_metres_here_and_45_there(book: Rulebook) -> None:
    assert "50" in options(book, GBT, "level_walking")[4]
    assert "45" in options(book, MZT, "level_walking")[15]


def test_a_catheter_scores_0_here_and_10_there_when_self_managed(book: Rulebook) -> None:
    assert "导尿管" in options(book, GBT, "bladder_control")[0]
    assert "导尿管" in options(book, MZT, "bladder_control")[0]
    assert "自己管理" in options(book, LTCI, "bladder_control")[10]


def test_three_words_are_recalled_after_5_minutes_1_minute_or_the_clock(book: Rulebook) -> None:
    assert "5分钟" in options(book, GBT, "memory")[3]
    assert "1分钟" in book.instruments["phs-cognitive-brief"].method["zh"]  # type: ignore[index]
    assert "画完" in book.instruments[MZT].method["zh"]  # type: ignore[index]
    assert "10点45分" in book.instruments[MZT].method["zh"]  # type: ignore[index]


# -- TCM constitution, nursing need -------------------------------------------------------------------------
TCM = "tcm-constitution-33"


def constitution(first: int, rest: int, **changed: int) -> dict[str, Any]:
    answers = {f"q{n:02}": rest for n in range(1, 34)} | {"q01": first} | changed
    return assess(TCM, {"date": TODAY, "answers": answers})["results"]


def test_t1_balanced_allows_8_and_10_points_of_the_other_types() -> None:
    assert constitution(4, 2)["balanced"]["code"] == "yes"
    assert constitution(5, 1, q11=2, q12=2, q29=2, q13=2)["balanced"]["code"] == "yes"


def test_t2_balanced_looks_at_all_eight_other_types() -> None:
    highest = {"q15": 5, "q17": 4, "q18": 1, "q20": 1}
    found = constitution(5, 1, **highest)
    assert found["special"]["score"] == 11
    assert found["qi_deficiency"]["score"] == 4
    assert found["balanced"]["code"] == "no"


def test_t3_t4_reversal_is_applied_once_and_only_for_the_balanced_type() -> None:
    found = constitution(5, 1)
    assert found["balanced"]["score"] == 5 + 4 * (6 - 1)
    assert found["qi_deficiency"]["score"] == 4


def test_t5_sums_are_plain() -> None:
    assert [constitution(3, n)["yin_deficiency"]["score"] for n in range(1, 6)] == [4, 8, 12, 16, 20]


def test_t6_the_waist_is_91_to_105_and_t7_seven_colds_have_no_option(book: Rulebook) -> None:
    assert "91-105" in options(book, TCM, "q28")[4]
    assert not any("7" in words for words in options(book, TCM, "q14").values())


def test_n1_only_syndromes_that_are_present_count_and_n2_no_level_is_computed(book: Rulebook) -> None:
    answers = best(book, NEED, fall="yes", dementia="yes")
    result = assess(NEED, {"date": TODAY, "answers": answers})
    assert result["scores"]["syndrome_count"] == 2
    assert result["grade"] is None and "not_computed" in result
    entered = determine({"assessments": [typed(NEED, 3)]}, place="national", on=TODAY)["grades"][NEED]
    assert entered["level"] == 3 and entered["entered"] is True


@pytest.mark.parametrize("item", ["orientation_time", "memory", "aggression", "money_management"])
def test_n3_mental_and_social_items_have_no_option_4(book: Rulebook, item: str) -> None:
    assert list(options(book, NEED, item)) == [0, 1, 2, 3, 5]
    with pytest.raises(InputError):
        assess(NEED, {"date": TODAY, "answers": best(book, NEED, **{item: 4})})


# -- long-term care insurance -------------------------------------------------------------------------------
def test_l7_chongqing_pays_40_a_day_for_care_by_a_chosen_person_and_50_for_the_other_modes() -> None:
    facts = {"insurance_scheme": "employee", "insured_months_continuous": 24, "disabled_months": 6}
    paid = {
        mode: list(amounts(outcome("cq-ltci", "chongqing", typed(LTCI, 3), care_mode=mode, **facts)).values())
        for mode in ("home_personal", "home_visit", "institution")
    }
    assert paid == {
        "home_personal": [(40, "CNY/day")],
        "home_visit": [(50, "CNY/day")],
        "institution": [(50, "CNY/day")],
    }


@pytest.mark.parametrize("place", ["zhoushan", "daishan"])
def test_l8_zhoushan_is_given_no_figure_of_another_city(place: str) -> None:
    found = outcome("zs-ltci", place, typed(LTCI, 5), insurance_scheme="resident", disabled_months=8)
    assert found["status"] == "eligible"
    assert amounts(found) == {}
    assert all(row["not_configured"] for row in found["benefits"])


def test_l8_dongying_and_l9_yangquan_invent_no_scheme() -> None:
    for programme, place in (("dy-ltci", "dongying-dongyingqu"), ("yq-ltci", "yangquan-kuangqu")):
        found = outcome(programme, place, typed(LTCI, 5), insurance_scheme="employee", disabled_months=12)
        assert found["status"] == "not_configured"
        assert amounts(found) == {}
    assert found["standing"] == "none_known"


def test_l10_the_opinion_counts_from_the_day_it_was_made_public() -> None:
    assert outcome("national-ltci", "national", on="2026-03-24")["status"] == "not_in_force"
    assert outcome("national-ltci", "national", on="2026-03-25")["status"] != "not_in_force"


def test_l11_guide_values_are_marked_and_are_nobodys_amount() -> None:
    found = outcome("national-ltci", "national", typed(LTCI, 4), insurance_scheme="resident")
    assert {row["id"]: row["share"] for row in found["benefits"] if "share" in row} == {"guide-share-resident": 0.5}
    assert all(row.get("guide") for row in found["benefits"] if {"share", "cap", "amount"} & set(row))
    assert amounts(found) == {}


@pytest.mark.parametrize(("insured", "disabled"), [(2, 7), (8, 3)])
def test_l12_months_insured_and_months_disabled_are_two_waits(insured: int, disabled: int) -> None:
    facts = {"ltci_insured_months": insured, "disabled_months": disabled, "ltci_payment_break": False}
    assert outcome("national-ltci", "national", typed(LTCI, 4), **facts)["status"] == "ineligible"


def test_l12_a_break_in_payment_lengthens_only_the_wait_after_joining() -> None:
    facts = {"ltci_insured_months": 8, "disabled_months": 8, "ltci_payment_break": True}
    found = outcome("national-ltci", "national", typed(LTCI, 4), **facts)
    assert found["status"] == "unknown"
    assert found["missing"] == ["ltci_waiting_after_break_met"]


def test_l19_the_row_of_a_district_points_to_the_citys_scheme() -> None:
    facts = {"insurance_scheme": "employee", "insured_months_continuous": 24, "disabled_months": 6}
    city = outcome("cq-ltci", "chongqing-jiulongpo", typed(LTCI, 3), **facts)
    district = outcome("jl-ltci", "chongqing-jiulongpo", typed(LTCI, 3), **facts)
    assert district["same_as"] == "cq-ltci"
    assert {k: v for k, v in district.items() if k not in ("programme", "name", "same_as")} == {
        k: v for k, v in city.items() if k not in ("programme", "name")
    }


# -- subsidies ----------------------------------------------------------------------------------------------
def consumption(price: float, used: float = 0, setting: str = "institution", level: int = 2, **rest: Any) -> Any:
    facts = {"age": 80, "destitute_support": False, "care_setting": setting, **rest}
    assessed = typed(GBT, level, rest.pop("day", "2026-10-01"))
    return outcome(
        "national-consumption-subsidy",
        "national",
        assessed,
        **facts,
        service_price=price,
        subsidy_used_this_month=used,
    )


@pytest.mark.parametrize(
    ("setting", "price", "used", "deducted"),
    [
        ("institution", 1000, 0, 400),
        ("institution", 2000, 0, 800),
        ("institution", 2500, 0, 800),
        ("home_community", 1599, 0, 799.5),
        ("home_community", 1600, 0, 800),
        ("home_community", 1601, 0, 800),
        ("home_community", 1000, 400, 400),
        ("home_community", 1000, 0, 500),
        ("institution", 5000, 800, 0),
    ],
)
def test_s1_s13_50_percent_at_home_40_in_an_institution_and_one_800_a_person_and_month(
    setting: str, price: float, used: float, deducted: float
) -> None:
    assert [amount for amount, _ in amounts(consumption(price, used, setting)).values()] == [deducted]


def test_s13_there_is_no_lower_limit_for_moderate_disability() -> None:
    assert [amounts(consumption(5000, level=level))["institution"] for level in (2, 3, 4)] == [(800, "CNY")] * 3
    assert consumption(5000, level=1)["status"] == "ineligible"


def test_s1_s2_the_nationwide_subsidy_begins_on_2026_01_01_and_nothing_is_carried_back() -> None:
    facts = {"age": 80, "destitute_support": False, "care_setting": "institution", "service_price": 1000}
    assessed = typed(GBT, 3, "2022-12-31")
    for day in ("2023-01-01", "2025-12-31"):
        found = outcome("national-consumption-subsidy", "national", assessed, on=day, **facts)
        assert found["status"] == "not_in_force" and found["benefits"] == []
    assert (
        outcome("national-consumption-subsidy", "national", assessed, on="2026-01-01", **facts)["status"] == "eligible"
    )
    autumn = outcome("national-consumption-subsidy", "chongqing", assessed, on="2025-10-01", **facts)
    assert autumn["status"] == "not_configured" and amounts(autumn) == {}


def test_s3_hospice_care_asks_for_the_doctor_and_for_consent_never_for_months() -> None:
    found = outcome("hospice-care", "national", typed(GBT, 4))
    assert found["status"] == "unknown"
    assert found["missing"] == ["hospice_clinician_decision", "hospice_consent"]


def test_s9_the_old_age_allowance_of_one_district_is_not_anothers() -> None:
    assert amounts(outcome("jl-old-age-allowance", "chongqing-jiulongpo", age=95)) == {
        "age-90-99": (100, "CNY/month"),
    }
    elsewhere = determine({"facts": {"age": 95}}, place="chongqing", on=TODAY)["outcomes"]
    assert not any("CNY/month" in str(amounts(o)) and "old-age" in o["programme"] for o in elsewhere)


@pytest.mark.parametrize(
    ("age", "paid"),
    [
        (79, {}),
        (80, {"age-80-89": (300, "CNY/year")}),
        (89, {"age-80-89": (300, "CNY/year")}),
        (90, {"age-90-99": (100, "CNY/month")}),
        (99, {"age-90-99": (100, "CNY/month")}),
        (100, {"age-100": (300, "CNY/month")}),
    ],
)
def test_s10_300_from_80_to_89_is_a_year_and_the_rest_a_month(age: int, paid: dict[str, Any]) -> None:
    assert amounts(outcome("jl-old-age-allowance", "chongqing-jiulongpo", age=age)) == paid


def test_s11_s12_the_allowance_for_age_and_the_subsidy_for_hardship_are_two_and_200_is_paid_once() -> None:
    rich = {"registration_place": "chongqing", "destitute_support": False, "assistance_status": ["none"]}
    assert outcome("cq-frail-elder-subsidy", "chongqing", age=85, **rich)["status"] == "ineligible"
    poor = {"registration_place": "chongqing", "assistance_status": ["minimum_living"], "severe_disability": ["limb"]}
    both = outcome("cq-frail-elder-subsidy", "chongqing", age=85, nursing_allowance_received=False, **poor)
    assert both["status"] == "eligible"
    assert amounts(both) == {"subsidy": (200, "CNY/month")}


def test_s14_a_target_of_a_population_is_no_right_of_a_person() -> None:
    found = outcome("national-family-doctor", "national", age=50)
    assert found["status"] != "eligible"
    assert amounts(found) == {} and not any("share" in row for row in found["benefits"])


@pytest.mark.parametrize("level", range(4))
def test_s15_collective_care_is_for_total_disability_only(level: int) -> None:
    found = outcome("national-collective-care", "national", typed(GBT, level))
    assert found["status"] == "ineligible"
    assert amounts(outcome("national-collective-care", "national", typed(GBT, 4))) == {}


def test_s16_three_items_not_met_are_partial_four_are_full_and_an_unanswered_one_is_neither() -> None:
    items = ("eat", "dress", "get_out_of_bed", "use_toilet", "walk_indoors", "bathe")

    def care(*answers: bool | None) -> list[str]:
        facts = {f"destitute_self_care.{item}": a for item, a in zip(items, answers, strict=True) if a is not None}
        rows = outcome("national-destitute-support", "national", destitute_support=True, **facts)["benefits"]
        return [row["id"] for row in rows if row["id"] in ("care-able", "care-partial", "care-full")]

    assert care(True, True, True, True, True, True) == ["care-able"]
    assert care(False, False, False, True, True, True) == ["care-partial"]
    assert care(False, False, False, False, True, True) == ["care-full"]
    assert care(False, False, False, None, True, True) == ["care-partial", "care-full"]
    assert care(True, True, True, True, True, None) == ["care-able", "care-partial"]


# -- what an engine must never do in silence ----------------------------------------------------------------
def test_e1_an_unknown_figure_gives_no_number_and_says_what_is_not_configured() -> None:
    for place in ("national", "zhoushan", "chongqing-jiulongpo", "dongying-dongyingqu", "yangquan-kuangqu"):
        for found in determine({}, place=place, on=TODAY)["outcomes"]:
            if found["status"] == "not_configured":
                assert found["not_configured"]["zh"] and found["not_configured"]["en"]
                assert found["missing"] == []
            for row in found["benefits"]:
                assert not (row.get("not_configured") and row.get("amount") is not None), row


def test_e2_recalled_content_is_marked_in_every_result(book: Rulebook) -> None:
    for id in book.instruments:
        context = {u.fact: "primary" for u in book.instruments[id].context if u.fact == "education"}
        result = assess(id, {"date": TODAY, "answers": best(book, id), "context": context})
        assert ("unconfirmed" in result) is (result["evidence"] == "recall"), id
    assert "unconfirmed" in assess(LTCI, {"date": TODAY, "answers": best(book, LTCI)})


def test_e3_a_decision_that_fired_is_named_with_its_reason() -> None:
    result = assess(GBT, {"date": TODAY, "context": {"coma": True}})
    assert {d["id"]: bool(d["say"]["zh"] and d["reason"]["zh"]) for d in result["decisions"]} == {
        "GB-D5": True,
        "GB-D6": True,
    }


def test_e4_a_conclusion_past_its_validity_is_warned_of_and_not_dropped() -> None:
    facts = {"insurance_scheme": "employee", "insured_months_continuous": 60, "disabled_months": 40}
    found = outcome("cq-ltci", "chongqing", typed(LTCI, 4, "2024-11-21"), **facts)
    assert found["status"] == "eligible"
    assert [w["id"] for w in found["warnings"]] == ["expired"]


@pytest.mark.parametrize("instrument", [GBT, MZT, LTCI, SELF_CARE])
def test_e5_there_is_no_grade_while_any_item_is_missing(book: Rulebook, instrument: str) -> None:
    answers = {id: q.worst for id, q in scorer(book, instrument).questions.items()}
    if instrument == MZT:
        answers["consciousness"] = 2  # 3 is coma, which needs no items
    for item in answers:
        result = assess(instrument, {"date": TODAY, "answers": {i: a for i, a in answers.items() if i != item}})
        assert result["grade"] is None and result["complete"] is False
        assert result["missing"] == [item]


ALL = ("gbt-42195-2022", "mzt-039-2013", "ltci-2021-37", "nursing-need-2019-48", "phs-self-care", "phq-9", "gds-15")


@pytest.mark.parametrize("instrument", ALL)
def test_e6_a_value_outside_the_score_set_is_refused_for_every_item(book: Rulebook, instrument: str) -> None:
    for item, question in scorer(book, instrument).questions.items():
        for score in set(range(-1, 20)) - set(question.points):
            with pytest.raises(InputError) as caught:
                assess(instrument, {"date": TODAY, "answers": {item: score}})
            assert [f["where"] for f in caught.value.errors] == [f"answers.{item}"]


@pytest.mark.parametrize("text", ["3", "３", "三", "叁", " 3", "3.0", "3分", b"3", Decimal("sNaN"), Decimal("NaN")])
def test_e7_a_text_is_never_half_a_score(book: Rulebook, text: Any) -> None:
    for instrument in (GBT, LTCI, MZT, "mmse"):
        [item, *_] = scorer(book, instrument).questions
        with pytest.raises(InputError) as caught:
            assess(instrument, {"date": TODAY, "answers": {item: text}})
        assert [f["where"] for f in caught.value.errors] == [f"answers.{item}"]


def test_no_rule_of_the_library_is_about_one_of_the_scales_by_name(book: Rulebook) -> None:
    """Every figure of a standard lives in the rules: the code grades any scale, and knows none."""
    from pathlib import Path

    import yyassess

    names = re.compile("|".join(map(re.escape, book.instruments)))
    for part in ("assessment", "entitlement", "conditions"):
        for file in sorted((Path(yyassess.__file__).parent / part).glob("*.py")):
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if names.search(line)]
            assert all("``" in line for line in lines), (file.name, lines)
