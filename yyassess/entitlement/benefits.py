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
    benefit = row.benefit
    entry: dict[str, Any] = {}
    if benefit.not_configured:
        entry["not_configured"] = True
    if benefit.amount is not None:
        amount = amount_on(row, facts, on)
        entry["amount"] = number(amount)
        entry["unit"] = benefit.unit
        if amount is None:
            if row.amount is None:
                entry["not_configured"] = True
            else:
                entry["amount_depends_on"] = [n for n in row.amount_names if n not in facts]
    if benefit.share is not None:
        entry["share"] = number(benefit.share)
    if benefit.cap is not None:
        entry["cap"] = number(benefit.cap)
        entry["cap_unit"] = benefit.cap_unit or benefit.unit
    if benefit.guide:
        entry["guide"] = True
    return {**row.template, **entry}


def amount_on(row: ReadyBenefit, facts: dict[str, Any], on: dt.date) -> Any:
    """The amount on a day: the figure, the dated figure of that day, or the expression's value; None if unknown."""
    amount = row.benefit.amount
    if isinstance(amount, tuple):
        holding = [d for d in amount if d.start is None or d.start <= on]
        value = holding[-1].value if holding else "unknown"
        return None if value == "unknown" else value
    if row.amount is not None:
        return row.amount(facts)
    return amount
