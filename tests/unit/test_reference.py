"""The reference evaluator: Kleene's three values, whole years, whole months, exact numbers."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yyassess.conditions.parse import Name, Scope, parse_condition, parse_value
from yyassess.conditions.reference import age_on, compile_condition, compile_value, months_between
from yyassess.conditions.tree import (
    And,
    Compare,
    Const,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    negated,
    normal,
)

NAMES = {
    "a": Name("boolean"),
    "b": Name("boolean"),
    "n": Name("integer"),
    "m": Name("integer"),
    "x": Name("decimal"),
    "scheme": Name("code", ("employee", "resident")),
    "illnesses": Name("codes", ("dementia", "stroke")),
    "born": Name("date"),
    "day": Name("date"),
}


def truth(text: str, **record: Any) -> bool | None:
    return compile_condition(parse_condition(text, Scope(NAMES)))(record)


def worth(text: str, **record: Any) -> Any:
    return compile_value(parse_value(text, Scope(NAMES)))(record)


T, F, U = True, False, None


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (T, T, T, T),
        (T, F, F, T),
        (T, U, U, T),
        (F, T, F, T),
        (F, F, F, F),
        (F, U, F, U),
        (U, T, U, T),
        (U, F, F, U),
        (U, U, U, U),
    ],
)
def test_and_and_or_are_kleenes(a: bool | None, b: bool | None, both: bool | None, either: bool | None) -> None:
    assert truth("a AND b", a=a, b=b) is both
    assert truth("a OR b", a=a, b=b) is either


def test_not_of_what_is_not_known_is_not_known() -> None:
    assert (truth("NOT a", a=True), truth("NOT a", a=False), truth("NOT a")) == (False, True, None)


def test_a_fact_left_out_is_not_known_and_never_false() -> None:
    for text in (
        "a",
        "n >= 1",
        "n <> 1",
        "n = n",
        "n IN (1, 2)",
        "n NOT IN (1, 2)",
        "n BETWEEN 0 AND 9",
        "scheme = 'employee'",
        "scheme <> 'employee'",
        "CONTAINS(illnesses, 'dementia')",
        "n + m > 1",
        "AGE_ON(born, day) >= 60",
        "LEAST(n, m) > 1",
    ):
        assert truth(text) is None, text
        assert truth(f"NOT ({text})") is None, text


def test_one_unknown_part_of_a_sum_or_a_function_makes_it_unknown() -> None:
    assert worth("n + m", n=1) is None
    assert worth("LEAST(n, m, 0)", n=1) is None
    assert truth("n * 0 = 0") is None


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("n = 2", 2, True),
        ("n <> 2", 2, False),
        ("n < 2", 1, True),
        ("n < 2", 2, False),
        ("n <= 2", 2, True),
        ("n > 2", 2, False),
        ("n >= 2", 2, True),
        ("n BETWEEN 2 AND 4", 1, False),
        ("n BETWEEN 2 AND 4", 2, True),
        ("n BETWEEN 2 AND 4", 4, True),
        ("n BETWEEN 2 AND 4", 5, False),
        ("n IN (2, 4)", 3, False),
        ("n IN (2, 4)", 4, True),
        ("n NOT IN (2, 4)", 3, True),
        ("2 > n", 1, True),
        ("n * 2 - 1 = 5", 3, True),
    ],
)
def test_numbers_are_compared(text: str, n: int, expected: bool) -> None:
    assert truth(text, n=n) is expected


def test_codes_and_lists_are_compared() -> None:
    assert truth("scheme = 'employee'", scheme="employee") is True
    assert truth("scheme IN ('employee', 'resident')", scheme="resident") is True
    assert truth("CONTAINS(illnesses, 'dementia')", illnesses=frozenset({"stroke"})) is False
    assert truth("CONTAINS(illnesses, 'stroke')", illnesses=frozenset({"stroke"})) is True
    assert truth("CONTAINS(illnesses, 'stroke')", illnesses=frozenset()) is False


def test_decimals_are_exact() -> None:
    assert truth("x + 0.1 = 0.3", x=Decimal("0.2")) is True
    assert worth("x * 0.4", x=Decimal("99.95")) == Decimal("39.98")


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        ("1940-05-02", "2020-05-01", 79),
        ("1940-05-02", "2020-05-02", 80),
        ("1940-05-02", "2021-05-01", 80),
        ("1940-02-29", "2020-02-28", 79),
        ("1940-02-29", "2020-02-29", 80),
        ("1940-02-29", "2021-02-28", 80),
        ("1940-02-29", "2021-03-01", 81),
        ("1940-12-31", "2021-01-01", 80),
        ("1940-05-02", "1940-05-02", 0),
    ],
)
def test_a_person_grows_a_year_older_on_the_birthday(born: str, day: str, years: int) -> None:
    assert age_on(dt.date.fromisoformat(born), dt.date.fromisoformat(day)) == years


@pytest.mark.parametrize(
    ("start", "day", "months"),
    [
        ("2026-01-15", "2026-02-14", 0),
        ("2026-01-15", "2026-02-15", 1),
        ("2024-06-01", "2026-06-01", 24),
        ("2024-06-02", "2026-06-01", 23),
        ("2026-01-31", "2026-02-28", 0),
        ("2026-01-31", "2026-03-01", 1),
        ("2026-03-31", "2026-04-30", 0),
        ("2026-02-15", "2026-01-15", -1),
        ("2026-02-14", "2026-01-15", 0),
        ("2026-05-05", "2026-05-05", 0),
    ],
)
def test_a_month_counts_when_it_is_whole(start: str, day: str, months: int) -> None:
    assert months_between(dt.date.fromisoformat(start), dt.date.fromisoformat(day)) == months


DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))


@given(DAYS, DAYS)
def test_years_and_months_count_the_same_calendar(start: dt.date, day: dt.date) -> None:
    first, last = sorted((start, day))
    assert age_on(first, last) == months_between(first, last) // 12
    assert months_between(last, first) == -months_between(first, last)
    later = last + dt.timedelta(days=1)
    assert months_between(first, later) - months_between(first, last) in (0, 1)
    reached = first.year * 12 + first.month - 1 + months_between(first, last)
    year, month = divmod(reached, 12)
    assert first.day > calendar.monthrange(year, month + 1)[1] or dt.date(year, month + 1, first.day) <= last


ATOMS = st.sampled_from(
    [
        Flag("a"),
        Flag("b"),
        Const(True),
        Const(False),
        Compare(">=", Fact("n"), Literal(2)),
        Compare("=", Fact("n"), Fact("m")),
        OneOf(Fact("n"), (1, 3)),
        Contains("illnesses", "stroke"),
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda p: And(tuple(p)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda p: Or(tuple(p)))
    ),
    max_leaves=10,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.booleans(),
        "b": st.booleans(),
        "n": st.integers(0, 4),
        "m": st.integers(0, 4),
        "illnesses": st.sampled_from([frozenset(), frozenset({"stroke"}), frozenset({"dementia"})]),
    },
)


@given(CONDITIONS, RECORDS)
def test_the_negation_of_a_condition_is_its_opposite(node: Node, record: dict[str, Any]) -> None:
    value = compile_condition(node)(record)
    opposite = None if value is None else not value
    assert compile_condition(Not(node))(record) is opposite
    assert compile_condition(negated(node))(record) is opposite
    assert compile_condition(normal(node))(record) is value


@given(CONDITIONS, RECORDS, RECORDS)
def test_knowing_more_never_overturns_what_was_known(node: Node, some: dict[str, Any], more: dict[str, Any]) -> None:
    before = compile_condition(node)(some)
    if before is not None:
        assert compile_condition(node)({**more, **some}) is before


@given(CONDITIONS, RECORDS.filter(lambda r: len(r) == 5))
def test_when_all_is_known_the_answer_is_yes_or_no(node: Node, record: dict[str, Any]) -> None:
    assert compile_condition(node)(record) in (True, False)


def test_only_conditions_and_values_can_be_compiled() -> None:
    with pytest.raises(TypeError, match="not a condition"):
        compile_condition(Fact("n"))
    with pytest.raises(TypeError, match="not a value"):
        compile_value(Flag("a"))
