"""All evaluators say the same of the same people under the same rules, unknown facts included."""

from __future__ import annotations

import random
from typing import Any

import pytest
from evaluators import EVALUATORS, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yyassess.testing import DrawnRuleset, cases, conditions, rulesets

#: At least 20,000 people in the profile ``ci`` (150 rulesets), a million in ``deep`` (5,000).
PARTS, PEOPLE, MANY = 4, 140, 200
quiet = settings(suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_evaluator_decides_every_criterion_and_programme_alike(part: int) -> None:
    profile = settings()
    shown: list[int] = []

    @settings(quiet, max_examples=max(1, -(-profile.max_examples // PARTS)))
    @given(rulesets(), st.integers(0, 2**32 - 1))
    def alike(ruleset: DrawnRuleset, seed: int) -> None:
        number = PEOPLE if profile.max_examples <= 150 else MANY
        records = people(ruleset, number, random.Random(seed))
        expected, *others = ((name, make(ruleset)(records)) for name, make in EVALUATORS.items())
        for name, found in others:
            for record, first, second in zip(records, expected[1], found, strict=True):
                assert first == second, f"{expected[0]} and {name} differ on {record}: {first} {second}"
        shown.append(number)

    alike()
    assert sum(shown) >= profile.max_examples * PEOPLE // PARTS


def test_the_table_holds_at_least_the_reference_the_engine_and_the_solver() -> None:
    assert {"reference", "durable_rules", "Z3"} <= set(EVALUATORS)


@settings(quiet)
@given(data=st.data())
def test_a_condition_written_out_as_text_is_read_back_as_the_same_tree(data: st.DataObject) -> None:
    from yyassess.assurance.wording import sql_of
    from yyassess.conditions.parse import Name, Scope, parse_condition
    from yyassess.testing import FACTS

    tree = data.draw(conditions(["p0"]))
    names: dict[str, Any] = {n: Name(f["type"], tuple(f.get("codes", ()))) for n, f in FACTS.items()}
    scope = Scope({**names, "on_day": Name("date")}, frozenset({"p0"}), frozenset({"town", "city"}))
    assert parse_condition(sql_of(tree), scope) == tree


@settings(quiet)
@given(data=st.data())
def test_both_engines_agree_on_whole_determinations_of_shipped_places(data: st.DataObject) -> None:
    from yyassess import determine
    from yyassess.assessment.scoring import shared

    place = data.draw(st.sampled_from(sorted(shared().programmes)))
    case = data.draw(cases(place, on="2026-11-22"))
    first, second = (determine(case, place=place, on="2026-11-22", engine=e) for e in ("reference", "durable"))
    assert first == second
