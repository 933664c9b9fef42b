"""The form on a bad network: every tap arrives, nothing is overwritten in silence, and logging out leaves nothing."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from webapp.people.citizen_id import check_digit
from webapp.storage import Visit, consents, people, visits
from webapp.storage.models import AccountRow, VisitRow

GBT = "gbt-42195-2022"
CUTS = 20
SEED = 20231201
BODY = "99999819380317000"
NUMBER = BODY + check_digit(BODY)
PHONE = {"width": 390, "height": 844}
#: What a browser says by itself when there is no network, or when an answer is no 2xx.
EXPECTED = (
    "net::ERR_INTERNET_DISCONNECTED",
    "net::ERR_FAILED",
    "the server responded with a status of",
    "Failed to fetch",
)

READ = """async () => {
  const request = indexedDB.open("yyassess");
  const db = await new Promise((done) => { request.onsuccess = () => done(request.result); request.onupgradeneeded = () => request.transaction.abort(); request.onerror = () => done(null); });
  if (!db) return null;
  const all = (name) => new Promise((done) => { const asked = db.transaction(name).objectStore(name).getAll(); asked.onsuccess = () => done(asked.result); });
  const found = { outbox: await all("outbox"), drafts: await all("drafts"), keys: await all("keys") };
  db.close();
  return {
    waiting: found.outbox.length, drafts: found.drafts.length, keys: found.keys.length,
    plain: JSON.stringify([found.outbox, found.drafts]),
    extractable: found.keys.map(({ key }) => key.extractable),
  };
}"""


@pytest.fixture
def open_phone(browser: Browser, site: Any) -> Iterator[Callable[..., Page]]:
    """A phone whose network can be cut; complaints of the browser beyond that fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(username: str = "pinggu1", **options: Any) -> Page:
        context = browser.new_context(viewport=PHONE, locale="zh-CN", **options)
        context.set_default_timeout(20_000)
        site.log_in(context, username)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [c for c in complaints if not any(e in c for e in EXPECTED)] == []


def ready(page: Page, site: Any) -> None:
    """Opens the records and waits until everything for times without a network is there."""
    page.goto(site.url)
    until(page, lambda: page.evaluate("!!navigator.serviceWorker?.controller"))
    until(page, lambda: page.evaluate("caches.has('rules')"))


def fetched(page: Page) -> None:
    """Waits until the draft and its rules and questions are on the phone."""
    until(page, lambda: page.evaluate("caches.open('rules').then(c => c.keys()).then(k => k.length >= 4)"))
    until(page, lambda: page.evaluate(READ)["drafts"] == 1)


def draft(site: Any, second: bool = False, **answers: Any) -> str:
    """An empty draft of the demo's first assessor, with the second one when asked for; returns its path."""
    id = UUID(int=random.getrandbits(128), version=4)
    with site.database.writing() as db:
        rows = {row.username: row.id for row in db.query(AccountRow)}
        person = people.add_person(
            db,
            site.database.cipher,
            organisation=site.organisation,
            name="周海岛",
            citizen_id=NUMBER,
            birth_date=dt.date(1938, 3, 17),
            sex="female",
        )
        visits.add_visit(
            db,
            id=id,
            organisation=site.organisation,
            assessor=rows["pinggu1"],
            person=person,
            place="zhoushan",
            visited_on=dt.date(2026, 11, 1),
            instruments=[GBT],
        )
        if answers:
            visits.save_answers(db, id, GBT, answers)
        if second:
            db.get(VisitRow, id).second_id = rows["pinggu2"]
    return f"/visits/{id}"


def cut_off(open_phone: Callable[..., Page], site: Any, **answers: Any) -> tuple[Page, str]:
    """A phone on the first page of items of a new draft, everything kept on it and its network cut; and the draft's path."""
    page = open_phone()
    ready(page, site)
    visit = draft(site, **answers)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    fetched(page)
    page.context.set_offline(True)
    return page, visit


def stored(site: Any, visit: str) -> Visit:
    with site.database.reading() as db:
        return visits.get_visit(db, site.database.cipher, UUID(re.search(r"[0-9a-f-]{36}", visit)[0]))  # type: ignore[index]


