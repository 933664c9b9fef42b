"""A parsed condition as compact JSON: what the phone walks instead of expression text.

A fact is its name; a whole number and true or false stand for themselves. Everything else is a list that begins with
what it is: ``["=", left, right]``, ``["&", part, …]``, ``["?", "flag"]``, ``["n", "0.35"]`` (an exact decimal),
``["v", "code"]`` (a code or a text), ``["d", "2026-01-01"]``. The phone takes a whole number only as long as it is
exact in a double; a larger one is written as a decimal.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
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

#: The largest whole number that JavaScript holds without rounding.
SAFE = 2**53 - 1


def tree_json(node: Node) -> Any:
    """The condition or value tree as plain JSON.

    Raises:
        TypeError: a node of another kind.
    """
    match node:
        case Const(value):
            return value
        case Fact(name):
            return name
        case Literal(value):
            return constant_json(value)
        case Flag(name):
            return ["?", name]
        case Contains(name, code):
            return ["has", name, code]
        case Compare(op, left, right) | Arithmetic(op, left, right):
            return [op, tree_json(left), tree_json(right)]
        case OneOf(quantity, choices):
            return ["in", tree_json(quantity), [constant_json(c) for c in choices]]
        case Call(name, arguments):
            return [name, *map(tree_json, arguments)]
        case Not(part):
            return ["!", tree_json(part)]
        case And(parts):
            return ["&", *map(tree_json, parts)]
        case Or(parts):
            return ["|", *map(tree_json, parts)]
    raise TypeError(f"not a part of a condition: {node!r}")


def constant_json(value: Any) -> Any:
    """A constant of a condition as it stands in a tree."""
    if isinstance(value, bool):
        return ["v", value]
    if isinstance(value, (int, Decimal)):
        return exact_json(value)
    return ["d", value.isoformat()] if isinstance(value, dt.date) else ["v", value]


def exact_json(value: int | Decimal) -> Any:
    """A number: itself where JavaScript holds it exactly, else its decimal digits."""
    if isinstance(value, int) and -SAFE <= value <= SAFE:
        return value
    return ["n", f"{value:f}" if isinstance(value, Decimal) else str(value)]
