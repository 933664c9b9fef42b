"""Deliberate faults for rule files: each cut moved by one, each criterion dropped, two cells swapped, and so on.

A rulebook whose examples and checks let a mutant pass has not said all it means.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from yyassess.assurance.wording import sql_of
from yyassess.conditions.tree import (
    OPPOSITE,
    And,
    Arithmetic,
    Call,
    Compare,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
)

Path = tuple[str | int, ...]
#: The stricter or looser neighbour of a comparison: what a slip of the pen makes of it.
SLIP: dict[str, Any] = {">=": ">", ">": ">=", "<=": "<", "<": "<=", "=": "<>", "<>": "="}
ONE_DAY = dt.timedelta(days=1)
#: Conditions hang on these keys.
CONDITIONS = ("when", "numerator", "denominator", "applies_when", "matters_when")
#: Figures that decide something, wherever they stand.
FIGURES = (
    "at", "level", "set_level", "raise_by", "add", "minuend", "at_least", "at_most", "amount", "share", "cap", "value", "months",
    "months_at_most", "days", "score", "number", "answered",
)  # fmt: skip
#: Lists of which each line counts by itself.
LINES = (
    "criteria", "benefits", "services", "effects", "interactions", "adjustments", "rules", "bonus", "grading", "actions", "rescreen",
    "flags", "cautions", "entry", "hints", "choose", "decisions",
)  # fmt: skip
#: Parts of a file that say nothing about anybody's grade or benefit.
ASIDE = (
    "examples", "licence", "apply", "source", "evidence", "say", "name", "note", "record", "intended", "indicators", "names", "short",
    "advice", "method", "decision_within", "documents", "ask", "help",
)  # fmt: skip
#: Parts that a result says beside grade, eligibility and amount: plans, hints, advice, named decisions.
BESIDE = (
    "services", "hints", "decisions", "actions", "rescreen", "flags", "cautions", "valid_for", "reassess", "choose",
    "results", "stages",
)  # fmt: skip
#: What a word of an event rule may be mistaken for.
OTHERS: dict[str, tuple[str, ...]] = {
    "due": ("end", "suspend", "resume", "reassess_now", "check"),
    "assessment": ("immediate", "full", "routine"),
    "stay": ("open", "closed"),
    "span": ("valid_for", "reassess"),
}


class _Gone:
    """Stands for a line that is taken out."""


GONE = _Gone()


@dataclass(frozen=True)
class Mutant:
    """One fault in one file."""

    file: str
    path: Path
    what: str
    value: Any
    """What stands at the path instead; `GONE` where a line is taken out."""
    original: Any = field(repr=False)
    """The content of the file without the fault."""

    @property
    def data(self) -> Any:
        """The content of the file with the fault in it."""
        changed = copy.deepcopy(self.original)
        here = changed
        for part in self.path[:-1]:
            here = here[part]
        if isinstance(self.value, _Gone):
            del here[self.path[-1]]
        else:
            here[self.path[-1]] = self.value
        return changed

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join(map(str, self.path))}: {self.what}"

    @property
    def decisive(self) -> bool:
        """Whether a grade, an eligibility, an amount or a period hangs on it, and not only what is said beside them."""
        if self.path[0] == "interactions" and len(self.path) > 1:
            kind = self.original["interactions"][self.path[1]]["kind"]
            return kind in ("cannot_combine", "higher_only", "suspends", "requires")
        return not set(BESIDE) & set(self.path)


Trees = Callable[[str], Node | None]
"""The tree of a condition as written, or none where it is no condition."""
Codes = Mapping[str, tuple[str, ...]]
Fault = tuple[Path, str, Any]
"""Where a fault is, what it is, and what stands there instead."""


def mutants(file: str, data: Any, trees: Trees, codes: Mapping[str, tuple[str, ...]]) -> Iterator[Mutant]:
    """Every mutant of a file.

    Args:
        file: its name in messages.
        data: its content as read from YAML.
        trees: parsed conditions by their text.
        codes: the codes of each fact, to take one for another.
    """
    faults = _of_events if isinstance(data.get("kinds"), dict) else _everywhere
    for path, what, value in faults(data, trees, codes):
        yield Mutant(file, path, what, value, data)


# -- events ---------------------------------------------------------------------------------------------------------------
def _of_events(data: Any, trees: Trees, codes: Codes) -> Iterator[Fault]:
    """Faults of an event file: its lines stand each for itself, in no order."""
    for id, kind in data["kinds"].items():
        if "role" in kind:
            yield ("kinds", id, "role"), "role dropped", GONE
        for name, detail in kind.get("details", {}).items():
            path: Path = ("kinds", id, "details", name)
            if isinstance(detail.get("if_not_given"), bool):
                yield (*path, "if_not_given"), "the other value assumed", not detail["if_not_given"]
            if "sorts" in detail:
                yield from _sortings(detail["sorts"], (*path, "sorts"))
    for part in ("validity", "rules"):
        for number, row in enumerate(data.get(part, ())):
            yield (part, number), f"{row['id']} dropped", GONE
            for key, value in row.items():
                yield from _of_key(key, value, (part, number, key), trees, codes)
                yield from _of_event_key(key, value, (part, number, key))


def _of_event_key(key: str, value: Any, path: Path) -> Iterator[Fault]:
    if key in OTHERS:
        yield from ((path, f"{value} -> {other}", other) for other in OTHERS[key] if other != value)
    elif key in ("kinds", "programmes"):
        yield from ((path, f"{gone} left out", [v for v in value if v != gone]) for gone in value if len(value) > 1)
    elif key in ("counts_if", "settled_by", "all"):
        yield path, f"{key} dropped", GONE
    elif key == "within_days":
        yield from ((path, f"{value} -> {other}", other) for other in (value - 1, value + 1))


def _sortings(sorts: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """The ends of each range moved by one, and another code for the rest."""
    for code, ends in sorts["ranges"].items():
        for number, end in enumerate(ends):
            for step in (-1, 1):
                if int(end[1:]) + step >= 0:
                    moved = f"{end[0]}{int(end[1:]) + step:02}"
                    yield (*path, "ranges", code, number), f"{end} -> {moved}", moved
        yield (*path, "otherwise"), f"otherwise -> {code}", code


# -- all other files ------------------------------------------------------------------------------------------------------
def _everywhere(data: Any, trees: Trees, codes: Codes) -> Iterator[Fault]:
    return _faults(data, (), trees, codes)


def _faults(
    here: Any, path: Path, trees: Trees, codes: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Path, str, Any]]:
    if isinstance(here, dict):
        for key, value in here.items():
            if key not in ASIDE:
                yield from _of_key(key, value, (*path, key), trees, codes)
                yield from _faults(value, (*path, key), trees, codes)
    elif isinstance(here, list):
        for number, value in enumerate(here):
            yield from _faults(value, (*path, number), trees, codes)


def _of_key(
    key: Any, value: Any, path: Path, trees: Trees, codes: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Path, str, Any]]:
    if isinstance(value, str) and (key in CONDITIONS or key in ("amount", "derive")):
        tree = trees(value)
        if tree is not None:
            slips = condition_faults(tree, codes) if key in CONDITIONS else value_faults(tree, codes, "")
            for changed in slips:
                text = sql_of(changed)
                yield path, f"{value} -> {text}", text
    elif key in FIGURES and _figure(value):
        yield from ((path, f"{value} -> {other}", other) for other in _beside(value, key))
    elif key == "in_force" and isinstance(value, dict):
        for end in ("from", "to"):
            if isinstance(value.get(end), dt.date):
                yield (*path, end), f"{end} one day later", value[end] + ONE_DAY
                yield (*path, end), f"{end} one day earlier", value[end] - ONE_DAY
    elif key == "from" and isinstance(value, dt.date) and "in_force" not in path:
        yield path, "from one day later", value + ONE_DAY
    elif key == "cells":
        yield from _cells(value, path)
    elif key in ("raise_once", "without_items", "positive", "guide", "ends") and isinstance(value, bool):
        yield path, f"{value} -> {not value}", not value
    elif key == "kind" and value in ("cannot_combine", "suspends", "higher_only"):
        other = {"cannot_combine": "higher_only", "suspends": "cannot_combine", "higher_only": "cannot_combine"}[value]
        yield path, f"{value} -> {other}", other
    elif key == "effect":
        yield path, "suspend and end exchanged", {"suspend": "end", "end": "suspend"}[value]
    elif key == "items" and isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        yield from ((path, f"{gone} not counted", [v for v in value if v != gone]) for gone in value)
    elif key == "results" and isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        yield from ((path, f"not for {gone}", [v for v in value if v != gone]) for gone in value if len(value) > 1)
    if key in LINES and isinstance(value, list) and all(isinstance(v, dict) for v in value):
        yield from _lines(key, value, path)


def _lines(key: str, value: list[Any], path: Path) -> Iterator[tuple[Path, str, Any]]:
    for number, line in enumerate(value):
        named = line.get("id", line.get("instrument", number + 1))
        last = number == len(value) - 1
        if not (key in ("rules", "grading") and last) and not (key == "decisions" and "when" not in line):
            yield (*path, number), f"{key}: {named} dropped", GONE
    if key in ("rules", "grading", "rescreen"):
        for number in range(len(value) - 1):
            one, other = value[number], value[number + 1]
            if "when" in one and "when" in other:
                swapped = [*value[:number], other, one, *value[number + 2 :]]
                yield path, f"lines {number + 1} and {number + 2} exchanged", swapped


def _figure(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _beside(value: Any, key: str) -> list[Any]:
    """The figure moved by its last place, up and down."""
    step = _last_place(value)
    if key in ("share",):
        return [v for v in (value - step, value + step) if 0 <= v <= 1]
    return (
        [value + step]
        if key in ("score", "number", "level", "months", "months_at_most", "days")
        else [value - step, value + step]
    )


def _last_place(value: Any) -> Any:
    return Decimal(1).scaleb(int(value.as_tuple().exponent)) if isinstance(value, Decimal) else 1


def _cells(rows: list[list[int]], path: Path) -> Iterator[tuple[Path, str, Any]]:
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            for down, on in ((0, 1), (1, 0)):
                if r + down < len(rows) and c + on < len(row) and rows[r + down][c + on] != cell:
                    changed = copy.deepcopy(rows)
                    changed[r][c], changed[r + down][c + on] = rows[r + down][c + on], cell
                    yield path, f"cells {r},{c} and {r + down},{c + on} exchanged", changed


# -- conditions -----------------------------------------------------------------------------------------------------------
def condition_faults(node: Node, codes: Mapping[str, tuple[str, ...]]) -> Iterator[Node]:
    """Every condition that differs from this one by one slip."""
    match node:
        case Flag():
            yield Not(node)
        case Not(part):
            yield part
            for changed in condition_faults(part, codes):
                if not isinstance(changed, Not) or changed.part != part:
                    yield Not(changed)
        case And(parts) | Or(parts):
            kind, other = (And, Or) if isinstance(node, And) else (Or, And)
            yield other(parts)
            for number, part in enumerate(parts):
                rest = parts[:number] + parts[number + 1 :]
                yield rest[0] if len(rest) == 1 else kind(rest)
                for changed in condition_faults(part, codes):
                    yield kind((*parts[:number], changed, *parts[number + 1 :]))
        case Compare(op, left, right):
            yield Compare(SLIP[op], left, right)
            if op not in ("=", "<>"):
                yield Compare(OPPOSITE[op], left, right)
            for changed in value_faults(left, codes, ""):
                yield Compare(op, changed, right)
            for changed in value_faults(right, codes, left.name if isinstance(left, Fact) else ""):
                yield Compare(op, left, changed)
        case OneOf(value, choices) if len(choices) > 1:
            for choice in choices:
                yield OneOf(value, tuple(c for c in choices if c != choice))
        case OneOf(Fact(name) as fact, (choice,)):
            for literal in value_faults(Literal(choice), codes, name):
                yield Compare("=", fact, literal)
        case Contains(name, code):
            yield from (
                Contains(name, other)
                for other in codes.get(name, ())
                if other != code and _near(code, other, codes[name])
            )


def value_faults(node: Node, codes: Mapping[str, tuple[str, ...]], name: str) -> Iterator[Node]:
    """Every value that differs by one slip; ``name`` is the fact a code belongs to."""
    match node:
        case Literal(value) if _figure(value):
            number: Any = value
            yield Literal(number + _last_place(number))
            yield Literal(number - _last_place(number))
        case Literal(dt.date() as day):
            yield Literal(day + ONE_DAY)
        case Literal(str() as code):
            yield from (Literal(other) for other in codes.get(name, ()) if _near(code, other, codes[name]))
        case Arithmetic(op, left, right):
            yield Arithmetic("-" if op == "+" else "+", left, right)
            yield from (Arithmetic(op, changed, right) for changed in value_faults(left, codes, name))
            yield from (Arithmetic(op, left, changed) for changed in value_faults(right, codes, name))
        case Call(function, arguments):
            if function in ("least", "greatest"):
                yield Call("greatest" if function == "least" else "least", arguments)
            for number, argument in enumerate(arguments):
                for changed in value_faults(argument, codes, name):
                    yield Call(function, (*arguments[:number], changed, *arguments[number + 1 :]))


def _near(code: str, other: str, among: tuple[str, ...]) -> bool:
    """The code written next to this one: one slip a code is enough."""
    place = among.index(code) if code in among else -1
    return place >= 0 and other == among[(place + 1) % len(among)] and other != code
