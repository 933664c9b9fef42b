"""Answers -> scores -> grade, with every step that led there.

One `Scorer` an instrument, compiled once. Nothing here knows any instrument by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from yyassess.assessment.explain import Explainer
from yyassess.assessment.path import Paths
from yyassess.assessment.question import plain, source_json
from yyassess.assessment.request import Request, RequestReader
from yyassess.assessment.steps import SKIPPED, Points, Record, compile_steps
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import facts_of
from yyassess.rulebook.basics import Frozen, Text, weakest
from yyassess.rulebook.book import Rulebook, content_hash

#: Up to this many completions a bound is found by trying them all; above, only monotone scales have exact bounds.
MAX_COMPLETIONS = 4096


class Scorer:
    """One instrument, compiled: turns a request into the result of the public contract."""

    def __init__(self, book: Rulebook, id: str) -> None:
        self.instrument = it = book.instrument(id)
        trees = book.trees.get(id, {})
        self.reader = RequestReader(book, it, trees)
        self.questions = self.reader.questions
        self.facts = self.reader.facts
        self.steps = compile_steps(it, trees)
        self.matters = {use.fact: compile_condition(trees[use.matters_when]) for use in it.context if use.matters_when}
        self.adjustments = [(a, compile_condition(trees[a.when])) for a in it.adjustments]
        self.reads = {a.id: facts_of(trees[a.when]) for a in it.adjustments}
        self.decisions = [(d, compile_condition(trees[d.when])) for d in it.decisions if d.when]
        self.hints = [
            (
                h,
                compile_condition(trees[h.when]),
                list(h.items) or [n for n in facts_of(trees[h.when]) if n in self.questions],
            )
            for h in it.hints
        ]
        self.level_json = {
            level.level: Frozen(
                level=level.level,
                code=level.code,
                name=level.name,
                **({} if level.positive is None else {"positive": level.positive}),
                **({} if level.advice is None else {"advice": level.advice}),
            )
            for level in it.levels
        }
        self.top = max(self.level_json, default=0)
        self.paths = Paths(it, trees)
        self.entered = [i.id for d in it.dimensions for i in d.items if i.range]
        self.hash = content_hash([book.digests.get(id), book.digests.get("vocabulary"), self.reader.settings])
        self.explain = Explainer(it, self.level_json)

    def assess(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The result for one request (see `yyassess.assess`)."""
        it, explain = self.instrument, self.explain
        request = self.reader.read(given)
        record, points = request.record, request.points
        blocked = self._blocked(request.settings)
        if blocked is None:
            self._run(record, points)
        preliminary = points.get(it.grade) if it.grade else None
        record["preliminary_level"] = preliminary
        level, adjustments, skipped = self._adjust(record, preliminary)
        if skipped:
            preliminary = None
        settled = level is not None if it.grade and not it.results else not request.missing
        # A brief screen may stop at the first positive answer; a standard is graded from all its items.
        if request.missing and not skipped and it.kind != "screening":
            settled, level, adjustments = False, None, []
        complete = settled and blocked is None
        used, mark = self.paths.of(record, points)
        evidence = weakest([*(() if skipped else (mark,)), *(a["evidence"] for a in adjustments)])
        day = request.day.isoformat() if request.day else None
        missing = request.missing
        if not settled and not missing and blocked is None:
            undecided = [n for a, holds in self.adjustments if holds(record) is None for n in self.reads[a.id]]
            missing = sorted(n for n in {*used, *undecided} if n in self.facts and n not in record)
        result: dict[str, Any] = {
            "instrument": it.id,
            "name": it.name,
            "date": day,
            "ruleset": {"hash": self.hash, "on": day},
            "complete": complete,
            "scores": {} if skipped or blocked else self._scores(points),
            "dimensions": {} if skipped or blocked else explain.dimensions(points),
            "preliminary": self.level_json[preliminary] if preliminary is not None else None,
            "adjustments": adjustments,
            "grade": self.level_json[level] if level is not None and blocked is None else None,
            "missing": [] if settled else missing,
            "warnings": self._warnings(request, skipped),
            "trace": explain.trace(self.questions, {} if skipped else request.given, points, used, adjustments, level),
            "evidence": evidence,
            "decisions": [
                {"id": d.id, "say": d.taken, "reason": d.reason} for d, holds in self.decisions if holds(record)
            ],
        }
        if it.results:
            result["results"] = explain.results(points)
        if it.settings:
            result["settings"] = {name: plain(value) for name, value in request.settings.items()}
        if request.assumed:
            result["assumed"] = {name: plain(self.reader.assume[name]) for name in request.assumed}
        if blocked is not None:
            result["not_computed"] = blocked
        elif it.not_computed is not None:
            result["not_computed"] = it.not_computed
        if evidence == "recall":
            released = request.settings.get("official_output") == "released"
            result["unconfirmed"] = UNCONFIRMED
            result["official_output"] = {"blocked": not released, "say": RELEASED if released else BLOCKED}
        if it.grade and not settled and blocked is None:
            result["bounds"] = self._bounds(record, request.missing, used)
        return result

    def _scores(self, points: Points) -> dict[str, Any]:
        entered = {
            id: plain(points[id]) for id in self.entered if points.get(id) is not None and points[id] is not SKIPPED
        }
        return entered | self.explain.scores(points)

    # -- computing -----------------------------------------------------------------------------------------
    def _run(self, record: Record, points: Points) -> None:
        for name, step in self.steps:
            value = step(record, points)
            points[name] = value
            record[name] = value

    def _adjust(self, record: Record, preliminary: Any) -> tuple[int | None, list[dict[str, Any]], bool]:
        """The final level (None: not settled), the adjustments that hold, and whether items do not count at all."""
        it = self.instrument
        holding: list[tuple[Any, bool | None]] = [(a, holds(record)) for a, holds in self.adjustments]
        raising = [a for a, truth in holding if truth and a.raise_by]
        record["raise_triggers"] = len(raising)
        for adjustment, truth in holding:
            if truth and adjustment.set_level is not None:
                if adjustment.without_items:
                    return adjustment.set_level, [self._adjustment(adjustment, None)], True
                if preliminary is not None:
                    moved = adjustment.set_level - preliminary
                    return adjustment.set_level, [self._adjustment(adjustment, moved)], False
        if preliminary is None:
            return None, [], False
        open_rules = [a for a, truth in holding if truth is None]
        if any(a.set_level is not None for a in open_rules) or self._raised(preliminary, raising) != self._raised(
            preliminary, raising + open_rules
        ):
            return None, [], False
        level = preliminary
        shown: list[dict[str, Any]] = []
        for adjustment in sorted(raising, key=lambda a: -a.raise_by) if it.raise_once else raising:
            target = min(self.top, level + adjustment.raise_by)
            if it.raise_once and shown:
                target = level
            shown.append(self._adjustment(adjustment, target - level))
            level = target
        return level, shown, False

    def _raised(self, level: int, raising: list[Any]) -> int:
        """The level after some raising rules."""
        by = [a.raise_by for a in raising if a.raise_by]
        return min(self.top, level + (max(by, default=0) if self.instrument.raise_once else sum(by)))

    def _adjustment(self, adjustment: Any, levels: int | None) -> dict[str, Any]:
        return {
            "id": adjustment.id,
            "levels": levels,
            "source": source_json(adjustment.source),
            "evidence": adjustment.evidence.mark,
            "say": adjustment.say,
        }

    def grade_of(self, record: Record, answers: Mapping[str, Any]) -> int | None:
        """The final level of some answers (and facts) on top of a record (context, settings), or None."""
        trial: Record = {**record, **answers, "missing_items": 0}
        points: Points = {id: self.questions[id].worth(a) for id, a in answers.items() if id in self.questions}
        self.reader.count_facts(trial, points)
        for id, applies in self.reader.applies.items():
            if applies(trial) is False:
                points[id] = SKIPPED
                trial.pop(id, None)
        self._run(trial, points)
        assert self.instrument.grade is not None
        preliminary = points.get(self.instrument.grade)
        trial["preliminary_level"] = preliminary
        return self._adjust(trial, preliminary)[0]

    def _bounds(self, record: Record, missing: list[str], used: frozenset[str]) -> dict[str, int]:
        """The best and the worst grade that completions of the missing answers and facts can still give."""
        it, everything = self.instrument, {"best": min(self.level_json), "worst": self.top}
        given = {id: record[id] for id in self.questions if id in record}
        base = {k: v for k, v in record.items() if k not in self.questions}
        for name, _ in self.steps:
            base.pop(name, None)
        asked = sorted(used.union(*self.reads.values()).difference(base, self.questions))
        lists = {name: self._possible(name) for name in asked if name in self.facts or name in self.reader.choices}
        scored = all(q.range or None not in q.points.values() for q in self.questions.values())
        if it.monotone and scored and not self.reader.applies and it.higher_score != "neither":
            ways = [{id: getattr(self.questions[id], end) for id in missing} for end in ("best", "worst")]
        else:
            lists |= {id: self.questions[id].choices() for id in missing}
            ways = [{}]
        size = len(ways)
        for values in lists.values():
            size *= len(values) if values is not None else MAX_COMPLETIONS + 1
            if size > MAX_COMPLETIONS:
                return everything
        found = {
            self.grade_of(base, given | way | dict(zip(lists, combination, strict=True)))
            for combination in product(*(values for values in lists.values() if values is not None))
            for way in ways
        }
        levels = {level for level in found if level is not None}
        return {"best": min(levels), "worst": max(levels)} if levels else everything

    def _possible(self, name: str) -> list[Any] | None:
        """All values of a context fact or a setting; None where there are too many to try."""
        if name in self.reader.choices:
            return list(self.reader.choices[name])
        fact = self.facts.get(name)
        if fact is None or fact.type not in ("boolean", "code", "integer"):
            return None
        if fact.type == "integer":
            return list(range(fact.range[0], fact.range[1] + 1)) if fact.range else None
        return list(fact.codes) or [False, True]

    # -- what else to say ----------------------------------------------------------------------------------
    def _blocked(self, settings: Mapping[str, Any]) -> Text | None:
        """Why the owner's licence forbids computing the result, if it does."""
        licence = self.instrument.licence
        say: Text = licence.say
        return say if licence.switch and settings.get(licence.switch) is not True else None

    def _warnings(self, request: Request, skipped: bool) -> list[dict[str, Any]]:
        record, facts = request.record, self.facts
        warnings: list[dict[str, Any]] = [
            {"id": hint.id, "items": items, "severity": hint.severity, "say": hint.say}
            for hint, holds, items in self.hints
            if holds(record)
        ]
        assumed = [n for n in request.assumed if n not in self.matters or self.matters[n](record)]
        if assumed and not skipped:
            zh = "、".join(facts[n].name["zh"] for n in assumed)
            en = ", ".join(facts[n].name["en"] for n in assumed)
            say = Text(zh=f"未填，按“无”计算：{zh}", en=f"Not given, counted as absent: {en}")
            warnings.append({"id": "assumed", "items": assumed, "severity": "hint", "say": say})
        chosen = request.settings
        open_settings = [s for s in self.instrument.settings if chosen.get(s.id) is None]
        if open_settings:
            zh = "、".join(s.say["zh"] for s in open_settings)
            en = ", ".join(s.say["en"] for s in open_settings)
            say = Text(zh=f"须先选定：{zh}", en=f"Must be chosen first: {en}")
            warnings.append({"id": "choose", "items": [s.id for s in open_settings], "severity": "hint", "say": say})
        unused = [id for id in self.questions if id in request.given and id not in record]
        if skipped:
            deciding = {
                n for a, holds in self.adjustments if a.without_items and holds(record) for n in self.reads[a.id]
            }
            unused = [id for id in self.questions if id in request.given and id not in deciding]
        if unused:
            warnings.append({"id": "not_counted", "items": unused, "severity": "hint", "say": NOT_COUNTED})
        return warnings


