"""Everybody a ruleset may meet: each fact as a symbol with its range, and how facts hang together.

Facts are known here (two-valued), because a programme is granted only when all its criteria are true; what is found
is a person, handed back as a case for ``yyassess determine`` and decided again by the reference evaluator.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from yyassess.assessment.case import reader
from yyassess.assessment.question import number
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.smt import (
    Encoder,
    Symbol,
    code_id,
    compare,
    conj,
    day_key,
    disj,
    is_day,
    key_day,
    need_z3,
)
from yyassess.conditions.tree import Node, facts_of
from yyassess.entitlement.determine import determine
from yyassess.entitlement.plan import ready
from yyassess.rulebook.book import Rulebook, Ruleset, code_stem
from yyassess.rulebook.vocabulary import FactDefinition

#: How long one question may take, in milliseconds; a check of a whole rulebook asks thousands.
PATIENCE = 4000
TRIALS = 40
#: The people a day can be the birthday of, or the day of an event.
FIRST_DAY, LAST_DAY = dt.date(1880, 1, 1), dt.date(2200, 12, 31)


def whereabouts(book: Rulebook) -> tuple[str, ...]:
    """Places named finely enough to say what they lie in: districts, somewhere else in each place, and elsewhere."""
    fine = [id for id, place in book.places.items() if code_stem(place.code) == place.code]
    stems = [code_stem(place.code) for place in book.places.values()]
    somewhere = [stem.ljust(6, "9") for stem in ["", *stems] if len(stem) < 6]
    return tuple(dict.fromkeys([*fine, *somewhere]))


class Person:
    """One person's facts as symbols; a second person may share all facts but some."""

    def __init__(
        self, world: World, mark: str = "", like: Person | None = None, own: frozenset[str] = frozenset()
    ) -> None:
        self.world, self.mark, self.like, self.own = world, mark, like, own
        self.encoder = Encoder(self.symbol)
        self.symbols: dict[str, Symbol] = {}

    def symbol(self, name: str) -> Symbol:
        """A name of a condition, as a formula."""
        if name not in self.symbols:
            self.symbols[name] = self._symbol(name)
        return self.symbols[name]

    def _symbol(self, name: str) -> Symbol:
        world = self.world
        if name == "on_day":
            return Symbol(day_key(world.day))
        if name == "unconfigured":
            return Symbol(True)
        if name.startswith("eligible:"):
            return Symbol(self.granted(name.removeprefix("eligible:")))
        if name.startswith("lies_in:"):
            _, fact, place = name.split(":")
            there = self.symbol(fact).value
            return Symbol(disj(there == code_id(p) for p in whereabouts(world.book) if world.book.lies_in(p, place)))
        if self.like is not None and name not in self.own:
            return self.like.symbol(name)
        return world.variable(name, self.mark)

    def granted(self, programme: str) -> Any:
        """That a programme's criteria are all true."""
        machine = self.world.machine
        ready = machine.programmes.get(machine.aliases.get(programme, programme))
        return False if ready is None else conj(self.encoder.yes(c.node) for c in ready.criteria)

    def yes(self, node: Node) -> Any:
        """That a condition is true."""
        return self.encoder.yes(node)

    def value(self, node: Node) -> Any:
        """The value of an expression."""
        return self.encoder.value(node).value


