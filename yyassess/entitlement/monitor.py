"""A person's events over time: what is now due, since when, because of which events, and by which clause.

The kinds of events and the rules are data (``events.yaml``); the joins over time run in durable_rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from yyassess.assessment.errors import Faults
from yyassess.assessment.scoring import shared
from yyassess.entitlement.monitor_day import Day
from yyassess.entitlement.monitor_engine import MOST_EVENTS, DurableJoins, Joins, ReferenceJoins, Window
from yyassess.entitlement.monitor_events import Event, EventReader, default_engine, read_place
from yyassess.rulebook.book import Rulebook, UnknownName
from yyassess.rulebook.vocabulary import read_date

STATE_KEYS = ("version", "place", "events")
STATE_VERSION = 1
#: In this order things that are due are listed.
ACTIONS = ("end", "suspend", "resume", "reassess_now", "check")


class CaseMonitor:
    """Takes the dated events of one person, in any order, and says what is due on a day.

    Args:
        state: what `state` gave earlier; nothing has happened yet if left out.
        rules: a rulebook; the shipped one if left out.
        place: where the person lives until a move is told (id, administrative code or name); without it only
            nationwide rules hold.
        engine: ``durable`` (default) or ``reference``.

    Raises:
        InputError: a state or place that cannot be read, all faults at once.
    """

    def __init__(
        self,
        state: Mapping[str, Any] | None = None,
        rules: Rulebook | None = None,
        *,
        place: str | None = None,
        engine: str | None = None,
    ) -> None:
        self.rules = rules or shared()
        self._engine = engine or default_engine()
        self._reader = _reader(self.rules, self._engine)
        self._joins: Joins | None = None
        self._events: dict[str, Event] = {}
        self._place: str | None = None
        faults = Faults()
        if state is not None:
            self._restore(state, faults)
        if place is not None:
            self._live(place, "place", faults)
        faults.raise_if_any()

    @classmethod
    def from_state(cls, state: Mapping[str, Any], rules: Rulebook | None = None) -> CaseMonitor:
        """The monitor whose `state` this was."""
        return cls(state, rules)

    def _restore(self, state: Any, faults: Faults) -> None:
        if not isinstance(state, Mapping):
            faults.add("state", state, list(STATE_KEYS), "须为 JSON 对象", "must be a JSON object")
            return
        faults.unknown_keys(state, STATE_KEYS, "state")
        version = state.get("version", STATE_VERSION)
        if version != STATE_VERSION or isinstance(version, bool):
            faults.add("state.version", version, [STATE_VERSION], "不认识的版本", "a version that is not known")
        if state.get("place") is not None:
            self._live(state["place"], "state.place", faults)
        events = state.get("events", [])
        if isinstance(events, (list, tuple)):
            self._take(events, "state.events", faults)
        else:
            faults.add("state.events", events, [], "须为列表", "must be a list")

    def _live(self, place: Any, where: str, faults: Faults) -> None:
        try:
            self._place = read_place(self.rules, place)
        except (UnknownName, TypeError) as error:
            faults.add(where, place, sorted(self.rules.places), "没有这个地区", str(error))

    # -- events -------------------------------------------------------------------------------------------
    def observe(self, event: Mapping[str, Any]) -> bool:
        """Takes one event: ``{"id"?, "kind", "date", ...details}``.

        Returns:
            False when it was known already: the same id, or without an id the same kind, date and details.

        Raises:
            InputError: it cannot be read, or contradicts an event of the same id; nothing is taken then.
        """
        faults = Faults()
        new = self._take([event], None, faults)
        faults.raise_if_any()
        return bool(new)

    def observe_all(self, events: Iterable[Mapping[str, Any]], where: str = "events") -> int:
        """Takes many events, or none of them when one is at fault; how many were new.

        Raises:
            InputError: all faults at once.
        """
        faults = Faults()
        new = self._take(events, where, faults)
        faults.raise_if_any()
        return new

    def _take(self, events: Iterable[Any], where: str | None, faults: Faults) -> int:
        before = len(faults.errors)
        taken: dict[str, Event] = {}
        for number, given in enumerate(events):
            at = "" if where is None else f"{where}.{number}"
            event = self._reader.read(given, at, faults)
            if event is None:
                continue
            same = self._events.get(event.key) or taken.get(event.key)
            if same is not None and same.told != event.told:
                zh, en = "同一编号的事件内容不同", "another event has this id, with other content"
                faults.add(f"{at}.id" if at else "id", event.told["id"], dict(same.told), zh, en)
            elif same is None:
                taken[event.key] = event
        if len(self._events) + len(taken) > MOST_EVENTS:
            count = len(self._events) + len(taken)
            faults.add(where or "", count, f"<= {MOST_EVENTS}", "事件过多", "too many events for one person")
        if len(faults.errors) > before:
            return 0
        self._events |= taken
        return len(taken)

    def state(self) -> dict[str, Any]:
        """All that is known, as JSON; the same whatever the order in which events arrived."""
        events = sorted(self._events.values(), key=lambda e: e.order)
        place = {"place": self._place} if self._place else {}
        return {"version": STATE_VERSION, **place, "events": [dict(e.told) for e in events]}

    # -- what is due --------------------------------------------------------------------------------------
    def due(self, on: dt.date | str) -> list[dict[str, Any]]:
        """What is due on a day, by the events up to and including that day.

        Returns:
            Each with ``id`` (the same as long as it is the same matter), ``action`` (``end``, ``suspend``, ``resume``,
            ``reassess_now`` or ``check``), ``since``, ``because`` (the events), ``say``, ``source`` with its clause,
            and ``evidence``; the programmes or the assessment it is about.

        Raises:
            InputError: not a day.
            EngineError: durable_rules failed.
        """
        return _in_order(self._at(on))

    def warnings(self, on: dt.date | str) -> list[dict[str, Any]]:
        """What does not fit together on a day, and what could not be decided; errors as `due`."""
        return self._at(on).warnings()

    def report(self, on: dt.date | str) -> dict[str, Any]:
        """The day, what is due, warnings, and the rules by hash; errors as `due`."""
        day = self._at(on)
        shown = day.on.isoformat()
        rules = {"hash": self.rules.hash, "on": shown}
        return {"on": shown, "ruleset": rules, "due": _in_order(day), "warnings": day.warnings()}

    def _at(self, on: dt.date | str) -> Day:
        faults = Faults()
        try:
            day = read_date(on)
        except ValueError as error:
            faults.add("on", on, "YYYY-MM-DD", "不是有效日期", str(error))
            faults.raise_if_any()
            raise
        if self._joins is None:
            sizes = (Window(rule.at_least, 0) for rule in self.rules.events.rules)
            self._joins = DurableJoins(sizes) if self._engine == "durable" else ReferenceJoins()
        return Day(self._reader, self._joins, self._events.values(), self._place, day)


def _in_order(day: Day) -> list[dict[str, Any]]:
    return sorted(day.items(), key=lambda i: (ACTIONS.index(i["action"]), i["since"], i["rule"], i["id"]))


def _reader(book: Rulebook, engine: str) -> EventReader:
    """The event reader of a rulebook, kept with it."""
    kept: dict[str, EventReader] = book.__dict__.setdefault("_event_readers", {})
    if engine not in kept:
        kept[engine] = EventReader(book, engine)
    return kept[engine]
