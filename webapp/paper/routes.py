"""The paper form: any instrument from its data, blank or for one visit; a page that prints, and a PDF of it.

It is for places where no phone works, and is keyed in afterwards (the visit says so: ``from_paper``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, url_for

from webapp.access import MEMBERS, allow
from webapp.api.definitions import instrument_form
from webapp.app import services
from webapp.report import pdf
from webapp.report.view import sources as source_of
from webapp.storage import Visit
from webapp.visits.blueprint import open_visit

blueprint = Blueprint("paper", __name__)

STYLE = "paper.css"


@blueprint.get("/instruments/<instrument>/paper")
@allow(*MEMBERS)
def blank(instrument: str) -> str:
    """One instrument without anybody's name, for printing from the browser."""
    return _page(None, [instrument])


@blueprint.get("/instruments/<instrument>/paper.pdf")
@allow(*MEMBERS)
def blank_pdf(instrument: str) -> Response:
    """The same as a PDF."""
    return _pdf(None, [instrument], url_for("paper.blank", instrument=instrument))


@blueprint.get("/visits/<uuid:visit>/paper")
@allow(*MEMBERS)
def filled(visit: UUID) -> str:
    """The instruments of a visit, with its person, day and number in the head; no answer is printed."""
    found = open_visit(visit)
    return _page(found, [a.instrument for a in found.assessments])


@blueprint.get("/visits/<uuid:visit>/paper.pdf")
@allow(*MEMBERS)
def filled_pdf(visit: UUID) -> Response:
    """The same as a PDF."""
    found = open_visit(visit)
    return _pdf(found, [a.instrument for a in found.assessments], url_for("paper.filled", visit=visit))


def _page(visit: Visit | None, instruments: list[str], *, alone: bool = False) -> str:
    book = services().rules
    known = [id for id in instruments if id in book.instruments]
    if not known:
        abort(404)
    forms = [instrument_form(book, id) for id in known]
    asked: set[str] = set()
    for form in forms:
        # A fact that two instruments read is asked once, as on the form's pages.
        for group in form.get("groups", []):
            group["questions"] = [q for q in group["questions"] if q["name"] not in asked]
            asked |= {q["name"] for q in group["questions"]}
        form["groups"] = [g for g in form.get("groups", []) if g["questions"]]
    sources = {id: source_of(book, dict(book.instruments[id].source)) for id in known}
    return render_template(
        "paper.html" if alone else "paper_page.html",
        forms=forms,
        sources=sources,
        visit=visit,
        alone=alone,
        pdf=pdf.available(),
        instrument=known[0],
    )


def _pdf(visit: Visit | None, instruments: list[str], otherwise: str) -> Any:
    html = _page(visit, instruments, alone=True)
    try:
        made = pdf.render(html, Path(current_app.static_folder or "", STYLE))
    except pdf.NoPdf:
        return redirect(otherwise, 303)
    response = make_response(made)
    response.mimetype = "application/pdf"
    name = visit.number if visit else instruments[0]
    response.headers["Content-Disposition"] = f'inline; filename="paper-{name}.pdf"'
    return response
