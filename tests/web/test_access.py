"""Who may open what: every route of the form, with every role, against one table. A route that is not in it fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from conftest import CITIZEN_ID, GBT, PASSWORD, add_crew, logged_in
from flask import Flask
from flask.testing import FlaskClient
from quick import quick_hashes  # noqa: F401
from sqlalchemy import select

from webapp.access import allow, rule_of
from webapp.storage import Database, accounts
from webapp.storage.models import AuditRow, LoginRow, PersonRow, VisitRow

ROLES = {"a": "assessor", "r": "reviewer", "o": "org_admin", "s": "system_admin"}
#: Who plays each role in the tests.
PLAYERS = {"a": "main", "r": "reviewer", "o": "admin", "s": "system"}
#: Anybody, also without a log-in.
ANYONE = "*"
#: Method and address -> who: letters of `ROLES`, or `ANYONE`.
TABLE = {
    # without a log-in
    "GET /static/<path:filename>": ANYONE,
    "GET /display/<what>/<value>": ANYONE,
    "GET /healthz": ANYONE,
    "GET /login": ANYONE,
    "POST /login": ANYONE,
    "GET /login/wechat": ANYONE,
    "GET /login/wechat/back": ANYONE,
    "GET /verify/<token>": ANYONE,
    "GET /offline": ANYONE,
    "GET /outbox": ANYONE,
    "GET /diag": ANYONE,
    "GET /sw.js": ANYONE,
    "GET /evaluator/<version>/<name>": ANYONE,
    # my account
    "POST /logout": "aros",
    "GET /me": "aros",
    "GET /me/password": "aros",
    "POST /me/password": "aros",
    "GET /me/devices": "aros",
    "POST /me/devices/<uuid:login>/end": "aros",
    "POST /me/devices/end-others": "aros",
    "GET /me/wechat": "aros",
    "POST /me/wechat": "aros",
    "POST /me/wechat/unbind": "aros",
    "GET /api/session": "aros",
    # the system
    "GET /organisations": "s",
    "POST /organisations": "s",
    "GET /organisations/<uuid:organisation>": "s",
    "POST /organisations/<uuid:organisation>": "s",
    "POST /organisations/<uuid:organisation>/admins": "s",
    "POST /organisations/<uuid:organisation>/admins/<uuid:account>/password": "s",
    # an organisation's administrator
    "GET /accounts": "o",
    "GET /accounts/new": "o",
    "POST /accounts/new": "o",
    "GET /accounts/<uuid:account>": "o",
    "POST /accounts/<uuid:account>": "o",
    "POST /accounts/<uuid:account>/password": "o",
    "POST /accounts/<uuid:account>/unlock": "o",
    "GET /export": "o",
    "POST /export": "o",
    "GET /audit": "o",
    "GET /people": "o",
    "POST /people": "o",
    "GET /people/<uuid:person>": "o",
    "POST /people/<uuid:person>/data": "o",
    "POST /people/<uuid:person>/erase": "o",
    # records, read
    "GET /": "aro",
    "POST /search": "aro",
    "GET /visits/<uuid:visit>/result": "aro",
    "GET /visits/<uuid:visit>/report": "aro",
    "GET /visits/<uuid:visit>/report.pdf": "aro",
    "GET /visits/<uuid:visit>/differences": "aro",
    "GET /visits/<uuid:visit>/paper": "aro",
    "GET /visits/<uuid:visit>/paper.pdf": "aro",
    "GET /visits/<uuid:visit>/number": "aro",
    "POST /visits/<uuid:visit>/number": "aro",
    "GET /instruments/<instrument>/paper": "aro",
    "GET /instruments/<instrument>/paper.pdf": "aro",
    "GET /api/visits/<uuid:visit>": "aro",
    "GET /api/<any(rules, form):kind>/<place>/<day>": "aro",
    # records, written
    "GET /visits/new": "a",
    "POST /visits/new": "a",
    "POST /people/check": "a",
    "GET /visits/<uuid:visit>/person": "a",
    "POST /visits/<uuid:visit>/person": "a",
    "GET /visits/<uuid:visit>/consents": "a",
    "POST /visits/<uuid:visit>/consents": "a",
    "POST /visits/<uuid:visit>/consents/<uuid:consent>/withdraw": "a",
    "GET /visits/<uuid:visit>/instruments": "a",
    "POST /visits/<uuid:visit>/instruments": "a",
    "POST /visits/<uuid:visit>/instruments/<instrument>": "a",
    "GET /visits/<uuid:visit>/<instrument>/items/<dimension>": "a",
    "POST /visits/<uuid:visit>/<instrument>/items/<dimension>": "a",
    "GET /visits/<uuid:visit>/<instrument>/context": "a",
    "POST /visits/<uuid:visit>/<instrument>/context": "a",
    "GET /visits/<uuid:visit>/check": "a",
    "POST /visits/<uuid:visit>/check": "a",
    "GET /visits/<uuid:visit>/more": "a",
    "POST /visits/<uuid:visit>/more": "a",
    "GET /visits/<uuid:visit>/again": "a",
    "POST /visits/<uuid:visit>/again": "a",
    "GET /visits/<uuid:visit>/delete": "a",
    "POST /visits/<uuid:visit>/delete": "a",
    "POST /visits/<uuid:visit>/submit": "a",
    "GET /visits/<uuid:visit>/sign": "a",
    "POST /visits/<uuid:visit>/sign": "a",
    "POST /visits/<uuid:visit>/sign/informant": "a",
    "POST /visits/<uuid:visit>/join": "a",
    "POST /visits/<uuid:visit>/reopen": "a",
    "POST /api/visits": "a",
    "POST /api/visits/<uuid:visit>/changes": "a",
    # review
    "GET /review": "r",
    "GET /review/<uuid:visit>": "r",
    "POST /review/<uuid:visit>": "r",
    "GET /visits/<uuid:visit>/assessor": "aro",
    "POST /visits/<uuid:visit>/assessor": "aro",
    "GET /dashboard": "ro",
    # the rules, which are no secret
    "GET /rules": "aros",
    "GET /rules/instruments/<id>": "aros",
    "GET /rules/programmes/<place>/<id>": "aros",
    "GET /rules/pathways/<id>": "aros",
    "GET /rules/documents": "aros",
    "GET /rules/coverage": "aros",
    "GET /rules/places/<id>": "aros",
}
#: What a colleague may do with a draft that is not theirs: look at it, repeat the visit, and come in as the second.
COLLEAGUES_MAY = {
    "POST /visits/<uuid:visit>/number",
    "POST /visits/<uuid:visit>/again",
    "POST /visits/<uuid:visit>/join",
}
VALUES = {
    "instrument": GBT,
    "dimension": "self_care",
    "filename": "app.css",
    "what": "language",
    "value": "en",
    "kind": "form",
    "place": "zhoushan",
    "day": "2026-11-22",
    "token": "unknown-token",
    "version": "1",
    "name": "x.js",
}
OPERATION = "00000000-0000-4000-8000-00000000000f"
#: Bodies for routes that look at what was sent before they look at the visit.
SENT: dict[str, dict[str, Any]] = {
    "POST /api/visits/<uuid:visit>/changes": {
        "json": {"op": OPERATION, "base": 1},
        "headers": {"Idempotency-Key": f'"{OPERATION}"'},
    },
    "POST /visits/<uuid:visit>/sign": {"data": {"typed": "second 某", "password": PASSWORD, "content": "x"}},
}
NOBODY = "00000000-0000-0000-0000-000000000001"


def routes(app: Flask) -> Iterator[tuple[str, Any, str]]:
    """Each way of each route: its line in the table, the rule, the method."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}", rule, method


