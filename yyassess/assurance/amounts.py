"""What a person of a world gets: benefit rows that hold, their amounts, shares and caps, as formulas."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from yyassess.assurance.situations import Situation, figure
from yyassess.assurance.world import Person
from yyassess.conditions.smt import choose, constant
from yyassess.conditions.tree import Node
from yyassess.entitlement.plan import ReadyBenefit


def row_nodes(situation: Situation, row: ReadyBenefit, amounts: bool = True) -> list[Node]:
    """The trees a benefit row asks with: its condition and its amount."""
    trees, benefit = situation.world.machine.trees, row.benefit
    texts = [benefit.when, benefit.amount if amounts and isinstance(benefit.amount, str) else None]
    return [trees[text] for text in texts if text]


def all_nodes(situation: Situation) -> tuple[Node, ...]:
    """All trees of a programme's criteria and benefits: facts that a complete case gives."""
    return (*situation.nodes, *(n for row in situation.ready.benefits for n in row_nodes(situation, row)))


def row_holds(person: Person, situation: Situation, row: ReadyBenefit) -> Any:
    """That a benefit row applies."""
    when = row.benefit.when
    return True if when is None else person.yes(situation.world.machine.trees[when])


def amount_of(person: Person, situation: Situation, row: ReadyBenefit) -> Any:
    """The amount of a row on the day, or ``None`` where there is no figure."""
    value = figure(row, situation.world.day)
    if isinstance(value, str):
        return person.value(situation.world.machine.trees[value])
    return None if value is None else constant(Decimal(value))


#: How often a year a payment comes; a payment without one of these words is a single one.
A_YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


def yearly(unit: str) -> tuple[str, int]:
    """A unit of money per time as a unit a year and the factor, so that 300 a year and 100 a month compare."""
    currency, _, time = unit.partition("/")
    return (f"{currency}/year", A_YEAR[time]) if time in A_YEAR else (unit, 1)


def quantities(row: ReadyBenefit) -> Iterator[tuple[str, str, int]]:
    """What of a row can be compared: kind (``amount``, ``share``, ``cap``), unit a year, and the factor to it."""
    benefit = row.benefit
    if benefit.guide:
        return
    if benefit.amount is not None:
        yield "amount", *yearly(str(benefit.unit))
    if benefit.share is not None:
        yield "share", "", 1
    if benefit.cap is not None:
        yield "cap", *yearly(str(benefit.cap_unit or benefit.unit))


def totals(person: Person, situation: Situation) -> dict[tuple[str, str], Any]:
    """The sum of each quantity over the rows that hold; a quantity with an unknown figure is left out."""
    found: dict[tuple[str, str], Any] = {}
    unknown: set[tuple[str, str]] = set()
    for row in situation.ready.benefits:
        for kind, unit, factor in quantities(row):
            quantity = (kind, unit)
            if kind == "amount":
                value = amount_of(person, situation, row)
            else:
                value = constant(Decimal(getattr(row.benefit, kind)))
            if value is None:
                unknown.add(quantity)
                continue
            part = choose(row_holds(person, situation, row), value * factor, 0)
            found[quantity] = found[quantity] + part if quantity in found else part
    return {q: v for q, v in found.items() if q not in unknown}


def paid(outcome: dict[str, Any], quantity: tuple[str, str]) -> Any:
    """The same sum in an outcome of the reference evaluator."""
    kind, unit = quantity
    total = 0
    for row in outcome["benefits"]:
        if row.get("guide") or "depends_on" in row or row.get(kind) is None:
            continue
        base, factor = yearly(row["unit" if kind == "amount" else "cap_unit"]) if kind != "share" else ("", 1)
        if base == unit:
            total += row[kind] * factor
    return round(total, 6)
