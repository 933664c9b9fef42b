"""How long one grade takes, and what the further instruments cost at loading: ``python tests/bench/bench_instruments.py``."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from yyassess import Rulebook
from yyassess.assessment.scoring import scorer
from yyassess.rulebook.loading import shipped_rules

#: Targets: microseconds a grade with its trace; milliseconds more to load.
GRADE, LOAD = 200, 100
FURTHER = ("instruments/screening", "instruments/public-health", "pathways")


def sheets(book: Rulebook, id: str, number: int, seed: int = 5) -> list[dict[str, Any]]:
    """Complete answer sheets with everything the scale reads beside its items."""
    rng = random.Random(seed)
    machine = scorer(book, id)
    known = {"education": "primary", "education_years": 6, "age": 78, "clock_time": "t11_10", "respondent": "person"}
    made = []
    for _ in range(number):
        answers = {name: rng.choice(q.choices() or [q.best, q.worst]) for name, q in machine.questions.items()}
        plain = {name: a if isinstance(a, (str, int)) else float(a) for name, a in answers.items()}
        context = {name: value for name, value in known.items() if name in machine.facts}
        free = {s.id: s.choices[0] for s in machine.instrument.settings if s.default is None}
        made.append({"date": "2026-11-22", "answers": plain, "context": context, "settings": free})
    return made


def timed(run: Callable[[Any], Any], cases: list[Any], repeat: int) -> list[float]:
    """Microseconds of every run, sorted."""
    for case in cases:
        run(case)
    taken = []
    for _ in range(repeat):
        for case in cases:
            start = time.perf_counter()
            run(case)
            taken.append((time.perf_counter() - start) * 1e6)
    return sorted(taken)


def grades(book: Rulebook, repeat: int) -> dict[str, float]:
    """Prints p50 and p99 of every instrument; returns the p50."""
    found = {}
    print(f"{'':26}{'p50':>8}{'p99':>8}   microseconds a grade, with its trace")
    for id in book.instruments:
        taken = timed(scorer(book, id).assess, sheets(book, id, 100), repeat)
        found[id] = median(taken)
        print(f"{id:26}{found[id]:8.0f}{taken[len(taken) * 99 // 100]:8.0f}")
    print(f"{'slowest':26}{max(found.values()):8.0f}   target <= {GRADE}")
    return found


def folders(top: Path) -> dict[str, Path]:
    """The standards by themselves, and with the further instruments and the pathway over them."""
    made = {"without": top / "without" / "rules", "with": top / "with" / "rules"}
    for name, folder in made.items():
        for file in ("vocabulary.yaml", "sources.yaml"):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(shipped_rules() / file, folder / file)
        for source in sorted((shipped_rules() / "instruments").glob("*.yaml")):
            if source.name != "correspondences.yaml" or name == "with":
                (folder / "instruments").mkdir(exist_ok=True)
                shutil.copy(source, folder / "instruments" / source.name)
    for further in FURTHER:
        shutil.copytree(shipped_rules() / further, made["with"] / further)
    return made


def loading(repeat: int) -> dict[str, float]:
    """Prints what the further instruments add to loading, warm (from the cache) and cold; returns milliseconds."""
    with tempfile.TemporaryDirectory() as top:
        made = folders(Path(top))
        counts = {name: len(Rulebook.load(folder, shipped=False).instruments) for name, folder in made.items()}
        print(f"\n{'loading, milliseconds':26}{counts['without']:5} and {counts['with']} instruments")
        added = {}
        for way, cache in (("warm", True), ("cold", False)):
            took = {
                name: min(
                    timed(lambda f: Rulebook.load(f, shipped=False, cache=cache), [folder], repeat)  # noqa: B023
                )
                / 1000
                for name, folder in made.items()
            }
            added[way] = took["with"] - took["without"]
            print(f"  {way:24}{took['without']:8.1f}{took['with']:8.1f}   more: {added[way]:.1f}")
        print(f"  target, warm: less than {LOAD} more")
        return added


def report(repeat: int = 10) -> tuple[dict[str, float], dict[str, float]]:
    """Prints everything; returns the p50 of each instrument and the milliseconds added to loading."""
    return grades(Rulebook.load(), repeat), loading(max(3, repeat // 2))


@pytest.mark.bench
def test_a_grade_takes_microseconds_and_further_instruments_cost_little_at_loading() -> None:
    took, added = report()
    assert max(took.values()) <= GRADE
    assert added["warm"] < LOAD


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
