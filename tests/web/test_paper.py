"""The paper form: the same questions as the pages, without any answer, for every instrument; and keyed in later."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import CITIZEN_ID


def test_every_instrument_prints_each_of_its_items_and_options(client: Any, book: Any) -> None:
    for instrument in book.instruments.values():
        page = client.get(f"/instruments/{instrument.id}/paper")
        assert page.status_code == 200
        text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
        for dimension in instrument.dimensions:
            for item in dimension.items:
                options = instrument.ladders[item.ladder] if item.ladder else item.options
                from markupsafe import escape

                for words in (item.name, *(option.say for option in options)):
                    assert " ".join(str(escape(words["zh"])).split()) in text, (instrument.id, item.id)


def test_the_form_of_a_visit_names_the_person_and_shows_no_answer(assessor: Any) -> None:
    visit = assessor.complete()
    page = assessor.client.get(f"{visit}/paper").text
    assert "王测试" in page and assessor.stored(visit).number in page and CITIZEN_ID not in page
    assert "checked" not in page


def test_it_is_a_pdf_that_fetches_nothing(assessor: Any, monkeypatch: Any) -> None:
    import socket

    visit = assessor.start("ad8")

    def no_network(*_: Any, **__: Any) -> None:
        raise AssertionError("the paper form reached for the network")

    monkeypatch.setattr(socket, "create_connection", no_network)
    answer = assessor.client.get(f"{visit}/paper.pdf")
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF-")
    assert assessor.stored(visit).number in answer.headers["Content-Disposition"]
    assert assessor.client.get("/instruments/ad8/paper.pdf").data.startswith(b"%PDF-")


def test_without_the_printer_the_page_itself_is_printed(assessor: Any, monkeypatch: Any) -> None:
    from webapp.report import pdf

    def missing(*_: Any, **__: Any) -> bytes:
        raise pdf.NoPdf("not installed")

    monkeypatch.setattr(pdf, "render", missing)
    answer = assessor.client.get("/instruments/ad8/paper.pdf")
    assert answer.status_code == 303 and answer.location.endswith("/instruments/ad8/paper")


@pytest.mark.parametrize("path", ["/instruments/nothing/paper", "/instruments/nothing/paper.pdf"])
def test_an_unknown_instrument_is_not_found(client: Any, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_visit_keyed_in_from_paper_says_so(assessor: Any) -> None:
    answer = assessor.person(from_paper="1")
    assert answer.status_code == 303
    visit = re.match(r"/visits/[0-9a-f-]{36}", answer.location)
    assert visit and assessor.stored(visit[0]).from_paper
    plain = assessor.person()
    visit = re.match(r"/visits/[0-9a-f-]{36}", plain.location)
    assert visit and not assessor.stored(visit[0]).from_paper
