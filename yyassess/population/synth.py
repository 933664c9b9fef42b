"""A made-up population for demos, tests and load: plausible totals, never real people, and marked as such.

Assumptions (docs/population.md): ages 60 to 100 fall off as in a city's register; a latent frailty rises with age and
moves all items together; insurance, hardship and illnesses have fixed shares; a few answers are missing.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from yyassess.population.columns import Input, instrument_columns
from yyassess.population.parquet_join import join_parquet
from yyassess.population.plan import Plan, Wanted
from yyassess.population.sources import format_of, problem
from yyassess.population.typing import stored_type
from yyassess.rulebook.book import Rulebook

MARK = {"yyassess.kind": "synthetic", "yyassess.warning": "made-up people; not real data"}
ROWS = 1_000_000

#: Shares of people by age band, from 60 in steps of five years.
AGES = (0.255, 0.245, 0.19, 0.125, 0.085, 0.06, 0.03, 0.01)
#: Share of yes among yes/no facts; one in ten where nothing is said here.
RATES = {
    "coma": 0.003, "destitute_support": 0.018, "cost_borne_by_destitute_support": 0.4, "psychiatrist_diagnosis": 0.02,
    "insured": 0.95, "basic_medical_insured": 0.95, "family_doctor_signed": 0.6, "lives_in_institution": 0.04,
    "disabled_through_age": 0.3,
}  # fmt: skip
#: Shares of codes where they are not alike.
SHARES: dict[str, dict[str, float]] = {
    "insurance_scheme": {"employee": 0.36, "resident": 0.6, "none": 0.04},
    "care_mode": {"home_personal": 0.5, "home_visit": 0.35, "institution": 0.15},
    "care_setting": {"home_community": 0.85, "institution": 0.15},
}
#: Shares of one item of a list; one in fifty where nothing is said here.
LISTED = {"hypertension": 0.55, "diabetes": 0.2, "coronary_heart_disease": 0.12, "minimum_living": 0.04, "alone": 0.12}


class Dice:
    """Random numbers of a row, the same for the same seed whatever the chunk."""

    def __init__(self, seed: int) -> None:
        self.seed, self.drawn = seed, 0

    def uniform(self) -> pl.Expr:
        """A new column between 0 and 1."""
        self.drawn += 1
        mixed = pl.col("row").hash(self.seed * 1_000_003 + self.drawn)
        return (mixed // 2**11).cast(pl.Float64) / 2.0**53

    def normal(self) -> pl.Expr:
        """A new column about 0 with spread 1 (the sum of three uniforms)."""
        return (self.uniform() + self.uniform() + self.uniform() - 1.5) * 2.0


class Population:
    """The formulas of a made-up population for a plan."""

    def __init__(self, plan: Plan, seed: int, missing: float = 0.02) -> None:
        self.plan, self.dice, self.missing = plan, Dice(seed), missing
        self.on = plan.ruleset.on

    def frame(self, first: int, rows: int) -> pl.DataFrame:
        """Some rows."""
        dice = self.dice
        dice.drawn = 0
        base = pl.LazyFrame({"row": pl.int_range(first, first + rows, dtype=pl.Int64, eager=True)})
        base = base.with_columns(self._age().alias("age"))
        frail = (pl.col("age") - 78.0) / 9.0 + dice.normal() * 1.1 - 1.6
        base = base.with_columns(frail.alias("frail"))
        columns = [pl.format("SYN-{}", pl.col("row").cast(pl.String).str.zfill(9)).alias("id")]
        for name, used in self.plan.inputs.used.items():
            made = self._column(name, used)
            if made is not None:
                columns.append(made.alias(name))
        return base.select(columns).collect(engine="streaming")

    def _age(self) -> pl.Expr:
        """Age in years with a fraction."""
        draw, within = self.dice.uniform(), self.dice.uniform()
        total = 0.0
        built: Any = None
        for number_, share in enumerate(AGES):
            total += share
            value = 60.0 + 5.0 * number_ + 5.0 * within
            built = (pl if built is None else built).when(draw < total).then(value)
        result: pl.Expr = built.otherwise(100.0 + within)
        return result

    def _column(self, name: str, used: Input) -> pl.Expr | None:
        instrument, _, item = name.partition(".")
        if instrument in self.plan.inputs.instruments:
            return None if item in ("level", "date") else self._answer(used, instrument)
        if name == "age":
            return None
        made = self._fact(name, used)
        if name in ("birth_date", "sex", "residence_place"):
            return made
        return pl.when(self.dice.uniform() >= self.missing).then(made)

    def _answer(self, used: Input, instrument: str) -> pl.Expr:
        """An answer: the frailer, the worse, with a noise of its own."""
        lean = 1.0 / (1.0 + (-(pl.col("frail") + self.dice.normal() * 0.6)).exp())
        better_high = self.plan.book.instruments[instrument].higher_score == "more_able"
        values: list[Any] = list(used.texts) or list(used.numbers) or list(range(used.low, used.high + 1))
        ordered = list(reversed(values)) if better_high and not used.texts else values
        place = (lean * len(ordered)).floor().clip(0, len(ordered) - 1).cast(pl.UInt32)
        kind = pl.String if used.texts else stored_type(used)
        answer = pl.lit(pl.Series(ordered, dtype=kind)).gather(place)
        if used.scale:
            answer = _decimals(answer, used.scale)
        return pl.when(self.dice.uniform() >= 0.001).then(answer)

    def _fact(self, name: str, used: Input) -> pl.Expr:
        dice = self.dice
        match used.type:
            case "boolean":
                return dice.uniform() < RATES.get(name, 0.1)
            case "code":
                return self._code(name, used)
            case "codes":
                parts = [
                    pl.when(dice.uniform() < self._listed(code))
                    .then(pl.lit(code))
                    .otherwise(pl.lit(None, dtype=pl.String))
                    for code in used.texts
                ]
                return pl.concat_list(parts).list.drop_nulls()
            case "date":
                if name == "birth_date":
                    days = (pl.col("age") * 365.2425).floor().cast(pl.Int32)
                    return (pl.lit((self.on - dt.date(1970, 1, 1)).days) - days).cast(pl.Int32).cast(pl.Date)
                back = (dice.uniform() * 300).floor().cast(pl.Int32)
                return (pl.lit((self.on - dt.date(1970, 1, 1)).days) - back).cast(pl.Int32).cast(pl.Date)
            case "place":
                return pl.lit(self.plan.ruleset.place.id)
        span = min(used.high - used.low, 480 if used.type == "integer" else 3000 * 10**used.scale)
        value = (used.low + (dice.uniform() ** 1.5 * (span + 1)).floor()).cast(stored_type(used))
        return _decimals(value, used.scale) if used.scale else value

    def _listed(self, code: str) -> Any:
        if code == "dementia":
            return 0.01 + 0.25 / (1.0 + (-(pl.col("frail") - 1.5)).exp())
        return LISTED.get(code, 0.02)

    def _code(self, name: str, used: Input) -> pl.Expr:
        if name == "sex":
            woman = 0.51 + (pl.col("age") - 60.0) * 0.004
            return pl.when(self.dice.uniform() < woman).then(pl.lit("female")).otherwise(pl.lit("male"))
        shares = SHARES.get(name)
        if shares is None and set(used.texts) & {"none", "once"} == {"none", "once"}:
            shares = {"none": 0.93, "once": 0.05}
        weights = {t: (shares or {}).get(t, 0.02 if shares else 1.0) for t in used.texts}
        total, draw, so_far = sum(weights.values()), self.dice.uniform(), 0.0
        built: Any = None
        for text, weight in weights.items():
            so_far += weight / total
            built = (pl if built is None else built).when(draw < so_far).then(pl.lit(text))
        result: pl.Expr = built.otherwise(pl.lit(used.texts[-1]))
        return result


def synthetic_plan(book: Rulebook, place: str, on: dt.date, instruments: tuple[str, ...] = ()) -> Plan:
    """A plan that reads the columns of a place: its instruments' items and every fact its programmes ask."""
    ruleset = book.at(place, on)
    chosen = instruments or tuple(i for i in book.bundle(ruleset.place.id) if book.instruments[i].kind == "ability")[:2]
    chosen = chosen or ("gbt-42195-2022", "ltci-2021-37")
    have = [
        "id",
        *book.facts,
        *(c for i in chosen for c in instrument_columns(book.instruments[i]) if not c.endswith(".level")),
    ]
    return Plan(ruleset, have, Wanted(benefits=True))


