"""The shape of programme and place files."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from yyassess.rulebook.basics import Day, Evidence, Exact, Kebab, Model, Period, SourceRef, Whole, Words, YesNo

Kind = Literal[
    "insurance",
    "subsidy",
    "allowance",
    "service",
    "screening",
    "check-up",
    "sign-up",
    "bed",
    "placement",
    "channel",
    "standard",
]
Standing = Literal["in_force", "pilot", "announced", "none_known"]
Phase = Literal["prevention", "home", "community", "institution", "treatment", "hospice", "money"]


class Dated(Model):
    """A value from a day on; ``value: unknown`` says that nobody knows the figure from then."""

    start: Day | None = Field(default=None, alias="from")
    value: Exact | Literal["unknown"]
    source: SourceRef | None = None
    evidence: Evidence | None = None


class Criterion(Model):
    """One clause of a programme. ``when: unknown`` marks a clause whose content nobody could find."""

    id: Kebab
    when: str
    say: Words
    source: SourceRef | None = None
    evidence: Evidence
    decision: str | None = None


class Benefit(Model):
    """What an eligible person gets."""

    id: Kebab
    say: Words
    when: str | None = None
    amount: str | Exact | tuple[Dated, ...] | None = None
    """A figure, dated figures, or an expression over facts (``LEAST(service_price * 0.4, …)``)."""
    unit: str | None = None
    share: Exact | None = Field(default=None, ge=0, le=1)
    """The part of the cost that is borne."""
    cap: Exact | None = None
    cap_unit: str | None = None
    source: SourceRef | None = None
    evidence: Evidence
    decision: str | None = None
    not_configured: YesNo = False
    """The figure is unknown and stays out; the text says what is missing."""
    guide: YesNo = False
    """A national guide value, shown beside, never this person's entitlement."""

    @model_validator(mode="after")
    def _amount_has_unit(self) -> Self:
        if self.amount is not None and not self.unit:
            raise ValueError("an amount needs a unit, e.g. CNY/month")
        if isinstance(self.amount, tuple):
            days = [d.start.toordinal() if d.start else 0 for d in self.amount]
            if not days or days != sorted(set(days)):
                raise ValueError("dated figures stand in the order of their days, each day once")
        if self.not_configured and self.amount is not None:
            raise ValueError("a benefit is either an amount or not configured")
        if self.evidence.mark == "unknown" and not self.not_configured:
            raise ValueError("a figure of unknown evidence stays out: use not_configured: true")
        return self


class Span(Model):
    """A length of time or a limit."""

    working_days: Whole | None = None
    days: Whole | None = None
    months: Whole | None = None
    months_at_most: Whole | None = None
    years: Whole | None = None
    evidence: Evidence
    source: SourceRef | None = None
    decision: str | None = None
    say: Words | None = None


class Apply(Model):
    """Where and how to apply."""

    where: Words | None = None
    papers: tuple[Words, ...] = ()
    decision_within: Span | None = None
    evidence: Evidence | None = None


class Interaction(Model):
    """How another programme affects this one (衔接)."""

    kind: Literal["cannot_combine", "higher_only", "offset", "requires", "suspends", "unknown"]
    programme: str
    say: Words
    source: SourceRef | None = None
    evidence: Evidence


class Effect(Model):
    """Something that suspends or ends the benefit: a condition, in words and in the condition language."""

    when: str | None = None
    effect: Literal["suspend", "end"]
    say: Words
    source: SourceRef | None = None
    evidence: Evidence


class Indicator(Model):
    """A target of a population, reported by population runs; never a person's right."""

    id: Kebab
    say: Words
    numerator: str | None = None
    denominator: str | None = None
    target: Exact
    at_least: YesNo = True
    by: Day
    source: SourceRef | None = None
    evidence: Evidence


class Service(Model):
    """A step of a person's plan that the programme opens."""

    say: Words
    phase: Phase
    when: str | None = None


class Intended(Model):
    """A finding of ``yyassess check`` that is meant: it is then shown as a note with the reason."""

    code: Kebab
    of: str | None = None
    """The criterion, benefit, fact or other programme it is about; left out, all findings of this code."""
    reason: Words


class Example(Model):
    """A worked example beside the rule, run by ``yyassess test``."""

    name: str
    on: Day
    place: str | None = None
    known_on: Day | None = None
    given: dict[str, Any] = Field(default_factory=dict)
    assessments: tuple[dict[str, Any], ...] = ()
    expect: Any
    """A status, or a mapping of parts of the outcome that must be equal."""


class Programme(Model):
    """A benefit or service with criteria (项目)."""

    id: Kebab
    name: Words
    kind: Kind
    status: Standing
    source: SourceRef
    evidence: Evidence
    in_force: Period = Field(default_factory=Period)
    known_from: Day | None = None
    """The day the text became known, where it reaches back before its publication; a later version has its own."""
    warn_after: Day | None = None
    """After this day figures may have lapsed: the result says so."""
    place_of: Literal["residence", "registration"] = "residence"
    same_as: str | None = None
    """A district row that points to a city programme: not a second scheme."""
    serves: Words | None = None
    criteria: tuple[Criterion, ...] = ()
    not_configured: Words | None = None
    benefits: tuple[Benefit, ...] = ()
    services: tuple[Service, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    effects: tuple[Effect, ...] = ()
    apply: Apply | None = None
    valid_for: Span | None = None
    reassess: Span | None = None
    indicators: tuple[Indicator, ...] = ()
    intended: tuple[Intended, ...] = ()
    """Findings of ``yyassess check`` that are meant, each with its reason."""
    decisions: tuple[str, ...] = ()
    note: Words | None = None
    ends: YesNo = False
    """In a nested place: this programme of the parent does not apply here."""
    versions: tuple[dict[str, Any], ...] = ()
    """Later texts of the same programme: each with its own period and the fields that differ."""
    examples: tuple[Example, ...] = ()


class Place(Model):
    """A place where rules apply."""

    id: Kebab
    code: str = Field(pattern=r"^\d{6}$")
    name: Words
    level: Literal["national", "province", "city", "district"]
    within: str | None = None
    bundle: tuple[str, ...] = ()
    """The instruments the form preselects here."""
    aliases: tuple[str, ...] = ()


class PlaceFile(Model):
    """``place.yaml``: the places of one folder; programmes beside it belong to ``programmes_of``."""

    places: tuple[Place, ...] = Field(min_length=1)
    programmes_of: str | None = None
    """The place the folder's programmes belong to; the last place listed, if not said."""


class CoverageRow(Model):
    """One line of the registry ``coverage.yaml``."""

    place: str
    programme: Kebab
    row: str | None = None
    """The row of the source documents this programme answers, by document and clause."""
    checked: Day
    note: Words | None = None
