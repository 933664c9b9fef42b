"""The condition language: what is understood, and that everything else is refused with words a person can use."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yyassess.conditions.parse import ConditionError, Name, Scope, parse_condition, parse_value
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
    facts_of,
    negated,
    normal,
    walk,
)

SCOPE = Scope(
    names={
        "coma": Name("boolean"),
        "insured": Name("boolean"),
        "age": Name("integer"),
        "months": Name("integer"),
        "income": Name("decimal"),
        "scheme": Name("code", ("employee", "resident", "none")),
        "other_scheme": Name("code", ("employee", "private")),
        "sex": Name("code", ("female", "male")),
        "events.fall": Name("code", ("none", "once")),
        "illnesses": Name("codes", ("dementia", "stroke")),
        "born": Name("date"),
        "today": Name("date"),
        "remarks": Name("text"),
        "home": Name("place"),
    },
    programmes=frozenset({"city-ltci"}),
    places=frozenset({"zhoushan"}),
)
AGE, COMA = Fact("age"), Flag("coma")


def read(text: str) -> Node:
    return parse_condition(text, SCOPE)


def refusal(text: str) -> str:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCOPE)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("coma", COMA),
        ("NOT coma", Not(COMA)),
        ("coma = TRUE", COMA),
        ("coma = FALSE", Not(COMA)),
        ("coma <> TRUE", Not(COMA)),
        ("coma <> FALSE", COMA),
        ("TRUE = coma", COMA),
        ("TRUE", Const(True)),
        ("FALSE", Const(False)),
        ("age = 80", Compare("=", AGE, Literal(80))),
        ("age <> 80", Compare("<>", AGE, Literal(80))),
        ("age != 80", Compare("<>", AGE, Literal(80))),
        ("age < 80", Compare("<", AGE, Literal(80))),
        ("age >= -1", Compare(">=", AGE, Literal(-1))),
        ("80 < age", Compare(">", AGE, Literal(80))),
        ("-1 <= age", Compare(">=", AGE, Literal(-1))),
        ("'male' = sex", Compare("=", Fact("sex"), Literal("male"))),
        ("age > months", Compare(">", AGE, Fact("months"))),
        ("age = 65.5", Compare("=", AGE, Literal(Decimal("65.5")))),
        ("income <= 0.1", Compare("<=", Fact("income"), Literal(Decimal("0.1")))),
        ("income > age", Compare(">", Fact("income"), AGE)),
        ("scheme = 'employee'", Compare("=", Fact("scheme"), Literal("employee"))),
        ("scheme = other_scheme", Compare("=", Fact("scheme"), Fact("other_scheme"))),
        ("events.fall = 'once'", Compare("=", Fact("events.fall"), Literal("once"))),
        ("age BETWEEN 60 AND 79", And((Compare(">=", AGE, Literal(60)), Compare("<=", AGE, Literal(79))))),
        ("age NOT BETWEEN 60 AND 79", Not(And((Compare(">=", AGE, Literal(60)), Compare("<=", AGE, Literal(79)))))),
        ("age IN (1, 3)", OneOf(AGE, (1, 3))),
        ("age NOT IN (1, 3)", Not(OneOf(AGE, (1, 3)))),
        ("scheme IN ('employee', 'resident')", OneOf(Fact("scheme"), ("employee", "resident"))),
        ("CONTAINS(illnesses, 'dementia')", Contains("illnesses", "dementia")),
        ("contains(illnesses, 'stroke')", Contains("illnesses", "stroke")),
        ("ELIGIBLE('city-ltci')", Flag("eligible:city-ltci")),
        ("LIES_IN(home, 'zhoushan')", Flag("lies_in:home:zhoushan")),
        ("born >= DATE '1940-01-01'", Compare(">=", Fact("born"), Literal(dt.date(1940, 1, 1)))),
        ("born >= '1940-01-01'", Compare(">=", Fact("born"), Literal(dt.date(1940, 1, 1)))),
        ("DATE '1940-01-01' <= born", Compare(">=", Fact("born"), Literal(dt.date(1940, 1, 1)))),
        ("AGE_ON(born, today) >= 80", Compare(">=", Call("age_on", (Fact("born"), Fact("today"))), Literal(80))),
        (
            "AGE_ON(born, DATE '2026-12-31') >= 60",
            Compare(">=", Call("age_on", (Fact("born"), Literal(dt.date(2026, 12, 31)))), Literal(60)),
        ),
        (
            "MONTHS_BETWEEN(born, today) > 2",
            Compare(">", Call("months_between", (Fact("born"), Fact("today"))), Literal(2)),
        ),
        ("LEAST(age, months) > 2", Compare(">", Call("least", (AGE, Fact("months"))), Literal(2))),
        ("GREATEST(age, months, 3) > 2", Compare(">", Call("greatest", (AGE, Fact("months"), Literal(3))), Literal(2))),
        (
            "age + months * 2 - 1 > 100",
            Compare(
                ">",
                Arithmetic("-", Arithmetic("+", AGE, Arithmetic("*", Fact("months"), Literal(2))), Literal(1)),
                Literal(100),
            ),
        ),
        ("(age + 1) * 2 = 4", Compare("=", Arithmetic("*", Arithmetic("+", AGE, Literal(1)), Literal(2)), Literal(4))),
        ("coma AND insured", And((COMA, Flag("insured")))),
        ("coma AND (insured AND age = 1)", And((COMA, Flag("insured"), Compare("=", AGE, Literal(1))))),
        ("coma OR insured AND age = 1", Or((COMA, And((Flag("insured"), Compare("=", AGE, Literal(1))))))),
        ("(coma OR insured) AND NOT coma", And((Or((COMA, Flag("insured"))), Not(COMA)))),
    ],
)
def test_a_condition_is_understood(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # names
        ("aeg > 1", ["unknown fact 'aeg'", "did you mean 'age'?"]),
        ("Age > 1", ["unknown fact 'Age'", "did you mean 'age'?"]),
        ("events.fal = 'once'", ["unknown fact 'events.fal'", "did you mean 'events.fall'?"]),
        ("age.years > 1", ["unknown fact 'age.years'"]),
        ('"age" > 1', ["quoted"]),
        (
            "scheme = 'employe'",
            ["unknown code 'employe' of scheme", "did you mean 'employee'?", "employee, resident, none"],
        ),
        ("scheme = 'Employee'", ["unknown code 'Employee'"]),
        ("scheme IN ('employee', 'x')", ["unknown code 'x'"]),
        ("scheme = employee", ["unknown fact 'employee'"]),
        ("CONTAINS(illnesses, 'dementa')", ["unknown code 'dementa'", "did you mean 'dementia'?"]),
        ("ELIGIBLE('city-lci')", ["unknown programme 'city-lci'", "did you mean 'city-ltci'?"]),
        ("LIES_IN(home, 'zhousan')", ["unknown place 'zhousan'", "did you mean 'zhoushan'?"]),
        # types
        ("age", ["age is of type integer, not a yes/no fact"]),
        ("NOT age", ["not a yes/no fact"]),
        ("age = '5'", ["cannot be compared with a value of type integer"]),
        ("age = TRUE", ["cannot be compared with a value of type integer"]),
        ("coma = 1", ["cannot be compared with a value of type boolean"]),
        ("age = born", ["integer and date cannot be compared"]),
        ("coma = scheme", ["boolean and code cannot be compared"]),
        ("scheme = sex", ["scheme and sex have no code in common"]),
        ("scheme > 'employee'", ["a code has no order"]),
        ("coma < TRUE", ["a boolean has no order"]),
        ("illnesses = 'dementia'", ["of type codes"]),
        ("remarks = 'x'", ["of type text"]),
        ("home = 'zhoushan'", ["of type place"]),
        ("CONTAINS(scheme, 'employee')", ["asks a list of codes"]),
        ("CONTAINS(illnesses, illnesses)", ["stands in single quotes"]),
        ("LIES_IN(age, 'zhoushan')", ["asks a place"]),
        ("coma + 1 > 2", ["+ needs numbers"]),
        ("born - today > 3", ["- needs numbers"]),
        ("AGE_ON(born) > 1", ["not an allowed function"]),
        ("AGE_ON(age, today) > 1", ["not an allowed function"]),
        ("LEAST(age) > 1", ["not an allowed function"]),
        ("LEAST(age, born) > 1", ["not an allowed function"]),
        # days
        ("born = DATE '2026-02-30'", ["'2026-02-30' is not a day (YYYY-MM-DD)"]),
        ("born = '20260130'", ["'20260130' is not a day (YYYY-MM-DD)"]),
        ("born = '2026-W01-1'", ["'2026-W01-1' is not a day (YYYY-MM-DD)"]),
        ("born = CAST('2026-01-30' AS TEXT)", ["is not a value"]),
        ("born = TRY_CAST('2026-01-30' AS DATE)", ["is not a value"]),
        # numbers
        ("age = 1e3", ["not written as a whole number or a decimal"]),
        ("age = 1e999999999", ["not written as a whole number or a decimal"]),
        ("age = " + "9" * 40, ["not written as a whole number or a decimal"]),
        ("-age > 1", ["'-age' is not a number"]),
        # nothing is unknown by being written so, and nothing is silently left out
        ("age IS NULL", ["is not a condition"]),
        ("age = NULL", ["NULL cannot be compared"]),
        ("coma IS TRUE", ["is not a condition"]),
        ("coma -- AND insured", ["a comment"]),
        ("coma /* AND insured */", ["a comment"]),
        ("coma # AND insured", ["a comment"]),
        ("age BETWEEN SYMMETRIC 79 AND 60", ["is not a condition"]),
        # the rest of SQL
        ("age / 2 > 1", ["'age / 2' is not a value"]),
        ("age % 2 = 1", ["is not a value"]),
        ("sex LIKE 'm%'", ["is not a condition"]),
        ("CASE WHEN coma THEN TRUE END", ["is not a condition"]),
        ("age > (SELECT 1)", ["is not a value"]),
        ("age IN (SELECT 1)", ["IN takes a list of constants"]),
        ("age IN (months)", ["months cannot be compared"]),
        ("age IN ()", ["IN takes a list of constants"]),
        ("EXISTS(SELECT 1)", ["is not a condition"]),
        ("NOW() > born", ["not an allowed function of nothing"]),
        ("RANDOM() > 1", ["not an allowed function of nothing"]),
        ("COALESCE(age, 1) = 1", ["not an allowed function"]),
        ("age::TEXT = '1'", ["is not a value"]),
        ("age = 5 = TRUE", ["is not a value"]),
        ("age > ?", ["is not a value"]),
        ("age > $1", ["is not a value"]),
        ("coma x", ["is not a condition"]),
        ("*", ["is not a condition"]),
        ("coma; insured", ["must be exactly one expression"]),
        ("", ["must be exactly one expression"]),
        ("coma AND", ["cannot read 'coma AND'"]),
        ("(coma", ["cannot read '(coma'"]),
        ("SELECT coma", ["is not a condition"]),
        ("DROP TABLE people", ["is not a condition"]),
        ("'coma'", ["is not a condition"]),
        ("1", ["is not a condition"]),
        ("x" * 2001, ["2001 characters", "2000"]),
    ],
)
def test_anything_else_is_refused_in_words(text: str, words: list[str]) -> None:
    message = refusal(text)
    for word in words:
        assert word in message
    assert "<class" not in message


def test_a_refusal_says_what_is_allowed() -> None:
    assert "allowed: comparisons, AND, OR, NOT, IN, BETWEEN, + - *, literals, names of facts" in refusal("age LIKE 'x'")


def test_a_comment_sign_inside_a_text_is_no_comment() -> None:
    scope = Scope({"scheme": Name("code", ("a--b",))})
    assert parse_condition("scheme = 'a--b'", scope) == Compare("=", Fact("scheme"), Literal("a--b"))


@pytest.mark.parametrize(
    "text",
    [
        "NOT " * 490 + "coma",
        "(" * 900 + "coma" + ")" * 900,
        "age" + "+1" * 900 + " > 1",
        "age = 1 OR (" * 150 + "coma" + ")" * 150,
        "LEAST(age, " * 150 + "1" + ")" * 150 + " > 1",
    ],
)
def test_what_is_nested_too_deeply_is_refused_quickly(text: str) -> None:
    started = time.perf_counter()
    assert "nested deeper than" in refusal(text)
    assert time.perf_counter() - started < 5


def test_a_long_row_of_and_is_one_level() -> None:
    tree = read(" AND ".join(["coma"] * 200))
    assert isinstance(tree, And)
    assert len(tree.parts) == 200


def test_an_amount_is_a_number() -> None:
    assert parse_value("income * 0.4", SCOPE) == Arithmetic("*", Fact("income"), Literal(Decimal("0.4")))
    assert parse_value("LEAST(income * 0.5, 300)", SCOPE) == Call(
        "least", (Arithmetic("*", Fact("income"), Literal(Decimal("0.5"))), Literal(300))
    )
    for text, kind in (("coma", "boolean"), ("born", "date"), ("scheme", "code")):
        with pytest.raises(ConditionError, match=f"is of type {kind}; an amount must be a number"):
            parse_value(text, SCOPE)
    with pytest.raises(ConditionError, match="is not a value"):
        parse_value("income > 3", SCOPE)


def test_the_names_a_condition_asks_for_come_in_order_of_first_use() -> None:
    tree = read("CONTAINS(illnesses, 'stroke') OR age > months AND (coma OR age = 1)")
    assert facts_of(tree) == ("illnesses", "age", "months", "coma")


def test_the_negation_goes_down_to_the_facts() -> None:
    assert negated(read("coma AND (age >= 80 OR NOT insured)")) == read("NOT coma OR (age < 80 AND insured)")
    assert normal(Not(Not(Not(COMA)))) == Not(COMA)
    for text in ("NOT (coma OR age = 1)", "NOT (age IN (1, 2) AND NOT (coma OR NOT insured))", "NOT TRUE"):
        for part in walk(normal(read(text))):
            assert not isinstance(part, Not) or isinstance(part.part, (Flag, OneOf, Contains))


WORDS = (
    "coma insured age months income scheme 'employee' 'x' illnesses born today DATE '2026-01-01' '2026-02-30' "
    "AND OR NOT IN BETWEEN IS NULL TRUE FALSE = <> < >= ( ) ( ) , + - * / 0 1 80 0.5 1e9 CONTAINS( LEAST( AGE_ON( "
    "ELIGIBLE( LIES_IN( home SELECT FROM CASE WHEN THEN END -- ; ' \" . :: [ ] { } ? @ $ LIKE ANY( ALL( UNION"
)


@given(st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join) | st.text(max_size=30))
def test_any_text_is_understood_or_refused_and_nothing_else(text: str) -> None:
    for parse in (parse_condition, parse_value):
        try:
            tree = parse(text, SCOPE)
        except ConditionError as error:
            assert str(error)
        else:
            assert all(name in SCOPE.names or ":" in name for name in facts_of(tree))
