"""Somebody who tells two readings of a rule file apart, written as a worked example that holds for the first of them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from typing import Any

from yyassess.assessment.deployment import licensed
from yyassess.assessment.errors import InputError
from yyassess.assessment.question import number
from yyassess.assessment.scoring import scorer
from yyassess.assessment.screening import screen
from yyassess.assurance.amounts import all_nodes, row_holds
from yyassess.assurance.examples import NOT_LISTED, shown_beside, shown_of_stages
from yyassess.assurance.findings import Notebook
from yyassess.assurance.people import asked_facts, constants, derived_from, random_case, telling_values
from yyassess.assurance.situations import ONE_DAY, Situation, newest_document, situations
from yyassess.conditions.smt import conj, neg
from yyassess.conditions.tree import facts_of
from yyassess.entitlement.determine import determine
from yyassess.rulebook.book import Rulebook

Example = dict[str, Any]
Json = dict[str, Any]
#: What an example may state beside the fields of an outcome, in the order in which it is tried.
TOLD_BESIDE = (
    "amounts",
    "caps",
    "shares",
    "guides",
    "depends",
    "kinds",
    "services",
    "effects",
    "dropped_for",
    "same_as",
)
#: Random people, sheets and screenings tried where nothing better tells two readings apart.
TRIES = 150
#: How the random people are made up: shares of extreme answers, of answers kept, of context known, of settings chosen.
EXTREME, ANSWERED, KNOWN, CHOSEN = 0.5, 0.7, 0.8, 0.3
#: How long ago a screen was done.
AGO = (0 * ONE_DAY, 9 * ONE_DAY)
#: One sheet in so many has gaps.
GAPS_EVERY = 4


class Teller:
    """Finds worked examples for one rule file, as few as tell all its mutants from it."""

    def __init__(self, book: Rulebook, file: str) -> None:
        self.book, self.file = book, file
        self.kind, self.key = next(
            (
                k
                for k, origin in book.origins.items()
                if origin.file == file and k[0] in ("programme", "instrument", "pathway")
            ),
            ("", ""),
        )
        self.found: list[tuple[Any, Json]] = []
        """What tells readings apart so far: who, and what is expected of them."""

    def tell(self, other: Rulebook, witness: Mapping[str, Any] | None) -> bool:
        """Whether somebody tells the file's own reading from another; they are remembered as an example."""
        for who, expect in self.found:
            told = self._told(other, who)
            if told:
                _merge(expect, told)
                return True
        for who in self._candidates(witness):
            if self._told(other, who):
                who = self._smaller(other, who)
                self.found.append((who, self._told(other, who)))
                return True
        return False

    def _smaller(self, other: Rulebook, who: Any) -> Any:
        """Somebody of whom less is said and who still tells the readings apart in the same way."""
        if self.kind == "instrument":
            return self._plainer(other, who)
        case, *where = who
        told = self._told(other, who)
        for part in ("person", "facts"):
            for name in list(case.get(part, {})):
                less = {**case, part: {k: v for k, v in case[part].items() if k != name}}
                if self._told(other, (less, *where)) == told:
                    case = less
        for assessment in case.get("assessments", ()):
            less = {**case, "assessments": [a for a in case["assessments"] if a is not assessment]}
            if self._told(other, (less, *where)) == told:
                case = less
        return (case, *where)

    def _plainer(self, other: Rulebook, request: Json) -> Json:
        """A sheet with the best answer wherever another one is not needed, and nothing said that is not needed."""
        kind = next(iter(self._told(other, request)))
        best = {n: _json(q.best) for n, q in scorer(self.book, self.key).questions.items()}

        def tells(less: Json) -> bool:
            return next(iter(self._told(other, less)), None) == kind

        whole = {**request, "answers": {**best, **request["answers"]}}
        if tells(whole):
            request = whole
        for name, answer in request["answers"].items():
            less = {**request, "answers": {**request["answers"], name: best[name]}}
            if answer != best[name] and tells(less):
                request = less
        for part in ("context", "settings"):
            for name in list(request.get(part, {})):
                less = {**request, part: {k: v for k, v in request[part].items() if k != name}}
                if tells(less):
                    request = less
        return request

    @property
    def examples(self) -> list[Example]:
        """The worked examples found so far."""
        return [self._example(who, expect) for who, expect in self.found]

    def _told(self, other: Rulebook, who: Any) -> Json:
        return told(self._view(self.book, who), self._view(other, who))

    def _candidates(self, witness: Mapping[str, Any] | None) -> Iterator[Any]:
        if self.kind == "programme":
            return _people(self.book, self.file, self.key.rpartition("/")[0], witness)
        if self.kind == "instrument":
            return _sheets(self.book, self.key, witness)
        return _screened(self.book, self.key) if self.kind == "pathway" else iter(())

    def _view(self, book: Rulebook, who: Any) -> Json | None:
        if self.kind == "programme":
            return _outcome(book, who, self.key.rpartition("/")[2])
        return _graded(book, self.key, who) if self.kind == "instrument" else _walked(book, self.key, *who)

    def _example(self, who: Any, expect: Json) -> Example:
        if self.kind == "instrument":
            return {**_sheet(self.book, self.key, who), "expect": expect}
        case, *where, day = who
        example: Example = {"on": day}
        if where and where[0] != self.key.rpartition("/")[0]:
            example["place"] = where[0]
        given = {**case.get("person", {}), **case.get("facts", {})}
        if given:
            example["given"] = given
        if case.get("assessments"):
            example["assessments"] = case["assessments"]
        return {**example, "expect": expect["status"] if list(expect) == ["status"] else expect}


