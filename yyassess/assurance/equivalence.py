"""Whether two readings of one rule file decide alike for everybody; if not, somebody they decide differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from string import ascii_uppercase
from typing import Any

from yyassess.assurance.amounts import all_nodes, amount_of, row_holds
from yyassess.assurance.findings import Notebook
from yyassess.assurance.pathways import walk_of
from yyassess.assurance.scales import Sheet
from yyassess.assurance.situations import ONE_DAY, Situation, situations
from yyassess.assurance.world import PATIENCE, Person
from yyassess.conditions.smt import Symbol, compare, conj, disj, need_z3, neg
from yyassess.conditions.tree import Const, Node
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.events import EventKind
from yyassess.rulebook.programme import Programme

Answer = tuple[bool, dict[str, Any] | None]
#: The condition of a line that has none.
ALWAYS = Const(True)


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
    if first.events.digest() != second.events.digest():
        return _events(first, second), None
    return (_vocabulary(first, second), None) if first.facts != second.facts else (False, None)


# -- events -------------------------------------------------------------------------------------------------------------
def _events(first: Rulebook, second: Rulebook) -> bool:
    """Only the ranges of codes differ, and every code there is means the same under both."""
    one, other = first.events, second.events
    if {**one.digest(), "kinds": None} != {**other.digest(), "kinds": None} or one.kinds.keys() != other.kinds.keys():
        return False
    pairs = [(one.kinds[id], other.kinds[id]) for id in one.kinds]
    return all(_unsorted(a) == _unsorted(b) and _sorted_alike(a, b) for a, b in pairs)


def _unsorted(kind: EventKind) -> Any:
    return kind.model_dump(exclude={"details": {name: {"sorts": {"ranges"}} for name in kind.details}})


def _sorted_alike(one: EventKind, other: EventKind) -> bool:
    stems = [f"{letter}{number:02}" for letter in ascii_uppercase for number in range(100)]
    pairs = [(detail.sorts, other.details[name].sorts) for name, detail in one.details.items()]
    return all(a == b or (a and b and all(a.meaning(s) == b.meaning(s) for s in stems)) for a, b in pairs)


# -- vocabulary ---------------------------------------------------------------------------------------------------------
def _vocabulary(first: Rulebook, second: Rulebook) -> bool:
    """Only the numbers of codes differ, and every instrument that reads such a fact scores alike."""
    changed = {name for name in first.facts if first.facts[name] != second.facts.get(name)}
    if first.facts.keys() != second.facts.keys() or any(_plain(first, n) != _plain(second, n) for n in changed):
        return False
    reading = [id for id, it in first.instruments.items() if changed & {used.fact for used in it.context}]
    return all(_instrument(first, second, id)[0] for id in reading)


def _plain(book: Rulebook, name: str) -> Any:
    """A fact without the numbers of its codes."""
    return book.facts[name].model_dump(exclude={"codes": {code: {"number"} for code in book.facts[name].codes}})


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
    # No sheet is scored by the day: the period of an instrument is only told, and decides nothing.
    formulas = ("steps", "adjustments", "hints", "decisions", "examples", "raise_once", "in_force")
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
    return disj((_apart(a.known, b.known), conj((a.known, b.known, compare("<>", a.value, b.value)))))


# -- programmes -----------------------------------------------------------------------------------------------------------
def _programme(first: Rulebook, second: Rulebook, file: str) -> Answer:
    """The same texts on the same days; then criteria, benefits, services and effects, each for everybody."""
    if not _same_standings(first, second, file):
        return False, None
    ones, others = (list(situations(book, Notebook(), file)) for book in (first, second))
    if [_place(s) for s in ones] != [_place(s) for s in others]:
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
        if not _same_if_unknown(one, other) or one.world.undecided > asked:
            return False, None
    return True, None


def _same_standings(first: Rulebook, second: Rulebook, file: str) -> bool:
    """In every place, on every day around an end of a text: the same texts stand, but for conditions and amounts."""
    ids = {key[1].rpartition("/")[2] for key, o in first.origins.items() if key[0] == "programme" and o.file == file}
    days = _ends(first, ids) | _ends(second, ids)
    for place in first.places:
        for day in days:
            ones, others = (book.at(place, day).standings for book in (first, second))
            for id in ids:
                a, b = ones.get(id), others.get(id)
                if (a is None) != (b is None):
                    return False
                if a and b and (a.place, a.in_force) != (b.place, b.in_force):
                    return False
                if a and b and _frame(a.programme, a.in_force) != _frame(b.programme, b.in_force):
                    return False
    return True


def _ends(book: Rulebook, ids: set[str]) -> set[dt.date]:
    """The first and last days of all texts of some programmes, and the days beside them."""
    found: set[dt.date] = set()
    for texts in book.programmes.values():
        for id in ids & texts.keys():
            periods = [text.in_force for text in texts[id].texts]
            found |= {d + n * ONE_DAY for p in periods for d in (p.start, p.end) if d for n in (-1, 0, 1)}
    return found or {dt.date.min}


def _frame(programme: Programme, in_force: bool) -> Any:
    """All of a text but its conditions and amounts, and but what opens to nobody because a clause was never found.

    The last day is shown only of a text that is not in force; of one that is, a later text may begin before it.
    """
    text = programme.model_dump(exclude={"examples", "versions", "intended"}, mode="json")
    if in_force:
        del text["in_force"]["end"]
    if _never_granted(programme):
        text["services"] = text["effects"] = []
    # An effect without a condition is a sentence of the text; no outcome ever shows it.
    text["effects"] = [line for line in text["effects"] if line["when"]]
    for key in ("criteria", "benefits", "services", "effects"):
        text[key] = [{k: v for k, v in line.items() if k not in ("when", "amount")} for line in text[key]]
    return text


def _never_granted(programme: Programme) -> bool:
    """A clause without content is never true: services and effects of such a programme are shown to nobody."""
    return not programme.criteria or any(criterion.when == "unknown" for criterion in programme.criteria)


def _place(situation: Situation) -> Any:
    """Which text it is, where, and on which day it was looked at."""
    return situation.id, situation.number, situation.world.day, situation.world.place


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
    for key in ("services", "effects"):
        for when, instead in _conditions(one, other, key):
            pairs.append((conj((one.granted, me.yes(when))), conj((other.granted, you.yes(instead)))))
    return [_apart(a, b) for a, b in pairs] + amounts


def _same_if_unknown(one: Situation, other: Situation) -> bool:
    """Each pair of conditions is true for the same people, and false for the same, whatever is not known of them.

    Benefits are shown unless a criterion is false; services and effects only where all are true.
    """
    me, you = Stranger(one), Stranger(other)
    truths = [
        (me.encoder.truth(a.node), you.encoder.truth(b.node))
        for a, b in zip(one.ready.criteria, other.ready.criteria, strict=True)
    ]
    differs = [_apart(a.yes, b.yes) for a, b in truths] + [_apart(a.no, b.no) for a, b in truths]
    not_refused = conj(neg(mine.no) for mine, _ in truths)
    granted = conj(mine.yes for mine, _ in truths)
    for key in ("benefits", "services", "effects"):
        for when, instead in _conditions(one, other, key):
            mine, yours = me.encoder.truth(when), you.encoder.truth(instead)
            differs.append(conj((not_refused if key == "benefits" else granted, _apart(mine.yes, yours.yes))))
            if key == "benefits":
                differs.append(conj((not_refused, _apart(mine.no, yours.no))))
    nodes = (*all_nodes(one), *all_nodes(other), *_more_nodes(one), *_more_nodes(other))
    return one.world.find(disj(differs), nodes) is None


def _apart(bit: Any, other: Any) -> Any:
    """That one of two truths holds without the other."""
    return False if bit is other else disj((conj((bit, neg(other))), conj((other, neg(bit)))))


class Stranger(Person):
    """Somebody of whom any fact may be unknown."""

    def __init__(self, situation: Situation) -> None:
        super().__init__(situation.world, like=situation.world.person)

    def _symbol(self, name: str) -> Symbol:
        world = self.world
        if name.startswith("eligible:"):
            id = name.removeprefix("eligible:")
            ready = world.machine.programmes.get(world.machine.aliases.get(id, id))
            truths = [self.encoder.truth(c.node) for c in ready.criteria] if ready else []
            granted = conj(t.yes for t in truths) if ready else False
            return Symbol(granted, disj((granted, *(t.no for t in truths), ready is None)))
        known = super()._symbol(name)
        fact = name.split(":")[1] if name.startswith("lies_in:") else name
        return Symbol(known.value, need_z3().Bool(f"{fact} known")) if fact in world.book.facts else known


def _conditions(one: Situation, other: Situation, key: str) -> Iterator[tuple[Node, Node]]:
    """The conditions of benefits, services or effects, pair by pair."""
    trees, trees_too = one.world.machine.trees, other.world.machine.trees
    if key != "benefits" and _never_granted(one.programme):
        return
    lines, instead = (getattr(text, key) for text in (one.programme, other.programme))
    if key == "effects":
        lines, instead = ([line for line in listed if line.when] for listed in (lines, instead))
    for a, b in zip(lines, instead, strict=True):
        if a.when or b.when:
            yield (trees[a.when] if a.when else ALWAYS, trees_too[b.when] if b.when else ALWAYS)


def _more_nodes(situation: Situation) -> list[Node]:
    trees = situation.world.machine.trees
    listed: list[Any] = [*situation.programme.services, *situation.programme.effects]
    return [trees[part.when] for part in listed if part.when]
