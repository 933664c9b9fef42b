"""What an eligible person gets: the benefit rows that apply, with amounts as far as they are known."""

from __future__ import annotations

import datetime as dt
from typing import Any

from yyassess.assessment.question import number
from yyassess.entitlement.plan import ReadyBenefit, ReadyProgramme
from yyassess.rulebook.book import Ruleset


def benefits_of(programme: ReadyProgramme, facts: dict[str, Any], ruleset: Ruleset) -> list[dict[str, Any]]:
    """The rows whose condition holds, or may hold once more is known (``depends_on``)."""
    shown = []
    for row in programme.benefits:
        truth = row.holds(facts) if row.holds else True
        if truth is False:
            continue
        entry = _row(row, facts, ruleset.on)
        if truth is None:
            entry["depends_on"] = [n for n in row.names if n not in facts]
        shown.append(entry)
    return shown


def _row(row: ReadyBenefit, facts: dict[str, Any], on: dt.date) -> dict[str, Any]:
    entry: dict[str, Any] = {**row.template}
    if row.amount is not None:
        amount = row.amount(facts)
        entry["amount"] = number(amount)
        if amount is None:
            entry["amount_depends_on"] = [n for n in row.amount_names if n not in facts]
    elif row.dated:
        entry["amount"] = number(_figure(row.dated, on))
        if entry["amount"] is None:
            entry["not_configured"] = True
    return entry


def amount_on(row: ReadyBenefit, facts: dict[str, Any], on: dt.date) -> Any:
    """The amount on a day: the figure, the dated figure of that day, or the expression's value; None if unknown."""
    if row.amount is not None:
        return row.amount(facts)
    return _figure(row.dated, on) if row.dated else row.benefit.amount


def _figure(dated: tuple[Any, ...], on: dt.date) -> Any:
    """The dated figure of a day; None where it is unknown, or no figure holds yet."""
    holding = [d.value for d in dated if d.start is None or d.start <= on]
    return None if not holding or holding[-1] == "unknown" else holding[-1]
