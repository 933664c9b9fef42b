"""Event files as data, and the joins of their rules in durable_rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from monitor_helpers import due, event, faults, monitor, warned
from small_rules import RuleFolder

from yyassess import CaseMonitor, Rulebook
from yyassess.entitlement import durable_host
from yyassess.entitlement.durable_host import EngineError, core, fnv
from yyassess.entitlement.monitor_engine import (
    MOST_EVENTS,
    Candidate,
    DurableJoins,
    ReferenceJoins,
    Stream,
    Window,
)

ROOT = Path(__file__).parents[2]


# -- the engine ---------------------------------------------------------------------------------------------
def test_windows_of_every_size_that_fits(book: Rulebook) -> None:
    days = [1] * 10 + [31] * 9 + [80] * 20
    for size in range(1, 17):
        windows = [Window(size, 30), Window(2, 0)]
        cands = [Candidate(e, group, None, days[e]) for e in range(len(days)) for group in (0, 1)]
        stream = Stream(90, days, windows, cands)
        assert DurableJoins(windows).run(stream) == ReferenceJoins().run(stream)


def test_a_window_too_wide_for_the_engine_is_refused() -> None:
    with pytest.raises(EngineError, match="17 events is too wide"):
        DurableJoins([Window(17, 30)])


def test_too_many_events_for_the_engine_are_refused() -> None:
    days = [1] * (2 * MOST_EVENTS + 1)
    with pytest.raises(EngineError, match="at most"):
        DurableJoins([]).run(Stream(1, days, [], []))


class Spy:
    """The core, and the rules that it was given."""

    def __init__(self) -> None:
        self.core, self.rules = core(), {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.core, name)

    def create_ruleset(self, name: str, rules: str) -> Any:
        self.rules = json.loads(rules)
        return self.core.create_ruleset(name, rules)


def test_the_last_comparison_of_a_joined_fact_cannot_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the core reads on past the end of the comparisons (seen as a rare crash)."""
    spy = Spy()
    monkeypatch.setattr(durable_host, "core", lambda: spy)
    monkeypatch.setattr(DurableJoins, "_kept", {})
    DurableJoins([Window(size, 30) for size in range(1, 17)])
    joins = {rule: made["all"] for rule, made in spy.rules.items() if len(made["all"]) > 1}
    assert len(joins) == 5 + 15
    for facts in joins.values():
        names = {alias: next(iter(c if "$and" not in c else c["$and"][0])) for f in facts for alias, c in f.items()}
        for fact in facts[1:]:
            [(alias, condition)] = fact.items()
            [(operator, compared)] = condition["$and"][-1].items()
            [(name, other)] = compared.items()
            [(before, its_name)] = other.items()
            assert (operator, name, its_name) == ("$gte", names[alias], names[before]), "1 >= 1"


def test_no_two_names_or_ids_told_to_the_core_have_one_hash() -> None:
    count = 20 * MOST_EVENTS
    names = ["id", "sid", "$s", "$i", "$m", "$forward", "sid-0", "first", "t", "h"]
    names += [
        "today",
        "event",
        "assessed",
        "candidate",
        "counts",
        "stay",
        "day",
        "no",
        "scale",
        "since",
        "into",
        "place",
        "size",
        "days",
        "open",
    ]
    names += [f"{letter}{n}" for letter in "eachw" for n in range(count)]
    assert len({fnv(name) for name in names}) == len(set(names))


def test_eight_threads_are_told_the_truth(book: Rulebook) -> None:
    def ask(seed: int) -> None:
        days = [f"2026-01-{1 + (seed * 7 + n * 5) % 28:02}" for n in range(4)]
        told = [event("fall", day, id=str(n)) for n, day in enumerate(days)] + [event("hospital_in", days[0])]
        for _ in range(20):
            assert monitor(book, *told).due("2026-02-01") == expected(told)

    def expected(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        plain = CaseMonitor(rules=book, engine="reference")
        plain.observe_all(told)
        return plain.due("2026-02-01")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(16)))


FUZZ = """
import random
from yyassess.entitlement.monitor_engine import *
rng, plain = random.Random(7), ReferenceJoins()
for _ in range(150):
    days = sorted(rng.randrange(90) for _ in range(rng.randrange(30)))
    windows = [Window(rng.randrange(1, 6), rng.choice((0, 1, 30))) for _ in range(3)]
    seen = [Candidate(e, g, rng.choice((None, 0, 1)), d + rng.randrange(2)) for e, d in enumerate(days) for g in range(3)]
    made = [(e, rng.randrange(2)) for e in range(len(days)) if rng.random() < 0.2]
    stays = in_turn((e, d, rng.random() < 0.5) for e, d in enumerate(days) if rng.random() < 0.3)
    stream = Stream(rng.randrange(90), days, windows, seen, made, stays)
    assert DurableJoins(windows).run(stream) == plain.run(stream)
size = lambda: int(open("/proc/self/statm").read().split()[1])
before = size()
for _ in range(1500):
    DurableJoins(windows).run(stream)
print((size() - before) * 4)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_joins_survive_a_hostile_heap_and_keep_no_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FUZZ],
        env=os.environ | {"MALLOC_PERTURB_": "165", "MALLOC_CHECK_": "3", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 1000, "KiB after 1,500 sessions"


# -- event files --------------------------------------------------------------------------------------------
EVENTS = """\
kinds:
  slip:
    name: {zh: 滑倒, en: Slip}
    details: {room: {type: code, codes: {indoors: {zh: 室内, en: indoors}}, name: {zh: 地点, en: Room}}}
  tested:
    name: {zh: 评估, en: Tested}
    role: assessment
    details: {instrument: {type: instrument, name: {zh: 量表, en: Instrument}}}
