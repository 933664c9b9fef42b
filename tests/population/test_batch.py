"""`batch` from file to file: formats, refused rows, nothing half written, going on where it stopped."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from tests.population.people import ON, Crowd, every_column, raw_frame
from yyassess import InputError, Rulebook
from yyassess.cli import main
from yyassess.population import batch as batches
from yyassess.population.batch import Job, run_batch
from yyassess.population.plan import Plan, Wanted
from yyassess.population.workers import worked

PLACE = "zhoushan"


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    book = Rulebook.load()
    plan = Plan(book.at(PLACE, ON), every_column(book, ["gbt-42195-2022", "ltci-2021-37"]), Wanted(benefits=True))
    crowd, rng = Crowd(plan), random.Random(11)
    return raw_frame(plan, [crowd.row(rng) for _ in range(3000)])


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    lists = [
        pl.when(pl.col(c).list.len() == 0).then(pl.lit("[]")).otherwise(pl.col(c).list.join(";")).alias(c)
        for c, t in frame.schema.items()
        if t == pl.List(pl.String)
    ]
    return frame.with_columns(lists)


def job(folder: Path, source: str, out: str, **rest: Any) -> Job:
    return Job(folder / source, folder / out, PLACE, ON, wanted=Wanted(benefits=True), **rest)


def rejects(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(f"{out}.rejects").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("source", ["in.csv", "gb.csv", "in.jsonl"])
def test_every_format_gives_the_same_result(source: str, people: pl.DataFrame, tmp_path: Path, book: Rulebook) -> None:
    people = people.with_columns(pl.format("张{}", "id").alias("id"))
    people.write_parquet(tmp_path / "in.parquet")
    if source == "in.jsonl":
        rows = [{k: v for k, v in r.items() if v is not None} for r in people.iter_rows(named=True)]
        text = "".join(json.dumps(r, ensure_ascii=False, default=str) + "\n" for r in rows)
        (tmp_path / source).write_text(text, encoding="utf-8")
    else:
        body = as_text(people).write_csv()
        (tmp_path / source).write_bytes(body.encode("gb18030" if source == "gb.csv" else "utf-8"))
    right = run_batch(job(tmp_path, "in.parquet", "a.parquet"), book)
    encoding = "gb18030" if source == "gb.csv" else "utf-8"
    found = run_batch(job(tmp_path, source, "b.parquet", encoding=encoding), book)
    assert right["rejected"] == found["rejected"] == 0
    a, b = pl.read_parquet(tmp_path / "a.parquet"), pl.read_parquet(tmp_path / "b.parquet")
    assert a.equals(b.select(a.columns))
    assert a["id"][0].startswith("张")


@pytest.mark.parametrize("out", ["out.csv", "out.jsonl"])
def test_every_output_says_the_same(out: str, people: pl.DataFrame, tmp_path: Path, book: Rulebook) -> None:
    people.write_parquet(tmp_path / "in.parquet", row_group_size=1000)
    run_batch(job(tmp_path, "in.parquet", "a.parquet", rows=1000), book)
    run_batch(job(tmp_path, "in.parquet", out, rows=1000), book)
    a = pl.read_parquet(tmp_path / "a.parquet").with_columns(pl.selectors.decimal().cast(pl.Float64))
    read = (
        pl.read_csv(tmp_path / out, infer_schema_length=None)
        if out.endswith("csv")
        else pl.read_ndjson(tmp_path / out, infer_schema_length=None)
    )
    assert sorted(read.columns) == sorted(a.columns)
    for name in a.columns:
        left = [None if v is None else float(v) if isinstance(v, (int, float)) else str(v) for v in a[name]]
        right = [
            None if v is None or v == "" else float(v) if isinstance(v, (int, float)) else str(v) for v in read[name]
        ]
        if right != left:  # JSON has sums of money as text
            right = [None if v is None else float(v) for v in right]
        assert left == right, name


def test_a_refused_row_has_its_line_and_reason_and_the_others_are_kept(
    people: pl.DataFrame, tmp_path: Path, book: Rulebook
) -> None:
    lines = as_text(people.head(20)).write_csv().splitlines()
    header = lines[0].split(",")
    age, eating = header.index("birth_date"), header.index("gbt-42195-2022.eating")

    def change(number: int, place: int, text: str) -> None:
        cells = lines[number].split(",")
        cells[place] = text
        lines[number] = ",".join(cells)

    change(1, eating, "9")
    change(2, eating, "two")
    change(3, age, "1950-02-30")
    change(4, age, "2031-01-01")
    change(5, 0, "")
    change(7, 0, lines[6].split(",")[0])
    lines[8] += ",one-more"
    (tmp_path / "in.csv").write_text("\n".join(lines), encoding="utf-8")
    summary = run_batch(job(tmp_path, "in.csv", "out.parquet"), book)
    assert (summary["rows"], summary["written"], summary["rejected"]) == (20, 12, 8)
    found = {r["line"]: r["errors"][0] for r in rejects(tmp_path / "out.parquet")}
    assert sorted(found) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert found[2]["where"] == found[3]["where"] == "gbt-42195-2022.eating"
    assert found[2]["allowed"] == [4, 3, 2, 1, 0]
    assert found[4]["where"] == found[5]["where"] == "birth_date"
    assert found[4]["given"] is None and "1950" not in json.dumps(found[4])  # personal data is never repeated
    assert found[6]["where"] == found[7]["where"] == found[8]["where"] == "id"
    assert found[9]["say"]["en"] == "the wrong number of cells"


def test_a_bad_byte_of_gb18030_refuses_its_line_only(people: pl.DataFrame, tmp_path: Path, book: Rulebook) -> None:
    body = as_text(people.head(5)).write_csv().encode("gb18030").split(b"\n")
    body[3] = b"\xff" + body[3]
    (tmp_path / "in.csv").write_bytes(b"\n".join(body))
    summary = run_batch(job(tmp_path, "in.csv", "out.parquet", encoding="gb18030"), book)
    assert summary["written"] == 4
    assert rejects(tmp_path / "out.parquet")[0]["line"] == 4


def test_quotes_and_line_breaks_inside_cells_are_read(people: pl.DataFrame, tmp_path: Path, book: Rulebook) -> None:
    few = people.head(6).with_columns(id=pl.Series(['a"b', "c,d", "e\nf", "g", "h", "i"]))
    as_text(few).write_csv(tmp_path / "in.csv")
    run_batch(job(tmp_path, "in.csv", "out.parquet"), book)
    assert pl.read_parquet(tmp_path / "out.parquet")["id"].to_list() == ['a"b', "c,d", "e\nf", "g", "h", "i"]


def test_duplicate_ids_in_different_chunks_are_refused_all(
    people: pl.DataFrame, tmp_path: Path, book: Rulebook
) -> None:
    twice = people.with_columns(
        pl.when(pl.col("id") == "p002500").then(pl.lit("p000003")).otherwise(pl.col("id")).alias("id")
    )
    twice.write_parquet(tmp_path / "in.parquet", row_group_size=1000)
    summary = run_batch(job(tmp_path, "in.parquet", "out.parquet", rows=1000), book)
    assert (summary["rows"], summary["written"], summary["rejected"]) == (3000, 2998, 2)
    assert [r["line"] for r in rejects(tmp_path / "out.parquet")] == [4, 2501]
    assert "p000003" not in pl.read_parquet(tmp_path / "out.parquet")["id"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda f: f.rename({"id": "person"}), "id"),
        (lambda f: f.rename({"disabled_months": "disabled_month"}), "disabled_month"),
        (
            lambda f: f.with_columns(pl.col("disabled_months").cast(pl.String).str.to_datetime("%Y", strict=False)),
            "disabled_months",
        ),
        (lambda f: f.with_columns(pl.lit(3).alias("gbt_grade")), "gbt_grade"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(
    change: Any, where: str, people: pl.DataFrame, tmp_path: Path, book: Rulebook
) -> None:
    change(people.head(10)).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(InputError) as caught:
        run_batch(job(tmp_path, "in.parquet", "out.parquet"), book)
    assert where in [e["where"] for e in caught.value.errors]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.parquet"]


def test_a_broken_parquet_file_leaves_nothing_behind(people: pl.DataFrame, tmp_path: Path) -> None:
    people.write_parquet(tmp_path / "in.parquet")
    data = (tmp_path / "in.parquet").read_bytes()
    (tmp_path / "in.parquet").write_bytes(data[: len(data) // 2])
    done = CliRunner().invoke(
        main,
        [
            "batch",
            str(tmp_path / "in.parquet"),
            "-o",
            str(tmp_path / "out.parquet"),
            "--place",
            PLACE,
            "--lang",
            "en",
            "--format",
            "text",
        ],
    )
    assert done.exit_code == 2
    assert "not a sound Parquet file" in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_a_parquet_file_broken_in_the_middle_is_said_and_leaves_no_result(
    people: pl.DataFrame, tmp_path: Path, book: Rulebook
) -> None:
    people.write_parquet(tmp_path / "in.parquet", row_group_size=1000)
    data = bytearray((tmp_path / "in.parquet").read_bytes())
    # The footer stays sound: pages of the second of three row groups are overwritten.
    middle = len(data) * 4 // 9
    data[middle : middle + 5000] = b"\xff" * 5000
    (tmp_path / "in.parquet").write_bytes(data)
    with pytest.raises(InputError) as caught:
        run_batch(job(tmp_path, "in.parquet", "out.parquet", rows=1000), book)
    assert "is broken" in caught.value.errors[0]["say"]["en"]
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.parquet", b"", "not a sound Parquet file"),
        ("in.parquet", b"PAR1 and no more", "not a sound Parquet file"),
        ("in.csv", b"", "the file is empty"),
        ("in.csv", "id,\u5e74".encode("gb18030") + b"\xff\n1,2\n", "the header is not utf-8 text"),
        ("in.csv", b"id,age,age\n1,70,70\n", "columns written twice"),
        ("in.txt", b"id\n1\n", "unknown file format"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    name: str, content: bytes, said: str, tmp_path: Path, book: Rulebook
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        run_batch(job(tmp_path, name, "out.parquet"), book)
    assert said in caught.value.errors[0]["say"]["en"]
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_chunks_with_different_faults_may_run_at_the_same_time(
    people: pl.DataFrame, tmp_path: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [c for c in people.columns if c.startswith("gbt-42195-2022.") and people.schema[c].is_integer()][:12]
    at = pl.int_range(pl.len())
    spoiled = [pl.when(at == 10 + 240 * n).then(99).otherwise(pl.col(c)).alias(c) for n, c in enumerate(items)]
    people.with_columns(spoiled).write_parquet(tmp_path / "in.parquet", row_group_size=240)
    monkeypatch.setattr("yyassess.population.batch.worked", lambda chunks, work: worked(chunks, work, 4))
    found = run_batch(job(tmp_path, "in.parquet", "many.parquet", rows=240), book)
    monkeypatch.setattr("yyassess.population.batch.worked", lambda chunks, work: map(work, chunks))
    right = run_batch(job(tmp_path, "in.parquet", "one.parquet", rows=240), book)
    assert found["rejected"] == right["rejected"] == len(items)
    assert rejects(tmp_path / "many.parquet") == rejects(tmp_path / "one.parquet")
    assert [r["errors"][0]["where"] for r in rejects(tmp_path / "one.parquet")] == items
    assert (tmp_path / "many.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


def test_a_column_passed_through_stays_as_it_is(people: pl.DataFrame, tmp_path: Path, book: Rulebook) -> None:
    few = people.head(40).with_columns(pl.col("sex").cast(pl.Categorical), town=pl.lit("镇"))
    few.write_parquet(tmp_path / "in.parquet")
    kept = ("sex", "town", "service_price", "birth_date", "diagnoses")
    run_batch(job(tmp_path, "in.parquet", "out.parquet", keep=kept, ignore=("town",)), book)
    found = pl.read_parquet(tmp_path / "out.parquet")
    for name in kept:
        assert found[name].to_list() == few[name].to_list(), name


def test_an_interrupted_run_leaves_no_result_and_goes_on_with_resume(
    people: pl.DataFrame, tmp_path: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.write_parquet(tmp_path / "in.parquet", row_group_size=1000)
    whole = run_batch(job(tmp_path, "in.parquet", "whole.parquet", rows=1000), book)
    parts: list[int] = []
    part = batches._Run._part

    def stop_at_two(self: Any, chunk: Any, without: Any = None) -> Any:
        if chunk.number == 2 and not parts.count(2):
            parts.append(2)
            raise KeyboardInterrupt
        parts.append(chunk.number)
        return part(self, chunk, without)

    monkeypatch.setattr(batches._Run, "_part", stop_at_two)
    with pytest.raises(KeyboardInterrupt):
        run_batch(job(tmp_path, "in.parquet", "out.parquet", rows=1000), book)
    assert not (tmp_path / "out.parquet").exists()
    summary = run_batch(job(tmp_path, "in.parquet", "out.parquet", rows=1000, resume=True), book)
    assert sorted(parts) == [0, 1, 2, 2]
    assert {k: v for k, v in summary.items() if k in ("rows", "grades", "programmes")} == {
        k: v for k, v in whole.items() if k in ("rows", "grades", "programmes")
    }
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.parquet", "out.parquet", "whole.parquet"]


def test_resume_starts_anew_when_the_input_has_changed(people: pl.DataFrame, tmp_path: Path, book: Rulebook) -> None:
    people.write_parquet(tmp_path / "in.parquet")
    work = tmp_path / ".out.parquet.work"
    work.mkdir()
    (work / "job.json").write_text("sha256:other")
    (work / "part-000000.json").write_text("{}")
    assert run_batch(job(tmp_path, "in.parquet", "out.parquet", resume=True), book)["written"] == 3000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_and_nothing_half_written_is_left(tmp_path: Path, people: pl.DataFrame) -> None:
    people.write_parquet(tmp_path / "in.parquet")
    # A file size limit stands in for a full disk; the kernel refuses the write in the same place.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); sys.argv[0] = 'yyassess';"
        "from yyassess.cli import main; main()"
    )
    command = [
        sys.executable,
        "-c",
        script,
        "batch",
        str(tmp_path / "in.parquet"),
        "-o",
        str(tmp_path / "out.parquet"),
        "--place",
        PLACE,
        "--lang",
        "en",
        "--format",
        "text",
        "--quiet",
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_the_command_prints_a_summary_and_fails_softly_when_rows_were_refused(
    people: pl.DataFrame, tmp_path: Path
) -> None:
    frame = people.head(50).with_columns(
        pl.col("disabled_months").fill_null(0) + pl.when(pl.col("id") == "p000000").then(100_000).otherwise(0)
    )
    frame.write_parquet(tmp_path / "in.parquet")
    arguments = [
        "batch",
        str(tmp_path / "in.parquet"),
        "-o",
        str(tmp_path / "out.csv"),
        "--place",
        PLACE,
        "--on",
        "2026-11-22",
        "--format",
        "json",
        "--quiet",
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1, done.output
    summary = json.loads(done.stdout)
    assert summary["rejected"] == 1 and summary["written"] == 49
    assert sum(summary["programmes"]["zs-ltci"].values()) == 49
    assert dt.date.fromisoformat(summary["on"]) == ON
