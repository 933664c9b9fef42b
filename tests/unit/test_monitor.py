"""Events over time: what becomes due on which day, what settles it, and what is said about events that do not fit."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import RuleFolder

from yyassess import CaseMonitor, InputError, Rulebook
from yyassess.cli import main
from yyassess.entitlement.durable_host import EngineError, fnv
from yyassess.entitlement.monitor_engine import (
    MOST_EVENTS,
    Candidate,
    DurableJoins,
    ReferenceJoins,
    Stream,
    Window,
    in_turn,
)

ROOT = Path(__file__).parents[2]
GB = "gbt-42195-2022"
LTCI = "ltci-2021-37"


def event(kind: str, date: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "date": date, **details}


def monitor(book: Rulebook, *events: dict[str, Any], place: str | None = None) -> CaseMonitor:
    made = CaseMonitor(rules=book, place=place)
    made.observe_all(events)
    return made


def due(book: Rulebook, on: str, *events: dict[str, Any], place: str | None = None) -> list[tuple[str, str, str]]:
    """Action, rule and first day of all that is due; the same from both engines, in whatever order events arrive."""
    found = monitor(book, *events, place=place).due(on)
    other = CaseMonitor(rules=book, place=place, engine="reference")
    other.observe_all(reversed(events))
    assert other.due(on) == found
    return [(item["action"], item["rule"], item["since"]) for item in found]


def only(book: Rulebook, on: str, *events: dict[str, Any], place: str | None = None) -> dict[str, Any]:
    [item] = monitor(book, *events, place=place).due(on)
    return item


def warned(book: Rulebook, on: str, *events: dict[str, Any], place: str | None = None) -> list[str]:
    return [w["id"] for w in monitor(book, *events, place=place).warnings(on)]


def faults(call: Any) -> list[dict[str, Any]]:
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.errors


# -- two care risk events within 30 days --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "is_due"),
    [
        ("2026-01-01", "2026-01-01", True),
        ("2026-01-01", "2026-01-30", True),
        ("2026-01-01", "2026-01-31", True),  # exactly 30 days
        ("2026-01-01", "2026-02-01", False),  # 31 days
        ("2024-01-30", "2024-02-29", True),  # 30 days, to a leap day
        ("2024-01-31", "2024-03-01", True),  # 30 days, over a leap day
        ("2023-01-31", "2023-03-02", True),  # 30 days, in a year without one
        ("2023-01-31", "2023-03-03", False),
        ("2024-02-29", "2024-03-30", True),
        ("2024-02-29", "2024-03-31", False),
        ("2025-12-05", "2026-01-04", True),  # over the new year
    ],
)
def test_two_events_at_most_30_days_apart_make_an_immediate_assessment_due(
    book: Rulebook, first: str, second: str, is_due: bool
) -> None:
    expected = [("reassess_now", "care-risk-events", second)] if is_due else []
    assert due(book, second, event("fall", first, id="a"), event("fall", second, id="b")) == expected


def test_events_of_different_kinds_are_summed(book: Rulebook) -> None:
    item = only(book, "2026-01-20", event("choking", "2026-01-02"), event("self_harm", "2026-01-20"))
    assert item["assessment"] == {"kind": "immediate", "instrument": GB}
    assert item["because"] == [event("choking", "2026-01-02"), event("self_harm", "2026-01-20")]
    assert item["source"] == {"document": GB, "clause": "C.4、A.2.14"}
    assert item["evidence"] == "verified"
    assert {"GB-D3", "GB-D4"} <= set(item["decisions"])
    assert set(item["say"]) == {"zh", "en"}
    assert item["window"] == {"at_least": 2, "within_days": 30, "now": 2}


def test_one_event_is_not_enough(book: Rulebook) -> None:
    assert due(book, "2026-01-20", event("fall", "2026-01-02")) == []


def test_other_events_count_unless_the_setting_of_the_scale_says_no(book: Rulebook, tmp_path: Path) -> None:
    events = [event("other_event", "2026-01-02"), event("wandering", "2026-01-03")]
    assert due(book, "2026-01-20", *events) == [("reassess_now", "care-risk-events", "2026-01-03")]
    (tmp_path / "settings.yaml").write_text(f"settings:\n  {GB}: {{count_other_events: false}}\n", encoding="utf-8")
    strict = Rulebook.load(tmp_path)
    assert due(strict, "2026-01-20", *events) == []
    assert due(strict, "2026-01-20", *events, event("fall", "2026-01-20")) == [
        ("reassess_now", "care-risk-events", "2026-01-20")
    ]


def test_an_event_after_the_day_is_not_counted_but_named(book: Rulebook) -> None:
    events = [event("fall", "2026-01-02"), event("fall", "2026-01-03")]
    assert due(book, "2026-01-02", *events) == []
    assert warned(book, "2026-01-02", *events) == ["later"]
    assert due(book, "2026-01-03", *events) == [("reassess_now", "care-risk-events", "2026-01-03")]
    assert warned(book, "2026-01-03", *events) == []


def test_the_same_event_twice_counts_once(book: Rulebook) -> None:
    assert due(book, "2026-01-20", event("fall", "2026-01-02"), event("fall", "2026-01-02")) == []
    assert due(book, "2026-01-20", event("fall", "2026-01-02", id="a"), event("fall", "2026-01-02", id="a")) == []


def test_two_falls_on_one_day_are_told_apart_by_id_or_detail(book: Rulebook) -> None:
    twice = [("reassess_now", "care-risk-events", "2026-01-02")]
    assert due(book, "2026-01-02", event("fall", "2026-01-02", id="a"), event("fall", "2026-01-02", id="b")) == twice
    assert due(book, "2026-01-02", event("fall", "2026-01-02", note="床边"), event("fall", "2026-01-02")) == twice


def test_observe_says_whether_an_event_was_new(book: Rulebook) -> None:
    made = CaseMonitor(rules=book)
    assert made.observe(event("moved", "2026-01-02", to="330900"))
    assert not made.observe(event("moved", "2026-01-02", to="舟山", note=None)), "the same place and no note"


def test_it_stays_due_until_somebody_assesses(book: Rulebook) -> None:
    events = [event("fall", "2026-01-02"), event("fall", "2026-01-03")]
    item = only(book, "2027-01-01", *events)
    assert item["since"] == "2026-01-03"
    assert item["window"]["now"] == 0, "today the level would no longer rise"


@pytest.mark.parametrize(
    ("assessed", "instrument", "is_due"),
    [
        ("2026-01-02", GB, True),  # before the second fall
        ("2026-01-03", GB, False),  # on its day
        ("2026-01-04", GB, False),
        ("2026-01-04", LTCI, True),  # another scale
        ("2026-02-02", GB, True),  # not yet made on the day asked about
    ],
)
def test_a_later_assessment_with_the_scale_settles_it(
    book: Rulebook, assessed: str, instrument: str, is_due: bool
) -> None:
    events = [event("fall", "2026-01-02"), event("fall", "2026-01-03")]
    found = due(book, "2026-02-01", *events, event("assessment", assessed, instrument=instrument, level=2))
    assert found == ([("reassess_now", "care-risk-events", "2026-01-03")] if is_due else [])


def test_an_event_before_the_assessment_still_counts_with_one_after_it(book: Rulebook) -> None:
    events = [
        event("fall", "2026-01-02"),
        event("assessment", "2026-01-05", instrument=GB, level=1),
        event("fall", "2026-01-20"),
    ]
    assert due(book, "2026-01-20", *events) == [("reassess_now", "care-risk-events", "2026-01-20")]
    assert [e["date"] for e in only(book, "2026-01-20", *events)["because"]] == ["2026-01-02", "2026-01-20"]


def test_because_names_every_event_of_the_30_days(book: Rulebook) -> None:
    days = ["2025-11-01", "2026-01-01", "2026-01-10", "2026-01-20"]
    assessed = event("assessment", "2026-01-15", instrument=GB)
    item = only(book, "2026-03-01", *(event("fall", day) for day in days), assessed)
    assert [e["date"] for e in item["because"]] == days[1:]


def test_an_item_keeps_its_id_while_it_is_the_same_matter(book: Rulebook) -> None:
    made = monitor(book, event("fall", "2026-01-02"), event("fall", "2026-01-03"))
    [first] = made.due("2026-01-03")
    made.observe(event("fall", "2026-01-09"))
    [later] = made.due("2026-01-10")
    assert first["id"] == later["id"]
    made.observe(event("assessment", "2026-01-10", instrument=GB))
    made.observe_all([event("fall", "2026-01-20")])
    [again] = made.due("2026-01-20")
    assert again["id"] != first["id"]


# -- health -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"diagnosis": "dementia"}, [("reassess_now", "dementia")]),
        ({"icd10": "F00"}, [("reassess_now", "dementia")]),
        ({"icd10": "f03.9"}, [("reassess_now", "dementia")]),
        ({"icd10": "F04", "psychiatrist": True}, [("reassess_now", "mental-disorder")]),
        ({"icd10": "F99", "psychiatrist": True}, [("reassess_now", "mental-disorder")]),
        ({"diagnosis": "other_mental_disorder", "psychiatrist": True}, [("reassess_now", "mental-disorder")]),
        ({"diagnosis": "other_mental_disorder"}, [("check", "mental-disorder-ask")]),
        ({"icd10": "F32.1", "psychiatrist": False}, [("check", "mental-disorder-ask")]),
        ({"diagnosis": "hypertension"}, []),
        ({"icd10": "G30", "psychiatrist": True}, []),
        ({"icd10": "I10", "diagnosis": "hypertension"}, []),
    ],
)
def test_which_diagnoses_make_an_assessment_due(
    book: Rulebook, details: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = due(book, "2026-03-01", event("diagnosis", "2026-02-01", **details))
    assert [(action, rule) for action, rule, _ in found] == expected


def test_a_change_of_consciousness_asks_for_a_complete_assessment(book: Rulebook) -> None:
    item = only(book, "2026-03-01", event("consciousness_changed", "2026-02-01", now="alert"))
    assert (item["rule"], item["evidence"], item["assessment"]["kind"]) == ("consciousness", "single", "full")
    item = only(book, "2026-03-01", event("consciousness_changed", "2026-02-01", now="coma"))
    assert (item["rule"], item["evidence"], item["assessment"]["kind"]) == ("coma", "verified", "immediate")


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
def in_guangzhou(tmp_path: Path, book: Rulebook) -> tuple[Rulebook, str]:
    """The rules with Guangzhou and its insurance, where they are not shipped yet; and the place's id."""
    shipped = next((p.id for p in book.places.values() if p.code == "440100"), None)
    if shipped:
        return book, shipped
    folder = tmp_path / "south"
    folder.mkdir()
    (folder / "place.yaml").write_text(
        "places:\n"
        '  - {id: guangdong, code: "440000", name: {zh: 广东省, en: Guangdong}, level: province, within: national}\n'
        '  - {id: guangzhou, code: "440100", name: {zh: 广州市, en: Guangzhou}, level: city, within: guangdong}\n',
        encoding="utf-8",
    )
    (folder / "gz-ltci.yaml").write_text(
        "id: gz-ltci\nname: {zh: 广州市长期护理保险, en: Guangzhou long-term care insurance}\nkind: insurance\n"
        "status: in_force\nsource: {document: guangzhou-ltci-2024-1}\nevidence: single\n"
        "in_force: {from: 2024-01-03}\nnot_configured: {zh: 未配置, en: Not configured}\n",
        encoding="utf-8",
    )
    return Rulebook.load(tmp_path), "guangzhou"


