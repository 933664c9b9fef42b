"""An instrument as formulas: complete answer sheets, every scoring step, adjustments and the final level.

The steps follow `yyassess.assessment.steps` one by one; tests hold the two against each other on random sheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from yyassess.assessment.deployment import licensed
from yyassess.assessment.scoring import Scorer, scorer
from yyassess.assessment.steps import items_of
from yyassess.conditions.smt import (
    Encoder,
    Symbol,
    choose,
    code_id,
    compare,
    conj,
    constant,
    disj,
    need_z3,
    neg,
)
from yyassess.conditions.tree import Node
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Band, Count, Matrix, Mean, Mode, Rules, Sum, Worst

CONTEXT_TYPES = ("boolean", "code", "codes", "integer")


@dataclass(frozen=True)
class Answer:
    """An item of a sheet: which answer is chosen (its place in the list), what it is worth, whether it applies."""

    choice: Any
    size: int
    points: Any
    """Its score, or ``None`` where options have no scores."""
    asked: Any


class Sheet:
    """One complete answer sheet of an instrument, as symbols; ``mark`` tells two sheets apart."""

    def __init__(self, book: Rulebook, id: str, mark: str = "", like: Sheet | None = None) -> None:
        self.z3 = need_z3()
        self.book, self.it, self.mark, self.like = book, book.instruments[id], mark, like
        self.machine: Scorer = scorer(licensed(book, id), id)
        self.trees: Mapping[str, Node] = book.trees.get(id, {})
        self.limits: list[Any] = []
        self.symbols: dict[str, Symbol] = {}
        self.points: dict[str, Symbol] = {}
        self.skipped: dict[str, Any] = {}
        self.encoder = Encoder(self.symbol)
        self.value_of: Symbol | None = None
        self.answers: dict[str, Answer] = {}
        self._context()
        self._items()
        for step in self.it.steps:
            found = self._step(step)
            self.symbols[step.id] = self.points[step.id] = found
        self.preliminary = self.points[self.it.grade] if self.it.grade else Symbol(0, False)
        self.symbols["preliminary_level"] = self.preliminary
        self.level = self._adjusted()

    def symbol(self, name: str) -> Symbol:
        """A name of the instrument's conditions."""
        return self.symbols[name]

    def yes(self, when: str) -> Any:
        """That a condition, as written, is true."""
        return self.encoder.yes(self.trees[when])

    # -- what is given --------------------------------------------------------------------------------------------
    def _context(self) -> None:
        z3, it = self.z3, self.it
        for name in self.machine.facts:
            if self.like is not None:
                self.symbols[name] = self.like.symbols[name]
            else:
                self._fact(name)
            counts = self.machine.reader.counts.get(name)
            if counts:
                value: Any = 0
                for code, number in counts.items():
                    value = choose(self.symbols[name].value == code_id(code), number or 0, value)
                known = disj(self.symbols[name].value == code_id(c) for c, n in counts.items() if n is not None)
                self.points[name] = Symbol(value, known)
        for setting in it.settings:
            if self.like is not None:
                self.symbols[setting.id] = self.like.symbols[setting.id]
                continue
            values = list(setting.choices)
            if all(isinstance(v, bool) for v in values):
                self.symbols[setting.id] = Symbol(z3.Bool(f"setting {setting.id}{self.mark}"))
                continue
            variable = z3.Real(f"setting {setting.id}{self.mark}")
            ids = [constant(v if isinstance(v, (int, Decimal)) else str(v)) for v in values]
            self.limits.append(z3.Or([variable == i for i in ids]))
            self.symbols[setting.id] = Symbol(variable)

    def _fact(self, name: str) -> None:
        z3, fact, key = self.z3, self.machine.facts[name], f"fact {name}{self.mark}"
        if fact.type == "boolean":
            self.symbols[name] = Symbol(z3.Bool(key))
        elif fact.type == "codes":
            self.symbols[name] = Symbol({code: z3.Bool(f"{key} has {code}") for code in fact.codes})
        else:
            variable = z3.Int(key)
            if fact.codes:
                self.limits.append(z3.Or([variable == code_id(code) for code in fact.codes]))
            elif fact.range:
                self.limits += [variable >= fact.range[0], variable <= fact.range[1]]
            self.symbols[name] = Symbol(variable)

    def _items(self) -> None:
        z3 = self.z3
        for id, question in self.machine.questions.items():
            choice = z3.Int(f"{id}{self.mark}")
            if question.range is not None:
                scale = 10**question.item.decimals
                low, high = question.range
                self.limits += [choice >= low * scale, choice <= high * scale]
                points: Any = choice if scale == 1 else z3.ToReal(choice) / scale
                value, size = points, (high - low) * scale + 1
            else:
                answers = list(question.points)
                size = len(answers)
                self.limits += [choice >= 0, choice < size]
                value = _pick(choice, [constant(a) for a in answers])
                scores = list(question.points.values())
                points = None if None in scores else _pick(choice, [constant(s) for s in scores])
            self.answers[id] = Answer(choice, size, points, True)
            self.symbols[id] = Symbol(value)
            self.points[id] = Symbol(0, False) if points is None else Symbol(points)
        self.symbols["missing_items"] = Symbol(0)
        self.symbols["raise_triggers"] = Symbol(0)
        for item in [i for d in self.it.dimensions for i in d.items if i.applies_when]:
            truth = self.encoder.truth(self.trees[str(item.applies_when)])
            self.encoder = Encoder(self.symbol)
            self.skipped[item.id] = truth.no
            symbol, points_symbol = self.symbols[item.id], self.points[item.id]
            asked = neg(truth.no)
            self.symbols[item.id] = Symbol(symbol.value, asked)
            self.points[item.id] = Symbol(points_symbol.value, conj((points_symbol.known, asked)))
            self.answers[item.id] = Answer(
                self.answers[item.id].choice, self.answers[item.id].size, self.answers[item.id].points, asked
            )

    # -- steps ------------------------------------------------------------------------------------------------------
    def _step(self, step: Any) -> Symbol:
        makers: dict[Any, Any] = {
            Sum: self._sum,
            Mean: self._mean,
            Count: self._count,
            Worst: self._extreme,
            Band: self._band,
            Matrix: self._matrix,
            Rules: self._rules,
            Mode: self._mode,
        }
        found: Symbol = makers[type(step)](step)
        return found

    def _sum(self, step: Sum) -> Symbol:
        total: Any = 0
        known: list[Any] = []
        parts: list[tuple[str, int | None]] = [(name, None) for name in (*items_of(step, self.it), *step.of)]
        if step.reverse:
            parts += [(name, step.reverse.minuend) for name in step.reverse.items]
        for name, minuend in parts:
            points, skipped = self.points[name], self.skipped.get(name, False)
            worth = points.value if minuend is None else minuend - points.value
            total = total + choose(skipped, 0, worth)
            known.append(disj((points.known, skipped)))
        for bonus in step.bonus:
            truth = self.encoder.truth(self.trees[bonus.when])
            total = total + choose(truth.yes, constant(bonus.add), 0)
            known.append(disj((truth.yes, truth.no)))
        if step.at_least is not None:
            low = constant(step.at_least)
            total = choose(compare("<", total, low), low, total)
        if step.at_most is not None:
            high = constant(step.at_most)
            total = choose(compare(">", total, high), high, total)
        return Symbol(total, conj(known))

    def _mean(self, step: Mean) -> Symbol:
        """Answered items only; with all answered, their number is fixed unless some do not apply."""
        z3, names = self.z3, items_of(step, self.it)
        scale = 10**step.decimals
        result: Any = 0
        total: Any = 0
        number: Any = 0
        for name in names:
            counted = neg(self.skipped.get(name, False))
            total = total + choose(counted, self.points[name].value, 0)
            number = number + choose(counted, 1, 0)
        needed = max(step.answered if step.answered is not None else len(names), 1)
        for size in range(needed, len(names) + 1):
            exact = z3.ToReal(total) * scale / size if z3.is_int(total) else total * scale / size
            up = z3.ToInt(exact + z3.Q(1, 2))
            down = -z3.ToInt(-exact + z3.Q(1, 2))
            mean = z3.ToReal(choose(compare(">=", exact, 0), up, down)) / scale
            result = choose(compare("=", number, size), mean, result)
        return Symbol(result, compare(">=", number, needed))

    def _count(self, step: Count) -> Symbol:
        total: Any = 0
        known: list[Any] = []
        for name in items_of(step, self.it):
            truth = self._of_item(name, step.when)
            skipped = self.skipped.get(name, False)
            total = total + choose(conj((truth.yes, neg(skipped))), 1, 0)
            known.append(disj((truth.yes, truth.no, skipped)))
        return Symbol(total, conj(known))

    def _of_item(self, name: str, when: str) -> Any:
        """A condition on ``value``, asked of one item."""
        before = self.symbols.get("value")
        self.symbols["value"] = self.symbols[name]
        truth = Encoder(self.symbol).truth(self.trees[when])
        if before is None:
            del self.symbols["value"]
        return truth

    def _extreme(self, step: Worst) -> Symbol:
        parts = [self.points[name] for name in step.of]
        result = parts[0].value
        for part in parts[1:]:
            better = compare(">" if step.pick == "most" else "<", part.value, result)
            result = choose(better, part.value, result)
        return Symbol(result, conj(p.known for p in parts))

    def _band(self, step: Band) -> Symbol:
        of = self.points[step.of]
        result: Any = step.cuts[0].level
        for cut in step.cuts:
            result = choose(compare(">=", of.value, constant(cut.at)), cut.level, result)
        return Symbol(result, conj((of.known, compare(">=", of.value, constant(step.cuts[0].at)))))

    def _matrix(self, step: Matrix) -> Symbol:
        row, column = self.points[step.rows], self.points[step.columns]
        result: Any = 0
        inside: list[Any] = []
        for r, cells in enumerate(step.cells):
            for c, level in enumerate(cells):
                here = conj((compare("=", row.value, r), compare("=", column.value, c)))
                inside.append(here)
                result = choose(here, level, result)
        return Symbol(result, conj((row.known, column.known, disj(inside))))

    def _rules(self, step: Rules) -> Symbol:
        lines = [
            (Encoder(self.symbol).truth(self.trees[r.when]) if r.when is not None else None, self._worth(r.value))
            for r in step.rules
        ]
        result = lines[-1][1]
        for number in range(len(lines) - 2, -1, -1):
            truth, worth = lines[number]
            assert truth is not None
            open_ = conj((neg(truth.yes), neg(truth.no)))
            alike = self._all_alike(worth, lines[number + 1 :]) if open_ is not False else True
            value = choose(truth.no, result.value, worth.value)
            known = disj(
                (
                    conj((truth.yes, worth.known)),
                    conj((truth.no, result.known)),
                    conj((open_, worth.known, alike)),
                )
            )
            result = Symbol(value, known)
        return result

    @staticmethod
    def _all_alike(worth: Symbol, rest: list[Any]) -> Any:
        """That every later line that may apply, down to the first that certainly does, gives the same."""
        alike: Any = True
        for truth, other in reversed(rest):
            same = conj((other.known, compare("=", other.value, worth.value)))
            further = alike if truth is None else choose(truth.no, alike, conj((same, alike)))
            alike = same if truth is None else choose(truth.yes, same, further)
        return alike

    def _worth(self, value: Any) -> Symbol:
        if isinstance(value, str):
            return Symbol(0, False) if value == "unknown" else self.points[value]
        return Symbol(constant(value))

    def _mode(self, step: Mode) -> Symbol:
        centre = self.points[step.tie_nearest]
        values = sorted({s for n in step.items for s in self.machine.questions[n].points.values() if s is not None})
        holds = {n: self._of_item(n, step.when).yes for n in step.items}
        counts: list[Any] = []
        for value in values:
            number: Any = 0
            for name in step.items:
                chosen = conj((holds[name], compare("=", self.points[name].value, constant(value))))
                number = number + choose(chosen, 1, 0)
            counts.append(number)
        away = [self._distance(constant(v), centre.value) for v in values]
        result: Any = constant(values[0])
        for n, value in enumerate(values):
            best = conj(
                disj(
                    (
                        compare(">", counts[n], counts[m]),
                        conj((compare("=", counts[n], counts[m]), compare("<", away[n], away[m]))),
                        conj((compare("=", counts[n], counts[m]), compare("=", away[n], away[m]), n <= m)),
                    )
                )
                for m in range(len(values))
            )
            result = choose(best, constant(value), result)
        known = [self.points[n].known for n in step.items]
        return Symbol(result, conj((*known, centre.known, disj(holds.values()))))

    @staticmethod
    def _distance(a: Any, b: Any) -> Any:
        return choose(compare(">=", a, b), a - b, b - a)

    # -- the final level ----------------------------------------------------------------------------------------------
    def _adjusted(self) -> Symbol:
        """The level after all adjustments; context facts are known here, so none of them is open."""
        it = self.it
        if not it.grade:
            return Symbol(0, False)
        truths = [(a, self.yes(a.when)) for a in it.adjustments]
        raising: Any = 0
        for adjustment, truth in truths:
            if adjustment.raise_by:
                if it.raise_once:
                    larger = conj((truth, compare(">", adjustment.raise_by, raising)))
                    raising = choose(larger, adjustment.raise_by, raising)
                else:
                    raising = raising + choose(truth, adjustment.raise_by, 0)
        top = self.machine.top
        raised = self.preliminary.value + raising
        level = choose(conj((compare(">", raising, 0), compare(">", raised, top))), top, raised)
        number: Any = 0
        for adjustment, truth in truths:
            number = number + (choose(truth, 1, 0) if adjustment.raise_by else 0)
        self.symbols["raise_triggers"] = Symbol(number)
        self.encoder = Encoder(self.symbol)
        known = self.preliminary.known
        for adjustment, truth in reversed(truths):
            if adjustment.set_level is not None:
                level = choose(truth, adjustment.set_level, level)
                known = disj((known, truth)) if adjustment.without_items else known
        return Symbol(level, known)

    # -- sheets as requests ---------------------------------------------------------------------------------------------
    def request(self, model: Any) -> dict[str, Any]:
        """The sheet of a model as a request for ``assess``."""
        z3 = self.z3

        def of(expression: Any) -> Any:
            return model.eval(expression, model_completion=True)

        answers: dict[str, Any] = {}
        for id, question in self.machine.questions.items():
            answer = self.answers[id]
            if answer.asked is not True and not z3.is_true(of(answer.asked)):
                continue
            place = of(answer.choice).as_long()
            if question.range is not None:
                answers[id] = place if not question.item.decimals else place / 10**question.item.decimals
            else:
                given = list(question.points)[place]
                answers[id] = float(given) if isinstance(given, Decimal) else given
        found: dict[str, Any] = {"answers": answers}
        asked = [use.fact for use in self.it.context]
        context = {n: self._given(n, of) for n in asked if self.machine.facts[n].type in CONTEXT_TYPES}
        if context:
            found["context"] = context
        settings = {s.id: self._setting(s, of) for s in self.it.settings if not s.deployment}
        if self.it.licence.switch:
            settings[self.it.licence.switch] = True
        if settings:
            found["settings"] = settings
        return found

    def _given(self, name: str, of: Any) -> Any:
        fact, symbol = self.machine.facts[name], self.symbols[name]
        if fact.type == "codes":
            return [code for code, bit in symbol.value.items() if self.z3.is_true(of(bit))]
        if fact.type == "boolean":
            return self.z3.is_true(of(symbol.value))
        number = of(symbol.value).as_long()
        return next((code for code in fact.codes if code_id(code) == number), number)

    def _setting(self, setting: Any, of: Any) -> Any:
        value = of(self.symbols[setting.id].value)
        if all(isinstance(c, bool) for c in setting.choices):
            return self.z3.is_true(value)
        for choice in setting.choices:
            number = constant(choice if isinstance(choice, (int, Decimal)) else str(choice))
            if self.z3.is_true(self.z3.simplify(value == number)):
                return float(choice) if isinstance(choice, Decimal) else choice
        raise AssertionError(setting.id)  # pragma: no cover - the variable is limited to the choices


def _pick(choice: Any, values: list[Any]) -> Any:
    """The value at a place of a list; a straight line where it is one, which is easier to reason about."""
    if all(isinstance(v, int) for v in values):
        steps = {b - a for a, b in pairwise(values)}
        if len(steps) == 1:
            return choice * steps.pop() + values[0]
    result = values[-1]
    for place in range(len(values) - 2, -1, -1):
        result = choose(compare("=", choice, place), values[place], result)
    return result
