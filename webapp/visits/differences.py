"""Two visits to one person, question by question. Pure data in, pure data out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.storage import Visit
from webapp.visits.telling import Line, Section, facts_told, told
from yyassess import Rulebook

Words = Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """One question, then and now; None where it was not asked."""

    old: Line | None
    new: Line | None

    @property
    def line(self) -> Line:
        """The one to take name and number from."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def changed(self) -> bool:
        """Another answer, or another reason for none."""
        old, new = self.old, self.new
        return (old and (old.value, old.score, old.cannot)) != (new and (new.value, new.score, new.cannot))

    @property
    def said(self) -> bool:
        """Something stands on at least one side."""
        return any(line is not None and (line.value or line.cannot) for line in (self.old, self.new))


@dataclass(frozen=True)
class Compared:
    """One instrument, or the facts beside the items."""

    id: str
    name: Words | None
    """None for the facts."""
    pairs: tuple[Pair, ...]

    @property
    def changed(self) -> list[Pair]:
        """Questions with another answer."""
        return [pair for pair in self.pairs if pair.changed]

    @property
    def same(self) -> list[Pair]:
        """Questions with the same answer."""
        return [pair for pair in self.pairs if not pair.changed and pair.said]


def compare(book: Rulebook, old: Visit, new: Visit) -> list[Compared]:
    """Every instrument of either visit, those of the new one first, then the facts."""
    before = {part.id: part for part in told(book, old)}
    after = {part.id: part for part in told(book, new)}
    found = []
    for id in (*after, *(i for i in before if i not in after)):
        part = after.get(id) or before[id]
        pairs = _pairs(before[id].sections if id in before else (), after[id].sections if id in after else ())
        found.append(Compared(id, part.name, pairs))
    facts = _pairs((facts_told(book, old),), (facts_told(book, new),))
    return [*found, *([Compared("facts", None, facts)] if facts else [])]


def _pairs(old: tuple[Section, ...], new: tuple[Section, ...]) -> tuple[Pair, ...]:
    then = {line.id: line for section in old for line in section.lines}
    now = {line.id: line for section in new for line in section.lines}
    return tuple(Pair(then.get(id), now.get(id)) for id in (*now, *(i for i in then if i not in now)))
