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
#: Larger numbers in a setting are slips of the keyboard.
MOST = 100_000


class BadSetting(ValueError):
    """A setting of the environment that cannot be read; the message names it."""


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
class WeChat:
    """An official account (服务号) of WeChat, whose users may log in through it."""

    app_id: str
    secret: str = field(repr=False)
    api: str = "https://api.weixin.qq.com"
    """Where codes are exchanged."""
    authorize: str = "https://open.weixin.qq.com/connect/oauth2/authorize"
    """Where the phone asks its user."""


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
    public_url: str | None = None
    """Where people outside reach the form; printed reports point there. The request's own host if not set."""
    proxies: int = 0
    """How many proxies of our own stand in front; the address of a log-in is read from what they add."""
    demo_open: bool = False
    """Show the demo to the network, too, though everybody knows its passwords."""
    idle: dt.timedelta = dt.timedelta(hours=4)
    """A log-in that was not used for so long ends."""
    absolute: dt.timedelta = dt.timedelta(hours=14)
    """A log-in ends after so long in any case: a working day."""
    lock_after: int = 5
    """So many wrong passwords under one name, and the next try has to wait; each further one doubles the wait."""
    retention_years: int | None = None
    """Finished visits older than this are deleted by `python -m webapp retention`; none keeps them."""
    draft_days: int | None = None
    """Drafts untouched for so long are deleted by the same command; none keeps them."""
    wechat: WeChat | None = None
    """Log-in through WeChat; none switches it off."""
    today: Callable[[], dt.date] = field(default=china_today, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
        """Settings from the environment, the variables of docs/form.md and docs/accounts.md; ``given`` wins.

        Raises:
            BadSetting: a value that cannot be read.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, Any] = {}
        for name, key in (("database", "YYASSESS_DB"), ("place", "YYASSESS_PLACE")):
            if environ.get(key):
                found[name] = environ[key]
        if environ.get("YYASSESS_PUBLIC_URL"):
            found["public_url"] = _web_address("YYASSESS_PUBLIC_URL", environ["YYASSESS_PUBLIC_URL"])
        if environ.get("YYASSESS_KEY_FILE"):
            found["key_file"] = Path(environ["YYASSESS_KEY_FILE"])
        for name, key in (
            ("demo", "YYASSESS_DEMO"),
            ("demo_open", "YYASSESS_DEMO_OPEN"),
            ("https", "YYASSESS_HTTPS"),
        ):
            if environ.get(key):
                found[name] = _yes_or_no(key, environ[key])
        for name, key, least in (
            ("proxies", "YYASSESS_PROXIES", 0),
            ("lock_after", "YYASSESS_LOCK_AFTER", 1),
            ("retention_years", "YYASSESS_RETENTION_YEARS", 1),
            ("draft_days", "YYASSESS_DRAFT_DAYS", 1),
        ):
            if environ.get(key):
                found[name] = _whole(key, environ[key], least)
        for name, key in (("idle", "YYASSESS_IDLE_MINUTES"), ("absolute", "YYASSESS_LOGIN_MINUTES")):
            if environ.get(key):
                found[name] = dt.timedelta(minutes=_whole(key, environ[key], 1))
        found["wechat"] = _wechat(environ)
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


def _web_address(key: str, given: str) -> str:
    if not given.startswith(("https://", "http://")):
        raise BadSetting(f"{key}={given!r}: write an address that begins with https://")
    return given.rstrip("/")


def _yes_or_no(key: str, given: str) -> bool:
    answers = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if given.strip().lower() not in answers:
        raise BadSetting(f"{key}={given!r}: write 1 or 0")
    return answers[given.strip().lower()]


def _whole(key: str, given: str, least: int) -> int:
    try:
        value = int(given)
    except ValueError:
        value = least - 1
    if not least <= value <= MOST:
        raise BadSetting(f"{key}={given!r}: write a whole number from {least} to {MOST}")
    return value


def _wechat(environ: Mapping[str, str]) -> WeChat | None:
    app_id, secret = environ.get("YYASSESS_WECHAT_APP_ID", ""), environ.get("YYASSESS_WECHAT_SECRET", "")
    if bool(app_id) != bool(secret):
        raise BadSetting("YYASSESS_WECHAT_APP_ID and YYASSESS_WECHAT_SECRET: set both, or neither")
    if not app_id:
        return None
    others = {"api": environ.get("YYASSESS_WECHAT_API"), "authorize": environ.get("YYASSESS_WECHAT_AUTHORIZE")}
    return WeChat(app_id, secret, **{name: value for name, value in others.items() if value})
