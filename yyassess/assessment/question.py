"""An item ready to be answered, and the small conversions between JSON and exact values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from yyassess.rulebook.basics import Frozen
from yyassess.rulebook.instrument import Instrument, Item


class Question:
    """An item ready to be answered: what is allowed, what each answer is worth, its line in the trace."""

    __slots__ = ("allowed", "best", "id", "item", "points", "range", "trace", "values", "worst")

    def __init__(self, item: Item, instrument: Instrument, direction: str) -> None:
        self.id, self.item, self.range = item.id, item, item.range
        options = instrument.ladders[item.ladder] if item.ladder else item.options
        self.points: dict[Any, Any] = {o.answer: o.score for o in options}
        self.values = {o.answer: o.answer for o in options}
        evidence = (item.evidence or instrument.evidence).mark
        source = source_json(instrument.source, item.code)
        self.trace: dict[Any, Frozen] = {
            o.answer: Frozen(
                step=item.id,
                value=number(o.score) if o.score is not None else o.answer,
                because=o.say,
                source=source,
                evidence=(o.evidence.mark if o.evidence else evidence),
            )
            for o in options
        }
        answers: list[Any] = list(self.points)
        if item.range:
            self.allowed: Any = {"from": item.range[0], "to": item.range[1]}
            self.trace[None] = Frozen(step=item.id, value=None, because=item.name, source=source, evidence=evidence)
            answers = list(item.range)
        else:
            self.allowed = [number(a) if not isinstance(a, str) else a for a in answers]
        if direction != "neither" and all(s is not None for s in self.points.values()):
            answers.sort(key=lambda a: self.points.get(a, a), reverse=direction == "more_able")
        self.best, self.worst = answers[0], answers[-1]

    def read(self, given: Any) -> Any:
        """The answer in its canonical form.

        Raises:
            ValueError: not one of the allowed answers.
        """
        if isinstance(given, bool):
            raise ValueError("true and false are not scores")
        if isinstance(given, float):
            if not isfinite(given):
                raise ValueError("not a finite number")
            given = int(given) if given.is_integer() else Decimal(str(given))
        if isinstance(given, Decimal) and not given.is_finite():
            raise ValueError("not a finite number")
        if self.range is not None:
            if not isinstance(given, (int, Decimal)):
                raise ValueError("not a number")
            if isinstance(given, Decimal) and -int(given.as_tuple().exponent) > self.item.decimals:
                raise ValueError(f"at most {self.item.decimals} decimals")
            if not self.range[0] <= given <= self.range[1]:
                raise ValueError("out of range")
            return given
        if not isinstance(given, (int, Decimal, str)) or given not in self.values:
            raise ValueError("not one of the options")
        return self.values[given]

    def worth(self, answer: Any) -> Any:
        """What an answer adds to a sum: its score (its own value for a number entered)."""
        return answer if self.range is not None else self.points[answer]

    def choices(self) -> list[Any] | None:
        """All answers, or None for a wide range."""
        if self.range is None:
            return list(self.points)
        return list(range(self.range[0], self.range[1] + 1)) if not self.item.decimals else None


def flatten(given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Facts by their full names: ``{"care_risk_events": {"fall": …}}`` becomes ``care_risk_events.fall``."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, Mapping) and name not in known:
            flat.update((f"{name}.{inner}", v) for inner, v in value.items())
        else:
            flat[str(name)] = value
    return flat


def source_json(source: Any, clause: str | None = None) -> Frozen:
    """A source reference as it appears in results."""
    return Frozen(document=source.document, clause=clause or source.clause)


def number(value: Any) -> Any:
    """A number as JSON knows it: whole where it is whole."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def plain(value: Any) -> Any:
    """A fact's value as JSON: lists sorted, days as text, numbers whole where they are whole."""
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, dt.date) else number(value)
