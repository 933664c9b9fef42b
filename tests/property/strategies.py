"""Answer sheets, contexts and people, generated from the rulebook's own data.

An instrument that is added as a YAML file is covered by the property tests without a line of code here. Choices are
made by a seeded random number generator, because a sheet has up to 33 items: one draw a sheet keeps the tests quick.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property, reduce
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from yyassess.assessment.deployment import licensed
from yyassess.assessment.scoring import Scorer, scorer, shared
from yyassess.conditions.reference import compile_condition
from yyassess.conditions.tree import Compare, Contains, Fact, Literal, Node, OneOf, facts_of, walk
from yyassess.entitlement.determine import determine
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Instrument, Item, Sum
from yyassess.rulebook.programme import Programme
from yyassess.rulebook.vocabulary import FactDefinition


def with_licences(book: Rulebook) -> Rulebook:
    """A deployment of some rules that has recorded every licence: otherwise nothing of those instruments is tested."""
    return reduce(licensed, book.instruments, book)


#: The shipped rules, loaded once: the ids of its instruments name the tests.
BOOK: Rulebook = with_licences(shared())
INSTRUMENTS = sorted(BOOK.instruments)

#: Each test runs once for every instrument, so each run takes a share of the profile's examples.
steady = settings(deadline=None, max_examples=max(10, settings().max_examples // 3))

seeds = st.integers(0, 2**32 - 1)
#: How bad the answers of a sheet are on the whole: all best, mostly best, anything, mostly worst, all worst.
leanings = st.sampled_from((0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0))


def as_json(value: Any) -> Any:
    """An exact value as a request would give it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, dt.date) else value


