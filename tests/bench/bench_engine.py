"""How long one person takes, on durable_rules and on the reference: ``python tests/bench/bench_engine.py``."""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from decimal import Decimal
from statistics import median

import pytest

from yyassess.conditions.tree import (
    And,
    Arithmetic,
    Compare,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
)
from yyassess.entitlement.engine import DurableEngine, Engine, Program, ReferenceEngine, Value

TOWNS = tuple(f"town-{n}" for n in range(8))
ILLNESSES = tuple(f"illness-{n}" for n in range(6))
TYPES = (
    {f"count_{n}": "integer" for n in range(14)}
    | {f"choice_{n}": "code" for n in range(10)}
    | {f"yes_{n}": "boolean" for n in range(16)}
    | {f"day_{n}": "date" for n in range(3)}
    | {"income": "decimal", "floor": "decimal", "illnesses": "codes"}
)


def atom(rng: random.Random) -> Node:
    """One comparison, in about the proportions of the shipped rules."""
    kind = rng.choices(("count", "choice", "choices", "yes", "day", "list", "money"), (30, 22, 8, 30, 4, 3, 3))[0]
    match kind:
        case "count":
            return Compare(rng.choice((">=", "<", "=")), Fact(f"count_{rng.randrange(14)}"), Literal(rng.randrange(6)))
        case "choice":
            return Compare(
                rng.choice(("=", "=", "<>")), Fact(f"choice_{rng.randrange(10)}"), Literal(rng.choice(TOWNS))
            )
        case "choices":
            return OneOf(Fact(f"choice_{rng.randrange(10)}"), tuple(rng.sample(TOWNS, 3)))
        case "yes":
            flag = Flag(f"yes_{rng.randrange(16)}")
            return flag if rng.random() < 0.6 else Not(flag)
        case "day":
            return Compare(">=", Fact(f"day_{rng.randrange(3)}"), Literal(dt.date(rng.randrange(1930, 1970), 1, 1)))
        case "list":
            return Contains("illnesses", rng.choice(ILLNESSES))
    limit = Arithmetic("*", Fact("floor"), Literal(Decimal("1.5")))
    return Compare("<=", Fact("income"), limit if rng.random() < 0.5 else Literal(Decimal(rng.randrange(500, 3000))))


def program(programmes: int, criteria: int, each: int, listeners: int, seed: int = 7) -> Program:
    """Programmes of about ``each`` criteria out of ``criteria`` distinct ones; the first of them are shared by many."""
    rng = random.Random(seed)
    nodes: dict[Node, None] = {}
    while len(nodes) < criteria:
        parts = tuple(atom(rng) for _ in range(rng.choices((1, 2, 3), (70, 20, 10))[0]))
        nodes[parts[0] if len(parts) == 1 else rng.choice((And, Or))(parts)] = None
    keyed = {f"c{n}": node for n, node in enumerate(nodes)}
    unused = list(keyed)
    rng.shuffle(unused)
    chosen: dict[str, tuple[str, ...]] = {}
    for n in range(programmes):
        own = [unused.pop() for _ in range(min(len(unused), -(-len(keyed) // programmes)))]
        shared = (
            rng.sample(list(keyed)[:12], max(0, each - len(own))) if len(keyed) > 12 else rng.sample(list(keyed), each)
        )
        chosen[f"p{n}"] = tuple(dict.fromkeys([*shared, *own]))[: max(each, len(own))]
    for n in range(listeners):
        keyed[f"listen{n}"] = Flag(f"eligible:p{n}")
        chosen[f"p{programmes - 1 - n}"] += (f"listen{n}",)
    return Program(f"bench-{programmes}", keyed, chosen, TYPES)


def people(number: int, seed: int = 11) -> list[dict[str, Value]]:
    """Persons of whom about nine facts in ten are known."""
    rng = random.Random(seed)
    made: list[dict[str, Value]] = []
    for _ in range(number):
        facts: dict[str, Value] = {}
        for name, kind in TYPES.items():
            if rng.random() < 0.1:
                continue
            match kind:
                case "boolean":
                    facts[name] = rng.random() < 0.5
                case "integer":
                    facts[name] = rng.randrange(7)
                case "decimal":
                    facts[name] = Decimal(rng.randrange(0, 4000))
                case "code":
                    facts[name] = rng.choice(TOWNS)
                case "codes":
                    facts[name] = frozenset(rng.sample(ILLNESSES, 2))
                case "date":
                    facts[name] = dt.date(rng.randrange(1925, 1975), rng.randrange(1, 13), 1)
        made.append(facts)
    return made


SIZES = {
    "4 programmes, 5 criteria each": program(4, 16, 5, 0),
    "40 programmes, 110 criteria": program(40, 107, 5, 3),
}


def timed(engine: Engine, cases: list[dict[str, Value]], repeat: int) -> list[float]:
    """Microseconds of every run, sorted."""
    for case in cases:
        engine.run(case)
    taken = []
    for _ in range(repeat):
        for case in cases:
            start = time.perf_counter()
            engine.run(case)
            taken.append((time.perf_counter() - start) * 1e6)
    return sorted(taken)


def report(repeat: int = 10) -> dict[tuple[str, str], float]:
    """Prints p50 and p99 of every engine and size; returns the p50."""
    cases = people(300)
    found = {}
    print(f"{'':34}{'p50':>9}{'p99':>9}   microseconds a person")
    for size, made in SIZES.items():
        engines: dict[str, Engine] = {
            "durable_rules": DurableEngine(made),
            "reference": ReferenceEngine(made),
        }
        assert all(engines["durable_rules"].run(c) == engines["reference"].run(c) for c in cases)
        print(size)
        for name, engine in engines.items():
            taken = timed(engine, cases, repeat)
            found[size, name] = median(taken)
            print(f"    {name:30}{median(taken):9.0f}{taken[len(taken) * 99 // 100]:9.0f}")
    return found


@pytest.mark.bench
def test_one_person_is_decided_in_well_under_a_millisecond() -> None:
    assert max(report().values()) < 1000


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
