"""Finished visits as CSV or JSON. Masked unless the reason says who it is must be known; no Flask in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from webapp.privacy.masking import masked_birth, masked_name, masked_number
from webapp.storage import Visit

FORMATS = ("csv", "json")
COLUMNS = (
    "number",
    "visited_on",
    "finished_at",
    "place",
    "occasion",
    "from_paper",
    "review",
    "name",
    "citizen_id",
    "birth",
    "sex",
    "instrument",
    "level",
    "grade",
    "unconfirmed",
    "eligible",
    "ruleset",
)
#: A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Tells spreadsheets that Chinese follows.
MARK = "\ufeff"


def written(visits: Iterable[Visit], form: str, *, full: bool, private: set[str]) -> Iterator[str]:
    """The export, piece by piece.

    Args:
        visits: finished visits.
        form: ``csv``, a line for each instrument of each visit, or ``json``, one object for each visit.
        full: with names, numbers, birth dates, identifying facts and notes.
        private: facts that are never part of a masked export.
    """
    return _json(visits, full, private) if form == "json" else _csv(visits, full)


def _csv(visits: Iterable[Visit], full: bool) -> Iterator[str]:
    yield MARK + _line(COLUMNS)
    for visit in visits:
        for found in visit.assessments:
            result = found.result or {}
            grade = result.get("grade") or {}
            row = _head(visit) | _identity(visit, full)
            row |= {
                "instrument": found.instrument,
                "level": grade.get("level", ""),
                "grade": (grade.get("name") or {}).get("zh", ""),
                "unconfirmed": "yes" if result.get("unconfirmed") else "no",
                "eligible": " ".join(
                    outcome["programme"]
                    for outcome in (visit.determination or {}).get("outcomes", ())
                    if outcome["status"] == "eligible"
                ),
                "ruleset": found.ruleset_hash,
            }
            yield _line(row[name] for name in COLUMNS)


def _json(visits: Iterable[Visit], full: bool, private: set[str]) -> Iterator[str]:
    before = "["
    for visit in visits:
        written = _head(visit) | _identity(visit, full)
        written |= {
            "facts": {name: value for name, value in visit.facts.items() if full or name not in private},
            "assessments": [_assessment(found, full) for found in visit.assessments],
            "outcomes": [
                {"programme": outcome["programme"], "status": outcome["status"]}
                for outcome in (visit.determination or {}).get("outcomes", ())
            ],
            "ruleset": visit.ruleset_hash,
        }
        if full:
            written |= {"reason": visit.reason, "note": visit.note}
        yield before + "\n" + json.dumps(written, ensure_ascii=False)
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _head(visit: Visit) -> dict[str, Any]:
    return {
        "number": visit.number,
        "visited_on": visit.visited_on.isoformat(),
        "finished_at": visit.finished_at.isoformat(timespec="seconds") if visit.finished_at else "",
        "place": visit.place,
        "occasion": visit.occasion,
        "from_paper": "yes" if visit.from_paper else "no",
        "review": visit.review,
    }


def _identity(visit: Visit, full: bool) -> dict[str, Any]:
    who = visit.person
    if full:
        identity: dict[str, Any] = {"name": who.name, "citizen_id": who.citizen_id, "birth": who.birth_date.isoformat()}
    else:
        identity = {
            "name": masked_name(who.name),
            "citizen_id": masked_number(who.citizen_id),
            "birth": masked_birth(who.birth_date),
        }
    return identity | {"sex": who.sex}


def _assessment(found: Any, full: bool) -> dict[str, Any]:
    written = {
        "instrument": found.instrument,
        "answers": dict(found.answers),
        "settings": dict(found.settings),
        "grade": (found.result or {}).get("grade"),
        "unconfirmed": bool((found.result or {}).get("unconfirmed")),
        "ruleset": found.ruleset_hash,
    }
    if full:
        written["remarks"] = {item: dict(said) for item, said in found.remarks.items()}
    return written


def _line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(_safe(cell) for cell in cells)
    return text.getvalue()


def _safe(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return "'" + cell
    return "" if cell is None else cell
