"""The shape of a screening pathway file: who enters, which stages, the graded result, what follows from it.

Conditions here may use the vocabulary and, for every instrument, ``<id>_positive`` (yes/no), ``<id>_level`` and
``<id>_done`` (hyphens written as underscores); for every stage ``<stage>_done`` (any screen has a result),
``<stage>_positive`` (any screen positive) and ``<stage>_conflict`` (screens that disagree).
"""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from yyassess.rulebook.basics import Day, Evidence, Ident, Kebab, Model, SourceRef, Whole, Words, YesNo


class Clause(Model):
    """A condition with its sentence, source and evidence."""

    id: Kebab
    when: str
    say: Words
    source: SourceRef | None = None
    evidence: Evidence


class Choice(Model):
    """An instrument that may serve a stage, and for whom."""

    instrument: Kebab
    when: str | None = None
    say: Words | None = None
    source: SourceRef | None = None
    evidence: Evidence


class Stage(Model):
    """One stage: needed when ``when`` holds, done when one of its instruments has a result."""

    id: Ident
    name: Words
    when: str | None = None
    choose: tuple[Choice, ...] = Field(min_length=1)
    optional: YesNo = False
    source: SourceRef | None = None
    evidence: Evidence


class Outcome(Model):
    """One value of the graded result."""

    code: Kebab
    level: Whole
    name: Words
    advice: Words


class Grading(Model):
    """One line of the ordered grading: the first that holds gives the result; the last has no ``when``."""

    when: str | None = None
    result: Kebab
    say: Words
    source: SourceRef | None = None
    evidence: Evidence


class Action(Model):
    """What is to be done for some results."""

    id: Kebab
    results: tuple[Kebab, ...] = ()
    """Empty: for every result."""
    when: str | None = None
    kind: Literal["guidance", "intervention", "referral", "care_unit", "follow_up", "safety"]
    say: Words
    source: SourceRef | None = None
    evidence: Evidence


class Rescreen(Model):
    """When to screen again; the first line that applies counts."""

    results: tuple[Kebab, ...] = ()
    when: str | None = None
    days: Whole | None = None
    months: Whole | None = None
    say: Words
    source: SourceRef | None = None
    evidence: Evidence


class PathwayExample(Model):
    """A worked example, run by ``yyassess test``."""

    name: str
    on: Day
    given: dict[str, Any] = Field(default_factory=dict)
    assessments: tuple[dict[str, Any], ...] = ()
    expect: dict[str, Any]


class Pathway(Model):
    """A screening pathway (筛查路径)."""

    id: Kebab
    name: Words
    place: str = "national"
    source: SourceRef
    evidence: Evidence
    note: Words
    entry: tuple[Clause, ...] = Field(min_length=1)
    stages: tuple[Stage, ...] = Field(min_length=1)
    results: tuple[Outcome, ...] = Field(min_length=2)
    grading: tuple[Grading, ...] = Field(min_length=1)
    cautions: tuple[Clause, ...] = ()
    actions: tuple[Action, ...] = ()
    rescreen: tuple[Rescreen, ...] = ()
    flags: tuple[Clause, ...] = ()
    decisions: tuple[Clause, ...] = ()
    examples: tuple[PathwayExample, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        codes = {r.code for r in self.results}
        lines: tuple[Action | Rescreen, ...] = (*self.actions, *self.rescreen)
        for line in lines:
            strange = set(line.results) - codes
            if strange:
                raise ValueError(f"{', '.join(sorted(strange))} is not one of the results {sorted(codes)}")
        for grading in self.grading:
            if grading.result not in codes:
                raise ValueError(f"{grading.result} is not one of the results {sorted(codes)}")
        if self.grading[-1].when is not None or any(g.when is None for g in self.grading[:-1]):
            raise ValueError("the grading ends with one line without `when`, and only that one lacks it")
        return self
