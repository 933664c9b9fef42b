"""The first page: drafts to go on with, finished records, and finding one again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.access import ASSESSOR, MEMBERS, actor, allow, organisation
from webapp.app import services
from webapp.storage import Visit, visits
from webapp.visits.blueprint import blueprint
from webapp.visits.casework import Sheet, sheets
from webapp.visits.pages import pages_of

PAGE_SIZE = 20
WORDS_LIMIT = 80


@dataclass(frozen=True)
class Record:
    """One line of the list."""

    visit: Visit
    sheets: list[Sheet]

    @property
    def answered(self) -> int:
        """Answers given, over all instruments."""
        return sum(s.answered for s in self.sheets)

    @property
    def total(self) -> int:
        """Answers needed."""
        return sum(s.total for s in self.sheets)

    @property
    def resume(self) -> str:
        """Where to go on: the first page with something missing, or what comes after."""
        return resume_url(self.visit, self.sheets)


def resume_url(visit: Visit, found: list[Sheet]) -> str:
    """The first page of a draft that still lacks an answer; the check page when none does."""
    if not visit.assessments:
        return url_for("visits.instruments", visit=visit.id)
    gaps = {item for s in found for item in s.open_items}
    facts = {fact for s in found for fact in s.open_facts}
    for page in pages_of(services().rules, visit):
        here = next((s for s in found if s.instrument.id == page.instrument.id), None)
        if page.dimension is not None and here is not None:
            if any(item.id in here.open_items and item.id in gaps for item in page.dimension.items):
                return page.url
        elif page.dimension is None and (facts & set(page.facts) or (here is not None and here.open_settings)):
            return page.url
    return url_for("visits.check", visit=visit.id)


def mine() -> UUID | None:
    """An assessor sees her own visits first; the others see all of their organisation."""
    return actor().id if actor().role == ASSESSOR else None


@blueprint.get("/")
@allow(*MEMBERS)
def records() -> str:
    """Drafts first, then finished records."""
    page = max(request.args.get("page", 1, type=int), 1)
    database = services().database
    with database.reading() as db:
        found = visits.recent_visits(
            db, database.cipher, organisation(), account=mine(), limit=PAGE_SIZE + 1, skip=PAGE_SIZE * (page - 1)
        )
    more = len(found) > PAGE_SIZE
    return _list(found[:PAGE_SIZE], page=page, more=more)


@blueprint.post("/search")
@allow(*MEMBERS)
def search() -> str:
    """Find by full name or full number. Posted, so that neither ends up in an address."""
    words = request.form.get("words", "").strip()[:WORDS_LIMIT]
    if not words:
        return records()
    database = services().database
    with database.reading() as db:
        found = visits.find_visits(db, database.cipher, organisation(), words, limit=PAGE_SIZE)
    return _list(found, words=words)


@blueprint.post("/visits/<uuid:visit>/again")
@allow(ASSESSOR)
def again(visit: UUID) -> Response:
    """A new draft for the same person, today, with the same instruments and no answer taken over."""
    known = services()
    database = known.database
    new = uuid4()
    with database.writing() as db:
        old = visits.get_visit(db, database.cipher, visit, organisation=organisation())
        kept = [a.instrument for a in old.assessments if a.instrument in known.rules.instruments]
        visits.add_visit(
            db,
            id=new,
            organisation=organisation(),
            assessor=actor().id,
            person=old.person.id,
            place=old.place,
            visited_on=known.settings.today(),
            instruments=kept,
            previous=old.id,
            occasion="regular",
        )
    return redirect(url_for("people.edit", visit=new), 303)


def _list(found: list[Visit], *, page: int = 1, more: bool = False, words: str | None = None) -> str:
    book = services().rules
    return render_template(
        "records.html",
        records=[Record(v, [] if v.done else sheets(book, v)) for v in found],
        page=page,
        more=more,
        words=words,
    )
