"""Events joined over time: which of them count, which are settled, which complete a window, which stays are over.

`DurableJoins` runs rules over several facts in durable_rules; `ReferenceJoins` says the same in plain Python, straight
from the definitions, and is the oracle of the tests.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from yyassess.entitlement.durable_host import EngineError, Network
from yyassess.rulebook.events import MOST_JOINED

#: Events of one person. All of them are told to durable_rules at once.
MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """So many events, the last at most so many days after the first."""

    at_least: int
    days: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event under a rule that asks for its kind."""

    event: int
    """The number of the event."""
    group: int
    """The rule, by the number of its window."""
    scale: int | None
    """The scale whose assessment settles it; ``None`` when none does."""
    since: int
    """The first day on which such an assessment settles it."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is asked on a day. Days are ordinals; an event is named by its number."""

    on: int
    days: Sequence[int]
    """The day of each event; events are in the order of their days."""
    windows: Sequence[Window]
    candidates: Sequence[Candidate]
    """In the order of their events."""
    assessments: Sequence[tuple[int, int]] = ()
    """Event and the scale it was made with."""
    stays: Sequence[tuple[int, bool]] = ()
    """Admissions (true) and discharges, in the order in which they happened (see `in_turn`)."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What holds on the day."""

    counted: frozenset[int]
    """Events that have happened."""
    settled: frozenset[int]
    """Candidates (by number) that an assessment has settled."""
    met: frozenset[int]
    """Candidates, not settled, that complete their window."""
    ended: frozenset[tuple[int, int]]
    """An admission, and the discharge that followed it."""
    doubled: frozenset[tuple[int, int]]
    """Two admissions with no discharge between them."""
    stray: frozenset[int]
    """Discharges of somebody who was not in hospital."""


class Joins(Protocol):
    """Finds what holds on a day."""

    def run(self, stream: Stream) -> Findings:
        """The findings of a stream of events."""


def in_turn(stays: Iterable[tuple[int, int, bool]]) -> list[tuple[int, bool]]:
    """Admissions and discharges ``(event, day, admission)`` in the order in which they make sense.

    On one day they take turns, beginning with the one that can happen: who is at home is admitted first, who is in
    hospital is discharged first. What is then left over of one sort stands at the end of the day.
    """
    ordered: list[tuple[int, bool]] = []
    by_day: dict[int, tuple[list[int], list[int]]] = {}
    for event, day, admission in stays:
        by_day.setdefault(day, ([], []))[admission].append(event)
    inside = False
    for day in sorted(by_day):
        out, into = (sorted(events) for events in by_day[day])
        while out or into:
            inside = not inside if (out if inside else into) else inside
            ordered.append(((into if inside else out).pop(0), inside))
    return ordered


class ReferenceJoins:
    """Plain Python, event by event."""

    def run(self, stream: Stream) -> Findings:
        """The findings of a stream of events."""
        days, on = stream.days, stream.on
        counted = frozenset(event for event, day in enumerate(days) if day <= on)
        settled = frozenset(
            number
            for number, c in enumerate(stream.candidates)
            if c.event in counted
            and any(e in counted and scale == c.scale and days[e] >= c.since for e, scale in stream.assessments)
        )
        met = set()
        for number, last in enumerate(stream.candidates):
            if last.event not in counted or number in settled:
                continue
            window = stream.windows[last.group]
            inside = [
                c
                for c in stream.candidates[: number + 1]
                if c.group == last.group and 0 <= days[last.event] - days[c.event] <= window.days
            ]
            if len(inside) >= window.at_least:
                met.add(number)
        happened = [(event, admission) for event, admission in stream.stays if event in counted]
        before = [(None, False), *happened]
        pairs = list(zip(before, happened, strict=False))
        return Findings(
            counted=counted,
            settled=settled,
            met=frozenset(met),
            ended=frozenset((a, b) for (a, was), (b, now) in pairs if a is not None and was and not now),
            doubled=frozenset((a, b) for (a, was), (b, now) in pairs if a is not None and was and now),
            stray=frozenset(b for (_, was), (b, now) in pairs if not was and not now),
        )


