"""The person page: who, where and when. It starts a visit, or corrects a draft."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from flask import abort, jsonify, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, actor, allow, organisation
from webapp.app import services
from webapp.display import changing
from webapp.i18n import day as day_words
from webapp.people import consents as consent_pages
from webapp.people.blueprint import blueprint
from webapp.people.citizen_id import BadCitizenId, age_on, masked, read_citizen_id
from webapp.people.form import Person, PersonForm, citizen_id_message, read_person
from webapp.storage import Visit, audit, consents, people, visits
from webapp.visits.blueprint import open_draft, writing
from webapp.visits.leaving import leave
from yyassess import Rulebook


class OtherName(ValueError):
    """The number is on record under another name; ``shown`` is that name, mostly hidden."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        super().__init__(shown)


def place_choices(book: Rulebook) -> dict[str, Any]:
    """Places in the order of nesting, each with its depth."""
    depth = {id: len(book.chain(id)) - 1 for id in book.places}
    order = sorted(book.places.values(), key=lambda p: [link.code for link in book.chain(p.id)])
    return {p.id: {"name": p.name, "depth": depth[p.id]} for p in order}


@blueprint.get("/visits/new")
@allow(ASSESSOR)
def new() -> str:
    """An empty person page."""
    known = services()
    start = actor().place or known.settings.place
    place = start and known.rules.place(start).id
    typed = {
        "name": "",
        "citizen_id": "",
        "birth_date": "",
        "sex": "",
        "place": place or session.get("place", ""),
        "visited_on": known.settings.today().isoformat(),
    }
    return _page(PersonForm(typed), visit=uuid4(), is_new=True)


@blueprint.post("/visits/new")
@allow(ASSESSOR)
def create() -> Response | tuple[str, int]:
    """Start a visit. The page carries the visit's id, so that a double tap starts one visit."""
    try:
        id = UUID(request.form.get("visit", ""))
    except ValueError:
        abort(400)
    known = services()
    form = read_person(request.form, place_choices(known.rules), known.settings.today())
    if "check" in request.form or form.person is None:
        return _again(form, visit=id, is_new=True)
    person = form.person
    database = known.database
    try:
        with writing() as db:
            if not visits.visit_exists(db, organisation(), id):
                who = known_person(form, db) or people.add_person(
                    db, database.cipher, organisation=organisation(), **_identity(person)
                )
                visits.add_visit(
                    db,
                    id=id,
                    organisation=organisation(),
                    assessor=actor().id,
                    person=who,
                    place=person.place,
                    visited_on=person.visited_on,
                    from_paper="from_paper" in request.form,
                )
                audit.record(db, "visit.started", f"visit:{id}", account=actor().id, organisation=organisation())
    except OtherName as error:
        return _other_name(form, error, id, is_new=True)
    session["place"] = person.place
    return leave(url_for("people.consent_page", visit=id), url_for("people.edit", visit=id))


@blueprint.get("/visits/<uuid:visit>/person")
@allow(ASSESSOR)
def edit(visit: UUID) -> str:
    """The person page of a draft."""
    found = open_draft(visit)
    who = found.person
    typed = {
        "name": who.name,
        # Masked here as everywhere; posted back unchanged, it means the number on record.
        "citizen_id": masked(who.citizen_id) if who.citizen_id else "",
        "birth_date": who.birth_date.isoformat(),
        "sex": who.sex,
        "place": found.place,
        "visited_on": found.visited_on.isoformat(),
    }
    return _page(PersonForm(typed), visit=visit, is_new=False, to_sign=found.to_sign)


