"""The result page, and the facts that would settle more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, MEMBERS, allow
from webapp.app import services
from webapp.report.pictures import signature_paths
from webapp.report.view import by_status, given_facts, grade_view, sources, to_ask
from webapp.storage import Visit, signatures
from webapp.visits.blueprint import open_draft, open_visit
from webapp.visits.casework import outcomes, sheets
from webapp.visits.form import failed, posted_fact_question, save_posted_facts
from webapp.visits.leaving import leave
from webapp.visits.pages import pages_of
from webapp.visits.questions import Question, Words
from webapp.visits.reasons import VOIDED
from webapp.visits.telling import told

blueprint = Blueprint("report", __name__)
#: A determination without programmes.
NOTHING: dict[str, Any] = {"outcomes": []}


@blueprint.get("/visits/<uuid:visit>/result")
@allow(*MEMBERS)
def result(visit: UUID) -> str:
    """The grade, why, and what it opens: as stored for a finished visit, as it stands for a draft."""
    return _page(open_visit(visit))


@blueprint.get("/visits/<uuid:visit>/more")
@allow(ASSESSOR)
def more(visit: UUID) -> str:
    """The facts that would settle outcomes which are still open."""
    return _more_page(open_draft(visit), {})


@blueprint.post("/visits/<uuid:visit>/more")
@allow(ASSESSOR)
def save_more(visit: UUID) -> Response | tuple[str, int]:
    """Save what was given and show the outcomes again."""
    found = open_draft(visit)
    asked, given = _asked(found)
    errors = save_posted_facts(found, (*asked, *given))
    if errors:
        return _more_page(open_draft(visit), errors), failed(errors)
    there = url_for("report.result", visit=visit)
    return leave(there + "#outcomes", url_for("report.more", visit=visit), back=there)


def _asked(visit: Visit) -> tuple[list[str], list[str]]:
    book = services().rules
    determination = outcomes(book, visit) or NOTHING
    on_form = [name for page in pages_of(book, visit) for name in page.facts]
    asked = [a.fact for a in to_ask(determination) if a.instrument is None]
    return asked, given_facts(determination, visit, on_form)


def _more_page(visit: Visit, errors: dict[str, Words]) -> str:
    book = services().rules
    determination = outcomes(book, visit) or NOTHING
    asks = to_ask(determination)
    _asked_names, given = _asked(visit)
    questions: list[tuple[Question, tuple[Words, ...]]] = [
        (posted_fact_question(book, ask.fact, visit.facts, errors, optional=True), ask.programmes)
        for ask in asks
        if ask.instrument is None
    ]
    answered = [posted_fact_question(book, name, visit.facts, errors, optional=True) for name in given]
    grades = [
        (book.instruments[ask.instrument], ask.programmes, visit.assessment(ask.instrument) is not None)
        for ask in asks
        if ask.instrument is not None and ask.instrument in book.instruments
    ]
    shown = {q.name for q, _programmes in questions} | {q.name for q in answered}
    return render_template(
        "more.html",
        visit=visit,
        questions=questions,
        answered=answered,
        grades=grades,
        errors=[q for q, _programmes in questions if q.error] + [q for q in answered if q.error],
        strays=[say for field, say in errors.items() if field not in shown],
    )


def _page(visit: Visit, error: str | None = None) -> str:
    book = services().rules
    parts = [] if visit.done else sheets(book, visit)
    results: list[tuple[str, Any]] = [(s.instrument.id, s.result) for s in parts]
    if visit.done:
        results = [(a.instrument, a.result) for a in visit.assessments if a.result]
    determination = visit.determination if visit.done else outcomes(book, visit)
    database = services().database
    with database.reading() as db:
        signed = signatures.signatures_of(db, database.cipher, visit.id)
    return render_template(
        "result.html",
        visit=visit,
        signed=[s for s in signed if s.standing],
        voided=[s for s in signed if not s.standing],
        voided_words=VOIDED,
        paths=signature_paths,
        written=told(book, visit),
        not_graded={id for id, found in results if found.get("not_graded")}
        | {s.instrument.id for s in parts if s.not_graded and s.complete},
        grades=[grade_view(book, id, found) for id, found in results],
        ready=bool(parts) and len(parts) == len(visit.assessments) and all(s.ready for s in parts),
        complete=bool(parts) and all(s.complete for s in parts),
        blocked=any(s.blocks for s in parts),
        gaps=sum(len(s.open_items) + len(s.open_facts) + len(s.open_settings) for s in parts),
        determination=determination,
        groups=by_status(determination) if determination else [],
        asks=to_ask(determination) if determination else [],
        source=lambda reference: sources(book, reference),
        place=book.places.get(visit.place),
        error=error,
    )
