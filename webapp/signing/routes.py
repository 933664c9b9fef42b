"""The signing page: the whole record, who has signed, and one's own signature. The second signature finishes the visit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, actor, allow, organisation
from webapp.accounts.proving import prove, wait_of
from webapp.app import services
from webapp.report.pictures import signature_paths
from webapp.report.view import grade_view
from webapp.signing import acts
from webapp.signing.content import content_hash
from webapp.signing.drawing import NoSignature, read_strokes, same_name
from webapp.storage import Visit, VisitLocked, reviews, signatures, visits
from webapp.visits.blueprint import open_draft, open_visit, writing
from webapp.visits.casework import sheets
from webapp.visits.reasons import VOIDED
from webapp.visits.telling import facts_told, told

blueprint = Blueprint("signing", __name__)
PASSWORD_LIMIT, NAME_LIMIT, STROKES_LIMIT = 200, 80, 200_000

WORDS = {
    "outdated": _l("The record was changed after this page was opened. Read it once more, then sign."),
    "not_submitted": _l("The record was changed and is a draft again. It must be submitted for signing once more."),
    "twice": _l("You have already signed. The other signature must come from a colleague's own account."),
    "open": _l("Something is still open. See the check page."),
    "consent": _l("The person did not consent to the assessment, or took the consent back. It cannot be signed."),
    "main": _l("You are the main assessor. The second signature must come from a colleague's own account."),
    "taken": _l("Another colleague is already the second assessor."),
    "done": _l("The record is finished."),
    "disputed": _l(
        "You made the assessment that is disputed here. Colleagues who were not part of it must do this one."
    ),
    "empty": _l("There is no signature yet: write in the field, or type your name."),
    "dot": _l("That is too little for a signature: please write the whole name."),
    "format": _l("The signature could not be read. Clear the field and sign once more."),
    "long": _l("The signature has too many lines. Clear the field and sign once more."),
    "name": _l("Type your own name exactly as it stands on your account."),
    "informant": _l("Enter the informant's name"),
    "password": _l("The password is wrong. Your signature is still in the field."),
    "locked": _l("Too many wrong passwords. Wait a little, then try again."),
}
STATUS = {"disputed": 403, "open": 422, "consent": 422}


@blueprint.post("/visits/<uuid:visit>/submit")
@allow(ASSESSOR)
def submit(visit: UUID) -> Response | tuple[str, int]:
    """A complete draft waits for signatures from now on."""
    open_draft(visit)
    known = services()
    try:
        with writing() as db:
            acts.submit(db, known.database, known.rules, visit)
    except acts.Refused as refused:
        return _page(open_draft(visit), refused.why), STATUS.get(refused.why, 409)
    return redirect(url_for("signing.page", visit=visit), 303)


@blueprint.get("/visits/<uuid:visit>/sign")
@allow(ASSESSOR)
def page(visit: UUID) -> Response | str:
    """The whole record, who has signed, and the field for one's own signature."""
    found = open_visit(visit)
    if found.done:
        return redirect(url_for("report.result", visit=visit), 303)
    return _page(found)


@blueprint.post("/visits/<uuid:visit>/sign")
@allow(ASSESSOR)
def sign(visit: UUID) -> Response | tuple[str, int]:
    """Sign what the page showed. The password is asked again: a phone left lying must not sign."""
    found = open_visit(visit)
    if found.done:
        raise VisitLocked(visit)
    who = actor()
    try:
        method, drawing = _signature(who.name)
    except NoSignature as fault:
        return _page(found, fault.why, at="sign"), 422
    if not prove(who, request.form.get("password", "")[:PASSWORD_LIMIT]):
        return _page(found, "locked" if wait_of(who) else "password", at="sign"), 422
    known = services()
    try:
        with writing() as db:
            visits.get_visit(db, known.database.cipher, visit, organisation=organisation())
            finished = acts.sign(
                db,
                known.database,
                known.rules,
                visit,
                account=who.id,
                name=who.name,
                certificate=who.certificate,
                method=method,
                drawing=drawing,
                content=request.form.get("content", ""),
            )
    except acts.Refused as refused:
        return _page(open_visit(visit), refused.why), STATUS.get(refused.why, 409)
    if finished:
        return redirect(url_for("report.result", visit=visit), 303)
    return redirect(url_for("signing.page", visit=visit), 303)


