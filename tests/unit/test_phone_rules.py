"""The file of rules a phone takes with it: small, the same bytes for the same rules, parsed to the last condition."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from yyassess import Rulebook, UnknownName
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
from yyassess.exchange.phone import phone_file, phone_instruments, phone_rules
from yyassess.exchange.trees import tree_json

ON = dt.date(2026, 11, 22)
ONE = dt.timedelta(days=1)
SMALL_ENOUGH = 60_000


def innermost(book: Rulebook) -> list[str]:
    return [id for id in book.places if id not in {p.within for p in book.places.values()}]


# ---- conditions --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("node", "written"),
    [
        (Const(True), True),
        (Flag("alone"), ["?", "alone"]),
        (Contains("ills", "stroke"), ["has", "ills", "stroke"]),
        (Compare(">=", Fact("months"), Literal(24)), [">=", "months", 24]),
        (Compare("<", Fact("income"), Literal(Decimal("0.350"))), ["<", "income", ["n", "0.350"]]),
        (Compare("=", Fact("income"), Literal(2**53)), ["=", "income", ["n", "9007199254740992"]]),
        (Compare("=", Fact("scheme"), Literal("none")), ["=", "scheme", ["v", "none"]]),
        (Compare("<=", Fact("birth"), Literal(dt.date(1946, 6, 1))), ["<=", "birth", ["d", "1946-06-01"]]),
        (OneOf(Fact("scheme"), ("a", "b")), ["in", "scheme", [["v", "a"], ["v", "b"]]]),
        (OneOf(Fact("months"), (1, Decimal("1.5"))), ["in", "months", [1, ["n", "1.5"]]]),
        (
            Compare("<", Arithmetic("*", Fact("price"), Literal(2)), Call("least", (Fact("a"), Fact("b")))),
            ["<", ["*", "price", 2], ["least", "a", "b"]],
        ),
        (Not(And((Flag("a"), Or((Flag("b"), Flag("c")))))), ["!", ["&", ["?", "a"], ["|", ["?", "b"], ["?", "c"]]]]),
    ],
)
def test_a_condition_is_written_as_its_tree(node: Node, written: Any) -> None:
    assert json.loads(json.dumps(tree_json(node))) == written


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(TypeError, match="not a part of a condition"):
        tree_json(Node())


def test_no_text_of_a_condition_is_left_for_the_phone_to_parse(book: Rulebook) -> None:
    """Every tree is a fact, a constant or a list; an expression would stand there as a text with blanks."""
    fact = re.compile(r"[a-z][a-z0-9_.]*")
    for place in innermost(book):
        rules = phone_rules(book, place, ON, book.instruments)
        trees = [*rules["criteria"]]
        for programme in rules["programmes"].values():
            for part in ("benefits", "services", "effects"):
                trees += [row["when"] for row in programme.get(part, ()) if "when" in row]
            trees += [row["amount"] for row in programme.get("benefits", ()) if "amount" in row]
        for instrument in rules["instruments"].values():
            for part in ("adjustments", "hints", "decisions"):
                trees += [row["when"] for row in instrument.get(part, ())]
        assert trees
        assert [t for t in trees if isinstance(t, str) and not fact.fullmatch(t)] == []


# ---- the file ----------------------------------------------------------------------------------------------------
def test_the_file_is_json_named_by_the_hash_of_its_bytes(book: Rulebook) -> None:
    content, name = phone_file(book, "guangzhou-huadu", ON)
    assert name == hashlib.sha256(content).hexdigest()
    rules = json.loads(content)
    assert rules["place"] == "guangzhou-huadu"
    assert rules["hash"] == book.at("guangzhou-huadu", ON).hash
    assert b"guangzhou-huadu" in content and "花都".encode() in content


def test_a_place_may_be_given_by_its_code_or_name(book: Rulebook) -> None:
    place = book.place("guangzhou-huadu")
    files = {phone_file(book, name, ON) for name in (place.id, place.code, place.name["zh"])}
    assert len(files) == 1


def test_the_same_rules_give_the_same_bytes_however_they_were_loaded(book: Rulebook) -> None:
    again = Rulebook.load(cache=False)
    for place in ("zhoushan", "chongqing-jiulongpo"):
        assert phone_file(again, place, ON) == phone_file(book, place, ON)


def test_the_file_of_every_place_is_small_enough_for_a_poor_line(book: Rulebook) -> None:
    sizes = {place: len(gzip.compress(phone_file(book, place, ON)[0], 9)) for place in book.places}
    assert {place: size for place, size in sizes.items() if size > SMALL_ENOUGH} == {}


def test_the_phone_has_the_instruments_of_the_place_and_of_the_grades_that_its_programmes_ask_for(
    book: Rulebook,
) -> None:
    assert phone_instruments(book, "guangzhou-huadu", ON) == ("gbt-42195-2022",)
    here = phone_instruments(book, "zhoushan", ON)
    assert here[:2] == book.bundle("zhoushan")
    assert {"ad8", "mini-cog"} <= set(here)
    assert list(json.loads(phone_file(book, "zhoushan", ON)[0])["instruments"]) == list(here)


def test_other_instruments_may_be_asked_for(book: Rulebook) -> None:
    rules = phone_rules(book, "guangzhou-huadu", ON, ["phq-2", "gds-15", "phq-2"])
    assert list(rules["instruments"]) == ["phq-2", "gds-15"]
    assert "gbt-42195-2022" in rules["levels"], "a grade of it may still be typed in"


def test_an_unknown_place_or_instrument_is_an_error(book: Rulebook) -> None:
    with pytest.raises(UnknownName, match="place"):
        phone_file(book, "atlantis", ON)
    with pytest.raises(UnknownName, match="instrument"):
        phone_file(book, "zhoushan", ON, ["atlantis"])


# ---- from one day to another -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("on", [ON, dt.date(2026, 2, 28), dt.date(2025, 10, 1), dt.date(2021, 6, 30)])
def test_the_file_is_the_same_on_every_day_that_it_says_it_holds_and_another_one_after(
    book: Rulebook, on: dt.date
) -> None:
    for place in innermost(book):
        rules = phone_rules(book, place, on)
        first, last = (rules[key] and dt.date.fromisoformat(rules[key]) for key in ("from", "to"))
        inside = {first or dt.date(1990, 1, 1), on, last or dt.date(2090, 1, 1)}
        assert {phone_file(book, place, day) for day in inside} == {phone_file(book, place, on)}
        for beside in [*([first - ONE] if first else []), *([last + ONE] if last else [])]:
            assert phone_rules(book, place, beside)["from"] != rules["from"]


def test_some_place_changes_its_rules(book: Rulebook) -> None:
    """Otherwise the test above could not fail."""
    assert any(phone_rules(book, place, dt.date(2025, 10, 1))["to"] for place in innermost(book))
