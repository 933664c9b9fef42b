"""Standards side by side: grades never converted; answers carried only where two options mean the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from yyassess import InputError, Rulebook, crosswalk
from yyassess.assessment.scoring import scorer
from yyassess.cli import main
from yyassess.rulebook.correspondence import Correspondence

DAY = "2026-11-22"
GB, MZ, LTCI, NURSING, SELF_CARE = (
    "gbt-42195-2022",
    "mzt-039-2013",
    "ltci-2021-37",
    "nursing-need-2019-48",
    "phs-self-care",
)


def visit(instrument: str, answers: dict[str, Any] | None = None, date: str = DAY, **rest: Any) -> dict[str, Any]:
    return {"instrument": instrument, "date": date, **({} if answers is None else {"answers": answers}), **rest}


def compare(book: Rulebook, *visits: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return crosswalk({"assessments": list(visits), **rest}, on=DAY, rules=book)


def carried(result: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Target instrument and item -> the answer carried there."""
    return {(row["to"]["instrument"], row["to"]["item"]): row["to"]["answer"] for row in result["carried"]}


def best(book: Rulebook, id: str) -> dict[str, Any]:
    return {name: question.best for name, question in scorer(book, id).questions.items()}


# -- side by side ---------------------------------------------------------------------------------------------
def test_the_warning_is_always_there(book: Rulebook) -> None:
    for visits in ([], [visit(GB, best(book, GB))], [visit(GB, grade={"level": 2}), visit(LTCI, grade={"level": 2})]):
        result = compare(book, *visits)
        [warning] = result["warnings"]
        assert "不能换算" in warning["zh"] and "never converted" in warning["en"]


def test_the_same_word_stands_for_three_standards_without_becoming_one(book: Rulebook) -> None:
    """中度失能 of one scale says nothing on another: each standard shows its own grade or none."""
    typed = {GB: 2, MZ: 2, LTCI: 2, NURSING: 2}
    for id, level in typed.items():
        result = compare(book, visit(id, grade={"level": level}))
        assert [(s["instrument"], s["grade"]["level"]) for s in result["standards"]] == [(id, level)]
        assert result["carried"] == [] and result["partial"] == []
    together = compare(book, *(visit(id, grade={"level": level}) for id, level in typed.items()))
    words = {s["instrument"]: s["grade"]["name"]["zh"] for s in together["standards"]}
    assert list(words) == list(typed) and all("中度" in word for word in words.values())
    assert together["carried"] == []


def test_every_standard_comes_with_all_its_levels_and_its_date(book: Rulebook) -> None:
    result = compare(
        book, visit(GB, best(book, GB), "2026-01-02"), visit(SELF_CARE, best(book, SELF_CARE), "2026-03-04")
    )
    rows = {s["instrument"]: s for s in result["standards"]}
    assert {id: row["date"] for id, row in rows.items()} == {GB: "2026-01-02", SELF_CARE: "2026-03-04"}
    for id, row in rows.items():
        assert [level["level"] for level in row["levels"]] == [level.level for level in book.instruments[id].levels]
        assert row["grade"]["code"] == book.instruments[id].levels[0].code
        assert "entered" not in row


def test_an_unconfirmed_grade_is_marked(book: Rulebook) -> None:
    [row] = compare(book, visit(LTCI, best(book, LTCI)))["standards"]
    assert row["unconfirmed"]["zh"] == "未核对"


def test_an_incomplete_standard_has_bounds_and_no_grade(book: Rulebook) -> None:
    [row] = compare(book, visit(MZ, {"bathing": 5}))["standards"]
    assert row["grade"] is None and row["bounds"] == {"best": 0, "worst": 3}


def test_several_results_stand_beside_grades(book: Rulebook) -> None:
    [row] = compare(book, visit("tcm-constitution-33", best(book, "tcm-constitution-33")))["standards"]
    assert row["grade"] is None and len(row["results"]) == 9