@blueprint.post("/visits/<uuid:visit>/sign/informant")
@allow(ASSESSOR)
def informant(visit: UUID) -> Response | tuple[str, int]:
    """Whoever gave the information signs, too, if they wish."""
    found = open_draft(visit)
    name = " ".join(request.form.get("name", "").split())
    try:
        if not name or len(name) > NAME_LIMIT:
            raise NoSignature("informant")
        method, drawing = _signature(name)
    except NoSignature as fault:
        return _page(found, fault.why, at="informant"), 422
    known = services()
    try:
        with writing() as db:
            acts.sign_informant(
                db,
                known.database,
                known.rules,
                visit,
                account=actor().id,
                name=name,
                method=method,
                drawing=drawing,
                content=request.form.get("content", ""),
            )
    except acts.Refused as refused:
        return _page(open_visit(visit), refused.why), STATUS.get(refused.why, 409)
    return redirect(url_for("signing.page", visit=visit), 303)


@blueprint.post("/visits/<uuid:visit>/join")
@allow(ASSESSOR)
def join(visit: UUID) -> Response | tuple[str, int]:
    """Become the second assessor of a colleague's visit."""
    known = services()
    try:
        with writing() as db:
            visits.get_visit(db, known.database.cipher, visit, organisation=organisation())
            acts.join(db, known.database, visit, actor().id)
    except acts.Refused as refused:
        return _page(open_visit(visit), refused.why), STATUS.get(refused.why, 409)
    return redirect(url_for("signing.page", visit=visit), 303)


@blueprint.post("/visits/<uuid:visit>/reopen")
@allow(ASSESSOR)
def reopen(visit: UUID) -> Response:
    """Take the record back for editing; what was signed is void."""
    found = open_draft(visit)
    if found.to_sign:
        with writing() as db:
            voided = visits.reopen_visit(db, visit, "reopened")
            acts.note(db, found, "visit.reopened", {"voided": voided})
    return redirect(url_for("visits.check", visit=visit), 303)


def _signature(name: str) -> tuple[str, dict[str, Any]]:
    """Method and drawing as posted: lines win over a typed name, because drawing takes more intent."""
    strokes = request.form.get("strokes", "")
    typed = request.form.get("typed", "")
    if len(strokes) > STROKES_LIMIT:
        raise NoSignature("long")
    if strokes not in ("", "[]"):
        return signatures.DRAWN, {"strokes": read_strokes(strokes)}
    if not typed.strip():
        raise NoSignature("empty")
    if not same_name(typed, name):
        raise NoSignature("name")
    return signatures.TYPED, {"text": " ".join(typed.split())}


def _page(visit: Visit, why: str | None = None, at: str = "") -> str:
    if visit.done:
        abort(409)
    known = services()
    book, database = known.rules, known.database
    who = actor()
    parts = sheets(book, visit)
    with database.reading() as db:
        signed = signatures.signatures_of(db, database.cipher, visit.id)
        joining = acts.may_join(visit, who.id, acts.disputed(db, database, visit))
        names = reviews.names_of(db, visit.organisation)
    standing = {s.role: s for s in signed if s.standing}
    mine = next((s for s in standing.values() if s.account == who.id), None)
    error = WORDS.get(why) if why else None
    # After a refusal because of changed content the reader must look again: nothing typed is kept.
    return render_template(
        "sign.html",
        visit=visit,
        parts=[(part, grade_view(book, part.instrument.id, part.result)) for part in parts],
        written=told(book, visit),
        facts=facts_told(book, visit),
        signed=signed,
        standing=standing,
        voided=[s for s in signed if not s.standing],
        mine=mine,
        may_sign=visit.to_sign and mine is None and (who.id == visit.assessor or joining is None),
        may_join=joining is None and visit.second is None,
        involved=visit.may_edit(who.id),
        why_not=WORDS[joining] if joining in ("disputed", "taken") else None,
        names=names,
        paths=signature_paths,
        voided_words=VOIDED,
        content=content_hash(book, visit, parts) if visit.to_sign else "",
        error=error,
        at=at,
        strokes=request.form.get("strokes", "")[:STROKES_LIMIT] if at else "",
        typed=request.form.get("typed", "")[:NAME_LIMIT] if at else "",
        informant_name=request.form.get("name", "")[:NAME_LIMIT] if at else str(visit.facts.get("informant_name", "")),
    )
