"""What the rules may ask of a person, as columns: given, derived, graded, where they live, other outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlglot import exp

from yyassess.conditions.sql import (
    Column,
    all_of,
    any_of,
    condition_sql,
    day,
    is_known,
    is_number,
    text,
    unknown,
    value_sql,
    whole,
)
from yyassess.population.columns import Inputs, place_names
from yyassess.population.scoring import Grading
from yyassess.population.steps import cases
from yyassess.rulebook.book import Ruleset, code_stem


class People(Mapping[str, Column]):
    """Names of the conditions of programmes -> columns, made when first asked for."""

    def __init__(self, ruleset: Ruleset, inputs: Inputs, gradings: Mapping[str, Grading]) -> None:
        self.ruleset, self.book, self.inputs, self.gradings = ruleset, ruleset.book, inputs, gradings
        self.sheet = inputs.sheet
        self.eligible: Callable[[str], Any] = lambda _: None
        self._known: dict[str, Column | None] = {}
        #: Facts that were both given and worked out: name, given, derived.
        self.twice: list[tuple[str, Column, Column]] = []
        self.derived: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        column = self._column(name)
        if column is None:
            raise KeyError(name)
        return column

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._column(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        return self._column(name) or default

    def __iter__(self) -> Iterator[str]:
        return iter(n for n, c in self._known.items() if c is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _column(self, name: str) -> Column | None:
        if name not in self._known:
            self._known[name] = None  # a fact cannot be derived from itself
            self._known[name] = self._made(name)
        return self._known[name]

    def _made(self, name: str) -> Column | None:
        if name == "on_day":
            return Column(day(self.ruleset.on), "date")
        if name.startswith("eligible:"):
            outcome = self.eligible(name.removeprefix("eligible:"))
            return None if outcome is None else Column(outcome, "boolean")
        if name.startswith("lies_in:"):
            _, fact_name, place = name.split(":")
            return self._lies_in(fact_name, place)
        fact = self.book.facts.get(name)
        if fact is None:
            return None
        if fact.grade_of or fact.code_of:
            grading = self.gradings.get(fact.grade_of or fact.code_of or "")
            if grading is None:
                return None
            return grading.level if fact.grade_of else grading.code()
        if fact.pathway:
            return self._pathway(fact.pathway)
        if fact.derive:
            return self._derive(name, fact)
        column = self.inputs.fact(name)
        if name == "residence_place":
            here = text(self.ruleset.place.id)
            if column is None:
                return Column(here, "place")
            return Column(self.sheet.define(exp.Coalesce(this=column.sql, expressions=[here])), "place")
        return column

    def _derive(self, name: str, fact: Any) -> Column | None:
        """A fact worked out from others where it can be, else as given."""
        given = self.inputs.fact(name)
        tree = self.book.trees["programmes"][fact.derive]
        value = value_sql(tree, self)
        if not list(value.sql.find_all(exp.Column)):
            return given
        derived = Column(self.sheet.define(value.sql), value.type, value.low, value.high, value.scale)
        self.derived[name] = derived
        if given is None:
            return derived
        self.twice.append((name, given, derived))
        low, high = min(derived.low, given.low), max(derived.high, given.high)
        joined = Column(derived.sql, derived.type, low, high, derived.scale)
        other = exp.cast(given.sql, joined.stored) if is_number(joined) else given.sql
        sql = self.sheet.define(exp.Coalesce(this=derived.sql.copy(), expressions=[other]))
        return Column(sql, joined.type, low, high, joined.scale)

    def _lies_in(self, fact: str, place: str) -> Column | None:
        """Whether a place fact lies in a place; not known where it is named too coarsely (as `Rulebook.lies_in`)."""
        column = self._column(fact)
        if column is None:
            return None
        answers: dict[Any, list[str]] = {True: [], None: [], False: []}
        for name, id in place_names(self.book).items():
            answers[self.book.lies_in(id, place)].append(name)
        stem = code_stem(self.book.places[place].code)
        coarser = [stem[:n].ljust(6, "0") for n in range(0, len(stem), 2)]

        def among(names: list[str]) -> Any:
            return exp.In(this=column.sql.copy(), expressions=[text(n) for n in sorted(set(names))])

        inside = exp.StartsWith(this=column.sql.copy(), expression=text(stem))
        branches = [(any_of([among(answers[True]), inside]), exp.true())]
        branches.append((among([*answers[None], *coarser]), unknown()))
        branches.append((is_known(column.sql), exp.false()))
        return Column(self.sheet.define(cases(branches)), "boolean")

    def _pathway(self, id: str) -> Column | None:
        """The graded result of a screening pathway: its first line that holds, once a deciding screen was done."""
        names = self._screens(id)
        trees = self.book.trees[f"pathway:{id}"]
        done = [names[f"{stage}_done"].sql for stage in names.deciding]
        lines = [
            (exp.true() if line.when is None else condition_sql(trees[line.when], names), text(line.result))
            for line in self.book.pathways[id].grading
        ]
        graded = self.sheet.define(cases([(c, v) for c, v in lines]))
        return Column(self.sheet.define(exp.Case().when(any_of(done), graded.copy())), "code")

    def _screens(self, id: str) -> _Screens:
        from yyassess.conditions.tree import facts_of

        pathway, trees = self.book.pathways[id], self.book.trees[f"pathway:{id}"]
        read = {n for line in pathway.grading if line.when is not None for n in facts_of(trees[line.when])}
        names: dict[str, Column] = {}
        for instrument in self.book.instruments.values():
            word = instrument.id.replace("-", "_")
            grading = self.gradings.get(instrument.id)
            level = grading.level if grading else None
            if level is None:
                names[f"{word}_done"] = Column(exp.false(), "boolean")
                continue
            names[f"{word}_done"] = Column(self.sheet.define(is_known(level.sql)), "boolean")
            names[f"{word}_level"] = level
            said = [(exp.EQ(this=level.sql.copy(), expression=whole(x.level)), exp.true() if x.positive else exp.false())
                    for x in instrument.levels if x.positive is not None]  # fmt: skip
            if said:
                names[f"{word}_positive"] = Column(self.sheet.define(cases(said)), "boolean")
        deciding = []
        for stage in pathway.stages:
            words = [c.instrument.replace("-", "_") for c in stage.choose]
            positives = [names[f"{w}_positive"].sql for w in words if f"{w}_positive" in names]
            screens = {f"{w}_{what}" for w in words for what in ("done", "level", "positive")}
            if (screens | {f"{stage.id}_{what}" for what in ("done", "positive", "conflict")}) & read:
                deciding.append(stage.id)
            names[f"{stage.id}_done"] = Column(
                self.sheet.define(any_of([names[f"{w}_done"].sql for w in words])), "boolean"
            )
            yes = any_of([exp.Coalesce(this=p.copy(), expressions=[exp.false()]) for p in positives])
            no = any_of([exp.not_(exp.paren(exp.Coalesce(this=p.copy(), expressions=[exp.true()]))) for p in positives])
            names[f"{stage.id}_conflict"] = Column(self.sheet.define(all_of([yes, no])), "boolean")
            if positives:
                branches = [(yes.copy(), exp.true()), (no.copy(), exp.false())]
                names[f"{stage.id}_positive"] = Column(self.sheet.define(cases(branches)), "boolean")
        return _Screens(self, names, tuple(deciding))


class _Screens(dict[str, Column]):
    """The names of a pathway's conditions: its screens and stages, then all other facts."""

    def __init__(self, people: People, names: Mapping[str, Column], deciding: tuple[str, ...]) -> None:
        super().__init__(names)
        self.people, self.deciding = people, deciding

    def __missing__(self, name: str) -> Column:
        return self.people[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.people

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name) or self.people.get(name, default)
