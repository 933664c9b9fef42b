"""Case -> determination: one outcome a programme, each explained down to clause and evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from yyassess.assessment.case import EXPIRED, Case, reader
from yyassess.assessment.dates import add_months
from yyassess.assessment.question import plain
from yyassess.assessment.scoring import UNCONFIRMED, shared
from yyassess.assessment.screening import walk_pathway
from yyassess.conditions.reference import Condition, compile_condition
from yyassess.conditions.tree import Node, facts_of
from yyassess.entitlement.benefits import benefits_of
from yyassess.entitlement.interactions import settle
from yyassess.entitlement.missing import relevant, residual
from yyassess.entitlement.near import least_change, near_misses
from yyassess.entitlement.plan import Asked, ReadyProgramme, ReadyRuleset, ready
from yyassess.entitlement.services import service_plan
from yyassess.rulebook.basics import Frozen, Text
from yyassess.rulebook.book import Rulebook, Ruleset
from yyassess.rulebook.vocabulary import read_date

#: Situations whose missing facts are kept; more, and the memory starts anew.
MOST_SITUATIONS = 50_000
TRUTH = {True: "true", False: "false", None: "unknown"}


def determine(
    case: Mapping[str, Any],
    *,
    place: str,
    on: dt.date | str,
    rules: Rulebook | None = None,
    known_on: dt.date | str | None = None,
    engine: str | None = None,
) -> dict[str, Any]:
    """Decide what a person may get.

    Args:
        case: ``{"person": {…}, "facts": {…}, "assessments": […]}`` as in the public contract.
        place: a place's id, administrative code or name.
        on: the day asked about.
        rules: a rulebook; the shipped one if left out.
        known_on: only texts known by that day count, to recompute a past decision as it was made.
        engine: ``durable`` (default) or ``reference``.

    Returns:
        The determination of the public contract: outcomes with criteria, missing facts, near misses, benefits and
        interactions; the plan; warnings.

    Raises:
        InputError: a case that cannot be read, all faults at once.
        UnknownName: no such place.
    """
    book = rules or shared()
    day = read_date(on)
    ruleset = book.at(place, day, read_date(known_on) if known_on is not None else None)
    return decide(ready(ruleset, engine), case, ruleset)


def decide(machine: ReadyRuleset, case: Mapping[str, Any], ruleset: Ruleset) -> dict[str, Any]:
    """The determination of one case by a compiled ruleset."""
    known = reader(ruleset.book).read(case, ruleset.on)
    facts = known.facts
    facts["on_day"] = ruleset.on
    facts.update(machine.outside)
    facts.setdefault("residence_place", ruleset.place.id)
    for flag, (fact, place) in machine.whereabouts.items():
        inside = ruleset.book.lies_in(facts[fact], place) if fact in facts else None
        if inside is not None:
            facts[flag] = inside
    for name, pathway in machine.pathway_facts.items():
        screened = walk_pathway(ruleset.book, pathway, known, ruleset.on)["result"]
        if screened:
            facts[name] = screened["code"]
    verdicts = machine.engine.run({n: facts[n] for n in machine.needs if n in facts})
    for id in machine.told:
        if verdicts.outcomes.get(id) in ("eligible", "ineligible"):
            facts[f"eligible:{id}"] = verdicts.outcomes[id] == "eligible"
    explained = _Explainer(machine, ruleset, known, verdicts)
    by_id = {id: explained.outcome(id) for id in ruleset.standings if id not in machine.aliases}
    settle(machine, by_id)
    for id, target in machine.aliases.items():
        name = ruleset.standings[id].programme.name
        by_id[id] = {**by_id[target], "programme": id, "name": name, "same_as": target}
    outcomes = [by_id[id] for id in ruleset.standings]
    return {
        "place": ruleset.place.id,
        "on": ruleset.on.isoformat(),
        **({"known_on": ruleset.known_on.isoformat()} if ruleset.known_on else {}),
        "ruleset": {"hash": ruleset.hash, "on": ruleset.on.isoformat()},
        "grades": known.grades,
        "outcomes": outcomes,
        "plan": service_plan(machine, by_id, facts),
        "warnings": [*known.warnings, *explained.warnings],
    }


class _Explainer:
    """The outcomes of one case, in words."""

    def __init__(self, machine: ReadyRuleset, ruleset: Ruleset, known: Case, verdicts: Any) -> None:
        self.machine, self.ruleset, self.known, self.verdicts = machine, ruleset, known, verdicts
        self.facts = known.facts
        self.warnings: list[dict[str, Any]] = []

    def outcome(self, id: str) -> dict[str, Any]:
        machine = self.machine
        if id in machine.absent:
            return self._not_in_force(id)
        programme = machine.programmes[id]
        truths = [self.verdicts.criteria[c.key] for c in programme.criteria]
        status = self._status(id, programme, truths)
        missing = self.missing(programme) if status == "unknown" else []
        if status == "unknown" and not missing:
            status = "not_configured"  # nothing that a person could say is open
        result: dict[str, Any] = {
            **programme.head,
            "status": status,
            "criteria": self._criteria(programme, truths),
            "missing": missing,
            "near": near_misses(self.ruleset.book, programme, truths, self.facts) if status == "ineligible" else [],
            "benefits": [] if status == "ineligible" else benefits_of(programme, self.facts, self.ruleset),
            "interactions": [],
            "apply": _apply(programme),
        }
        if status == "ineligible":
            change = least_change(self.ruleset.book, programme, truths, self.facts)
            if change:
                result["what_if"] = change
        if status == "unknown":
            result["ask"] = [self._question(name) for name in missing]
        if status == "not_configured":
            result["not_configured"] = self._unconfigured(programme, truths)
        unconfirmed = self._unconfirmed(programme)
        if unconfirmed:
            result["unconfirmed"] = unconfirmed
        self._dates(programme, result)
        self._effects(programme, result)
        return result

    def _unconfirmed(self, programme: ReadyProgramme) -> Any:
        """未核对, when the outcome uses a grade that rests on unconfirmed figures, or such a criterion."""
        for name in programme.grade_facts:
            grade = self.known.grades.get(self.machine.from_instrument[name] or "")
            if grade and grade.get("unconfirmed"):
                return grade["unconfirmed"]
        return UNCONFIRMED if programme.unconfirmed else None

    def _status(self, id: str, programme: ReadyProgramme, truths: list[bool | None]) -> str:
        status: str = self.verdicts.outcomes[id]
        if status == "unknown":
            configured = [t for c, t in zip(programme.criteria, truths, strict=True) if c.configured]
            if len(configured) < len(truths) and all(configured):
                return "not_configured"
        return status

    def _criteria(self, programme: ReadyProgramme, truths: list[bool | None]) -> list[dict[str, Any]]:
        facts = self.facts
        shown = []
        for criterion, truth in zip(programme.criteria, truths, strict=True):
            given = {n: plain(facts[n]) for n in criterion.shown if n in facts}
            entry = {"id": criterion.id, "status": TRUTH[truth], "facts": given, **criterion.template}
            if not criterion.configured:
                entry["not_configured"] = True
            shown.append(entry)
        return shown

    def missing(self, programme: ReadyProgramme) -> list[str]:
        """The facts to ask for: exactly those that could still change the outcome."""
        verdicts, facts, machine = self.verdicts.criteria, self.facts, self.machine
        asked = machine.asked[programme.standing.id]
        open_keys = tuple(a.key for a in asked if verdicts[a.key] is None)
        names = dict.fromkeys(n for a in asked if verdicts[a.key] is None for n in a.names)
        situation = (programme.standing.id, open_keys, tuple(facts.get(n) for n in names))
        found = machine.missing.get(situation)
        if found is None:
            found = self._missing([a for a in asked if verdicts[a.key] is None], asked)
            if len(machine.missing) > MOST_SITUATIONS:
                machine.missing.clear()
            machine.missing[situation] = found
        # A place that is named too coarsely ("the province") is asked for again.
        return [name for name in found if name not in facts or self.ruleset.book.facts[name].type == "place"]

    def _missing(self, left: list[Asked], asked: tuple[Asked, ...]) -> tuple[str, ...]:
        residuals = [residual(a.node, self.facts, self._truth) for a in left]
        found = relevant(residuals, self.ruleset.book.facts)
        if not found:
            # Every completion agrees, yet nobody has said it: what is open is asked all the same.
            found = frozenset(n for node in residuals for n in facts_of(node))
        order = dict.fromkeys(n for a in asked for n in a.names if n in found)
        return tuple(dict.fromkeys(r for n in order for r in self.machine.roots.get(n, (n,))))

    def _truth(self, node: Node) -> bool | None:
        return _compiled(node)(self.facts)

    def _question(self, name: str) -> dict[str, Any]:
        fact = self.ruleset.book.facts[name]
        shown: dict[str, Any] = {"fact": name, "say": fact.ask or fact.name, "type": fact.type}
        instrument = self.machine.from_instrument.get(name)
        if instrument:
            shown["instrument"] = instrument
        elif fact.codes:
            shown["codes"] = {code: c.name for code, c in fact.codes.items()}
        return shown

    def _unconfigured(self, programme: ReadyProgramme, truths: list[bool | None]) -> Any:
        """What nobody could find: in this programme, or in one that it hangs on."""
        open_ones = [c.template["say"] for c, truth in zip(programme.criteria, truths, strict=True) if truth is None]
        return programme.standing.programme.not_configured or Text(
            zh="；".join(say["zh"] for say in open_ones), en="; ".join(say["en"] for say in open_ones)
        )

    def _dates(self, programme: ReadyProgramme, result: dict[str, Any]) -> None:
        """Validity of the assessment behind the outcome, and the next assessment."""
        text = programme.standing.programme
        for span, key in ((text.valid_for, "valid"), (text.reassess, "reassess")):
            if span is None:
                continue
            months = span.months if span.months is not None else span.months_at_most
            entry: dict[str, Any] = {"evidence": span.evidence.mark}
            if span.say:
                entry["say"] = span.say
            for name in programme.grade_facts:
                day = self.known.grade_dates.get(name)
                if day is None or months is None:
                    continue
                due = add_months(day, months)
                entry["until" if key == "valid" else "due"] = due.isoformat()
                if key == "valid" and due < self.ruleset.on:
                    warning = {
                        "id": "expired",
                        "programme": text.id,
                        "items": [name],
                        "severity": "hint",
                        "say": EXPIRED,
                    }
                    self.warnings.append(warning)
                    result.setdefault("warnings", []).append(warning)
            result[key] = entry
        if text.warn_after and self.ruleset.on > text.warn_after and result["status"] != "ineligible":
            last = text.warn_after.isoformat()
            say = Text(
                zh=f"文件或金额可能在 {last} 后已失效，请先核实",
                en=f"The text or its figures may have lapsed after {last}: check first",
            )
            warning = {"id": "lapsed", "programme": text.id, "items": [], "severity": "hint", "say": say}
            self.warnings.append(warning)
            result.setdefault("warnings", []).append(warning)

    def _effects(self, programme: ReadyProgramme, result: dict[str, Any]) -> None:
        if result["status"] != "eligible":
            return
        for effect, holds in programme.effects:
            if holds is not None and holds(self.facts):
                shown = {"effect": effect.effect, "say": effect.say, "evidence": effect.evidence.mark}
                result.setdefault("suspended" if effect.effect == "suspend" else "ended", shown)
                result.setdefault("effects", []).append(shown)

    def _not_in_force(self, id: str) -> dict[str, Any]:
        standing = self.machine.absent[id]
        text = standing.programme
        period = text.in_force
        return {
            "programme": id,
            "name": text.name,
            "kind": text.kind,
            "place": standing.place,
            "standing": text.status,
            "source": Frozen(document=text.source.document, clause=text.source.clause),
            "status": "not_in_force",
            "in_force": {
                "from": period.start and period.start.isoformat(),
                "to": period.end and period.end.isoformat(),
            },
            "criteria": [],
            "missing": [],
            "near": [],
            "benefits": [],
            "interactions": [],
            "apply": {},
        }


@lru_cache(maxsize=16384)
def _compiled(node: Node) -> Condition:
    return compile_condition(node)


def _apply(programme: ReadyProgramme) -> dict[str, Any]:
    apply = programme.standing.programme.apply
    if apply is None:
        return {"papers": [], "where": {}}
    shown: dict[str, Any] = {"papers": list(apply.papers), "where": apply.where or {}}
    if apply.decision_within:
        span = apply.decision_within
        shown["decision_within"] = {
            k: v
            for k, v in (("working_days", span.working_days), ("days", span.days), ("months", span.months))
            if v is not None
        } | {"evidence": span.evidence.mark}
    return shown