def write_population(
    plan: Plan, out: Path, rows: int, seed: int, progress: Callable[[int], None] | None = None, form: str | None = None
) -> dict[str, Any]:
    """Write a made-up population; the file appears under its name only when it is whole."""
    form = format_of(out, form)
    if not out.parent.is_dir():
        raise problem(str(out), "没有这个文件夹", "there is no such folder", str(out.parent))
    people = Population(plan, seed)
    work = out.parent / f".{out.name}.work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        parts = []
        for number_, (first, length) in enumerate(_spans(rows)):
            frame = people.frame(first, length)
            part = work / f"part-{number_:06d}"
            if form == "parquet":
                mark = {**MARK, "yyassess.seed": str(seed), "yyassess.place": plan.ruleset.place.id}
                frame.write_parquet(part, compression="snappy", metadata=mark, row_group_size=250_000)
            elif form == "csv":
                lists = [pl.col(c).list.join(";") for c, t in frame.schema.items() if t == pl.List(pl.String)]
                frame.with_columns(lists).write_csv(part, include_header=number_ == 0)
            else:
                frame.write_ndjson(part)
            parts.append(part)
            if progress is not None:
                progress(first + length)
        whole = work / "whole"
        with whole.open("wb") as stream:
            if form == "parquet":
                join_parquet(parts, stream)
            else:
                for part in parts:
                    stream.write(part.read_bytes())
        os.replace(whole, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {
        "out": str(out), "rows": rows, "seed": seed, "place": plan.ruleset.place.id, "synthetic": True,
        "instruments": list(plan.inputs.instruments), "columns": 1 + len(plan.inputs.used),
    }  # fmt: skip


def _decimals(whole: pl.Expr, scale: int) -> pl.Expr:
    """Whole hundredths as exact decimals."""
    unit = pl.lit(f"0.{'0' * (scale - 1)}1").cast(pl.Decimal(10, scale))
    return (whole.cast(pl.Decimal(18, 0)) * unit).cast(pl.Decimal(18, scale))


def _spans(rows: int) -> Iterator[tuple[int, int]]:
    for number_ in range(max(1, math.ceil(rows / ROWS))):
        first = number_ * ROWS
        yield first, min(ROWS, rows - first)


__all__ = ["Population", "synthetic_plan", "write_population"]
