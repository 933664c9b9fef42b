"""A real browser (Debian's Chromium) in front of a real server."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from webapp import Settings
from webapp.accounts.logins import COOKIE
from webapp.app import EXTENSION
from webapp.serving import make
from webapp.storage import Database, accounts

PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Site:
    """A running form."""

    url: str
    database: Database

    @property
    def organisation(self) -> UUID:
        """The demo organisation."""
        with self.database.reading() as db:
            row = accounts.account_row(db, "pinggu1")
            assert row is not None and row.organisation_id is not None
            return row.organisation_id

    def log_in(self, context: BrowserContext, username: str = "pinggu1") -> None:
        """Somebody of the demo organisation logs in on that phone."""
        with self.database.writing() as db:
            row = accounts.account_row(db, username)
            assert row is not None, username
            token = accounts.start_login(db, row.id, device="test")
        context.add_cookies([{"name": COOKIE, "value": token, "url": self.url}])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The form with its demo data, on a free port."""
    settings = Settings(database=str(tmp_path / "form.sqlite3"), demo=True, place="zhoushan")
    server = make(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    database: Database = server.app.extensions[EXTENSION].database  # type: ignore[attr-defined]
    yield Site(f"http://127.0.0.1:{server.server_port}", database)
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; a machine without it fails here, because a skipped check would pass for a good one."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing. Type: apt-get install -y chromium fonts-wqy-microhei", pytrace=False)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_phone(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a page as a phone shows it. Every complaint of the browser's console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *, width: int = 390, cookies: dict[str, str] | None = None, username: str | None = "pinggu1", **options: Any
    ) -> Page:
        context = browser.new_context(viewport={**PHONE, "width": width}, locale="zh-CN", **options)
        context.set_default_timeout(10_000)
        context.add_cookies([{"name": n, "value": v, "url": site.url} for n, v in (cookies or {}).items()])
        if username is not None:
            site.log_in(context, username)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # What a test brings about on purpose: refusals of the server, and the network cut.
    expected = ("the server responded with a status of", "net::ERR_INTERNET_DISCONNECTED")
    assert [c for c in complaints if not any(words in c for words in expected)] == []
