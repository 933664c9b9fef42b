"""The dementia pathway: who enters, what is still needed, the graded result, what follows from it."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any

import pytest
from click.testing import CliRunner

from yyassess import InputError, Rulebook, UnknownName, screen
from yyassess.assurance.examples import run_examples
from yyassess.cli import main

ON = "2026-11-22"
OLD = {"birth_date": "1950-01-01"}
RESULTS = ("negative", "watch", "suspected-mild", "suspected-moderate", "suspected-severe")


def did(instrument: str, code: str, date: str = "2026-11-20") -> dict[str, Any]:
    return {"instrument": instrument, "date": date, "code": code}


def walk(book: Rulebook, *screens: dict[str, Any], person: Any = None, **facts: Any) -> dict[str, Any]:
    case = {"person": OLD if person is None else person, "facts": facts, "assessments": list(screens)}
    return screen(case, on=ON, rules=book)


def code(result: dict[str, Any]) -> str | None:
    return result["result"]["code"] if result["result"] else None


def status(result: dict[str, Any]) -> dict[str, str]:
    return {s["id"]: s["status"] for s in result["stages"]}


def ids(result: dict[str, Any], key: str) -> set[str]:
    return {line["id"] for line in result[key]}


BRIEF_NO, BRIEF_YES = did("phs-cognitive-brief", "negative"), did("phs-cognitive-brief", "positive")
MOOD_NO, MOOD_YES = did("phs-mood-brief", "negative"), did("phs-mood-brief", "positive")


# -- examples and results -------------------------------------------------------------------------------------
def test_its_worked_examples(book: Rulebook) -> None:
    before_programmes = takewhile(lambda r: r.of in book.instruments or r.of in book.pathways, run_examples(book))
    found = [r for r in before_programmes if r.of == "dementia"]
    assert len(found) >= 10 and [r.problem for r in found if not r.passed] == []


def test_the_five_results(book: Rulebook) -> None:
    assert tuple(r.code for r in book.pathways["dementia"].results) == RESULTS
    assert [r.level for r in book.pathways["dementia"].results] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("screens", "expected"),
    [
        ([BRIEF_NO], "negative"),
        ([BRIEF_YES], "watch"),
        ([BRIEF_YES, did("mmse", "negative")], "watch"),
        ([BRIEF_YES, did("mmse", "mild")], "suspected-mild"),
        ([BRIEF_YES, did("mmse", "moderate")], "suspected-moderate"),
        ([BRIEF_YES, did("mmse", "severe")], "suspected-severe"),
        ([BRIEF_YES, did("moca", "positive")], "suspected-mild"),
        ([BRIEF_YES, did("rudas", "positive")], "suspected-mild"),
        ([BRIEF_YES, did("iqcode-16", "positive")], "suspected-mild"),
        ([did("ad8", "positive"), did("gpcog", "positive")], "suspected-mild"),
        ([did("mini-cog", "positive"), did("spmsq", "severe")], "suspected-mild"),
        ([BRIEF_YES, did("cdr", "very-mild")], "suspected-mild"),
        ([BRIEF_YES, did("cdr", "mild")], "suspected-mild"),
        ([BRIEF_YES, did("cdr", "moderate")], "suspected-moderate"),
        ([BRIEF_YES, did("cdr", "severe")], "suspected-severe"),
        ([BRIEF_YES, did("mmse", "severe"), did("cdr", "mild")], "suspected-mild"),
    ],
)
def test_every_result_is_reached_and_the_worst_ground_decides(
    book: Rulebook, screens: list[dict[str, Any]], expected: str
) -> None:
    result = walk(book, *screens)
    assert code(result) == expected
    assert result["result"]["because"]["zh"] and result["result"]["source"]["document"] in book.documents
    assert "诊断" in result["note"]["zh"] and "not diagnosis" in result["note"]["en"]


def test_the_result_depends_on_education_through_the_scale(book: Rulebook) -> None:
    """Illiterate with 20 points: negative; primary school with 20 points: moderate."""
    mmse = {"instrument": "mmse", "date": "2026-11-21", "answers": {"total": 20}}
    assert code(walk(book, BRIEF_YES, mmse, education="illiterate")) == "watch"
    assert code(walk(book, BRIEF_YES, mmse, education="primary")) == "suspected-moderate"
    unknown = walk(book, BRIEF_YES, mmse)
    assert code(unknown) == "watch" and status(unknown)["second"] == "needed"


# -- entry ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("person", "facts", "enters"),
    [
        ({"birth_date": "1961-11-22"}, {}, True),
        ({"birth_date": "1961-11-23"}, {}, None),
        ({"birth_date": "1961-11-23"}, {"memory_complaint": False, "lives_in_institution": False}, False),
        ({"birth_date": "1970-01-01"}, {"memory_complaint": True}, True),
        ({"birth_date": "1970-01-01"}, {"lives_in_institution": True}, True),
        ({}, {"memory_complaint": False}, None),
        ({}, {}, None),
    ],
)
def test_who_enters(book: Rulebook, person: dict[str, Any], facts: dict[str, Any], enters: bool | None) -> None:
    result = walk(book, person=person, **facts)
    assert result["enters"] is enters
    assert bool(result["missing"]) is (enters is None)
    for clause in result["entry"]:
        if clause["status"] == "true":
            assert clause["source"]["document"] in book.documents and clause["evidence"]


def test_what_to_ask_to_know_whether_somebody_enters(book: Rulebook) -> None:
    assert walk(book, person={})["missing"] == ["birth_date", "lives_in_institution", "memory_complaint"]
    assert walk(book, person={"birth_date": "1970-01-01"}, memory_complaint=False)["missing"] == [
        "lives_in_institution"
    ]


# -- what was done, what is needed ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("screens", "needed"),
    [
        ([], ["brief"]),
        ([BRIEF_NO], []),
        ([BRIEF_YES], ["second", "mood"]),
        ([BRIEF_YES, MOOD_NO], ["second"]),
        ([BRIEF_YES, did("mmse", "negative")], ["mood"]),
        ([BRIEF_YES, did("mmse", "mild"), MOOD_NO], []),
        ([did("mmse", "mild")], ["mood"]),
        ([did("mmse", "mild"), did("gds-15", "negative")], []),
        ([did("mmse", "negative")], ["brief"]),
        ([did("cdr", "mild")], []),
        ([did("cdr", "none")], ["brief"]),
        ([BRIEF_YES, did("cdr", "mild"), MOOD_NO], []),
        ([MOOD_NO], ["brief"]),
    ],
)
def test_it_takes_whatever_was_done_and_says_what_is_needed(
    book: Rulebook, screens: list[dict[str, Any]], needed: list[str]
) -> None:
    result = walk(book, *screens)
    assert result["needed"] == needed
    assert result["complete"] is (result["result"] is not None and not needed)
    assert needed == [id for id, what in status(result).items() if what == "needed"]


@pytest.mark.parametrize(
    "screens",
    [
        [],
        [MOOD_YES],
        [MOOD_NO],
        [did("phq-9", "severe")],
        [did("faq", "positive")],
        [{"instrument": "gbt-42195-2022", "date": "2026-11-20", "grade": {"level": 3}}],
        [did("clock-drawing", "positive")],
        [{"instrument": "ad8", "date": "2026-11-20", "answers": {}}],
    ],
)
def test_without_a_cognitive_screen_there_is_no_result(book: Rulebook, screens: list[dict[str, Any]]) -> None:
    """Mood, function and ability say nothing about thinking by themselves."""
    result = walk(book, *screens)
    assert result["result"] is None and result["complete"] is False and result["needed"] == ["brief"]
    assert result["actions"] == [] and result["rescreen"] is None


def test_every_stage_and_choice_carries_its_source_and_evidence(book: Rulebook) -> None:
    for result in (walk(book), walk(book, BRIEF_YES), walk(book, BRIEF_YES, did("mmse", "mild"))):
        for stage in result["stages"]:
            assert stage["source"]["document"] in book.documents and stage["evidence"]
            for choice in stage.get("choose", ()):
                assert choice["source"]["document"] in book.documents and choice["evidence"]
        for key in ("actions", "cautions", "flags", "decisions"):
            for line in result[key]:
                assert line["source"]["document"] in book.documents and line["evidence"] and line["say"]["en"]


def offered(book: Rulebook, stage: str, *screens: dict[str, Any], **facts: Any) -> dict[str, list[str]]:
    [found] = [s for s in walk(book, *screens, **facts)["stages"] if s["id"] == stage]
    return {c["instrument"]: c.get("depends_on", []) for c in found["choose"]}


def test_the_second_step_is_chosen_by_education_and_respondent(book: Rulebook) -> None:
    everything = {"mmse", "moca", "rudas", "spmsq", "gpcog", "iqcode-16"}
    known = offered(book, "second", BRIEF_YES, education="primary", informant_available=True)
    assert set(known) == everything and not any(known.values())
    assert set(offered(book, "second", BRIEF_YES, education="illiterate", informant_available=True)) == everything - {
        "moca"
    }
    assert set(offered(book, "second", BRIEF_YES, education="primary", informant_available=False)) == everything - {
        "iqcode-16"
    }
    unasked = offered(book, "second", BRIEF_YES)
    assert unasked["moca"] == ["education"] and unasked["iqcode-16"] == ["informant_available"]


def test_the_brief_screen_for_an_informant_is_offered_only_where_one_is(book: Rulebook) -> None:
    assert "ad8" in offered(book, "brief", informant_available=True)
    assert "ad8" not in offered(book, "brief", informant_available=False)
    assert offered(book, "brief")["ad8"] == ["informant_available"]


# -- conflicts ------------------------------------------------------------------------------------------------
def test_screens_that_disagree_are_shown_and_one_positive_leads_on(book: Rulebook) -> None:
    result = walk(book, BRIEF_NO, did("mini-cog", "positive"), did("ad8", "negative"))
    [conflict] = result["conflicts"]
    assert conflict["stage"] == "brief"
    assert {s["instrument"]: s["positive"] for s in conflict["screens"]} == {
        "phs-cognitive-brief": False,
        "mini-cog": True,
        "ad8": False,
    }
    assert code(result) == "watch" and result["needed"] == ["second", "mood"]
    assert ids(result, "decisions") == {"scr-d7"}
    [stage] = [s for s in result["stages"] if s["id"] == "brief"]
    assert stage["conflict"] is True and len(stage["done"]) == 3


def test_second_steps_that_disagree(book: Rulebook) -> None:
    result = walk(book, BRIEF_YES, did("mmse", "negative"), did("moca", "positive"), MOOD_NO)
    assert [c["stage"] for c in result["conflicts"]] == ["second"]
    assert code(result) == "suspected-mild"


def test_moods_that_disagree(book: Rulebook) -> None:
    result = walk(book, BRIEF_YES, did("mmse", "mild"), MOOD_NO, did("gds-15", "moderate"))
    assert [c["stage"] for c in result["conflicts"]] == ["mood"] and "depression" in ids(result, "cautions")


def test_screens_that_agree_are_no_conflict(book: Rulebook) -> None:
    for screens in ([BRIEF_YES, did("mini-cog", "positive")], [BRIEF_NO, did("ad8", "negative")]):
        result = walk(book, *screens)
        assert result["conflicts"] == [] and result["decisions"] == []


def test_a_later_screen_of_the_same_kind_replaces_the_earlier_one(book: Rulebook) -> None:
    old, new = did("phs-cognitive-brief", "positive", "2025-01-01"), BRIEF_NO
    for screens in ((old, new), (new, old)):
        result = walk(book, *screens)
        assert code(result) == "negative" and result["conflicts"] == []


# -- confounders, actions, next screen, flags -----------------------------------------------------------------
def test_depression_and_delirium_come_first(book: Rulebook) -> None:
    low = walk(book, BRIEF_YES, did("mmse", "mild"), MOOD_YES)
    assert "depression" in ids(low, "cautions") and "mood-first" in ids(low, "actions")
    assert low["rescreen"]["due"] == "2026-12-04"
    sudden = walk(book, BRIEF_NO, sudden_onset=True)
    assert code(sudden) == "watch" and "delirium" in ids(sudden, "cautions")
    assert {a["kind"] for a in sudden["actions"] if a["id"] == "doctor-now"} == {"safety"}
    assert sudden["rescreen"]["due"] == "2026-12-04"


def test_a_complaint_beside_a_negative_screen_is_watched_and_screened_again_in_a_year(book: Rulebook) -> None:
    result = walk(book, BRIEF_NO, memory_complaint=True)
    assert code(result) == "watch" and result["complete"]
    assert result["rescreen"]["due"] == "2027-11-20"
    young = walk(book, BRIEF_NO, person={"birth_date": "1975-01-01"}, memory_complaint=True)
    assert young["rescreen"]["due"] == "2027-11-20"


@pytest.mark.parametrize(
    ("screens", "actions"),
    [
        ([BRIEF_NO], {"guidance"}),
        ([BRIEF_YES], {"guidance", "early-intervention"}),
        ([BRIEF_YES, did("mmse", "mild")], {"early-intervention", "memory-clinic"}),
        ([BRIEF_YES, did("mmse", "moderate")], {"memory-clinic", "dementia-unit"}),
        ([BRIEF_YES, did("mmse", "severe")], {"memory-clinic", "dementia-unit"}),
    ],
)
def test_what_follows_from_each_result(book: Rulebook, screens: list[dict[str, Any]], actions: set[str]) -> None:
    assert ids(walk(book, *screens), "actions") == actions


def test_the_next_screen_is_counted_from_the_last_cognitive_screen(book: Rulebook) -> None:
    """Neither an ability assessment nor a later mood screen puts the yearly screen off."""
    first = did("phs-cognitive-brief", "negative", "2026-01-15")
    ability = {"instrument": "gbt-42195-2022", "date": "2026-11-01", "grade": {"level": 1}}
    later = did("phs-mood-brief", "negative", "2026-10-01")
    for screens in ([first], [first, ability], [first, later], [first, ability, later]):
        assert walk(book, *screens)["rescreen"]["due"] == "2027-01-15"
    leap = did("phs-cognitive-brief", "negative", "2024-02-29")
    assert walk(book, leap)["rescreen"]["due"] == "2025-02-28"


def test_after_two_weeks_where_the_second_step_is_negative(book: Rulebook) -> None:
    result = walk(book, BRIEF_YES, did("mmse", "negative", "2026-11-21"), MOOD_NO)
    assert code(result) == "watch" and result["rescreen"]["due"] == "2026-12-05"


def test_no_date_where_a_specialist_follows_up_or_the_next_step_comes_first(book: Rulebook) -> None:
    referred = walk(book, BRIEF_YES, did("mmse", "severe"), MOOD_NO)
    assert "due" not in referred["rescreen"] and referred["rescreen"]["say"]["en"]
    assert walk(book, BRIEF_YES)["rescreen"] is None


def test_every_settled_result_says_when_to_screen_again(book: Rulebook) -> None:
    for screens, facts in (
        ([BRIEF_NO], {}),
        ([BRIEF_NO], {"memory_complaint": True}),
        ([BRIEF_NO], {"sudden_onset": True}),
        ([BRIEF_YES, did("mmse", "negative"), MOOD_NO], {}),
        ([BRIEF_YES, did("mmse", "negative"), MOOD_YES], {}),
        ([BRIEF_YES, did("mmse", "mild"), MOOD_NO], {}),
        ([BRIEF_YES, did("mmse", "moderate"), MOOD_YES], {}),
    ):
        result = walk(book, *screens, **facts)
        assert result["complete"] and result["rescreen"] is not None, (screens, facts)


def test_flags(book: Rulebook) -> None:
    assert ids(walk(book, BRIEF_YES, **{"care_risk_events.wandering": "once"}), "flags") == {"wandering"}
    assert ids(walk(book, BRIEF_YES, **{"care_risk_events.wandering": "none"}), "flags") == set()
    assert ids(walk(book, BRIEF_YES, carer_strain=True), "flags") == {"carer-strain"}
    assert ids(walk(book, BRIEF_YES, drives=True), "flags") == {"driving"}
    assert ids(walk(book, BRIEF_NO, drives=True), "flags") == set()
    assert ids(walk(book, did("mmse", "mild"), drives=True), "flags") == {"driving"}


def test_item_9_of_the_phq_9_calls_for_help_on_the_pathway_too(book: Rulebook) -> None:
    answers = {f"q{n:02}": 0 for n in range(1, 10)} | {"q09": 1}
    result = walk(book, BRIEF_YES, {"instrument": "phq-9", "date": "2026-11-20", "answers": answers})
    assert [(w["instrument"], w["severity"]) for w in result["warnings"]] == [("phq-9", "safety")]


def test_diagnosed_dementia_and_clock_tests_for_people_who_never_wrote(book: Rulebook) -> None:
    assert "diagnosed" in ids(walk(book, BRIEF_YES, diagnoses=["dementia"]), "cautions")
    assert "little-schooling" in ids(walk(book, did("mini-cog", "positive"), education="illiterate"), "cautions")
    assert "little-schooling" not in ids(walk(book, BRIEF_YES, education="illiterate"), "cautions")


# -- evidence -------------------------------------------------------------------------------------------------
def test_the_result_is_a_synthesis_and_says_so(book: Rulebook) -> None:
    assert walk(book, BRIEF_NO)["evidence"] == "decision"


def test_an_unconfirmed_stage_weakens_the_evidence_of_the_whole(tmp_path: Any) -> None:
    (tmp_path / "settings.yaml").write_text("settings:\n  cdr: {cdr_licence_recorded: true}\n", encoding="utf-8")
    licensed = Rulebook.load(tmp_path)
    items = [i.id for d in licensed.instruments["cdr"].dimensions for i in d.items if not i.optional]
    computed = {"instrument": "cdr", "date": "2026-11-20", "answers": dict.fromkeys(items, 1)}
    result = walk(licensed, BRIEF_YES, computed)
    [staging] = [s for s in result["stages"] if s["id"] == "staging"]
    assert staging["done"][0]["unconfirmed"]["zh"] == "未核对"
    assert result["evidence"] == "recall"
    assert walk(licensed, BRIEF_YES, did("cdr", "mild"))["evidence"] == "decision"


# -- input and output -----------------------------------------------------------------------------------------
def test_bad_cases_are_refused(book: Rulebook) -> None:
    for screens, where in (
        ([did("mmse", "terrible")], "assessments.0.code"),
        ([did("mmse", "mild", "2027-01-01")], "assessments.0.date"),
        ([did("no-such", "mild")], "assessments.0.instrument"),
        ([BRIEF_YES, did("phs-cognitive-brief", "negative")], "assessments.1"),
    ):
        with pytest.raises(InputError) as caught:
            walk(book, *screens)
        assert [e["where"] for e in caught.value.errors] == [where]
    with pytest.raises(UnknownName):
        screen({}, on=ON, pathway="dementai", rules=book)


def test_the_command_shows_the_same_as_the_library(book: Rulebook) -> None:
    case = {"person": OLD, "facts": {"drives": True}, "assessments": [BRIEF_YES, did("mini-cog", "negative")]}
    expected = json.loads(json.dumps(screen(case, on=ON, rules=book), ensure_ascii=False))
    runner = CliRunner()
    shown = runner.invoke(main, ["screen", "-", "--on", ON, "--format", "json"], input=json.dumps(case))
    assert shown.exit_code == 0 and json.loads(shown.stdout) == expected
    for lang, words in (("zh", ("观察", "结果不一致", "筛查不是诊断")), ("en", ("Watch", "disagree", "not diagnosis"))):
        text = runner.invoke(
            main, ["screen", "-", "--on", ON, "--format", "text", "--lang", lang], input=json.dumps(case)
        ).stdout
        assert all(word in text for word in words)


def test_what_a_line_rests_on_is_said_in_words_where_the_rules_do(book: Rulebook) -> None:
    found = walk(book, did("phs-cognitive-brief", "positive"))
    said = {action["id"]: action for action in found["actions"]}
    assert said["early-intervention"]["words"] == "seen part of the plan"
    assert "words" not in said["guidance"]
