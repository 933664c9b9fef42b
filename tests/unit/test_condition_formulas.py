"""A condition as formulas of the solver, in detail: what is folded, days as numbers, one record at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import z3

from yyassess.conditions import smt
from yyassess.conditions.reference import compile_value
from yyassess.conditions.tree import And, Call, Compare, Const, Contains, Fact, Flag, Literal, OneOf

DAYS = [
    dt.date(1900, 2, 28),
    dt.date(1999, 12, 31),
    dt.date(2000, 1, 1),
    dt.date(2000, 2, 29),
    dt.date(2023, 3, 31),
    dt.date(2024, 2, 29),
]

# -- formulas -----------------------------------------------------------------------------------------------------------
X, Y = z3.Bools("x y")


def same(first: Any, second: Any) -> bool:
    """Whether two formulas, or truths, are one thing."""
    return first.eq(second) if z3.is_expr(first) and z3.is_expr(second) else first is second


@pytest.mark.parametrize(
    ("make", "bits", "found"),
    [
        (smt.conj, (), True), (smt.conj, (True, True), True), (smt.conj, (True, X), X), (smt.conj, (X, False, Y), False),
        (smt.conj, (X, True, Y), z3.And([X, Y])), (smt.disj, (), False), (smt.disj, (False, False), False),
        (smt.disj, (False, X), X), (smt.disj, (X, True), True), (smt.disj, (X, False, Y), z3.Or([X, Y])),
    ],
)  # fmt: skip
def test_truths_that_are_known_already_are_folded_away(
    make: Callable[..., Any], bits: tuple[Any, ...], found: Any
) -> None:
    assert same(make(bits), found)


def test_a_choice_is_made_where_it_can_be() -> None:
    n, m = z3.Ints("n m")
    assert smt.neg(True) is False and smt.neg(False) is True and same(smt.neg(X), z3.Not(X))
    assert smt.choose(True, n, m) is n and smt.choose(False, n, m) is m
    assert smt.choose(X, n, n) is n
    assert same(smt.choose(X, n, m), z3.If(X, n, m))
    assert same(smt.choose(X, True, False), X)
    assert same(smt.choose(X, False, True), z3.Not(X))
    assert same(smt.choose(X, Y, True), z3.Or([z3.And([X, Y]), z3.Not(X)]))
    assert same(smt.choose(X, Y, Y), z3.Or([z3.And([X, Y]), z3.And([z3.Not(X), Y])]))


def is_day(key: int) -> bool:
    return z3.is_true(z3.simplify(smt.is_day(z3.IntVal(key))))


@pytest.mark.parametrize(
    ("first", "last"), [("1899-12-30", "1900-05-02"), ("2000-02-27", "2000-03-02"), ("2024-02-27", "2024-03-02")]
)
def test_every_day_has_a_number_in_order_and_no_other_number_is_a_day(first: str, last: str) -> None:
    start = dt.date.fromisoformat(first)
    days = [start + dt.timedelta(days=n) for n in range((dt.date.fromisoformat(last) - start).days)]
    keys = [smt.day_key(day) for day in days]
    assert keys == sorted(set(keys))
    assert [smt.key_day(key) for key in keys] == days
    assert [key for key in range(keys[0], keys[-1] + 1) if is_day(key)] == keys


def test_no_number_below_the_first_is_a_day() -> None:
    assert not is_day(-1)
    assert is_day(0)


def test_constants_of_all_kinds_have_a_number_each() -> None:
    assert smt.constant(True) is True and smt.constant(7) == 7 and smt.constant(Decimal("7.0")) == 7
    assert isinstance(smt.constant(Decimal("7.0")), int)
    assert same(smt.constant(Decimal("7.5")), z3.RealVal("7.5"))
    assert smt.constant(dt.date(2000, 2, 29)) == smt.day_key(dt.date(2000, 2, 29))
    assert smt.constant("a code") == smt.code_id("a code") != smt.code_id("another code")


def test_truths_compare_with_formulas_from_either_side() -> None:
    for first, second in ((X, True), (True, X)):
        assert same(z3.simplify(smt.compare("=", first, second)), X)
        assert same(z3.simplify(smt.compare("<>", first, second)), z3.Not(X))
    assert [smt.compare(op, 2, 3) for op in ("=", "<>", "<", "<=", ">", ">=")] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert [smt.compare(op, 3, 3) for op in ("=", "<>", "<", "<=", ">", ">=")] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("name", ["age_on", "months_between"])
@pytest.mark.parametrize("born", DAYS)
@pytest.mark.parametrize("on", DAYS)
def test_ages_and_months_are_whole_quotients(name: str, born: dt.date, on: dt.date) -> None:
    encoder = smt.Encoder(lambda name: smt.Symbol(z3.Int(name)))
    node = Call(name, (Literal(born), Literal(on)))
    plain = compile_value(node)({})
    assert encoder.value(node).value == plain
    moved = encoder.value(Call(name, (Fact("start"), Literal(on)))).value
    solved = z3.simplify(z3.substitute(moved, (z3.Int("start"), z3.IntVal(smt.day_key(born)))))
    assert solved.as_long() == plain


def test_the_largest_and_the_smallest_of_constants_are_themselves() -> None:
    encoder = smt.Encoder(lambda name: smt.Symbol(z3.Int(name)))
    for values in ((1, 2, 3), (3, 1, 2), (2, 2, 2)):
        call = tuple(Literal(v) for v in values)
        assert encoder.value(Call("least", call)).value == min(values)
        assert encoder.value(Call("greatest", call)).value == max(values)


def test_one_record_after_the_other_is_decided_by_the_formulas() -> None:
    conditions = {
        "old": Compare(">=", Fact("age"), Literal(60)),
        "both": And((Flag("alone"), Contains("ills", "stroke"))),
        "kind": OneOf(Fact("remark"), ("a", "b")),
    }
    types = {"age": "integer", "alone": "boolean", "ills": "codes", "remark": "text"}
    decide = smt.record_evaluator(conditions, types)
    assert decide({}) == {"old": None, "both": None, "kind": None}
    assert decide({"age": 60, "alone": True, "ills": frozenset({"stroke"}), "remark": "b"}) == dict.fromkeys(
        conditions, True
    )
    assert decide({"age": 59, "ills": frozenset({"other"}), "remark": "c"}) == dict.fromkeys(conditions, False)
    assert list(decide({})) == list(conditions)
    assert smt.record_evaluator({}, {})({}) == {}
    assert smt.record_evaluator({"yes": Const(True)}, {})({}) == {"yes": True}
