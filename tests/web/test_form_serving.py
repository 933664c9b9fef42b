"""The first start: the demo, the address, the port."""

from __future__ import annotations

import re
import socket
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from webapp import PortTaken, Settings
from webapp.people.citizen_id import read_citizen_id
from webapp.serving import make
from webapp.storage import accounts, visits
from yyassess import UnknownName


def test_the_first_start_has_one_fictional_person_with_a_finished_record_and_a_draft(
    make_app: Callable[..., Flask], settings: Settings
) -> None:
    app = make_app(replace(settings, demo=True))
    database = app.extensions["yyassess"].database
    with database.reading() as session:
        demo = accounts.account_row(session, "pinggu1")
        found = visits.recent_visits(session, database.cipher, demo.organisation_id, limit=10)
    assert [v.status for v in found] == ["draft", "done"]
    person = found[0].person
    assert person.demo and "虚构" in person.name and found[1].person == person
    read = read_citizen_id(person.citizen_id or "", found[0].visited_on)
    assert read.number.startswith("999999") and read.number[14:17] == "000"
    assert (read.birth_date, read.sex) == (person.birth_date, person.sex)
    assert found[1].assessments[0].result["grade"]["level"] == 2
    assert found[1].determination["outcomes"]
    client = app.test_client()
    answer = client.post("/login", data={"username": "pinggu1", "password": "yanshi-demo"})
    assert answer.status_code == 303
    page = client.get("/").text
    assert page.count("演示</span>") == 2 and "已答 12 / 26" in page


def test_the_demo_comes_once_and_only_into_an_empty_database(
    make_app: Callable[..., Flask], settings: Settings
) -> None:
    for _ in range(2):
        app = make_app(replace(settings, demo=True))
    database = app.extensions["yyassess"].database
    with database.reading() as session:
        demo = accounts.account_row(session, "pinggu1")
        assert len(visits.recent_visits(session, database.cipher, demo.organisation_id, limit=10)) == 2


def test_an_unknown_place_is_refused_at_the_start(make_app: Callable[..., Flask], settings: Settings) -> None:
    with pytest.raises(UnknownName):
        make_app(replace(settings, place="atlantis"))


def test_the_server_answers_on_its_port(settings: Settings) -> None:
    server = make(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for path in ("/", "/healthz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}") as answer:
                assert answer.status == 200
                assert "Werkzeug" not in answer.headers["Server"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_port_that_is_taken_is_named(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match=str(other.getsockname()[1])):
            make(settings, "127.0.0.1", other.getsockname()[1])


def test_an_oversize_post_over_the_wire_gets_its_page(settings: Settings) -> None:
    import http.client

    server = make(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request(
            "POST", "/search", b"words=" + b"x" * 5_000_000, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        assert answer.status == 413 and "内容太大" in answer.read().decode()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_code_of_the_form_names_no_figure_of_a_standard() -> None:
    folder = Path(__file__).resolve().parents[2] / "webapp"
    for path in folder.rglob("*.py"):
        if path.name != "demo.py":
            found = re.findall(r"\b(?:eating|memory|dementia|coma)\b", path.read_text("utf-8"))
            assert not found, f"{path.name} knows the rules: {found}"


def test_settings_show_no_clock(settings: Settings) -> Any:
    assert "today" not in repr(settings)
