"""The plan on a real Spark gives, row by row, what it gives in process.

Needs pyspark (the extra ``spark``) and a Java runtime, which ``./test`` installs. Where they are missing the test says so
and is skipped; with ``YYASSESS_NEED_SPARK=1`` or on a CI server (``CI`` is set) it fails instead.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.population.people import ON, Crowd, every_column, raw_frame
from yyassess import Rulebook
from yyassess.population.batch import Job, run_batch
from yyassess.population.plan import Plan, Wanted

LACKS = [
    *([] if importlib.util.find_spec("pyspark") else ["pyspark (pip install 'yyassess[spark]')"]),
    *([] if shutil.which("java") else ["a Java runtime"]),
]
NEEDED = os.environ.get("YYASSESS_NEED_SPARK", "1" if os.environ.get("CI") else "0")
if LACKS and NEEDED != "0":
    raise RuntimeError(
        f"the Spark tests are asked for (YYASSESS_NEED_SPARK or CI), but this machine lacks {' and '.join(LACKS)}"
    )
pytestmark = pytest.mark.skipif(bool(LACKS), reason=f"Spark is NOT tested here: missing {' and '.join(LACKS)}")


def test_spark_and_this_process_agree_on_every_row_and_column(tmp_path: Path, book: Rulebook) -> None:
    from yyassess.population.spark import run_on_spark

    wanted = Wanted(benefits=True, scores=True)
    instruments = ["gbt-42195-2022", "ltci-2021-37", "cdr"]
    plan = Plan(book.at("zhoushan", ON), every_column(book, instruments), wanted)
    crowd, rng = Crowd(plan), random.Random(5)
    frame = raw_frame(plan, [crowd.row(rng) for _ in range(400)])
    item = next(n for n, u in plan.inputs.used.items() if n.startswith("gbt-42195-2022.") and u.type == "integer")
    spoiled = frame.head(3).with_columns(pl.lit(77, dtype=pl.Int64).alias(item), id=pl.Series(["x1", "x2", "x2"]))
    pl.concat([frame, spoiled.select(frame.columns)], how="vertical_relaxed").write_parquet(tmp_path / "in.parquet")
    # A fact may be passed through as well: as it stands in the file, not as the plan reads it.
    keep = ("sex", next(n for n, u in plan.inputs.used.items() if u.type == "decimal" and n in book.facts))
    here = run_batch(
        Job(tmp_path / "in.parquet", tmp_path / "here.parquet", "zhoushan", ON, wanted=wanted, keep=keep), book
    )
    there = run_on_spark(
        book, str(tmp_path / "in.parquet"), str(tmp_path / "there"), "zhoushan", ON, None, wanted, keep, (), "local[2]"
    )
    first = pl.read_parquet(tmp_path / "here.parquet").sort("id")
    second = pl.read_parquet(tmp_path / "there" / "*.parquet").sort("id")
    assert first.columns == second.columns
    assert here["written"] == there["written"] == 400
    assert here["rejected"] == there["rejected"] == 3
    for name in first.columns:
        assert [str(v) for v in first[name]] == [str(v) for v in second[name]], name
    assert here["grades"] == there["grades"] and here["programmes"] == there["programmes"]
    rejects = [
        json.loads(line) for f in (tmp_path / "there.rejects").glob("*.json") for line in f.read_text().splitlines()
    ]
    assert sorted(r["id"] for r in rejects) == ["x1", "x2", "x2"]
