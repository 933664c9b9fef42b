"""The shape of event files: which events are told about a person, how long conclusions hold, what an event makes due.

The rules of one id may be written for the nation and again for a place: the nearer one holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from yyassess.conditions.parse import ConditionError, Scope, parse_condition, suggest
from yyassess.rulebook.basics import CodeId, Day, Evidence, Ident, Kebab, Model, SourceRef, Whole, Words, YesNo
from yyassess.rulebook.vocabulary import Code, FactDefinition

if TYPE_CHECKING:
    from yyassess.rulebook.book import Origin
    from yyassess.rulebook.building import Parsed, Workshop

Path = tuple[str | int, ...]
Action = Literal["end", "suspend", "resume", "reassess_now", "check"]
Role = Literal["assessment", "expiry", "admission", "discharge", "move", "death"]

#: Events that one rule joins. durable_rules holds 16 facts in a match.
MOST_JOINED = 16


class Sorting(Model):
    """A detail written in another code system, and what it means: the first three characters lie in a range."""

    into: Ident
    ranges: dict[CodeId, tuple[str, str]] = Field(min_length=1)
    otherwise: CodeId

    def meaning(self, stem: str) -> str | None:
        """What the first three characters of a code mean; ``None`` when they lie in no range."""
        return next((code for code, (low, high) in self.ranges.items() if low <= stem <= high), None)


class Detail(Model):
    """Something told about an event beside its kind and day."""

    type: Literal["boolean", "integer", "code", "date", "text", "place", "instrument", "programme"]
    name: Words
    codes: dict[CodeId, Code] = Field(default_factory=dict)
    codes_of: str | None = None
    """The fact of the vocabulary whose codes these are."""
    range: tuple[Whole, Whole] | None = None
    required: YesNo = False
    if_not_given: Any = None
    """What counts where nobody says; without it the detail is then unknown."""
    sorts: Sorting | None = None

    def fact(self, shop: Any) -> FactDefinition:
        """The same as a fact, which reads values and knows its codes; ``shop`` is a rulebook or one being built."""
        codes: Mapping[str, Any] = self.codes
        if self.codes_of:
            codes = shop.facts[self.codes_of].codes
        elif self.type == "instrument":
            codes = {id: Code(name=it.name) for id, it in shop.instruments.items()}
        elif self.type == "programme":
            texts = (t for programmes in shop.programmes.values() for t in programmes.values())
            codes = {t.id: Code(name=t.texts[0].name) for t in texts}
        if self.type in ("code", "instrument", "programme"):
            return FactDefinition(type="code", name=self.name, codes=dict(codes))
        return FactDefinition(type=self.type, name=self.name, range=self.range)


class EventKind(Model):
    """A kind of event."""

    name: Words
    role: Role | None = None
    """What the event means to the calendar itself, whatever rules say."""
    details: dict[Ident, Detail] = Field(default_factory=dict)
    one_of: tuple[Ident, ...] = ()
    """At least one of these details must be told."""
    note: Words | None = None


class Validity(Model):
    """How long a conclusion holds that does not say so itself."""

    id: Kebab
    place: str | None = None
    instrument: Kebab
    when: str | None = None
    """A condition over the details of the assessment."""
    months: Whole | None = Field(default=None, ge=1)
    months_at_most: Whole | None = Field(default=None, ge=1)
    programme: Kebab | None = None
    """The programme whose text has the figure, under ``span``."""
    span: Literal["valid_for", "reassess"] = "valid_for"
    say: Words
    source: SourceRef
    evidence: Evidence
    decision: str | None = None

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if sum(given is not None for given in (self.months, self.months_at_most, self.programme)) != 1:
            raise ValueError("a conclusion's validity is months, months_at_most, or that of a programme: exactly one")
        return self


class EventRule(Model):
    """What some events make due: each, or so many of them within so many days; or a stay between two of them."""

    id: Kebab
    place: str | None = None
    kinds: tuple[Ident, ...] = ()
    when: str | None = None
    """A condition over the details of each event."""
    counts_if: dict[Ident, dict[Kebab, Ident]] = Field(default_factory=dict)
    """Kinds that count only where a setting of an instrument says yes: kind -> {instrument: setting}."""
    at_least: Whole = Field(default=1, ge=1, le=MOST_JOINED)
    within_days: Whole | None = Field(default=None, ge=0, le=36600)
    stay: Literal["open", "closed"] | None = None
    """In place of ``kinds``: due while an admission has no discharge, or once it has one."""
    due: Action
    assessment: Literal["immediate", "full", "routine"] | None = None
    settled_by: str | None = None
    """The instrument whose later assessment settles the matter; ``same`` for the one that the event names."""
    programmes: tuple[Kebab, ...] = ()
    all: YesNo = False
    """The action is about every programme."""
    say: Words
    source: SourceRef
    evidence: Evidence
    decisions: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.kinds) == (self.stay is not None):
            raise ValueError("a rule is about the kinds of some events, or about a stay: one of them")
        if (self.at_least > 1) != (self.within_days is not None):
            raise ValueError("at_least (2 or more) and within_days go together")
        if (self.due == "reassess_now") != (self.assessment is not None):
            raise ValueError("a rule that makes an assessment due says which: immediate, full or routine")
        if self.due == "reassess_now" and self.settled_by is None:
            raise ValueError("a rule that makes an assessment due says what settles it: an instrument, or same")
        if strange := sorted(set(self.counts_if) - set(self.kinds)):
            raise ValueError(f"counts_if names {strange[0]}, which is not one of the kinds")
        if self.stay and (self.when or self.at_least > 1 or self.settled_by):
            raise ValueError("a stay has no when, at_least or settled_by")
        return self


class EventDecision(Model):
    """A reading this project takes where the sources leave a point open."""

    id: str = Field(pattern=r"^[A-Z]+-D[0-9]+$")
    point: Words
    taken: Words
    reason: Words


class EventExample(Model):
    """A person's events and what is due because of them; run by ``yyassess test``."""

    name: str
    on: Day
    place: Kebab | None = None
    settings: dict[Kebab, dict[Ident, Any]] = Field(default_factory=dict)
    """Instrument -> setting -> what a deployment chose."""
    events: tuple[dict[str, Any], ...] = ()
    expect: dict[str, Any]
    """Parts of what is due that must be equal: see `yyassess.assurance.examples.shown_of_events`."""