def until(page: Page, holds: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds * 10)):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def emptied(page: Page) -> None:
    """Waits until the phone has nothing left to send."""
    until(page, lambda: page.evaluate(READ)["waiting"] == 0, 30)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="保存，下一步").click()


def test_no_tap_is_lost_while_the_network_is_cut_twenty_times(
    open_phone: Callable[..., Page], site: Any, book: Any
) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site)
    chance = random.Random(SEED)
    items = [item for dimension in book.instruments[GBT].dimensions for item in dimension.items]
    cut_before = set(chance.sample(range(len(items)), CUTS))
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    until(page, lambda: page.evaluate("document.querySelector('#page').dataset.autosave"))
    fetched(page)
    tapped: dict[str, int] = {}
    cuts, answered = 0, 0
    for dimension in book.instruments[GBT].dimensions:
        expect(page.get_by_role("heading", level=1)).to_contain_text(dimension.name["zh"])
        for item in dimension.items:
            if answered in cut_before:
                page.context.set_offline(True)
                cuts += 1
            options = book.instruments[GBT].ladders[item.ladder] if item.ladder else item.options
            place = chance.randrange(len(options))
            # A change of mind now and then: the last tap counts.
            for n in (chance.randrange(len(options)), place) if chance.random() < 0.3 else (place,):
                page.locator(f"#item-{item.id} .choice").nth(n).click()
            tapped[item.id] = options[place].answer
            answered += 1
            expect(page.locator("[data-count]")).to_have_text(str(answered))
            if chance.random() < 0.5:
                page.context.set_offline(False)
        go_on(page)
    assert cuts == CUTS
    page.context.set_offline(False)
    page.goto(f"{site.url}/outbox")
    emptied(page)
    assert dict(stored(site, visit).assessments[0].answers) == tapped
    assert len(tapped) == 26


def test_a_page_reloads_without_a_network_with_every_answer(open_phone: Callable[..., Page], site: Any) -> None:
    page, visit = cut_off(open_phone, site, eating=4)
    page.locator("#item-grooming .choice").nth(2).click()
    until(page, lambda: page.evaluate(READ)["waiting"] == 1)
    page.reload()
    expect(page).to_have_url(re.compile("/offline#"))
    expect(page.locator("#item-grooming input").nth(2)).to_be_checked()
    expect(page.locator("#item-eating input").first).to_be_checked()
    expect(page.locator(".who").first).to_have_text("周**")
    expect(page.locator(".level")).to_contain_text("还可能")
    page.locator("#item-bathing .choice").first.click()
    page.reload()
    expect(page.locator("#item-bathing input").first).to_be_checked()
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    emptied(page)
    assert dict(stored(site, visit).assessments[0].answers) == {"eating": 4, "grooming": 2, "bathing": 4}


TAP_AND_GO = """(taps) => {
  for (const [name, place] of taps) document.querySelectorAll(`#item-${name} input`)[place].click();
  const lines = Object.entries(localStorage).filter(([name]) => name.startsWith("tap:"));
  location.reload();
  return JSON.stringify(lines);
}"""