def assess(instrument: str, request: Mapping[str, Any], rules: Rulebook | None = None) -> dict[str, Any]:
    """Grade one person by one instrument.

    Args:
        instrument: the instrument's id, e.g. ``gbt-42195-2022``.
        request: ``{"date": "YYYY-MM-DD", "answers": {item: score or option id}, "context": {fact: value}}``;
            optionally ``settings`` for points the instrument leaves open. An answer left out is missing, never 0.
        rules: a rulebook; the shipped one if left out.

    Returns:
        The result object of the public contract: scores, preliminary level, adjustments, grade, missing items with
        bounds, warnings, and the trace with source and evidence of every step.

    Raises:
        InputError: answers or context that cannot be read, all faults at once.
        UnknownName: no such instrument.
    """
    return scorer(rules or shared(), instrument).assess(request)


_shared: dict[str, Rulebook] = {}


def shared() -> Rulebook:
    """The shipped rulebook, loaded once a process."""
    if "book" not in _shared:
        _shared["book"] = Rulebook.load()
    return _shared["book"]


def scorer(book: Rulebook, id: str) -> Scorer:
    """The compiled instrument, kept with its rulebook."""
    scorers: dict[str, Scorer] = book.__dict__.setdefault("_scorers", {})
    if id not in scorers:
        scorers[id] = Scorer(book, id)
    return scorers[id]


NOT_COUNTED = Text(zh="这些答案不参与计分", en="These answers are not counted")
UNCONFIRMED = Text(zh="未核对", en="Unconfirmed")
BLOCKED = Text(
    zh="含未核对的数据，经指定人员逐格核对之前不得用于正式报告或移交",
    en="Rests on unconfirmed figures: no official report or transfer until a named person has confirmed them",
)
RELEASED = Text(zh="本部署已放行正式输出", en="Official output has been released for this deployment")
