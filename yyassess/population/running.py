"""A plan on a chunk of rows: cells read, rows refused with their reasons, results as small whole numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from yyassess.assessment.errors import shown
from yyassess.population.columnar import labelled, translated
from yyassess.population.plan import Output, Plan, bad_of
from yyassess.population.sources import LINE, Chunk, fault, rejected
from yyassess.population.typing import SAID, Cell, readers

BAD = "__bad"
#: More refused rows of one chunk than this are counted but not explained one by one.
MOST_EXPLAINED = 100_000


@dataclass
class Done:
    """A chunk after the plan: results as numbers, and the refused rows."""

    codes: pl.DataFrame
    rejects: list[dict[str, Any]]
    rows: int
    """Records in the chunk, refused ones included."""
    ids: pl.Series


class Runner:
    """Runs one plan, chunk after chunk.

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
        self.plan, self.keep = plan, list(keep)
        self.wanted = dict(wanted) if wanted is not None else {o.name: o.sql for o in plan.outputs}
        # Only what the result needs is read, and only what is read is checked.
        plans, sheet = (plan, *beside), plan.sheet
        needed = frozenset(sheet.needed(self.wanted.values())[0])
        self.used = list({u.name: u for p in plans for u in p.inputs.used.values() if u.name in needed}.values())
        faults = {f.holds.sql(): f for p in plans for f in p.faults}.values()
        self.faults = [f for f in faults if needed.issuperset(sheet.needed([f.holds])[0])]
        self.cells: dict[str, Cell] = readers(schema, self.used)
        # Codes are checked when they are read as codes.
        codes = {u.name for u in self.used if u.type == "code"}
        self._bad = bad_of(sheet, [f for f in self.faults if f.where not in codes or f.shown != f.where])
        self._checks = self._stages([self._bad])
        self._steps = self._stages(list(self.wanted.values()))
        self._result = [translated(sql).alias(name) for name, sql in self.wanted.items()]

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        return list(dict.fromkeys(["id", *(u.name for u in self.used), *self.keep]))

    def _stages(self, wanted: Sequence[Any]) -> list[list[pl.Expr]]:
        return [[translated(f).alias(n) for n, f in stage.items()] for stage in self.plan.sheet.stages(wanted)]

    def run(self, chunk: Chunk, without: pl.Series | None = None) -> Done:
        """The results of a chunk; ids in ``without`` are refused as duplicates."""
        raw = chunk.frame
        lists = {n: c.sound for n, c in self.cells.items() if c.sound is not None}
        sound = raw.select([s.alias(n) for n, s in lists.items()]).row(0, named=True) if lists else {}
        broken = [
            cell.bad.fill_null(False)
            for name, cell in self.cells.items()
            if cell.bad is not None and not sound.get(name)
        ]
        lacks = pl.col("id").is_null()
        again = pl.col("id").is_in(without.implode()) if without is not None else pl.lit(False)
        values = [cell.value.alias(name) for name, cell in self.cells.items()]
        frame = raw.lazy().select(
            ["id", LINE, *(pl.col(k) for k in self.keep if k not in self.cells and k != "id"), *values,
             pl.any_horizontal(lacks, again, *broken).alias("__cell")]
        )  # fmt: skip
        for stage in self._checks:
            frame = frame.with_columns(stage)
        kept = ["id", LINE, *dict.fromkeys([*self.cells, *self.keep])]
        table = frame.select([*kept, (pl.col("__cell") | translated(self._bad)).alias(BAD)]).collect(engine="streaming")
        rejects = list(chunk.rejects)
        refused = int(table[BAD].sum())
        if refused:
            rejects += self._explained(raw.filter(table[BAD]), table.filter(BAD), without)
            table = table.filter(~pl.col(BAD))
        ids = raw["id"].drop_nulls()
        result = table.lazy()
        for stage in self._steps:
            result = result.with_columns(stage)
        keep = [k for k in self.keep if k != "id"]
        codes = result.select(["id", *keep, *self._result]).collect(engine="streaming")
        return Done(codes, rejects, len(raw) + len(chunk.rejects), ids)

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
        for stage in self._stages([f.holds for f in faults]):
            frame = frame.with_columns(stage)
        checks = frame.select(
            [translated(f.holds).fill_null(False).alias(str(n)) for n, f in enumerate(faults)]
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