def test_in_guangzhou_its_own_text_holds(book: Rulebook, tmp_path: Path) -> None:
    rules, place = in_guangzhou(tmp_path, book)
    item = only(rules, "2026-01-03", event(IN, "2026-01-02"), place=place)
    assert (item["programmes"], item["evidence"], item["decisions"]) == (["gz-ltci"], "single", ["EV-D5"])
    assert item["source"]["document"] == "guangzhou-ltci-2024-1"
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


# -- conclusions that expire --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("details", "expires"),
    [
        ({"valid_until": "2026-05-31"}, "2026-06-01"),
        ({"valid_months": 12}, "2025-08-31"),
        ({"valid_months": 6}, "2025-02-28"),  # the last day of a month that is too short
        ({"instrument": LTCI, "level": 3}, "2026-08-31"),  # at most 24 months, by the text of the programme
        ({"instrument": LTCI, "level": 5, "valid_months": 12}, "2025-08-31"),  # its own term wins
        ({"instrument": "mzt-039-2013", "level": 1}, "2025-02-28"),
        ({"instrument": "phs-self-care"}, "2025-08-31"),
    ],
)
def test_a_conclusion_that_expired_asks_for_a_new_one(book: Rulebook, details: dict[str, Any], expires: str) -> None:
    told = event("assessment", "2024-08-31", **{"instrument": GB, **details})
    the_day = dt.date.fromisoformat(expires)
    assert due(book, str(the_day - dt.timedelta(days=1)), told) == []
    assert due(book, expires, told) == [("reassess_now", "conclusion-expired", expires)]
    item = only(book, expires, told)
    assert item["assessment"] == {"kind": "routine", "instrument": told["instrument"]}
    [because] = item["because"]
    assert because["kind"] == "conclusion_expired"
    assert because["derived_from"] == told


