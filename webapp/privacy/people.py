"""What one person may ask for: to see all that is stored about them, or to have it erased."""

from __future__ import annotations

import json
from uuid import UUID

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webapp.access import ORG_ADMIN, actor, allow, organisation
from webapp.app import services
from webapp.privacy import reasons
from webapp.privacy.blueprint import ask_password, blueprint, chosen_reason
from webapp.storage import Person, audit, subjects
from webapp.storage.subjects import NoSuchPerson

LIMIT, WORDS_LIMIT = 20, 80


@blueprint.get("/people")
@allow(ORG_ADMIN)
def people_page() -> str:
    """Asks whose data it is about."""
    return render_template("people.html", words="", people=None)


@blueprint.post("/people")
@allow(ORG_ADMIN)
def find_people() -> str:
    """Those of that name or number. Posted, so that neither ends up in an address."""
    words = request.form.get("words", "").strip()[:WORDS_LIMIT]
    database = services().database
    with database.reading() as db:
        found = subjects.find_people(db, database.cipher, organisation(), words, limit=LIMIT) if words else []
    return render_template("people.html", words=words, people=found)


@blueprint.get("/people/<uuid:person>")
@allow(ORG_ADMIN)
def person_page(person: UUID) -> str:
    """What is there about a person, and what can be done with it."""
    return _page(_mine(person), {})


@blueprint.post("/people/<uuid:person>/data")
@allow(ORG_ADMIN)
def hand_out(person: UUID) -> Response | tuple[str, int]:
    """All that is stored about a person, as a file for them."""
    found = _mine(person)
    errors: dict[str, str] = {}
    reason = chosen_reason(reasons.ACCESS, errors)
    ask_password(errors)
    if errors:
        return _page(found, errors, about="data"), 422
    database = services().database
    with database.writing() as db:
        content = subjects.everything_about(db, database.cipher, organisation(), person)
        audit.record(
            db,
            "person.handed_out",
            f"person:{person}",
            account=actor().id,
            organisation=organisation(),
            detail={"reason": reason},
        )
    response = Response(
        json.dumps(content, ensure_ascii=False, indent=1), content_type="application/json; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="yyassess-person.json"'
    return response


@blueprint.post("/people/<uuid:person>/erase")
@allow(ORG_ADMIN)
def erase(person: UUID) -> AnyResponse | tuple[str, int]:
    """Deletes a person with all visits."""
    found = _mine(person)
    errors: dict[str, str] = {}
    reason = chosen_reason(reasons.ERASE, errors)
    if request.form.get("sure") != "yes":
        errors["sure"] = _("Confirm that all of it shall be erased")
    ask_password(errors)
    if errors:
        return _page(found, errors, about="erase"), 422
    with services().database.writing() as db:
        subjects.erase_person(db, organisation(), person, reason=reason, account=actor().id)
    flash(_("All that was stored about this person is erased."))
    return redirect(url_for("privacy.people_page"), 303)


def _mine(person: UUID) -> Person:
    database = services().database
    with database.reading() as db:
        try:
            return subjects.get_person(db, database.cipher, organisation(), person)
        except NoSuchPerson:
            abort(404)


def _page(person: Person, errors: dict[str, str], about: str = "") -> str:
    with services().database.reading() as db:
        visits = subjects.visit_lines(db, person.id)
    return render_template(
        "person_data.html",
        person=person,
        visits=visits,
        errors=errors,
        about=about,
        anchored={f"{about}-{name}": words for name, words in errors.items()},
        access=reasons.ACCESS,
        erase=reasons.ERASE,
    )
