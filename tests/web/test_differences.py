"""This visit beside the one before: what changed, what stayed, and for whom it can be seen."""

from __future__ import annotations

from typing import Any

import pytest

GBT = "gbt-42195-2022"


@pytest.fixture
def pair(assessor: Any) -> tuple[str, str]:
    """A finished visit and the complete draft made after it."""
    old = assessor.complete(bathing=3)
    assessor.finish(old)
    data = {"occasion": "change", "reason": "上月摔了一跤"}
    new = assessor.client.post(f"{old}/again", data=data).location.removesuffix("/person")
    assessor.fill(new, bathing=0, stairs=0)
    assessor.context(new, **{"care_risk_events.fall": "once"})
    return old, new


def test_changed_answers_stand_side_by_side_and_the_rest_is_folded(assessor: Any, pair: tuple[str, str]) -> None:
    page = assessor.client.get(f"{pair[1]}/differences").text
    changed, same = page.split("<details", 1)
    assert "上月摔了一跤" in changed
    for name in ("洗澡", "上下楼梯"):
        assert name in changed, name
    assert "进食" not in changed and "进食" in same
    assert assessor.stored(pair[0]).number in changed and assessor.stored(pair[1]).number in changed


def test_scores_and_grades_of_both_are_shown(assessor: Any, pair: tuple[str, str]) -> None:
    page = assessor.client.get(f"{pair[1]}/differences").text
    old = assessor.stored(pair[0]).assessments[0].result
    for part in old["dimensions"].values():
        assert f"<b>{part['score']}</b> / {part['max']}" in page
    assert old["grade"]["name"]["zh"] in page


def test_a_first_visit_has_no_differences_page(assessor: Any, pair: tuple[str, str]) -> None:
    assert assessor.client.get(f"{pair[0]}/differences").location == f"{pair[0]}/result"
    assert f"{pair[0]}/differences" not in assessor.client.get(f"{pair[0]}/result").text
    assert f"{pair[1]}/differences" in assessor.client.get(f"{pair[1]}/result").text


def test_another_organisation_sees_no_differences(assessor: Any, pair: tuple[str, str], stranger: Any) -> None:
    client = stranger("main")
    assert client.get(f"{pair[1]}/differences").status_code == 404
    assert client.get(f"{pair[0]}/again").status_code == 404
    assert client.post(f"{pair[0]}/again", data={"occasion": "regular"}).status_code == 404


def test_a_draft_is_not_made_again(assessor: Any) -> None:
    visit = assessor.start()
    assert assessor.client.get(f"{visit}/again").location == f"{visit}/result"
    assert assessor.client.post(f"{visit}/again", data={"occasion": "regular"}).location == f"{visit}/result"
    assert assessor.client.get("/").text.count('class="card"') == 1


def test_an_occasion_other_than_the_regular_one_needs_words(assessor: Any, pair: tuple[str, str]) -> None:
    for data in (
        {"occasion": "change"},
        {"occasion": "whim", "reason": "x"},
        {"occasion": "change", "reason": "长" * 2001},
    ):
        assert assessor.client.post(f"{pair[0]}/again", data=data).status_code == 422