@blueprint.post("/visits/<uuid:visit>/person")
@allow(ASSESSOR)
def change(visit: UUID) -> Response | tuple[str, int]:
    """Correct a draft's person, place or day."""
    found = open_draft(visit)
    known = services()
    on_record = found.person.citizen_id
    unchanged = on_record is not None and request.form.get("citizen_id", "").strip() == masked(on_record)
    posted = {**request.form, "citizen_id": on_record} if unchanged else request.form
    form = read_person(posted, place_choices(known.rules), known.settings.today())
    if unchanged:
        form.typed["citizen_id"] = masked(on_record)
    if "check" in request.form or form.person is None:
        return _again(form, visit=visit, is_new=False)
    person, database = form.person, known.database
    try:
        with writing() as db:
            who = known_person(form, db, found.person.id)
            if who is None or who == found.person.id:
                who = found.person.id
                if people.has_finished_visit(db, who) and _identity(person) != _stored_identity(found):
                    # A finished record rests on the old data: this draft gets a person of its own.
                    who = people.add_person(db, database.cipher, organisation=organisation(), **_identity(person))
                else:
                    people.change_person(db, database.cipher, who, **_identity(person))
            visits.change_visit(db, visit, person=who, place=person.place, visited_on=person.visited_on)
            if who != found.person.id:
                consents.move(db, visit, who)
                people.remove_if_unused(db, found.person.id)
    except OtherName as error:
        return _other_name(form, error, visit, is_new=False)
    return leave(url_for("people.consent_page", visit=visit), url_for("people.edit", visit=visit))


@blueprint.post("/people/check")
@allow(ASSESSOR)
def check() -> Response:
    """What an identity number says, for the page's script. Posted, so that no log ever holds the number."""
    today = services().settings.today()
    try:
        on = min(dt.date.fromisoformat(request.form.get("visited_on", "")), today)
    except ValueError:
        on = today
    try:
        read = read_citizen_id(request.form.get("citizen_id", "")[:100], on)
    except BadCitizenId as error:
        return jsonify({"ok": False, "say": citizen_id_message(error.fault)})
    return jsonify(
        {
            "ok": True,
            "birth_date": read.birth_date.isoformat(),
            "sex": read.sex,
            "say": reading(read.birth_date, read.sex, on),
        }
    )


def reading(birth: dt.date, sex: str, on: dt.date) -> str:
    """A number's content in words, to compare with the person in front of you."""
    words = {"male": _("male"), "female": _("female")}[sex]
    return _("Born %(day)s, %(sex)s, aged %(age)s", day=day_words(birth), sex=words, age=age_on(birth, on))


def _again(form: PersonForm, *, visit: UUID, is_new: bool) -> tuple[str, int]:
    """The page as it was typed. Fields not reached yet are no mistakes where nobody said the page is complete."""
    if changing():
        form.errors = {}
    elif "check" in request.form:
        form.errors = {field: say for field, say in form.errors.items() if field == "citizen_id"}
    return _page(form, visit=visit, is_new=is_new), 422 if form.errors else 200


def _page(form: PersonForm, *, visit: UUID, is_new: bool, to_sign: bool = False) -> str:
    known = services()
    said = reading(form.citizen.birth_date, form.citizen.sex, known.settings.today()) if form.citizen else None
    return render_template(
        "person.html",
        form=form,
        visit=visit,
        is_new=is_new,
        to_sign=to_sign,
        said=said,
        places=place_choices(known.rules),
        today=known.settings.today(),
    )


def known_person(form: PersonForm, db: Any, own: UUID | None = None) -> UUID | None:
    """The person already on record with that number; ``own`` is the draft's person, whose name may be corrected.

    Raises:
        OtherName: the number is on record under another name.
    """
    if form.citizen is None or form.person is None:
        return None
    known = people.find_by_citizen_id(db, services().database.cipher, organisation(), form.citizen.number)
    if known is None or known.id == own:
        return own
    if "".join(known.name.split()) != "".join(form.person.name.split()):
        raise OtherName(known.name[:1] + "*" * (len(known.name) - 1))
    return known.id


def _other_name(form: PersonForm, error: OtherName, visit: UUID, *, is_new: bool) -> tuple[str, int]:
    form.errors["citizen_id"] = _(
        "This number is already on record under another name (%(name)s). Check number and name.", name=error.shown
    )
    return _page(form, visit=visit, is_new=is_new), 422


def _identity(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "citizen_id": person.citizen_id,
        "birth_date": person.birth_date,
        "sex": person.sex,
    }


def _stored_identity(visit: Visit) -> dict[str, Any]:
    who = visit.person
    return {"name": who.name, "citizen_id": who.citizen_id, "birth_date": who.birth_date, "sex": who.sex}


__all__ = ["blueprint", "consent_pages"]
