"""What holds for the grading of every instrument, whatever it is: the cases are generated from the instrument's data."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    BOOK,
    INSTRUMENTS,
    Sheet,
    as_json,
    completions,
    form_of,
    leanings,
    reachable,
    seeds,
    sheet,
    steady,
    summed_items,
)

from yyassess.assessment.scoring import shared
from yyassess.rulebook.instrument import Band

GRADED = [id for id in INSTRUMENTS if BOOK.instruments[id].grade]
MONOTONE = [id for id in GRADED if BOOK.instruments[id].monotone]
BANDS = [(id, step.id) for id in INSTRUMENTS for step in BOOK.instruments[id].steps if isinstance(step, Band)]
RAISING = [id for id in GRADED if any(a.raise_by for a in BOOK.instruments[id].adjustments)]
OVERRIDING = [id for id in GRADED if any(a.without_items for a in BOOK.instruments[id].adjustments)]
OPTIONAL = [id for id in INSTRUMENTS if sheet(id).optional]
CONDITIONAL = [id for id in INSTRUMENTS if sheet(id).applies]
LICENSED = [id for id in INSTRUMENTS if BOOK.instruments[id].licence.switch]

#: Answers that give no grade although the form is complete, and are meant to: the form was scored by another method.
MEANT = {("clock-drawing", "clock_method", "other")}


def parts(form: Sheet, seed: int, leaning: float) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Complete answers, a complete context and a choice for each open point."""
    rng = random.Random(seed)
    return form.filled(rng, leaning), form.context(rng), form.settings(rng)


def meant_to_give_none(form: Sheet, settings: dict[str, Any]) -> bool:
    return any((form.id, name, value) in MEANT for name, value in settings.items())


def level(result: dict[str, Any]) -> int | None:
    return None if result["grade"] is None else result["grade"]["level"]


def drop(rng: random.Random, form: Sheet, answers: dict[str, Any], most: int | None = None) -> list[str]:
    """Leave out some required answers; returns which."""
    count = rng.randint(1, min(most or len(form.required), len(form.required)))
    gone = rng.sample(form.required, count)
    for id in gone:
        del answers[id]
    return gone


