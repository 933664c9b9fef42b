"""The cells of a file -> the columns of a plan: types checked, numbers made whole, and which cells cannot be read.

A column of a type that cannot hold the fact is refused as a whole; a single bad cell refuses its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from yyassess.assessment.errors import Faults
from yyassess.population.columns import Input

YES = ("true", "1", "yes", "是")
#: So few codes are compared one by one.
FEW = 6
NO = ("false", "0", "no", "否")
#: What each kind of column may be in a typed file (Parquet, JSON Lines).
SAID = {
    "boolean": "true/false",
    "integer": "whole number",
    "decimal": "number",
    "code": "text (code)",
    "codes": "list of texts (codes), or text with ; between them",
    "date": "date, or text YYYY-MM-DD",
    "place": "text (place)",
}


@dataclass(frozen=True)
class Cell:
    """How a column is read: its value, and where a cell that holds something cannot be read."""

    value: pl.Expr
    bad: pl.Expr | None = None


class Lists:
    """A column of lists of codes, and in which rows a code is held."""

    def __init__(self, column: pl.Series) -> None:
        """``column`` has lists of small numbers, null where a code is not known."""
        array = column.rechunk().to_arrow()
        self.length, self.known = len(column), column.is_not_null() if column.null_count() else None
        # Not `list_flatten`, which leaves out what lies under a null list while the rows do not.
        first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
        self._codes, self._rows = array.values.slice(first, last - first), pc.list_parent_indices(array)

    @property
    def sound(self) -> bool:
        """Whether every code is known."""
        return not self._codes.null_count

    def held(self, number: int) -> pl.Series:
        """Whether a row's list holds a code, given by its number; null where there is no list."""
        rows = self._rows.filter(pc.equal(self._codes, pa.scalar(number, self._codes.type)))
        found = pl.repeat(False, self.length, dtype=pl.Boolean, eager=True)
        if len(rows):
            found = found.scatter(pl.Series(rows), True)
        return found if self.known is None else found.set(~self.known, None)


def stored_type(used: Input) -> Any:
    """The smallest whole-number type for a column's values."""
    for limit, kind in ((127, pl.Int8), (32_767, pl.Int16), (2**31 - 1, pl.Int32)):
        if -limit - 1 <= used.low and used.high <= limit:
            return kind
    return pl.Int64


def readers(schema: Mapping[str, Any], used: Iterable[Input]) -> dict[str, Cell]:
    """How to read each column of a file.

    Raises:
        InputError: columns whose type cannot hold their fact, all at once.
    """
    faults = Faults()
    found: dict[str, Cell] = {}
    for column in used:
        cell = _cell(column, schema[column.name])
        if cell is None:
            given = str(schema[column.name])
            zh, en = f"列 {column.name} 的类型不对", f"the column {column.name} has the wrong type"
            faults.add(column.name, given, SAID[column.type], zh, en)
        else:
            found[column.name] = cell
    faults.raise_if_any()
    return found


def _cell(used: Input, kind: Any) -> Cell | None:
    raw = pl.col(used.name)
    if kind == pl.Null:
        types: dict[str, Any] = {"boolean": pl.Boolean, "date": pl.Date, "codes": pl.List(pl.UInt8)}
        number = stored_type(used) if used.type in ("integer", "decimal") else pl.String
        return Cell(raw.cast(types.get(used.type, number)))
    is_text = kind in (pl.String, pl.Categorical, pl.Enum)
    text = raw if kind == pl.String else raw.cast(pl.String)
    match used.type:
        case "boolean":
            if kind == pl.Boolean:
                return Cell(raw)
            if not is_text:
                return None
            lower = text.str.strip_chars().str.to_lowercase()
            return _checked(raw, pl.when(lower.is_in(YES)).then(True).when(lower.is_in(NO)).then(False))
        case "integer":
            return _integer(used, raw, text, kind, is_text)
        case "decimal":
            return _decimal(used, raw, text, kind, is_text)
        case "code":
            # One look at each text here; from then on codes are small numbers.
            return _checked(raw, _coded(raw, kind, used.texts)) if is_text else None
        case "place":
            return Cell(text) if is_text else None
        case "codes":
            return _codes(used, raw, text, kind, is_text)
        case "date":
            if kind == pl.Date:
                return Cell(raw)
            if not is_text:
                return None
            return _checked(raw, pl.when(text.str.len_bytes() == 10).then(text.str.to_date("%Y-%m-%d", strict=False)))
    return None


