"""`yyassess.testing`: what is drawn can be used as it is, shows everything, and shrinks to something readable."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from rulebooks import programme, rulebook

from yyassess import assess, determine
from yyassess.assessment.scoring import shared
from yyassess.entitlement.plan import ready
from yyassess.testing import DrawnRuleset, answers, cases, contexts, requests, rulesets

BOOK = shared()
quiet = settings(suppress_health_check=list(HealthCheck), deadline=None)
few = settings(quiet, max_examples=20)
seeking = settings(quiet, max_examples=2000, database=None)


@pytest.mark.parametrize("id", sorted(BOOK.instruments))
def test_every_drawn_request_is_accepted(id: str) -> None:
    @settings(few)
    @given(st.booleans().flatmap(lambda missing: requests(id, missing=missing)))
    def accepted(request: dict[str, Any]) -> None:
        assert assess(id, request)["instrument"] == id

    accepted()


@settings(few)
@given(answers("gbt-42195-2022"), contexts("gbt-42195-2022"))
def test_a_full_sheet_leaves_nothing_missing(sheet: dict[str, Any], context: dict[str, Any]) -> None:
    found = assess("gbt-42195-2022", {"answers": sheet, "context": context})
    assert found["missing"] == [] and found["grade"] is not None


@pytest.mark.parametrize("place", sorted(BOOK.programmes))
def test_every_drawn_case_is_accepted_in_its_place(place: str) -> None:
    @settings(few)
    @given(cases(place, on="2026-11-22"))
    def accepted(case: dict[str, Any]) -> None:
        assert determine(case, place=place, on="2026-11-22")["outcomes"]

    accepted()


def test_a_case_with_everything_known_leaves_no_programme_unknown() -> None:
    book = rulebook({"town/a.yaml": programme("a", "age >= 60", "grade = 1 OR alone")})

    @settings(few)
    @given(cases("town", rules=book, known=True))
    def settled(case: dict[str, Any]) -> None:
        [outcome] = determine(case, place="town", on="2025-01-01", rules=book)["outcomes"]
        assert outcome["status"] in ("eligible", "ineligible")

    settled()


def test_cases_reach_both_sides_of_every_threshold() -> None:
    book = rulebook({"town/a.yaml": programme("a", "age BETWEEN 60 AND 79", "scheme = 'resident'", "grade = 1")})
    for wanted in ("eligible", "ineligible", "unknown"):
        found = find(
            cases("town", rules=book),
            lambda case, wanted=wanted: determine(case, place="town", on="2025-01-01", rules=book)["outcomes"][0]["status"] == wanted,
            settings=seeking,
        )  # fmt: skip
        assert found is not None


def test_a_counterexample_shrinks_to_the_facts_that_matter() -> None:
    book = rulebook({"town/a.yaml": programme("a", "age >= 60", "alone OR insured", "scheme <> 'none'")})
    found = find(
        cases("town", rules=book),
        lambda case: determine(case, place="town", on="2025-01-01", rules=book)["outcomes"][0]["status"] == "eligible",
        settings=seeking,
    )
    assert set(found["facts"]) <= {"age", "alone", "insured", "scheme"}
    assert len(found["facts"]) == 3 and found["person"] == {} and found["assessments"] == []


def test_a_sheet_shrinks_towards_the_best_answers() -> None:
    best = find(answers("gbt-42195-2022"), lambda _: True, settings=seeking)
    assert assess("gbt-42195-2022", {"answers": best})["grade"]["level"] == 0


def test_a_drawn_ruleset_shows_itself_as_its_conditions() -> None:
    drawn = find(rulesets(), lambda r: any("AGE_ON" in c for _, written in r.texts for c in written), settings=seeking)
    assert repr(drawn) == "DrawnRuleset(p0: AGE_ON(birth, since) >= 0)"


@settings(few)
@given(rulesets())
def test_a_drawn_ruleset_is_a_ruleset_like_any_other(ruleset: DrawnRuleset) -> None:
    assert ruleset == ruleset.book.at("town", dt.date(2026, 6, 1)) or ruleset.hash
    assert ready(ruleset, "reference").programmes
    result = determine({}, place="town", on=ruleset.on, rules=ruleset.book)
    assert {o["programme"] for o in result["outcomes"]} == {id for id, _ in ruleset.texts}
