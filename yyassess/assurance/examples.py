"""Runs the worked examples that stand beside the rules, and says file and line of each that fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from yyassess.assessment.deployment import deployed, settled
from yyassess.assessment.errors import InputError
from yyassess.assessment.scoring import Scorer, scorer
from yyassess.assessment.screening import screen
from yyassess.entitlement.determine import determine
from yyassess.entitlement.monitor import CaseMonitor
from yyassess.entitlement.services import PHASES
from yyassess.rulebook.book import Origin, Rulebook
from yyassess.rulebook.events import EventExample
from yyassess.rulebook.vocabulary import read_date

#: What an example expects of a programme that is not among the outcomes of a place at all (a nearer text ends it there).
NOT_LISTED = "not_listed"


@dataclass(frozen=True)
class ExampleResult:
    """One example: where it stands and, when it fails, what was expected and what came."""

    of: str
    name: str
    file: str
    line: int
    problem: str | None

    @property
    def passed(self) -> bool:
        return self.problem is None


def run_examples(book: Rulebook, file: str | None = None) -> Iterator[ExampleResult]:
    """Every worked example of the rulebook (or of one file), in order."""
    for id, instrument in book.instruments.items():
        origin = book.origins[("instrument", id)]
        for number, example in enumerate(instrument.examples if file in (None, origin.file) else ()):
            machine = scorer(deployed(book, id, example.settings), id)
            yield _result(id, example.name, origin, number, _vector(machine, example))
    for id, pathway in book.pathways.items():
        origin = book.origins[("pathway", id)]
        for number, walked in enumerate(pathway.examples if file in (None, origin.file) else ()):
            yield _result(id, walked.name, origin, number, _walk(book, id, walked))
    for place, programmes in book.programmes.items():
        for id, texts in programmes.items():
            origin = book.origins[("programme", f"{place}/{id}")]
            for number, worked in enumerate(texts.texts[0].examples if file in (None, origin.file) else ()):
                yield _result(id, worked.name, origin, number, _case(book, place, id, worked))
    for origin, told in book.events.examples:
        for number, one in enumerate(told if file in (None, origin.file) else ()):
            yield _result("events", one.name, origin, number, _monitored(book, one))


def _result(of: str, name: str, origin: Origin, number: int, problem: str | None) -> ExampleResult:
    return ExampleResult(of, name, origin.file, origin.line("examples", number), problem)


def _vector(machine: Scorer, example: Any) -> str | None:
    answers = dict(example.answers)
    if example.fill:
        for id, question in machine.questions.items():
            answers.setdefault(id, getattr(question, example.fill))
    request = {"answers": answers, "context": example.context, "settings": example.settings}
    expect = dict(example.expect)
    try:
        result = machine.assess(request)
    except InputError as error:
        if "error" in expect:
            return _differs("error", expect["error"], [e["where"] for e in error.errors])
        return f"refused: {error}"
    if "error" in expect:
        return f"expected an error at {expect['error']}, got {result['grade']}"
    got: dict[str, Any] = {**result, **(result["grade"] or {"level": None, "code": None})}
    got["warned"] = {w["id"]: w["items"] for w in result["warnings"]}
    got["results"] = {k: v["code"] for k, v in result.get("results", {}).items()}
    got["dimensions"] = {k: v.get("level", v.get("score")) for k, v in result["dimensions"].items()}
    if result["preliminary"]:
        got["preliminary"] = result["preliminary"]["level"]
    return _compare(expect, got)


def _split(book: Rulebook, given: Mapping[str, Any], assessments: Any) -> dict[str, Any]:
    facts = dict(given)
    people = {k: facts.pop(k) for k in list(facts) if k in book.facts and book.facts[k].person}
    return {"person": people, "facts": facts, "assessments": list(assessments)}


def _walk(book: Rulebook, id: str, example: Any) -> str | None:
    try:
        found = screen(_split(book, example.given, example.assessments), on=example.on, pathway=id, rules=book)
    except InputError as error:
        return f"refused: {error}"
    got = {
        **found,
        "result": found["result"] and found["result"]["code"],
        "conflicts": [c["stage"] for c in found["conflicts"]],
        **shown_of_stages(found),
    }
    return _compare(example.expect, got)


def shown_of_stages(found: Mapping[str, Any]) -> dict[str, Any]:
    """What an example may state of a screening beside its fields.

    ``level`` of the result; ``statuses`` and ``offers``, the screens to choose from, by stage.
    """
    return {
        "level": found["result"] and found["result"]["level"],
        "statuses": {stage["id"]: stage["status"] for stage in found["stages"]},
        "offers": {stage["id"]: [c["instrument"] for c in stage.get("choose", ())] for stage in found["stages"]},
    }


def _monitored(book: Rulebook, example: EventExample) -> str | None:
    for id, settings in example.settings.items():
        book = settled(book, id, settings)
    monitor = CaseMonitor(rules=book, place=example.place, engine="reference")
    try:
        monitor.observe_all(example.events)
    except InputError as error:
        expected = example.expect.get("error")
        return _differs("error", expected, [e["where"] for e in error.errors]) if expected else f"refused: {error}"
    return _compare(example.expect, shown_of_events(monitor.report(example.on)))


def shown_of_events(report: Mapping[str, Any]) -> dict[str, Any]:
    """What an example may state of a monitor's report.

    ``due``: the rules of all that is due; by rule ``actions``, ``since``, ``because`` (how many events), ``programmes``,
    ``all``, ``decisions``, ``assessments`` (immediate, full, routine) and ``instruments`` to assess with; ``warnings``.
    """
    due = report["due"]
    asked = {d["rule"]: d["assessment"] for d in due if d.get("assessment")}
    return {
        "due": [d["rule"] for d in due],
        "actions": {d["rule"]: d["action"] for d in due},
        "since": {d["rule"]: d["since"] for d in due},
        "because": {d["rule"]: len(d["because"]) for d in due},
        "programmes": {d["rule"]: d["programmes"] for d in due},
        "all": {d["rule"]: d["all"] for d in due},
        "decisions": {d["rule"]: d["decisions"] for d in due},
        "assessments": {rule: a["kind"] for rule, a in asked.items()},
        "instruments": {rule: a.get("instrument") for rule, a in asked.items()},
        "warnings": [w["id"] for w in report["warnings"]],
    }


def _case(book: Rulebook, place: str, id: str, example: Any) -> str | None:
    case = _split(book, example.given, example.assessments)
    try:
        found = determine(case, place=example.place or place, on=example.on, known_on=example.known_on, rules=book)
    except InputError as error:
        expected = example.expect.get("error") if isinstance(example.expect, dict) else None
        return _differs("error", expected, [e["where"] for e in error.errors]) if expected else f"refused: {error}"
    expect = {"status": example.expect} if isinstance(example.expect, str) else dict(example.expect)
    outcome = next((o for o in found["outcomes"] if o["programme"] == id), None)
    if outcome is None:
        listed = f"{id} does not apply in {example.place or place}"
        return None if expect == {"status": NOT_LISTED} else listed
    return _compare(expect, {**outcome, **shown_beside(book, found, outcome)})


def shown_beside(book: Rulebook, found: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What an example may state of a determination beside the fields of one outcome.

    ``amount`` (the first known), ``amounts``, ``caps`` and ``shares`` by benefit; ``guides``: the benefits that are only
    guide values; ``depends``: the facts that a benefit still hangs on; ``kinds``: how this programme and each other one affect one another; ``plan``: the programmes in the plan;
    ``services``: how many steps of the plan this programme opens in each phase; ``effects``: what suspends or ends it, and ``effect_counts``: by how many clauses;
    ``dropped_for``: the programme that it gives way to, ``same_as``: the one it points to, or nothing; ``valid`` and
    ``reassess`` with their months.
    """
    benefits = outcome["benefits"]
    steps = [step["phase"] for step in found["plan"] if step["because"] == outcome["programme"]]
    return {
        "plan": [step["because"] for step in found["plan"]],
        **{f"{part}s": {b["id"]: b.get(part) for b in benefits} for part in ("amount", "cap", "share")},
        "amount": next((b["amount"] for b in benefits if b.get("amount") is not None), None),
        "guides": [b["id"] for b in benefits if b.get("guide")],
        "depends": {b["id"]: list(b["depends_on"]) for b in benefits if "depends_on" in b},
        "kinds": {i["with"]: i["kind"] for i in outcome["interactions"]},
        "services": {phase: steps.count(phase) for phase in PHASES},
        "effects": (effects := [effect["effect"] for effect in outcome.get("effects", ())]),
        "effect_counts": dict(Counter(effects)),
        "dropped_for": outcome.get("dropped_for"),
        "same_as": outcome.get("same_as"),
        **_terms(book, found, outcome),
    }