def address(rule: Any, **values: str) -> str:
    known = VALUES | values
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda m: known.get(m[1], NOBODY), rule.rule)


def test_the_table_holds_every_route_and_nothing_else(app: Flask) -> None:
    letters = {role: letter for letter, role in ROLES.items()} | {"anyone": ANYONE}
    found = {}
    for line, rule, _ in routes(app):
        view = app.view_functions[rule.endpoint]
        found[line] = "".join(letters[role] for role in rule_of(view)) or ANYONE
        assert rule.endpoint == "static" or rule_of(view), f"{line}: put @allow(...) on {rule.endpoint}"
    new = "\n".join(f'    "{line}": "{found[line]}",' for line in found if line not in TABLE)
    assert not new, f"Add to TABLE, once you are sure who may:\n{new}"
    assert not (gone := sorted(set(TABLE) - set(found))), f"Take out of TABLE, there is no such route any more: {gone}"


@pytest.mark.parametrize("who", ["stranger", *ROLES])
def test_each_route_opens_to_those_of_the_table_and_to_nobody_else(
    app: Flask, log_in: Callable[[str], FlaskClient], who: str
) -> None:
    """Each view is replaced by one that says 204, under the rule of the one it stands for."""
    client = app.test_client() if who == "stranger" else log_in(PLAYERS[who])
    for endpoint, view in app.view_functions.items():
        if endpoint != "static":
            app.view_functions[endpoint] = allow(*rule_of(view))(lambda **_: ("", 204))
    answers, wanted = {}, {}
    for line, rule, method in routes(app):
        answer = client.open(address(rule), method=method)
        if rule.endpoint == "static":
            assert answer.status_code == 200
            continue
        answers[line] = answer.status_code
        may = TABLE.get(line, "") == ANYONE or who in TABLE.get(line, "")
        program = "/api/" in line
        wanted[line] = 204 if may else 403 if who != "stranger" else 401 if program else 303
        if answer.status_code == 303:
            assert answer.location.startswith("/login"), line
    assert {line: code for line, code in answers.items() if code != wanted[line]} == {}


