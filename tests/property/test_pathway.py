"""What holds for any case on the dementia pathway: the cases are generated from the pathway's own data."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import BOOK, as_json, leanings, seeds, sheet

from yyassess import crosswalk, screen
from yyassess.conditions.tree import facts_of

ON = "2026-11-22"
PATHWAY = BOOK.pathways["dementia"]
LEVELS = {r.code: r.level for r in PATHWAY.results}
STAGES = {s.id: [c.instrument for c in s.choose] for s in PATHWAY.stages}
SCREENS = [id for stage in STAGES.values() for id in stage]
POSITIVE = {
    id: [level.code for level in BOOK.instruments[id].levels if level.positive]
    for id in SCREENS
    if any(level.positive for level in BOOK.instruments[id].levels)
}
CONDITIONS = [tree for tree in BOOK.trees["pathway:dementia"].values()]
FACTS = sorted({n for tree in CONDITIONS for n in facts_of(tree) if n in BOOK.facts and not BOOK.facts[n].derive})


def day(rng: random.Random) -> str:
    return f"{rng.choice((2024, 2025, 2026))}-{rng.randint(1, 10):02}-{rng.randint(1, 28):02}"


def a_screen(rng: random.Random, id: str, leaning: float) -> dict[str, Any]:
    """A screen done: a level typed in, or answers, some of them incomplete."""
    if rng.random() < 0.6:
        code = rng.choice([level.code for level in BOOK.instruments[id].levels])
        return {"instrument": id, "date": day(rng), "code": code}
    form = sheet(id)
    answers = {i: as_json(a) for i, a in form.filled(rng, leaning).items() if rng.random() < 0.97}
    settings = {} if id in ("cdr", "ltci-2021-37") else form.settings(rng)
    return {"instrument": id, "date": day(rng), "answers": answers, "settings": settings}


def some_facts(rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in FACTS:
        fact = BOOK.facts[name]
        if rng.random() < 0.5:
            continue
        if fact.type == "boolean":
            found[name] = rng.random() < 0.5
        elif fact.type == "code":
            found[name] = rng.choice(list(fact.codes))
        elif fact.type == "codes":
            found[name] = rng.sample(list(fact.codes), rng.randint(0, 2))
    return found


def a_case(seed: int, leaning: float) -> dict[str, Any]:
    rng = random.Random(seed)
    chosen = rng.sample(SCREENS, rng.randint(0, 6))
    person = {"birth_date": f"{rng.randint(1930, 1980)}-05-02"} if rng.random() < 0.8 else {}
    return {
        "person": person,
        "facts": some_facts(rng),
        "assessments": [a_screen(rng, id, leaning) for id in dict.fromkeys(chosen)],
    }


def walk(case: dict[str, Any]) -> dict[str, Any]:
    return screen(case, on=ON, rules=BOOK)


def level(result: dict[str, Any]) -> int:
    return -1 if result["result"] is None else result["result"]["level"]


cases = st.builds(a_case, seeds, leanings)


@given(cases)
def test_the_result_is_one_of_the_five_or_none_and_everything_fits_together(case: dict[str, Any]) -> None:
    result = walk(case)
    stages = {s["id"]: s for s in result["stages"]}
    assert list(stages) == list(STAGES)
    if result["result"] is not None:
        assert LEVELS[result["result"]["code"]] == result["result"]["level"]
    assert result["needed"] == [id for id, s in stages.items() if s["status"] == "needed"]
    assert result["complete"] is (result["result"] is not None and result["needed"] == [])
    for id, stage in stages.items():
        assert stage["status"] in ("done", "needed", "not_needed", "optional", "perhaps")
        assert (stage["status"] == "done") is bool(stage["done"])
        assert {d["instrument"] for d in stage["done"]} <= set(STAGES[id])
        assert ("choose" in stage) is (stage["status"] in ("needed", "optional", "perhaps"))
    assert [c["stage"] for c in result["conflicts"]] == [id for id, s in stages.items() if s["conflict"]]
    if result["result"] is None:
        assert result["actions"] == [] and result["rescreen"] is None


@given(cases)
def test_the_result_is_plain_json_and_the_same_every_time(case: dict[str, Any]) -> None:
    first = json.dumps(walk(case), ensure_ascii=False, allow_nan=False)
    shuffled = {**case, "assessments": case["assessments"][::-1]}
    assert json.dumps(walk(case), ensure_ascii=False) == first
    again = walk(shuffled)
    assert {k: v for k, v in again.items() if k != "warnings"} == {
        k: v for k, v in json.loads(first).items() if k != "warnings"
    }


@given(cases)
def test_a_conflict_is_exactly_a_stage_with_a_positive_and_a_negative_screen(case: dict[str, Any]) -> None:
    for stage in walk(case)["stages"]:
        said = {d["positive"] for d in stage["done"] if "positive" in d}
        assert stage["conflict"] is (said == {True, False})


@given(cases, st.sampled_from(sorted(POSITIVE)), st.integers(0, 9))
def test_a_further_positive_screen_never_lowers_the_result(case: dict[str, Any], id: str, which: int) -> None:
    assume(id not in {a["instrument"] for a in case["assessments"]})
    code = POSITIVE[id][which % len(POSITIVE[id])]
    more = {**case, "assessments": [*case["assessments"], {"instrument": id, "date": "2026-11-01", "code": code}]}
    before, after = walk(case), walk(more)
    assert level(after) >= level(before), (id, code)
    if id in STAGES["brief"]:
        assert level(after) >= LEVELS["watch"]
    if id in STAGES["second"] and not any(a["instrument"] == "cdr" for a in case["assessments"]):
        assert level(after) >= LEVELS["suspected-mild"]


@given(cases)
def test_without_any_sign_the_result_is_never_a_suspicion(case: dict[str, Any]) -> None:
    """A suspicion needs a positive second step or a stage by a rater."""
    result = walk(case)
    stages = {s["id"]: s for s in result["stages"]}
    grounds = any(d.get("positive") for d in stages["second"]["done"]) or any(
        d["level"] > 0 for d in stages["staging"]["done"]
    )
    assert (level(result) >= LEVELS["suspected-mild"]) is grounds


@given(cases)
def test_a_complete_walk_of_somebody_who_enters_says_when_to_screen_again(case: dict[str, Any]) -> None:
    result = walk(case)
    assume(result["complete"] and result["enters"])
    assert result["rescreen"] is not None
    due = result["rescreen"].get("due")
    if due is not None:
        assert due > min(d["date"] for s in result["stages"] for d in s["done"])


@given(cases)
def test_what_is_needed_can_be_done_and_then_the_walk_is_complete(case: dict[str, Any]) -> None:
    """Doing the first offered screen of each needed stage comes to an end, with a result."""
    for _ in range(len(STAGES) + 1):
        result = walk(case)
        if result["complete"]:
            break
        [*needed] = [s for s in result["stages"] if s["status"] == "needed"]
        assert needed
        id = needed[0]["choose"][0]["instrument"]
        code = BOOK.instruments[id].levels[0].code
        others = [a for a in case["assessments"] if a["instrument"] != id]
        case = {**case, "assessments": [*others, {"instrument": id, "date": ON, "code": code}]}
    assert walk(case)["complete"]


@given(cases)
def test_the_same_cases_stand_side_by_side_without_one_grade_becoming_another(case: dict[str, Any]) -> None:
    result = crosswalk(case, on=ON, rules=BOOK)
    assert json.loads(json.dumps(result, ensure_ascii=False, allow_nan=False)) == result
    assert result["warnings"]
    own = {a["instrument"] for a in case["assessments"]}
    assert {s["instrument"] for s in result["standards"]} == own
    for row in result["standards"]:
        alone = [a for a in case["assessments"] if a["instrument"] == row["instrument"]]
        [single] = crosswalk({**case, "assessments": alone}, on=ON, rules=BOOK)["standards"]
        assert single == row
