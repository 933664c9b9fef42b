"""My account, and the accounts others keep for an organisation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import PASSWORD, Crew, add_crew, logged_in
from flask import Flask
from flask.testing import FlaskClient
from quick import quick_hashes  # noqa: F401
from sqlalchemy import select

from webapp.accounts import passwords
from webapp.storage import Database, accounts
from webapp.storage.models import AccountRow, AuditRow, OrganisationRow

NEW = "morgens-vier-kekse"


def change(client: FlaskClient, new: str = NEW, old: str = PASSWORD, again: str | None = None) -> Any:
    return client.post("/me/password", data={"old": old, "new": new, "again": new if again is None else again})


def enter(app: Flask, username: str, password: str) -> tuple[FlaskClient, int]:
    client = app.test_client()
    return client, client.post("/login", data={"username": username, "password": password}).status_code


def shown_password(page: str) -> str:
    found = re.search(r'id="first-password">([^<]+)<', page)
    assert found, page
    return found[1]


def last_act(database: Database) -> AuditRow:
    with database.reading() as db:
        row = db.scalars(select(AuditRow).order_by(AuditRow.seq.desc())).first()
        assert row
        return row


# ---- my account ----


@pytest.mark.parametrize(
    ("who", "open_to", "closed_to"),
    [
        ("main", ["/", "/visits/new"], ["/accounts", "/export", "/audit", "/organisations", "/people"]),
        ("reviewer", ["/"], ["/visits/new", "/accounts", "/export", "/audit", "/organisations"]),
        ("admin", ["/", "/accounts", "/export", "/audit", "/people"], ["/visits/new", "/organisations"]),
        ("system", ["/organisations"], ["/", "/visits/new", "/accounts", "/export", "/audit", "/people"]),
    ],
)
def test_the_menu_shows_what_a_role_may_open_and_nothing_else(
    log_in: Callable[[str], FlaskClient], who: str, open_to: list[str], closed_to: list[str]
) -> None:
    client = log_in(who)
    page = client.get("/me")
    links = set(re.findall(r'<li><a href="([^"]+)"', page.text))
    assert set(open_to) <= links and not set(closed_to) & links
    for link in links:
        assert client.get(link).status_code == 200, link


def test_every_page_says_who_is_logged_in_and_lets_them_log_out(client: FlaskClient) -> None:
    for path in ("/", "/visits/new", "/me"):
        page = client.get(path).text
        assert "main 某" in page and re.search(r'<form[^>]*action="/logout"[^>]*data-logout', page)
    assert "/logout" not in client.application.test_client().get("/login").text


def test_a_new_password_holds_and_ends_all_other_log_ins(
    app: Flask, crew: Crew, client: FlaskClient, database: Database
) -> None:
    other = logged_in(app, crew.ids["main"])
    assert change(client).status_code == 303
    assert client.get("/visits/new").status_code == 200, "this one stays"
    assert other.get("/visits/new").status_code == 303
    assert enter(app, "main", PASSWORD)[1] == 422 and enter(app, "main", NEW)[1] == 303
    with database.reading() as db:
        assert "password.changed" in set(db.scalars(select(AuditRow.action)))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"new": "kurz", "again": "kurz"}, "new"),
        ({"new": "1234567890"}, "new"),
        ({"new": "qwertyuiop"}, "new"),
        ({"new": "PASSW0RD123"}, "new"),
        ({"new": "aaaaaaaaaaaa"}, "new"),
        ({"new": "abcdefghijkl"}, "new"),
        ({"new": "main-main1"}, "new"),
        ({"new": PASSWORD}, "new"),
        ({"new": "x" * 201}, "new"),
        ({"again": "anders-als-oben"}, "again"),
        ({"old": "wrong"}, "old"),
    ],
)
def test_a_bad_new_password_is_refused_at_its_field(
    app: Flask, client: FlaskClient, given: dict[str, str], field: str
) -> None:
    answer = change(client, **given)
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
    assert given.get("new", NEW) not in answer.text, "no password comes back in a page"
    assert enter(app, "main", PASSWORD)[1] == 303, "the old one still holds"


@pytest.mark.parametrize("password", ["四个汉字不够但十个汉字就够", "correct horse battery", "aA1!aA1!aA1!b"])
def test_length_counts_and_no_sign_is_demanded(password: str) -> None:
    assert passwords.fault_of(password, "main") is None


def test_one_time_passwords_are_good_ones_and_never_the_same() -> None:
    made = {passwords.one_time() for _ in range(200)}
    assert len(made) == 200
    assert all(passwords.fault_of(p, "main") is None and re.fullmatch(r"(\w{4}-){2}\w{4}", p) for p in made)


def test_my_devices_are_listed_and_logged_out_one_by_one_or_all(app: Flask, crew: Crew, client: FlaskClient) -> None:
    others = [logged_in(app, crew.ids["main"]) for _ in range(3)]
    page = client.get("/me/devices").text
    ways = re.findall(r'action="(/me/devices/[0-9a-f-]+/end)"', page)
    assert len(ways) == 3, "this one cannot be ended here"
    assert client.post(ways[0]).status_code == 303
    assert sorted(c.get("/visits/new").status_code for c in others) == [200, 200, 303]
    assert client.post("/me/devices/end-others").status_code == 303
    assert [c.get("/visits/new").status_code for c in others] == [303] * 3
    assert client.get("/visits/new").status_code == 200


def test_nobody_ends_another_persons_log_in(
    app: Flask, crew: Crew, client: FlaskClient, log_in: Callable[[str], FlaskClient]
) -> None:
    second = log_in("second")
    logged_in(app, crew.ids["second"])
    way = re.findall(r'action="(/me/devices/[0-9a-f-]+/end)"', second.get("/me/devices").text)[0]
    assert client.post(way).status_code == 404
    assert len(re.findall("/me/devices/[0-9a-f-]+/end", second.get("/me/devices").text)) == 1


# ---- the organisation's administrator ----


@pytest.fixture
def admin(log_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """The administrator's browser."""
    return log_in("admin")


