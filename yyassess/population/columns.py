"""The columns a population file may have, by the names of the contract, and what each may hold.

A column is a fact of the vocabulary, ``<instrument>.<item>``, ``<instrument>.level`` or ``<instrument>.date``.
Inside, numbers are whole (a decimal with two places is stored as hundredths); codes, days and lists stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from sqlglot import exp

from yyassess.assessment.errors import Faults
from yyassess.conditions.parse import Type
from yyassess.conditions.sql import Column, day, scale_of, scaled, text, whole
from yyassess.population.sheet import Sheet
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Instrument, Item, Option
from yyassess.rulebook.vocabulary import FactDefinition

#: Whole numbers of a fact without a range (a grade) lie well inside this.
GRADES = (0, 99)


class PlanError(ValueError):
    """Rules that cannot be run for a population; the message names the rule and the reason."""


@dataclass(frozen=True)
class Input:
    """One column of a population file."""

    name: str
    type: Type
    low: int = 0
    high: int = 0
    scale: int = 0
    texts: tuple[str, ...] = ()
    """The texts allowed, for codes, lists, places and options without a score."""
    numbers: tuple[int, ...] = ()
    """The stored numbers allowed, where not all between ``low`` and ``high`` are."""
    allowed: Any = None
    personal: bool = False

    def column(self, sql: Any) -> Column:
        """The column inside a plan."""
        return Column(sql, self.type, self.low, self.high, self.scale)

    def fault(self, sql: Any) -> Any:
        """The condition under which a value is not allowed; ``None`` where every value of the type is."""
        if self.type == "place":
            known = exp.In(this=sql, expressions=[text(t) for t in self.texts])
            code = exp.RegexpLike(this=sql.copy(), expression=text("^[0-9]{6}$"))
            return exp.not_(exp.paren(exp.Or(this=known, expression=code)))
        if self.type == "code":
            return exp.not_(exp.In(this=sql, expressions=[text(t) for t in self.texts]))
        if self.type not in ("integer", "decimal"):
            return None
        if self.numbers:
            return exp.not_(exp.In(this=sql, expressions=[whole(n) for n in self.numbers]))
        below = exp.LT(this=sql, expression=whole(self.low))
        return exp.Or(this=below, expression=exp.GT(this=sql.copy(), expression=whole(self.high)))


class Inputs:
    """The columns of a file as a plan uses them: only those asked for are read."""

    def __init__(self, book: Rulebook, sheet: Sheet, have: Iterable[str], on: dt.date) -> None:
        self.book, self.sheet, self.on = book, sheet, on
        self.have = frozenset(have)
        self.used: dict[str, Input] = {}
        self.instruments = tuple(
            id for id in book.instruments if any(n in self.have for n in instrument_columns(book.instruments[id]))
        )

    def fact(self, name: str) -> Column | None:
        """The column of a fact, if the file has it."""
        if name not in self.have or name not in self.book.facts:
            return None
        fact = self.book.facts[name]
        if fact.type == "text" or fact.grade_of or fact.code_of or fact.pathway:
            return None
        return self._use(fact_input(self.book, name, fact))

    def item(self, instrument: Instrument, item: Item) -> Column | None:
        """The column of an item, if the file has it."""
        made = item_input(instrument, item)
        return self._use(made) if made.name in self.have else None

    def level(self, instrument: Instrument) -> Column | None:
        """The column of a grade typed in, if the file has it."""
        made = level_input(instrument)
        return self._use(made) if made.name in self.have else None

    def day(self, instrument: Instrument) -> Any:
        """The day of an instrument's assessment: its own column, else the day asked about."""
        name = f"{instrument.id}.date"
        if name not in self.have:
            return day(self.on)
        column = self._use(Input(name, "date", allowed={"date": f"<= {self.on}"}))
        return self.sheet.define(exp.Coalesce(this=column.sql, expressions=[day(self.on)]))

    def _use(self, made: Input) -> Column:
        self.used.setdefault(made.name, made)
        return made.column(self.sheet.input(made.name))


