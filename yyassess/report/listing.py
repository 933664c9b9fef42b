"""The lists of the public contract: instruments, programmes, places."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
        for place in book.places.values()
    ]
