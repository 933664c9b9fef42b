"""An instrument as column formulas: answers -> scores -> level, as `assessment.scoring` does it for one person."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlglot import exp

from yyassess.conditions.sql import (
    Column,
    all_of,
    any_of,
    condition_sql,
    constant,
    is_known,
    is_number,
    is_unknown,
    possibly,
    scaled,
    text,
    unknown,
    value_sql,
    whole,
    whole_type,
)
from yyassess.conditions.tree import Node, facts_of
from yyassess.population.columns import Inputs, PlanError, options_of
from yyassess.population.steps import Steps, cases, small
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Instrument, Item


class Grading:
    """The formulas of one instrument for a file that has some of its columns."""

    def __init__(self, book: Rulebook, inputs: Inputs, id: str) -> None:
        self.it: Instrument = book.instrument(id)
        self.book, self.inputs, self.sheet = book, inputs, inputs.sheet
        self.trees: Mapping[str, Node] = book.trees.get(id, {})
        #: What conditions see, by name; what sums add, by name; where an item is not asked.
        self.names: dict[str, Column] = {}
        self.points: dict[str, Column] = {}
        self.skipped: dict[str, Any] = {}
        self.settings = {s.id: book.settings.get(id, {}).get(s.id, s.default) for s in self.it.settings}
        self.answers: dict[str, Any] = {}
        #: Facts worked out for the day of the assessment, with their definitions.
        self.derived: list[tuple[str, Column, Any]] = []
        self.day = inputs.day(self.it)
        self._facts()
        self._settings()
        self._items()
        self.blocked = bool(self.it.licence.switch) and self.settings.get(self.it.licence.switch or "") is not True
        #: Where an override decides without any item.
        self.skipping: Any = exp.false()
        computed = self._computed()
        entered = inputs.level(self.it)
        self.entered = entered
        self.level = self._level(computed, entered)
        self.total = self._score("total")

    # -- what is given -------------------------------------------------------------------------------------
    def _facts(self) -> None:
        recorded = [f.fact for group in self.it.record for f in group.facts]
        assume = {u.fact: u.if_not_given for u in self.it.context if u.if_not_given is not None}
        for name in dict.fromkeys([*(use.fact for use in self.it.context), *recorded]):
            fact = self.book.facts[name]
            column = self._then(name, fact) if fact.derive else self.inputs.fact(name)
            assumed = fact.read(assume[name]) if name in assume else None
            if assumed is not None:
                column = self._assumed(fact, column, assumed)
            if column is not None:
                self.names[name] = column
            numbers = {code: c.number for code, c in fact.codes.items() if c.number is not None}
            if numbers and column is not None:
                self.points[name] = self._coded(column, numbers)

    def _then(self, name: str, fact: Any) -> Column | None:
        """A derived fact on the day of the assessment: worked out where it can be, else as given."""
        given = self.inputs.fact(name)
        needs = [n for n in facts_of(self.book.trees["programmes"][fact.derive]) if n != "on_day"]
        known = {n: c for n in needs if (c := self.inputs.fact(n)) is not None}
        if not known:
            return given
        names = {**known, "on_day": Column(self.day, "date")}
        value = value_sql(self.book.trees["programmes"][fact.derive], names)
        derived = self.sheet.define(value.sql)
        if is_number(value):
            self.derived.append((name, Column(derived, value.type, value.low, value.high, value.scale), fact))
        if given is None:
            return Column(derived, value.type, value.low, value.high, value.scale)
        if is_number(value):
            wide = Column(derived, value.type, min(value.low, given.low), max(value.high, given.high), value.scale)
            derived = exp.Coalesce(this=derived, expressions=[exp.cast(given.sql, wide.stored)])
            return Column(self.sheet.define(derived), wide.type, wide.low, wide.high, wide.scale)
        return Column(self.sheet.define(exp.Coalesce(this=derived, expressions=[given.sql])), value.type)

    def _assumed(self, fact: Any, column: Column | None, assumed: Any) -> Column:
        if fact.type == "codes":
            return Column(column.sql if column else exp.Null(), "codes", assumed=assumed)
        if isinstance(assumed, bool):
            value = Column(exp.true() if assumed else exp.false(), "boolean")
        elif isinstance(assumed, (int, Decimal)):
            value = constant(assumed, fact.decimals if fact.type == "decimal" else 0)
        else:
            value = Column(text(str(assumed)), fact.type)
        if column is None:
            return value
        sql = self.sheet.define(exp.Coalesce(this=column.sql, expressions=[value.sql]))
        return Column(sql, column.type, column.low, column.high, column.scale)

    def _settings(self) -> None:
        for setting in self.it.settings:
            value = self.settings[setting.id]
            if value is None:
                continue
            if isinstance(value, bool):
                self.names[setting.id] = Column(exp.true() if value else exp.false(), "boolean")
            elif isinstance(value, (int, Decimal)):
                self.names[setting.id] = constant(value)
            else:
                self.names[setting.id] = Column(text(str(value)), "code")

    def _items(self) -> None:
        items = [item for d in self.it.dimensions for item in d.items]
        for item in items:
            column = self.inputs.item(self.it, item)
            if column is not None:
                self.names[item.id] = self.answers[item.id] = column
        for item in items:
            if item.applies_when:
                hides = exp.not_(exp.paren(possibly(condition_sql(self.trees[item.applies_when], self.names))))
                self.skipped[item.id] = hidden = self.sheet.define(hides)
                answer = self.names.get(item.id)
                if answer is not None:
                    kept = exp.Case().when(exp.not_(hidden), answer.sql.copy())
                    sql = self.sheet.define(kept)
                    self.names[item.id] = Column(sql, answer.type, answer.low, answer.high, answer.scale)
        for item in items:
            self._points(item)
        self.names["missing_items"] = self._missing(items)

    def _points(self, item: Item) -> None:
        answer = self.names.get(item.id)
        if answer is None:
            return
        if item.range is not None or answer.type != "code":
            self.points[item.id] = answer
            return
        scores = {o.id: o.score for o in options_of(self.it, item) if o.id is not None and o.score is not None}
        if scores:
            self.points[item.id] = self._coded(answer, scores)

    def _coded(self, column: Column, numbers: Mapping[str, Any]) -> Column:
        """What each code is worth."""
        scale = max(constant(n).scale for n in numbers.values())
        worth = {code: scaled(n, scale) for code, n in numbers.items()}
        stored = whole_type(min(worth.values()), max(worth.values()))
        case = exp.Case()
        for code, number in worth.items():
            case = case.when(exp.EQ(this=column.sql.copy(), expression=text(code)), exp.cast(whole(number), stored))
        kind: Any = "decimal" if scale else "integer"
        return Column(self.sheet.define(case), kind, min(worth.values()), max(worth.values()), scale)

    def _missing(self, items: list[Item]) -> Column:
        """How many required items lack an answer."""
        terms, fixed = [], 0
        there: list[Any] = []
        for item in items:
            if item.optional:
                continue
            answer, hidden = self.answers.get(item.id), self.skipped.get(item.id)
            if answer is None and hidden is None:
                fixed += 1
                continue
            lacks = is_unknown(answer.sql) if answer is not None else exp.true()
            if hidden is not None:
                lacks = all_of([lacks, exp.not_(hidden.copy())])
            terms.append(exp.Case().when(lacks, small(1)).else_(small(0)))
            there.append(exp.not_(exp.paren(lacks.copy())))
        # Truths are cheaper than counts, which few conditions ask for.
        self.complete = self.sheet.define(all_of(there)) if fixed == 0 else exp.false()
        total: Any = exp.cast(whole(fixed), "SMALLINT")
        for term in terms:
            total = exp.Add(this=total, expression=exp.cast(term, "SMALLINT"))
        return Column(self.sheet.define(total), "integer", 0, len(items))

    # -- what follows --------------------------------------------------------------------------------------
    def _computed(self) -> Column | None:
        """The final level from the answers, or nothing where the instrument yields none."""
        overrides = any(a.without_items for a in self.it.adjustments)
        if self.blocked or not (self.answers or overrides):
            return None
        Steps(self).run()
        if self.it.grade is None:
            return None
        preliminary = self.points.get(self.it.grade)
        if preliminary is None:
            preliminary = Column(unknown("TINYINT"), "integer")
        self.names["preliminary_level"] = preliminary
        low = min(level.level for level in self.it.levels)
        top = max(level.level for level in self.it.levels)
        level = self.sheet.define(self._adjusted(preliminary, top))
        if self.it.kind != "screening":
            # A brief screen may stop at the first positive answer; a standard is graded from all its items.
            counts = any_of([self.complete, self.skipping.copy()])
            level = self.sheet.define(exp.Case().when(counts, level.copy()))
        return Column(level, "integer", min(low, 0), top)

    def _adjusted(self, preliminary: Column, top: int) -> Any:
        """The level after the adjustments: overrides first, then what raises, as `Scorer._adjust`."""
        holds = {a.id: self.sheet.define(condition_sql(self.trees[a.when], self.names)) for a in self.it.adjustments}
        raising = [a for a in self.it.adjustments if a.raise_by]
        if any((a.raise_by or 0) < 0 for a in raising):
            raise PlanError(f"{self.it.id}: an adjustment that lowers a level cannot be run for a population")
        branches: list[tuple[Any, Any]] = []
        setting = [a for a in self.it.adjustments if a.set_level is not None]
        known = self.sheet.define(is_known(preliminary.sql))
        skips: list[tuple[Any, Any]] = []
        for adjustment in setting:
            condition = holds[adjustment.id].copy()
            if not adjustment.without_items:
                condition = all_of([condition, known.copy()])
            branches.append((condition, small(adjustment.set_level or 0)))
            skips.append((condition.copy(), exp.true() if adjustment.without_items else exp.false()))
        if any(a.without_items for a in setting):
            self.skipping = self.sheet.define(cases(skips, exp.false()))
        open_ = [is_unknown(holds[a.id]) for a in setting]
        if open_:
            branches.append((any_of(open_), unknown("TINYINT")))
        if not raising:
            return cases(branches, exp.cast(preliminary.sql.copy(), "TINYINT"))
        sure = self._raise([(a.raise_by or 0, holds[a.id].copy()) for a in raising])
        may = self._raise([(a.raise_by or 0, possibly(holds[a.id].copy())) for a in raising])
        after = self.sheet.define(self._capped(preliminary, sure, top))
        most = self.sheet.define(self._capped(preliminary, may, top))
        branches.append((exp.EQ(this=after.copy(), expression=most), after.copy()))
        return cases(branches)

    def _raise(self, by: list[tuple[int, Any]]) -> Any:
        """How many levels some rules raise together: by the largest, or by all."""
        if self.it.raise_once:
            levels = sorted({n for n, _ in by}, reverse=True)
            branches = [(any_of([c for n, c in by if n == level]), small(level)) for level in levels]
            return self.sheet.define(cases(branches, small(0)))
        total: Any = small(0)
        for number, condition in by:
            total = exp.Add(this=total, expression=cases([(condition, small(number))], small(0)))
        return self.sheet.define(total)

    def _capped(self, preliminary: Column, raised: Any, top: int) -> Any:
        level = exp.Add(this=exp.cast(preliminary.sql.copy(), "TINYINT"), expression=raised)
        over = exp.GT(this=level.copy(), expression=whole(top))
        return exp.Case().when(over, small(top)).else_(level)

    def _level(self, computed: Column | None, entered: Column | None) -> Column | None:
        if computed is None or entered is None:
            return computed or entered
        sql = exp.Coalesce(this=exp.cast(entered.sql, "TINYINT"), expressions=[computed.sql.copy()])
        low, high = min(computed.low, entered.low), max(computed.high, entered.high)
        return Column(self.sheet.define(sql), "integer", low, high)

    def conflict(self) -> Any:
        """Where a row gives both answers and a grade."""
        if self.entered is None or not self.answers:
            return None
        given = any_of([is_known(a.sql) for a in self.answers.values()])
        return all_of([is_known(self.entered.sql), given])

    def code(self) -> Column | None:
        """The result code that goes with the level."""
        if self.level is None:
            return None
        branches = [
            (exp.EQ(this=self.level.sql.copy(), expression=whole(level.level)), text(level.code))
            for level in self.it.levels
        ]
        return Column(self.sheet.define(cases(branches)), "code")

    def _score(self, id: str) -> Column | None:
        """A score of the result: a step that is reported, or a total that was entered."""
        if self.blocked or not self.answers:
            return None
        reported = {s.id for s in self.it.steps if s.report} | {
            i.id for d in self.it.dimensions for i in d.items if i.range
        }
        score = self.points.get(id) if id in reported else None
        if score is None or isinstance(self.skipping, exp.Boolean):
            return score
        kept = exp.Case().when(exp.not_(self.skipping.copy()), score.sql.copy())
        return Column(self.sheet.define(kept), score.type, score.low, score.high, score.scale)

    def scores(self) -> dict[str, Column]:
        """Every reported score but the total, by name."""
        names = [s.id for s in self.it.steps if s.report and s.id != "total"]
        found = {name: self._score(name) for name in names}
        return {name: score for name, score in found.items() if score is not None}
