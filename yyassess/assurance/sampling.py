"""What is sampled: both engines on random people of every place, on the rulebook being checked itself."""

from __future__ import annotations

import random
from typing import Any

from yyassess.assurance.findings import Evidence, Notebook
from yyassess.assurance.people import asked_facts, random_case
from yyassess.assurance.situations import places_in_order, turning_days
from yyassess.entitlement.determine import determine
from yyassess.entitlement.engine import EngineError
from yyassess.rulebook.book import Rulebook, Ruleset

PEOPLE = 40


def check_engines(book: Rulebook, notebook: Notebook, people: int = PEOPLE) -> None:
    """durable_rules against the reference evaluator, for each place on its last turning day."""
    for place in places_in_order(book):
        ruleset = book.at(place, turning_days(book, place, notebook.on)[-1])
        asked, rng = asked_facts(ruleset), random.Random(ruleset.hash)
        for _ in range(people):
            case = random_case(ruleset, asked, rng)
            try:
                first, second = (_decisions(book, ruleset, case, engine) for engine in ("reference", "durable"))
            except EngineError as error:
                _refused(book, ruleset, notebook, str(error))
                break
            notebook.count("sampled", "evaluators-disagree", place)
            for id in first:
                if first[id] != second[id]:
                    _disagree(book, ruleset, notebook, id, case, first[id][0], second[id][0])


def _decisions(book: Rulebook, ruleset: Ruleset, case: dict[str, Any], engine: str) -> dict[str, Any]:
    found = determine(case, place=ruleset.place.id, on=ruleset.on, rules=book, engine=engine)
    return {
        o["programme"]: (o["status"], [c["status"] for c in o["criteria"]], o["missing"]) for o in found["outcomes"]
    }


def _disagree(
    book: Rulebook, ruleset: Ruleset, notebook: Notebook, id: str, case: dict[str, Any], first: str, second: str
) -> None:
    how = f"yyassess determine --place {ruleset.place.id} --on {ruleset.on.isoformat()} --engine durable"
    origin = book.origins[("programme", f"{ruleset.standings[id].place}/{id}")]
    notebook.add("evaluators-disagree", origin, ("criteria",), id, (), Evidence(case, how), first=first, second=second)


def _refused(book: Rulebook, ruleset: Ruleset, notebook: Notebook, message: str) -> None:
    origin = book.origins[("place", ruleset.place.id)]
    notebook.add("engine-refuses", origin, (), ruleset.place.id, (), message=message)
