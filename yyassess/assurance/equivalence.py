"""Whether two readings of one rule file decide alike for everybody; if not, somebody they decide differently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yyassess.assurance.amounts import all_nodes, amount_of, row_holds
from yyassess.assurance.findings import Notebook
from yyassess.assurance.pathways import walk_of
from yyassess.assurance.scales import Sheet
from yyassess.assurance.situations import Situation, situations
from yyassess.assurance.world import PATIENCE
from yyassess.conditions.smt import Symbol, compare, conj, disj, need_z3, neg
from yyassess.rulebook.book import Rulebook

Answer = tuple[bool, dict[str, Any] | None]


def same_for_everybody(first: Rulebook, second: Rulebook, file: str) -> Answer:
    """Whether everything a file decides stays the same; and, if not, a case or sheet for which it does not."""
    for id in first.instruments:
        if first.origins[("instrument", id)].file == file:
            return _instrument(first, second, id)
    for id in first.pathways:
        if first.origins[("pathway", id)].file == file:
            return _pathway(first, second, id), None
    if any(o.file == file for (kind, _), o in first.origins.items() if kind == "programme"):
        return _programme(first, second, file)
    return False, None


# -- pathways -----------------------------------------------------------------------------------------------------------
def _pathway(first: Rulebook, second: Rulebook, id: str) -> bool:
    """Every line is used by the same people, whatever is known of them."""
    walks = walk_of(first, id), walk_of(second, id)
    used = [walk.used() for walk in walks]
    if used[0].keys() != used[1].keys():
        return False
    differs = [disj((conj((a, neg(used[1][k]))), conj((used[1][k], neg(a))))) for k, a in used[0].items()]
    solver = need_z3().Solver()
    solver.set("timeout", PATIENCE)
    solver.add(*walks[0].limits, *walks[1].limits, disj(differs))
    return bool(solver.check() == need_z3().unsat)


# -- instruments --------------------------------------------------------------------------------------------------------
def _instrument(first: Rulebook, second: Rulebook, id: str) -> Answer:
    """Items, levels and words must be the same; scores, level, adjustments, hints and decisions are compared."""
    z3 = need_z3()
    one, other = first.instruments[id], second.instruments[id]
    formulas = ("steps", "adjustments", "hints", "decisions", "examples", "raise_once")
    if one.model_dump(exclude=set(formulas)) != other.model_dump(exclude=set(formulas)):
        return False, None
    sheets = Sheet(first, id), Sheet(second, id)
    differs = []
    for a, b in zip(*(list(_results(sheet)) for sheet in sheets), strict=False):
        if a[0] != b[0]:
            return False, None
        differs.append(_different(a[1], b[1]))
    if len(list(_results(sheets[0]))) != len(list(_results(sheets[1]))):
        return False, None
    solver = z3.Solver()
    solver.set("timeout", PATIENCE)
    solver.add(*sheets[0].limits, *sheets[1].limits, disj(differs))
    answer = solver.check()
    if answer == z3.sat:
        return False, sheets[0].request(solver.model())
    return answer == z3.unsat, None


def _results(sheet: Sheet) -> Iterator[tuple[str, Symbol]]:
    """What a result shows: reported scores, sub-grades, the level, adjustments, hints and decisions."""
    yield "level", sheet.level
    for step in sheet.it.steps:
        if step.report or step.level_of:
            yield step.id, sheet.points[step.id]
    yield from ((r.id, sheet.points[r.of]) for r in sheet.it.results)
    for lines in (sheet.it.adjustments, sheet.it.hints, sheet.it.decisions):
        listed: Any = lines
        for line in listed:
            if line.when is not None:
                yield line.id, Symbol(sheet.yes(line.when))


def _different(a: Symbol, b: Symbol) -> Any:
    known = disj((conj((a.known, neg(b.known))), conj((b.known, neg(a.known)))))
    return disj((known, conj((a.known, b.known, compare("<>", a.value, b.value)))))


# -- programmes -----------------------------------------------------------------------------------------------------------
def _programme(first: Rulebook, second: Rulebook, file: str) -> Answer:
    """The same texts on the same days; then criteria, benefits, services and effects, each for everybody."""
    ones, others = (list(situations(book, Notebook(), file)) for book in (first, second))
    if [_frame(s) for s in ones] != [_frame(s) for s in others]:
        return False, None
    for one, other in zip(ones, others, strict=True):
        differs = _differences(one, other)
        if differs is None:
            return False, None
        nodes = (*all_nodes(one), *all_nodes(other), *_more_nodes(one), *_more_nodes(other))
        asked = one.world.undecided
        model = one.world.find(disj(differs), nodes)
        if model is not None:
            return False, {"place": one.world.place, "on": str(one.world.day), **one.world.case(model, nodes)}
        if one.world.undecided > asked:
            return False, None
    return True, None


def _frame(situation: Situation) -> Any:
    """All of a text but its conditions and amounts, and the days on which it was looked at."""
    text = situation.programme.model_dump(exclude={"examples", "versions", "intended"}, mode="json")
    for key in ("criteria", "benefits", "services", "effects"):
        text[key] = [{k: v for k, v in line.items() if k not in ("when", "amount")} for line in text[key]]
    return situation.number, situation.world.day, situation.world.place, text


def _differences(one: Situation, other: Situation) -> list[Any] | None:
    me, you = one.world.person, other.world.person
    pairs = [(me.yes(a.node), you.yes(b.node)) for a, b in zip(one.ready.criteria, other.ready.criteria, strict=True)]
    pairs.append((one.granted, other.granted))
    amounts = []
    for a, b in zip(one.ready.benefits, other.ready.benefits, strict=True):
        pairs.append((conj((one.granted, row_holds(me, one, a))), conj((other.granted, row_holds(you, other, b)))))
        first, second = amount_of(me, one, a), amount_of(you, other, b)
        if (first is None) != (second is None):
            return None
        if first is not None:
            amounts.append(conj((one.granted, row_holds(me, one, a), compare("<>", first, second))))
    trees, trees_too = one.world.machine.trees, other.world.machine.trees
    for key in ("services", "effects"):
        for (a, _), (b, _) in zip(getattr(one.ready, key), getattr(other.ready, key), strict=True):
            holds = (me.yes(trees[a.when]) if a.when else True, you.yes(trees_too[b.when]) if b.when else True)
            pairs.append((conj((one.granted, holds[0])), conj((other.granted, holds[1]))))
    return [disj((conj((a, neg(b))), conj((b, neg(a))))) for a, b in pairs] + amounts


def _more_nodes(situation: Situation) -> list[Any]:
    trees = situation.world.machine.trees
    listed: list[Any] = [*situation.programme.services, *situation.programme.effects]
    return [trees[part.when] for part in listed if part.when]
