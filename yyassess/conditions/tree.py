"""The typed tree of a condition: parsed once, then read by every evaluator.

Booleans are ``And``, ``Or``, ``Not``, ``Compare``, ``OneOf``, ``Contains``, ``Flag``, ``Const``;
values are ``Fact``, ``Literal``, ``Arithmetic``, ``Call``. Nodes are immutable and hashable, so that equal
conditions of different programmes are evaluated once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as Choice

Scalar = bool | int | Decimal | str | dt.date

CompareOp = Choice["=", "<>", "<", "<=", ">", ">="]
OPPOSITE: dict[CompareOp, CompareOp] = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED: dict[CompareOp, CompareOp] = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Node:
    """Any part of a condition."""


@dataclass(frozen=True, slots=True)
class Fact(Node):
    """A name of the vocabulary (or, inside an instrument, an item or a step)."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: whole number, decimal, text (code), day, true or false."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """``left op right`` over numbers."""

    op: Choice["+", "-", "*"]
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A named function of values: ``age_on``, ``months_between``, ``least``, ``greatest``."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A condition that is always true or always false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Flag(Node):
    """A yes/no fact standing alone as a condition."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """``left op right``."""

    op: CompareOp
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class OneOf(Node):
    """``value IN (…)``."""

    value: Node
    choices: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Contains(Node):
    """``CONTAINS(list, 'code')``: the list fact holds the code."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The opposite; unknown stays unknown."""

    part: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """All parts hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """At least one part holds."""

    parts: tuple[Node, ...]


def parts_of(node: Node) -> Iterator[Node]:
    """The nodes directly under a node."""
    # Each kind of node is a slotted dataclass right under `Node`: its slots are its fields, and quicker to read.
    names: tuple[str, ...] = node.__slots__
    for name in names:
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Node):
                yield part


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, top down."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed([*parts_of(here)]))


def facts_of(node: Node) -> tuple[str, ...]:
    """The names a condition asks for, in order of first use."""
    seen: dict[str, None] = {}
    for part in walk(node):
        if isinstance(part, (Fact, Flag, Contains)):
            seen.setdefault(part.name)
    return tuple(seen)


def negated(node: Node) -> Node:
    """The negation, pushed down to the atoms (negation normal form)."""
    match node:
        case Not(part):
            return normal(part)
        case And(parts):
            return Or(tuple(negated(p) for p in parts))
        case Or(parts):
            return And(tuple(negated(p) for p in parts))
        case Compare(op, left, right):
            return Compare(OPPOSITE[op], left, right)
        case Const(value):
            return Const(not value)
        case _:
            return Not(node)


def normal(node: Node) -> Node:
    """Negation normal form: ``Not`` only directly on ``Flag``, ``OneOf`` and ``Contains``."""
    match node:
        case Not(part):
            return negated(part)
        case And(parts):
            return And(tuple(normal(p) for p in parts))
        case Or(parts):
            return Or(tuple(normal(p) for p in parts))
        case _:
            return node
