"""The pictures and the order of a result page."""

from __future__ import annotations

import re
from typing import Any

from webapp.report.pictures import grade_bar, radar
from webapp.report.view import by_status, to_ask

GBT = "gbt-42195-2022"
WORDS = {"zh": "甲", "en": "A"}


def test_the_bar_has_a_part_for_each_grade_and_marks_one() -> None:
    bar = grade_bar([(n, WORDS) for n in range(5)], 2, None)
    assert [s.level for s in bar if s.here] == [2]
    assert bar[0].x == 0 and abs(bar[-1].x + bar[-1].width - 340) < 0.5
    assert [s.tone for s in bar] == sorted(s.tone for s in bar) and bar[-1].tone == 5


def test_the_bar_marks_what_is_still_possible() -> None:
    bar = grade_bar([(n, WORDS) for n in range(5)], None, {"best": 1, "worst": 3})
    assert [s.level for s in bar if s.possible] == [1, 2, 3] and not any(s.here for s in bar)


def test_the_radar_reaches_out_with_the_score() -> None:
    axes = radar([(WORDS, 10, 10), (WORDS, 0, 10), (WORDS, 5, 10), (WORDS, 10, 10)])
    assert [a.share for a in axes] == [1, 0, 0.5, 1]
    assert (axes[0].x, axes[0].y) == (axes[0].end_x, axes[0].end_y)
    assert (axes[1].x, axes[1].y) == (150, 150)


def test_there_is_no_radar_without_all_scores_or_with_two_axes() -> None:
    assert radar([(WORDS, 1, 2), (WORDS, None, 2), (WORDS, 1, 2)]) == []
    assert radar([(WORDS, 1, 2), (WORDS, 1, 2)]) == []


def test_pictures_say_in_words_and_table_what_they_show(assessor: Any) -> None:
    visit = assessor.complete(bathing=2)
    page = assessor.client.get(f"{visit}/result").text
    for picture in re.findall(r"<svg.*?</svg>", page, re.S):
        assert 'role="img"' in picture and "<title" in picture and "<desc" in picture
        assert "style=" not in picture
    assert "自理能力" in page and re.search(r"<b>30</b> / 32", page) and re.search(r"<b>88</b> / 90", page)


def outcome(id: str, status: str, standing: str = "in_force", ask: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "programme": id,
        "name": WORDS,
        "status": status,
        "standing": standing,
        "criteria": [],
        "ask": [{"fact": f, "say": WORDS, "type": "boolean"} for f in ask],
    }


def test_good_news_comes_first_and_announced_help_stands_apart() -> None:
    found = by_status(
        {
            "outcomes": [
                outcome("a", "ineligible"),
                outcome("b", "eligible", "announced"),
                outcome("c", "unknown"),
                outcome("d", "eligible"),
            ]
        }
    )
    assert [(status, [o["programme"] for o in o_]) for status, o_ in found] == [
        ("eligible", ["d"]),
        ("announced", ["b"]),
        ("unknown", ["c"]),
        ("ineligible", ["a"]),
    ]


def test_facts_that_settle_most_are_asked_first() -> None:
    asked = to_ask({"outcomes": [outcome("a", "unknown", ask=("x", "y")), outcome("b", "unknown", ask=("y",))]})
    assert [a.fact for a in asked] == ["y", "x"]


def test_why_names_the_change_rule_with_clause_and_evidence(assessor: Any) -> None:
    visit = assessor.complete(bathing=2)
    assessor.context(visit, **{"diagnoses": ["dementia"], "care_risk_events.fall": "twice"})
    page = assessor.client.get(f"{visit}/result").text
    assert "初步等级" in page and "最终等级" in page and "2 级" in page
    assert "确诊痴呆" in page and "C.4" in page and "GB-D1" in page
