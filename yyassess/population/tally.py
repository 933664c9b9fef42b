"""Counting a chunk: one number a row for who somebody is and what the rules say, and one look at each such number.

A few programmes share a number, so that a chunk is gone through a handful of times however many programmes there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import polars as pl

from yyassess.population.programmes import STATUSES

#: Age bands by their lowest age; below the first is a band of its own.
BANDS = (60, 65, 70, 75, 80, 85, 90, 95, 100)
#: Places in a group's number: sex and age together, and grade; 0 is not known.
AGES, SEXES, GRADES = 16, 4, 128
#: Statuses that share one number: 5 to the power of so many leaves room for the groups in 64 bits.
TOGETHER = 10
#: Counts of more different numbers than this are added up before going on.
MOST = 200_000
KEY, WEIGHT = "__key", "__weight"


class Groups:
    """Numbers for age band, sex, district and grade together; districts are numbered as they are met."""

    def __init__(self, sexes: Sequence[str], district: str | None) -> None:
        self.sexes, self.district = list(sexes), district
        self._districts: dict[Any, int] = {}
        self._lock = Lock()

    def key(self, codes: pl.DataFrame) -> pl.Expr:
        """The number of each row; the columns are ``age`` (band), ``sex``, ``grade`` and the district's."""

        def place(name: str) -> pl.Expr:
            if name not in codes.columns:
                return pl.lit(0, dtype=pl.Int64)
            column = pl.col(name).to_physical() if name == "sex" else pl.col(name)
            return (column.cast(pl.Int64) + 1).fill_null(0)

        number = (self._place(codes) * AGES + place("age")) * SEXES + place("sex")
        return number * GRADES + place("grade")

    def _place(self, codes: pl.DataFrame) -> pl.Expr:
        if self.district is None:
            return pl.lit(0, dtype=pl.Int64)
        with self._lock:
            for name in codes[self.district].unique(maintain_order=True):
                self._districts.setdefault(name, len(self._districts))
            names, numbers = list(self._districts), list(self._districts.values())
        return pl.col(self.district).replace_strict(names, numbers, return_dtype=pl.Int64)

    def named(self, number: int) -> dict[str, str]:
        """Age band, sex, district and grade of a number; empty where not known."""
        rest, grade = divmod(number, GRADES)
        rest, sex = divmod(rest, SEXES)
        place, age = divmod(rest, AGES)
        districts = {n: name for name, n in self._districts.items()}
        return {
            "age": _band(age),
            "sex": self.sexes[sex - 1] if sex and self.sexes else "",
            "district": str(districts.get(place) or ""),
            "grade": str(grade - 1) if grade else "",
        }


def _band(age: int) -> str:
    if not age:
        return ""
    if age == 1:
        return f"<{BANDS[0]}"
    return f"{BANDS[age - 2]}-{BANDS[age - 1] - 1}" if age - 1 < len(BANDS) else f"{BANDS[-1]}+"


@dataclass
class Tally:
    """Counts of a few programmes by group and by all their statuses together."""

    statuses: list[str] = field(default_factory=list)
    """Columns of statuses, each a place in a row's number."""
    flags: list[str] = field(default_factory=list)
    """Columns of truths: how many people."""
    money: list[str] = field(default_factory=list)
    """Columns of sums."""
    counted: pl.DataFrame | None = None

    def count(self, frame: pl.DataFrame, group: pl.Expr, weighted: bool) -> pl.DataFrame:
        """The counts of a chunk: people, for a sample also Σw and Σw², and the same of flags and sums."""
        key, w = group, pl.col(WEIGHT)
        for name in self.statuses:
            key = key * len(STATUSES) + pl.col(name).cast(pl.Int64)
        sums = [pl.len().cast(pl.Int64).alias("n")]
        sums += [pl.col(f).sum().cast(pl.Int64).alias(f) for f in self.flags]
        if weighted:
            sums += [w.sum().alias("w"), (w * w).sum().alias("w2")]
            sums += [e for f in self.flags for e in _sample(f, pl.col(f).cast(pl.Float64) * w)]
            sums += [e for m in self.money for e in _sample(m, pl.col(m).cast(pl.Float64) * w)]
        else:
            sums += [pl.col(m).cast(pl.Int64).sum().alias(m) for m in self.money]
        return frame.lazy().group_by(key.alias(KEY)).agg(sums).collect(engine="streaming")

    def add(self, found: pl.DataFrame) -> None:
        """Add the counts of a chunk."""
        both = found if self.counted is None else pl.concat([self.counted, found])
        self.counted = _summed(both, [KEY]) if len(both) > MOST or self.counted is None else both

    def cells(self, before: str, after: str) -> pl.DataFrame:
        """The counts by group, status before and status after; a programme that is not there is not in force."""
        assert self.counted is not None
        size = len(STATUSES)

        def digit(name: str) -> pl.Expr:
            if name not in self.statuses:
                return pl.lit(STATUSES.index("not_in_force"), dtype=pl.Int64)
            place = size ** (len(self.statuses) - 1 - self.statuses.index(name))
            found: pl.Expr = pl.col(KEY) // place % size
            return found

        frame = self.counted.with_columns(
            group=pl.col(KEY) // size ** len(self.statuses), before=digit(before), after=digit(after)
        )
        return _summed(frame.drop(KEY), ["group", "before", "after"])


def _sample(name: str, value: pl.Expr) -> list[pl.Expr]:
    """Σwy and Σ(wy)²."""
    return [value.sum().alias(f"{name}:w"), value.pow(2).sum().alias(f"{name}:w2")]


def _summed(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return frame.group_by(by).agg(pl.exclude(by).sum())


def bundled(programmes: Mapping[str, Sequence[str]], wanted: Mapping[str, Any]) -> dict[str, Tally]:
    """A tally for each programme, shared by a few: from the columns of its statuses and all columns there are."""
    found: dict[str, Tally] = {}
    tally = Tally()
    for id, statuses in programmes.items():
        present = [s for s in statuses if s in wanted]
        if tally.statuses and len(tally.statuses) + len(present) > TOGETHER:
            tally = Tally()
        tally.statuses += present
        for status in statuses:
            for name in wanted:
                if name.startswith(f"{status}:"):
                    (tally.flags if name.rsplit(":", 1)[1] in ("paid", "asks", "open") else tally.money).append(name)
        found[id] = tally
    return found