def add(admin: FlaskClient, **changes: str) -> Any:
    fields = {"username": "neu", "name": "新评估员", "role": "assessor", "certificate": "ZS-9"}
    return admin.post("/accounts/new", data=fields | changes)


def test_a_new_account_gets_a_first_password_once_and_must_choose_its_own(
    app: Flask, admin: FlaskClient, database: Database
) -> None:
    first = shown_password(add(admin).text)
    everything = admin.get("/accounts").text + admin.get(account_page(database, "neu")).text
    assert first not in everything
    client, status = enter(app, "neu", first)
    assert status == 303
    for path in ("/", "/visits/new", "/me", "/me/devices"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (303, "/me/password"), path
    assert client.post("/search", data={"words": "x"}).status_code == 303
    json = client.post("/people/check", headers={"Accept": "application/json"})
    assert json.status_code == 403
    assert change(client, old=first, new=first).status_code == 422, "the given one is not one's own"
    assert change(client, old=first).status_code == 303
    assert client.get("/visits/new").status_code == 200


def account_page(database: Database, username: str) -> str:
    with database.reading() as db:
        return f"/accounts/{accounts.account_row(db, username).id}"  # type: ignore[union-attr]


def test_somebody_who_must_choose_a_password_can_still_leave(app: Flask, admin: FlaskClient) -> None:
    client, _ = enter(app, "neu", shown_password(add(admin).text))
    assert client.post("/logout").location == "/login"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "x"}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "<b>bold</b>"}, "username"),
        ({"username": "MAIN"}, "username"),
        ({"name": " "}, "name"),
        ({"name": "n" * 61}, "name"),
        ({"role": ""}, "role"),
        ({"role": "system_admin"}, "role"),
        ({"role": "king"}, "role"),
        ({"certificate": "c" * 61}, "certificate"),
    ],
)
def test_a_wrong_field_of_an_account_is_named_and_nothing_is_made(
    admin: FlaskClient, database: Database, changes: dict[str, str], field: str
) -> None:
    with database.reading() as db:
        before = accounts.count_accounts(db)
    answer = add(admin, **changes)
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
    with database.reading() as db:
        assert accounts.count_accounts(db) == before


def test_a_role_is_changed_at_once(app: Flask, admin: FlaskClient, crew: Crew, client: FlaskClient) -> None:
    page = f"/accounts/{crew.ids['main']}"
    assert client.get("/visits/new").status_code == 200
    fields = {"name": "main 某", "role": "reviewer", "certificate": "", "active": "yes"}
    assert admin.post(page, data=fields).status_code == 303
    assert client.get("/visits/new").status_code == 403 and client.get("/").status_code == 200


def test_a_closed_account_is_out_at_once_and_comes_back_when_opened(
    app: Flask, admin: FlaskClient, crew: Crew, client: FlaskClient
) -> None:
    page = f"/accounts/{crew.ids['main']}"
    fields = {"name": "main 某", "role": "assessor", "certificate": "ZS-main"}
    assert admin.post(page, data=fields | {"active": "no"}).status_code == 303
    assert client.get("/visits/new").status_code == 303 and enter(app, "main", PASSWORD)[1] == 422
    assert admin.post(page, data=fields | {"active": "yes"}).status_code == 303
    assert client.get("/visits/new").status_code == 303, "the old log-in stays ended"
    assert enter(app, "main", PASSWORD)[1] == 303


@pytest.mark.parametrize("fields", [{"active": "no", "role": "org_admin"}, {"active": "yes", "role": "assessor"}])
def test_administrators_cannot_lock_themselves_out(admin: FlaskClient, crew: Crew, fields: dict[str, str]) -> None:
    answer = admin.post(f"/accounts/{crew.ids['admin']}", data={"name": "admin", "certificate": ""} | fields)
    assert answer.status_code == 422
    assert admin.get("/accounts").status_code == 200


