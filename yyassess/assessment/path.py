"""Which steps, items and facts a result really came from: for its evidence mark, its trace and what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from yyassess.assessment.steps import SKIPPED, Points, Record, items_of
from yyassess.conditions.reference import Condition, compile_condition
from yyassess.conditions.tree import Node, facts_of
from yyassess.rulebook.basics import Mark, weakest
from yyassess.rulebook.instrument import Band, Count, Instrument, Matrix, Mean, Mode, Rules, Sum, Worst

#: From a record and points to the names a step used.
Uses = Callable[[Record, Points], tuple[str, ...]]


class Paths:
    """The way back from an instrument's results to what they were made from."""

    def __init__(self, instrument: Instrument, trees: Mapping[str, Node]) -> None:
        self.ends = tuple(
            dict.fromkeys([*([instrument.grade] if instrument.grade else []), *(r.of for r in instrument.results)])
        )
        self.uses = {step.id: _uses(step, instrument, trees) for step in instrument.steps}
        self.marks: dict[str, Mark] = {step.id: step.evidence.mark for step in instrument.steps}
        for dimension in instrument.dimensions:
            for item in dimension.items:
                self.marks[item.id] = (item.evidence or instrument.evidence).mark
        hiding = any(item.applies_when for dimension in instrument.dimensions for item in dimension.items)
        #: What a step always rests on; not for ordered rules, nor where items may be hidden.
        self.always: dict[str, frozenset[str]] = {} if hiding else self._always(instrument)

    def of(self, record: Record, points: Points) -> tuple[frozenset[str], Mark]:
        """The names on the path to the results, and the weakest mark among them."""
        found: set[str] = set()
        stack = list(self.ends)
        while stack:
            name = stack.pop()
            if name not in found and points.get(name) is not SKIPPED:
                if name in self.always:
                    found |= self.always[name]
                    continue
                found.add(name)
                uses = self.uses.get(name)
                if uses:
                    stack.extend(uses(record, points))
        return frozenset(found), weakest({self.marks[n] for n in found if n in self.marks})

    def _always(self, instrument: Instrument) -> dict[str, frozenset[str]]:
        known: dict[str, frozenset[str]] = {}
        for step in instrument.steps:
            if not isinstance(step, Rules):
                names = self.uses[step.id]({}, {})
                if all(name in known or name not in self.uses for name in names):
                    known[step.id] = frozenset({step.id}.union(names, *(known.get(name, ()) for name in names)))
        return known


def _uses(step: Any, instrument: Instrument, trees: Mapping[str, Node]) -> Uses:
    names: tuple[str, ...]
    match step:
        case Sum():
            bonus = tuple(n for b in step.bonus for n in facts_of(trees[b.when]))
            names = (*items_of(step, instrument), *step.of, *bonus, *(step.reverse.items if step.reverse else ()))
        case Mean():
            names = items_of(step, instrument)
        case Count() | Mode():
            names = (*items_of(step, instrument), *facts_of(trees[step.when]))
            if isinstance(step, Mode):
                names = (*names, step.tie_nearest)
        case Worst():
            names = step.of
        case Band():
            names = (step.of,)
        case Matrix():
            names = (step.rows, step.columns)
        case Rules():
            return _rule_uses(step, trees)
        case _:  # pragma: no cover
            raise TypeError(type(step).__name__)
    return lambda _, __: names


def _rule_uses(step: Rules, trees: Mapping[str, Node]) -> Uses:
    """The conditions asked down to the line that answered, and the step that line takes its value from."""
    lines: list[tuple[Condition | None, tuple[str, ...], tuple[str, ...]]] = []
    for rule in step.rules:
        taken = (rule.value,) if isinstance(rule.value, str) and rule.value != "unknown" else ()
        if rule.when is None:
            lines.append((None, (), taken))
        else:
            lines.append((compile_condition(trees[rule.when]), facts_of(trees[rule.when]), taken))

    def uses(record: Record, _: Points) -> tuple[str, ...]:
        asked: tuple[str, ...] = ()
        for holds, names, taken in lines:
            truth = True if holds is None else holds(record)
            asked += names
            if truth is not False:
                asked += taken
            if truth:
                break
        return asked

    return uses
