"""What is done with one visit: its person's number shown in full, for a reason; a draft deleted by its assessor."""

from __future__ import annotations

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, MEMBERS, actor, allow, organisation
from webapp.app import services
from webapp.privacy import reasons
from webapp.privacy.blueprint import blueprint, chosen_reason
from webapp.storage import DRAFT, Visit, VisitLocked, audit, retention
from webapp.visits.blueprint import open_visit


@blueprint.get("/visits/<uuid:visit>/number")
@allow(*MEMBERS)
def number_page(visit: UUID) -> str:
    """Asks why the number shall be shown."""
    return _number(open_visit(visit), {})


@blueprint.post("/visits/<uuid:visit>/number")
@allow(*MEMBERS)
def number(visit: UUID) -> str | tuple[str, int]:
    """Shows the number in full, once, and notes who saw it and why."""
    found = open_visit(visit)
    errors: dict[str, str] = {}
    reason = chosen_reason(reasons.REVEAL, errors)
    if errors:
        return _number(found, errors), 422
    with services().database.writing() as db:
        audit.record(
            db,
            "person.revealed",
            f"visit:{visit}",
            account=actor().id,
            organisation=organisation(),
            detail={"reason": reason},
        )
    return _number(found, {}, shown=True)


@blueprint.get("/visits/<uuid:visit>/delete")
@allow(ASSESSOR)
def delete_page(visit: UUID) -> str:
    """Asks whether the draft shall really go."""
    return render_template("delete.html", visit=_deletable(visit), reasons=reasons.DRAFT, errors={})


@blueprint.post("/visits/<uuid:visit>/delete")
@allow(ASSESSOR)
def delete(visit: UUID) -> Response | tuple[str, int]:
    """Deletes a draft with all its answers."""
    found = _deletable(visit)
    errors: dict[str, str] = {}
    reason = chosen_reason(reasons.DRAFT, errors)
    if errors:
        return render_template("delete.html", visit=found, reasons=reasons.DRAFT, errors=errors), 422
    with services().database.writing() as db:
        retention.delete_draft(db, visit, reason=reason, account=actor().id)
    flash(_("The draft is deleted."))
    return redirect(url_for("visits.records"), 303)


def _deletable(visit: UUID) -> Visit:
    """The visit, if it is this assessor's own draft that was never finished."""
    found = open_visit(visit)
    if found.assessor != actor().id:
        abort(403)
    if found.status != DRAFT or found.review == retention.RETURNED:
        # What was finished once, or waits for signatures, is a record of the organisation.
        raise VisitLocked(visit)
    return found


def _number(visit: Visit, errors: dict[str, str], shown: bool = False) -> str:
    return render_template("number.html", visit=visit, reasons=reasons.REVEAL, errors=errors, shown=shown)
