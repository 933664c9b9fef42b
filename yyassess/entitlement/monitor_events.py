"""An event as told -> an event as the rules see it: checked against the kinds of the rulebook, and named by what it is."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from yyassess.assessment.dates import add_months
from yyassess.assessment.errors import Faults
from yyassess.assessment.question import plain
from yyassess.conditions.tree import facts_of
from yyassess.entitlement.engine import DurableEngine, Engine, Program, ReferenceEngine
from yyassess.rulebook.book import Rulebook, UnknownName, code_stem
from yyassess.rulebook.events import EventRule, Validity, months_of, tree_scope
from yyassess.rulebook.programme import Place
from yyassess.rulebook.vocabulary import read_date

#: Keys of an event beside the details of its kind.
EVENT_KEYS = ("id", "kind", "date")
MOST_LETTERS = 200


@dataclass(frozen=True)
class Event:
    """One event of a person."""

    kind: str
    day: dt.date
    values: Mapping[str, Any]
    """The details as conditions see them."""
    told: Mapping[str, Any]
    """The event as JSON: what was told, in one form."""
    key: str
    """What makes it this event: its id, else its kind, day and details."""
    since: dt.date
    """The first day on which an assessment settles what it makes due."""
    of: Event | None = None
    """The conclusion whose end this is, where the event is derived."""
    row: Any = None
    """The rule or programme text by which that end was derived."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Events of a day stand in one order, however they arrived."""
        return (self.day, self.of is not None, self.key)


class EventReader:
    """Reads events by one rulebook's kinds, and decides the conditions of its rules."""

    def __init__(self, book: Rulebook, engine: str | None = None) -> None:
        self.book, self.rules = book, book.events
        self.maker: Any = {"durable": DurableEngine, "reference": ReferenceEngine}[engine or default_engine()]
        self.facts = {
            kind: {name: detail.fact(book) for name, detail in known.details.items()}
            for kind, known in self.rules.kinds.items()
        }
        self.roles = {known.role: kind for kind, known in self.rules.kinds.items() if known.role}
        self.kinds_of_role = {kind: known.role for kind, known in self.rules.kinds.items()}
        self._engines: dict[tuple[str, ...], tuple[Engine, tuple[str, ...]]] = {}

    # -- reading ------------------------------------------------------------------------------------------
    def read(self, given: Any, where: str, faults: Faults) -> Event | None:
        """The event, or ``None`` with its faults noted."""
        before = len(faults.errors)
        at = f"{where}." if where else ""
        if not isinstance(given, Mapping):
            faults.add(where, given, list(EVENT_KEYS), "事件须为 JSON 对象", "an event is a JSON object")
            return None
        kind = given.get("kind")
        if not isinstance(kind, str) or kind not in self.facts:
            near = get_close_matches(str(kind)[:80], self.facts, n=1)
            zh, en = (f"，是否为 {near[0]}？", f"; did you mean {near[0]!r}?") if near else ("", "")
            faults.add(f"{at}kind", kind, list(self.facts), f"没有这种事件{zh}", f"no such kind of event{en}")
            return None
        details = self.rules.kinds[kind].details
        faults.unknown_keys(given, (*EVENT_KEYS, *details), where)
        day = self._day(given.get("date"), f"{at}date", faults)
        id = given.get("id")
        if id is not None and not (isinstance(id, str) and 0 < len(id) <= MOST_LETTERS and _writable(id)):
            faults.add(f"{at}id", id, f"1-{MOST_LETTERS} characters", "编号须为非空文本", "an id is text, not empty")
        values: dict[str, Any] = {}
        for name, detail in details.items():
            value = given.get(name)
            if value is None:
                if detail.required:
                    faults.add(at + name, None, self._allowed(kind, name), "须填写", "must be told")
                continue
            try:
                values[name] = self._value(kind, name, value)
                if not _writable(values[name]):
                    raise ValueError("not text that can be written")
            except (ValueError, UnknownName) as error:
                zh = f"{detail.name['zh']}：不是允许的值"
                faults.add(at + name, value, self._allowed(kind, name), zh, str(error))
        one_of = self.rules.kinds[kind].one_of
        if one_of and all(given.get(name) is None for name in one_of):
            faults.add(where, None, list(one_of), "至少须填写其中一项", "at least one of these must be told")
        if day is not None and len(faults.errors) == before:
            told = {**({"id": id} if id else {}), "kind": kind, "date": day.isoformat()}
            told |= {name: plain(value) for name, value in values.items()}
            key = f"id {id}" if id else json.dumps(told, ensure_ascii=False, sort_keys=True)
            self._complete(kind, day, values, at, faults)
            if len(faults.errors) == before:
                return Event(kind, day, values, told, key, since=day)
        return None

    def _day(self, given: Any, where: str, faults: Faults) -> dt.date | None:
        try:
            return read_date(given)
        except ValueError:
            faults.add(where, given, "YYYY-MM-DD", "事件须有有效日期", "an event needs a day that exists")
            return None

    def _value(self, kind: str, name: str, given: Any) -> Any:
        value = self.facts[kind][name].read(given)
        if self.rules.kinds[kind].details[name].type == "place":
            return read_place(self.book, value)
        return value

    def _allowed(self, kind: str, name: str) -> Any:
        if self.rules.kinds[kind].details[name].type == "place":
            return sorted(self.book.places)
        return self.facts[kind][name].allowed()

    def _complete(self, kind: str, day: dt.date, values: dict[str, Any], at: str, faults: Faults) -> None:
        """Adds what other details mean and what counts where nobody says; notes what contradicts itself."""
        for name, detail in self.rules.kinds[kind].details.items():
            sorting = detail.sorts
            if sorting and name in values:
                stem = values[name].strip().upper()[:3]
                if not re.fullmatch(r"[A-Z][0-9][0-9]", stem):
                    faults.add(at + name, values[name], "A00-Z99", "不是有效编码", "not a code such as F00.1")
                    continue
                meant = sorting.meaning(stem)
                told = values.get(sorting.into)
                if told is not None and (told in sorting.ranges or meant) and told != meant:
                    zh, en = "与编码不一致", f"contradicts {name} {values[name]}"
                    faults.add(at + sorting.into, told, meant or sorting.otherwise, zh, en)
                values.setdefault(sorting.into, meant or sorting.otherwise)
            if name not in values and detail.if_not_given is not None:
                values[name] = self.facts[kind][name].read(detail.if_not_given)
        if self.kinds_of_role[kind] == "assessment" and "valid_until" in values:
            if values["valid_until"] < day:
                zh, en = "有效期早于评估日期", "the validity ends before the day of the assessment"
                faults.add(f"{at}valid_until", values["valid_until"].isoformat(), f">= {day}", zh, en)
            if "valid_months" in values:
                zh, en = "有效期只能用一种方式给出", "the validity is told in one way only"
                faults.add(f"{at}valid_months", values["valid_months"], ["valid_until", "valid_months"], zh, en)

    # -- conditions ---------------------------------------------------------------------------------------
    def holds(self, row: EventRule | Validity, kinds: tuple[str, ...], event: Event) -> bool | None:
        """Whether a rule's condition holds for an event; ``None`` when a detail that it asks for is not known."""
        if row.when is None:
            return True
        if kinds not in self._engines:
            trees = self.book.trees[tree_scope(kinds)]
            types = {n: "text" if f.type == "place" else f.type for n, f in self.rules.names(kinds, self.book).items()}
            self._engines[kinds] = self.maker(Program("events", trees, {}, types)), tuple(types)
        engine, names = self._engines[kinds]
        return engine.run({name: event.values[name] for name in names if name in event.values}).criteria[row.when]

    def missing(self, row: EventRule | Validity, kinds: tuple[str, ...], event: Event) -> list[str]:
        """The details that a rule's condition asks for and nobody told."""
        tree = self.book.trees[tree_scope(kinds)][row.when or ""]
        return [name for name in facts_of(tree) if name not in event.values]

    # -- conclusions that end -----------------------------------------------------------------------------
    def expiry(self, event: Event, place: Place | None) -> tuple[Event | None, list[Validity]]:
        """The end of a conclusion, where it can be known; and the rules that could not be decided."""
        values, open_rows = event.values, []
        row: Any = None
        day = None
        if "valid_until" in values:
            if values["valid_until"] < dt.date.max:
                day = values["valid_until"] + dt.timedelta(days=1)
        elif "valid_months" in values:
            day = _after(event.day, values["valid_months"])
        elif "programme" in values and (found := months_of(self.book, values["programme"], "valid_for")):
            day, row = _after(event.day, found[0]), found[1]
        else:
            best: tuple[int, int] | None = None
            for candidate in self.rules.validity:
                near = nearness(self.book, candidate.place, place)
                if near is None or values.get("instrument") != candidate.instrument:
                    continue
                holds = self.holds(candidate, (event.kind,), event)
                if holds is None:
                    open_rows.append(candidate)
                months = self._months(candidate)
                if holds and (best is None or (-near, months) < best):
                    best, day, row = (-near, months), _after(event.day, months), candidate
        kind = self.roles.get("expiry")
        if day is None or kind is None:
            return None, open_rows
        told = {"kind": kind, "date": day.isoformat()}
        told |= {n: values[n] for n in ("instrument", "programme") if n in values}
        since = event.day + dt.timedelta(days=1)
        known = {n: v for n, v in told.items() if n not in ("kind", "date")}
        return Event(kind, day, known, told, f"end of {event.key}", since, event, row), open_rows

    def _months(self, row: Validity) -> int:
        if row.programme is not None:
            found = months_of(self.book, row.programme, row.span)
            return found[0] if found else 0
        return row.months or row.months_at_most or 0


