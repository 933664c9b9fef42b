"""The formulas of an instrument give, for every sheet, what its scorer gives: each step, and the final level."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yyassess.assessment.scoring import shared
from yyassess.assurance.scales import Sheet
from yyassess.conditions.smt import code_id

BOOK = shared()
quiet = settings(suppress_health_check=list(HealthCheck), deadline=None)


@lru_cache
def sheet(id: str) -> Sheet:
    return Sheet(BOOK, id)


def truth(bit: Any, model: Any) -> bool:
    return bit if isinstance(bit, bool) else z3.is_true(model.eval(bit, model_completion=True))


def number(value: Any, model: Any) -> Fraction:
    if not z3.is_expr(value):
        return Fraction(value)
    found = model.eval(value, model_completion=True)
    return Fraction(found.as_long()) if z3.is_int_value(found) else Fraction(found.as_fraction())


def chosen(form: Sheet, draw: Any) -> Any:
    """A model with a random answer to every item and a random value of every context fact and setting."""
    wanted = list(form.limits)
    for id, answer in form.answers.items():
        question = form.machine.questions[id]
        scale = 10**question.item.decimals
        low, high = question.range or (0, 0)
        place = draw(st.integers(low * scale, high * scale) if question.range else st.integers(0, answer.size - 1))
        wanted.append(answer.choice == place)
    for use in form.it.context:
        fact, symbol = form.machine.facts[use.fact], form.symbols[use.fact]
        if fact.type == "boolean":
            wanted.append(symbol.value == draw(st.booleans()))
        elif fact.type == "codes":
            held = draw(st.sets(st.sampled_from(list(fact.codes)), max_size=3))
            wanted += [bit == (code in held) for code, bit in symbol.value.items()]
        elif fact.codes:
            wanted.append(symbol.value == code_id(draw(st.sampled_from(list(fact.codes)))))
    solver = z3.Solver()
    solver.add(*wanted)
    assert solver.check() == z3.sat
    return solver.model()


@pytest.mark.parametrize("id", sorted(BOOK.instruments))
def test_formulas_and_scorer_agree_on_every_step_and_level(id: str) -> None:
    form = sheet(id)

    @settings(quiet, max_examples=max(3, settings().max_examples // 15))
    @given(data=st.data())
    def agree(data: st.DataObject) -> None:
        model = chosen(form, data.draw)
        request = form.request(model)
        read = form.machine.reader.read(request)
        for name, step in form.machine.steps:
            read.points[name] = read.record[name] = step(read.record, read.points)
            symbol = form.points[name]
            assert truth(symbol.known, model) == (read.points[name] is not None), name
            if read.points[name] is not None:
                assert number(symbol.value, model) == Fraction(Decimal(read.points[name])), name
        if form.it.grade:
            grade = form.machine.assess(request)["grade"]
            assert truth(form.level.known, model) == (grade is not None)
            if grade is not None:
                assert number(form.level.value, model) == grade["level"]

    agree()