# -- total and single-valued --------------------------------------------------------------------------------
@pytest.mark.parametrize("id", INSTRUMENTS)
@steady
@given(seeds, leanings)
def test_every_complete_set_of_answers_yields_a_grade_or_results(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    assume(not meant_to_give_none(form, settings))
    result = form.assess(answers, context=context, settings=settings)
    assert result["complete"] is True
    assert result["missing"] == []
    assert "bounds" not in result
    if form.instrument.results:
        assert list(result["results"]) == [r.id for r in form.instrument.results]
        assert all(part["level"] in form.levels for part in result["results"].values())
    elif form.instrument.grade:
        assert level(result) in form.levels
    else:
        assert result["grade"] is None
        assert result["not_computed"] == form.instrument.not_computed


@pytest.mark.parametrize("id", INSTRUMENTS)
@steady
@given(seeds, leanings, st.booleans())
def test_the_same_answers_give_the_same_result_in_whatever_order_they_come(
    id: str, seed: int, leaning: float, some_missing: bool
) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    rng = random.Random(seed)
    if some_missing:
        drop(rng, form, answers)
    first = form.assess(answers, context=context, settings=settings)
    shuffled = [dict(rng.sample(list(part.items()), len(part))) for part in (answers, context, settings)]
    again = form.assess(shuffled[0], context=shuffled[1], settings=shuffled[2])
    assert json.dumps(again, ensure_ascii=False) == json.dumps(first, ensure_ascii=False)


@pytest.mark.parametrize("id", INSTRUMENTS)
@steady
@given(seeds, leanings)
def test_every_step_of_the_trace_names_its_source_and_evidence_and_a_band_that_holds_the_score(
    id: str, seed: int, leaning: float
) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    result = form.assess(answers, context=context, settings=settings)
    bands = {step.id for step in form.instrument.steps if isinstance(step, Band)}
    for entry in result["trace"]:
        assert entry["source"]["document"] in BOOK.documents
        assert entry["evidence"] in ("verified", "single", "decision", "recall")
        assert entry["because"]["zh"] and entry["because"]["en"]
        if entry["step"] in bands:
            score, low, high = stretch(entry["because"]["en"])
            assert low <= score < high, entry["because"]
    if level(result) is not None:
        assert result["trace"][-1]["step"] == "grade"
        assert result["trace"][-1]["value"] == level(result)


def stretch(words: str) -> tuple[float, float, float]:
    """The score of a band's sentence, the lowest of its band, and the first value above the band."""
    score, rest = words.split(": ", 1)[1].split(" lies in ")
    edges = rest.split(", ")[0]
    if edges.endswith(" and above"):
        return float(score), float(edges.removesuffix(" and above")), float("inf")
    if " to below " in edges:
        low, high = edges.split(" to below ")
        return float(score), float(low), float(high)
    low, high = edges.split("–")
    assert int(low) <= int(score) <= int(high)
    return float(score), float(low), float(high) + 1


# -- monotone -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", MONOTONE)
def test_a_monotone_instrument_says_which_way_its_scores_run(id: str) -> None:
    it = BOOK.instruments[id]
    for dimension in it.dimensions:
        scored = any(points is not None for item in dimension.items for points in sheet(id).points[item.id].values())
        assert not scored or (dimension.higher_score or it.higher_score) != "neither"


@pytest.mark.parametrize("id", MONOTONE)
@steady
@given(seeds, leanings, st.integers(0, 100), st.integers(1, 100))
def test_one_answer_worse_never_gives_a_better_grade(id: str, seed: int, leaning: float, which: int, by: int) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    before = level(form.assess(answers, context=context, settings=settings))
    item = list(form.answers)[which % len(form.answers)]
    ladder = form.answers[item]
    place = ladder.index(answers[item])
    assume(place + 1 < len(ladder))
    worse = ladder[place + 1 + by % (len(ladder) - place - 1)]
    after = level(form.assess({**answers, item: worse}, context=context, settings=settings))
    if before is not None or after is not None:
        assert before is not None and after is not None
        assert after >= before, (item, answers[item], worse)


# -- incomplete ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", INSTRUMENTS)
@steady
@given(seeds, leanings)
def test_missing_lists_exactly_the_answers_that_are_needed_and_not_given(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    assume(not meant_to_give_none(form, settings))
    full = dict(answers)
    drop(random.Random(seed), form, answers)
    result = form.assess(answers, context=context, settings=settings)
    asked = form.applicable({**answers, **context})
    needed = [item for item in form.required if item not in answers and asked.get(item) is not False]
    if result["complete"]:
        assert result["missing"] == []
        assert not needed or decided_early(form, result), needed
        return
    assert result["missing"] == needed
    completed = form.assess({**answers, **{i: full[i] for i in needed}}, context=context, settings=settings)
    assert completed["complete"]


def decided_early(form: Sheet, result: dict[str, Any]) -> bool:
    """A brief screen may stop at the first positive answer; coma needs no items."""
    overriding = {a.id for a in form.instrument.adjustments if a.without_items}
    return form.instrument.kind == "screening" or any(a["id"] in overriding for a in result["adjustments"])


@pytest.mark.parametrize("id", GRADED)
@steady
@given(seeds, leanings)
def test_no_grade_and_no_total_stand_while_answers_are_missing_but_bounds_do(
    id: str, seed: int, leaning: float
) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    gone = drop(random.Random(seed), form, answers)
    result = form.assess(answers, context=context, settings=settings)
    assume(not result["complete"])
    assert result["grade"] is None
    assert result["bounds"]["best"] in form.levels
    assert result["bounds"]["worst"] in form.levels
    assert result["bounds"]["best"] <= result["bounds"]["worst"]
    for step in form.instrument.steps:
        items = summed_items(form, step.id)
        if items and set(items) & set(gone):
            assert result["scores"].get(step.id) is None


@pytest.mark.parametrize("id", GRADED)
@steady
@given(seeds, leanings, leanings)
def test_every_completion_has_a_grade_within_the_bounds(id: str, seed: int, leaning: float, other: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    rng = random.Random(seed)
    drop(rng, form, answers, most=3 if not form.instrument.monotone else None)
    unknown = {u.fact for u in form.instrument.context if u.if_not_given is None and rng.random() < 0.3}
    given_context = {name: value for name, value in context.items() if name not in unknown}
    bounds = form.assess(answers, context=given_context, settings=settings).get("bounds")
    assume(bounds is not None)
    for _ in range(4):
        whole = form.filled(rng, other) | answers
        grade = level(form.assess(whole, context=context, settings=settings))
        if grade is not None:
            assert bounds["best"] <= grade <= bounds["worst"]


@pytest.mark.parametrize("id", GRADED)
@steady
@given(seeds, leanings)
def test_both_bounds_are_reached_by_some_completion(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    assume(not meant_to_give_none(form, settings))
    rng = random.Random(seed)
    drop(rng, form, answers, most=2 if not form.instrument.monotone else None)
    open_facts = [u.fact for u in form.instrument.context if u.if_not_given is None and not u.optional]
    unknown = [name for name in open_facts if rng.random() < 0.3]
    given_context = {name: value for name, value in context.items() if name not in unknown}
    result = form.assess(answers, context=given_context, settings=settings)
    assume(not result["complete"])
    if form.instrument.monotone:
        ways = [{i: form.answers[i][end] for i in form.required if i not in answers} for end in (0, -1)]
    else:
        ways = list(completions(form, [i for i in form.required if i not in answers]))
    grades = {
        level(form.assess({**answers, **way}, context={**context, **facts}, settings=settings))
        for way in ways
        for facts in contexts(form, unknown)
    } - {None}
    assert result["bounds"] == {"best": min(grades), "worst": max(grades)}  # type: ignore[type-var]


def contexts(form: Sheet, unknown: list[str]) -> list[dict[str, Any]]:
    """Every value of some context facts, of one after the other."""
    ways: list[dict[str, Any]] = [{}]
    for name in unknown:
        fact = BOOK.facts[name]
        values = list(fact.codes) if fact.codes else [*range(*fact.range), fact.range[1]]  # type: ignore[misc]
        ways = [{**way, name: value} for way in ways for value in values]
    return ways


@pytest.mark.parametrize("id", GRADED)
def test_with_nothing_answered_every_grade_from_best_to_worst_is_possible(id: str) -> None:
    form = sheet(id)
    result = form.assess({}, context=form.nothing(), settings=form.settings(random.Random(0)))
    assert result["complete"] is False
    assert result["missing"] == list(form.required)
    assert result["trace"] == []
    assert result["bounds"] == {"best": min(form.levels), "worst": max(form.levels)}


# -- answers that must not score ----------------------------------------------------------------------------
UNSEEN = ("warnings", "trace", "missing")


def without(result: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {k: v for k, v in result.items() if k not in keys}


@pytest.mark.parametrize("id", CONDITIONAL)
@steady
@given(seeds, leanings)
def test_an_answer_to_a_question_that_is_not_asked_never_scores(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    asked = form.applicable({**answers, **context})
    hidden = [item for item, applies in asked.items() if applies is False]
    assume(hidden)
    shown = {i: a for i, a in answers.items() if i not in hidden}
    given = form.assess(answers, context=context, settings=settings)
    blank = form.assess(shown, context=context, settings=settings)
    assert without(given, "warnings") == without(blank, "warnings")
    assert [w["items"] for w in given["warnings"] if w["id"] == "not_counted"] == [hidden]


#: A walk is asked for only where eating is as bad as can be; every kind of step meets it.
HIDDEN = """
steps:
  - {id: total, kind: sum, items: all, name: {zh: 总, en: Total}, evidence: verified}
  - {id: average, kind: mean, items: all, answered: 1, name: {zh: 均, en: Mean}, evidence: verified}
  - {id: bad, kind: count, items: all, when: value = 2, name: {zh: 数, en: Count}, evidence: verified}
  - {id: most, kind: extreme, of: [eating, walking], name: {zh: 最, en: Most}, evidence: verified}
  - {id: often, kind: mode, items: [eating, walking], when: value >= 0, tie_nearest: total, name: {zh: 众, en: Mode}, evidence: verified}
  - {id: walk, kind: band, of: walking, name: {zh: 走, en: Walk}, evidence: verified, cuts: [{at: 0, level: 0}, {at: 2, level: 1}]}
  - id: taken
    kind: rules
    name: {zh: 取, en: Taken}
    evidence: verified
    rules: [{when: bad >= 1, value: walking}, {value: 0}]
  - id: preliminary
    kind: rules
    name: {zh: 级, en: Grade}
    evidence: verified
    rules: [{when: eating = 2 AND walking = 2, value: 1}, {value: 0}]
"""


def hiding(rules: Any) -> Sheet:
    text = (rules.path / "instruments/scale.yaml").read_text(encoding="utf-8")
    start, end = text.index("steps:\n  - {id: total"), text.index("grade: preliminary")
    text = text[:start] + HIDDEN.lstrip() + text[end:]
    rules.write("instruments/scale.yaml", text)
    rules.change(
        "instruments/scale.yaml",
        ("en: Walking}, ladder: steps}", "en: Walking}, ladder: steps, applies_when: eating = 2}"),
    )
    return form_of(rules.load(), "scale")


def test_a_hidden_answer_scores_in_no_kind_of_step(rules: Any) -> None:
    form = hiding(rules)
    for eating in (0, 1):
        blank = form.assess({"eating": eating})
        assert blank["complete"] and level(blank) == 0 and blank["missing"] == []
        assert blank["scores"] == {
            "total": eating,
            "average": eating,
            "bad": 0,
            "most": eating,
            "often": eating,
            "taken": 0,
            "preliminary": 0,
        }
        for walking in (0, 1, 2):
            assert without(form.assess({"eating": eating, "walking": walking}), "warnings") == without(
                blank, "warnings"
            )
    asked = form.assess({"eating": 2, "walking": 2})
    assert level(asked) == 1
    assert asked["scores"]["total"] == 4 and asked["scores"]["bad"] == 2
    assert form.assess({"eating": 2})["missing"] == ["walking"]


def test_the_bounds_leave_out_answers_that_may_turn_out_hidden(rules: Any) -> None:
    form = hiding(rules)
    result = form.assess({"walking": 2})
    assert result["missing"] == ["eating"]
    assert result["bounds"] == {"best": 0, "worst": 1}


@pytest.mark.parametrize("id", OPTIONAL)
@steady
@given(seeds, leanings)
def test_an_optional_answer_never_changes_the_grade(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    needed = {i: a for i, a in answers.items() if i in form.required}
    given = form.assess(answers, context=context, settings=settings)
    blank = form.assess(needed, context=context, settings=settings)
    assert given["grade"] == blank["grade"]
    assert given["complete"] is blank["complete"] is True


@pytest.mark.parametrize("id", LICENSED)
@steady
@given(seeds, leanings)
def test_nothing_is_computed_until_the_licence_is_recorded(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    result = form_of(shared(), id).assess(answers, context=context, settings=settings)
    assert result["grade"] is None and result["preliminary"] is None
    assert result["complete"] is False
    assert result["not_computed"] == form.instrument.licence.say
    assert result["scores"] == {} and "bounds" not in result
    assert {entry["step"] for entry in result["trace"]} <= set(form.answers)


# -- band edges ---------------------------------------------------------------------------------------------
def of_band(step: Band, value: Any) -> int | None:
    """The level of a value, read off the cut points one by one."""
    found = None
    for cut in step.cuts:
        if cut.at <= value:
            found = cut.level
    return found


def edges(step: Band) -> list[Any]:
    """Around every cut point: one below, itself, one above, and the smallest step of a decimal."""
    cent = Decimal("0.01")
    return [value for cut in step.cuts for value in (cut.at - 1, cut.at, cut.at + 1, cut.at - cent, cut.at + cent)]


@pytest.mark.parametrize(("id", "name"), BANDS)
def test_every_band_changes_exactly_at_its_cut_points(id: str, name: str) -> None:
    step = next(s for s in BOOK.instruments[id].steps if s.id == name)
    assert isinstance(step, Band)
    compiled = dict(sheet(id).scorer.steps)[name]
    for value in edges(step):
        assert compiled({}, {step.of: value}) == of_band(step, value), value
    assert compiled({}, {}) is None


def band_values() -> list[tuple[str, str, Any]]:
    """Every band over a sum of items, with the sums just below, at and above each cut point that answers can give."""
    found = []
    for id, name in BANDS:
        form = sheet(id)
        step = next(s for s in form.instrument.steps if s.id == name)
        items = summed_items(form, step.of)  # type: ignore[union-attr]
        totals = sorted(reachable(form, items)) if items else []
        wanted = set()
        for cut in step.cuts:  # type: ignore[union-attr]
            below = [t for t in totals if t < cut.at]
            above = [t for t in totals if t >= cut.at]
            wanted.update(below[-1:], above[:2])
        found.extend((id, name, total) for total in sorted(wanted))
    return found


@pytest.mark.parametrize(("id", "name", "total"), band_values())
def test_answers_that_add_up_to_a_band_edge_get_the_level_of_that_side(id: str, name: str, total: Any) -> None:
    form = sheet(id)
    step = next(s for s in form.instrument.steps if s.id == name)
    assert isinstance(step, Band)
    items = summed_items(form, step.of)
    assert items is not None
    answers = form.filled(random.Random(0), 0.0) | reachable(form, items)[total]
    settings = {s.id: as_json(s.choices[0]) for s in form.instrument.settings if not s.deployment}
    result = form.assess(answers, context=form.nothing(), settings=settings)
    found = [e for e in result["trace"] if e["step"] == name]
    assert [e["value"] for e in found] == [of_band(step, total)]
    assert stretch(found[0]["because"]["en"]) == (total, *band_of(step, total))


def band_of(step: Band, total: Any) -> tuple[Any, Any]:
    """The lowest total of the band that holds ``total``, and the first above it."""
    places = [n for n, cut in enumerate(step.cuts) if cut.at <= total]
    first = last = places[-1]
    level = step.cuts[first].level
    while first and step.cuts[first - 1].level == level:
        first -= 1
    while last + 1 < len(step.cuts) and step.cuts[last + 1].level == level:
        last += 1
    return step.cuts[first].at, step.cuts[last + 1].at if last + 1 < len(step.cuts) else float("inf")


# -- change rules -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", RAISING)
@steady
@given(seeds, leanings)
def test_the_level_rises_once_by_the_largest_rule_that_holds_and_never_above_the_top(
    id: str, seed: int, leaning: float
) -> None:
    form = sheet(id)
    answers, context, settings = parts(form, seed, leaning)
    result = form.assess(answers, context=context, settings=settings)
    assume(result["preliminary"] is not None)
    assert form.instrument.raise_once
    rules = {a.id: a for a in form.instrument.adjustments}
    raises = [rules[a["id"]].raise_by for a in result["adjustments"]]
    before = result["preliminary"]["level"]
    assert level(result) == min(max(form.levels), before + max(raises, default=0))
    assert sum(a["levels"] for a in result["adjustments"]) == level(result) - before
    assert len([a for a in result["adjustments"] if a["levels"]]) <= 1


@pytest.mark.parametrize("id", RAISING)
def test_each_raising_rule_and_any_of_them_together_were_seen_in_these_tests(id: str) -> None:
    form = sheet(id)
    seen: set[str] = set()
    together = 0
    for seed in range(400):
        answers, context, settings = parts(form, seed, 0.2)
        names = [a["id"] for a in form.assess(answers, context=context, settings=settings)["adjustments"]]
        seen.update(names)
        together += len(names) > 1
    assert {a.id for a in form.instrument.adjustments if a.raise_by} <= seen
    assert together > 10


@pytest.mark.parametrize("id", RAISING)
@steady
@given(seeds, leanings)
def test_without_any_raising_fact_the_final_level_is_the_preliminary_one(id: str, seed: int, leaning: float) -> None:
    form = sheet(id)
    answers, _, _ = parts(form, seed, leaning)
    result = form.assess(answers, context=form.nothing())
    assume(result["preliminary"] is not None)
    assert result["grade"] == result["preliminary"]
    assert result["adjustments"] == []


def overriding_ways(form: Sheet) -> list[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """For every rule that needs no items: an answer or a context fact that makes it hold."""
    found = []
    for rule in form.instrument.adjustments:
        if rule.without_items:
            for item, ladder in islice(form.answers.items(), 40):
                for answer in ladder:
                    if rule.id in [a["id"] for a in form.assess({item: answer})["adjustments"]]:
                        found.append((rule, {item: answer}, {}))
            for use in form.instrument.context:
                if BOOK.facts[use.fact].type == "boolean":
                    held = form.assess({}, context={use.fact: True})["adjustments"]
                    if rule.id in [a["id"] for a in held]:
                        found.append((rule, {}, {use.fact: True}))
    return found


@pytest.mark.parametrize("id", OVERRIDING)
@steady
@given(seeds, leanings)
def test_a_rule_that_needs_no_items_decides_alone_and_items_beside_it_do_not_score(
    id: str, seed: int, leaning: float
) -> None:
    form = sheet(id)
    ways = overriding_ways(form)
    assert {rule.id for rule, _, _ in ways} == {a.id for a in form.instrument.adjustments if a.without_items}
    rng = random.Random(seed)
    rule, item, fact = rng.choice(ways)
    answers, context, settings = parts(form, seed, leaning)
    some = {i: a for i, a in answers.items() if rng.random() < rng.choice((0, 0.5, 1))}
    result = form.assess({**some, **item}, context={**context, **fact}, settings=settings)
    assert result["complete"] is True
    assert level(result) == rule.set_level
    assert result["missing"] == [] and result["scores"] == {} and result["dimensions"] == {}
    assert result["preliminary"] is None
    assert [a["id"] for a in result["adjustments"]] == [rule.id]
    assert [entry["step"] for entry in result["trace"]] == [rule.id, "grade"]
