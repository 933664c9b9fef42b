"""What a signature is bound to: everything the two assessors answer for, in one canonical text, and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from webapp.storage import Visit
from webapp.visits.casework import Sheet
from yyassess import Rulebook

FORMAT = 1


def content(book: Rulebook, visit: Visit, parts: Sequence[Sheet]) -> dict[str, Any]:
    """Person, day, place, answers, facts, settings and remarks, and the rules they are graded by.

    Args:
        book: the rules in force now.
        visit: as stored now.
        parts: its assessments, graded just now.
    """
    who = visit.person
    rules = {part.instrument.id: part.result["ruleset"]["hash"] for part in parts}
    place = book.at(visit.place, visit.visited_on).hash if visit.place in book.places else None
    return {
        "format": FORMAT,
        "salt": visit.salt,
        "visit": str(visit.id),
        "number": visit.number,
        "person": {
            "id": str(who.id),
            "name": who.name,
            "citizen_id": who.citizen_id,
            "birth_date": who.birth_date.isoformat(),
            "sex": who.sex,
        },
        "place": visit.place,
        "visited_on": visit.visited_on.isoformat(),
        "occasion": visit.occasion,
        "reason": visit.reason,
        "previous": str(visit.previous) if visit.previous else None,
        "from_paper": visit.from_paper,
        "facts": dict(visit.facts),
        "note": visit.note,
        "assessments": [
            {
                "instrument": a.instrument,
                "answers": dict(a.answers),
                "settings": dict(a.settings),
                "remarks": {item: dict(remark) for item, remark in a.remarks.items()},
                "rules": rules.get(a.instrument),
            }
            for a in visit.assessments
        ],
        "rules": place,
    }


def canonical(value: Any) -> bytes:
    """The one text of a JSON value: sorted names, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def content_hash(book: Rulebook, visit: Visit, parts: Sequence[Sheet]) -> str:
    """The hash that signatures carry, such as ``sha256:5c40…``."""
    return "sha256:" + hashlib.sha256(canonical(content(book, visit, parts))).hexdigest()
