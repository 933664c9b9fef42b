"""The pages of a visit in order, made from the instruments' data: each dimension, then what else is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import url_for

from webapp.storage import Visit
from webapp.visits.casework import PERSON_PAGE, open_choices
from yyassess import Rulebook
from yyassess.rulebook.instrument import Dimension, Instrument


@dataclass(frozen=True)
class Group:
    """Facts asked together: the instrument's own questions (``main``), or a part of the basic information form."""

    id: str
    name: Mapping[str, str] | None
    code: str | None
    facts: tuple[tuple[str, str | None], ...]
    """Fact names, each with its number on the form."""
    main: bool = False


@dataclass(frozen=True)
class Page:
    """One page of the form."""

    visit: UUID
    instrument: Instrument
    dimension: Dimension | None
    groups: tuple[Group, ...] = ()

    @property
    def url(self) -> str:
        """The page's address."""
        if self.dimension is not None:
            return url_for("visits.items", visit=self.visit, instrument=self.instrument.id, dimension=self.dimension.id)
        return url_for("visits.context", visit=self.visit, instrument=self.instrument.id)

    @property
    def facts(self) -> tuple[str, ...]:
        """All facts asked on the page."""
        return tuple(name for group in self.groups for name, _ in group.facts)


def pages_of(book: Rulebook, visit: Visit) -> list[Page]:
    """The form's pages. A fact that two instruments read is asked once, with the first of them."""
    pages: list[Page] = []
    asked = set(PERSON_PAGE)
    for assessment in visit.assessments:
        instrument = book.instruments.get(assessment.instrument)
        if instrument is None:
            continue
        pages.extend(Page(visit.id, instrument, dimension) for dimension in instrument.dimensions)
        groups = _groups(book, instrument, asked)
        if groups or open_choices(book, instrument):
            pages.append(Page(visit.id, instrument, None, groups))
    return pages


def page_of_item(pages: list[Page], instrument: str, item: str) -> Page | None:
    """Where an item is asked."""
    for page in pages:
        asked = page.dimension.items if page.instrument.id == instrument and page.dimension else ()
        if any(i.id == item for i in asked):
            return page
    return None


def page_of_fact(pages: list[Page], fact: str) -> Page | None:
    """Where a fact is asked."""
    return next((page for page in pages if fact in page.facts), None)


def context_page(pages: list[Page], instrument: str) -> Page | None:
    """The instrument's page of facts and settings."""
    return next((p for p in pages if p.instrument.id == instrument and p.dimension is None), None)


def _groups(book: Rulebook, instrument: Instrument, asked: set[str]) -> tuple[Group, ...]:
    def new(name: str) -> bool:
        fact = book.facts[name]
        return name not in asked and not (fact.derive or fact.grade_of or fact.code_of)

    numbers = {field.fact: field.code for group in instrument.record for field in group.facts}
    groups: list[Group] = []
    main = tuple((u.fact, numbers.get(u.fact)) for u in instrument.context if not u.optional and new(u.fact))
    if main:
        groups.append(Group("main", None, None, main, main=True))
        asked.update(name for name, _ in main)
    for part in instrument.record:
        facts = tuple((field.fact, field.code) for field in part.facts if new(field.fact))
        if facts:
            groups.append(Group(part.id, part.name, part.code, facts))
            asked.update(name for name, _ in facts)
    rest = tuple((u.fact, None) for u in instrument.context if u.optional and new(u.fact))
    if rest:
        groups.append(Group("more", None, None, rest))
        asked.update(name for name, _ in rest)
    return tuple(groups)