def test_a_role_that_nobody_knows_opens_nothing(app: Flask, client: FlaskClient, database: Database) -> None:
    with database.writing() as db:
        db.execute(accounts.update(accounts.AccountRow).values(role="king"))
    for line, rule, method in routes(app):
        if TABLE[line] != ANYONE:
            assert client.open(address(rule), method=method).status_code == 403, line


def test_a_route_without_a_rule_is_closed_to_everybody(app: Flask, log_in: Callable[[str], FlaskClient]) -> None:
    app.view_functions["visits.records"] = lambda: "open"
    for who in PLAYERS.values():
        assert log_in(who).get("/").status_code == 403
    assert app.test_client().get("/").status_code == 303


def test_until_a_given_password_is_changed_every_page_leads_to_changing_it(
    app: Flask, crew: Any, client: FlaskClient, database: Database
) -> None:
    with database.writing() as db:
        accounts.set_password(db, crew.ids["main"], "x", must_change=True)
    for line, rule, method in routes(app):
        if TABLE[line] == ANYONE or rule.endpoint in ("me.password", "me.change_password", "accounts.log_out"):
            continue
        answer = client.open(address(rule), method=method)
        expected = (403, None) if "/api/" in line else (303, "/me/password")
        assert (answer.status_code, answer.location) == expected, line
    assert client.get("/me/password").status_code == 200


# ---- other organisations, and colleagues ----


@pytest.fixture
def done(assessor: Any) -> str:
    """The id of a finished visit."""
    visit = assessor.complete()
    assessor.finish(visit)
    return str(visit.rsplit("/")[-1])


@pytest.mark.parametrize("who", ["main", "second", "reviewer", "admin"])
@pytest.mark.parametrize("status", ["draft", "done"])
def test_a_visit_of_another_organisation_is_not_there(
    app: Flask, assessor: Any, database: Database, who: str, status: str, request: pytest.FixtureRequest
) -> None:
    visit = request.getfixturevalue("done") if status == "done" else assessor.start().rsplit("/")[-1]
    before = assessor.stored(f"/visits/{visit}")
    other = logged_in(app, add_crew(database, "另一机构", "b-").ids[who])
    letter = next(letter for letter, player in PLAYERS.items() if player in (who, {"second": "main"}.get(who)))
    tried, answers = 0, {}
    for line, rule, method in routes(app):
        if "visit" in rule.arguments and letter in TABLE[line]:
            tried += 1
            found = other.open(address(rule, visit=visit), method=method, **SENT.get(line, {}))
            answers[line] = found.status_code
    assert tried >= 10
    assert {line: code for line, code in answers.items() if code != 404} == {}
    assert assessor.stored(f"/visits/{visit}") == before


