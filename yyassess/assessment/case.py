"""A case as given -> the facts of a person on a day: read, checked against the vocabulary, completed by derivation."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yyassess.assessment.errors import Faults, InputError
from yyassess.assessment.question import flatten, number, plain
from yyassess.assessment.scoring import scorer
from yyassess.conditions.reference import compile_value
from yyassess.conditions.tree import facts_of
from yyassess.rulebook.basics import Text
from yyassess.rulebook.book import Rulebook, UnknownName
from yyassess.rulebook.vocabulary import read_date

CASE_KEYS = ("person", "facts", "assessments")
ASSESSMENT_KEYS = ("instrument", "date", "answers", "context", "settings", "grade", "code")


@dataclass
class Case:
    """The facts known of a person on a day."""

    facts: dict[str, Any]
    grades: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By instrument: level, code, name and date of the assessment that counts."""
    grade_dates: dict[str, dt.date] = field(default_factory=dict)
    """By fact name, for facts that come from an assessment."""
    warnings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Reading:
    """One assessment as read: its result, and what it found about the person beside it."""

    instrument: str
    day: dt.date
    result: dict[str, Any]
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> Any:
        """The level, or the levels of several results; None when it says none."""
        if self.result.get("grade"):
            return self.result["grade"]["level"]
        levels = tuple(part["level"] for part in self.result.get("results", {}).values())
        return levels if any(level is not None for level in levels) else None

    @property
    def entered(self) -> bool:
        return bool(self.result.get("entered"))


