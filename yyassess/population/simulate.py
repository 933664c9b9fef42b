"""What if: the rules as they are beside one or more sets of changes, over the same people in one pass.

Every programme's outcome before and after is counted by age band, sex, district and grade; money is added up by unit.
What nobody knows stays apart: `unknown` (a fact is missing) and `not_configured` (the figure was never found).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlglot import exp

from yyassess.conditions.sql import all_of, any_of, condition_sql, constant, surely
from yyassess.population.columns import check_names
from yyassess.population.figures import ELIGIBLE, Figures, Result, reached
from yyassess.population.plan import Plan, Wanted
from yyassess.population.running import Runner
from yyassess.population.sources import ROWS, Chunk, open_source, problem, repeated
from yyassess.population.steps import cases
from yyassess.population.tally import BANDS, WEIGHT, Groups, Tally, bundled
from yyassess.population.workers import worked
from yyassess.rulebook.book import Rulebook


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
    rows: int = ROWS


@dataclass
class _Counted:
    """What one chunk adds."""

    people: int
    rejected: int
    weight: float
    tallies: list[pl.DataFrame]
    indicators: dict[str, float]
    ids: pl.Series | None
    read: int


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
        if "id" not in self.source.columns:
            raise problem("id", "缺少 id 列", "the column id is missing", self.source.columns[:20])
        check_names(base, self.source.columns, (*extra, *study.ignore))
        wanted = Wanted(reasons=False)
        self.base = Plan(base.at(study.place, study.on), self.source.columns, wanted)
        self.sheet = self.base.sheet
        self.changed = [
            (id, name, Plan(book.at(study.place, study.on), self.source.columns, wanted, self.sheet))
            for id, name, book in changed
        ]
        self.units: dict[str, tuple[str, ...]] = {}
        #: Columns of who is paid that say no more than who is eligible.
        self.simply_paid: set[str] = set()
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
        self.wanted = {k: v for k, v in self.wanted.items() if self._counts(k, touched)}
        self.same = self._alike()
        self.indicators = list(self._indicators())
        counted = dict.fromkeys([*self.shown, *touched])
        statuses = {id: [f"{n}:{id}" for n in range(len(self.changed) + 1)] for id in counted}
        self.tallies = bundled(statuses, self.wanted)
        sexes = self.base.people.get("sex") and self.base.book.facts["sex"].codes
        self.groups = Groups(list(sexes or ()), study.district)
        self.runner = Runner(self.base, self.source.schema(), extra, self.wanted, [p for _, _, p in self.changed])

    def _counts(self, key: str, touched: set[str]) -> bool:
        """Whether a column is counted: who people are, the base, and what a change touches."""
        number, _, rest = key.partition(":")
        if not rest:
            return True
        id = rest.split(":")[0]
        if number == "0":
            return self.study.everything or id in touched
        return id in self.affected[int(number) - 1]

    def _alike(self) -> dict[str, str]:
        """Truths and sums that are another column's over again are counted once; what never holds is not counted."""
        first: dict[tuple[str, str], str] = {}
        same: dict[str, str] = {}
        for key, formula in self.wanted.items():
            parts = key.split(":")
            if len(parts) > 2 and parts[0] != "indicator":
                text = formula.sql()
                if text in self.simply_paid:
                    same[key] = ELIGIBLE
                else:
                    same[key] = "" if text == "FALSE" else first.setdefault((parts[1], text), key)
        self.wanted = {k: v for k, v in self.wanted.items() if same.get(k, k) == k}
        return same

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
            ends = programmes.stopped(id)
            needs = [surely(eligible)]
            if dropped is not None:
                needs.append(exp.Is(this=dropped[0].copy(), expression=exp.Null()))
            if not isinstance(ends, exp.Boolean) or ends.this:
                needs.append(exp.not_(ends))
            paid = self.sheet.define(all_of(needs))
            if len(needs) == 1:
                self.simply_paid.add(paid.sql())
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
        """All figures.

        Raises:
            InputError: an id occurs more than once, a weight that is missing or negative.
        """
        standings = {**self.base.ruleset.standings}
        for _, _, plan in self.changed:
            standings |= plan.ruleset.standings
        result = Result(self.study, {id: s.programme.name for id, s in standings.items()})
        result.ruleset, result.place = self.base.ruleset.hash, self.base.ruleset.place.name
        result.synthetic = self.source.synthetic
        if self.graded is not None:
            result.grades = {str(level.level): level.name for level in self.graded.levels}
        met: dict[str, float] = {}
        tallies = list({id(t): t for t in self.tallies.values()}.values())
        ids: list[pl.Series] = []
        pieces = self.source.pieces(self.runner.columns)
        for found in worked(pieces, lambda read: self._counted(read(), tallies)):
            result.people += found.people
            result.rejected += found.rejected
            result.weight += found.weight
            for tally, frame in zip(tallies, found.tallies, strict=True):
                tally.add(frame)
            for key, number in found.indicators.items():
                met[key] = met.get(key, 0.0) + number
            if found.ids is not None:
                ids.append(found.ids)
            if progress is not None:
                progress(min(1.0, found.read / max(self.source.size, 1)))
        if ids and (twice := repeated(ids)) is not None:
            self._refuse(twice)
        self._collect(result, met)
        return result

    def _counted(self, chunk: Chunk, tallies: Sequence[Tally]) -> _Counted:
        done = self.runner.run(chunk)
        study, codes = self.study, done.codes
        if study.weight:
            weight = codes[study.weight].cast(pl.Float64, strict=False)
            if weight.null_count() or (len(weight) and float(weight.min() or 0) < 0):  # type: ignore[arg-type]
                raise problem(study.weight, "权重缺失、为负或不是数", "a weight is missing, negative or no number")
            codes = codes.with_columns(weight.alias(WEIGHT))
        group = self.groups.key(codes)
        weighted = study.weight is not None
        frames = [tally.count(codes, group, weighted) for tally in tallies]
        w = pl.col(WEIGHT) if weighted else pl.lit(1.0)
        parts = [f"{key}:{p}" for key, _ in self.indicators for p in ("met", "of", "unknown")]
        sums = codes.select([(pl.col(p).cast(pl.Float64) * w).sum().alias(p) for p in parts]) if parts else None
        met = sums.row(0, named=True) if sums is not None else {}
        total = float(codes[WEIGHT].sum()) if weighted else float(len(codes))
        return _Counted(len(codes), len(done.rejects), total, frames, met, done.ids.hash(), chunk.read)

    def _refuse(self, twice: pl.Series) -> None:
        """Somebody counted twice makes every figure wrong: nothing is counted then."""
        seen: set[str] = set()
        again: dict[str, None] = {}
        for chunk in self.source.chunks(["id"]):
            ids = chunk.frame["id"].cast(pl.String)
            for one in ids.filter(chunk.frame["id"].hash().is_in(twice.implode())):
                if one in seen:
                    again[one] = None
                seen.add(one)
        if again:
            shown = list(again)[:10]
            en = "the same id occurs more than once, which would count people twice"
            raise problem("id", "同一 id 出现多次，会把人重复计算", en, shown)

    # -- figures -------------------------------------------------------------------------------------------
    def _collect(self, result: Result, met: dict[str, float]) -> None:
        plans = [("base", {"zh": "现行规则", "en": "Rules as they are"}, self.base), *self.changed]
        for number, (name, said, plan) in enumerate(plans):
            programmes = {}
            for id in self.shown if number == 0 else self.affected[number - 1]:
                if self.tallies[id].counted is not None:
                    programmes[id] = self._figures(result, id, number)
            result.scenarios.append({"id": name, "name": said, "programmes": programmes, "ruleset": plan.ruleset.hash})
        for key, indicator in self.indicators:
            _, programme, id = key.split(":", 2)
            numerator, denominator, open_ = (met.get(f"{key}:{p}", 0.0) for p in ("met", "of", "unknown"))
            result.indicators.append({
                "programme": programme, "id": id, "say": indicator.say, "numerator": numerator, "denominator": denominator,
                "unknown": open_, "reached": reached(numerator, denominator, open_, float(indicator.target), indicator.at_least), "share": numerator / denominator if denominator else None,
                "target": float(indicator.target), "at_least": indicator.at_least, "by": indicator.by.isoformat(),
            })  # fmt: skip

    def _figures(self, result: Result, id: str, number: int) -> dict[str, Any]:
        sides = {"before": f"0:{id}", "after": f"{number}:{id}"}
        cells = self.tallies[id].cells(*sides.values())
        groups = {n: self.groups.named(n) for n in cells["group"].unique()}
        weighted = self.study.weight is not None
        return Figures(result.people, weighted, self.units.get(id, ()), self.scales, self.same, sides).all(
            cells, groups
        )


def _of(key: str, number: int, id: str) -> bool:
    parts = key.split(":")
    return parts[0] == str(number) and len(parts) > 1 and parts[1] == id


def simulate(
    study: Study, base: Rulebook, changed: Sequence[tuple[str, Any, Rulebook]], progress: Any = None
) -> Result:
    """Compare the base rules with each set of changes, given as id, name and rulebook."""
    return Simulation(study, base, changed).run(progress)
