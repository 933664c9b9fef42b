"""The accounts of an organisation, for its administrator."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.access import ORG_ADMIN, actor, allow, organisation
from webapp.accounts import guard
from webapp.accounts.forms import ROLES_TO_GIVE, AccountForm, read_account
from webapp.accounts.passwords import hashed, one_time
from webapp.app import services
from webapp.display import changing
from webapp.storage import accounts, audit
from webapp.storage.accounts import Account, NoSuchAccount

blueprint = Blueprint("staff", __name__)


@blueprint.get("/accounts")
@allow(ORG_ADMIN)
def accounts_page() -> str:
    """Everybody of the organisation."""
    with services().database.reading() as db:
        found = accounts.list_accounts(db, organisation())
        closed = guard.closed_names(db, [a.username for a in found])
    return render_template("accounts.html", accounts=found, closed=closed)


@blueprint.get("/accounts/new")
@allow(ORG_ADMIN)
def new() -> str:
    """An empty page for an account."""
    return _new_page(AccountForm({"username": "", "name": "", "role": "", "certificate": ""}))


@blueprint.post("/accounts/new")
@allow(ORG_ADMIN)
def add() -> str | tuple[str, int]:
    """Make an account, and show its first password, once."""
    form = read_account(request.form, new=True)
    if changing():
        form.errors = {}
        return _new_page(form)
    password = None if form.errors else new_account(form, organisation())
    if password is None:
        return _new_page(form), 422
    return password_page(form.typed["name"], form.typed["username"], password, url_for("staff.accounts_page"))


@blueprint.get("/accounts/<uuid:account>")
@allow(ORG_ADMIN)
def edit(account: UUID) -> str:
    """The page of an account."""
    found = _mine(account)
    typed = {"name": found.name, "role": found.role, "certificate": found.certificate or ""}
    return _edit_page(found, AccountForm(typed))


@blueprint.post("/accounts/<uuid:account>")
@allow(ORG_ADMIN)
def change(account: UUID) -> Response | tuple[str, int]:
    """Take what was changed. Nobody closes or demotes their own account: somebody must be left to open it again."""
    found = _mine(account)
    form = read_account(request.form, new=False)
    active = request.form.get("active") == "yes"
    if changing():
        form.errors = {}
    elif found.id == actor().id and (form.typed["role"] != found.role or not active):
        form.errors["role"] = _("You cannot change your own role or close your own account. Another administrator can.")
    if changing() or form.errors:
        return _edit_page(found, form), 422 if form.errors else 200
    with services().database.writing() as db:
        changed = accounts.change_account(
            db,
            account,
            name=form.typed["name"],
            role=form.typed["role"],
            certificate=form.certificate,
            active=active,
        )
        detail = {"fields": changed} | ({"role": form.typed["role"]} if "role" in changed else {})
        if changed:
            note(db, "account.changed", account, organisation(), detail)
    flash(_("Saved."))
    return redirect(url_for("staff.accounts_page"), 303)


@blueprint.post("/accounts/<uuid:account>/password")
@allow(ORG_ADMIN)
def reset(account: UUID) -> str:
    """A new first password for somebody who lost theirs; all their log-ins end."""
    return reset_password(_mine(account), url_for("staff.accounts_page"))


@blueprint.post("/accounts/<uuid:account>/unlock")
@allow(ORG_ADMIN)
def unlock(account: UUID) -> Response:
    """Let somebody try again who typed too many wrong passwords."""
    found = _mine(account)
    with services().database.writing() as db:
        guard.reopen(db, found.username)
        note(db, "account.unlocked", account, organisation())
    flash(_("%(name)s can log in again.", name=found.name))
    return redirect(url_for("staff.edit", account=account), 303)


def new_account(form: AccountForm, organisation: UUID) -> str | None:
    """Make the account of a form; its first password, or ``None`` with the fault noted in the form."""
    password = one_time()
    stored = hashed(password)
    with services().database.writing() as db:
        if accounts.account_row(db, form.typed["username"]) is not None:
            form.errors["username"] = _("This user name is taken. Choose another one.")
            return None
        id = accounts.add_account(
            db,
            organisation=organisation,
            username=form.typed["username"],
            name=form.typed["name"],
            role=form.typed["role"],
            certificate=form.certificate,
            password_hash=stored,
            must_change=True,
        )
        note(db, "account.added", id, organisation, {"role": form.typed["role"]})
    return password


def reset_password(account: Account, back: str) -> str:
    """Give an account a new first password, and show it."""
    password = one_time()
    stored = hashed(password)
    with services().database.writing() as db:
        accounts.set_password(db, account.id, stored, must_change=True)
        accounts.end_logins(db, account.id, "reset")
        guard.reopen(db, account.username)
        note(db, "password.reset", account.id, account.organisation)
    return password_page(account.name, account.username, password, back)


def password_page(name: str, username: str, password: str, back: str) -> str:
    """A first password, shown this once."""
    return render_template("first_password.html", name=name, username=username, password=password, back=back)


def note(db: Session, action: str, account: UUID, organisation: UUID | None, detail: object = None) -> None:
    """A line of the audit log about an account."""
    audit.record(
        db,
        action,
        f"account:{account}",
        account=actor().id,
        organisation=organisation,
        detail=detail if isinstance(detail, dict) else None,
    )


def _mine(account: UUID) -> Account:
    with services().database.reading() as db:
        try:
            return accounts.account_of(db, organisation(), account)
        except NoSuchAccount:
            abort(404)


def _new_page(form: AccountForm) -> str:
    return render_template("account.html", form=form, account=None, roles=ROLES_TO_GIVE, closed=False)


def _edit_page(account: Account, form: AccountForm) -> str:
    with services().database.reading() as db:
        closed = bool(guard.closed_names(db, [account.username]))
    return render_template("account.html", form=form, account=account, roles=ROLES_TO_GIVE, closed=closed)
