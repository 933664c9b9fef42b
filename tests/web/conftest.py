"""A form of its own for each test, with a fixed day, and an assessor who knows how to fill it in."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from postgres import Server, running
from sqlalchemy import create_engine
from werkzeug.test import TestResponse

from webapp import Settings, create_app
from webapp.accounts.logins import COOKIE
from webapp.accounts.passwords import hashed
from webapp.app import EXTENSION
from webapp.people.citizen_id import check_digit
from webapp.storage import Database, Visit, accounts, visits
from webapp.storage.database import migrate
from yyassess import Rulebook

TODAY = dt.date(2026, 11, 22)
#: Each test of the form runs on all of these when they are named; else those about stored data run on PostgreSQL, too.
EVERYTHING = "YYASSESS_TEST_DATABASES" in os.environ
DATABASES = os.environ.get("YYASSESS_TEST_DATABASES", "sqlite,postgresql").split(",")
ABOUT_DATA = frozenset(
    f"test_{part}"
    for part in [
        "form_storage",
        "form_migrations",
        "form_flow",
        "signing",
        "review",
        "consents",
        "api_saving",
        "api_drafts",
        "privacy_keys",
        "audit",
        "accounts_login",
    ]
)
PASSWORD = "eine-lange-phrase-7"
GBT = "gbt-42195-2022"
NUMBER = "99999919410502000"
CITIZEN_ID = NUMBER + check_digit(NUMBER)

#: What the instrument asks beside its items, answered: nothing found.
NOTHING_FOUND = {
    "fact.coma": "no",
    "fact.diagnoses": "-none-",
    "fact.psychiatrist_diagnosis": "no",
    "fact.care_risk_events.fall": "none",
    "fact.care_risk_events.wandering": "none",
    "fact.care_risk_events.choking": "none",
    "fact.care_risk_events.suicide_self_harm": "none",
    "fact.care_risk_events.other_event": "none",
}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for all tests of this process."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with today's tables, made once by the migrations and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "form.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    return path


class CompiledTemplates(BytecodeCache):
    """Page templates compiled once for all applications of a test run."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """See `BytecodeCache`."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See `BytecodeCache`."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = CompiledTemplates()


