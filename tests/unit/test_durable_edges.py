"""Each sharp edge of durable_rules' C core, and that the engine stays clear of it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from yyassess.conditions.tree import And, Arithmetic, Compare, Fact, Flag, Literal, Node, Not, OneOf, Or
from yyassess.entitlement import durable_host, engine
from yyassess.entitlement.durable_host import core, fnv
from yyassess.entitlement.engine import DurableEngine, EngineError, Program, ReferenceEngine, Status, Value

ROOT = Path(__file__).parents[2]


def at_least(name: str, number: int) -> Node:
    return Compare(">=", Fact(name), Literal(number))


def only(node: Node, kind: str = "integer") -> DurableEngine:
    """An engine for one criterion, whose facts are all of one type."""
    names = engine.facts_of(node)
    return DurableEngine(Program("edge", {"c": node}, {"p": ("c",)}, dict.fromkeys(names, kind)))


def truth(node: Node, facts: dict[str, Value], kind: str = "integer") -> Status:
    return only(node, kind).run(facts).criteria["c"]


def many(number: int) -> Program:
    """One programme with many criteria, each on a fact of its own."""
    criteria = {f"c{n}": at_least(f"f{n}", 1) for n in range(number)}
    return Program("edge", criteria, {"wide": tuple(criteria)}, {f"f{n}": "integer" for n in range(number)})


def place(rng: random.Random) -> Program:
    """Twelve programmes over shared criteria, a third of which hear the outcome of the one before."""
    types = {f"n{n}": "integer" for n in range(6)} | {f"b{n}": "boolean" for n in range(6)}

    def condition(depth: int) -> Node:
        if depth and rng.random() < 0.6:
            return rng.choice((And, Or))(tuple(condition(depth - 1) for _ in range(rng.randrange(1, 4))))
        if rng.random() < 0.5:
            return Not(Flag(f"b{rng.randrange(6)}")) if rng.random() < 0.5 else Flag(f"b{rng.randrange(6)}")
        return Compare(rng.choice(("=", "<>", "<", ">=")), Fact(f"n{rng.randrange(6)}"), Literal(rng.randrange(4)))

    criteria = {f"c{n}": condition(3) for n in range(20)}
    programmes = {f"p{n}": tuple(rng.sample(sorted(criteria), 4)) for n in range(12)}
    for n in range(1, 12, 3):
        criteria[f"hears{n}"] = Flag(f"eligible:p{n - 1}")
        programmes[f"p{n}"] = (*programmes[f"p{n}"][:2], f"hears{n}")
    return Program("edge", criteria, programmes, types)


def person(rng: random.Random, program: Program) -> dict[str, Value]:
    known = rng.choice((0.0, 0.5, 0.9, 1.0))
    return {
        name: rng.randrange(5) if kind == "integer" else rng.random() < 0.5
        for name, kind in program.types.items()
        if rng.random() < known
    }


def fuzz(seed: int, programs: int, people: int) -> None:
    """Random rulesets and people, each decided as the reference does; also run in a child process."""
    rng = random.Random(seed)
    for _ in range(programs):
        made = place(rng)
        durable, reference = DurableEngine(made), ReferenceEngine(made)
        for _ in range(people):
            facts = person(rng, made)
            assert durable.run(facts) == reference.run(facts)


def child(script: str, **environment: str) -> str:
    """What a Python script prints; fails when it does not end well."""
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout.strip()


class Spy:
    """The core, with what it was told; and with one of its functions replaced, if wanted."""

    def __init__(self, **replaced: Any) -> None:
        self.told: list[str] = []
        self.made = 0
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        real = self._replaced.get(name, getattr(core(), name))
        if name == "assert_facts":

            def assert_facts(handle: int, text: str) -> Any:
                self.told.append(text)
                return real(handle, text)

            return assert_facts
        if name == "create_ruleset":
            self.made += 1
        return real


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spy]:
    """A spy on the core, for the engines made in the test."""
    spy = Spy()
    monkeypatch.setattr(durable_host, "core", lambda: spy)
    monkeypatch.setattr(DurableEngine, "_kept", {})
    yield spy


def no_session_is_open(made: DurableEngine) -> bool:
    handle: int = made._program._network._handle
    with pytest.raises(core().error, match="error code: 309"):
        core().get_state(handle, "0")
    return not durable_host._lock.locked()


# -- memory and crashes -----------------------------------------------------------------------------------
def test_random_rulesets_run_while_the_allocator_fills_memory_with_rubbish() -> None:
    script = "import test_durable_edges as t; t.fuzz(5, programs=25, people=400); print('alive')"
    assert child(script, MALLOC_PERTURB_="165", MALLOC_CHECK_="3") == "alive"


def test_a_core_that_fails_in_mid_session_leaves_a_process_that_goes_on() -> None:
    script = """
