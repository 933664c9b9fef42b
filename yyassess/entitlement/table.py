"""The correspondence the documents ask for: grades x programmes, derived from the rules of a place."""

from __future__ import annotations

import datetime as dt
from typing import Any

from yyassess.assessment.scoring import scorer
from yyassess.conditions.tree import And, Node, facts_of
from yyassess.entitlement.determine import determine
from yyassess.entitlement.plan import ReadyRuleset, ready
from yyassess.rulebook.book import Rulebook

CELL = {"eligible": "open", "ineligible": "closed", "unknown": "depends", "not_configured": "not_configured"}


def correspondence_table(book: Rulebook, place: str, on: dt.date) -> dict[str, Any]:
    """What each grade opens, closes or leaves to other facts, for a place on a day.

    Each row is a grade of an instrument, decided with that grade known and nothing else. A programme is a column
    under an instrument when its criteria ask for that instrument's grade (also through another programme).

    Returns:
        ``instruments`` (rows with a cell for each programme: ``open``, ``closed``, ``depends`` with the facts it
        depends on, ``not_configured``), ``without_grade`` (programmes no grade decides), ``not_in_force``.
    """
    ruleset = book.at(place, on)
    machine = ready(ruleset)
    asked = {id: _grades_asked(machine, id) for id in ruleset.standings}
    instruments = []
    for instrument in dict.fromkeys(i for found in asked.values() for i in found):
        columns = [id for id, found in asked.items() if instrument in found]
        rows = []
        for level in scorer(book, instrument).level_json.values():
            typed_in = {"instrument": instrument, "date": on.isoformat(), "grade": {"level": level["level"]}}
            result = determine({"assessments": [typed_in]}, place=place, on=on, rules=book)
            outcomes = {o["programme"]: o for o in result["outcomes"]}
            rows.append({**level, "cells": {id: _cell(outcomes[id]) for id in columns}})
        shown = book.instruments[instrument]
        instruments.append(
            {
                "instrument": instrument,
                "name": shown.name,
                "columns": [_column(ruleset, id) for id in columns],
                "rows": rows,
            }
        )
    return {
        "place": ruleset.place.id,
        "name": ruleset.place.name,
        "on": on.isoformat(),
        "ruleset": {"hash": ruleset.hash},
        "instruments": instruments,
        "without_grade": [
            _column(ruleset, id) for id, found in asked.items() if not found and id not in machine.absent
        ],
        "not_in_force": [_column(ruleset, id) for id in machine.absent],
        "facts": {name: fact.name for name, fact in book.facts.items()},
    }


def _column(ruleset: Any, id: str) -> dict[str, Any]:
    text = ruleset.standings[id].programme
    return {
        "id": id,
        "name": text.name,
        "kind": text.kind,
        "standing": text.status,
        "place": ruleset.standings[id].place,
    }


def _grades_asked(machine: ReadyRuleset, id: str, trail: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The instruments whose grade a programme's criteria ask for."""
    programme = machine.programmes.get(machine.aliases.get(id, id))
    if programme is None or id in trail:
        return ()
    found: dict[str, None] = {}
    whole: Node = And(tuple(c.node for c in programme.criteria))
    for name in facts_of(whole):
        instrument = machine.from_instrument.get(name)
        if instrument:
            found.setdefault(instrument)
        elif name.startswith("eligible:"):
            found.update(dict.fromkeys(_grades_asked(machine, name.removeprefix("eligible:"), (*trail, id))))
    return tuple(found)


def _cell(outcome: dict[str, Any]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell": CELL[outcome["status"]]}
    if outcome["missing"]:
        cell["depends_on"] = outcome["missing"]
    return cell