def test_no_interval_is_borrowed(book: Rulebook) -> None:
    assert due(book, "2036-01-01", event("assessment", "2024-08-31", instrument=GB, level=3)) == []
    assert due(book, "2036-01-01", event("assessment", "2024-08-31", instrument=LTCI, level=2)) == []


def test_without_the_level_the_interval_is_not_known_and_that_is_said(book: Rulebook) -> None:
    told = event("assessment", "2024-08-31", instrument=LTCI)
    assert due(book, "2036-01-01", told) == []
    [warning] = monitor(book, told).warnings("2036-01-01")
    assert (warning["id"], warning["rule"], warning["missing"]) == ("undecided", "ltci-severe", ["level"])


@pytest.mark.parametrize(("renewed", "is_due"), [("2024-08-30", True), ("2025-01-01", False), ("2026-09-30", False)])
def test_a_renewal_settles_it_whenever_it_came(book: Rulebook, renewed: str, is_due: bool) -> None:
    told = [
        event("assessment", "2024-08-31", instrument=LTCI, level=3),
        event("assessment", renewed, instrument=LTCI, level=2),
    ]
    assert bool(due(book, "2027-01-01", *told)) == is_due


def test_a_conclusion_for_a_programme_holds_as_long_as_its_text_says(book: Rulebook) -> None:
    told = event("assessment", "2024-08-31", programme="cq-ltci", level=3)
    item = only(book, "2026-08-31", told, place="chongqing")
    assert item["assessment"] == {"kind": "routine", "programme": "cq-ltci"}
    assert item["validity"]["evidence"] == item["evidence"] == "decision", "the weakest of what was used"


