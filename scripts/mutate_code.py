#!/usr/bin/env python
"""Break the code in one place at a time and see whether the worked examples or the tests notice.

    python scripts/mutate_code.py --package conditions                       all mutants of a package
    python scripts/mutate_code.py --package conditions --sample 200 --save   a random sample, kept for docs/assurance.md

First every test of the package is run once, to learn which lines it reaches and how long it takes. Then each mutant is
put into a process of its own, forked from one that has loaded everything and run nothing: the worked examples, then the
tests that reach the changed line, the quickest first, then the rest of their files; the first failure ends it. A mutant
that no longer ends counts as killed. The sources must stay as they are while it runs: work on a copy when others are
editing them, with PYTHONPATH set to that copy.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import pickle
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from code_mutants import TOP, Mutant, install, mutants

MEASURED = TOP / "tests" / "assurance" / "measured.json"
#: Why a surviving mutant is let live, by `file: change`; written by hand.
REASONS = TOP / "tests" / "assurance" / "survivors.json"
#: The tests of each package, without those of other packages that happen to pass through it.
PACKAGES: dict[str, tuple[str, ...]] = {
    "conditions": (
        "tests/unit/test_condition_writing.py",
        "tests/unit/test_condition_sql.py",
        "tests/unit/test_condition_formulas.py", "tests/unit/test_parse.py", "tests/unit/test_reference.py", "tests/unit/test_rulebook_errors.py",
        "tests/property/test_engine_differential.py", "tests/assurance/test_all_evaluators_agree.py",
        "tests/assurance/test_sheet_formulas.py", "tests/assurance/test_fault_catalogue.py",
        "tests/population/test_conditions_sql.py", "tests/population/test_batch.py",
    ),
    "assessment": (
        "tests/unit/test_gbt_42195.py", "tests/unit/test_mzt_039.py", "tests/unit/test_ltci_2021_37.py",
        "tests/unit/test_screening_instruments.py", "tests/unit/test_public_health_forms.py", "tests/unit/test_tcm_constitution.py",
        "tests/unit/test_assessment_details.py", "tests/unit/test_bad_input.py", "tests/unit/test_crosswalk.py",
        "tests/unit/test_dementia_pathway.py", "tests/unit/test_licences.py", "tests/unit/test_new_instrument.py", "tests/unit/test_traps.py",
        "tests/property/test_grading.py", "tests/property/test_pathway.py",
    ),
    "entitlement": (
        "tests/unit/test_benefits_and_gaps.py",
        "tests/unit/test_outcome_details.py", "tests/unit/test_engine_limits.py", "tests/unit/test_engine.py", "tests/unit/test_durable_edges.py", "tests/unit/test_monitor.py",
        "tests/unit/test_monitor_input.py", "tests/unit/test_monitor_places.py", "tests/unit/test_event_rules.py",
        "tests/unit/test_rulebook_selection.py", "tests/unit/test_cli.py",
        "tests/unit/test_traps.py", "tests/property/test_determination.py", "tests/property/test_missing_facts.py",
        "tests/property/test_engine_differential.py", "tests/property/test_event_streams.py",
        "tests/assurance/test_all_evaluators_agree.py",
    ),
}  # fmt: skip
#: Seconds of computing after which a mutant counts as one that never ends.
PATIENCE = 60
#: The exit code of a child that could not put its mutant in.
NOT_PUT_IN = 3
#: Seconds of computing given to the tests that reach the changed line, and to others of the same files.
DIRECT, BESIDE = 30, 6
#: Rules read by mutated code must not be kept for the next mutant.
READS_RULES = ("conditions",)


@dataclass
class Reach:
    """What the tests of a package do: the lines each reaches, and its seconds of computing."""

    lines: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def files(self) -> set[str]:
        """The files of tests that are known."""
        return {test.split("::")[0] for test in self.lines}

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests worth running for a mutant, the most telling first; any, where a constant is changed."""
        at = (mutant.file, mutant.line)
        direct = {t for t, lines in self.lines.items() if at in lines}
        if not direct:
            return self.by_file(self.within(DIRECT, set(self.lines)))
        files = {t.split("::")[0] for t in direct}
        beside = {t for t in self.lines if t.split("::")[0] in files} - direct
        return [*self.by_file(self.within(DIRECT, direct)), *self.by_file(self.within(BESIDE, beside))]

    def by_file(self, tests: Iterable[str]) -> list[str]:
        """The tests of a file together, so that what they share is set up once; the quickest file first."""
        files: dict[str, list[str]] = {}
        for test in tests:
            files.setdefault(test.split("::")[0], []).append(test)
        quickest = sorted(files.values(), key=lambda group: sum(self.seconds[t] for t in group))
        return [test for group in quickest for test in group]

    def within(self, seconds: float, tests: set[str]) -> Iterator[str]:
        """The quickest of some tests, as many as fit into a time."""
        for test in sorted(tests, key=self.seconds.__getitem__):
            seconds -= self.seconds[test]
            if seconds < 0:
                return
            yield test


