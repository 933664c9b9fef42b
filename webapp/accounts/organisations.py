"""Organisations and their administrators, for the administrator of the whole system, who sees no records."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import SYSTEM_ADMIN, actor, allow
from webapp.accounts.forms import AccountForm, fault_of_name, one_line, read_account
from webapp.accounts.staff import new_account, password_page, reset_password
from webapp.app import services
from webapp.display import changing
from webapp.people.routes import place_choices
from webapp.storage import accounts, audit, organisations
from webapp.storage.accounts import ORG_ADMIN, Account, NoSuchAccount
from webapp.storage.organisations import NoSuchOrganisation, Organisation

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/organisations")
@allow(SYSTEM_ADMIN)
def list_page() -> str:
    """All organisations, and a field for one more."""
    return _list({}, {})


@blueprint.post("/organisations")
@allow(SYSTEM_ADMIN)
def add() -> Response | tuple[str, int]:
    """A new organisation; its page asks for an administrator next."""
    typed = {"name": one_line(request.form.get("name", "")), "place": request.form.get("place", "")}
    if changing():
        return _list(typed, {}), 200
    errors = _faults(typed)
    if errors:
        return _list(typed, errors), 422
    with services().database.writing() as db:
        if organisations.organisation_named(db, typed["name"]) is None:
            id = accounts.add_organisation(db, name=typed["name"], place=typed["place"] or None)
            audit.record(db, "organisation.added", f"organisation:{id}", account=actor().id, organisation=id)
        else:
            errors["name"] = _("There is an organisation of this name already.")
    if errors:
        return _list(typed, errors), 422
    return redirect(url_for("organisations.edit", organisation=id), 303)


@blueprint.get("/organisations/<uuid:organisation>")
@allow(SYSTEM_ADMIN)
def edit(organisation: UUID) -> str:
    """The page of an organisation."""
    return _page(_found(organisation), None, {}, _empty())


@blueprint.post("/organisations/<uuid:organisation>")
@allow(SYSTEM_ADMIN)
def change(organisation: UUID) -> Response | tuple[str, int]:
    """Take its name, its place, and whether it is open."""
    found = _found(organisation)
    typed = {"name": one_line(request.form.get("name", "")), "place": request.form.get("place", "")}
    if changing():
        return _page(found, typed, {}, _empty()), 200
    active = request.form.get("active") == "yes"
    errors = _faults(typed)
    if not errors:
        with services().database.writing() as db:
            other = organisations.organisation_named(db, typed["name"])
            if other is not None and other.id != organisation:
                errors["name"] = _("There is an organisation of this name already.")
            else:
                changed = organisations.change_organisation(
                    db, organisation, name=typed["name"], place=typed["place"] or None, active=active
                )
                audit.record(
                    db,
                    "organisation.changed",
                    f"organisation:{organisation}",
                    account=actor().id,
                    organisation=organisation,
                    detail={"fields": changed, "active": active},
                )
    if errors:
        return _page(found, typed, errors, _empty()), 422
    flash(_("Saved."))
    return redirect(url_for("organisations.list_page"), 303)


@blueprint.post("/organisations/<uuid:organisation>/admins")
@allow(SYSTEM_ADMIN)
def add_admin(organisation: UUID) -> str | tuple[str, int]:
    """An administrator for the organisation, with a first password that is shown once."""
    found = _found(organisation)
    form = read_account({**request.form, "role": ORG_ADMIN}, new=True)
    if changing():
        form.errors = {}
        return _page(found, None, {}, form)
    password = None if form.errors else new_account(form, organisation)
    if password is None:
        return _page(found, None, {}, form), 422
    back = url_for("organisations.edit", organisation=organisation)
    return password_page(form.typed["name"], form.typed["username"], password, back)


@blueprint.post("/organisations/<uuid:organisation>/admins/<uuid:account>/password")
@allow(SYSTEM_ADMIN)
def reset(organisation: UUID, account: UUID) -> str:
    """A new first password for an administrator who lost theirs."""
    with services().database.reading() as db:
        try:
            found = accounts.account_of(db, organisation, account)
        except NoSuchAccount:
            abort(404)
    if found.role != ORG_ADMIN:
        abort(404)
    return reset_password(found, url_for("organisations.edit", organisation=organisation))


def _found(id: UUID) -> Organisation:
    with services().database.reading() as db:
        try:
            return organisations.get_organisation(db, id)
        except NoSuchOrganisation:
            abort(404)


def _faults(typed: dict[str, str]) -> dict[str, str]:
    errors = {}
    fault = fault_of_name(typed["name"])
    if fault:
        errors["name"] = fault
    if typed["place"] and typed["place"] not in services().rules.places:
        errors["place"] = _("Choose the place")
    return errors


def _empty() -> AccountForm:
    return AccountForm({"username": "", "name": "", "role": ORG_ADMIN, "certificate": ""})


def _admins(organisation: UUID) -> list[Account]:
    with services().database.reading() as db:
        return [a for a in accounts.list_accounts(db, organisation) if a.role == ORG_ADMIN]


def _list(typed: dict[str, str], errors: dict[str, str]) -> str:
    with services().database.reading() as db:
        found = organisations.list_organisations(db)
    places = place_choices(services().rules)
    return render_template("organisations.html", organisations=found, typed=typed, errors=errors, places=places)


def _page(found: Organisation, typed: dict[str, str] | None, errors: dict[str, str], form: AccountForm) -> str:
    return render_template(
        "organisation.html",
        organisation=found,
        typed=typed or {"name": found.name, "place": found.place or ""},
        errors=errors,
        form=form,
        # Two fields of the page are names: the organisation's and the administrator's.
        admin_errors={"admin-name" if name == "name" else name: words for name, words in form.errors.items()},
        admins=_admins(found.id),
        places=place_choices(services().rules),
    )