def test_the_end_of_a_conclusion_may_be_told(book: Rulebook) -> None:
    told = event("conclusion_expired", "2026-01-05", instrument=GB)
    assert due(book, "2026-02-01", told) == [("reassess_now", "conclusion-expired", "2026-01-05")]
    assert due(book, "2026-02-01", told, event("assessment", "2026-01-05", instrument=GB)) == []


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


# -- state --------------------------------------------------------------------------------------------------
def test_state_is_json_in_one_order_and_can_be_taken_up(book: Rulebook) -> None:
    told = [event("fall", "2026-01-03", id="b"), event("fall", "2026-01-02"), event("moved", "2026-01-03", to="舟山")]
    one, other = monitor(book, *told, place="重庆市"), monitor(book, *reversed(told), place="500000")
    state = json.loads(json.dumps(one.state()))
    assert state == other.state()
    assert state["place"] == "chongqing"
    again = CaseMonitor.from_state(state, book)
    assert again.state() == state
    assert again.report("2026-02-01") == one.report(dt.date(2026, 2, 1))
    again.observe(event("fall", "2026-01-04"))
    assert len(state["events"]) == 3, "a state that was handed out does not change"


def test_nothing_has_happened_yet(book: Rulebook) -> None:
    made = CaseMonitor(rules=book)
    assert made.state() == {"version": 1, "events": []}
    assert made.due("2026-01-01") == made.warnings("2026-01-01") == []


@pytest.mark.parametrize(
    ("state", "where"),
    [
        ([], "state"),
        ({"version": 2}, "state.version"),
        ({"version": True}, "state.version"),
        ({"evnts": []}, "state.evnts"),
        ({"events": {}}, "state.events"),
        ({"events": [{}]}, "state.events.0.kind"),
        ({"place": "atlantis"}, "state.place"),
        ({"place": 330900}, "state.place"),
    ],
)
def test_a_state_that_cannot_be_read_says_where(book: Rulebook, state: Any, where: str) -> None:
    assert [e["where"] for e in faults(lambda: CaseMonitor(state, book))] == [where]


