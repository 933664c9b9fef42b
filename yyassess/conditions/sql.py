"""A condition tree -> SQL, as a `sqlglot` expression that any engine's dialect can print.

SQL is three-valued like the reference evaluator: a fact that is not known is NULL. Numbers are whole numbers inside:
a decimal with two places is stored as hundredths (`Column.scale`), so that all arithmetic is exact in every engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlglot import exp

from yyassess.conditions.parse import Type
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
    Node,
    Not,
    OneOf,
    Or,
)

#: Whole-number types by the largest value they hold.
WHOLE = ((127, "TINYINT"), (32_767, "SMALLINT"), (2_147_483_647, "INT"), (9_223_372_036_854_775_807, "BIGINT"))
_COMPARE: dict[str, Any] = {"=": exp.EQ, "<>": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
_ARITHMETIC: dict[str, Any] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


class SqlError(ValueError):
    """A condition or a value that cannot be written exactly in SQL; the message says which and why."""


@dataclass(frozen=True)
class Column:
    """What a name of a condition is in SQL.

    A number has bounds, which decide the type that is wide enough: ``low`` and ``high`` of the stored whole number,
    whose value is ``stored / 10**scale``.
    """

    sql: Any
    type: Type
    low: int = 0
    high: int = 0
    scale: int = 0
    assumed: frozenset[str] | None = None
    """For a list of codes: what it holds where it was not given."""

    @property
    def stored(self) -> str:
        """The SQL type of a number."""
        return whole_type(self.low, self.high)


#: A value: what it is in SQL, with its type and bounds.
Value = Column


def whole_type(low: int, high: int) -> str:
    """The smallest whole-number type that holds both bounds.

    Raises:
        SqlError: beyond 64 bits.
    """
    for most, name in WHOLE:
        if -most - 1 <= low and high <= most:
            return name
    raise SqlError(f"a value between {low} and {high} does not fit a 64-bit whole number")


def unknown(type: str = "BOOLEAN") -> Any:
    """NULL of a type."""
    return exp.cast(exp.Null(), type)


def is_never(sql: Any) -> bool:
    """Whether this is NULL for everybody."""
    return isinstance(sql, exp.Null) or (isinstance(sql, exp.Cast) and isinstance(sql.this, exp.Null))


def whole(number: int) -> Any:
    """A whole number as SQL."""
    return exp.Neg(this=exp.Literal.number(-number)) if number < 0 else exp.Literal.number(number)


def text(value: str) -> Any:
    """A text or code as SQL."""
    return exp.Literal.string(value)


def day(value: dt.date) -> Any:
    """A day as SQL."""
    return exp.cast(exp.Literal.string(value.isoformat()), "DATE")


def scaled(value: int | Decimal, scale: int) -> int:
    """The whole number that stores ``value`` with ``scale`` decimals.

    Raises:
        SqlError: ``value`` has more decimals.
    """
    exact = Decimal(value).scaleb(scale)
    if exact != exact.to_integral_value():
        raise SqlError(f"{value} has more than {scale} decimals")
    return int(exact)


def scale_of(value: int | Decimal) -> int:
    """How many decimals a constant has."""
    return max(0, -int(Decimal(value).normalize().as_tuple().exponent))


def constant(value: int | Decimal, scale: int | None = None) -> Value:
    """A number as a value."""
    scale = scale_of(value) if scale is None else scale
    number = scaled(value, scale)
    kind: Type = "decimal" if scale else "integer"
    return Value(whole(number), kind, number, number, scale)


def widened(value: Value, stored: str) -> Any:
    """The SQL of a number in a type at least as wide."""
    if isinstance(value.sql, (exp.Literal, exp.Neg)) or value.stored == stored:
        return value.sql
    return exp.cast(value.sql, stored)


def rescaled(value: Value, scale: int) -> Value:
    """The same number with more decimals."""
    if scale == value.scale:
        return value
    by = 10 ** (scale - value.scale)
    low, high = value.low * by, value.high * by
    if isinstance(value.sql, (exp.Literal, exp.Neg)):
        return Value(whole(value.low * by), value.type, low, high, scale)
    stored = whole_type(low, high)
    return Value(exp.paren(exp.Mul(this=widened(value, stored), expression=whole(by))), value.type, low, high, scale)


def condition_sql(node: Node, names: Mapping[str, Column]) -> Any:
    """The SQL of a condition; a name that ``names`` lacks is not known.

    Raises:
        SqlError: arithmetic beyond 64 bits.
        TypeError: not a condition.
    """
    match node:
        case Const(value):
            return exp.true() if value else exp.false()
        case Flag(name):
            return names[name].sql.copy() if name in names else unknown()
        case Not(part):
            return exp.not_(_wrapped(condition_sql(part, names)))
        case And(parts) | Or(parts):
            joined: Any = exp.And if isinstance(node, And) else exp.Or
            sides = [_wrapped(condition_sql(part, names)) for part in parts]
            result = sides[0]
            for side in sides[1:]:
                result = joined(this=result, expression=side)
            return result
        case Compare(op, left, right):
            return compare(op, value_sql(left, names), value_sql(right, names))
        case OneOf(value, choices):
            return one_of(value_sql(value, names), choices)
        case Contains(name, code):
            if name not in names:
                return unknown()
            column, assumed = names[name].sql, names[name].assumed
            otherwise = exp.true() if code in (assumed or ()) else exp.false()
            if isinstance(column, exp.Null):
                return unknown() if assumed is None else otherwise
            held = exp.ArrayContains(this=column.copy(), expression=text(code))
            return held if assumed is None else exp.Coalesce(this=held, expressions=[otherwise])
    raise TypeError(f"not a condition: {node!r}")


def value_sql(node: Node, names: Mapping[str, Column]) -> Value:
    """The SQL of a value with its bounds; same errors as `condition_sql`."""
    match node:
        case Fact(name):
            column = names.get(name)
            if column is None:
                return Value(unknown("TINYINT"), "integer")
            return Value(column.sql.copy(), column.type, column.low, column.high, column.scale)
        case Literal(value):
            if isinstance(value, bool):
                return Value(exp.true() if value else exp.false(), "boolean")
            if isinstance(value, (int, Decimal)):
                return constant(value)
            return Value(day(value), "date") if isinstance(value, dt.date) else Value(text(value), "code")
        case Arithmetic(op, left, right):
            return arithmetic(op, value_sql(left, names), value_sql(right, names))
        case Call("age_on", (birth, on)):
            return age_on(value_sql(birth, names), value_sql(on, names))
        case Call("months_between", (start, on)):
            return months_between(value_sql(start, names), value_sql(on, names))
        case Call("least" | "greatest" as name, arguments):
            return extreme(name == "greatest", [value_sql(a, names) for a in arguments])
    raise TypeError(f"not a value: {node!r}")


# -- comparisons --------------------------------------------------------------------------------------------
def is_number(value: Value) -> bool:
    """Whether a value is a number."""
    return value.type in ("integer", "decimal")


def aligned(*values: Value) -> list[Value]:
    """Numbers brought to the same scale."""
    scale = max(v.scale for v in values)
    return [rescaled(v, scale) for v in values]


def compare(op: str, left: Value, right: Value) -> Any:
    """``left op right``."""
    if is_never(left.sql) or is_never(right.sql):
        return unknown()
    if is_number(left) and is_number(right):
        left, right = aligned(left, right)
        stored = whole_type(min(left.low, right.low), max(left.high, right.high))
        return _COMPARE[op](this=widened(left, stored), expression=widened(right, stored))
    if left.type == right.type == "code" and not isinstance(right.sql, exp.Literal):
        # Two facts may have different lists of codes: compare them as texts.
        return _COMPARE[op](this=exp.cast(left.sql, "TEXT"), expression=exp.cast(right.sql, "TEXT"))
    return _COMPARE[op](this=left.sql, expression=right.sql)


def one_of(value: Value, choices: Sequence[Any]) -> Any:
    """``value IN (…)``."""
    if is_never(value.sql):
        return unknown()
    if is_number(value):
        numbers = [constant(c) for c in choices]
        first, *rest = aligned(value, *numbers)
        stored = whole_type(min(v.low for v in (first, *rest)), max(v.high for v in (first, *rest)))
        return exp.In(this=widened(first, stored), expressions=[v.sql for v in rest])
    written = [day(c) if isinstance(c, dt.date) else text(c) for c in choices]
    return exp.In(this=value.sql, expressions=written)


# -- arithmetic ---------------------------------------------------------------------------------------------
def arithmetic(op: str, left: Value, right: Value) -> Value:
    """``left op right`` over numbers, exactly."""
    if op == "*":
        corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
        low, high, scale = min(corners), max(corners), left.scale + right.scale
    else:
        left, right = aligned(left, right)
        scale = left.scale
        other = (right.low, right.high) if op == "+" else (-right.high, -right.low)
        low, high = left.low + other[0], left.high + other[1]
    stored = whole_type(min(low, left.low, right.low), max(high, left.high, right.high))
    # A literal has no type of its own: the result takes the type the other side was cast to.
    sql = _ARITHMETIC[op](this=_typed(left, stored), expression=_typed(right, stored))
    kind: Type = "decimal" if scale else "integer"
    result = Value(exp.paren(sql), kind, low, high, scale)
    if result.stored != stored:
        return Value(exp.cast(exp.paren(sql), result.stored), kind, low, high, scale)
    return result


def _typed(value: Value, stored: str) -> Any:
    return exp.cast(value.sql, stored) if isinstance(value.sql, (exp.Literal, exp.Neg)) else widened(value, stored)


def extreme(greatest: bool, values: Sequence[Value]) -> Value:
    """The largest or smallest of some numbers; NULL as soon as one is not known."""
    values = aligned(*values)
    low, high = min(v.low for v in values), max(v.high for v in values)
    stored = whole_type(low, high)
    sides = [_typed(v, stored) for v in values]
    open_ = [is_unknown(v.sql) for v in values if not isinstance(v.sql, (exp.Literal, exp.Neg))]
    function: Any = exp.Greatest if greatest else exp.Least
    picked = function(this=sides[0], expressions=sides[1:])
    sql = exp.Case().when(any_of(open_), unknown(stored)).else_(picked) if open_ else picked
    pick = max if greatest else min
    kind: Type = "decimal" if values[0].scale else "integer"
    return Value(sql, kind, pick(v.low for v in values), pick(v.high for v in values), values[0].scale)


# -- days ---------------------------------------------------------------------------------------------------
def _part(kind: Any, value: Value) -> Any:
    return exp.cast(kind(this=value.sql.copy()), "INT")


def age_on(birth: Value, on: Value) -> Value:
    """Whole years lived, as `reference.age_on`."""
    if is_never(birth.sql) or is_never(on.sql):
        return Value(unknown("INT"), "integer", -10_000, 10_000)
    years = exp.Sub(this=_part(exp.Year, on), expression=_part(exp.Year, birth))
    before = exp.LT(this=_month_day(on), expression=_month_day(birth))
    sql = exp.Sub(this=exp.paren(years), expression=flag(before))
    return Value(exp.paren(sql), "integer", -10_000, 10_000)


def _month_day(value: Value) -> Any:
    hundreds = exp.Mul(this=_part(exp.Month, value), expression=whole(100))
    return exp.paren(exp.Add(this=exp.paren(hundreds), expression=_part(exp.Day, value)))


def months_between(start: Value, on: Value) -> Value:
    """Whole months, as `reference.months_between`."""
    if is_never(start.sql) or is_never(on.sql):
        return Value(unknown("INT"), "integer", -130_000, 130_000)
    years = exp.paren(exp.Sub(this=_part(exp.Year, on), expression=_part(exp.Year, start)))
    months = exp.paren(exp.Sub(this=_part(exp.Month, on), expression=_part(exp.Month, start)))
    whole_months = exp.Add(this=exp.paren(exp.Mul(this=years, expression=whole(12))), expression=months)
    later = exp.GTE(this=on.sql.copy(), expression=start.sql.copy())
    short = exp.LT(this=_part(exp.Day, on), expression=_part(exp.Day, start))
    long = exp.LT(this=_part(exp.Day, start), expression=_part(exp.Day, on))
    earlier = exp.LT(this=on.sql.copy(), expression=start.sql.copy())
    taken = exp.Case().when(exp.and_(later, short), whole(1)).when(exp.and_(earlier, long), whole(-1)).else_(whole(0))
    sql = exp.Sub(this=exp.paren(whole_months), expression=exp.cast(exp.paren(taken), "INT"))
    return Value(exp.paren(sql), "integer", -130_000, 130_000)


# -- small helpers for all that writes SQL -------------------------------------------------------------------
def flag(condition: Any, stored: str = "INT") -> Any:
    """1 where a condition is true, else 0 (also where it is not known)."""
    return exp.cast(exp.Case().when(condition, whole(1)).else_(whole(0)), stored)


def is_unknown(value: Any) -> Any:
    """``value IS NULL``."""
    return exp.Is(this=_wrapped(value.copy()), expression=exp.Null())


def is_known(value: Any) -> Any:
    """``value IS NOT NULL``."""
    return exp.not_(exp.paren(is_unknown(value)))


def any_of(conditions: Sequence[Any]) -> Any:
    """OR of some conditions; false when there are none."""
    return _folded(exp.Or, conditions, exp.false())


def all_of(conditions: Sequence[Any]) -> Any:
    """AND of some conditions; true when there are none."""
    return _folded(exp.And, conditions, exp.true())


def surely(condition: Any) -> Any:
    """True or false, never unknown: what is not known counts as false."""
    return exp.Coalesce(this=condition, expressions=[exp.false()])


def possibly(condition: Any) -> Any:
    """True or false, never unknown: what is not known counts as true."""
    return exp.Coalesce(this=condition, expressions=[exp.true()])


def _folded(joined: Any, conditions: Sequence[Any], empty: Any) -> Any:
    sides = [_wrapped(c) for c in conditions]
    if not sides:
        return empty
    result = sides[0]
    for side in sides[1:]:
        result = joined(this=result, expression=side)
    return result


def _wrapped(sql: Any) -> Any:
    simple = (exp.Column, exp.Boolean, exp.Paren, exp.Coalesce, exp.Cast, exp.Case, exp.ArrayContains)
    return sql if isinstance(sql, simple) else exp.paren(sql, copy=False)
