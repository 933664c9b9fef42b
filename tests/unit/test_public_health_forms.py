"""The public health forms of the yearly check, and the nursing need form whose level is not computed."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest

from yyassess import InputError, Rulebook, assess, crosswalk
from yyassess.assessment.case import reader
from yyassess.rulebook.vocabulary import read_date

DAY = "2026-11-22"


def run(book: Rulebook, id: str, answers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return assess(id, {"date": DAY, "answers": answers, **rest}, book)


# -- self-care ------------------------------------------------------------------------------------------------
SELF_CARE = {
    "meal": (0, 3, 5),
    "grooming_bath": (0, 1, 3, 7),
    "dressing": (0, 3, 5),
    "toileting": (0, 1, 5, 10),
    "mobility": (0, 1, 5, 10),
}


def self_care_level(total: int) -> tuple[int, str]:
    if total <= 3:
        return 1, "self-reliant"
    if total <= 8:
        return 2, "mild"
    return (3, "moderate") if total <= 18 else (4, "dependent")


def test_self_care_every_answer_sheet(book: Rulebook) -> None:
    """All 576; the totals 34 and 36 cannot occur; levels are 1 to 4 (T-C15)."""
    totals: Counter[int] = Counter()
    for values in product(*SELF_CARE.values()):
        result = run(book, "phs-self-care", dict(zip(SELF_CARE, values, strict=True)))
        total = sum(values)
        totals[total] += 1
        assert result["scores"]["total"] == total
        assert (result["grade"]["level"], result["grade"]["code"]) == self_care_level(total)
        assert "positive" not in result["grade"]
    assert sum(totals.values()) == 576
    assert set(range(38)) - set(totals) == {34, 36}
    assert max(totals) == 37


def test_self_care_has_exactly_the_printed_boxes(book: Rulebook) -> None:
    """Eating and dressing have no box for mild dependence."""
    for id, printed in SELF_CARE.items():
        others = {other: 0 for other in SELF_CARE if other != id}
        for score in range(-1, 12):
            if score in printed:
                run(book, "phs-self-care", {**others, id: score})
            else:
                with pytest.raises(InputError):
                    run(book, "phs-self-care", {**others, id: score})


def test_self_care_edges(book: Rulebook) -> None:
    vectors = {3: 1, 4: 2, 8: 2, 9: 3, 18: 3, 19: 4, 37: 4}
    found = {}
    for values in product(*SELF_CARE.values()):
        if sum(values) in vectors:
            result = run(book, "phs-self-care", dict(zip(SELF_CARE, values, strict=True)))
            found[sum(values)] = result["grade"]["level"]
    assert found == vectors


# -- the two brief screens ------------------------------------------------------------------------------------
def test_cognitive_brief_all_combinations(book: Rulebook) -> None:
    for at_once, recalled in product(("yes", "no", None), (0, 1, 2, 3, None)):
        answers = {"immediate_all_three": at_once, "recall_count_1min": recalled}
        result = run(book, "phs-cognitive-brief", {k: v for k, v in answers.items() if v is not None})
        positive = at_once == "no" or (recalled is not None and recalled < 3)
        settled = positive or (at_once == "yes" and recalled == 3)
        assert result["complete"] is settled, answers
        assert (result["grade"] or {}).get("code") == (("positive" if positive else "negative") if settled else None)
        assert result["missing"] == ([] if settled else [k for k, v in answers.items() if v is None])
    advice = book.instruments["phs-cognitive-brief"].levels[1].advice
    assert advice is not None and "简易智力状态检查" in advice["zh"]


def test_mood_brief_all_combinations(book: Rulebook) -> None:
    for sad, not_good in product(("yes", "no", None), repeat=2):
        answers = {"often_sad": sad, "mood_answer_not_good": not_good}
        result = run(book, "phs-mood-brief", {k: v for k, v in answers.items() if v is not None})
        positive = "yes" in (sad, not_good)
        settled = positive or None not in (sad, not_good)
        assert result["complete"] is settled
        assert (result["grade"] or {}).get("code") == (("positive" if positive else "negative") if settled else None)
    advice = book.instruments["phs-mood-brief"].levels[1].advice
    assert advice is not None and "老年抑郁量表" in advice["zh"]


def test_the_wait_for_the_three_words_is_the_one_of_this_form(book: Rulebook) -> None:
    """One minute here; after the clock in MZ/T 039; five minutes in the nursing need form."""
    here = book.instruments["phs-cognitive-brief"].method
    assert here is not None and "1分钟" in here["zh"] and "1 minute" in here["en"]
    nursing = next(i for d in book.instruments["nursing-need-2019-48"].dimensions for i in d.items if i.id == "memory")
    assert "5分钟" in nursing.options[1].say["zh"]


# -- nursing need: items and sums, never a level --------------------------------------------------------------
NURSING = "nursing-need-2019-48"


def nursing_items(book: Rulebook) -> dict[str, dict[str, list[Any]]]:
    it = book.instruments[NURSING]
    return {
        d.id: {i.id: [o.answer for o in (it.ladders[i.ladder] if i.ladder else i.options)] for i in d.items}
        for d in it.dimensions
    }


def test_nursing_need_items_and_values(book: Rulebook) -> None:
    groups = nursing_items(book)
    assert {name: len(items) for name, items in groups.items()} == {
        "adl": 15,
        "mental_social": 8,
        "perception_communication": 4,
        "syndromes": 12,
    }
    assert all(values == [0, 1, 2, 3, 4] for values in groups["adl"].values())
    assert all(values == [0, 1, 2, 3, 5] for values in groups["mental_social"].values())
    assert all(values == [0, 1, 2, 3] for values in groups["perception_communication"].values())


def test_nursing_need_has_no_option_4_in_the_mental_items(book: Rulebook) -> None:
    """T-N3."""
    for id in nursing_items(book)["mental_social"]:
        assert run(book, NURSING, {id: 5})["grade"] is None
        for score in (4, 6, -1):
            with pytest.raises(InputError):
                run(book, NURSING, {id: score})


def everything(book: Rulebook, place: int) -> dict[str, Any]:
    return {id: values[place] for items in nursing_items(book).values() for id, values in items.items()}


def test_nursing_need_counts_the_syndromes_answered_yes(book: Rulebook) -> None:
    """T-N1: not the number of answers."""
    syndromes = list(nursing_items(book)["syndromes"])
    for count in range(len(syndromes) + 1):
        answers = {**everything(book, 0), **dict.fromkeys(syndromes[:count], "yes")}
        assert run(book, NURSING, answers)["scores"]["syndrome_count"] == count


@pytest.mark.parametrize("place", [0, -1])
def test_nursing_need_computes_no_level_and_says_why(book: Rulebook, place: int) -> None:
    """T-N2."""
    result = run(book, NURSING, everything(book, place))
    assert result["complete"] is True
    assert result["grade"] is None and result["preliminary"] is None and "bounds" not in result
    assert result["not_computed"] == book.instruments[NURSING].not_computed
    worst = place == -1
    assert result["scores"] == {
        "adl": 60 if worst else 0,
        "mental_social": 40 if worst else 0,
        "perception_communication": 12 if worst else 0,
        "syndrome_count": 12 if worst else 0,
    }
    assert "level" not in str(result["dimensions"])


def test_nursing_need_stays_without_a_level_in_coma(book: Rulebook) -> None:
    result = run(book, NURSING, {"consciousness": 3})
    assert result["grade"] is None and result["not_computed"]


def test_nursing_need_level_typed_in_by_the_assessor_is_kept_and_shown_as_entered(book: Rulebook) -> None:
    """N48-D1."""
    for level in range(5):
        case = {"assessments": [{"instrument": NURSING, "date": DAY, "grade": {"level": level}}]}
        grade = reader(book).read(case, read_date(DAY)).grades[NURSING]
        assert (grade["level"], grade["entered"], grade["date"]) == (level, True, DAY)
        [row] = crosswalk(case, on=DAY, rules=book)["standards"]
        assert row["grade"]["level"] == level and row["entered"] is True
    with pytest.raises(InputError):
        crosswalk({"assessments": [{"instrument": NURSING, "date": DAY, "grade": {"level": 5}}]}, on=DAY, rules=book)


def test_nursing_need_answers_never_become_a_level_in_a_case(book: Rulebook) -> None:
    case = {"assessments": [{"instrument": NURSING, "date": DAY, "answers": everything(book, -1)}]}
    [row] = crosswalk(case, on=DAY, rules=book)["standards"]
    assert row["grade"] is None and "entered" not in row
