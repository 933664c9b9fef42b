"""Checks within one instrument: names, options, steps and the values they can take, levels, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from yyassess.conditions.parse import Name, Scope, suggest
from yyassess.rulebook.book import Origin
from yyassess.rulebook.checking import Path, condition
from yyassess.rulebook.instrument import Band, Count, Instrument, Item, Matrix, Mean, Mode, Rules, Sum, Worst

if TYPE_CHECKING:
    from yyassess.rulebook.building import Workshop

#: Names every instrument's conditions may use beside its own.
RESERVED = {"missing_items": Name("integer"), "preliminary_level": Name("integer"), "raise_triggers": Name("integer")}


class InstrumentCheck:
    """One instrument: its names, options, steps, conditions."""

    def __init__(self, shop: Workshop, instrument: Instrument, origin: Origin) -> None:
        self.shop, self.it, self.origin = shop, instrument, origin
        self.names: dict[str, Name] = dict(RESERVED)
        self.kinds: dict[str, str] = {}
        self.counted: set[str] = set()
        #: What a step can yield, as far as that is a short list of whole numbers.
        self.values: dict[str, frozenset[int]] = {}

    def error(self, path: Path, message: str) -> None:
        self.shop.error(self.origin, path, message)

    def add(self, name: str, known: Name, kind: str, path: Path) -> None:
        if name in self.names:
            self.error(path, f"the name {name!r} is used twice in this instrument")
        self.names[name] = known
        self.kinds[name] = kind

    def run(self) -> None:
        """Note every fault of the instrument."""
        self.items_and_context()
        for number, step in enumerate(self.it.steps):
            self.step(number, step)
        levels = [level.level for level in self.it.levels]
        if len(set(levels)) != len(levels) or levels != sorted(levels):
            self.error(("levels",), "levels are written in rising order, each once")
        elif any(a.raise_by for a in self.it.adjustments) and levels != list(range(levels[0], levels[0] + len(levels))):
            self.error(("levels",), "an adjustment raises by steps, so the levels leave no gap")
        for part, names in (
            ("levels", [level.code for level in self.it.levels]),
            ("dimensions", [d.id for d in self.it.dimensions]),
            ("adjustments", [a.id for a in self.it.adjustments]),
            ("decisions", [d.id for d in self.it.decisions]),
            ("results", [r.id for r in self.it.results]),
        ):
            self.each_once(part, names)
        if self.it.grade:
            self.must("step", self.it.grade, ("grade",), {n for n, k in self.kinds.items() if k == "step"})
            if not levels:
                self.error(("levels",), "an instrument with a grade lists its levels")
            else:
                self.yields_levels(self.it.grade, levels, ("grade",))
        for number, result in enumerate(self.it.results):
            self.must("step", result.of, ("results", number, "of"), self.names)
            self.yields_levels(result.of, levels, ("results", number, "of"))
            if result.score:
                self.must("step", result.score, ("results", number, "score"), self.names)
        for number, adjustment in enumerate(self.it.adjustments):
            self.condition(adjustment.when, "adjustments", number, "when")
            if adjustment.set_level is not None and adjustment.set_level not in levels:
                self.error(
                    ("adjustments", number, "set_level"), f"{adjustment.set_level} is not one of the levels {levels}"
                )
        for number, decision in enumerate(self.it.decisions):
            self.condition(decision.when, "decisions", number, "when")
        known = {*self.names, *(f for f in self.shop.facts)}
        for number, hint in enumerate(self.it.hints):
            self.condition(hint.when, "hints", number, "when")
            for name in hint.items:
                self.must("item or fact", name, ("hints", number, "items"), known)
        for number, group in enumerate(self.it.record):
            for place, field in enumerate(group.facts):
                self.must("fact", field.fact, ("record", number, "facts", place), self.shop.facts)

    def each_once(self, part: str, names: Iterable[str]) -> None:
        seen: set[str] = set()
        for number, name in enumerate(names):
            if name in seen:
                self.error((part, number), f"{name!r} is written twice under {part}")
            seen.add(name)

    def yields_levels(self, step: str, levels: list[int], path: Path) -> None:
        strange = sorted(self.values.get(step, frozenset()) - set(levels))
        if strange:
            self.error(
                path, f"the step {step} can yield {', '.join(map(str, strange))}: not one of the levels {levels}"
            )

    def must(self, what: str, name: str, path: Path, known: Any) -> None:
        if name not in known and name not in self.shop.broken:
            self.error(path, f"unknown {what} {name!r}{suggest(name, known)}")

    def condition(self, text: str | None, *path: str | int, extra: Mapping[str, Name] | None = None) -> None:
        if text is not None:
            scope = Scope({**self.names, **(extra or {})})
            condition(self.shop, self.it.id, text, scope, self.origin, path)

    def items_and_context(self) -> None:
        for d, dimension in enumerate(self.it.dimensions):
            for i, item in enumerate(dimension.items):
                path: Path = ("dimensions", d, "items", i)
                options = item.options
                if item.ladder is not None:
                    self.must("ladder", item.ladder, (*path, "ladder"), self.it.ladders)
                    options = self.it.ladders.get(item.ladder, ())
                answers = [o.answer for o in options]
                if len(set(answers)) != len(answers):
                    self.error((*path, "options"), f"two options of {item.id} have the same answer")
                self.add(item.id, item_name(item, answers), "item", path)
        for number, use in enumerate(self.it.context):
            fact = self.shop.facts.get(use.fact)
            if fact is None:
                self.must("fact", use.fact, ("context", number), self.shop.facts)
                continue
            if use.if_not_given is not None:
                try:
                    fact.read(use.if_not_given)
                except ValueError as error:
                    self.error(("context", number, "if_not_given"), f"{use.if_not_given!r}: {error}")
            if any(code.number is not None for code in fact.codes.values()):
                self.counted.add(use.fact)
            self.add(use.fact, fact.as_name, "fact", ("context", number))
        for number, setting in enumerate(self.it.settings):
            if setting.default is not None and setting.default not in setting.choices:
                self.error(
                    ("settings", number, "default"), f"{setting.default!r} is not one of {list(setting.choices)}"
                )
            self.add(setting.id, setting_name(setting.choices), "setting", ("settings", number))
        for number, use in enumerate(self.it.context):
            self.condition(use.matters_when, "context", number, "matters_when")
        for d, dimension in enumerate(self.it.dimensions):
            for i, item in enumerate(dimension.items):
                self.condition(item.applies_when, "dimensions", d, "items", i, "applies_when")

    def step(self, number: int, step: Any) -> None:
        path: Path = ("steps", number)
        items = {n for n, k in self.kinds.items() if k == "item"}
        numbers = {n for n, known in self.names.items() if known.type in ("integer", "decimal")}
        listed = step.items if isinstance(step, (Sum, Mean, Count, Mode)) and step.items != "all" else ()
        for name in listed:
            self.must("item", name, (*path, "items"), items)
        kind: Any = "integer"
        match step:
            case Sum():
                if step.dimension is not None:
                    self.must("dimension", step.dimension, (*path, "dimension"), {d.id for d in self.it.dimensions})
                for name in step.of:
                    self.must("step, item or counted fact", name, (*path, "of"), numbers | self.counted | items)
                for name in step.reverse.items if step.reverse else ():
                    self.must("item", name, (*path, "reverse"), items)
                for place, bonus in enumerate(step.bonus):
                    self.condition(bonus.when, *path, "bonus", place, "when")
                if not (step.items or step.dimension or step.of):
                    self.error(path, "a sum says what it adds: items, dimension or of")
            case Mean():
                kind = "decimal"
            case Count():
                self.condition(step.when, *path, "when", extra={"value": self.value_name(step.items, items)})
            case Mode():
                self.condition(step.when, *path, "when", extra={"value": self.value_name(step.items, items)})
                self.must("step or item", step.tie_nearest, (*path, "tie_nearest"), numbers)
                kind = "decimal"
            case Worst():
                for name in step.of:
                    self.must("step, item or counted fact", name, (*path, "of"), numbers | self.counted | items)
            case Band():
                self.must("step or item", step.of, (*path, "of"), numbers)
            case Matrix():
                for side, name, size in (
                    ("rows", step.rows, len(step.cells)),
                    ("columns", step.columns, len(step.cells[0])),
                ):
                    self.must("step", name, (*path, side), numbers)
                    outside = sorted(self.values.get(name, frozenset()) - set(range(size)))
                    if outside:
                        found = ", ".join(map(str, outside))
                        self.error(
                            (*path, "cells"), f"{name} can be {found}: the table has {size} {side}, counted from 0"
                        )
            case Rules():
                for place, rule in enumerate(step.rules):
                    self.condition(rule.when, *path, "rules", place, "when")
                    if isinstance(rule.value, str) and rule.value != "unknown":
                        self.must("step or item", rule.value, (*path, "rules", place, "value"), numbers | self.counted)
                    elif isinstance(rule.value, Decimal):
                        kind = "decimal"
        self.add(step.id, Name(kind), "step", path)
        possible = self.possible(step)
        if possible is not None:
            self.values[step.id] = possible

    def possible(self, step: Any) -> frozenset[int] | None:
        """Every value a step can yield; None where that is not a short list of whole numbers."""
        match step:
            case Band():
                return frozenset(cut.level for cut in step.cuts)
            case Matrix():
                return frozenset(cell for row in step.cells for cell in row)
            case Count() if step.items != "all":
                return frozenset(range(len(step.items) + 1))
            case Worst() if all(name in self.values for name in step.of):
                return frozenset(v for name in step.of for v in self.values[name])
            case Rules():
                found: set[int] = set()
                for rule in step.rules:
                    if isinstance(rule.value, int):
                        found.add(rule.value)
                    elif isinstance(rule.value, str) and rule.value in self.values:
                        found |= self.values[rule.value]
                    elif rule.value != "unknown":
                        return None
                return frozenset(found)
        return None

    def value_name(self, items: Any, all_items: set[str]) -> Name:
        chosen = sorted(all_items if items == "all" else set(items) & all_items)
        kinds = [self.names[name] for name in chosen]
        if kinds and all(k.type == "code" for k in kinds):
            return Name("code", tuple(dict.fromkeys(c for k in kinds for c in k.codes)))
        return Name("decimal" if any(k.type == "decimal" for k in kinds) else "integer")


def item_name(item: Item, answers: list[Any]) -> Name:
    """The type of an item inside its instrument's conditions."""
    if item.range is not None:
        return Name("decimal" if item.decimals else "integer")
    if any(isinstance(a, str) for a in answers):
        return Name("code", tuple(str(a) for a in answers))
    return Name("decimal" if any(isinstance(a, Decimal) for a in answers) else "integer")


def setting_name(choices: tuple[Any, ...]) -> Name:
    """The type of a setting inside its instrument's conditions."""
    if all(isinstance(c, bool) for c in choices):
        return Name("boolean")
    if all(isinstance(c, int) for c in choices):
        return Name("integer")
    if all(isinstance(c, (int, Decimal)) and not isinstance(c, bool) for c in choices):
        return Name("decimal")
    return Name("code", tuple(map(str, choices)))
