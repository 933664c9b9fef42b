"""The catalogues are complete: each text of the pages is in each language, translated, compiled."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

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


@pytest.mark.parametrize("language", ["zh_Hans", "en"])
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
            assert re.search(r"[\u4e00-\u9fff]", message.string), message.id
            assert set(re.findall(r"%\((\w+)\)s", message.string)) <= set(re.findall(r"%\((\w+)\)s", message.id))


def test_english_texts_are_their_own_ids() -> None:
    assert all(m.string == m.id for m in catalogue("en") if m.id)


@pytest.mark.parametrize("language", ["zh_Hans", "en"])
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    path = WEBAPP / "translations" / language / "LC_MESSAGES" / "messages.mo"
    fresh = io.BytesIO()
    write_mo(fresh, catalogue(language))
    assert path.read_bytes() == fresh.getvalue(), "run scripts/translations.sh"


def test_templates_hold_no_text_of_their_own() -> None:
    for path in (WEBAPP / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.S)
        assert not re.search(r"[\u4e00-\u9fff]{2,}", text), path.name
