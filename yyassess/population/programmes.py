"""The programmes of a ruleset as column formulas: status, deciding criterion, amount, what gives way to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlglot import exp

from yyassess.conditions.sql import (
    Value,
    aligned,
    all_of,
    any_of,
    arithmetic,
    compare,
    condition_sql,
    constant,
    is_known,
    is_unknown,
    surely,
    unknown,
    value_sql,
    whole,
)
from yyassess.conditions.tree import Node, facts_of
from yyassess.entitlement.benefits import amount_on
from yyassess.entitlement.plan import ReadyProgramme, ReadyRuleset
from yyassess.population.people import People
from yyassess.population.steps import cases, small

STATUSES = ("eligible", "ineligible", "unknown", "not_configured", "not_in_force")
ELIGIBLE, INELIGIBLE, UNKNOWN, NOT_CONFIGURED, NOT_IN_FORCE = range(5)


@dataclass(frozen=True)
class Amounts:
    """What a programme pays, by unit."""

    settled: Any
    """Whether every row is known to apply or not, and every amount that applies is known."""
    unknown: Any
    """Whether a fact is missing that an amount or its condition asks for."""
    present: dict[str, Any]
    sums: dict[str, Value]
    not_configured: bool
    """A row whose figure nobody could find, so that the cost is not all known."""

    def single(self, unit: str) -> Any:
        """Whether the amount is settled and in this unit alone."""
        others = [exp.not_(p.copy()) for u, p in self.present.items() if u != unit]
        return all_of([self.settled.copy(), self.present[unit].copy(), *others])


class Programmes:
    """The formulas of every programme of a ruleset."""

    def __init__(self, machine: ReadyRuleset, people: People) -> None:
        self.machine, self.people, self.sheet = machine, people, people.sheet
        self.ruleset = machine.ruleset
        people.eligible = self.eligible
        self._truths: dict[str, Any] = {}
        self._outcomes: dict[str, Any] = {}
        self._amounts: dict[str, Amounts | None] = {}
        self._hangs: dict[str, Any] = {}
        self._drops: dict[str, list[tuple[Any, str]]] | None = None

    def text_of(self, id: str) -> ReadyProgramme | None:
        """The programme behind an id, seen through a pointer to another; none when not in force."""
        return self.machine.programmes.get(self.machine.aliases.get(id, id))

    def truth(self, programme: ReadyProgramme, number: int) -> Any:
        """Whether a criterion holds: each distinct condition once, whoever uses it."""
        criterion = programme.criteria[number]
        if criterion.key not in self._truths:
            self._truths[criterion.key] = self.sheet.define(condition_sql(criterion.node, self.people))
        return self._truths[criterion.key].copy()

    def eligible(self, id: str) -> Any:
        """The outcome as true, false or unknown; what is not in force or of another place is not had here."""
        id = self.machine.aliases.get(id, id)
        programme = self.machine.programmes.get(id)
        if programme is None:
            return exp.false()
        if id not in self._outcomes:
            truths = [self.truth(programme, n) for n in range(len(programme.criteria))]
            self._outcomes[id] = self.sheet.define(all_of(truths))
        return self._outcomes[id].copy()

    def status(self, id: str) -> Any:
        """The status as the place in `STATUSES`."""
        programme = self.text_of(id)
        if programme is None:
            return self.sheet.define(small(NOT_IN_FORCE))
        configured = [n for n, c in enumerate(programme.criteria) if c.configured]
        if len(configured) < len(programme.criteria):
            holds = self.sheet.define(all_of([self.truth(programme, n) for n in configured]))
            yes = NOT_CONFIGURED
        else:
            holds, yes = self.eligible(programme.standing.id), ELIGIBLE
        if isinstance(holds, exp.Boolean):
            return self.sheet.define(small(yes if holds.this else INELIGIBLE))
        branches = [(holds, small(yes)), (exp.not_(holds.copy()), small(INELIGIBLE))]
        hanging = self._hanging(programme)
        if hanging is not None:
            branches.append((hanging, small(NOT_CONFIGURED)))
        return self.sheet.define(cases(branches, small(UNKNOWN)))

    def _hanging(self, programme: ReadyProgramme) -> Any:
        """Whether all that is open hangs on programmes whose content nobody found; ``None`` where none is asked about.

        Such a person has nothing left to say: with these contents supposed to be fulfilled, every criterion is known.
        """
        if not any(self._unfound(n) for c in programme.criteria for n in others_of(c.node)):
            return None
        id = programme.standing.id
        if id not in self._hangs:
            nodes = [self.machine.inlined(c.node) for c in programme.criteria if c.configured]
            supposed = [self.sheet.define(condition_sql(node, self.people)) for node in nodes]
            self._hangs[id] = self.sheet.define(all_of([is_known(s) for s in supposed]))
        return self._hangs[id].copy()

    def _unfound(self, id: str) -> bool:
        """Whether a programme, or one that it asks about, has content that nobody found."""
        programme = self.machine.programmes.get(id)
        return programme is not None and any(
            not c.configured or any(self._unfound(n) for n in others_of(c.node)) for c in programme.criteria
        )

    def criteria(self, id: str) -> tuple[str, ...]:
        """The ids of a programme's criteria, in order."""
        programme = self.text_of(id)
        return tuple(c.id for c in programme.criteria) if programme else ()

    def reason(self, id: str) -> Any:
        """The place of the first criterion that decided: false, else unknown, else not configured; none if eligible.

        Where all that is open hangs on what nobody found, the programme's own unfound criterion comes first.
        """
        programme = self.text_of(id)
        if programme is None:
            return None
        numbers = range(len(programme.criteria))
        known = [n for n in numbers if programme.criteria[n].configured]
        open_ = [n for n in numbers if not programme.criteria[n].configured]
        branches = [(_false(self.truth(programme, n)), small(n)) for n in known]
        hanging = self._hanging(programme) if open_ else None
        if hanging is not None:
            branches.append((hanging, small(open_[0])))
        branches += [(is_unknown(self.truth(programme, n)), small(n)) for n in known]
        return self.sheet.define(cases(branches, small(open_[0]) if open_ else None))

    # -- money ---------------------------------------------------------------------------------------------
    def amounts(self, id: str) -> Amounts | None:
        """What the programme pays; ``None`` where its text names no amount (guide values do not count)."""
        programme = self.text_of(id)
        if programme is None:
            return None
        key = programme.standing.id
        if key not in self._amounts:
            self._amounts[key] = self._paid(programme)
        return self._amounts[key]

    def _paid(self, programme: ReadyProgramme) -> Amounts | None:
        rows = [r for r in programme.benefits if r.benefit.amount is not None and not r.benefit.guide]
        open_rows = any(r.benefit.not_configured and not r.benefit.guide for r in programme.benefits)
        settled, asks, present, sums = [], [], {}, {}
        by_unit: dict[str, list[tuple[Any, Value | None]]] = {}
        for row in rows:
            when = row.benefit.when
            tree = self.machine.trees[when] if when else None
            holds = self.sheet.define(condition_sql(tree, self.people)) if tree is not None else exp.true()
            amount = self._amount(row)
            figure = row.amount is not None or amount is not None
            known = is_known(amount.sql) if amount is not None else exp.false()
            settled.append(any_of([_false(holds.copy()), all_of([holds.copy(), known])]))
            if figure:
                asks.append(
                    any_of([is_unknown(holds), all_of([surely(holds.copy()), exp.not_(exp.paren(known.copy()))])])
                )
            else:
                open_rows = True
            by_unit.setdefault(row.benefit.unit, []).append((holds, amount))
        if not rows:
            return Amounts(exp.false(), exp.false(), {}, {}, True) if open_rows else None
        for unit, parts in by_unit.items():
            present[unit] = self.sheet.define(any_of([surely(h.copy()) for h, _ in parts]))
            sums[unit] = self._sum([(h, a) for h, a in parts if a is not None])
        every = self.sheet.define(surely(all_of(settled)))
        return Amounts(every, self.sheet.define(any_of(asks)), present, sums, open_rows)

    def _amount(self, row: Any) -> Value | None:
        """The amount of a row; ``None`` where nobody knows the figure."""
        amount = row.benefit.amount
        if isinstance(amount, str):
            return value_sql(self.machine.trees[amount], self.people)
        figure = amount_on(row, {}, self.ruleset.on)
        return None if figure is None else constant(Decimal(figure))

    def _sum(self, parts: Sequence[tuple[Any, Value]]) -> Value:
        if not parts:
            return constant(0)
        total: Value | None = None
        for (holds, _), value in zip(parts, aligned(*(v for _, v in parts)), strict=True):
            low, high = min(0, value.low), max(0, value.high)
            worth = exp.cast(value.sql, Value(None, "integer", low, high).stored)
            one = self.sheet.define(cases([(holds.copy(), worth)], exp.cast(whole(0), "BIGINT")))
            part = Value(exp.cast(one, "BIGINT"), value.type, low, high, value.scale)
            total = part if total is None else arithmetic("+", total, part)
        assert total is not None
        return Value(self.sheet.define(total.sql), total.type, total.low, total.high, total.scale)

    # -- interactions --------------------------------------------------------------------------------------
    def dropped_for(self, id: str) -> tuple[Any, tuple[str, ...]] | None:
        """The programme this one gives way to, as its place in a list of ids; ``None`` where it never does."""
        if self._drops is None:
            self._drops = self._settled()
        events = self._drops.get(self.machine.aliases.get(id, id))
        if not events:
            return None
        winners = tuple(dict.fromkeys(w for _, w in events))
        branches = [(condition.copy(), small(winners.index(winner))) for condition, winner in reversed(events)]
        return self.sheet.define(cases(branches)), winners

    def _settled(self) -> dict[str, list[tuple[Any, str]]]:
        """Who gives way to whom and when, in the order of `interactions.settle`: the last that applies counts."""
        drops: dict[str, list[tuple[Any, str]]] = {}
        for id, programme in self.machine.programmes.items():
            for interaction in programme.standing.programme.interactions:
                other = interaction.programme
                if other not in self.machine.programmes:
                    continue
                both = [surely(self.eligible(id)), surely(self.eligible(other))]
                if interaction.kind == "cannot_combine":
                    drops.setdefault(id, []).append((self.sheet.define(all_of(both)), other))
                elif interaction.kind == "suspends":
                    drops.setdefault(other, []).append((self.sheet.define(all_of(both)), id))
                elif interaction.kind == "higher_only":
                    for less, condition in self._higher(id, other):
                        when = self.sheet.define(all_of([*(b.copy() for b in both), condition]))
                        loser, winner = (id, other) if less else (other, id)
                        drops.setdefault(loser, []).append((when, winner))
        return drops

    def _higher(self, id: str, other: str) -> list[tuple[bool, Any]]:
        first, second = self.amounts(id), self.amounts(other)
        if first is None or second is None:
            return []
        found = []
        for unit in first.sums:
            if unit in second.sums:
                comparable = all_of([first.single(unit), second.single(unit)])
                for less, op in ((True, "<"), (False, ">=")):
                    order = compare(op, first.sums[unit], second.sums[unit])
                    found.append((less, all_of([comparable.copy(), surely(order)])))
        return found

    def stopped(self, id: str) -> Any:
        """Whether something known suspends or ends the benefit."""
        programme = self.text_of(id)
        if programme is None:
            return exp.false()
        ends = [
            surely(condition_sql(self.machine.trees[effect.when], self.people))
            for effect, _ in programme.effects
            if effect.when
        ]
        return self.sheet.define(any_of(ends))


def others_of(node: Node) -> list[str]:
    """The programmes a condition asks about."""
    return [n.removeprefix("eligible:") for n in facts_of(node) if n.startswith("eligible:")]


def _false(truth: Any) -> Any:
    return exp.not_(truth)


__all__ = ["STATUSES", "Amounts", "Programmes", "unknown"]
