"""Criteria of programmes: can anybody meet them, does each of them matter, do two programmes say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from yyassess.assurance.findings import Evidence, Notebook
from yyassess.assurance.situations import Situation, asks_for_day, figure, places_in_order, text_number, turning_days
from yyassess.assurance.wording import sql_of
from yyassess.assurance.world import World
from yyassess.conditions.smt import conj, neg
from yyassess.conditions.tree import And, Compare, Literal, Node, Not, OneOf, Or
from yyassess.entitlement.plan import ReadyCriterion, ReadyProgramme
from yyassess.rulebook.book import Rulebook


def check_criteria(situation: Situation, notebook: Notebook) -> bool:
    """Checks the criteria of one text; whether anybody can be granted the programme at all."""
    return _Criteria(situation, notebook).run()


class _Criteria:
    def __init__(self, situation: Situation, notebook: Notebook) -> None:
        self.at, self.notebook, self.world = situation, notebook, situation.world
        self.criteria = situation.ready.criteria
        self.nodes = situation.nodes
        self.yes = {c.id: situation.world.person.yes(c.node) for c in self.criteria}

    def run(self) -> bool:
        if not any(c.configured for c in self.criteria):
            return False
        model = self.world.find(self.at.granted, self.nodes)
        self.notebook.count("proved", "never-satisfiable", self.at.id)
        if model is None:
            self._nobody()
            return False
        ids = tuple(c.id for c in self.criteria)
        if asks_for_day(self.at):
            self._refute("never-satisfiable", ())
        self._refute("criterion-never-true", *((id,) for id in ids))
        somebody = self.world.case(model, self.nodes)
        if not self.at.meets(somebody):
            self.notebook.doubt("never-satisfiable", self.at.id)
        if self._everybody():
            return True
        self._each(somebody)
        for criterion in self.criteria:
            if criterion.configured:
                self._parts(criterion, somebody)
        return True

    # -- nobody -----------------------------------------------------------------------------------------------------
    def _nobody(self) -> None:
        impossible = [c for c in self.criteria if self.world.find(self.yes[c.id], [c.node]) is None]
        for criterion in impossible:
            model = self.world.find(True, self.nodes)
            self._report("criterion-never-true", (criterion,), model, partial(_is_false, criterion.id))
        if impossible:
            return
        core = list(self.criteria)
        for criterion in self.criteria:
            rest = [c for c in core if c is not criterion]
            if self.world.find(conj(self.yes[c.id] for c in rest), self.nodes) is None:
                core = rest
        nearly = self.world.find(conj(self.yes[c.id] for c in core[1:]), self.nodes)
        self._report("never-satisfiable", core, nearly, partial(_is_false, core[0].id))

    # -- everybody --------------------------------------------------------------------------------------------------
    def _everybody(self) -> bool:
        if self.world.find(neg(self.at.granted), self.nodes) is not None:
            self._refute("always-eligible", tuple(c.id for c in self.criteria))
            return False
        model = self.world.find(True, self.nodes)
        self._report("always-eligible", self.criteria, model, _none_false)
        return True

    def _each(self, somebody: dict[str, Any]) -> None:
        for criterion in self.criteria:
            if not criterion.configured:
                continue
            others = [self.yes[c.id] for c in self.criteria if c is not criterion]
            self.notebook.count("proved", "criterion-never-matters", self.at.id)
            if self.world.find(neg(self.yes[criterion.id]), [criterion.node]) is None:
                self._found("criterion-always-true", (criterion,), somebody)
                continue
            self._refute("criterion-always-true", (criterion.id,))
            if others and self.world.find(conj([*others, neg(self.yes[criterion.id])]), self.nodes) is None:
                self._found("criterion-never-matters", (criterion,), somebody)
            else:
                self._refute("criterion-never-matters", (criterion.id,))

    def _parts(self, criterion: ReadyCriterion, somebody: dict[str, Any]) -> None:
        """Parts of a condition without which it says the same."""
        person = self.world.person
        for part, without in redundant_candidates(criterion.node):
            self.notebook.count("proved", "part-never-matters", self.at.id)
            one, other = self.yes[criterion.id], person.yes(without)
            if self.world.find(conj((one, neg(other))), [criterion.node]) is None and (
                self.world.find(conj((other, neg(one))), [criterion.node]) is None
            ):
                self._found("part-never-matters", (criterion,), somebody, text=sql_of(part))
            else:
                self._refute("part-never-matters", (criterion.id, sql_of(part)))

    # -- reporting --------------------------------------------------------------------------------------------------
    def _report(
        self,
        code: str,
        criteria: Sequence[ReadyCriterion],
        model: Any,
        confirmed: Callable[[dict[str, bool | None]], bool],
    ) -> None:
        """A finding with the person of a model, if the reference evaluator sees the criteria as claimed."""
        if model is None:
            self._found(code, criteria, {})
            return
        case = self.world.case(model, self.nodes)
        told = {"true": True, "false": False, "unknown": None}
        truths = {c["id"]: told[c["status"]] for c in self.world.outcome(case, self.at.id)["criteria"]}
        if confirmed(truths):
            self._found(code, criteria, case)
        else:
            self.notebook.doubt(code, self.at.id)

    def _found(self, code: str, criteria: Sequence[ReadyCriterion], case: dict[str, Any], **fields: Any) -> None:
        ids = tuple(c.id for c in criteria)
        number = self._number(ids[0])
        path = self.at.path("criteria", number) if number is not None else self.at.path()
        evidence = self.at.evidence(case)
        if len(ids) > 1:
            path = self.at.path("criteria")
        text = (fields["text"],) if "text" in fields else ()
        self.notebook.add(code, self.at.origin, path, self.at.id, (*ids, *text), evidence, **fields)

    def _refute(self, code: str, *parts: tuple[str, ...]) -> None:
        for part in parts:
            self.notebook.refute(code, self.at.origin, self.at.id, part)

    def _number(self, id: str) -> int | None:
        return next((n for n, c in enumerate(self.at.programme.criteria) if c.id == id), None)


def _is_false(id: str, truths: dict[str, bool | None]) -> bool:
    return truths[id] is False


def _none_false(truths: dict[str, bool | None]) -> bool:
    return False not in truths.values()


def redundant_candidates(node: Node) -> Iterator[tuple[Node, Node]]:
    """Each part of an AND or OR, with the condition without it; the two ends of a BETWEEN stay together."""
    match node:
        case And(parts) | Or(parts):
            kind = type(node)
            together = _between(node)
            for number, part in enumerate(parts):
                rest = parts[:number] + parts[number + 1 :]
                if not together:
                    yield part, (rest[0] if len(rest) == 1 else kind(rest))
                for inner, without in redundant_candidates(part):
                    yield inner, kind((*parts[:number], without, *parts[number + 1 :]))
        case Not(part):
            for inner, without in redundant_candidates(part):
                yield inner, Not(without)
        case OneOf(value, choices) if len(choices) > 1:
            for choice in choices:
                yield Compare("=", value, Literal(choice)), OneOf(value, tuple(c for c in choices if c != choice))


def _between(node: And | Or) -> bool:
    """``x BETWEEN a AND b``: one statement, though one of its ends may lie at the end of the range."""
    if not isinstance(node, And) or len(node.parts) != 2:
        return False
    low, high = node.parts
    return (
        isinstance(low, Compare)
        and isinstance(high, Compare)
        and (low.op, high.op) == (">=", "<=")
        and low.left == high.left
    )


# -- two programmes ---------------------------------------------------------------------------------------------------
def check_twins(book: Rulebook, notebook: Notebook) -> None:
    """Programmes of one place that say the same: same people, same benefits, same kind."""
    for place in places_in_order(book):
        days = turning_days(book, place, notebook.on)
        for day in dict.fromkeys((days[-1], notebook.on or days[-1])):
            world = World(book.at(place, day))
            _twins([standing_text(world, id) for id in world.machine.programmes], notebook)


def standing_text(world: World, id: str) -> Situation:
    """A programme's text as it stands in a world."""
    ready = world.machine.programmes[id]
    texts = world.book.programmes[ready.standing.place][id]
    return Situation(world, ready, texts, text_number(texts, ready.standing.programme))


