"""Stays in hospital, moves and death, and the rules of the places where a person lives."""

from __future__ import annotations

from typing import Any

import pytest
from monitor_helpers import due, event, monitor, only, warned

from yyassess import Rulebook
from yyassess.entitlement.monitor_engine import (
    in_turn,
)

# -- hospital -----------------------------------------------------------------------------------------------
IN, OUT = "hospital_in", "hospital_out"
SUSPEND, RESUME = "ltci-hospital-suspend", "ltci-hospital-resume"


@pytest.mark.parametrize(
    ("events", "expected", "warnings"),
    [
        ([(IN, 2)], [("suspend", SUSPEND, "2026-01-02")], []),
        ([(IN, 2), (OUT, 9)], [("resume", RESUME, "2026-01-09")], []),
        ([(OUT, 9)], [], ["discharge_only"]),
        ([(OUT, 2), (IN, 9)], [("suspend", SUSPEND, "2026-01-09")], ["discharge_only"]),
        ([(IN, 2), (IN, 5)], [("suspend", SUSPEND, "2026-01-02")], ["admitted_twice"]),
        ([(IN, 2), (IN, 5), (OUT, 9)], [("resume", RESUME, "2026-01-09")], ["admitted_twice"]),
        ([(IN, 2), (OUT, 9), (OUT, 12)], [("resume", RESUME, "2026-01-09")], ["discharge_only"]),
        ([(IN, 2), (OUT, 2)], [("resume", RESUME, "2026-01-02")], []),  # a stay of one day
        ([(IN, 2), (OUT, 5), (IN, 5)], [("suspend", SUSPEND, "2026-01-02")], []),  # moved to another hospital
        ([(IN, 2), (OUT, 5), (IN, 5), (OUT, 9)], [("resume", RESUME, "2026-01-09")], []),
        ([(IN, 2), (OUT, 5), (IN, 6)], [("suspend", SUSPEND, "2026-01-06")], []),
        ([(IN, 2), (OUT, 5), (IN, 6), (OUT, 7)], [("resume", RESUME, "2026-01-07")], []),
    ],
)
def test_a_stay_in_hospital_suspends_and_resumes(
    book: Rulebook, events: list[tuple[str, int]], expected: list[Any], warnings: list[str]
) -> None:
    told = [event(kind, f"2026-01-{day:02}") for kind, day in events]
    assert due(book, "2026-02-01", *told, place="zhoushan") == expected
    assert warned(book, "2026-02-01", *told, place="zhoushan") == warnings


def test_what_a_stay_suspends_is_the_insurance_of_the_place(book: Rulebook) -> None:
    told = event(IN, "2026-01-02")
    item = only(book, "2026-01-03", told, place="chongqing-jiulongpo")
    assert {"cq-ltci"} <= set(item["programmes"]) <= {"cq-ltci", "jl-ltci"}
    assert item["kinds"] == ["insurance"]
    assert (item["evidence"], item["because"]) == ("single", [told])
    assert "EV-D4" in item["decisions"], "that it is so outside Guangzhou is a reading"
    anywhere = only(book, "2026-01-03", told)
    assert {"cq-ltci", "zs-ltci"} <= set(anywhere["programmes"])


def test_before_the_discharge_the_stay_is_open(book: Rulebook) -> None:
    told = [event(IN, "2026-01-02"), event(OUT, "2026-01-09")]
    assert due(book, "2026-01-08", *told, place="zhoushan") == [("suspend", SUSPEND, "2026-01-02")]
    assert due(book, "2026-01-01", *told, place="zhoushan") == []


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ([(1, 5, True), (2, 5, False)], [(1, True), (2, False)]),
        ([(1, 5, False), (2, 5, True)], [(2, True), (1, False)]),
        ([(1, 4, True), (2, 5, True), (3, 5, False)], [(1, True), (3, False), (2, True)]),
        ([(1, 5, False), (2, 5, False), (3, 5, True)], [(3, True), (1, False), (2, False)]),
        ([(1, 4, True), (2, 5, False), (3, 5, False), (4, 5, True)], [(1, True), (2, False), (4, True), (3, False)]),
        ([], []),
    ],
)
def test_admissions_and_discharges_of_one_day_take_turns(stays: Any, expected: Any) -> None:
    assert in_turn(stays) == expected