class DurableJoins:
    """durable_rules: safe from any thread, all sessions of a process take turns.

    Args:
        windows: the sizes of all windows; a ruleset is compiled once for each set of sizes, and kept.

    Raises:
        EngineError: durable_rules cannot be loaded here, or a window is wider than it can join.
    """

    _kept: ClassVar[dict[tuple[int, ...], _Rules]] = {}
    _compiling: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, windows: Iterable[Window]) -> None:
        sizes = tuple(sorted({w.at_least for w in windows}))
        if sizes and sizes[-1] > MOST_JOINED:
            raise EngineError(f"a window of {sizes[-1]} events is too wide: durable_rules joins {MOST_JOINED} facts")
        with self._compiling:
            if sizes not in self._kept:
                self._kept[sizes] = _Rules(sizes)
            self._rules = self._kept[sizes]

    def run(self, stream: Stream) -> Findings:
        """The findings of a stream of events.

        Raises:
            EngineError: durable_rules failed, or there are too many events.
        """
        if len(stream.days) > 2 * MOST_EVENTS:
            raise EngineError(f"{len(stream.days)} events; at most {2 * MOST_EVENTS}")
        return self._rules.run(stream)


def _sum(fact: str, key: str, more: Any) -> dict[str, Any]:
    return {"$add": {"$l": {fact: key}, "$r": more}}


def _joined(name: str, earlier: tuple[str, str], *conditions: dict[str, Any]) -> dict[str, Any]:
    """A fact that is compared with earlier ones, of which one is given: how the rule calls it, and its name.

    When the last comparison of an AND fails, the core looks for the end of the AND one place too late and reads on
    past it. So one comparison that cannot fail stands last: names are keys whose value is 1.
    """
    fact, its_name = earlier
    return {"$and": [{name: 1}, *conditions, {"$gte": {name: {fact: its_name}}}]}


