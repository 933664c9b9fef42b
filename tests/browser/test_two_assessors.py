"""Two assessors, two phones: one fills in, both read and sign with a finger, and the record is locked. Then without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from test_for_everybody import MEASURE, RULES, unfold

from webapp.demo import PASSWORD
from webapp.signing import acts
from webapp.storage import DONE, Visit, signatures, visits

GBT = "gbt-42195-2022"


def stored(site: Any, url: str) -> Visit:
    found = re.search(r"/visits/([0-9a-f-]{36})", url)
    assert found
    with site.database.reading() as session:
        return visits.get_visit(session, site.database.cipher, UUID(found[1]))


def complete_draft(page: Page, site: Any, book: Any, cut: str = "") -> str:
    """Fills the demo's draft to the end, one dimension of it without a network if named; returns its address."""
    page.goto(site.url)
    page.locator("a.card", has_text="继续填写").click()
    visit = re.match(r".*/visits/[0-9a-f-]{36}", page.url)
    assert visit
    page.goto(f"{visit[0]}/{GBT}/items/self_care")
    for dimension in book.instruments[GBT].dimensions:
        expect(page.get_by_role("heading", level=1)).to_contain_text(dimension.name["zh"])
        page.context.set_offline(dimension.id == cut)
        for item in dimension.items:
            page.locator(f"#item-{item.id} .choice").first.click()
        page.context.set_offline(False)
        page.locator("#page > .buttons button").first.click()
    page.wait_for_url("**/context")
    answers = {"coma": "no", "psychiatrist-diagnosis": "no", "diagnoses": "-none-"}
    answers |= {
        f"care-risk-events-{event}": "none"
        for event in ("fall", "wandering", "choking", "suicide-self-harm", "other-event")
    }
    for anchor, value in answers.items():
        page.locator(f"#fact-{anchor} .choice:has(input[value='{value}'])").click()
    page.locator("#page > .buttons button").first.click()
    page.wait_for_url("**/check")
    return visit[0]


def submitted(site: Any, book: Any) -> str:
    """A visit that waits for signatures, made after the demo's finished one; returns its path."""
    new = uuid4()
    database = site.database
    with database.writing() as db:
        found = visits.recent_visits(db, database.cipher, site.organisation, limit=10, statuses=(DONE,))
        old = found[0]
        visits.add_visit(
            db,
            id=new,
            organisation=old.organisation,
            assessor=old.assessor,
            person=old.person.id,
            place=old.place,
            visited_on=old.visited_on,
            instruments=[GBT],
            previous=old.id,
            occasion="change",
        )
        visits.save_answers(db, new, GBT, {**old.assessments[0].answers, "eating": None, "bathing": 0})
        remarks = {"eating": {"cannot": "refused", "note": "本人不愿意"}, "stairs": {"note": "扶着栏杆"}}
        visits.save_remarks(db, database.cipher, new, GBT, remarks)
        visits.save_facts(db, database.cipher, new, old.facts, private=(), note="备注", reason="摔了一跤")
        acts.submit(db, database, book, new)
    return f"/visits/{new}"


@pytest.mark.parametrize(
    ("size", "language", "width", "scheme"),
    [("care", "zh", 360, "light"), ("standard", "zh", 390, "dark"), ("largest", "en", 320, "light")],
)
def test_pages_for_two_hold_for_everybody(
    open_phone: Callable[..., Page], site: Any, book: Any, size: str, language: str, width: int, scheme: str
) -> None:
    visit = submitted(site, book)
    id = visit.rsplit("/", 1)[1]
    with site.database.reading() as db:
        old = visits.get_visit(db, site.database.cipher, UUID(id)).previous
    ways = {
        "pinggu2": ("/", f"{visit}/sign"),
        "pinggu1": (
            "/",
            f"{visit}/consents",
            f"{visit}/{GBT}/items/self_care",
            f"{visit}/check",
            f"{visit}/result",
            f"{visit}/sign",
            f"{visit}/differences",
            f"{visit}/assessor",
            f"/visits/{old}/again",
        ),
        "shenhe": ("/", "/review", "/review?state=approved&grade=none", f"/review/{old}", f"/review/{id}"),
    }
    faults = {}
    for username, paths in ways.items():
        page = open_phone(username=username, cookies={"size": size, "lang": language}, width=width, color_scheme=scheme)
        for path in paths:
            page.goto(site.url + path)
            unfold(page)
            result = Axe().run(page, options=RULES)
            assert len(result.response["passes"]) > 15, "axe did not look at the page"
            found = page.evaluate(MEASURE.replace("MAIN", str(60 if size != "standard" else 48)))
            if result.violations_count or found["small"] or found["tight"] or found["sideways"] > 0:
                faults[f"{username} {path}"] = f"{result.generate_report() if result.violations_count else ''} {found}"
    assert not faults, "\n".join(f"== {name}\n{fault}" for name, fault in faults.items())


