"""One plan for a whole population: the instruments and programmes of a ruleset over the columns a file has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from yyassess.conditions.sql import Column, SqlError, all_of, any_of, compare, constant, day, is_known, text
from yyassess.entitlement.plan import ready
from yyassess.population.columns import Inputs, PlanError
from yyassess.population.people import People
from yyassess.population.programmes import STATUSES, Programmes
from yyassess.population.scoring import Grading
from yyassess.population.sheet import Sheet
from yyassess.population.steps import cases
from yyassess.rulebook.book import Rulebook, Ruleset


@dataclass(frozen=True)
class Output:
    """One column of the result: a whole number inside, at the edge a name, a number or a sum of money."""

    name: str
    sql: Any
    labels: tuple[str, ...] | None = None
    """Names by number; the column holds the names."""
    scale: int = 0


@dataclass(frozen=True)
class Fault:
    """A reason to refuse a row."""

    where: str
    holds: Any
    allowed: Any
    zh: str
    en: str
    shown: str | None = None
    """The column whose value may be repeated in the message."""
    within: tuple[str, Any, Any] | None = None
    """A column and the bounds (stored whole numbers, or days) between which no value has the fault."""


@dataclass(frozen=True)
class Wanted:
    """What a result holds beside the grades and the status and reason of every programme."""

    benefits: bool = False
    scores: bool = False
    reasons: bool = True
    programmes: frozenset[str] | None = None
    """Only these; all, if not given."""


class Plan:
    """The formulas of a ruleset over the columns of a file.

    Raises:
        PlanError: a rule that cannot be run for a population, by name.
    """

    def __init__(
        self, ruleset: Ruleset, have: Iterable[str], wanted: Wanted | None = None, sheet: Sheet | None = None
    ) -> None:
        self.ruleset, self.book, self.sheet = ruleset, ruleset.book, sheet or Sheet()
        self.wanted = wanted or Wanted()
        self.inputs = Inputs(self.book, self.sheet, have, ruleset.on)
        try:
            self.gradings = {id: Grading(self.book, self.inputs, id) for id in self.inputs.instruments}
            self.people = People(ruleset, self.inputs, self.gradings)
            self.programmes = Programmes(ready(ruleset, "reference"), self.people)
            self.ids = [
                id for id in ruleset.standings if self.wanted.programmes is None or id in self.wanted.programmes
            ]
            self.outputs = [*self._grades(), *self._outcomes()]
            self.faults = self._faults()
        except SqlError as error:
            raise PlanError(str(error)) from error

    # -- results -------------------------------------------------------------------------------------------
    def _grades(self) -> list[Output]:
        found = []
        for id, grading in self.gradings.items():
            if grading.total is not None:
                found.append(Output(f"{id}.total", grading.total.sql, scale=grading.total.scale))
            if self.wanted.scores:
                for name, score in grading.scores().items():
                    found.append(Output(f"{id}.{name}", score.sql, scale=score.scale))
            if grading.level is not None:
                found.append(Output(f"{id}.level", grading.level.sql))
        return found

    def _outcomes(self) -> list[Output]:
        found = []
        for id in self.ids:
            found.append(Output(f"{id}.status", self.programmes.status(id), STATUSES))
            if self.wanted.reasons:
                reason = self.programmes.reason(id)
                labels = self.programmes.criteria(id) or ("none",)
                sql = reason if reason is not None else exp.cast(exp.Null(), "TINYINT")
                found.append(Output(f"{id}.reason", sql, labels))
            if self.wanted.benefits:
                found += self._money(id)
        return found

    def _money(self, id: str) -> list[Output]:
        found = []
        amounts = self.programmes.amounts(id)
        eligible = self.programmes.eligible(self.programmes.machine.aliases.get(id, id))
        if amounts is not None and amounts.sums and eligible is not None:
            scale = max(s.scale for s in amounts.sums.values())
            units = tuple(amounts.sums)
            paid, unit = [], []
            for number, (name, total) in enumerate(amounts.sums.items()):
                when = all_of([eligible.copy(), amounts.single(name)])
                value: Any = exp.cast(total.sql.copy(), "BIGINT")
                if total.scale < scale:
                    value = exp.Mul(this=value, expression=constant(10 ** (scale - total.scale)).sql)
                paid.append((when, value))
                unit.append((when.copy(), exp.cast(exp.Literal.number(number), "TINYINT")))
            # Hundredths even where the figures are whole, so that a column keeps its type from run to run.
            scale, by = max(scale, 2), 10 ** max(2 - scale, 0)
            amount = cases(
                [(c, exp.Mul(this=exp.paren(v), expression=constant(by).sql) if by > 1 else v) for c, v in paid]
            )
            found.append(Output(f"{id}.amount", self.sheet.define(amount), scale=scale))
            if len(units) > 1:
                found.append(Output(f"{id}.unit", self.sheet.define(cases(unit)), units))
        dropped = self.programmes.dropped_for(id)
        if dropped is not None:
            found.append(Output(f"{id}.dropped_for", dropped[0], dropped[1]))
        return found

    # -- rows that cannot be used --------------------------------------------------------------------------
    def _faults(self) -> list[Fault]:
        found: list[Fault] = []
        on = self.ruleset.on
        for used in self.inputs.used.values():
            holds = used.fault(self.sheet.input(used.name))
            if holds is not None:
                shown = None if used.personal else used.name
                plain = used.type in ("integer", "decimal") and not used.numbers
                within = (used.name, used.low, used.high) if plain else None
                zh, en = "不是允许的值", "not an allowed value"
                found.append(Fault(used.name, holds, used.allowed, zh, en, shown, within))
            elif used.name.endswith(".date") or used.name == "birth_date":
                late = exp.GT(this=self.sheet.input(used.name), expression=day(on))
                zh, en = ("出生日期", "born") if used.name == "birth_date" else ("评估日期", "assessed")
                zh, en = f"{zh}晚于认定日期", f"{en} after the day asked about"
                found.append(Fault(used.name, late, f"<= {on}", zh, en, None, (used.name, None, on)))
        for id, grading in self.gradings.items():
            both = grading.conflict()
            if both is not None:
                found.append(
                    Fault(
                        f"{id}.level",
                        both,
                        None,
                        "答案与等级须且只须给出其一",
                        "gives both answers and a grade; give one",
                    )
                )
            given = [is_known(a.sql) for a in grading.answers.values()]
            for name, column, fact in grading.derived:
                beyond = _outside(column, fact)
                if beyond is not None and given:
                    holds = all_of([any_of([g.copy() for g in given]), beyond])
                    found.append(
                        Fault(name, holds, fact.allowed(), "推算的值超出范围", "the derived value is out of range")
                    )
        for name, given_, derived in self.people.twice:
            differs = compare("<>", given_, derived)
            en = "contradicts the value derived from other facts"
            found.append(Fault(name, differs, None, "与推算的值不一致", en, name))
        for name, column in self.people.derived.items():
            beyond = _outside(column, self.book.facts[name])
            if beyond is not None:
                allowed = self.book.facts[name].allowed()
                found.append(Fault(name, beyond, allowed, "推算的值超出范围", "the derived value is out of range"))
        return found

    @property
    def bad(self) -> Any:
        """The condition under which a row is refused."""
        return bad_of(self.sheet, self.faults)

    # -- as SQL --------------------------------------------------------------------------------------------
    def sql(self, table: str, dialect: str, extra: Iterable[str] = ()) -> str:
        """The whole plan as one SELECT, rows that are refused left out, with names at the edge."""
        wanted = {name: self.sheet.input(name) for name in extra}
        wanted |= {output.name: named(output) for output in self.outputs}
        return self.sheet.sql(wanted, table, dialect, where=exp.not_(self.bad) if self.faults else None)


def bad_of(sheet: Sheet, faults: Iterable[Fault]) -> Any:
    """Whether any of some faults holds."""
    return sheet.define(any_of([exp.Coalesce(this=f.holds.copy(), expressions=[exp.false()]) for f in faults]))


def named(output: Output) -> Any:
    """An output as SQL with its names."""
    if output.labels is not None:
        return cases([(exp.EQ(this=output.sql.copy(), expression=exp.Literal.number(n)), text(label))
                      for n, label in enumerate(output.labels)])  # fmt: skip
    if output.scale:
        decimal = exp.cast(output.sql.copy(), "DECIMAL(18, 0)")
        unit = exp.cast(exp.Literal.number(f"0.{'0' * (output.scale - 1)}1"), f"DECIMAL(10, {output.scale})")
        return exp.cast(exp.paren(exp.Mul(this=decimal, expression=unit)), f"DECIMAL(18, {output.scale})")
    return output.sql


def _outside(column: Column, fact: Any) -> Any:
    if not fact.range or column.type not in ("integer", "decimal"):
        return None
    low, high = (constant(b) for b in fact.range)
    return any_of([compare("<", column, low), compare(">", column, high)])


def plan_for(
    book: Rulebook,
    place: str,
    on: dt.date,
    have: Iterable[str],
    wanted: Wanted | None = None,
    known_on: dt.date | None = None,
) -> Plan:
    """The plan of a place on a day for a file with some columns."""
    return Plan(book.at(place, on, known_on), have, wanted)
