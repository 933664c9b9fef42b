"""MZ/T 039-2013: all 256 cells of the decision table and all 400 perception combinations against the printed rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from yyassess import InputError, Rulebook, assess
from yyassess.assessment.scoring import scorer

ID = "mzt-039-2013"
DAY = "2026-11-22"

ADL = {
    "eating": (10, 5, 0),
    "bathing": (5, 0),
    "grooming": (5, 0),
    "dressing": (10, 5, 0),
    "bowel_control": (10, 5, 0),
    "bladder_control": (10, 5, 0),
    "toileting": (10, 5, 0),
    "bed_chair_transfer": (15, 10, 5, 0),
    "level_walking": (15, 10, 5, 0),
    "stairs": (10, 5, 0),
}
MENTAL = {"cognition": (0, 1, 2), "aggression": (0, 1, 2), "depressive_symptoms": (0, 1, 2)}
PERCEPTION = {"consciousness": range(4), "vision": range(5), "hearing": range(5), "communication": range(4)}
SOCIAL = {
    "living_ability": range(5),
    "work_ability": range(5),
    "orientation_time_place": range(5),
    "orientation_person": range(5),
    "social_contact": range(5),
}
BEST: dict[str, int] = {
    **{id: scores[0] for id, scores in ADL.items()},
    **dict.fromkeys([*MENTAL, *PERCEPTION, *SOCIAL], 0),
}

#: Answers that give each grade of a domain.
ADL_GRADE: tuple[dict[str, int], ...] = (
    {},
    {"bathing": 0},
    {"level_walking": 0, "bed_chair_transfer": 0, "bathing": 0, "grooming": 0},
    {"level_walking": 0, "bed_chair_transfer": 0, "bathing": 0, "grooming": 0, "dressing": 0, "eating": 0},
)
MENTAL_GRADE: tuple[dict[str, int], ...] = (
    {},
    {"aggression": 1},
    {"aggression": 2},
    {"aggression": 2, "cognition": 1, "depressive_symptoms": 1},
)
PERCEPTION_GRADE: tuple[dict[str, int], ...] = ({}, {"vision": 2}, {"hearing": 3}, {"communication": 3})
SOCIAL_GRADE: tuple[dict[str, int], ...] = (
    {},
    {"living_ability": 3},
    {"living_ability": 4, "work_ability": 4},
    {"living_ability": 4, "work_ability": 4, "social_contact": 4, "orientation_person": 2},
)
Cell = tuple[int, int, int, int]
CELLS: list[Cell] = list(product(range(4), repeat=4))  # type: ignore[arg-type]


def answers_of(cell: Cell) -> dict[str, int]:
    adl, mental, perception, social = cell
    return {
        **BEST,
        **ADL_GRADE[adl],
        **MENTAL_GRADE[mental],
        **PERCEPTION_GRADE[perception],
        **SOCIAL_GRADE[social],
    }


def grade(book: Rulebook, answers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return assess(ID, {"date": DAY, "answers": answers, **rest}, book)


def decisions(result: dict[str, Any]) -> set[str]:
    return {d["id"] for d in result["decisions"]}


# -- Table 6 and Annex D, row by row as printed ---------------------------------------------------------------
def matching(cell: Cell) -> set[int]:
    """Every level of Table 6 whose row fits a cell: none, one or two."""
    adl, mental, perception, social = cell
    three = (mental, perception, social)
    found = set()
    if adl == 0 and mental == 0 and perception == 0 and social in (0, 1):
        found.add(0)
    if adl == 0 and (mental >= 1 or perception >= 1 or social == 2):
        found.add(1)
    if adl == 1 and any(grade in (0, 1) for grade in three):
        found.add(1)
    if adl == 1 and (three == (2, 2, 2) or 3 in three):
        found.add(2)
    if adl == 2 and 1 <= sum(grade in (1, 2) for grade in three) <= 2:
        found.add(2)
    if adl == 2 and (three == (2, 2, 2) or 3 in three):
        found.add(3)
    if adl == 3:
        found.add(3)
    return found


def by_the_rows(cell: Cell) -> int:
    """The worst row of Table 6 that fits; for the cells it leaves out the card of Annex D (mild; moderate)."""
    found = matching(cell)
    return max(found) if found else {0: 1, 2: 2}[cell[0]]


def as_a_function(cell: Cell) -> int:
    """The reading the project takes, in closed form."""
    adl, mental, perception, social = cell
    three = (mental, perception, social)
    if adl == 0:
        return 0 if mental == 0 and perception == 0 and social <= 1 else 1
    if adl in (1, 2):
        return adl + 1 if three == (2, 2, 2) or 3 in three else adl
    return 3


GAPS: set[Cell] = {
    (0, 0, 0, 3),
    (2, 0, 0, 0),
    (2, 1, 1, 1),
    (2, 1, 1, 2),
    (2, 1, 2, 1),
    (2, 1, 2, 2),
    (2, 2, 1, 1),
    (2, 2, 1, 2),
    (2, 2, 2, 1),
}


def test_table_6_is_no_function_and_the_gaps_and_overlaps_are_those_of_the_sheet() -> None:
    many = Counter(len(matching(cell)) for cell in CELLS)
    assert many == {1: 187, 2: 60, 0: 9}
    assert {cell for cell in CELLS if not matching(cell)} == GAPS
    assert Counter(cell[0] for cell in CELLS if len(matching(cell)) == 2) == {1: 30, 2: 30}


def test_every_cell_has_a_level_the_worst_row_that_fits_or_annex_d(book: Rulebook) -> None:
    """T-M1: no cell is left without an answer."""
    levels: Counter[int] = Counter()
    by_adl: Counter[tuple[int, int]] = Counter()
    for cell in CELLS:
        result = grade(book, answers_of(cell))
        dimensions = [part["level"] for part in result["dimensions"].values()]
        assert dimensions == list(cell)
        level = result["grade"]["level"]
        assert level == by_the_rows(cell) == as_a_function(cell), cell
        assert result["complete"] and result["preliminary"]["level"] == level and result["adjustments"] == []
        levels[level] += 1
        by_adl[cell[0], level] += 1
    assert levels == {0: 2, 1: 88, 2: 64, 3: 102}
    assert by_adl == {(0, 0): 2, (0, 1): 62, (1, 1): 26, (1, 2): 38, (2, 2): 26, (2, 3): 38, (3, 3): 64}


def test_open_and_missing_cells_are_flagged_and_no_others(book: Rulebook) -> None:
    """T-M7: the 30 cells where two levels match say so; the cells that Annex D closes say so too."""
    for cell in CELLS:
        found = decisions(grade(book, answers_of(cell)))
        open_cell = cell[0] == 1 and len(matching(cell)) == 2
        assert ("MZ-D4" in found) is open_cell, cell
        closed = cell in GAPS or (cell[0] == 2 and len(matching(cell)) == 2)
        assert ("MZ-D3" in found) is closed, cell


def test_the_open_cells_may_be_read_in_the_order_of_the_text_and_nothing_else_changes(book: Rulebook) -> None:
    for cell in CELLS:
        result = grade(book, answers_of(cell), settings={"open_cells": "text_order"})
        open_cell = cell[0] == 1 and len(matching(cell)) == 2
        assert result["grade"]["level"] == (1 if open_cell else as_a_function(cell)), cell
        assert ("MZ-D4" in decisions(result)) is open_cell


def test_a_worse_grade_of_any_domain_never_gives_a_better_level(book: Rulebook) -> None:
    level = {cell: grade(book, answers_of(cell))["grade"]["level"] for cell in CELLS}
    for cell in CELLS:
        for place, value in enumerate(cell):
            if value < 3:
                worse = (*cell[:place], value + 1, *cell[place + 1 :])
                assert level[worse] >= level[cell], (cell, worse)  # type: ignore[index]


@pytest.mark.parametrize(
    ("cell", "level", "flagged"),
    [
        ((0, 0, 0, 1), 0, False),
        ((0, 0, 0, 2), 1, False),
        ((0, 0, 0, 3), 1, False),
        ((1, 2, 2, 2), 2, False),
        ((1, 2, 2, 3), 2, False),
        ((1, 0, 0, 3), 2, True),
        ((2, 0, 0, 0), 2, False),
        ((2, 1, 1, 1), 2, False),
        ((2, 2, 2, 2), 3, False),
        ((2, 0, 0, 3), 3, False),  # T-M3
        ((3, 0, 0, 0), 3, False),
        ((1, 1, 1, 1), 1, False),  # T-M4
    ],
)
def test_the_vectors_of_the_table(book: Rulebook, cell: Cell, level: int, flagged: bool) -> None:
    result = grade(book, answers_of(cell))
    assert result["grade"]["level"] == level
    assert ("MZ-D4" in decisions(result)) is flagged


def test_social_2_is_still_intact(book: Rulebook) -> None:
    result = grade(book, {**BEST, "living_ability": 2})
    assert result["scores"] == {"adl": 100, "mental_state": 0, "social_participation": 2}
    assert [part["level"] for part in result["dimensions"].values()] == [0, 0, 0, 0]
    assert result["grade"]["level"] == 0


def test_there_is_no_grand_total(book: Rulebook) -> None:
    result = grade(book, BEST)
    assert set(result["scores"]) == {"adl", "mental_state", "social_participation"}
    assert "score" not in result["dimensions"]["perception_communication"]


# -- the perception table, row by row as printed --------------------------------------------------------------
def rows_of(consciousness: int, vision: int, hearing: int, communication: int) -> set[int]:
    """The rows of the perception table that fit, as printed."""
    alert, drowsy = consciousness == 0, consciousness == 1
    found = set()
    if alert and vision <= 1 and hearing <= 1 and communication == 0:
        found.add(0)
    if alert and (vision == 2 or hearing == 2 or communication == 1):
        found.add(1)
    if alert and (vision == 3 or hearing == 3 or communication == 2):
        found.add(2)
    if drowsy and vision <= 3 and hearing <= 3 and communication <= 2:
        found.add(2)
    if (alert or drowsy) and (vision == 4 or hearing == 4 or communication == 3):
        found.add(3)
    if consciousness >= 2:
        found.add(3)
    return found


def combinations() -> Iterator[dict[str, int]]:
    for values in product(*PERCEPTION.values()):
        yield dict(zip(PERCEPTION, values, strict=True))


def test_the_perception_rows_have_no_gap_and_overlap_as_the_sheet_counts() -> None:
    assert Counter(len(rows_of(**c)) for c in combinations()) == {1: 346, 2: 48, 3: 6}


def test_all_400_perception_combinations_take_the_worst_row(book: Rulebook) -> None:
    """T-M2."""
    step = dict(scorer(book, ID).steps)["perception_communication_level"]
    grades: Counter[int] = Counter()
    for combination in combinations():
        found = step(dict(combination), dict(combination))
        assert found == max(rows_of(**combination)), combination
        grades[found] += 1
    assert grades == {0: 4, 1: 14, 2: 78, 3: 304}


def test_the_result_names_the_overlap_exactly_where_several_rows_fit(book: Rulebook) -> None:
    for combination in combinations():
        result = grade(book, {**BEST, **combination})
        if combination["consciousness"] == 3:
            assert result["grade"]["level"] == 3 and result["dimensions"] == {}
            continue
        assert result["dimensions"]["perception_communication"]["level"] == max(rows_of(**combination))
        assert ("MZ-D1" in decisions(result)) is (len(rows_of(**combination)) > 1), combination


@pytest.mark.parametrize(
    ("combination", "expected"),
    [
        ({"vision": 2, "hearing": 3, "communication": 1}, 2),
        ({"consciousness": 1}, 2),
        ({"vision": 4}, 3),
        ({"hearing": 4}, 3),
        ({"vision": 4, "hearing": 0}, 3),
    ],
)
def test_the_perception_vectors(book: Rulebook, combination: dict[str, int], expected: int) -> None:
    result = grade(book, {**BEST, **combination})
    assert result["dimensions"]["perception_communication"]["level"] == expected


# -- sums and bands -------------------------------------------------------------------------------------------
def totals(items: dict[str, Any]) -> dict[int, dict[str, int]]:
    """Every sum some items can reach, each with answers that reach it."""
    found: dict[int, dict[str, int]] = {0: {}}
    for id, scores in items.items():
        found = {total + score: {**answers, id: score} for total, answers in found.items() for score in scores}
    return found


def test_every_adl_sum_from_0_to_100_in_steps_of_5(book: Rulebook) -> None:
    reached = totals(ADL)
    assert set(reached) == set(range(0, 101, 5))
    for total, answers in reached.items():
        expected = 0 if total == 100 else 1 if total >= 65 else 2 if total >= 45 else 3
        result = grade(book, {**BEST, **answers})
        part = result["dimensions"]["adl"]
        assert (part["score"], part["max"], part["level"]) == (total, 100, expected)


def test_every_mental_sum(book: Rulebook) -> None:
    assert set(totals(MENTAL)) == set(range(7))
    for total, answers in totals(MENTAL).items():
        expected = 0 if total == 0 else 1 if total == 1 else 2 if total <= 3 else 3
        part = grade(book, {**BEST, **answers})["dimensions"]["mental_state"]
        assert (part["score"], part["max"], part["level"]) == (total, 6, expected)


def test_every_social_sum(book: Rulebook) -> None:
    assert set(totals(SOCIAL)) == set(range(21))
    for total, answers in totals(SOCIAL).items():
        expected = 0 if total <= 2 else 1 if total <= 7 else 2 if total <= 13 else 3
        part = grade(book, {**BEST, **answers})["dimensions"]["social_participation"]
        assert (part["score"], part["max"], part["level"]) == (total, 20, expected)


def test_22_items_in_four_domains_with_the_printed_scores(book: Rulebook) -> None:
    it = book.instruments[ID]
    assert [(d.id, d.code, len(d.items)) for d in it.dimensions] == [
        ("adl", "B.1", 10),
        ("mental_state", "B.2", 3),
        ("perception_communication", "B.3", 4),
        ("social_participation", "B.4", 5),
    ]
    printed = {**ADL, **MENTAL, **PERCEPTION, **SOCIAL}
    assert {i.id: sorted(o.score for o in i.options) for d in it.dimensions for i in d.items} == {
        id: sorted(scores) for id, scores in printed.items()
    }
    assert [i.code for d in it.dimensions for i in d.items] == [
        f"B.{d}.{i}" for d, count in ((1, 10), (2, 3), (3, 4), (4, 5)) for i in range(1, count + 1)
    ]


# -- level changes --------------------------------------------------------------------------------------------
MILD = {**BEST, "bathing": 0}
SEVERE = {**BEST, **ADL_GRADE[3]}


def test_two_reasons_raise_one_level_only(book: Rulebook) -> None:
    """T-M5."""
    result = grade(book, MILD, context={"mzt_dementia": "mild", "care_risk_events": {"fall": "twice"}})
    assert result["preliminary"]["level"] == 1 and result["grade"]["level"] == 2
    assert {a["id"] for a in result["adjustments"]} == {"cognitive_or_psychiatric_raise", "events_raise"}
    assert sorted(a["levels"] for a in result["adjustments"]) == [0, 1]


def test_a_severe_initial_level_stays_and_is_not_lost(book: Rulebook) -> None:
    """T-M4."""
    for context in (
        {"mzt_dementia": "severe"},
        {"mzt_mental_illness": "bipolar"},
        {"care_risk_events": {"fall": "three_or_more", "wandering": "once"}},
    ):
        result = grade(book, SEVERE, context=context)
        assert result["grade"]["level"] == 3 and result["adjustments"] == []


def test_coma_alone_is_severe_and_needs_nothing_else(book: Rulebook) -> None:
    result = grade(book, {"consciousness": 3})
    assert result["complete"] and result["grade"]["level"] == 3
    assert [a["id"] for a in result["adjustments"]] == ["coma_override"]
    assert result["missing"] == [] and result["scores"] == {}


def test_stupor_is_not_coma(book: Rulebook) -> None:
    assert grade(book, {"consciousness": 2})["complete"] is False
    assert grade(book, {**BEST, "consciousness": 2})["adjustments"] == []


TIMES = {"none": 0, "once": 1, "twice": 2, "three_or_more": 3}


def test_two_events_of_the_four_named_kinds_raise_in_sum_over_kinds(book: Rulebook) -> None:
    """T-M6: twice is enough; MZ-D5: the kinds are added; all 256 combinations."""
    kinds = ("fall", "choking", "suicide_self_harm", "wandering")
    for codes in product(TIMES, repeat=4):
        result = grade(book, MILD, context={"care_risk_events": dict(zip(kinds, codes, strict=True))})
        counted = sum(TIMES[c] for c in codes)
        assert result["grade"]["level"] == (2 if counted >= 2 else 1), codes
        only_in_sum = counted >= 2 and all(TIMES[c] < 2 for c in codes)
        assert ("MZ-D5" in decisions(result)) is only_in_sum, codes


def test_other_events_count_only_where_the_setting_says_so(book: Rulebook) -> None:
    """MZ-D6."""
    for code, count in TIMES.items():
        for fall in ("none", "once"):
            context = {"care_risk_events": {"other_event": code, "fall": fall}}
            plain = grade(book, MILD, context=context)
            counted = grade(book, MILD, context=context, settings={"count_other_events": True})
            total = count + TIMES[fall]
            assert plain["grade"]["level"] == 1
            assert counted["grade"]["level"] == (2 if total >= 2 else 1)
            assert ("MZ-D6" in decisions(plain)) is ("MZ-D6" in decisions(counted)) is (total >= 2)


@pytest.mark.parametrize("fact", ["mzt_dementia", "mzt_mental_illness"])
def test_every_diagnosis_raises_and_none_does_not(book: Rulebook, fact: str) -> None:
    """T-M6: mental illness is not forgotten."""
    for code in book.facts[fact].codes:
        result = grade(book, MILD, context={fact: code})
        assert result["grade"]["level"] == (1 if code == "none" else 2), code


def test_what_was_not_asked_is_counted_as_absent_and_said(book: Rulebook) -> None:
    result = grade(book, MILD)
    assert set(result["assumed"].values()) == {"none"}
    assert [w["id"] for w in result["warnings"]] == ["assumed"]


# -- conduct --------------------------------------------------------------------------------------------------
def test_reassessment_is_every_6_months(book: Rulebook) -> None:
    """T-M8."""
    it = book.instruments[ID]
    assert it.reassess is not None
    assert "6个月" in it.reassess["zh"] and "12" not in it.reassess["zh"]
    assert "6 months" in it.reassess["en"] and "12" not in it.reassess["en"]


def test_the_words_and_the_clock_of_this_standard(book: Rulebook) -> None:
    method = book.instruments[ID].method
    assert method is not None
    assert "10点45分" in method["zh"] and all(word in method["zh"] for word in ("苹果", "手表", "国旗"))


def test_the_form_asks_everything_of_annex_a(book: Rulebook) -> None:
    it = book.instruments[ID]
    codes = [f.code for group in it.record for f in group.facts]
    assert codes == [
        *(f"A.1.{n}" for n in (1, 2, 3)),
        *(f"A.2.{n}" for n in range(1, 13)),
        *(f"A.2.13.{n}" for n in (1, 2, 3)),
        *(f"A.2.14.{n}" for n in range(1, 6)),
        *(f"A.3.{n}" for n in range(1, 5)),
    ]
    assert len(book.facts["mzt_reason"].codes) == 4
    assert len(book.facts["mzt_living"].codes) == 8
    assert len(book.facts["mzt_medical_payment"].codes) == 8
    assert list(book.facts["mzt_dementia"].codes) == ["none", "mild", "moderate", "severe"]
    assert len(book.facts["mzt_mental_illness"].codes) == 7


def test_impaired_cognition_asks_for_a_specialist_and_suicidal_thoughts_for_help_at_once(book: Rulebook) -> None:
    found = {w["id"]: w["severity"] for w in grade(book, {**BEST, "cognition": 1})["warnings"]}
    assert found["MZ-H1"] == "hint"
    found = {w["id"]: w["severity"] for w in grade(book, {**BEST, "depressive_symptoms": 2})["warnings"]}
    assert found["MZ-H2"] == "safety"
    alone = grade(book, {"depressive_symptoms": 2})
    assert "MZ-H2" in {w["id"] for w in alone["warnings"]}


@pytest.mark.parametrize("answers", [{"bathing": 10}, {"stairs": 15}, {"cognition": 3}, {"vision": "4"}, {"eating": 7}])
def test_a_score_that_is_not_printed_is_refused(book: Rulebook, answers: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        grade(book, {**BEST, **answers})
    assert [e["where"] for e in caught.value.errors] == [f"answers.{next(iter(answers))}"]
