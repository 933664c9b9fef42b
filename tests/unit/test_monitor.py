"""Care risk events, diagnoses and conclusions that expire: what becomes due on which day, and what settles it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from monitor_helpers import GB, LTCI, due, event, monitor, only, warned

from yyassess import CaseMonitor, Rulebook


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


def test_an_expired_conclusion_says_which_clause_gave_it_its_term(book: Rulebook) -> None:
    item = only(book, "2026-11-22", event("assessment", "2024-11-22", instrument=LTCI, level=3), place="zhoushan")
    assert item["rule"] == "conclusion-expired"
    assert (
        item["validity"]["source"]["document"] == "yibaofa-2023-29" and item["validity"]["source"]["clause"] == "第25条"
    )
    assert "2年" in item["validity"]["say"]["zh"] and item["validity"]["evidence"] == "verified"


def test_asking_for_a_specialists_diagnosis_is_no_assessment(book: Rulebook) -> None:
    item = only(book, "2026-11-22", event("diagnosis", "2026-11-20", icd10="F32"))
    assert item["rule"] == "mental-disorder-ask" and "assessment" not in item
