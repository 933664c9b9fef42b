"""Which unknown facts could still change an outcome: exactly those, no more and no fewer.

The residual condition (what is left once the known facts are put in) is tried on representative values of each
unknown fact: values just below, at and above every constant it is compared with, every code that is named and one
that is not. Criteria that share no unknown fact are tried apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from yyassess.conditions.reference import compile_condition
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
    facts_of,
    walk,
)
from yyassess.rulebook.vocabulary import FactDefinition

#: Above this many combinations a component's facts are all listed (a superset, never a subset).
MAX_COMBINATIONS = 50_000

Record = Mapping[str, Any]


def residual(node: Node, record: Record, truth: Callable[[Node], bool | None]) -> Node:
    """The condition with its known parts put in."""
    known = truth(node)
    if known is not None:
        return Const(known)
    match node:
        case And(parts):
            rest = tuple(p for p in (residual(p, record, truth) for p in parts) if p != Const(True))
            return rest[0] if len(rest) == 1 else And(rest)
        case Or(parts):
            rest = tuple(p for p in (residual(p, record, truth) for p in parts) if p != Const(False))
            return rest[0] if len(rest) == 1 else Or(rest)
        case Not(part):
            return Not(residual(part, record, truth))
        case Compare(op, left, right):
            return Compare(op, _filled(left, record), _filled(right, record))
        case OneOf(value, choices):
            return OneOf(_filled(value, record), choices)
    return node


def _filled(node: Node, record: Record) -> Node:
    match node:
        case Fact(name) if record.get(name) is not None:
            return Literal(record[name])
        case Arithmetic(op, left, right):
            return Arithmetic(op, _filled(left, record), _filled(right, record))
        case Call(name, arguments):
            return Call(name, tuple(_filled(a, record) for a in arguments))
    return node


def relevant(residuals: Iterable[Node], facts: Mapping[str, FactDefinition]) -> frozenset[str]:
    """The unknown facts on which the truth of *all residuals together* depends."""
    parts = tuple(dict.fromkeys(residuals))
    found: set[str] = set()
    satisfiable = True
    for component in _components(parts):
        names, possible = _component(component, _Shapes(facts))
        satisfiable = satisfiable and possible
        found |= names
    return frozenset(found) if satisfiable else frozenset()


class _Shapes:
    """The vocabulary as a cache key: one vocabulary is one key."""

    def __init__(self, facts: Mapping[str, FactDefinition]) -> None:
        self.facts = facts

    def __hash__(self) -> int:
        return id(self.facts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shapes) and other.facts is self.facts


def _components(parts: tuple[Node, ...]) -> list[tuple[Node, ...]]:
    groups: list[tuple[set[str], list[Node]]] = []
    for part in parts:
        names = set(facts_of(part))
        touching = [g for g in groups if g[0] & names]
        merged = (names.union(*(g[0] for g in touching)), [n for g in touching for n in g[1]] + [part])
        groups = [g for g in groups if g not in touching] + [merged]
    return [tuple(nodes) for _, nodes in groups]


@lru_cache(maxsize=8192)
def _component(parts: tuple[Node, ...], shapes: _Shapes) -> tuple[frozenset[str], bool]:
    whole = And(parts)
    names = facts_of(whole)
    constants: dict[str, set[Any]] = {name: set() for name in names}
    coupled = False
    for node in walk(whole):
        match node:
            case Compare(_, Fact(name), Literal(value)):
                constants[name].add(value)
            case Compare(_, Literal(value), Fact(name)):
                constants[name].add(value)
            case Compare():
                coupled = True
            case OneOf(Fact(name), choices):
                constants[name].update(choices)
            case OneOf():
                coupled = True
            case Contains(name, code):
                constants[name].add(code)
    if coupled:
        _coupled_constants(whole, constants)
    values: list[list[Any]] = [_representatives(name, constants[name], shapes.facts.get(name)) for name in names]
    size = 1
    for candidates in values:
        size *= len(candidates)
    if size > MAX_COMBINATIONS:
        return frozenset(names), True
    holds = compile_condition(whole)
    truth = {c: bool(holds(dict(zip(names, c, strict=True)))) for c in product(*values)}
    found = set()
    for place, name in enumerate(names):
        seen: dict[Any, bool] = {}
        for combination, outcome in truth.items():
            rest = combination[:place] + combination[place + 1 :]
            if seen.setdefault(rest, outcome) != outcome:
                found.add(name)
                break
    return frozenset(found), any(truth.values())


def _coupled_constants(whole: Node, constants: dict[str, set[Any]]) -> None:
    """For sums and functions of facts: the constants met anywhere in the same comparison, as a coarse grid."""
    for node in walk(whole):
        if isinstance(node, (Compare, OneOf)):
            found = [n.value for n in walk(node) if isinstance(n, Literal)]
            found += list(node.choices) if isinstance(node, OneOf) else []
            for name in facts_of(node):
                constants[name].update(found)
                constants[name].update({0, 1} if any(isinstance(v, (int, Decimal)) for v in found) or not found else ())


def _representatives(name: str, constants: set[Any], fact: FactDefinition | None) -> list[Any]:
    kind = fact.type if fact else "boolean"
    if kind == "boolean":
        return [True, False]
    assert fact is not None
    if kind == "code":
        named = [c for c in fact.codes if c in constants]
        return named + [c for c in fact.codes if c not in constants][:1]
    if kind == "codes":
        named = [c for c in fact.codes if c in constants]
        return [frozenset(s) for n in range(len(named) + 1) for s in combinations(named, n)]
    if kind == "date":
        day, days = dt.timedelta(days=1), {c for c in constants if isinstance(c, dt.date)}
        return sorted({d for c in days for d in (c - day, c, c + day)}) or [dt.date(1940, 1, 1), dt.date(2000, 1, 1)]
    step = Decimal(1).scaleb(-fact.decimals) if kind == "decimal" else 1
    low, high = fact.range or (-(10**6), 10**6)
    numbers = {n for c in constants if isinstance(c, (int, Decimal)) for n in (c - step, c, c + step)}
    return sorted(n for n in numbers | {low, high} if low <= n <= high)


__all__ = ["Flag", "relevant", "residual"]
