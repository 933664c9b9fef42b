"""The events of a person as they stand on one day: which rules hold there, what they make due, what does not fit."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from yyassess.assessment.question import source_json
from yyassess.entitlement.monitor_engine import Candidate, Joins, Stream, Window, in_turn
from yyassess.entitlement.monitor_events import Event, EventReader, known_place, nearness
from yyassess.rulebook.basics import Text, weakest
from yyassess.rulebook.events import EventRule, Role, Validity
from yyassess.rulebook.programme import Place

#: Programmes of these standings are something a person can hold or lose.
HELD = ("in_force", "pilot")


class Day:
    """What the rules find in some events on a day.

    Raises:
        EngineError: durable_rules failed.
    """

    def __init__(
        self, reader: EventReader, joins: Joins, events: Iterable[Event], home: str | None, on: dt.date
    ) -> None:
        self.reader, self.book, self.on, self.home = reader, reader.book, on, home
        told = sorted(events, key=lambda e: e.order)
        self.place = self._lives(told)
        self.undecided: list[tuple[EventRule | Validity, tuple[str, ...], Event]] = []
        ends = [self._end(e) for e in told if self.role(e) == "assessment"]
        self.events = sorted([*told, *(e for e in ends if e)], key=lambda e: e.order)
        self.rules, self.elsewhere = self._rules()
        self.groups: list[tuple[EventRule, str | None]] = []
        """The rule of each window, and the scale whose assessment settles it."""
        self.stream = self._stream()
        self.found = joins.run(self.stream)

    def role(self, event: Event) -> Role | None:
        """What an event means to the calendar."""
        return self.reader.kinds_of_role[event.kind]

    def counted(self, *roles: Role) -> list[Event]:
        """The events that have happened; of some roles only, if given."""
        happened = [self.events[n] for n in sorted(self.found.counted)]
        return [e for e in happened if not roles or self.role(e) in roles]

    def _lives(self, told: Sequence[Event]) -> Place | None:
        moves = [e.values["to"] for e in told if e.day <= self.on and self.role(e) == "move"]
        here = moves[-1] if moves else self.home
        return known_place(self.book, here) if here else None

    def _end(self, event: Event) -> Event | None:
        end, undecided = self.reader.expiry(event, self.place)
        if event.day <= self.on:
            self.undecided += [(row, (event.kind,), event) for row in undecided]
        return end

    def _rules(self) -> tuple[list[EventRule], list[EventRule]]:
        """The rules that hold where the person lives, the nearest of each id; and those of other places."""
        nearest: dict[str, tuple[int, EventRule]] = {}
        elsewhere = []
        for rule in self.book.events.rules:
            near = nearness(self.book, rule.place, self.place)
            if near is None:
                elsewhere.append(rule)
            elif rule.id not in nearest or near > nearest[rule.id][0]:
                nearest[rule.id] = (near, rule)
        return [rule for _, rule in nearest.values()], elsewhere

    # -- the question for the engine ----------------------------------------------------------------------
    def _stream(self) -> Stream:
        scales: dict[str, int] = {}
        groups: dict[tuple[int, str | None], int] = {}
        candidates: list[Candidate] = []
        for number, event in enumerate(self.events):
            for place, rule in enumerate(self.rules):
                if event.kind not in rule.kinds or not self._counts(rule, event):
                    continue
                scale = _settled_by(rule, event)
                group = groups.setdefault((place, scale), len(groups))
                if group == len(self.groups):
                    self.groups.append((rule, scale))
                settles = None if scale is None else scales.setdefault(scale, len(scales))
                candidates.append(Candidate(number, group, settles, event.since.toordinal()))
        made = [(n, e) for n, e in enumerate(self.events) if self.role(e) == "assessment"]
        stays = [(n, e) for n, e in enumerate(self.events) if self.role(e) in ("admission", "discharge")]
        return Stream(
            on=self.on.toordinal(),
            days=[e.day.toordinal() for e in self.events],
            windows=[Window(rule.at_least, rule.within_days or 0) for rule, _ in self.groups],
            candidates=candidates,
            assessments=[(n, scales[s]) for n, e in made for s in _made_with(e) if s in scales],
            stays=in_turn((n, e.day.toordinal(), self.role(e) == "admission") for n, e in stays),
        )

    def _counts(self, rule: EventRule, event: Event) -> bool:
        for id, name in rule.counts_if.get(event.kind, {}).items():
            default = next(s.default for s in self.book.instruments[id].settings if s.id == name)
            if self.book.settings.get(id, {}).get(name, default) is not True:
                return False
        holds = self.reader.holds(rule, rule.kinds, event)
        if holds is None and event.day <= self.on:
            self.undecided.append((rule, rule.kinds, event))
        return bool(holds)

    # -- what is due --------------------------------------------------------------------------------------
    def items(self) -> Iterator[dict[str, Any]]:
        """All that is due; after a death only what the death makes due."""
        dead = self.reader.roles.get("death") if self.counted("death") else None
        for rule, item in (*self._met(), *self._stays()):
            if dead is None or dead in rule.kinds:
                yield item

    def _met(self) -> Iterator[tuple[EventRule, dict[str, Any]]]:
        by_group: dict[int, list[Candidate]] = {}
        for number in sorted(self.found.met):
            candidate = self.stream.candidates[number]
            by_group.setdefault(candidate.group, []).append(candidate)
        for group, closing in by_group.items():
            rule, scale = self.groups[group]
            moves = self.role(self.events[closing[0].event]) == "move"
            for last in [[c] for c in closing] if moves else [closing]:
                start = self.events[last[0].event]
                item = self._item(rule, start, [self.events[n] for n in self._window(group, rule, last)], scale)
                if rule.within_days is not None:
                    item["window"] = {"at_least": rule.at_least, "within_days": rule.within_days} | {
                        "now": sum(self._age(n) <= rule.within_days for n in self._candidates(group))
                    }
                yield rule, item | self._moved(start) if moves else item

    def _candidates(self, group: int) -> list[int]:
        return [c.event for c in self.stream.candidates if c.group == group and c.event in self.found.counted]

    def _age(self, event: int) -> int:
        return self.stream.on - self.stream.days[event]

    def _window(self, group: int, rule: EventRule, closing: Sequence[Candidate]) -> list[int]:
        """The events in the windows that some events complete."""
        ends, span = [self._age(c.event) for c in closing], rule.within_days
        if span is None:
            return [c.event for c in closing]
        return [n for n in self._candidates(group) if any(0 <= self._age(n) - end <= span for end in ends)]

    def _stays(self) -> Iterator[tuple[EventRule, dict[str, Any]]]:
        """The last stay in hospital: open, or over."""
        happened = [s for s in self.stream.stays if s[0] in self.found.counted and s[0] not in self.found.stray]
        if not happened:
            return
        last, inside = happened.pop()
        stay = [last]
        for number, admission in reversed(happened):
            # It goes back over repeated admissions, and over a discharge with a readmission on the same day.
            again = self._age(number) == self._age(stay[0])
            if not admission and not again:
                break
            stay.insert(0, number)
        events = [self.events[n] for n in stay]
        for rule in self.rules:
            asked = rule.stay == ("open" if inside else "closed")
            if asked and (self._there(rule.programmes) or not rule.programmes):
                yield rule, self._item(rule, events[0 if inside else -1], events, None)

    def _there(self, programmes: Sequence[str]) -> list[str]:
        """Those in force where the person lives; all of them where nobody knows."""
        if self.place is None:
            return list(programmes)
        standings = self.book.at(self.place.id, self.on).standings
        return [id for id in programmes if id in standings and standings[id].in_force]

    def _kinds(self, programmes: Iterable[str]) -> list[str]:
        found = (t[id].texts[0].kind for id in programmes for t in self.book.programmes.values() if id in t)
        return sorted(set(found))

    def _item(self, rule: EventRule, start: Event, because: Sequence[Event], scale: str | None) -> dict[str, Any]:
        row = start.row
        name = "\n".join((rule.due, rule.id, rule.place or "", scale or "", start.key))
        # A rule of a whole city names its districts' programmes too, which others of the city never had.
        programmes = self._there(rule.programmes) or list(rule.programmes)
        item: dict[str, Any] = {
            "id": hashlib.sha256(name.encode()).hexdigest()[:16],
            "action": rule.due,
            "rule": rule.id,
            "since": start.day.isoformat(),
            "programmes": programmes,
            "kinds": self._kinds(programmes),
            "all": rule.all,
            "because": [_shown(e) for e in because],
            "say": rule.say,
            "source": source_json(rule.source),
            "evidence": weakest(part.evidence.mark for part in (rule, row) if part is not None),
            "decisions": list(rule.decisions),
        }
        if rule.evidence.words:
            item["words"] = rule.evidence.words
        if rule.assessment and scale:
            what, id = scale.split(" ", 1)
            item["assessment"] = {"kind": rule.assessment, what: id}
        if row is not None:
            item["validity"] = {"say": row.say, "evidence": row.evidence.mark, "source": source_json(row.source)}
        return item

    # -- moves --------------------------------------------------------------------------------------------
    def _moved(self, event: Event) -> dict[str, Any]:
        """What a move ends and opens, by the programmes in force in both places."""
        moves = self.counted("move")
        before = moves[: moves.index(event)]
        origin = event.values.get("from") or (before[-1].values["to"] if before else self.home)
        old, new = self._programmes(origin), self._programmes(event.values["to"])
        resident = {id for id, s in old.items() if s.programme.place_of == "residence"}
        gone = [id for id in old if id not in new]
        return {
            "from": self._named(origin),
            "to": self._named(event.values["to"]),
            "ends": [id for id in gone if id in resident],
            "by_registration": [id for id in gone if id not in resident],
            "changes": [id for id in old if id in new and old[id].place != new[id].place],
            "apply": [id for id in new if id not in old] if event is moves[-1] else [],
        }

    def _programmes(self, place: str | None) -> dict[str, Any]:
        known = known_place(self.book, place) if place else None
        if known is None:
            return {}
        standings = self.book.at(known.id, self.on).standings
        return {id: s for id, s in standings.items() if s.in_force and s.programme.status in HELD}

    def _named(self, place: str | None) -> dict[str, Any] | None:
        if place is None:
            return None
        return {"place": place, "name": self.book.places[place].name if place in self.book.places else None}

    # -- what does not fit --------------------------------------------------------------------------------
    def warnings(self) -> list[dict[str, Any]]:
        """What does not fit together, was left out, or could not be decided."""
        return list(self._warnings())

    def _warnings(self) -> Iterator[dict[str, Any]]:
        happened = self.counted()
        deaths = self.counted("death")
        if len({e.day for e in deaths}) > 1:
            yield _warning("deaths", deaths, "有几个不同的去世日期", "death is told with different days")
        after = [e for e in happened if deaths and e.day > deaths[0].day and self.role(e) != "death" and not e.of]
        if after:
            yield _warning("after_death", after, "去世之后还有事件，请核对", "events after the death: check them")
        for one, other in sorted(self.found.doubled):
            pair = (self.events[one], self.events[other])
            zh, en = "两次住院之间没有出院记录", "two admissions with no discharge between them"
            yield _warning("admitted_twice", pair, zh, en)
        for number in sorted(self.found.stray):
            zh, en = "出院之前没有住院记录，请核对已支付的日期", "a discharge without an admission: check the days paid"
            yield _warning("discharge_only", [self.events[number]], zh, en)
        moves = self.counted("move")
        for first, second in pairwise(moves):
            if first.day == second.day and first.values["to"] != second.values["to"]:
                zh, en = "同一天迁往两个地区，请核对", "moves to two places on one day: check them"
                yield _warning("two_places", (first, second), zh, en)
        for rule, kinds, event in self.undecided:
            missing = self.reader.missing(rule, kinds, event)
            zh, en = "缺少细节，规则无法判断", "a detail is missing, so a rule could not be decided"
            yield _warning("undecided", [event], zh, en) | {"rule": rule.id, "missing": missing}
        if self.place is None:
            told = {e.kind for e in happened}
            stays = bool(self.stream.stays)
            local = [rule for rule in self.elsewhere if told & set(rule.kinds) or (rule.stay and stays)]
            if local:
                zh, en = "不知道居住地，未用地方规定", "where the person lives is not known: local rules are left out"
                yield _warning("place_unknown", (), zh, en) | {"rules": sorted({r.id for r in local})}
        later = [e for e in self.events if e.day > self.on and not e.of]
        if later:
            zh, en = f"日期晚于 {self.on} 的事件未计", f"events after {self.on} are not counted"
            yield _warning("later", later, zh, en)


def _warning(id: str, events: Iterable[Event], zh: str, en: str) -> dict[str, Any]:
    return {"id": id, "severity": "hint", "events": [_shown(e) for e in events], "say": Text(zh=zh, en=en)}


def _shown(event: Event) -> dict[str, Any]:
    """An event as JSON, with the conclusion that it is the end of."""
    return dict(event.told) | ({"derived_from": dict(event.of.told)} if event.of else {})


def _made_with(event: Event) -> list[str]:
    """What an assessment was made with and for: its scales, the last of them the most particular."""
    return [f"{what} {event.values[what]}" for what in ("instrument", "programme") if what in event.values]


def _settled_by(rule: EventRule, event: Event) -> str | None:
    if rule.settled_by == "same":
        return _made_with(event)[-1]
    return rule.settled_by and f"instrument {rule.settled_by}"