rules:
  - id: slips
    kinds: [slip]
    when: room = 'indoors'
    at_least: 3
    within_days: 7
    due: reassess_now
    assessment: immediate
    settled_by: scale
    say: {zh: 再评, en: Again}
    source: {document: notice}
    evidence: verified
"""


def test_kinds_and_rules_are_data(rules: RuleFolder) -> None:
    small = rules.write("events.yaml", EVENTS).load()
    days = ["2026-01-01", "2026-01-04", "2026-01-08"]
    told = [event("slip", day, room="indoors") for day in days]
    assert due(small, "2026-01-08", *told) == [("reassess_now", "slips", "2026-01-08")]
    assert due(small, "2026-01-08", *told[:2], event("slip", "2026-01-09", room="indoors")) == []
    assert due(small, "2026-01-08", *told, event("tested", "2026-01-08", instrument="scale")) == []
    unknown = [*told[:2], event("slip", "2026-01-08")]
    assert due(small, "2026-01-08", *unknown) == []
    assert warned(small, "2026-01-08", *unknown) == ["undecided"]


def test_a_rulebook_without_event_files_knows_no_events(rules: RuleFolder) -> None:
    assert [
        e["where"] for e in faults(lambda: CaseMonitor(rules=rules.load()).observe(event("fall", "2026-01-01")))
    ] == ["kind"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kinds: [slip]", "kinds: [slap]", "unknown kind of event 'slap'"),
        ("room = 'indoors'", "room = 'outdoors'", "outdoors"),
        ("room = 'indoors'", "rom = 'indoors'", "unknown fact 'rom'"),
        ("settled_by: scale", "settled_by: scales", "unknown instrument 'scales'"),
        ("document: notice", "document: notes", "unknown document 'notes'"),
        ("at_least: 3", "at_least: 17", "16"),
        ("    within_days: 7\n", "", "go together"),
        ("    assessment: immediate\n", "", "which"),
        ("due: reassess_now", "due: dance", "dance"),
        ("role: assessment", "role: dancer", "dancer"),
        ("    evidence: verified\n", "    evidence: verified\n    programmes: [allowence]\n", "allowence"),
        ("    evidence: verified\n", "    evidence: verified\n    place: citi\n", "unknown place 'citi'"),
        ("    evidence: verified\n", "    evidence: verified\n    decisions: [XY-D1]\n", "XY-D1"),
        ("    evidence: verified\n", "    evidence: verified\n    counts_if: {slip: {scale: nothing}}\n", "nothing"),
        ("    evidence: verified\n", "    evidence: verified\n    colour: red\n", "colour"),
        ("  - id: slips", "  - id: slips\n    stay: open", "one of them"),
        ("type: code, codes: {indoors: {zh: 室内, en: indoors}}", "type: code", "codes"),
        (
            "type: code, codes: {indoors: {zh: 室内, en: indoors}}",
            "type: code, codes_of: schema",
            "unknown fact 'schema'",
        ),
        ("type: instrument", "type: integer", "range"),
    ],
)
def test_a_fault_in_an_event_file_is_found_with_its_place(rules: RuleFolder, old: str, new: str, words: str) -> None:
    rules.write("events.yaml", EVENTS).change("events.yaml", (old, new))
    found = [e for e in rules.faults() if e.file == "small/events.yaml"]
    assert any(words in str(e) for e in found), [str(e) for e in rules.faults()]
    assert all(e.line > 1 for e in found)


def test_the_nearest_rule_of_an_id_holds(rules: RuleFolder) -> None:
    local = "rules:" + EVENTS.split("rules:")[1].replace("at_least: 3", "at_least: 2")
    rules.write("events.yaml", EVENTS).write("city/events.yaml", local)
    rules.change("city/events.yaml", ("  - id: slips", "  - id: slips\n    place: city"))
    small = rules.load()
    told = [event("slip", day, room="indoors") for day in ("2026-01-01", "2026-01-02")]
    assert due(small, "2026-01-08", *told) == []
    assert due(small, "2026-01-08", *told, place="district") == [("reassess_now", "slips", "2026-01-02")]
    rules.change("city/events.yaml", ("    place: city", "    place: national"))
    assert rules.load().events.rules
    rules.change("city/events.yaml", ("    place: national\n", ""))
    assert "written twice" in rules.fault().message
