"""Pages for when something goes wrong: plain words, what to do next, and JSON for those who asked for JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from webapp.storage import NoSuchVisit, VisitLocked
from yyassess import UnknownName

JSON_WORDS = {
    400: {"zh": "请求无法读懂", "en": "The request cannot be understood"},
    401: {"zh": "请先登录", "en": "Log in first"},
    403: {"zh": "没有权限", "en": "Not allowed"},
    404: {"zh": "没有这一页或这条记录", "en": "There is no such page or record"},
    405: {"zh": "不支持这种请求方式", "en": "This method is not supported here"},
    409: {"zh": "记录已完成，不能再改", "en": "The record is finished and cannot be changed"},
    413: {"zh": "提交的内容超过 1 MB", "en": "What was sent is larger than 1 MB"},
    500: {"zh": "服务器出错，已保存的内容不受影响", "en": "The server failed; what was saved is safe"},
}
#: Title and advice by status; other codes use those of 400 or 500.
PAGES: dict[int, tuple[Any, Any]] = {
    400: (_l("This could not be read"), _l("Go back and try once more. Your earlier pages are saved.")),
    401: (_l("Log in first"), _l("Your log-in has ended. What you saved is safe.")),
    403: (_l("Not allowed"), _l("You may not open this page.")),
    404: (_l("Nothing here"), _l("There is no such page or record. It may have been opened from an old link.")),
    405: (_l("Nothing here"), _l("This address is only for sending a form.")),
    409: (
        _l("Already finished"),
        _l("A finished record is locked and cannot be changed. Start a new assessment instead."),
    ),
    413: (_l("Too large"), _l("What was sent is larger than 1 MB. Shorten the text and send it again.")),
    500: (_l("Something failed here"), _l("The fault is on our side. What you saved is safe. Try again in a moment.")),
}
STALE_PAGE = (
    _l("This page has expired"),
    _l("Nothing from this page was saved. Go back, reload the page and send it again; your earlier pages are saved."),
)


def wants_json() -> bool:
    """Whether the answer is for a program."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def answer(status: int, words: tuple[Any, Any] | None = None) -> Response:
    """The error page, or its JSON."""
    known = status if status in PAGES else 500 if status >= 500 else 400
    if wants_json():
        response = jsonify({"error": {"status": status, "say": JSON_WORDS[known]}})
    else:
        title, advice = words or PAGES[known]
        response = make_response(render_template("error.html", status=status, title=title, advice=advice))
    response.status_code = status
    return response


def set_up(app: Flask) -> None:
    """Answer every failure."""

    def http(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        return answer(status)

    handlers: list[tuple[type[Exception], Callable[[Any], Any]]] = [
        (HTTPException, http),
        (CSRFError, lambda _: answer(400, STALE_PAGE)),
        (NoSuchVisit, lambda _: answer(404)),
        (UnknownName, lambda _: answer(404)),
        (VisitLocked, lambda _: answer(409)),
    ]
    for kind, handler in handlers:
        app.register_error_handler(kind, handler)
