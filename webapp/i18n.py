"""Languages: Chinese first, English on request. Page texts come from the catalogues, rule texts from the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale

LANGUAGES = ("zh", "en")
LOCALES = {"zh": "zh_Hans", "en": "en"}
HTML_TAGS = {"zh": "zh-Hans", "en": "en"}
COOKIE = "lang"


def language() -> str:
    """The language of this page: ``zh`` unless the person chose otherwise."""
    if not has_request_context():
        return "zh"
    if "language" not in g:
        chosen = request.cookies.get(COOKIE, "")
        g.language = chosen if chosen in LANGUAGES else "zh"
    found: str = g.language
    return found


def say(words: Mapping[str, str] | str | None) -> str:
    """A text of the rules in the language of the page."""
    if words is None:
        return ""
    return words if isinstance(words, str) else words[language()]


def day(value: dt.date | dt.datetime | str) -> str:
    """A day as people write it."""
    if isinstance(value, str):
        value = dt.date.fromisoformat(value)
    if language() == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {value:%b} {value.year}"


def html_tag() -> str:
    """For ``<html lang>``."""
    return HTML_TAGS[language()]


def set_up(app: Flask) -> None:
    """Connect Babel and the template helpers."""
    Babel(app, default_locale="zh_Hans", locale_selector=lambda: LOCALES[language()])
    app.jinja_env.filters.update(say=say, day=day)
    app.jinja_env.globals.update(language=language, html_tag=html_tag, get_locale=get_locale)
