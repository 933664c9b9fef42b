"""Every text of every programme, as it stands in a place on a day when something changes: each different one once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from yyassess.assurance.findings import Evidence, Notebook
from yyassess.assurance.world import World
from yyassess.conditions.tree import Compare, Literal, Node, facts_of, walk
from yyassess.entitlement.benefits import amount_on
from yyassess.entitlement.plan import ReadyBenefit, ReadyProgramme
from yyassess.rulebook.book import Origin, ProgrammeTexts, Rulebook
from yyassess.rulebook.programme import Programme

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Situation:
    """One text of a programme, in force in a place on a day."""

    world: World
    ready: ReadyProgramme
    texts: ProgrammeTexts
    number: int
    """Which of the texts: 0 the first, then the versions."""

    @property
    def id(self) -> str:
        return self.texts.id

    @property
    def programme(self) -> Programme:
        return self.ready.standing.programme

    @property
    def origin(self) -> Origin:
        return self.world.book.origins[("programme", f"{self.texts.place}/{self.id}")]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The conditions of the criteria."""
        return tuple(c.node for c in self.ready.criteria)

    @property
    def granted(self) -> Any:
        """That all criteria are true."""
        return self.world.person.granted(self.id)

    @property
    def status(self) -> str:
        """What the reference evaluator says of somebody who meets every criterion that has a content."""
        return "eligible" if all(c.configured for c in self.ready.criteria) else "not_configured"

    def path(self, *path: str | int) -> tuple[str | int, ...]:
        """A part of this text in the file: in its version, if that writes it anew."""
        return text_path(self.texts, self.number, *path)

    def evidence(self, case: dict[str, Any], against: dict[str, Any] | None = None) -> Evidence:
        """A case as a witness."""
        return Evidence(case, self.world.command, against)

    def meets(self, case: dict[str, Any]) -> bool:
        """Whether the reference evaluator grants the programme."""
        return bool(self.world.outcome(case, self.id)["status"] == self.status)


def text_number(texts: ProgrammeTexts, text: Programme) -> int:
    """Which of a programme's texts it is."""
    return next(n for n, written in enumerate(texts.texts) if written is text)


def text_path(texts: ProgrammeTexts, number: int, *path: str | int) -> tuple[str | int, ...]:
    """A part of one text of a programme in its file."""
    if number == 0:
        return path
    written = texts.texts[0].versions[number - 1]
    inside = not path or path[0] in written
    return ("versions", number - 1, *path) if inside else path


def places_in_order(book: Rulebook) -> list[str]:
    """Places with programmes of their own, outer ones first."""
    return sorted((p for p in book.programmes if book.programmes[p]), key=lambda p: (len(book.chain(p)), p))


def turning_days(book: Rulebook, place: str, on: dt.date | None) -> list[dt.date]:
    """The days on which the rules of a place change."""
    days: set[dt.date] = set()
    ends: set[dt.date] = set()
    for level in book.chain(place):
        for texts in book.programmes.get(level.id, {}).values():
            for text in texts.texts:
                if text.in_force.start:
                    days.add(text.in_force.start)
                if text.in_force.end:
                    ends.add(text.in_force.end)
                for benefit in text.benefits:
                    if isinstance(benefit.amount, tuple):
                        days |= {d.start for d in benefit.amount if d.start}
                days |= named_days(book, text)
    days |= {end + ONE_DAY for end in ends if end < dt.date.max}
    first = min(days | ends, default=on or newest_document(book))
    return sorted(days | {first if first in ends else first - ONE_DAY} | ({on} if on else set()))


def named_days(book: Rulebook, text: Programme) -> set[dt.date]:
    """The days that conditions compare the day asked about with, and the days after them."""
    found: set[dt.date] = set()
    for node in text_nodes(book, text):
        for part in walk(node):
            if isinstance(part, Compare) and "on_day" in facts_of(part):
                named = [p.value for p in walk(part) if isinstance(p, Literal)]
                found |= {day + n * ONE_DAY for day in named if isinstance(day, dt.date) for n in (0, 1)}
    return found


def newest_document(book: Rulebook) -> dt.date:
    """A day that surely lies in the time of these rules, where they name none themselves."""
    return max((d.date for d in book.documents.values() if d.date), default=dt.date(2000, 1, 1))


def situations(book: Rulebook, notebook: Notebook, file: str | None = None) -> Iterator[Situation]:
    """Each text of each programme (of one file, if given), once for each set of conditions and amounts it stands in."""
    seen: set[Hashable] = set()
    for place in places_in_order(book):
        if file is not None and not _stands_in(book, place, file):
            continue
        for day in turning_days(book, place, notebook.on):
            world = World(book.at(place, day))
            for id, programme in world.machine.programmes.items():
                standing = programme.standing
                if file is not None and book.origins[("programme", f"{standing.place}/{id}")].file != file:
                    continue
                texts = book.programmes[standing.place][id]
                number = text_number(texts, standing.programme)
                found = Situation(world, programme, texts, number)
                mark = (standing.place, id, number, signature(found))
                if mark not in seen:
                    seen.add(mark)
                    yield found


def _stands_in(book: Rulebook, place: str, file: str) -> bool:
    """Whether a place, or one around it, has a programme written in a file."""
    return any(
        book.origins[("programme", f"{level.id}/{id}")].file == file
        for level in book.chain(place)
        for id in book.programmes.get(level.id, {})
    )


def signature(situation: Situation) -> Hashable:
    """Equal for situations in which every question has the same answer."""
    machine, world = situation.world.machine, situation.world
    asked: dict[str, Hashable] = {}
    waiting = list(situation.nodes)
    while waiting:
        node = waiting.pop()
        for name in _outcomes(node):
            if name not in asked:
                other = machine.programmes.get(machine.aliases.get(name, name))
                asked[name] = _criteria(other)
                waiting.extend(_criteria(other) or ())
    amounts = tuple(figure(row, world.day) for row in situation.ready.benefits)
    partners = []
    for interaction in situation.programme.interactions:
        other = machine.programmes.get(machine.aliases.get(interaction.programme, interaction.programme))
        paid = tuple(figure(b, world.day) for b in other.benefits) if other else ()
        partners.append((interaction.programme, _criteria(other), paid))
    # Where a condition asks for the day itself, each day is another question.
    day = world.day if asks_for_day(situation) else None
    return (tuple(sorted(asked.items(), key=lambda kv: kv[0])), amounts, tuple(partners), day)


def asks_for_day(situation: Situation) -> bool:
    """Whether a condition of the text names the day asked about."""
    return any("on_day" in facts_of(node) for node in text_nodes(situation.world.book, situation.programme))


def text_nodes(book: Rulebook, text: Programme) -> Iterator[Node]:
    """All conditions of one text."""
    trees = book.trees.get("programmes", {})
    parts: list[Any] = [*text.criteria, *text.benefits, *text.services, *text.effects]
    written = [part.when for part in parts]
    written += [b.amount for b in text.benefits if isinstance(b.amount, str)]
    return (trees[when] for when in written if when and when in trees)


def _criteria(programme: ReadyProgramme | None) -> tuple[Node, ...] | None:
    return None if programme is None else tuple(c.node for c in programme.criteria)


def _outcomes(node: Node) -> list[str]:
    return [n.removeprefix("eligible:") for n in facts_of(node) if n.startswith("eligible:")]


def figure(row: ReadyBenefit, day: dt.date) -> Any:
    """The figure of a benefit on a day, the text of an expression, or nothing."""
    amount = row.benefit.amount
    return amount if isinstance(amount, str) else amount_on(row, {}, day)