def _merge(expect: Json, more: Json) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(expect.get(key), dict):
            expect[key].update(value)
        else:
            expect[key] = value


# -- programmes -----------------------------------------------------------------------------------------------------------
def _people(
    book: Rulebook, file: str, home: str, witness: Mapping[str, Any] | None
) -> Iterator[tuple[Json, str, dt.date]]:
    """Those who meet all criteria, all but one, each row, service and effect; then the days at both ends of each text."""
    if witness:
        case = {k: v for k, v in witness.items() if k not in ("place", "on")}
        yield case, str(witness["place"]), dt.date.fromisoformat(str(witness["on"]))
    ones = list(situations(book, Notebook(), file))
    for situation in reversed(ones):
        for case in _edges(situation):
            yield case, situation.world.place, situation.world.day
    somebody = next((case for situation in ones for case in _edges(situation)), {})
    for day in _turning_days(book, file):
        undated = {k: v for k, v in somebody.items() if k != "assessments"}
        yield {}, home, day
        graded = [{**a, "date": day.isoformat()} for a in somebody.get("assessments", ())]
        yield {**undated, "assessments": graded}, home, day
    for situation in ones[-1:]:
        ruleset = book.at(situation.world.place, situation.world.day)
        asked, rng = asked_facts(ruleset), random.Random(0)
        for _ in range(TRIES):
            yield random_case(ruleset, asked, rng), situation.world.place, situation.world.day


def _turning_days(book: Rulebook, file: str) -> Iterator[dt.date]:
    """The days at both ends of each text of a file, and around each day on which a figure changes."""
    for texts in (t for programmes in book.programmes.values() for t in programmes.values()):
        if book.origins[("programme", f"{texts.place}/{texts.id}")].file == file:
            for text in texts.texts:
                yield from (d + n * ONE_DAY for d in (text.in_force.start, text.in_force.end) if d for n in (-1, 0, 1))
                rows = [b.amount for b in text.benefits if isinstance(b.amount, tuple)]
                yield from (d.start + n * ONE_DAY for row in rows for d in row if d.start for n in (-1, 0))


