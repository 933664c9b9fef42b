"""What both engines promise: criteria in three-valued logic, outcomes, and outcomes that other programmes hear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

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
from yyassess.entitlement.engine import (
    DurableEngine,
    Engine,
    EngineError,
    Program,
    ReferenceEngine,
    Status,
    Value,
    Verdicts,
)

TYPES = {
    "age": "integer",
    "months": "integer",
    "poor": "boolean",
    "alone": "boolean",
    "scheme": "code",
    "illnesses": "codes",
    "income": "decimal",
    "floor": "decimal",
    "born": "date",
    "on_day": "date",
}
OLD = Compare(">=", Fact("age"), Literal(65))
POOR = Flag("poor")
EMPLOYEE = Compare("=", Fact("scheme"), Literal("employee"))


@pytest.fixture(params=[DurableEngine, ReferenceEngine], ids=["durable", "reference"])
def make(request: pytest.FixtureRequest) -> Callable[[Program], Engine]:
    kind: Callable[[Program], Engine] = request.param
    return kind


def program(
    criteria: Mapping[str, Node], programmes: Mapping[str, tuple[str, ...]], types: Mapping[str, str] = TYPES
) -> Program:
    return Program("sha256:0", criteria, programmes, types)


def truth(make: Callable[[Program], Engine], node: Node, facts: Mapping[str, Value]) -> Status:
    return make(program({"c": node}, {})).run(facts).criteria["c"]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"age": 70, "poor": True}, "eligible"),
        ({"age": 70, "poor": False}, "ineligible"),
        ({"age": 70}, "unknown"),
        ({"poor": False}, "ineligible"),
        ({"age": 60}, "ineligible"),
        ({}, "unknown"),
    ],
)
def test_a_programme_is_ineligible_as_soon_as_one_criterion_is_false_and_eligible_when_all_are_true(
    make: Callable[[Program], Engine], facts: dict[str, Value], outcome: str
) -> None:
    made = make(program({"old": OLD, "poor": POOR}, {"allowance": ("old", "poor")}))
    assert made.run(facts).outcomes == {"allowance": outcome}


def test_a_programme_without_criteria_is_eligible(make: Callable[[Program], Engine]) -> None:
    assert make(program({}, {"open": ()})).run({}) == Verdicts({}, {"open": "eligible"})


def test_a_program_with_nothing_in_it_decides_nothing(make: Callable[[Program], Engine]) -> None:
    assert make(program({}, {})).run({"age": 70}) == Verdicts({}, {})


def test_a_criterion_of_no_programme_is_decided_too(make: Callable[[Program], Engine]) -> None:
    assert truth(make, OLD, {"age": 65}) is True


def test_a_criterion_shared_by_two_programmes_counts_for_both(make: Callable[[Program], Engine]) -> None:
    made = make(
        program({"old": OLD, "poor": POOR}, {"a": ("old",), "b": ("old", "poor"), "c": ("poor", "old", "poor")})
    )
    assert made.run({"age": 64}).outcomes == {"a": "ineligible", "b": "ineligible", "c": "ineligible"}
    assert made.run({"age": 65, "poor": True}).outcomes == {"a": "eligible", "b": "eligible", "c": "eligible"}


@pytest.mark.parametrize("value", [64, 65, 66])
@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("=", {65}),
        ("<>", {64, 66}),
        ("<", {64}),
        ("<=", {64, 65}),
        (">", {66}),
        (">=", {65, 66}),
    ],
)
def test_each_comparison_holds_on_the_right_side_of_its_limit(
    make: Callable[[Program], Engine], op: str, expected: set[int], value: int
) -> None:
    assert truth(make, Compare(op, Fact("age"), Literal(65)), {"age": value}) is (value in expected)  # type: ignore[arg-type]
    mirrored = Compare(op, Literal(65), Fact("age"))  # type: ignore[arg-type]
    assert truth(make, mirrored, {"age": 130 - value}) is (value in expected)


@pytest.mark.parametrize("op", ["=", "<>", "<", "<=", ">", ">="])
def test_no_comparison_of_a_fact_that_is_not_known_holds_or_fails(make: Callable[[Program], Engine], op: str) -> None:
    assert truth(make, Compare(op, Fact("age"), Literal(65)), {}) is None  # type: ignore[arg-type]
    assert truth(make, Not(Compare(op, Fact("age"), Literal(65))), {}) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "node",
    [
        POOR,
        Not(POOR),
        EMPLOYEE,
        OneOf(Fact("scheme"), ("a",)),
        Contains("illnesses", "x"),
        Or((POOR, Not(POOR))),
    ],
)
def test_a_condition_on_a_fact_given_as_none_is_unknown(make: Callable[[Program], Engine], node: Node) -> None:
    given: dict[str, Value] = {"poor": None, "scheme": None, "illnesses": None}  # type: ignore[dict-item]
    assert truth(make, node, given) is None


def test_unknown_does_not_spread_where_the_other_part_decides(make: Callable[[Program], Engine]) -> None:
    assert truth(make, Or((POOR, OLD)), {"age": 70}) is True
    assert truth(make, And((POOR, OLD)), {"age": 60}) is False
    assert truth(make, Or((POOR, OLD)), {"age": 60}) is None
    assert truth(make, And((POOR, OLD)), {"age": 70}) is None
    assert truth(make, Not(Or((POOR, OLD))), {"age": 70}) is False
    assert truth(make, Not(And((POOR, Not(OLD)))), {"age": 70}) is True


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Const(True), True),
        (Const(False), False),
        (And((Const(True), POOR)), None),
        (And((Const(False), POOR)), False),
        (Or((Const(True), POOR)), True),
        (Or((Const(False), POOR)), None),
        (And(()), True),
        (Or(()), False),
        (Not(Const(False)), True),
    ],
)
def test_constants_take_part_in_conditions(make: Callable[[Program], Engine], node: Node, expected: Status) -> None:
    assert truth(make, node, {}) is expected


@pytest.mark.parametrize(
    ("node", "facts", "expected"),
    [
        (EMPLOYEE, {"scheme": "employee"}, True),
        (EMPLOYEE, {"scheme": "resident"}, False),
        (Compare("<>", Fact("scheme"), Literal("employee")), {"scheme": "resident"}, True),
        (OneOf(Fact("scheme"), ("employee", "resident")), {"scheme": "resident"}, True),
        (OneOf(Fact("scheme"), ("employee", "resident")), {"scheme": "none"}, False),
        (Not(OneOf(Fact("scheme"), ("employee", "resident"))), {"scheme": "none"}, True),
        (OneOf(Fact("age"), (1, 3)), {"age": 3}, True),
        (OneOf(Fact("age"), (1, 3)), {"age": 2}, False),
        (OneOf(Fact("age"), ()), {"age": 2}, False),
        (OneOf(Fact("age"), ()), {}, None),
        (Compare("=", Fact("poor"), Literal(False)), {"poor": False}, True),
        (Compare("<>", Fact("poor"), Literal(False)), {"poor": False}, False),
        (Compare(">=", Fact("born"), Literal(dt.date(1950, 1, 1))), {"born": dt.date(1949, 12, 31)}, False),
        (Compare(">=", Fact("born"), Literal(dt.date(1950, 1, 1))), {"born": dt.date(1950, 1, 1)}, True),
        (Contains("illnesses", "dementia"), {"illnesses": frozenset({"dementia", "stroke"})}, True),
        (Contains("illnesses", "dementia"), {"illnesses": frozenset()}, False),
        (Not(Contains("illnesses", "dementia")), {"illnesses": frozenset()}, True),
        (Compare("<=", Fact("income"), Literal(Decimal("9.90"))), {"income": Decimal("9.9")}, True),
        (
            Compare("<", Fact("income"), Arithmetic("*", Fact("floor"), Literal(Decimal("1.5")))),
            {"income": Decimal("1499.99"), "floor": Decimal(1000)},
            True,
        ),
        (
            Compare(">=", Fact("income"), Arithmetic("*", Fact("floor"), Literal(Decimal("1.5")))),
            {"income": Decimal("1499.99")},
            None,
        ),
        (
            Compare(">=", Call("age_on", (Fact("born"), Fact("on_day"))), Literal(65)),
            {"born": dt.date(1961, 3, 2), "on_day": dt.date(2026, 3, 1)},
            False,
        ),
        (Compare("=", Fact("poor"), Fact("alone")), {"poor": True, "alone": True}, True),
    ],
)
def test_every_kind_of_comparison_is_decided(
    make: Callable[[Program], Engine], node: Node, facts: dict[str, Value], expected: Status
) -> None:
    assert truth(make, node, facts) is expected


@pytest.mark.parametrize(
    ("facts", "outcomes"),
    [
        ({"age": 70, "poor": True, "alone": True}, ["eligible", "eligible", "eligible", "ineligible"]),
        ({"age": 60, "poor": True, "alone": True}, ["ineligible", "ineligible", "ineligible", "eligible"]),
        ({"age": 70, "alone": False}, ["eligible", "unknown", "ineligible", "ineligible"]),
        ({"poor": False, "alone": True}, ["unknown", "ineligible", "ineligible", "unknown"]),
        ({}, ["unknown", "unknown", "unknown", "unknown"]),
    ],
)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_programmes_hear_the_outcomes_of_others_in_whatever_order_they_are_written(
    make: Callable[[Program], Engine], order: tuple[int, ...], facts: dict[str, Value], outcomes: list[str]
) -> None:
    criteria = {
        "old": OLD,
        "poor": POOR,
        "insured": Flag("eligible:insurance"),
        "subsidised-and-alone": And((Flag("eligible:subsidy"), Flag("alone"))),
        "neither": Not(Or((Flag("eligible:insurance"), Flag("eligible:subsidy")))),
        "alone": Flag("alone"),
    }
    programmes: list[tuple[str, tuple[str, ...]]] = [
        ("insurance", ("old",)),
        ("subsidy", ("poor", "insured")),
        ("visits", ("subsidised-and-alone",)),
        ("relief", ("neither", "alone")),
    ]
    made = make(program(criteria, dict(programmes[n] for n in order)))
    assert made.run(facts).outcomes == dict(zip(("insurance", "subsidy", "visits", "relief"), outcomes, strict=True))


def test_an_outcome_that_a_caller_gives_for_a_programme_of_the_ruleset_is_ignored(
    make: Callable[[Program], Engine],
) -> None:
    asks = Or((Flag("eligible:a"), Compare("=", Fact("eligible:a"), Fact("poor"))))
    made = make(program({"old": OLD, "asks": asks}, {"a": ("old",), "b": ("asks",)}))
    assert made.run({"eligible:a": True}).outcomes == {"a": "unknown", "b": "unknown"}
    assert made.run({"eligible:a": True, "age": 60, "poor": True}).outcomes == {
        "a": "ineligible",
        "b": "ineligible",
    }
    assert made.run({"eligible:a": True, "age": 60, "poor": False}).outcomes == {
        "a": "ineligible",
        "b": "eligible",
    }


def test_the_outcome_of_a_programme_outside_the_ruleset_is_an_ordinary_fact(
    make: Callable[[Program], Engine],
) -> None:
    made = make(program({"asks": Flag("eligible:far")}, {"b": ("asks",)}, {"eligible:far": "boolean"}))
    assert made.run({}).outcomes == {"b": "unknown"}
    assert made.run({"eligible:far": True}).outcomes == {"b": "eligible"}


def test_programmes_that_wait_for_each_other_are_refused_with_the_circle(
    make: Callable[[Program], Engine],
) -> None:
    criteria = {name: Flag(f"eligible:{name}") for name in "abc"}
    with pytest.raises(EngineError, match=r"a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c"):
        make(program(criteria, {"a": ("b",), "b": ("c",), "c": ("a",)}))
    with pytest.raises(EngineError, match="a -> a"):
        make(program(criteria, {"a": ("a",)}, {"eligible:b": "boolean", "eligible:c": "boolean"}))


def test_a_condition_about_something_that_is_not_there_is_refused_by_name(
    make: Callable[[Program], Engine],
) -> None:
    with pytest.raises(EngineError, match=r"criterion 'c' asks for 'hight'"):
        make(program({"c": Compare(">", Fact("hight"), Literal(1))}, {}))
    with pytest.raises(EngineError, match=r"criterion 'c' asks for 'eligible:nowhere'"):
        make(program({"c": Flag("eligible:nowhere")}, {"p": ("c",)}))
    with pytest.raises(EngineError, match=r"programme 'p' needs criterion 'old'"):
        make(program({}, {"p": ("old",)}))


def test_facts_that_no_criterion_asks_for_do_not_matter(make: Callable[[Program], Engine]) -> None:
    made = make(program({"old": OLD}, {"p": ("old",)}))
    assert made.run({"age": 70, "poor": True, "shoe size": 43}).outcomes == {"p": "eligible"}


def test_criteria_and_outcomes_come_in_the_order_in_which_they_were_written(
    make: Callable[[Program], Engine],
) -> None:
    criteria = {"z": Flag("eligible:a"), "y": POOR, "x": OLD}
    verdicts = make(program(criteria, {"b": ("z",), "c": ("x",), "a": ("y",)})).run({"poor": True})
    assert list(verdicts.criteria) == ["z", "y", "x"]
    assert list(verdicts.outcomes) == ["b", "c", "a"]


def test_one_person_leaves_no_trace_in_the_next(make: Callable[[Program], Engine]) -> None:
    made = make(program({"old": OLD, "poor": POOR}, {"p": ("old", "poor")}))
    assert made.run({"age": 70}).outcomes == {"p": "unknown"}
    assert made.run({"poor": True}).outcomes == {"p": "unknown"}
    assert made.run({"age": 70, "poor": True}).outcomes == {"p": "eligible"}
    assert made.run({}).outcomes == {"p": "unknown"}
