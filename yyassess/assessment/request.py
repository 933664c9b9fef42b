"""A request as given -> the record an instrument is scored from; every fault at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any

from yyassess.assessment.errors import Faults
from yyassess.assessment.question import Question, flatten, number
from yyassess.assessment.steps import SKIPPED, Points, Record
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import Node
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Instrument
from yyassess.rulebook.vocabulary import read_date

REQUEST_KEYS = ("date", "answers", "context", "settings")


@dataclass(slots=True)
class Request:
    """What was given, read and completed."""

    day: dt.date | None = None
    record: Record = field(default_factory=dict)
    """Items, context and settings by name, as conditions see them."""
    points: Points = field(default_factory=dict)
    """What items and counted facts add to sums."""
    given: dict[str, Any] = field(default_factory=dict)
    """The answers in their canonical form."""
    missing: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


class RequestReader:
    """Reads requests for one instrument."""

    def __init__(self, book: Rulebook, instrument: Instrument, trees: Mapping[str, Node]) -> None:
        self.instrument = it = instrument
        items = [(d, i) for d in it.dimensions for i in d.items]
        self.questions = {i.id: Question(i, it, d.higher_score or it.higher_score) for d, i in items}
        self.applies = {i.id: compile_condition(trees[i.applies_when]) for _, i in items if i.applies_when}
        self.required = tuple(i.id for _, i in items if not i.optional)
        recorded = [f.fact for group in it.record for f in group.facts]
        self.facts = {name: book.facts[name] for name in [*(use.fact for use in it.context), *recorded]}
        self.assume = {
            use.fact: self.facts[use.fact].read(use.if_not_given) for use in it.context if use.if_not_given is not None
        }
        #: Facts whose codes stand for counts: what each code counts.
        self.counts = {
            name: {code: c.number for code, c in fact.codes.items()}
            for name, fact in self.facts.items()
            if any(c.number is not None for c in fact.codes.values())
        }
        local = book.settings.get(it.id, {})
        self.settings = {s.id: local.get(s.id, s.default) for s in it.settings}
        self.choices = {s.id: s.choices for s in it.settings}
        self.fixed = {s.id for s in it.settings if s.deployment}

    def read(self, given: Mapping[str, Any]) -> Request:
        """The request, read.

        Raises:
            InputError: all faults at once.
        """
        faults = Faults()
        if not isinstance(given, Mapping):
            faults.add("", given, {"answers": {}, "context": {}}, "须为 JSON 对象", "must be a JSON object")
            faults.raise_if_any()
        faults.unknown_keys(given, REQUEST_KEYS)
        request = Request(settings=dict(self.settings))
        if given.get("date") is not None:
            try:
                request.day = read_date(given["date"])
            except ValueError as error:
                faults.add("date", given["date"], "YYYY-MM-DD", "不是有效日期", str(error))
        self._answers(_mapping(given, "answers", faults), request, faults)
        self._context(_mapping(given, "context", faults), request, faults)
        self._settings(_mapping(given, "settings", faults), request, faults)
        faults.raise_if_any()
        self._complete(request)
        return request

    def _answers(self, answers: Mapping[str, Any], request: Request, faults: Faults) -> None:
        questions, record, points, given = self.questions, request.record, request.points, request.given
        for id, value in answers.items():
            question = questions.get(id)
            if question is None:
                self._unknown_item(id, faults)
                continue
            if value is None:
                continue
            try:
                answer = question.read(value)
            except ValueError as error:
                zh = f"{question.item.name['zh']}：不是允许的答案"
                faults.add(f"answers.{id}", value, question.allowed, zh, str(error))
                continue
            given[id] = record[id] = answer
            points[id] = question.worth(answer)

    def _unknown_item(self, id: str, faults: Faults) -> None:
        licence = self.instrument.licence
        if licence.items != "withheld":
            faults.unknown_keys([id], list(self.questions), "answers")
            return
        faults.add(
            f"answers.{id}",
            id,
            list(self.questions),
            f"本量表条目受版权保护（{licence.owner['zh']}），只接受总分或分项得分。{licence.say['zh']}",
            f"the items of this instrument may not be shipped (owner: {licence.owner['en']}); "
            f"enter its totals. {licence.say['en']}",
        )

    def _context(self, context: Mapping[str, Any], request: Request, faults: Faults) -> None:
        for name, value in flatten(context, self.facts).items():
            fact = self.facts.get(name)
            if fact is None:
                faults.unknown_keys([name], list(self.facts), "context")
                continue
            try:
                read = fact.read(value)
            except ValueError as error:
                shown = None if fact.personal else value
                faults.add(f"context.{name}", shown, fact.allowed(), f"{fact.name['zh']}：不是允许的值", str(error))
                continue
            if read is not None:
                request.record[name] = read

    def _settings(self, chosen: Mapping[str, Any], request: Request, faults: Faults) -> None:
        for name, value in chosen.items():
            if name not in self.choices:
                faults.unknown_keys([name], list(self.choices), "settings")
                continue
            if name in self.fixed and value != self.settings[name]:
                zh, en = "只能由部署在 settings.yaml 中设定", "only the deployment may choose this, in settings.yaml"
                faults.add(f"settings.{name}", value, [self.settings[name]], zh, en)
                continue
            choices = self.choices[name]
            if isinstance(value, float) and isfinite(value):
                value = Decimal(str(value))
            comparable = not isinstance(value, Decimal) or value.is_finite()
            fits = [c for c in choices if comparable and c == value and isinstance(c, bool) == isinstance(value, bool)]
            if fits:
                request.settings[name] = fits[0]
            else:
                allowed = [number(c) for c in choices]
                faults.add(f"settings.{name}", value, allowed, "不是可选的值", "not one of the choices")

    def _complete(self, request: Request) -> None:
        """Assumptions, counted facts, settings, and the items that do not apply or are missing."""
        record, points = request.record, request.points
        request.assumed = [name for name in self.assume if name not in record]
        for name in request.assumed:
            record[name] = self.assume[name]
        self.count_facts(record, points)
        record.update((name, value) for name, value in request.settings.items() if value is not None)
        missing = [id for id in self.required if id not in request.given]
        for id, applies in self.applies.items():
            if applies(record) is False:
                points[id] = SKIPPED
                record.pop(id, None)
                if id in missing:
                    missing.remove(id)
        request.missing = missing
        record["missing_items"] = len(missing)

    def count_facts(self, record: Record, points: Points) -> None:
        """Put in what counted facts (such as "twice") add to sums."""
        for name, numbers in self.counts.items():
            points[name] = numbers.get(record.get(name, ""))


def _mapping(given: Mapping[str, Any], key: str, faults: Faults) -> Mapping[str, Any]:
    value = given.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        faults.add(key, value, {}, "须为 JSON 对象", "must be a JSON object")
        return {}
    return value
