"""How cells are read and results written: lists, codes, days, and names as Parquet dictionaries."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from yyassess.population.columns import Input
from yyassess.population.parquet_codes import ResultWriter
from yyassess.population.parquet_join import join_parquet
from yyassess.population.plan import Output
from yyassess.population.running import _by_day, named_frame
from yyassess.population.typing import Lists, readers
from yyassess.population.workers import worked


def numbered(rows: list[list[int] | None]) -> pl.Series:
    return pl.Series(rows, dtype=pl.List(pl.UInt8))


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2], None, [], [2, 2]],
        [None, None],
        [[], []],
        [],
        [[3]],
    ],
)
def test_a_code_is_held_by_the_rows_whose_list_has_it(rows: list[list[int] | None]) -> None:
    lists = Lists(numbered(rows))
    assert lists.sound
    for code in range(4):
        assert lists.held(code).to_list() == [None if row is None else code in row for row in rows]


def test_a_part_of_a_longer_column_and_what_lies_under_a_null_are_read_rightly() -> None:
    column = numbered([[1], [2, 3], None, [], [1, 3], [2]]).slice(1, 4)
    assert Lists(column).held(3).to_list() == [True, None, False, True]
    hidden = pl.DataFrame({"a": numbered([[1], [3], [2]]), "b": [True, False, True]})
    masked = hidden.select(pl.when("b").then("a"))["a"]
    assert Lists(masked).held(3).to_list() == [False, None, False]
    assert Lists(masked).held(2).to_list() == [False, None, True]


def test_a_code_that_is_not_known_is_noticed() -> None:
    assert not Lists(pl.Series([[1, None], [2]], dtype=pl.List(pl.UInt8))).sound


@pytest.mark.parametrize("span", [400, 200_000])
def test_a_formula_over_days_is_the_same_looked_up(span: int) -> None:
    rng = random.Random(span)
    start = dt.date(2026, 11, 22)
    days = pl.Series("born", [None, *(start - dt.timedelta(days=rng.randrange(span)) for _ in range(500))])
    formula = pl.col("born").dt.year() * 10_000 + pl.col("born").dt.month() * 100 + pl.col("born").dt.day()
    assert _by_day(days, formula).to_list() == days.to_frame().select(formula).to_series().to_list()
    none = days.clear(3)
    assert _by_day(none, formula).to_list() == [None] * 3


@pytest.mark.parametrize("scale", [0, 1, 2, 4])
def test_decimals_of_any_scale_are_exact_or_refused(scale: int) -> None:
    used = Input("income", "decimal", 0, 10_000_000, 2)
    given = [None, Decimal(0), Decimal("1.5"), Decimal("99999.99"), Decimal("0.005"), Decimal(10) ** 20]
    values = [v for v in given if v is None or v == round(v, scale)]
    frame = pl.DataFrame({"income": pl.Series(values, dtype=pl.Decimal(38, scale))})
    cell = readers(dict(frame.schema), [used])["income"]
    assert cell.bad is not None
    found = frame.select(value=cell.value, bad=cell.bad.fill_null(False))
    for value, (stored, bad) in zip(values, found.iter_rows(), strict=True):
        cents = None if value is None else value * 100
        fits = cents is not None and cents == int(cents) and cents < 2**31
        assert stored == (int(cents) if fits and cents is not None else None), value
        assert bad == (value is not None and not fits), value


def results(rows: int, seed: int) -> tuple[pl.DataFrame, list[Output]]:
    """Results with every kind of column: no value, one value, many, with and without nulls."""
    rng = random.Random(seed)
    columns = {
        "id": pl.Series([f"人{n}" for n in range(rows)], dtype=pl.String),
        "total": pl.Series([rng.choice([None, 5, 90]) for _ in range(rows)], dtype=pl.Int16),
        "a.status": pl.Series([rng.randrange(3) for _ in range(rows)], dtype=pl.Int8),
        "a.reason": pl.Series([rng.choice([None, 0, 1]) for _ in range(rows)], dtype=pl.Int8),
        "a.amount": pl.Series([rng.choice([None, 12_345]) for _ in range(rows)], dtype=pl.Int64),
        "b.status": pl.Series([1] * rows, dtype=pl.Int8),
        "b.reason": pl.Series([None] * rows, dtype=pl.Int8),
        "c.reason": pl.Series([rng.choice([None, 1]) for _ in range(rows)], dtype=pl.Int8),
    }
    names = ("符合", "no", "unknown")
    outputs = [
        Output("total", None),
        *(Output(c, None, names) for c in columns if c.endswith((".status", ".reason"))),
        Output("a.amount", None, scale=2),
    ]
    return pl.DataFrame(columns), outputs


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 1000, 70_001])
def test_a_written_chunk_reads_as_the_engine_would_have_written_it(rows: int, tmp_path: Path) -> None:
    codes, outputs = results(rows, rows)
    ResultWriter(outputs).write(codes, tmp_path / "ours.parquet")
    right = named_frame(codes, outputs).collect()
    right.write_parquet(tmp_path / "theirs.parquet")
    found = pl.read_parquet(tmp_path / "ours.parquet")
    assert found.schema == right.schema and found.equals(right)
    ours, theirs = pq.read_table(tmp_path / "ours.parquet"), pq.read_table(tmp_path / "theirs.parquet")
    assert ours.schema == theirs.schema and ours.equals(theirs)


def test_another_engine_reads_joined_chunks(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    frames = []
    for part in range(3):
        codes, outputs = results(1000 + part, part)
        ResultWriter(outputs).write(codes, tmp_path / f"{part}.parquet")
        frames.append(named_frame(codes, outputs).collect())
    with (tmp_path / "all.parquet").open("wb") as out:
        assert join_parquet([tmp_path / f"{n}.parquet" for n in range(3)], out) == 3003
    right = pl.concat(frames).with_columns(pl.selectors.enum().cast(pl.String))
    found = duckdb.sql(f"SELECT * FROM '{tmp_path / 'all.parquet'}'").pl()
    assert found.with_columns(pl.selectors.by_dtype(pl.Categorical).cast(pl.String)).equals(right)


def test_workers_give_results_in_order_and_a_failure_at_its_place() -> None:
    assert list(worked(range(20), lambda n: n * n, 3)) == [n * n for n in range(20)]

    def failing(number: int) -> int:
        if number == 4:
            raise ValueError("four")
        return number

    seen = []
    with pytest.raises(ValueError, match="four"):
        for found in worked(range(20), failing, 3):
            seen.append(found)
    assert seen == [0, 1, 2, 3]
