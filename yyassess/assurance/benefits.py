"""What eligible people get: rows that overlap, gaps between rows, rows nobody gets, amounts out of bounds, indicators."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from yyassess.assurance.amounts import amount_of, row_holds, row_nodes, yearly
from yyassess.assurance.findings import Notebook
from yyassess.assurance.situations import Situation
from yyassess.conditions.smt import compare, conj, constant, neg
from yyassess.conditions.tree import Const, Node
from yyassess.entitlement.plan import ReadyBenefit


def check_benefits(situation: Situation, notebook: Notebook) -> None:
    """Checks benefits, services and effects of one text whose criteria somebody can meet."""
    _Benefits(situation, notebook).run()


class _Benefits:
    def __init__(self, situation: Situation, notebook: Notebook) -> None:
        self.at, self.notebook, self.world = situation, notebook, situation.world
        self.person = situation.world.person
        self.rows = situation.ready.benefits

    def run(self) -> None:
        self._overlaps()
        self._gap()
        for number, row in enumerate(self.rows):
            if row.benefit.when is not None:
                self._never("benefit-never", "benefits", number, row.benefit.when, row.benefit.id)
            self._bounds(number, row)
        for number, (service, _) in enumerate(self.at.ready.services):
            if service.when is not None:
                self._never("service-never", "services", number, service.when, service.say)
        for number, (effect, _) in enumerate(self.at.ready.effects):
            if effect.when is not None:
                self._effect(number, effect)
        self._indicators()

    def holds(self, row: ReadyBenefit) -> Any:
        return row_holds(self.person, self.at, row)

    def shown(self, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The rows the reference evaluator gives for certain."""
        rows = self.world.outcome(case, self.at.id)["benefits"]
        return {row["id"]: row for row in rows if "depends_on" not in row}

    def found(self, code: str, path: tuple[str | int, ...], parts: tuple[str, ...], case: Any, **fields: Any) -> None:
        self.notebook.add(
            code, self.at.origin, self.at.path(*path), self.at.id, parts, self.at.evidence(case), **fields
        )

    # -- rows together ------------------------------------------------------------------------------------------------
    def _overlaps(self) -> None:
        money = [(n, r, amount_of(self.person, self.at, r)) for n, r in enumerate(self.rows) if not r.benefit.guide]
        for (_, one, first), (number, other, second) in combinations([m for m in money if m[2] is not None], 2):
            if set(one.names) != set(other.names):
                continue  # asked of different facts, they are paid for different things and add up
            (unit, times), (unit_too, times_too) = yearly(str(one.benefit.unit)), yearly(str(other.benefit.unit))
            if unit != unit_too:
                continue
            self.notebook.count("proved", "benefit-overlap", self.at.id)
            nodes = (*self.at.nodes, *row_nodes(self.at, one), *row_nodes(self.at, other))
            both = conj(
                (self.at.granted, self.holds(one), self.holds(other), compare("<>", first * times, second * times_too))
            )
            model = self.world.find(both, nodes)
            if model is None:
                continue
            case = self.world.case(model, nodes)
            ids = (one.benefit.id, other.benefit.id)
            shown = self.shown(case)
            if set(ids) <= set(shown) and None not in {shown[i].get("amount") for i in ids}:
                self.found("benefit-overlap", ("benefits", number), ids, case, first=ids[0], second=ids[1])
            else:
                self.notebook.doubt("benefit-overlap", self.at.id)

    def _gap(self) -> None:
        """Rows with figures (or that say which figure is not known) answer for each other; mere words do not."""
        answers = [r for r in self.rows if _answers(r)] or list(self.rows)
        if not answers or any(r.benefit.when is None for r in answers):
            return
        self.notebook.count("proved", "benefit-gap", self.at.id)
        nodes = (*self.at.nodes, *(n for r in answers for n in row_nodes(self.at, r, amounts=False)))
        model = self.world.find(conj((self.at.granted, *(neg(self.holds(r)) for r in answers))), nodes)
        if model is None:
            return
        case = self.world.case(model, nodes)
        if self.at.meets(case) and not set(self.shown(case)) & {r.benefit.id for r in answers}:
            self.found("benefit-gap", ("benefits",), (), case)
        else:
            self.notebook.doubt("benefit-gap", self.at.id)

    # -- one row ------------------------------------------------------------------------------------------------------
    def _never(self, code: str, key: str, number: int, when: str, part: Any) -> None:
        node: Node = self.world.machine.trees[when]
        self.notebook.count("proved", code, self.at.id)
        nodes = (*self.at.nodes, node)
        parts = (part,) if isinstance(part, str) else (str(number + 1),)
        if self.world.find(conj((self.at.granted, self.person.yes(node))), nodes) is None:
            case = self.world.case(self.world.find(self.at.granted, nodes), nodes)
            self.found(code, (key, number), parts, case, **({} if isinstance(part, str) else {"part": part}))
        else:
            self.notebook.refute(code, self.at.origin, self.at.id, parts)

    def _bounds(self, number: int, row: ReadyBenefit) -> None:
        amount, benefit = amount_of(self.person, self.at, row), row.benefit
        if amount is None:
            return
        nodes = (*self.at.nodes, *row_nodes(self.at, row))
        gets = (self.at.granted, self.holds(row))
        limits: list[tuple[str, Any]] = [("amount-negative", compare("<", amount, 0))]
        if benefit.cap is not None and _currency(benefit.cap_unit or benefit.unit) == _currency(benefit.unit):
            limits.append(("amount-above-cap", compare(">", amount, constant(benefit.cap))))
        for code, beyond in limits:
            self.notebook.count("proved", code, self.at.id)
            model = self.world.find(conj((*gets, beyond)), nodes)
            if model is None:
                continue
            case = self.world.case(model, nodes)
            given = self.shown(case).get(benefit.id, {}).get("amount")
            if given is not None and (given < 0 if code == "amount-negative" else given > benefit.cap):
                self.found(code, ("benefits", number), (benefit.id,), case)
            else:
                self.notebook.doubt(code, self.at.id)

    def _effect(self, number: int, effect: Any) -> None:
        node = self.world.machine.trees[effect.when]
        nodes, holds = (*self.at.nodes, node), self.person.yes(node)
        self.notebook.count("proved", "effect-never", self.at.id)
        path, parts = ("effects", number), (str(number + 1),)
        happens = self.world.find(conj((self.at.granted, holds)), nodes)
        if happens is None:
            case = self.world.case(self.world.find(self.at.granted, nodes), nodes)
            self.found("effect-never", path, parts, case, part=effect.say)
            return
        self.notebook.refute("effect-never", self.at.origin, self.at.id, parts)
        if self.world.find(conj((self.at.granted, neg(holds))), nodes) is not None:
            self.notebook.refute("effect-always", self.at.origin, self.at.id, parts)
            return
        case = self.world.case(happens, nodes)
        if {"suspended", "ended"} & set(self.world.outcome(case, self.at.id)):
            self.found("effect-always", path, parts, case, part=effect.say)

    # -- indicators ---------------------------------------------------------------------------------------------------
    def _indicators(self) -> None:
        trees = self.world.machine.trees
        for number, indicator in enumerate(self.at.programme.indicators):
            if indicator.numerator is None:
                continue
            inner: Node = trees[indicator.numerator]
            outer: Node = trees[indicator.denominator] if indicator.denominator else Const(True)
            counted, base = self.person.yes(inner), self.person.yes(outer)
            self.notebook.count("proved", "indicator-never", self.at.id)
            if self.world.find(conj((counted, base)), (inner, outer)) is None:
                self.found("indicator-never", ("indicators", number), (indicator.id,), {})


def _answers(row: ReadyBenefit) -> bool:
    benefit = row.benefit
    return not benefit.guide and (
        benefit.not_configured or any(v is not None for v in (benefit.amount, benefit.share, benefit.cap))
    )


def _currency(unit: Any) -> str:
    return str(unit).split("/")[0]