# -- carrying over --------------------------------------------------------------------------------------------
def directions(row: Correspondence) -> Iterator[tuple[Any, Any, dict[Any, Any]]]:
    yield row.first, row.second, {pair.first: pair.second for pair in row.same}
    yield row.second, row.first, {pair.second: pair.first for pair in row.same}


def test_every_answer_of_every_pair_is_carried_exactly_where_it_is_listed(book: Rulebook) -> None:
    """Both directions; an answer without a partner is carried nowhere."""
    for row in book.correspondences:
        for source, target, same in directions(row):
            for answer in scorer(book, source.instrument).questions[source.item].points:
                result = compare(book, visit(source.instrument, {source.item: answer}))
                there = carried(result).get((target.instrument, target.item))
                assert there == same.get(answer), (source, answer)
                for line in result["carried"]:
                    assert line["carried"] is True and line["say"]["zh"] and line["evidence"]
                    assert line["from"] == {
                        "instrument": source.instrument,
                        "item": source.item,
                        "answer": answer,
                    }


#: What is carried, said once more by hand: the two options were read and mean the same.
SAME_MEANING: dict[tuple[str, str, str, str], dict[int, int]] = {
    (LTCI, "bathing", MZ, "bathing"): {5: 5, 0: 0},
    (LTCI, "face_mouth_care", MZ, "grooming"): {5: 5, 0: 0},
    (LTCI, "dressing", MZ, "dressing"): {10: 10, 5: 5},
    (GB, "orientation_time", LTCI, "orientation_time"): {3: 3, 2: 2, 1: 1, 0: 0},
    (GB, "orientation_place", LTCI, "orientation_place"): {4: 4, 3: 3, 2: 2, 1: 1, 0: 0},
    (GB, "orientation_person", LTCI, "orientation_person"): {1: 1, 0: 0},
}


def test_nothing_is_carried_but_what_means_the_same(book: Rulebook) -> None:
    listed = {
        (row.first.instrument, row.first.item, row.second.instrument, row.second.item): {
            pair.first: pair.second for pair in row.same
        }
        for row in book.correspondences
    }
    assert listed == SAME_MEANING


@pytest.mark.parametrize(
    ("instrument", "item"),
    [
        (MZ, "vision"),  # four scales, four ways to count sight and hearing
        (LTCI, "vision"),
        (GB, "vision"),
        (NURSING, "vision"),
        (MZ, "hearing"),
        (LTCI, "hearing"),
        (GB, "hearing"),
        (MZ, "level_walking"),  # 45 m here, 50 m there
        (GB, "level_walking"),
        (LTCI, "level_walking"),
        (GB, "bladder_control"),  # a catheter is 0 here, 10 there
        (MZ, "bladder_control"),
        (LTCI, "bladder_control"),
        (GB, "memory"),  # three words after five minutes, one minute, or a clock
        (LTCI, "memory"),
        (MZ, "cognition"),
        (GB, "grooming"),  # one id on two scales is two questions
        (GB, "eating"),
        (MZ, "eating"),
    ],
)
def test_items_that_only_look_alike_are_never_carried(book: Rulebook, instrument: str, item: str) -> None:
    for answer in scorer(book, instrument).questions[item].points:
        assert compare(book, visit(instrument, {item: answer}))["carried"] == []


def test_orientation_is_carried_by_its_name_not_by_its_place_on_the_form(book: Rulebook) -> None:
    """GB asks time, place, person; LTCI asks time, person, place."""
    result = compare(book, visit(GB, {"orientation_place": 3, "orientation_person": 1}))
    assert carried(result) == {(LTCI, "orientation_place"): 3, (LTCI, "orientation_person"): 1}


def test_what_is_carried_is_never_counted(book: Rulebook) -> None:
    """The grades of a case are the same with and without the answers of another scale."""
    own = {k: v for k, v in best(book, LTCI).items() if k not in ("bathing", "dressing")}
    alone = compare(book, visit(LTCI, own))
    beside = compare(book, visit(LTCI, own), visit(MZ, best(book, MZ)))
    assert {to: a for to, a in carried(beside).items() if to[0] == LTCI} == {
        (LTCI, "bathing"): 5,
        (LTCI, "dressing"): 10,
    }
    row = {s["instrument"]: s for s in beside["standards"]}[LTCI]
    assert row["grade"] is None
    assert row == alone["standards"][0]


