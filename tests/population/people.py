"""Random people as rows of a population file and as cases, and what `determine` says of them as columns."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from tests.property.strategies import constants_of
from yyassess.assessment.question import plain
from yyassess.assessment.scoring import scorer
from yyassess.entitlement.determine import decide
from yyassess.entitlement.plan import ready
from yyassess.population.columns import Input, instrument_columns
from yyassess.population.plan import Plan
from yyassess.rulebook.book import Rulebook

ON = dt.date(2026, 11, 22)


def every_column(book: Rulebook, instruments: list[str] | None = None) -> list[str]:
    """All columns a file may have (for some instruments)."""
    ids = list(book.instruments) if instruments is None else instruments
    return [
        "id",
        *book.facts,
        *(c for id in ids for c in instrument_columns(book.instruments[id])),
        *(f"{i}.date" for i in ids),
    ]


class Crowd:
    """Random people for a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.book = plan, plan.book
        trees = [t for scope in self.book.trees.values() for t in scope.values()]
        self.edges: dict[str, list[Any]] = {}
        for name in plan.inputs.used:
            constants = constants_of(name, trees)
            self.edges[name] = [c for c in constants if isinstance(c, (int, Decimal)) and not isinstance(c, bool)]

    def value(self, rng: random.Random, used: Input) -> Any:
        """A value of a column as JSON would give it."""
        match used.type:
            case "boolean":
                return rng.random() < 0.5
            case "code":
                return rng.choice(used.texts)
            case "place":
                return rng.choice((*used.texts, "330921", "330000", "110101", "500107"))
            case "codes":
                return [t for t in used.texts if rng.random() < 2 / len(used.texts)]
            case "date":
                if used.name == "birth_date":
                    return dt.date(rng.randrange(1915, 1975), rng.randrange(1, 13), rng.choice((1, 15, 22, 28)))
                return dt.date(2026, rng.randrange(1, 11), rng.choice((1, 15, 28)))
        if used.numbers:
            return Decimal(rng.choice(used.numbers)).scaleb(-used.scale)
        edges = [e for e in self.edges[used.name] if used.low <= e * 10**used.scale <= used.high]
        if edges and rng.random() < 0.6:
            near = rng.choice(edges) * 10**used.scale + rng.choice((-1, 0, 0, 1))
            return Decimal(min(max(int(near), used.low), used.high)).scaleb(-used.scale)
        return Decimal(rng.randint(used.low, used.high)).scaleb(-used.scale)

    def row(self, rng: random.Random) -> dict[str, Any]:
        """One person: known facts, and answers or a grade for each instrument."""
        known = rng.choice((0.5, 0.9, 0.98))
        row: dict[str, Any] = {}
        inputs = self.plan.inputs
        for name, used in inputs.used.items():
            if "." in name and name.split(".")[0] in inputs.instruments:
                continue
            if rng.random() < known:
                row[name] = self.value(rng, used)
        if "birth_date" in row:
            row.pop("age", None)
        for id in inputs.instruments:
            self._assessed(rng, id, row)
        return row

    def _assessed(self, rng: random.Random, id: str, row: dict[str, Any]) -> None:
        used = self.plan.inputs.used
        names = [c for c in instrument_columns(self.book.instruments[id]) if c in used and not c.endswith(".level")]
        if f"{id}.date" in used and rng.random() < 0.5:
            row[f"{id}.date"] = self.value(rng, used[f"{id}.date"])
        if f"{id}.level" in used and rng.random() < 0.4:
            row[f"{id}.level"] = self.value(rng, used[f"{id}.level"])
            return
        if rng.random() < 0.15:
            return
        complete = rng.random() < 0.8
        worse = rng.random()
        for name in names:
            if complete or rng.random() < 0.9:
                made = used[name]
                if made.type == "code" or rng.random() < 0.3:
                    row[name] = self.value(rng, made)
                else:
                    numbers = made.numbers or tuple(range(made.low, made.high + 1))
                    place = min(len(numbers) - 1, int(rng.betavariate(1 + 8 * worse, 9 - 8 * worse) * len(numbers)))
                    row[name] = Decimal(numbers[place]).scaleb(-made.scale)


