"""The first page: what to sign, drafts to go on with, finished records, and finding one again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import render_template, request, url_for

from webapp.access import ASSESSOR, MEMBERS, actor, allow, organisation
from webapp.app import services
from webapp.storage import DONE, DRAFT, TO_SIGN, Visit, reviews, signatures, visits
from webapp.storage.finding import find_visits
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
        if not self.visit.may_edit(actor().id):
            return url_for("report.result", visit=self.visit.id)
        return resume_url(self.visit, self.sheets)

    @property
    def cannot(self) -> int:
        """Items that could not be assessed."""
        return sum(len(s.cannot) for s in self.sheets)


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
    """What waits for one's signature, then drafts, then finished records."""
    page = max(request.args.get("page", 1, type=int), 1)
    database = services().database
    account = mine()
    with database.reading() as db:
        signing: tuple[list[Visit], list[Visit]] = ([], [])
        if account is not None and page == 1:
            signing = signatures.waiting_for(db, database.cipher, organisation(), account, limit=PAGE_SIZE)
        found = visits.recent_visits(
            db,
            database.cipher,
            organisation(),
            account=account,
            limit=PAGE_SIZE + 1,
            skip=PAGE_SIZE * (page - 1),
            statuses=(DRAFT, DONE) if account is not None else (DRAFT, TO_SIGN, DONE),
        )
    more = len(found) > PAGE_SIZE
    return _list(found[:PAGE_SIZE], signing=signing, page=page, more=more)


@blueprint.post("/search")
@allow(*MEMBERS)
def search() -> str:
    """Find by name, identity number or record number. Posted, so that none ends up in an address."""
    words = request.form.get("words", "").strip()[:WORDS_LIMIT]
    if not words:
        return records()
    database = services().database
    with database.reading() as db:
        found = find_visits(db, database.cipher, organisation(), words, limit=PAGE_SIZE, account=mine())
    return _list(found, words=words)


def _list(
    found: list[Visit],
    *,
    signing: tuple[list[Visit], list[Visit]] = ([], []),
    page: int = 1,
    more: bool = False,
    words: str | None = None,
) -> str:
    known = services()
    with known.database.reading() as db:
        names = reviews.names_of(db, organisation())
    return render_template(
        "records.html",
        records=[Record(v, sheets(known.rules, v) if v.status == DRAFT else []) for v in found],
        to_sign=signing[0],
        signed=signing[1],
        names=names,
        page=page,
        more=more,
        words=words,
    )
