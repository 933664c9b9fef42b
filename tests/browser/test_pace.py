"""One question at a time: the same page, its questions one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

GBT = "gbt-42195-2022"


def opened(page: Page, site: Any, dimension: str = "self_care") -> str:
    """The demo's draft on a page of items; its path."""
    page.goto(site.url)
    links = page.eval_on_selector_all("a.card", "all => all.map(a => a.getAttribute('href'))")
    draft: str = re.match(r"/visits/[^/]+", next(a for a in links if not a.endswith("/result")))[0]  # type: ignore[index]
    page.goto(f"{site.url}{draft}/{GBT}/items/{dimension}")
    return draft


def shown(page: Page) -> list[str]:
    """The questions that can be seen."""
    found: list[str] = page.eval_on_selector_all(
        "#page > .q[id^='item-']", "all => all.filter(e => e.checkVisibility()).map(e => e.id)"
    )
    return found


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_a_page_is_gone_through_question_by_question(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    opened(page, site)
    every = shown(page)
    assert len(every) == 8
    press(page, "一次一题")
    here = shown(page)
    assert len(here) == 1
    place = every.index(here[0])
    expect(page.locator(".pace b")).to_have_text(f"第 {place + 1} 题，共 8 题")
    for _ in range(place):
        press(page, "上一题")
    assert shown(page) == every[:1]
    expect(page.get_by_role("button", name="保存，下一步")).to_be_hidden()
    for id in every:
        assert shown(page) == [id]
        # Eyes, screen readers and the keyboard are where the question is; its note stands with it, nobody else's.
        expect(page.locator("details.remark[id]:visible")).to_have_count(1)
        page.locator(f"#{id} .choice").first.click()
        if id != every[-1]:
            press(page, "下一题")
            assert page.evaluate("document.activeElement.id") == every[every.index(id) + 1]
    expect(page.get_by_role("button", name="下一题")).to_be_hidden()
    press(page, "保存，下一步")
    # The next page goes on in the same way, and so does the page for times without a network.
    expect(page.get_by_role("heading", level=1)).to_contain_text("基础运动")
    expect(page.locator(".pace b")).to_contain_text("共 4 题")
    # Before its first question stands the page before.
    expect(page.get_by_role("button", name="上一题")).to_have_count(0)
    press(page, "上一页")
    expect(page.get_by_role("heading", level=1)).to_contain_text("自理能力")
    press(page, "显示整页")
    assert shown(page) == every
    assert page.locator("#page .q[id^='item-'] input:checked").count() == 8
    page.reload()
    expect(page.get_by_role("button", name="一次一题")).to_be_visible()
    assert shown(page) == every


def test_links_to_a_question_show_it(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    draft = opened(page, site, "mental_state")
    press(page, "一次一题")
    every = page.eval_on_selector_all("#page > .q[id^='item-']", "all => all.map(e => e.id)")
    open_ones = page.eval_on_selector_all("#page > .q[id^='item-']:not(.q_answered)", "all => all.map(e => e.id)")
    assert shown(page) == open_ones[:1], "it begins where something is open"
    for id in [*open_ones[1:], open_ones[0]]:
        page.locator("[data-gap]").click()
        assert shown(page) == [id]
    page.goto(f"{site.url}{draft}/{GBT}/items/mental_state#{every[-1]}")
    page.reload()
    expect(page.locator(".pace b")).to_have_text(f"第 {len(every)} 题，共 {len(every)} 题")
    assert shown(page) == every[-1:]
    page.evaluate("id => { location.hash = id }", every[1])
    expect(page.locator(f"#{every[1]}")).to_be_visible()
    assert shown(page) == [every[1]]


def test_without_a_network_questions_come_one_by_one_as_well(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    draft = opened(page, site)
    press(page, "一次一题")
    page.wait_for_load_state("networkidle")
    page.goto(f"{site.url}/offline#{draft}/{GBT}/items/self_care")
    expect(page.locator(".pace b")).to_contain_text("共 8 题")
    assert len(shown(page)) == 1
    press(page, "显示整页")
    assert len(shown(page)) == 8
