"""A whole file of people graded and decided: chunk by chunk, nothing half written, and able to go on where it stopped."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from yyassess.population.columns import check_names
from yyassess.population.parquet_codes import ResultWriter
from yyassess.population.parquet_join import join_parquet
from yyassess.population.plan import Plan, Wanted
from yyassess.population.running import Runner, named_frame
from yyassess.population.sources import ROWS, Source, format_of, open_source, problem, repeated
from yyassess.population.workers import worked
from yyassess.rulebook.book import Rulebook, content_hash

#: The disk, the user's share of it, or the largest file allowed is used up.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ENDINGS = {"parquet": "parquet", "csv": "csv", "jsonl": "jsonl"}


@dataclass(frozen=True)
class Job:
    """What to run."""

    source: Path
    out: Path
    place: str
    on: dt.date
    known_on: dt.date | None = None
    wanted: Wanted = field(default_factory=Wanted)
    keep: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    """Columns that are no facts and are left out."""
    in_format: str | None = None
    out_format: str | None = None
    encoding: str = "utf-8"
    resume: bool = False
    rows: int = ROWS


#: Told after each chunk: rows so far, share done (0 to 1), seconds.
Progress = Callable[[int, float, float], None]


def run_batch(job: Job, book: Rulebook, progress: Progress | None = None) -> dict[str, Any]:
    """Grade and decide everybody in a file.

    Returns:
        The summary: rows, written, rejected, levels by instrument, statuses by programme, seconds.

    Raises:
        InputError: a file that cannot be read, unknown columns, wrong column types, a full disk.
        PlanError: rules that cannot be run for a population.
    """
    source = open_source(job.source, job.in_format, job.encoding, job.rows)
    format_of(job.out, job.out_format)
    if "id" not in source.columns:
        raise problem("id", "缺少 id 列", "the column id is missing", list(source.columns)[:20])
    if missing := [k for k in job.keep if k not in source.columns]:
        raise problem(missing[0], "文件中没有这一列", "the file has no such column", missing[0], list(source.columns))
    check_names(book, source.columns, (*job.keep, *job.ignore))
    plan = Plan(book.at(job.place, job.on, job.known_on), source.columns, job.wanted)
    return _Run(job, source, plan, progress).run()


class _Run:
    def __init__(self, job: Job, source: Source, plan: Plan, progress: Progress | None) -> None:
        self.job, self.source, self.plan, self.progress = job, source, plan, progress
        self.runner = Runner(plan, source.schema(), job.keep)
        self.form = format_of(job.out, job.out_format)
        self.work = job.out.parent / f".{job.out.name}.work"
        self.writer = ResultWriter(plan.outputs)
        self.started = time.monotonic()

    def run(self) -> dict[str, Any]:
        if not self.job.out.parent.is_dir():
            raise problem(str(self.job.out), "没有这个文件夹", "there is no such folder", str(self.job.out.parent))
        with full_disk(self.job.out):
            done = self._prepared()
            rows = sum(self._said(n)["rows"] for n in range(done))
            for part in worked(self.source.pieces(self.runner.columns, done), lambda read: self._part(read())):
                rows += part["rows"]
                if self.progress is not None:
                    share = min(1.0, part["read"] / max(self.source.size, 1))
                    self.progress(rows, share, time.monotonic() - self.started)
            self._duplicates()
            summary = self._summary()
            self._finish()
        return summary

    # -- chunks --------------------------------------------------------------------------------------------
    def _prepared(self) -> int:
        """The work folder of exactly this job; how many chunks it already has."""
        mark = self._mark()
        file = self.work / "job.json"
        if self.job.resume and file.is_file() and file.read_text(encoding="utf-8") == mark:
            done = 0
            while self._file(done, "json").is_file():
                done += 1
            return done
        if self.work.exists():
            shutil.rmtree(self.work)
        self.work.mkdir()
        file.write_text(mark, encoding="utf-8")
        return 0

    def _mark(self) -> str:
        """What must be the same for a part of an earlier run to be used."""
        status = self.job.source.stat()
        with self.job.source.open("rb") as stream:
            head = stream.read(65_536)
            stream.seek(max(0, status.st_size - 65_536))
            digest = hashlib.sha256(head + stream.read()).hexdigest()
        job = self.job
        return content_hash([
            str(job.source.resolve()), status.st_size, status.st_mtime_ns, digest, self.plan.ruleset.hash,
            [(o.name, o.sql.sql()) for o in self.plan.outputs], self.runner.columns, job.keep, self.form, job.encoding, job.rows,
        ])  # fmt: skip

    def _file(self, number: int, ending: str) -> Path:
        return self.work / f"part-{number:06d}.{ending}"

    def _said(self, number: int) -> dict[str, Any]:
        """What is known of a finished chunk."""
        found: dict[str, Any] = json.loads(self._file(number, "json").read_text(encoding="utf-8"))
        return found

    def _part(self, chunk: Any, without: pl.Series | None = None) -> dict[str, Any]:
        """One chunk from its cells to its files; returns its counts."""
        done = self.runner.run(chunk, without)
        target = self._file(chunk.number, ENDINGS[self.form])
        match self.form:
            case "parquet":
                self.writer.write(done.codes, target)
            case "csv":
                named_frame(done.codes, self.plan.outputs).sink_csv(target, include_header=chunk.number == 0)
            case _:
                named_frame(done.codes, self.plan.outputs).sink_ndjson(target)
        rejects = self._file(chunk.number, "rejects")
        rejects.write_text(
            "".join(json.dumps(r, ensure_ascii=False, default=str) + "\n" for r in done.rejects), encoding="utf-8"
        )
        pl.DataFrame({"id": done.ids.hash()}).write_parquet(self._file(chunk.number, "ids"), compression="uncompressed")
        counts: dict[str, Any] = {
            "read": chunk.read,
            "rows": done.rows,
            "written": len(done.codes),
            "rejected": len(done.rejects),
        }
        counts["counts"] = self._counts(done.codes)
        # Written last: a part counts as done only with this file.
        self._file(chunk.number, "json").write_text(json.dumps(counts), encoding="utf-8")
        return counts

    def _counts(self, codes: pl.DataFrame) -> dict[str, dict[str, int]]:
        """How often each level and each status occurs."""
        asked: list[pl.Expr] = []
        for name, values in self._counted():
            column = pl.col(name)
            asked += [(column == value).sum().alias(f"{name}\0{label}") for value, label in values]
            asked.append(column.is_null().sum().alias(f"{name}\0null"))
        if not asked:
            return {}
        found: dict[str, dict[str, int]] = {}
        for key, number in codes.select(asked).row(0, named=True).items():
            name, label = key.split("\0")
            if number:
                found.setdefault(name, {})[label] = number
        return found

    def _counted(self) -> Iterator[tuple[str, list[tuple[int, str]]]]:
        for output in self.plan.outputs:
            if output.name.endswith(".status") and output.labels:
                yield output.name, list(enumerate(output.labels))
            elif output.name.endswith(".level"):
                levels = self.plan.book.instruments[output.name.removesuffix(".level")].levels
                yield output.name, [(level.level, str(level.level)) for level in levels]

    # -- the end -------------------------------------------------------------------------------------------
    def _duplicates(self) -> None:
        """Rows whose id occurs more than once are refused: their chunks are run again without them."""
        parts = sorted(self.work.glob("part-*.ids"))
        twice = repeated(pl.read_parquet(p)["id"] for p in parts)
        if twice is None:
            return
        suspects = pl.concat(
            [
                chunk.frame.filter(pl.col("id").hash().is_in(twice.implode())).select("id", n=pl.lit(chunk.number))
                for chunk in self.source.chunks(["id"])
            ]
        )
        again = suspects.filter(pl.col("id").is_duplicated())
        chunks = set(again["n"])
        ids = again["id"].unique()
        if chunks:
            for chunk in self.source.chunks(self.runner.columns, min(chunks)):
                if chunk.number in chunks:
                    self._part(chunk, ids)

    def _summary(self) -> dict[str, Any]:
        totals: Counter[str] = Counter()
        counts: dict[str, Counter[str]] = {}
        for number in range(len(list(self.work.glob("part-*.json")))):
            part = self._said(number)
            totals.update({k: part[k] for k in ("rows", "written", "rejected")})
            for name, found in part["counts"].items():
                counts.setdefault(name, Counter()).update(found)
        seconds = time.monotonic() - self.started
        grades = {n.removesuffix(".level"): dict(c) for n, c in counts.items() if n.endswith(".level")}
        statuses = {n.removesuffix(".status"): dict(c) for n, c in counts.items() if n.endswith(".status")}
        plan, job = self.plan, self.job
        return {
            "place": plan.ruleset.place.id,
            "on": plan.ruleset.on.isoformat(),
            "ruleset": {"hash": plan.ruleset.hash, "on": plan.ruleset.on.isoformat()},
            "in": str(job.source),
            "out": str(job.out),
            "rows": totals["rows"],
            "written": totals["written"],
            "rejected": totals["rejected"],
            **({"rejects": f"{job.out}.rejects"} if totals["rejected"] else {}),
            "not_read": sorted(set(self.source.columns) - set(self.runner.columns)),
            "grades": grades,
            "programmes": statuses,
            "seconds": round(seconds, 3),
            "rows_per_second": round(totals["rows"] / seconds) if seconds else None,
        }

    def _finish(self) -> None:
        """The parts as one file under the final name, then nothing else is left."""
        parts = sorted(self.work.glob(f"part-*.{ENDINGS[self.form]}"))
        whole = self.work / "whole"
        with whole.open("wb") as stream:
            if self.form == "parquet":
                join_parquet(parts, stream)
            else:
                _append(parts, stream)
            stream.flush()
            os.fsync(stream.fileno())
        rejects = self.job.out.with_name(self.job.out.name + ".rejects")
        refused = [p for p in sorted(self.work.glob("part-*.rejects")) if p.stat().st_size]
        if refused:
            listed = self.work / "rejects"
            with listed.open("wb") as stream:
                _append(refused, stream)
            os.replace(listed, rejects)
        else:
            rejects.unlink(missing_ok=True)
        os.replace(whole, self.job.out)
        shutil.rmtree(self.work)


def _append(parts: list[Path], out: Any) -> None:
    for part in parts:
        with part.open("rb") as stream:
            shutil.copyfileobj(stream, out, 16 * 2**20)


@contextmanager
def full_disk(out: Path) -> Iterator[None]:
    """A disk that is full or may not be written to, as a message."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        code = getattr(error, "errno", None)
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        if code in FULL or any(f"(os error {n})" in said for n in FULL):
            raise problem(
                str(out),
                "磁盘已满；腾出空间后用 --resume 接着运行",
                "the disk is full; make room and go on with --resume",
            ) from None
        if isinstance(error, OSError) or "(os error" in said:
            raise problem(str(out), f"无法写入：{said}", f"cannot be written: {said}") from None
        raise


def summary_text(summary: Mapping[str, Any], lang: str) -> str:
    """The summary as a few lines."""
    zh = lang == "zh"
    lines = [
        (f"{summary['place']} {summary['on']}：" if zh else f"{summary['place']} {summary['on']}: ")
        + (
            f"{summary['rows']} 行，写出 {summary['written']}，拒绝 {summary['rejected']}"
            if zh
            else f"{summary['rows']} rows, {summary['written']} written, {summary['rejected']} rejected"
        )
    ]
    for id, counts in summary["grades"].items():
        lines.append(f"  {id}: " + ", ".join(f"{k}={v}" for k, v in sorted(counts.items())))
    for id, counts in summary["programmes"].items():
        lines.append(f"  {id}: " + ", ".join(f"{k}={v}" for k, v in counts.items()))
    return "\n".join(lines)
