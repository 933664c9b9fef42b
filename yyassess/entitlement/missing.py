"""Which unknown facts could still change an outcome: exactly those, no more and no fewer.

The residual condition (what is left once the known facts are put in) is tried on representative values of each
unknown fact: values just below, at and above every constant it is compared with, every code that is named and one
that is not. Facts compared with one another are tried with all their values. Criteria that share no unknown fact are
tried apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_FLOOR, Decimal
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
#: The same where facts are compared with one another: such a comparison may hold a person's own figures, so that its
#: result is of little use to the next person. Above it the comparison counts as free to be true or false.
MAX_COUPLED = 5_000
#: Of a list of codes more than this many are not tried in every combination.
MAX_CODES = 10

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
    whole: Node = And(parts)
    everything = frozenset(facts_of(whole)), True
    behind: dict[str, tuple[str, ...]] = {}
    coupled = {name for node in walk(whole) if _couples(node) for name in facts_of(node)}
    values = _values(whole, coupled, shapes)
    if coupled and _size(values) > MAX_COUPLED:
        whole = _freed(whole, behind)
        values = _values(whole, set(), shapes)
    if _size(values) > MAX_COMBINATIONS:
        return everything
    names = tuple(values)
    holds = compile_condition(whole)
    candidates = (tried for tried in values.values() if tried is not None)
    truth = {c: bool(holds(dict(zip(names, c, strict=True)))) for c in product(*candidates)}
    found: set[str] = set()
    for place, name in enumerate(names):
        seen: dict[Any, bool] = {}
        for combination, outcome in truth.items():
            rest = combination[:place] + combination[place + 1 :]
            if seen.setdefault(rest, outcome) != outcome:
                found.update(behind.get(name, (name,)))
                break
    return frozenset(found), any(truth.values())


def _couples(node: Node) -> bool:
    """Whether a comparison is of anything but one fact and constants."""
    match node:
        case Compare(_, Fact(), Literal()) | Compare(_, Literal(), Fact()) | OneOf(Fact()):
            return False
    return isinstance(node, (Compare, OneOf))


def _freed(node: Node, behind: dict[str, tuple[str, ...]]) -> Node:
    """The condition with every coupling comparison as a yes/no of its own; ``behind``: the facts it stands for.

    A fact that changes the outcome does so through one of the comparisons it is in, so none is left out.
    """
    match node:
        case And(parts):
            return And(tuple(_freed(p, behind) for p in parts))
        case Or(parts):
            return Or(tuple(_freed(p, behind) for p in parts))
        case Not(part):
            return Not(_freed(part, behind))
    if not _couples(node):
        return node
    name = f"coupled:{node}"
    behind[name] = facts_of(node)
    return Flag(name)


def _values(whole: Node, coupled: set[str], shapes: _Shapes) -> dict[str, list[Any] | None]:
    """The values to try of every name; None where there are too many."""
    constants: dict[str, set[Any]] = {name: set() for name in facts_of(whole)}
    for node in walk(whole):
        match node:
            case Compare(_, Fact(name), Literal(value)) | Compare(_, Literal(value), Fact(name)):
                constants[name].add(value)
            case OneOf(Fact(name), choices):
                constants[name].update(choices)
            case Contains(name, code):
                constants[name].add(code)
    return {
        name: _all_values(shapes.facts.get(name))
        if name in coupled
        else _representatives(found, shapes.facts.get(name))
        for name, found in constants.items()
    }


def _size(values: Mapping[str, list[Any] | None]) -> int:
    size = 1
    for tried in values.values():
        size *= len(tried) if tried is not None else MAX_COMBINATIONS + 1
    return size


def _all_values(fact: FactDefinition | None) -> list[Any] | None:
    kind = fact.type if fact else "boolean"
    if kind == "boolean":
        return [True, False]
    assert fact is not None
    if kind == "code":
        return list(fact.codes)
    if kind not in ("integer", "decimal") or fact.range is None:
        return None
    scale = 10**fact.decimals if kind == "decimal" else 1
    low, high = (end * scale for end in fact.range)
    if high - low > MAX_COUPLED:
        return None
    return [n if scale == 1 else Decimal(n) / scale for n in range(low, high + 1)]


def _representatives(constants: set[Any], fact: FactDefinition | None) -> list[Any] | None:
    kind = fact.type if fact else "boolean"
    if kind == "boolean":
        return [True, False]
    assert fact is not None
    if kind == "code":
        named = [c for c in fact.codes if c in constants]
        return named + [c for c in fact.codes if c not in constants][:1]
    if kind == "codes":
        named = [c for c in fact.codes if c in constants]
        if len(named) > MAX_CODES:
            return None
        return [frozenset(s) for n in range(len(named) + 1) for s in combinations(named, n)]
    if kind == "date":
        day, days = dt.timedelta(days=1), {c for c in constants if isinstance(c, dt.date)}
        return sorted({d for c in days for d in (c - day, c, c + day)}) or [dt.date(1940, 1, 1), dt.date(2000, 1, 1)]
    step = Decimal(1).scaleb(-fact.decimals) if kind == "decimal" else Decimal(1)
    low, high = fact.range or (-(10**6), 10**6)
    below = {(c / step).to_integral_value(ROUND_FLOOR) * step for c in constants if isinstance(c, (int, Decimal))}
    numbers = {n for c in below for n in (c - step, c, c + step)}
    return sorted(n for n in numbers | {Decimal(low), Decimal(high)} if low <= n <= high)


__all__ = ["Flag", "relevant", "residual"]
