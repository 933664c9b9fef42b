"""A condition tree back as the SQL text of a rule file: for sentences about a part of it, and for drawn rule files."""

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


def sql_of(node: Node) -> str:
    """The text of a condition or value; parsed again it gives an equal tree (``BETWEEN`` as two comparisons)."""
    match node:
        case Const(value):
            return "TRUE" if value else "FALSE"
        case Fact(name):
            return name
        case Flag(name):
            return _flag(name)
        case Literal(value):
            return _literal(value)
        case Contains(name, code):
            return f"CONTAINS({name}, {_literal(code)})"
        case Compare(op, left, right):
            return f"{sql_of(left)} {op} {sql_of(right)}"
        case OneOf(value, choices):
            return f"{sql_of(value)} IN ({', '.join(map(_literal, choices))})"
        case Arithmetic(op, left, right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case Call(name, arguments):
            return f"{name.upper()}({', '.join(map(sql_of, arguments))})"
        case Not(part):
            return f"NOT {_part(part)}"
        case And(parts):
            return " AND ".join(map(_part, parts))
        case Or(parts):
            return " OR ".join(map(_part, parts))
    raise TypeError(f"not a condition: {node!r}")


def _part(node: Node) -> str:
    return f"({sql_of(node)})" if isinstance(node, (And, Or, Not, Const)) else sql_of(node)


def _operand(node: Node) -> str:
    return f"({sql_of(node)})" if isinstance(node, Arithmetic) else sql_of(node)


def _flag(name: str) -> str:
    kind, _, rest = name.partition(":")
    if kind == "eligible" and rest:
        return f"ELIGIBLE({_literal(rest)})"
    if kind == "lies_in" and rest:
        fact, place = rest.split(":")
        return f"LIES_IN({fact}, {_literal(place)})"
    return name


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
