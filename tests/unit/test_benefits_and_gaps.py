"""What an eligible person gets, and what somebody who is refused lacks: amounts, near misses, the least change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from town_rules import money, outcome, programme, with_facts

from yyassess.entitlement.benefits import amount_on
from yyassess.entitlement.plan import ready


@pytest.fixture
def town(rules: Any) -> Any:
    """The small rules with facts that can change, and no programme yet."""
    return with_facts(rules)


# -- benefits -----------------------------------------------------------------------------------------------------------
def test_a_row_is_shown_while_it_may_hold_and_names_what_it_depends_on(town: Any) -> None:
    rest = (
        "benefits:\n"
        + money("100, when: years >= 80")
        + money("50", id="always")
        + money("9, when: coma AND years >= 80", id="both")
    )
    programme(town, "a", "scheme = 'employee'", rest=rest)
    book = town.load()
    rows = {b["id"]: b for b in outcome(book, scheme="employee")["benefits"]}
    assert rows["money"]["depends_on"] == ["years"] and "depends_on" not in rows["always"]
    rows = {b["id"]: b for b in outcome(book, scheme="employee", years=80)["benefits"]}
    assert rows["both"]["depends_on"] == ["coma"] and "depends_on" not in rows["money"]
    assert [b["id"] for b in outcome(book, scheme="employee", years=79)["benefits"]] == ["always"]
    assert outcome(book, scheme="resident", years=80)["benefits"] == []


def test_an_amount_that_cannot_be_computed_yet_says_what_it_depends_on(town: Any) -> None:
    programme(town, "a", "years >= 60", rest="benefits:\n" + money('"LEAST(income * 0.5, 300)"'))
    book = town.load()
    [row] = outcome(book, years=60)["benefits"]
    assert row["amount"] is None and row["amount_depends_on"] == ["income"]
    [row] = outcome(book, years=60, income=100)["benefits"]
    assert row["amount"] == 50 and "amount_depends_on" not in row
    assert outcome(book, years=60, income=100.5)["benefits"][0]["amount"] == 50.25


@pytest.mark.parametrize(
    ("on", "amount"),
    [("2019-12-31", None), ("2020-01-01", 100), ("2023-12-31", 100), ("2024-01-01", 150), ("2025-01-01", None)],
)
def test_a_dated_figure_is_that_of_the_day_or_not_known(town: Any, on: str, amount: int | None) -> None:
    figures = "[{from: 2020-01-01, value: 100}, {from: 2024-01-01, value: 150}, {from: 2025-01-01, value: unknown}]"
    programme(town, "a", "years >= 60", rest="benefits:\n" + money(figures))
    book = town.load()
    [row] = outcome(book, on=on, years=60)["benefits"]
    assert row["amount"] == amount
    assert row.get("not_configured", False) is (amount is None)
    machine = ready(book.at("national", dt.date.fromisoformat(on)), "reference")
    assert amount_on(machine.programmes["a"].benefits[0], {}, dt.date.fromisoformat(on)) == amount


def test_every_kind_of_amount_is_the_same_when_asked_for_alone(town: Any) -> None:
    rest = (
        "benefits:\n"
        + money("100")
        + money("income * 2", id="doubled")
        + "  - {id: bed, say: {zh: 床, en: Bed}, evidence: verified}\n"
    )
    programme(town, "a", "years >= 60", rest=rest)
    machine = ready(town.load().at("national", dt.date(2026, 1, 1)), "reference")
    amounts = [amount_on(row, {"income": 7}, dt.date(2026, 1, 1)) for row in machine.programmes["a"].benefits]
    assert amounts == [100, 14, None]


def test_share_cap_and_guide_are_shown_as_written(town: Any) -> None:
    rest = (
        "benefits:\n"
        + money("100", more=", share: 0.75, cap: 800")
        + money("9", id="guide", more=", guide: true, cap: 5, cap_unit: CNY/day")
    )
    programme(town, "a", "years >= 60", rest=rest)
    first, second = outcome(town, years=60)["benefits"]
    assert (first["share"], first["cap"], first["cap_unit"]) == (0.75, 800, "CNY/month")
    assert "guide" not in first and second["guide"] is True and second["cap_unit"] == "CNY/day"


# -- near misses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("condition", "given", "needed", "en", "zh"),
    [
        ("months >= 24", 22, 24, "2 months short", "还差2个月"),
        ("months > 24", 24, 25, "1 month short", "还差1个月"),
        ("months <= 6", 8, 6, "2 months too many", "超出2个月"),
        ("months < 6", 6, 5, "1 month too many", "超出1个月"),
        ("visits >= 3", 1, 3, "2 short", "还差2"),
        ("savings <= 500", 500.5, 500, "0.5 yuan too many", "超出0.5元"),
        ("savings < 500", 500, 499.99, "0.01 yuan too many", "超出0.01元"),
        ("savings > 500", 500, 500.01, "0.01 yuan short", "还差0.01元"),
    ],
)
def test_a_gap_is_measured_to_the_first_value_that_will_do(
    town: Any, condition: str, given: float, needed: float, en: str, zh: str
) -> None:
    programme(town, "a", condition)
    name = condition.split()[0]
    found = outcome(town, **{name: given})
    gap = {"fact": name, "given": given, "needed": needed, "say": {"zh": zh, "en": en}}
    assert found["near"] == [{"criterion": "c0", **gap}]
    assert found["what_if"] == [gap]


def test_only_what_fails_and_can_change_is_a_near_miss(town: Any) -> None:
    programme(town, "a", "months >= 24 AND visits >= 2", "years >= 80", "savings <= 500")
    found = outcome(town, months=30, visits=1, years=70, savings=400)
    assert [(n["criterion"], n["fact"]) for n in found["near"]] == [("c0", "visits")]
    assert "what_if" not in found, "nobody can be made older"
    assert outcome(town, months=30, visits=1, years=80)["near"] == found["near"]
    assert outcome(town, months=30, years=80)["near"] == [], "what is not known is asked, not measured"


def test_the_least_change_takes_few_facts_and_then_few_steps(town: Any) -> None:
    programme(town, "a", "months >= 24 OR visits >= 3 AND savings <= 500")
    book = town.load()
    changes = {c["fact"]: c["needed"] for c in outcome(book, months=0, visits=2, savings=501)["what_if"]}
    assert changes == {"months": 24}, "one fact, though two would need fewer steps"
    programme(town, "a", "months >= 24 OR visits >= 3")
    book = town.load()
    assert [c["fact"] for c in outcome(book, months=22, visits=0)["what_if"]] == ["months"]
    assert [c["fact"] for c in outcome(book, months=20, visits=0)["what_if"]] == ["visits"]


def test_the_least_change_may_take_two_facts_but_not_three(town: Any) -> None:
    programme(town, "a", "months >= 24", "visits >= 3")
    programme(town, "b", "months >= 24", "visits >= 3", "savings <= 500")
    book = town.load()
    facts = {"months": 23, "visits": 1, "savings": 600}
    assert {c["fact"]: c["needed"] for c in outcome(book, **facts)["what_if"]} == {"months": 24, "visits": 3}
    assert "what_if" not in outcome(book, "b", **facts)
    assert len(outcome(book, "b", **facts)["near"]) == 3


def test_a_change_that_is_not_possible_is_not_proposed(town: Any) -> None:
    programme(town, "a", "visits > 9 OR coma")
    assert "what_if" not in outcome(town, visits=5, coma=False)
