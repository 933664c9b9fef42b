"""Decisions about random people in every shipped place, and cases that cannot be read.

Both engines decide alike; what is not known stays unknown and is asked for, exactly; nothing depends on the order in
which things are given; identifying data is never repeated.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import BOOK, DAYS, INNERMOST, PLACES, Town, as_json, names_in, seeds, sheet, steady, town

from yyassess import InputError, determine
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import And, Node, facts_of
from yyassess.entitlement.plan import ready

TODAY = dt.date(2026, 11, 22)
GBT, LTCI = "gbt-42195-2022", "ltci-2021-37"
days = st.sampled_from(DAYS)
#: How much is known of a person: nothing, little, half, most, everything.
knowledge = st.sampled_from((0.0, 0.2, 0.5, 0.8, 1.0))

#: Facts that stand for what is assumed when nobody says otherwise; the place asked about is the residence.
ASSUMED = {"residence_place"}


def by_id(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {o["programme"]: o for o in found["outcomes"]}


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {o["programme"]: o["status"] for o in found["outcomes"]}


# -- two engines, one truth ---------------------------------------------------------------------------------
@pytest.mark.parametrize("place", PLACES)
@steady
@given(days, seeds, knowledge)
def test_durable_rules_and_the_reference_determine_the_same_to_the_last_word(
    place: str, on: dt.date, seed: int, known: float
) -> None:
    here = town(place, on)
    person = here.person(random.Random(seed), known)
    assert here.decide(person, "durable") == here.decide(person, "reference")


@pytest.mark.parametrize("place", INNERMOST)
@steady
@given(days, seeds, knowledge)
def test_the_same_case_gives_the_same_bytes_in_whatever_order_it_is_given(
    place: str, on: dt.date, seed: int, known: float
) -> None:
    here, rng = town(place, on), random.Random(seed)
    person = here.person(rng, known)
    case = here.case(person)
    found = determine(case, place=place, on=on)
    bytes_of_it = json.dumps(found, ensure_ascii=False, sort_keys=True, allow_nan=False)
    assert json.loads(bytes_of_it) == found
    shuffled = here.case(dict(rng.sample(list(person.items()), len(person))))
    again = determine(dict(reversed(shuffled.items())), place=place, on=on)
    assert json.dumps(again, ensure_ascii=False, sort_keys=True) == bytes_of_it
    assert json.dumps(determine(case, place=place, on=on)) == json.dumps(found)


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    here = town("chongqing-jiulongpo", TODAY)
    case = tmp_path / "case.json"
    case.write_text(json.dumps(here.case(here.person(random.Random(7), 0.8))), encoding="utf-8")
    program = (
        "import json, sys; from yyassess import determine; "
        "print(json.dumps(determine(json.load(open(sys.argv[1])), place='chongqing-jiulongpo', on='2026-11-22')))"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program, str(case)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(written) == 1


# -- unknown is honest --------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", INNERMOST)
@steady
@given(days, seeds, knowledge)
def test_an_outcome_reached_never_changes_when_one_more_fact_is_learnt(
    place: str, on: dt.date, seed: int, known: float
) -> None:
    here, rng = town(place, on), random.Random(seed)
    person = here.person(rng, known)
    unknown = learnable(here, person)
    assume(unknown)
    name = rng.choice(unknown)
    before = statuses(here.decide(person))
    value = rng.choice(here.values[name])
    after = statuses(here.decide({**person, name: value}))
    for programme, status in before.items():
        if status != "unknown":
            assert after[programme] == status or (status, after[programme]) == ("not_configured", "ineligible")


def learnable(here: Town, person: Mapping[str, Any]) -> list[str]:
    """Facts still unknown that may be added without contradicting what is known."""
    unknown = [n for n in here.values if n not in person and n not in ASSUMED]
    if "birth_date" in person or "age" in person:
        unknown = [n for n in unknown if n not in ("age", "birth_date")]
    assessed = {BOOK.facts[n].grade_of or BOOK.facts[n].code_of for n in person}
    return [n for n in unknown if (BOOK.facts[n].grade_of or BOOK.facts[n].code_of or n) not in assessed]


@pytest.mark.parametrize("place", INNERMOST)
@steady
@given(days, seeds, knowledge)
def test_a_fact_that_is_not_missing_never_changes_an_unknown_outcome(
    place: str, on: dt.date, seed: int, known: float
) -> None:
    here, rng = town(place, on), random.Random(seed)
    person = here.person(rng, known)
    before = by_id(here.decide(person))
    open_ones = [o for o in before.values() if o["status"] == "unknown"]
    assume(open_ones)
    assert [o["programme"] for o in open_ones if not o["missing"]] == []
    assert all([q["fact"] for q in o["ask"]] == o["missing"] for o in open_ones)
    asked = rng.choice(open_ones)
    others = [n for n in learnable(here, person) if not roots_of(n) & set(asked["missing"])]
    assume(others)
    name = rng.choice(others)
    after = by_id(here.decide({**person, name: rng.choice(here.values[name])}))[asked["programme"]]
    assert after["status"] == "unknown"
    assert set(after["missing"]) <= set(asked["missing"])


def roots_of(name: str) -> set[str]:
    return {"birth_date"} if name == "age" else {name}


@pytest.mark.parametrize("place", INNERMOST)
@steady
@given(days, seeds, knowledge)
def test_a_missing_fact_can_decide_the_outcome(place: str, on: dt.date, seed: int, known: float) -> None:
    here, rng = town(place, on), random.Random(seed)
    person = here.person(rng, known)
    open_ones = [o for o in by_id(here.decide(person)).values() if o["status"] == "unknown"]
    assume(open_ones)
    asked = rng.choice(open_ones)
    name = rng.choice(asked["missing"])
    witness = two_ways(here, asked["programme"], person, name, rng)
    if witness is None:  # whatever the answers, the outcome is one and the same, and all of them are still asked for
        assert all(two_ways(here, asked["programme"], person, other, rng) is None for other in asked["missing"])
        return
    others, yes, no = witness
    first = statuses(here.decide({**person, **others, **yes}))[asked["programme"]]
    second = statuses(here.decide({**person, **others, **no}))[asked["programme"]]
    assert first in ("eligible", "not_configured") or asked["programme"] in partly_unknown(here)
    assert second == "ineligible"


def partly_unknown(here: Town) -> set[str]:
    """Programmes that hang on another one whose content is partly unknown: they are never fully met."""
    machine = ready(here.ruleset, "reference")
    return {id for id, p in machine.programmes.items() if any("eligible:" in n for c in p.criteria for n in c.names)}


def two_ways(
    here: Town, programme: str, person: Mapping[str, Any], name: str, rng: random.Random
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]] | None:
    """Values of the other facts with which one value of ``name`` meets all criteria and another fails."""
    machine = ready(here.ruleset, "reference")
    target = machine.aliases.get(programme, programme)
    nodes = [machine.inlined(c.node) for c in machine.programmes[target].criteria]
    outer_places = [n.split(":")[1:] for node in nodes for n in facts_of(node) if n.startswith("lies_in:")]

    def says_where(fact: str, value: Any) -> bool:
        """Whether a place is named finely enough to tell whether it lies in those asked about."""
        return all(BOOK.lies_in(value, outer) is not None for asked, outer in outer_places if asked == fact)

    person = {n: v for n, v in person.items() if says_where(n, v)}
    leaf = "age" if name == "birth_date" and "birth_date" not in names_in(nodes) else name
    assumed = {n for n in ASSUMED if n != leaf and says_where(n, here.place)}
    names = [n for n in names_in(nodes) if (n not in person or n == leaf) and n not in assumed]
    others = [n for n in names if n != leaf]
    values = {n: [v for v in here.values[n] if says_where(n, v)] for n in names}
    for each in values.values():
        rng.shuffle(each)
    holds = compile_condition(And(tuple(nodes)))

    def complete(at: int, facts: dict[str, Any], yes: Any, no: Any) -> dict[str, Any] | None:
        met = holds(read_facts(here, {**facts, leaf: yes}, nodes))
        failed = holds(read_facts(here, {**facts, leaf: no}, nodes))
        if met is False or failed is True:
            return None
        if at == len(others):
            return facts if met and failed is False else None
        for value in values[others[at]]:
            found = complete(at + 1, {**facts, others[at]: value}, yes, no)
            if found is not None:
                return found
        return None

    for yes in values[leaf]:
        for no in values[leaf]:
            facts = complete(0, dict(person), yes, no) if yes != no else None
            if facts is not None:
                return {n: facts[n] for n in others}, {leaf: yes}, {leaf: no}
    return None


def read_facts(here: Town, facts: Mapping[str, Any], nodes: list[Node]) -> dict[str, Any]:
    """Facts as the conditions see them: where a place lies, the place asked about as the residence, the age."""
    seen: dict[str, Any] = {"residence_place": here.place, "on_day": here.on, **facts}
    for flag in {n for node in nodes for n in facts_of(node) if n.startswith("lies_in:")}:
        _, fact, outer = flag.split(":")
        if fact in seen:
            seen[flag] = BOOK.lies_in(seen[fact], outer)
    if "birth_date" in seen and "age" not in seen:
        born = seen["birth_date"]
        seen["age"] = here.on.year - born.year - ((here.on.month, here.on.day) < (born.month, born.day))
    return seen


# -- near misses --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", INNERMOST)
@steady
@given(days, seeds, knowledge)
def test_what_is_said_to_be_lacking_is_lacking_and_the_least_change_helps(
    place: str, on: dt.date, seed: int, known: float
) -> None:
    here, rng = town(place, on), random.Random(seed)
    person = here.person(rng, known)
    refused = [o for o in by_id(here.decide(person)).values() if o["status"] == "ineligible"]
    assume(refused)
    outcome = rng.choice(refused)
    for near in outcome["near"]:
        fact = BOOK.facts[near["fact"]]
        assert fact.can_change and near["given"] != near["needed"]
        assert next(c["status"] for c in outcome["criteria"] if c["id"] == near["criterion"]) == "false"
    changes = {change["fact"]: change["needed"] for change in outcome.get("what_if", ())}
    if changes:
        assert all(changes[name] != as_json(person.get(name)) for name in changes)
        if "age" in changes:
            person.pop("birth_date", None)
        after = by_id(here.decide({**person, **changes}))[outcome["programme"]]
        assert after["status"] != "ineligible", changes


# -- validity and dates -------------------------------------------------------------------------------------
def insured(day: str, level: int = 4, **facts: Any) -> dict[str, Any]:
    given = {"insurance_scheme": "employee", "insured_months_continuous": 60, "disabled_months": 12, **facts}
    return {"facts": given, "assessments": [{"instrument": LTCI, "date": day, "grade": {"level": level}}]}


@pytest.mark.parametrize("day", ["2024-11-21", "2024-11-22", "2024-11-23", "2024-02-29", "2023-08-31", "2024-08-31"])
def test_an_assessment_past_its_validity_warns_and_stays_and_before_that_it_does_not_warn(day: str) -> None:
    found = by_id(determine(insured(day), place="chongqing", on=TODAY))["cq-ltci"]
    until = dt.date.fromisoformat(found["valid"]["until"])
    assert found["status"] == "eligible"
    assert bool(found.get("warnings")) is (until < TODAY)
    for on, expired in ((until, False), (until + dt.timedelta(days=1), True)):
        later = determine(insured(day), place="chongqing", on=on)
        warned = [w["id"] for w in later["warnings"] if w.get("programme") == "cq-ltci" and w["id"] == "expired"]
        assert warned == (["expired"] if expired else [])


def test_a_place_named_too_coarsely_to_decide_is_asked_for_again() -> None:
    facts = {"age": 85, "assistance_status": ["minimum_living"], "nursing_allowance_received": False}
    for given_place, status, missing in (
        ("national", "unknown", ["registration_place"]),
        ("chongqing-jiulongpo", "eligible", []),
        ("zhoushan", "ineligible", []),
    ):
        case = {"facts": {**facts, "registration_place": given_place}}
        found = by_id(determine(case, place="chongqing", on=TODAY))["cq-frail-elder-subsidy"]
        assert (found["status"], found["missing"]) == (status, missing)


def test_before_any_rule_a_programme_is_not_in_force_never_refused() -> None:
    for place in PLACES:
        found = determine({"facts": {"age": 59}}, place=place, on="1990-01-01")
        standings = BOOK.at(place, dt.date(1990, 1, 1)).standings
        for outcome in found["outcomes"]:
            text = standings[outcome.get("same_as", outcome["programme"])].programme
            assert (outcome["status"] == "not_in_force") is not text.in_force.holds(dt.date(1990, 1, 1))


def test_the_latest_assessment_counts_whatever_the_order() -> None:
    older = {"instrument": LTCI, "date": "2025-10-01", "grade": {"level": 5}}
    newer = {"instrument": LTCI, "date": "2026-10-01", "grade": {"level": 1}}
    for both in ([older, newer], [newer, older]):
        grades = determine({"assessments": both}, place="national", on=TODAY)["grades"]
        assert (grades[LTCI]["level"], grades[LTCI]["date"]) == (1, "2026-10-01")


def answered(day: str, instrument: str = GBT, **context: Any) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "date": day,
        "answers": sheet(instrument).filled(random.Random(0), 0),
        "context": context,
    }


def test_what_one_assessment_found_is_not_carried_into_another() -> None:
    older, newer = answered("2024-10-01", coma=True), answered("2026-10-01")
    for both in ([older, newer], [newer, older]):
        found = determine({"assessments": both}, place="national", on=TODAY)["grades"][GBT]
        assert (found["level"], found["date"]) == (0, "2026-10-01")


def test_of_two_assessments_the_later_one_says_what_is_the_matter_now() -> None:
    older = answered("2024-10-01", diagnoses=["dementia"], special_care=["gastric_tube"])
    newer = answered("2026-10-01", diagnoses=[])
    results = [
        determine({"assessments": both}, place="zhoushan", on=TODAY) for both in ([older, newer], [newer, older])
    ]
    assert statuses(results[0]) == statuses(results[1])
    assert results[0]["grades"][GBT]["level"] == 0


def test_a_fact_of_the_case_serves_every_assessment_that_does_not_say_otherwise() -> None:
    case = {"facts": {"diagnoses": ["dementia"]}, "assessments": [answered("2026-10-01")]}
    assert determine(case, place="national", on=TODAY)["grades"][GBT]["level"] == 1
    case["assessments"] = [answered("2026-10-01", diagnoses=[])]
    assert determine(case, place="national", on=TODAY)["grades"][GBT]["level"] == 0


def test_what_is_told_beside_a_typed_in_grade_counts_as_known() -> None:
    beside = {**GRADE, "grade": {"level": 4}, "context": {"diagnoses": ["hypertension"]}}
    found = by_id(determine({"assessments": [beside]}, place="national", on=TODAY))
    assert found["national-family-doctor"]["status"] == "eligible"


def test_an_assessment_goes_by_the_age_on_its_own_day() -> None:
    mmse = {
        "instrument": "mmse",
        "date": "2025-06-01",
        "answers": {"total": 21},
        "context": {"education_years": 6},
        "settings": {"mmse_norm": "shanghai_2021_dementia"},
    }
    for born, code in (("1949-06-02", "mild"), ("1949-06-01", "negative")):
        case = {"person": {"birth_date": born}, "assessments": [mmse]}
        assert determine(case, place="national", on=TODAY)["grades"]["mmse"]["code"] == code
    told = {**mmse, "context": {"education_years": 6, "age": 76}}
    found = determine({"person": {"birth_date": "1949-06-01"}, "assessments": [told]}, place="national", on=TODAY)
    assert found["grades"]["mmse"]["code"] == "negative"


# -- cases that cannot be read ------------------------------------------------------------------------------
def faults(case: Any, on: dt.date = TODAY) -> list[dict[str, Any]]:
    with pytest.raises(InputError) as caught:
        determine(case, place="national", on=on)
    for fault in caught.value.errors:
        assert set(fault) >= {"where", "given", "allowed", "say"}
        assert fault["say"]["zh"] and fault["say"]["en"]
    json.dumps(caught.value.errors)
    return caught.value.errors


GRADE = {"instrument": GBT, "date": "2026-10-01", "grade": {"level": 3}}


@pytest.mark.parametrize(
    ("case", "where"),
    [
        ([], [""]),
        ("case", [""]),
        (None, [""]),
        ({"persons": {}}, ["persons"]),
        ({"person": []}, ["person"]),
        ({"facts": "none"}, ["facts"]),
        ({"assessments": {}}, ["assessments"]),
        ({"assessments": ["gbt"]}, ["assessments.0"]),
        ({"facts": {"insurance": "employee"}}, ["facts.insurance"]),
        ({"facts": {"insurance_scheme": "worker"}}, ["facts.insurance_scheme"]),
        ({"facts": {"insurance_scheme": ["employee"]}}, ["facts.insurance_scheme"]),
        ({"facts": {"disabled_months": "8"}}, ["facts.disabled_months"]),
        ({"facts": {"disabled_months": True}}, ["facts.disabled_months"]),
        ({"facts": {"disabled_months": 8.5}}, ["facts.disabled_months"]),
        ({"facts": {"disabled_months": -1}}, ["facts.disabled_months"]),
        ({"facts": {"disabled_months": float("nan")}}, ["facts.disabled_months"]),
        ({"facts": {"disabled_months": float("inf")}}, ["facts.disabled_months"]),
        ({"facts": {"basic_medical_insured": 1}}, ["facts.basic_medical_insured"]),
        ({"facts": {"basic_medical_insured": "true"}}, ["facts.basic_medical_insured"]),
        ({"facts": {"living": "alone"}}, ["facts.living"]),
        ({"facts": {"living": ["moon"]}}, ["facts.living"]),
        ({"facts": {"care_risk_events": {"fall": 2}}}, ["facts.care_risk_events.fall"]),
        ({"facts": {"care_risk_events": {"falls": "once"}}}, ["facts.care_risk_events.falls"]),
        ({"facts": {"registration_place": "atlantis"}}, ["facts.registration_place"]),
        ({"person": {"birth_date": "1941-02-30"}}, ["person.birth_date"]),
        ({"person": {"birth_date": "1941/02/03"}}, ["person.birth_date"]),
        ({"person": {"birth_date": 19410203}}, ["person.birth_date"]),
        ({"person": {"birth_date": "2026-11-23"}}, ["person.birth_date"]),
        ({"person": {"birth_date": "1941-05-02"}, "facts": {"age": 60}}, ["facts.age"]),
        ({"person": {"sex": "male"}, "facts": {"sex": "female"}}, ["facts.sex"]),
        ({"assessments": [{**GRADE, "date": None}]}, ["assessments.0.date"]),
        ({"assessments": [{k: v for k, v in GRADE.items() if k != "date"}]}, ["assessments.0.date"]),
        ({"assessments": [{**GRADE, "date": "2026-13-01"}]}, ["assessments.0.date"]),
        ({"assessments": [{**GRADE, "date": "2026-11-23"}]}, ["assessments.0.date"]),
        ({"assessments": [{**GRADE, "instrument": "gbt"}]}, ["assessments.0.instrument"]),
        ({"assessments": [{**GRADE, "instrument": None}]}, ["assessments.0.instrument"]),
        ({"assessments": [{**GRADE, "level": 3}]}, ["assessments.0.level"]),
        ({"assessments": [{**GRADE, "grade": {"level": 5}}]}, ["assessments.0.grade"]),
        ({"assessments": [{**GRADE, "grade": {"level": "3"}}]}, ["assessments.0.grade"]),
        ({"assessments": [{**GRADE, "grade": {"level": True}}]}, ["assessments.0.grade"]),
        ({"assessments": [{**GRADE, "grade": {"level": 3.0}}]}, ["assessments.0.grade"]),
        ({"assessments": [{**GRADE, "code": "severe"}]}, ["assessments.0"]),
        ({"assessments": [{"instrument": GBT, "date": "2026-10-01"}]}, ["assessments.0"]),
        ({"assessments": [{"instrument": GBT, "date": "2026-10-01", "code": "Severe"}]}, ["assessments.0.code"]),
        ({"assessments": [GRADE, {**GRADE, "grade": {"level": 2}}]}, ["assessments.1"]),
        ({"assessments": [{**answered("2026-10-01"), "answers": {"eating": 9}}]}, ["assessments.0.answers.eating"]),
        ({"assessments": [answered("2026-10-01", coma="no")]}, ["assessments.0.context.coma"]),
        ({"assessments": [{**GRADE, "context": {"coma": "no"}}]}, ["assessments.0.context.coma"]),
        ({"assessments": [{**GRADE, "context": {"comma": True}}]}, ["assessments.0.context.comma"]),
        ({"assessments": [{**answered("2026-10-01"), "answers": []}]}, ["assessments.0.answers"]),
        ({"assessments": [{**answered("2026-10-01"), "context": []}]}, ["assessments.0.context"]),
    ],
)
def test_a_case_that_cannot_be_read_says_where_and_what_is_allowed(case: Any, where: list[str]) -> None:
    assert [fault["where"] for fault in faults(case)] == where


def test_all_faults_of_a_case_come_at_once_and_the_nearest_name_is_suggested() -> None:
    case = {
        "persn": {},
        "person": {"birthdate": "1941-05-02"},
        "facts": {"insurance_scheem": "employee", "disabled_months": "many"},
        "assessments": [{**GRADE, "date": ""}, {**GRADE, "instrument": "gbt-42195"}],
    }
    found = {f["where"]: f for f in faults(case)}
    assert set(found) == {
        "persn",
        "person.birthdate",
        "facts.insurance_scheem",
        "facts.disabled_months",
        "assessments.0.date",
        "assessments.1.instrument",
    }
    assert "'insurance_scheme'" in found["facts.insurance_scheem"]["say"]["en"]
    assert "'person'" in found["persn"]["say"]["en"]


@pytest.mark.parametrize("name", [n for n, f in BOOK.facts.items() if f.grade_of or f.code_of or f.pathway])
@pytest.mark.parametrize("part", ["facts", "person"])
def test_a_grade_is_refused_among_the_facts_and_the_way_to_give_it_is_shown(part: str, name: str) -> None:
    fact = BOOK.facts[name]
    [fault] = faults({part: {name: next(iter(fact.codes), 3)}})
    assert fault["where"] == f"{part}.{name}"
    assert "assessments" in fault["allowed"]


def test_the_same_result_twice_on_one_day_is_no_contradiction() -> None:
    for first, second in ((GRADE, GRADE), (GRADE, {"instrument": GBT, "date": "2026-10-01", "code": "severe"})):
        found = determine({"assessments": [first, second]}, place="national", on=TODAY)
        assert found["grades"][GBT]["level"] == 3


def test_two_different_results_on_one_day_are_a_contradiction_even_without_one_grade() -> None:
    tcm = "tcm-constitution-33"
    first = {"instrument": tcm, "date": "2026-10-01", "answers": {f"q{n:02}": 1 for n in range(1, 34)}}
    second = {"instrument": tcm, "date": "2026-10-01", "answers": {f"q{n:02}": 5 for n in range(1, 34)}}
    assert [f["where"] for f in faults({"assessments": [first, second]})] == ["assessments.1"]
    determine({"assessments": [first, first]}, place="national", on=TODAY)


def test_items_beside_a_typed_in_level_never_change_it_where_no_level_is_computed() -> None:
    need = "nursing-need-2019-48"
    items = {"instrument": need, "date": "2026-10-01", "answers": sheet(need).filled(random.Random(1), 0.5)}
    level = {"instrument": need, "date": "2026-10-01", "grade": {"level": 2}}
    for both in ([items, level], [level, items]):
        found = determine({"assessments": both}, place="national", on=TODAY)["grades"][need]
        assert found["level"] == 2 and found["entered"] is True


# -- identifying data ---------------------------------------------------------------------------------------
PERSONAL = {
    "birth_date": "1941-05-02",
    "name": "王小明",
    "citizen_id": "11010519410502002X",
    "contact_phone": "13800138000",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_determination_never_repeats_identifying_data(place: str) -> None:
    case = {"person": {"birth_date": PERSONAL["birth_date"]}, "facts": {**PERSONAL, "birth_date": None}}
    written = json.dumps(determine(case, place=place, on=TODAY), ensure_ascii=False)
    assert not [value for value in PERSONAL.values() if value in written]


@pytest.mark.parametrize(
    "person",
    [
        {"birth_date": "1941-05-02T00:00"},
        {"birth_date": "1941-05-32"},
        {"birth_date": "2031-05-02"},
        {"citizen_id": 110105194105020021},
        {"name": ["王小明"]},
    ],
)
def test_an_error_never_repeats_identifying_data(person: dict[str, Any]) -> None:
    [fault] = faults({"person": person})
    assert fault["given"] is None
    assert str(next(iter(person.values()))) not in fault["say"]["en"]


def test_two_different_birth_dates_are_refused_without_showing_either() -> None:
    [fault] = faults({"person": {"birth_date": "1941-05-02"}, "facts": {"birth_date": "1942-05-02"}})
    assert fault["where"] == "facts.birth_date"
    assert "194" not in json.dumps(fault)


# -- programmes that ask about one another ------------------------------------------------------------------
LISTENER = """\
id: listener
name: {zh: 甲, en: Listener}
kind: service
status: in_force
source: {document: notice}
evidence: verified
criteria:
  - id: has-the-other
    when: ELIGIBLE('other')
    say: {zh: 已享受乙, en: Has the other}
    evidence: verified
