"""Assessing somebody again: why, by whom, linked to the visit before; and the two side by side."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, MEMBERS, actor, allow, organisation
from webapp.app import services
from webapp.report.view import GradeView, grade_view
from webapp.storage import Visit, audit, reviews, visits
from webapp.visits.blueprint import blueprint, open_visit, writing
from webapp.visits.casework import sheets
from webapp.visits.differences import compare
from webapp.visits.questions import TEXT_LIMIT

REGULAR, CHANGE, DISPUTE = "regular", "change", "dispute"
OCCASIONS = {
    REGULAR: _l("Regular re-assessment"),
    CHANGE: _l("The person's condition changed"),
    DISPUTE: _l("The result is disputed"),
}


@blueprint.get("/visits/<uuid:visit>/again")
@allow(ASSESSOR)
def again(visit: UUID) -> Response | str:
    """Why a new assessment is made."""
    found = open_visit(visit)
    return _page(found) if found.done else _to_result(found)


@blueprint.post("/visits/<uuid:visit>/again")
@allow(ASSESSOR)
def start_again(visit: UUID) -> Response | tuple[str, int]:
    """A new draft for the same person, today, with the same instruments and no answer taken over."""
    old = open_visit(visit)
    if not old.done:
        # A draft is simply gone on with.
        return _to_result(old)
    known = services()
    who = actor().id
    occasion = request.form.get("occasion", REGULAR)
    reason = request.form.get("reason", "").replace("\r\n", "\n").strip()
    if occasion not in OCCASIONS:
        return _page(old, _("Choose from the list")), 422
    if len(reason) > TEXT_LIMIT:
        return _page(old, _("The note is longer than %(limit)s characters", limit=TEXT_LIMIT)), 422
    if occasion != REGULAR and not reason:
        return _page(old, _("Write down the reason")), 422
    if occasion == DISPUTE and old.may_edit(who):
        return _page(old, _("You took part in this assessment: others must do the disputed one again.")), 403
    new = uuid4()
    with writing() as db:
        visits.add_visit(
            db,
            id=new,
            organisation=organisation(),
            assessor=who,
            person=old.person.id,
            place=old.place,
            visited_on=known.settings.today(),
            instruments=[a.instrument for a in old.assessments if a.instrument in known.rules.instruments],
            previous=old.id,
            occasion=occasion,
        )
        if reason:
            visits.save_facts(db, known.database.cipher, new, {}, private=(), reason=reason)
        detail = {"previous": str(old.id), "occasion": occasion}
        audit.record(db, "visit.started", f"visit:{new}", account=who, organisation=organisation(), detail=detail)
    return redirect(url_for("people.edit", visit=new), 303)


@blueprint.get("/visits/<uuid:visit>/differences")
@allow(*MEMBERS)
def differences(visit: UUID) -> Response | str:
    """This visit beside the one before: answers, scores, grade."""
    found = open_visit(visit)
    if found.previous is None:
        return _to_result(found)
    old = open_visit(found.previous)
    book = services().rules
    before, after = _grades(old), _grades(found)
    with services().database.reading() as db:
        names = reviews.names_of(db, found.organisation)
    return render_template(
        "differences.html",
        visit=found,
        old=old,
        parts=compare(book, old, found),
        grades=[(before.get(id), after.get(id)) for id in dict.fromkeys((*after, *before))],
        occasion=OCCASIONS.get(found.occasion, found.occasion),
        names=names,
    )


def _to_result(visit: Visit) -> Response:
    return redirect(url_for("report.result", visit=visit.id), 303)


def _grades(visit: Visit) -> dict[str, GradeView]:
    book = services().rules
    if visit.done:
        results = {a.instrument: a.result for a in visit.assessments if a.result}
    else:
        results = {s.instrument.id: s.result for s in sheets(book, visit)}
    return {id: grade_view(book, id, result) for id, result in results.items()}


def _page(visit: Visit, error: str | None = None) -> str:
    return render_template(
        "again.html",
        visit=visit,
        occasions=OCCASIONS,
        involved=visit.may_edit(actor().id),
        typed={"occasion": request.form.get("occasion", ""), "reason": request.form.get("reason", "")},
        limit=TEXT_LIMIT,
        error=error,
    )
