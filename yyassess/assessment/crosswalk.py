"""One person under several standards side by side, and answers that may be carried from one scale to another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from yyassess.assessment.case import Case, reader
from yyassess.assessment.question import plain
from yyassess.assessment.scoring import scorer, shared
from yyassess.rulebook.basics import Text
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.vocabulary import read_date

WARNING = Text(
    zh="各标准各自成立：同一个词（如“中度”“重度”）在不同标准里含义不同，等级之间不能换算",
    en="Each standard stands alone: the same word (such as moderate or severe) means different things; "
    "a grade of one is never converted into a grade of another",
)


def crosswalk(case: Mapping[str, Any], *, on: dt.date | str, rules: Rulebook | None = None) -> dict[str, Any]:
    """The grade of a person under each standard the case has an assessment for.

    Args:
        case: as for `yyassess.determine`.
        on: the day asked about.
        rules: a rulebook; the shipped one if left out.

    Returns:
        ``standards`` (each with its grade, levels and date), ``carried`` (answers of other scales that follow from
        options of the same meaning, marked as carried and never counted by themselves), and the warning.

    Raises:
        InputError: a case that cannot be read.
    """
    book = rules or shared()
    day = read_date(on)
    known = reader(book).read(case, day)
    standards = []
    for id, grade in known.grades.items():
        it = book.instruments[id]
        standards.append(
            {
                "instrument": id,
                "name": it.name,
                "grade": {k: grade[k] for k in ("level", "code", "name") if k in grade}
                if grade["level"] is not None
                else None,
                "date": grade["date"],
                **({"entered": True} if "entered" in grade else {}),
                "levels": [{"level": level.level, "name": level.name} for level in it.levels],
                **({"unconfirmed": grade["unconfirmed"]} if "unconfirmed" in grade else {}),
                **({"bounds": grade["bounds"]} if "bounds" in grade else {}),
                **({"results": grade["results"]} if "results" in grade else {}),
            }
        )
    carried = _carried(book, case, known)
    return {
        "on": day.isoformat(),
        "standards": standards,
        "carried": carried,
        "partial": _partial(book, carried, day),
        "warnings": [WARNING],
    }


def _answered(case: Mapping[str, Any], known: Case) -> dict[str, dict[str, Any]]:
    """By instrument: the answers of the assessment that counts, without those that were not counted in it."""
    answered: dict[str, dict[str, Any]] = {}
    for item in case.get("assessments") or ():
        id = item["instrument"]
        if read_date(item["date"]).isoformat() == known.grades[id]["date"]:
            answered[id] = {name: a for name, a in (item.get("answers") or {}).items() if a is not None}
    for warning in known.warnings:
        if warning["id"] == "not_counted":
            for name in warning["items"]:
                answered[warning["instrument"]].pop(name, None)
    return answered


def _carried(book: Rulebook, case: Mapping[str, Any], known: Case) -> list[dict[str, Any]]:
    """Answers that follow from another scale's answers, where both options mean the same."""
    answered = _answered(case, known)
    found = []
    for row in book.correspondences:
        for source, target, ends in (
            (row.first, row.second, ("first", "second")),
            (row.second, row.first, ("second", "first")),
        ):
            given = answered.get(source.instrument, {}).get(source.item)
            if given is None or target.item in answered.get(target.instrument, {}):
                continue
            answer = scorer(book, source.instrument).questions[source.item].read(given)
            for pair in row.same:
                if getattr(pair, ends[0]) == answer:
                    found.append(
                        {
                            "from": {"instrument": source.instrument, "item": source.item, "answer": plain(answer)},
                            "to": {
                                "instrument": target.instrument,
                                "item": target.item,
                                "answer": plain(getattr(pair, ends[1])),
                            },
                            "carried": True,
                            "say": row.say,
                            "evidence": row.evidence.mark,
                        }
                    )
    return found


def _partial(book: Rulebook, carried: list[dict[str, Any]], day: dt.date) -> list[dict[str, Any]]:
    """What the carried answers alone leave open under each standard: how many items are missing, which grades remain."""
    answers: dict[str, dict[str, Any]] = {}
    for row in carried:
        answers.setdefault(row["to"]["instrument"], {})[row["to"]["item"]] = row["to"]["answer"]
    shown = []
    for id, given in answers.items():
        result = scorer(book, id).assess({"date": day.isoformat(), "answers": given})
        entry = {"instrument": id, "carried": sorted(given), "missing": result["missing"]}
        shown.append({**entry, **({"bounds": result["bounds"]} if "bounds" in result else {})})
    return shown
