"""Finding visits by what people say of a person: through the blind indexes, else by opening what is sealed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.storage.models import PersonRow, VisitRow
from webapp.storage.opening import CITIZEN_ID, NAME, open_visit
from webapp.storage.sealing import FieldCipher
from webapp.storage.views import Visit

#: So many people, the newest first, are opened to look for a part of a name or number.
MOST_OPENED = 20_000
#: The places of an identity number that are shown, and the last four alone.
SHOWN = re.compile(r"(?:(\d{6})\*+)?(\d{3}[\dX])")


def find_visits(
    session: Session,
    cipher: FieldCipher,
    organisation: UUID,
    words: str,
    *,
    limit: int,
    account: UUID | None = None,
) -> list[Visit]:
    """Visits by what somebody typed, the last changed first.

    A record number, a whole name or a whole identity number is found by its index. If nothing is, the words are looked
    for in names (a part is enough) and in the places of the identity number that pages show: ``330901********1234``, or
    the last four. Among ``account``'s own visits only, if given: whoever does not know the whole name finds no others'.
    """
    exact = or_(
        VisitRow.number == words.upper(),
        PersonRow.name_index == cipher.index(words, NAME),
        PersonRow.citizen_id_index == cipher.index(words, CITIZEN_ID),
    )
    here = VisitRow.organisation_id == organisation
    found = _visits(session, cipher, (here, exact), limit)
    if found:
        return found
    mine = [or_(VisitRow.assessor_id == account, VisitRow.second_id == account)] if account is not None else []
    alike = _resembling(session, cipher, (here, *mine), "".join(words.split()).upper(), limit)
    return _visits(session, cipher, (here, *mine, VisitRow.person_id.in_(alike)), limit) if alike else []


def _visits(session: Session, cipher: FieldCipher, which: Sequence[Any], limit: int) -> list[Visit]:
    rows = session.scalars(
        select(VisitRow).join(PersonRow).where(*which).order_by(VisitRow.updated_at.desc(), VisitRow.id).limit(limit)
    )
    return [open_visit(row, cipher) for row in rows]


def _resembling(session: Session, cipher: FieldCipher, which: Sequence[Any], words: str, limit: int) -> list[UUID]:
    """People of some visits whose name has the words in it, or whose number is shown so."""
    number = SHOWN.fullmatch(words)
    rows = session.execute(
        select(PersonRow.id, PersonRow.name_sealed, PersonRow.citizen_id_sealed)
        .where(PersonRow.id.in_(select(VisitRow.person_id).where(*which)))
        .order_by(PersonRow.created_at.desc(), PersonRow.id)
        .limit(MOST_OPENED)
    )
    found: list[UUID] = []
    for id, name, citizen_id in rows:
        if number is None:
            alike = words in "".join(cipher.open(name, NAME, id).split()).upper()
        else:
            whole = cipher.open(citizen_id, CITIZEN_ID, id) if citizen_id is not None else ""
            alike = whole.startswith(number[1] or "") and whole.endswith(number[2])
        if alike:
            found.append(id)
        if len(found) == limit:
            break
    return found
