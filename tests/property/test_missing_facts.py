"""``missing`` names exactly the facts that could still change an outcome: none too many, none left out.

The first half tries random conditions over a vocabulary so small that every value of every fact can be tried. The
second half asks the shipped programmes about random people.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    facts_of,
)
from yyassess.entitlement.missing import MAX_CODES, relevant, residual
from yyassess.rulebook.vocabulary import FactDefinition

DAYS = tuple(dt.date(2026, 2, 26) + dt.timedelta(days=n) for n in range(5))


def fact(kind: str, *codes: str, **rest: Any) -> FactDefinition:
    name = {"zh": "事实", "en": "fact"}
    return FactDefinition.model_validate({"type": kind, "name": name, "codes": {c: name for c in codes}, **rest})


#: A vocabulary small enough to try everything.
VOCABULARY = {
    "yes": fact("boolean"),
    "also": fact("boolean"),
    "scheme": fact("code", "employee", "resident", "none"),
    "other": fact("code", "resident", "employee", "none"),
    "illnesses": fact("codes", "dementia", "stroke", "cancer"),
    "months": fact("integer", range=[0, 5]),
    "years": fact("integer", range=[2, 6]),
    "share": fact("decimal", range=[0, 1], decimals=1),
    "born": fact("date"),
    "ended": fact("date"),
}
VALUES: dict[str, tuple[Any, ...]] = {
    "yes": (True, False),
    "also": (True, False),
    "scheme": ("employee", "resident", "none"),
    "other": ("employee", "resident", "none"),
    "illnesses": tuple(
        frozenset(c for c, in_it in zip(("dementia", "stroke", "cancer"), held, strict=True) if in_it)
        for held in product((True, False), repeat=3)
    ),
    "months": tuple(range(6)),
    "years": tuple(range(2, 7)),
    "share": tuple(Decimal(n) / 10 for n in range(11)),
    "born": DAYS,
    "ended": DAYS,
}
OPERATORS = st.sampled_from(("=", "<>", "<", "<=", ">", ">="))
EQUALS = st.sampled_from(("=", "<>"))
NUMBERS = tuple(map(Decimal, ("-1", "0.5", "2.5", "0.55"))) + tuple(range(8))


def one_of(*names: str) -> st.SearchStrategy[Fact]:
    return st.sampled_from([Fact(name) for name in names])


def literal(*values: Any) -> st.SearchStrategy[Literal]:
    return st.sampled_from([Literal(value) for value in values])


numbers = one_of("months", "years", "share")
amounts = st.recursive(
    numbers | literal(0, 1, 2, 3, Decimal("0.5")),
    lambda part: (
        st.builds(Arithmetic, st.sampled_from("+-*"), part, part)
        | st.builds(Call, st.sampled_from(("least", "greatest")), st.tuples(part, part))
    ),
    max_leaves=3,
)
schemes = ("employee", "resident", "none")
simple = st.one_of(
    st.sampled_from((Flag("yes"), Flag("also"))),
    st.builds(Compare, OPERATORS, numbers, literal(*NUMBERS)),
    st.builds(Compare, OPERATORS, literal(*NUMBERS), numbers),
    st.builds(Compare, EQUALS, one_of("scheme", "other"), literal(*schemes)),
    st.builds(OneOf, one_of("scheme", "other"), st.lists(st.sampled_from(schemes), min_size=1, unique=True).map(tuple)),
    st.builds(OneOf, numbers, st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(Contains, st.just("illnesses"), st.sampled_from(("dementia", "stroke", "cancer"))),
    st.builds(Compare, OPERATORS, one_of("born", "ended"), literal(*DAYS[1:-1])),
)
coupled = st.one_of(
    st.builds(Compare, OPERATORS, amounts, amounts),
    st.builds(Compare, EQUALS, one_of("scheme"), one_of("other")),
    st.builds(Compare, EQUALS, one_of("yes"), one_of("also")),
)


def conditions(atoms: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        ),
        max_leaves=5,
    )


def questions(atoms: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[list[Node], dict[str, Any]]]:
    """Some criteria, and a person of whom something is known."""
    some = st.lists(conditions(atoms), min_size=1, max_size=3)
    return st.builds(about_somebody, some, st.integers(0, 2**32 - 1))


def about_somebody(criteria: list[Node], seed: int) -> tuple[list[Node], dict[str, Any]]:
    rng = random.Random(seed)
    names = sorted({name for node in criteria for name in facts_of(node)})
    known = rng.sample(names, rng.randint(0, min(3, len(names))))
    return criteria, {name: rng.choice(VALUES[name]) for name in known}


def unknown_facts(criteria: list[Node], facts: Mapping[str, Any]) -> list[str]:
    return [name for name in dict.fromkeys(n for node in criteria for n in facts_of(node)) if name not in facts]


def everybody(names: list[str]) -> Iterator[dict[str, Any]]:
    for values in product(*(VALUES[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def tried(criteria: list[Node], facts: Mapping[str, Any]) -> frozenset[str]:
    """The unknown facts of which one value instead of another changes whether all criteria hold, by trying them all."""
    names = unknown_facts(criteria, facts)
    holds = compile_condition(And(tuple(criteria)))
    outcome = {tuple(person.values()): holds({**facts, **person}) for person in everybody(names)}
    found = set()
    for place, name in enumerate(names):
        rest: dict[Any, set[bool | None]] = {}
        for values, result in outcome.items():
            rest.setdefault(values[:place] + values[place + 1 :], set()).add(result)
        if any(len(results) > 1 for results in rest.values()):
            found.add(name)
    return frozenset(found)


def named(
    criteria: list[Node], facts: Mapping[str, Any], vocabulary: Mapping[str, FactDefinition] = VOCABULARY
) -> frozenset[str] | None:
    """What the library names; None where the outcome is decided already."""

    def truth(node: Node) -> bool | None:
        return compile_condition(node)(facts)

    truths = [truth(node) for node in criteria]
    if False in truths or None not in truths:
        return None
    open_ones = [node for node, held in zip(criteria, truths, strict=True) if held is None]
    return relevant([residual(node, facts, truth) for node in open_ones], vocabulary)


def small_enough(criteria: list[Node], facts: Mapping[str, Any]) -> bool:
    size = 1
    for name in unknown_facts(criteria, facts):
        size *= len(VALUES[name])
    return size <= 700


# -- every value of a small vocabulary ----------------------------------------------------------------------
@settings(deadline=None)
@given(questions(simple))
def test_a_fact_is_missing_exactly_when_it_alone_could_change_the_outcome(
    question: tuple[list[Node], dict[str, Any]],
) -> None:
    criteria, facts = question
    assume(small_enough(criteria, facts))
    found = named(criteria, facts)
    assume(found is not None)
    assert found == tried(criteria, facts)
    assert found == named(criteria[::-1], facts)


@settings(deadline=None)
@given(questions(simple | coupled))
def test_that_holds_for_facts_compared_with_one_another_and_for_sums_of_facts(
    question: tuple[list[Node], dict[str, Any]],
) -> None:
    criteria, facts = question
    assume(small_enough(criteria, facts))
    found = named(criteria, facts)
    assume(found is not None)
    assert found == tried(criteria, facts)


#: The same names with so many values that they cannot all be tried; `VALUES` are then a sample.
WIDE = VOCABULARY | {
    "months": fact("integer", range=[0, 1200]),
    "years": fact("integer", range=[0, 10**9]),
    "share": fact("decimal", range=[0, 10**6], decimals=2),
}
days = st.tuples(one_of("born", "ended"), one_of("born", "ended"))
wide = st.one_of(
    st.builds(Compare, OPERATORS, one_of("born"), one_of("ended")),
    st.builds(
        Compare, OPERATORS, st.builds(Call, st.sampled_from(("age_on", "months_between")), days), literal(-1, 0, 1)
    ),
    st.builds(
        Compare,
        OPERATORS,
        numbers,
        st.builds(Call, st.just("months_between"), days) | st.builds(Arithmetic, st.just("*"), numbers, numbers),
    ),
)


@settings(deadline=None)
@given(questions(simple | coupled | wide))
def test_with_too_many_values_to_try_a_fact_too_many_may_be_named_but_none_is_left_out(
    question: tuple[list[Node], dict[str, Any]],
) -> None:
    criteria, facts = question
    assume(small_enough(criteria, facts))
    found = named(criteria, facts, WIDE)
    assume(found is not None)
    assert tried(criteria, facts) <= found <= set(unknown_facts(criteria, facts))


@settings(deadline=None)
@given(questions(simple | coupled))
def test_what_is_left_of_a_condition_means_the_same_and_an_answer_already_reached_never_changes(
    question: tuple[list[Node], dict[str, Any]],
) -> None:
    criteria, facts = question
    assume(small_enough(criteria, facts))
    for node in criteria:
        left = residual(node, facts, lambda part: compile_condition(part)(facts))
        assert not set(facts_of(left)) & set(facts)
        before, after = compile_condition(node), compile_condition(left)
        reached = before(facts)
        for person in everybody(unknown_facts([node], facts)):
            learnt = before({**facts, **person})
            assert after(person) == learnt
            assert learnt is not None
            assert reached is None or reached == learnt


# -- too many values to try ---------------------------------------------------------------------------------
def test_two_numbers_are_tried_together_where_their_ranges_are_narrow_however_high_they_lie() -> None:
    vocabulary = {name: fact("integer", range=(4000, 4020)) for name in ("one", "other")}
    apart = Compare(">", Arithmetic("-", Fact("one"), Fact("other")), Literal(30))
    assert relevant([apart], vocabulary) == frozenset(), "no two of them lie that far apart"
    near = Compare(">", Arithmetic("-", Fact("one"), Fact("other")), Literal(10))
    assert relevant([near], vocabulary) == {"one", "other"}


def test_of_more_codes_than_can_be_combined_every_fact_is_named() -> None:
    names = [f"code_{n}" for n in range(MAX_CODES + 1)]
    vocabulary = {"illnesses": fact("codes", *names), "yes": fact("boolean")}
    any_of_them = Or((*(Contains("illnesses", name) for name in names), Flag("yes")))
    assert relevant([any_of_them], vocabulary) == {"illnesses", "yes"}
    alone = Or(tuple(Contains("illnesses", name) for name in names))
    assert relevant([alone], vocabulary) == {"illnesses"}
