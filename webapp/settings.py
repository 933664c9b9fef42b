"""How one deployment of the form is set up: arguments first, then the environment, then the defaults."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: China has one time and no summer time; a fixed offset needs no time zone database.
CHINA = dt.timezone(dt.timedelta(hours=8), "UTC+08:00")
DEFAULT_DATABASE = "yyassess.sqlite3"


def china_today() -> dt.date:
    """Today's date in China, wherever the server stands."""
    return dt.datetime.now(CHINA).date()


def database_url(given: str) -> str:
    """A database URL; a plain file name means a SQLite file, and PostgreSQL gets its current driver."""
    if "://" not in given:
        return f"sqlite:///{Path(given).expanduser().resolve()}"
    if given.startswith("sqlite:///") and not given.startswith("sqlite:////"):
        return f"sqlite:///{Path(given.removeprefix('sqlite:///')).resolve()}"
    for short in ("postgres://", "postgresql://"):
        if given.startswith(short):
            return "postgresql+psycopg://" + given.removeprefix(short)
    return given


@dataclass(frozen=True)
class Settings:
    """Everything the application reads about its surroundings."""

    database: str = DEFAULT_DATABASE
    """A SQLite file or a database URL."""
    rules: tuple[str, ...] = ()
    """Folders of rules on top of the shipped ones."""
    place: str | None = None
    """The place new visits start with."""
    demo: bool = False
    """Put a fictional person into an empty database."""
    key_file: Path | None = None
    """Keys for the encrypted columns and for sessions; beside the database unless named."""
    https: bool = False
    """The form is reached over HTTPS: secure cookies, HSTS."""
    today: Callable[[], dt.date] = field(default=china_today, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
        """Settings from ``YYASSESS_DB``, ``_PLACE``, ``_DEMO``, ``_KEY_FILE`` and ``_HTTPS``; ``given`` wins.

        Raises:
            ValueError: a value that cannot be read.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, Any] = {}
        for name, key in (("database", "YYASSESS_DB"), ("place", "YYASSESS_PLACE")):
            if environ.get(key):
                found[name] = environ[key]
        if environ.get("YYASSESS_KEY_FILE"):
            found["key_file"] = Path(environ["YYASSESS_KEY_FILE"])
        for name, key in (("demo", "YYASSESS_DEMO"), ("https", "YYASSESS_HTTPS")):
            if environ.get(key):
                found[name] = _yes_or_no(key, environ[key])
        return cls(**{**found, **{k: v for k, v in given.items() if v is not None}})

    @property
    def url(self) -> str:
        """The database URL with an absolute path, so that a changed working folder cannot move the data."""
        return database_url(self.database)

    @property
    def keys(self) -> Path:
        """Where the key file lies."""
        if self.key_file is not None:
            return self.key_file
        if self.url.startswith("sqlite:///"):
            return Path(self.url.removeprefix("sqlite:///") + ".key")
        return Path("yyassess.key").resolve()


def _yes_or_no(key: str, given: str) -> bool:
    answers = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if given.strip().lower() not in answers:
        raise ValueError(f"{key}={given!r}: write 1 or 0")
    return answers[given.strip().lower()]
