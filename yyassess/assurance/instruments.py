"""Instruments: bands, tables and levels, one worse answer, adjustments, and what is never used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from yyassess.assessment.request import Request
from yyassess.assurance.findings import Evidence, Notebook
from yyassess.assurance.scales import Sheet
from yyassess.assurance.world import PATIENCE
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.smt import compare, conj, constant, disj, neg
from yyassess.conditions.tree import And, Compare, Fact, Literal, Node, facts_of
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Band, Matrix, Rules

#: Settings that steer what may be printed, and are no part of the scoring.
OUTPUT_SETTINGS = ("official_output",)


def check_instrument(book: Rulebook, id: str, notebook: Notebook) -> None:
    """Checks one instrument."""
    _Check(book, id, notebook).run()


@dataclass(frozen=True)
class _Pair:
    """Two neighbouring lines of ordered rules that are ranges of one number."""

    number: int
    step: Rules
    name: str
    one: int
    other: int


class _Check:
    def __init__(self, book: Rulebook, id: str, notebook: Notebook) -> None:
        self.book, self.id, self.notebook = book, id, notebook
        self.it = book.instruments[id]
        self.origin = book.origins[("instrument", id)]
        self.sheet = Sheet(book, id)
        self.levels = [level.level for level in self.it.levels]
        # One solver for all questions: what it learns of the sheet serves the next one, about ten times as fast.
        self.solver = self.sheet.z3.Solver()
        self.solver.set("timeout", PATIENCE)
        self.solver.add(*self.sheet.limits)

    def run(self) -> None:
        for number, step in enumerate(self.it.steps):
            match step:
                case Band():
                    self._band(number, step)
                case Matrix():
                    self._matrix(number, step)
                case Rules():
                    self._lines(number, step)
        self._levels()
        if self.it.monotone and self.it.grade and self.it.higher_score != "neither":
            self._monotone()
        self._adjustments()
        self._never()
        self._unused()

    # -- asking ---------------------------------------------------------------------------------------------------
    def find(self, wanted: Any, *more: Sheet) -> Any:
        """A model of the sheet in which ``wanted`` holds, or ``None``."""
        if wanted is False:
            return None
        solver = self.solver
        solver.push()
        for sheet in more:
            solver.add(*sheet.limits)
        solver.add(wanted)
        answer = solver.check()
        model = solver.model() if answer == self.sheet.z3.sat else None
        solver.pop()
        if answer == self.sheet.z3.unknown:
            self.notebook.count("sampled", "undecided", self.id)
            self.notebook.add("undecided", self.origin, (), self.id, claim=self.id)
        return model

    def evidence(self, model: Any, against: Any = None) -> Evidence:
        """A sheet as a witness."""
        return Evidence(self.sheet.request(model), f"yyassess assess {self.id}", against)

    def add(
        self, code: str, path: tuple[str | int, ...], parts: tuple[str, ...], evidence: Evidence, **fields: Any
    ) -> None:
        self.notebook.add(code, self.origin, path, self.id, parts, evidence, **fields)

    def proved(self, code: str) -> None:
        self.notebook.count("proved", code, self.id)

    def somebody(self) -> Evidence:
        """Any complete sheet, where the fault is that no sheet does something."""
        return self.evidence(self.find(True))

    def points(self, request: dict[str, Any]) -> dict[str, Any]:
        """What every step really gives for a sheet: the reference for the witnesses."""
        return self._computed(request).points

    def record(self, request: dict[str, Any]) -> dict[str, Any]:
        """The names of the conditions, as they really are for a sheet."""
        return self._computed(request).record

    def _computed(self, request: dict[str, Any]) -> Request:
        read = self.sheet.machine.reader.read(request)
        for name, step in self.sheet.machine.steps:
            try:
                read.points[name] = read.record[name] = step(read.record, read.points)
            except IndexError:  # a lookup beside its table: a finding of its own
                read.points[name] = read.record[name] = None
        return read

    def grade(self, request: dict[str, Any]) -> int | None:
        """The final level of a sheet, by the scorer; none where it is not one of the list (a finding of its own)."""
        try:
            grade = self.sheet.machine.assess(request)["grade"]
        except (IndexError, KeyError):
            return None
        return grade and int(grade["level"])

    def report(
        self,
        code: str,
        wanted: Any,
        path: tuple[str | int, ...],
        parts: tuple[str, ...],
        confirmed: Callable[[dict[str, Any]], bool],
        fields: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {},
    ) -> None:
        """Ask for a sheet; report it when the real steps give what the formulas say."""
        self.proved(code)
        model = self.find(wanted)
        if model is None:
            return
        evidence = self.evidence(model)
        points = self.points(dict(evidence.witness))
        if confirmed(points):
            self.add(code, path, parts, evidence, **fields(points))
        else:
            self.notebook.doubt(code, self.id)

    # -- steps ------------------------------------------------------------------------------------------------------
    def _band(self, number: int, step: Band) -> None:
        of, path = self.sheet.points[step.of], ("steps", number)
        self.report(
            "band-gap",
            conj((of.known, compare("<", of.value, constant(step.cuts[0].at)))),
            path,
            (step.id,),
            lambda points: points[step.of] is not None and points[step.id] is None,
            lambda points: {"step": step.name, "value": points[step.of]},
        )
        for place, cut in enumerate(step.cuts):
            inside = [of.known, compare(">=", of.value, constant(cut.at))]
            if place + 1 < len(step.cuts):
                inside.append(compare("<", of.value, constant(step.cuts[place + 1].at)))
            self.proved("cut-unreachable")
            if self.find(conj(inside)) is None:
                self.add("cut-unreachable", path, (step.id, str(cut.at)), self.somebody(), step=step.name, at=cut.at)

    def _matrix(self, number: int, step: Matrix) -> None:
        row, column = self.sheet.points[step.rows], self.sheet.points[step.columns]
        path = ("steps", number)
        size = {"rows": len(step.cells), "columns": len(step.cells[0])}
        known = (row.known, column.known)
        beyond = [compare("<", v.value, 0) for v in (row, column)]
        beyond += [compare(">=", row.value, size["rows"]), compare(">=", column.value, size["columns"])]
        self.proved("table-out-of-range")
        model = self.find(conj((*known, disj(beyond))))
        if model is not None:
            value = [int(str(model.eval(_expr(self.sheet, v.value), model_completion=True))) for v in (row, column)]
            self.add(
                "table-out-of-range", path, (step.id,), self.evidence(model),
                step=step.name, row=value[0], column=value[1], **size,
            )  # fmt: skip
        for r, cells in enumerate(step.cells):
            for c in range(len(cells)):
                self.proved("cell-unreachable")
                here = conj((*known, compare("=", row.value, r), compare("=", column.value, c)))
                if self.find(here) is None:
                    self.add(
                        "cell-unreachable", path, (step.id, f"{r},{c}"), Evidence(), step=step.name, row=r, column=c
                    )
        if self.it.monotone:
            self._table(number, step)

    def _table(self, number: int, step: Matrix) -> None:
        """Neighbouring cells: one row down or one column on is one step worse."""
        for r, cells in enumerate(step.cells):
            for c, value in enumerate(cells):
                self.notebook.count("enumerated", "table-not-monotone", self.id)
                for down, on in ((1, 0), (0, 1)):
                    if r + down < len(step.cells) and c + on < len(cells) and step.cells[r + down][c + on] < value:
                        self._table_pair(number, step, (r, c), (r + down, c + on))

    def _table_pair(self, number: int, step: Matrix, better: tuple[int, int], worse: tuple[int, int]) -> None:
        row, column = self.sheet.points[step.rows], self.sheet.points[step.columns]
        found = [
            self.find(conj((row.known, column.known, compare("=", row.value, r), compare("=", column.value, c))))
            for r, c in (worse, better)
        ]
        if None in found:
            return
        against = self.sheet.request(found[1])
        sheets = [self.points(self.sheet.request(m))[step.id] for m in found]
        if None not in sheets and sheets[0] < sheets[1]:
            self.add(
                "table-not-monotone", ("steps", number), (step.id, f"{worse[0]},{worse[1]}"),
                self.evidence(found[0], against), step=step.name, row=better[0], column=better[1],
            )  # fmt: skip

    def _lines(self, number: int, step: Rules) -> None:
        trees = self.sheet.trees
        truths = [self.sheet.encoder.truth(trees[r.when]) if r.when is not None else None for r in step.rules]
        for place, truth in enumerate(truths):
            before = [t.no for t in truths[:place] if t is not None]
            self.proved("line-never")
            useful = truth is not None or step.rules[place].value != "unknown"
            if (
                useful
                and self.find(conj((*before, True if truth is None else truth.yes))) is None
                and truth is not None
            ):
                self.add(
                    "line-never", ("steps", number), (step.id, str(place + 1)), self.somebody(),
                    step=step.name, number=place + 1,
                )  # fmt: skip
        self._ranges(number, step, truths)

    def _ranges(self, number: int, step: Rules, truths: list[Any]) -> None:
        """Lines that give a range of one number each: ranges should neither overlap nor leave values between them."""
        trees = self.sheet.trees
        by_name: dict[str, list[tuple[Any, Any, int]]] = {}
        for place, rule in enumerate(step.rules[:-1]):
            found = as_range(trees[str(rule.when)])
            if found:
                by_name.setdefault(found[0], []).append((found[1], found[2], place))
        for name, ranges in by_name.items():
            ranges.sort()
            value = self.sheet.symbols[name]
            for (_, high, one), (low, _, other) in pairwise(ranges):
                pair = _Pair(number, step, name, one, other)
                if step.rules[one].value != step.rules[other].value:
                    self._pair("line-overlap", pair, conj((truths[one].yes, truths[other].yes)), (True, True))
                none = [t.no for t in truths if t is not None]
                between = (compare(">", value.value, constant(high)), compare("<", value.value, constant(low)))
                if step.rules[-1].value not in (step.rules[one].value, step.rules[other].value):
                    self._pair("line-gap", pair, conj((value.known, *none, *between)), (False, False))

    def _pair(self, code: str, pair: _Pair, wanted: Any, truths: tuple[bool, bool]) -> None:
        """Two lines for ranges of one number, and a sheet on which both hold, or neither."""
        self.proved(code)
        model = self.find(wanted)
        if model is None:
            return
        evidence = self.evidence(model)
        record = self.record(dict(evidence.witness))
        lines = [pair.step.rules[n] for n in (pair.one, pair.other)]
        if tuple(compile_condition(self.sheet.trees[str(line.when)])(record) for line in lines) != truths:
            self.notebook.doubt(code, self.id)
            return
        first, second = pair.one + 1, pair.other + 1
        self.add(
            code, ("steps", pair.number), (pair.step.id, str(first), str(second)), evidence,
            step=pair.step.name, name=pair.name, value=record.get(pair.name), first=first, second=second,
        )  # fmt: skip

    # -- levels -----------------------------------------------------------------------------------------------------
    def _levels(self) -> None:
        ends = [self.sheet.level] if self.it.grade else []
        ends += [self.sheet.points[r.of] for r in self.it.results]
        paths: list[tuple[str | int, ...]] = [("grade",)] if self.it.grade else []
        paths += [("results", n) for n in range(len(self.it.results))]
        for symbol, path in zip(ends, paths, strict=True):
            self.proved("level-not-listed")
            model = self.find(conj((symbol.known, *(compare("<>", symbol.value, n) for n in self.levels))))
            if model is not None:
                level = model.eval(_expr(self.sheet, symbol.value), model_completion=True)
                self.add("level-not-listed", path, (str(level),), self.evidence(model), level=level)
        if not ends:
            return
        for place, level in enumerate(self.it.levels):
            self.proved("level-unreachable")
            if self.find(disj(conj((s.known, compare("=", s.value, level.level))) for s in ends)) is None:
                self.add(
                    "level-unreachable", ("levels", place), (str(level.level),), self.somebody(),
                    level=level.level, name=level.name,
                )  # fmt: skip

    def _monotone(self) -> None:
        """A second sheet, no answer better than on the first, never has a better level."""
        first, second = self.sheet, Sheet(self.book, self.id, "'", self.sheet)
        ordered: list[Any] = []
        for dimension in self.it.dimensions:
            direction = dimension.higher_score or self.it.higher_score
            for item in dimension.items:
                one, other = first.answers[item.id], second.answers[item.id]
                if one.points is None or direction == "neither":
                    ordered.append(compare("=", one.choice, other.choice))
                else:
                    ordered.append(compare("<=" if direction == "more_able" else ">=", other.points, one.points))
        self.proved("grade-not-monotone")
        better = conj((first.level.known, second.level.known, compare("<", second.level.value, first.level.value)))
        model = self.find(conj((*ordered, better)), second)
        if model is None:
            return
        worse_sheet, better_sheet = second.request(model), first.request(model)
        better_level, worse_level = self.grade(worse_sheet), self.grade(better_sheet)
        if better_level is not None and worse_level is not None and better_level < worse_level:
            evidence = Evidence(worse_sheet, f"yyassess assess {self.id}", better_sheet)
            self.add("grade-not-monotone", ("grade",), (), evidence, better=better_level, worse=worse_level)
        else:
            self.notebook.doubt("grade-not-monotone", self.id)

    # -- adjustments, hints, decisions ------------------------------------------------------------------------------
    def _adjustments(self) -> None:
        sheet, settling = self.sheet, []
        for number, adjustment in enumerate(self.it.adjustments):
            holds, path, parts = sheet.yes(adjustment.when), ("adjustments", number), (adjustment.id,)
            self.proved("adjustment-never")
            if self.find(holds) is None:
                self.add("adjustment-never", path, parts, self.somebody(), name=adjustment.id)
                continue
            if self.find(neg(holds)) is None:
                self.add("adjustment-always", path, parts, self.somebody(), name=adjustment.id)
            if adjustment.set_level is not None:
                settling.append((number, adjustment, holds))
                self._lowers(number, adjustment, holds)
        for place, (_, one, first) in enumerate(settling):
            for number, other, second in settling[place + 1 :]:
                self.proved("adjustment-conflict")
                model = self.find(conj((first, second))) if one.set_level != other.set_level else None
                if model is not None:
                    self.add(
                        "adjustment-conflict", ("adjustments", number), (one.id, other.id), self.evidence(model),
                        first=one.id, second=other.id,
                    )  # fmt: skip

    def _lowers(self, number: int, adjustment: Any, holds: Any) -> None:
        before = self.sheet.preliminary
        self.proved("adjustment-lowers")
        model = self.find(conj((holds, before.known, compare(">", before.value, adjustment.set_level))))
        if model is None:
            return
        request = self.sheet.request(model)
        was, now = self.points(request)[str(self.it.grade)], self.grade(request)
        if was is not None and now is not None and now < was:
            self.add(
                "adjustment-lowers", ("adjustments", number), (adjustment.id,), self.evidence(model),
                name=adjustment.id, before=was, after=now,
            )  # fmt: skip

    def _never(self) -> None:
        lines: list[tuple[str, str, Any]] = [
            ("hint-never", "hints", self.it.hints),
            ("decision-never", "decisions", self.it.decisions),
        ]
        for code, key, things in lines:
            for number, thing in enumerate(things):
                if thing.when is None or "missing_items" in facts_of(self.sheet.trees[thing.when]):
                    continue
                self.proved(code)
                if self.find(self.sheet.yes(thing.when)) is None:
                    self.add(code, (key, number), (thing.id,), self.somebody(), name=thing.id)

    def _unused(self) -> None:
        used = {n for node in self.sheet.trees.values() for n in facts_of(node)}
        for step in self.it.steps:
            used |= set(names_of_step(step, self.it))
        for d, dimension in enumerate(self.it.dimensions):
            for item in dimension.items:
                self.notebook.count("enumerated", "item-unused", self.id)
                if item.id not in used:
                    self.add("item-unused", ("dimensions", d), (item.id,), Evidence(), name=item.name)
        for number, setting in enumerate(self.it.settings):
            if setting.id not in {*used, *OUTPUT_SETTINGS, self.it.licence.switch}:
                self.add("setting-unused", ("settings", number), (setting.id,), Evidence(), name=setting.id)


def _expr(sheet: Sheet, value: Any) -> Any:
    return value if sheet.z3.is_expr(value) else sheet.z3.IntVal(value)


def names_of_step(step: Any, instrument: Any) -> Iterator[str]:
    """The names a step computes with, its conditions left aside."""
    from yyassess.assessment.steps import items_of

    if hasattr(step, "items"):
        yield from items_of(step, instrument)
    of = getattr(step, "of", ())
    yield from (of,) if isinstance(of, str) else of
    for key in ("rows", "columns", "tie_nearest"):
        if hasattr(step, key):
            yield getattr(step, key)
    yield from (r.value for r in getattr(step, "rules", ()) if isinstance(r.value, str))
    if getattr(step, "reverse", None):
        yield from step.reverse.items


def as_range(node: Node) -> tuple[str, Any, Any] | None:
    """``name BETWEEN a AND b`` or ``name = a``, as (name, a, b)."""
    match node:
        case Compare("=", Fact(name), Literal(value)) if _number(value):
            return name, value, value
        case And((Compare(">=", Fact(name), Literal(low)), Compare("<=", Fact(same), Literal(high)))) if (
            name == same and _number(low) and _number(high)
        ):
            return name, low, high
    return None


def _number(value: Any) -> bool:
    return not isinstance(value, (str, bool)) and not hasattr(value, "year")
