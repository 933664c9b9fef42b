"""The addresses phones use: the log-in, drafts, changes, new visits, and the rules of a place."""

from __future__ import annotations

import datetime as dt
import gzip
from functools import lru_cache
from types import SimpleNamespace
from typing import cast
from uuid import UUID

from flask import Blueprint, Response, abort, jsonify, make_response, request
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from webapp.access import ASSESSOR, EVERY_ROLE, MEMBERS, actor, allow, organisation
from webapp.api import changes
from webapp.api.answers import BAD_BODY, Refused, body_of, fault, once, refusal
from webapp.api.bodies import Changes, NewVisit
from webapp.api.definitions import KINDS, addresses, definition
from webapp.app import services
from webapp.delivery import FOREVER, RECHECK
from webapp.i18n import HANT
from webapp.people.consents import write_down
from webapp.people.form import read_person
from webapp.people.routes import OtherName, known_person, place_choices
from webapp.storage import Visit, audit, people, visits
from webapp.storage.consents import SELF
from webapp.storage.operations import Answer
from webapp.visits.blueprint import open_visit
from webapp.visits.casework import PERSON_PAGE, sheets
from webapp.visits.instruments import offered

blueprint = Blueprint("api", __name__, url_prefix="/api")

NOT_YOURS = {
    "zh": "这是同事的草稿，只能看，不能改",
    "en": "This is a colleague's draft: you may read it, not change it",
}
LOCKED = {"zh": "记录已完成并锁定，不能再改", "en": "The record is finished and locked"}
NOT_OFFERED = {"zh": "这一天、这个地区没有这个量表", "en": "There is no such instrument there on that day"}
OTHER_NAME = {
    "zh": "该号码已登记在另一个姓名（{name}）名下，请核对号码和姓名",
    "en": "This number is on record under another name ({name}): check number and name",
}
ONE_DAY = dt.timedelta(days=1)

blueprint.register_error_handler(Refused, refusal)


@blueprint.get("/session")
@allow(*EVERY_ROLE)
def session() -> Response:
    """Who is logged in, a fresh token against forged posts, and what time it is here."""
    who, known = actor(), services()
    today = known.settings.today()
    place = who.place or known.settings.place
    found = {
        "account": str(who.id),
        "name": who.name,
        "assessor": who.role == ASSESSOR,
        "csrf": generate_csrf(),
        "now": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        "today": today.isoformat(),
        "place": place,
        "files": addresses(known.rules, known.rules.place(place).id, today) if place else None,
    }
    return jsonify(found)


@blueprint.get("/visits/<uuid:visit>")
@allow(*MEMBERS)
def draft(visit: UUID) -> Response:
    """A visit as a phone keeps it: nothing that names the person, but the first sign of the name."""
    return jsonify(_draft(open_visit(visit)))


@blueprint.post("/visits/<uuid:visit>/changes")
@allow(ASSESSOR)
def change(visit: UUID) -> Response:
    """Changed answers, facts and settings of a draft, merged with what others changed meanwhile."""
    body = body_of(Changes)
    database = services().database

    def work(db: Session) -> Answer:
        found = visits.get_visit(db, database.cipher, visit, organisation=organisation())
        if not found.may_edit(actor().id):
            raise Refused(403, "not_yours", NOT_YOURS)
        if found.done:
            raise Refused(409, "locked", LOCKED)
        return Answer(200, changes.apply(db, found, body))

    return once(body.op, work)


