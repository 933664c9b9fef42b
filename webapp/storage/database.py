"""The database: one engine, sessions for reading and for writing, migrations at the start."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.orm import Session

from webapp.storage.keys import KeyFileError, Keys, load_keys
from webapp.storage.models import KeyRow
from webapp.storage.sealing import AesGcmCipher, FieldCipher

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MILLISECONDS = 10_000
#: Any fixed number: PostgreSQL's lock while one process migrates.
MIGRATION_LOCK = 42195_2022
#: Another one: shared by everybody who writes, taken alone while the keys change.
KEY_LOCK = 42195_2024

log = logging.getLogger("webapp")


class Database:
    """A deployment's data: open it with `Database.open`."""

    def __init__(self, engine: Engine, keys: Keys, key_file: Path) -> None:
        self.engine = engine
        self.keys = keys
        self.key_file = key_file
        self._key_file_seen: tuple[int, int, int] | None = None
        self._cipher = AesGcmCipher(keys, look_again=self.look_at_keys)
        self.cipher: FieldCipher = self._cipher

    @classmethod
    def open(cls, url: str, key_file: Path) -> Database:
        """Connect, bring the tables up to date, and check that the key file belongs to this database.

        Raises:
            KeyFileError: the key file is missing, readable by others, or another database's.
        """
        engine = _engine(url)
        with _writing(engine, migrates=True) as connection:
            migrate(connection)
            known = {row.id: row.fingerprint for row in connection.execute(select(KeyRow.id, KeyRow.fingerprint))}
            keys = load_keys(key_file, may_create=not known)
            _recognise(connection, keys, known, key_file)
        # Connections made from here on check references again.
        engine.dispose()
        return cls(engine, keys, key_file)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with self.engine.connect() as connection, Session(connection) as session:
            self.look_at_keys()
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed together, or not at all."""
        with _writing(self.engine) as connection, Session(connection, expire_on_commit=False) as session:
            if self.engine.dialect.name == "postgresql":
                # Held by every writer: a change of keys waits until nobody seals with the former ones.
                session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": KEY_LOCK})
            # After the transaction has begun, because on SQLite that is what a change of keys waits for.
            self.look_at_keys()
            yield session
            session.flush()

    def look_at_keys(self) -> None:
        """Take over the key file when it was changed: keys may be rotated while the form is running."""
        seen = _stamp(self.key_file)
        if seen is None or seen == self._key_file_seen:
            return
        try:
            keys = load_keys(self.key_file, may_create=False)
        except KeyFileError as error:
            log.error("the changed key file was not taken over: %s", error)
            return
        if keys.index_key != self.keys.index_key:
            log.error("the key file was replaced by another database's; going on with the keys from before")
            return
        self.keys = keys
        self._cipher.use(keys)
        self._key_file_seen = seen

    def ping(self) -> None:
        """Raises when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _engine(url: str) -> Engine:
    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        # Made here and not by SQLite, so that only its owner can read it; the WAL file inherits the mode.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(
        url,
        json_serializer=dump,
        pool_pre_ping=not url.startswith("sqlite"),
        # Statements in error messages and logs never carry what was typed.
        hide_parameters=True,
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # The driver would begin transactions at moments of its own choosing; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={BUSY_MILLISECONDS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock before it reads, so that read-change-write on one visit cannot lose an answer.
    options = connection.get_execution_options()
    if options.get("migrates", False):
        # Altering a table means making it anew; with references checked, dropping the old one would empty its children.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")


@contextmanager
def _writing(engine: Engine, *, migrates: bool = False) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=True, migrates=migrates) as connection, connection.begin():
        yield connection


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"The tables could not be brought up to date: {len(broken)} rows point to nothing.")


def _recognise(connection: Connection, keys: Keys, known: dict[str, str], path: Path) -> None:
    mine = {key_id: keys.fingerprint(key_id) for key_id in keys.field_keys}
    # All of them: with one key missing, what it sealed could not be opened.
    if any(mine.get(key_id) != print_ for key_id, print_ in known.items()):
        raise KeyFileError(f"{path} is not the key file this database was made with: its sealed data cannot be opened.")
    for key_id, print_ in mine.items():
        if key_id not in known:
            connection.execute(KeyRow.__table__.insert().values(id=key_id, fingerprint=print_))  # type: ignore[attr-defined]
