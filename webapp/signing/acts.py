"""Submitting, signing and finishing a visit, inside the caller's transaction. No page in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from webapp.report.screening import KEPT, walk
from webapp.signing.content import content_hash
from webapp.storage import Database, Visit, audit, consents, signatures, visits
from webapp.storage.views import TO_SIGN
from webapp.visits.casework import Sheet, outcomes, sheets
from yyassess import Rulebook

#: Said beside a result that was signed without a grade.
NOT_GRADED = {
    "zh": "未评级：有题目无法评估",
    "en": "Not graded: some items could not be assessed",
}


class Refused(RuntimeError):
    """It cannot be done now; ``why`` is a short code the page words."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def ready(visit: Visit, parts: Sequence[Sheet]) -> bool:
    """May be signed: every item is treated, and nothing contradicts."""
    return bool(parts) and len(parts) == len(visit.assessments) and all(part.ready for part in parts)


def submit(db: Session, database: Database, book: Rulebook, id: UUID) -> None:
    """A complete draft waits for signatures.

    Raises:
        Refused: ``open`` when something is missing or contradicts, ``consent`` when the person refused the assessment.
    """
    visits.lock_visit(db, id)
    found = visits.get_visit(db, database.cipher, id)
    if not ready(found, sheets(book, found)):
        raise Refused("open")
    if consents.refused(db, found.person.id, consents.ASSESSMENT):
        raise Refused("consent")
    if found.status != TO_SIGN:
        visits.submit_visit(db, database.cipher, id)
        note(db, found, "visit.submitted")


def may_join(visit: Visit, account: UUID, before: Visit | None) -> str | None:
    """Why that account cannot be the second assessor; none when it can.

    Args:
        visit: a visit that is not done.
        account: an assessor of its organisation.
        before: the visit it disputes, if it disputes one.
    """
    if visit.done:
        return "done"
    if account == visit.assessor:
        return "main"
    if visit.second is not None:
        return "taken" if visit.second != account else None
    if before is not None and account in (before.assessor, before.second):
        return "disputed"
    return None


def disputed(db: Session, database: Database, visit: Visit) -> Visit | None:
    """The visit that this one disputes."""
    if visit.occasion != "dispute" or visit.previous is None:
        return None
    return visits.get_visit(db, database.cipher, visit.previous, organisation=visit.organisation)


def join(db: Session, database: Database, id: UUID, account: UUID) -> None:
    """That account becomes the second assessor; raises `Refused` with the reason of `may_join`."""
    visits.lock_visit(db, id)
    found = visits.get_visit(db, database.cipher, id)
    why = may_join(found, account, disputed(db, database, found))
    if why is not None:
        raise Refused(why)
    if found.second != account:
        visits.set_assessors(db, id, main=found.assessor, second=account)
        note(db, found, "visit.joined", {"account": str(account)}, account=account)


def sign(
    db: Session,
    database: Database,
    book: Rulebook,
    id: UUID,
    *,
    account: UUID,
    name: str,
    certificate: str | None,
    method: str,
    drawing: Mapping[str, Any],
    content: str,
) -> bool:
    """One of the two assessors signs; the second signature finishes the visit. True when it is finished now.

    Args:
        db: a writing session.
        database: for sealing.
        book: the rules in force now.
        id: the visit.
        account: who signs; joins as second assessor when there is none yet.
        name: as the signature carries it.
        certificate: the assessor's certificate number.
        method: drawn or typed.
        drawing: see `signatures.Signature.drawing`.
        content: the hash of what was shown to whoever signs.

    Raises:
        Refused: ``not_submitted``, ``outdated`` when the content changed since it was shown, ``twice``, ``consent``,
            or a reason of `may_join`.
    """
    found, parts, now = _as_shown(db, database, book, id, content)
    if not ready(found, parts):
        raise Refused("open")
    if consents.refused(db, found.person.id, consents.ASSESSMENT):
        raise Refused("consent")
    if account != found.assessor:
        join(db, database, id, account)
    drop_outdated(db, database, id, now)
    role = signatures.MAIN if account == found.assessor else signatures.SECOND
    try:
        signatures.add_signature(
            db,
            database.cipher,
            visit=id,
            account=account,
            role=role,
            name=name,
            certificate=certificate,
            method=method,
            drawing=drawing,
            content_hash=now,
        )
    except signatures.AlreadySigned:
        raise Refused("twice") from None
    note(db, found, "visit.signed", {"role": role, "method": method, "content": now}, account=account)
    return finish_if_signed(db, database, book, id)


