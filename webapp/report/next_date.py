"""When to assess again: what the rules say of each conclusion, and nothing where they say nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.report.pictures import Words
from yyassess import Rulebook
from yyassess.assessment.errors import Faults
from yyassess.entitlement.monitor_events import EventReader, known_place

#: Only these outcomes rest on a conclusion whose term matters to the person.
OPEN = frozenset({"eligible", "unknown"})


@dataclass(frozen=True)
class NextDate:
    """One day by which to assess again, and who says so."""

    day: dt.date
    name: Words
    """Of the instrument or the programme."""
    say: Words | None
    evidence: str
    source: Mapping[str, Any] | None


def next_dates(
    book: Rulebook,
    place: str,
    visited_on: dt.date,
    results: Iterable[tuple[str, Mapping[str, Any]]],
    determination: Mapping[str, Any] | None,
) -> list[NextDate]:
    """The days known, the earliest first; empty where neither the instrument nor a programme sets a term."""
    found = [d for id, result in results if (d := _of_instrument(book, place, visited_on, id, result))]
    for outcome in (determination or {}).get("outcomes", ()):
        for key, date in (("valid", "until"), ("reassess", "due")):
            span = outcome.get(key)
            if span and span.get(date) and outcome["status"] in OPEN:
                found.append(
                    NextDate(
                        dt.date.fromisoformat(span[date]),
                        outcome["name"],
                        span.get("say"),
                        span["evidence"],
                        outcome["source"],
                    )
                )
    return sorted(found, key=lambda d: d.day)


def _of_instrument(
    book: Rulebook, place: str, visited_on: dt.date, id: str, result: Mapping[str, Any]
) -> NextDate | None:
    """The end of a conclusion by the rules about events; the monitor dates the same events by the same lines."""
    reader = _reader(book)
    kind = reader.roles.get("assessment")
    if kind is None or id not in book.instruments or not result.get("complete", True):
        return None
    grade = result.get("grade") or {}
    event = {"kind": kind, "date": visited_on.isoformat(), "instrument": id}
    if isinstance(grade.get("level"), int):
        event["level"] = grade["level"]
    read = reader.read(event, "", Faults())
    expiry, _undecided = reader.expiry(read, known_place(book, place)) if read is not None else (None, [])
    if expiry is None:
        return None
    term = expiry.row
    source = {"document": term.source.document, "clause": term.source.clause} if term.source else None
    return NextDate(expiry.day, book.instruments[id].name, term.say, term.evidence.mark, source)


def _reader(book: Rulebook) -> EventReader:
    kept: EventReader | None = book.__dict__.get("_next_date_reader")
    if kept is None:
        kept = book.__dict__["_next_date_reader"] = EventReader(book, "reference")
    return kept
