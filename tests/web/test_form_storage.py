"""What lies on the disk: sealed identities, a journal that survives, tables that match the models, no lost answer."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from webapp import Settings
from webapp.settings import database_url
from webapp.storage import Database, KeyFileError, visits
from webapp.storage.models import Base
from webapp.storage.sealing import AesGcmCipher, SealBroken

GBT = "gbt-42195-2022"


def open_database(settings: Settings) -> Database:
    return Database.open(settings.url, settings.keys)


@pytest.mark.sqlite
def test_sqlite_runs_in_wal_with_foreign_keys(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        with pytest.raises(Exception, match="FOREIGN KEY"):
            connection.execute(text("INSERT INTO assessment SELECT 'a','b',0,'x','{}','{}',NULL,NULL,NULL"))


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def all_bytes(settings: Settings, database: Database) -> bytes:
    """All that is stored: the files of SQLite, or every value of every table of a server."""
    if settings.url.startswith("sqlite"):
        return b"".join(p.read_bytes() for p in Path(settings.database).parent.iterdir())
    found = []
    with database.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                found += [v if isinstance(v, bytes) else str(v).encode() for v in row]
    return b"\n".join(found)


def test_nothing_that_identifies_a_person_is_readable_on_the_disk(
    assessor: Any, settings: Settings, database: Database
) -> None:
    visit = assessor.complete()
    secrets = {"contact_name": "联系人赵六", "contact_phone": "13900001111", "medications": "某某片每日一次"}
    assessor.context(visit, **secrets)
    assessor.client.post(f"{visit}/check", data={"note": "住在海边的老屋"})
    assessor.finish(visit)
    number = assessor.stored(visit).person.citizen_id
    assert assessor.stored(visit).facts["contact_name"] == "联系人赵六"
    everything = all_bytes(settings, database)
    for secret in (number, number[6:14], "1941-05-02", "王测试", "住在海边", *secrets.values()):
        for shape in (secret, json.dumps(secret)[1:-1]):
            assert shape.encode() not in everything, secret
    assert b"eating" in everything, "answers are stored readable"


@pytest.mark.sqlite
def test_only_the_owner_can_read_database_and_keys(app: Any, settings: Settings) -> None:
    for path in Path(settings.database).parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_key_file_that_others_can_read_is_refused(settings: Settings) -> None:
    open_database(settings).close()
    os.chmod(settings.keys, 0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_database(settings)


def test_a_database_without_its_key_file_is_refused_and_no_new_one_is_made(settings: Settings) -> None:
    open_database(settings).close()
    settings.keys.unlink()
    with pytest.raises(KeyFileError, match="missing"):
        open_database(settings)
    assert not settings.keys.exists()


def test_the_key_file_of_another_database_is_refused(settings: Settings, tmp_path: Path) -> None:
    open_database(settings).close()
    other = Settings(database=str(tmp_path / "other.sqlite3"))
    open_database(other).close()
    os.replace(other.keys, settings.keys)
    with pytest.raises(KeyFileError, match="not the key file"):
        open_database(settings)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "field_keys": []}'])
def test_a_file_that_is_no_key_file_is_refused(settings: Settings, content: str) -> None:
    settings.keys.write_text(content)
    os.chmod(settings.keys, 0o600)
    with pytest.raises(KeyFileError, match="not a key file"):
        open_database(settings)


def test_a_sealed_value_opens_only_in_its_own_field_and_row(database: Database) -> None:
    cipher = AesGcmCipher(database.keys)
    row, other = UUID(int=1), UUID(int=2)
    sealed = cipher.seal("王测试", "person.name", row)
    assert cipher.open(sealed, "person.name", row) == "王测试"
    assert cipher.seal("王测试", "person.name", row) != sealed
    for field, id, value in (
        ("person.name", other, sealed),
        ("person.citizen_id", row, sealed),
        ("person.name", row, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("person.name", row, b"\x02" + sealed[1:]),
        ("person.name", row, b""),
    ):
        with pytest.raises(SealBroken):
            cipher.open(value, field, id)


def test_the_blind_index_is_the_same_for_texts_that_read_the_same(database: Database) -> None:
    index = database.cipher.index
    assert index("１１x", "person.citizen_id") == index(" 11X ", "person.citizen_id")
    assert index("11X", "person.citizen_id") != index("11X", "person.name")


def test_parallel_saves_of_one_visit_lose_no_answer(assessor: Any, database: Database) -> None:
    visit = UUID(assessor.start().rsplit("/", 1)[1])
    items = [i.id for d in assessor.book.instruments[GBT].dimensions for i in d.items]
    failures: list[BaseException] = []

    def save(item: str) -> None:
        try:
            with database.writing() as session:
                visits.save_answers(session, visit, GBT, {item: 1})
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with database.reading() as session:
        assert set(visits.get_visit(session, database.cipher, visit).assessments[0].answers) == set(items)


def test_a_failed_write_leaves_nothing_behind(assessor: Any, database: Database) -> None:
    visit = UUID(assessor.start().rsplit("/", 1)[1])
    with pytest.raises(RuntimeError), database.writing() as session:
        visits.save_answers(session, visit, GBT, {"eating": 4})
        raise RuntimeError
    with database.reading() as session:
        assert not visits.get_visit(session, database.cipher, visit).assessments[0].answers


def test_a_restart_finds_everything_again(assessor: Any, settings: Settings) -> None:
    visit = assessor.complete()
    before = assessor.stored(visit)
    database = open_database(settings)
    with database.reading() as session:
        assert visits.get_visit(session, database.cipher, before.id) == before
    database.close()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////x/y.db", "sqlite:////x/y.db"),
    ],
)
def test_database_addresses(given: str, url: str) -> None:
    assert database_url(given) == url


def test_a_file_name_is_a_sqlite_file_with_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert database_url("a.db") == database_url("sqlite:///a.db") == f"sqlite:///{tmp_path / 'a.db'}"


def test_settings_come_from_arguments_then_the_environment() -> None:
    environ = {"YYASSESS_DB": "e.db", "YYASSESS_PLACE": "zhoushan", "YYASSESS_DEMO": "yes", "YYASSESS_KEY_FILE": "/k"}
    read = Settings.from_environment(environ, database="a.db", place=None)
    assert (read.database, read.place, read.demo, read.keys) == ("a.db", "zhoushan", True, Path("/k"))
    with pytest.raises(ValueError, match="YYASSESS_HTTPS"):
        Settings.from_environment({"YYASSESS_HTTPS": "perhaps"})