def sign_informant(
    db: Session,
    database: Database,
    book: Rulebook,
    id: UUID,
    *,
    account: UUID,
    name: str,
    method: str,
    drawing: Mapping[str, Any],
    content: str,
) -> None:
    """Whoever gave the information signs on an assessor's phone. Raises `Refused` as `sign` does."""
    found, _parts, now = _as_shown(db, database, book, id, content)
    drop_outdated(db, database, id, now)
    try:
        signatures.add_signature(
            db,
            database.cipher,
            visit=id,
            account=None,
            role=signatures.INFORMANT,
            name=name,
            certificate=None,
            method=method,
            drawing=drawing,
            content_hash=now,
        )
    except signatures.AlreadySigned:
        raise Refused("twice") from None
    detail = {"role": signatures.INFORMANT, "method": method, "content": now}
    note(db, found, "visit.signed", detail, account=account)


def _as_shown(
    db: Session, database: Database, book: Rulebook, id: UUID, content: str
) -> tuple[Visit, list[Sheet], str]:
    """The visit, locked, with its sheets and the hash of its content, which must be what the signer was shown."""
    visits.lock_visit(db, id)
    found = visits.get_visit(db, database.cipher, id)
    if found.status != TO_SIGN:
        raise Refused("not_submitted")
    parts = sheets(book, found)
    now = content_hash(book, found, parts)
    if content != now:
        raise Refused("outdated")
    return found, parts, now


def drop_outdated(db: Session, database: Database, id: UUID, now: str) -> None:
    """Void signatures over another content than today's: the rules themselves may have changed in between."""
    standing = [s for s in signatures.signatures_of(db, database.cipher, id) if s.standing]
    if any(s.content_hash != now for s in standing):
        visits.void_signatures(db, id, "rules")


def finish_if_signed(db: Session, database: Database, book: Rulebook, id: UUID) -> bool:
    """Finish a visit that both have signed. Everything is computed here and now from what is stored."""
    found = visits.get_visit(db, database.cipher, id)
    parts = sheets(book, found)
    content = content_hash(book, found, parts)
    try:
        visits.finish_visit(
            db,
            database.cipher,
            id,
            results={part.instrument.id: final_result(part) for part in parts},
            determination=_told(book, found),
            content_hash=content,
        )
    except visits.NotSigned:
        return False
    note(db, found, "visit.finished", {"content": content})
    return True


def _told(book: Rulebook, visit: Visit) -> dict[str, Any] | None:
    """What the person is told: the outcomes, and beside them where the screening pathways lead."""
    found = outcomes(book, visit)
    return None if found is None else {**found, KEPT: walk(book, visit)}


def final_result(part: Sheet) -> Mapping[str, Any]:
    """The result as it is stored: the library's own, and beside it which items could not be assessed."""
    if not part.not_graded:
        return part.result
    return {**part.result, "not_graded": {"items": list(part.cannot), "say": NOT_GRADED}}


def note(
    db: Session, visit: Visit, action: str, detail: Mapping[str, Any] | None = None, *, account: UUID | None = None
) -> None:
    """A line in the audit log about a visit."""
    audit.record(
        db,
        action,
        f"visit:{visit.id}",
        account=account or db.info.get(signatures.ACTOR),
        organisation=visit.organisation,
        detail=detail,
    )
