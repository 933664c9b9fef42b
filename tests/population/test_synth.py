"""The made-up population: the same for the same seed, plausible, and never mistaken for real people."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from tests.population.people import ON
from yyassess import Rulebook
from yyassess.population.batch import Job, run_batch
from yyassess.population.synth import Population, synthetic_plan, write_population


def test_the_same_seed_gives_the_same_people_whatever_the_chunks(book: Rulebook) -> None:
    plan = synthetic_plan(book, "zhoushan", ON)
    whole = Population(plan, 7).frame(0, 400)
    assert whole.equals(pl.concat([Population(plan, 7).frame(0, 150), Population(plan, 7).frame(150, 250)]))
    assert not whole.equals(Population(plan, 8).frame(0, 400))


def test_the_file_is_marked_and_every_row_can_be_used(tmp_path: Path, book: Rulebook) -> None:
    write_population(synthetic_plan(book, "zhoushan", ON), tmp_path / "people.parquet", 2000, 1)
    mark = pq.read_metadata(tmp_path / "people.parquet").metadata
    assert mark[b"yyassess.kind"] == b"synthetic" and mark[b"yyassess.seed"] == b"1"
    people = pl.read_parquet(tmp_path / "people.parquet")
    assert people["id"].str.starts_with("SYN-").all() and people["id"].n_unique() == 2000
    summary = run_batch(Job(tmp_path / "people.parquet", tmp_path / "out.parquet", "zhoushan", ON), book)
    assert summary["rejected"] == 0
    grades = summary["grades"]["gbt-42195-2022"]
    assert all(grades.get(str(level), 0) > 0 for level in range(5)), "every grade occurs"
    assert grades["0"] + grades["1"] > grades["3"] + grades["4"], "most people are able or mildly impaired"
