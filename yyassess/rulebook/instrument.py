"""The shape of an instrument file: items, options, scoring steps, levels, adjustments, decisions.

The scoring kinds are general and few, so that a scale is a YAML file and never a Python class of its own.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from yyassess.rulebook.basics import (
    Evidence,
    Ident,
    Kebab,
    Model,
    Number,
    Period,
    SourceRef,
    Whole,
    Words,
    YesNo,
)


class Option(Model):
    """One answer of an item: a printed score, or an id where the form prints no score."""

    score: Number | None = None
    id: Ident | None = None
    say: Words
    evidence: Evidence | None = None

    @model_validator(mode="after")
    def _identified(self) -> Self:
        if self.score is None and self.id is None:
            raise ValueError("an option needs a score (as printed) or an id")
        return self

    @property
    def answer(self) -> int | Decimal | str:
        """What an assessor's answer to this option looks like: its id if it has one, else its score."""
        if self.id is not None:
            return self.id
        assert self.score is not None
        return self.score


class Item(Model):
    """One question. Either options (or a named ladder of options), or a whole-number ``range`` (totals)."""

    id: Ident
    code: str | None = None
    name: Words
    scope: Words | None = None
    options: tuple[Option, ...] = ()
    ladder: str | None = None
    range: tuple[Whole, Whole] | None = None
    decimals: Whole = 0
    """Decimals allowed in a ``range`` entry."""
    evidence: Evidence | None = None
    disagreement: Words | None = None
    optional: YesNo = False
    """True when the result does not need this item."""
    applies_when: str | None = None
    """Asked, and counted, only when this condition over other items and context holds."""

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if sum((bool(self.options), self.ladder is not None, self.range is not None)) != 1:
            raise ValueError("an item has exactly one of options, ladder and range")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"the range {list(self.range)} is upside down")
        return self


class Dimension(Model):
    """A group of items (一级指标)."""

    id: Ident
    code: str | None = None
    name: Words
    higher_score: Literal["more_able", "worse"] | None = None
    """Where the dimension runs against the instrument's own direction."""
    items: tuple[Item, ...] = Field(min_length=1)


class Level(Model):
    """One value of the grade."""

    level: Whole
    code: Kebab
    name: Words
    positive: YesNo | None = None
    advice: Words | None = None


class ContextUse(Model):
    """A vocabulary fact the instrument reads beside its items."""

    fact: str
    if_not_given: Any = None
    """What is assumed, with a warning, when nobody answered; leave out to keep it unknown."""
    matters_when: str | None = None
    """The warning about an assumption is given only when this condition holds."""
    optional: YesNo = False


class Setting(Model):
    """A point the source leaves open and a deployment may settle otherwise (``rules/settings.yaml``)."""

    id: Ident
    decision: str | None = None
    choices: tuple[Any, ...] = Field(min_length=2)
    names: dict[str, Words] = Field(default_factory=dict)
    """What each choice is called, by its text."""
    default: Any = None
    """None: there is no silent default; the choice must be made with each assessment."""
    deployment: bool = False
    """True: only ``settings.yaml`` may choose; an assessment that chooses otherwise is refused."""
    say: Words


class Bonus(Model):
    """Points added to a sum when a condition holds."""

    when: str
    add: Number
    say: Words
    evidence: Evidence


class Reverse(Model):
    """Items whose answer ``x`` counts as ``minuend - x``."""

    items: tuple[Ident, ...]
    minuend: Whole


class BandFrom(Model):
    """A cut point: from this value upward (to the next cut) the result is ``level``."""

    at: Number
    level: Whole


class Rule(Model):
    """One line of an ordered table: the first line whose condition is true gives the value."""

    when: str | None = None
    value: Number | Ident
    """A figure, the id of a step or item, or ``unknown``: then the step has no value."""
    say: Words | None = None


class StepBase(Model):
    """What every scoring step has."""

    id: Ident
    name: Words
    source: SourceRef | None = None
    evidence: Evidence
    report: YesNo = True
    """Shown under ``scores`` of the result."""
    decision: str | None = None
    level_of: Ident | None = None
    """The dimension whose sub-grade this step is (a band over a dimension's sum says so by itself)."""


class Sum(StepBase):
    """The sum of items, or of steps and counted facts."""

    kind: Literal["sum"]
    items: tuple[Ident, ...] | Literal["all"] = ()
    dimension: Ident | None = None
    of: tuple[str, ...] = ()
    reverse: Reverse | None = None
    bonus: tuple[Bonus, ...] = ()
    at_least: Number | None = None
    at_most: Number | None = None


class Mean(StepBase):
    """The mean of the answered items; needs at least ``answered`` of them."""

    kind: Literal["mean"]
    items: tuple[Ident, ...] | Literal["all"]
    answered: Whole | None = None
    decimals: Whole = 2


class Count(StepBase):
    """How many items meet a condition on ``value`` (the item's answer)."""

    kind: Literal["count"]
    items: tuple[Ident, ...] | Literal["all"]
    when: str


class Worst(StepBase):
    """The largest (or, with ``pick: least``, the smallest) of items, steps or counted facts."""

    kind: Literal["extreme"]
    of: tuple[str, ...] = Field(min_length=2)
    pick: Literal["most", "least"] = "most"


