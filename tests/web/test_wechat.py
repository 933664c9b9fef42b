"""Log-in through WeChat, against a WeChat of our own on this machine: it behaves as WeChat's documentation says.

Nothing here was tried with WeChat itself.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import PASSWORD, Crew, add_crew, logged_in
from flask import Flask
from flask.testing import FlaskClient
from quick import quick_hashes  # noqa: F401
from sqlalchemy import select

from webapp import Settings
from webapp.settings import WeChat
from webapp.storage import Database, accounts
from webapp.storage.models import AccountRow, AuditRow, LoginRow


@dataclass
class FakeWeChat:
    """Gives out codes, and exchanges each once."""

    url: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    mode: str = "well"

    def code_for(self, openid: str) -> str:
        code = f"code-{len(self.codes)}"
        self.codes[code] = openid
        return code

    def answer(self, asked: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append(asked)
        if self.mode == "down":
            return 502, b"<html>bad gateway</html>"
        if self.mode == "nonsense":
            return 200, b"[1, 2"
        if self.mode == "list":
            return 200, b"[]"
        code = asked.get("code", "")
        if asked.get("secret") != "geheim" or asked.get("appid") != "wx123":
            found: dict[str, Any] = {"errcode": 40125, "errmsg": "invalid appsecret"}
        elif code in self.used:
            found = {"errcode": 40163, "errmsg": "code been used"}
        elif code not in self.codes:
            found = {"errcode": 40029, "errmsg": "invalid code"}
        else:
            self.used.add(code)
            found = {"access_token": "T", "expires_in": 7200, "openid": self.codes[code], "scope": "snsapi_base"}
        return 200, json.dumps(found).encode()


@pytest.fixture
def wechat() -> Iterator[FakeWeChat]:
    """The fake, listening."""
    fake = FakeWeChat()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            assert parts.path == "/sns/oauth2/access_token"
            status, body = fake.answer({k: v[0] for k, v in parse_qs(parts.query).items()})
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(make_app: Callable[[Settings], Flask], settings: Settings, wechat: FakeWeChat) -> Flask:
    """The form with WeChat switched on."""
    return make_app(replace(settings, wechat=WeChat("wx123", "geheim", api=wechat.url)))


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def come_back(client: FlaskClient, state: str, code: str) -> Any:
    return client.get("/login/wechat/back", query_string={"state": state, "code": code})


def bind(client: FlaskClient, wechat: FakeWeChat, openid: str) -> Any:
    import html
    import re

    page = client.post("/me/wechat", data={"password": PASSWORD}).text
    address = re.search(r'href="(https://open\.weixin\.qq\.com/[^"]+)"', page)
    assert address, page
    return come_back(client, state_of(html.unescape(address[1])), wechat.code_for(openid))


def log_in_by_wechat(app: Flask, wechat: FakeWeChat, openid: str) -> tuple[FlaskClient, Any]:
    client = app.test_client()
    state = state_of(client.get("/login/wechat").location)
    return client, come_back(client, state, wechat.code_for(openid))


def test_it_is_off_unless_it_is_set_up(make_app: Callable[[Settings], Flask], settings: Settings) -> None:
    app = make_app(settings)
    crew = add_crew(app.extensions["yyassess"].database)
    client = logged_in(app, crew.ids["main"])
    for path in ("/login/wechat", "/login/wechat/back", "/me/wechat"):
        assert client.get(path).status_code == 404, path
    assert "wechat" not in client.get("/me").text and "wechat" not in app.test_client().get("/login").text


def test_settings_name_the_official_account_and_keep_its_secret_out_of_sight() -> None:
    found = Settings.from_environment({"YYASSESS_WECHAT_APP_ID": "wx1", "YYASSESS_WECHAT_SECRET": "geheim"})
    assert found.wechat == WeChat("wx1", "geheim") and "geheim" not in repr(found)
    assert found.wechat.api == "https://api.weixin.qq.com"


def test_the_phone_is_sent_to_wechat_with_a_state_of_its_own(app: Flask) -> None:
    addresses = [app.test_client().get("/login/wechat").location for _ in range(2)]
    asked = parse_qs(urlsplit(addresses[0]).query)
    assert addresses[0].startswith("https://open.weixin.qq.com/connect/oauth2/authorize?")
    assert addresses[0].endswith("#wechat_redirect")
    assert (asked["appid"], asked["response_type"], asked["scope"]) == (["wx123"], ["code"], ["snsapi_base"])
    assert asked["redirect_uri"] == ["http://localhost/login/wechat/back"]
    assert state_of(addresses[0]) != state_of(addresses[1]) and "geheim" not in addresses[0]


def test_whoever_bound_wechat_logs_in_without_a_password(app: Flask, crew: Crew, wechat: FakeWeChat) -> None:
    mine = logged_in(app, crew.ids["main"])
    assert bind(mine, wechat, "openid-1").status_code == 303
    client, answer = log_in_by_wechat(app, wechat, "openid-1")
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/visits/new").status_code == 200


def test_such_a_log_in_has_proved_no_password(app: Flask, crew: Crew, wechat: FakeWeChat, database: Database) -> None:
    bind(logged_in(app, crew.ids["main"]), wechat, "openid-1")
    log_in_by_wechat(app, wechat, "openid-1")
    with database.reading() as db:
        newest = db.scalars(select(LoginRow).order_by(LoginRow.created_at.desc())).first()
        line = db.scalars(select(AuditRow).where(AuditRow.action == "login.started")).one()
    assert newest and newest.proved_at == accounts.NEVER and line.detail == {"by": "wechat"}


def test_a_stranger_gets_no_account_made(app: Flask, crew: Crew, wechat: FakeWeChat, database: Database) -> None:
    client, answer = log_in_by_wechat(app, wechat, "stranger")
    assert answer.status_code == 422 and client.get("/visits/new").status_code == 303
    with database.reading() as db:
        assert accounts.count_accounts(db) == len(crew.ids)


def test_binding_needs_the_password(app: Flask, crew: Crew) -> None:
    client = logged_in(app, crew.ids["main"])
    answer = client.post("/me/wechat", data={"password": "wrong"})
    assert answer.status_code == 422 and "weixin.qq.com" not in answer.text


def test_a_code_is_good_once_and_a_way_back_is_good_once(app: Flask, crew: Crew, wechat: FakeWeChat) -> None:
    bind(logged_in(app, crew.ids["main"]), wechat, "openid-1")
    client = app.test_client()
    state, code = state_of(client.get("/login/wechat").location), wechat.code_for("openid-1")
    assert come_back(client, state, code).status_code == 303
    client.post("/logout")
    exchanged = len(wechat.asked)
    assert come_back(client, state, code).status_code == 400, "the same address again"
    assert len(wechat.asked) == exchanged, "WeChat is not even asked"
    fresh = state_of(client.get("/login/wechat").location)
    assert come_back(client, fresh, code).status_code == 422, "a used code with a fresh state"


@pytest.mark.parametrize("state", ["", "forged", "x" * 1000, "状态"])
def test_a_way_back_that_was_not_begun_here_is_refused(app: Flask, crew: Crew, wechat: FakeWeChat, state: str) -> None:
    client = app.test_client()
    assert come_back(client, state, "code").status_code == 400
    client.get("/login/wechat")
    assert come_back(client, state, "code").status_code == 400
    assert wechat.asked == []


@pytest.mark.parametrize("mode", ["down", "nonsense", "list"])
def test_when_wechat_fails_the_password_still_works(
    app: Flask, crew: Crew, wechat: FakeWeChat, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    wechat.mode = mode
    client, answer = log_in_by_wechat(app, wechat, "openid-1")
    assert answer.status_code == 422 and "geheim" not in answer.text + caplog.text
    assert client.post("/login", data={"username": "main", "password": PASSWORD}).status_code == 303


def test_when_the_user_refuses_there_is_no_code(app: Flask, crew: Crew, wechat: FakeWeChat) -> None:
    client = app.test_client()
    state = state_of(client.get("/login/wechat").location)
    assert client.get("/login/wechat/back", query_string={"state": state}).status_code == 422
    assert wechat.asked == []


def test_one_wechat_user_opens_one_account(app: Flask, crew: Crew, wechat: FakeWeChat, database: Database) -> None:
    bind(logged_in(app, crew.ids["main"]), wechat, "openid-1")
    bind(logged_in(app, crew.ids["second"]), wechat, "openid-1")
    with database.reading() as db:
        bound = set(db.scalars(select(AccountRow.username).where(AccountRow.wechat_index.is_not(None))))
    assert bound == {"main"}


def test_a_binding_begun_by_one_person_is_not_finished_by_another(
    app: Flask, crew: Crew, wechat: FakeWeChat, database: Database
) -> None:
    import html
    import re

    client = logged_in(app, crew.ids["main"])
    page = client.post("/me/wechat", data={"password": PASSWORD}).text
    state = state_of(html.unescape(re.search(r'href="(https://open[^"]+)"', page)[1]))  # type: ignore[index]
    from webapp.accounts.logins import COOKIE

    with database.writing() as db:
        client.set_cookie(COOKIE, accounts.start_login(db, crew.ids["second"]))
    assert come_back(client, state, wechat.code_for("openid-1")).status_code == 403
    with database.reading() as db:
        assert not any(accounts.has_wechat(db, id) for id in crew.ids.values())


def test_wechat_is_taken_off_again(app: Flask, crew: Crew, wechat: FakeWeChat) -> None:
    mine = logged_in(app, crew.ids["main"])
    bind(mine, wechat, "openid-1")
    assert mine.post("/me/wechat/unbind").status_code == 303
    assert log_in_by_wechat(app, wechat, "openid-1")[1].status_code == 422


def test_a_closed_account_is_closed_for_wechat_too(
    app: Flask, crew: Crew, wechat: FakeWeChat, database: Database
) -> None:
    bind(logged_in(app, crew.ids["main"]), wechat, "openid-1")
    with database.writing() as db:
        accounts.change_account(db, crew.ids["main"], name="x", role="assessor", certificate=None, active=False)
    assert log_in_by_wechat(app, wechat, "openid-1")[1].status_code == 422


def test_who_somebody_is_at_wechat_is_not_readable_in_the_database(
    app: Flask, crew: Crew, wechat: FakeWeChat, database: Database
) -> None:
    bind(logged_in(app, crew.ids["main"]), wechat, "openid-very-own")
    with database.reading() as db:
        index = db.get_one(AccountRow, crew.ids["main"]).wechat_index
    assert index and len(index) == 32 and b"openid" not in index
