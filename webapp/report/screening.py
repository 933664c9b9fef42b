"""Where a person stands on the screening pathways, by the answers of a visit. Screening is not diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.storage import Visit
from webapp.visits.casework import case_for
from yyassess import InputError, Rulebook, screen

#: Under this name they are kept with the determination of a finished visit.
KEPT = "screenings"


def screenings(book: Rulebook, visit: Visit) -> list[Mapping[str, Any]]:
    """The pathways the person enters, each as the library's ``screen`` tells it; of a done visit, as they were told."""
    if visit.done:
        return list((visit.determination or {}).get(KEPT, []))
    return walk(book, visit)


def walk(book: Rulebook, visit: Visit) -> list[Mapping[str, Any]]:
    """The pathways the person enters by the answers as they stand."""
    if visit.place not in book.places:
        return []
    case = case_for(visit)
    case["assessments"] = [a for a in case["assessments"] if a["instrument"] in book.instruments]
    chain = {place.id for place in book.chain(visit.place)}
    found = []
    for id, pathway in book.pathways.items():
        if pathway.place not in chain:
            continue
        try:
            walked = screen(case, on=visit.visited_on, pathway=id, rules=book)
        except InputError:
            # Answers that today's rules refuse are named on the check page; a pathway is not told from half of them.
            continue
        if walked["enters"]:
            found.append(walked)
    return found
