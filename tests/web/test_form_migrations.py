"""Bringing an older database up to date loses nothing, on each kind of database."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from conftest import DATABASES

from webapp import Settings
from webapp.storage import Database, visits
from webapp.storage.database import MIGRATIONS, migrate
from webapp.storage.keys import load_keys
from webapp.storage.models import AssessmentRow, OrganisationRow
from webapp.storage.people import BIRTH_DATE, NAME
from webapp.storage.sealing import AesGcmCipher

PERSON, VISIT, ASSESSMENT = uuid4(), uuid4(), uuid4()
NOW = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.sqlite3'}"
    found: str = request.getfixturevalue("postgres").empty()
    return Settings(database=found).url


def steps(connection: sa.Connection, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def first_version(url: str, key_file: Path) -> None:
    """A database as the first version made it, with one draft of one person."""
    keys = load_keys(key_file, may_create=True)
    cipher = AesGcmCipher(keys)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        steps(connection, "0001")
        tables = sa.MetaData()
        tables.reflect(connection)
        # Written through types that both databases store alike.
        as_uuid = {"id": sa.Uuid, "person_id": sa.Uuid, "visit_id": sa.Uuid}
        rows: dict[str, dict[str, object]] = {
            "field_key": {"id": keys.current, "fingerprint": keys.fingerprint(keys.current)},
            "person": {
                "id": PERSON,
                "name_sealed": cipher.seal("周旧人", NAME, PERSON),
                "name_index": cipher.index("周旧人", NAME),
                "birth_date_sealed": cipher.seal("1940-01-01", BIRTH_DATE, PERSON),
                "sex": "male",
                "demo": False,
                "created_at": NOW,
            },
            "visit": {
                "id": VISIT,
                "person_id": PERSON,
                "place": "zhoushan",
                "visited_on": NOW.date(),
                "status": "draft",
                "facts": {"coma": False},
                "version": 3,
                "created_at": NOW,
                "updated_at": NOW,
            },
            "assessment": {
                "id": ASSESSMENT,
                "visit_id": VISIT,
                "position": 0,
                "instrument": "gbt-42195-2022",
                "answers": {"eating": 4},
                "settings": {},
            },
        }
        for name, row in rows.items():
            columns = [
                sa.column(c, sa.JSON if isinstance(v, dict) else as_uuid.get(c) if name != "field_key" else None)
                for c, v in row.items()
            ]
            connection.execute(sa.table(name, *columns).insert().values(**row))
    engine.dispose()


def test_a_database_of_the_first_version_keeps_every_record(url: str, tmp_path: Path) -> None:
    key_file = tmp_path / "old.key"
    first_version(url, key_file)
    database = Database.open(url, key_file)
    try:
        with database.reading() as db:
            [organisation] = db.scalars(sa.select(OrganisationRow)).all()
            [found] = visits.recent_visits(db, database.cipher, organisation.id, limit=5)
        assert found.id == VISIT and found.person.name == "周旧人" and found.facts == {"coma": False}
        assert found.assessments[0].answers == {"eating": 4}
        assert found.number and found.assessor is None and found.changed == {}
    finally:
        database.close()


def test_going_back_a_version_keeps_what_the_old_one_knew(url: str, tmp_path: Path) -> None:
    key_file = tmp_path / "old.key"
    first_version(url, key_file)
    database = Database.open(url, key_file)
    try:
        with database.engine.connect().execution_options(writes=True, migrates=True) as connection, connection.begin():
            steps(connection, "0001", down=True)
            assert connection.execute(sa.select(sa.func.count()).select_from(sa.table("assessment"))).scalar() == 1
            assert "organisation" not in sa.inspect(connection).get_table_names()
            migrate(connection)
            assert connection.execute(sa.select(AssessmentRow.answers)).scalar() == {"eating": 4}
    finally:
        database.close()
