"""Every instrument of the rulebook is filled in and graded through the pages, and a new YAML file shows up by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from webapp import Settings
from yyassess import Rulebook

INSTRUMENTS = sorted(Rulebook.load().instruments)


@pytest.mark.parametrize("id", INSTRUMENTS)
def test_it_can_be_filled_in_from_its_pages_alone(assessor: Any, book: Rulebook, id: str) -> None:
    instrument = book.instruments[id]
    visit = assessor.start(id)
    where, seen = f"{visit}/{id}/items/{instrument.dimensions[0].id}", []
    for _ in range(40):
        page = assessor.client.get(where)
        assert page.status_code == 200
        if where.endswith("/check"):
            break
        seen.append(where.rsplit("/", 1)[1])
        data: dict[str, str] = {}
        for name, value in re.findall(r'<input type="(?:radio|checkbox)" name="([^"]+)" value="([^"]*)"', page.text):
            if value:
                data.setdefault(name, value)
        for name in re.findall(r'class="field field_number"[^>]*name="([^"]+)"', page.text):
            data[name] = "1" if name.startswith("item.") else ""
        for name, low in re.findall(
            r'name="(fact\.[^"]+)"[^>]*>\s*<span class="field-row__unit">[^<(（]*[(（](\d+)', page.text
        ):
            data[name] = low
        answer = assessor.client.post(where, data=data)
        assert answer.status_code == 303, re.findall(r'class="q__error".*', answer.text)
        where = answer.location
    assert [d.id for d in instrument.dimensions] == seen[: len(instrument.dimensions)]
    stored = assessor.stored(visit).assessments[0]
    asked = {i.id for d in instrument.dimensions for i in d.items if not i.applies_when}
    assert asked <= set(stored.answers)
    result = assessor.client.get(f"{visit}/result")
    assert result.status_code == 200 and instrument.name["zh"] in result.text
    assert "没填完" not in assessor.client.get(f"{visit}/check").text
    if f"{visit}/submit" in result.text:
        assessor.finish(visit)
        assert assessor.client.get(f"{visit}/result").status_code == 200


@pytest.mark.parametrize("id", [i for i in INSTRUMENTS if Rulebook.load().instruments[i].licence.items == "withheld"])
def test_a_withheld_form_says_who_owns_it(assessor: Any, book: Rulebook, id: str) -> None:
    visit = assessor.start(id)
    instrument = book.instruments[id]
    page = assessor.client.get(f"{visit}/{id}/items/{instrument.dimensions[0].id}").text
    assert str(instrument.licence.owner["zh"]) in page


def test_a_new_yaml_file_is_a_new_form(
    make_app: Callable[..., Flask], settings: Settings, rules: Any, signed_in: Callable[..., Any]
) -> None:
    client = signed_in(make_app(settings, rules.load()))
    page = client.get("/visits/new").text
    found = re.search(r'name="visit" value="([^"]+)"', page)
    assert found
    data = {"visit": found[1], "name": "甲", "birth_date": "1940-01-01", "sex": "male"}
    data |= {"place": "city", "visited_on": "2026-11-22"}
    visit = client.post("/visits/new", data=data).location.removesuffix("/consents")
    assert "小量表" in client.get(f"{visit}/instruments").text
    where = client.post(f"{visit}/instruments", data={"instrument": "scale"}).location
    where = client.post(where, data={"item.eating": "2", "item.walking": "0"}).location
    where = client.post(where, data={"fact.coma": "no"}).location
    assert where.endswith("/check")
    assert "1 级" in client.get(f"{visit}/result").text
    assert client.post(f"{visit}/submit").status_code == 303