def _terms(book: Rulebook, found: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """How long an outcome holds and when to assess again: also where no assessment says from which day."""
    known_on = found.get("known_on")
    ruleset = book.at(found["place"], read_date(found["on"]), read_date(known_on) if known_on else None)
    text = ruleset.standings[outcome.get("same_as") or outcome["programme"]].programme
    spans = (("valid", text.valid_for), ("reassess", text.reassess))
    return {
        key: {**outcome[key], "months": span.months if span.months is not None else span.months_at_most}
        for key, span in spans
        if span is not None and key in outcome
    }


def _compare(expect: Mapping[str, Any], got: Mapping[str, Any]) -> str | None:
    for key, wanted in expect.items():
        if key not in got:
            return f"the result has no {key!r}"
        problem = _differs(key, wanted, got[key])
        if problem:
            return problem
    return None


def _differs(key: str, wanted: Any, got: Any) -> str | None:
    if isinstance(wanted, dict) and isinstance(got, Mapping):
        for inner, value in wanted.items():
            problem = _differs(f"{key}.{inner}", value, got.get(inner))
            if problem:
                return problem
        return None
    if isinstance(wanted, (list, tuple)) and isinstance(got, (list, tuple)):
        seen = {_identity(x) for x in got} - {"assumed"}
        if {_identity(x) for x in wanted} == seen:
            return None
        return f"{key}: expected {list(wanted)}, got {sorted(map(str, seen))}"
    if isinstance(got, bool) != isinstance(wanted, bool) or got != _comparable(wanted, got):
        return f"{key}: expected {wanted}, got {got}"
    return None


def _comparable(wanted: Any, got: Any) -> Any:
    return float(wanted) if isinstance(got, float) else wanted


def _identity(thing: Any) -> Any:
    if isinstance(thing, Mapping):
        return next((thing[k] for k in ("id", "criterion", "with", "programme") if k in thing), str(thing))
    return thing
