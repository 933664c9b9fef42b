"""An instrument, and a screening pathway, as the phone's evaluator reads them: everything looked up and parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yyassess.assessment.question import source_json
from yyassess.assessment.scoring import BLOCKED, NOT_COUNTED, RELEASED, UNCONFIRMED, scorer
from yyassess.assessment.steps import items_of
from yyassess.conditions.tree import Node
from yyassess.exchange.trees import constant_json, exact_json, tree_json
from yyassess.rulebook.book import Rulebook, content_hash
from yyassess.rulebook.instrument import Band, Count, Matrix, Mean, Mode, Rules, Sum, Worst

Json = dict[str, Any]

#: The fixed sentences of results.
SAYINGS: Json = {
    "not_counted": NOT_COUNTED,
    "unconfirmed": UNCONFIRMED,
    "blocked": BLOCKED,
    "released": RELEASED,
}


def lean(given: Mapping[str, Any]) -> Json:
    """A mapping without what is empty, absent or no."""
    return {k: v for k, v in given.items() if v is not None and v is not False and v != [] and v != {} and v != ()}


def instrument_json(book: Rulebook, id: str) -> Json:
    """One instrument: what `yyassess.assess` reads of it, with its conditions parsed."""
    machine, trees = scorer(book, id), book.trees.get(id, {})
    it, reader = machine.instrument, machine.reader

    def tree(text: str | None) -> Any:
        return None if text is None else tree_json(trees[text])

    source = source_json(it.source)
    licence = it.licence
    return lean(
        {
            "id": id,
            "name": it.name,
            "short": it.short,
            "kind": it.kind,
            "hash": machine.hash,
            "source": source,
            "mark": it.evidence.mark,
            "grade": it.grade,
            "monotone": it.monotone,
            "neither": it.higher_score == "neither",
            "raise_once": it.raise_once,
            "levels": list(machine.level_json.values()),
            "dimensions": [_dimension(machine, d) for d in it.dimensions],
            "items": [_item(machine, d, i, tree) for d in it.dimensions for i in d.items],
            "facts": list(machine.facts),
            "context": [use.fact for use in it.context],
            "assume": {n: value_json(v) for n, v in reader.assume.items()},
            "matters": {u.fact: tree(u.matters_when) for u in it.context if u.matters_when},
            "settings": [
                lean(
                    {
                        "id": s.id,
                        "choices": [constant_json(c) for c in s.choices],
                        "default": None if reader.settings[s.id] is None else constant_json(reader.settings[s.id]),
                        "fixed": s.deployment,
                        "say": s.say,
                    }
                )
                for s in it.settings
            ],
            "steps": [_step(machine, s, trees, source) for s in it.steps],
            "results": [r.model_dump(exclude_none=True) for r in it.results],
            "adjustments": [
                lean(
                    {
                        "id": a.id,
                        "when": tree(a.when),
                        "raise_by": a.raise_by,
                        "set_level": a.set_level,
                        "without_items": a.without_items,
                        "source": source_json(a.source),
                        "mark": a.evidence.mark,
                        "say": a.say,
                    }
                )
                for a in it.adjustments
            ],
            "decisions": [
                {"id": d.id, "when": tree(d.when), "say": d.taken, "reason": d.reason} for d in it.decisions if d.when
            ],
            "hints": [
                {"id": h.id, "when": tree(h.when), "items": items, "severity": h.severity, "say": h.say}
                for h, _, items in machine.hints
            ],
            "licence": {"owner": licence.owner, "say": licence.say, "items": licence.items, "switch": licence.switch}
            if licence.switch or licence.items == "withheld"
            else None,
            "not_computed": it.not_computed,
        }
    )


def value_json(value: Any) -> Any:
    """The value of a fact as a constant: as `constant_json`, and a list of codes as ``["s", code, …]``."""
    return ["s", *sorted(value)] if isinstance(value, frozenset) else constant_json(value)


def _dimension(machine: Any, dimension: Any) -> Json:
    total, level, highest = machine.explain.dimension_steps[dimension.id]
    return lean({"id": dimension.id, "name": dimension.name, "total": total, "level": level, "max": highest})


def _item(machine: Any, dimension: Any, item: Any, tree: Any) -> Json:
    question, it = machine.questions[item.id], machine.instrument
    mark = (item.evidence or it.evidence).mark
    options = it.ladders[item.ladder] if item.ladder else item.options
    return lean(
        {
            "id": item.id,
            "code": item.code,
            "name": item.name,
            "optional": item.optional,
            "range": item.range,
            "decimals": item.decimals if item.decimals else None,
            "options": [_option(o, mark) for o in options],
            "best": constant_json(question.best),
            "worst": constant_json(question.worst),
            "applies": tree(item.applies_when),
            "mark": None if mark == it.evidence.mark else mark,
        }
    )


def _option(option: Any, mark: str) -> list[Any]:
    """An option: its answer, its score, its words and, where it differs from the item's, its evidence."""
    own = option.evidence.mark if option.evidence else mark
    score = None if option.score is None else exact_json(option.score)
    shown = [constant_json(option.answer), score, option.say]
    return shown if own == mark else [*shown, own]