def _edges(situation: Situation) -> Iterator[Json]:
    world, person, nodes = situation.world, situation.world.person, all_nodes(situation)
    trees = world.machine.trees
    wanted = [situation.granted]
    wanted += [conj((situation.granted, row_holds(person, situation, r))) for r in situation.ready.benefits]
    listed: list[Any] = [*situation.programme.services, *situation.programme.effects]
    asked = [trees[part.when] for part in listed if part.when]
    wanted += [conj((situation.granted, person.yes(node))) for node in asked]
    holds = {c.id: person.yes(c.node) for c in situation.ready.criteria}
    for one in holds:
        wanted.append(conj((neg(holds[one]), *(holds[other] for other in holds if other != one))))
    for condition in wanted:
        model = world.find(condition, (*nodes, *asked))
        if model is not None:
            yield world.case(model, (*nodes, *asked))


def _outcome(book: Rulebook, who: tuple[Json, str, dt.date], id: str) -> Json | None:
    """The parts of an outcome that an example can name."""
    case, place, day = who
    try:
        found = determine(case, place=place, on=day, rules=book, engine="reference")
    except InputError:
        return None
    outcome = next((o for o in found["outcomes"] if o["programme"] == id), None)
    if outcome is None:
        return {"status": NOT_LISTED}
    beside = shown_beside(book, found, outcome)
    shown: Json = {
        "status": outcome["status"],
        "benefits": [b["id"] for b in outcome["benefits"]],
        "missing": list(outcome["missing"]),
        "near": [n["criterion"] for n in outcome["near"]],
        "interactions": [i["with"] for i in outcome["interactions"]],
        **{key: beside[key] for key in TOLD_BESIDE},
    }
    for key in ("valid", "reassess"):
        shown[key] = {k: v for k, v in beside.get(key, {}).items() if k in ("until", "due", "months")}
    return shown


def told(one: Json | None, other: Json | None) -> Json:
    """What the first says and the second does not; the status or level alone, where that differs."""
    if one is None:
        return {}
    for first in ("status", "level"):
        if first in one and one[first] != (other or {}).get(first):
            return {first: one[first]}
    expect: Json = {}
    for key, value in one.items():
        if (other or {}).get(key) == value:
            continue
        if isinstance(value, dict):
            differing = {k: v for k, v in value.items() if ((other or {}).get(key) or {}).get(k) != v}
            if differing:
                expect[key] = differing
        else:
            expect[key] = value
    return expect


# -- instruments ----------------------------------------------------------------------------------------------------------
def _sheet(book: Rulebook, id: str, request: Json) -> Example:
    best = {n: _json(q.best) for n, q in scorer(book, id).questions.items()}
    answers = request["answers"]
    if set(answers) == set(best):
        shown: Example = {"fill": "best", "answers": {n: a for n, a in answers.items() if a != best[n]}}
    else:
        shown = {"answers": answers}
    return {**{k: v for k, v in shown.items() if v}, **{k: v for k, v in request.items() if k != "answers" and v}}


def _sheets(book: Rulebook, id: str, witness: Mapping[str, Any] | None) -> Iterator[Json]:
    if witness:
        yield {"answers": {}, **witness}
    machine, rng = scorer(licensed(book, id), id), random.Random(0)
    settings = {s.id: _json(s.choices[0]) for s in machine.instrument.settings if s.default is None}
    if machine.instrument.licence.switch:
        settings[machine.instrument.licence.switch] = True
    named, day = constants(book.trees.get(id, {}).values()), newest_document(book)
    facts = {u.fact: machine.facts[u.fact] for u in machine.instrument.context}
    values = {n: telling_values(f, named.get(n, set()), book, day) for n, f in facts.items()}
    for end in ("best", "worst"):
        yield {"answers": {n: _json(getattr(q, end)) for n, q in machine.questions.items()}, "settings": settings}
    for turn in range(2 * TRIES):
        answers = {}
        for n, question in machine.questions.items():
            choices = question.choices() or [question.best, question.worst]
            answers[n] = _json(rng.choice((question.best, question.worst) if rng.random() < EXTREME else choices))
        if turn % GAPS_EVERY == 0:
            answers = {n: a for n, a in answers.items() if rng.random() < ANSWERED}
        context = {n: rng.choice(v) for n, v in values.items() if v and rng.random() < KNOWN}
        chosen = {
            s.id: _json(rng.choice(s.choices))
            for s in machine.instrument.settings
            if not s.deployment and (s.id in settings or rng.random() < CHOSEN)
        }
        yield {"answers": answers, "context": context, "settings": settings | chosen}


