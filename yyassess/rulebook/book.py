"""The rulebook, and the ruleset: the rulebook as it stands for one place on one day."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from yyassess.conditions.tree import Node
from yyassess.rulebook.basics import Document
from yyassess.rulebook.correspondence import Correspondence
from yyassess.rulebook.events import EventRules
from yyassess.rulebook.instrument import Instrument
from yyassess.rulebook.loading import load, rule_folders
from yyassess.rulebook.programme import CoverageRow, Place, Programme
from yyassess.rulebook.vocabulary import FactDefinition


@dataclass(frozen=True)
class Origin:
    """Where a thing was written: the file, and the lines of its parts."""

    file: str
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, *path: str | int) -> int:
        """The line of a part, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass(frozen=True)
class ProgrammeTexts:
    """All texts of one programme in one place, oldest first."""

    place: str
    texts: tuple[Programme, ...]
    digest: str

    @property
    def id(self) -> str:
        return self.texts[0].id


class UnknownName(LookupError):
    """A place, instrument or programme that does not exist; carries what was given and what is allowed."""

    def __init__(self, what: str, given: str, allowed: Iterable[str]) -> None:
        self.what, self.given, self.allowed = what, given, sorted(allowed)
        near = get_close_matches(given, self.allowed, n=1, cutoff=0.5)
        self.suggestion = near[0] if near else None
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {what} {given!r}{hint} Known: {', '.join(self.allowed)}")


@dataclass(frozen=True)
class Rulebook:
    """Everything under ``rules/``, read and checked; immutable.

    Use `Rulebook.load` (the shipped rules and, if given, further folders).
    """

    facts: Mapping[str, FactDefinition]
    documents: Mapping[str, Document]
    places: Mapping[str, Place]
    instruments: Mapping[str, Instrument]
    programmes: Mapping[str, Mapping[str, ProgrammeTexts]]
    """By place id, then by programme id."""
    pathways: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Any]]
    coverage: tuple[CoverageRow, ...]
    correspondences: tuple[Correspondence, ...]
    trees: Mapping[str, Mapping[str, Node]] = field(repr=False)
    """Parsed conditions: scope (``programmes`` or an instrument's id) -> text -> tree."""
    origins: Mapping[tuple[str, str], Origin] = field(repr=False)
    digests: Mapping[str, str] = field(repr=False)
    """Content hash of each instrument, and of the vocabulary and settings."""
    hash: str
    events: EventRules = field(default_factory=EventRules, repr=False)
    """The kinds of events told about people, and what they make due."""

    @classmethod
    def load(
        cls,
        *folders: str | os.PathLike[str],
        shipped: bool = True,
        cache: bool = True,
        overlays: Sequence[str | os.PathLike[str]] = (),
    ) -> Rulebook:
        """The shipped rules with further ``folders`` on top (``shipped=False``: only the folders).

        ``overlays`` are files of changes laid over them: a what-if (see `rulebook.overlay`).

        Raises:
            RulebookError: listing every fault with file, line and field.
        """
        paths = rule_folders(folders) if shipped else [Path(f) for f in folders]
        book: Rulebook = load(paths, cache=cache, overlays=[Path(o) for o in overlays])
        return book

    def instrument(self, id: str) -> Instrument:
        """The instrument of that id; `UnknownName` otherwise."""
        if id not in self.instruments:
            raise UnknownName("instrument", id, self.instruments)
        return self.instruments[id]

    def place(self, id: str) -> Place:
        """The place of that id, administrative code or alias; `UnknownName` otherwise."""
        found = self._place_names.get(id)
        if found is None:
            raise UnknownName("place", id, self.places)
        return self.places[found]

    @cached_property
    def _place_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for place in self.places.values():
            for name in (place.id, place.code, *place.aliases, place.name["zh"]):
                names.setdefault(name, place.id)
        return names

    def lies_in(self, given: str, place: str) -> bool | None:
        """Whether a place (id or administrative code) lies in another; None when it is named too coarsely to say."""
        inner = code_stem(self.places[given].code if given in self.places else given)
        outer = code_stem(self.places[place].code)
        if inner.startswith(outer):
            return True
        return None if outer.startswith(inner) else False

    def chain(self, place: str) -> tuple[Place, ...]:
        """The place and everything it lies in, the nation first."""
        chain = [self.place(place)]
        while chain[-1].within:
            chain.append(self.places[chain[-1].within])
        return tuple(reversed(chain))

    def bundle(self, place: str) -> tuple[str, ...]:
        """The instruments the form preselects in a place: its own, or those of the nearest place around it."""
        return next((p.bundle for p in reversed(self.chain(place)) if p.bundle), ())

    def at(self, place: str, on: dt.date, known_on: dt.date | None = None) -> Ruleset:
        """The ruleset of a place on a day, as far as the texts were known on ``known_on`` (all, if not given)."""
        kept = self._rulesets.get((place, on, known_on))
        if kept is None:
            kept = Ruleset.of(self, place, on, known_on)
            if len(self._rulesets) > 256:
                self._rulesets.clear()
            self._rulesets[(place, on, known_on)] = kept
        return kept

    @cached_property
    def _rulesets(self) -> dict[Any, Ruleset]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k in self.__dataclass_fields__}

    def __hash__(self) -> int:
        return hash(self.hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rulebook) and self.hash == other.hash


