"""An assessor with a phone in her hand, from the person to the signed result; then the same without any script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from webapp.demo import PASSWORD
from webapp.people.citizen_id import check_digit
from webapp.storage import Visit, visits

GBT = "gbt-42195-2022"
BODY = "99999819380317000"
NUMBER = BODY + check_digit(BODY)
#: Item -> the option tapped, counted from the best; all others take the best.
TAPPED = {"bathing": 1, "stairs": 2, "memory": 1, "hearing": 1, "transport": 3}


def stored(site: Any, page: Page) -> Visit:
    found = re.search(r"/visits/([0-9a-f-]{36})", page.url)
    assert found
    with site.database.reading() as session:
        return visits.get_visit(session, site.database.cipher, UUID(found[1]))


def fill_person(page: Page, site: Any, script: bool) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="新建评估").click()
    page.get_by_label("姓名").fill("周海岛")
    page.get_by_label("公民身份号码").fill(NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1"))
    if script:
        page.get_by_label("公民身份号码").blur()
    else:
        page.get_by_role("button", name="核对号码").click()
    expect(page.locator("#citizen_id-error")).to_contain_text("校验不符")
    page.get_by_label("公民身份号码").fill(NUMBER)
    if not script:
        page.get_by_role("button", name="核对号码").click()
    expect(page.locator("#said")).to_contain_text("1938年3月17日出生，女")
    expect(page.locator("#birth_date")).to_have_value("1938-03-17")
    expect(page.get_by_label("女", exact=True)).to_be_checked()
    page.get_by_label("按哪个地区的规则").select_option("zhoushan")
    page.get_by_role("button", name="保存，下一步").click()
    page.wait_for_url("**/consents")
    for kind, answer in (("assessment", "yes"), ("insurer", "yes"), ("photo", "no")):
        page.locator(f"#consent-{kind} .choice:has(input[value={answer}])").click()
    page.locator("#by .choice:has(input[value=relative])").click()
    page.locator("#by_name").fill("周女儿")
    page.get_by_role("button", name="保存，下一步").click()


def fill_items(page: Page, book: Any, script: bool) -> None:
    answered = 0
    for dimension in book.instruments[GBT].dimensions:
        expect(page.get_by_role("heading", level=1)).to_contain_text(dimension.name["zh"])
        for item in dimension.items:
            # As a finger does it: a tap on the text of the option, not on the small circle.
            page.locator(f"#item-{item.id} .choice").nth(TAPPED.get(item.id, 0)).click()
            answered += 1
            if script:
                expect(page.locator("[data-count]")).to_have_text(str(answered))
        page.get_by_role("button", name="保存，下一步").click()


def fill_context(page: Page, leave_open: tuple[str, ...] = ()) -> None:
    answers = {
        "fact-coma": "否",
        "fact-diagnoses": "高血压病",
        "fact-psychiatrist-diagnosis": "否",
        "fact-care-risk-events-fall": "1次",
        "fact-care-risk-events-wandering": "无",
        "fact-care-risk-events-choking": "1次",
        "fact-care-risk-events-suicide-self-harm": "无",
        "fact-care-risk-events-other-event": "无",
    }
    for anchor, answer in answers.items():
        if anchor not in leave_open:
            page.locator(f"#{anchor} .choice", has_text=re.compile(f"^\\s*{answer}")).click()
    page.locator("#group-subject summary, details.more summary", has_text="评估对象基本信息").click()
    page.get_by_label("身高").fill("１５８．５")
    page.get_by_role("button", name="保存，下一步").click()


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without scripts"])
def test_from_person_to_signed_result(open_phone: Callable[..., Page], site: Any, book: Any, script: bool) -> None:
    page = open_phone(java_script_enabled=script)
    fill_person(page, site, script)
    expect(page.get_by_role("checkbox", name="老年人能力评估规范")).to_be_checked()
    for box in page.locator("#usual input:checked").all():
        if box.get_attribute("value") != GBT:
            box.uncheck()
    page.get_by_role("button", name="保存，下一步").click()
    fill_items(page, book, script)
    fill_context(page, leave_open=("fact-coma",))

    # The check page names the one gap and leads to it.
    expect(page.get_by_text("还有题没有答")).to_be_visible()
    page.get_by_role("link", name="昏迷").click()
    assert page.url.endswith("#fact-coma")
    expect(page.locator("#fact-coma")).to_be_in_viewport()
    page.locator("#fact-coma .choice", has_text="否").click()
    page.get_by_role("button", name="保存，下一步").click()
    expect(page.get_by_text("需要的都已填好")).to_be_visible()
    page.get_by_label("备注").fill("女儿在场 <b>")
    page.get_by_role("button", name="看结果").click()

    # 90 - 1 - 2 - 1 - 1 - 3 = 82 is level 1; two events of care risk raise it to 2.
    expect(page.locator(".grade__level")).to_have_text("2 级")
    expect(page.locator(".steps")).to_contain_text("近30天内照护风险事件2次及以上")
    page.get_by_role("link", name=re.compile("再答")).click()
    page.locator("#fact-destitute-support .choice", has_text="否").click()
    page.get_by_role("button", name="保存，看结论").click()
    expect(page.locator("#outcomes")).to_be_visible()
    page.locator("form[action$='/submit'] button").click()
    page.wait_for_url("**/sign")
    colleague = open_phone(java_script_enabled=script, username="pinggu2")
    for phone, name in ((page, "评估员甲（演示）"), (colleague, "评估员乙（演示）")):
        phone.goto(page.url)
        expect(phone.get_by_text("女儿在场 <b>")).to_be_visible()
        phone.locator("#typed-own").fill(name)
        phone.locator("#password").fill(PASSWORD)
        phone.locator("#page > .buttons button").click()
        expect(phone.locator(".signature__typed", has_text=name)).to_be_visible()
    expect(colleague.get_by_text("已完成并锁定")).to_be_visible()

    visit = stored(site, page)
    assert visit.done and visit.place == "zhoushan"
    assert (visit.person.name, visit.person.citizen_id, visit.person.sex) == ("周海岛", NUMBER, "female")
    assert visit.facts["height_cm"] == 158.5 and visit.facts["destitute_support"] is False
    assert visit.facts["coma"] is False and visit.facts["diagnoses"] == ["hypertension"]
    result = visit.assessments[0].result
    assert result is not None and len(visit.assessments[0].answers) == 26
    assert result["scores"]["total"] == 82 and result["preliminary"]["level"] == 1
    assert [a["id"] for a in result["adjustments"]] == ["events_raise"] and result["grade"]["level"] == 2
    assert visit.determination is not None and visit.determination["grades"][GBT]["level"] == 2


def draft(page: Page, site: Any) -> str:
    """Opens the demo draft; returns its address."""
    page.goto(site.url)
    page.get_by_role("link", name=re.compile("继续填写")).click()
    return page.url.split(f"/{GBT}")[0]


def test_go_on_opens_the_page_with_the_first_gap_and_the_link_jumps_to_it(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page = open_phone()
    draft(page, site)
    expect(page.get_by_role("heading", level=1)).to_contain_text("精神状态")
    gap = page.get_by_role("link", name="下一个未答")
    gap.click()
    expect(page.locator("#item-orientation_time")).to_be_in_viewport()
    page.locator("#item-orientation_time .choice").first.click()
    expect(page.locator("[data-count]")).to_have_text("13")
    gap.click()
    assert page.url.endswith("#item-orientation_place")


def test_answers_survive_closing_the_page_without_a_button(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    draft(page, site)
    page.locator("#item-memory .choice").nth(2).click()
    page.goto(f"{site.url}/healthz")
    # Kept on the phone; sent at the latest when a page of the form is open again.
    page.goto(site.url)
    for _ in range(50):
        page.wait_for_timeout(100)
        with site.database.reading() as session:
            latest = visits.recent_visits(session, site.database.cipher, site.organisation, limit=1)[0]
        if "memory" in latest.assessments[0].answers:
            break
    assert latest.assessments[0].answers["memory"] == 2


def test_the_language_button_in_the_middle_of_a_page_keeps_the_answers(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page = open_phone(java_script_enabled=False)
    draft(page, site)
    page.locator("#item-memory .choice").nth(2).click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mental state")
    expect(page.locator("#item-memory input").nth(2)).to_be_checked()


def test_a_wrong_total_keeps_its_text_and_shows_the_error_at_its_question(
    open_phone: Callable[..., Page], site: Any
) -> None:
    page = open_phone()
    where = draft(page, site)
    page.goto(f"{where}/instruments")
    page.locator("details", has_text="筛查").locator("summary").first.click()
    page.locator("label.choice", has_text="AD8").first.click()
    page.get_by_role("button", name="保存，下一步").click()
    page.goto(f"{where}/ad8/items/entries")
    page.locator("#item-total-field").fill("12")
    page.locator("#item-total-field").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#item-total-error")).to_contain_text("应在 0 到 8 之间")
    expect(page.locator("#item-total-field")).to_have_value("12")
    # What the phone's own queue knows of it adds no second voice.
    page.wait_for_timeout(1000)
    expect(page.locator("#item-total .q__error")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(1)


def test_none_and_other_boxes_exclude_each_other(open_phone: Callable[..., Page], site: Any) -> None:
    page = open_phone()
    where = draft(page, site)
    page.goto(f"{where}/{GBT}/context")
    box = page.locator("#fact-diagnoses .choice")
    box.filter(has_text="痴呆").click()
    box.filter(has_text="以上都没有").click()
    expect(page.locator("#fact-diagnoses input:checked")).to_have_count(1)
    box.filter(has_text="痴呆").click()
    expect(page.locator("#fact-diagnoses input:checked")).to_have_count(1)
    expect(box.filter(has_text="痴呆").locator("input")).to_be_checked()
