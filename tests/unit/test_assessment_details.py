"""Grading in detail: what a result rests on, what stays while something is missing, and how bad input is shown."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from yyassess import InputError, Rulebook, assess, crosswalk, determine
from yyassess.assessment.dates import add_months
from yyassess.assessment.question import plain
from yyassess.assessment.scoring import scorer

DAY = "2026-11-22"
SCALE = "instruments/scale.yaml"


def with_steps(rules: Any, steps: str, *changes: tuple[str, str]) -> Any:
    """The small scale with other steps; the last one gives the grade and is called `preliminary`."""
    text = (rules.path / SCALE).read_text(encoding="utf-8")
    start, end = text.index("steps:\n  - {id: total"), text.index("grade: preliminary")
    rules.write(SCALE, text[:start] + "steps:\n" + steps + text[end:])
    if changes:
        rules.change(SCALE, *changes)
    return rules.load()


def rule_lines(*lines: str) -> str:
    """A step of ordered rules."""
    head = "  - {id: preliminary, kind: rules, name: {zh: 级, en: Grade}, evidence: verified, rules: ["
    return head + ", ".join("{" + line + "}" for line in lines) + "]}\n"


def graded(book: Any, context: dict[str, Any] | None = None, **answers: Any) -> dict[str, Any]:
    return assess("scale", {"date": DAY, "answers": answers, "context": context or {}}, book)


# -- what a grade rests on ----------------------------------------------------------------------------------------------
UNSURE = ("en: Walking}, ladder: steps}", "en: Walking}, ladder: steps, evidence: {mark: recall, confidence: high}}")


def test_a_line_that_was_never_reached_does_not_weaken_the_evidence(rules: Any) -> None:
    steps = rule_lines("when: eating = 2, value: 1", "when: walking = 2, value: 1", "value: 0")
    book = with_steps(rules, steps, UNSURE)
    assert graded(book, eating=2, walking=0)["evidence"] == "verified"
    assert graded(book, eating=1, walking=2)["evidence"] == "recall"
    assert graded(book, eating=1, walking=0)["evidence"] == "recall"


def test_the_weakest_item_of_a_sum_marks_the_grade(rules: Any) -> None:
    rules.change(SCALE, UNSURE)
    result = graded(rules.load(), eating=0, walking=0)
    assert result["evidence"] == "recall"
    assert result["unconfirmed"] == {"zh": "未核对", "en": "Unconfirmed"}
    assert result["official_output"]["blocked"] is True


def test_an_adjustment_that_needs_no_items_is_all_the_grade_rests_on(rules: Any) -> None:
    rules.change(SCALE, UNSURE, ("set_level: 1\n", "set_level: 1\n    without_items: true\n"))
    result = graded(rules.load(), {"coma": True}, eating=0, walking=0)
    assert (result["grade"]["level"], result["evidence"]) == (1, "verified")
    assert "official_output" not in result


# -- lines that cannot be told apart ------------------------------------------------------------------------------------
def test_a_line_nobody_can_decide_does_not_matter_when_all_lines_left_give_the_same(rules: Any) -> None:
    steps = rule_lines("when: coma, value: 1", "when: eating >= 1, value: 1", "value: 0")
    book = with_steps(
        rules, steps, ("if_not_given: false", "optional: true"), ("when: coma\n", "when: coma AND eating = 9\n")
    )
    assert graded(book, eating=1, walking=0)["grade"]["level"] == 1
    assert graded(book, eating=0, walking=0)["grade"] is None
    assert graded(book, {"coma": False}, eating=0, walking=0)["grade"]["level"] == 0
    assert graded(book, {"coma": True}, eating=0, walking=0)["grade"]["level"] == 1


# -- adjustments and scores ---------------------------------------------------------------------------------------------
def test_an_adjustment_that_sets_a_level_leaves_the_scores_in_sight(rules: Any) -> None:
    result = graded(rules.load(), {"coma": True}, eating=1, walking=0)
    assert result["grade"]["level"] == 1
    assert result["preliminary"]["level"] == 0
    assert result["scores"]["total"] == 1
    [moved] = result["adjustments"]
    assert (moved["id"], moved["levels"]) == ("coma_worst", 1)


def test_while_an_answer_is_missing_an_adjustment_that_needs_the_items_waits(rules: Any) -> None:
    result = graded(rules.load(), {"coma": True}, eating=1)
    assert result["grade"] is None and result["adjustments"] == []
    assert result["missing"] == ["walking"]
    assert result["bounds"] == {"best": 1, "worst": 1}
    assert [t["step"] for t in result["trace"]] == ["eating"], "the answers given stay in the trace"


def test_while_a_fact_is_open_that_could_set_the_level_the_scores_stay_in_sight(rules: Any) -> None:
    result = graded(rules.change(SCALE, ("if_not_given: false", "optional: true")).load(), eating=1, walking=0)
    assert result["grade"] is None and result["missing"] == ["coma"]
    assert result["preliminary"]["level"] == 0 and result["scores"]["total"] == 1
    assert result["bounds"] == {"best": 0, "worst": 1}


# -- an assessment inside a case ----------------------------------------------------------------------------------------
def answered(context: Any = None, **facts: Any) -> dict[str, Any]:
    item: dict[str, Any] = {"instrument": "scale", "date": DAY, "answers": {"eating": 0, "walking": 0}}
    if context is not None:
        item["context"] = context
    return {"facts": facts, "assessments": [item]}


@pytest.mark.parametrize(
    ("case", "level"),
    [
        (answered(), 0),
        (answered({"coma": True}), 1),
        (answered(coma=True), 1),
        (answered({"coma": False}, coma=True), 0),
        (answered({"coma": None}, coma=True), 1),
        (answered({"coma": None}), 0),
        (answered({}, coma=True), 1),
    ],
)
def test_what_an_assessment_says_goes_before_what_the_case_says(rules: Any, case: dict[str, Any], level: int) -> None:
    book = rules.load()
    assert determine(case, place="national", on=DAY, rules=book)["grades"]["scale"]["level"] == level
    assert crosswalk(case, on=DAY, rules=book)["standards"][0]["grade"]["level"] == level


# -- input as it is shown in a message ----------------------------------------------------------------------------------
def given_back(book: Any, answer: Any) -> Any:
    with pytest.raises(InputError) as caught:
        graded(book, eating=answer, walking=0)
    [error] = caught.value.errors
    assert error["where"] == "answers.eating" and error["allowed"] == [0, 1, 2]
    return error["given"]


def test_a_long_answer_is_cut_where_it_no_longer_fits(rules: Any) -> None:
    book = rules.load()
    assert given_back(book, "x" * 120) == "x" * 120
    assert given_back(book, "x" * 121) == "x" * 117 + "…"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (3, 3),
        (True, True),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        ([1], "[1]"),
        (2**60 - 1, 2**60 - 1),
        (2**60, f"{2**59}… (a number of 61 bits)"),
        (-(2**60), f"-{2**59}… (a number of 61 bits)"),
    ],
)
def test_an_answer_that_is_refused_is_shown_as_json_can_carry_it(rules: Any, answer: Any, shown: Any) -> None:
    found = given_back(rules.load(), answer)
    assert (type(found), found) == (type(shown), shown)


def test_a_number_typed_in_says_its_whole_range(rules: Any) -> None:
    rules.change(SCALE, ("en: Walking}, ladder: steps}", "en: Walking}, range: [1, 30]}"))
    book = rules.load()
    with pytest.raises(InputError) as caught:
        graded(book, eating=0, walking=31)
    assert caught.value.errors[0]["allowed"] == {"from": 1, "to": 30}
    assert graded(book, eating=0, walking=1)["grade"]["level"] == 0
    assert graded(book, eating=0)["bounds"] == {"best": 0, "worst": 1}


# -- numbers typed in ---------------------------------------------------------------------------------------------------
TYPED = ("en: Walking}, ladder: steps}", "en: Walking}, range: [1, 30], decimals: 1}")


@pytest.mark.parametrize("answer", [1, 30, 1.0, 30.0, 1.5, 29.9])
def test_a_number_within_the_range_is_taken_as_it_is(rules: Any, answer: float) -> None:
    result = graded(rules.change(SCALE, TYPED).load(), eating=0, walking=answer)
    assert result["scores"]["total"] == answer
    assert result["grade"]["level"] == (answer >= 2)


@pytest.mark.parametrize("answer", [0, 31, 0.9, 30.1, 1.55, True, "5", [5], float("nan"), float("inf")])
def test_any_other_number_is_refused(rules: Any, answer: Any) -> None:
    with pytest.raises(InputError) as caught:
        graded(rules.change(SCALE, TYPED).load(), eating=0, walking=answer)
    assert [e["where"] for e in caught.value.errors] == ["answers.walking"]


def test_a_number_with_decimals_has_too_many_values_to_try_so_all_grades_stay_possible(rules: Any) -> None:
    rules.change(SCALE, TYPED, ("higher_score: worse", "higher_score: worse\nmonotone: false"))
    assert graded(rules.load(), eating=2)["bounds"] == {"best": 0, "worst": 1}
    rules.change(SCALE, (", decimals: 1}", "}"))
    assert graded(rules.load(), eating=2)["bounds"] == {"best": 1, "worst": 1}


@pytest.mark.parametrize("answer", [0, 0.0, 1, 2.0])
def test_a_score_may_be_written_with_a_point(rules: Any, answer: float) -> None:
    assert graded(rules.load(), eating=answer, walking=0)["scores"]["total"] == answer


@pytest.mark.parametrize("answer", [False, 0.5, "0", 3, -1, [0]])
def test_what_is_not_one_of_the_scores_is_refused(rules: Any, answer: Any) -> None:
    with pytest.raises(InputError):
        graded(rules.load(), eating=answer, walking=0)


def test_an_answer_of_null_is_an_answer_left_out(rules: Any) -> None:
    result = graded(rules.load(), eating=None, walking=0)
    assert result["missing"] == ["eating"] and [t["step"] for t in result["trace"]] == ["walking"]


# -- settings -----------------------------------------------------------------------------------------------------------
SETTING = """\
settings:
  - {id: method, choices: [0.5, 2, true], say: {zh: 方法, en: Method}}
  - {id: fixed, choices: [one, two], default: one, deployment: true, say: {zh: 定, en: Fixed}}
