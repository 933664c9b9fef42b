#!/usr/bin/env python
"""Plant every deliberate fault in the rule files, one at a time, and report what kills it.

    python scripts/mutate_rules.py                       all mutants of the shipped rules
    python scripts/mutate_rules.py --file rules/…yaml    those of one file
    python scripts/mutate_rules.py --sample 200          a random sample
    python scripts/mutate_rules.py --suggest FOLDER      also write worked examples that would kill the survivors
    python scripts/mutate_rules.py --keep FILE           go on where an earlier run stopped

A suggested example says what the rules say now. Whether that is right, a person must decide before it is added.
What is kept counts as long as the rule file is the same but for its worked examples: more of them kill no less.
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
from yyassess.assurance.mutants import Mutant
from yyassess.assurance.telling import Teller
from yyassess.rulebook.book import content_hash
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
        if suggest and verdict.survived:
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
    options.add_argument("--keep", type=Path, help="a file of verdicts: read first, and added to")
    given = options.parse_args()
    start(given.folder)
    kept = Kept(given.keep)
    done, tasks = plan(given, kept)
    found = len(done)
    with Pool(given.processes, start, (given.folder,)) as pool:
        for file, verdicts, examples in pool.imap_unordered(judge, tasks):
            done += verdicts
            kept.add(file, verdicts)
            for verdict in verdicts:
                if verdict.survived:
                    print(f"SURVIVED {verdict.mutant}  {json.dumps(verdict.witness, ensure_ascii=False)}", flush=True)
            if given.suggest and examples:
                write(given.suggest, file, examples)
            print(f"{len(done)} of {found + sum(len(t[1]) for t in tasks)}", file=sys.stderr, flush=True)
    report = summary(done)
    print(json.dumps({k: v for k, v in report.items() if k != "survivors"}, indent=2))
    if given.save:
        measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
        measured["rules"] = {"measured": dt.date.today().isoformat(), **report}
        MEASURED.write_text(json.dumps(measured, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if report["decisive"]["survived"] else 0


class Kept:
    """Verdicts of earlier runs on the same texts; survivors are judged again, for an example may have been added."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.texts: dict[str, str] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path and path.is_file() else []
        self.known = {(row["mutant"], row["text"]): row for row in map(json.loads, lines)}

    def text(self, file: str) -> str:
        """A mark of a rule file without its worked examples."""
        if file not in self.texts:
            data = _hunt[0].read[file][0]
            self.texts[file] = content_hash({k: v for k, v in data.items() if k != "examples"})
        return self.texts[file]

    def verdict(self, mutant: Mutant) -> Verdict | None:
        """What an earlier run said of a mutant that it killed."""
        row = self.known.get((str(mutant), self.text(mutant.file)))
        return Verdict(mutant, row["killed_by"], row["detail"]) if row and row["killed_by"] else None

    def add(self, file: str, verdicts: list[Verdict]) -> None:
        """Write down some verdicts."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as out:
                for v in verdicts:
                    row = {
                        "mutant": str(v.mutant),
                        "text": self.text(file),
                        "killed_by": v.killed_by,
                        "detail": v.detail,
                    }
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")


def plan(given: Any, kept: Kept) -> tuple[list[Verdict], list[Task]]:
    """What is known already, and which mutants are judged, in tasks of one file each; the longest first."""
    listed: dict[str, list[tuple[int, Mutant]]] = {}
    place: Counter[str] = Counter()
    for mutant in _hunt[0].mutants():
        if (not given.file or mutant.file in given.file) and (mutant.decisive or not given.decisive):
            listed.setdefault(mutant.file, []).append((place[mutant.file], mutant))
        place[mutant.file] += 1
    if given.sample is not None:
        keys = [(file, pair) for file, pairs in listed.items() for pair in pairs]
        chosen = random.Random(given.seed).sample(keys, min(given.sample, len(keys)))
        listed = {file: sorted((p for f, p in chosen if f == file), key=lambda p: p[0]) for file, _ in chosen}
    done: list[Verdict] = []
    tasks: list[Task] = []
    for file, pairs in listed.items():
        numbers = []
        for number, mutant in pairs:
            known = kept.verdict(mutant)
            if known is None:
                numbers.append(number)
            else:
                done.append(known)
        size = len(numbers) if given.suggest else TASK
        tasks += [(file, numbers[at : at + size], bool(given.suggest)) for at in range(0, len(numbers), size or 1)]
    return done, sorted(tasks, key=lambda task: -len(task[1]))


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
