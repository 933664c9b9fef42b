"""A plan on a chunk of rows: cells read, rows refused with their reasons, results as small whole numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import polars as pl
from sqlglot import exp

from yyassess.assessment.errors import shown
from yyassess.population.columnar import labelled, translated
from yyassess.population.plan import Fault, Output, Plan, bad_of
from yyassess.population.sources import LINE, Chunk, fault, rejected
from yyassess.population.typing import SAID, Cell, Lists, readers

BAD = "__bad"
#: More refused rows of one chunk than this are counted but not explained one by one.
MOST_EXPLAINED = 100_000
#: Two centuries of days; a longer span is worked out row by row.
MOST_DAYS = 73_050


@dataclass
class Done:
    """A chunk after the plan: results as numbers, and the refused rows."""

    codes: pl.DataFrame
    rejects: list[dict[str, Any]]
    rows: int
    """Records in the chunk, refused ones included."""
    ids: pl.Series


class Runner:
    """Runs one plan, chunk after chunk; several threads may run chunks at the same time.

    Raises:
        InputError: columns whose type cannot hold their fact.
    """

    def __init__(
        self,
        plan: Plan,
        schema: Mapping[str, Any],
        keep: Sequence[str] = (),
        wanted: Mapping[str, Any] | None = None,
        beside: Sequence[Plan] = (),
    ) -> None:
        """``beside`` are further plans on the same sheet, whose rows must be sound for all."""
        self.plan, self.keep = plan, [k for k in keep if k != "id"]
        self.wanted = dict(wanted) if wanted is not None else {o.name: o.sql for o in plan.outputs}
        # Only what the result needs is read, and only what is read is checked.
        plans, sheet = (plan, *beside), plan.sheet
        needed = frozenset(sheet.needed(self.wanted.values())[0])
        self.used = list({u.name: u for p in plans for u in p.inputs.used.values() if u.name in needed}.values())
        faults = {f.holds.sql(): f for p in plans for f in p.faults}.values()
        self.faults = [f for f in faults if needed.issuperset(sheet.needed([f.holds])[0])]
        self.cells: dict[str, Cell] = readers(schema, self.used)
        self._lists = [u.name for u in self.used if u.type == "codes"]
        self._texts = {u.name: u.texts for u in self.used}
        self._asked: dict[str, tuple[str, int]] = {}
        self._calendar: dict[str, tuple[str, pl.Expr]] = {}
        self._prepare()
        # Codes are checked when they are read as codes.
        codes = {u.name for u in self.used if u.type == "code"}
        self._checked = [f for f in self.faults if f.where not in codes or f.shown != f.where]
        self._wanted = self._stages(list(self.wanted.values()))
        self._holds = self._stages([f.holds for f in self.faults])
        self._result = [self._translated(sql).alias(name) for name, sql in self.wanted.items()]
        self._checks: dict[tuple[int, ...], tuple[list[list[pl.Expr]], list[pl.Expr]]] = {}
        self._lock = Lock()

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        return list(dict.fromkeys(["id", *(u.name for u in self.used), *self.keep]))

    # -- formulas ------------------------------------------------------------------------------------------
    def _prepare(self) -> None:
        """What is worked out once a chunk, before all else: codes in lists, and formulas over days."""
        ends = [*self.wanted.values(), *(f.holds for f in self.faults)]
        formulas = {n: f for stage in self.plan.sheet.stages(ends) for n, f in stage.items()}
        for name, formula in formulas.items():
            days = self._only_days(formula)
            if days is not None:
                self._calendar[name] = (days, translated(formula).alias(name))
        for formula in (*formulas.values(), *ends):
            for node in formula.find_all(exp.ArrayContains):
                name, code = node.this.name, node.expression.this
                self._asked[_held(name, code)] = (name, self._texts[name].index(code))

    def _stages(self, wanted: Sequence[Any]) -> list[list[pl.Expr]]:
        return [
            [self._translated(f).alias(n) for n, f in stage.items() if n not in self._calendar]
            for stage in self.plan.sheet.stages(wanted)
        ]

    def _only_days(self, formula: Any) -> str | None:
        """The one column of days that a formula of years, months and days rests on."""
        if not formula.find(exp.Year, exp.Month, exp.Day):
            return None
        names = {c.name for c in formula.find_all(exp.Column)}
        days = {u.name for u in self.used if u.type == "date"}
        return names.pop() if len(names) == 1 and names <= days else None

    def _translated(self, formula: Any) -> pl.Expr:
        """The formula; whether a list holds a code is a column of its own."""
        if formula.find(exp.ArrayContains):
            formula = formula.transform(
                lambda node: (
                    exp.column(_held(node.this.name, node.expression.this), quoted=True)
                    if isinstance(node, exp.ArrayContains)
                    else node
                )
            )
        return translated(formula)

    def _checking(self, open_: tuple[int, ...]) -> tuple[list[list[pl.Expr]], list[pl.Expr]]:
        """The stages and columns of a chunk of which some faults are not ruled out."""
        if not open_:
            return self._wanted, self._result
        with self._lock:  # the sheet numbers its formulas
            if open_ not in self._checks:
                bad = bad_of(self.plan.sheet, [self._checked[n] for n in open_])
                stages = self._stages([*self.wanted.values(), bad])
                self._checks[open_] = (stages, [*self._result, self._translated(bad).alias(BAD)])
            return self._checks[open_]

    # -- running -------------------------------------------------------------------------------------------
    def run(self, chunk: Chunk, without: pl.Series | None = None) -> Done:
        """The results of a chunk; ids in ``without`` are refused as duplicates."""
        raw = chunk.frame
        table = raw.lazy().select([cell.value.alias(name) for name, cell in self.cells.items()]).collect()
        lists = {name: Lists(table[name]) for name in self._lists}
        # Whether anything in a column is wrong is quick to say, and nearly always no.
        broken = [
            cell.bad.fill_null(False)
            for name, cell in self.cells.items()
            if cell.bad is not None
            and not (lists[name].sound if name in lists else table[name].null_count() == raw[name].null_count())
        ]
        held = [lists[name].held(number).alias(key) for key, (name, number) in self._asked.items()]
        dated = [_by_day(table[name], made).alias(key) for key, (name, made) in self._calendar.items()]
        table = table.drop(self._lists).with_columns(*held, *dated)
        open_ = tuple(n for n, f in enumerate(self._checked) if not _ruled_out(f, table))
        stages, result = self._checking(open_)
        frame = table.lazy()
        for stage in stages:
            frame = frame.with_columns(stage)
        codes = frame.select(result).collect()
        bad = codes.drop_in_place(BAD) if open_ else pl.repeat(False, len(raw), dtype=pl.Boolean, eager=True)
        if raw["id"].null_count():
            broken.append(pl.col("id").is_null())
        if without is not None:
            broken.append(pl.col("id").is_in(without.implode()))
        if broken:
            bad = bad | raw.select(pl.any_horizontal(broken).alias(BAD)).to_series()
        codes = raw.select("id", *self.keep).hstack(codes)
        rejects = list(chunk.rejects)
        if bad.any():
            rejects += self._explained(raw.filter(bad), table.filter(bad), without)
            codes = codes.filter(~bad)
        return Done(codes, rejects, len(raw) + len(chunk.rejects), raw["id"].drop_nulls())

    def _explained(self, raw: pl.DataFrame, table: pl.DataFrame, without: pl.Series | None) -> list[dict[str, Any]]:
        errors: list[list[dict[str, Any]]] = [[] for _ in range(min(len(raw), MOST_EXPLAINED))]
        raw, table = raw.head(len(errors)), table.head(len(errors))
        book = self.plan.book
        for used in self.used:
            bad = self.cells[used.name].bad
            if bad is None:
                continue
            found = raw.select(bad.fill_null(False).alias("b"))["b"]
            for place in found.arg_true() if found.any() else ():
                given = None if used.personal else shown(plain(raw[used.name][place]))
                zh, en = "不能读作" + SAID[used.type], f"not a {SAID[used.type]} that is allowed here"
                fact = book.facts.get(used.name)
                named = f"{fact.name['zh']}：{zh}" if fact else zh
                errors[place].append(fault(used.name, given, used.allowed, named, en))
        frame = table.lazy()
        faults = self.faults
        for stage in self._holds:
            frame = frame.with_columns(stage)
        checks = frame.select(
            [self._translated(f.holds).fill_null(False).alias(str(n)) for n, f in enumerate(faults)]
        ).collect()
        for number, said in enumerate(faults):
            for place in checks[str(number)].arg_true():
                given = shown(plain(raw[said.shown][place])) if said.shown else None
                errors[place].append(fault(said.where, given, said.allowed, said.zh, said.en))
        ids = raw["id"].to_list()
        again = set(without.to_list()) if without is not None else set()
        for place, id in enumerate(ids):
            if id is None:
                errors[place].append(fault("id", None, None, "没有 id", "the id is missing"))
            elif id in again:
                errors[place].append(
                    fault(
                        "id",
                        id,
                        None,
                        "id 出现多次，不知以哪一行为准",
                        "the id occurs more than once; which row counts is not known",
                    )
                )
        return [rejected(line, id, e) for line, id, e in zip(raw[LINE], ids, errors, strict=True)]


def _held(name: str, code: str) -> str:
    """The column that says whether a list holds a code; no fact has a space in its name."""
    return f"{name} {code}"


def _by_day(column: pl.Series, formula: pl.Expr) -> pl.Series:
    """A formula over days: worked out once for each day between the first and the last, then looked up."""
    first, last = column.min(), column.max()
    if not isinstance(first, dt.date) or not isinstance(last, dt.date) or (last - first).days > MOST_DAYS:
        return column.to_frame().select(formula).to_series()
    days = pl.date_range(first, last, eager=True).alias(column.name)
    worth = days.to_frame().select(formula).to_series()
    place = pl.col(column.name).to_physical() - (first - dt.date(1970, 1, 1)).days
    return column.to_frame().select(pl.lit(worth).gather(place)).to_series()


def _ruled_out(fault: Fault, table: pl.DataFrame) -> bool:
    """Whether the lowest and highest value of a column say that nobody has the fault."""
    if fault.within is None:
        return False
    name, low, high = fault.within
    column = table[name]
    if column.null_count() == len(column):
        return True
    return (low is None or column.min() >= low) and (high is None or column.max() <= high)


def named_frame(codes: pl.DataFrame, outputs: Sequence[Output]) -> pl.LazyFrame:
    """Results with names for small numbers and decimals for sums of money."""
    made = []
    for output in outputs:
        column = pl.col(output.name)
        if output.labels is not None:
            made.append(labelled(column, output.labels).alias(output.name))
        elif output.scale:
            unit = pl.lit(f"0.{'0' * (output.scale - 1)}1").cast(pl.Decimal(10, output.scale))
            exact = (column.cast(pl.Decimal(18, 0)) * unit).cast(pl.Decimal(18, output.scale))
            made.append(exact.alias(output.name))
    return codes.lazy().with_columns(made)


def plain(value: Any) -> Any:
    """A cell as JSON."""
    if isinstance(value, pl.Series):
        return value.to_list()
    return value.isoformat() if isinstance(value, dt.date) else value