def test_a_lost_password_is_replaced_and_all_devices_are_out(
    app: Flask, admin: FlaskClient, crew: Crew, client: FlaskClient, database: Database
) -> None:
    first = shown_password(admin.post(f"/accounts/{crew.ids['main']}/password").text)
    assert client.get("/visits/new").status_code == 303
    assert enter(app, "main", PASSWORD)[1] == 422
    assert enter(app, "main", first)[0].get("/").location == "/me/password"
    with database.reading() as db:
        line = db.scalars(select(AuditRow).where(AuditRow.action == "password.reset")).one()
    assert line.account_id == crew.ids["admin"] and first not in str(line.detail)


def test_a_locked_account_is_shown_and_opened(app: Flask, admin: FlaskClient, crew: Crew) -> None:
    page = f"/accounts/{crew.ids['main']}"
    assert f"{page}/unlock" not in admin.get(page).text
    for _ in range(5):
        enter(app, "main", "wrong")
    assert enter(app, "main", PASSWORD)[1] == 429
    assert f"{page}/unlock" in admin.get(page).text and "tag_warn" in admin.get("/accounts").text
    assert admin.post(f"{page}/unlock").status_code == 303
    assert enter(app, "main", PASSWORD)[1] == 303


def test_accounts_of_another_organisation_are_not_there(app: Flask, admin: FlaskClient, database: Database) -> None:
    other = add_crew(database, "另一机构", "b-")
    assert "b-main" not in admin.get("/accounts").text
    page = f"/accounts/{other.ids['main']}"
    assert admin.get(page).status_code == 404
    for way in (page, f"{page}/password", f"{page}/unlock"):
        assert admin.post(way, data={"name": "x", "role": "assessor", "active": "no"}).status_code == 404
    assert enter(app, "b-main", PASSWORD)[1] == 303


def test_names_are_shown_as_text(admin: FlaskClient) -> None:
    add(admin, name="<script>alert(1)</script>")
    assert "<script>alert" not in admin.get("/accounts").text and "&lt;script&gt;alert" in admin.get("/accounts").text


def test_a_display_button_in_the_middle_of_the_form_loses_nothing(admin: FlaskClient) -> None:
    answer = add(admin, go="size:largest", username="")
    assert answer.status_code == 200 and "新评估员" in answer.text and "q__error" not in answer.text


# ---- the system's administrator ----


def test_an_organisation_and_its_first_administrator(
    app: Flask, log_in: Callable[[str], FlaskClient], database: Database
) -> None:
    system = log_in("system")
    answer = system.post("/organisations", data={"name": "岱山评估站", "place": "zhoushan"})
    assert answer.status_code == 303
    first = shown_password(
        system.post(f"{answer.location}/admins", data={"username": "dsadmin", "name": "管理员"}).text
    )
    client, _ = enter(app, "dsadmin", first)
    assert change(client, old=first).status_code == 303
    shown_password(add(client, username="dsmain").text)
    with database.reading() as db:
        row = accounts.account_row(db, "dsmain")
        assert (
            row and row.organisation and (row.organisation.name, row.organisation.place) == ("岱山评估站", "zhoushan")
        )


def test_organisations_need_a_name_of_their_own_and_a_place_of_the_rules(
    log_in: Callable[[str], FlaskClient], database: Database
) -> None:
    system = log_in("system")
    for fields in ({"name": ""}, {"name": "测试机构"}, {"name": "x" * 61}, {"name": "新", "place": "atlantis"}):
        assert system.post("/organisations", data=fields).status_code == 422, fields
    with database.reading() as db:
        assert len(list(db.scalars(select(OrganisationRow)))) == 1


def test_closing_an_organisation_logs_everybody_of_it_out(
    log_in: Callable[[str], FlaskClient], client: FlaskClient, crew: Crew
) -> None:
    system = log_in("system")
    page = f"/organisations/{crew.organisation}"
    assert system.post(page, data={"name": "测试机构", "place": "", "active": "no"}).status_code == 303
    assert client.get("/visits/new").status_code == 303
    assert system.post(page, data={"name": "测试机构", "place": "", "active": "yes"}).status_code == 303
    assert client.get("/visits/new").status_code == 200


def test_the_system_administrator_resets_administrators_only(
    log_in: Callable[[str], FlaskClient], crew: Crew, app: Flask
) -> None:
    system = log_in("system")
    page = f"/organisations/{crew.organisation}/admins"
    assert system.post(f"{page}/{crew.ids['main']}/password").status_code == 404
    assert system.post(f"/organisations/{UUID(int=1)}/admins/{crew.ids['admin']}/password").status_code == 404
    first = shown_password(system.post(f"{page}/{crew.ids['admin']}/password").text)
    assert enter(app, "admin", first)[1] == 303


def test_the_pages_of_accounts_hold_no_password(
    admin: FlaskClient, log_in: Callable[[str], FlaskClient], crew: Crew, database: Database
) -> None:
    with database.reading() as db:
        stored = db.get_one(AccountRow, crew.ids["main"]).password_hash
    pages = [admin.get("/accounts"), admin.get(f"/accounts/{crew.ids['main']}"), log_in("system").get("/organisations")]
    assert all(PASSWORD not in page.text and stored not in page.text for page in pages)
