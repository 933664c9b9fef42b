"""For old eyes and shaking hands: every page, in every mode, measured."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GBT = "gbt-42195-2022"
PAGES = (
    "records",
    "person",
    "person wrong",
    "instruments",
    "items",
    "one item",
    "items wrong",
    "context",
    "check",
    "provisional",
    "more",
    "result",
    "unconfirmed",
    "not found",
    "offline",
    "offline new",
    "offline items",
    "offline one item",
    "offline result",
    "outbox",
    "diag",
    "paper",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

#: Texts and targets as the browser computed them, for everything that can be seen.
MEASURE = """() => {
  const seen = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true, contentVisibilityAuto: true })
    && !e.closest(".visually-hidden, .skip, .first-button");
  const small = [], tight = [], name = (e) => `${e.tagName}.${e.className} ${(e.textContent || "").trim().slice(0, 40)}`;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const e = node.parentElement;
    if (!node.data.trim() || !seen(e) || e.closest("svg")) continue;
    if (parseFloat(getComputedStyle(e).fontSize) < 17.99) small.push(name(e));
  }
  for (const e of document.querySelectorAll("a, button, input, select, textarea, summary, label")) {
    if (!seen(e) || e.type === "hidden") continue;
    const target = e.closest("label.choice") ?? e;
    if (e.matches("label:not(.choice)")) continue;
    const box = target.getBoundingClientRect();
    const main = target.matches(".choice, .weui-btn, .field, .card, .more > summary:not(.more_inner > summary), .links a");
    const least = main ? MAIN : 44;
    if (box.height < least - 0.5 || box.width < 43.5) tight.push(`${Math.round(box.width)}x${Math.round(box.height)} ${name(target)}`);
  }
  const looked = document.querySelectorAll("a, button, input, select, textarea, summary").length;
  return { small, tight, looked, sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth };
}"""


def visit_all(page: Page, site: Any) -> dict[str, Callable[[], object]]:
    """How to open each page, with the demo's draft and finished record."""
    page.goto(site.url)
    links = page.eval_on_selector_all("a.card", "all => all.map(a => a.getAttribute('href'))")
    draft = site.url + re.match(r"/visits/[^/]+", next(a for a in links if not a.endswith("/result")))[0]  # type: ignore[index]
    done = site.url + next(a for a in links if a.endswith("/result"))

    def person_wrong() -> None:
        page.goto(f"{site.url}/visits/new")
        page.locator("#citizen_id").fill("110105194912310021")
        page.locator(".buttons button").first.click()

    def items_wrong() -> None:
        add("ad8")
        page.goto(f"{draft}/ad8/items/entries")
        page.locator("#item-total-field").fill("99")
        page.locator(".buttons button").first.click()
        page.locator(".summary").wait_for()

    def unconfirmed() -> None:
        add("ltci-2021-37")
        page.goto(f"{draft}/result")

    def add(instrument: str) -> None:
        page.goto(f"{draft}/instruments")
        page.eval_on_selector(f"input[value='{instrument}']", "box => { box.checked = true }")
        page.locator(".buttons button").first.click()

    path = draft.removeprefix(site.url)

    def kept(view: str) -> None:
        """The page for times without a network, with the draft that the pages before have left on the phone."""
        if "/offline" not in page.url:
            page.goto(f"{draft}/{GBT}/items/self_care", wait_until="networkidle")
            page.goto(f"{site.url}/offline")
        page.evaluate("view => { location.hash = view }", view)
        page.wait_for_timeout(700)

    def one_item(way: Callable[[], object]) -> None:
        page.goto(site.url)
        page.evaluate("localStorage.setItem('pace', 'item')")
        way()
        page.locator(".pace b:not(:empty)").wait_for()
        page.evaluate("localStorage.removeItem('pace')")

    ways: dict[str, Callable[[], object]] = {
        "records": lambda: page.goto(site.url),
        "person": lambda: page.goto(f"{site.url}/visits/new"),
        "person wrong": person_wrong,
        "instruments": lambda: page.goto(f"{draft}/instruments"),
        "items": lambda: page.goto(f"{draft}/{GBT}/items/self_care"),
        "one item": lambda: one_item(lambda: page.goto(f"{draft}/{GBT}/items/basic_mobility")),
        "items wrong": items_wrong,
        "context": lambda: page.goto(f"{draft}/{GBT}/context"),
        "check": lambda: page.goto(f"{draft}/check"),
        "provisional": lambda: page.goto(f"{draft}/result"),
        "more": lambda: page.goto(f"{draft}/more"),
        "result": lambda: page.goto(done),
        "unconfirmed": unconfirmed,
        "not found": lambda: page.goto(f"{site.url}/nowhere"),
        "offline": lambda: kept("/"),
        "offline new": lambda: kept("/visits/new"),
        "offline items": lambda: kept(f"{path}/{GBT}/items/self_care"),
        "offline one item": lambda: one_item(lambda: kept(f"{path}/{GBT}/items/self_care")),
        "offline result": lambda: kept(f"{path}/result"),
        "outbox": lambda: page.goto(f"{site.url}/outbox", wait_until="networkidle"),
        "diag": lambda: page.goto(f"{site.url}/diag", wait_until="networkidle"),
        "paper": lambda: page.goto(f"{draft}/paper"),
    }
    assert set(ways) == set(PAGES)
    return ways


