"""Random people for a rulebook: values at, beside and far from every figure its conditions name, and unknown ones."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from yyassess.assessment.question import plain
from yyassess.conditions.tree import Compare, Contains, Fact, Literal, Node, OneOf, facts_of, walk
from yyassess.rulebook.book import Rulebook, Ruleset
from yyassess.rulebook.vocabulary import FactDefinition

ONE_DAY = dt.timedelta(days=1)


def constants(trees: Iterable[Node]) -> dict[str, set[Any]]:
    """What each fact is compared with; for sums and functions, every constant of the same comparison."""
    found: dict[str, set[Any]] = {}
    for tree in trees:
        for node in walk(tree):
            match node:
                case Compare():
                    values = {n.value for n in walk(node) if isinstance(n, Literal)}
                    for name in facts_of(node):
                        found.setdefault(name, set()).update(values)
                case OneOf(Fact(name), choices):
                    found.setdefault(name, set()).update(choices)
                case Contains(name, code):
                    found.setdefault(name, set()).add(code)
    return found


def telling_values(fact: FactDefinition, named: set[Any], book: Rulebook, day: dt.date) -> list[Any]:
    """Values of a fact that tell rules apart, as JSON."""
    if fact.type == "boolean":
        return [False, True]
    if fact.type == "code":
        return list(fact.codes)
    if fact.type == "codes":
        chosen = [c for c in fact.codes if c in named] + [c for c in fact.codes if c not in named][:1]
        return [[], *([c] for c in chosen), chosen]
    if fact.type == "place":
        return [*book.places, "999999"]
    if fact.type == "text":
        return ["text"]
    if fact.type == "date":
        days = {d + n * ONE_DAY for d in named if isinstance(d, dt.date) for n in (-1, 0, 1)}
        ages = (0, 1, 18, 59, 60, 61, 65, 70, 79, 80, 81, 90, 100)
        days |= {day.replace(year=day.year - age, day=min(day.day, 28)) for age in ages}
        return [d.isoformat() for d in sorted(days) if d <= day]
    low, high = fact.range or (0, 10)
    step = Decimal(1).scaleb(-fact.decimals) if fact.type == "decimal" else 1
    numbers = {n for c in named if isinstance(c, (int, Decimal)) for n in (c - step, c, c + step)}
    wanted = {low, low + step, high, *numbers}
    return [plain(n) for n in sorted(wanted) if low <= n <= high and n % step == 0]


def asked_facts(ruleset: Ruleset) -> dict[str, list[Any]]:
    """The facts that the programmes of a ruleset ask for, each with telling values."""
    book = ruleset.book
    trees = book.trees.get("programmes", {})
    nodes: list[Node] = []
    for standing in ruleset.standings.values():
        text = standing.programme
        written = [c.when for c in text.criteria] + [b.when for b in text.benefits]
        written += [b.amount for b in text.benefits if isinstance(b.amount, str)]
        nodes += [trees[when] for when in written if when and when in trees]
    named = constants(nodes)
    found: dict[str, list[Any]] = {}
    for node in nodes:
        for name in facts_of(node):
            base = name.split(":")[1] if name.startswith("lies_in:") else name
            fact = book.facts.get(base)
            if fact is not None and base not in found:
                values = telling_values(fact, named.get(base, set()), book, ruleset.on)
                found[base] = [] if fact.pathway else values
    return found


def random_case(ruleset: Ruleset, asked: dict[str, list[Any]], rng: random.Random) -> dict[str, Any]:
    """A person of whom everything, much or little is known."""
    book, known = ruleset.book, rng.choice((1.0, 0.95, 0.8, 0.5, 0.2))
    case: dict[str, Any] = {"person": {}, "facts": {}, "assessments": []}
    inputs = derived_from(book, asked)
    day = ruleset.on.isoformat()
    for instrument, levels in asked_grades(ruleset, asked).items():
        if rng.random() <= known:
            grade = {"grade": {"level": rng.choice(levels)}}
            case["assessments"].append({"instrument": instrument, "date": day, **grade})
    for name, values in asked.items():
        fact = book.facts[name]
        if values and name not in inputs and not (fact.grade_of or fact.code_of) and rng.random() <= known:
            case["person" if fact.person else "facts"][name] = rng.choice(values)
    return case


def asked_grades(ruleset: Ruleset, asked: dict[str, list[Any]]) -> dict[str, list[int]]:
    """The levels of the instruments that the asked facts come from, directly or through a pathway."""
    book, found = ruleset.book, dict[str, list[int]]()
    for name in asked:
        fact = book.facts[name]
        instruments = screens_of(book, fact.pathway) if fact.pathway else [fact.grade_of or fact.code_of]
        for instrument in instruments:
            levels = [level.level for level in book.instruments[instrument].levels] if instrument else []
            if instrument and levels:
                found[instrument] = levels
    return found


def screens_of(book: Rulebook, pathway: str) -> list[str]:
    """The instruments of a pathway, each once."""
    return list(dict.fromkeys(c.instrument for stage in book.pathways[pathway].stages for c in stage.choose))


def derived_from(book: Rulebook, asked: Iterable[str]) -> set[str]:
    """What the asked facts are derived from: given beside them, it could contradict them."""
    trees = book.trees.get("programmes", {})
    return {n for name in asked if book.facts[name].derive for n in facts_of(trees[str(book.facts[name].derive)])}