class CaseReader:
    """Reads cases by one rulebook's vocabulary."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.derived = [
            (name, fact, compile_value(book.trees["programmes"][fact.derive]), roots(book, name))
            for name, fact in book.facts.items()
            if fact.derive
        ]
        self.graded: dict[str, list[tuple[str, Any]]] = {}
        for name, fact in book.facts.items():
            instrument = fact.grade_of or fact.code_of
            if instrument:
                self.graded.setdefault(instrument, []).append((name, fact))

    def read(self, case: Mapping[str, Any], on: dt.date) -> Case:
        """The facts of a case on a day.

        Raises:
            InputError: all faults at once.
        """
        faults = Faults()
        if not isinstance(case, Mapping):
            faults.add("", case, list(CASE_KEYS), "须为 JSON 对象", "must be a JSON object")
            faults.raise_if_any()
        faults.unknown_keys(case, CASE_KEYS)
        facts: dict[str, Any] = {}
        for part in ("person", "facts"):
            self._facts(case.get(part), part, facts, faults)
        known = Case(facts)
        self._assessments(case.get("assessments"), known, on, faults)
        self._derive(known, on, faults)
        faults.raise_if_any()
        return known

    def _facts(self, given: Any, part: str, facts: dict[str, Any], faults: Faults) -> None:
        if given is None:
            return
        if not isinstance(given, Mapping):
            faults.add(part, given, {}, "须为 JSON 对象", "must be a JSON object")
            return
        vocabulary = self.book.facts
        for name, value in flatten(given, vocabulary).items():
            fact = vocabulary.get(name)
            where = f"{part}.{name}"
            if fact is None:
                faults.unknown_keys([name], list(vocabulary), part)
            elif fact.grade_of or fact.code_of or fact.pathway:
                instrument = fact.grade_of or fact.code_of or f"(screens of the pathway {fact.pathway})"
                faults.add(
                    where,
                    value,
                    {"assessments": [{"instrument": instrument, "date": "YYYY-MM-DD", "grade": {"level": 0}}]},
                    "等级须连同评估日期写在 assessments 里",
                    "a grade is given under assessments, with its date",
                )
            else:
                try:
                    read = fact.read(value)
                except ValueError as error:
                    given_zh = f"{fact.name['zh']}：不是允许的值"
                    faults.add(where, None if fact.personal else value, fact.allowed(), given_zh, str(error))
                    continue
                if fact.type == "place" and read is not None:
                    try:
                        read = read if re.fullmatch(r"\d{6}", read) else self.book.place(read).id
                    except UnknownName as error:
                        faults.add(where, value, sorted(self.book.places), "没有这个地区", str(error))
                        continue
                if read is not None and facts.setdefault(name, read) != read:
                    faults.add(
                        where,
                        None if fact.personal else value,
                        None,
                        "同一事实有两个不同的值",
                        "the same fact is given twice with different values",
                    )

    def _assessments(self, given: Any, known: Case, on: dt.date, faults: Faults) -> None:
        if given is None:
            return
        if not isinstance(given, (list, tuple)):
            faults.add("assessments", given, [], "须为列表", "must be a list")
            return
        by_instrument: dict[str, list[_Reading]] = {}
        for place, item in enumerate(given):
            where = f"assessments.{place}"
            read = self._assessment(item, where, known, on, faults)
            if read is None:
                continue
            readings = by_instrument.setdefault(read.instrument, [])
            same_day = [r.said for r in readings if r.day == read.day and r.said is not None]
            if read.said is not None and any(said != read.said for said in same_day):
                faults.add(
                    where,
                    read.day.isoformat(),
                    None,
                    "同一量表同一天有两个不同的结果",
                    "two different results of one instrument on one day",
                )
            readings.append(read)
        for id, readings in by_instrument.items():
            # The latest counts; items never replace a level where the instrument computes none.
            computes = self.book.instruments[id].not_computed is None
            latest = max(readings, key=lambda r: (computes or r.said is not None, r.day, r.said is not None, r.entered))
            self._use(id, latest.day, latest.result, known)
        every = [r for readings in by_instrument.values() for r in readings]
        for read in sorted(every, key=lambda r: (r.day, r.instrument), reverse=True):
            for name, value in read.context.items():
                # What was so then: the newest finding counts, and what a derived fact was is for its own day only.
                if not self.book.facts[name].derive:
                    known.facts.setdefault(name, value)

    def _assessment(self, item: Any, where: str, known: Case, on: dt.date, faults: Faults) -> _Reading | None:
        if not isinstance(item, Mapping):
            faults.add(where, item, list(ASSESSMENT_KEYS), "须为 JSON 对象", "must be a JSON object")
            return None
        before = len(faults.errors)
        faults.unknown_keys(item, ASSESSMENT_KEYS, where)
        id = item.get("instrument")
        if not isinstance(id, str) or id not in self.book.instruments:
            message = str(UnknownName("instrument", str(id), self.book.instruments))
            faults.add(f"{where}.instrument", id, sorted(self.book.instruments), "没有这个量表", message)
            return None
        day = None
        try:
            day = read_date(item.get("date"))
            if day > on:
                faults.add(
                    f"{where}.date",
                    item["date"],
                    f"<= {on}",
                    "评估日期晚于认定日期",
                    "the assessment lies after the day asked about",
                )
        except ValueError:
            faults.add(f"{where}.date", item.get("date"), "YYYY-MM-DD", "评估须有日期", "an assessment needs its date")
        ways = [key for key in ("answers", "grade", "code") if item.get(key) is not None]
        if len(ways) != 1:
            faults.add(where, ways, ["answers", "grade", "code"], "须且只须给出其一", "give exactly one of them")
        if len(faults.errors) > before or day is None:
            return None
        if ways[0] == "answers":
            return self._answered(item, id, day, where, known, faults)
        return self._typed_in(item, id, day, where, ways[0], faults)

    def _answered(
        self, item: Mapping[str, Any], id: str, day: dt.date, where: str, known: Case, faults: Faults
    ) -> _Reading | None:
        machine = scorer(self.book, id)
        context = {n: plain(known.facts[n]) for n in machine.facts if n in known.facts}
        then = {**known.facts, "on_day": day}
        for name, _, value, _ in self.derived:
            if name in machine.facts and value(then) is not None:
                context[name] = plain(value(then))
        given = item.get("context")
        if isinstance(given, Mapping):
            given = flatten(given, machine.facts)
            context |= {n: v for n, v in given.items() if v is not None or n not in context}
        request = {
            "date": item["date"],
            "answers": item["answers"],
            "context": context if given is None or isinstance(given, Mapping) else given,
            "settings": item.get("settings"),
        }
        try:
            result = machine.assess(request)
        except InputError as error:
            faults.errors.extend({**e, "where": f"{where}.{e['where']}"} for e in error.errors)
            return None
        found = {n: self.book.facts[n].read(v) for n, v in (given or {}).items() if v is not None}
        return _Reading(id, day, result, found)

    def _typed_in(
        self, item: Mapping[str, Any], id: str, day: dt.date, where: str, way: str, faults: Faults
    ) -> _Reading | None:
        machine = scorer(self.book, id)
        levels, given = machine.level_json, item[way]
        if way == "grade":
            level = given.get("level") if isinstance(given, Mapping) else given
            valid = isinstance(level, int) and not isinstance(level, bool) and level in levels
        else:
            level = next((n for n, j in levels.items() if j["code"] == given), None)
            valid = level is not None
        if not valid:
            allowed = list(levels) if way == "grade" else [j["code"] for j in levels.values()]
            faults.add(f"{where}.{way}", given, allowed, "不是本量表的等级", "not a grade of this instrument")
            return None
        try:
            beside = machine.reader.read({k: item.get(k) for k in ("context", "settings")}).record
        except InputError as error:
            faults.errors.extend({**e, "where": f"{where}.{e['where']}"} for e in error.errors)
            return None
        context = {n: beside[n] for n in flatten(item.get("context") or {}, machine.facts) if n in beside}
        return _Reading(id, day, {"grade": levels[level], "complete": True, "entered": True}, context)  # type: ignore[index]

    def _use(self, id: str, day: dt.date, result: dict[str, Any], known: Case) -> None:
        grade = result.get("grade")
        shown: dict[str, Any] = {"level": None, "date": day.isoformat()}
        if grade is not None:
            shown.update(grade)
        for key in ("bounds", "missing", "unconfirmed", "official_output", "results", "entered", "decisions"):
            if result.get(key):
                shown[key] = result[key]
        known.grades[id] = shown
        for name, fact in self.graded.get(id, ()):
            known.grade_dates[name] = day
            if grade is not None:
                known.facts[name] = grade["level"] if fact.grade_of else grade["code"]
        for warning in result.get("warnings", ()):
            known.warnings.append({**warning, "instrument": id})

    def _derive(self, known: Case, on: dt.date, faults: Faults) -> None:
        facts = known.facts
        birth = facts.get("birth_date")
        if birth is not None and birth > on:
            faults.add(
                "person.birth_date",
                None,
                f"<= {on}",
                "出生日期晚于认定日期",
                "born after the day asked about",
            )
            return
        record = {**facts, "on_day": on}
        for name, fact, value, _ in self.derived:
            derived = value(record)
            if derived is None:
                continue
            if name in facts and facts[name] != derived:
                faults.add(
                    f"facts.{name}",
                    number(facts[name]),
                    number(derived),
                    "与推算的值不一致",
                    "contradicts the value derived from other facts",
                )
            elif fact.range and not fact.range[0] <= derived <= fact.range[1]:
                faults.add(name, number(derived), fact.allowed(), f"{fact.name['zh']}超出范围", "out of range")
            facts[name] = derived


def roots(book: Rulebook, name: str) -> tuple[str, ...]:
    """The facts a person can be asked for to know ``name``: itself, or what it is derived from."""
    fact = book.facts.get(name)
    if fact is None or not fact.derive:
        return (name,)
    found: dict[str, None] = {}
    for inner in facts_of(book.trees["programmes"][fact.derive]):
        if inner != "on_day":
            found.update(dict.fromkeys(roots(book, inner)))
    return tuple(found)


def reader(book: Rulebook) -> CaseReader:
    """The case reader of a rulebook, kept with it."""
    kept: dict[str, Any] = book.__dict__
    if "_case_reader" not in kept:
        kept["_case_reader"] = CaseReader(book)
    made: CaseReader = kept["_case_reader"]
    return made


EXPIRED = Text(zh="评估结论已过有效期", en="the assessment is past its validity")
