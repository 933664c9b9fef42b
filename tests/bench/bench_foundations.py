"""The figures of the foundations, side by side in one run: ``python tests/bench/bench_foundations.py``.

Every line is a median, with the target and the ratio to it. Nothing here fails because a clock says so: a busy
machine is slower, and the last line says how fast this one is.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from yyassess import Rulebook, assess, determine
from yyassess.assessment.scoring import scorer

GBT = "gbt-42195-2022"
#: The first programmes that were built, one of each sort; they lie in several places and are set into one here.
FOUR = ("national-consumption-subsidy", "cq-ltci", "zs-ltci", "zs-dementia-screening")
SEED = 42195


def median_of(work: Callable[[Any], Any], cases: list[Any], repeat: int) -> float:
    """The median time of one piece of work in seconds, after a warm-up."""
    for case in cases:
        work(case)
    taken = []
    for _ in range(repeat):
        for case in cases:
            start = time.perf_counter()
            work(case)
            taken.append(time.perf_counter() - start)
    return median(taken)


def requests(book: Rulebook, number: int) -> list[dict[str, Any]]:
    """Complete answers of persons of all kinds, some with diagnoses and events."""
    rng = random.Random(SEED)
    questions = scorer(book, GBT).questions
    return [
        {
            "date": "2026-11-22",
            "answers": {id: rng.choice(list(question.values)) for id, question in questions.items()},
            "context": {
                "coma": False,
                "diagnoses": rng.sample(["dementia", "hypertension", "diabetes"], rng.randrange(3)),
                "psychiatrist_diagnosis": False,
                "care_risk_events": {"fall": rng.choice(["none", "once", "twice"])},
            },
        }
        for _ in range(number)
    ]


def cases(number: int) -> list[dict[str, Any]]:
    """Persons of whom most, but not all, is known."""
    rng = random.Random(SEED)
    made = []
    for _ in range(number):
        facts: dict[str, Any] = {
            "insurance_scheme": rng.choice(["employee", "resident", "none"]),
            "insured_months_continuous": rng.randrange(0, 60),
            "disabled_months": rng.randrange(0, 12),
            "disabled_through_age": rng.random() < 0.5,
            "care_mode": rng.choice(["home_personal", "home_visit", "institution"]),
            "care_setting": rng.choice(["institution", "home_community"]),
            "service_price": rng.randrange(100, 5000),
            "destitute_support": rng.random() < 0.1,
            "lives_in_institution": rng.random() < 0.3,
        }
        for name in rng.sample(list(facts), 2):
            del facts[name]
        made.append(
            {
                "person": {"birth_date": f"{rng.randrange(1930, 1965)}-05-02", "sex": rng.choice(["male", "female"])},
                "facts": facts,
                "assessments": [
                    {"instrument": "ltci-2021-37", "date": "2026-10-01", "grade": {"level": rng.randrange(6)}},
                    {"instrument": GBT, "date": "2026-10-01", "grade": {"level": rng.randrange(5)}},
                ],
            }
        )
    return made


def four_programmes(book: Rulebook) -> Rulebook:
    """The same rulebook with four programmes only, all of the nation."""
    everywhere = {id: texts for group in book.programmes.values() for id, texts in group.items()}
    chosen = {id: dataclasses.replace(everywhere[id], place="national") for id in FOUR if id in everywhere}
    return dataclasses.replace(book, programmes={"national": chosen}, hash="sha256:four")


def in_fresh_processes(code: str, number: int, environment: dict[str, str]) -> float:
    """The median of the seconds that some code prints, each time in a process of its own."""
    return median(
        float(
            subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(number)
    )


TIMED = "import time; start = time.perf_counter(); {work}; print(time.perf_counter() - start)"


def figures(repeat: int) -> Iterator[tuple[str, float, float | None]]:
    """What was measured, in seconds, and its target."""
    book = Rulebook.load()
    people, asked = requests(book, 100), cases(100)
    yield "assess GB/T 42195 with trace", median_of(lambda r: assess(GBT, r, book), people, repeat), 150e-6
    few = four_programmes(book)
    number = len(few.programmes["national"])
    yield (
        f"determine {number} programmes with explanation",
        median_of(lambda c: determine(c, place="national", on="2026-11-22", rules=few), asked, repeat),
        400e-6,
    )
    place = max(book.places, key=lambda p: sum(len(book.programmes.get(level.id, {})) for level in book.chain(p)))
    many = len(determine(asked[0], place=place, on="2026-11-22", rules=book)["outcomes"])
    yield (
        f"determine all {many} programmes of {place}",
        median_of(lambda c: determine(c, place=place, on="2026-11-22", rules=book), asked[:20], max(1, repeat // 4)),
        None,
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        load = TIMED.format(work="from yyassess import Rulebook; Rulebook.load()")
        yield "load all rules, cold, in a new process", in_fresh_processes(load, 1, environment), None
        warm = "from yyassess import Rulebook; import yyassess.rulebook.instrument, time; start = time.perf_counter(); "
        warm += "Rulebook.load(); print(time.perf_counter() - start)"
        yield "load all rules, warm, in a new process", in_fresh_processes(warm, repeat, environment), 150e-3
        yield "import yyassess", in_fresh_processes(TIMED.format(work="import yyassess"), repeat, environment), 150e-3
        names = TIMED.format(work="from yyassess import Rulebook, assess, determine")
        yield "import yyassess with all it offers", in_fresh_processes(names, repeat, environment), None
        answers = json.dumps(people[0]).encode()
        command = [str(Path(sys.executable).with_name("yyassess")), "assess", GBT]

        def cold(_: Any) -> None:
            subprocess.run(command, input=answers, env=environment, capture_output=True, check=True)

        yield "yyassess assess from a cold shell", median_of(cold, [None], repeat), 400e-3
    yield (
        "this machine: 1 million additions in Python",
        median_of(lambda _: sum(range(1_000_000)), [None], repeat),
        None,
    )


def shown(seconds: float) -> str:
    """A time with the unit that fits it."""
    return f"{seconds * 1e6:9.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:9.1f} ms"


def report(repeat: int = 9) -> dict[str, float]:
    """Prints every figure, its target and the ratio of the two; returns the figures."""
    found = {}
    print(f"\n{'p50':>54}{'target':>12}{'ratio':>8}")
    for name, seconds, target in figures(repeat):
        found[name] = seconds
        rest = f"{shown(target)}{seconds / target:8.2f}" if target is not None else ""
        print(f"{name:42}{shown(seconds)}{rest}", flush=True)
    return found


@pytest.mark.bench
def test_the_figures_of_the_foundations_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        found = report()
    assert all(seconds > 0 for seconds in found.values())


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