"""
OTHER = """\
id: other
name: {zh: 乙, en: Other}
kind: service
status: in_force
source: {document: notice}
evidence: verified
criteria:
  - id: in-a-coma
    when: coma
    say: {zh: 昏迷, en: In a coma}
    evidence: verified
"""


def heard(rules: Any, place: str, engine: str, **facts: Any) -> dict[str, Any]:
    found = determine({"facts": facts}, place=place, on=TODAY, rules=rules.load(), engine=engine)
    return by_id(found)["listener"]


@pytest.mark.parametrize("engine", ["durable", "reference"])
def test_a_programme_of_another_place_is_not_had_here(rules: Any, engine: str) -> None:
    rules.write("national/listener.yaml", LISTENER).write("city/other.yaml", OTHER)
    assert heard(rules, "national", engine, coma=True)["status"] == "ineligible"
    assert heard(rules, "city", engine, coma=True)["status"] == "eligible"
    assert heard(rules, "district", engine)["missing"] == ["coma"]


@pytest.mark.parametrize("engine", ["durable", "reference"])
def test_a_row_that_points_to_another_programme_is_had_when_that_one_is(rules: Any, engine: str) -> None:
    other = OTHER.replace("id: other\n", "id: real\n", 1)
    alias = OTHER.split("criteria:")[0] + "same_as: real\n"
    rules.write("national/listener.yaml", LISTENER).write("national/real.yaml", other)
    rules.write("national/other.yaml", alias)
    assert heard(rules, "national", engine, coma=True)["status"] == "eligible"
    assert heard(rules, "national", engine, coma=False)["status"] == "ineligible"
    assert heard(rules, "national", engine)["missing"] == ["coma"]


@pytest.mark.parametrize("engine", ["durable", "reference"])
def test_a_programme_that_hangs_on_one_of_unknown_content_is_not_configured_when_all_else_is_met(
    rules: Any, engine: str
) -> None:
    unknown = "  - {id: more, when: unknown, say: {zh: 另有条件, en: More}, evidence: unknown}\n"
    rules.write("national/listener.yaml", LISTENER).write("national/other.yaml", OTHER + unknown)
    assert heard(rules, "national", engine)["missing"] == ["coma"]
    assert heard(rules, "national", engine, coma=False)["status"] == "ineligible"
    found = heard(rules, "national", engine, coma=True)
    assert found["status"] == "not_configured"
    assert found["missing"] == [] and found["not_configured"]["zh"]
