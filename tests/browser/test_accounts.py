"""Accounts and privacy on a phone: a tap logs in, logging out tells the page first, every page holds for old eyes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from test_for_everybody import MEASURE, RULES, unfold


def ways(page: Page, site: Any, who: str) -> list[str]:
    """The pages that somebody of the demo sees beside the records."""
    with site.database.reading() as db:
        from sqlalchemy import select

        from webapp.storage.models import AccountRow, PersonRow, VisitRow

        account = db.scalars(select(AccountRow.id).where(AccountRow.username == "pinggu1")).one()
        person = db.scalars(select(PersonRow.id)).first()
        visits = {row.status: row.id for row in db.scalars(select(VisitRow))}
    return {
        "jigou": [
            "/me", "/accounts", "/accounts/new", f"/accounts/{account}", "/export", "/people", f"/people/{person}",
            "/audit",
        ],
        "xitong": ["/organisations", f"/organisations/{site.organisation}"],
        "pinggu1": [
            "/me/password", "/me/devices", f"/visits/{visits['done']}/number", f"/visits/{visits['draft']}/delete",
        ],
    }[who]  # fmt: skip


@pytest.mark.parametrize("who", ["jigou", "xitong", "pinggu1"])
@pytest.mark.parametrize(
    ("scheme", "size", "language", "width"), [("light", "care", "zh", 320), ("dark", "largest", "en", 360)]
)
def test_every_page_of_accounts_and_privacy_holds(
    open_phone: Callable[..., Page], site: Any, who: str, scheme: str, size: str, language: str, width: int
) -> None:
    page = open_phone(width=width, color_scheme=scheme, username=who, cookies={"size": size, "lang": language})
    faults: dict[str, Any] = {}
    for path in ways(page, site, who):
        page.goto(site.url + path)
        unfold(page)
        found = page.evaluate(MEASURE.replace("MAIN", "60"))
        assert found["looked"] > 5
        if found["small"] or found["tight"] or found["sideways"] > 0:
            faults[path] = {k: v[:6] if isinstance(v, list) else v for k, v in found.items()}
        result = Axe().run(page, options=RULES)
        if result.violations_count:
            faults[f"axe {path}"] = result.generate_report()
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())


def test_a_tap_logs_into_the_demo_and_logging_out_waits_for_what_is_deleted(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page = open_phone(username=None)
    page.goto(f"{site.url}/")
    assert page.url.startswith(f"{site.url}/login")
    page.locator(".demo-accounts button").first.click()
    page.wait_for_url(re.compile(r".*/$"))
    page.evaluate(
        """() => document.addEventListener("yyassess:logout", (event) => event.detail.waitFor(
          new Promise((done) => setTimeout(() => { localStorage.setItem("deleted", "yes"); done(); }, 300))))"""
    )
    page.locator(".foot [data-logout] button").click()
    page.wait_for_url(re.compile(r".*/login.*"))
    assert page.evaluate("localStorage.getItem('deleted')") == "yes"
    page.goto(f"{site.url}/me")
    assert page.url.startswith(f"{site.url}/login")