class EventFile(Model):
    """``events.yaml``."""

    kinds: dict[Ident, EventKind] = Field(default_factory=dict)
    validity: tuple[Validity, ...] = ()
    rules: tuple[EventRule, ...] = ()
    decisions: tuple[EventDecision, ...] = ()
    examples: tuple[EventExample, ...] = ()


@dataclass
class EventRules:
    """What all event files of a rulebook say together."""

    kinds: dict[str, EventKind] = field(default_factory=dict)
    validity: list[Validity] = field(default_factory=list)
    rules: list[EventRule] = field(default_factory=list)
    decisions: dict[str, EventDecision] = field(default_factory=dict)
    examples: "list[tuple[Origin, tuple[EventExample, ...]]]" = field(default_factory=list)

    def digest(self) -> Any:
        """The content, for the rulebook's hash."""
        return {
            "kinds": {id: kind.model_dump(mode="json") for id, kind in self.kinds.items()},
            "validity": sorted(str(v.model_dump(mode="json")) for v in self.validity),
            "rules": sorted(str(r.model_dump(mode="json")) for r in self.rules),
        }

    def role(self, kind: str) -> Role | None:
        """What a kind of event means to the calendar."""
        return self.kinds[kind].role

    def names(self, kinds: tuple[str, ...], shop: Any) -> dict[str, FactDefinition]:
        """The details that events of all these kinds have."""
        first, *others = (self.kinds[kind].details for kind in kinds)
        return {n: d.fact(shop) for n, d in first.items() if all(n in o and o[n].type == d.type for o in others)}


def tree_scope(kinds: tuple[str, ...]) -> str:
    """Under which key of the rulebook's trees the conditions over some kinds of events are kept."""
    return f"events:{','.join(kinds)}"


def gather_events(shop: "Workshop", items: "Sequence[Parsed]") -> EventRules:
    """All event files as one, with every fault noted."""
    made = EventRules()
    files: list[tuple[EventFile, Origin]] = []
    for item in items:
        file = shop.validate(EventFile, item, item.data)
        if file is not None:
            files.append((file, item.origin()))
    if shop.blind or len(files) < len(items):
        return made
    for file, origin in files:
        for id, kind in file.kinds.items():
            if id in made.kinds:
                shop.error(origin, ("kinds", id), f"the kind of event {id!r} is already defined")
            made.kinds[id] = kind
        made.examples.append((origin, file.examples))
        for decision in file.decisions:
            made.decisions[decision.id] = decision
    roles: dict[str, str] = {}
    for id, kind in made.kinds.items():
        if kind.role and roles.setdefault(kind.role, id) != id:
            origin = next(o for f, o in files if id in f.kinds)
            shop.error(origin, ("kinds", id, "role"), f"{roles[kind.role]!r} has this role already")
    seen: set[Any] = set()
    for file, origin in files:
        check = _Check(shop, made, origin, roles)
        for id in file.kinds:
            check.kind(id)
        rows: list[tuple[Path, Validity | EventRule]] = [(("validity", n), row) for n, row in enumerate(file.validity)]
        rows += [(("rules", n), row) for n, row in enumerate(file.rules)]
        for path, row in rows:
            if (path[0], row.id, row.place) in seen:
                shop.error(origin, (*path, "id"), f"{row.id!r} is written twice for the same place")
            seen.add((path[0], row.id, row.place))
            check.documents(path, row)
            if row.place is not None:
                check.known("place", row.place, shop.places, *path, "place")
            if isinstance(row, Validity):
                check.validity(row, path)
                made.validity.append(row)
            else:
                check.rule(row, path)
                made.rules.append(row)
    return made


