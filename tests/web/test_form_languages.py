"""The catalogues are complete: each text of the pages is in each language, translated, compiled."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from webapp import i18n
from webapp.i18n import traditional

TOP = Path(__file__).resolve().parents[2]
WEBAPP = TOP / "webapp"
KEYWORDS = {"_": None, "gettext": None, "_l": None, "lazy_gettext": None}
#: English texts that are the same in every language.
SAME = {"CNY"}


@cache
def texts() -> frozenset[str]:
    """Every text of the pages, as written in code and templates."""
    with (TOP / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    return frozenset(str(found[2]) for found in extract_from_dir(str(WEBAPP), methods, options, keywords=KEYWORDS))


def catalogue(language: str) -> Catalog:
    with (WEBAPP / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.mark.parametrize("language", ["zh_Hans", "zh_Hant", "en"])
def test_no_text_is_missing_fuzzy_or_left_over(language: str) -> None:
    found = {m.id: m for m in catalogue(language) if m.id}
    assert len(texts()) > 100
    assert set(found) == texts(), "run scripts/translations.sh"
    assert [m.id for m in found.values() if not m.string] == []
    assert [m.id for m in found.values() if m.fuzzy] == []
    assert not catalogue(language).obsolete


def test_chinese_texts_are_chinese_and_name_the_same_values() -> None:
    for message in catalogue("zh_Hans"):
        if message.id:
            words = re.sub(r"%\(\w+\)s", "", message.id)
            assert not re.search("[A-Za-z]", words) or re.search(r"[\u4e00-\u9fff]", message.string), message.id
            assert set(re.findall(r"%\((\w+)\)s", message.string)) <= set(re.findall(r"%\((\w+)\)s", message.id))


def test_traditional_texts_are_the_simplified_ones_in_other_characters() -> None:
    made_from = {m.id: m.string for m in catalogue("zh_Hans") if m.id}
    found = {m.id: m.string for m in catalogue("zh_Hant") if m.id}
    assert found == {id: traditional(text) for id, text in made_from.items()}, "run scripts/translations.sh"
    assert sum(found[id] != made_from[id] for id in found) > len(found) / 2, "is OpenCC installed?"


@pytest.mark.parametrize(
    ("simplified", "expected"),
    [
        ("老年人能力评估报告", "老年人能力評估報告"),
        ("画钟试验；5分钟后复查", "畫鐘試驗；5分鐘後複查"),
        ("不是只有老人，请联系家里人并签协议", "不是只有老人，請聯繫家裡人並簽協議"),
        ("2周后复筛，干预，头发，范围", "2週後複篩，干預，頭髮，範圍"),
        ("English, 90 %(count)s", "English, 90 %(count)s"),
    ],
)
def test_characters_are_converted_and_nothing_else(simplified: str, expected: str) -> None:
    assert traditional(simplified) == expected


def test_without_the_converter_rule_texts_stay_simplified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_converter", lambda: None)
    assert traditional.__wrapped__("评估") == "评估"


@pytest.mark.parametrize(
    ("chosen", "tag", "rule", "others"),
    [
        ("zh", "zh-Hans", "老年人能力评估规范", {"zh-Hant", "en"}),
        ("zh-Hant", "zh-Hant", "老年人能力評估規範", {"zh", "en"}),
        ("en", "en", "Ability assessment of older people", {"zh", "zh-Hant"}),
        ("tlh", "zh-Hans", "老年人能力评估规范", {"zh-Hant", "en"}),
    ],
)
def test_a_page_is_wholly_in_the_language_chosen_and_offers_the_others(
    client: Any, chosen: str, tag: str, rule: str, others: set[str]
) -> None:
    client.set_cookie("lang", chosen)
    page = client.get("/rules/instruments/gbt-42195-2022").text
    assert f'<html lang="{tag}"' in page and rule in page
    assert set(re.findall(r'href="/display/language/([^?"]+)', page)) == others


def test_the_language_chosen_is_remembered(client: Any) -> None:
    answer = client.get("/display/language/zh-Hant?back=/rules")
    assert (answer.status_code, answer.location) == (303, "/rules")
    assert '<html lang="zh-Hant"' in client.get("/rules").text


def test_what_people_typed_keeps_its_characters(assessor: Any) -> None:
    visit = assessor.start(name="钟后里")
    assessor.client.set_cookie("lang", "zh-Hant")
    assert "钟后里" in assessor.client.get(f"{visit}/report").text


def test_the_rules_of_a_phone_come_in_the_characters_it_chose_and_decide_the_same(assessor: Any) -> None:
    draft = f"/api{assessor.start()}"
    simplified = assessor.client.get(draft).json["files"]
    assessor.client.set_cookie("lang", "zh-Hant")
    chosen = assessor.client.get(draft).json["files"]
    rules = [assessor.client.get(files["rules"]).json for files in (simplified, chosen)]
    instruments = [found["instruments"]["gbt-42195-2022"] for found in rules]
    names = [instrument["levels"][4]["name"]["zh"] for instrument in instruments]
    assert names == ["能力完全丧失（完全失能）", "能力完全喪失（完全失能）"]
    assert [found["hash"] for found in rules] == [rules[0]["hash"]] * 2
    assert without_words(rules[0]) == without_words(rules[1])
    forms = [assessor.client.get(files["form"]).json for files in (simplified, chosen)]
    assert without_words(forms[0]) == without_words(forms[1]) and forms[0] != forms[1]
    # The address names what it holds: a phone whose language changes asks for another one.
    assert assessor.client.get(simplified["rules"]).json == rules[0]
    assert all(assessor.client.get(a).headers["Cache-Control"].endswith("immutable") for a in chosen.values())
    refused = assessor.client.post("/api/visits", json=[], headers={"Idempotency-Key": "x"}).json["error"]
    assert refused["say"]["zh"] == "內容須為 JSON 對象" and refused["say"]["en"] == "The body must be a JSON object"


def without_words(found: Any) -> Any:
    """JSON without its Chinese texts."""
    if isinstance(found, dict):
        return {k: without_words(v) for k, v in found.items() if not (k == "zh" and "en" in found)}
    return [without_words(v) for v in found] if isinstance(found, list) else found


def test_english_texts_are_their_own_ids() -> None:
    assert all(m.string == m.id for m in catalogue("en") if m.id)


@pytest.mark.parametrize("language", ["zh_Hans", "zh_Hant", "en"])
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    path = WEBAPP / "translations" / language / "LC_MESSAGES" / "messages.mo"
    fresh = io.BytesIO()
    write_mo(fresh, catalogue(language))
    assert path.read_bytes() == fresh.getvalue(), "run scripts/translations.sh"


def test_templates_hold_no_text_of_their_own() -> None:
    for path in (WEBAPP / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.S)
        assert not re.search(r"[\u4e00-\u9fff]{2,}", text), path.name