@dataclass(frozen=True)
class Sheet:
    """An instrument as the paper form: each item with its answers, the best first."""

    instrument: Instrument
    answers: Mapping[str, tuple[Any, ...]]
    points: Mapping[str, Mapping[Any, Any]]
    """What each answer adds to a sum (``None`` where options have no scores)."""
    required: tuple[str, ...]
    optional: tuple[str, ...]
    applies: Mapping[str, Node]
    trees: Mapping[str, Node] = field(repr=False)
    book: Rulebook = field(default=BOOK, repr=False)

    @property
    def id(self) -> str:
        return self.instrument.id

    @cached_property
    def levels(self) -> list[int]:
        return [level.level for level in self.instrument.levels]

    @property
    def scorer(self) -> Scorer:
        return scorer(self.book, self.id)

    def assess(self, answers: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
        """The result of the library for some answers."""
        given = {id: as_json(answer) for id, answer in answers.items()}
        return self.scorer.assess({"date": "2026-11-22", "answers": given, **rest})

    def filled(self, rng: random.Random, leaning: float) -> dict[str, Any]:
        """A complete set of answers."""
        found: dict[str, Any] = {}
        for id, ladder in self.answers.items():
            if leaning in (0.0, 1.0) or rng.random() < 0.5:
                found[id] = ladder[-1] if rng.random() < leaning else ladder[0]
            else:
                found[id] = rng.choice(ladder)
        return found

    def applicable(self, record: Mapping[str, Any]) -> dict[str, bool | None]:
        """Whether each item with a condition is asked; hidden answers count as not given."""
        seen = dict(record)
        asked: dict[str, bool | None] = {}
        for id, node in self.applies.items():
            asked[id] = compile_condition(node)(seen)
            if asked[id] is False:
                seen.pop(id, None)
        return asked

    @cached_property
    def _context_values(self) -> dict[str, list[Any]]:
        trees = list(self.trees.values())
        return {
            use.fact: [as_json(v) for v in values_of(use.fact, trees, self.book, known=True)]
            for use in self.instrument.context
        }

    def context(self, rng: random.Random) -> dict[str, Any]:
        """Every context fact with a value that says something (the code ``unknown`` does not)."""
        return {name: rng.choice(values) for name, values in self._context_values.items()}

    def nothing(self) -> dict[str, Any]:
        """A context in which nothing is the matter: what is assumed when nobody asks, and any value of the rest."""
        rest = self.context(random.Random(0))
        assumed = {u.fact: as_json(u.if_not_given) for u in self.instrument.context if u.if_not_given is not None}
        return rest | assumed

    def settings(self, rng: random.Random) -> dict[str, Any]:
        """Every open point chosen that an assessment may choose."""
        return {s.id: as_json(rng.choice(s.choices)) for s in self.instrument.settings if not s.deployment}


def _ladder(instrument: Instrument, item: Item, direction: str) -> tuple[tuple[Any, ...], dict[Any, Any]]:
    if item.range is not None:
        low, high = item.range
        scale = 10**item.decimals
        numbers: list[Any] = [Decimal(n) / scale if item.decimals else n for n in range(low * scale, high * scale + 1)]
        ordered = tuple(reversed(numbers)) if direction == "more_able" else tuple(numbers)
        return ordered, {n: n for n in numbers}
    options = list(instrument.ladders[item.ladder] if item.ladder else item.options)
    if direction != "neither" and all(o.score is not None for o in options):
        options.sort(key=lambda o: o.score, reverse=direction == "more_able")  # type: ignore[arg-type, return-value]
    return tuple(o.answer for o in options), {o.answer: o.score for o in options}


@cache
def sheet(id: str) -> Sheet:
    """The form of a shipped instrument."""
    return form_of(BOOK, id)


def form_of(book: Rulebook, id: str) -> Sheet:
    """The form of an instrument."""
    it = book.instruments[id]
    trees = book.trees.get(id, {})
    answers: dict[str, tuple[Any, ...]] = {}
    points: dict[str, Mapping[Any, Any]] = {}
    items = [(d, i) for d in it.dimensions for i in d.items]
    for dimension, item in items:
        answers[item.id], points[item.id] = _ladder(it, item, dimension.higher_score or it.higher_score)
    return Sheet(
        instrument=it,
        answers=answers,
        points=points,
        required=tuple(i.id for _, i in items if not i.optional),
        optional=tuple(i.id for _, i in items if i.optional),
        applies={i.id: trees[i.applies_when] for _, i in items if i.applies_when},
        trees=trees,
        book=book,
    )


# -- values of facts ----------------------------------------------------------------------------------------
def constants_of(name: str, trees: Iterable[Node]) -> set[Any]:
    """The constants a fact is compared with anywhere in some conditions."""
    found: set[Any] = set()
    for tree in trees:
        for node in walk(tree):
            match node:
                case Compare(_, Fact(fact), Literal(value)) | Compare(_, Literal(value), Fact(fact)) if fact == name:
                    found.add(value)
                case OneOf(Fact(fact), choices) if fact == name:
                    found.update(choices)
                case Contains(fact, code) if fact == name:
                    found.add(code)
    return found


def values_of(name: str, trees: Iterable[Node], book: Rulebook = BOOK, known: bool = False) -> list[Any]:
    """Values of a fact worth trying: all where there are few, else those around the constants it is compared with.

    ``known`` leaves out the code ``unknown``: an answer that is no knowledge.
    """
    fact = book.facts[name]
    if fact.grade_of:
        return [level.level for level in book.instruments[fact.grade_of].levels]
    return _around(fact, constants_of(name, trees), book, known)


def _around(fact: FactDefinition, constants: set[Any], book: Rulebook, known: bool) -> list[Any]:
    match fact.type:
        case "boolean":
            return [False, True]
        case "code":
            return [c for c in fact.codes if not (known and c == "unknown")]
        case "codes":
            named = [c for c in fact.codes if c in constants] + [c for c in fact.codes if c not in constants][:1]
            return [frozenset(), *(frozenset({c}) for c in named), frozenset(named)]
        case "date":
            day = dt.timedelta(days=1)
            days = {d for c in constants if isinstance(c, dt.date) for d in (c - day, c, c + day)}
            return sorted(days | {dt.date(y, 5, 2) for y in range(1920, 2027, 6)})
        case "place":
            return sorted(book.places)
        case "text":
            return ["text"]
    low, high = fact.range or (0, 10)
    step = Decimal(1).scaleb(-fact.decimals) if fact.type == "decimal" else 1
    around = {n for c in constants if isinstance(c, (int, Decimal)) for n in (c - step, c, c + step)}
    whole = sorted({n for n in around | {low, low + 1, high} if low <= n <= high and n % step == 0})
    return whole


# -- sums ---------------------------------------------------------------------------------------------------
def summed_items(form: Sheet, id: str) -> tuple[str, ...] | None:
    """The items that a sum adds up, each once and nothing else; ``None`` where it is not such a plain sum."""
    if id in form.answers:
        return (id,)
    step = next((s for s in form.instrument.steps if s.id == id), None)
    if not isinstance(step, Sum) or step.reverse or step.bonus or step.at_least is not None or step.at_most is not None:
        return None
    found: list[str] = []
    if step.items == "all":
        found.extend(form.answers)
    else:
        found.extend(step.items)
    if step.dimension:
        found.extend(i.id for d in form.instrument.dimensions if d.id == step.dimension for i in d.items)
    for part in step.of:
        inner = summed_items(form, part)
        if inner is None:
            return None
        found.extend(inner)
    return tuple(found) if len(set(found)) == len(found) else None


def reachable(form: Sheet, items: Iterable[str]) -> dict[Any, dict[str, Any]]:
    """Every total that some items can add up to, each with answers that do."""
    totals: dict[Any, dict[str, Any]] = {0: {}}
    for id in items:
        grown: dict[Any, dict[str, Any]] = {}
        for total, answers in totals.items():
            for answer, worth in form.points[id].items():
                if worth is None:
                    return {}
                grown.setdefault(total + worth, {**answers, id: answer})
        totals = grown
    return totals


def completions(form: Sheet, missing: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Every way to answer some items."""
    names = list(missing)
    if not names:
        yield {}
        return
    for answer in form.answers[names[0]]:
        for rest in completions(form, names[1:]):
            yield {names[0]: answer, **rest}


# -- people -------------------------------------------------------------------------------------------------
def conditions_of(programme: Programme, book: Rulebook = BOOK) -> list[Node]:
    """Every condition and amount of a programme."""
    written = [c.when for c in programme.criteria if c.when != "unknown"]
    written += [part.when for part in (*programme.benefits, *programme.services, *programme.effects) if part.when]
    written += [b.amount for b in programme.benefits if isinstance(b.amount, str)]
    return [book.trees["programmes"][text] for text in written]


def names_in(nodes: Iterable[Node], book: Rulebook = BOOK) -> list[str]:
    """The facts a person may be asked for, as far as some conditions read them."""
    found: dict[str, None] = {}
    for node in nodes:
        for name in facts_of(node):
            found.setdefault(name.split(":")[1] if name.startswith("lies_in:") else name)
    return [name for name in found if name in book.facts and not book.facts[name].pathway]


class Town:
    """A place on a day: what its programmes ask, with values worth trying."""

    def __init__(self, place: str, on: dt.date, book: Rulebook = BOOK) -> None:
        self.place, self.on, self.book = place, on, book
        self.ruleset = book.at(place, on)
        nodes = [n for s in self.ruleset.standings.values() for n in conditions_of(s.programme, book)]
        self.values = {name: values_of(name, nodes, book) for name in names_in(nodes, book)}

    def person(self, rng: random.Random, known: float) -> dict[str, Any]:
        """Some facts of somebody, by name; grades are among them."""
        facts = {name: rng.choice(values) for name, values in self.values.items() if rng.random() < known}
        if "birth_date" in facts:
            facts.pop("age", None)
            if facts["birth_date"] > self.on:
                del facts["birth_date"]
        return facts

    def case(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts as a case: grades under assessments, the rest where it belongs."""
        case: dict[str, Any] = {"person": {}, "facts": {}, "assessments": []}
        for name, value in facts.items():
            fact = self.book.facts[name]
            if fact.grade_of or fact.code_of:
                graded = {"grade": {"level": value}} if fact.grade_of else {"code": value}
                day = (self.on - dt.timedelta(days=30)).isoformat()
                case["assessments"].append({"instrument": fact.grade_of or fact.code_of, "date": day, **graded})
            else:
                case["person" if fact.person else "facts"][name] = as_json(value)
        return case

    def decide(self, facts: Mapping[str, Any], engine: str = "reference") -> dict[str, Any]:
        """What the library determines."""
        return determine(self.case(facts), place=self.place, on=self.on, rules=self.book, engine=engine)


DAYS = tuple(map(dt.date.fromisoformat, ("2026-11-22", "2026-02-28", "2025-10-01", "2021-06-30", "2028-02-29")))
PLACES = sorted(BOOK.places)
#: The places that no other lies in: what holds in the nation, the province and the city holds there too.
INNERMOST = [id for id in PLACES if id not in {place.within for place in BOOK.places.values()}]


@cache
def town(place: str, on: dt.date) -> Town:
    """A shipped place on a day."""
    return Town(place, on)
