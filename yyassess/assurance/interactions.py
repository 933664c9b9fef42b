"""How programmes affect each other (衔接), decided on a person who is eligible for both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yyassess.assurance.amounts import all_nodes, amount_of, row_holds
from yyassess.assurance.findings import Notebook
from yyassess.assurance.situations import Situation
from yyassess.conditions.smt import conj, neg
from yyassess.conditions.tree import Node
from yyassess.rulebook.programme import Interaction

#: Kinds by which one of two programmes gives way.
EXCLUSIVE = ("cannot_combine", "suspends", "higher_only")


def check_interactions(situation: Situation, notebook: Notebook) -> None:
    """Checks each interaction written in one text whose criteria somebody can meet."""
    for number, interaction in enumerate(situation.programme.interactions):
        if interaction.kind != "requires":
            _Interaction(situation, notebook, number, interaction).run()


class _Interaction:
    def __init__(self, situation: Situation, notebook: Notebook, number: int, interaction: Interaction) -> None:
        self.at, self.notebook, self.number, self.it = situation, notebook, number, interaction
        self.world = situation.world
        machine = self.world.machine
        self.other = machine.aliases.get(interaction.programme, interaction.programme)
        ready = machine.programmes.get(self.other)
        texts = self.world.book.programmes[ready.standing.place][self.other] if ready else None
        self.partner = Situation(self.world, ready, texts, 0) if ready and texts else None
        self.nodes: tuple[Node, ...] = all_nodes(situation) + (all_nodes(self.partner) if self.partner else ())

    def run(self) -> None:
        if self.partner is None:
            self._elsewhere()
            return
        if not any(c.configured for c in self.partner.ready.criteria):
            return
        self.notebook.count("proved", "interaction-never", self.at.id)
        both = conj((self.at.granted, self.partner.granted))
        model = self.world.find(both, self.nodes)
        parts = (self.it.programme,)
        if model is None:
            alone = self.world.find(self.at.granted, self.nodes)
            self._add("interaction-never", self.world.case(alone, self.nodes), (self.it.kind,))
            return
        self.notebook.refute("interaction-never", self.at.origin, self.at.id, (*parts, self.it.kind))
        if self.it.kind not in EXCLUSIVE:
            return
        people = [self.world.case(model, self.nodes)]
        if self.it.kind == "higher_only":
            people += [self.world.case(m, self.nodes) for m in self._hard_to_compare(both)]
        for case in people:
            self._decided(case)
        if self.it.kind == "cannot_combine":
            self._always_dropped()
            self._chain(both)

    def _decided(self, case: dict[str, Any]) -> None:
        """What the reference evaluator does with somebody eligible for both."""
        outcomes = {o["programme"]: o for o in self.world.decide(case)["outcomes"]}
        mine, other = outcomes[self.at.id], outcomes[self.it.programme]
        if mine["status"] != "eligible" or other["status"] != "eligible":
            return
        written = [i for i in mine["interactions"] if i["with"] == self.it.programme and i["kind"] == self.it.kind]
        if any(i.get("result") == "ask" for i in written):
            unknown = any(b.get("not_configured") for o in (mine, other) for b in o["benefits"])
            self._add("higher-only-incomparable", case, severity="warning" if unknown else None)
        elif "dropped_for" in mine and mine["dropped_for"] == self.it.programme and "dropped_for" in other:
            if other["dropped_for"] == self.at.id:
                self._add("exclusive-both-lost", case)
        elif "dropped_for" not in mine and "dropped_for" not in other:
            self._add("exclusive-both-granted", case)
        machine = self.world.machine
        loser = mine if "dropped_for" in mine else other
        for alias in [a for a, target in machine.aliases.items() if target == loser["programme"]]:
            if (
                outcomes[alias]["status"] == "eligible"
                and "dropped_for" not in outcomes[alias]
                and loser.get("dropped_for")
            ):
                self._add("exclusive-both-granted", case, (alias,))

    def _hard_to_compare(self, both: Any) -> Iterator[Any]:
        """People of whom one side has no amount, or amounts of different units."""
        assert self.partner is not None
        person = self.world.person
        sides = []
        for side in (self.at, self.partner):
            rows = [r for r in side.ready.benefits if amount_of(person, side, r) is not None and not r.benefit.guide]
            sides.append([(row_holds(person, side, r), str(r.benefit.unit)) for r in rows])
        wanted = [conj(neg(holds) for holds, _ in side) for side in sides]
        wanted += [conj((a, b)) for a, unit in sides[0] for b, other in sides[1] if unit != other]
        for condition in wanted:
            self.notebook.count("proved", "higher-only-incomparable", self.at.id)
            model = self.world.find(conj((both, condition)), self.nodes)
            if model is not None:
                yield model

    def _always_dropped(self) -> None:
        """Whoever is eligible here is eligible there too, and gives way: nobody ever gets this one."""
        assert self.partner is not None
        self.notebook.count("proved", "always-dropped", self.at.id)
        if self.world.find(conj((self.at.granted, neg(self.partner.granted))), self.nodes) is not None:
            self.notebook.refute("always-dropped", self.at.origin, self.at.id, (self.it.programme,))
            return
        case = self.world.case(self.world.find(self.at.granted, self.nodes), self.nodes)
        if "dropped_for" in self.world.outcome(case, self.at.id):
            self._add("always-dropped", case)

    def _chain(self, both: Any) -> None:
        """A gives way to B, which gives way to C: then B is not paid, and A is lost for nothing."""
        assert self.partner is not None
        machine = self.world.machine
        mine = {i.programme for i in self.at.programme.interactions if i.kind in EXCLUSIVE}
        for beyond in self.partner.programme.interactions:
            third = machine.programmes.get(beyond.programme)
            if beyond.kind != "cannot_combine" or third is None or beyond.programme in {*mine, self.at.id}:
                continue
            nodes = (*self.nodes, *(c.node for c in third.criteria))
            self.notebook.count("proved", "dropped-for-dropped", self.at.id)
            model = self.world.find(conj((both, self.world.person.granted(beyond.programme))), nodes)
            if model is None:
                continue
            case = self.world.case(model, nodes)
            outcomes = {o["programme"]: o for o in self.world.decide(case)["outcomes"]}
            if {"dropped_for"} <= set(outcomes[self.at.id]) & set(outcomes[self.it.programme]):
                self._add("dropped-for-dropped", case, (beyond.programme,), third=beyond.programme)

    def _elsewhere(self) -> None:
        """The other programme is not known here on this day: does it ever meet this one anywhere?"""
        book = self.world.book
        inside = [p for p in book.places if any(q.id == self.at.texts.place for q in book.chain(p))]
        around = {q.id for p in inside for q in book.chain(p)}
        if not any(self.it.programme in book.programmes.get(p, {}) for p in around):
            self._add("interaction-elsewhere", {})

    def _add(self, code: str, case: dict[str, Any], more: tuple[str, ...] = (), **fields: Any) -> None:
        at = self.at
        self.notebook.add(
            code, at.origin, at.path("interactions", self.number), at.id, (self.it.programme, *more), at.evidence(case),
            other=self.it.programme, **fields,
        )  # fmt: skip