def unfold(page: Page) -> None:
    """Opens everything folded, so that it is looked at, too."""
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["care", "standard"])
def test_axe_finds_nothing_on_any_page(open_phone: Callable[..., Page], site: Any, size: str, scheme: str) -> None:
    page = open_phone(color_scheme=scheme, cookies={"size": size}, width=360)
    found = {}
    for name, way in visit_all(page, site).items():
        way()
        unfold(page)
        result = Axe().run(page, options=RULES)
        assert len(result.response["passes"]) > 20, "axe did not look at the page"
        if result.violations_count:
            found[name] = result.generate_report()
    assert not found, "\n".join(f"== {name}\n{report}" for name, report in found.items())


@pytest.mark.parametrize(
    ("size", "language", "width", "text"),
    [
        ("care", "zh", 390, None),
        ("care", "zh", 320, None),
        ("care", "en", 320, None),
        ("standard", "zh", 320, None),
        ("largest", "zh", 320, None),
        ("largest", "en", 390, None),
        ("care", "zh", 320, "24px"),
        ("care", "en", 390, "40px"),
    ],
)
def test_text_targets_and_width_hold(
    open_phone: Callable[..., Page], site: Any, size: str, language: str, width: int, text: str | None
) -> None:
    page = open_phone(width=width, cookies={"size": size, "lang": language})
    main = 60 if size != "standard" else 48
    faults = {}
    for name, way in visit_all(page, site).items():
        way()
        unfold(page)
        if text:
            page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
        found = page.evaluate(MEASURE.replace("MAIN", str(main)))
        assert found["looked"] > 5
        if found["small"] or found["tight"] or found["sideways"] > 0:
            faults[name] = {k: v[:6] if isinstance(v, list) else v for k, v in found.items()}
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())


def test_the_first_load_is_light_and_asks_no_other_host(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    weights: list[float] = []
    session.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    hosts: list[str] = []
    page.on("request", lambda request: hosts.append(request.url))
    page.goto(site.url, wait_until="networkidle")
    print(f"first load: {sum(weights):.0f} bytes with headers in {len(weights)} answers")
    assert sum(weights) <= 60_000
    for way in visit_all(page, site).values():
        way()
    assert [url for url in hosts if not url.startswith((site.url, "data:"))] == []


def test_the_second_page_loads_no_style_again(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    page.goto(site.url, wait_until="networkidle")
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url) if not answer.from_service_worker else None)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    cached: list[str] = []
    session.on("Network.requestServedFromCache", lambda event: cached.append(event["requestId"]))
    page.goto(f"{site.url}/visits/new", wait_until="networkidle")
    assert len([url for url in asked if "/static/" in url]) <= len(cached)


def test_the_keyboard_reaches_everything_and_shows_where_it_is(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    page.goto(site.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(8):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "() => { const style = getComputedStyle(document.activeElement);"
            " return [style.outlineStyle, parseFloat(style.outlineWidth)] }"
        )
        assert outline[0] != "none" and outline[1] >= 2, page.evaluate("document.activeElement.outerHTML")


def test_on_paper_the_reasons_are_unfolded_and_buttons_are_gone(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    visit_all(page, site)["result"]()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".trace li").first.is_visible()
    assert not page.locator(".top").is_visible() and not page.locator("[data-print]").is_visible()