def _twins(ones: Sequence[Situation], notebook: Notebook) -> None:
    groups: dict[Any, list[Situation]] = {}
    for situation in ones:
        if any(c.configured for c in situation.ready.criteria):
            key = (situation.programme.kind, situation.status, benefits_signature(situation.ready, situation.world.day))
            groups.setdefault(key, []).append(situation)
    for group in groups.values():
        for number, first in enumerate(group):
            for second in group[number + 1 :]:
                notebook.count("proved", "same-programme", first.id)
                if _same(first, second):
                    _report_twins(first, second, notebook)


def benefits_signature(ready: ReadyProgramme, day: Any) -> Any:
    """What a programme gives: the figures where there are figures, else the words."""
    money = [b for b in ready.benefits if b.benefit.amount is not None or b.benefit.share is not None]
    if not money:
        texts = tuple(sorted(b.benefit.say["zh"] for b in ready.benefits))
        return texts or ready.standing.programme.name["zh"]
    return tuple(
        sorted((str(figure(b, day)), str(b.benefit.unit), str(b.benefit.share), str(b.benefit.when)) for b in money)
    )


def _same(first: Situation, second: Situation) -> bool:
    world, nodes = first.world, (*first.nodes, *second.nodes)
    one, other = first.granted, world.person.granted(second.id)
    return (
        world.find(one, nodes) is not None
        and world.find(conj((one, neg(other))), nodes) is None
        and world.find(conj((other, neg(one))), nodes) is None
    )


def _report_twins(first: Situation, second: Situation, notebook: Notebook) -> None:
    world, nodes = first.world, (*first.nodes, *second.nodes)
    case = world.case(world.find(first.granted, nodes), nodes)
    if first.meets(case) and second.meets(case):
        evidence: Evidence = second.evidence(case)
        notebook.add("same-programme", second.origin, second.path(), second.id, (first.id,), evidence, other=first.id)
    else:
        notebook.doubt("same-programme", second.id)
