#!/usr/bin/env python
"""Plant every deliberate fault in the rule files, one at a time, and report what kills it.

    python scripts/mutate_rules.py                       all mutants of the shipped rules
    python scripts/mutate_rules.py --file rules/…yaml    those of one file
    python scripts/mutate_rules.py --sample 200          a random sample
    python scripts/mutate_rules.py --suggest FOLDER      also write worked examples that would kill the survivors

A suggested example says what the rules say now. Whether that is right, a person must decide before it is added.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
from collections import Counter
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from yyassess.assurance.killing import Hunt, Verdict
from yyassess.assurance.telling import Teller
from yyassess.rulebook.loading import shipped_rules

MEASURED = Path(__file__).resolve().parents[1] / "tests" / "assurance" / "measured.json"
#: So many mutants are one task of a process.
TASK = 40

_hunt: list[Hunt] = []
Task = tuple[str, list[int], bool]
Done = tuple[str, list[Verdict], list[dict[str, Any]]]


def start(folder: Path) -> None:
    """Each process reads the rules once."""
    _hunt.append(Hunt(folder))


def judge(task: Task) -> Done:
    """Some mutants of one file, and the examples that would kill those that live."""
    file, numbers, suggest = task
    hunt = _hunt[0]
    listed = list(hunt.mutants(file))
    teller = Teller(hunt.book, file)
    verdicts = []
    for number in numbers:
        verdict = hunt.judge(listed[number])
        if suggest and verdict.survived and verdict.mutant.decisive:
            teller.tell(hunt.mutated(verdict.mutant), verdict.witness)
        verdicts.append(verdict)
    return file, verdicts, teller.examples


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", nargs="?", type=Path, default=shipped_rules())
    options.add_argument("--file", action="append", help="only this file, as named in messages")
    options.add_argument("--sample", type=int, help="so many mutants, chosen at random")
    options.add_argument(
        "--decisive", action="store_true", help="only faults in grades, eligibility, amounts and periods"
    )
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--suggest", type=Path, help="write examples to this folder, a file for each rule file")
    options.add_argument("--save", action="store_true", help="keep the counts for docs/assurance.md")
    given = options.parse_args()
    start(given.folder)
    done: list[Verdict] = []
    tasks = plan(given)
    with Pool(given.processes, start, (given.folder,)) as pool:
        for file, verdicts, examples in pool.imap_unordered(judge, tasks):
            done += verdicts
            for verdict in verdicts:
                if verdict.survived:
                    print(f"SURVIVED {verdict.mutant}  {json.dumps(verdict.witness, ensure_ascii=False)}", flush=True)
            if given.suggest and examples:
                write(given.suggest, file, examples)
            print(f"{len(done)} of {sum(len(t[1]) for t in tasks)}", file=sys.stderr, flush=True)
    report = summary(done)
    print(json.dumps({k: v for k, v in report.items() if k != "survivors"}, indent=2))
    if given.save:
        kept = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
        kept["rules"] = {"measured": dt.date.today().isoformat(), **report}
        MEASURED.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if report["decisive"]["survived"] else 0


def plan(given: Any) -> list[Task]:
    """Which mutants are judged, in tasks of one file each; the longest first."""
    listed: dict[str, list[int]] = {}
    place: Counter[str] = Counter()
    for mutant in _hunt[0].mutants():
        if (not given.file or mutant.file in given.file) and (mutant.decisive or not given.decisive):
            listed.setdefault(mutant.file, []).append(place[mutant.file])
        place[mutant.file] += 1
    if given.sample is not None:
        keys = [(file, n) for file, numbers in listed.items() for n in numbers]
        chosen = random.Random(given.seed).sample(keys, min(given.sample, len(keys)))
        listed = {file: sorted(n for f, n in chosen if f == file) for file, _ in chosen}
    tasks: list[Task] = []
    for file, numbers in listed.items():
        size = len(numbers) if given.suggest else TASK
        tasks += [(file, numbers[at : at + size], bool(given.suggest)) for at in range(0, len(numbers), size)]
    return sorted(tasks, key=lambda task: -len(task[1]))


def write(folder: Path, file: str, examples: list[dict[str, Any]]) -> None:
    """Examples as YAML, to be read by a person and then copied under ``examples:``."""
    import yaml

    shown = [{"name": f"at the edge {number}", **example} for number, example in enumerate(examples, 1)]
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        yaml.safe_dump([e], allow_unicode=True, sort_keys=False, default_flow_style=True, width=10**6)
        for e in plain(shown)
    ]
    target.write_text("".join(f"  - {line.strip()[1:-1]}\n" for line in lines), encoding="utf-8")


def plain(value: Any) -> Any:
    """Data that the YAML writer knows: no subclasses of its own, and days as days."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def summary(results: list[Verdict]) -> dict[str, Any]:
    """Counts for the faults that change what a person gets, and for those that change what is said beside it."""
    found: dict[str, Any] = {}
    for kind, decisive in (("decisive", True), ("beside", False)):
        mine = Counter(v.killed_by or "survived" for v in results if v.mutant.decisive == decisive)
        counted = sum(mine.values()) - mine["equivalent"]
        killed = counted - mine["survived"]
        found[kind] = {
            "mutants": sum(mine.values()),
            **{k: mine[k] for k in ("reading", "examples", "check", "equivalent", "survived")},
            "killed_share": round(killed / counted, 4) if counted else None,
        }
    found["survivors"] = [{"mutant": str(v.mutant), "decisive": v.mutant.decisive} for v in results if v.survived]
    return found


if __name__ == "__main__":
    sys.exit(main())