def test_a_tap_in_the_very_moment_in_which_the_page_is_left_is_found_again(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page, visit = cut_off(open_phone, site)
    # Without a pause between the taps and the end of the page nothing can have been written in the background.
    lines = page.evaluate(TAP_AND_GO, [["grooming", 2], ["eating", 3], ["eating", 0]])
    assert len(json.loads(lines)) == 3
    assert not re.search("grooming|eating|answers|[0-9a-f-]{36}\\W+visit", lines)
    expect(page).to_have_url(re.compile("/offline#"))
    expect(page.locator("#item-grooming input").nth(2)).to_be_checked()
    expect(page.locator("#item-eating input").first).to_be_checked()
    page.evaluate(TAP_AND_GO, [["bathing", 1]])
    expect(page.locator("#item-bathing input").nth(1)).to_be_checked()
    # What is typed counts from the moment at which the page is left, too.
    page.locator("details.remark").filter(has=page.locator("#note-bathing")).locator("summary").click()
    page.locator("#note-bathing").fill("坐着洗")
    page.reload()
    expect(page.locator("#note-bathing")).to_have_value("坐着洗")
    until(page, lambda: page.evaluate("Object.keys(localStorage).every((name) => !name.startsWith('tap:'))"))
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    emptied(page)
    (assessment,) = stored(site, visit).assessments
    assert dict(assessment.answers) == {"eating": 4, "grooming": 2, "bathing": 3}
    assert assessment.remarks["bathing"]["note"] == "坐着洗"


def test_a_last_tap_of_a_closed_window_is_found_by_the_next_one_once_it_cannot_be_at_work_any_more(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page, visit = cut_off(open_phone, site)
    # The window dies before anything could be encrypted in the background.
    page.evaluate("() => { crypto.subtle.encrypt = () => new Promise(() => {}); }")
    page.evaluate(TAP_AND_GO.replace("location.reload();", ""), [["grooming", 2]])
    assert page.evaluate(READ)["waiting"] == 0
    page.close()
    later = page.context.new_page()
    later.clock.install(time=dt.datetime.now() + dt.timedelta(minutes=1))
    later.goto(f"{site.url}/offline#{visit}/{GBT}/items/self_care")
    expect(later.locator("#item-grooming input").nth(2)).to_be_checked()
    # The page asks, since it was not this window's.
    later.get_by_role("button", name="用我的答案继续").click()
    later.context.set_offline(False)
    later.evaluate("dispatchEvent(new Event('online'))")
    emptied(later)
    assert dict(stored(site, visit).assessments[0].answers) == {"grooming": 2}


def test_what_lies_on_the_phone_is_sealed_and_its_key_cannot_be_taken_out(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    until(page, lambda: page.evaluate(READ)["drafts"] == 1)
    page.context.set_offline(True)
    page.locator("#item-grooming .choice").nth(2).click()
    until(page, lambda: page.evaluate(READ)["waiting"] == 1)
    kept = page.evaluate(READ)
    assert kept["extractable"] == [False]
    assert "grooming" not in kept["plain"] and "周" not in kept["plain"] and "1938" not in kept["plain"]
    # A sealed record of one visit does not open as another's.
    moved = page.evaluate(
        """async (address) => {
          const store = await import(address);
          const sealed = await store.seal("visit-a", { secret: 1 });
          return [await store.unseal("visit-a", sealed), await store.unseal("visit-b", sealed).catch((e) => e.name)];
        }""",
        f"{site.url}/static/store.js",
    )
    assert moved == [{"secret": 1}, "OperationError"]


def test_three_saves_at_once_make_one_key(open_phone: Callable[..., Page], site: Any) -> None:
    # The page's policy would not let the test's own code load scripts.
    page = open_phone(bypass_csp=True)
    page.goto(site.url)
    found = page.evaluate(
        """async () => {
          const stores = await Promise.all([1, 2, 3].map((n) => import(`/static/store.js?window=${n}`)));
          await stores[0].wipe();
          const sealed = await Promise.all(stores.map((store, n) => store.seal("visit", { n })));
          const opened = await Promise.all(sealed.map((each, n) => stores[(n + 1) % 3].unseal("visit", each)));
          return opened.map(({ n }) => n);
        }"""
    )
    assert found == [0, 1, 2]
    assert page.evaluate(READ)["keys"] == 1


def test_answers_of_two_phones_are_merged_and_the_same_item_is_put_side_by_side(
    open_phone: Callable[..., Page], site: Any
) -> None:
    first, second = open_phone(), open_phone("pinggu2")
    visit = draft(site, second=True)
    address = f"{site.url}{visit}/{GBT}/items/self_care"
    for page in (first, second):
        ready(page, site)
        page.goto(address)
        page.wait_for_load_state("networkidle")
    second.context.set_offline(True)
    second.locator("#item-eating .choice").nth(2).click()
    second.locator("#item-bathing .choice").nth(1).click()
    first.locator("#item-eating .choice").nth(0).click()
    first.locator("#item-grooming .choice").nth(3).click()
    emptied(first)
    second.context.set_offline(False)
    second.evaluate("dispatchEvent(new Event('online'))")
    expect(second.locator(".net a")).to_be_visible()
    # The colleague's other answer has appeared on the page, hers has arrived, and the one in question waits.
    expect(second.locator("#item-grooming input").nth(3)).to_be_checked()
    assert dict(stored(site, visit).assessments[0].answers) == {"eating": 4, "grooming": 1, "bathing": 3}
    second.locator(".net a").click()
    sides = second.locator(".conflict .choice")
    expect(sides).to_have_count(2)
    expect(second.locator(".conflict input:checked")).to_have_count(0)
    sides.nth(0).click()
    # Whatever is sent or heard meanwhile takes no choice away.
    with second.expect_response("**/api/session"):
        second.locator("#send").click()
    second.wait_for_timeout(500)
    expect(sides.nth(0).locator("input")).to_be_checked()
    second.get_by_role("button", name="保留所选").click()
    emptied(second)
    assert stored(site, visit).assessments[0].answers["eating"] == 2


def test_unsent_answers_of_an_earlier_time_are_offered_not_taken(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site, eating=4)
    address = f"{site.url}{visit}/{GBT}/items/self_care"
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.locator("#item-eating .choice").nth(2).click()
    until(page, lambda: page.evaluate(READ)["waiting"] == 1)
    context = page.context
    page.close()
    # The browser was closed and is opened again later, with a network: another tab, straight to the draft.
    later = context.new_page()
    later.wait_for_timeout(1000)
    context.set_offline(False)
    later.goto(address)
    panel = later.locator(".resume")
    expect(panel).to_contain_text("周**")
    expect(panel).to_contain_text(re.compile(r"1 .*26"))
    expect(later.locator("#item-eating input").first).to_be_checked()
    later.wait_for_timeout(500)
    assert stored(site, visit).assessments[0].answers["eating"] == 4, "nothing is sent before somebody has chosen"
    later.get_by_role("button", name="用我的答案继续").click()
    expect(later.locator("#item-eating input").nth(2)).to_be_checked()
    emptied(later)
    assert stored(site, visit).assessments[0].answers["eating"] == 2


def test_a_log_in_that_ends_in_the_middle_keeps_the_answers(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    page.locator("#item-eating .choice").nth(1).click()
    expect(page.locator(".net")).to_contain_text("重新登录")
    assert page.evaluate(READ)["waiting"] == 1
    site.log_in(page.context)
    page.goto(site.url)
    emptied(page)
    assert stored(site, visit).assessments[0].answers["eating"] == 3


def test_another_account_on_the_phone_does_not_send_for_the_first(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site, second=True)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.locator("#item-eating .choice").nth(1).click()
    until(page, lambda: page.evaluate(READ)["waiting"] == 1)
    page.context.clear_cookies()
    site.log_in(page.context, "pinggu2")
    page.context.set_offline(False)
    page.goto(f"{site.url}/outbox")
    expect(page.locator("#list")).to_contain_text("其他账号")
    assert dict(stored(site, visit).assessments[0].answers) == {}


def test_logging_out_warns_and_leaves_nothing_on_the_phone(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    page.wait_for_load_state("networkidle")
    page.route("**/changes", lambda route: route.abort())
    page.locator("#item-eating .choice").nth(1).click()
    until(page, lambda: page.evaluate(READ)["waiting"] == 1)
    page.wait_for_timeout(1000)
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.locator("form[data-logout] button").click()
    assert asked and "1" in asked[0]
    assert page.evaluate(READ)["waiting"] == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("form[data-logout] button").click()
    page.wait_for_url(re.compile("/login"))
    left = page.evaluate(READ)
    assert (left["waiting"], left["drafts"], left["keys"]) == (0, 0, 0)


def test_a_visit_is_begun_and_graded_without_a_network_and_sent_later(
    open_phone: Callable[..., Page], site: Any, book: Any
) -> None:
    page = open_phone()
    ready(page, site)
    until(page, lambda: page.evaluate("caches.open('rules').then(c => c.keys()).then(k => k.length >= 2)"))
    page.context.set_offline(True)
    page.goto(f"{site.url}/visits/new")
    expect(page).to_have_url(re.compile("/offline#/visits/new"))
    page.get_by_label("姓名", exact=True).fill("周海岛")
    page.get_by_label("公民身份号码").fill(NUMBER)
    page.get_by_label("公民身份号码").blur()
    expect(page.locator("[name=birth_date]")).to_have_value("1938-03-17")
    for box in page.locator("[data-instruments] input:checked").all():
        if box.get_attribute("value") != GBT:
            box.uncheck()
    page.locator("[data-consent=assessment]").get_by_text("同意", exact=True).click()
    page.locator("[data-consent=photo]").get_by_text("不同意", exact=True).click()
    go_on(page)
    expect(page.locator("[data-error=by]")).to_be_visible()
    page.get_by_text("老人本人", exact=True).click()
    go_on(page)
    for dimension in book.instruments[GBT].dimensions:
        expect(page.get_by_role("heading", level=1)).to_contain_text(dimension.name["zh"])
        for item in dimension.items:
            page.locator(f"#item-{item.id} .choice").first.click()
        go_on(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("其他情况")
    page.locator("#fact-coma .choice").nth(1).click()
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("暂定结果")
    expect(page.locator(".grade__level")).to_contain_text("能力完好")
    expect(page.locator(".outcome_eligible").first).to_be_visible()
    visit = re.search(r"/visits/[0-9a-f-]{36}", page.url)[0]  # type: ignore[index]
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    emptied(page)
    made = stored(site, visit)
    assert (made.person.name, made.person.citizen_id, made.place) == ("周海岛", NUMBER, "zhoushan")
    assert len(made.assessments[0].answers) == 26 and made.facts["coma"] is False
    with site.database.reading() as db:
        said = consents.consents_of(db, site.database.cipher, made.person.id)
    assert {(c.kind, c.given, c.by) for c in said} == {("assessment", True, "self"), ("photo", False, "self")}


def test_the_outbox_is_saved_sealed_and_taken_in_again(
    open_phone: Callable[..., Page], site: Any, tmp_path: Any
) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.locator("#item-eating .choice").nth(1).click()
    until(page, lambda: page.evaluate(READ)["waiting"] == 1)
    page.goto(f"{site.url}/outbox")
    expect(page.locator("#list .entry")).to_have_count(1)
    page.locator("summary").click()
    page.locator("#passphrase").fill("海岛上的长口令")
    page.locator("#passphrase").fill("海岛上的长口令八")
    with page.expect_download() as download:
        page.locator("#export-sealed").click()
    file = tmp_path / "outbox.json"
    download.value.save_as(file)
    written = json.loads(file.read_text())
    assert written["form"] == "yyassess-outbox-sealed-1" and "eating" not in file.read_text()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="删除").click()
    expect(page.locator("#list .entry")).to_have_count(0)
    page.locator("#passphrase").fill("另一个不对的口令")
    page.locator("#import").set_input_files(file)
    expect(page.locator("#said")).to_contain_text("打不开")
    page.locator("#passphrase").fill("海岛上的长口令八")
    page.locator("#import").set_input_files(file)
    expect(page.locator("#list .entry")).to_have_count(1)
    page.context.set_offline(False)
    page.locator("#send").click()
    emptied(page)
    assert stored(site, visit).assessments[0].answers["eating"] == 3


def test_what_this_phone_can_do_is_said_in_words(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    page.goto(f"{site.url}/diag")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "a")
    expect(page.locator("[data-line=clock]")).to_contain_text("准确")
    plain = open_phone(user_agent="Mozilla/5.0 (iPhone) MicroMessenger/8.0", service_workers="block")
    plain.add_init_script("delete Navigator.prototype.serviceWorker")
    plain.goto(f"{site.url}/diag")
    expect(plain.locator("[data-state]")).to_have_attribute("data-state", "b")
    expect(plain.locator("[data-line=browser]")).to_contain_text("微信")
    bare = open_phone()
    bare.add_init_script("Object.defineProperty(globalThis, 'indexedDB', { value: undefined })")
    bare.goto(f"{site.url}/diag")
    expect(bare.locator("[data-state]")).to_have_attribute("data-state", "c")


def test_without_a_service_worker_the_open_page_keeps_the_answers(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    page.add_init_script("delete Navigator.prototype.serviceWorker")
    page.goto(site.url)
    visit = draft(site)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.locator("#item-eating .choice").nth(1).click()
    expect(page.locator(".net")).to_contain_text("请不要关闭本页")
    go_on(page)
    expect(page.locator(".net")).to_contain_text("下一页暂时打不开")
    page.context.set_offline(False)
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("基础运动")
    assert stored(site, visit).assessments[0].answers["eating"] == 3


def test_hints_and_the_provisional_grade_follow_each_tap(open_phone: Callable[..., Page], site: Any, book: Any) -> None:
    page = open_phone()
    ready(page, site)
    items = [item for dimension in book.instruments[GBT].dimensions for item in dimension.items]
    best = {
        i.id: max(o.answer for o in (book.instruments[GBT].ladders[i.ladder] if i.ladder else i.options)) for i in items
    }
    visit = draft(site, **{k: v for k, v in best.items() if k != "level_walking"})
    page.goto(f"{site.url}{visit}/{GBT}/items/basic_mobility")
    expect(page.locator(".level")).to_contain_text("还可能")
    page.locator("#item-level_walking .choice").first.click()
    expect(page.locator(".level")).to_contain_text("暂定：能力完好")
    with site.database.writing() as db:
        id = UUID(visit.rsplit("/", 1)[1])
        visits.save_facts(db, site.database.cipher, id, {"coma": True}, private=())
    page.goto(f"{site.url}{visit}/{GBT}/items/mental_state")
    # In a coma, and yet awake: the instrument's own hint (H1) goes and comes with the tap.
    words = next(hint.say["zh"] for hint in book.instruments[GBT].hints if hint.id == "H1")
    hint = page.locator("#item-consciousness .q__warning", has_text=words)
    page.locator("#item-consciousness .choice").last.click()
    expect(hint).to_have_count(0)
    page.locator("#item-consciousness .choice").first.click()
    expect(hint).to_have_count(1)


def test_a_page_of_another_time_puts_no_old_answer_back(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site, second=True, eating=4)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    page.wait_for_load_state("networkidle")
    with site.database.writing() as db:
        visits.save_answers(db, UUID(visit.rsplit("/", 1)[1]), GBT, {"eating": 1})
    page.locator("#item-grooming .choice").first.click()
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("基础运动")
    assert dict(stored(site, visit).assessments[0].answers) == {"eating": 1, "grooming": 4}


def test_a_tap_before_the_scripts_were_there_is_kept_all_the_same(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone(service_workers="block")
    visit = draft(site)
    waits: list[Any] = []
    page.route("**/autosave.js*", lambda route: waits.append(route))
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care", wait_until="commit")
    page.locator("#item-eating .choice").nth(2).click()
    until(page, lambda: bool(waits))
    waits[0].continue_()
    until(page, lambda: stored(site, visit).assessments[0].answers.get("eating") == 2)


def test_what_the_server_refuses_is_said_at_its_question_and_gives_way_to_a_better_answer(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site)
    page.goto(f"{site.url}{visit}/{GBT}/context")
    page.wait_for_load_state("networkidle")
    page.locator("#group-A2 summary, details.more summary").nth(1).click()
    height = page.locator("[name='fact.height_cm']")
    height.evaluate(
        "field => { for (let part = field.closest('details'); part; part = part.parentElement.closest('details')) part.open = true }"
    )
    height.fill("1600")
    height.blur()
    expect(page.locator("#fact-height-cm .q__error")).to_contain_text("50 到 250")
    page.locator("#fact-coma .choice").first.click()
    until(page, lambda: "coma" in stored(site, visit).facts)
    assert page.evaluate(READ)["waiting"] == 1, "it stays in the outbox until it is corrected or deleted"
    height.fill("160")
    height.blur()
    expect(page.locator("#fact-height-cm .q__error")).to_have_count(0)
    emptied(page)
    assert stored(site, visit).facts["height_cm"] == 160


def test_a_note_and_a_reason_travel_like_answers(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    ready(page, site)
    visit = draft(site, eating=4)
    page.goto(f"{site.url}{visit}/{GBT}/items/self_care")
    expect(page.locator(".level")).to_contain_text("还可能")
    page.context.set_offline(True)
    go_on(page)
    expect(page).to_have_url(re.compile("/offline#"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("基础运动")
    page.get_by_role("button", name="上一页").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("自理能力")
    page.locator(".remark summary").first.click()
    page.locator("[name='note.eating']").fill("女儿说喂饭")
    page.locator("[name='cannot.eating']").select_option("unwell")
    expect(page.locator("#item-eating input:checked")).to_have_count(0)
    until(page, lambda: page.evaluate(READ)["waiting"] >= 1)
    page.wait_for_timeout(800)
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    emptied(page)
    sheet = stored(site, visit).assessments[0]
    assert dict(sheet.answers) == {} and sheet.remarks["eating"] == {"note": "女儿说喂饭", "cannot": "unwell"}
