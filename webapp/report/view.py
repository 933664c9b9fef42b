"""A result as the page shows it: the grade with its reasons, and the outcomes in the order people ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.report.pictures import Axis, Segment, Words, grade_bar, radar
from webapp.storage import Visit
from webapp.visits.casework import PERSON_PAGE
from yyassess import Rulebook
from yyassess.rulebook.instrument import Instrument

STATUSES = ("eligible", "announced", "unknown", "not_configured", "ineligible", "not_in_force")
#: Kinds of instruments whose levels are known by their numbers.
RANKED_KINDS = frozenset({"ability", "need"})
UNCONFIRMED_MARKS = frozenset({"recall", "unknown"})


@dataclass(frozen=True)
class Row:
    """A dimension in the table of scores."""

    number: int
    name: Words
    score: Any
    highest: Any
    level: Words | None


@dataclass(frozen=True)
class GradeView:
    """One instrument's result."""

    id: str
    name: Words
    instrument: Instrument | None
    result: Mapping[str, Any]
    bar: list[Segment]
    rows: list[Row]
    axes: list[Axis]
    total: Mapping[str, Any] | None

    @property
    def ranked(self) -> bool:
        """People say "level 2" of it; of a screen they say what it found."""
        return self.instrument is None or self.instrument.kind in RANKED_KINDS

    def level_name(self, level: int) -> Words:
        """A level in the words people use for it."""
        for found in self.instrument.levels if self.instrument and not self.ranked else ():
            if found.level == level:
                name: Words = found.name
                return name
        return {"zh": f"{level} 级", "en": f"level {level}"}

    @property
    def reasoned(self) -> bool:
        """There is something to say about how the result came about."""
        return bool(self.rows or self.result.get("grade") or (self.result.get("results") and self.result["complete"]))

    @property
    def unconfirmed(self) -> bool:
        """The result rests on figures nobody has confirmed."""
        return bool(self.result.get("unconfirmed")) or self.result.get("evidence") in UNCONFIRMED_MARKS


@dataclass(frozen=True)
class Ask:
    """A fact that would settle outcomes, and which ones."""

    fact: str
    instrument: str | None
    programmes: tuple[Words, ...]


def grade_view(book: Rulebook, id: str, result: Mapping[str, Any]) -> GradeView:
    """A result of the library for the page; works for stored results whose instrument is gone, too."""
    instrument = book.instruments.get(id)
    grade = result.get("grade")
    levels = [(n.level, n.name) for n in sorted(instrument.levels, key=lambda n: n.level)] if instrument else []
    dimensions = result.get("dimensions") or {}
    rows = [
        Row(place, part["name"], part.get("score"), part.get("max"), part.get("level_name") or _level(part))
        for place, part in enumerate(dimensions.values(), 1)
    ]
    shown = instrument is not None and instrument.grade is not None
    return GradeView(
        id=id,
        name=result.get("name") or {"zh": id, "en": id},
        instrument=instrument,
        result=result,
        bar=grade_bar(levels, grade["level"] if grade else None, result.get("bounds")) if shown else [],
        rows=[r for r in rows if r.score is not None or r.level is not None],
        axes=radar([(r.name, r.score, r.highest) for r in rows]),
        total=_total(instrument, result),
    )


def by_status(determination: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Outcomes by status, the good news first. Nobody can apply yet for what is only announced: that stands apart."""
    found: dict[str, list[Mapping[str, Any]]] = {status: [] for status in STATUSES}
    for outcome in determination["outcomes"]:
        announced = outcome["status"] == "eligible" and outcome.get("standing") == "announced"
        found["announced" if announced else outcome["status"]].append(outcome)
    return [(status, outcomes) for status, outcomes in found.items() if outcomes]


def to_ask(determination: Mapping[str, Any]) -> list[Ask]:
    """The facts that could still settle something: those that settle most first."""
    facts: dict[str, list[Words]] = {}
    instruments: dict[str, str | None] = {}
    for outcome in determination["outcomes"]:
        for question in outcome.get("ask", ()):
            facts.setdefault(question["fact"], []).append(outcome["name"])
            instruments[question["fact"]] = question.get("instrument")
    order = {name: place for place, name in enumerate(facts)}
    ranked = sorted(facts, key=lambda name: (-len(facts[name]), order[name]))
    return [Ask(name, instruments[name], tuple(facts[name])) for name in ranked if name not in PERSON_PAGE]


def given_facts(determination: Mapping[str, Any], visit: Visit, form_facts: Sequence[str]) -> list[str]:
    """Facts that outcomes rest on and that were entered on the page of further questions."""
    used = {name for outcome in determination["outcomes"] for c in outcome["criteria"] for name in c["facts"]}
    return [name for name in visit.facts if name in used and name not in form_facts and name not in PERSON_PAGE]


def sources(book: Rulebook, source: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The document behind a rule, with the clause."""
    if not source:
        return None
    document = book.documents.get(source["document"])
    if document is None:
        return {
            "title": {"zh": source["document"], "en": source["document"]},
            "number": None,
            "clause": source["clause"],
        }
    return {"title": document.title, "number": document.number, "clause": source.get("clause")}


def _level(part: Mapping[str, Any]) -> Words | None:
    level = part.get("level")
    return {"zh": f"{level} 级", "en": f"Level {level}"} if level is not None else None


def _total(instrument: Instrument | None, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The sum over all dimensions, where the instrument reports one beside theirs."""
    if instrument is None:
        return None
    scores = result.get("scores") or {}
    dimensions = result.get("dimensions") or {}
    tops = [part.get("max") for part in dimensions.values()]
    for step in instrument.steps:
        if step.id == "total" and step.id in scores and scores[step.id] is not None:
            highest = sum(tops) if tops and all(t is not None for t in tops) else None
            return {"name": step.name, "score": scores[step.id], "max": highest}
    return None
