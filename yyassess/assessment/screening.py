"""Screening pathways: from whatever screens were done to a graded result, what is still needed and what follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from yyassess.assessment.case import Case, reader, roots
from yyassess.assessment.dates import add_months
from yyassess.assessment.question import plain, source_json
from yyassess.assessment.scoring import shared
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import facts_of
from yyassess.rulebook.basics import weakest
from yyassess.rulebook.book import Rulebook, UnknownName, content_hash
from yyassess.rulebook.vocabulary import read_date


def screen(
    case: Mapping[str, Any], *, on: dt.date | str, pathway: str = "dementia", rules: Rulebook | None = None
) -> dict[str, Any]:
    """Follow a screening pathway as far as a case allows.

    Args:
        case: ``{"person": …, "facts": …, "assessments": […]}`` as for `yyassess.determine`.
        on: the day asked about.
        pathway: the pathway's id.
        rules: a rulebook; the shipped one if left out.

    Returns:
        Entry reasons, stages (done, needed, with which instruments), conflicts between screens, the graded result
        with the line that gave it, actions, when to screen again, flags, and what is still needed. Screening is not
        diagnosis; the result says so.

    Raises:
        InputError: a case that cannot be read. UnknownName: no such pathway.
    """
    book = rules or shared()
    if pathway not in book.pathways:
        raise UnknownName("pathway", pathway, book.pathways)
    day = read_date(on)
    return walk_pathway(book, pathway, reader(book).read(case, day), day)


def walk_pathway(book: Rulebook, pathway: str, known: Case, day: dt.date) -> dict[str, Any]:
    """`screen` for a case that is already read."""
    return _Walk(book, pathway, known, day).result()


class _Walk:
    """One case on one pathway."""

    def __init__(self, book: Rulebook, id: str, known: Case, day: dt.date) -> None:
        self.book, self.pathway, self.known, self.day = book, book.pathways[id], known, day
        self.trees = book.trees[f"pathway:{id}"]
        self.record: dict[str, Any] = {**known.facts, "on_day": day}
        self.marks: list[Any] = [self.pathway.evidence.mark]
        self.done: dict[str, list[dict[str, Any]]] = {}
        self.deciding = self._deciding()
        for instrument, grade in known.grades.items():
            word = instrument.replace("-", "_")
            self.record[f"{word}_done"] = grade["level"] is not None
            if grade["level"] is not None:
                self.record[f"{word}_level"] = grade["level"]
                if "positive" in grade:
                    self.record[f"{word}_positive"] = grade["positive"]
        for instrument in book.instruments:
            self.record.setdefault(f"{instrument.replace('-', '_')}_done", False)
        for stage in self.pathway.stages:
            self._look_up(stage)

    def holds(self, when: str | None) -> bool | None:
        return True if when is None else compile_condition(self.trees[when])(self.record)

    def result(self) -> dict[str, Any]:
        pathway = self.pathway
        entry = [self._clause(c) for c in pathway.entry]
        entered = _any(e["status"] for e in entry)
        stages = [self._stage(s) for s in pathway.stages]
        needed = [s["id"] for s in stages if s["status"] == "needed"]
        graded = self._grade() if any(self.done[id] for id in self.deciding) else None
        code = graded["code"] if graded else None
        cautions = [c for c in (self._clause(c) for c in pathway.cautions) if c["status"] == "true"]
        return {
            "pathway": pathway.id,
            "name": pathway.name,
            "on": self.day.isoformat(),
            "ruleset": {"hash": content_hash(dict(self.book.digests)), "on": self.day.isoformat()},
            "entry": entry,
            "enters": entered,
            "stages": stages,
            "conflicts": [self._conflict(s) for s in stages if s["conflict"]],
            "result": graded,
            "complete": bool(graded) and not needed,
            "needed": needed,
            "missing": self._missing(entry),
            "cautions": cautions,
            "actions": self._actions(code) if code else [],
            "rescreen": self._rescreen(code) if code else None,
            "flags": [f for f in (self._clause(c) for c in pathway.flags) if f["status"] == "true"],
            "decisions": [d for d in (self._clause(c) for c in pathway.decisions) if d["status"] == "true"],
            "warnings": self.known.warnings,
            "note": pathway.note,
            "evidence": weakest(self.marks),
            "source": source_json(pathway.source),
        }

    def _deciding(self) -> tuple[str, ...]:
        """The stages the grading reads; the others (such as mood) give no result by themselves."""
        read = self._read([line.when for line in self.pathway.grading])
        return tuple(s.id for s in self.pathway.stages if self._names(s) & read)

    def _read(self, conditions: Iterable[str | None]) -> set[str]:
        return {name for when in conditions if when is not None for name in facts_of(self.trees[when])}

    @staticmethod
    def _names(stage: Any) -> set[str]:
        """What conditions may call a stage and its instruments."""
        words = [c.instrument.replace("-", "_") for c in stage.choose]
        screens = {f"{word}_{what}" for word in words for what in ("done", "level", "positive")}
        return screens | {f"{stage.id}_{what}" for what in ("done", "positive", "conflict")}

    def _told(self, line: Any) -> dict[str, Any]:
        """The sentence, source and evidence of a line that was used."""
        self.marks.append(line.evidence.mark)
        words = {"words": line.evidence.words} if line.evidence.words else {}
        source = source_json(line.source or self.pathway.source)
        return {"say": line.say, "source": source, "evidence": line.evidence.mark, **words}

    def _clause(self, clause: Any) -> dict[str, Any]:
        truth = self.holds(clause.when)
        facts = {n: plain(self.record[n]) for n in facts_of(self.trees[clause.when]) if n in self.known.facts}
        status = {True: "true", False: "false", None: "unknown"}[truth]
        told = self._told(clause) if truth else {"say": clause.say, "evidence": clause.evidence.mark}
        return {"id": clause.id, "status": status, "facts": facts, **told}

    def _look_up(self, stage: Any) -> None:
        """What was done of a stage, and what conditions may know of it."""
        grades = self.known.grades
        done = []
        for choice in stage.choose:
            grade = grades.get(choice.instrument)
            if grade and grade["level"] is not None:
                self.marks.append("recall" if "unconfirmed" in grade else choice.evidence.mark)
                done.append({"instrument": choice.instrument, **grade})
        self.done[stage.id] = done
        positives = [d["positive"] for d in done if "positive" in d]
        if positives:
            self.record[f"{stage.id}_positive"] = any(positives)
        self.record[f"{stage.id}_done"] = bool(done)
        self.record[f"{stage.id}_conflict"] = len(set(positives)) > 1

    def _stage(self, stage: Any) -> dict[str, Any]:
        done, wanted = self.done[stage.id], self.holds(stage.when)
        if done:
            status = "done"
        elif wanted is False:
            status = "not_needed"
        elif stage.optional:
            status = "optional"
        else:
            status = "needed" if wanted else "perhaps"
        shown: dict[str, Any] = {
            "id": stage.id,
            "name": stage.name,
            "status": status,
            "done": done,
            "conflict": self.record[f"{stage.id}_conflict"],
            "source": source_json(stage.source or self.pathway.source),
            "evidence": stage.evidence.mark,
        }
        if not done and wanted is not False:
            shown["choose"] = [
                {
                    "instrument": c.instrument,
                    "name": self.book.instruments[c.instrument].short,
                    **({"say": c.say} if c.say else {}),
                    "source": source_json(c.source or stage.source or self.pathway.source),
                    "evidence": c.evidence.mark,
                    **(
                        {}
                        if self.holds(c.when)
                        else {"depends_on": [n for n in facts_of(self.trees[c.when]) if n not in self.record]}
                    ),
                }
                for c in stage.choose
                if self.holds(c.when) is not False
            ]
        return shown

    def _conflict(self, stage: dict[str, Any]) -> dict[str, Any]:
        return {
            "stage": stage["id"],
            "screens": [{k: d[k] for k in ("instrument", "code", "date", "positive") if k in d} for d in stage["done"]],
        }

    def _grade(self) -> dict[str, Any]:
        outcomes = {r.code: r for r in self.pathway.results}
        for line in self.pathway.grading:
            if self.holds(line.when):
                outcome = outcomes[line.result]
                return {
                    "code": outcome.code,
                    "level": outcome.level,
                    "name": outcome.name,
                    "advice": outcome.advice,
                    "because": line.say,
                    **{k: v for k, v in self._told(line).items() if k != "say"},
                }
        raise AssertionError("the last grading line always holds")

    def _actions(self, code: str) -> list[dict[str, Any]]:
        return [
            {"id": a.id, "kind": a.kind, **self._told(a)}
            for a in self.pathway.actions
            if (not a.results or code in a.results) and self.holds(a.when)
        ]

    def _rescreen(self, code: str) -> dict[str, Any] | None:
        for line in self.pathway.rescreen:
            if (not line.results or code in line.results) and self.holds(line.when):
                asked = self._read([line.when])
                stages = [s.id for s in self.pathway.stages if s.id in self.deciding or self._names(s) & asked]
                dates = [screen["date"] for id in stages for screen in self.done[id]]
                due = self._due(dt.date.fromisoformat(max(dates)), line)
                return {**({"due": due.isoformat()} if due else {}), **self._told(line)}
        return None

    @staticmethod
    def _due(last: dt.date, line: Any) -> dt.date | None:
        if line.days is not None:
            return last + dt.timedelta(days=line.days)
        return add_months(last, line.months) if line.months is not None else None

    def _missing(self, entry: list[dict[str, Any]]) -> list[str]:
        """The facts that would settle whether the person enters."""
        if any(e["status"] == "true" for e in entry):
            return []
        names = {
            n: None
            for c in self.pathway.entry
            if self.holds(c.when) is None
            for n in facts_of(self.trees[c.when])
            if n not in self.record
        }
        return list(dict.fromkeys(r for n in names for r in roots(self.book, n)))


def _any(statuses: Any) -> bool | None:
    found = list(statuses)
    return True if "true" in found else None if "unknown" in found else False