def _graded(book: Rulebook, id: str, request: Json) -> Json | None:
    try:
        found = scorer(licensed(book, id), id).assess(request)
    except InputError as error:
        return {"error": [e["where"] for e in error.errors]}
    grade: Json = dict(found["grade"] or {})
    return {
        "level": grade.get("level"),
        "code": grade.get("code"),
        **({"positive": grade["positive"]} if "positive" in grade else {}),
        "complete": found["complete"],
        "scores": dict(found["scores"]),
        "dimensions": {k: v.get("level", v.get("score")) for k, v in found["dimensions"].items()},
        "adjustments": [a["id"] for a in found["adjustments"]],
        "warnings": [w["id"] for w in found["warnings"] if w["id"] != "assumed"],
        "warned": {w["id"]: list(w["items"]) for w in found["warnings"] if w["id"] != "assumed"},
        "decisions": [d["id"] for d in found["decisions"]],
        "missing": list(found["missing"]),
        "results": {k: v["code"] for k, v in found.get("results", {}).items()},
        **({"bounds": found["bounds"]} if "bounds" in found else {}),
    }


# -- pathways -------------------------------------------------------------------------------------------------------------
def _screened(book: Rulebook, id: str) -> Iterator[tuple[Json, dt.date]]:
    """Few screens and facts first, then more."""
    rng, day, pathway = random.Random(0), newest_document(book), book.pathways[id]
    trees = book.trees[f"pathway:{id}"].values()
    named = constants(trees)
    asked = sorted({n for tree in trees for n in facts_of(tree) if n in book.facts})
    values = {n: telling_values(book.facts[n], named.get(n, set()), book, day) for n in asked}
    inputs = derived_from(book, asked)
    free = [n for n in asked if values[n] and n not in inputs and not (book.facts[n].grade_of or book.facts[n].code_of)]
    screens = [
        i for i in dict.fromkeys(c.instrument for s in pathway.stages for c in s.choose) if book.instruments[i].levels
    ]
    for turn in range(4 * TRIES):
        many = 1 + turn // 100
        facts = {n: rng.choice(values[n]) for n in rng.sample(free, min(len(free), rng.randint(0, many)))}
        done = rng.sample(screens, min(len(screens), rng.randint(0, many + 1)))
        levels = {i: rng.choice(book.instruments[i].levels).level for i in done}
        case: Json = {"person": {}, "facts": {}, "assessments": []}
        for name, value in facts.items():
            case["person" if book.facts[name].person else "facts"][name] = value
        case["assessments"] = [
            {"instrument": i, "date": (day - rng.choice(AGO)).isoformat(), "grade": {"level": n}}
            for i, n in levels.items()
        ]
        yield case, day


def _walked(book: Rulebook, id: str, case: Json, day: dt.date) -> Json | None:
    try:
        found = screen(case, on=day, pathway=id, rules=book)
    except InputError:
        return None
    shown: Json = {key: found[key] for key in ("complete", "enters", "needed", "missing")}
    shown["result"] = found["result"] and found["result"]["code"]
    shown["conflicts"] = [c["stage"] for c in found["conflicts"]]
    shown["rescreen"] = found["rescreen"] and {k: v for k, v in found["rescreen"].items() if k == "due"}
    for key in ("cautions", "actions", "flags", "decisions", "entry"):
        shown[key] = [line["id"] for line in found[key] if line.get("status", "true") == "true"]
    shown.pop("entry")
    return shown | shown_of_stages(found)


def _json(value: Any) -> Any:
    return number(value)
