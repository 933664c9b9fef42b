"""A place's own text against the text of the place around it: contradictions, and what is taken away."""

from __future__ import annotations

from typing import Any

from yyassess.assurance.amounts import all_nodes, paid, totals
from yyassess.assurance.findings import Notebook
from yyassess.assurance.situations import Situation, text_number
from yyassess.assurance.world import World
from yyassess.conditions.smt import compare, conj, neg
from yyassess.rulebook.book import Rulebook


def check_override(situation: Situation, notebook: Notebook) -> None:
    """Compares a text with the one that would hold here without it."""
    outer = outer_situation(situation)
    if outer is not None:
        _Override(situation, outer, notebook).run()


def outer_situation(situation: Situation) -> Situation | None:
    """The text of the same programme in the nearest place around, if it holds on the same day."""
    book: Rulebook = situation.world.book
    for place in reversed(book.chain(situation.texts.place)[:-1]):
        texts = book.programmes.get(place.id, {}).get(situation.id)
        if texts is None:
            continue
        world = World(book.at(place.id, situation.world.day))
        ready = world.machine.programmes.get(situation.id)
        if ready is None or ready.standing.place != place.id:
            return None
        return Situation(world, ready, texts, text_number(texts, ready.standing.programme))
    return None


class _Override:
    def __init__(self, inner: Situation, outer: Situation, notebook: Notebook) -> None:
        self.inner, self.outer, self.notebook, self.world = inner, outer, notebook, inner.world
        self.nodes = (*all_nodes(inner), *all_nodes(outer))
        self.places = {"place": inner.texts.place, "parent": outer.texts.place}

    def run(self) -> None:
        if not all(any(c.configured for c in s.ready.criteria) for s in (self.inner, self.outer)):
            return
        self.notebook.count("proved", "override-contradicts", self.inner.id)
        here, there = self.inner.granted, self.outer.granted
        loser = self.world.find(conj((there, neg(here))), self.nodes)
        both = self.world.find(conj((there, here)), self.nodes)
        if loser is not None:
            self._takes_away(loser, contradicts=both is None)
        if both is not None:
            self._pays_less()

    def _takes_away(self, model: Any, contradicts: bool) -> None:
        case = self.world.case(model, self.nodes)
        code = "override-contradicts" if contradicts else "override-takes-away"
        outcome = self.world.outcome(case, self.inner.id)
        failed = tuple(c["id"] for c in outcome["criteria"] if c["status"] == "false")
        if not (self.outer.meets(case) and failed):
            self.notebook.doubt(code, self.inner.id)
            return
        self._add(code, ("criteria",), failed, case, part=failed)

    def _pays_less(self) -> None:
        here, there = totals(self.world.person, self.inner), totals(self.outer.world.person, self.outer)
        for quantity in [q for q in here if q in there]:
            self.notebook.count("proved", "override-pays-less", self.inner.id)
            wanted = (self.inner.granted, self.outer.granted, compare("<", here[quantity], there[quantity]))
            model = self.world.find(conj(wanted), self.nodes)
            if model is None:
                continue
            case = self.world.case(model, self.nodes)
            less = paid(self.world.outcome(case, self.inner.id), quantity)
            more = paid(self.outer.world.outcome(case, self.inner.id), quantity)
            if less < more:
                unit = quantity[1] or quantity[0]
                self._add("override-pays-less", ("benefits",), (quantity[0],), case, less=less, more=more, unit=unit)
            else:
                self.notebook.doubt("override-pays-less", self.inner.id)

    def _add(
        self, code: str, path: tuple[str, ...], parts: tuple[str, ...], case: dict[str, Any], **fields: Any
    ) -> None:
        at = self.inner
        self.notebook.add(code, at.origin, at.path(*path), at.id, parts, at.evidence(case), **{**self.places, **fields})
