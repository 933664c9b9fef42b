"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

MISSING = "The PostgreSQL server is missing. Type: apt-get install -y postgresql"
TEMPLATE = "yyassess_template"


def program(name: str) -> str | None:
    """The path of one of the server's programs: on PATH, or where Debian keeps it."""
    found = shutil.which(name)
    homes = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[4].split(".")[0]))
    return found or (str(homes[-1]) if homes else None)


@dataclass(frozen=True)
class Server:
    """A running server."""

    socket: Path

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def sql(self, *statements: str) -> None:
        """Run statements that stand outside of transactions."""
        import psycopg

        with psycopg.connect(f"host={self.socket} user=postgres dbname=postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def empty(self) -> str:
        """A new database with nothing in it; returns its address."""
        name = f"t{uuid4().hex}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def fresh(self) -> str:
        """A new database with today's tables, copied from one that was migrated once."""
        name = f"t{uuid4().hex}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)


@contextmanager
def running() -> Iterator[Server]:
    """Start a server; fails, and does not skip, where there is none: a skipped check would pass for a good one."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.fail(MISSING, pytrace=False)
    # Short, because a socket's path may not be long.
    folder = Path(tempfile.mkdtemp(prefix="yypg", dir="/tmp"))
    user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"

    def run(*command: str) -> None:
        done = subprocess.run([*user, *command], cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"{' '.join(command)}: {done.stdout}{done.stderr}", pytrace=False)

    try:
        run(initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        # Nothing here outlives the tests: no write needs to reach the disk.
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        # With a log file, as pg_ctl would otherwise hand our own output to the server and we would wait for ever.
        run(pg_ctl, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        server = Server(folder)
        server.sql(f"CREATE DATABASE {TEMPLATE}")
        _migrate(server.url(TEMPLATE))
        yield server
    finally:
        if data.exists():
            subprocess.run(
                [*user, pg_ctl, "-D", str(data), "-m", "immediate", "stop"], cwd="/", capture_output=True, check=False
            )
        shutil.rmtree(folder, ignore_errors=True)


def _migrate(url: str) -> None:
    from sqlalchemy import create_engine

    from webapp.settings import database_url
    from webapp.storage.database import migrate

    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
