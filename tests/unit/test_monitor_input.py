"""The state of a monitor, the command, and bad input to both."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from monitor_helpers import GB, due, event, faults, monitor

from yyassess import CaseMonitor, Rulebook
from yyassess.cli import main
from yyassess.entitlement.monitor_engine import (
    MOST_EVENTS,
)


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
    told = [event("fall", date, id="a"), event("fall", date, id="b"), event("hospital_in", date)]
    assert len(due(book, "9999-12-31", *told)) == 2
    for term in ({"valid_until": "9999-12-31"}, {"valid_months": 120}):
        assert isinstance(due(book, "9999-12-31", event("assessment", date, instrument=GB, **term)), list)


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


def test_the_term_of_a_conclusion_is_told_in_one_way_only(book: Rulebook) -> None:
    told = event("assessment", "2026-01-01", instrument=GB, valid_until="2026-12-31", valid_months=12)
    assert [f["where"] for f in faults(lambda: monitor(book, told))] == ["events.0.valid_months"]


def test_a_diagnosis_that_contradicts_its_code_is_told_what_the_code_means(book: Rulebook) -> None:
    told = event("diagnosis", "2026-01-01", icd10="I10", diagnosis="dementia")
    [fault] = faults(lambda: monitor(book, told))
    assert (fault["given"], fault["allowed"]) == ("dementia", "other_diagnosis")
