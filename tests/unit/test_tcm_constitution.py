"""TCM constitution, 33 questions: nine plain sums and nine results, against an oracle of its own."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest

from yyassess import InputError, Rulebook, assess

ID = "tcm-constitution-33"
QUESTIONS = [f"q{n:02}" for n in range(1, 34)]
BIASED = {
    "qi_deficiency": (2, 3, 4, 14),
    "yang_deficiency": (11, 12, 13, 29),
    "yin_deficiency": (10, 21, 26, 31),
    "phlegm_damp": (9, 16, 28, 32),
    "damp_heat": (23, 25, 27, 30),
    "blood_stasis": (19, 22, 24, 33),
    "qi_stagnation": (5, 6, 7, 8),
    "special": (15, 17, 18, 20),
}
Answers = dict[int, int]


def run(book: Rulebook, answers: Answers) -> dict[str, Any]:
    return assess(ID, {"date": "2026-11-22", "answers": {f"q{n:02}": a for n, a in answers.items()}}, book)


def sheet(first: int, rest: int, **others: int) -> Answers:
    return {1: first, **dict.fromkeys(range(2, 34), rest), **{int(k[1:]): v for k, v in others.items()}}


def oracle(answers: Answers) -> tuple[dict[str, int], dict[str, str]]:
    """Scores and results as the form has them."""
    scores = {id: sum(answers[n] for n in items) for id, items in BIASED.items()}
    results = {id: "yes" if s >= 11 else "leaning" if s >= 9 else "no" for id, s in scores.items()}
    balanced = answers[1] + sum(6 - answers[n] for n in (2, 4, 5, 13))
    if balanced >= 17 and all(s <= 8 for s in scores.values()):
        results["balanced"] = "yes"
    elif balanced >= 17 and all(s <= 10 for s in scores.values()):
        results["balanced"] = "basically-yes"
    else:
        results["balanced"] = "no"
    return {**scores, "balanced": balanced}, results


def found(result: dict[str, Any]) -> tuple[dict[str, int], dict[str, str]]:
    parts = result["results"]
    return {id: part["score"] for id, part in parts.items()}, {id: part["code"] for id, part in parts.items()}


def test_the_eight_lists_are_disjoint_and_cover_2_to_33_once(book: Rulebook) -> None:
    steps = {s.id: s for s in book.instruments[ID].steps}
    lists = {id: [int(i[1:]) for i in steps[id].items] for id in BIASED}  # type: ignore[union-attr]
    assert {id: tuple(items) for id, items in lists.items()} == BIASED
    assert sorted(n for items in lists.values() for n in items) == list(range(2, 34))
    balanced = steps["balanced"]
    assert balanced.items == ("q01",)  # type: ignore[union-attr]
    assert balanced.reverse.items == ("q02", "q04", "q05", "q13")  # type: ignore[union-attr]
    assert balanced.reverse.minuend == 6  # type: ignore[union-attr]


def test_vector_first_5_rest_1(book: Rulebook) -> None:
    scores, results = found(run(book, sheet(5, 1)))
    assert scores == {**dict.fromkeys(BIASED, 4), "balanced": 25}
    assert results == {**dict.fromkeys(BIASED, "no"), "balanced": "yes"}


def test_vector_first_4_rest_2_is_balanced(book: Rulebook) -> None:
    """TCM-D1 and T-T1: with "below 8" it would be no."""
    result = run(book, sheet(4, 2))
    scores, results = found(result)
    assert scores == {**dict.fromkeys(BIASED, 8), "balanced": 20}
    assert results == {**dict.fromkeys(BIASED, "no"), "balanced": "yes"}
    assert [d["id"] for d in result["decisions"]] == ["TCM-D1"]


def test_vector_all_3(book: Rulebook) -> None:
    scores, results = found(run(book, sheet(3, 3)))
    assert scores == {**dict.fromkeys(BIASED, 12), "balanced": 15}
    assert results == {**dict.fromkeys(BIASED, "yes"), "balanced": "no"}


@pytest.mark.parametrize("type", BIASED)
def test_every_biased_score_and_the_balanced_type_beside_it(book: Rulebook, type: str) -> None:
    """T-T2: each of the eight counts for the balanced type; T-T3: 8 is no, 9 and 10 leaning, and 10 still basically yes."""
    items = BIASED[type]
    for total in range(4, 21):
        answers = sheet(5, 1)
        rest = total - 4
        for n in sorted(items, key=lambda n: n in (2, 4, 5, 13)):  # those the balanced type reverses come last
            answers[n] += min(4, rest)
            rest -= answers[n] - 1
        scores, results = found(run(book, answers))
        assert (scores, results) == oracle(answers)
        assert scores[type] == total
        assert results[type] == ("no" if total <= 8 else "leaning" if total <= 10 else "yes")
        if scores["balanced"] >= 17:
            assert results["balanced"] == ("yes" if total <= 8 else "basically-yes" if total <= 10 else "no")


def test_the_balanced_score_every_value_of_its_five_questions(book: Rulebook) -> None:
    """T-T3 and T-T4: 2, 4, 5 and 13 reversed once, for the balanced type only; all 3,125 combinations."""
    for values in product(range(1, 6), repeat=5):
        answers = {**sheet(1, 1), **dict(zip((1, 2, 4, 5, 13), values, strict=True))}
        result = run(book, answers)
        assert found(result) == oracle(answers)
        shown = {line["step"]: line["value"] for line in result["trace"]}
        assert [shown[f"q{n:02}"] for n in (1, 2, 4, 5, 13)] == list(values)


def test_any_answers_agree_with_the_form(book: Rulebook) -> None:
    rng = random.Random(33)
    kinds = set()
    for _ in range(1500):
        low, high = rng.choice(((1, 2), (1, 3), (1, 5), (2, 3), (2, 2)))
        answers = {n: rng.randint(low, high) for n in range(1, 34)}
        answers[1] = rng.randint(1, 5)
        result = run(book, answers)
        assert found(result) == oracle(answers)
        kinds.add(result["results"]["balanced"]["code"])
        strange = {"yin_deficiency", "yang_deficiency"} <= {
            id for id, part in result["results"].items() if part["code"] == "yes"
        }
        assert ("TCM-H1" in {w["id"] for w in result["warnings"]}) is strange
        none = all(part["code"] == "no" for part in result["results"].values())
        assert ("TCM-H2" in {w["id"] for w in result["warnings"]}) is none
    assert kinds == {"yes", "basically-yes", "no"}


def test_scores_are_plain_sums(book: Rulebook) -> None:
    """T-T5: no converted scores anywhere."""
    for answers in (sheet(1, 1), sheet(5, 5)):
        scores, _ = found(run(book, answers))
        assert all(4 <= s <= 20 for id, s in scores.items() if id != "balanced")
        assert 5 <= scores["balanced"] <= 25


def test_no_blanks(book: Rulebook) -> None:
    """Without one answer the form is incomplete, and what it says already is what it says at the end."""
    full = sheet(4, 2)
    end = run(book, full)["results"]
    for n in range(1, 34):
        result = run(book, {k: v for k, v in full.items() if k != n})
        assert result["complete"] is False and result["missing"] == [f"q{n:02}"]
        said = {id: part["level"] for id, part in result["results"].items() if part["level"] is not None}
        assert all(end[id]["level"] == level for id, level in said.items()) and "balanced" not in said


def test_answers_are_1_to_5(book: Rulebook) -> None:
    for answer in (0, 6, 2.5, "3", True):
        with pytest.raises(InputError):
            run(book, {**sheet(4, 2), 7: answer})  # type: ignore[dict-item]


def anchors(book: Rulebook, id: str) -> list[str]:
    items = {i.id: i for d in book.instruments[ID].dimensions for i in d.items}
    options = sorted(items[id].options, key=lambda o: o.score or 0)
    assert [o.score for o in options] == [1, 2, 3, 4, 5]
    return [o.say["zh"] for o in options]


def test_the_anchors_of_weight_waist_and_allergy(book: Rulebook) -> None:
    """T-T6: 91-105 cm, not 1-105."""
    weight, waist = anchors(book, "q09"), anchors(book, "q28")
    edges = ("低于24", "24到不足25", "25到不足26", "26到不足28", "28及以上")
    assert all(edge in text for edge, text in zip(edges, weight, strict=True))
    edges = ("不到80", "80-85", "86-90", "91-105", "超过105")
    assert all(edge in text for edge, text in zip(edges, waist, strict=True))
    assert "1-2次" in anchors(book, "q17")[1] and "5-6次" in anchors(book, "q17")[3]


def test_seven_colds_a_year_are_left_to_the_assessor(book: Rulebook) -> None:
    """T-T7 and TCM-D2."""
    colds = anchors(book, "q14")
    assert "5-6" in colds[2] and "8次" in colds[3] and not any("7" in text for text in colds)
    item = next(i for d in book.instruments[ID].dimensions for i in d.items if i.id == "q14")
    assert item.disagreement is not None and "7" in item.disagreement["zh"]
    assert "TCM-D2" in {d.id for d in book.instruments[ID].decisions}