from test_durable_edges import *
durable_host.MOST_PATHS = engine.MOST_PATHS = durable_host.ROOM = 1000
for kind in range(3):
    made = DurableEngine(many(100 + kind))
    failed = 0
    for n in range(300):
        try:
            made.run({f"f{i}": 1 if (n + i) % 3 else 0 for i in range(0, 100, 1 + n % 3)})
        except EngineError as error:
            assert "303" in str(error)
            failed += 1
        assert no_session_is_open(made)
    assert 0 < failed < 300
fuzz(6, programs=3, people=100)
print("alive")
"""
    assert child(script, MALLOC_PERTURB_="165", MALLOC_CHECK_="3") == "alive"


def test_a_person_of_whom_nothing_is_known_can_be_the_first_one() -> None:
    script = """
from test_durable_edges import *
for n in range(20):
    made = DurableEngine(many(n + 1))
    assert all(made.run({}).outcomes == {"wide": "unknown"} for _ in range(100))
print("alive")
"""
    assert child(script, MALLOC_PERTURB_="165", MALLOC_CHECK_="3") == "alive"


def flat_memory(people: int) -> None:
    script = f"""
import random, resource
from test_durable_edges import *
rng = random.Random(3)
made = place(rng)
durable, crowd = DurableEngine(made), [person(rng, made) for _ in range(500)]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
for facts in crowd * 4:
    durable.run(facts)
before = resident()
for n in range({people}):
    durable.run(crowd[n % 500])
print(resident() - before)
"""
    assert int(child(script)) < 2 << 20


linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")


@linux
def test_memory_stays_flat_over_many_people() -> None:
    flat_memory(15_000)


@linux
@pytest.mark.slow
def test_memory_stays_flat_over_two_hundred_thousand_people() -> None:
    flat_memory(200_000)


def test_no_session_is_left_behind_and_more_than_1024_can_follow_each_other() -> None:
    made = only(at_least("age", 60))
    for age in range(2100):
        assert made.run({"age": age % 120}).criteria == {"c": age % 120 >= 60}
    assert no_session_is_open(made)


# -- threads and processes --------------------------------------------------------------------------------
def test_eight_threads_get_the_right_answers() -> None:
    rng = random.Random(8)
    programs = [place(rng) for _ in range(4)]
    engines = [(DurableEngine(p), ReferenceEngine(p), p) for p in programs]

    def work(seed: int) -> int:
        own = random.Random(seed)
        for n in range(250):
            durable, reference, made = engines[n % 4]
            facts = person(own, made)
            assert durable.run(facts) == reference.run(facts)
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 8


def test_threads_that_compile_the_same_rules_at_once_share_one_ruleset(spied: Spy) -> None:
    made = place(random.Random(9))
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: DurableEngine(made), range(8)))
    assert spied.made == 1
    assert len({id(e._program) for e in engines}) == 1


def test_no_thread_is_started_and_the_host_of_durable_rules_is_not_used() -> None:
    script = """
import sys, threading
from test_durable_edges import *
only(at_least("age", 60)).run({"age": 70})
print(threading.active_count(), [m for m in sys.modules if m.split(".")[0] == "durable"])
"""
    assert child(script) == "1 []"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_process_forked_while_others_decide_can_decide() -> None:
    script = """
