"""Logging in and out."""

from __future__ import annotations

import datetime as dt
import math

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from webapp import demo
from webapp.access import ANYONE, EVERY_ROLE, actor, allow
from webapp.accounts import carrying
from webapp.accounts.devices import device_name
from webapp.accounts.guard import try_password
from webapp.accounts.logins import hand_over, take_back
from webapp.accounts.menu import home
from webapp.app import services
from webapp.display import changing, local_path
from webapp.storage import accounts, audit
from webapp.storage.accounts import Account

blueprint = Blueprint("accounts", __name__)
FIELD_LIMIT = 200


@blueprint.get("/login")
@allow(ANYONE)
def log_in() -> Response:
    """The log-in page."""
    return page(back=request.args.get("back", ""))


@blueprint.post("/login")
@allow(ANYONE)
def start() -> Response:
    """Check name and password, and start a log-in."""
    username, password = request.form.get("username", "")[:FIELD_LIMIT], request.form.get("password", "")[:FIELD_LIMIT]
    if changing():
        return page(username=username)
    if password == demo.PASSWORD and not services().settings.demo:
        # Everybody can read this one in the code; a database that was once a demo must not stay open by it.
        password = ""
    found = try_password(username, password, address=request.remote_addr)
    if found.wait is not None:
        response = page(username=username, error=wait_words(found.wait), status=429)
        response.headers["Retry-After"] = str(math.ceil(found.wait.total_seconds()))
        return response
    if found.account is None:
        return page(username=username, error=_("User name or password is wrong."), status=422)
    return begin(found.account, request.form.get("back", ""))


@blueprint.post("/logout")
@allow(*EVERY_ROLE)
def log_out() -> Response:
    """End this log-in."""
    who = actor()
    with services().database.writing() as db:
        accounts.end_login(db, who.login, "logout")
        audit.record(db, "login.ended", f"account:{who.id}", account=who.id, organisation=who.organisation)
    session.clear()
    response = make_response(redirect(url_for("accounts.log_in"), 303))
    take_back(response)
    return response


def begin(account: Account, back: str, *, proved: bool = True) -> Response:
    """Start a log-in and lead on: to the page that was wanted, or to saving what a lost log-in had kept back."""
    with services().database.writing() as db:
        token = accounts.start_login(db, account.id, device=device_name(request.user_agent.string), proved=proved)
        audit.record(
            db,
            "login.started",
            f"account:{account.id}",
            account=account.id,
            organisation=account.organisation,
            detail=None if proved else {"by": "wechat"},
        )
    if session.get("account") != str(account.id):
        # The same person's other pages stay good; another person's do not.
        session.clear()
        session["account"] = str(account.id)
    kept = carrying.posted()
    if kept is not None:
        response = make_response(render_template("carry_on.html", kept=kept))
    else:
        response = make_response(redirect(home(account.role) if back in ("", "/") else local_path(back), 303))
    hand_over(response, token)
    return response


def page(*, back: str | None = None, username: str = "", error: str | None = None, status: int = 200) -> Response:
    """The log-in page, with what was typed."""
    known = services()
    with known.database.reading() as db:
        nobody = accounts.count_accounts(db) == 0
        shown = demo.accounts_to_show(db) if known.settings.demo else ()
    return make_response(
        render_template(
            "login.html",
            back=request.form.get("back", "") if back is None else back,
            username=username,
            error=error,
            lost=g.get("login_lost", False),
            kept=carrying.posted(),
            nobody=nobody,
            demo=shown,
            demo_password=demo.PASSWORD,
            wechat=known.settings.wechat is not None,
        ),
        status,
    )


def wait_words(wait: dt.timedelta) -> str:
    """How long to wait, in words."""
    return _(
        "Too many failed tries. Try again in %(minutes)s min, or ask your administrator to open the account.",
        minutes=math.ceil(wait.total_seconds() / 60),
    )
