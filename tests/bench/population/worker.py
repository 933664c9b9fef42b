"""One competitor of the population bench in a process of its own: prints its figures as JSON.

Called by ``bench_population.py``; each gets the same seeded Parquet file.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from pathlib import Path
from typing import Any

ON = dt.date(2026, 11, 22)
#: The two instruments and the programmes that every competitor computes in the small comparison.
SMALL = (
    "national-consumption-subsidy",
    "zs-ltci",
    "zs-tcm-constitution",
    "zs-unified-grade",
    "zs-two-chronic",
    "zs-home-adaptation",
)


def ours(source: Path, out: Path, place: str, small: bool) -> int:
    """`batch`: every column, Parquet to Parquet."""
    from yyassess import Rulebook
    from yyassess.population.batch import Job, run_batch
    from yyassess.population.plan import Wanted

    wanted = Wanted(programmes=frozenset(SMALL)) if small else Wanted()
    return int(run_batch(Job(source, out, place, ON, wanted=wanted), Rulebook.load())["rows"])


def copy(source: Path, out: Path, place: str, small: bool) -> int:
    """The same engine reads the same input columns, and reads and writes the same output columns; nothing else."""
    import polars as pl

    from yyassess import Rulebook
    from yyassess.population.plan import Plan
    from yyassess.population.running import Runner
    from yyassess.population.sources import open_source

    opened = open_source(source)
    columns = Runner(Plan(Rulebook.load().at(place, ON), opened.columns), opened.schema()).columns
    rows = sum(len(chunk.frame) for chunk in opened.chunks(columns))
    pl.scan_parquet(out).sink_parquet(out.with_suffix(".copy"), compression="snappy", statistics=False)
    out.with_suffix(".copy").unlink()
    return rows


def copy_all(source: Path, out: Path, place: str, small: bool) -> int:
    """Input and output columns both read and written."""
    import polars as pl

    for file in (source, out):
        pl.scan_parquet(file).sink_parquet(out.with_suffix(".copy"), compression="snappy", statistics=False)
    out.with_suffix(".copy").unlink()
    return int(pl.scan_parquet(source).select(pl.len()).collect().item())


def counts(source: Path, out: Path, place: str, small: bool) -> int:
    """The simulation of the worked example: every programme counted, no row written."""
    return _simulated(source, place, True)


def counts_changed(source: Path, out: Path, place: str, small: bool) -> int:
    """The same, counting only the programme that changes."""
    return _simulated(source, place, False)


def _simulated(source: Path, place: str, everything: bool) -> int:
    from yyassess import Rulebook
    from yyassess.population import simulate

    example = Path(simulate.__file__).parent / "examples" / "subsidy-for-mild-disability.yaml"
    changed = [("mild", {"zh": "", "en": ""}, Rulebook.load(overlays=[example]))]
    study = simulate.Study(source, place, ON, everything=everything)
    return int(simulate.simulate(study, Rulebook.load(), changed).people)


def loop(source: Path, out: Path, place: str, small: bool) -> int:
    """A plain Python loop over `determine`, the first 2000 rows."""
    import polars as pl

    from yyassess import Rulebook, determine

    book = Rulebook.load()
    people = pl.read_parquet(source, n_rows=2000)
    instruments = [i for i in book.instruments if any(c.startswith(f"{i}.") for c in people.columns)]
    for row in people.iter_rows(named=True):
        facts = {
            k: v.isoformat() if isinstance(v, dt.date) else v
            for k, v in row.items()
            if k in book.facts and v is not None
        }
        assessments = [
            {"instrument": i, "date": "2026-11-22", "answers": {k.split(".", 1)[1]: v for k, v in row.items() if k.startswith(f"{i}.") and v is not None}}
            for i in instruments
        ]  # fmt: skip
        determine({"facts": facts, "assessments": assessments}, place=place, on=ON, rules=book)
    return len(people)


def zen(source: Path, out: Path, place: str, small: bool) -> int:
    """GoRules ZEN: the two grades handed to it, five programmes as one decision table each, the first 20,000 rows."""
    import pyarrow.parquet as pq
    import zen as engine

    rows = pq.ParquetFile(source).iter_batches(batch_size=20_000, columns=["id", "birth_date", "sex"])
    people = next(rows).to_pylist()
    tables = []
    for n, name in enumerate(("subsidy", "ltci", "tcm", "chronic", "adaptation")):
        inputs = [{"id": f"i{n}{k}", "name": k, "type": "expression", "field": k} for k in ("age", "grade", "care")]
        rules = [
            {"_id": f"r{n}0", f"i{n}age": "< 60", f"o{n}": "'ineligible'"},
            {"_id": f"r{n}1", f"i{n}grade": "< 2", f"o{n}": "'ineligible'"},
            {"_id": f"r{n}2", f"i{n}care": "< 1", f"o{n}": "'ineligible'"},
            {"_id": f"r{n}3", f"o{n}": "'eligible'"},
        ]
        outputs = [{"id": f"o{n}", "name": name, "type": "expression", "field": name}]
        content = {"hitPolicy": "first", "inputs": inputs, "outputs": outputs, "rules": rules}
        tables.append(
            {"id": f"t{n}", "type": "decisionTableNode", "name": name, "content": content, "position": {"x": 0, "y": 0}}
        )
    nodes: list[Any] = [{"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}}, *tables,
             {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}}]  # fmt: skip
    edges = [{"id": f"a{n}", "type": "edge", "sourceId": "in", "targetId": t["id"]} for n, t in enumerate(tables)]
    edges += [{"id": f"b{n}", "type": "edge", "sourceId": t["id"], "targetId": "out"} for n, t in enumerate(tables)]
    decision = engine.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))
    for person in people:
        decision.evaluate({"age": (ON - person["birth_date"]).days // 365, "grade": 3, "care": 1})
    return len(people)


def fisca(source: Path, out: Path, place: str, small: bool) -> int:
    """OpenFisca, the same two instruments and six programmes, end to end."""
    from openfisca_rules import run

    return int(run(source, out))


def main() -> None:
    kind, source, out, place, small = sys.argv[1:6]
    started, used = time.perf_counter(), time.process_time()
    rows = globals()[kind](Path(source), Path(out), place, small == "small")
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    status = Path("/proc/self/status").read_text()
    memory = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "memory_mb": memory}))


if __name__ == "__main__":
    main()
