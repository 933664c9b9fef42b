"""Short ways to tell a monitor what happened and to ask it what is due."""

from __future__ import annotations

from typing import Any

import pytest

from yyassess import CaseMonitor, InputError, Rulebook

GB = "gbt-42195-2022"
LTCI = "ltci-2021-37"


def event(kind: str, date: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "date": date, **details}


def monitor(book: Rulebook, *events: dict[str, Any], place: str | None = None) -> CaseMonitor:
    made = CaseMonitor(rules=book, place=place)
    made.observe_all(events)
    return made


def due(book: Rulebook, on: str, *events: dict[str, Any], place: str | None = None) -> list[tuple[str, str, str]]:
    """Action, rule and first day of all that is due; the same from both engines, in whatever order events arrive."""
    found = monitor(book, *events, place=place).due(on)
    other = CaseMonitor(rules=book, place=place, engine="reference")
    other.observe_all(reversed(events))
    assert other.due(on) == found
    return [(item["action"], item["rule"], item["since"]) for item in found]


def only(book: Rulebook, on: str, *events: dict[str, Any], place: str | None = None) -> dict[str, Any]:
    [item] = monitor(book, *events, place=place).due(on)
    return item


def warned(book: Rulebook, on: str, *events: dict[str, Any], place: str | None = None) -> list[str]:
    return [w["id"] for w in monitor(book, *events, place=place).warnings(on)]


def faults(call: Any) -> list[dict[str, Any]]:
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.errors
