"""The long-term care grade of 医保办发〔2021〕37号 and its self-screen: figures, the unconfirmed table, mistakes met elsewhere.

The figures are written out once more in plain Python, so that a slip in the rule file cannot hide behind itself.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yyassess import InputError, Rulebook, assess, determine

LTCI, SCREEN = "ltci-2021-37", "ltci-self-screen"

#: The printed scores of every item.
SCORES = {
    "adl": {
        "eating": (0, 5, 10),
        "dressing": (0, 5, 10),
        "face_mouth_care": (0, 5),
        "bowel_control": (0, 5, 10),
        "bladder_control": (0, 5, 10),
        "toilet_use": (0, 5, 10),
        "level_walking": (0, 5, 10, 15),
        "bed_chair_transfer": (0, 5, 10, 15),
        "stairs": (0, 5, 10),
        "bathing": (0, 5),
    },
    "cognition": {
        "orientation_time": (0, 1, 2, 3, 4),
        "orientation_person": (0, 1, 2, 3, 4),
        "orientation_place": (0, 1, 2, 3, 4),
        "memory": (0, 1, 2, 3, 4),
    },
    "perception_communication": {
        "vision": (0, 1, 2, 3, 4),
        "hearing": (0, 1, 2, 3, 4),
        "communication": (0, 1, 2, 3, 4),
    },
}
ITEMS = {item: scores for group in SCORES.values() for item, scores in group.items()}
BEST = {item: scores[-1] for item, scores in ITEMS.items()}

#: Row: the ADL grade; column: the worse grade of the other two.
MATRIX = ((0, 0, 1, 1), (1, 1, 1, 2), (2, 2, 2, 3), (3, 3, 4, 5))
LETTERS = (("A", "B", "B", "C"), ("B", "C", "D", "E"), ("D", "E", "E", "F"), ("E", "F", "F", "G"))


def adl_grade(total: int) -> int:
    return 0 if total == 100 else 1 if total >= 65 else 2 if total >= 45 else 3


def other_grade(total: int, most: int) -> int:
    return 0 if total == most else 1 if total >= 4 else 2 if total >= 2 else 3


def group_adding_up_to(group: str, total: int) -> dict[str, int]:
    """Answers of one group with that total, taking the highest scores that fit."""
    answers, left = {}, total
    items = SCORES[group]
    for place, (item, scores) in enumerate(items.items()):
        least = left - sum(s[-1] for s in list(items.values())[place + 1 :])
        answers[item] = min(s for s in scores if s >= least)
        left -= answers[item]
    assert left == 0
    return answers


def sheet(adl: int, cognition: int, perception: int) -> dict[str, int]:
    return {
        **group_adding_up_to("adl", adl),
        **group_adding_up_to("cognition", cognition),
        **group_adding_up_to("perception_communication", perception),
    }


def grade(answers: dict[str, Any], rules: Rulebook | None = None, **rest: Any) -> dict[str, Any]:
    return assess(LTCI, {"date": "2026-11-22", "answers": answers, **rest}, rules)


def level(adl: int, cognition: int, perception: int) -> int:
    found: int = grade(sheet(adl, cognition, perception))["grade"]["level"]
    return found


def faults(answers: dict[str, Any], **rest: Any) -> list[dict[str, Any]]:
    with pytest.raises(InputError) as caught:
        grade(answers, **rest)
    return caught.value.errors


# -- the form -----------------------------------------------------------------------------------------------
def test_there_are_17_items_in_three_domains_with_the_printed_scores(book: Rulebook) -> None:
    it = book.instruments[LTCI]
    found = {
        d.id: {i.id: tuple(o.score for o in (it.ladders[i.ladder] if i.ladder else i.options)) for i in d.items}
        for d in it.dimensions
    }
    assert found == SCORES
    assert len(ITEMS) == 17


def test_the_domains_stay_apart_and_add_up_to_100_16_and_12() -> None:
    assert grade(BEST)["scores"] == {"adl": 100, "cognition": 16, "perception_communication": 12}


def test_there_are_six_grades_of_which_three_are_severe(book: Rulebook) -> None:
    assert [(lv.level, lv.name["zh"]) for lv in book.instruments[LTCI].levels] == [
        (0, "基本正常"),
        (1, "轻度失能"),
        (2, "中度失能"),
        (3, "重度失能Ⅰ级"),
        (4, "重度失能Ⅱ级"),
        (5, "重度失能Ⅲ级"),
    ]


# -- domain grades and the table ----------------------------------------------------------------------------
@pytest.mark.parametrize("total", range(0, 101, 5))
def test_every_adl_total_has_its_printed_grade(total: int) -> None:
    result = grade(sheet(total, 16, 12))
    assert result["scores"]["adl"] == total
    assert result["dimensions"]["adl"]["level"] == adl_grade(total)


@pytest.mark.parametrize(("domain", "most"), [("cognition", 16), ("perception_communication", 12)])
def test_every_total_of_the_other_two_domains_has_its_printed_grade(domain: str, most: int) -> None:
    for total in range(most + 1):
        result = grade({**BEST, **group_adding_up_to(domain, total)})
        assert result["scores"][domain] == total
        assert result["dimensions"][domain]["level"] == other_grade(total, most)


@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("column", range(4))
def test_all_16_cells_of_the_combination_table(row: int, column: int) -> None:
    adl = (100, 65, 45, 0)[row]
    cognition, perception = ((16, 4, 2, 0)[column], (12, 4, 2, 0)[column])
    assert level(adl, cognition, 12) == MATRIX[row][column]
    assert level(adl, 16, perception) == MATRIX[row][column]
    assert level(adl, cognition, perception) == MATRIX[row][column]


@pytest.mark.parametrize(
    ("adl", "cognition", "perception", "expected"),
    [
        (100, 16, 12, 0),
        (100, 4, 12, 0),
        (100, 3, 12, 1),
        (100, 16, 1, 1),
        (95, 16, 12, 1),
        (65, 1, 12, 2),
        (65, 2, 12, 1),
        (60, 16, 12, 2),
        (45, 16, 12, 2),
        (45, 2, 2, 2),
        (45, 1, 12, 3),
        (40, 16, 12, 3),
        (40, 4, 4, 3),
        (40, 3, 12, 4),
        (40, 12, 3, 4),
        (40, 1, 12, 5),
        (0, 0, 0, 5),
        (100, 15, 12, 0),
        (60, 4, 12, 2),
        (40, 15, 12, 3),
        (40, 16, 3, 4),
        (0, 1, 12, 5),
    ],
)
def test_the_boundary_vectors(adl: int, cognition: int, perception: int, expected: int) -> None:
    assert level(adl, cognition, perception) == expected


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_library_grades_everybody_as_the_plain_reading_does(seed: int) -> None:
    rng = random.Random(seed)
    leaning = rng.random()
    answers = {i: scores[-1] if rng.random() < leaning else rng.choice(scores) for i, scores in ITEMS.items()}
    sums = {domain: sum(answers[i] for i in items) for domain, items in SCORES.items()}
    worse = max(other_grade(sums["cognition"], 16), other_grade(sums["perception_communication"], 12))
    result = grade(answers)
    assert result["scores"] == sums
    assert result["grade"]["level"] == MATRIX[adl_grade(sums["adl"])][worse]
    assert result["unconfirmed"] == {"zh": "未核对", "en": "Unconfirmed"}
    assert result["official_output"]["blocked"] is True


def test_grades_3_to_5_need_severe_adl_or_moderate_adl_with_a_severe_other() -> None:
    for row, cells in enumerate(MATRIX):
        for column, cell in enumerate(cells):
            assert (cell >= 3) is (row == 3 or (row == 2 and column == 3))


# -- unconfirmed until a named person has checked the 16 cells ----------------------------------------------
@pytest.fixture
def released(tmp_path: Path) -> Rulebook:
    """The shipped rules in a deployment that has released official output."""
    folder = tmp_path / "deployment"
    folder.mkdir()
    (folder / "settings.yaml").write_text(f"settings:\n  {LTCI}: {{official_output: released}}\n", encoding="utf-8")
    return Rulebook.load(folder)


def test_every_cell_of_the_table_says_recall_and_names_the_decision(book: Rulebook) -> None:
    [table] = [s for s in book.instruments[LTCI].steps if s.kind == "matrix"]
    assert table.cells == MATRIX
    assert (table.status, table.evidence.mark, table.decision) == ("unconfirmed", "recall", "LTCI-D1")
    assert table.confirmed_by is None


@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("column", range(4))
def test_a_grade_from_the_table_is_always_marked_and_official_output_is_blocked(row: int, column: int) -> None:
    result = grade(sheet((100, 65, 45, 0)[row], (16, 4, 2, 0)[column], 12))
    assert result["evidence"] == "recall"
    assert result["unconfirmed"]["zh"] == "未核对"
    assert result["official_output"]["blocked"] is True
    assert "LTCI-D1" in [d["id"] for d in result["decisions"]]
    [step] = [e for e in result["trace"] if e["step"] == "combination"]
    assert step["evidence"] == "recall"


def test_a_deployment_may_release_official_output_and_the_mark_stays(released: Rulebook, book: Rulebook) -> None:
    result = grade(BEST, released)
    assert result["official_output"]["blocked"] is False
    assert result["unconfirmed"]["zh"] == "未核对"
    assert result["grade"] == grade(BEST, book)["grade"]
    assert result["ruleset"]["hash"] != grade(BEST, book)["ruleset"]["hash"]


def test_an_assessment_cannot_release_its_own_official_output(released: Rulebook) -> None:
    [fault] = faults(BEST, settings={"official_output": "released"})
    assert fault["where"] == "settings.official_output"
    assert fault["allowed"] == ["blocked"]
    assert grade(BEST, settings={"official_output": "blocked"})["official_output"]["blocked"] is True
    assert grade(BEST, released, settings={"official_output": "released"})["official_output"]["blocked"] is False


def test_the_mark_travels_with_the_grade_into_a_determination() -> None:
    case = {"assessments": [{"instrument": LTCI, "date": "2026-10-01", "answers": sheet(0, 0, 0)}]}
    found = determine(case, place="national", on="2026-11-22")["grades"][LTCI]
    assert found["level"] == 5
    assert found["unconfirmed"]["zh"] == "未核对"
    assert found["official_output"]["blocked"] is True


def test_a_grade_typed_in_from_a_signed_conclusion_is_not_touched_by_the_switch() -> None:
    case = {"assessments": [{"instrument": LTCI, "date": "2026-10-01", "grade": {"level": 5}}]}
    found = determine(case, place="national", on="2026-11-22")["grades"][LTCI]
    assert found["level"] == 5 and found["entered"] is True
    assert "unconfirmed" not in found and "official_output" not in found


# -- mistakes met elsewhere ---------------------------------------------------------------------------------
def test_l1_the_form_of_another_standard_is_refused() -> None:
    other = {"consciousness": 2, "grooming": 5, "money_management": 1}
    assert [f["where"] for f in faults({**BEST, **other})] == [f"answers.{i}" for i in other]


def test_l2_adl_45_is_moderate_and_40_is_the_highest_severe() -> None:
    assert level(45, 16, 12) == 2
    assert level(40, 16, 12) == 3


def test_lb1_there_is_no_band_on_one_total() -> None:
    assert level(90, 16, 12) == level(70, 16, 12) == 1


def test_lb2_no_grand_total_exists() -> None:
    result = grade(BEST)
    assert "total" not in result["scores"]
    assert set(result["scores"]) == set(SCORES)


def test_lb3_no_step_is_without_a_mark_and_no_figure_without_a_source(book: Rulebook) -> None:
    it = book.instruments[LTCI]
    assert all(step.evidence.mark != "unknown" for step in it.steps)
    assert it.source.document == LTCI


def test_lb4_the_grade_is_no_mean_of_the_domain_grades() -> None:
    assert level(40, 16, 12) == 3
    assert level(100, 16, 1) == 1


@pytest.mark.parametrize("key", ["total", "total_score", "adl", "level", "living_ability"])
def test_lb5_a_total_of_the_client_or_an_unknown_domain_is_refused(key: str) -> None:
    assert [f["where"] for f in faults({**BEST, key: 72})] == [f"answers.{key}"]


def test_l3_two_years_are_an_upper_limit_not_a_term(book: Rulebook) -> None:
    text = book.instruments[LTCI].reassess
    assert text is not None
    assert "最长2年" in text["zh"] and "上限" in text["zh"]


def test_orientation_is_asked_for_time_person_place_here(book: Rulebook) -> None:
    [cognition] = [d for d in book.instruments[LTCI].dimensions if d.id == "cognition"]
    assert [i.id for i in cognition.items] == ["orientation_time", "orientation_person", "orientation_place", "memory"]


@pytest.mark.parametrize("item", ITEMS)
def test_a_score_that_is_not_printed_is_refused(item: str) -> None:
    between = [n for n in range(-1, ITEMS[item][-1] + 2) if n not in ITEMS[item]]
    for score in between:
        [fault] = faults({**BEST, item: score})
        assert (fault["where"], tuple(sorted(fault["allowed"]))) == (f"answers.{item}", ITEMS[item])


def test_a_missing_item_leaves_no_grade_but_says_which_are_possible() -> None:
    answers = {i: s for i, s in sheet(40, 16, 12).items() if i != "memory"}
    result = grade(answers)
    assert result["grade"] is None and result["complete"] is False
    assert result["missing"] == ["memory"]
    assert result["bounds"] == {"best": 3, "worst": 3}
    assert result["scores"] == {"adl": 40, "cognition": None, "perception_communication": 12}


# -- the self-screen ----------------------------------------------------------------------------------------
A_CLASS = ("a_eating", "a_continence", "a_bathing")
B_CLASS = ("b_dressing", "b_toilet_use", "b_transfer")


def screened(a: list[str], b: list[str]) -> dict[str, Any]:
    answers = dict(zip((*A_CLASS, *B_CLASS), (*a, *b), strict=True))
    return assess(SCREEN, {"date": "2026-11-22", "answers": answers})


@pytest.mark.parametrize("a", range(4))
@pytest.mark.parametrize("b", range(4))
@pytest.mark.parametrize("rest", ["independent", "partial"])
def test_all_16_cells_of_the_self_screen(a: int, b: int, rest: str) -> None:
    result = screened(["dependent"] * a + [rest] * (3 - a), ["dependent"] * b + [rest] * (3 - b))
    assert result["grade"]["name"]["zh"] == LETTERS[a][b]
    assert result["scores"] == {"a": a, "b": b}


@settings(deadline=None)
@given(st.lists(st.sampled_from(("independent", "partial", "dependent")), min_size=6, max_size=6))
def test_l5_only_dependent_counts_and_only_how_often(answers: list[str]) -> None:
    a, b = answers[:3].count("dependent"), answers[3:].count("dependent")
    assert screened(answers[:3], answers[3:])["grade"]["code"] == LETTERS[a][b].lower()


def test_only_e_f_and_g_may_apply_for_the_assessment(book: Rulebook) -> None:
    advice = {lv.name["en"]: lv.advice["zh"] for lv in book.instruments[SCREEN].levels}  # type: ignore[index]
    assert {letter for letter, words in advice.items() if words == "可以申请失能等级评估"} == {"E", "F", "G"}


def test_the_self_screen_gives_no_disability_grade() -> None:
    case = {"assessments": [{"instrument": SCREEN, "date": "2026-10-01", "code": "g"}]}
    assert list(determine(case, place="national", on="2026-11-22")["grades"]) == [SCREEN]