def _step(machine: Any, step: Any, trees: Mapping[str, Node], source: Any) -> Json:
    it = machine.instrument
    found: Json = {"id": step.id, "kind": step.kind, "name": step.name, "mark": step.evidence.mark}
    if machine.explain.sources[step.id] != source:
        found["source"] = machine.explain.sources[step.id]
    found["shown"] = step.id in machine.explain.reported
    match step:
        case Sum():
            low, high = step.at_least, step.at_most
            found |= {
                "of": [*items_of(step, it), *step.of],
                "reverse": None if step.reverse is None else [step.reverse.minuend, *step.reverse.items],
                "bonus": [[tree_json(trees[b.when]), exact_json(b.add)] for b in step.bonus],
                "at_least": None if low is None else exact_json(low),
                "at_most": None if high is None else exact_json(high),
            }
        case Mean():
            of = items_of(step, it)
            found |= {"of": of, "needed": max(len(of) if step.answered is None else step.answered, 1)}
            found["decimals"] = step.decimals
        case Count():
            found |= {"of": items_of(step, it), "when": tree_json(trees[step.when])}
        case Worst():
            found |= {"of": step.of, "least": step.pick == "least"}
        case Band():
            found |= {"of": step.of, "cuts": [[exact_json(c.at), c.level] for c in step.cuts]}
            found["names"] = {str(level): name for level, name in step.names.items()}
        case Matrix():
            found |= {"rows": step.rows, "columns": step.columns, "cells": step.cells}
        case Rules():
            found["lines"] = [
                [
                    None if r.when is None else tree_json(trees[r.when]),
                    r.value if isinstance(r.value, str) else exact_json(r.value),
                ]
                for r in step.rules
            ]
        case Mode():
            found |= {"of": step.items, "when": tree_json(trees[step.when]), "near": step.tie_nearest}
        case _:  # pragma: no cover
            raise TypeError(type(step).__name__)
    return lean(found)


def pathway_json(book: Rulebook, id: str) -> Json:
    """One screening pathway: what `yyassess.screen` reads of it, with its conditions parsed."""
    pathway, trees = book.pathways[id], book.trees[f"pathway:{id}"]

    def tree(text: str | None) -> Any:
        return None if text is None else tree_json(trees[text])

    def line(part: Any, **more: Any) -> Json:
        return lean(
            {
                "id": getattr(part, "id", None),
                "when": tree(part.when),
                "say": part.say,
                "source": None if part.source is None else source_json(part.source),
                "mark": part.evidence.mark,
                "words": part.evidence.words,
                **more,
            }
        )

    def stage(part: Any) -> Json:
        return lean(
            {
                "id": part.id,
                "name": part.name,
                "when": tree(part.when),
                "choose": [
                    line(c, instrument=c.instrument, name=book.instruments[c.instrument].short) for c in part.choose
                ],
                "optional": part.optional,
                "source": None if part.source is None else source_json(part.source),
                "mark": part.evidence.mark,
            }
        )

    return {
        "id": id,
        "name": pathway.name,
        "hash": content_hash(dict(book.digests)),
        "source": source_json(pathway.source),
        "mark": pathway.evidence.mark,
        "note": pathway.note,
        "entry": [line(c) for c in pathway.entry],
        "stages": [stage(s) for s in pathway.stages],
        "results": [r.model_dump() for r in pathway.results],
        "grading": [line(g, result=g.result) for g in pathway.grading],
        "cautions": [line(c) for c in pathway.cautions],
        "actions": [line(a, kind=a.kind, results=a.results) for a in pathway.actions],
        "rescreen": [line(r, results=r.results, days=r.days, months=r.months) for r in pathway.rescreen],
        "flags": [line(c) for c in pathway.flags],
        "decisions": [line(c) for c in pathway.decisions],
    }
