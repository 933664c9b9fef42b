"""The review desk: finished visits that wait, one record with approve or return, and whose draft is whose."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, MEMBERS, ORG_ADMIN, REVIEWER, actor, allow, organisation
from webapp.app import services
from webapp.report.pictures import signature_paths
from webapp.report.view import grade_view
from webapp.signing import acts
from webapp.storage import Visit, VisitLocked, audit, consents, reviews, signatures, visits
from webapp.storage.reviews import Filters
from webapp.visits.blueprint import open_visit, writing
from webapp.visits.casework import sheets
from webapp.visits.questions import TEXT_LIMIT
from webapp.visits.reasons import VOIDED
from webapp.visits.telling import facts_told, told

blueprint = Blueprint("review", __name__)
PAGE_SIZE = 20
STATES = ("waiting", "returned", "approved")


@blueprint.get("/review")
@allow(REVIEWER)
def desk() -> str:
    """What waits for a review, narrowed by place, grade, assessor and week."""
    known = services()
    page = max(request.args.get("page", 1, type=int), 1)
    filters, typed = _filters()
    with known.database.reading() as db:
        found = reviews.queue(
            db, known.database.cipher, organisation(), filters, limit=PAGE_SIZE + 1, skip=PAGE_SIZE * (page - 1)
        )
        names = reviews.names_of(db, organisation())
        assessors = reviews.assessors_of(db, organisation())
    return render_template(
        "desk.html",
        found=[(v, _grades(v)) for v in found[:PAGE_SIZE]],
        names=names,
        assessors=assessors,
        places=known.rules.places,
        levels=sorted({level.level for i in known.rules.instruments.values() if i.grade for level in i.levels}),
        typed=typed,
        states=STATES,
        page=page,
        more=len(found) > PAGE_SIZE,
    )


@blueprint.get("/review/<uuid:visit>")
@allow(REVIEWER)
def record(visit: UUID) -> str:
    """One record, whole, with its signatures and what was said about it."""
    return _record_page(open_visit(visit))


@blueprint.post("/review/<uuid:visit>")
@allow(REVIEWER)
def settle(visit: UUID) -> Response | tuple[str, int]:
    """Approve the record, or return it with a comment: it is a draft again then, and its signatures are void."""
    found = open_visit(visit)
    verdict = request.form.get("verdict", "")
    comment = request.form.get("comment", "").replace("\r\n", "\n").strip()
    who = actor()
    error = None
    status = 422
    if verdict not in (reviews.APPROVED, reviews.RETURNED):
        error = _("Choose from the list")
    elif len(comment) > TEXT_LIMIT:
        error = _("The note is longer than %(limit)s characters", limit=TEXT_LIMIT)
    elif verdict == reviews.RETURNED and not comment:
        error = _("Say what has to be corrected")
    elif found.review != "waiting":
        error, status = _("This record does not wait for a review any more."), 409
    elif found.may_edit(who.id):
        error, status = _("You signed this record yourself: somebody else must review it."), 403
    if error is None and not _settled(found, verdict, comment):
        error, status = _("This record does not wait for a review any more."), 409
    if error is not None:
        return _record_page(open_visit(visit), error), status
    return redirect(url_for("review.desk"), 303)


def _settled(visit: Visit, verdict: str, comment: str) -> bool:
    database = services().database
    who = actor()
    try:
        with writing() as db:
            signed = [s for s in signatures.signatures_of(db, database.cipher, visit.id) if s.standing]
            visits.settle_review(db, visit.id, approved=verdict == reviews.APPROVED)
            content = signed[0].content_hash if signed else None
            reviews.add_review(
                db,
                database.cipher,
                visit=visit.id,
                account=who.id,
                verdict=verdict,
                comment=comment,
                content_hash=content,
            )
            acts.note(db, visit, f"review.{verdict}", {"content": content})
    except visits.NoSuchVisit:
        return False
    return True


@blueprint.get("/visits/<uuid:visit>/assessor")
@allow(*MEMBERS)
def hand_over(visit: UUID) -> str:
    """Give a draft to another assessor."""
    found = _movable(visit)
    return _hand_page(found)


@blueprint.post("/visits/<uuid:visit>/assessor")
@allow(*MEMBERS)
def give(visit: UUID) -> Response | tuple[str, int]:
    """The draft is another assessor's from now on; what was signed is void."""
    found = _movable(visit)
    known = services()
    who = actor()
    verdict = reviews.HANDED_OVER if who.role == ASSESSOR else reviews.REASSIGNED
    comment = request.form.get("comment", "").replace("\r\n", "\n").strip()
    try:
        to = UUID(request.form.get("to", ""))
    except ValueError:
        return _hand_page(found, _("Choose a colleague")), 422
    if len(comment) > TEXT_LIMIT:
        return _hand_page(found, _("The note is longer than %(limit)s characters", limit=TEXT_LIMIT)), 422
    with writing() as db:
        candidates = _candidates(db, found)
        if to in candidates:
            second = None if found.second == to else found.second
            visits.set_assessors(db, visit, main=to, second=second, reason=verdict)
            reviews.add_review(db, known.database.cipher, visit=visit, account=who.id, verdict=verdict, comment=comment)
            audit.record(
                db,
                f"visit.{verdict}",
                f"visit:{visit}",
                account=who.id,
                organisation=organisation(),
                detail={"from": str(found.assessor) if found.assessor else None, "to": str(to)},
            )
    if to not in candidates:
        return _hand_page(found, _("Choose a colleague")), 422
    return redirect(url_for("visits.records"), 303)


