"""How a condition is written: how long and deep it may be, what is refused, and the one tree of each way to write it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from yyassess.conditions.parse import MAX_DEPTH, ConditionError, Name, Scope, parse_condition
from yyassess.conditions.tree import And, Call, Compare, Contains, Fact, Flag, Literal, Not, OneOf

# -- how long and how deep ----------------------------------------------------------------------------------------------
SCOPE = Scope({"coma": Name("boolean"), "n": Name("integer")})


def test_a_condition_of_2000_characters_is_read_and_one_more_is_refused() -> None:
    text = "coma AND n > 1"
    assert parse_condition(text.ljust(2000), SCOPE) == parse_condition(text, SCOPE)
    with pytest.raises(ConditionError, match="2001 characters; at most 2000"):
        parse_condition(text.ljust(2001), SCOPE)


def test_a_condition_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    def nested(levels: int) -> str:
        return "NOT " * (levels - 1) + "coma"

    deepest = parse_condition(nested(MAX_DEPTH), SCOPE)
    assert isinstance(deepest, Not)
    with pytest.raises(ConditionError, match=f"deeper than {MAX_DEPTH} levels"):
        parse_condition(nested(MAX_DEPTH + 1), SCOPE)


MORE = Scope(
    {
        "ills": Name("codes", ("a", "b")),
        "home": Name("place"),
        "scheme": Name("code", ("a", "b")),
        "born": Name("date"),
        **SCOPE.names,
    },
    frozenset({"aid"}),
    frozenset({"town"}),
)


@pytest.mark.parametrize(
    "text",
    [
        "CONTAINS(ills)", "CONTAINS('a', 'b')", "CONTAINS(ills, 'a', 'b')", "CONTAINS(ills, scheme)", "CONTAINS(scheme, 'a')",
        "ELIGIBLE()", "ELIGIBLE(coma)", "ELIGIBLE('aid', 'aid')", "LIES_IN(home)", "LIES_IN('town')", "LIES_IN('town', 'town')",
        "LIES_IN(home, coma)", "LIES_IN(home, 'town', 'town')", "LIES_IN(scheme, 'town')", "scheme IN (SELECT 1)", "scheme IN ()",
        "n BETWEEN SYMMETRIC 1 AND 2", "LEAST(n) > 1", "LEAST() > 1", "AGE_ON(born) > 1", "AGE_ON(born, n) > 1", "n = '1'", "n = TRUE",
        "coma = 1", "coma = 'a'", "born = 5", "born = '2026-2-3'", "born = DATE '2026-02-30'", "scheme = 1", "scheme < 'b'", "coma > TRUE",
        "ills = 'a'", "home = 'town'", "n = scheme", "'a' = 'a'", "n = NULL", "coma + 1 > 1", "n + scheme > 1", "n = 1e3", '"n" > 1',
    ],
)  # fmt: skip
def test_what_is_called_or_compared_wrongly_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, MORE)
    assert len(str(caught.value)) > 10


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 < n", Compare(">", Fact("n"), Literal(1))), ("1 <= n", Compare(">=", Fact("n"), Literal(1))),
        ("1 > n", Compare("<", Fact("n"), Literal(1))), ("1 >= n", Compare("<=", Fact("n"), Literal(1))),
        ("1 = n", Compare("=", Fact("n"), Literal(1))), ("-1 <> n", Compare("<>", Fact("n"), Literal(-1))),
        ("n > 1.50", Compare(">", Fact("n"), Literal(Decimal("1.50")))), ("n = -(0 + n)", None), ("coma = TRUE", Flag("coma")),
        ("coma <> TRUE", Not(Flag("coma"))), ("coma = FALSE", Not(Flag("coma"))), ("FALSE <> coma", Flag("coma")),
        ("born >= '2026-02-03'", Compare(">=", Fact("born"), Literal(dt.date(2026, 2, 3)))),
        ("born >= DATE '2026-02-03'", Compare(">=", Fact("born"), Literal(dt.date(2026, 2, 3)))),
        ("scheme IN ('a')", OneOf(Fact("scheme"), ("a",))), ("NOT n IN (1, 2)", Not(OneOf(Fact("n"), (1, 2)))),
        ("n BETWEEN 1 AND 2", And((Compare(">=", Fact("n"), Literal(1)), Compare("<=", Fact("n"), Literal(2))))),
        ("LIES_IN(home, 'town')", Flag("lies_in:home:town")), ("eligible('aid')", Flag("eligible:aid")),
        ("ARRAY_CONTAINS(ills, 'b')", Contains("ills", "b")), ("LEAST(n, 1, 2) > 1", Compare(">", Call("least", (Fact("n"), Literal(1), Literal(2))), Literal(1))),
        ("AGE_ON(born, born) > 1", Compare(">", Call("age_on", (Fact("born"), Fact("born"))), Literal(1))),
    ],
)  # fmt: skip
def test_each_way_to_write_a_condition_has_one_tree(text: str, tree: Any) -> None:
    if tree is None:
        with pytest.raises(ConditionError):
            parse_condition(text, MORE)
    else:
        assert parse_condition(text, MORE) == tree
