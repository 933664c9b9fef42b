"""The lists of the public contract: instruments, programmes, places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from yyassess.rulebook.basics import weakest
from yyassess.rulebook.book import Rulebook


def _source(book: Rulebook, ref: Any) -> dict[str, Any]:
    document = book.documents[ref.document]
    return {"document": ref.document, "title": document.title, "number": document.number, "clause": ref.clause}


def instrument_rows(book: Rulebook) -> list[dict[str, Any]]:
    """Every instrument with its licence, levels, source and evidence."""
    return [
        {
            "id": it.id,
            "name": it.name,
            "kind": it.kind,
            "place": it.place,
            "items": sum(len(d.items) for d in it.dimensions),
            "levels": [{"level": level.level, "code": level.code, "name": level.name} for level in it.levels],
            "licence": {
                "owner": it.licence.owner,
                "status": it.licence.status,
                "items": it.licence.items,
                "say": it.licence.say,
                "verified_on": it.licence.verified_on,
                "evidence": it.licence.evidence.mark,
            },
            "source": _source(book, it.source),
            "evidence": it.evidence.mark,
            **({"not_computed": it.not_computed} if it.not_computed else {}),
        }
        for it in book.instruments.values()
    ]


def programme_rows(book: Rulebook, place: str | None = None, on: dt.date | None = None) -> list[dict[str, Any]]:
    """Every programme; with ``place`` only those that apply there, as they stand ``on`` that day."""
    if place is not None:
        assert on is not None
        found: list[tuple[str, Any, bool | None]] = [
            (s.place, s.programme, s.in_force) for s in book.at(place, on).standings.values()
        ]
    else:
        found = [(p, texts.texts[-1], None) for p, group in book.programmes.items() for texts in group.values()]
    return [
        {
            "id": text.id,
            "name": text.name,
            "place": where,
            "kind": text.kind,
            "status": text.status,
            "in_force": {
                "from": text.in_force.start.isoformat() if text.in_force.start else None,
                "to": text.in_force.end.isoformat() if text.in_force.end else None,
                **({} if holds is None else {"on_day": holds}),
            },
            "source": _source(book, text.source),
            "evidence": text.evidence.mark,
            **({"same_as": text.same_as} if text.same_as else {}),
        }
        for where, text, holds in sorted(found, key=lambda f: (f[0], f[1].id))
    ]


def place_rows(book: Rulebook) -> list[dict[str, Any]]:
    """Every place with its code, what it lies within, and how many programmes it adds."""
    return [
        {
            "id": place.id,
            "code": place.code,
            "name": place.name,
            "level": place.level,
            "within": place.within,
            "place": place.id,
            "programmes": len(book.programmes.get(place.id, {})),
            "bundle": list(place.bundle),
            "source": None,
            "evidence": "verified",
        }
        for place in sorted(book.places.values(), key=lambda p: p.code)
    ]


def coverage_rows(book: Rulebook, place: str | None = None) -> list[dict[str, Any]]:
    """The registry: each row of ``coverage.yaml`` with what its programme encodes and on what evidence."""
    wanted = book.place(place).id if place is not None else None
    rows = []
    for row in book.coverage:
        if wanted is not None and row.place != wanted:
            continue
        text = book.programmes[row.place][row.programme].texts[-1]
        parts: dict[str, Sequence[Any]] = {
            "criteria": [c for c in text.criteria if c.when != "unknown"],
            "benefits": [b for b in text.benefits if not b.not_configured],
            "services": text.services,
            "interactions": text.interactions,
            "effects": text.effects,
            "indicators": text.indicators,
            "examples": book.programmes[row.place][row.programme].texts[0].examples,
        }
        marks = [text.evidence.mark, *(part.evidence.mark for key in ("criteria", "benefits") for part in parts[key])]
        open_points = [c.say for c in text.criteria if c.when == "unknown"] + [
            b.say for b in text.benefits if b.not_configured
        ]
        rows.append(
            {
                "place": row.place,
                "id": row.programme,
                "name": text.name,
                "status": text.status,
                "row": row.row,
                "encoded": {key: len(found) for key, found in parts.items() if found},
                "evidence": weakest(marks),
                "not_configured": [*([text.not_configured] if text.not_configured else []), *open_points],
                "checked": row.checked.isoformat(),
                "note": row.note,
                "source": _source(book, text.source),
                **({"same_as": text.same_as} if text.same_as else {}),
                **({"ends": True} if text.ends else {}),
            }
        )
    return rows