steps:
  - {id: total"""


@pytest.mark.parametrize(("chosen", "shown"), [(0.5, 0.5), (2, 2), (2.0, 2), (True, True)])
def test_a_choice_is_known_by_its_value_and_kind(rules: Any, chosen: Any, shown: Any) -> None:
    book = rules.change(SCALE, ("steps:\n  - {id: total", SETTING)).load()
    found = assess("scale", {"date": DAY, "settings": {"method": chosen}}, book)["settings"]["method"]
    assert (type(found), found) == (type(shown), shown)


@pytest.mark.parametrize("chosen", [1, 0, False, "2", 0.51, float("nan"), float("inf")])
def test_no_other_value_passes_for_a_choice(rules: Any, chosen: Any) -> None:
    book = rules.change(SCALE, ("steps:\n  - {id: total", SETTING)).load()
    with pytest.raises(InputError) as caught:
        assess("scale", {"settings": {"method": chosen}}, book)
    assert caught.value.errors[0]["allowed"] == [0.5, 2, True]


def test_what_the_deployment_chooses_may_be_repeated_but_not_changed(rules: Any) -> None:
    book = rules.change(SCALE, ("steps:\n  - {id: total", SETTING)).load()
    assert assess("scale", {"settings": {"fixed": "one"}}, book)["settings"]["fixed"] == "one"
    with pytest.raises(InputError) as caught:
        assess("scale", {"settings": {"fixed": "two"}}, book)
    assert caught.value.errors[0]["allowed"] == ["one"]
    [warning] = assess("scale", {"answers": {"eating": 0, "walking": 0}, "context": {"coma": False}}, book)["warnings"]
    assert (warning["id"], warning["items"]) == ("choose", ["method"])


# -- cases --------------------------------------------------------------------------------------------------------------
def person(birth: str, on: str = DAY, **facts: Any) -> dict[str, Any]:
    return determine({"person": {"birth_date": birth}, "facts": facts}, place="national", on=on)


def test_somebody_born_on_the_day_asked_about_is_no_fault() -> None:
    assert person(DAY)["outcomes"]
    with pytest.raises(InputError):
        person("2026-11-23")


def test_an_age_beyond_its_range_is_refused_from_the_first_year_too_many() -> None:
    assert person("1896-11-22")["outcomes"]
    assert person("1896-11-22", age=130)["outcomes"]
    with pytest.raises(InputError) as caught:
        person("1895-11-22")
    assert [(e["where"], e["given"]) for e in caught.value.errors] == [("age", 131)]


def typed_in(**how: Any) -> dict[str, Any]:
    case = {"assessments": [{"instrument": "ltci-2021-37", "date": DAY, **how}]}
    return dict(determine(case, place="national", on=DAY)["grades"]["ltci-2021-37"])


def test_a_grade_is_typed_in_as_level_or_code() -> None:
    level = typed_in(grade={"level": 3})
    assert level["entered"] is True and level["date"] == DAY
    assert level == typed_in(grade=3) == typed_in(code=level["code"])
    for how, allowed in (
        ({"grade": 6}, list(range(6))),
        ({"grade": {}}, list(range(6))),
        ({"grade": "3"}, list(range(6))),
    ):
        with pytest.raises(InputError) as caught:
            typed_in(**how)
        assert caught.value.errors[0]["allowed"] == allowed
    with pytest.raises(InputError) as caught:
        typed_in(code="3")
    assert level["code"] in caught.value.errors[0]["allowed"]


def test_of_two_assessments_on_one_day_the_same_level_is_no_contradiction_and_another_is() -> None:
    first = {"instrument": "ltci-2021-37", "date": DAY, "grade": {"level": 3}}
    other = {**first, "grade": {"level": 4}}
    earlier = {**other, "date": "2026-11-21"}
    for both in ([first, earlier], [earlier, first], [first, first]):
        grades = determine({"assessments": both}, place="national", on=DAY)["grades"]
        assert grades["ltci-2021-37"]["level"] == 3
    with pytest.raises(InputError) as caught:
        determine({"assessments": [first, other]}, place="national", on=DAY)
    assert [e["where"] for e in caught.value.errors] == ["assessments.1"]


def test_on_one_day_a_result_goes_before_none_and_what_was_typed_in_before_what_was_computed(rules: Any) -> None:
    book = rules.load()
    open_one = {"instrument": "scale", "date": DAY, "answers": {"eating": 0}}
    computed = {"instrument": "scale", "date": DAY, "answers": {"eating": 2, "walking": 0}}
    typed = {"instrument": "scale", "date": DAY, "grade": {"level": 1}}

    def counted(*both: dict[str, Any]) -> dict[str, Any]:
        found = [
            determine({"assessments": list(order)}, place="national", on=DAY, rules=book)
            for order in (both, both[::-1])
        ]
        first, second = (f["grades"]["scale"] for f in found)
        assert first == second
        return dict(first)

    assert counted(open_one, computed)["level"] == 1 and "entered" not in counted(open_one, computed)
    assert counted(open_one, typed)["entered"] is True
    assert counted(computed, typed)["entered"] is True
    assert counted({**open_one, "date": DAY}, {**typed, "date": "2026-11-21"})["level"] is None, "the later day counts"


def test_what_an_assessment_found_is_known_of_the_person(rules: Any) -> None:
    rules.change("national/allowance.yaml", ("when: years >= 80", "when: coma"))
    book = rules.load()
    for case, status in (
        (answered({"coma": True}), "true"),
        (answered({"coma": False}), "false"),
        (answered(), "unknown"),
    ):
        [outcome] = determine(case, place="national", on=DAY, rules=book)["outcomes"]
        assert outcome["criteria"][0]["status"] == status


def test_a_grade_among_the_facts_is_shown_where_it_belongs() -> None:
    with pytest.raises(InputError) as caught:
        determine({"facts": {"ltci_grade": 3}}, place="national", on=DAY)
    [error] = caught.value.errors
    assert error["allowed"] == {
        "assessments": [{"instrument": "ltci-2021-37", "date": "YYYY-MM-DD", "grade": {"level": 0}}]
    }


# -- what is said beside a grade ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2026-01-31", 3, "2026-04-30"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-01-30", 1, "2026-02-28"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-11-22", 24, "2028-11-22"),
        ("2026-12-15", 1, "2027-01-15"),
    ],
)
def test_some_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: str, months: int, then: str) -> None:
    assert add_months(dt.date.fromisoformat(day), months).isoformat() == then


def test_the_trace_shows_the_score_of_an_answer_and_the_name_of_a_level(book: Rulebook) -> None:
    questions = scorer(book, "gbt-42195-2022").questions
    answers = {n: int(q.best) for n, q in questions.items()} | {"eating": 3}
    trace = {line["step"]: line for line in assess("gbt-42195-2022", {"date": DAY, "answers": answers}, book)["trace"]}
    assert trace["eating"]["value"] == 3
    name = book.instruments["gbt-42195-2022"].levels[1].name
    assert name["zh"] in trace["preliminary"]["because"]["zh"] and name["en"] in trace["preliminary"]["because"]["en"]


def test_a_fault_says_in_one_line_where_and_what(book: Rulebook) -> None:
    with pytest.raises(InputError) as caught:
        assess("cdr", {"date": DAY, "answers": {"memory": 7, "orientation": "x"}}, book)
    assert [e["where"] for e in caught.value.errors] == ["answers.memory", "answers.orientation"]
    assert str(caught.value).startswith("answers.memory: ") and "; answers.orientation: " in str(caught.value)
    assert caught.value.errors[0]["allowed"] == [0, 0.5, 1, 2, 3]
    assert json.dumps(caught.value.errors)


def test_several_codes_are_shown_in_their_order() -> None:
    assert plain(frozenset({"b", "a", "c"})) == ["a", "b", "c"]


def test_one_dimension_that_is_the_whole_grade_has_no_level_of_its_own(book: Rulebook) -> None:
    whole = [
        it.id
        for it in book.instruments.values()
        if len(it.dimensions) == 1 and it.grade and not it.licence.switch and not it.settings
    ]
    assert "phs-self-care" in whole
    for id in whole:
        answers = {n: q.best if isinstance(q.best, str) else int(q.best) for n, q in scorer(book, id).questions.items()}
        [part] = assess(id, {"date": DAY, "answers": answers}, book)["dimensions"].values()
        assert "level" not in part, id


def test_a_band_of_several_cuts_with_one_level_is_told_as_one_stretch(rules: Any) -> None:
    cuts = "[{at: 0, level: 0}, {at: 1, level: 0}, {at: 2, level: 1}, {at: 3, level: 1}]"
    rules.change(SCALE, ("cuts: [{at: 0, level: 0}, {at: 2, level: 1}]", f"cuts: {cuts}"))
    book = rules.load()
    for eating, walking, stretch in ((0, 0, "0–1"), (1, 0, "0–1"), (2, 0, "2 and above"), (2, 2, "2 and above")):
        [step] = [t for t in graded(book, eating=eating, walking=walking)["trace"] if t["step"] == "preliminary"]
        assert stretch in step["because"]["en"]


def test_several_results_of_one_instrument_on_one_day_must_agree(book: Rulebook) -> None:
    well = {"instrument": "tcm-constitution-33", "date": DAY}
    answers = dict.fromkeys(scorer(book, "tcm-constitution-33").questions, 1)
    one, same = ({**well, "answers": answers} for _ in range(2))
    other = {**well, "answers": answers | {"q07": 5, "q08": 5}}
    assert determine({"assessments": [one, same]}, place="zhoushan", on=DAY, rules=book)
    with pytest.raises(InputError) as caught:
        determine({"assessments": [one, other]}, place="zhoushan", on=DAY, rules=book)
    assert [e["where"] for e in caught.value.errors] == ["assessments.1"]
