"""The reference evaluator: a condition on one record, in Kleene's three-valued logic.

``None`` is "not known". Every other evaluator of the project is tested against this one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import Any

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

Value = bool | int | Decimal | str | dt.date | frozenset[str]
Record = Mapping[str, Any]
Condition = Callable[[Record], bool | None]
Quantity = Callable[[Record], Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": add, "-": sub, "*": mul}


def age_on(birth: dt.date, day: dt.date) -> int:
    """Whole years lived on ``day``; a person born on 29 February turns a year older on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def months_between(start: dt.date, day: dt.date) -> int:
    """Whole months from ``start`` to ``day`` (negative when ``day`` is earlier)."""
    if day < start:
        return -months_between(day, start)
    return (day.year - start.year) * 12 + day.month - start.month - (day.day < start.day)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "age_on": age_on,
    "months_between": months_between,
    "least": min,
    "greatest": max,
}


def compile_value(node: Node) -> Quantity:
    """A function from a record to the value of ``node``, or ``None`` when a fact in it is not known."""
    match node:
        case Fact(name):
            return lambda record: record.get(name)
        case Literal(value):
            return lambda _: value
        case Arithmetic(op, left, right):
            first, second, calculate = compile_value(left), compile_value(right), _ARITHMETIC[op]

            def arithmetic(record: Record) -> Any:
                a, b = first(record), second(record)
                return None if a is None or b is None else calculate(a, b)

            return arithmetic
        case Call(name, arguments):
            function, parts = FUNCTIONS[name], tuple(compile_value(a) for a in arguments)

            def call(record: Record) -> Any:
                values = [part(record) for part in parts]
                return None if None in values else function(*values)

            return call
    raise TypeError(f"not a value: {node!r}")


def compile_condition(node: Node) -> Condition:
    """A function from a record to true, false or ``None`` (not known)."""
    match node:
        case Const(constant):
            return lambda _: constant
        case Flag(name):
            return lambda record: record.get(name)
        case Compare(op, Fact(name), Literal(literal)):
            compare = _COMPARE[op]

            def fact_to_literal(record: Record) -> bool | None:
                value = record.get(name)
                return None if value is None else compare(value, literal)

            return fact_to_literal
        case Compare(op, left, right):
            first, second, compare = compile_value(left), compile_value(right), _COMPARE[op]

            def comparison(record: Record) -> bool | None:
                a, b = first(record), second(record)
                return None if a is None or b is None else compare(a, b)

            return comparison
        case OneOf(value, choices):
            quantity, allowed = compile_value(value), frozenset(choices)

            def one_of(record: Record) -> bool | None:
                given = quantity(record)
                return None if given is None else given in allowed

            return one_of
        case Contains(name, code):

            def contains(record: Record) -> bool | None:
                given = record.get(name)
                return None if given is None else code in given

            return contains
        case Not(part):
            inner = compile_condition(part)

            def negation(record: Record) -> bool | None:
                truth = inner(record)
                return None if truth is None else not truth

            return negation
        case And(parts):
            conditions = tuple(compile_condition(p) for p in parts)

            def conjunction(record: Record) -> bool | None:
                result: bool | None = True
                for condition in conditions:
                    truth = condition(record)
                    if truth is False:
                        return False
                    if truth is None:
                        result = None
                return result

            return conjunction
        case Or(parts):
            conditions = tuple(compile_condition(p) for p in parts)

            def disjunction(record: Record) -> bool | None:
                result: bool | None = False
                for condition in conditions:
                    truth = condition(record)
                    if truth is True:
                        return True
                    if truth is None:
                        result = None
                return result

            return disjunction
    raise TypeError(f"not a condition: {node!r}")
