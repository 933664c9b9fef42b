"""Logging in: who gets in, who has to wait, how long a log-in lasts, and what becomes of a page that came too late."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from conftest import PASSWORD, Crew, add_crew, logged_in
from flask import Flask
from flask.testing import FlaskClient
from quick import quick_hashes  # noqa: F401
from sqlalchemy import select, update

from webapp import Settings
from webapp.access import Actor
from webapp.accounts import guard, logins, proving
from webapp.accounts.devices import device_name
from webapp.accounts.logins import COOKIE
from webapp.settings import BadSetting
from webapp.storage import Database, accounts, audit
from webapp.storage.lockout import Limit
from webapp.storage.models import AccountRow, AttemptRow, LoginRow

GBT = "gbt-42195-2022"


def enter(client: FlaskClient, username: str = "main", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/login", data={"username": username, "password": password} | more)


def age_login(database: Database, **by: dt.timedelta) -> None:
    """Make all log-ins look older."""
    with database.writing() as db:
        for row in db.scalars(select(LoginRow)):
            for column, delta in by.items():
                setattr(row, column, getattr(row, column) - delta)


def acts(database: Database) -> list[str]:
    with database.reading() as db:
        return [line.action for line in db.scalars(select(audit.AuditRow).order_by(audit.AuditRow.seq))]


def test_the_right_password_leads_to_the_page_that_was_wanted(app: Flask, crew: Crew) -> None:
    client = app.test_client()
    asked = client.get("/visits/new")
    assert asked.status_code == 303 and asked.location.startswith("/login?back=")
    answer = enter(client, back="/visits/new")
    assert (answer.status_code, answer.location) == (303, "/visits/new")
    assert client.get("/visits/new").status_code == 200


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_a_log_in_never_leads_to_another_site(app: Flask, crew: Crew, back: str) -> None:
    assert enter(app.test_client(), back=back).location == "/"


def test_the_user_name_is_taken_in_any_width_and_case(app: Flask, crew: Crew) -> None:
    assert enter(app.test_client(), username=" ＭＡＩＮ ").status_code == 303


def test_the_system_administrator_starts_at_the_organisations(app: Flask, crew: Crew) -> None:
    client = app.test_client()
    assert client.get("/").location == "/login?back=/"
    assert enter(client, username="system", back="/").location == "/organisations"
    assert client.get("/organisations").status_code == 200
    assert client.get("/").status_code == 403


def test_wrong_name_and_wrong_password_get_the_same_answer(app: Flask, crew: Crew) -> None:
    pages = []
    for username in ("main", "nobody"):
        answer = enter(app.test_client(), username=username, password="wrong")
        assert answer.status_code == 422 and answer.text.count('role="alert"') == 1
        assert not answer.headers.getlist("Set-Cookie") or COOKIE not in str(answer.headers.getlist("Set-Cookie"))
        pages.append(
            re.sub(r'name="csrf_token" value="[^"]+"|nonce="[^"]+"', "", answer.text.replace(f'value="{username}"', ""))
        )
    assert pages[0] == pages[1]


def test_a_closed_account_and_a_closed_organisation_cannot_log_in(
    app: Flask, crew: Crew, database: Database, client: FlaskClient
) -> None:
    from webapp.storage import organisations

    with database.writing() as db:
        organisations.change_organisation(db, crew.organisation, name="测试机构", place=None, active=False)
    assert enter(app.test_client()).status_code == 422
    assert client.get("/visits/new").status_code == 303, "log-ins of it do not hold either"
    assert enter(app.test_client(), username="system").status_code == 303


def test_after_five_failures_even_the_right_password_has_to_wait_and_the_wait_grows(
    app: Flask, crew: Crew, database: Database
) -> None:
    client = app.test_client()
    for _ in range(5):
        assert enter(client, password="wrong").status_code == 422
    answer = enter(client)
    assert answer.status_code == 429 and 50 < int(answer.headers["Retry-After"]) <= 60

    waits = []
    for _ in range(8):
        with database.writing() as db:
            db.execute(update(AttemptRow).values(closed_until=dt.datetime.now(dt.UTC)))
        enter(client, password="wrong")
        waits.append(round(int(enter(client).headers["Retry-After"]) / 60))
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]

    with database.writing() as db:
        db.execute(update(AttemptRow).values(closed_until=dt.datetime.now(dt.UTC)))
    assert enter(client).status_code == 303, "whoever waits gets in"
    with database.reading() as db:
        key = guard_key(app, "main")
        assert db.get(AttemptRow, key) is None, "and starts anew"


def guard_key(app: Flask, username: str) -> bytes:
    with app.app_context():
        return guard.name_door(username).key


def test_a_name_that_nobody_has_is_locked_like_any_other(app: Flask, crew: Crew) -> None:
    answers = {}
    for username in ("main", "nobody"):
        client = app.test_client()
        answers[username] = [enter(client, username, "wrong").status_code for _ in range(7)]
    assert answers["main"] == answers["nobody"] == [422] * 5 + [429] * 2


def test_no_name_and_no_address_can_be_read_in_the_table_of_failures(
    app: Flask, crew: Crew, database: Database
) -> None:
    enter(app.test_client(), password="wrong")
    with database.reading() as db:
        rows = list(db.scalars(select(AttemptRow)))
    assert len(rows) == 2 and all(len(row.key) == 32 for row in rows)


def test_one_address_that_tries_many_names_has_to_wait_too(
    make_app: Callable[[Settings], Flask], settings: Settings
) -> None:
    app = make_app(replace(settings, lock_after=2))
    add_crew(app.extensions["yyassess"].database)
    codes = [enter(app.test_client(), f"name{n}", "wrong").status_code for n in range(14)]
    assert codes == [422] * 12 + [429] * 2
    other = app.test_client()
    answer = other.post(
        "/login", data={"username": "main", "password": PASSWORD}, environ_base={"REMOTE_ADDR": "10.0.0.9"}
    )
    assert answer.status_code == 303, "other addresses are not concerned"


def test_the_right_password_does_not_wash_an_address_clean(
    make_app: Callable[[Settings], Flask], settings: Settings
) -> None:
    app = make_app(replace(settings, lock_after=2))
    add_crew(app.extensions["yyassess"].database)
    for n in range(11):
        enter(app.test_client(), f"name{n}", "wrong")
        assert enter(app.test_client()).status_code == 303
    assert enter(app.test_client(), "name11", "wrong").status_code == 422
    assert enter(app.test_client()).status_code == 429


def test_behind_our_own_proxy_the_address_is_what_the_proxy_says(
    make_app: Callable[[Settings], Flask], settings: Settings
) -> None:
    app = make_app(replace(settings, lock_after=1, proxies=1))
    add_crew(app.extensions["yyassess"].database)

    def tries(address: str, name: str) -> int:
        headers = {"X-Forwarded-For": f"1.2.3.4, {address}"}
        data = {"username": name, "password": "wrong"}
        return app.test_client().post("/login", data=data, headers=headers).status_code

    assert [tries("10.0.0.1", f"a{n}") for n in range(7)] == [422] * 6 + [429]
    assert tries("10.0.0.2", "b") == 422


def test_addresses_of_one_ipv6_network_count_as_one(app: Flask) -> None:
    with app.app_context():
        doors = [
            guard.address_doors(a) for a in ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1", "::ffff:10.0.0.1")
        ]
        assert doors[0] == doors[1] != doors[2]
        assert doors[3] == guard.address_doors("10.0.0.1")
        assert guard.address_doors(None) == guard.address_doors("unix:") == []


def test_waits_double_up_to_an_hour() -> None:
    limit = Limit(after=5)
    assert limit.wait(4) is None
    assert [limit.wait(n) for n in (5, 6, 11, 5000)] == [dt.timedelta(minutes=m) for m in (1, 2, 60, 60)]


def test_a_refused_log_in_is_noted_without_the_name_that_was_typed(app: Flask, crew: Crew, database: Database) -> None:
    enter(app.test_client(), "Peter-typed-his-password-here", "x")
    with database.reading() as db:
        line = db.scalars(select(audit.AuditRow)).one()
    assert (line.action, line.object, line.account_id) == ("login.refused", "account:unknown", None)
    assert "peter" not in str(line.detail).lower()


def test_a_log_in_ends_when_it_is_not_used_and_after_a_working_day(
    app: Flask, crew: Crew, database: Database, client: FlaskClient
) -> None:
    age_login(database, seen_at=dt.timedelta(hours=3, minutes=59))
    assert client.get("/visits/new").status_code == 200
    age_login(database, seen_at=dt.timedelta(hours=4, minutes=1))
    assert client.get("/visits/new").status_code == 303
    again = logged_in(app, crew.ids["main"])
    age_login(database, created_at=dt.timedelta(hours=14, minutes=1))
    assert again.get("/visits/new").status_code == 303


def test_how_long_a_log_in_lasts_is_a_setting(make_app: Callable[[Settings], Flask], settings: Settings) -> None:
    app = make_app(replace(settings, idle=dt.timedelta(minutes=10), absolute=dt.timedelta(minutes=30)))
    crew = add_crew(app.extensions["yyassess"].database)
    client = logged_in(app, crew.ids["main"])
    age_login(app.extensions["yyassess"].database, seen_at=dt.timedelta(minutes=11))
    assert client.get("/visits/new").status_code == 303
    cookie = next(c for c in enter(app.test_client()).headers.getlist("Set-Cookie") if c.startswith(COOKIE))
    assert "Max-Age=1800" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_settings_come_from_the_environment_and_nonsense_is_named() -> None:
    found = Settings.from_environment(
        {
            "YYASSESS_IDLE_MINUTES": "30",
            "YYASSESS_LOGIN_MINUTES": "600",
            "YYASSESS_LOCK_AFTER": "3",
            "YYASSESS_PROXIES": "1",
        }
    )
    assert (found.idle, found.absolute) == (dt.timedelta(minutes=30), dt.timedelta(hours=10))
    assert (found.lock_after, found.proxies) == (3, 1)
    for name in ("YYASSESS_IDLE_MINUTES", "YYASSESS_LOCK_AFTER", "YYASSESS_RETENTION_YEARS"):
        for nonsense in ("0", "-1", "soon", "1.5"):
            with pytest.raises(BadSetting, match=name):
                Settings.from_environment({name: nonsense})
    with pytest.raises(BadSetting, match="both"):
        Settings.from_environment({"YYASSESS_WECHAT_APP_ID": "wx1"})


@pytest.mark.parametrize("token", ["", "x", "a" * 3000, "../../etc", "0" * 43])
def test_a_forged_cookie_opens_nothing(app: Flask, crew: Crew, token: str) -> None:
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    assert client.get("/visits/new").status_code == 303


def test_a_cookie_used_again_after_logging_out_opens_nothing(app: Flask, crew: Crew) -> None:
    client = app.test_client()
    enter(client)
    stolen = client.get_cookie(COOKIE)
    assert stolen is not None
    assert client.post("/logout").status_code == 303 and client.get_cookie(COOKIE) is None
    thief = app.test_client()
    thief.set_cookie(COOKIE, stolen.value)
    assert thief.get("/visits/new").status_code == 303


def test_the_token_stands_nowhere_in_the_database(app: Flask, crew: Crew, database: Database) -> None:
    client = app.test_client()
    enter(client)
    token = client.get_cookie(COOKIE).value  # type: ignore[union-attr]
    with database.reading() as db:
        row = db.scalars(select(LoginRow)).one()
    assert token.encode() not in row.token_hash and len(row.token_hash) == 32


def test_a_log_in_cannot_be_forced_on_somebody_from_another_site(app: Flask, crew: Crew) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    assert enter(client).status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token and enter(client, csrf_token=token[1]).status_code == 303


def test_another_person_on_the_same_phone_gets_a_new_session_and_the_same_one_keeps_it(app: Flask, crew: Crew) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()

    def token() -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
        assert found
        return found[1]

    assert enter(client, csrf_token=token()).status_code == 303
    mine = token()
    assert enter(client, csrf_token=mine).status_code == 303
    assert client.post("/people/check", headers={"X-CSRFToken": mine}).status_code == 200, "open pages stay good"
    assert enter(client, "second", csrf_token=mine).status_code == 303
    assert client.post("/people/check", headers={"X-CSRFToken": mine}).status_code == 400


def test_a_page_sent_after_the_log_in_ended_is_kept_and_saved_after_logging_in_again(
    app: Flask, assessor: Any, database: Database
) -> None:
    visit = assessor.start()
    item = assessor.book.instruments[GBT].dimensions[0].items[0]
    page = f"{visit}/{GBT}/items/{assessor.book.instruments[GBT].dimensions[0].id}"
    answer = str(max(o.answer for o in item.options))
    age_login(database, seen_at=dt.timedelta(hours=5))

    late = assessor.client.post(page, data={f"item.{item.id}": answer, "go": "next"})
    assert late.status_code == 401 and "登录" in late.text
    carried = {name: unescaped(value) for name, value in re.findall(r'name="(carry_\w+)" value="([^"]*)"', late.text)}
    assert carried["carry_to"] == page
    assert assessor.stored(visit).assessments[0].answers == {}, "nothing is saved without a log-in"

    wrong = enter(assessor.client, password="wrong", **carried)
    assert wrong.status_code == 422 and 'name="carry_fields"' in wrong.text, "a slip at the password loses nothing"
    back = enter(assessor.client, **carried)
    assert back.status_code == 200 and f'action="{page}"' in back.text
    fields = {n: unescaped(v) for n, v in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', back.text)}
    fields.pop("csrf_token", None)
    assert fields == {f"item.{item.id}": answer, "go": "next"}
    assert assessor.client.post(page, data=fields).status_code == 303
    assert assessor.stored(visit).assessments[0].answers == {item.id: int(answer)}


def unescaped(text: str) -> str:
    import html

    return html.unescape(text)


def test_what_a_log_in_page_carries_leads_only_to_pages_of_visits(app: Flask, crew: Crew) -> None:
    for to in ("/accounts/new", "https://evil.example/visits/", "//evil/visits/", "/visits/../logout\\"):
        answer = enter(app.test_client(), carry_to=to, carry_fields="[]")
        assert answer.status_code == 303, to
    assert enter(app.test_client(), carry_to="/visits/x", carry_fields="no json").status_code == 303


def test_after_an_ended_log_in_a_page_leads_back_where_it_was(app: Flask, assessor: Any, database: Database) -> None:
    visit = assessor.start()
    age_login(database, seen_at=dt.timedelta(hours=5))
    asked = assessor.client.get(f"{visit}/check")
    assert asked.status_code == 303
    shown = assessor.client.get(asked.location)
    assert "notice_calm" in shown.text, "the page says that the log-in ended"
    back = unescaped(re.search(r'name="back" value="([^"]*)"', shown.text)[1])  # type: ignore[index]
    assert enter(assessor.client, back=back).location.rstrip("?") == f"{visit}/check"


def test_a_program_gets_401_as_json_and_no_page(app: Flask, crew: Crew) -> None:
    answer = app.test_client().post("/visits/new", json={}, headers={"Accept": "application/json"})
    assert answer.status_code == 401 and answer.json["error"]["status"] == 401


def test_an_empty_database_says_how_to_make_the_first_account(app: Flask) -> None:
    shown = app.test_client().get("/login").text
    assert "python -m webapp add-organisation" in shown and "--role org_admin" in shown


def test_with_an_account_the_page_says_nothing_of_commands(app: Flask, crew: Crew) -> None:
    assert "python -m webapp" not in app.test_client().get("/login").text


def test_the_demo_shows_its_accounts_and_a_tap_logs_in(
    make_app: Callable[[Settings], Flask], settings: Settings
) -> None:
    app = make_app(replace(settings, demo=True))
    shown = app.test_client().get("/login").text
    assert shown.count('name="username" value="') == 6 and "yanshi-demo" in shown
    for username in ("pinggu1", "pinggu2", "shenhe", "jigou", "xitong"):
        assert enter(app.test_client(), username, "yanshi-demo").status_code == 303


def test_the_demos_password_opens_nothing_once_the_demo_is_over(
    make_app: Callable[[Settings], Flask], settings: Settings
) -> None:
    make_app(replace(settings, demo=True))
    app = make_app(settings)
    assert "yanshi-demo" not in app.test_client().get("/login").text
    assert enter(app.test_client(), "pinggu1", "yanshi-demo").status_code == 422


def test_a_password_hashed_with_older_settings_is_hashed_anew_at_the_next_log_in(
    app: Flask, crew: Crew, database: Database
) -> None:
    from argon2 import PasswordHasher

    with database.writing() as db:
        old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
        accounts.rehash(db, crew.ids["main"], old)
    assert enter(app.test_client()).status_code == 303
    with database.reading() as db:
        assert "m=8,t=1" in db.get_one(AccountRow, crew.ids["main"]).password_hash
    assert enter(app.test_client()).status_code == 303


@pytest.mark.parametrize("inside", [False, True])
def test_typing_the_password_again_proves_who_it_is_and_failures_count(
    app: Flask, crew: Crew, database: Database, client: FlaskClient, inside: bool
) -> None:
    age_login(database, proved_at=dt.timedelta(hours=1))

    def who() -> Actor:
        with database.reading() as db:
            found = accounts.find_login(db, client.get_cookie(COOKIE).value)  # type: ignore[union-attr]
            assert found
            return logins.actor_of(found)

    def prove(password: str) -> bool:
        if not inside:
            return proving.prove(who(), password)
        with database.writing() as db:
            return proving.check_password(db, who(), password)

    with app.app_context():
        assert not proving.recently_proved(who())
        assert not prove("wrong") and not proving.recently_proved(who())
        assert prove(PASSWORD)
        assert proving.recently_proved(who()) and proving.recently_proved(who(), dt.timedelta(minutes=1))
        assert proving.wait_of(who()) is None
        for _ in range(5):
            assert not prove("wrong")
        assert not prove(PASSWORD), "after five failures the door is closed"
        assert proving.wait_of(who())
    assert enter(app.test_client()).status_code == 429, "and so it is at the log-in"
    assert acts(database).count("password.refused") == 6


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
            "MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN",
            "WeChat · iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge · Windows",
        ),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_devices_are_called_by_program_and_system_only(agent: str, name: str) -> None:
    assert device_name(agent) == name