def test_what_carried_answers_leave_open_is_said_and_it_is_no_grade(book: Rulebook) -> None:
    result = compare(book, visit(MZ, best(book, MZ)))
    assert [s["instrument"] for s in result["standards"]] == [MZ]
    [partial] = result["partial"]
    assert partial["instrument"] == LTCI and "grade" not in partial
    assert partial["carried"] == ["bathing", "dressing", "face_mouth_care"]
    assert set(partial["carried"]).isdisjoint(partial["missing"])
    assert len(partial["carried"]) + len(partial["missing"]) == len(scorer(book, LTCI).questions)
    assert partial["bounds"] == {"best": 0, "worst": 5}


def test_an_item_answered_on_its_own_form_is_not_carried_over(book: Rulebook) -> None:
    both = compare(book, visit(MZ, {"bathing": 0}), visit(LTCI, {"bathing": 5}))
    assert both["carried"] == []
    blank = compare(book, visit(MZ, {"bathing": 0}), visit(LTCI, {"bathing": None}))
    assert carried(blank) == {(LTCI, "bathing"): 0}


def test_the_visit_that_counts_is_carried_whatever_the_order_of_the_list(book: Rulebook) -> None:
    new, old = visit(MZ, {"bathing": 0}, "2026-11-01"), visit(MZ, {"bathing": 5}, "2020-01-01")
    for visits in ((new, old), (old, new)):
        assert carried(compare(book, *visits)) == {(LTCI, "bathing"): 0}


def test_answers_that_did_not_count_are_not_carried(book: Rulebook) -> None:
    """In a coma the other items of MZ/T 039 are not counted, so they say nothing on another scale either."""
    result = compare(book, visit(MZ, {"consciousness": 3, "bathing": 5}))
    assert result["standards"][0]["grade"]["level"] == 3
    assert result["carried"] == []


def test_a_grade_typed_in_has_no_answers_to_carry(book: Rulebook) -> None:
    result = compare(book, visit(MZ, grade={"level": 1}))
    assert result["carried"] == [] and result["standards"][0]["entered"] is True


# -- input and output -----------------------------------------------------------------------------------------
def test_bad_cases_are_refused_with_the_place(book: Rulebook) -> None:
    for case, where in (
        ({"assessments": [visit("no-such", {})]}, "assessments.0.instrument"),
        ({"assessments": [visit(MZ, {"bathing": 3})]}, "assessments.0.answers.bathing"),
        ({"assessments": [visit(MZ, {"bathing": 5}, "2027-01-01")]}, "assessments.0.date"),
        ({"assessments": {}}, "assessments"),
    ):
        with pytest.raises(InputError) as caught:
            crosswalk(case, on=DAY, rules=book)
        assert [e["where"] for e in caught.value.errors] == [where]


def test_the_command_shows_the_same_as_the_library(book: Rulebook) -> None:
    case = {
        "assessments": [
            visit(MZ, best(book, MZ)),
            visit(LTCI, {"bathing": 0}),
            visit(NURSING, grade={"level": 2}),
        ]
    }
    expected = json.loads(json.dumps(crosswalk(case, on=DAY, rules=book), ensure_ascii=False))
    runner = CliRunner()
    given = json.dumps(case)
    shown = runner.invoke(main, ["crosswalk", "-", "--on", DAY, "--format", "json"], input=given)
    assert shown.exit_code == 0 and json.loads(shown.stdout) == expected
    text = runner.invoke(main, ["crosswalk", "-", "--on", DAY, "--format", "text"], input=given).stdout
    assert "不能换算" in text and "⇢" in text
    assert "填报，未计算" in text, "a grade typed in is shown as such"
