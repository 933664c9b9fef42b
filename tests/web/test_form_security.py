"""Doors: forged posts, headers, every route answers, nothing leads to another host."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp import Settings
from webapp.access import ANYONE, ASSESSOR, allow, rule_of
from webapp.display import local_path

GBT = "gbt-42195-2022"
NOWHERE = "00000000-0000-0000-0000-000000000000"


def address(rule: Any, visit: str) -> str:
    """An address of a route, filled in with a visit that exists."""
    values = {"visit": visit, "instrument": GBT, "dimension": "self_care", "filename": "app.css"}
    values |= {"what": "language", "value": "en"}
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values.get(m[1], NOWHERE), rule.rule)


def test_every_route_answers_and_never_fails(app: Flask, assessor: Any) -> None:
    id = assessor.complete().rsplit("/", 1)[1]
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods & {"GET", "POST"}):
            # Logging out would end the walk; WeChat is off unless it is set up, and then not there.
            if rule.endpoint == "accounts.log_out" or rule.endpoint.startswith("wechat."):
                continue
            answer = assessor.client.open(address(rule, id), method=method)
            assert answer.status_code < 500, (method, rule.rule)
            if NOWHERE not in address(rule, id) and {ANYONE, ASSESSOR} & {*rule_of(app.view_functions[rule.endpoint])}:
                assert answer.status_code in (200, 303, 400, 409, 422), (method, rule.rule, answer.status_code)


def test_every_post_is_refused_without_its_token(make_app: Callable[..., Flask], settings: Settings) -> None:
    app = make_app(settings)
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    assert len(posts) >= 10
    for rule in posts:
        answer = client.post(address(rule, NOWHERE))
        said = "无法读懂" if rule.rule.startswith("/api/") else "页面已过期"
        assert answer.status_code == 400 and said in answer.text, rule.rule


def test_a_post_with_its_token_goes_through(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/visits/new").text)
    assert token
    assert client.post("/search", data={"words": "x", "csrf_token": token[1]}).status_code == 200
    assert client.post("/people/check", headers={"X-CSRFToken": token[1]}).status_code == 200


def test_headers_of_every_answer(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/app.css", "/visits/new"):
        headers = client.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'" and policy["object-src"] == "'none'"
        assert policy["img-src"] == "'self' data:" and policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"] and "http" not in headers["Content-Security-Policy"]
        assert re.fullmatch(r"'nonce-[\w-]{20,}'", policy["script-src"])
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


def test_each_page_has_a_nonce_of_its_own_and_uses_it(client: FlaskClient) -> None:
    nonces = set()
    for _ in range(3):
        answer = client.get("/")
        in_page = re.findall(r'<script[^>]* nonce="([^"]+)"', answer.text)
        assert len(set(in_page)) == 1 and f"'nonce-{in_page[0]}'" in answer.headers["Content-Security-Policy"]
        assert (
            answer.text.count("<script") == len(in_page)
            and " style=" not in answer.text
            and " onclick" not in answer.text
        )
        nonces.add(in_page[0])
    assert len(nonces) == 3


def test_personal_pages_are_kept_nowhere(assessor: Any) -> None:
    visit = assessor.start()
    for path in ("/", f"{visit}/person", f"{visit}/result"):
        assert assessor.client.get(path).headers["Cache-Control"] == "no-store"


def test_no_page_names_another_host(assessor: Any) -> None:
    visit = assessor.complete()
    for path in ("/", "/visits/new", f"{visit}/{GBT}/items/self_care", f"{visit}/result", f"{visit}/more"):
        page = assessor.client.get(path).text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', page)


def test_cookies_are_out_of_reach_of_scripts(client: FlaskClient) -> None:
    for path in ("/visits/new", "/display/language/en", "/display/size/largest"):
        for cookie in client.get(path).headers.getlist("Set-Cookie"):
            assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie


def test_over_https_cookies_are_secure(make_app: Callable[..., Flask], settings: Settings) -> None:
    from dataclasses import replace

    client = make_app(replace(settings, https=True)).test_client()
    for path in ("/login", "/display/language/en"):
        answer = client.get(path, base_url="https://localhost")
        assert answer.headers.getlist("Set-Cookie") and "max-age" in answer.headers["Strict-Transport-Security"]
        assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("/visits/new", "/visits/new"),
        ("//evil.example/x", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_a_display_choice_leads_back_into_this_site_only(app: Flask, given: str | None, taken: str) -> None:
    with app.test_request_context():
        assert local_path(given) == taken


@pytest.mark.parametrize("path", ["/display/language/fr", "/display/size/tiny", "/display/colour/red"])
def test_unknown_display_choices_are_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/search", 405), ("POST", "/visits/new", 400)]
)
def test_programs_get_errors_as_json_in_both_languages(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method, headers={"Accept": "application/json"})
    assert answer.status_code == status and answer.json["error"]["status"] == status
    assert answer.json["error"]["say"]["zh"] and answer.json["error"]["say"]["en"]


def test_a_failure_shows_a_calm_page_and_no_insides(app: Flask, client: FlaskClient, caplog: Any) -> None:
    app.testing = False
    app.extensions["yyassess"].database.engine.dispose()
    app.view_functions["visits.records"] = allow(ANYONE)(lambda: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "服务器出了问题" in answer.text and "ZeroDivision" not in answer.text


def test_health_says_which_rules_are_loaded(app: Flask, client: FlaskClient, book: Any) -> None:
    assert client.get("/healthz").json == {"status": "ok", "rules": book.hash}
