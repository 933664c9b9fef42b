#!/usr/bin/env python
"""Plant every deliberate fault in the rule files, one at a time, and report what kills it.

    python scripts/mutate_rules.py                      all mutants of the shipped rules
    python scripts/mutate_rules.py --file rules/…yaml   those of one file
    python scripts/mutate_rules.py --sample 200         a random sample

A survivor is printed with somebody whom the mutant decides otherwise: as a worked example it would kill the mutant.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from yyassess.assurance.killing import Hunt, Verdict
from yyassess.rulebook.loading import shipped_rules

_hunt: list[Hunt] = []


def start(folder: Path) -> None:
    """Each process reads the rules once."""
    _hunt.append(Hunt(folder))


def judge(key: tuple[str, int]) -> Verdict:
    """One mutant, named by its file and its place among that file's mutants."""
    file, number = key
    return _hunt[0].judge(list(_hunt[0].mutants(file))[number])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", nargs="?", type=Path, default=shipped_rules())
    options.add_argument("--file", action="append", help="only this file, as named in messages")
    options.add_argument("--sample", type=int, help="so many mutants, chosen at random")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--json", type=Path, help="write the counts and the survivors to this file")
    given = options.parse_args()
    start(given.folder)
    counts = Counter(m.file for m in _hunt[0].mutants() if not given.file or m.file in given.file)
    keys = [(file, number) for file, many in counts.items() for number in range(many)]
    if given.sample is not None and given.sample < len(keys):
        keys = random.Random(given.seed).sample(keys, given.sample)
    results: list[Verdict] = []
    with Pool(given.processes, start, (given.folder,)) as pool:
        for verdict in pool.imap_unordered(judge, keys, chunksize=8):
            results.append(verdict)
            if verdict.survived:
                print(f"SURVIVED {verdict.mutant}  {json.dumps(verdict.witness, ensure_ascii=False)}", flush=True)
            if len(results) % 200 == 0:
                print(f"{len(results)} of {len(keys)}", file=sys.stderr, flush=True)
    report = summary(results)
    print(json.dumps({k: v for k, v in report.items() if k != "survivors"}, indent=2))
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if report["decisive"]["survived"] else 0


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
    found["survivors"] = [
        {"mutant": str(v.mutant), "decisive": v.mutant.decisive, "witness": v.witness} for v in results if v.survived
    ]
    return found


if __name__ == "__main__":
    sys.exit(main())
