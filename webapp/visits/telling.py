"""The whole record in words: every answer, remark, choice and fact of a visit, for those who sign, review or compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.storage import Assessment, Visit
from webapp.visits.casework import PERSON_PAGE, cannot_reason
from webapp.visits.questions import NO, NONE, YES
from webapp.visits.reasons import cannot_words
from yyassess import Rulebook
from yyassess.rulebook.instrument import Instrument, Item, Setting

Words = Mapping[str, str]
NOT_ANSWERED: Words = {"zh": "未答", "en": "Not answered"}


@dataclass(frozen=True)
class Line:
    """One question with what was answered."""

    id: str
    name: Words
    code: str | None
    value: Words | None
    """None where nothing was answered."""
    score: str | None = None
    cannot: Words | None = None
    """Why it could not be assessed."""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """The questions of a dimension, or the facts of a visit."""

    name: Words | None
    code: str | None
    lines: tuple[Line, ...]

    @property
    def answered(self) -> int:
        """How many have an answer or a reason."""
        return sum(1 for line in self.lines if line.value or line.cannot)


@dataclass(frozen=True)
class Told:
    """One instrument of a visit."""

    id: str
    name: Words
    sections: tuple[Section, ...]

    @property
    def remarks(self) -> tuple[Line, ...]:
        """The lines that carry a note or a reason."""
        return tuple(line for s in self.sections for line in s.lines if line.note or line.cannot)


def told(book: Rulebook, visit: Visit) -> list[Told]:
    """Each instrument with all its items, in the order of the form."""
    return [_instrument(book, a) for a in visit.assessments]


def facts_told(book: Rulebook, visit: Visit) -> Section:
    """What was recorded beside the items, in the order of the vocabulary."""
    order = {name: place for place, name in enumerate(book.facts)}
    names = sorted((n for n in visit.facts if n not in PERSON_PAGE), key=lambda n: (order.get(n, len(order)), n))
    return Section(
        None,
        None,
        tuple(Line(n, fact_words_of(book, n), None, fact_value(book, n, visit.facts[n])) for n in names),
    )


def fact_words_of(book: Rulebook, name: str) -> Words:
    """A fact's name."""
    fact = book.facts.get(name)
    return fact.name if fact else _plain(name)


def answer_words(instrument: Instrument | None, item: Item | None, answer: Any) -> tuple[Words, str | None]:
    """An answer in the words of its option, and its score."""
    if instrument is not None and item is not None and not item.range:
        for option in instrument.ladders[item.ladder] if item.ladder else item.options:
            if str(option.answer) == str(answer):
                return option.say, str(option.score) if option.score is not None else None
    return _plain(str(answer)), None


def fact_value(book: Rulebook, name: str, value: Any) -> Words:
    """A fact's value in words."""
    fact = book.facts.get(name)
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, list):
        if not value:
            return NONE
        parts = [fact.codes[c].name if fact and c in fact.codes else _plain(str(c)) for c in value]
        return {"zh": "、".join(p["zh"] for p in parts), "en": ", ".join(p["en"] for p in parts)}
    if fact is not None and fact.type == "place" and value in book.places:
        place: Words = book.places[value].name
        return place
    if fact is not None and value in fact.codes:
        code: Words = fact.codes[value].name
        return code
    if fact is not None and fact.unit:
        return {"zh": f"{value} {fact.unit['zh']}", "en": f"{value} {fact.unit['en']}"}
    return _plain(str(value))


def setting_words(setting: Setting, value: Any) -> Words:
    """A choice on a point the instrument leaves open, in words."""
    if value is True or value is False:
        return setting.names.get(str(value)) or (YES if value else NO)
    return setting.names.get(str(value)) or _plain(str(value))


def _instrument(book: Rulebook, assessment: Assessment) -> Told:
    instrument = book.instruments.get(assessment.instrument)
    if instrument is None:
        lines = tuple(_line(None, None, id, assessment) for id in assessment.answers)
        return Told(assessment.instrument, _plain(assessment.instrument), (Section(None, None, lines),))
    sections = [
        Section(d.name, d.code, tuple(_line(instrument, i, i.id, assessment) for i in d.items))
        for d in instrument.dimensions
    ]
    choices = tuple(
        Line(s.id, s.say, None, setting_words(s, given))
        for s in instrument.settings
        if (given := assessment.settings.get(s.id)) is not None
    )
    if choices:
        sections.append(Section(None, None, choices))
    return Told(instrument.id, instrument.name, tuple(sections))


def _line(instrument: Instrument | None, item: Item | None, id: str, assessment: Assessment) -> Line:
    reason = cannot_reason(assessment, id)
    value, score = None, None
    if id in assessment.answers:
        value, score = answer_words(instrument, item, assessment.answers[id])
    return Line(
        id=id,
        name=item.name if item else _plain(id),
        code=item.code if item else None,
        value=value,
        score=score,
        cannot=cannot_words(reason) if reason else None,
        note=assessment.remarks.get(id, {}).get("note", ""),
    )


def _plain(text: str) -> Words:
    return {"zh": text, "en": text}
