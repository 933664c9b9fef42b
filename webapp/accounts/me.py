"""My account: who I am, my password, the devices I am logged in on, and the way to everything my role opens."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import EVERY_ROLE, actor, allow
from webapp.accounts import passwords, proving
from webapp.accounts.menu import entries, home
from webapp.accounts.routes import FIELD_LIMIT, wait_words
from webapp.app import services
from webapp.display import changing
from webapp.storage import accounts, audit

blueprint = Blueprint("me", __name__)


@blueprint.get("/me")
@allow(*EVERY_ROLE)
def menu() -> str:
    """My account and my menu."""
    with services().database.reading() as db:
        account = accounts.get_account(db, actor().id)
        bound = accounts.has_wechat(db, actor().id)
    wechat = services().settings.wechat is not None
    return render_template("me.html", account=account, entries=entries(actor().role), wechat=wechat, bound=bound)


@blueprint.get("/me/password")
@allow(*EVERY_ROLE)
def password() -> str:
    """The page for a new password."""
    return _password_page({})


@blueprint.post("/me/password")
@allow(*EVERY_ROLE)
def change_password() -> Response | tuple[str, int]:
    """Take the new password, and end all other log-ins of this account."""
    if changing():
        return _password_page({}), 200
    who, form = actor(), request.form
    old, new, again = (form.get(name, "")[: FIELD_LIMIT + 1] for name in ("old", "new", "again"))
    errors = {}
    fault = passwords.fault_of(new, who.username)
    if fault is not None:
        errors["new"] = fault_words(fault)
    elif new == old:
        errors["new"] = _("This is the password you have now. Choose another one.")
    elif new != again:
        errors["again"] = _("This is not the same as above.")
    if not errors and not proving.prove(who, old):
        wait = proving.wait_of(who)
        errors["old"] = wait_words(wait) if wait else _("This is not your password.")
    if errors:
        return _password_page(errors), 422
    hashed = passwords.hashed(new)
    with services().database.writing() as db:
        accounts.set_password(db, who.id, hashed, must_change=False)
        ended = accounts.end_logins(db, who.id, "password", but=who.login)
        audit.record(
            db,
            "password.changed",
            f"account:{who.id}",
            account=who.id,
            organisation=who.organisation,
            detail={"logins_ended": ended},
        )
    flash(_("The password is changed. All your other devices are logged out."))
    return redirect(home(who.role) if who.must_change else url_for("me.menu"), 303)


@blueprint.get("/me/devices")
@allow(*EVERY_ROLE)
def devices() -> str:
    """Where I am logged in."""
    limits, now = services().settings, dt.datetime.now(dt.UTC)
    with services().database.reading() as db:
        found = accounts.list_logins(db, actor().id, used_since=now - limits.idle, begun_since=now - limits.absolute)
    return render_template("devices.html", logins=found, here=actor().login)


@blueprint.post("/me/devices/<uuid:login>/end")
@allow(*EVERY_ROLE)
def end_device(login: UUID) -> Response:
    """Log one of my devices out."""
    who = actor()
    with services().database.writing() as db:
        if accounts.owner_of_login(db, login) != who.id:
            abort(404)
        accounts.end_login(db, login, "by_hand")
        audit.record(db, "login.ended", f"account:{who.id}", account=who.id, organisation=who.organisation)
    flash(_("That device is logged out."))
    return redirect(url_for("me.devices"), 303)


@blueprint.post("/me/devices/end-others")
@allow(*EVERY_ROLE)
def end_others() -> Response:
    """Log out everywhere but here."""
    who = actor()
    with services().database.writing() as db:
        ended = accounts.end_logins(db, who.id, "by_hand", but=who.login)
        audit.record(
            db,
            "logins.ended",
            f"account:{who.id}",
            account=who.id,
            organisation=who.organisation,
            detail={"logins_ended": ended},
        )
    flash(_("All other devices are logged out."))
    return redirect(url_for("me.devices"), 303)


def fault_words(fault: passwords.Fault) -> str:
    """Why a password was not taken, and what to do."""
    say: dict[passwords.Fault, str] = {
        "short": _("At least %(least)s characters. A short sentence is easy to remember.", least=passwords.LEAST),
        "long": _("At most %(most)s characters.", most=passwords.MOST),
        "name": _("The user name must not be most of the password."),
        "obvious": _("This is one of the first that somebody would try. Choose another one."),
    }
    return say[fault]


def _password_page(errors: dict[str, str]) -> str:
    return render_template("password.html", errors=errors, least=passwords.LEAST)
