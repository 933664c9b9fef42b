"""Near misses: a criterion that fails only by a measurable gap in a fact that can still change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from yyassess.assessment.question import number
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import Compare, Fact, Literal
from yyassess.rulebook.basics import Text
from yyassess.rulebook.book import Rulebook


def near_misses(
    book: Rulebook, programme: Any, truths: list[bool | None], facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """For each false criterion, the gap of its facts that can change (``"2 months short"``)."""
    found = []
    for criterion, truth in zip(programme.criteria, truths, strict=True):
        if truth is not False:
            continue
        for limit in criterion.limits:
            if compile_condition(limit)(facts) is False:
                found.append(_gap(book, criterion.id, limit, facts))
    return found


def _gap(book: Rulebook, criterion: str, limit: Compare, facts: dict[str, Any]) -> dict[str, Any]:
    assert isinstance(limit.left, Fact) and isinstance(limit.right, Literal)
    name = limit.left.name
    fact, given = book.facts[name], facts[name]
    bound: Any = limit.right.value
    step: Any = Decimal(1).scaleb(-fact.decimals) if fact.type == "decimal" else 1
    needed = bound + step if limit.op == ">" else bound - step if limit.op == "<" else bound
    gap = number(abs(needed - given))
    unit = fact.unit or Text(zh="", en="")
    many = unit["en"].rstrip("s") if gap == 1 else unit["en"]
    if limit.op in (">", ">="):
        say = Text(zh=f"还差{gap}{unit['zh']}", en=f"{gap} {many} short".replace("  ", " "))
    else:
        say = Text(zh=f"超出{gap}{unit['zh']}", en=f"{gap} {many} too many".replace("  ", " "))
    return {"criterion": criterion, "fact": name, "given": number(given), "needed": number(needed), "say": say}