@pytest.fixture(params=DATABASES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A deployment with a database of its own; every test of the form runs on each kind of database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "form.sqlite3")
        (tmp_path / "form.sqlite3").chmod(0o600)
        return Settings(database=str(tmp_path / "form.sqlite3"), today=lambda: TODAY)
    server: Server = request.getfixturevalue("postgres")
    return Settings(database=server.fresh(), key_file=tmp_path / "form.key", today=lambda: TODAY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``sqlite`` are about SQLite's own ways and run on it only; others may be too many for every run."""

    def wanted(item: pytest.Item) -> bool:
        if "postgresql" not in item.name:
            return True
        about_data = EVERYTHING or item.path.stem in ABOUT_DATA
        return about_data and item.get_closest_marker("sqlite") is None

    items[:] = [item for item in items if wanted(item)]


@pytest.fixture
def make_app(book: Rulebook) -> Iterator[Callable[[Settings], Flask]]:
    """Makes applications and closes their databases afterwards."""
    made: list[Flask] = []

    def make(settings: Settings, rules: Rulebook | None = None) -> Flask:
        app = create_app(settings, rules=rules or book)
        app.testing = True
        app.jinja_env.bytecode_cache = TEMPLATES
        app.config["WTF_CSRF_ENABLED"] = False
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions[EXTENSION].database.close()


@pytest.fixture
def app(make_app: Callable[[Settings], Flask], settings: Settings) -> Flask:
    """The form, empty."""
    return make_app(settings)


@dataclass(frozen=True)
class Crew:
    """The people of an organisation who have accounts."""

    organisation: UUID
    ids: Mapping[str, UUID]


def add_crew(database: Database, name: str = "测试机构", prefix: str = "") -> Crew:
    """An organisation with two assessors, a reviewer and an administrator; and the system's administrator, once.

    Everybody's password is `PASSWORD`, hashed only where a test logs in with it (see `hashed_password`).
    """
    with database.writing() as db:
        organisation = accounts.add_organisation(db, name=name)
        roles = {"main": "assessor", "second": "assessor", "reviewer": "reviewer", "admin": "org_admin"}
        ids = {
            who: accounts.add_account(
                db,
                organisation=organisation,
                username=f"{prefix}{who}",
                name=f"{prefix}{who} 某",
                role=role,
                certificate=f"ZS-{who}" if role == "assessor" else None,
                password_hash=hashed_password(),
            )
            for who, role in roles.items()
        }
        if not prefix:
            ids["system"] = accounts.add_account(
                db,
                organisation=None,
                username="system",
                name="系统",
                role="system_admin",
                password_hash=hashed_password(),
            )
    return Crew(organisation, ids)


@lru_cache
def hashed_password() -> str:
    """The hash of `PASSWORD`, computed once: it is slow on purpose."""
    return hashed(PASSWORD)


def logged_in(app: Flask, account: UUID) -> FlaskClient:
    """A browser in which somebody has logged in."""
    database: Database = app.extensions[EXTENSION].database
    with database.writing() as db:
        token = accounts.start_login(db, account, device="test")
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    return client


@pytest.fixture
def crew(app: Flask) -> Crew:
    """The organisation of a test."""
    return add_crew(app.extensions[EXTENSION].database)


@pytest.fixture
def client(app: Flask, crew: Crew) -> FlaskClient:
    """A browser without a face, in which the main assessor has logged in."""
    return logged_in(app, crew.ids["main"])


@pytest.fixture
def signed_in() -> Callable[[Flask], FlaskClient]:
    """A main assessor in an application that a test made for itself."""
    return lambda app: logged_in(app, add_crew(app.extensions[EXTENSION].database).ids["main"])


@pytest.fixture
def log_in(app: Flask, crew: Crew) -> Callable[[str], FlaskClient]:
    """Browsers of others: ``log_in("second")``."""
    return lambda who: logged_in(app, crew.ids[who])


@pytest.fixture
def stranger(app: Flask) -> Callable[[str], FlaskClient]:
    """Browsers of people of another organisation: ``stranger("reviewer")``."""
    others: list[Crew] = []

    def open_browser(who: str) -> FlaskClient:
        if not others:
            others.append(add_crew(app.extensions[EXTENSION].database, "别的机构", "b-"))
        return logged_in(app, others[0].ids[who])

    return open_browser


@pytest.fixture
def third(app: Flask, crew: Crew) -> FlaskClient:
    """The browser of one more assessor of the organisation, "third 某"."""
    with app.extensions[EXTENSION].database.writing() as db:
        account = accounts.add_account(
            db,
            organisation=crew.organisation,
            username="third",
            name="third 某",
            role="assessor",
            password_hash=hashed_password(),
        )
    return logged_in(app, account)


@pytest.fixture
def database(app: Flask) -> Database:
    """The form's data."""
    found: Database = app.extensions[EXTENSION].database
    return found


class Assessor:
    """Fills in the form through its pages."""

    def __init__(
        self, client: FlaskClient, database: Database, book: Rulebook, second: Callable[[], FlaskClient] | None = None
    ) -> None:
        self.client, self.database, self.book, self._second = client, database, book, second

    @cached_property
    def second(self) -> FlaskClient:
        """The phone of the colleague who signs second."""
        assert self._second is not None
        return self._second()

    def person(self, **changes: str) -> TestResponse:
        """Sends the person page of a new visit."""
        page = self.client.get("/visits/new").text
        found = re.search(r'name="visit" value="([^"]+)"', page)
        assert found
        return self.client.post("/visits/new", data=PERSON | {"visit": found[1]} | changes)

    def start(self, *instruments: str, **changes: str) -> str:
        """A new draft; returns its address without a slash at the end."""
        answer = self.person(**changes)
        assert answer.status_code == 303, answer.text
        visit = answer.location.rsplit("/", 1)[0]
        answer = self.client.post(f"{visit}/instruments", data={"instrument": list(instruments or (GBT,))})
        assert answer.status_code == 303, answer.text
        return visit

    def fill(self, visit: str, instrument: str = GBT, best: bool = True, **chosen: Any) -> None:
        """Answers every item: the best printed answer unless ``chosen`` says otherwise."""
        found = self.book.instruments[instrument]
        for dimension in found.dimensions:
            answers = {}
            for item in dimension.items:
                options = found.ladders[item.ladder] if item.ladder else item.options
                scores = [o.answer for o in options] or [item.range[0]]  # type: ignore[index]
                plain = max(scores) if best and all(isinstance(s, int) for s in scores) else scores[0]  # type: ignore[type-var]
                answers[f"item.{item.id}"] = str(chosen.get(item.id, plain))
            answer = self.client.post(f"{visit}/{instrument}/items/{dimension.id}", data=answers)
            assert answer.status_code == 303, answer.text

    def context(self, visit: str, instrument: str = GBT, **changes: Any) -> TestResponse:
        """Answers what is asked beside the items: nothing found, unless ``changes`` says otherwise."""
        facts = {f"fact.{name}": value for name, value in changes.items()}
        data = NOTHING_FOUND | {"shown": "fact.diagnoses"} | facts
        return self.client.post(f"{visit}/{instrument}/context", data=data)

    def complete(self, **chosen: Any) -> str:
        """A draft with every answer given."""
        visit = self.start()
        self.fill(visit, **chosen)
        assert self.context(visit).status_code == 303
        return visit

    def submit(self, visit: str) -> TestResponse:
        """Asks for the signatures."""
        return self.client.post(f"{visit}/submit")

    def finish(self, visit: str) -> None:
        """Submits a complete draft; both assessors sign."""
        answer = self.submit(visit)
        assert answer.status_code == 303, answer.text
        for client, name in ((self.client, "main 某"), (self.second, "second 某")):
            answer = self.sign(visit, client, name)
            assert answer.status_code == 303, answer.text
        assert answer.location == f"{visit}/result"

    def content(self, visit: str, client: FlaskClient | None = None) -> str:
        """The hash of what the signing page shows."""
        found = re.search(r'name="content" value="([^"]+)"', (client or self.client).get(f"{visit}/sign").text)
        return found[1] if found else ""

    def sign(
        self, visit: str, client: FlaskClient | None = None, name: str = "main 某", **changes: str
    ) -> TestResponse:
        """Signs with a typed name what the signing page shows, unless ``changes`` says otherwise."""
        client = client or self.client
        data = {"typed": name, "password": PASSWORD, "strokes": ""}
        if "content" not in changes:
            data["content"] = self.content(visit, client)
        return client.post(f"{visit}/sign", data=data | changes)

    def stored(self, visit: str) -> Visit:
        """What the database holds."""
        with self.database.reading() as session:
            return visits.get_visit(session, self.database.cipher, UUID(visit.rsplit("/", 1)[1]))


PERSON = {
    "name": "王测试",
    "citizen_id": CITIZEN_ID,
    "birth_date": "",
    "place": "zhoushan",
    "visited_on": TODAY.isoformat(),
}


@pytest.fixture
def assessor(client: FlaskClient, database: Database, book: Rulebook, log_in: Callable[[str], FlaskClient]) -> Assessor:
    """Somebody who fills in the form, with a colleague who signs, too."""
    return Assessor(client, database, book, lambda: log_in("second"))