# -- places that rules name ---------------------------------------------------------------------------------
def test_in_guangzhou_its_own_text_holds(book: Rulebook) -> None:
    rules, place = book, "guangzhou-huadu"
    item = only(rules, "2026-01-03", event(IN, "2026-01-02"), place=place)
    assert (item["programmes"], item["evidence"], item["decisions"]) == (["gz-ltci", "hd-ltci"], "single", ["EV-D5"])
    assert item["source"]["document"] == "gz-ltci-2024-1"
    ended = [event("recovered", "2026-01-02"), event("contract_ended", "2026-01-03")]
    assert due(rules, "2026-01-03", *ended, place=place) == [
        ("end", "ltci-recovered", "2026-01-02"),
        ("end", "ltci-contract-ended", "2026-01-03"),
    ]
    assert due(rules, "2026-01-03", *ended, place="zhoushan") == []
    assert "place_unknown" in warned(rules, "2026-01-03", *ended)
    conclusion = event("assessment", "2025-01-10", programme="gz-ltci", valid_months=12)
    expected = [("end", "ltci-expired", "2026-01-10"), ("reassess_now", "conclusion-expired", "2026-01-10")]
    assert due(rules, "2026-01-10", conclusion, place=place) == expected


# -- moves and death ----------------------------------------------------------------------------------------
def test_a_move_names_what_ends_and_what_may_be_applied_for(book: Rulebook) -> None:
    item = only(book, "2026-03-01", event("moved", "2026-02-01", to="chongqing-jiulongpo"), place="daishan")
    assert (item["action"], item["from"]["place"], item["to"]["place"]) == ("check", "daishan", "chongqing-jiulongpo")
    assert "zs-ltci" in item["ends"] and "cq-ltci" in item["apply"]
    assert not {"national-consumption-subsidy"} & {*item["ends"], *item["apply"]}, "it is there in both"
    back = only(book, "2026-03-01", event("moved", "2026-02-01", **{"from": "500107", "to": "舟山"}))
    assert "cq-ltci" in back["ends"] and "cq-frail-elder-subsidy" in back["by_registration"]


def test_each_move_is_checked_and_only_the_last_opens_anything(book: Rulebook) -> None:
    moves = [event("moved", "2026-02-01", to="chongqing"), event("moved", "2026-03-01", to="zhoushan")]
    first, last = monitor(book, *moves, place="yangquan").due("2026-04-01")
    assert (first["from"]["place"], first["to"]["place"], first["apply"]) == ("yangquan", "chongqing", [])
    assert (last["from"]["place"], last["to"]["place"]) == ("chongqing", "zhoushan")
    assert "cq-ltci" in last["ends"] and "zs-ltci" in last["apply"]


def test_after_a_move_the_rules_of_the_new_place_hold(book: Rulebook) -> None:
    told = [event("moved", "2026-02-01", to="chongqing"), event(IN, "2026-02-02")]
    before, after = (
        next(i for i in monitor(book, told[1], *more, place="zhoushan").due("2026-02-02") if i["action"] == "suspend")
        for more in ([], [told[0]])
    )
    assert before["programmes"] == ["zs-ltci"]
    assert after["programmes"] == ["cq-ltci"]


def test_a_place_outside_the_rulebook_is_taken_by_its_code(book: Rulebook) -> None:
    item = only(book, "2026-03-01", event("moved", "2026-02-01", to="110101"), place="zhoushan")
    assert item["to"] == {"place": "110101", "name": None}
    item = only(book, "2026-03-01", event("moved", "2026-02-01", to="330902"), place="chongqing")
    assert "zs-ltci" in item["apply"], "a district of Zhoushan"


def test_two_moves_on_one_day_are_questioned(book: Rulebook) -> None:
    told = [event("moved", "2026-02-01", to="chongqing"), event("moved", "2026-02-01", to="zhoushan")]
    assert warned(book, "2026-03-01", *told) == ["two_places"]


def test_death_ends_everything_and_nothing_else_is_due(book: Rulebook) -> None:
    told = [event("fall", "2026-01-02"), event("fall", "2026-01-03"), event(IN, "2026-01-04")]
    dead = event("death", "2026-01-05")
    assert due(book, "2026-01-05", *told, dead, place="zhoushan") == [("end", "death", "2026-01-05")]
    assert only(book, "2026-01-05", *told, dead)["all"] is True
    assert len(due(book, "2026-01-04", *told, dead, place="zhoushan")) == 2, "not before it"


def test_events_after_a_death_and_two_deaths_are_questioned(book: Rulebook) -> None:
    told = [event("death", "2026-01-05"), event("death", "2026-01-06"), event("fall", "2026-01-07")]
    assert warned(book, "2026-02-01", *told) == ["deaths", "after_death"]
    assert due(book, "2026-02-01", *told) == [("end", "death", "2026-01-05")]


def test_moves_on_different_days_are_not_questioned(book: Rulebook) -> None:
    told = [event("moved", "2026-02-01", to="chongqing"), event("moved", "2026-02-03", to="zhoushan")]
    assert warned(book, "2026-03-01", *told) == []
    twice = [event("moved", "2026-02-01", to="chongqing"), event("moved", "2026-02-01", to="chongqing", note="again")]
    assert warned(book, "2026-03-01", *twice) == []
