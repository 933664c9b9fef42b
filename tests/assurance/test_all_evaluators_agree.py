"""All evaluators say the same of the same people under the same rules, unknown facts included."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from evaluators import EVALUATORS, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yyassess.testing import DrawnRuleset, cases, conditions, rulesets

#: So many random people must be decided alike, in a run of every profile.
LEAST = {"ci": 20_000, "deep": 1_000_000}
PARTS = 4
quiet = settings(suppress_health_check=list(HealthCheck), deadline=None)


def plan(profile: settings) -> tuple[int, int]:
    """How many rulesets each part draws in a profile, and how many people under each."""
    return max(1, -(-profile.max_examples // PARTS)), 140 if profile.max_examples <= 150 else 200


@pytest.mark.parametrize("profile", LEAST)
def test_every_profile_asks_enough_people(profile: str) -> None:
    number, each = plan(settings.get_profile(profile))
    assert PARTS * number * each >= LEAST[profile]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_evaluator_decides_every_criterion_and_programme_alike(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    number, each = plan(settings())
    decided: list[int] = []

    @settings(quiet, max_examples=number)
    @given(rulesets(), st.integers(0, 2**32 - 1))
    def alike(ruleset: DrawnRuleset, seed: int) -> None:
        records = people(ruleset, each, random.Random(seed))
        expected, *others = ((name, make(ruleset)(records)) for name, make in EVALUATORS.items())
        for name, found in others:
            for record, first, second in zip(records, expected[1], found, strict=True):
                assert first == second, f"{expected[0]} and {name} differ on {record}: {first} {second}"
        decided.append(len(records))

    alike()
    assert sum(decided) >= number * each
    record_property("people decided alike", sum(decided))


def test_no_evaluator_is_left_out() -> None:
    assert {"reference", "durable_rules", "Z3", "SQL on DuckDB", "SQL as polars columns", "the phone"} <= set(
        EVALUATORS
    )


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