@dataclass
class _Check:
    """One file against all the rest of the rulebook."""

    shop: "Workshop"
    made: EventRules
    origin: "Origin"
    roles: Mapping[str, str]

    def known(self, what: str, name: str, known: Any, *path: str | int) -> bool:
        if name not in known and name not in self.shop.broken:  # a broken one's own file says what is wrong with it
            self.shop.error(self.origin, path, f"unknown {what} {name!r}{suggest(name, known)}")
        return name in known

    def documents(self, path: Path, row: BaseModel) -> None:
        for name, value in row:
            if isinstance(value, SourceRef):
                self.known("document", value.document, self.shop.documents, *path, name)

    def kind(self, id: str) -> None:
        kind = self.made.kinds[id]
        for name, detail in kind.details.items():
            path = ("kinds", id, "details", name)
            if detail.codes_of and self.known("fact", detail.codes_of, self.shop.facts, *path, "codes_of"):
                fact = self.shop.facts[detail.codes_of]
                if not fact.codes:
                    self.shop.error(self.origin, path, f"{detail.codes_of} has no codes")
            elif (detail.type == "code") != bool(detail.codes or detail.codes_of):
                self.shop.error(self.origin, path, "a detail of type code, and no other, has codes")
            elif detail.type == "integer" and detail.range is None:
                self.shop.error(self.origin, path, "a whole number has a range: [lowest, highest]")
            if detail.sorts:
                self.known("detail", detail.sorts.into, kind.details, *path, "sorts", "into")
        for name in kind.one_of:
            self.known("detail", name, kind.details, "kinds", id, "one_of")

    def condition(self, text: str | None, kinds: tuple[str, ...], path: Path) -> None:
        if text is None:
            return
        trees = self.shop.trees.setdefault(tree_scope(kinds), {})
        try:
            names = {n: fact.as_name for n, fact in self.made.names(kinds, self.shop).items()}
            trees[text] = parse_condition(text, Scope(names))
        except ConditionError as error:
            if error.unknown not in self.shop.broken:
                self.shop.error(self.origin, (*path, "when"), str(error))
        except (KeyError, ValueError) as error:
            if not self.shop.errors:  # else a kind is at fault, and was said to be
                self.shop.error(self.origin, (*path, "when"), str(error))

    def decisions(self, ids: tuple[str, ...], path: Path) -> None:
        known = {d.id for it in self.shop.instruments.values() for d in it.decisions} | set(self.made.decisions)
        for id in ids:
            self.known("decision", id, known, *path, "decisions")

    def programmes(self) -> Iterator[str]:
        for programmes in self.shop.programmes.values():
            yield from programmes

    def validity(self, row: Validity, path: Path) -> None:
        self.known("instrument", row.instrument, self.shop.instruments, *path, "instrument")
        if row.programme:
            self.known("programme", row.programme, set(self.programmes()), *path, "programme")
        if row.programme in set(self.programmes()) and not months_of(self.shop, str(row.programme), row.span):
            self.shop.error(self.origin, (*path, "programme"), f"{row.programme} has no {row.span} in months")
        if "assessment" not in self.roles:
            self.shop.error(self.origin, path, "no kind of event has the role assessment")
        else:
            self.condition(row.when, (self.roles["assessment"],), path)
        self.decisions((row.decision,) if row.decision else (), path)

    def rule(self, rule: EventRule, path: Path) -> None:
        kinds = all([self.known("kind of event", k, self.made.kinds, *path, "kinds") for k in rule.kinds])
        if kinds and rule.kinds:
            self.condition(rule.when, rule.kinds, path)
        for role in ("admission", "discharge") if rule.stay else ():
            if role not in self.roles:
                self.shop.error(self.origin, (*path, "stay"), f"no kind of event has the role {role}")
        if rule.settled_by and rule.settled_by != "same":
            self.known("instrument", rule.settled_by, self.shop.instruments, *path, "settled_by")
        for switch in rule.counts_if.values():
            for id, name in switch.items():
                if self.known("instrument", id, self.shop.instruments, *path, "counts_if"):
                    settings = {s.id for s in self.shop.instruments[id].settings}
                    self.known("setting", name, settings, *path, "counts_if")
        for id in rule.programmes:
            self.known("programme", id, set(self.programmes()), *path, "programmes")
        self.decisions(rule.decisions, path)


def months_of(shop: Any, programme: str, span: str) -> tuple[int, Any] | None:
    """How many months a programme's text gives a conclusion, and that part of the text."""
    for programmes in shop.programmes.values():
        for text in programmes[programme].texts if programme in programmes else ():
            found = getattr(text, span)
            months = found and (found.months if found.months is not None else found.months_at_most)
            if months:
                return months, found
    return None
