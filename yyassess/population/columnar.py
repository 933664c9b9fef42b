"""Plans in process: `sqlglot` formulas as polars expressions, a stage at a time.

Only what `conditions.sql` and the plan write is understood; anything else is refused, never guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add as plus
from operator import and_, eq, ge, gt, le, lt, mul, ne, or_, sub
from typing import Any

import polars as pl
from sqlglot import exp

from yyassess.population.sheet import Sheet

TYPES: dict[str, Any] = {
    "TINYINT": pl.Int8,
    "SMALLINT": pl.Int16,
    "INT": pl.Int32,
    "BIGINT": pl.Int64,
    "BOOLEAN": pl.Boolean,
    "DATE": pl.Date,
    "TEXT": pl.String,
    "VARCHAR": pl.String,
}
_BINARY: dict[type[Any], Callable[[Any, Any], Any]] = {
    exp.EQ: eq,
    exp.NEQ: ne,
    exp.LT: lt,
    exp.LTE: le,
    exp.GT: gt,
    exp.GTE: ge,
    exp.Add: plus,
    exp.Sub: sub,
    exp.Mul: mul,
    exp.And: and_,
    exp.Or: or_,
}
#: So few choices are compared one by one, which is quicker than a set.
FEW = 3


def translated(node: Any) -> pl.Expr:
    """A formula as a polars expression.

    Raises:
        NotImplementedError: a construct that no plan writes.
    """
    kind = type(node)
    if kind in _BINARY:
        made: pl.Expr = _BINARY[kind](translated(node.this), translated(node.expression))
        return made
    match node:
        case exp.Column():
            return pl.col(node.name)
        case exp.Paren():
            return translated(node.this)
        case exp.Literal():
            return pl.lit(node.this) if node.is_string else pl.lit(int(node.this))
        case exp.Neg():
            return -translated(node.this)
        case exp.Boolean():
            return pl.lit(bool(node.this))
        case exp.Not():
            return ~translated(node.this)
        case exp.Is():
            return translated(node.this).is_null()
        case exp.Cast():
            return _cast(node)
        case exp.In():
            return _in(node)
        case exp.Case():
            return _case(node)
        case exp.Coalesce(expressions=[exp.Boolean() as otherwise]):
            return translated(node.this).fill_null(bool(otherwise.this))
        case exp.Coalesce():
            return pl.coalesce(translated(node.this), *(translated(e) for e in node.expressions))
        case exp.ArrayContains():
            return translated(node.this).list.contains(translated(node.expression))
        case exp.RegexpLike():
            return translated(node.this).str.contains(node.expression.this)
        case exp.StartsWith():
            return translated(node.this).str.starts_with(node.expression.this)
        case exp.Greatest():
            return pl.max_horizontal(translated(node.this), *(translated(e) for e in node.expressions))
        case exp.Least():
            return pl.min_horizontal(translated(node.this), *(translated(e) for e in node.expressions))
        case exp.IntDiv():
            return translated(node.this) // translated(node.expression)
        case exp.Abs():
            return translated(node.this).abs()
        case exp.Year():
            return translated(node.this).dt.year()
        case exp.Month():
            return translated(node.this).dt.month()
        case exp.Day():
            return translated(node.this).dt.day()
    raise NotImplementedError(f"{kind.__name__}: {node.sql()}")


def _cast(node: Any) -> pl.Expr:
    kind = TYPES[node.to.this.name]
    if isinstance(node.this, exp.Null):
        return pl.lit(None, dtype=kind)
    if kind is pl.Date:
        return pl.lit(dt.date.fromisoformat(node.this.this))
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        return pl.lit(int(node.this.this), dtype=kind)
    return translated(node.this).cast(kind)


def _in(node: Any) -> pl.Expr:
    value = translated(node.this)
    if len(node.expressions) <= FEW:
        return reduce(or_, (value == translated(e) for e in node.expressions))
    return value.is_in([_constant(e) for e in node.expressions])


def _constant(node: Any) -> Any:
    if isinstance(node, exp.Neg):
        return -_constant(node.this)
    if isinstance(node, exp.Cast):
        return dt.date.fromisoformat(node.this.this)
    return node.this if node.is_string else int(node.this)


def _case(node: Any) -> pl.Expr:
    built: Any = pl
    for branch in node.args["ifs"]:
        built = built.when(translated(branch.this)).then(translated(branch.args["true"]))
    default = node.args.get("default")
    whole: pl.Expr = built.otherwise(translated(default)) if default is not None else built
    return whole


def computed(frame: pl.LazyFrame, sheet: Sheet, wanted: Sequence[Any]) -> pl.LazyFrame:
    """The frame with every formula that some columns need."""
    for stage in sheet.stages(wanted):
        frame = frame.with_columns([translated(formula).alias(name) for name, formula in stage.items()])
    return frame


def labelled(codes: pl.Expr, labels: Sequence[str]) -> pl.Expr:
    """Small whole numbers as names: the number is the place in ``labels``."""
    return codes.cast(pl.UInt8 if len(labels) < 256 else pl.UInt16).cat.to(pl.Enum(list(labels)))


def selected(frame: pl.LazyFrame, sheet: Sheet, wanted: Mapping[str, Any], extra: Sequence[str] = ()) -> pl.LazyFrame:
    """The wanted columns by name, after ``extra`` columns of the frame."""
    made = computed(frame, sheet, list(wanted.values()))
    return made.select([pl.col(n) for n in extra] + [translated(w).alias(n) for n, w in wanted.items()])
