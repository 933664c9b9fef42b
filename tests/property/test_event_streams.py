"""Events over time, whatever they are and in whatever order they come: both engines agree, and with the definitions."""

from __future__ import annotations

import datetime as dt
import json
import random
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from yyassess import CaseMonitor, Rulebook
from yyassess.entitlement.monitor_engine import (
    Candidate,
    DurableJoins,
    Findings,
    ReferenceJoins,
    Stream,
    Window,
    in_turn,
)

START = dt.date(2024, 1, 20)  # windows run over a leap day
SPAN = 100
RISKS = ("fall", "choking", "wandering", "self_harm", "other_event")
GB, LTCI = "gbt-42195-2022", "ltci-2021-37"
PLACES = ("zhoushan", "daishan", "chongqing-jiulongpo", "330902", "110101")


# -- the joins ----------------------------------------------------------------------------------------------
@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Days close to one another, so that windows just hold or just do not."""
    days = sorted(draw(st.lists(st.integers(0, draw(st.sampled_from((3, 40, 120)))), max_size=16)))
    windows = draw(
        st.lists(st.builds(Window, st.integers(1, 5), st.sampled_from((0, 1, 7, 30))), min_size=1, max_size=3)
    )
    rng = random.Random(draw(st.integers(0, 2**32)))
    events = range(len(days))
    return Stream(
        on=draw(st.integers(0, 120)),
        days=days,
        windows=windows,
        candidates=[
            Candidate(e, group, rng.choice((None, 0, 1)), days[e] + rng.choice((0, 0, 1)))
            for e in events
            for group in range(len(windows))
            if rng.random() < 0.7
        ],
        assessments=[(e, rng.randrange(2)) for e in events if rng.random() < 0.2],
        stays=in_turn((e, days[e], rng.random() < 0.5) for e in events if rng.random() < 0.4),
    )


@given(streams())
def test_durable_rules_and_the_reference_find_the_same(stream: Stream) -> None:
    assert DurableJoins(stream.windows).run(stream) == ReferenceJoins().run(stream)


@given(streams())
def test_a_window_is_met_when_some_events_lie_close_enough_and_the_last_is_open(stream: Stream) -> None:
    found: Findings = DurableJoins(stream.windows).run(stream)
    for group, window in enumerate(stream.windows):
        mine = [
            (stream.days[c.event], number)
            for number, c in enumerate(stream.candidates)
            if c.group == group and stream.days[c.event] <= stream.on
        ]
        met = {
            max(some)[1] for some in combinations(mine, window.at_least) if max(some)[0] - min(some)[0] <= window.days
        }
        assert {n for n in found.met if stream.candidates[n].group == group} == met - found.settled


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=14))
def test_who_is_in_hospital_follows_from_the_balance_of_the_last_day_that_has_one(
    stays: list[tuple[int, bool]],
) -> None:
    ordered = in_turn((event, day, admission) for event, (day, admission) in enumerate(stays))
    assert sorted(event for event, _ in ordered) == list(range(len(stays)))
    assert [stays[event][0] for event, _ in ordered] == sorted(day for day, _ in stays)
    assert all(stays[event][1] == admission for event, admission in ordered)
    balance = {day: sum(1 if a else -1 for d, a in stays if d == day) for day, _ in stays}
    last = max((day for day, net in balance.items() if net), default=None)
    assert (ordered[-1][1] if ordered else False) == (last is not None and balance[last] > 0)


# -- the monitor --------------------------------------------------------------------------------------------
@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from((*RISKS, *RISKS, "hospital_in", "hospital_out", "diagnosis", "consciousness_changed",
                                 "moved", "assessment", "assessment", "conclusion_expired")))  # fmt: skip
    told: dict[str, Any] = {"kind": kind, "date": str(START + dt.timedelta(days=draw(st.integers(0, SPAN))))}
    if kind == "diagnosis":
        told["icd10"] = draw(st.sampled_from(("F00", "F03.1", "F04", "F32", "G30", "I10")))
        told["psychiatrist"] = draw(st.sampled_from((True, False, None)))
    elif kind == "consciousness_changed":
        told["now"] = draw(st.sampled_from(("alert", "drowsy", "coma")))
    elif kind == "moved":
        told["to"] = draw(st.sampled_from(PLACES))
    elif kind in ("assessment", "conclusion_expired"):
        told["instrument"] = draw(st.sampled_from((GB, LTCI, "mzt-039-2013")))
        if kind == "assessment":
            told["level"] = draw(st.sampled_from((None, 0, 3, 5)))
            told["valid_months"] = draw(st.sampled_from((None, None, 1, 2)))
    if draw(st.booleans()):
        told["id"] = f"{kind}-{json.dumps(told)}-{draw(st.integers(0, 2))}"
    return told


several = st.lists(events(), max_size=14)
days = st.integers(-5, SPAN + 40).map(lambda n: START + dt.timedelta(days=n))
homes = st.sampled_from((None, "zhoushan", "chongqing"))


def monitor(book: Rulebook, told: list[dict[str, Any]], place: str | None, engine: str = "durable") -> CaseMonitor:
    made = CaseMonitor(rules=book, place=place, engine=engine)
    made.observe_all(told)
    return made


@given(several, days, homes)
def test_both_engines_report_the_same(book: Rulebook, told: list[Any], on: dt.date, place: str | None) -> None:
    assert monitor(book, told, place).report(on) == monitor(book, told, place, "reference").report(on)


@given(several, days, homes, st.randoms(use_true_random=False))
def test_neither_the_order_of_arrival_nor_repetition_matters(
    book: Rulebook, told: list[Any], on: dt.date, place: str | None, rng: random.Random
) -> None:
    once = monitor(book, told, place)
    again = told + rng.sample(told, rng.randrange(len(told) + 1))
    rng.shuffle(again)
    one_by_one = CaseMonitor(rules=book, place=place)
    for event in again:
        one_by_one.observe(event)
    assert one_by_one.state() == once.state()
    assert one_by_one.report(on) == once.report(on)


@given(several, several, days, homes)
def test_a_state_is_all_there_is(
    book: Rulebook, told: list[Any], more: list[Any], on: dt.date, place: str | None
) -> None:
    kept = json.loads(json.dumps(monitor(book, told, place).state()))
    again = CaseMonitor.from_state(kept, book)
    assert again.state() == kept
    again.observe_all(more)
    assert again.report(on) == monitor(book, told + more, place).report(on)


@given(several, days, homes)
def test_what_happens_after_the_day_makes_nothing_due(
    book: Rulebook, told: list[Any], on: dt.date, place: str | None
) -> None:
    until = [event for event in told if event["date"] <= str(on)]
    assert monitor(book, told, place).due(on) == monitor(book, until, place).due(on)


@given(several, days)
def test_the_care_risk_rule_is_its_definition(book: Rulebook, told: list[Any], on: dt.date) -> None:
    known = {json.dumps(event, sort_keys=True): event for event in told if event["date"] <= str(on)}.values()
    risks = [dt.date.fromisoformat(event["date"]) for event in known if event["kind"] in RISKS]
    made = [e["date"] for e in known if e["kind"] == "assessment" and e["instrument"] == GB]
    assessed = max(map(dt.date.fromisoformat, made), default=dt.date.min)
    pairs = combinations(risks, 2)
    expected = any(abs((a - b).days) <= 30 and max(a, b) > assessed for a, b in pairs)
    assert any(i["rule"] == "care-risk-events" for i in monitor(book, told, None).due(on)) == expected


@given(several, days, homes)
def test_a_death_silences_all_but_itself(book: Rulebook, told: list[Any], on: dt.date, place: str | None) -> None:
    found = monitor(book, [*told, {"kind": "death", "date": str(on)}], place).due(on)
    assert [(item["action"], item["all"]) for item in found] == [("end", True)]


@given(several, days, homes)
def test_all_that_is_due_says_why(book: Rulebook, told: list[Any], on: dt.date, place: str | None) -> None:
    found = monitor(book, told, place).due(on)
    assert len({item["id"] for item in found}) == len(found)
    for item in found:
        assert item["action"] in ("suspend", "resume", "end", "reassess_now", "check")
        assert item["because"] and all(e["date"] <= str(on) for e in item["because"])
        assert item["since"] in [e["date"] for e in item["because"]]
        assert set(item["say"]) == {"zh", "en"}
        assert item["source"]["document"] in book.documents
        assert item["evidence"] in ("verified", "single", "decision")
    json.dumps(found)
