"""Finding a record again by what people say: a part of the name, the number as it is shown, the record number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import CITIZEN_ID, add_crew, logged_in

SHOWN = f"{CITIZEN_ID[:6]}********{CITIZEN_ID[14:]}"


def finds(client: Any, words: str, visit: str) -> bool:
    """Whether the page found for some words leads to the visit."""
    answer = client.post("/search", data={"words": words})
    assert answer.status_code == 200
    return visit in answer.text


@pytest.mark.parametrize(
    "words", ["王测试", "王", "测试", " 王 测试 ", CITIZEN_ID, CITIZEN_ID.lower(), SHOWN, CITIZEN_ID[14:]]
)
def test_a_record_is_found_by_a_part_of_the_name_or_the_number_as_it_is_shown(assessor: Any, words: str) -> None:
    visit = assessor.start()
    assert finds(assessor.client, words, visit)


@pytest.mark.parametrize(
    "words", ["李", "王试", SHOWN[:-1] + "9", "1" + SHOWN[1:], CITIZEN_ID[6:14], CITIZEN_ID[13:], "*", "%", "_"]
)
def test_nothing_else_is_found(assessor: Any, words: str) -> None:
    visit = assessor.start()
    assert not finds(assessor.client, words, visit)


def test_somebody_without_a_number_is_not_found_by_one(assessor: Any) -> None:
    visit = assessor.start()
    other = assessor.start(citizen_id="", name="赵无证", birth_date="1941-05-02", sex="female")
    assert finds(assessor.client, "赵", other)
    assert finds(assessor.client, SHOWN, visit) and not finds(assessor.client, SHOWN, other)


def test_parts_find_nothing_of_another_organisation(app: Any, assessor: Any, database: Any) -> None:
    visit = assessor.start()
    other = logged_in(app, add_crew(database, "另一机构", "b-").ids["main"])
    for words in ("王", SHOWN, CITIZEN_ID[14:]):
        assert finds(assessor.client, words, visit) and not finds(other, words, visit)


def test_parts_find_only_ones_own_visits_unless_all_of_the_organisations_are_ones_business(
    assessor: Any, log_in: Any
) -> None:
    visit = assessor.start()
    for words in ("王", SHOWN, CITIZEN_ID[14:]):
        assert not finds(log_in("second"), words, visit), words
        assert finds(log_in("reviewer"), words, visit), words
    assert finds(log_in("second"), "王测试", visit), "who knows the whole name knows the person"


def test_people_who_are_called_exactly_so_come_alone(assessor: Any) -> None:
    one = assessor.start(citizen_id="", name="王测", birth_date="1941-05-02", sex="female")
    longer = assessor.start()
    assert finds(assessor.client, "王测", one) and not finds(assessor.client, "王测", longer)