# -- bad input ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "where"),
    [
        ([], ""),
        (None, ""),
        ({}, "kind"),
        ({"kind": "fal", "date": "2026-01-01"}, "kind"),
        ({"kind": ["fall"], "date": "2026-01-01"}, "kind"),
        ({"kind": "fall"}, "date"),
        ({"kind": "fall", "date": "2026-02-29"}, "date"),
        ({"kind": "fall", "date": "20260101"}, "date"),
        ({"kind": "fall", "date": "2026-W01-1"}, "date"),
        ({"kind": "fall", "date": 20260101}, "date"),
        ({"kind": "fall", "date": "2026-01-01", "hight": 3}, "hight"),
        ({"kind": "fall", "date": "2026-01-01", "id": ""}, "id"),
        ({"kind": "fall", "date": "2026-01-01", "id": 7}, "id"),
        ({"kind": "fall", "date": "2026-01-01", "id": "\ud800"}, "id"),
        ({"kind": "fall", "date": "2026-01-01", "note": "\ud800"}, "note"),
        ({"kind": "fall", "date": "2026-01-01", "note": ["x"]}, "note"),
        ({"kind": "moved", "date": "2026-01-01"}, "to"),
        ({"kind": "moved", "date": "2026-01-01", "to": "atlantis"}, "to"),
        ({"kind": "diagnosis", "date": "2026-01-01"}, ""),
        ({"kind": "diagnosis", "date": "2026-01-01", "icd10": "dementia"}, "icd10"),
        ({"kind": "diagnosis", "date": "2026-01-01", "icd10": "F32", "diagnosis": "dementia"}, "diagnosis"),
        ({"kind": "diagnosis", "date": "2026-01-01", "icd10": "I10", "diagnosis": "dementia"}, "diagnosis"),
        ({"kind": "diagnosis", "date": "2026-01-01", "diagnosis": "dementia", "psychiatrist": 1}, "psychiatrist"),
        ({"kind": "consciousness_changed", "date": "2026-01-01", "now": "asleep"}, "now"),
        ({"kind": "assessment", "date": "2026-01-01"}, ""),
        ({"kind": "assessment", "date": "2026-01-01", "instrument": "gbt"}, "instrument"),
        ({"kind": "assessment", "date": "2026-01-01", "instrument": GB, "level": 1.5}, "level"),
        ({"kind": "assessment", "date": "2026-01-01", "instrument": GB, "level": float("nan")}, "level"),
        ({"kind": "assessment", "date": "2026-01-01", "instrument": GB, "valid_until": "2025-12-31"}, "valid_until"),
    ],
)
def test_an_event_that_cannot_be_read_says_where(book: Rulebook, given: Any, where: str) -> None:
    made = CaseMonitor(rules=book)
    errors = faults(lambda: made.observe(given))
    assert [e["where"] for e in errors] == [where]
    assert set(errors[0]["say"]) == {"zh", "en"}
    assert made.state()["events"] == []


def test_a_misspelt_kind_meets_the_nearest(book: Rulebook) -> None:
    [error] = faults(lambda: CaseMonitor(rules=book).observe(event("hospital_inn", "2026-01-01")))
    assert "'hospital_in'" in error["say"]["en"]


def test_one_id_cannot_mean_two_events(book: Rulebook) -> None:
    made = monitor(book, event("fall", "2026-01-01", id="a"))
    [error] = faults(lambda: made.observe(event("fall", "2026-01-02", id="a")))
    assert error["where"] == "id" and error["allowed"]["date"] == "2026-01-01"


def test_all_faults_of_many_events_come_at_once_and_none_is_taken(book: Rulebook) -> None:
    made = CaseMonitor(rules=book)
    told = [event("fall", "2026-01-01"), event("fal", "2026-01-01"), event("fall", "2026-01-41", x=1)]
    assert [e["where"] for e in faults(lambda: made.observe_all(told))] == [
        "events.1.kind",
        "events.2.x",
        "events.2.date",
    ]
    assert made.state()["events"] == []


@pytest.mark.parametrize("on", ["yesterday", "2026-02-30", None, 20260101, dt.datetime(2026, 1, 1)])
def test_a_day_that_is_none_is_refused(book: Rulebook, on: Any) -> None:
    made = monitor(book, event("fall", "2026-01-01"))
    for ask in (made.due, made.warnings, made.report):
        assert [e["where"] for e in faults(lambda ask=ask: ask(on))] == ["on"]