class World:
    """The people of one ruleset."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.z3 = need_z3()
        self.machine = ready(ruleset, "reference")
        self.book: Rulebook = ruleset.book
        self.day = ruleset.on
        self.place = ruleset.place.id
        self.undecided = 0
        self.asked = 0
        self.limits: dict[str, list[Any]] = {}
        self.person = Person(self)
        self._solvers: dict[Any, Any] = {}

    # -- facts ----------------------------------------------------------------------------------------------------
    def variable(self, name: str, mark: str = "") -> Symbol:
        """A fresh symbol for a fact, with its range."""
        z3, fact, key = self.z3, self.book.facts[name], f"{name}{mark}"
        limits: list[Any] = []
        value: Any
        if fact.type == "boolean":
            value = z3.Bool(key)
        elif fact.type == "codes":
            value = {code: z3.Bool(f"{key} has {code}") for code in fact.codes}
        else:
            value = z3.Int(key)
            limits = self._limits(fact, value)
            if fact.type == "decimal" and fact.decimals:
                value = z3.ToReal(value) / 10**fact.decimals
        self.limits[key] = limits
        return Symbol(value)

    def _limits(self, fact: FactDefinition, value: Any) -> list[Any]:
        z3 = self.z3
        if fact.grade_of or fact.code_of:
            levels = self.book.instruments[str(fact.grade_of or fact.code_of)].levels
            allowed = [level.level for level in levels] if fact.grade_of else [code_id(lv.code) for lv in levels]
            if allowed:
                return [z3.Or([value == a for a in allowed])]
        if fact.type in ("integer", "decimal"):
            low, high = fact.range or (-(10**6), 10**6)
            scale = 10**fact.decimals if fact.type == "decimal" else 1
            return [value >= low * scale, value <= high * scale]
        if fact.type == "date":
            return [value >= day_key(FIRST_DAY), value <= day_key(LAST_DAY), is_day(value)]
        codes = whereabouts(self.book) if fact.type == "place" else fact.codes
        return [z3.Or([value == code_id(code) for code in codes])]

    def closure(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        """The facts some conditions ask for, also through other programmes."""
        machine, found, seen = self.machine, dict[str, None](), set[str]()
        waiting = [n for node in nodes for n in facts_of(node)]
        while waiting:
            name = waiting.pop(0)
            if name.startswith("eligible:"):
                id = name.removeprefix("eligible:")
                ready = machine.programmes.get(machine.aliases.get(id, id))
                if ready is not None and id not in seen:
                    seen.add(id)
                    waiting.extend(n for c in ready.criteria for n in facts_of(c.node))
            elif name.startswith("lies_in:"):
                found.setdefault(name.split(":")[1])
            elif name in self.book.facts:
                found.setdefault(name)
        return tuple(found)

    def axioms(self, person: Person, names: Iterable[str]) -> list[Any]:
        """Ranges of the facts, and how they hang together: derived facts, and level and code of one assessment."""
        names = tuple(names)
        found: list[Any] = []
        of_instrument: dict[str, list[str]] = {}
        for name in names:
            symbol = person.symbol(name)
            owner = person if person.like is None or name in person.own else person.like
            found.extend(self.limits.get(f"{name}{owner.mark}", ()))
            fact = self.book.facts[name]
            if fact.grade_of or fact.code_of:
                of_instrument.setdefault(str(fact.grade_of or fact.code_of), []).append(name)
            if fact.derive:
                tree = self.book.trees["programmes"][fact.derive]
                if set(facts_of(tree)) & set(names):
                    found.append(compare("=", symbol.value, person.value(tree)))
        for instrument, graded in of_instrument.items():
            if len(graded) > 1:
                found.append(
                    disj(self._same_assessment(person, graded, lv) for lv in self.book.instruments[instrument].levels)
                )
        for tree, fact in self._derivations(names):
            if fact.range:
                value = person.value(tree)
                found.extend((compare(">=", value, fact.range[0]), compare("<=", value, fact.range[1])))
        return [f for f in found if f is not True]

    def _same_assessment(self, person: Person, names: list[str], level: Any) -> Any:
        return conj(
            person.symbol(n).value == (level.level if self.book.facts[n].grade_of else code_id(level.code))
            for n in names
        )

    def _derivations(self, names: Iterable[str]) -> list[tuple[Node, FactDefinition]]:
        """What follows from facts used directly: a birthday implies an age within its range."""
        given = set(names)
        found = []
        for fact in self.book.facts.values():
            if fact.derive:
                tree = self.book.trees["programmes"][fact.derive]
                inputs = set(facts_of(tree)) - {"on_day"}
                if inputs and inputs <= given:
                    found.append((tree, fact))
        return found

    # -- questions ------------------------------------------------------------------------------------------------
    def find(self, wanted: Any, nodes: Iterable[Node] = (), people: Iterable[Person] = ()) -> Any:
        """A model in which ``wanted`` holds, or ``None``: proved that there is none (or not decided, and counted)."""
        if wanted is False:
            return None
        names = self.closure(nodes)
        solver = self._solver(names, tuple(people) or (self.person,))
        solver.push()
        solver.add(wanted)
        self.asked += 1
        answer = solver.check()
        model = solver.model() if answer == self.z3.sat else None
        if answer == self.z3.unknown:
            self.undecided += 1
            model = self._try(solver, names)
        solver.pop()
        return model

    def _solver(self, names: tuple[str, ...], people: tuple[Person, ...]) -> Any:
        """A solver that knows all about these facts of these people, kept for the next question about them."""
        key = (names, people)
        if key not in self._solvers:
            solver = self._solvers[key] = self.z3.Solver()
            solver.set("timeout", PATIENCE)
            for person in people:
                solver.add(*self.axioms(person, names))
        return self._solvers[key]

    def _try(self, solver: Any, names: tuple[str, ...]) -> Any:
        """Random people, where the solver found no answer in time."""
        z3, rng = self.z3, random.Random(0)
        for _ in range(TRIALS):
            solver.push()
            for name in names:
                variable, values = self.person.symbol(name).value, self._some(name)
                if values and z3.is_expr(variable):
                    solver.add(compare("=", variable, rng.choice(values)))
            found = solver.model() if solver.check() == z3.sat else None
            solver.pop()
            if found is not None:
                return found
        return None

    def _some(self, name: str) -> list[Any]:
        fact = self.book.facts[name]
        if fact.type == "boolean":
            return [True, False]
        if fact.range:
            low, high = fact.range
            return sorted({low, low + 1, (low + high) // 2, high - 1, high})
        return [code_id(code) for code in fact.codes]

    # -- people as cases --------------------------------------------------------------------------------------------
    def case(self, model: Any, nodes: Iterable[Node], person: Person | None = None) -> dict[str, Any]:
        """The person of a model as a case for ``determine``."""
        who = person or self.person
        names = self.closure(nodes)
        given: dict[str, Any] = {}
        assessed: dict[str, dict[str, Any]] = {}
        screened: list[tuple[str, str]] = []
        for name in names:
            fact = self.book.facts[name]
            if fact.derive and self._inputs(fact) and self._inputs(fact) <= set(names):
                continue
            value = self._read(fact, who.symbol(name).value, model)
            if fact.pathway:
                screened.append((fact.pathway, value))
                continue
            instrument = fact.grade_of or fact.code_of
            if not instrument:
                given[name] = value
            elif fact.grade_of:
                assessed[instrument] = {"grade": {"level": value}}
            else:
                assessed.setdefault(instrument, {"code": value})
        for pathway, result in screened:
            self._screens(pathway, result, given, assessed)
        day = self.day.isoformat()
        people = {n: v for n, v in given.items() if self.book.facts[n].person}
        facts = {n: v for n, v in given.items() if n not in people}
        case: dict[str, Any] = {}
        if people:
            case["person"] = people
        if facts:
            case["facts"] = facts
        if assessed:
            case["assessments"] = [{"instrument": i, "date": day, **how} for i, how in sorted(assessed.items())]
        return case

    def _screens(self, pathway: str, result: str, given: dict[str, Any], assessed: dict[str, dict[str, Any]]) -> None:
        """Screens that lead to a result of a pathway; the reference evaluator says whether they do for this person."""
        from yyassess.assurance.pathways import recipes

        recipe = recipes(self.book, pathway).get(result, {})
        for part in ("person", "facts"):
            for name, value in recipe.get(part, {}).items():
                given.setdefault(name, value)
        for screen in recipe.get("assessments", ()):
            assessed.setdefault(screen["instrument"], {"grade": screen["grade"]})

    def _inputs(self, fact: FactDefinition) -> set[str]:
        return set(facts_of(self.book.trees["programmes"][str(fact.derive)])) - {"on_day"}

    def _read(self, fact: FactDefinition, value: Any, model: Any) -> Any:
        z3 = self.z3

        def of(expression: Any) -> Any:
            return model.eval(expression, model_completion=True)

        if fact.type == "codes":
            return [code for code, bit in value.items() if z3.is_true(of(bit))]
        if fact.type == "boolean":
            return z3.is_true(of(value))
        found = of(value)
        if fact.type == "decimal":
            exact = (
                Decimal(found.numerator_as_long()) / Decimal(found.denominator_as_long())
                if z3.is_rational_value(found)
                else Decimal(found.as_long())
            )
            return number(exact)
        whole = found.as_long()
        if fact.type == "integer":
            return whole
        if fact.type == "date":
            return key_day(whole).isoformat()
        if fact.code_of and not fact.codes:
            codes: Iterable[str] = (level.code for level in self.book.instruments[fact.code_of].levels)
        else:
            codes = whereabouts(self.book) if fact.type == "place" else fact.codes
        return next(code for code in codes if code_id(code) == whole)

    def decide(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """The determination of a case, by the reference evaluator."""
        return determine(case, place=self.place, on=self.day, rules=self.book, engine="reference")

    def outcome(self, case: Mapping[str, Any], programme: str) -> dict[str, Any]:
        """One programme's outcome of a case, by the reference evaluator."""
        return next(o for o in self.decide(case)["outcomes"] if o["programme"] == programme)

    def truth(self, node: Node, case: Mapping[str, Any]) -> bool | None:
        """A condition on the person of a case, by the reference evaluator."""
        known: dict[str, Any] = {**reader(self.book).read(case, self.day).facts, "on_day": self.day}
        known.setdefault("residence_place", self.place)
        told = {"eligible": True, "ineligible": False}
        for outcome in self.decide(case)["outcomes"]:
            known[f"eligible:{outcome['programme']}"] = told.get(outcome["status"])
        known.update(self.machine.outside)
        for name in facts_of(node):
            if name.startswith("lies_in:"):
                _, fact, place = name.split(":")
                if known.get(fact) is not None:
                    known[name] = self.book.lies_in(known[fact], place)
        return compile_condition(node)(known)

    @property
    def command(self) -> str:
        """How to give a witness to the command line."""
        return f"yyassess determine --place {self.place} --on {self.day.isoformat()}"
