"""The report as a page, as paper, and as PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from webapp.access import MEMBERS, actor, allow, organisation
from webapp.app import services
from webapp.report import pdf
from webapp.report.document import Report, report_of
from webapp.report.qr import qr_code
from webapp.report.screening import screenings
from webapp.settings import CHINA
from webapp.storage import Visit, accounts, audit, signatures, verification
from webapp.visits.blueprint import open_visit
from webapp.visits.reasons import cannot_words

blueprint = Blueprint("report_page", __name__)


@blueprint.app_template_global("screenings")
def _screenings(visit: Visit) -> list[Mapping[str, Any]]:
    """For the result page, too: where the person stands on the screening pathways."""
    return screenings(services().rules, visit)


@blueprint.get("/visits/<uuid:visit>/report")
@allow(*MEMBERS)
def report(visit: UUID) -> str:
    """The report of a visit; of one that is not done, plainly marked as provisional."""
    found = open_visit(visit)
    return render_template("report.html", **_shown(found), pdf=pdf.available(), failed="no-pdf" in request.args)


@blueprint.get("/visits/<uuid:visit>/report.pdf")
@allow(*MEMBERS)
def report_pdf(visit: UUID) -> Response | BaseResponse:
    """The same as an A4 PDF; where none can be made, back to the page with a word about printing."""
    found = open_visit(visit)
    shown = _shown(found)
    try:
        made = pdf.render(render_template("report_paper.html", **shown))
    except pdf.NoPdf:
        return redirect(url_for("report_page.report", visit=visit, **{"no-pdf": 1}), 303)
    with services().database.writing() as db:
        audit.record(
            db,
            "report.pdf",
            f"visit:{visit}",
            account=actor().id,
            organisation=organisation(),
            detail={"final": found.done},
        )
    response = make_response(made)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="report-{found.number}.pdf"'
    return response


def signed_on(signature: signatures.Signature) -> str:
    """When somebody signed, in China's time."""
    return f"{signature.signed_at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _shown(visit: Visit) -> dict[str, object]:
    known = services()
    database, book = known.database, known.rules
    with database.reading() as db:
        signed = signatures.signatures_of(db, database.cipher, visit.id)
        people = {id: accounts.get_account(db, id) for id in (visit.assessor, visit.second) if id is not None}
    made: Report = report_of(book, visit, signatures=signed, people=people)
    address = _verification_address(visit)
    return {
        "report": made,
        "visit": visit,
        "organisation": next((a.organisation_name for a in people.values()), None),
        "address": address,
        "qr": qr_code(address, _("QR code of the verification page")) if address else None,
        "today": known.settings.today(),
        "signed_on": signed_on,
        "reason": cannot_words,
    }


def _verification_address(visit: Visit) -> str | None:
    """Where anybody can check the printed report; none while it is provisional."""
    if not visit.done:
        return None
    known = services()
    database = known.database
    with database.reading() as db:
        token = verification.current_token(db, database.cipher, visit.id)
    if token is None:
        with database.writing() as db:
            token = verification.ensure_token(db, database.cipher, visit.id)
    if token is None:
        return None
    base = (known.settings.public_url or request.host_url).rstrip("/")
    return base + url_for("verify.verify", token=token)
