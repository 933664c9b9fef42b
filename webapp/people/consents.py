"""The consent page: what was read out, who answered, yes or no to each; and taking a consent back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, actor, allow, organisation
from webapp.app import services
from webapp.display import changing
from webapp.people.blueprint import blueprint
from webapp.people.wordings import CURRENT, WORDINGS, wording
from webapp.storage import Visit, audit, consents, visits
from webapp.storage.consents import GIVERS, KINDS, SELF, Consent
from webapp.visits.blueprint import open_draft, open_visit, writing
from webapp.visits.leaving import leave

NAME_LIMIT = 60
TITLES = {
    "assessment": _l("The assessment itself"),
    "insurer": _l("Passing the result on to the insurer"),
    "photo": _l("Photographs"),
    "position": _l("The position"),
}
GIVER_WORDS = {
    "self": _l("the person herself or himself"),
    "guardian": _l("a guardian"),
    "relative": _l("a relative"),
}


@blueprint.get("/visits/<uuid:visit>/consents")
@allow(ASSESSOR)
def consent_page(visit: UUID) -> str:
    """What was consented to, and the questions."""
    found = open_visit(visit)
    return _page(found if found.done else open_draft(visit), {})


@blueprint.post("/visits/<uuid:visit>/consents")
@allow(ASSESSOR)
def save_consents(visit: UUID) -> Response | tuple[str, int]:
    """Write down what was answered; an answer left open stays open."""
    found = open_draft(visit)
    given = {kind: request.form.get(f"consent.{kind}", "") for kind in KINDS}
    given = {kind: answer for kind, answer in given.items() if answer in ("yes", "no")}
    by = request.form.get("by", "")
    name = " ".join(request.form.get("by_name", "").split())
    errors: dict[str, str] = {}
    if given and by not in GIVERS:
        errors["by"] = _("Say who answered")
    if given and by in GIVERS and by != SELF and not name:
        errors["by_name"] = _("Enter the name of whoever answered")
    if len(name) > NAME_LIMIT:
        errors["by_name"] = _("At most %(limit)s characters", limit=NAME_LIMIT)
    if errors and not changing():
        return _page(found, errors), 422
    if not errors:
        _save(found, given, by, "" if by == SELF else name)
    here = url_for("people.consent_page", visit=visit)
    return leave(url_for("visits.instruments", visit=visit), here, back=url_for("people.edit", visit=visit))


@blueprint.post("/visits/<uuid:visit>/consents/<uuid:consent>/withdraw")
@allow(ASSESSOR)
def withdraw(visit: UUID, consent: UUID) -> Response:
    """Take a consent back, at any time."""
    found = open_visit(visit)
    try:
        with writing() as db:
            kind = consents.withdraw(db, found.person.id, consent)
            audit.record(
                db,
                "consent.withdrawn",
                f"person:{found.person.id}",
                account=actor().id,
                organisation=organisation(),
                detail={"kind": kind},
            )
    except consents.NoSuchConsent:
        abort(404)
    return redirect(url_for("people.consent_page", visit=visit), 303)


def _save(visit: Visit, given: dict[str, str], by: str, name: str) -> None:
    with writing() as db:
        person = visits.get_visit(db, services().database.cipher, visit.id, organisation=organisation()).person.id
        write_down(db, person, visit.id, {kind: answer == "yes" for kind, answer in given.items()}, by, name, CURRENT)


def write_down(
    db: Session, person: UUID, visit: UUID, given: Mapping[str, bool], by: str, name: str, wording: str
) -> None:
    """Keep what was answered at a visit, and note it; the same answer given twice is kept once.

    Args:
        db: a writing session.
        person: whom it is about.
        visit: where it was asked.
        given: kind of consent -> agreed or not.
        by: who answered: self, guardian or relative.
        name: their name; empty when the person answered.
        wording: the version of the text that was read out.
    """
    cipher = services().database.cipher
    last = consents.current(consents.consents_of(db, cipher, person))
    for kind, answer in given.items():
        if _same(last.get(kind), visit, (answer, by, name, wording)):
            continue
        consents.add_consent(
            db,
            cipher,
            person=person,
            visit=visit,
            kind=kind,
            given=answer,
            by=by,
            by_name=name,
            wording=wording,
            account=actor().id,
        )
        audit.record(
            db,
            "consent.given" if answer else "consent.refused",
            f"person:{person}",
            account=actor().id,
            organisation=organisation(),
            detail={"kind": kind, "by": by, "wording": wording},
        )


def _same(last: Consent | None, visit: UUID, said: tuple[bool, str, str, str]) -> bool:
    """The same answer as the one on record from this very visit."""
    if last is None or last.visit != visit or last.withdrawn_at is not None:
        return False
    return (last.given, last.by, last.by_name, last.wording) == said


def consent_questions() -> list[tuple[str, Any, Mapping[str, str]]]:
    """Each kind of consent with its title and the text to read out now."""
    return [(kind, TITLES[kind], WORDINGS[CURRENT][kind]) for kind in KINDS]


def _page(visit: Visit, errors: dict[str, str]) -> str:
    database = services().database
    with database.reading() as db:
        found = consents.consents_of(db, database.cipher, visit.person.id)
    last = consents.current(found)
    here = [c for c in last.values() if c.visit == visit.id]
    typed = {
        "by": request.form.get("by", here[0].by if here else ""),
        "by_name": request.form.get("by_name", next((c.by_name for c in here if c.by_name), "")),
        **{kind: request.form.get(f"consent.{kind}", _shown(last.get(kind), visit.id)) for kind in KINDS},
    }
    return render_template(
        "consents.html",
        visit=visit,
        kinds=[(kind, title, text, last.get(kind)) for kind, title, text in consent_questions()],
        givers=GIVER_WORDS,
        titles=TITLES,
        typed=typed,
        errors=errors,
        history=found,
        wording=wording,
    )


def _shown(last: Consent | None, visit: UUID) -> str:
    """An answer of this visit stands in its field; one of an earlier visit does not: it is asked again."""
    if last is None or last.visit != visit or last.withdrawn_at is not None:
        return ""
    return "yes" if last.given else "no"