def _coded(raw: pl.Expr, kind: Any, texts: Sequence[str]) -> pl.Expr:
    """Texts as codes; what is no code becomes null."""
    codes = pl.Enum(list(texts))
    if kind != pl.String or len(texts) > FEW:
        return raw.cast(codes, strict=False)
    # For a handful of codes, comparing with each takes half the time of looking texts up.
    built: Any = pl
    for text in texts:
        built = built.when(raw == text).then(pl.lit(text, dtype=codes))
    coded: pl.Expr = built.otherwise(pl.lit(None, dtype=codes))
    return coded


def _checked(raw: pl.Expr, value: pl.Expr) -> Cell:
    return Cell(value, raw.is_not_null() & value.is_null())


def _integer(used: Input, raw: pl.Expr, text: pl.Expr, kind: Any, is_text: bool) -> Cell | None:
    small = stored_type(used)
    if kind == small:
        return Cell(raw)
    if is_text:
        return _checked(raw, text.str.strip_chars().cast(pl.Int64, strict=False).cast(small, strict=False))
    if kind.is_integer():
        return _checked(raw, raw.cast(small, strict=False))
    if kind.is_float() or kind.is_decimal():
        number = raw.cast(pl.Float64)
        return _checked(raw, pl.when(number == number.floor()).then(number.cast(small, strict=False)))
    return None


def _decimal(used: Input, raw: pl.Expr, text: pl.Expr, kind: Any, is_text: bool) -> Cell | None:
    small, by = stored_type(used), 10**used.scale
    number: pl.Expr
    if is_text:
        plain = text.str.strip_chars()
        number = pl.when(plain.str.contains(r"^-?\d{1,15}(\.\d+)?$")).then(plain.cast(pl.Float64, strict=False))
    elif kind.is_integer():
        return _checked(raw, (raw.cast(pl.Int64, strict=False) * by).cast(small, strict=False))
    elif kind.is_decimal() and kind.scale <= used.scale:
        # Stored as a whole number already; beyond fifteen digits no fact reaches.
        whole, more = raw.to_physical().cast(pl.Int64, strict=False), 10 ** (used.scale - kind.scale)
        if more > 1:
            whole = pl.when(whole.abs() < 10**15).then(whole * more)
        return _checked(raw, whole.cast(small, strict=False))
    elif kind.is_float() or kind.is_decimal():
        number = raw.cast(pl.Float64)
    else:
        return None
    # With no more decimals than allowed, the hundredths are whole but for the last bit of the multiplication.
    hundredths = number * by
    stored = hundredths.round()
    exact = (hundredths - stored).abs() <= stored.abs() * 5e-16
    return _checked(raw, pl.when(exact).then(stored.cast(small, strict=False)))


def _codes(used: Input, raw: pl.Expr, text: pl.Expr, kind: Any, is_text: bool) -> Cell | None:
    if is_text:
        bare = text.str.replace_all(r'[\[\]"\s]', "").str.replace_all(",", ";", literal=True)
        split: pl.Expr = pl.when(bare == "").then(pl.lit([], dtype=pl.List(pl.String))).otherwise(bare.str.split(";"))
        value: pl.Expr = pl.when(raw.is_not_null()).then(split).otherwise(None)
    elif (
        kind == pl.List(pl.String)
        or kind == pl.List(pl.Null)
        or (isinstance(kind, pl.List) and kind.inner in (pl.Categorical, pl.Enum))
    ):
        value = raw.cast(pl.List(pl.String))
    else:
        return None
    numbers = value.cast(pl.List(pl.Enum(list(used.texts))), strict=False).to_physical()
    known = value.list.eval(pl.element().is_in(list(used.texts)).fill_null(False)).list.all()
    return Cell(numbers, ~known)
