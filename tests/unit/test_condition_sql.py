"""A condition as SQL, in detail: types that are wide enough, exact decimals, what is not known, edges of the calendar."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import z3
from sqlglot import exp

from yyassess.conditions import smt, sql
from yyassess.conditions.reference import age_on, months_between
from yyassess.conditions.sql import Column, SqlError, condition_sql, value_sql
from yyassess.conditions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Contains,
    Fact,
    Flag,
    Literal,
    Not,
    OneOf,
    Or,
)

DAYS = [
    dt.date(1900, 2, 28),
    dt.date(1999, 12, 31),
    dt.date(2000, 1, 1),
    dt.date(2000, 2, 29),
    dt.date(2023, 3, 31),
    dt.date(2024, 2, 29),
]


def column(
    name: str, kind: Any, low: int = 0, high: int = 0, scale: int = 0, assumed: frozenset[str] | None = None
) -> Column:
    return Column(exp.column(name, quoted=True), kind, low, high, scale, assumed)


NAMES = {
    "n": column("n", "integer", -3, 12),
    "m": column("m", "integer", 2, 5),
    "price": column("price", "decimal", 0, 10_000, 2),
    "yes": column("yes", "boolean"),
    "scheme": column("scheme", "code"),
    "other": column("other", "code"),
    "ills": column("ills", "codes"),
    "held": column("held", "codes", assumed=frozenset({"a"})),
    "born": column("born", "date"),
}
ROW = """\
SELECT 7::TINYINT AS n, 3::TINYINT AS m, 1250::SMALLINT AS price, TRUE AS yes, 'x' AS scheme, 'x' AS other, ['a'] AS ills,
NULL::VARCHAR[] AS held, DATE '2000-02-29' AS born, NULL::TINYINT AS gone"""


def run(expression: Any, row: str = ROW) -> Any:
    """What DuckDB makes of an expression over one row."""
    [[found]] = duckdb.sql(f"SELECT {expression.sql(dialect='duckdb')} FROM ({row})").fetchall()
    return found


def holds(node: Any) -> Any:
    return run(condition_sql(node, NAMES))


def number(value: Any) -> Literal:
    return Literal(Decimal(value) if isinstance(value, str) else value)


# -- SQL: numbers -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0, 127, "TINYINT"), (-128, 127, "TINYINT"), (-129, 0, "SMALLINT"), (0, 128, "SMALLINT"),
        (-32_768, 32_767, "SMALLINT"), (-32_769, 0, "INT"), (0, 32_768, "INT"), (-(2**31), 2**31 - 1, "INT"),
        (-(2**31) - 1, 0, "BIGINT"), (0, 2**31, "BIGINT"), (-(2**63), 2**63 - 1, "BIGINT"),
    ],
)  # fmt: skip
def test_a_number_gets_the_smallest_type_that_holds_it(low: int, high: int, name: str) -> None:
    assert sql.whole_type(low, high) == name
    assert column("x", "integer", low, high).stored == name


@pytest.mark.parametrize(("low", "high"), [(0, 2**63), (-(2**63) - 1, 0)])
def test_beyond_64_bits_there_is_no_type(low: int, high: int) -> None:
    with pytest.raises(SqlError, match="64-bit"):
        sql.whole_type(low, high)


def test_whole_numbers_are_written_as_people_write_them() -> None:
    assert [sql.whole(n).sql() for n in (-1, 0, 1)] == ["-1", "0", "1"]


@pytest.mark.parametrize(
    ("value", "decimals"), [("1", 0), ("1.50", 1), ("0.01", 2), ("100", 0), ("1E+2", 0), ("-2.5", 1)]
)
def test_a_constant_is_stored_with_the_decimals_it_has(value: str, decimals: int) -> None:
    exact = Decimal(value)
    assert sql.scale_of(exact) == decimals
    found = sql.constant(exact)
    assert (found.scale, found.type) == (decimals, "decimal" if decimals else "integer")
    assert found.low == found.high == int(exact * 10**decimals)
    assert sql.constant(exact, 3).low == int(exact * 1000)


def test_a_value_with_more_decimals_than_its_column_is_refused() -> None:
    assert sql.scaled(Decimal("1.25"), 2) == 125
    with pytest.raises(SqlError, match="more than 1 decimals"):
        sql.scaled(Decimal("1.25"), 1)


@pytest.mark.parametrize(("op", "low", "high", "value"), [("+", -1, 17, 10), ("-", -8, 10, 4), ("*", -15, 60, 21)])
def test_arithmetic_knows_the_bounds_of_its_result(op: str, low: int, high: int, value: int) -> None:
    found = value_sql(Arithmetic(op, Fact("n"), Fact("m")), NAMES)
    assert (found.low, found.high, found.scale, found.type) == (low, high, 0, "integer")
    assert run(found.sql) == value


def test_arithmetic_brings_decimals_to_one_scale() -> None:
    total = value_sql(Arithmetic("+", Fact("price"), Fact("n")), NAMES)
    assert (total.scale, total.low, total.high, total.type) == (2, -300, 11_200, "decimal")
    assert run(total.sql) == 1950
    half = value_sql(Arithmetic("*", Fact("price"), number("0.5")), NAMES)
    assert (half.scale, half.low, half.high) == (3, 0, 50_000)
    assert run(half.sql) == 6250


def test_the_largest_and_the_smallest_know_their_bounds_and_wait_for_all() -> None:
    for name, low, high, value in (("greatest", 2, 12, 7), ("least", -3, 5, 3)):
        found = value_sql(Call(name, (Fact("n"), Fact("m"))), NAMES)
        assert (found.low, found.high) == (low, high)
        assert run(found.sql) == value
        assert (
            run(value_sql(Call(name, (Fact("n"), Fact("gone"))), {**NAMES, "gone": column("gone", "integer")}).sql)
            is None
        )
        assert run(value_sql(Call(name, (number(4), number("2.5"))), NAMES).sql) == (40 if name == "greatest" else 25)


@pytest.mark.parametrize(
    ("left", "op", "right", "expected"),
    [
        (Fact("price"), "=", number("12.5"), True), (Fact("price"), "<>", number("12.50"), False),
        (Fact("price"), ">", number("12.499"), True), (Fact("price"), "<", number("12.501"), True),
        (number("12.50"), "<=", Fact("price"), True), (Fact("n"), ">=", number(7), True), (Fact("n"), "<", number(7), False),
        (Fact("n"), ">", number(-300), True), (Fact("n"), "<", number(40_000), True), (Fact("n"), "<", Fact("price"), True),
        (Fact("scheme"), "=", Fact("other"), True), (Fact("scheme"), "<>", Literal("y"), True), (Literal("x"), "=", Fact("scheme"), True),
        (Fact("yes"), "=", Literal(True), True), (Fact("yes"), "=", Literal(False), False),
        (Fact("born"), "<", Literal(dt.date(2000, 3, 1)), True), (Fact("born"), ">=", Literal(dt.date(2000, 3, 1)), False),
    ],
)  # fmt: skip
def test_values_of_all_kinds_compare(left: Any, op: str, right: Any, expected: bool) -> None:
    assert holds(Compare(op, left, right)) is expected
    assert holds(Not(Compare(op, left, right))) is not expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (OneOf(Fact("n"), (1, 7)), True), (OneOf(Fact("n"), (1, 8)), False), (OneOf(Fact("price"), (Decimal("12.5"), 3)), True),
        (OneOf(Fact("price"), (Decimal("12.51"),)), False), (OneOf(Fact("scheme"), ("y", "x")), True),
        (OneOf(Fact("born"), (dt.date(2000, 2, 29),)), True), (Contains("ills", "a"), True), (Contains("ills", "b"), False),
        (Const(True), True), (Const(False), False), (Flag("yes"), True),
        (And((Flag("yes"), Flag("yes"), Const(False))), False), (Or((Const(False), Const(False), Flag("yes"))), True),
    ],
)  # fmt: skip
def test_lists_and_connectives(node: Any, expected: bool) -> None:
    assert holds(node) is expected


# -- SQL: what is not known ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "node",
    [
        Flag("gone"),
        Contains("gone", "a"),
        Compare("=", Fact("gone"), number(1)),
        Compare("=", number(1), Fact("gone")),
        OneOf(Fact("gone"), (1,)),
        Not(Flag("gone")),
        And((Flag("yes"), Flag("gone"))),
        Or((Const(False), Flag("gone"))),
        Compare("=", Arithmetic("+", Fact("gone"), Fact("n")), number(1)),
        Compare("=", Call("least", (Fact("gone"), Fact("n"))), number(1)),
        Compare("=", Call("age_on", (Fact("gone"), Fact("born"))), number(1)),
        Compare("=", Call("age_on", (Fact("born"), Fact("gone"))), number(1)),
        Compare("=", Call("months_between", (Fact("gone"), Fact("born"))), number(1)),
        Compare("=", Call("months_between", (Fact("born"), Fact("gone"))), number(1)),
    ],
)
def test_a_name_without_a_column_makes_a_condition_unknown_for_everybody(node: Any) -> None:
    assert holds(node) is None


def test_what_is_decided_all_the_same_stays_decided() -> None:
    assert holds(And((Flag("gone"), Const(False)))) is False
    assert holds(Or((Flag("gone"), Flag("yes")))) is True


def test_a_list_that_was_not_given_holds_what_is_assumed() -> None:
    assert holds(Contains("held", "a")) is True
    assert holds(Contains("held", "b")) is False
    given = ROW.replace("NULL::VARCHAR[]", "['b']")
    assert run(condition_sql(Contains("held", "a"), NAMES), given) is False
    assert run(condition_sql(Contains("held", "b"), NAMES), given) is True
    for assumed, found in ((None, None), (frozenset("a"), True), (frozenset("b"), False), (frozenset(), False)):
        never = {"held": Column(exp.Null(), "codes", assumed=assumed)}
        assert run(condition_sql(Contains("held", "a"), never)) is found


def test_helpers_say_what_is_known() -> None:
    null, yes, no = sql.unknown(), exp.true(), exp.false()
    assert [run(sql.flag(x)) for x in (yes, no, null)] == [1, 0, 0]
    assert [run(sql.surely(x)) for x in (yes, no, null)] == [True, False, False]
    assert [run(sql.possibly(x)) for x in (yes, no, null)] == [True, False, True]
    assert [run(sql.is_unknown(x)) for x in (yes, null)] == [False, True]
    assert [run(sql.is_known(x)) for x in (yes, null)] == [True, False]
    assert [run(sql.any_of(x)) for x in ([], [no], [no, yes], [no, null])] == [False, False, True, None]
    assert [run(sql.all_of(x)) for x in ([], [yes], [yes, no], [yes, null])] == [True, True, False, None]
    assert [sql.is_never(x) for x in (null, exp.Null(), yes, exp.cast(exp.Literal.number(1), "INT"))] == [
        True,
        True,
        False,
        False,
    ]
    assert sql.unknown("INT").sql() == "CAST(NULL AS INT)" and sql.unknown().sql() == "CAST(NULL AS BOOLEAN)"


@pytest.mark.parametrize("born", DAYS)
@pytest.mark.parametrize("on", DAYS)
def test_ages_and_months_are_those_of_the_reference(born: dt.date, on: dt.date) -> None:
    for name, reference in (("age_on", age_on), ("months_between", months_between)):
        found = value_sql(Call(name, (Literal(born), Literal(on))), NAMES)
        assert run(found.sql) == reference(born, on)
        assert found.low < reference(born, on) < found.high and found.type == "integer"


def test_what_is_no_condition_is_refused() -> None:
    for make in (condition_sql, value_sql):
        with pytest.raises(TypeError, match="not a"):
            make("age > 60", NAMES)  # type: ignore[arg-type]
    encoder = smt.Encoder(lambda name: smt.Symbol(z3.Int(name)))
    for refuse in (encoder.truth, encoder.value):
        with pytest.raises(TypeError, match="not a"):
            refuse("age > 60")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not a function: 'mode'"):
        encoder.value(Call("mode", (Fact("n"),)))