import os, threading, warnings
from test_durable_edges import *
warnings.simplefilter("ignore")
made = only(at_least("age", 60))
stop = threading.Event()
def busy():
    while not stop.is_set():
        made.run({"age": 61})
threads = [threading.Thread(target=busy) for _ in range(3)]
[t.start() for t in threads]
codes = []
for n in range(15):
    pid = os.fork()
    if not pid:
        os._exit(0 if made.run({"age": 40 + 2 * n}).criteria == {"c": 40 + 2 * n >= 60} else 1)
    codes.append(os.waitpid(pid, 0)[1])
stop.set()
[t.join() for t in threads]
print(codes == [0] * 15)
"""
    assert child(script) == "True"


# -- errors surface ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("function", ["assert_facts", "start_action_for_state", "complete_and_start_action"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, EngineError])
def test_an_exception_anywhere_in_a_session_surfaces_and_the_next_person_is_decided(
    function: str, kind: type[BaseException]
) -> None:
    made = only(at_least("age", 60))
    real = core()

    def fail(*_: Any) -> Any:
        raise kind("here")

    made._program._network._core = Spy(**{function: fail})
    try:
        with pytest.raises(kind, match="here"):
            made.run({"age": 70})
    finally:
        made._program._network._core = real
    assert no_session_is_open(made)
    assert made.run({"age": 70}).criteria == {"c": True}


def test_an_error_of_the_core_is_an_engine_error(spied: Spy) -> None:
    made = only(at_least("age", 60))

    def fail(*_: Any) -> Any:
        raise core().error("Could not assert facts, error code: 303")

    spied._replaced["assert_facts"] = fail
    with pytest.raises(EngineError, match=r"durable_rules failed: .*303"):
        made.run({"age": 70})
    del spied._replaced["assert_facts"]
    assert made.run({"age": 70}).criteria == {"c": True}


def test_a_lost_message_is_an_error_and_not_an_unknown(spied: Spy) -> None:
    made = DurableEngine(many(30))
    spied._replaced["assert_facts"] = lambda handle, text: core().assert_facts(handle, text.split("},{")[0] + "}]")
    with pytest.raises(EngineError, match=r"took 1 of \d messages"):
        made.run({"f0": 1})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "70"),
        ("integer", 70.0),
        ("integer", True),
        ("integer", Decimal(70)),
        ("boolean", "yes"),
        ("date", "2026-01-01"),
        ("date", 70),
        ("code", 70),
        ("code", ["employee"]),
    ],
)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_fact(kind: str, value: Any) -> None:
    import datetime as dt

    literal = {"integer": 60, "boolean": True, "date": dt.date(2026, 1, 1), "code": "employee"}[kind]
    with pytest.raises(EngineError, match=f"fact is of type {kind}"):
        truth(Compare("=", Fact("fact"), Literal(literal)), {"fact": value}, kind)


def test_a_value_of_another_type_in_arithmetic_is_refused_too() -> None:
    with pytest.raises(EngineError, match="not of its type"):
        truth(Compare(">", Arithmetic("-", Fact("a"), Fact("b")), Literal(1)), {"a": "7", "b": 1})


def test_without_durable_rules_there_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    monkeypatch.setattr(durable_host, "core", durable_host.core.__wrapped__)
    with pytest.raises(EngineError, match="durable_rules cannot be loaded"):
        only(at_least("never compiled before", 60))


@pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="libraries are loaded in another way here")
def test_loading_the_core_leaves_the_flags_for_other_libraries_as_they_were() -> None:
    flags = sys.getdlopenflags()
    durable_host.core.__wrapped__()
    assert sys.getdlopenflags() == flags


# -- names, ids and values --------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["id", "sid", "$s", "$m", "kind", "m", "m.age", 'a"b', "$and", "$forward", "", "年龄"])
def test_no_name_of_a_fact_means_anything_to_the_core(name: str) -> None:
    node = And((at_least(name, 60), Compare("<>", Fact(name), Literal(70))))
    assert [truth(node, {name: n}) for n in (59, 60, 70)] == [False, True, False]
    assert truth(node, {}) is None


def test_sessions_have_one_fixed_id_and_messages_ids_and_keys_that_cannot_be_confused(spied: Spy) -> None:
    rng = random.Random(10)
    made = place(rng)
    durable = DurableEngine(made)
    for _ in range(20):
        spied.told.clear()
        durable.run(person(rng, made))
        text = "".join(spied.told)
        messages = text.count("{")
        assert messages > 3
        assert re.findall('"sid":"([^"]*)"', text) == ["0"] * messages
        ids = re.findall('"id":"([^"]*)"', text)
        keys = set(re.findall('"([^"]*)":', text))
        assert len({fnv(id) for id in (*ids, "sid-0")}) == messages + 1
        assert len({fnv(key) for key in keys}) == len(keys)
        assert not keys & {"$s", "$m"} and all(re.fullmatch("[a-z][a-z0-9]*", key) for key in keys)


def test_a_ruleset_with_more_messages_than_letters_keeps_them_apart(spied: Spy) -> None:
    made = many(0)
    criteria = {f"c{n}": at_least(f"f{n}", 1) for n in range(800)}
    programmes = {f"p{n}": tuple(f"c{n * 10 + i}" for i in range(10)) for n in range(80)}
    made = Program("edge", criteria, programmes, {f"f{n}": "integer" for n in range(800)})
    durable, reference, rng = DurableEngine(made), ReferenceEngine(made), random.Random(12)
    for odds in (0.01, 0.1, 0.5, 0.99):
        facts: dict[str, Value] = {f"f{n}": int(rng.random() < odds) for n in range(800) if rng.random() < 0.99}
        spied.told.clear()
        assert durable.run(facts) == reference.run(facts)
    assert sum(text.count("{") for text in spied.told) > len(durable_host._MARKS)


CODES = ('a"b', "a\\", "{},[]", "~A!", "a\nb", "nul\0", "\ud800", "职工", "x" * 100_000, "1", "")


@pytest.mark.parametrize("code", CODES, ids=range(len(CODES)))
def test_codes_may_hold_any_character(code: str) -> None:
    node = Compare("=", Fact("scheme"), Literal(code))
    assert truth(node, {"scheme": code}, "code") is True
    assert truth(node, {"scheme": code + " "}, "code") is False
    assert truth(Not(OneOf(Fact("scheme"), (code, "b"))), {"scheme": "c"}, "code") is True


BIG = (2**31 - 2, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30)


@pytest.mark.parametrize("constant", [*BIG, *(-n for n in BIG)])
def test_numbers_of_any_size_are_compared_exactly(constant: int) -> None:
    for value in (constant - 1, constant, constant + 1, 0, 10**40, -(10**40)):
        for op, expected in (("<", value < constant), ("=", value == constant), (">=", value >= constant)):
            assert truth(Compare(op, Fact("n"), Literal(constant)), {"n": value}) is expected


def test_no_number_that_the_core_could_not_hold_reaches_it(spied: Spy) -> None:
    made = only(Or((at_least("n", 3), at_least("n", 2**31), at_least("n", -(10**30)))))
    for value in (*BIG, *(-n for n in BIG)):
        made.run({"n": value})
    assert max(abs(int(n)) for n in re.findall(r":(-?\d+)", "".join(spied.told))) <= durable_host.LIMIT


@pytest.mark.parametrize("number", ["1E-7", "1E+16", "0.1", "12345678901234567890.1"])
def test_decimals_are_compared_exactly_and_never_by_the_core(spied: Spy, number: str) -> None:
    limit = Decimal(number)
    made = only(Compare(">=", Fact("m"), Literal(limit)), "decimal")
    cases = [(limit, True), (limit.next_minus(), False), (limit.next_plus(), True), (Decimal(-1), False)]
    for value, expected in cases:
        assert made.run({"m": value}).criteria["c"] is expected
    assert {n for text in spied.told for n in re.findall(r":(-?[\d.E+-]+)", text)} == {"0", "1"}


# -- width ------------------------------------------------------------------------------------------------
def test_a_programme_may_have_59_criteria_and_one_with_more_is_refused_by_name() -> None:
    made = many(59)
    durable, reference = DurableEngine(made), ReferenceEngine(made)
    for facts in ({f"f{n}": v for n in range(59)} for v in (0, 1)):
        assert durable.run(facts) == reference.run(facts)
    assert durable.run({f"f{n}": 1 for n in range(58)}).outcomes == {"wide": "unknown"}
    for number in (60, 64, 65, 600):
        with pytest.raises(EngineError, match="programme 'wide' is too wide"):
            DurableEngine(many(number))


def test_hundreds_of_criteria_may_ask_for_one_fact() -> None:
    criteria = {f"c{n}": Compare(">=" if n % 2 else "<>", Fact("age"), Literal(n)) for n in range(900)}
    made = Program("edge", criteria, {f"p{n}": (f"c{n}",) for n in range(300)}, {"age": "integer"})
    durable, reference = DurableEngine(made), ReferenceEngine(made)
    facts: dict[str, Value]
    for facts in ({}, {"age": -1}, {"age": 450}, {"age": 451}, {"age": 10_000}):
        assert durable.run(facts) == reference.run(facts)


@pytest.mark.parametrize(("limit", "value"), [("MOST_MESSAGES", 3), ("MOST_RULES", 5)])
def test_a_ruleset_beyond_the_tables_of_the_core_is_refused_by_the_name_of_a_programme(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(durable_host, limit, value)
    monkeypatch.setattr(DurableEngine, "_kept", {})
    with pytest.raises(EngineError, match=r"(criterion 'c\d+' of )?programme 'wide' is one too many: at most"):
        DurableEngine(many(50))


@pytest.mark.parametrize("number", [15, 16, 17, 40, 600])
def test_a_fact_may_be_one_of_hundreds_of_codes(number: int) -> None:
    towns = tuple(f"town-{n}" for n in range(number))
    node = OneOf(Fact("town"), towns)
    assert truth(node, {"town": towns[-1]}, "code") is True
    assert truth(node, {"town": "elsewhere"}, "code") is False
    assert truth(Not(node), {"town": "elsewhere"}, "code") is True
    assert truth(node, {}, "code") is None


@pytest.mark.parametrize("number", [20, 60, 61, 300])
@pytest.mark.parametrize("kind", [And, Or])
def test_a_condition_may_ask_for_hundreds_of_facts(kind: type[And] | type[Or], number: int) -> None:
    node = kind(tuple(at_least(f"f{n}", 1) for n in range(number)))
    wide = only(node)
    everything: dict[str, Value] = {f"f{n}": 1 for n in range(number)}
    assert wide.run(everything).criteria["c"] is True
    assert wide.run(dict.fromkeys(everything, 0)).criteria["c"] is False
    assert wide.run(everything | {"f7": 0}).criteria["c"] is (kind is Or)
    assert wide.run({"f7": 1}).criteria["c"] is (True if kind is Or else None)


@pytest.mark.parametrize("depth", [5, 13, 14, 15, 40])
def test_and_and_or_may_be_nested_deeply(depth: int) -> None:
    node = at_least("f0", 1)
    for n in range(1, depth):
        node = (And, Or)[n % 2]((node, at_least(f"f{n}", 1)))
    deep = only(node)
    reference = ReferenceEngine(Program("edge", {"c": node}, {}, {f"f{n}": "integer" for n in range(depth)}))
    rng = random.Random(depth)
    for _ in range(200):
        facts: dict[str, Value] = {f"f{n}": rng.randrange(2) for n in range(depth) if rng.random() < 0.9}
        assert deep.run(facts).criteria == reference.run(facts).criteria


def test_a_condition_that_holds_in_many_ways_at_once_holds_once() -> None:
    pairs = [Or((at_least(f"a{n}", 1), at_least(f"b{n}", 1))) for n in range(5)]
    node = And(tuple(pairs))
    facts: dict[str, Value] = {f"{side}{n}": 1 for side in "ab" for n in range(5)}
    assert truth(node, facts) is True
    assert truth(And((*pairs, *(Or((at_least(f"c{n}", 1), at_least(f"d{n}", 1))) for n in range(9)))), facts) is None
    assert truth(node, dict.fromkeys(facts, 0)) is False


def test_differs_does_not_hold_for_a_fact_that_is_not_known() -> None:
    node = Or((Compare("<>", Fact("a"), Literal(1)), Not(Compare("=", Fact("b"), Literal(1)))))
    assert truth(node, {}) is None
    assert truth(node, {"a": 1}) is None
    assert truth(node, {"b": 2}) is True


def test_a_deep_chain_of_programmes_is_followed_to_its_end() -> None:
    criteria: dict[str, Node] = {"c0": at_least("age", 60)}
    criteria |= {f"c{n}": Not(Flag(f"eligible:p{n - 1}")) for n in range(1, 60)}
    made = Program("edge", criteria, {f"p{n}": (f"c{n}",) for n in reversed(range(60))}, {"age": "integer"})
    durable, reference = DurableEngine(made), ReferenceEngine(made)
    facts: dict[str, Value]
    for facts in ({}, {"age": 59}, {"age": 60}):
        assert durable.run(facts) == reference.run(facts)


# -- rulesets are compiled once ---------------------------------------------------------------------------
def test_the_same_rules_are_compiled_once_under_whatever_name(spied: Spy) -> None:
    made = many(5)
    for n in range(10):
        DurableEngine(Program(f"name {n}", made.criteria, made.programmes, made.types)).run({"f1": 1})
    assert spied.made == 1


def test_two_contents_under_one_name_are_two_rulesets() -> None:
    programmes = {"p": ("c",)}
    old, older = (Program("same", {"c": at_least("age", n)}, programmes, {"age": "integer"}) for n in (60, 80))
    first, second = DurableEngine(old), DurableEngine(older)
    assert first.run({"age": 70}).outcomes == {"p": "eligible"}
    assert second.run({"age": 70}).outcomes == {"p": "ineligible"}


@linux
def test_rulesets_that_nobody_uses_are_freed_and_those_in_use_stay() -> None:
    script = """
