"""Languages: Chinese first, in simplified or traditional characters, English on request.

Page texts come from the catalogues, rule texts from the rules. The rules are written in simplified characters; for
traditional ones they are converted, character by character and word by word, where OpenCC is installed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale

#: What a person may choose: simplified Chinese, traditional Chinese, English.
HANT = "zh-Hant"
LANGUAGES = ("zh", HANT, "en")
LOCALES = {"zh": "zh_Hans", HANT: "zh_Hant", "en": "en"}
HTML_TAGS = {"zh": "zh-Hans", HANT: HANT, "en": "en"}
COOKIE = "lang"
#: Characters as written in Taiwan; the wording stays that of the rules.
CONVERSION = "s2tw"
#: What the converter gets wrong in the texts of this project: as it writes it -> as it is written.
CORRECTIONS = {
    "鍾": "鐘",
    "籤": "簽",
    "聯系": "聯繫",
    "扣系": "扣繫",
    "復篩": "複篩",
    "不是隻": "不是只",
    "看錶情": "看表情",
    "由髮": "由發",
    "按周": "按週",
    "2周": "2週",
    "周（起": "週（起",
}


def chosen_language() -> str:
    """What the person chose, of `LANGUAGES`; ``zh`` unless she chose otherwise."""
    if not has_request_context():
        return LANGUAGES[0]
    if "language" not in g:
        chosen = request.cookies.get(COOKIE, "")
        g.language = chosen if chosen in LANGUAGES else LANGUAGES[0]
    found: str = g.language
    return found


def language() -> str:
    """The language rule texts are taken in: ``zh`` or ``en``."""
    return "en" if chosen_language() == "en" else "zh"


def say(words: Mapping[str, str] | str | None) -> str:
    """A text of the rules in the language of the page."""
    if words is None:
        return ""
    if isinstance(words, str):
        return words
    text = words[language()]
    return traditional(text) if chosen_language() == HANT else text


def in_traditional(found: Any) -> Any:
    """JSON with every text of the rules in it, each ``{zh, en}``, in traditional characters."""
    if isinstance(found, dict):
        if found.keys() == {"zh", "en"} and isinstance(found["zh"], str):
            return {**found, "zh": traditional(found["zh"])}
        return {name: in_traditional(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [in_traditional(value) for value in found]
    return found


@lru_cache(maxsize=20_000)
def traditional(text: str) -> str:
    """Simplified Chinese in traditional characters; as it was where OpenCC is not installed."""
    converter = _converter()
    if converter is None:
        return text
    converted: str = converter.convert(text)
    for wrong, right in CORRECTIONS.items():
        converted = converted.replace(wrong, right)
    return converted


@cache
def _converter() -> Any:
    try:
        import opencc
    except ImportError:
        return None
    return opencc.OpenCC(CONVERSION)


def day(value: dt.date | dt.datetime | str) -> str:
    """A day as people write it."""
    if isinstance(value, str):
        value = dt.date.fromisoformat(value)
    if language() == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {value:%b} {value.year}"


def html_tag() -> str:
    """For ``<html lang>``."""
    return HTML_TAGS[chosen_language()]


def set_up(app: Flask) -> None:
    """Connect Babel and the template helpers."""
    Babel(app, default_locale="zh_Hans", locale_selector=lambda: LOCALES[chosen_language()])
    app.jinja_env.filters.update(say=say, day=day)
    app.jinja_env.globals.update(
        language=language, chosen_language=chosen_language, html_tag=html_tag, get_locale=get_locale
    )
