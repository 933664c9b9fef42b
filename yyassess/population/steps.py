"""The scoring steps of an instrument as column formulas, one kind of step a function, as `assessment.steps`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from yyassess.assessment.steps import items_of
from yyassess.conditions.sql import (
    Column,
    Value,
    aligned,
    all_of,
    any_of,
    arithmetic,
    compare,
    condition_sql,
    constant,
    extreme,
    is_known,
    is_unknown,
    rescaled,
    unknown,
    whole,
    whole_type,
    widened,
)
from yyassess.population.columns import PlanError
from yyassess.rulebook.instrument import Band, Count, Matrix, Mean, Mode, Rules, Sum, Worst

if TYPE_CHECKING:
    from yyassess.population.scoring import Grading

#: Answers that lie further apart than this make a mode too long to write out.
MAX_SPAN = 64


def small(number: int) -> Any:
    """A small whole number with its type."""
    return exp.cast(whole(number), whole_type(number, number))


def cases(branches: Sequence[tuple[Any, Any]], default: Any = None) -> Any:
    """CASE WHEN … without the branches that never or always hold."""
    case = exp.Case()
    used = False
    for condition, value in branches:
        if isinstance(condition, exp.Boolean):
            if not condition.this:
                continue
            default = value
            break
        case, used = case.when(condition, value), True
    if not used:
        return default if default is not None else unknown("TINYINT")
    return case.else_(default) if default is not None else case


class Steps:
    """Adds the steps of an instrument to its grading, in the order written."""

    def __init__(self, grading: Grading) -> None:
        self.at, self.sheet, self.it, self.trees = grading, grading.sheet, grading.it, grading.trees
        self.makers: dict[Any, Any] = {
            Sum: self._sum,
            Mean: self._mean,
            Count: self._count,
            Worst: self._extreme,
            Band: self._band,
            Matrix: self._matrix,
            Rules: self._rules,
            Mode: self._mode,
        }

    def run(self) -> None:
        """All steps; a step that needs what the file does not have is not known, and neither is what rests on it."""
        for step in self.it.steps:
            made: Value | None = self.makers[type(step)](step)
            if made is not None:
                column = Column(self.sheet.define(made.sql), made.type, made.low, made.high, made.scale)
                self.at.points[step.id] = self.at.names[step.id] = column

    def holds(self, text: str, value: Column | None = None) -> Any:
        names = {**self.at.names, **({"value": value} if value is not None else {})}
        return condition_sql(self.trees[text], names)

    def counted(self, name: str) -> Value | None:
        """What a name adds to a sum: nothing where the item is not asked."""
        hidden, worth = self.at.skipped.get(name), self.at.points.get(name)
        if hidden is None:
            return worth
        if worth is None:
            return Value(cases([(hidden.copy(), small(0))]), "integer", 0, 0)
        sql = exp.Case().when(hidden.copy(), exp.cast(whole(0), worth.stored)).else_(worth.sql.copy())
        low, high = min(worth.low, 0), max(worth.high, 0)
        return Value(self.sheet.define(sql), worth.type, low, high, worth.scale)

    def _total(self, parts: Sequence[Value]) -> Value:
        """The sum of some numbers in a type that holds every partial sum."""
        parts = aligned(*parts)
        low, high = sum(min(p.low, 0) for p in parts), sum(max(p.high, 0) for p in parts)
        stored = whole_type(low, high)
        total = exp.cast(parts[0].sql, stored) if len(parts) == 1 else widened(parts[0], stored)
        for part in parts[1:]:
            total = exp.Add(this=total, expression=widened(part, stored))
        bounds = sum(p.low for p in parts), sum(p.high for p in parts)
        return Value(total, "decimal" if parts[0].scale else "integer", *bounds, parts[0].scale)

    def _named(self, value: Value) -> Value:
        return Value(self.sheet.define(value.sql), value.type, value.low, value.high, value.scale)

    # -- the kinds -----------------------------------------------------------------------------------------
    def _sum(self, step: Sum) -> Value | None:
        parts: list[Value] = []
        for name in (*items_of(step, self.it), *step.of):
            part = self.counted(name)
            if part is None:
                return None
            parts.append(part)
        for name in step.reverse.items if step.reverse else ():
            part = self._reversed(name, step.reverse.minuend if step.reverse else 0)
            if part is None:
                return None
            parts.append(part)
        for bonus in step.bonus:
            truth = self.sheet.define(self.holds(bonus.when))
            add = constant(bonus.add)
            branches = [(truth.copy(), small(add.low)), (exp.not_(truth.copy()), small(0))]
            low, high = min(0, add.low), max(0, add.high)
            parts.append(self._named(Value(cases(branches), "integer", low, high, add.scale)))
        total = self._named(self._total(parts))
        if step.at_least is not None:
            total = self._named(self._clipped(total, constant(step.at_least), "<"))
        if step.at_most is not None:
            total = self._named(self._clipped(total, constant(step.at_most), ">"))
        return total

    def _reversed(self, name: str, minuend: int) -> Value | None:
        worth, hidden = self.at.points.get(name), self.at.skipped.get(name)
        if worth is None:
            return self.counted(name)
        turned = self._named(arithmetic("-", constant(minuend), worth))
        if hidden is None:
            return turned
        sql = exp.Case().when(hidden.copy(), exp.cast(whole(0), turned.stored)).else_(turned.sql.copy())
        return self._named(Value(sql, turned.type, min(0, turned.low), max(0, turned.high), turned.scale))

    def _clipped(self, value: Value, limit: Value, op: str) -> Value:
        value, limit = aligned(value, limit)
        beyond = compare(op, value, limit)
        low = max(value.low, limit.low) if op == "<" else min(value.low, limit.low)
        high = max(value.high, limit.high) if op == "<" else min(value.high, limit.high)
        stored = whole_type(min(low, value.low), max(high, value.high))
        sql = exp.Case().when(beyond, exp.cast(whole(limit.low), stored)).else_(exp.cast(value.sql.copy(), stored))
        return Value(sql, value.type, min(low, value.low), max(high, value.high), value.scale)

    def _mean(self, step: Mean) -> Value | None:
        items = items_of(step, self.it)
        needed = max(step.answered if step.answered is not None else len(items), 1)
        given, parts = [], []
        for name in items:
            worth, hidden = self.at.points.get(name), self.at.skipped.get(name)
            if worth is None:
                continue
            there = is_known(worth.sql)
            there = all_of([there, exp.not_(hidden.copy())]) if hidden is not None else there
            there = self.sheet.define(there)
            given.append(exp.cast(exp.Case().when(there.copy(), whole(1)).else_(whole(0)), "BIGINT"))
            sql = (
                exp.Case().when(there.copy(), exp.cast(worth.sql.copy(), "BIGINT")).else_(exp.cast(whole(0), "BIGINT"))
            )
            low, high = min(0, worth.low), max(0, worth.high)
            parts.append(Value(self.sheet.define(sql), worth.type, low, high, worth.scale))
        if len(parts) < needed:
            return None
        number: Any = given[0]
        for one in given[1:]:
            number = exp.Add(this=number, expression=one)
        number = self.sheet.define(number)
        parts = [Value(exp.cast(p.sql, "BIGINT"), p.type, p.low, p.high, p.scale) for p in aligned(*parts)]
        total: Any = parts[0].sql
        for part in parts[1:]:
            total = exp.Add(this=total, expression=part.sql)
        total = self.sheet.define(total)
        scale = parts[0].scale
        # Half away from zero, in whole numbers: (2·|sum|·10^d + n·10^s) div (2·n·10^s).
        up = exp.Mul(this=exp.Abs(this=total.copy()), expression=whole(2 * 10**step.decimals))
        below = exp.Mul(this=number.copy(), expression=whole(10**scale))
        lifted = exp.paren(exp.Add(this=exp.paren(up), expression=exp.paren(below)))
        twice = exp.paren(exp.Mul(this=number.copy(), expression=whole(2 * 10**scale)))
        enough = exp.GTE(this=number.copy(), expression=whole(needed))
        quotient = self.sheet.define(exp.Case().when(enough, exp.IntDiv(this=lifted, expression=twice)))
        negative = exp.LT(this=total.copy(), expression=whole(0))
        sql = exp.Case().when(negative, exp.Neg(this=quotient.copy())).else_(quotient.copy())
        bound = (max(max(abs(p.low), abs(p.high)) for p in parts) * 10**step.decimals) // 10**scale + 1
        return Value(exp.cast(sql, whole_type(-bound, bound)), "decimal", -bound, bound, step.decimals)

    def _count(self, step: Count) -> Value | None:
        parts: list[Value] = []
        for name in items_of(step, self.it):
            hidden, value = self.at.skipped.get(name), self.at.names.get(name)
            branches: list[tuple[Any, Any]] = [(hidden.copy(), small(0))] if hidden is not None else []
            if value is None and hidden is None:
                return None
            if value is not None:
                truth = self.sheet.define(self.holds(step.when, value))
                there = is_known(value.sql)
                branches.append((all_of([there, truth.copy()]), small(1)))
                branches.append((all_of([there.copy(), exp.not_(truth.copy())]), small(0)))
            parts.append(self._named(Value(cases(branches), "integer", 0, 1)))
        return self._total(parts)

    def _extreme(self, step: Worst) -> Value | None:
        values = [self.at.points.get(name) for name in step.of]
        if hidden := [n for n in step.of if n in self.at.skipped]:
            raise PlanError(f"{self.it.id}.{step.id}: the extreme of an item that is not always asked ({hidden[0]})")
        if any(v is None for v in values):
            return None
        return extreme(step.pick == "most", [v for v in values if v is not None])

    def _band(self, step: Band) -> Value | None:
        value = self.at.points.get(step.of)
        if value is None:
            return None
        levels = [cut.level for cut in step.cuts]
        branches = [(compare(">=", value, constant(cut.at)), small(cut.level)) for cut in reversed(step.cuts)]
        return Value(
            exp.cast(cases(branches), whole_type(min(levels), max(levels))), "integer", min(levels), max(levels)
        )

    def _matrix(self, step: Matrix) -> Value | None:
        row, column = self.at.points.get(step.rows), self.at.points.get(step.columns)
        if row is None or column is None:
            return None
        width = len(step.cells[0])
        number = arithmetic("+", arithmetic("*", row, constant(width)), column)
        place = self.sheet.define(number.sql)
        levels: dict[int, list[int]] = {}
        for r, line in enumerate(step.cells):
            for c, level in enumerate(line):
                levels.setdefault(level, []).append(r * width + c)
        branches = [
            (exp.In(this=place.copy(), expressions=[whole(n) for n in places]), small(level))
            for level, places in levels.items()
        ]
        return Value(cases(branches), "integer", min(levels), max(levels))

    def _rules(self, step: Rules) -> Value | None:
        """The first line that holds; where a line is not known, only what all lines that may apply agree on."""
        worth: list[Value | None] = []
        for rule in step.rules:
            if isinstance(rule.value, str):
                worth.append(self.at.points.get(rule.value))
            else:
                worth.append(constant(rule.value))
        known = [v for v in worth if v is not None]
        if not known:
            return None
        scale = max(v.scale for v in known)
        known = [rescaled(v, scale) for v in known]
        low, high = min(v.low for v in known), max(v.high for v in known)
        stored = whole_type(low, high)

        def written(value: Value | None) -> Any:
            return unknown(stored) if value is None else exp.cast(rescaled(value, scale).sql, stored)

        result = written(worth[-1])
        for rule, value in reversed(list(zip(step.rules[:-1], worth[:-1], strict=True))):
            truth = self.holds(rule.when or "")
            if isinstance(truth, exp.Boolean):
                result = written(value) if truth.this else result
                continue
            truth, result = self.sheet.define(truth), self.sheet.define(result)
            mine = written(value)
            same = exp.EQ(this=mine.copy(), expression=result.copy())
            branches = [(truth.copy(), mine.copy()), (exp.not_(truth.copy()), result.copy()), (same, mine)]
            result = cases(branches)
        return Value(exp.cast(result, stored), "decimal" if scale else "integer", low, high, scale)

    def _mode(self, step: Mode) -> Value | None:
        """The most frequent answer: counts, nearness and size folded into one number, of which the largest wins."""
        centre = self.at.points.get(step.tie_nearest)
        values = [self.at.points.get(n) for n in step.items]
        if hidden := [n for n in step.items if n in self.at.skipped]:
            raise PlanError(f"{self.it.id}.{step.id}: the mode of an item that is not always asked ({hidden[0]})")
        if centre is None or any(v is None for v in values):
            return None
        centre, *points = aligned(centre, *(v for v in values if v is not None))
        chosen = [self.sheet.define(self.holds(step.when, self.at.names[name])) for name in step.items]
        low, high = min(p.low for p in points), max(p.high for p in points)
        if high - low > MAX_SPAN:
            raise PlanError(f"{self.it.id}.{step.id}: the mode of answers between {low} and {high}")
        width = max(high, centre.high) - min(low, centre.low) + 2
        keys: list[tuple[int, Any]] = []
        for value in range(low, high + 1):
            count: Any = exp.cast(whole(0), "INT")
            for point, holds in zip(points, chosen, strict=True):
                here = all_of([holds.copy(), exp.EQ(this=point.sql.copy(), expression=whole(value))])
                count = exp.Add(this=count, expression=exp.cast(exp.Case().when(here, whole(1)).else_(whole(0)), "INT"))
            count = self.sheet.define(count)
            away = exp.Abs(
                this=exp.paren(
                    exp.Sub(this=exp.cast(centre.sql.copy(), "INT"), expression=exp.cast(whole(value), "INT"))
                )
            )
            key = exp.Sub(
                this=exp.paren(exp.Mul(this=count.copy(), expression=whole(width * width))),
                expression=exp.paren(
                    exp.Add(this=exp.paren(exp.Mul(this=away, expression=whole(width))), expression=whole(value - low))
                ),
            )
            some = exp.GT(this=count.copy(), expression=whole(0))
            keys.append((value, self.sheet.define(exp.Case().when(some, key).else_(exp.cast(whole(-(2**30)), "INT")))))
        best = self.sheet.define(exp.Greatest(this=keys[0][1].copy(), expressions=[k.copy() for _, k in keys[1:]]))
        none = exp.EQ(this=best.copy(), expression=whole(-(2**30)))
        lacks = any_of([is_unknown(centre.sql), *(is_unknown(p.sql) for p in points)])
        branches: list[tuple[Any, Any]] = [(lacks, unknown("TINYINT")), (none, unknown("TINYINT"))]
        branches += [(exp.EQ(this=key.copy(), expression=best.copy()), small(value)) for value, key in keys]
        stored = whole_type(low, high)
        return Value(
            exp.cast(cases(branches), stored), "decimal" if centre.scale else "integer", low, high, centre.scale
        )