class _Rules(Network):
    """The rules, and one session for each question; in waves, since what one rule concludes is a fact for the next.

    Every fact begins with its name. ``place`` is the place of an event among those of its rule, counted through, so
    that each event of a window is found from the one before it, and a window needs no search.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__(())
        self._waves = [(lambda board: (), 0)]  # what a network needs to know of its sessions: they must be ended
        names = ("today", "event", "assessed", "candidate", "counts", "stay")
        rules = {
            "all": [{"m": {"$or": [{name: 1} for name in names]}}],
            "now": [{"t": {"today": 1}}, {"e": _joined("event", ("t", "today"), {"$lte": {"day": {"t": "day"}}})}],
            "set": [
                {"a": {"assessed": 1}},
                {
                    "c": _joined(
                        "candidate", ("a", "assessed"), {"scale": {"a": "scale"}}, {"$lte": {"since": {"a": "day"}}}
                    )
                },
            ],
            "end": self._follows(1, 0),
            "two": self._follows(1, 1),
            "odd": self._follows(0, 0),
            **{f"w{size:02}": self._window(size) for size in sizes},
        }
        # ``cap``: a rule hands over its matches in bundles instead of one by one.
        made = {name: {"all": facts, "cap": 1000} for name, facts in rules.items()}
        self._register(json.dumps(made), self._fact("first", "event", no=0, day=0))

    @staticmethod
    def _follows(first: int, second: int) -> list[dict[str, Any]]:
        """An admission (1) or discharge (0), and the next."""
        return [
            {"a": {"$and": [{"stay": 1}, {"into": first}]}},
            {"b": _joined("stay", ("a", "stay"), {"into": second}, {"place": _sum("a", "place", 1)})},
        ]

    @staticmethod
    def _window(size: int) -> list[dict[str, Any]]:
        """So many events of one rule, one after the other; the last is open, and not too long after the first."""
        last: list[dict[str, Any]] = [{"open": 1}]
        facts: list[dict[str, Any]] = [{"e1": {"$and": [{"counts": 1}, {"size": size}, *(last if size == 1 else ())]}}]
        last.append({"$lte": {"day": _sum("e1", "day", {"e1": "days"})}})
        for n in range(2, size + 1):
            before = f"e{n - 1}"
            parts = [{"size": size}, {"place": _sum(before, "place", 1)}, *(last if n == size else ())]
            facts.append({f"e{n}": _joined("counts", (before, "counts"), *parts)})
        return facts

    @staticmethod
    def _fact(id: str, name: str, **values: int) -> str:
        told = "".join(f',"{key}":{value}' for key, value in values.items())
        return f'{{"id":"{id}","sid":"0","{name}":1{told}}}'

    def run(self, stream: Stream) -> Findings:
        days, fact = stream.days, self._fact
        with self:
            facts = [fact("t", "today", day=stream.on)]
            facts += [fact(f"e{e}", "event", no=e, day=day) for e, day in enumerate(days)]
            found = self._told(facts)
            counted = frozenset(m["e"]["no"] for m in found.get("now", ()))

            latest: dict[int, int] = {}  # an earlier assessment settles nothing that the last one does not
            for e, scale in stream.assessments:
                if e in counted:
                    latest[scale] = max(days[e], latest.get(scale, days[e]))
            facts = [fact(f"a{scale}", "assessed", scale=scale, day=day) for scale, day in latest.items()]
            facts += [
                fact(f"c{number}", "candidate", no=number, scale=c.scale, since=c.since)
                for number, c in enumerate(stream.candidates)
                if c.event in counted and c.scale is not None
            ]
            settled = frozenset(m["c"]["no"] for m in self._told(facts).get("set", ()))

            facts = [fact("h", "stay", no=-1, into=0, place=0)]  # at home before all else
            happened = [s for s in stream.stays if s[0] in counted]
            facts += [
                fact(f"h{e}", "stay", no=e, into=int(admission), place=place)
                for place, (e, admission) in enumerate(happened, 1)
            ]
            found = self._told([*facts, *self._in_windows(stream, counted, settled)])
        pairs = {rule: frozenset((m["a"]["no"], m["b"]["no"]) for m in found.get(rule, ())) for rule in ("end", "two")}
        closing = [(f"w{size:02}", f"e{size}") for size in {w.at_least for w in stream.windows}]
        return Findings(
            counted=counted,
            settled=settled,
            met=frozenset(m[last]["no"] for rule, last in closing for m in found.get(rule, ())),
            ended=pairs["end"],
            doubled=pairs["two"],
            stray=frozenset(m["b"]["no"] for m in found.get("odd", ())),
        )

    def _in_windows(self, stream: Stream, counted: frozenset[int], settled: frozenset[int]) -> Iterable[str]:
        for group, window in enumerate(stream.windows):
            start = group * 4 * MOST_EVENTS  # far from the places of the group before
            mine = [(n, c) for n, c in enumerate(stream.candidates) if c.group == group and c.event in counted]
            for place, (n, c) in enumerate(mine, start):
                yield self._fact(
                    f"w{n}",
                    "counts",
                    no=n,
                    place=place,
                    size=window.at_least,
                    day=stream.days[c.event],
                    days=window.days,
                    open=int(n not in settled),
                )

    def _told(self, facts: Sequence[str]) -> Mapping[str, list[Any]]:
        """Asserts facts: what each rule that fired matched, one mapping of names to facts for every match.

        Raises:
            EngineError: durable_rules failed, or did not take every fact.
        """
        if not facts:
            return {}
        try:
            result, state = self._core.assert_facts(self._handle, f"[{','.join(facts)}]")
            fired = self._fired(state)
        except self._core.error as error:
            raise EngineError(f"durable_rules failed: {error}") from error
        received = 0
        found: dict[str, list[Any]] = {}
        for text in fired:
            if text.startswith('{"all"'):
                received += text.count('"id"')
                continue
            for rule, matches in json.loads(text).items():
                found.setdefault(rule, []).extend(matches)
        if result or received != len(facts):
            raise EngineError(f"durable_rules took {received} of {len(facts)} facts (result {result})")
        return found
