"""Speed and memory over whole populations, side by side: ``python tests/bench/population/bench_population.py``.

Ours against a bare copy of the same columns by the same engine, OpenFisca, GoRules ZEN and a loop over `determine`.
OpenFisca and ZEN are used only here, from virtualenvs of their own:

    FISCA_PYTHON=…/bin/python  (pip install openfisca-core pyarrow)
    ZEN_PYTHON=…/bin/python    (pip install zen-engine pyarrow)

Options: ``--rows 100000 1000000 10000000``, ``--place zhoushan``, ``--folder`` for the files, ``--json FILE``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEED = 20261122


def made(folder: Path, rows: int, place: str) -> Path:
    """The seeded population: a million people are made up, more are the same people under other ids."""
    import polars as pl

    from tests.bench.population.worker import ON
    from yyassess import Rulebook
    from yyassess.population.parquet_join import join_parquet
    from yyassess.population.synth import synthetic_plan, write_population

    file = folder / f"people-{rows}.parquet"
    if file.exists():
        return file
    if rows <= 1_000_000:
        write_population(synthetic_plan(Rulebook.load(), place, ON), file, rows, SEED)
        return file
    million = pl.read_parquet(made(folder, 1_000_000, place))
    parts = []
    for number in range(rows // 1_000_000):
        part = folder / f"part-{number}.parquet"
        ids = pl.format(
            "SYN-{}", pl.int_range(number * 1_000_000, (number + 1) * 1_000_000).cast(pl.String).str.zfill(9)
        )
        million.with_columns(id=ids).write_parquet(part, compression="snappy", row_group_size=250_000)
        parts.append(part)
    with file.open("wb") as stream:
        join_parquet(parts, stream)
    for part in parts:
        part.unlink()
    return file


def measured(
    kind: str, source: Path, out: Path, place: str, python: str = sys.executable, small: bool = False
) -> dict[str, Any]:
    """One competitor in a fresh process."""
    command = [python, str(HERE / "worker.py"), kind, str(source), str(out), place, "small" if small else "all"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[2])])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int, default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--place", default="zhoushan")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="yyassess-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    fisca, zen = os.environ.get("FISCA_PYTHON"), os.environ.get("ZEN_PYTHON")
    rows: list[tuple[str, int, dict[str, Any]]] = []
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; cpu = seconds of all cores together; load = how many wanted a core before\n",
        flush=True,
    )
    print(
        f"{'what':44} {'rows':>11} {'seconds':>9} {'rows/s':>11} {'cpu s':>8} {'rows/cpu-s':>11} {'peak MB':>8} {'load':>6}",
        flush=True,
    )

    def show(name: str, source: Path, *rest: Any, **more: Any) -> None:
        load = os.getloadavg()[0]
        found = measured(rest[0], source, *rest[1:], **more)
        rows.append((name, found.get("rows", 0), found))
        if "error" in found:
            print(f"{name:44} {found['error'][:100]}", flush=True)
            return
        rate, each = found["rows"] / found["seconds"], found["rows"] / found["cpu"]
        print(
            f"{name:44} {found['rows']:11,} {found['seconds']:9.2f} {rate:11,.0f} {found['cpu']:8.2f} {each:11,.0f} {found['memory_mb']:8,.0f} {load:6.1f}",
            flush=True,
        )

    for number in arguments.rows:
        source, out = made(folder, number, arguments.place), folder / f"out-{number}.parquet"
        show("full work, Parquet to Parquet", source, "ours", out, arguments.place)
        show("bare copy: read input, copy output", source, "copy", out, arguments.place)
        show("bare copy: copy input and output", source, "copy_all", out, arguments.place)
        show("counts only, all programmes", source, "counts", out, arguments.place)
        show("counts only, the changed programme", source, "counts_changed", out, arguments.place)
        show("six programmes, ours", source, "ours", folder / "small.parquet", arguments.place, small=True)
        if fisca:
            show("six programmes, OpenFisca", source, "fisca", folder / "fisca.parquet", arguments.place, fisca)
    small = made(folder, min(arguments.rows), arguments.place)
    show("loop over determine (2,000 people)", small, "loop", folder / "x", arguments.place)
    if zen:
        show("GoRules ZEN, five small tables (20,000)", small, "zen", folder / "x", arguments.place, zen)
    if not fisca or not zen:
        print("\nOpenFisca / ZEN not measured: set FISCA_PYTHON and ZEN_PYTHON (see the top of this file).")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2]))
    main()
