"""Fairness: nobody loses by being worse off. A worse grade, more years or a longer time never take a benefit away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yyassess.assurance.amounts import all_nodes, paid, row_nodes, totals
from yyassess.assurance.findings import Notebook
from yyassess.assurance.situations import Situation
from yyassess.assurance.world import Person
from yyassess.conditions.smt import choose, code_id, compare, conj, neg
from yyassess.conditions.tree import Call, Fact, facts_of, walk
from yyassess.rulebook.book import Rulebook

TIME_UNITS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Burden:
    """A fact in which people can be worse off, and which way is worse."""

    fact: str
    kind: str
    """``worse-grade``, ``older`` or ``longer``: the first part of the finding codes."""
    falling: bool = False
    """Worse with smaller values (an earlier day of birth)."""


def burdens(book: Rulebook) -> Iterator[Burden]:
    """The grades, ages and lengths of time of a vocabulary."""
    births: set[str] = set()
    ages: set[str] = set()
    for name, fact in book.facts.items():
        if fact.derive:
            for part in walk(book.trees["programmes"][fact.derive]):
                if isinstance(part, Call) and part.name == "age_on" and isinstance(part.arguments[0], Fact):
                    ages.add(name)
                    births.add(part.arguments[0].name)
    for name, fact in book.facts.items():
        instrument = fact.grade_of or fact.code_of
        if instrument:
            if book.instruments[instrument].levels and book.instruments[instrument].kind != "constitution":
                yield Burden(name, "worse-grade")
        elif name in ages or name in births:
            yield Burden(name, "older", falling=name in births)
        elif fact.type in ("integer", "decimal") and fact.unit and fact.unit["en"].lower().startswith(TIME_UNITS):
            yield Burden(name, "longer")


def check_fairness(situation: Situation, notebook: Notebook) -> None:
    """Checks one text whose criteria somebody can meet."""
    world = situation.world
    asked = set(world.closure(all_nodes(situation)))
    criteria = set(world.closure(situation.nodes))
    paying = set(world.closure(n for row in situation.ready.benefits for n in row_nodes(situation, row)))
    for burden in burdens(world.book):
        if burden.fact in asked:
            pair = _Pair(situation, notebook, burden)
            if burden.fact in criteria:
                pair.loses()
            if burden.fact in paying:
                pair.gets_less()


class _Pair:
    """Two people alike in all but one fact, in which the second is worse off."""

    def __init__(self, situation: Situation, notebook: Notebook, burden: Burden) -> None:
        self.at, self.notebook, self.burden = situation, notebook, burden
        self.world = situation.world
        self.first = self.world.person
        self.second = Person(self.world, "'", self.first, self._linked())
        self.nodes = all_nodes(situation)
        self.worse = compare("<" if burden.falling else ">", self._rank(self.second), self._rank(self.first))

    def _linked(self) -> frozenset[str]:
        """The fact itself, and what changes with it: other results of the same assessment, ages of a birthday."""
        book = self.world.book
        fact = book.facts[self.burden.fact]
        found = {self.burden.fact}
        for name, other in book.facts.items():
            same = (other.grade_of or other.code_of) == (fact.grade_of or fact.code_of)
            if same and (fact.grade_of or fact.code_of):
                found.add(name)
            if other.derive and found & set(facts_of(book.trees["programmes"][other.derive])):
                found.add(name)
        if fact.derive:
            found |= set(facts_of(book.trees["programmes"][fact.derive])) - {"on_day"}
        return frozenset(found)

    def _rank(self, person: Person) -> Any:
        value = person.symbol(self.burden.fact).value
        fact = self.world.book.facts[self.burden.fact]
        if not fact.code_of:
            return value
        rank: Any = -1
        for level in self.world.book.instruments[fact.code_of].levels:
            rank = choose(value == code_id(level.code), level.level, rank)
        return rank

    def cases(self, wanted: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        model = self.world.find(conj((wanted, self.worse)), self.nodes, (self.first, self.second))
        if model is None:
            return None
        return self.world.case(model, self.nodes, self.first), self.world.case(model, self.nodes, self.second)

    def loses(self) -> None:
        code = f"{self.burden.kind}-loses"
        self.notebook.count("proved", code, self.at.id)
        found = self.cases(conj((self.first.granted(self.at.id), neg(self.second.granted(self.at.id)))))
        if found is None:
            return
        better, worse = found
        outcome = self.world.outcome(worse, self.at.id)
        failed = tuple(c["id"] for c in outcome["criteria"] if c["status"] == "false")
        if not (self.at.meets(better) and outcome["status"] == "ineligible"):
            self.notebook.doubt(code, self.at.id)
            return
        numbers = [n for n, c in enumerate(self.at.programme.criteria) if c.id in failed]
        path = self.at.path("criteria", numbers[0]) if numbers else self.at.path()
        self._add(code, path, failed, better, worse, part=failed)

    def gets_less(self) -> None:
        code = f"{self.burden.kind}-gets-less"
        first, second = totals(self.first, self.at), totals(self.second, self.at)
        both = (self.first.granted(self.at.id), self.second.granted(self.at.id))
        for quantity, more in first.items():
            self.notebook.count("proved", code, self.at.id)
            found = self.cases(conj((*both, compare(">", more, second[quantity]))))
            if found is None:
                continue
            better, worse = found
            sums = [paid(self.world.outcome(case, self.at.id), quantity) for case in found]
            if sums[0] > sums[1]:
                kind, unit = quantity
                self._add(
                    code, self.at.path("benefits"), (quantity[0],), better, worse,
                    more=sums[0], less=sums[1], unit=unit or kind,
                )  # fmt: skip
            else:
                self.notebook.doubt(code, self.at.id)

    def _add(
        self, code: str, path: tuple[str | int, ...], parts: tuple[str, ...], better: Any, worse: Any, **fields: Any
    ) -> None:
        name = self.burden.fact
        low, high = (self._given(case) for case in (better, worse))
        evidence = self.at.evidence(worse, better)
        self.notebook.add(
            code, self.at.origin, path, self.at.id, (*parts, name), evidence,
            fact=self.world.book.facts[name].name, low=low, high=high, **fields,
        )  # fmt: skip

    def _given(self, case: dict[str, Any]) -> Any:
        name = self.burden.fact
        fact = self.world.book.facts[name]
        instrument = fact.grade_of or fact.code_of
        if instrument:
            how = next(a for a in case["assessments"] if a["instrument"] == instrument)
            return how["grade"]["level"] if "grade" in how else how["code"]
        return {**case.get("person", {}), **case.get("facts", {})}.get(name, case.get("person"))