@dataclass(frozen=True)
class Standing:
    """One programme as it stands in a ruleset: its text of that day, or none (``not_in_force``)."""

    id: str
    place: str
    programme: Programme
    """The text in force; when none is, the nearest one, for its name and dates."""
    in_force: bool
    digest: str


@dataclass(frozen=True)
class Ruleset:
    """The rulebook for one place on one day."""

    book: Rulebook = field(repr=False)
    place: Place
    on: dt.date
    known_on: dt.date | None
    standings: Mapping[str, Standing] = field(repr=False)
    hash: str

    @staticmethod
    def of(book: Rulebook, place: str, on: dt.date, known_on: dt.date | None) -> Ruleset:
        """What stands in a place: the nearer text of one id wins, or ends it, while it is in force."""
        chain = book.chain(place)
        found: dict[str, Standing] = {}
        for level in chain:
            for id, texts in book.programmes.get(level.id, {}).items():
                standing = _standing(texts, on, known_on)
                if standing.programme.ends and standing.in_force:
                    found.pop(id, None)
                elif standing.in_force or id not in found:
                    found[id] = standing
        order = dict(sorted(found.items()))
        content = {
            "place": chain[-1].id,
            "programmes": {
                s.id: [s.place, s.digest, s.in_force, s.programme.in_force.model_dump(), _known_from(s.programme)]
                for s in order.values()
            },
            "shared": dict(book.digests),
        }
        return Ruleset(book, chain[-1], on, known_on, order, content_hash(content))

    def __hash__(self) -> int:
        return hash((self.hash, self.on))


def code_stem(code: str) -> str:
    """An administrative code without its empty pairs: what the codes of all places inside begin with."""
    while code.endswith("00"):
        code = code[:-2]
    return code


def _standing(texts: ProgrammeTexts, on: dt.date, known_on: dt.date | None) -> Standing:
    known = [t for t in texts.texts if known_on is None or _known_from(t) is None or _known_from(t) <= known_on]  # type: ignore[operator]
    holding = [t for t in known if t.in_force.holds(on)]
    if holding:
        latest = max(holding, key=lambda t: (t.in_force.start or dt.date.min, _known_from(t) or dt.date.min))
        return Standing(texts.id, texts.place, latest, True, texts.digest)
    past = [t for t in known if t.in_force.start is None or t.in_force.start <= on]
    nearest = max(past, key=lambda t: t.in_force.start or dt.date.min) if past else texts.texts[0]
    return Standing(texts.id, texts.place, nearest, False, texts.digest)


def _known_from(text: Programme) -> dt.date | None:
    return text.known_from or text.in_force.start


def canonical(value: Any) -> Any:
    """Plain data in one fixed form, whatever the order and spelling in the file."""
    if isinstance(value, Mapping):
        return {str(k): canonical(v) for k, v in sorted(value.items(), key=lambda kv: str(kv[0]))}
    if isinstance(value, (list, tuple)):
        return [canonical(v) for v in value]
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    return str(value)


def content_hash(value: Any) -> str:
    """``sha256:…`` of plain data in canonical form."""
    text = json.dumps(canonical(value), ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def names_of(things: Sequence[Any]) -> str:
    """Ids in one line, for messages."""
    return ", ".join(str(t) for t in things)
