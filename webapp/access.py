"""Who may open what. Every route carries its rule; a route without one is closed to everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import Flask, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.storage.accounts import ASSESSOR, ORG_ADMIN, REVIEWER, ROLES, SYSTEM_ADMIN

ANYONE = "anyone"
#: Everybody of an organisation: those who see its records.
MEMBERS = (ASSESSOR, REVIEWER, ORG_ADMIN)
EVERY_ROLE = ROLES
RULE = "_yyassess_access"
#: What somebody may do whose password was chosen by another: choose one, or go.
BEFORE_ALL_ELSE = frozenset({"me.password", "me.change_password", "accounts.log_out"})

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """Who is using the form in this request."""

    id: UUID
    organisation: UUID | None
    name: str
    username: str
    role: str
    certificate: str | None
    place: str | None
    login: UUID
    proved_at: dt.datetime
    must_change: bool = False


def allow(*roles: str) -> Callable[[View], View]:
    """The route is for these roles; `ANYONE` opens it without a log-in."""

    def mark(view: View) -> View:
        setattr(view, RULE, roles)
        return view

    return mark


def rule_of(view: Callable[..., Any]) -> tuple[str, ...]:
    """The roles a route is for; empty when it says nothing, and then nobody may."""
    return cast(tuple[str, ...], getattr(view, RULE, ()))


def actor() -> Actor:
    """Who is using the form; only on routes that need a log-in."""
    found: Actor | None = g.get("actor")
    if found is None:
        abort(403)
    return found


def organisation() -> UUID:
    """Whose records this request is about."""
    found = actor().organisation
    if found is None:
        abort(404)
    return found


def set_up(app: Flask) -> None:
    """Check every request before its page runs."""

    def check() -> Response | None:
        endpoint = request.endpoint
        if endpoint is None:
            return None
        roles = (ANYONE,) if endpoint.endswith("static") else rule_of(app.view_functions[endpoint])
        if ANYONE in roles:
            return None
        who: Actor | None = g.get("actor")
        if who is None:
            return _ask_to_log_in()
        if who.must_change and endpoint not in BEFORE_ALL_ELSE:
            return _ask_for_a_password()
        if who.role not in roles:
            abort(403)
        return None

    app.before_request(check)


def _ask_to_log_in() -> Response:
    from webapp.errors import answer, wants_json

    if wants_json() or request.is_json:
        return answer(401)
    if g.get("login_lost"):
        from webapp.accounts.carrying import stranded
        from webapp.accounts.routes import page

        if stranded() is not None:
            return page(back=request.referrer and _path(request.referrer), status=401)
    back = request.full_path.rstrip("?") if request.method == "GET" else (request.referrer and _path(request.referrer))
    return redirect(url_for("accounts.log_in", back=back or None), 303)


def _ask_for_a_password() -> Response:
    from webapp.errors import answer, wants_json

    if wants_json() or request.is_json:
        return answer(403)
    return redirect(url_for("me.password"), 303)


def _path(address: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(address).path


__all__ = [
    "ANYONE",
    "ASSESSOR",
    "EVERY_ROLE",
    "MEMBERS",
    "ORG_ADMIN",
    "REVIEWER",
    "SYSTEM_ADMIN",
    "Actor",
    "actor",
    "allow",
    "organisation",
    "rule_of",
]