def _after(day: dt.date, months: int) -> dt.date | None:
    try:
        return add_months(day, months)
    except (ValueError, AssertionError):
        return None


def _writable(value: Any) -> bool:
    """False for text with half a character in it, which JSON can carry and no file can."""
    return not isinstance(value, str) or not any("\ud800" <= letter <= "\udfff" for letter in value)


def default_engine() -> str:
    """The engine the deployment has chosen."""
    return os.environ.get("YYASSESS_ENGINE", "durable")


def read_place(book: Rulebook, given: Any) -> str:
    """The id of a place of the rulebook, or the administrative code of any other.

    Raises:
        TypeError: not text.
        UnknownName: neither.
    """
    if not isinstance(given, str):
        raise TypeError("a place is text: an id, an administrative code or a name")
    try:
        return book.place(given).id
    except UnknownName:
        if re.fullmatch(r"[0-9]{6}", given):
            return given
        raise


def known_place(book: Rulebook, given: str) -> Place | None:
    """The place of the rulebook that a place (id or administrative code) is or lies in, the nearest one."""
    if given in book.places:
        return book.places[given]
    around = [p for p in book.places.values() if given.startswith(code_stem(p.code))]
    return max(around, key=lambda p: len(code_stem(p.code)), default=None)


def nearness(book: Rulebook, rule: str | None, place: Place | None) -> int | None:
    """How near a rule's place is to a person's: 0 for the whole nation, more when nearer, ``None`` when elsewhere."""
    if rule is None:
        return 0
    chain = book.chain(place.id) if place else ()
    return next((n for n, p in enumerate(chain, 1) if p.id == rule), None)
