"""durable_rules and the reference decide alike, whatever the rules and whoever the person."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yyassess.conditions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
)
from yyassess.entitlement.engine import DurableEngine, Program, ReferenceEngine, Value

CODES = ("employee", "resident", "", 'it\'s "quoted" {so}, \\n', "职工医保", "-1")
DAYS = tuple(dt.date(1950, 1, 1) + dt.timedelta(days=n) for n in (-400, -1, 0, 1, 31, 400, 20000))
NUMBERS = (-1, 0, 1, 2, 3, 65, 2**31 - 2, 2**31 - 1, 2**31, 2**63, -(2**31), -(10**30))
DECIMALS = tuple(map(Decimal, ("-1", "0", "0.1", "1E-7", "1.50", "3", "1E+16")))
TYPES = (
    {f"n{i}": "integer" for i in range(4)}
    | {f"b{i}": "boolean" for i in range(4)}
    | {f"c{i}": "code" for i in range(2)}
    | {f"d{i}": "date" for i in range(2)}
    | {"m0": "decimal", "m1": "decimal", "list": "codes", "text": "text"}
)
OPERATORS = st.sampled_from(("=", "<>", "<", "<=", ">", ">="))
EQUALS = st.sampled_from(("=", "<>"))


def facts(letter: str) -> st.SearchStrategy[Node]:
    return st.sampled_from([Fact(name) for name in TYPES if name[0] == letter])


def literals(values: tuple[Value, ...]) -> st.SearchStrategy[Node]:
    return st.sampled_from([Literal(v) for v in values if not isinstance(v, frozenset)])


def several(values: tuple[Value, ...]) -> st.SearchStrategy[tuple[Value, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True).map(tuple)


numbers = facts("n") | literals(NUMBERS)
amounts = st.recursive(
    facts("n") | facts("m") | literals((0, 2)) | literals(DECIMALS),
    lambda part: (
        st.builds(Arithmetic, st.sampled_from("+-*"), part, part)
        | st.builds(Call, st.sampled_from(("least", "greatest")), st.tuples(part, part))
        | st.builds(Call, st.sampled_from(("age_on", "months_between")), st.tuples(facts("d"), facts("d")))
    ),
    max_leaves=4,
)
flags = facts("b").map(lambda fact: Flag(fact.name))  # type: ignore[attr-defined]
atoms = st.one_of(
    flags,
    flags,
    st.builds(Compare, OPERATORS, facts("n"), literals(NUMBERS)),
    st.builds(Compare, OPERATORS, literals(NUMBERS), facts("n")),
    st.builds(OneOf, facts("n"), several(NUMBERS)),
    st.builds(Compare, EQUALS, facts("c") | st.just(Fact("text")), literals(CODES)),
    st.builds(OneOf, facts("c"), several(CODES)),
    st.builds(Compare, OPERATORS, facts("d"), literals(DAYS)),
    st.builds(OneOf, facts("d"), several(DAYS)),
    st.builds(Compare, EQUALS, facts("b"), literals((True, False)) | facts("b")),
    st.builds(Contains, st.just("list"), st.sampled_from(CODES)),
    st.builds(Compare, OPERATORS, amounts, amounts),
    st.builds(Compare, OPERATORS, facts("d"), facts("d")),
    st.builds(Const, st.booleans()),
)


def conditions(part: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.recursive(
        part,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, min_size=1, max_size=4).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=1, max_size=4).map(tuple)),
        ),
        max_leaves=10,
    )


def asking(programmes: list[str]) -> st.SearchStrategy[Node]:
    """Conditions that ask for outcomes, among other things."""
    asked = st.sampled_from([Flag(f"eligible:{id}") for id in programmes])
    same = st.builds(Compare, EQUALS, asked.map(lambda flag: Fact(flag.name)), facts("b") | literals((True, False)))
    return conditions(asked | asked | same | atoms)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Up to six programmes, written in any order, that share criteria and ask for the outcomes of others."""
    plain = draw(st.lists(conditions(atoms), min_size=1, max_size=8))
    criteria = {f"plain{n}": node for n, node in enumerate(plain)}
    programmes: dict[str, tuple[str, ...]] = {}
    for n in range(draw(st.integers(1, 6))):
        keys = draw(st.lists(st.sampled_from(sorted(criteria)), max_size=4))
        if programmes and draw(st.booleans()):
            criteria[f"asks{n}"] = draw(asking(sorted(programmes)))
            keys.append(f"asks{n}")
        programmes[f"p{n}"] = tuple(keys)
    order = draw(st.permutations(sorted(programmes)))
    return Program("differential", criteria, {id: programmes[id] for id in order}, TYPES)


def person(rng: random.Random) -> dict[str, Value]:
    """A person of whom much, little or nothing is known."""
    known = rng.choice((0.0, 0.3, 0.6, 0.9, 1.0))
    values: dict[str, tuple[Value, ...]] = {
        "integer": NUMBERS,
        "boolean": (True, False),
        "code": (*CODES, "another"),
        "text": CODES,
        "date": DAYS,
        "decimal": DECIMALS,
        "codes": (frozenset(), frozenset(CODES[:2]), frozenset(CODES)),
    }
    return {name: rng.choice(values[kind]) for name, kind in TYPES.items() if rng.random() < known}


def compare(program: Program, seed: int, people: int) -> None:
    durable, reference, rng = DurableEngine(program), ReferenceEngine(program), random.Random(seed)
    for _ in range(people):
        facts = person(rng)
        assert durable.run(facts) == reference.run(facts), facts


quiet = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(quiet, max_examples=200)
@given(programs(), st.integers(0, 2**32))
def test_durable_rules_and_the_reference_agree_on_every_criterion_and_outcome(program: Program, seed: int) -> None:
    compare(program, seed, people=60)


@pytest.mark.slow
@settings(quiet, max_examples=1500)
@given(programs(), st.integers(0, 2**32))
def test_they_still_agree_after_many_more_rulesets_and_people(program: Program, seed: int) -> None:
    compare(program, seed, people=200)
