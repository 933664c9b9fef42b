"""Conditions in SQL and as columns give exactly what the reference evaluator gives, row by row."""

from __future__ import annotations

import datetime as dt
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.population.conditions import FACTS, NAMES, condition, person, stored, value
from yyassess.conditions.reference import compile_condition, compile_value
from yyassess.conditions.sql import SqlError, condition_sql, scaled, value_sql
from yyassess.conditions.tree import Arithmetic, Call, Compare, Fact, Literal
from yyassess.population.columnar import translated

SCHEMA = {
    "integer": pl.Int64, "decimal": pl.Int64, "date": pl.Date, "code": pl.String, "codes": pl.List(pl.String), "boolean": pl.Boolean,
}  # fmt: skip


def frame(records: list[dict]) -> pl.DataFrame:
    return pl.DataFrame([stored(r) for r in records], schema={n: SCHEMA[f[0]] for n, f in FACTS.items()})


def rows_and_trees(seed: int, rows: int, trees: int):
    rng = random.Random(seed)
    records = [person(rng) for _ in range(rows)]
    made = []
    while len(made) < trees:
        tree = condition(rng)
        try:
            made.append((tree, condition_sql(tree, NAMES)))
        except SqlError:  # beyond 64 bits: refused by name, never rounded
            continue
    return records, made


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@settings(max_examples=3)
@given(st.integers(0, 2**32))
def test_a_condition_is_true_false_or_unknown_exactly_as_in_the_reference(engine: str, seed: int) -> None:
    records, trees = rows_and_trees(seed, 2000, 25)
    table = frame(records)
    if engine == "polars":
        found = table.select([translated(sql).alias(str(n)) for n, (_, sql) in enumerate(trees)])
        columns = [found[str(n)].to_list() for n in range(len(trees))]
    else:
        duckdb = pytest.importorskip("duckdb")
        listed = ", ".join(f"{sql.sql(dialect='duckdb')} AS c{n}" for n, (_, sql) in enumerate(trees))
        rows = duckdb.connect().from_arrow(table.to_arrow()).query("people", f"SELECT {listed} FROM people").fetchall()
        columns = [[row[n] for row in rows] for n in range(len(trees))]
    for (tree, sql), given_ in zip(trees, columns, strict=True):
        # A constant condition comes back as one value.
        answers = given_ * len(records) if len(given_) == 1 else given_
        holds = compile_condition(tree)
        for record, answer in zip(records, answers, strict=True):
            assert answer == holds(record), (tree, sql.sql(), record)


@settings(max_examples=3)
@given(st.integers(0, 2**32))
def test_a_value_is_exact_to_the_last_decimal(seed: int) -> None:
    rng = random.Random(seed)
    records = [person(rng) for _ in range(1000)]
    table = frame(records)
    for _ in range(30):
        tree = value(rng, 3)
        try:
            made = value_sql(tree, NAMES)
        except SqlError:
            continue
        answers = table.select(translated(made.sql).alias("x"))["x"].to_list()
        answers = answers * len(records) if len(answers) == 1 else answers
        quantity = compile_value(tree)
        for record, answer in zip(records, answers, strict=True):
            expected = quantity(record)
            assert answer == (None if expected is None else scaled(expected, made.scale)), (tree, record)
            assert answer is None or made.low <= answer <= made.high


def test_ages_and_months_on_the_days_around_a_leap_day() -> None:
    days = [dt.date(y, m, d) for y in (1943, 1944, 2023, 2024) for m, d in ((2, 28), (3, 1), (12, 31), (1, 1))]
    days += [dt.date(1944, 2, 29), dt.date(2024, 2, 29)]
    records = [{"born": a, "since": b} for a in days for b in days]
    table = frame(records)
    for name in ("age_on", "months_between"):
        tree = Call(name, (Fact("born"), Fact("since")))
        found = table.select(translated(value_sql(tree, NAMES).sql).alias("x"))["x"].to_list()
        assert found == [compile_value(tree)(r) for r in records]


def test_arithmetic_beyond_64_bits_is_refused_not_rounded() -> None:
    large = Fact("large")
    with pytest.raises(SqlError, match="64-bit"):
        condition_sql(Compare(">", Arithmetic("*", Arithmetic("*", large, large), large), Literal(0)), NAMES)
