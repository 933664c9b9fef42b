"""From counts to the figures of a simulation: who gains, who loses, what it costs, with intervals for a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from yyassess.population.programmes import STATUSES

#: The half width of a 95 % interval, in standard errors.
Z = 1.959964
DIMENSIONS = ("age", "sex", "district", "grade")
#: Who is not paid, whatever facts may come.
NO = ("ineligible", "not_in_force")
#: Instead of a column: whoever is eligible.
ELIGIBLE = "eligible"


@dataclass
class Result:
    """Everything a study found."""

    study: Any
    names: dict[str, Any]
    scenarios: list[dict[str, Any]] = field(default_factory=list)
    people: int = 0
    weight: float = 0.0
    rejected: int = 0
    indicators: list[dict[str, Any]] = field(default_factory=list)
    ruleset: str = ""
    place: Any = None
    """The name of the place."""
    grades: dict[str, Any] = field(default_factory=dict)
    """The names of the grades, by level."""
    synthetic: bool = False
    """Whether the file says that its people are made up."""


def gains(before: str, after: str) -> bool:
    """Whether somebody is helped who was not."""
    return before in NO and after == "eligible"


def loses(before: str, after: str) -> bool:
    """Whether somebody is no longer helped who was."""
    return before == "eligible" and after in NO


def opens(before: str, after: str) -> bool:
    """Whether somebody's outcome changes from or to one that is not known."""
    return before != after and bool({before, after} & {"unknown", "not_configured"})


@dataclass(frozen=True)
class Figures:
    """Turns the counts of one programme into figures."""

    people: int
    weighted: bool
    units: Sequence[str]
    """Units of money."""
    scales: Mapping[str, int]
    """Columns of money -> the decimals of the whole numbers they hold."""
    same: Mapping[str, str]
    """Columns counted under another's name, or as who is eligible; under no name where they never hold."""
    columns: Mapping[str, str]
    """``before`` and ``after`` -> the columns that hold their flags and sums."""

    def all(self, cells: pl.DataFrame, groups: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
        """The figures of everybody, and ``by`` age band, sex, district and grade."""
        numbers = list(groups)
        named = pl.DataFrame({"group": numbers, **{d: [groups[n][d] for n in numbers] for d in DIMENSIONS}})
        every = cells.join(named.cast({"group": cells.schema["group"]}), on="group", how="left").drop("group")
        sums = pl.exclude(*DIMENSIONS, "before", "after").sum()
        figures = self.of(every.group_by("before", "after").agg(sums).rows(named=True))
        figures["by"] = {}
        for dimension in DIMENSIONS:
            if named[dimension].n_unique() < 2:
                continue
            parts: dict[str, list[dict[str, Any]]] = {}
            for row in every.group_by(dimension, "before", "after").agg(sums).rows(named=True):
                parts.setdefault(row[dimension], []).append(row)
            figures["by"][dimension] = {k or "unknown": self.of(parts[k]) for k in sorted(parts, key=_order)}
        return figures

    def of(self, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The figures of some people: one row for each status before and after."""
        counted = {
            (STATUSES[r["before"]], STATUSES[r["after"]]): r
            for r in sorted(cells, key=lambda r: (r["before"], r["after"]))
        }

        def among(holds: Any) -> dict[str, Any]:
            chosen = [c for (before, after), c in counted.items() if holds(before, after)]
            return self._count(*(sum(c.get(s, 0) for c in chosen) for s in ("n", "w", "w2")))

        listed = [{"before": b, "after": a, **self._count(c["n"], c.get("w", 0), c.get("w2", 0))}
                  for (b, a), c in counted.items()]  # fmt: skip
        figures: dict[str, Any] = {"moves": listed, "people": among(lambda b, a: True)}
        figures |= {"gain": among(gains), "lose": among(loses), "open": among(opens)}
        for side, column in self.columns.items():
            at = ("before", "after").index(side)
            figures[side] = {
                "status": {s: among(lambda *both, s=s, at=at: both[at] == s) for s in STATUSES},
                "paid": self._flag(cells, side, f"{column}:paid"),
                "amount_unknown": self._flag(cells, side, f"{column}:asks"),
                "amount_not_configured": self._flag(cells, side, f"{column}:open"),
                "cost": {unit: self._money(cells, f"{column}:{unit}") for unit in self.units},
            }
        return figures

    def _flag(self, cells: Sequence[Mapping[str, Any]], side: str, name: str) -> dict[str, Any]:
        name = self.same.get(name, name)
        if name == ELIGIBLE:
            some = [c for c in cells if c[side] == STATUSES.index(ELIGIBLE)]
            return self._count(*(_total(some, s) for s in ("n", "w", "w2")))
        return self._count(_total(cells, name), _total(cells, f"{name}:w"), _total(cells, f"{name}:w2"))

    def _money(self, cells: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
        by = 10 ** self.scales.get(name, 0)
        name = self.same.get(name, name)
        if not self.weighted:
            return {"value": _total(cells, name) / by}
        return self._interval(_total(cells, f"{name}:w") / by, _total(cells, f"{name}:w2") / by**2)

    def _count(self, n: Any, w: Any, w2: Any) -> dict[str, Any]:
        return {"n": int(n), **({"weighted": self._interval(float(w), float(w2))} if self.weighted else {})}

    def _interval(self, total: float, squares: float) -> dict[str, float]:
        """A total of a sample with half its 95 % interval: z·sqrt(n/(n-1)·(Σ(wy)² - (Σwy)²/n))."""
        variance = max(0.0, squares - total * total / max(self.people, 1)) * self.people / max(self.people - 1, 1)
        return {"value": total, "half": Z * math.sqrt(variance)}


def reached(met: float, inside: float, unknown: float, target: float, at_least: bool) -> bool | None:
    """Whether a target is reached whatever the people are of whom it is not known; ``None`` if that depends on them."""
    lowest = met / (inside + unknown) if inside + unknown else 0.0
    highest = min(1.0, (met + unknown) / inside) if inside else 1.0
    if inside + unknown == 0:
        return None
    if lowest >= target if at_least else highest <= target:
        return True
    if highest < target if at_least else lowest > target:
        return False
    return None


def _total(cells: Sequence[Mapping[str, Any]], name: str) -> Any:
    return sum(c.get(name, 0) for c in cells)


def _order(key: str) -> tuple[int, str]:
    digits = key.lstrip("<").split("-")[0].rstrip("+")
    return (int(digits) - key.startswith("<") if digits.isdigit() else 10**6, key)
