"""Taking finished records out, for a reason; who it is stays masked unless the reason needs it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from flask import Response, render_template, request
from flask_babel import gettext as _

from webapp.access import ORG_ADMIN, actor, allow, organisation
from webapp.app import services
from webapp.display import changing
from webapp.privacy import reasons
from webapp.privacy.blueprint import ask_password, blueprint, chosen_reason
from webapp.privacy.exporting import FORMATS, written
from webapp.storage import audit, export
from webapp.visits.blueprint import private_facts

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}


@blueprint.get("/export")
@allow(ORG_ADMIN)
def export_page() -> str:
    """Asks what shall be taken out, and why."""
    return _page({"first": "", "last": "", "format": FORMATS[0], "reason": ""}, {})


@blueprint.post("/export")
@allow(ORG_ADMIN)
def export_records() -> Response | tuple[str, int]:
    """Hands the records out, and notes that it did."""
    typed = {name: request.form.get(name, "") for name in ("first", "last", "format", "reason")}
    if changing():
        return _page(typed, {}), 200
    errors: dict[str, str] = {}
    first, last = (_day(typed, name, errors) for name in ("first", "last"))
    if first and last and first > last:
        errors["last"] = _("This day lies before the first one.")
    if typed["format"] not in FORMATS:
        errors["format"] = _("Choose the kind of file")
    reason = chosen_reason(reasons.EXPORT, errors)
    ask_password(errors)
    if errors:
        return _page(typed, errors), 422
    known = services()
    full = reason in reasons.FULL
    with known.database.writing() as db:
        ids: list[UUID] = export.finished_ids(db, organisation(), first, last)
        detail = {
            "reason": reason,
            "format": typed["format"],
            "full": full,
            "records": len(ids),
            "first": typed["first"] or None,
            "last": typed["last"] or None,
        }
        audit.record(
            db,
            "records.exported",
            f"organisation:{organisation()}",
            account=actor().id,
            organisation=organisation(),
            detail=detail,
        )
    pieces = written(export.opened(known.database, ids), typed["format"], full=full, private=private_facts(known.rules))
    name = f"yyassess-{known.settings.today():%Y%m%d}.{typed['format']}"
    response = Response((piece.encode() for piece in pieces), content_type=TYPES[typed["format"]])
    # Sent piece by piece: compressing would collect all of it first.
    response.direct_passthrough = True
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _page(typed: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "export.html", typed=typed, errors=errors, reasons=reasons.EXPORT, full=reasons.FULL, formats=FORMATS
    )


def _day(typed: dict[str, str], name: str, errors: dict[str, str]) -> dt.date | None:
    if not typed[name]:
        return None
    try:
        return dt.date.fromisoformat(typed[name])
    except ValueError:
        errors[name] = _("Enter a day, or leave it empty")
        return None
