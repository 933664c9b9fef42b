"""The plan of a population gives on every row and in every column what `determine` gives for that person."""

from __future__ import annotations

import datetime as dt
import os
import random
import re
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.population.people import ON, Crowd, every_column, expected, raw_frame
from yyassess import Rulebook
from yyassess.population.columnar import selected
from yyassess.population.columns import PlanError
from yyassess.population.plan import Plan, Wanted
from yyassess.population.running import Runner, named_frame
from yyassess.population.sources import LINE, Chunk

BOOK = Rulebook.load()
PLACES = sorted(BOOK.places)
MAIN = ["gbt-42195-2022", "ltci-2021-37"]
OTHERS = sorted(set(BOOK.instruments) - set(MAIN))
#: People a place; YYASSESS_PEOPLE=100000 checks a hundred thousand in all.
PEOPLE = int(os.environ.get("YYASSESS_PEOPLE", len(PLACES) * 24)) // len(PLACES) + 1


def answers(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """Every output with its names, as `batch` writes it; no row may be refused."""
    lines = frame.with_columns(pl.int_range(len(frame), dtype=pl.Int64).alias(LINE))
    done = Runner(plan, dict(frame.schema)).run(Chunk(0, lines))
    assert not done.rejects, done.rejects[0]
    return named_frame(done.codes, plan.outputs).with_columns(pl.selectors.enum().cast(pl.String)).collect()


def same(plan: Plan, rows: list[dict[str, Any]]) -> dict[str, set[Any]]:
    """Compare every column of every row; returns the values seen, by kind of column."""
    found = answers(plan, raw_frame(plan, rows))
    names = [o.name for o in plan.outputs]
    seen: dict[str, set[Any]] = {}
    for row, line in zip(rows, found.iter_rows(named=True), strict=True):
        right = expected(plan, row)
        for name in names:
            value, other = line[name], right[name]
            if isinstance(other, float):
                other = Decimal(str(other))
            if isinstance(value, Decimal) and other is not None:
                other = Decimal(other)
            assert value == other, (name, row)
            seen.setdefault(name.rsplit(".", 1)[1], set()).add(value)
    return seen


@pytest.mark.parametrize("place", PLACES)
def test_every_column_of_a_row_is_what_determine_says_of_that_person(place: str) -> None:
    rng = random.Random(f"{place} 1")
    for start in range(0, PEOPLE, 2000):
        instruments = [*MAIN, *rng.sample(OTHERS, 3)]
        plan = Plan(BOOK.at(place, ON), every_column(BOOK, instruments), Wanted(benefits=True))
        crowd = Crowd(plan)
        seen = same(plan, [crowd.row(rng) for _ in range(min(2000, PEOPLE - start))])
    assert {"eligible", "ineligible", "unknown"} <= seen["status"]


@pytest.mark.parametrize("day", [dt.date(2024, 2, 29), dt.date(2026, 5, 31), dt.date(2026, 6, 1), dt.date(2030, 1, 1)])
def test_the_day_asked_about_counts_as_for_one_person(day: dt.date, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.population.people.ON", day)
    rng = random.Random(str(day))
    plan = Plan(BOOK.at("guangzhou-huadu", day), [c for c in every_column(BOOK, MAIN) if not c.endswith(".date")])
    crowd = Crowd(plan)
    same(plan, [crowd.row(rng) for _ in range(25)])


@pytest.mark.parametrize("id", sorted(BOOK.instruments))
def test_every_instrument_is_graded_as_for_one_person(id: str) -> None:
    rng = random.Random(id)
    plan = Plan(BOOK.at("national", ON), every_column(BOOK, [id]), Wanted(programmes=frozenset()))
    crowd = Crowd(plan)
    same(plan, [crowd.row(rng) for _ in range(40)])


def test_a_file_with_few_columns_leaves_the_rest_unknown() -> None:
    plan = Plan(BOOK.at("zhoushan", ON), ["id", "birth_date", "gbt-42195-2022.level"])
    rng, crowd = random.Random(1), Crowd(plan)
    same(plan, [crowd.row(rng) for _ in range(50)])
    assert set(plan.inputs.used) == {"birth_date", "gbt-42195-2022.level"}


def test_columns_without_any_value_leave_everything_unknown() -> None:
    plan = Plan(BOOK.at("zhoushan", ON), every_column(BOOK, MAIN))
    empty = pl.DataFrame({"id": ["a", "b"], **{name: [None, None] for name in plan.inputs.used}})
    assert set(empty.dtypes[1:]) == {pl.Null()}
    found = answers(plan, empty)
    typed = answers(plan, raw_frame(plan, [{}, {}]).with_columns(id=empty["id"]))
    assert found.equals(typed)


def test_equal_conditions_of_different_programmes_are_one_formula() -> None:
    plan = Plan(BOOK.at("zhoushan", ON), every_column(BOOK, MAIN))
    formulas = [f.sql() for stage in plan.sheet.stages([o.sql for o in plan.outputs]) for f in stage.values()]
    assert len(formulas) == len(set(formulas))
    asked = [c.when for s in plan.ruleset.standings.values() for c in s.programme.criteria]
    assert asked.count("age >= 60") > 3
    assert sum(re.fullmatch(r'"\w+" >= 60', f) is not None for f in formulas) == 1


def test_the_sql_of_the_plan_gives_the_same_in_another_engine() -> None:
    duckdb = pytest.importorskip("duckdb")
    plan = Plan(BOOK.at("zhoushan", ON), every_column(BOOK, [*MAIN, "cdr"]), Wanted(benefits=True))
    rng, crowd = random.Random(3), Crowd(plan)
    frame = raw_frame(plan, [crowd.row(rng) for _ in range(500)])
    right = answers(plan, frame)
    # The edge turns decimals into whole numbers before the plan begins.
    whole = [
        (pl.col(u.name) * 10**u.scale).round().cast(pl.Int64).alias(u.name)
        for u in plan.inputs.used.values()
        if u.type == "decimal"
    ]
    people = frame.with_columns(whole).to_arrow()  # noqa: F841 - read by name below
    plan.sheet.input("id")
    found = duckdb.sql(plan.sql("people", "duckdb", ["id"])).pl()
    assert found.columns == right.columns
    for name in right.columns:
        left = [None if v is None else str(v) for v in found.sort("id")[name]]
        assert left == [None if v is None else str(v) for v in right.sort("id")[name]], name


# -- scoring kinds the shipped instruments do not use ----------------------------------------------------------
MEAN = """\
  - {id: average, kind: mean, items: all, answered: 1, decimals: 1, name: {zh: 平均, en: Mean}, evidence: verified}
  - {id: often, kind: mode, items: [eating, walking], when: value >= 0, tie_nearest: average, name: {zh: 众数, en: Mode}, evidence: verified}
grade: preliminary
"""


def test_means_and_modes_are_exact(rules: Any) -> None:
    book = rules.change("instruments/scale.yaml", ("grade: preliminary\n", MEAN)).load()
    plan = Plan(book.at("city", ON), ["id", "scale.eating", "scale.walking"], Wanted(scores=True))
    rows = [{"scale.eating": a, "scale.walking": b} for a in (None, 0, 1, 2) for b in (None, 0, 1, 2)]
    found = answers(
        plan, pl.DataFrame({"id": [str(n) for n in range(16)], **{c: [r[c] for r in rows] for c in rows[0]}})
    )
    from yyassess import assess

    for row, line in zip(rows, found.iter_rows(named=True), strict=True):
        given = {k.split(".")[1]: v for k, v in row.items() if v is not None}
        scores = assess("scale", {"date": "2026-01-01", "answers": given}, book)["scores"]
        for name in ("average", "often"):
            value = line[f"scale.{name}"]
            assert (None if value is None else float(value)) == scores.get(name), (name, row)


UNFOUND = """\
id: {id}
name: {{zh: 项目, en: Programme}}
kind: allowance
status: in_force
source: {{document: notice}}
evidence: verified
in_force: {{from: 2020-01-01}}
criteria:
"""
UNFOUND_BASE = """\
  - {id: poor, when: income < 500, say: {zh: 穷, en: Poor}, evidence: verified}
  - {id: secret, when: unknown, say: {zh: 不明, en: Not found}, evidence: unknown}
"""
UNFOUND_TOP = """\
  - {id: old, when: years >= 60, say: {zh: 老, en: Old}, evidence: verified}
  - {id: has-base, when: ELIGIBLE('base'), say: {zh: 有, en: Has it}, evidence: verified}
"""
UNFOUND_BOTH = """\
  - {id: has-base, when: ELIGIBLE('base') OR coma, say: {zh: 有, en: Has it}, evidence: verified}
  - {id: own, when: unknown, say: {zh: 不明, en: Not found}, evidence: unknown}
"""


def test_what_hangs_on_a_programme_of_unknown_content_is_not_configured(rules: Any) -> None:
    for id, criteria in (("base", UNFOUND_BASE), ("top", UNFOUND_TOP), ("both", UNFOUND_BOTH)):
        rules.write(f"national/{id}.yaml", UNFOUND.format(id=id) + criteria)
    book = rules.load()
    plan = Plan(book.at("city", ON), ["id", "income", "years", "coma"])
    rows = [
        {k: v for k, v in (("income", i), ("years", y), ("coma", c)) if v is not None}
        for i in (None, Decimal(100), Decimal(900))
        for y in (None, 50, 70)
        for c in (None, False, True)
    ]
    same(plan, rows)
    found = answers(plan, raw_frame(plan, [{"income": Decimal(100), "years": 70}, {"years": 70}]))
    assert found["top.status"].to_list() == ["not_configured", "unknown"]
    assert found["top.reason"].to_list() == ["has-base", "has-base"]


def test_what_cannot_be_run_for_a_population_is_refused_by_name(rules: Any) -> None:
    hidden = "  - {id: worst, kind: extreme, of: [eating, walking], name: {zh: 最差, en: Worst}, evidence: verified}\ngrade: preliminary\n"
    rules.change(
        "instruments/scale.yaml",
        ("ladder: steps}\n      - {id: walking", "ladder: steps, applies_when: walking >= 1}\n      - {id: walking"),
    )
    book = rules.change("instruments/scale.yaml", ("grade: preliminary\n", hidden)).load()
    with pytest.raises(PlanError, match=r"scale\.worst"):
        Plan(book.at("city", ON), ["id", "scale.eating", "scale.walking"])


def test_wrong_wanted_columns_cost_nothing() -> None:
    plan = Plan(BOOK.at("zhoushan", ON), every_column(BOOK, MAIN))
    few = [o for o in plan.outputs if o.name == "gbt-42195-2022.level"]
    frame = selected(pl.LazyFrame(schema={"id": pl.String}), plan.sheet, {}, ["id"])
    assert frame.collect_schema().names() == ["id"]
    assert len(plan.sheet.needed([o.sql for o in few])[0]) < 45
