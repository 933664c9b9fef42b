"""The audit log: only ever added to, each line sealing the one before; read by those whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Crew, add_crew, logged_in
from flask import Flask
from flask.testing import FlaskClient
from quick import quick_hashes  # noqa: F401
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from webapp.storage import Database, audit

#: What an owner of the database would have to do before touching a line.
GUARDS_OFF = {
    "sqlite": ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"),
    "postgresql": ("DROP TRIGGER audit_no_change ON audit",),
}


def guards_off(database: Database) -> None:
    with database.writing() as db:
        for statement in GUARDS_OFF[database.engine.dialect.name]:
            db.execute(text(statement))


def write(database: Database, crew: Crew, lines: int) -> None:
    with database.writing() as db:
        for n in range(lines):
            audit.record(
                db,
                "visit.test",
                f"visit:{n}",
                account=crew.ids["main"],
                organisation=crew.organisation,
                detail={"n": n},
            )


def faults(database: Database) -> list[tuple[int, str]]:
    with database.reading() as db:
        return list(audit.faults(db))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET action = 'nothing'",
        "UPDATE audit SET at = at WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit",
    ],
)
def test_the_database_itself_refuses_to_change_or_remove_a_line(database: Database, crew: Crew, statement: str) -> None:
    write(database, crew, 3)
    with pytest.raises(DBAPIError, match="final"), database.writing() as db:
        db.execute(text(statement))
    assert faults(database) == []
    with database.reading() as db:
        assert audit.count(db) == 3


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET action = 'visit.other' WHERE seq = 3", [(3, "it was changed")]),
        ("UPDATE audit SET object = 'visit:x' WHERE seq = 1", [(1, "it was changed")]),
        ("UPDATE audit SET account_id = NULL WHERE seq = 5", [(5, "it was changed")]),
        ("UPDATE audit SET detail = '{\"n\": 9}' WHERE seq = 2", [(2, "it was changed")]),
        ("DELETE FROM audit WHERE seq = 2", [(3, "line 2 is missing"), (3, "it does not follow the line before")]),
        ("DELETE FROM audit WHERE seq = 1", [(2, "line 1 is missing"), (2, "it does not follow the line before")]),
    ],
)
def test_whoever_takes_the_guards_away_is_still_found_out(
    database: Database, crew: Crew, statement: str, found: list[tuple[int, str]]
) -> None:
    write(database, crew, 5)
    assert faults(database) == []
    guards_off(database)
    with database.writing() as db:
        db.execute(text(statement))
    assert faults(database) == found


def test_a_line_and_what_it_tells_about_are_kept_together_or_not_at_all(database: Database, crew: Crew) -> None:
    with pytest.raises(RuntimeError), database.writing() as db:
        audit.record(db, "visit.test", "visit:1", account=None, organisation=crew.organisation)
        raise RuntimeError("the act failed")
    with database.reading() as db:
        assert audit.count(db) == 0


def test_an_administrator_reads_the_lines_of_the_organisation_the_newest_first(
    assessor: Any, log_in: Callable[[str], FlaskClient], database: Database, app: Flask
) -> None:
    visit = assessor.start()
    other = add_crew(database, "另一机构", "b-")
    page = log_in("admin").get("/audit").text
    number = assessor.stored(visit).number
    assert number in page and "main 某" in page
    elsewhere = logged_in(app, other.ids["admin"]).get("/audit").text
    assert number not in elsewhere and "main 某" not in elsewhere.replace("b-main 某", "")


def test_lines_are_filtered_by_kind_by_account_and_by_what_they_are_about(
    assessor: Any, log_in: Callable[[str], FlaskClient], crew: Crew, database: Database
) -> None:
    visit = assessor.start()
    other = assessor.start()
    write(database, crew, 2)
    with database.writing() as db:
        audit.record(db, "account.changed", "account:x", account=crew.ids["admin"], organisation=crew.organisation)
    admin = log_in("admin")

    def objects(**query: str) -> list[str]:
        found = re.findall(r'href="/audit\?object=([^"&]+)"', admin.get("/audit", query_string=query).text)
        return [name.replace("%3A", ":") for name in found]

    assert objects(kind="account") == ["account:x"]
    assert objects(account=str(crew.ids["admin"])) == ["account:x"]
    mine = f"visit:{visit.rsplit('/')[-1]}"
    assert set(objects(object=mine)) == {mine}
    assert f"visit:{other.rsplit('/')[-1]}" in objects(kind="visit")
    assert objects(kind="%") == objects() and objects(kind="acc") == objects(), "no pattern, a word of the list"
    assert objects(account="nonsense") == objects()


def test_a_long_log_has_pages(log_in: Callable[[str], FlaskClient], database: Database, crew: Crew) -> None:
    write(database, crew, 120)
    admin = log_in("admin")
    address, seen = "/audit", []
    while address:
        page = admin.get(address).text
        seen += [int(n) for n in re.findall(r'<span class="small">(\d+) ', page)]
        older = re.search(r'href="(/audit\?[^"]*before=\d+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == list(range(120, 0, -1))


def test_details_are_shown_as_text(log_in: Callable[[str], FlaskClient], database: Database, crew: Crew) -> None:
    with database.writing() as db:
        audit.record(
            db,
            "<b>x</b>.y",
            "visit:<script>",
            account=None,
            organisation=crew.organisation,
            detail={"<i>": "<script>alert(1)</script>", "list": ["a", "b"]},
        )
    page = log_in("admin").get("/audit").text
    assert "<script>alert" not in page and "<b>x</b>" not in page and "list: a, b" in page


def test_whole_flow_leaves_a_chain_without_faults_and_without_personal_data(assessor: Any, database: Database) -> None:
    from conftest import CITIZEN_ID

    visit = assessor.complete()
    assessor.client.post(f"{visit}/check", data={"note": "住在海边的老屋"})
    assessor.finish(visit)
    assert faults(database) == []
    with database.reading() as db:
        rows = db.execute(text("SELECT * FROM audit")).all()
    assert len(rows) >= 4
    for secret in ("王测试", CITIZEN_ID, "1941-05-02", "住在海边"):
        assert secret not in str(rows), secret
