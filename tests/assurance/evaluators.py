"""One table of evaluators: each decides the same programmes for the same people. Adding one is one line at the end."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

from phone import on_the_phone

from yyassess.assurance.people import constants, telling_values
from yyassess.conditions.smt import record_evaluator
from yyassess.conditions.tree import And, Const, Flag, Node, Not, Or
from yyassess.entitlement.engine import DurableEngine, Program, ReferenceEngine, Verdicts
from yyassess.entitlement.plan import ready
from yyassess.rulebook.book import Ruleset

Record = Mapping[str, Any]
Evaluator = Callable[[Sequence[Record]], list[Verdicts]]
OUTCOME = {True: "eligible", False: "ineligible", None: "unknown"}


def program_of(ruleset: Ruleset) -> Program:
    """The criteria and programmes of a ruleset, as every engine takes them."""
    machine = ready(ruleset, "reference")
    types: dict[str, str] = {name: fact.type for name, fact in ruleset.book.facts.items()} | {"on_day": "date"}
    types |= dict.fromkeys(machine.whereabouts, "boolean")
    programmes = {id: tuple(c.key for c in p.criteria) for id, p in machine.programmes.items()}
    return Program(ruleset.hash, machine.criteria, programmes, types)


def people(ruleset: Ruleset, number: int, rng: random.Random) -> list[dict[str, Any]]:
    """Random people: of each fact a telling value, or nothing known."""
    book, machine = ruleset.book, ready(ruleset, "reference")
    named = constants(machine.criteria.values())
    values = {
        name: [fact.read(v) for v in telling_values(fact, named.get(name, set()), book, ruleset.on)]
        for name, fact in book.facts.items()
    }
    found = []
    for _ in range(number):
        known = rng.choice((1.0, 0.9, 0.7, 0.4, 0.1))
        record = {n: rng.choice(v) for n, v in values.items() if v and rng.random() < known}
        record["on_day"] = ruleset.on
        for flag, (fact, place) in machine.whereabouts.items():
            if fact in record and (inside := book.lies_in(record[fact], place)) is not None:
                record[flag] = inside
        found.append({n: v for n, v in record.items() if n in machine.needs or n == "on_day"})
    return found


# -- the evaluators -----------------------------------------------------------------------------------------------------
def reference(ruleset: Ruleset) -> Evaluator:
    engine = ReferenceEngine(program_of(ruleset))
    return lambda records: [engine.run(record) for record in records]


def durable(ruleset: Ruleset) -> Evaluator:
    engine = DurableEngine(program_of(ruleset))
    return lambda records: [engine.run(record) for record in records]


def z3(ruleset: Ruleset) -> Evaluator:
    program = program_of(ruleset)
    conditions = {key: written_out(node, program) for key, node in program.criteria.items()}
    conditions |= {
        f"programme {id}": And(tuple(conditions[k] for k in keys)) for id, keys in program.programmes.items()
    }
    decide = record_evaluator(conditions, program.types)
    return lambda records: [verdicts(program, decide(record)) for record in records]


def duckdb(ruleset: Ruleset) -> Evaluator:
    import duckdb

    program = program_of(ruleset)
    listed = sql_columns(ruleset, program)

    def decide(records: Sequence[Record]) -> list[Verdicts]:
        query = ", ".join(f'{sql.sql(dialect="duckdb")} AS "{key}"' for key, sql in listed.items())
        table = arrow_table(ruleset, records)
        connection = duckdb.connect()
        connection.register("people", table)
        rows = connection.execute(f"SELECT {query} FROM people").fetchall()
        return [verdicts(program, dict(zip(listed, row, strict=True))) for row in rows]

    return decide


def polars(ruleset: Ruleset) -> Evaluator:
    import polars as pl

    from yyassess.population.columnar import translated

    program = program_of(ruleset)
    listed = sql_columns(ruleset, program)

    def decide(records: Sequence[Record]) -> list[Verdicts]:
        frame = pl.from_arrow(arrow_table(ruleset, records))
        found = frame.with_columns(**{f"answer {key}": translated(sql) for key, sql in listed.items()})
        rows = found.select([f"answer {key}" for key in listed]).rows()
        return [verdicts(program, dict(zip(listed, row, strict=True))) for row in rows]

    return decide


def verdicts(program: Program, truths: Mapping[str, bool | None]) -> Verdicts:
    """The answers of one person, criteria by their key and programmes as ``programme ID``."""
    return Verdicts(
        {key: truths[key] for key in program.criteria},
        {id: OUTCOME[truths[f"programme {id}"]] for id in program.programmes},
    )


def written_out(node: Node, program: Program) -> Node:
    """A condition with every ``ELIGIBLE(…)`` written out as that programme's criteria."""
    match node:
        case Flag(name) if name.removeprefix("eligible:") in program.programmes:
            keys = program.programmes[name.removeprefix("eligible:")]
            return And(tuple(written_out(program.criteria[k], program) for k in keys)) if keys else Const(True)
        case Not(part):
            return Not(written_out(part, program))
        case And(parts):
            return And(tuple(written_out(p, program) for p in parts))
        case Or(parts):
            return Or(tuple(written_out(p, program) for p in parts))
    return node


# -- people as a table ----------------------------------------------------------------------------------------------
def sql_columns(ruleset: Ruleset, program: Program) -> dict[str, Any]:
    """The SQL of each criterion and each programme over the table of people."""
    from sqlglot import exp

    from yyassess.conditions.sql import Column, condition_sql

    names: dict[str, Column] = {}
    for name, kind in program.types.items():
        fact = ruleset.book.facts.get(name)
        scale = fact.decimals if fact is not None else 0
        low, high = (fact.range if fact is not None and fact.range else None) or (0, 0)
        column = exp.column(name, quoted=True)
        names[name] = Column(column, kind, low * 10**scale, high * 10**scale, scale)  # type: ignore[arg-type]
    conditions = {key: written_out(node, program) for key, node in program.criteria.items()}
    conditions |= {f"programme {id}": And(tuple(conditions[k] for k in k_)) for id, k_ in program.programmes.items()}
    return {key: condition_sql(node, names) for key, node in conditions.items()}


def arrow_table(ruleset: Ruleset, records: Sequence[Record]) -> Any:
    """The people as a table: an unknown fact is empty, a decimal a whole number of its smallest unit."""
    import pyarrow as pa

    kinds = {
        "integer": pa.int64(), "decimal": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(),
        "code": pa.string(), "codes": pa.list_(pa.string()), "place": pa.string(), "text": pa.string(),
    }  # fmt: skip
    program = program_of(ruleset)
    columns = {}
    for name, kind in program.types.items():
        fact = ruleset.book.facts.get(name)
        scale = fact.decimals if fact is not None and kind == "decimal" else 0
        columns[name] = pa.array([stored(r.get(name), scale) for r in records], kinds[kind])
    return pa.table(columns)


def stored(value: Any, scale: int) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and scale:
        return int(Decimal(value).scaleb(scale))
    return value if not isinstance(value, dt.datetime) else value.date()


def there(*modules: str) -> bool:
    """Whether some packages are installed."""
    return all(find_spec(module) is not None for module in modules)


#: Every evaluator of the project. One more is one more line.
EVALUATORS: dict[str, Callable[[Ruleset], Evaluator]] = {"reference": reference, "durable_rules": durable, "Z3": z3}
EVALUATORS["the phone"] = on_the_phone
if there("duckdb", "pyarrow"):
    EVALUATORS["SQL on DuckDB"] = duckdb
if there("polars", "pyarrow"):
    EVALUATORS["SQL as polars columns"] = polars
