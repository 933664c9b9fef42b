"""A visit on its way: submitted for signing, handed over, signed by two and finished, reviewed."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.storage.models import VisitRow
from webapp.storage.opening import DETERMINATION, open_private, seal_private
from webapp.storage.rows import NoSuchVisit, NotSigned, open_row, touch
from webapp.storage.sealing import FieldCipher
from webapp.storage.signatures import both_signed, void
from webapp.storage.views import DONE, DRAFT, TO_SIGN

SALT_BYTES = 16


def lock_visit(session: Session, id: UUID) -> None:
    """Let nobody else change the visit until this transaction ends; raises `NoSuchVisit` and `VisitLocked`.

    Two signatures given at the same moment must see one another, or neither would finish the visit.
    """
    open_row(session, id)


def submit_visit(session: Session, cipher: FieldCipher, id: UUID) -> None:
    """A complete draft waits for signatures from now on. Whether it is complete is the caller's business."""
    row = open_row(session, id)
    sealed = open_private(row, cipher)
    if not sealed.get("salt"):
        seal_private(row, cipher, {**sealed, "salt": secrets.token_hex(SALT_BYTES)})
    row.status = TO_SIGN
    touch(row)
    session.flush()


def reopen_visit(session: Session, id: UUID, reason: str) -> int:
    """Back to a draft; returns how many signatures that voided."""
    row = open_row(session, id)
    voided = void(session, row, reason)
    row.status = DRAFT
    touch(row)
    session.flush()
    return voided


def set_assessors(session: Session, id: UUID, *, main: UUID | None, second: UUID | None, reason: str = "") -> None:
    """Who the two assessors are; a new main assessor voids what was signed."""
    row = open_row(session, id)
    if main is not None and main == second:
        raise ValueError("one account cannot be both assessors")
    if main != row.assessor_id:
        void(session, row, reason)
        row.status = DRAFT
    row.assessor_id, row.second_id = main, second
    touch(row)
    session.flush()


def void_signatures(session: Session, id: UUID, reason: str) -> int:
    """Void what was signed, and leave the visit waiting to be signed again; returns how many there were."""
    return void(session, open_row(session, id), reason)


def finish_visit(
    session: Session,
    cipher: FieldCipher,
    id: UUID,
    *,
    results: Mapping[str, Mapping[str, Any]],
    determination: Mapping[str, Any] | None,
    content_hash: str,
) -> None:
    """Lock a visit, with the results by instrument and the determination as they were computed just now.

    Args:
        session: a writing session.
        cipher: seals the determination.
        id: the visit.
        results: instrument -> the library's result.
        determination: what the person may apply for; none where the place has left the rules.
        content_hash: of the visit as it stands; both assessors must have signed it.

    Raises:
        NotSigned: one of the two signatures is missing, voided, or over another content.
    """
    row = open_row(session, id)
    if row.status != TO_SIGN or not both_signed(session, row, content_hash):
        raise NotSigned(str(id))
    for assessment in row.assessments:
        result = results[assessment.instrument]
        assessment.result = dict(result)
        assessment.ruleset_hash = result["ruleset"]["hash"]
    if determination is not None:
        text = json.dumps(determination, ensure_ascii=False, allow_nan=False)
        row.determination_sealed = cipher.seal(text, DETERMINATION, row.id)
        row.ruleset_hash = determination["ruleset"]["hash"]
    row.status, row.review = DONE, "waiting"
    row.finished_at = dt.datetime.now(dt.UTC)
    touch(row)
    session.flush()


def settle_review(session: Session, id: UUID, *, approved: bool) -> None:
    """The review desk's verdict on a finished visit: approved, or returned, which makes it a draft again.

    Raises:
        NoSuchVisit: it does not wait for a review.
    """
    row = session.get(VisitRow, id, with_for_update={"of": VisitRow})
    if row is None or row.status != DONE or row.review != "waiting":
        raise NoSuchVisit(str(id))
    if approved:
        row.review = "approved"
    else:
        void(session, row, "returned")
        row.status, row.review, row.finished_at = DRAFT, "returned", None
        row.determination_sealed = row.ruleset_hash = None
        for assessment in row.assessments:
            assessment.result = assessment.ruleset_hash = None
    touch(row)
    session.flush()
