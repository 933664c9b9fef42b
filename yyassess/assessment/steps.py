"""The scoring steps of an instrument, each compiled once into a function of the record.

A record holds, by name: each item's answer as conditions see it, context facts, settings and the steps so far.
``points`` holds what items and counted facts add to sums. A step whose input is missing is ``None`` (unknown).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from yyassess.conditions.reference import Condition, compile_condition
from yyassess.conditions.tree import Node
from yyassess.rulebook.instrument import Band, Count, Instrument, Matrix, Mean, Mode, Rules, Sum, Worst

Record = dict[str, Any]
Points = dict[str, Any]
#: Item answers that are not counted because the item does not apply.
SKIPPED = object()
StepFunction = Callable[[Record, Points], Any]


def compile_steps(instrument: Instrument, trees: Mapping[str, Node]) -> list[tuple[str, StepFunction]]:
    """The steps in order, each as ``(id, function)``."""
    return [(step.id, _compile(step, instrument, trees)) for step in instrument.steps]


def _compile(step: Any, instrument: Instrument, trees: Mapping[str, Node]) -> StepFunction:
    makers: dict[Any, Any] = {
        Sum: _sum,
        Mean: _mean,
        Count: _count,
        Worst: _extreme,
        Band: _band,
        Matrix: _matrix,
        Rules: _rules,
        Mode: _mode,
    }
    function: StepFunction = makers[type(step)](step, instrument, trees)
    return function


def items_of(step: Any, instrument: Instrument) -> tuple[str, ...]:
    """The items a step names, one by one, by dimension or all."""
    if step.items == "all":
        return tuple(item.id for d in instrument.dimensions for item in d.items)
    if getattr(step, "dimension", None):
        return tuple(i.id for d in instrument.dimensions if d.id == step.dimension for i in d.items)
    return tuple(step.items)


def _sum(step: Sum, instrument: Instrument, trees: Mapping[str, Node]) -> StepFunction:
    names = (*items_of(step, instrument), *step.of)
    reverse = step.reverse
    bonus = tuple((compile_condition(trees[b.when]), b.add) for b in step.bonus)
    low, high = step.at_least, step.at_most

    def total(record: Record, points: Points) -> Any:
        result: Any = 0
        for name in names:
            value = points.get(name)
            if value is None:
                return None
            if value is not SKIPPED:
                result += value
        if reverse:
            for name in reverse.items:
                value = points.get(name)
                if value is None:
                    return None
                result += reverse.minuend - value if value is not SKIPPED else 0
        for holds, add in bonus:
            truth = holds(record)
            if truth is None:
                return None
            if truth:
                result += add
        if low is not None and result < low:
            result = low
        if high is not None and result > high:
            result = high
        return result

    return total


def _mean(step: Mean, instrument: Instrument, _: Mapping[str, Node]) -> StepFunction:
    names = items_of(step, instrument)
    needed = step.answered if step.answered is not None else len(names)
    unit = Decimal(1).scaleb(-step.decimals)

    def mean(_: Record, points: Points) -> Any:
        given = [points[n] for n in names if points.get(n) is not None and points[n] is not SKIPPED]
        if len(given) < max(needed, 1):
            return None
        return (sum(map(Decimal, given), Decimal(0)) / len(given)).quantize(unit, ROUND_HALF_UP)

    return mean


def _count(step: Count, instrument: Instrument, trees: Mapping[str, Node]) -> StepFunction:
    names, holds = items_of(step, instrument), compile_condition(trees[step.when])

    def count(record: Record, points: Points) -> Any:
        result = 0
        for name in names:
            if points.get(name) is SKIPPED:
                continue
            value = record.get(name)
            if value is None:
                return None
            truth = holds({**record, "value": value})
            if truth is None:
                return None
            result += truth
        return result

    return count


def _extreme(step: Worst, _: Instrument, __: Mapping[str, Node]) -> StepFunction:
    names = step.of
    pick: Any = max if step.pick == "most" else min

    def extreme(_: Record, points: Points) -> Any:
        values = [value for name in names if (value := points.get(name)) is not SKIPPED]
        return None if None in values or not values else pick(values)

    return extreme


def _band(step: Band, _: Instrument, __: Mapping[str, Node]) -> StepFunction:
    name = step.of
    points_at = [cut.at for cut in step.cuts]
    levels = [cut.level for cut in step.cuts]

    def band(_: Record, points: Points) -> Any:
        value = points.get(name)
        if value is None or value is SKIPPED:
            return None
        place = bisect_right(points_at, value) - 1
        return levels[place] if place >= 0 else None

    return band


def _matrix(step: Matrix, _: Instrument, __: Mapping[str, Node]) -> StepFunction:
    rows, columns, cells = step.rows, step.columns, step.cells

    def lookup(_: Record, points: Points) -> Any:
        row, column = points.get(rows), points.get(columns)
        return None if row is None or column is None else cells[row][column]

    return lookup


def _rules(step: Rules, _: Instrument, trees: Mapping[str, Node]) -> StepFunction:
    lines: list[tuple[Condition | None, Any]] = [
        (compile_condition(trees[rule.when]) if rule.when is not None else None, rule.value) for rule in step.rules
    ]

    # `unknown` is no name: points has no value for it, and so the step has none.
    def worth(value: Any, points: Points) -> Any:
        taken = points.get(value) if isinstance(value, str) else value
        return None if taken is SKIPPED else taken

    def first_that_holds(record: Record, points: Points) -> Any:
        for number, (holds, value) in enumerate(lines):
            truth = True if holds is None else holds(record)
            if truth:
                return worth(value, points)
            if truth is None:
                # Unknown only if a later line that may still apply gives something else.
                possible = {worth(value, points)}
                for later, other in lines[number + 1 :]:
                    may = True if later is None else later(record)
                    if may is not False:
                        possible.add(worth(other, points))
                    if may:
                        break
                return possible.pop() if len(possible) == 1 else None
        return None  # pragma: no cover - the last line always holds

    return first_that_holds


def _mode(step: Mode, _: Instrument, trees: Mapping[str, Node]) -> StepFunction:
    names, holds, near = step.items, compile_condition(trees[step.when]), step.tie_nearest

    def mode(record: Record, points: Points) -> Any:
        centre = points.get(near)
        asked = [n for n in names if points.get(n) is not SKIPPED]
        if centre is None or centre is SKIPPED or any(points.get(n) is None for n in asked):
            return None
        chosen = Counter(points[n] for n in asked if holds({**record, "value": record[n]}))
        if not chosen:
            return None
        most = max(chosen.values())
        return min((v for v, n in chosen.items() if n == most), key=lambda v: (abs(v - centre), v))

    return mode
