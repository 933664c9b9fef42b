"""Report, verification, dashboard and rule browser: readable by everybody, on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlalchemy import select

from tests.browser.test_for_everybody import GBT, MEASURE, RULES, unfold
from webapp.storage import DONE, DRAFT
from webapp.storage.models import VisitRow

RULE_PAGES = {
    "rules": "/rules",
    "instrument": f"/rules/instruments/{GBT}",
    "matrix": "/rules/instruments/ltci-2021-37",
    "withheld": "/rules/instruments/mmse",
    "programme": "/rules/programmes/zhoushan/zs-ltci",
    "amounts": "/rules/programmes/guangzhou/gz-ltci",
    "place": "/rules/places/zhoushan",
    "pathway": "/rules/pathways/dementia",
    "coverage": "/rules/coverage",
}


def addresses(page: Page, site: Any) -> dict[str, str]:
    """The pages by what they show, with the demo's finished record."""
    with site.database.reading() as db:
        visits = {row.status: f"/visits/{row.id}" for row in db.scalars(select(VisitRow))}
    done, draft = visits[DONE], visits[DRAFT]
    page.goto(f"{site.url}{done}/report")
    code = re.search(r"/verify/[\w-]+", page.inner_text(".rp-verify"))[0]  # type: ignore[index]
    records = {
        "report": f"{done}/report",
        "provisional": f"{draft}/report",
        "verify": code,
        "unknown code": "/verify/x",
    }
    return records | {"dashboard": "/dashboard"} | RULE_PAGES


@pytest.mark.parametrize(("size", "scheme"), [("care", "light"), ("care", "dark"), ("standard", "light")])
def test_axe_finds_nothing(open_phone: Callable[..., Page], site: Any, size: str, scheme: str) -> None:
    page = open_phone(username="shenhe", color_scheme=scheme, cookies={"size": size}, width=360)
    found = {}
    for name, address in addresses(page, site).items():
        page.goto(site.url + address)
        unfold(page)
        result = Axe().run(page, options=RULES)
        assert len(result.response["passes"]) > 20, "axe did not look at the page"
        if result.violations_count:
            found[name] = result.generate_report()
    assert not found, "\n".join(f"== {name}\n{report}" for name, report in found.items())


@pytest.mark.parametrize(
    ("size", "language", "width", "text"),
    [("care", "zh", 320, None), ("largest", "en", 390, None), ("care", "zh-Hant", 320, "24px")],
)
def test_text_targets_and_width_hold(
    open_phone: Callable[..., Page], site: Any, size: str, language: str, width: int, text: str | None
) -> None:
    page = open_phone(username="shenhe", width=width, cookies={"size": size, "lang": language})
    faults = {}
    for name, address in addresses(page, site).items():
        page.goto(site.url + address)
        unfold(page)
        if text:
            page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
        found = page.evaluate(MEASURE.replace("MAIN", "60"))
        if found["small"] or found["tight"] or found["sideways"] > 0:
            faults[name] = {k: v[:6] if isinstance(v, list) else v for k, v in found.items()}
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())


def test_printed_it_is_the_report_and_nothing_else(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    page.goto(site.url + addresses(page, site)["report"])
    page.emulate_media(media="print")
    for part in (
        ".rp-head",
        ".rp-result .bar",
        ".rp-result .radar",
        ".rp-signers",
        ".rp-qr svg",
        ".rp-answers >> nth=0",
    ):
        assert page.locator(part).first.is_visible(), part
    for chrome in (".top", ".rp-tools", "[data-print]"):
        assert not page.locator(chrome).first.is_visible(), chrome
    made = page.pdf(prefer_css_page_size=True)
    assert made.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", made)) <= 10