import gc, resource
from test_durable_edges import *
engine.MOST_KEPT = 2
def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
rng = random.Random(4)
kept = [(p, DurableEngine(p), ReferenceEngine(p)) for p in (place(rng) for _ in range(3))]
fuzz(1, programs=20, people=2)
before = resident()
for n in range(120):
    fuzz(100 + n, programs=1, people=2)
    for made, durable, reference in kept:
        facts = person(rng, made)
        assert durable.run(facts) == reference.run(facts)
print(resident() - before)
"""
    assert int(child(script, MALLOC_PERTURB_="165", MALLOC_CHECK_="3")) < 8 << 20


def test_a_choice_too_large_for_a_rule_is_not_forgotten_beside_one_that_fits() -> None:
    large = durable_host.LIMIT + 7
    either = OneOf(Fact("a"), (1, large))
    assert [truth(either, {"a": n}) for n in (1, large, 2)] == [True, True, False]


def test_a_number_as_large_as_a_long_of_four_bytes_holds_stays_out_of_the_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    real = core().create_ruleset
    spy = Spy(create_ruleset=lambda name, rules: (told.append(rules), real(name, rules))[1])
    monkeypatch.setattr(durable_host, "core", lambda: spy)
    monkeypatch.setattr(DurableEngine, "_kept", {})
    for number in (2**31 - 2, 2**31 - 1):
        assert truth(at_least("a", number), {"a": number}) is True
        assert truth(at_least("a", number), {"a": number - 1}) is False
    assert str(2**31 - 2) in "".join(told)
    assert str(2**31 - 1) not in "".join(told)


def test_loading_the_core_leaves_the_ways_of_loading_as_they_were() -> None:
    before = sys.getdlopenflags()
    core.__wrapped__()
    assert sys.getdlopenflags() == before
