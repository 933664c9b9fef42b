"""The plan of a population gives on every row and in every column what `determine` gives for that person."""

from __future__ import annotations

import os
import random
from decimal import Decimal

import polars as pl
import pytest

from tests.population.people import ON, Crowd, as_frame, every_column, expected
from yyassess import Rulebook
from yyassess.population.columnar import labelled, selected
from yyassess.population.plan import Plan, Wanted

BOOK = Rulebook.load()
PLACES = sorted(BOOK.places)
MAIN = ["gbt-42195-2022", "ltci-2021-37"]
OTHERS = sorted(set(BOOK.instruments) - set(MAIN))
#: People a place; the long run checks 100,000 in all.
PEOPLE = 100_000 // len(PLACES) + 1 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 120


def answers(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """Every output by name, and whether the row was refused."""
    wanted = {o.name: o.sql for o in plan.outputs} | {"bad": plan.bad}
    found = selected(frame.lazy(), plan.sheet, wanted).collect()
    return found.with_columns([labelled(pl.col(o.name), o.labels).cast(pl.String) for o in plan.outputs if o.labels])


@pytest.mark.parametrize("place", PLACES)
def test_every_column_of_a_row_is_what_determine_says_of_that_person(place: str) -> None:
    rng = random.Random(f"{place} 1")
    instruments = [*MAIN, *rng.sample(OTHERS, 5)]
    plan = Plan(BOOK.at(place, ON), every_column(BOOK, instruments), Wanted(benefits=True))
    crowd = Crowd(plan)
    rows = [crowd.row(rng) for _ in range(PEOPLE)]
    found = answers(plan, as_frame(plan, rows))
    assert not found["bad"].any()
    scale = {o.name: o.scale for o in plan.outputs}
    names = [o.name for o in plan.outputs]
    seen: dict[str, set[object]] = {}
    for row, line in zip(rows, found.iter_rows(named=True), strict=True):
        right = expected(plan, row)
        for name in names:
            value = line[name]
            if value is not None and scale[name]:
                value = Decimal(value).scaleb(-scale[name])
            assert value == right[name], (name, row)
            seen.setdefault(name.rsplit(".", 1)[1], set()).add(value)
    assert {"eligible", "ineligible", "unknown"} <= seen["status"]


@pytest.mark.parametrize("id", sorted(BOOK.instruments))
def test_every_instrument_is_graded_as_for_one_person(id: str) -> None:
    rng = random.Random(id)
    plan = Plan(BOOK.at("national", ON), every_column(BOOK, [id]), Wanted(programmes=frozenset()))
    crowd = Crowd(plan)
    rows = [crowd.row(rng) for _ in range(200)]
    found = answers(plan, as_frame(plan, rows))
    assert not found["bad"].any()
    scale = {o.name: o.scale for o in plan.outputs}
    for row, line in zip(rows, found.iter_rows(named=True), strict=True):
        right = expected(plan, row)
        for name, value in line.items():
            if name != "bad":
                shown = Decimal(value).scaleb(-scale[name]) if value is not None and scale[name] else value
                assert shown == (None if right[name] is None else Decimal(str(right[name]))), (name, row)