# -- what a process of its own does ---------------------------------------------------------------------------------------
class Watch:
    """Writes down the lines of a package that each test reaches."""

    def __init__(self, package: str) -> None:
        self.folder = str(TOP / "yyassess" / package)
        self.found: set[tuple[str, int]] = set()
        self.reach = Reach()
        self.spent = time.process_time()

    def trace(self, frame: Any, event: str, argument: Any) -> Any:
        """The function for `sys.settrace`."""
        file = frame.f_code.co_filename
        if not file.startswith(self.folder):
            return None
        name = file[len(str(TOP)) + 1 :]

        def line(frame: Any, event: str, argument: Any) -> Any:
            if event == "line":
                self.found.add((name, frame.f_lineno))
            return line

        return line

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest after each part of a test."""
        # Computing, not the clock: the machine may be busy with other things.
        before, self.spent = self.spent, time.process_time()
        self.reach.seconds[report.nodeid] = self.reach.seconds.get(report.nodeid, 0.0) + self.spent - before
        self.reach.lines.setdefault(report.nodeid, set()).update(self.found)
        self.found.clear()


def all_pass(session: Any, tests: list[Any]) -> bool:
    """Run some tests until one fails."""
    for test, following in zip(tests, [*tests[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        if session.testsfailed:
            return False
    return True


def watch(session: Any, package: str, file: str, target: Path) -> int:
    """In a child: run one file of tests and write down what it reaches."""
    seen = Watch(package)
    session.config.pluginmanager.register(seen)
    sys.settrace(seen.trace)
    passed = all_pass(session, [i for i in session.items if i.nodeid.split("::")[0] == file])
    sys.settrace(None)
    target.write_bytes(pickle.dumps(seen.reach))
    return 0 if passed else 1


def attempt(session: Any, mutant: Mutant, tests: list[str]) -> int:
    """In a child: worked examples, then tests. 0: nothing noticed."""
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
    reads_rules = mutant.file.split("/")[1] in READS_RULES
    if reads_rules:
        os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(dir=os.environ["XDG_CACHE_HOME"])
    try:
        install(mutant)
    except ImportError:
        return 2
    except Exception:
        return NOT_PUT_IN
    try:
        forget()
        from yyassess.assurance.examples import run_examples
        from yyassess.rulebook.book import Rulebook

        if not all(result.passed for result in run_examples(Rulebook.load(cache=not reads_rules))):
            return 2
    except BaseException:
        return 2
    place = {test: number for number, test in enumerate(tests)}
    chosen = sorted((i for i in session.items if i.nodeid in place), key=lambda i: place[i.nodeid])
    return 0 if all_pass(session, chosen) else 1


def forget() -> None:
    """Empty what the library has kept so far: it was made without the mutant."""
    from yyassess.entitlement.engine import DurableEngine
    from yyassess.rulebook.book import Rulebook

    for name, module in list(sys.modules.items()):
        if name.startswith("yyassess") or str(getattr(module, "__file__", None)).startswith(str(TOP / "tests")):
            for thing in list(vars(module).values()):
                if callable(clear := getattr(thing, "cache_clear", None)):
                    clear()
    DurableEngine._kept.clear()
    for book in (thing for thing in gc.get_objects() if isinstance(thing, Rulebook)):
        for kept in ("_scorers", "_ready", "_case_reader"):
            book.__dict__.pop(kept, None)


# -- the process that starts them -----------------------------------------------------------------------------------------
def start(work: Any, *given: Any) -> int:
    """A process of its own for some work, which says nothing; its number."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 9
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            status = work(*given)
        finally:
            os._exit(status)
    return child