def test_programs_get_404_for_another_organisations_visit_too(app: Flask, assessor: Any, database: Database) -> None:
    visit = assessor.start().rsplit("/")[-1]
    other = logged_in(app, add_crew(database, "另一机构", "b-").ids["main"])
    for line, rule, method in routes(app):
        if "visit" in rule.arguments and "a" in TABLE[line]:
            sent = {**SENT.get(line, {})}
            sent["headers"] = {"Accept": "application/json", **sent.get("headers", {})}
            answer = other.open(address(rule, visit=visit), method=method, **sent)
            assert answer.status_code == 404, line
            assert "王测试" not in answer.text and CITIZEN_ID not in answer.text


def test_people_and_accounts_of_another_organisation_are_not_there(
    app: Flask, assessor: Any, crew: Any, database: Database
) -> None:
    assessor.start()
    with database.reading() as db:
        person = str(db.scalars(select(PersonRow.id)).one())
        login = str(db.scalars(select(LoginRow.id)).first())
    admin = logged_in(app, add_crew(database, "另一机构", "b-").ids["admin"])
    values = {"person": person, "account": str(crew.ids["main"]), "login": login}
    tried = 0
    for line, rule, method in routes(app):
        if set(values) & rule.arguments and "o" in TABLE[line]:
            tried += 1
            assert admin.open(address(rule, **values), method=method).status_code == 404, line
    assert tried >= 8


def test_searching_finds_nothing_of_another_organisation(app: Flask, assessor: Any, database: Database) -> None:
    visit = assessor.start()
    number = assessor.stored(visit).number
    other = logged_in(app, add_crew(database, "另一机构", "b-").ids["main"])
    for words in ("王测试", CITIZEN_ID, number):
        assert visit in assessor.client.post("/search", data={"words": words}).text
        assert visit not in other.post("/search", data={"words": words}).text


def test_a_colleagues_draft_may_be_read_and_not_edited(
    app: Flask, assessor: Any, log_in: Callable[[str], FlaskClient], database: Database
) -> None:
    visit = assessor.complete().rsplit("/")[-1]
    before = assessor.stored(f"/visits/{visit}")
    second = log_in("second")
    for path in ("result", "number"):
        assert second.get(f"/visits/{visit}/{path}").status_code == 200
    answers = {}
    for line, rule, method in routes(app):
        if method == "POST" and "visit" in rule.arguments and "a" in TABLE[line] and line not in COLLEAGUES_MAY:
            found = second.open(address(rule, visit=visit), method=method, **SENT.get(line, {}))
            answers[line] = found.status_code
    assert len(answers) >= 10
    # The consent of this address is not there at all.
    assert answers.pop("POST /visits/<uuid:visit>/consents/<uuid:consent>/withdraw") in (403, 404)
    # A draft is not to be signed by anybody yet.
    assert answers.pop("POST /visits/<uuid:visit>/sign") in (403, 409)
    assert {line: code for line, code in answers.items() if code != 403} == {}
    assert assessor.stored(f"/visits/{visit}") == before


def test_the_system_administrator_sees_no_records(assessor: Any, log_in: Callable[[str], FlaskClient]) -> None:
    visit = assessor.start()
    system = log_in("system")
    for path in ("/", f"{visit}/result", f"{visit}/report", f"{visit}/number", "/review", "/dashboard", "/people"):
        answer = system.get(path)
        assert answer.status_code == 403 and "王测试" not in answer.text


def test_refused_requests_change_nothing_and_leave_no_line(
    app: Flask, assessor: Any, log_in: Callable[[str], FlaskClient], database: Database
) -> None:
    visit = assessor.start().rsplit("/")[-1]
    reviewer = log_in("reviewer")

    def state() -> tuple[Any, int]:
        with database.reading() as db:
            row = db.get_one(VisitRow, UUID(visit))
            return (row.version, row.status), len(list(db.scalars(select(AuditRow))))

    before = state()
    for line, rule, method in routes(app):
        if method == "POST" and "r" not in TABLE[line] and TABLE[line] != ANYONE:
            assert reviewer.open(address(rule, visit=visit), method=method).status_code == 403, line
    assert state() == before