def instrument_columns(instrument: Instrument) -> list[str]:
    """The columns that say something of one instrument."""
    items = [f"{instrument.id}.{item.id}" for d in instrument.dimensions for item in d.items]
    return [*items, *([f"{instrument.id}.level"] if instrument.levels else [])]


def fact_input(book: Rulebook, name: str, fact: FactDefinition) -> Input:
    """The column of a fact."""
    allowed = fact.allowed()
    if fact.type in ("integer", "decimal"):
        low, high = fact.range or GRADES
        scale = fact.decimals if fact.type == "decimal" else 0
        return Input(name, fact.type, low * 10**scale, high * 10**scale, scale, (), (), allowed, fact.personal)
    if fact.type == "place":
        texts = tuple(sorted(place_names(book)))
        return Input(name, fact.type, texts=texts, allowed=sorted(book.places), personal=fact.personal)
    return Input(name, fact.type, texts=tuple(fact.codes), allowed=allowed, personal=fact.personal)


def place_names(book: Rulebook) -> dict[str, str]:
    """Every name a place may be given by -> its id."""
    names: dict[str, str] = {}
    for place in book.places.values():
        for name in (place.id, place.code, *place.aliases, place.name["zh"]):
            names.setdefault(name, place.id)
    return names


def options_of(instrument: Instrument, item: Item) -> tuple[Option, ...]:
    """The options of an item, from its own list or its ladder."""
    return instrument.ladders[item.ladder] if item.ladder else item.options


def item_input(instrument: Instrument, item: Item) -> Input:
    """The column of an item.

    Raises:
        PlanError: its options are partly numbers and partly ids.
    """
    name = f"{instrument.id}.{item.id}"
    if item.range is not None:
        low, high = item.range
        by = 10**item.decimals
        kind: Type = "decimal" if item.decimals else "integer"
        return Input(name, kind, low * by, high * by, item.decimals, allowed={"from": low, "to": high})
    answers = [o.answer for o in options_of(instrument, item)]
    texts = tuple(a for a in answers if isinstance(a, str))
    if texts:
        if len(texts) < len(answers):
            raise PlanError(f"{name}: its options are partly scores and partly ids, which one column cannot hold")
        return Input(name, "code", texts=texts, allowed=list(texts))
    numbers = [Decimal(a) for a in answers]
    scale = max(map(scale_of, numbers))
    stored = sorted(scaled(n, scale) for n in numbers)
    gaps = len(stored) < stored[-1] - stored[0] + 1
    shown = [float(n) if scale else int(n) for n in numbers]
    kind = "decimal" if scale else "integer"
    return Input(name, kind, stored[0], stored[-1], scale, (), tuple(stored) if gaps else (), shown)


def level_input(instrument: Instrument) -> Input:
    """The column of a grade typed in."""
    levels = sorted(level.level for level in instrument.levels) or [0]
    gaps = len(levels) < levels[-1] - levels[0] + 1
    numbers = tuple(levels) if gaps else ()
    return Input(f"{instrument.id}.level", "integer", levels[0], levels[-1], 0, (), numbers, levels)


def check_names(book: Rulebook, names: Iterable[str], extra: Iterable[str] = ()) -> None:
    """Refuse columns that mean nothing, all at once.

    Raises:
        InputError: with the nearest known name of each.
    """
    known = {name for name, fact in book.facts.items() if not (fact.grade_of or fact.code_of or fact.pathway)}
    for instrument in book.instruments.values():
        known |= {*instrument_columns(instrument), f"{instrument.id}.date"}
    known |= {"id", *extra}
    faults = Faults()
    for name in names:
        if name in known:
            continue
        near = get_close_matches(name, known, n=1, cutoff=0.6)
        fact = book.facts.get(name)
        if fact is not None:
            column = f"{fact.grade_of or fact.code_of or '<instrument>'}.level"
            faults.add(name, name, column, f"等级须写在 {column} 列", f"a grade stands in the column {column}")
            continue
        zh = f"不认识的列 {name}" + (f"，是否为 {near[0]}？" if near else "")
        en = f"unknown column {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        faults.add(
            name, name, near or "id, facts, <instrument>.<item>, <instrument>.level; --keep or --ignore COLUMN", zh, en
        )
    faults.raise_if_any()
