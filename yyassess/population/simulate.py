"""What if: the rules as they are beside one or more sets of changes, over the same people in one pass.

Every programme's outcome before and after is counted by age band, sex, district and grade; money is added up by unit.
What nobody knows stays apart: `unknown` (a fact is missing) and `not_configured` (the figure was never found).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from sqlglot import exp

from yyassess.conditions.sql import all_of, any_of, condition_sql, constant, surely
from yyassess.population.columns import check_names
from yyassess.population.plan import Plan, Wanted
from yyassess.population.programmes import STATUSES
from yyassess.population.running import Runner
from yyassess.population.sources import open_source, problem
from yyassess.population.steps import cases
from yyassess.rulebook.book import Rulebook

#: Age bands by their lowest age; below the first is a band of its own.
BANDS = (60, 65, 70, 75, 80, 85, 90, 95, 100)
#: The half width of a 95 % interval, in standard errors.
Z = 1.959964


@dataclass(frozen=True)
class Study:
    """What to compare."""

    source: Path
    place: str
    on: dt.date
    weight: str | None = None
    district: str | None = None
    everything: bool = False
    """Also count the programmes that no change touches."""
    ignore: tuple[str, ...] = ()
    """Columns that are no facts and are left alone."""
    in_format: str | None = None
    encoding: str = "utf-8"
    rows: int = 1_000_000


@dataclass
class Cells:
    """Counts of one programme under one scenario: by group, status before, status after."""

    frame: pl.DataFrame | None = None

    def add(self, found: pl.DataFrame) -> None:
        """Add the counts of a chunk."""
        if self.frame is not None:
            found = pl.concat([self.frame, found])
        sums = [pl.col(c).sum() for c in found.columns if c not in ("group", "before", "after")]
        self.frame = found.group_by("group", "before", "after").agg(sums)


@dataclass
class Result:
    """Everything a study found."""

    study: Study
    names: dict[str, Any]
    scenarios: list[dict[str, Any]] = field(default_factory=list)
    people: int = 0
    weight: float = 0.0
    rejected: int = 0
    groups: dict[int, dict[str, str]] = field(default_factory=dict)
    """Group number -> age band, sex, district, grade."""
    indicators: list[dict[str, Any]] = field(default_factory=list)
    ruleset: str = ""


class Simulation:
    """The base rules and the changed ones on one sheet: what they share is worked out once.

    Raises:
        InputError: a file that cannot be read, columns that do not exist. PlanError: rules that cannot be run.
    """

    def __init__(self, study: Study, base: Rulebook, changed: Sequence[tuple[str, Any, Rulebook]]) -> None:
        self.study = study
        self.source = open_source(study.source, study.in_format, study.encoding, study.rows)
        extra = [c for c in (study.weight, study.district) if c]
        if missing := [c for c in extra if c not in self.source.columns]:
            raise problem(missing[0], "文件中没有这一列", "the file has no such column", missing[0])
        check_names(base, self.source.columns, (*extra, *study.ignore))
        wanted = Wanted(reasons=False)
        self.base = Plan(base.at(study.place, study.on), self.source.columns, wanted)
        self.sheet = self.base.sheet
        self.changed = [
            (id, name, Plan(book.at(study.place, study.on), self.source.columns, wanted, self.sheet))
            for id, name, book in changed
        ]
        self.units: dict[str, tuple[str, ...]] = {}
        self.scales: dict[str, int] = {}
        self.wanted: dict[str, Any] = {}
        self._groups()
        self._money(0, self.base)
        for number, (_, _, plan) in enumerate(self.changed, 1):
            self._money(number, plan)
        self.affected = [self._affected(n) for n in range(1, len(self.changed) + 1)]
        touched = {id for ids in self.affected for id in ids}
        #: The programmes counted under the rules as they are.
        self.shown = [id for id in self.base.ids if study.everything or id in touched]
        if not study.everything:
            kept = ("age", "sex", "grade")
            self.wanted = {k: v for k, v in self.wanted.items() if k in kept or k.split(":")[1] in touched}
        self.indicators = list(self._indicators())
        self.runner = Runner(self.base, self.source.schema(), extra, self.wanted, [p for _, _, p in self.changed])

    # -- columns -------------------------------------------------------------------------------------------
    def _groups(self) -> None:
        people = self.base.people
        age, sex = people.get("age"), people.get("sex")
        if age is not None:
            bands = [(exp.GTE(this=age.sql.copy(), expression=constant(b).sql), constant(n + 1).sql)
                     for n, b in reversed(list(enumerate(BANDS)))]  # fmt: skip
            known = exp.LT(this=age.sql.copy(), expression=constant(BANDS[0]).sql)
            self.wanted["age"] = self.sheet.define(cases([*bands, (known, constant(0).sql)]))
        if sex is not None:
            self.wanted["sex"] = sex.sql
        graded = [g for g in self.base.gradings.values() if g.level is not None]
        self.graded = graded[0].it if graded else None
        if graded and graded[0].level is not None:
            self.wanted["grade"] = graded[0].level.sql

    def _money(self, number: int, plan: Plan) -> None:
        """Status and payments of every programme under one set of rules."""
        programmes = plan.programmes
        for id in plan.ids:
            self.wanted[f"{number}:{id}"] = programmes.status(id)
            target = programmes.machine.aliases.get(id, id)
            eligible, amounts = programmes.eligible(target), programmes.amounts(id)
            if eligible is None or amounts is None:
                continue
            dropped = programmes.dropped_for(id)
            stays = exp.true() if dropped is None else exp.Is(this=dropped[0].copy(), expression=exp.Null())
            paid = self.sheet.define(all_of([surely(eligible), stays, exp.not_(programmes.stopped(id))]))
            self.wanted[f"{number}:{id}:paid"] = paid
            self.wanted[f"{number}:{id}:asks"] = self.sheet.define(
                all_of([paid.copy(), surely(amounts.unknown.copy())])
            )
            if amounts.not_configured:
                self.wanted[f"{number}:{id}:open"] = paid.copy()
            self.units[id] = tuple(dict.fromkeys([*self.units.get(id, ()), *amounts.sums]))
            for unit, total in amounts.sums.items():
                when = all_of([paid.copy(), exp.not_(exp.Is(this=total.sql.copy(), expression=exp.Null()))])
                money = cases([(when, exp.cast(total.sql.copy(), "BIGINT"))], exp.cast(constant(0).sql, "BIGINT"))
                self.wanted[f"{number}:{id}:{unit}"] = self.sheet.define(money)
                self.scales[f"{number}:{id}:{unit}"] = total.scale

    def _affected(self, number: int) -> list[str]:
        """The programmes whose formulas differ from the base in any way."""
        _, _, plan = self.changed[number - 1]
        found = []
        for id in dict.fromkeys([*self.base.ids, *plan.ids]):
            mine = {k.split(":", 1)[1]: v.sql() for k, v in self.wanted.items() if _of(k, 0, id)}
            other = {k.split(":", 1)[1]: v.sql() for k, v in self.wanted.items() if _of(k, number, id)}
            if mine != other:
                found.append(id)
        return found

    def _indicators(self) -> Iterable[tuple[str, Any]]:
        """The targets of the programmes: who counts, and who fulfils them."""
        trees = self.base.book.trees.get("programmes", {})
        for id in self.shown:
            programme = self.base.programmes.machine.programmes.get(id)
            for indicator in programme.standing.programme.indicators if programme else ():
                if indicator.numerator is None:
                    continue
                inside = (
                    condition_sql(trees[indicator.denominator], self.base.people)
                    if indicator.denominator
                    else exp.true()
                )
                meets = condition_sql(trees[indicator.numerator], self.base.people)
                key = f"indicator:{id}:{indicator.id}"
                self.wanted[f"{key}:of"] = self.sheet.define(surely(inside))
                self.wanted[f"{key}:met"] = self.sheet.define(surely(all_of([inside.copy(), meets])))
                known = any_of(
                    [exp.Is(this=exp.paren(c), expression=exp.Null()) for c in (inside.copy(), meets.copy())]
                )
                self.wanted[f"{key}:unknown"] = self.sheet.define(known)
                yield key, indicator

    # -- running -------------------------------------------------------------------------------------------
    def run(self, progress: Callable[[float], None] | None = None) -> Result:
        """All figures."""
        result = Result(self.study, {})
        result.ruleset = self.base.ruleset.hash
        cells: dict[tuple[int, str], Cells] = {}
        met: dict[str, list[float]] = {key: [0, 0, 0] for key, _ in self.indicators}
        districts: dict[Any, int] = {}
        for chunk in self.source.chunks(self.runner.columns):
            done = self.runner.run(chunk)
            result.people += len(done.codes)
            result.rejected += len(done.rejects)
            frame = self._keyed(done.codes, districts, result)
            result.weight += float(frame["w"].sum())
            for id in self.shown:
                cells.setdefault((0, id), Cells()).add(self._count(frame, id, 0))
            for number, ids in enumerate(self.affected, 1):
                for id in ids:
                    cells.setdefault((number, id), Cells()).add(self._count(frame, id, number))
            for key in met:
                parts = [
                    frame.select((pl.col(f"{key}:{p}") * pl.col("w")).sum()).item() for p in ("met", "of", "unknown")
                ]
                met[key] = [a + float(b or 0) for a, b in zip(met[key], parts, strict=True)]
            if progress is not None:
                progress(min(1.0, chunk.read / max(self.source.size, 1)))
        self._collect(result, cells, met)
        return result

    def _keyed(self, codes: pl.DataFrame, districts: dict[Any, int], result: Result) -> pl.DataFrame:
        """One small number a row for its age band, sex, district and grade."""
        study = self.study
        null = pl.lit(-1)
        age = pl.col("age") if "age" in codes.columns else null
        sex = pl.col("sex").to_physical() if "sex" in codes.columns else null
        grade = pl.col("grade") if "grade" in codes.columns else null
        if study.district:
            for name in codes[study.district].unique(maintain_order=True):
                districts.setdefault(name, len(districts))
            place = pl.col(study.district).replace_strict(
                list(districts), list(districts.values()), return_dtype=pl.Int64
            )
        else:
            place = pl.lit(0, dtype=pl.Int64)
        small = (age.cast(pl.Int64).fill_null(-1) + 1) * 4 + sex.cast(pl.Int64).fill_null(-1) + 1
        key = (place * 64 + small) * 128 + grade.cast(pl.Int64).fill_null(-1) + 1
        weight = pl.col(study.weight).cast(pl.Float64) if study.weight else pl.lit(1.0)
        frame = codes.with_columns(key.cast(pl.Int64).alias("group"), weight.alias("w"))
        names = {n: name for name, n in districts.items()}
        sexes = (
            list(codes["sex"].dtype.categories)
            if "sex" in codes.columns and isinstance(codes["sex"].dtype, pl.Enum)
            else []
        )
        for number in frame["group"].unique():
            if number not in result.groups:
                result.groups[number] = self._group(number, names, sexes)
        return frame

    def _group(self, number: int, districts: dict[int, Any], sexes: list[str]) -> dict[str, str]:
        rest, grade = divmod(number, 128)
        place, small = divmod(rest, 64)
        age, sex = divmod(small, 4)
        band = (
            ""
            if not age
            else f"<{BANDS[0]}"
            if age == 1
            else f"{BANDS[age - 2]}-{BANDS[age - 1] - 1}"
            if age - 1 < len(BANDS)
            else f"{BANDS[-1]}+"
        )
        return {
            "age": band,
            "sex": sexes[sex - 1] if sex and sexes else "",
            "district": str(districts.get(place, "") or ""),
            "grade": "" if not grade else str(grade - 1),
        }

    def _count(self, frame: pl.DataFrame, id: str, number: int) -> pl.DataFrame:
        """How many people move from which status to which, and what is paid before and after."""
        weighted, w = self.study.weight is not None, pl.col("w")
        sums = [pl.len().alias("n")]
        if weighted:
            sums += [w.sum().alias("w"), (w * w).sum().alias("w2")]
        for side, when in (("before", 0), ("after", number)):
            if number == 0 and side == "after":
                continue
            for flag in ("paid", "asks", "open", *self.units.get(id, ())):
                name = f"{when}:{id}:{flag}"
                if name not in frame.columns:
                    continue
                value = pl.col(name) * w if weighted else pl.col(name)
                by = 10.0 ** self.scales.get(name, 0)
                sums.append((value.sum().cast(pl.Float64) / by).alias(f"{side}:{flag}"))
                if weighted:
                    sums.append((value.cast(pl.Float64) / by).pow(2).sum().alias(f"{side}:{flag}:2"))
        absent = pl.lit(STATUSES.index("not_in_force"), dtype=pl.Int8)
        before, after = (
            (pl.col(n) if n in frame.columns else absent).cast(pl.Int64) for n in (f"0:{id}", f"{number}:{id}")
        )
        # One number a row groups faster than three.
        cell = pl.col("group") * 25 + before * 5 + after
        found = frame.lazy().group_by(cell.alias("cell")).agg(sums).collect(engine="streaming")
        parts = [
            (pl.col("cell") // 25).alias("group"),
            (pl.col("cell") // 5 % 5).alias("before"),
            (pl.col("cell") % 5).alias("after"),
        ]
        return found.select([*parts, pl.exclude("cell")])

    # -- figures -------------------------------------------------------------------------------------------
    def _collect(self, result: Result, cells: dict[tuple[int, str], Cells], met: dict[str, list[float]]) -> None:
        plans = [("base", {"zh": "现行规则", "en": "Rules as they are"}, self.base), *self.changed]
        for number, (id, name, plan) in enumerate(plans):
            programmes = {}
            for programme in self.shown if number == 0 else self.affected[number - 1]:
                found = cells[(number, programme)].frame
                if found is not None:
                    programmes[programme] = self._figures(result, found, programme)
            result.scenarios.append({"id": id, "name": name, "programmes": programmes, "ruleset": plan.ruleset.hash})
            for programme in plan.ids:
                result.names.setdefault(programme, plan.ruleset.standings[programme].programme.name)
        for key, indicator in self.indicators:
            _, programme, id = key.split(":", 2)
            numerator, denominator, open_ = met[key]
            result.indicators.append({
                "programme": programme, "id": id, "say": indicator.say, "numerator": numerator, "denominator": denominator,
                "unknown": open_, "share": numerator / denominator if denominator else None,
                "target": float(indicator.target), "at_least": indicator.at_least, "by": indicator.by.isoformat(),
            })  # fmt: skip

    def _figures(self, result: Result, found: pl.DataFrame, programme: str) -> dict[str, Any]:
        groups = pl.DataFrame([{"group": n, **g} for n, g in result.groups.items()])
        joined = found.join(groups, on="group", how="left")
        figures = self._one(joined, programme, result.people)
        figures["by"] = {
            dimension: {
                key[0] or "unknown": self._one(part, programme, result.people)
                for key, part in sorted(
                    joined.partition_by(dimension, as_dict=True).items(), key=lambda kv: _order(str(kv[0][0]))
                )
            }
            for dimension in ("age", "sex", "district", "grade")
            if joined[dimension].n_unique() > 1
        }
        return figures

    def _one(self, found: pl.DataFrame, programme: str, people: int) -> dict[str, Any]:
        missing = [c for c in ("w", "w2") if c not in found.columns]
        found = found.with_columns([pl.lit(0.0).alias(c) for c in missing])
        moves = found.group_by("before", "after").agg(pl.col("n", "w", "w2").sum()).sort("before", "after")

        def total(name: str) -> float:
            return float(found[name].sum()) if name in found.columns else 0.0

        listed = [
            {"before": STATUSES[b], "after": STATUSES[a], **self._counted(n, w, w2, people)}
            for b, a, n, w, w2 in moves.iter_rows()
        ]
        no = ("ineligible", "not_in_force")
        figures: dict[str, Any] = {"moves": listed}
        figures["gain"] = self._joined(listed, lambda m: m["before"] in no and m["after"] == "eligible")
        figures["lose"] = self._joined(listed, lambda m: m["before"] == "eligible" and m["after"] in no)
        figures["open"] = self._joined(
            listed, lambda m: m["before"] != m["after"] and {m["before"], m["after"]} & {"unknown", "not_configured"}
        )
        for side in ("before", "after"):
            figures[side] = {
                "status": {s: self._joined(listed, partial(_is, side, s)) for s in STATUSES},
                "paid": total(f"{side}:paid"),
                "amount_unknown": total(f"{side}:asks"),
                "amount_not_configured": total(f"{side}:open"),
                "cost": {
                    unit: self._interval(total(f"{side}:{unit}"), total(f"{side}:{unit}:2"), people)
                    for unit in self.units.get(programme, ())
                },
            }
        return figures

    def _counted(self, n: int, w: float, w2: float, people: int) -> dict[str, Any]:
        if self.study.weight is None:
            return {"n": n}
        return {"n": n, "weighted": self._interval(w, w2, people)}

    def _joined(self, moves: list[dict[str, Any]], holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        chosen = [m for m in moves if holds(m)]
        joined: dict[str, Any] = {"n": sum(m["n"] for m in chosen)}
        if self.study.weight is not None:
            joined["weighted"] = {"value": sum(m["weighted"]["value"] for m in chosen)}
            # The variances of disjoint groups of one sample, with their (small) covariance left out on the safe side.
            half = math.sqrt(sum(m["weighted"]["half"] ** 2 for m in chosen))
            joined["weighted"]["half"] = half
        return joined

    def _interval(self, total: float, squares: float, people: int) -> dict[str, float]:
        """A total; for a weighted sample with half its 95 % interval: z·sqrt(n/(n-1)·(Σ(wy)² - (Σwy)²/n))."""
        if self.study.weight is None:
            return {"value": total}
        variance = max(0.0, squares - total * total / max(people, 1)) * people / max(people - 1, 1)
        return {"value": total, "half": Z * math.sqrt(variance)}


def _is(side: str, status: str, move: dict[str, Any]) -> bool:
    return bool(move[side] == status)


def _of(key: str, number: int, id: str) -> bool:
    parts = key.split(":")
    return parts[0] == str(number) and len(parts) > 1 and parts[1] == id


def _order(key: str) -> tuple[int, str]:
    digits = key.lstrip("<").split("-")[0].rstrip("+")
    return (int(digits) - key.startswith("<") if digits.isdigit() else 10**6, key)


def simulate(
    study: Study, base: Rulebook, changed: Sequence[tuple[str, Any, Rulebook]], progress: Any = None
) -> Result:
    """Compare the base rules with each set of changes, given as id, name and rulebook."""
    return Simulation(study, base, changed).run(progress)
