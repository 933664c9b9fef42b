"""A deliberate fault planted in any of our rule files is found: reading, the worked examples or the check notices it."""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache

import pytest

from yyassess.assurance.killing import Hunt, Verdict
from yyassess.assurance.mutants import Mutant
from yyassess.rulebook.loading import shipped_rules

#: So many mutants are judged in every run; `scripts/mutate_rules.py` judges them all.
SAMPLE = 40
FOUND = ("reading", "examples", "check")


@lru_cache
def hunt() -> Hunt:
    return Hunt(shipped_rules())


def planted(file: str, path: str, what: str) -> Verdict:
    """The verdict on the one mutant of that description."""
    [mutant] = [m for m in hunt().mutants(file) if ".".join(map(str, m.path)) == path and what in m.what]
    return hunt().judge(mutant)


@pytest.mark.parametrize(
    ("file", "path", "what"),
    [
        ("rules/instruments/gbt-42195-2022.yaml", "steps.5.cuts.1.at", "30 -> 29"),
        ("rules/instruments/gbt-42195-2022.yaml", "steps.5.cuts.2.at", "46 -> 47"),
        ("rules/instruments/gbt-42195-2022.yaml", "steps.5.cuts.4.at", "90 -> 89"),
        ("rules/instruments/gbt-42195-2022.yaml", "raise_once", "True -> False"),
        ("rules/instruments/ltci-2021-37.yaml", "steps.7.cells", "cells 1,2 and 1,3 exchanged"),
        ("rules/instruments/ltci-2021-37.yaml", "steps.7.cells", "cells 2,0 and 3,0 exchanged"),
        ("rules/instruments/screening/gds-15.yaml", "levels.1.positive", "True -> False"),
        ("rules/chongqing/cq-ltci.yaml", "criteria.0", "criteria: employee-insured dropped"),
        ("rules/chongqing/cq-ltci.yaml", "criteria.1.when", "insured_months_continuous > 24"),
        ("rules/chongqing/cq-ltci.yaml", "benefits.0.amount", "40 -> 41"),
        ("rules/chongqing/cq-ltci.yaml", "in_force.from", "from one day later"),
        ("rules/guangzhou/old-age-allowance.yaml", "in_force.from", "from one day later"),
        ("rules/guangzhou/gz-ltci.yaml", "benefits.3.share", "0.70 -> 0.71"),
        ("rules/national/national-ltci.yaml", "benefits.1.guide", "True -> False"),
        ("rules/national/national-consumption-subsidy.yaml", "criteria.0.when", "age >= 61"),
        ("rules/national/national-consumption-subsidy.yaml", "criteria.1", "moderate-or-greater dropped"),
        ("rules/national/national-consumption-subsidy.yaml", "benefits.0.amount", "service_price * 0.41"),
        ("rules/zhoushan/zs-ltci.yaml", "in_force.from", "from one day earlier"),
        ("rules/zhoushan/zs-ltci.yaml", "services.0", "services: 1 dropped"),
        ("rules/pathways/dementia.yaml", "grading.5", "grading: 6 dropped"),
        ("rules/events.yaml", "rules.0.within_days", "30 -> 29"),
        ("rules/events.yaml", "rules.0.kinds", "self_harm left out"),
        ("rules/events.yaml", "rules.1", "coma dropped"),
        ("rules/events.yaml", "validity.1.months", "6 -> 7"),
        ("rules/events.yaml", "kinds.diagnosis.details.icd10.sorts.ranges.dementia.1", "F03 -> F02"),
    ],
)
def test_a_fault_planted_by_hand_is_found_with_a_witness(file: str, path: str, what: str) -> None:
    verdict = planted(file, path, what)
    assert verdict.killed_by in FOUND, verdict
    assert verdict.detail, "which example, finding or line of the file shows it"


def test_a_fault_in_each_rule_file_is_found_or_proved_harmless() -> None:
    chosen = {}
    for mutant in hunt().mutants():
        chosen.setdefault(mutant.file, mutant)
    verdicts = [hunt().judge(mutant) for mutant in chosen.values()]
    left = [f"{v.mutant}  {v.witness}" for v in verdicts if v.survived]
    assert not left, "\n".join(left)


def test_a_sample_of_all_faults_is_found_or_proved_harmless() -> None:
    chosen = random.Random(2026).sample(list(hunt().mutants()), SAMPLE)
    verdicts = [hunt().judge(mutant) for mutant in chosen]
    left = [f"{v.mutant}  {v.witness}" for v in verdicts if v.survived]
    assert not left, "\n".join(left)


def test_every_kind_of_rule_file_has_mutants() -> None:
    number = Counter(hunt().files[m.file].role for m in hunt().mutants())
    assert {"instrument", "pathway", "programme"} <= set(number)
    assert sum(number.values()) > 3000


def test_a_mutant_differs_from_its_file_in_one_place_only() -> None:
    for mutant in random.Random(1).sample(list(hunt().mutants()), 200):
        assert mutant.data != mutant.original
        again = Mutant(mutant.file, mutant.path, mutant.what, mutant.value, mutant.original)
        assert again.data == mutant.data


@pytest.mark.parametrize(
    ("file", "path", "what"),
    [
        ("rules/chongqing/cq-ltci.yaml", "criteria.3.when", "-> ltci_grade >= 3 AND ltci_grade <= 6"),
        # Nobody under 60 gets as far as the benefits, whatever else is known of them.
        ("rules/guangzhou/gz-senior-benefits.yaml", "benefits.0.when", "-> age <= 64"),
        # "Twice" and "three times" both reach the threshold of two events.
        ("rules/vocabulary.yaml", "facts.care_risk_events.fall.codes.twice.number", "2 -> 3"),
        # A clause was never found, so the plan of nobody shows the step.
        ("rules/chongqing-jiulongpo/jl-old-age-allowance.yaml", "services.0", "dropped"),
    ],
)
def test_a_fault_that_changes_nothing_is_proved_to_change_nothing(file: str, path: str, what: str) -> None:
    assert planted(file, path, what).killed_by == "equivalent"


def test_a_text_that_only_ends_another_is_not_taken_for_harmless() -> None:
    verdict = planted("rules/guangzhou/frail-elder-subsidy.yaml", "in_force.from", "from one day earlier")
    assert verdict.killed_by == "examples"


def test_a_moved_end_that_another_range_covers_is_proved_harmless() -> None:
    path = "kinds.diagnosis.details.icd10.sorts.ranges.other_mental_disorder.0"
    assert planted("rules/events.yaml", path, "F04 -> F03").killed_by == "equivalent"
    assert planted("rules/events.yaml", path, "F04 -> F05").killed_by == "examples"