def test_there_is_a_limit_to_events_and_up_to_it_all_goes_well(book: Rulebook) -> None:
    start = dt.date(2000, 1, 1)
    told = [event("fall", str(start + dt.timedelta(days=n)), id=str(n)) for n in range(MOST_EVENTS)]
    made = monitor(book, *told)
    assert len(made.due("2026-01-01")[0]["because"]) == MOST_EVENTS
    [error] = faults(lambda: made.observe(event("fall", "2026-01-01")))
    assert error["given"] == MOST_EVENTS + 1


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_the_first_and_last_days_there_are(book: Rulebook, date: str) -> None:
    told = [event("fall", date, id="a"), event("fall", date, id="b"), event(IN, date)]
    assert len(due(book, "9999-12-31", *told)) == 2
    for term in ({"valid_until": "9999-12-31"}, {"valid_months": 120}):
        assert isinstance(due(book, "9999-12-31", event("assessment", date, instrument=GB, **term)), list)


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
        told = [event("fall", day, id=str(n)) for n, day in enumerate(days)] + [event(IN, days[0])]
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


def test_a_rule_of_a_place_that_is_not_here_sleeps(rules: RuleFolder) -> None:
    asleep = "    evidence: verified\n    place: '440100'\n    programmes: [gz-ltci]\n"
    rules.write("events.yaml", EVENTS).change("events.yaml", ("    evidence: verified\n", asleep))
    assert rules.load().events.rules == []


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


# -- the command --------------------------------------------------------------------------------------------
def run(text: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["monitor", "--on", "2026-02-01", *options], input=text)


FALLS = [event("fall", "2026-01-02"), event("choking", "2026-01-03")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"events": FALLS}),
        json.dumps({"events": FALLS[1:], "state": {"version": 1, "events": FALLS[:1]}}),
        json.dumps(FALLS),
        "\n".join(map(json.dumps, FALLS)),
        "\ufeff" + "\r\n\n".join(map(json.dumps, reversed(FALLS))) + "\n",
    ],
)
def test_the_command_reads_a_request_a_list_and_lines(text: str) -> None:
    done = run(text, "--format", "json")
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert [item["rule"] for item in result["due"]] == ["care-risk-events"]
    assert result["state"] == {"version": 1, "events": FALLS}
    assert set(result) == {"on", "ruleset", "due", "warnings", "state"}


def test_the_command_goes_on_from_a_state(tmp_path: Path) -> None:
    first = run(json.dumps(FALLS[0]), "--place", "舟山", "--format", "json")
    kept = tmp_path / "state.json"
    kept.write_text(json.dumps(json.loads(first.stdout)["state"]), encoding="utf-8")
    done = run(json.dumps(FALLS[1]), "--state", str(kept), "--engine", "reference", "--format", "json")
    assert json.loads(done.stdout)["state"] == {"version": 1, "place": "zhoushan", "events": FALLS}
    assert run("", "--state", str(kept), "--format", "json").exit_code == 0


def test_the_command_prints_a_list_in_both_languages() -> None:
    text = "\n".join(map(json.dumps, [*FALLS, event("moved", "2026-01-05", **{"from": "舟山", "to": "500107"})]))
    chinese, english = run(text, "--format", "text"), run(text, "--format", "text", "--lang", "en")
    assert "立即重新评估" in chinese.stdout and "噎食" in chinese.stdout and "C.4" in chinese.stdout
    assert "Assess again now" in english.stdout and "verified" in english.stdout and "3 events known" in english.stdout
    assert "nothing" in run("", "--format", "text", "--lang", "en").stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("7", "must be a JSON object or a list"),
        (json.dumps(FALLS[0]) + "\n{'kind'", "-:2:"),
        (json.dumps(FALLS[0]) + '\n\n{"kind": "fal", "date": "2026-01-01"}', "-:3 kind"),
        ('{"events": [], "stat": {}}', "did you mean 'state'"),
        ('{"events": 3}', "must be a list"),
        ('{"kind": "fall", "kind": "fall"}', "written twice"),
        ('{"events": [{"kind": "fal"}], "state": {"version": 9}}', "events.0.kind"),
        ('{"events": [{"kind": "fal"}], "state": {"version": 9}}', "state.version"),
        ("[" * 100000, "nested too deeply"),
        ("\x00", "not JSON"),
    ],
)
def test_bad_input_ends_with_2_and_says_where(text: str, words: str) -> None:
    done = run(text, "--format", "text", "--lang", "en")
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


def test_bad_options_end_with_2(tmp_path: Path) -> None:
    for options in (
        ["--place", "atlantis"],
        ["--on", "2026-02-30"],
        [str(tmp_path / "none.json")],
        ["--state", "none"],
    ):
        done = run("", *options, "--format", "json")
        assert done.exit_code == 2 and json.loads(done.stderr)["errors"], options
