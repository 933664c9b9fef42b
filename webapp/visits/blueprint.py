"""The blueprint of everything about visits; the modules beside this one put their pages on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Blueprint, abort
from sqlalchemy.orm import Session

from webapp.access import actor, organisation
from webapp.app import services
from webapp.storage import Visit, VisitLocked, signatures, visits
from yyassess import Rulebook

blueprint = Blueprint("visits", __name__)


def open_visit(visit: UUID) -> Visit:
    """The visit; raises `NoSuchVisit`."""
    database = services().database
    with database.reading() as db:
        return visits.get_visit(db, database.cipher, visit, organisation=organisation())


def open_draft(visit: UUID) -> Visit:
    """The visit, if this assessor can still change it; raises `NoSuchVisit` or `VisitLocked`, and refuses others' drafts."""
    found = open_visit(visit)
    if not found.may_edit(actor().id):
        abort(403)
    if found.done:
        raise VisitLocked(visit)
    return found


@contextmanager
def writing() -> Iterator[Session]:
    """A writing session that knows who is writing: an edit that voids signatures is noted under their account."""
    with services().database.writing() as db:
        db.info[signatures.ACTOR] = actor().id
        yield db


def private_facts(book: Rulebook) -> set[str]:
    """Facts that are stored sealed: identifying ones, and free text, in which anything may stand."""
    return {name for name, fact in book.facts.items() if fact.personal or fact.type == "text"}