def _movable(visit: UUID) -> Visit:
    """A visit that is not done and that this person may give away: her own, or any for a reviewer or administrator."""
    found = open_visit(visit)
    who = actor()
    if who.role not in (REVIEWER, ORG_ADMIN) and found.assessor != who.id:
        abort(403)
    if found.done:
        raise VisitLocked(visit)
    return found


def _candidates(db: Any, visit: Visit) -> dict[UUID, str]:
    """Assessors who may take it; those who made a disputed assessment may not make it again."""
    known = services()
    before = acts.disputed(db, known.database, visit)
    barred = {visit.assessor, *((before.assessor, before.second) if before is not None else ())}
    return {id: name for id, name in reviews.assessors_of(db, visit.organisation).items() if id not in barred}


def _hand_page(visit: Visit, error: str | None = None) -> str:
    with services().database.reading() as db:
        candidates = _candidates(db, visit)
        names = reviews.names_of(db, visit.organisation)
    return render_template(
        "hand_over.html",
        visit=visit,
        candidates=candidates,
        names=names,
        own=visit.assessor == actor().id,
        typed={"to": request.form.get("to", ""), "comment": request.form.get("comment", "")},
        limit=TEXT_LIMIT,
        error=error,
    )


def _record_page(visit: Visit, error: str | None = None) -> str:
    known = services()
    database = known.database
    with database.reading() as db:
        signed = signatures.signatures_of(db, database.cipher, visit.id)
        names = reviews.names_of(db, visit.organisation)
        said = reviews.reviews_of(db, database.cipher, visit.id)
        agreed = consents.current(consents.consents_of(db, database.cipher, visit.person.id))
    return render_template(
        "review.html",
        visit=visit,
        grades=_grades(visit),
        written=told(known.rules, visit),
        facts=facts_told(known.rules, visit),
        signed=[s for s in signed if s.standing],
        voided=[s for s in signed if not s.standing],
        voided_words=VOIDED,
        paths=signature_paths,
        names=names,
        said=said,
        consent=agreed.get(consents.ASSESSMENT),
        may_settle=visit.done and visit.review == "waiting" and not visit.may_edit(actor().id),
        comment=request.form.get("comment", ""),
        limit=TEXT_LIMIT,
        error=error,
    )


def _grades(visit: Visit) -> list[Any]:
    book = services().rules
    if visit.done:
        results = [(a.instrument, a.result) for a in visit.assessments if a.result]
    else:
        results = [(s.instrument.id, s.result) for s in sheets(book, visit)]
    return [grade_view(book, id, result) for id, result in results if result]


def _filters() -> tuple[Filters, dict[str, str]]:
    """The filters of the address; what cannot be read narrows nothing."""
    typed = {name: request.args.get(name, "").strip()[:80] for name in ("state", "place", "grade", "assessor", "week")}
    if typed["state"] not in STATES:
        typed["state"] = STATES[0]
    try:
        assessor = UUID(typed["assessor"])
    except ValueError:
        assessor, typed["assessor"] = None, ""
    if typed["grade"] != reviews.NO_GRADE and not (typed["grade"].isascii() and typed["grade"].isdigit()):
        typed["grade"] = ""
    if typed["place"] not in services().rules.places:
        typed["place"] = ""
    first = _week(typed["week"])
    if first is None:
        typed["week"] = ""
    return Filters(
        state=typed["state"],
        place=typed["place"] or None,
        grade=typed["grade"][:3] or None if typed["grade"] != reviews.NO_GRADE else reviews.NO_GRADE,
        assessor=assessor,
        first_day=first,
        last_day=first + dt.timedelta(days=6) if first else None,
    ), typed


def _week(text: str) -> dt.date | None:
    """The Monday of a week such as ``2026-W47``."""
    year, _dash, week = text.partition("-W")
    try:
        return dt.date.fromisocalendar(int(year), int(week), 1)
    except (ValueError, OverflowError):
        return None