def raw_frame(plan: Plan, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """People as a typed file has them: texts for codes, floats for sums of money."""
    types: dict[str, Any] = {
        "boolean": pl.Boolean, "integer": pl.Int64, "code": pl.String, "codes": pl.List(pl.String), "date": pl.Date, "place": pl.String,
    }  # fmt: skip
    columns: dict[str, Any] = {"id": [f"p{n:06d}" for n in range(len(rows))]}
    for name, used in plan.inputs.used.items():
        values = [row.get(name) for row in rows]
        if used.type == "decimal":
            columns[name] = pl.Series([None if v is None else float(v) for v in values], dtype=pl.Float64)
        else:
            made = [int(v) if isinstance(v, Decimal) else v for v in values]
            columns[name] = pl.Series(made, dtype=types[used.type])
    return pl.DataFrame(columns)


def as_case(book: Rulebook, plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a case for `determine`."""
    facts = {n: plain(v) for n, v in row.items() if n in book.facts}
    assessments = []
    for id in plan.inputs.instruments:
        date = plain(row.get(f"{id}.date") or ON)
        entry: dict[str, Any] = {"instrument": id, "date": date}
        if row.get(f"{id}.level") is not None:
            entry["grade"] = {"level": int(row[f"{id}.level"])}
        else:
            items = {c.split(".", 1)[1]: row[c] for c in instrument_columns(book.instruments[id]) if c in row}
            entry["answers"] = {n: plain(v) for n, v in items.items()}
        assessments.append(entry)
    return {"facts": facts, "assessments": assessments}


def total_of(book: Rulebook, id: str, case: dict[str, Any], decided: dict[str, Any]) -> Any:
    """The total score of an instrument as `assess` gives it, with the facts of the case as its context."""
    entry = next(a for a in case["assessments"] if a["instrument"] == id)
    if "answers" not in entry:
        return None
    machine = scorer(book, id)
    context = {n: v for n, v in case["facts"].items() if n in machine.facts}
    request = {"date": entry["date"], "answers": entry["answers"], "context": context}
    return machine.assess(request)["scores"].get("total")


def expected(plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    """Every column of the result for one person, from `determine`."""
    book, ruleset = plan.book, plan.ruleset
    case = as_case(book, plan, row)
    decided = decide(ready(ruleset, "reference"), case, ruleset)
    found: dict[str, Any] = {}
    for id in plan.inputs.instruments:
        found[f"{id}.level"] = decided["grades"][id]["level"]
        found[f"{id}.total"] = total_of(book, id, case, decided)
    for outcome in decided["outcomes"]:
        id, status, criteria = outcome["programme"], outcome["status"], outcome["criteria"]
        found[f"{id}.status"] = status
        open_ = [c["id"] for c in criteria if c.get("not_configured")]
        known = [c for c in criteria if not c.get("not_configured")]
        reason = {
            "eligible": [], "not_in_force": [],
            "ineligible": [c["id"] for c in known if c["status"] == "false"],
            "unknown": [*(c["id"] for c in known if c["status"] == "unknown"), *open_],
            "not_configured": open_ or [c["id"] for c in known if c["status"] == "unknown"],
        }[status]  # fmt: skip
        found[f"{id}.reason"] = reason[0] if reason else None
        rows = [b for b in outcome["benefits"] if "unit" in b and not b.get("guide")]
        settled = all(b["amount"] is not None and "depends_on" not in b for b in rows)
        one = settled and len({b["unit"] for b in rows}) == 1 and status == "eligible"
        found[f"{id}.amount"] = sum(Decimal(str(b["amount"])) for b in rows) if one else None
        found[f"{id}.unit"] = rows[0]["unit"] if one else None
        found[f"{id}.dropped_for"] = outcome.get("dropped_for")
    return found
