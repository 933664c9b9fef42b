"""Random conditions over random people, for the tests that compare evaluators."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from sqlglot import exp

from yyassess.conditions.sql import Column, scaled
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

CODES = ("a", "b", "c", "d")
DAYS = [dt.date(2000, 2, 29), dt.date(1940, 2, 29), dt.date(2024, 2, 29), dt.date(2023, 2, 28), dt.date(1999, 12, 31)]

#: name -> (type, lowest, highest, decimals)
FACTS: dict[str, tuple[Any, int, int, int]] = {
    "small": ("integer", -3, 12, 0),
    "age": ("integer", 0, 130, 0),
    "large": ("integer", -2_000_000_000, 2_000_000_000, 0),
    "price": ("decimal", 0, 100_000, 2),
    "half": ("decimal", -5, 5, 1),
    "born": ("date", 0, 0, 0),
    "since": ("date", 0, 0, 0),
    "scheme": ("code", 0, 0, 0),
    "other": ("code", 0, 0, 0),
    "ills": ("codes", 0, 0, 0),
    "yes": ("boolean", 0, 0, 0),
    "maybe": ("boolean", 0, 0, 0),
}
NAMES = {
    name: Column(exp.column(name, quoted=True), kind, low * 10**scale, high * 10**scale, scale)
    for name, (kind, low, high, scale) in FACTS.items()
}
NUMERIC = [n for n, f in FACTS.items() if f[0] in ("integer", "decimal")]


def a_day(rng: random.Random) -> dt.date:
    """A day; often one at the edge of a month or a year."""
    if rng.random() < 0.4:
        return rng.choice(DAYS)
    return dt.date(rng.randrange(1900, 2031), rng.randrange(1, 13), rng.choice((1, 15, 28)))


def fact_value(rng: random.Random, name: str) -> Any:
    """A value of a fact, or None."""
    kind, low, high, scale = FACTS[name]
    if rng.random() < 0.15:
        return None
    if kind in ("integer", "decimal"):
        edge = rng.random()
        whole = rng.choice((low, high, 0, 1, 2)) if edge < 0.3 else rng.randint(low, high)
        whole = min(max(whole, low), high)
        if kind == "integer":
            return whole
        number = Decimal(whole) + Decimal(rng.randrange(10**scale)).scaleb(-scale)
        return min(max(number, Decimal(low)), Decimal(high))
    if kind == "date":
        return a_day(rng)
    if kind == "code":
        return rng.choice(CODES)
    if kind == "codes":
        return frozenset(c for c in CODES if rng.random() < 0.4)
    return rng.random() < 0.5


def person(rng: random.Random) -> dict[str, Any]:
    """A record for the reference evaluator: what is not known is not there."""
    values = {name: fact_value(rng, name) for name in FACTS}
    return {n: v for n, v in values.items() if v is not None}


def stored(record: dict[str, Any]) -> dict[str, Any]:
    """The same record as columns: decimals as whole numbers, lists as lists."""
    row: dict[str, Any] = {}
    for name, (kind, _, _, scale) in FACTS.items():
        value = record.get(name)
        if value is not None and kind == "decimal":
            value = scaled(value, scale)
        row[name] = sorted(value) if isinstance(value, frozenset) else value
    return row


def value(rng: random.Random, depth: int) -> Node:
    """A number."""
    pick = rng.random()
    if depth <= 0 or pick < 0.45:
        return Fact(rng.choice(NUMERIC)) if rng.random() < 0.7 else number(rng)
    if pick < 0.7:
        return Arithmetic(rng.choice(("+", "-", "*")), value(rng, depth - 1), value(rng, depth - 2))
    if pick < 0.85:
        day: Node = Literal(a_day(rng)) if rng.random() < 0.5 else Fact("since")
        return Call(rng.choice(("age_on", "months_between")), (Fact("born"), day))
    arguments = tuple(value(rng, depth - 2) for _ in range(rng.randrange(2, 4)))
    return Call(rng.choice(("least", "greatest")), arguments)


def number(rng: random.Random) -> Literal:
    """A constant, whole or with decimals."""
    if rng.random() < 0.6:
        return Literal(rng.choice((-1, 0, 1, 2, 3, 12, 60, 65, 100, 128, 300, 40_000)))
    return Literal(Decimal(rng.choice(("0.5", "0.40", "1.50", "-2.5", "799.99", "3.0"))))


def condition(rng: random.Random, depth: int = 3) -> Node:
    """A condition."""
    pick = rng.random()
    if depth > 0 and pick < 0.4:
        joined = rng.choice((And, Or))
        return joined(tuple(condition(rng, depth - 1) for _ in range(rng.randrange(2, 4))))
    if depth > 0 and pick < 0.5:
        return Not(condition(rng, depth - 1))
    match rng.randrange(9):
        case 0:
            return Flag(rng.choice(("yes", "maybe", "never-given")))
        case 1:
            return Const(rng.random() < 0.5)
        case 2:
            return Contains("ills", rng.choice(CODES))
        case 3:
            return OneOf(Fact("scheme"), tuple(rng.sample(CODES, rng.randrange(1, 4))))
        case 4:
            return OneOf(value(rng, 1), tuple(number(rng).value for _ in range(rng.randrange(1, 6))))
        case 5:
            other: Node = Fact("other") if rng.random() < 0.5 else Literal(rng.choice(CODES))
            return Compare(rng.choice(("=", "<>")), Fact("scheme"), other)
        case 6:
            on: Node = Literal(a_day(rng)) if rng.random() < 0.5 else Fact("since")
            return Compare(rng.choice(("=", "<>", "<", "<=", ">", ">=")), Fact("born"), on)
    return Compare(rng.choice(("=", "<>", "<", "<=", ">", ">=")), value(rng, 2), value(rng, 1))
