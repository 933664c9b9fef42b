"""What is finite is tried out: every total of a band, and every sheet of a short instrument, by the scorer itself."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

from yyassess.assessment.deployment import licensed
from yyassess.assessment.scoring import Scorer, scorer
from yyassess.assessment.steps import items_of
from yyassess.assurance.findings import Evidence, Notebook
from yyassess.rulebook.book import Origin, Rulebook
from yyassess.rulebook.instrument import Band, Sum

#: Up to so many sheets an instrument is tried out whole.
MOST_SHEETS = 3000


def check_tables(book: Rulebook, id: str, notebook: Notebook) -> None:
    """Every reachable total of each band over a plain sum has a level; every sheet of a short instrument a listed one."""
    machine = scorer(licensed(book, id), id)
    steps = {step.id: step for step in machine.instrument.steps}
    functions = dict(machine.steps)
    for number, step in enumerate(machine.instrument.steps):
        if not isinstance(step, Band):
            continue
        totals = plain_totals(machine, steps, step.of)
        notebook.count("enumerated", "band-gap", id, len(totals or ()))
        for total, answers in (totals or {}).items():
            if functions[step.id]({}, {step.of: total}) is None:
                witness = Evidence({"answers": {k: _json(v) for k, v in answers.items()}}, f"yyassess assess {id}")
                notebook.add(
                    "band-gap", book.origins[("instrument", id)], ("steps", number), id, (step.id,), witness,
                    step=step.name, value=total,
                )  # fmt: skip
                break
    _whole(machine, book.origins[("instrument", id)], notebook)


def plain_totals(machine: Scorer, steps: dict[str, Any], name: str) -> dict[Any, dict[str, Any]] | None:
    """Every total a plain sum can have, each with answers that give it; ``None`` where it is not such a sum."""
    step = steps.get(name)
    if not isinstance(step, Sum) or step.of or step.bonus or step.reverse:
        return None
    if step.at_least is not None or step.at_most is not None or machine.reader.applies:
        return None
    totals: dict[Any, dict[str, Any]] = {0: {}}
    for id in items_of(step, machine.instrument):
        question = machine.questions[id]
        answers = {a: question.worth(a) for a in question.choices() or ()}
        if not answers or None in answers.values():
            return None
        grown: dict[Any, dict[str, Any]] = {}
        for total, chosen in totals.items():
            for answer, worth in answers.items():
                grown.setdefault(total + worth, {**chosen, id: answer})
        totals = grown
    return totals


def _whole(machine: Scorer, origin: Origin, notebook: Notebook) -> None:
    """All sheets, without any context: a level, if there is one, is one of the list."""
    it = machine.instrument
    sheets = all_sheets(machine)
    if not it.grade or sheets is None:
        return
    base = {**machine.reader.assume, **{n: v for n, v in machine.reader.settings.items() if v is not None}}
    for answers in sheets:
        notebook.count("enumerated", "level-not-listed", it.id)
        try:
            level = machine.grade_of(base, answers)
        except IndexError:  # a lookup beside its table, which is a finding of its own
            return
        if level is not None and level not in machine.level_json:
            witness = Evidence({"answers": {k: _json(v) for k, v in answers.items()}}, f"yyassess assess {it.id}")
            notebook.add("level-not-listed", origin, ("grade",), it.id, (str(level),), witness, level=level)
            return


def all_sheets(machine: Scorer) -> Iterator[dict[str, Any]] | None:
    """Every complete sheet of an instrument, if they are few."""
    size, lists = 1, []
    for question in machine.questions.values():
        choices = question.choices()
        size *= len(choices) if choices is not None else MOST_SHEETS + 1
        if size > MOST_SHEETS or choices is None:
            return None
        lists.append(choices)
    return (dict(zip(machine.questions, chosen, strict=True)) for chosen in product(*lists))


def _json(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