class Judge:
    """A plugin of pytest: once all tests are collected, tries mutants on them in place of running them."""

    def __init__(self, package: str, chosen: list[Mutant], jobs: int, known: Path | None) -> None:
        self.package, self.chosen, self.jobs, self.known = package, chosen, jobs, known
        self.reach: Reach = pickle.loads(known.read_bytes()) if known and known.is_file() else Reach()
        self.verdicts: dict[Mutant, str | None] = {}

    def pytest_runtestloop(self, session: Any) -> bool:
        """Called by pytest in place of its own loop."""
        if session.testsfailed:
            raise SystemExit("not all tests can be collected")
        self.learn(session)
        print(f"{self.package}: {len(self.reach.lines)} tests", flush=True)
        self.judge(session)
        return True

    def learn(self, session: Any) -> None:
        """Run the tests without any mutant, as far as it is not known yet what they reach.

        Raises:
            SystemExit: when one of them fails.
        """
        reach, running = self.reach, {}
        waiting = sorted({i.nodeid.split("::")[0] for i in session.items} - reach.files())
        with tempfile.TemporaryDirectory() as folder:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    file, target = waiting.pop(), Path(folder, f"{len(waiting)}.pickle")
                    running[start(watch, session, self.package, file, target)] = (file, target)
                child, status = os.wait()
                file, target = running.pop(child)
                if status:
                    raise SystemExit(f"{file} fails without any mutant")
                one: Reach = pickle.loads(target.read_bytes())
                reach.lines.update(one.lines)
                reach.seconds.update(one.seconds)
        if self.known:
            self.known.write_bytes(pickle.dumps(reach))

    def judge(self, session: Any) -> None:
        """What kills each mutant."""
        running: dict[int, tuple[Mutant, float]] = {}
        waiting = self.chosen[::-1]
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant = waiting.pop()
                child = start(attempt, session, mutant, self.reach.tests(mutant))
                running[child] = (mutant, time.monotonic())
            child, status = os.wait()
            mutant, begun = running.pop(child)
            if os.waitstatus_to_exitcode(status) == NOT_PUT_IN:
                raise SystemExit(f"cannot be put in: {mutant}")
            killer = {0: None, 1: "tests", 2: "examples"}.get(os.waitstatus_to_exitcode(status), "crash or no end")
            self.verdicts[mutant] = killer
            took, number = time.monotonic() - begun, len(self.verdicts)
            print(f"{number}/{len(self.chosen)} {took:.0f}s {killer or 'SURVIVED'}: {mutant}", flush=True)


def quick_to_fail() -> None:
    """A property that fails has done its work: no counterexample is made smaller or kept."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutants",
        max_examples=25,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--package", choices=sorted(PACKAGES), required=True)
    options.add_argument("--file", action="append", help="only mutants of this file")
    options.add_argument("--sample", type=int, help="so many mutants, chosen at random")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--reach", type=Path, help="a file to keep what the tests reach, for the next time")
    options.add_argument("--only", help="try again the mutants listed in a file (one a line, as printed)")
    options.add_argument("--save", action="store_true", help="keep the counts for docs/assurance.md")
    given = options.parse_args()
    import pytest

    os.chdir(TOP)
    package = given.package
    files = sorted(p.relative_to(TOP).as_posix() for p in (TOP / "yyassess" / package).glob("*.py"))
    listed = [mutant for file in files for mutant in mutants(file)]
    again = set(Path(given.only).read_text(encoding="utf-8").splitlines()) if given.only else None
    chosen = [m for m in listed if (not given.file or m.file in given.file) and (again is None or str(m) in again)]
    if given.sample:
        chosen = random.Random(given.seed).sample(chosen, min(given.sample, len(chosen)))
    quick_to_fail()
    os.environ["PYTEST_XDIST_WORKER"] = "mutants"  # the tests then share the cache of rules set here
    judge = Judge(package, chosen, given.jobs, given.reach)
    with tempfile.TemporaryDirectory(prefix="yyassess-mutants-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        words = ["-q", "-s", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-seed=0"]
        there = [test for test in PACKAGES[package] if (TOP / test).is_file()]
        code = pytest.main([*words, *there], plugins=[judge])
    if len(judge.verdicts) < len(chosen):
        return int(code) or 2
    report = summary(len(listed), judge.verdicts)
    print(json.dumps(report, indent=1, ensure_ascii=False), flush=True)
    if given.save:
        save(package, report)
    return 0


def save(package: str, report: dict[str, Any]) -> None:
    """Keep the counts of a package beside those of the others, and of the rule files."""
    kept = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
    kept.setdefault("code", {})[package] = {"measured": dt.date.today().isoformat(), **report}
    MEASURED.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def summary(there: int, verdicts: dict[Mutant, str | None]) -> dict[str, Any]:
    """How many mutants there are and were tried, what killed them, and the survivors."""
    counts = Counter(killer or "survived" for killer in verdicts.values())
    tried = len(verdicts)
    left = sorted((m for m, killer in verdicts.items() if killer is None), key=lambda m: (m.file, m.line))
    return {
        "there": there,
        "tried": tried,
        "killed": tried - counts["survived"],
        "by": dict(sorted((k, n) for k, n in counts.items() if k != "survived")),
        "survivors": [{"file": m.file, "line": m.line, "what": m.what} for m in left],
    }


if __name__ == "__main__":
    sys.exit(main())