class Band(StepBase):
    """A level from ordered cut points, each written once: complete and disjoint by construction."""

    kind: Literal["band"]
    of: str
    cuts: tuple[BandFrom, ...] = Field(min_length=1)
    names: dict[Whole, Words] = Field(default_factory=dict)
    """Names of the band levels where they are not the instrument's own levels."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        points = [Decimal(cut.at) for cut in self.cuts]
        if points != sorted(set(points)):
            raise ValueError("the cut points must rise from line to line, each written once")
        return self


class Matrix(StepBase):
    """A table lookup: row by one step's level, column by another's."""

    kind: Literal["matrix"]
    rows: str
    columns: str
    cells: tuple[tuple[Whole, ...], ...]
    status: Literal["confirmed", "unconfirmed"] = "confirmed"
    confirmed_by: Words | None = None

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if len({len(row) for row in self.cells}) != 1:
            raise ValueError("all rows of a matrix have the same length")
        if self.status == "confirmed" and self.evidence.unconfirmed:
            raise ValueError("a matrix with recalled cells cannot be marked confirmed")
        return self


class Rules(StepBase):
    """Ordered lines, the last without ``when``: total by construction."""

    kind: Literal["rules"]
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _total(self) -> Self:
        if self.rules[-1].when is not None:
            raise ValueError("the last line of ordered rules has no `when`: it answers for all the rest")
        if any(rule.when is None for rule in self.rules[:-1]):
            raise ValueError("only the last line of ordered rules may lack `when`")
        return self


class Mode(StepBase):
    """The most frequent answer among items that meet ``when``; on a tie the one nearest to ``tie_nearest``."""

    kind: Literal["mode"]
    items: tuple[Ident, ...]
    when: str
    tie_nearest: str


Step = Annotated[Sum | Mean | Count | Worst | Band | Matrix | Rules | Mode, Field(discriminator="kind")]


class Adjustment(Model):
    """A rule of the instrument that moves the preliminary grade (等级变更)."""

    id: Ident
    when: str
    raise_by: Whole | None = Field(default=None, ge=1)
    set_level: Whole | None = None
    without_items: YesNo = False
    """True when the result then needs no item at all; items given are not counted."""
    source: SourceRef
    evidence: Evidence
    say: Words

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if (self.raise_by is None) == (self.set_level is None):
            raise ValueError("an adjustment has exactly one of raise_by and set_level")
        return self


class Decision(Model):
    """The reading the project takes where the source leaves a point open."""

    id: str
    point: Words
    taken: Words
    reason: Words
    when: str | None = None
    """The result names the decision when this holds; without it the decision never changes one result."""
    proposed: YesNo = False


class Hint(Model):
    """A consistency check for the assessor; never a rule of the standard."""

    id: str
    when: str
    items: tuple[str, ...] = ()
    say: Words
    severity: Literal["hint", "block", "safety"] = "hint"
    """``block``: the form does not finish until it is resolved; ``safety``: act now."""


class RecordGroup(Model):
    """A part of the basic information form that goes with the assessment."""

    id: Ident
    code: str | None = None
    name: Words
    facts: "tuple[RecordField, ...]"


class RecordField(Model):
    """A vocabulary fact asked on the form, with its number there."""

    fact: str
    code: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"fact": value} if isinstance(value, str) else value


class Result(Model):
    """One of several results of an instrument that yields no single grade."""

    id: Ident
    name: Words
    of: str
    """A step whose value is a level of this instrument."""
    score: str | None = None
    """The step that holds the score behind it."""


class Licence(Model):
    """Who owns the form and what may be shipped."""

    owner: Words
    status: Literal["government", "public_domain", "permitted", "restricted", "unconfirmed"]
    items: Literal["shipped", "withheld"]
    say: Words
    verified_on: str
    evidence: Evidence
    switch: str | None = None
    """A setting that must be on before the result is computed."""


class Vector(Model):
    """A worked example: answers in, grade out, run by ``yyassess test``."""

    name: str
    answers: dict[str, Any] = Field(default_factory=dict)
    fill: Literal["best", "worst"] | None = None
    """Answer all other items with their best or worst option."""
    context: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    expect: dict[str, Any]


class Instrument(Model):
    """A published scale (评估量表)."""

    id: Kebab
    name: Words
    short: Words
    place: str = "national"
    kind: Literal["ability", "screening", "staging", "self-rating", "constitution", "need"]
    source: SourceRef
    evidence: Evidence
    in_force: Period = Field(default_factory=Period)
    licence: Licence
    higher_score: Literal["more_able", "worse", "neither"]
    monotone: YesNo = True
    """One answer worse never gives a better grade."""
    respondent: tuple[Literal["person", "informant", "assessor", "clinician"], ...]
    administered_by: Words | None = None
    method: Words | None = None
    levels: tuple[Level, ...] = ()
    ladders: dict[str, tuple[Option, ...]] = Field(default_factory=dict)
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    context: tuple[ContextUse, ...] = ()
    settings: tuple[Setting, ...] = ()
    steps: tuple[Step, ...] = ()
    grade: str | None = None
    """The step that gives the preliminary level."""
    results: tuple[Result, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    raise_once: YesNo = True
    """Several raising rules together raise by the largest of them, not by their sum."""
    decisions: tuple[Decision, ...] = ()
    hints: tuple[Hint, ...] = ()
    record: tuple[RecordGroup, ...] = ()
    note: Words | None = None
    not_computed: Words | None = None
    """Why no grade is computed (figures unknown): the level is entered by the assessor."""
    reassess: Words | None = None
    examples: tuple[Vector, ...] = ()

    @model_validator(mode="after")
    def _graded(self) -> Self:
        if not (self.grade or self.results or self.not_computed):
            raise ValueError("an instrument has a grade, results, or says why nothing is computed")
        return self