def draw(page: Page, pad: str = "pad-own") -> None:
    """A signature of two strokes, as a finger moves."""
    field = page.locator(f"[data-pad={pad}] canvas")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box
    for points in (((0.1, 0.5), (0.3, 0.2), (0.5, 0.7)), ((0.6, 0.2), (0.65, 0.8), (0.9, 0.4))):
        x, y = points[0]
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        page.mouse.up()


def ink(page: Page, pad: str = "pad-own") -> int:
    """How many points of the canvas carry ink."""
    found: int = page.locator(f"[data-pad={pad}] canvas").evaluate(
        "canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        " let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) n++; return n }"
    )
    return found


@pytest.mark.parametrize("script", [True, False], ids=["drawn", "typed without scripts"])
def test_two_assessors_finish_a_visit(open_phone: Callable[..., Page], site: Any, book: Any, script: bool) -> None:
    first = open_phone(java_script_enabled=script)
    second = open_phone(java_script_enabled=script, username="pinggu2")
    visit = complete_draft(first, site, book, cut="mental_state")
    first.goto(f"{visit}/result")
    first.locator("form[action$='/submit'] button").click()
    first.wait_for_url("**/sign")

    def sign(page: Page, name: str) -> None:
        if script:
            draw(page)
        else:
            expect(page.locator("[data-pad=pad-own]")).to_be_hidden()
            page.locator("#typed-own").fill(name)
        page.locator("#password").fill(PASSWORD)
        page.locator("#page > .buttons button").click()

    sign(first, "评估员甲（演示）")
    expect(first.locator(".signed").first).to_contain_text("评估员甲")
    assert stored(site, visit).to_sign

    # The colleague sees it in the own list, reads the whole record, and signs.
    second.goto(site.url)
    second.locator(f"a[href='{visit.removeprefix(site.url)}/sign']").click()
    expect(second.locator("main")).to_contain_text("进食")
    sign(second, "评估员乙（演示）")
    second.wait_for_url("**/result")
    expect(second.locator(".signed")).to_have_count(2)

    found = stored(site, visit)
    assert found.done and found.assessments[0].result
    with site.database.reading() as session:
        made = signatures.signatures_of(session, site.database.cipher, found.id)
    assert {s.method for s in made} == {"drawn" if script else "typed"}
    assert len({s.account for s in made}) == len(made) == 2
    expect(second.locator("svg.signature")).to_have_count(2 if script else 0)


def test_a_signature_survives_turning_the_phone_scrolling_and_a_wrong_password(
    open_phone: Callable[..., Page], site: Any, book: Any
) -> None:
    page = open_phone()
    visit = complete_draft(page, site, book)
    page.goto(f"{visit}/result")
    page.locator("form[action$='/submit'] button").click()
    page.locator("#password").fill(PASSWORD)
    page.locator("#page > .buttons button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    draw(page)
    before = page.locator("#pad-own").input_value()
    drawn = ink(page)
    assert before and drawn > 100
    page.set_viewport_size({"width": 844, "height": 390})
    page.mouse.wheel(0, -2000)
    page.wait_for_timeout(200)
    assert ink(page) > drawn, "drawn again, larger"
    assert page.locator("#pad-own").input_value() == before
    page.locator("#password").fill("falsch")
    page.locator("#page > .buttons button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("#pad-own").input_value() == before and ink(page) > drawn
    page.locator("[data-pad=pad-own] [data-clear]").click()
    assert page.locator("#pad-own").input_value() == "" and ink(page) == 0
