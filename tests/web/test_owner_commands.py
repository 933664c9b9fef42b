"""``python -m webapp``: what the owner of the server does."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import CITIZEN_ID, Crew
from flask import Flask
from quick import quick_hashes  # noqa: F401
from sqlalchemy import select, text, update

from webapp import Settings
from webapp.__main__ import main
from webapp.accounts.logins import COOKIE
from webapp.storage import Database, accounts, audit
from webapp.storage.models import AttemptRow, AuditRow, LoginRow, PersonRow, VisitRow
from webapp.storage.retention import years_before

ENVIRONMENT = {name: "" for name in os.environ if name.startswith("YYASSESS_")}


def run(settings: Settings, *words: str, input: str | None = None, **environment: str) -> Result:
    where = {"YYASSESS_DB": settings.database, "YYASSESS_KEY_FILE": str(settings.keys)}
    found = CliRunner().invoke(main, words, input=input, env=ENVIRONMENT | where | environment)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def enter(app: Flask, username: str, password: str) -> int:
    return app.test_client().post("/login", data={"username": username, "password": password}).status_code


def first_password(result: Result) -> str:
    found = re.search(r"First password: (\S+)", result.output)
    assert result.exit_code == 0 and found, result.output
    return found[1]


def actions(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.scalars(select(AuditRow.action).order_by(AuditRow.seq)))


# ---- accounts ----


def test_the_first_organisation_and_its_administrator_are_made_by_command(
    app: Flask, settings: Settings, database: Database
) -> None:
    assert run(settings, "add-organisation", "岱山评估站", "--place", "zhoushan").exit_code == 0
    made = run(
        settings, "add-account", "DSadmin", "--role", "org_admin", "--organisation", "岱山评估站", "--name", "管理员"
    )
    password = first_password(made)
    client = app.test_client()
    assert client.post("/login", data={"username": "dsadmin", "password": password}).status_code == 303
    assert client.get("/accounts").location == "/me/password"
    assert actions(database)[:2] == ["organisation.added", "account.added"]
    listed = run(settings, "accounts").output
    assert "岱山评估站" in listed and "dsadmin  org_admin  管理员" in listed


def test_a_system_administrator_belongs_to_nobody(app: Flask, settings: Settings) -> None:
    password = first_password(run(settings, "add-account", "root", "--role", "system_admin", "--name", "系统"))
    assert enter(app, "root", password) == 303


def test_a_password_can_come_from_standard_input(app: Flask, settings: Settings) -> None:
    words = ("add-account", "root", "--role", "system_admin", "--name", "系统", "--password-stdin")
    assert run(settings, *words, input="1234567890\n").exit_code == 2
    made = run(settings, *words, input="fünf kluge fische\n")
    assert made.exit_code == 0 and "fische" not in made.output
    assert enter(app, "root", "fünf kluge fische") == 303


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("add-account", "x y", "--role", "assessor", "--organisation", "测试机构", "--name", "n"),
            2,
            "without spaces",
        ),
        (("add-account", "neu", "--role", "king", "--name", "n"), 2, "system_admin"),
        (("add-account", "neu", "--role", "assessor", "--name", "n"), 2, "--organisation"),
        (
            ("add-account", "neu", "--role", "system_admin", "--organisation", "测试机构", "--name", "n"),
            2,
            "must not have one",
        ),
        (("add-account", "neu", "--role", "assessor", "--organisation", "nobody", "--name", "n"), 1, "测试机构"),
        (("add-account", "MAIN", "--role", "assessor", "--organisation", "测试机构", "--name", "n"), 1, "taken"),
        (("add-account", "neu", "--role", "assessor", "--organisation", "测试机构", "--name", " "), 2, "name"),
        (("add-organisation", "测试机构"), 1, "already"),
        (("add-organisation", "new", "--place", "atlantis"), 2, "atlantis"),
        (("add-organisation", ""), 2, "name"),
        (("reset-password", "nobody"), 1, "no account"),
        (("unlock", "nobody"), 1, "no account"),
        (("export", "--organisation", "测试机构", "--reason", "curiosity", "--out", "x"), 2, "statistics"),
        (("export", "--organisation", "nobody", "--reason", "statistics", "--out", "x"), 1, "测试机构"),
        (("retention",), 2, "--years"),
        (("retention", "--years", "0"), 2, "0"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    crew: Crew, settings: Settings, database: Database, words: tuple[str, ...], code: int, said: str
) -> None:
    found = run(settings, *words)
    assert (found.exit_code, said in found.output) == (code, True), found.output
    assert "Traceback" not in found.output
    with database.reading() as db:
        assert accounts.count_accounts(db) == len(crew.ids)
        assert audit.count(db) == 0


@pytest.mark.sqlite
def test_a_database_that_is_not_there_is_a_slip_and_is_not_made(tmp_path: Path) -> None:
    for command in (("accounts",), ("verify-audit",), ("rotate-keys",), ("reset-password", "x")):
        found = run(Settings(database=str(tmp_path / "typo.sqlite3")), *command)
        assert found.exit_code == 1 and "typo.sqlite3" in found.output
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_cannot_be_read_is_named(settings: Settings) -> None:
    found = run(settings, "accounts", YYASSESS_LOCK_AFTER="often")
    assert found.exit_code == 2 and "YYASSESS_LOCK_AFTER" in found.output


@pytest.mark.sqlite
def test_a_key_file_that_does_not_fit_is_named(crew: Crew, settings: Settings) -> None:
    settings.keys.unlink()
    found = run(settings, "accounts")
    assert found.exit_code == 1 and "key file" in found.output and not settings.keys.exists()


def test_a_lost_password_is_replaced_and_the_account_opened(
    app: Flask, crew: Crew, settings: Settings, database: Database, client: Any
) -> None:
    for _ in range(6):
        enter(app, "main", "wrong")
    password = first_password(run(settings, "reset-password", "main"))
    assert client.get("/visits/new").status_code == 303, "its devices are logged out"
    assert enter(app, "main", password) == 303


def test_unlocking_opens_at_once(app: Flask, crew: Crew, settings: Settings) -> None:
    from conftest import PASSWORD

    for _ in range(6):
        enter(app, "main", "wrong")
    assert enter(app, "main", PASSWORD) == 429
    assert run(settings, "unlock", "main").exit_code == 0
    assert enter(app, "main", PASSWORD) == 303


# ---- audit, keys, export ----


def test_verify_audit_finds_what_was_changed(crew: Crew, settings: Settings, database: Database) -> None:
    with database.writing() as db:
        for n in range(3):
            audit.record(db, "visit.test", f"visit:{n}", account=None, organisation=crew.organisation)
    good = run(settings, "verify-audit")
    assert good.exit_code == 0 and "3 lines" in good.output
    off = {"sqlite": "DROP TRIGGER audit_no_update", "postgresql": "DROP TRIGGER audit_no_change ON audit"}
    with database.writing() as db:
        db.execute(text(off[database.engine.dialect.name]))
        db.execute(text("UPDATE audit SET action = 'visit.other' WHERE seq = 2"))
    bad = run(settings, "verify-audit")
    assert bad.exit_code == 1 and "line 2: it was changed" in bad.output


def test_a_witness_shows_that_the_newest_lines_were_cut_off(
    crew: Crew, settings: Settings, database: Database, tmp_path: Path
) -> None:
    witness = tmp_path / "witness.txt"

    def lines(n: int) -> None:
        with database.writing() as db:
            for number in range(n):
                audit.record(db, "visit.test", f"visit:{number}", account=None, organisation=crew.organisation)

    for more in (0, 2, 0, 2):
        lines(more)
        assert run(settings, "verify-audit", "--witness", str(witness)).exit_code == 0
    seen = witness.read_text().splitlines()
    assert [line.split()[0] for line in seen] == ["0", "2", "4"]
    off = {"sqlite": "DROP TRIGGER audit_no_delete", "postgresql": "DROP TRIGGER audit_no_change ON audit"}
    with database.writing() as db:
        db.execute(text(off[database.engine.dialect.name]))
        db.execute(text("DELETE FROM audit WHERE seq > 3"))
    # The chain alone looks whole; and it looks whole again with other lines in the place of those that went.
    for more in (0, 3):
        lines(more)
        assert run(settings, "verify-audit").exit_code == 0
        bad = run(settings, "verify-audit", "--witness", str(witness))
        assert bad.exit_code == 1 and "line 4: it is not the line that the witness saw" in bad.output
    assert witness.read_text().splitlines() == seen, "a log with faults is no witness"
    witness.write_text("4 and something\n")
    odd = run(settings, "verify-audit", "--witness", str(witness))
    assert odd.exit_code == 1 and "witness.txt:1" in odd.output and "Traceback" not in odd.output


def test_rotate_keys_tells_what_it_did(assessor: Any, settings: Settings, database: Database) -> None:
    visit = assessor.start()
    old = database.keys.current
    done = run(settings, "rotate-keys")
    assert done.exit_code == 0 and f"Dropped: {old}" in done.output
    assert assessor.stored(visit).person.name == "王测试"
    again = run(settings, "rotate-keys")
    assert again.exit_code == 0 and old not in again.output


def test_an_export_goes_into_a_new_file_of_its_owners(
    assessor: Any, settings: Settings, database: Database, tmp_path: Path
) -> None:
    assessor.finish(assessor.complete())
    out = tmp_path / "out" / "records.csv"
    words = ("export", "--organisation", "测试机构", "--reason", "statistics", "--out", str(out))
    assert run(settings, *words).exit_code == 1, "the folder is not there"
    out.parent.mkdir()
    done = run(settings, *words)
    assert done.exit_code == 0 and "masked" in done.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["王**"]
    assert run(settings, *words).exit_code == 1, "nothing is written over"
    full = tmp_path / "full.json"
    done = run(
        settings, "export", "--organisation", "测试机构", "--reason", "move", "--format", "json", "--out", str(full)
    )
    assert done.exit_code == 0 and json.loads(full.read_text("utf-8"))[0]["citizen_id"] == CITIZEN_ID
    assert actions(database).count("records.exported") >= 2


# ---- retention ----


def age(database: Database, visit: str, **columns: dt.datetime) -> None:
    from uuid import UUID

    with database.writing() as db:
        db.execute(update(VisitRow).where(VisitRow.id == UUID(visit.rsplit("/")[-1])).values(**columns))


def numbers(database: Database) -> set[str]:
    with database.reading() as db:
        return set(db.scalars(select(VisitRow.number)))


def test_what_was_kept_long_enough_is_deleted_after_a_dry_run(
    assessor: Any, settings: Settings, database: Database
) -> None:
    now = dt.datetime.now(dt.UTC)
    old = assessor.complete()
    assessor.finish(old)
    kept = assessor.complete()
    assessor.finish(kept)
    stale, fresh = assessor.start(), assessor.start()
    age(database, old, finished_at=now - dt.timedelta(days=366 * 10))
    age(database, kept, finished_at=now - dt.timedelta(days=365 * 9))
    age(database, stale, updated_at=now - dt.timedelta(days=91))
    gone = {assessor.stored(old).number, assessor.stored(stale).number}
    stay = {assessor.stored(kept).number, assessor.stored(fresh).number}
    words = ("retention", "--years", "10", "--draft-days", "90")

    dry = run(settings, *words)
    assert dry.exit_code == 0 and "Would delete 1 finished visits and 1 drafts" in dry.output
    assert all(number in dry.output for number in gone) and not any(number in dry.output for number in stay)
    assert numbers(database) == gone | stay, "a dry run deletes nothing"

    assert run(settings, *words, "--yes").exit_code == 0
    assert numbers(database) == stay
    with database.reading() as db:
        lines = list(db.scalars(select(AuditRow).where(AuditRow.action == "visit.deleted")))
        assert {line.detail["reason"] for line in lines} == {"retention"} and len(lines) == 2
        assert list(audit.faults(db)) == []
    assert "retention.run" in actions(database)
    assert "Would delete 0" in run(settings, *words).output


def test_limits_come_from_settings_and_one_alone_keeps_the_other_kind(
    assessor: Any, settings: Settings, database: Database
) -> None:
    done, draft = assessor.complete(), assessor.start()
    assessor.finish(done)
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=3660)
    age(database, done, finished_at=long_ago, updated_at=long_ago)
    age(database, draft, updated_at=long_ago)
    assert "1 finished visits and 0 drafts" in run(settings, "retention", YYASSESS_RETENTION_YEARS="5").output
    assert "0 finished visits and 1 drafts" in run(settings, "retention", YYASSESS_DRAFT_DAYS="30").output


def test_people_go_with_their_last_visit(assessor: Any, settings: Settings, database: Database) -> None:
    draft = assessor.start()
    age(database, draft, updated_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=40))
    assert run(settings, "retention", "--draft-days", "30", "--yes").exit_code == 0
    with database.reading() as db:
        assert db.scalars(select(PersonRow)).all() == []


def test_old_log_ins_and_counts_of_failures_are_forgotten_too(
    app: Flask, client: Any, settings: Settings, database: Database
) -> None:
    enter(app, "main", "wrong")
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=100)
    with database.writing() as db:
        db.execute(update(LoginRow).values(seen_at=long_ago))
        db.execute(update(AttemptRow).values(last_at=long_ago))
    assert client.get_cookie(COOKIE)
    assert run(settings, "retention", "--years", "10", "--yes").exit_code == 0
    with database.reading() as db:
        assert not db.scalars(select(LoginRow)).all() and not db.scalars(select(AttemptRow)).all()


def test_years_before_a_leap_day() -> None:
    assert years_before(dt.datetime(2028, 2, 29), 1) == dt.datetime(2027, 2, 28)
    assert years_before(dt.datetime(2028, 2, 29), 4) == dt.datetime(2024, 2, 29)


@pytest.mark.sqlite
def test_it_runs_as_a_module(settings: Settings) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("YYASSESS_")}
    made = subprocess.run(
        [sys.executable, "-m", "webapp", "--db", settings.database, "add-organisation", "机构"],
        capture_output=True,
        text=True,
        env=environment | {"PYTHONIOENCODING": "utf-8"},
        cwd=Path(__file__).resolve().parents[2],
    )
    assert (made.returncode, made.stderr) == (0, "") and "机构" in made.stdout
