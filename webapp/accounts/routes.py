"""Logging in and out."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from webapp.access import ANYONE, EVERY_ROLE, actor, allow
from webapp.accounts.logins import hand_over, take_back
from webapp.accounts.passwords import matches
from webapp.app import services
from webapp.display import changing, local_path
from webapp.storage import accounts, audit

blueprint = Blueprint("accounts", __name__)
FIELD_LIMIT = 200


@blueprint.get("/login")
@allow(ANYONE)
def log_in() -> str:
    """The log-in page."""
    return render_template("login.html", back=request.args.get("back", ""), username="")


@blueprint.post("/login")
@allow(ANYONE)
def start() -> Response | tuple[str, int]:
    """Check name and password, and start a log-in."""
    username, password = request.form.get("username", "")[:FIELD_LIMIT], request.form.get("password", "")[:FIELD_LIMIT]
    back = request.form.get("back", "")
    if changing():
        return render_template("login.html", back=back, username=username), 200
    with services().database.writing() as db:
        row = accounts.account_row(db, username)
        good = matches(password, row.password_hash if row else None)
        now = dt.datetime.now(dt.UTC)
        if row is None or not good or not accounts.open_account(row).active or (row.locked_until or now) > now:
            audit.record(
                db,
                "login.refused",
                f"account:{row.id}" if row else "account:unknown",
                account=row.id if row else None,
                organisation=row.organisation_id if row else None,
            )
            row = None
        else:
            token = accounts.start_login(db, row.id, device=request.user_agent.string)
            audit.record(db, "login.started", f"account:{row.id}", account=row.id, organisation=row.organisation_id)
    if row is None:
        error = _("User name or password is wrong.")
        return render_template("login.html", back=back, username=username, error=error), 422
    session.clear()
    response = make_response(redirect(local_path(back), 303))
    hand_over(response, token)
    return response


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