@blueprint.post("/visits")
@allow(ASSESSOR)
def create() -> Response:
    """A visit begun on a phone without a network; the phone has named it already."""
    body = body_of(NewVisit)
    known = services()
    database, today = known.database, known.settings.today()
    fields = body.model_dump(include={"name", "citizen_id", "birth_date", "sex", "place", "visited_on"})
    # A phone whose clock is fast may be in tomorrow already; the visit was made today all the same.
    if fields["visited_on"] == (today + ONE_DAY).isoformat():
        fields["visited_on"] = today.isoformat()
    form = read_person(fields, place_choices(known.rules), today)
    person = form.person
    if person is None:
        faults = [fault([name], None, {"zh": say, "en": say}) for name, say in form.errors.items()]
        raise Refused(422, "invalid", BAD_BODY, faults=faults)
    alone = SimpleNamespace(place=person.place, visited_on=person.visited_on, assessments=())
    there = {i.id for i in offered(known.rules, cast(Visit, alone))}
    unknown = [id for id in body.instruments if id not in there]
    if unknown:
        raise Refused(422, "invalid", BAD_BODY, faults=[fault(["instruments"], id, NOT_OFFERED) for id in unknown])

    def work(db: Session) -> Answer:
        if not visits.visit_exists(db, organisation(), body.visit):
            try:
                who = known_person(form, db)
            except OtherName as error:
                say = {language: text.format(name=error.shown) for language, text in OTHER_NAME.items()}
                raise Refused(422, "other_name", say, faults=[fault(["citizen_id"], None, say)]) from None
            who = who or people.add_person(
                db,
                database.cipher,
                organisation=organisation(),
                name=person.name,
                citizen_id=person.citizen_id,
                birth_date=person.birth_date,
                sex=person.sex,
            )
            visits.add_visit(
                db,
                id=body.visit,
                organisation=organisation(),
                assessor=actor().id,
                person=who,
                place=person.place,
                visited_on=person.visited_on,
                instruments=list(dict.fromkeys(body.instruments)),
                from_paper=body.from_paper,
            )
            if body.consents is not None:
                said = body.consents
                name = "" if said.by == SELF else " ".join(said.by_name.split())
                write_down(db, who, body.visit, said.given, said.by, name, said.wording)
            audit.record(
                db,
                "visit.begun_offline",
                f"visit:{body.visit}",
                account=actor().id,
                organisation=organisation(),
                detail={"from_paper": body.from_paper},
            )
        found = visits.get_visit(db, database.cipher, body.visit, organisation=organisation())
        if not found.may_edit(actor().id):
            raise Refused(403, "not_yours", NOT_YOURS)
        return Answer(201, _draft(found))

    return once(body.op, work)


@blueprint.get("/<any(rules, form):kind>/<place>/<day>")
@allow(*MEMBERS)
def definitions(kind: str, place: str, day: str) -> Response:
    """What a phone grades by, and what it draws questions from. An address with the right ``v`` never changes."""
    book = services().rules
    try:
        on = dt.date.fromisoformat(day)
    except ValueError:
        abort(404)
    more = tuple(id for id in request.args.get("with", "").split(",") if id)
    if kind not in KINDS or place not in book.places or any(id not in book.instruments for id in more):
        abort(404)
    hant = request.args.get("lang") == HANT
    content, version = definition(book, kind, place, on, tuple(sorted(set(more))), hant)
    zipped = request.accept_encodings.quality("gzip") > 0
    response = make_response(_packed(content) if zipped else content)
    response.mimetype = "application/json"
    if zipped:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == version else RECHECK
    response.set_etag(f"{version}-gzip" if zipped else version)
    made: Response = response.make_conditional(request)
    return made


@lru_cache(maxsize=32)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _draft(visit: Visit) -> dict[str, object]:
    book, who = services().rules, visit.person
    hidden = PERSON_PAGE | {name for name, fact in book.facts.items() if fact.personal}
    return {
        "visit": str(visit.id),
        "number": visit.number,
        "version": visit.version,
        "status": visit.status,
        "editable": visit.may_edit(actor().id) and not visit.done,
        "place": visit.place,
        "visited_on": visit.visited_on.isoformat(),
        "from_paper": visit.from_paper,
        "person": {
            "name": who.name[:1] + "*" * (len(who.name) - 1),
            "birth_date": who.birth_date.isoformat(),
            "sex": who.sex,
        },
        "assessments": [
            {
                "instrument": a.instrument,
                "answers": dict(a.answers),
                "settings": dict(a.settings),
                "remarks": dict(a.remarks),
            }
            for a in visit.assessments
        ],
        "facts": {name: value for name, value in visit.facts.items() if name not in hidden},
        "sheets": [changes.sheet_json(s) for s in sheets(book, visit)],
        "files": addresses(book, visit.place, visit.visited_on, tuple(a.instrument for a in visit.assessments)),
    }
