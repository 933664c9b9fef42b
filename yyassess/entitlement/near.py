"""Near misses and the least change: what is lacking, in facts that can still change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from yyassess.assessment.question import number
from yyassess.conditions.reference import Condition, compile_condition
from yyassess.conditions.tree import Compare, Fact, Literal, Node, facts_of, walk
from yyassess.rulebook.basics import Text
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.vocabulary import FactDefinition

#: A least change touches at most so many facts; more is no longer an answer a family can use.
MOST_CHANGES = 2


def near_misses(
    book: Rulebook, programme: Any, truths: list[bool | None], facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """For each false criterion, the gap of its facts that can change (``"2 months short"``)."""
    found = []
    for criterion, truth in zip(programme.criteria, truths, strict=True):
        if truth is not False:
            continue
        for limit in criterion.limits:
            if _compiled(limit)(facts) is False:
                found.append({"criterion": criterion.id, **_gap(book.facts, limit, facts)})
    return found


def least_change(
    book: Rulebook, programme: Any, truths: list[bool | None], facts: dict[str, Any]
) -> list[dict[str, Any]] | None:
    """The smallest set of changes that makes every false criterion true, or None when there is none.

    Only facts that can change with time or effort count, at most two together; fewer facts first, then the smaller
    sum of steps.
    """
    false = [c.node for c, truth in zip(programme.criteria, truths, strict=True) if truth is False]
    names = list(dict.fromkeys(n for node in false for n in facts_of(node) if _can_change(book, n, facts)))
    if not false or any(not any(_can_change(book, n, facts) for n in facts_of(node)) for node in false):
        return None
    candidates = {name: _candidates(book.facts[name], name, false, facts[name]) for name in names}
    for size in range(1, min(MOST_CHANGES, len(names)) + 1):
        best: tuple[Any, Mapping[str, Any]] | None = None
        for chosen in combinations(names, size):
            for values in product(*(candidates[name] for name in chosen)):
                change = dict(zip(chosen, values, strict=True))
                trial = {**facts, **change}
                if all(_compiled(node)(trial) for node in false):
                    steps = sum(abs(v - facts[n]) for n, v in change.items())
                    if best is None or steps < best[0]:
                        best = (steps, change)
        if best is not None:
            return [_change(book.facts[n], n, facts[n], v) for n, v in best[1].items()]
    return None


@lru_cache(maxsize=8192)
def _compiled(node: Node) -> Condition:
    return compile_condition(node)


def _can_change(book: Rulebook, name: str, facts: Mapping[str, Any]) -> bool:
    fact = book.facts.get(name)
    return (
        fact is not None
        and fact.can_change
        and not fact.grade_of
        and fact.type in ("integer", "decimal")
        and name in facts
    )


def _candidates(fact: FactDefinition, name: str, nodes: Iterable[Node], given: Any) -> list[Any]:
    """Values at and just beside every number the fact is compared with, the nearest first; of two, what grows into it."""
    step = _step(fact)
    found: set[Any] = set()
    for node in nodes:
        for part in walk(node):
            if isinstance(part, Compare) and name in facts_of(part):
                found.update(
                    n.value for n in walk(part) if isinstance(n, Literal) and isinstance(n.value, (int, Decimal))
                )
    values = {value + shift for value in found for shift in (-step, 0, step)} - {given}
    low, high = fact.range or (min(values, default=0), max(values, default=0))
    return sorted((v for v in values if low <= v <= high), key=lambda v: (abs(v - given), -v))


def _step(fact: FactDefinition) -> Any:
    return Decimal(1).scaleb(-fact.decimals) if fact.type == "decimal" else 1


def _gap(vocabulary: Mapping[str, FactDefinition], limit: Compare, facts: dict[str, Any]) -> dict[str, Any]:
    assert isinstance(limit.left, Fact) and isinstance(limit.right, Literal)
    name = limit.left.name
    fact, bound = vocabulary[name], limit.right.value
    assert isinstance(bound, (int, Decimal))
    step = _step(fact)
    needed = bound + step if limit.op == ">" else bound - step if limit.op == "<" else bound
    return _change(fact, name, facts[name], needed)


def _change(fact: FactDefinition, name: str, given: Any, needed: Any) -> dict[str, Any]:
    gap = number(abs(needed - given))
    unit = fact.unit or Text(zh="", en="")
    many = unit["en"].rstrip("s") if gap == 1 else unit["en"]
    if needed > given:
        say = Text(zh=f"还差{gap}{unit['zh']}", en=f"{gap} {many} short".replace("  ", " "))
    else:
        say = Text(zh=f"超出{gap}{unit['zh']}", en=f"{gap} {many} too many".replace("  ", " "))
    return {"fact": name, "given": number(given), "needed": number(needed), "say": say}
