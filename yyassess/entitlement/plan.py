"""A ruleset made ready to decide: its programmes compiled once, kept by content hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yyassess.assessment.case import roots
from yyassess.assessment.question import number, source_json
from yyassess.conditions.reference import Condition, Quantity, compile_condition, compile_value
from yyassess.conditions.tree import And, Compare, Const, Fact, Flag, Literal, Node, Not, Or, facts_of, walk
from yyassess.entitlement.engine import DurableEngine, Program, ReferenceEngine
from yyassess.rulebook.basics import Frozen, Text
from yyassess.rulebook.book import Ruleset, Standing

#: A criterion whose content nobody could find: never true, never false.
UNCONFIGURED = Flag("unconfigured")


@dataclass(frozen=True, slots=True)
class ReadyCriterion:
    """One criterion: its key in the engine, its tree, and the unchanging part of its explanation."""

    key: str
    id: str
    node: Node
    names: tuple[str, ...]
    shown: tuple[str, ...]
    """The facts its explanation shows."""
    template: Frozen
    configured: bool
    limits: tuple[Compare, ...]
    """Its comparisons of a fact that can change with a number: where a near miss can be measured."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A criterion as it is asked about: every ``ELIGIBLE(…)`` written out, and all the facts it then names."""

    key: str
    node: Node
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadyBenefit:
    """One benefit with its compiled condition and amount."""

    benefit: Any
    holds: Condition | None
    names: tuple[str, ...]
    amount: Quantity | None
    amount_names: tuple[str, ...]
    dated: tuple[Any, ...]
    """The dated figures, oldest first, where the amount is not one figure or an expression."""
    template: Frozen


@dataclass(frozen=True)
class ReadyProgramme:
    """A programme in force, ready to decide."""

    standing: Standing
    criteria: tuple[ReadyCriterion, ...]
    benefits: tuple[ReadyBenefit, ...]
    services: tuple[tuple[Any, Condition | None], ...]
    effects: tuple[tuple[Any, Condition | None], ...]
    grade_facts: tuple[str, ...]
    unconfirmed: bool
    head: Frozen


class ReadyRuleset:
    """All programmes of a ruleset and the engine that decides them."""

    def __init__(self, ruleset: Ruleset, engine: str = "durable") -> None:
        book = ruleset.book
        self.ruleset = ruleset
        self.trees = book.trees.get("programmes", {})
        self.roots = {name: roots(book, name) for name in book.facts}
        self.criteria: dict[str, Node] = {}
        self._keys: dict[Node, str] = {}
        self.programmes: dict[str, ReadyProgramme] = {}
        self.absent: dict[str, Standing] = {}
        self.aliases: dict[str, str] = {}
        for id, standing in ruleset.standings.items():
            if not standing.in_force:
                self.absent[id] = standing
            elif standing.programme.same_as and standing.programme.same_as in ruleset.standings:
                self.aliases[id] = standing.programme.same_as
        for id, standing in ruleset.standings.items():
            if id not in self.absent and id not in self.aliases:
                self.programmes[id] = self._programme(standing)
        types = {name: fact.type for name, fact in book.facts.items()} | {"on_day": "date", "unconfigured": "boolean"}
        types |= {f"eligible:{id}": "boolean" for id in ruleset.standings if id not in self.programmes}
        self.needs = tuple(dict.fromkeys(n for node in self.criteria.values() for n in facts_of(node)))
        beside = [self.here(self.trees[t]) for t in self._conditions_beside()]
        named = dict.fromkeys([*self.needs, *(n for node in beside for n in facts_of(node))])
        #: ``LIES_IN`` flags: name -> the place fact and the place it must lie in.
        self.whereabouts = {n: tuple(n.split(":")[1:]) for n in named if n.startswith("lies_in:")}
        #: Outcomes that benefits, services or effects ask about.
        self.told = tuple(n.removeprefix("eligible:") for n in named if n.startswith("eligible:"))
        for name, (fact, _) in self.whereabouts.items():
            types[name] = "boolean"
            self.roots[name] = (fact,)
        program = Program(
            name=ruleset.hash,
            criteria=self.criteria,
            programmes={id: tuple(c.key for c in p.criteria) for id, p in self.programmes.items()},
            types=types,
        )
        maker: Any = {"durable": DurableEngine, "reference": ReferenceEngine}[engine]
        self.engine = maker(program)
        self.asked = {
            id: tuple(self._asked(c.key, self.inlined(c.node)) for c in p.criteria) for id, p in self.programmes.items()
        }
        #: Facts still missing, by situation: programme, open criteria, and the values they read.
        self.missing: dict[Any, tuple[str, ...]] = {}
        self.outside = {f"eligible:{id}": False for id in self.absent}
        #: Facts that come from an assessment -> what to ask for instead.
        self.from_instrument = {
            name: fact.grade_of or fact.code_of for name, fact in book.facts.items() if fact.grade_of or fact.code_of
        }
        pathways = {n: book.facts[n].pathway for n in named if n in book.facts}
        self.pathway_facts = {name: id for name, id in pathways.items() if id is not None}

    def _conditions_beside(self) -> Iterator[str]:
        """The conditions of benefits, services and effects."""
        for ready_programme in self.programmes.values():
            text = ready_programme.standing.programme
            parts: tuple[Any, ...] = (*text.benefits, *text.services, *text.effects)
            for part in parts:
                if part.when is not None:
                    yield part.when

    def _programme(self, standing: Standing) -> ReadyProgramme:
        programme = standing.programme
        criteria = [self._criterion(standing, c) for c in programme.criteria]
        for interaction in programme.interactions:
            if interaction.kind == "requires":
                node = self.here(Flag(f"eligible:{interaction.programme}"))
                criteria.append(self._ready(standing, f"requires-{interaction.programme}", node, interaction))
        if not criteria:
            say = programme.not_configured or Text(zh="未配置", en="Not configured")
            criteria.append(self._ready(standing, "not-configured", UNCONFIGURED, programme, say))
        grades = {n for c in criteria for n in c.names if n in self.ruleset.book.facts and self._is_grade(n)}
        head = Frozen(
            programme=standing.id,
            name=programme.name,
            kind=programme.kind,
            place=standing.place,
            standing=programme.status,
            source=source_json(programme.source),
        )
        return ReadyProgramme(
            standing=standing,
            criteria=tuple(criteria),
            benefits=tuple(self._benefit(standing, b) for b in programme.benefits),
            services=tuple((s, self._holds(s.when)) for s in programme.services),
            effects=tuple((e, self._holds(e.when)) for e in programme.effects),
            grade_facts=tuple(sorted(grades)),
            unconfirmed=any(c.template["evidence"] == "recall" for c in criteria),
            head=head,
        )

    @staticmethod
    def _asked(key: str, node: Node) -> Asked:
        return Asked(key, node, facts_of(node))

    def inlined(self, node: Node) -> Node:
        """The condition with every ``ELIGIBLE(…)`` written out as that programme's own criteria."""
        match node:
            case Flag("unconfigured"):
                return Const(True)
            case Flag(name) if name.startswith("eligible:"):
                other = self.programmes.get(name.removeprefix("eligible:"))
                return And(tuple(self.inlined(c.node) for c in other.criteria)) if other else node
            case Not(part):
                return Not(self.inlined(part))
            case And(parts):
                return And(tuple(self.inlined(p) for p in parts))
            case Or(parts):
                return Or(tuple(self.inlined(p) for p in parts))
        return node

    def here(self, node: Node) -> Node:
        """A condition as it reads here: a pointer is what it points to; what other places have is not had here."""
        match node:
            case Flag(name) if name.startswith("eligible:"):
                id = name.removeprefix("eligible:")
                id = self.aliases.get(id, id)
                return Flag(f"eligible:{id}") if id in self.ruleset.standings else Const(False)
            case Not(part):
                return Not(self.here(part))
            case And(parts):
                return And(tuple(self.here(p) for p in parts))
            case Or(parts):
                return Or(tuple(self.here(p) for p in parts))
        return node

    def _is_grade(self, name: str) -> bool:
        fact = self.ruleset.book.facts[name]
        return bool(fact.grade_of or fact.code_of)

    def _holds(self, when: str | None) -> Condition | None:
        return compile_condition(self.here(self.trees[when])) if when else None

    def _criterion(self, standing: Standing, criterion: Any) -> ReadyCriterion:
        node = UNCONFIGURED if criterion.when == "unknown" else self.here(self.trees[criterion.when])
        return self._ready(standing, criterion.id, node, criterion)

    def _ready(self, standing: Standing, id: str, node: Node, written: Any, say: Any = None) -> ReadyCriterion:
        source = written.source or standing.programme.source
        evidence = written.evidence
        extra = {"words": evidence.words} if evidence.words else {}
        decision = getattr(written, "decision", None) or evidence.decision
        if decision:
            extra["decision"] = decision
        template = Frozen(say=say or written.say, evidence=evidence.mark, source=source_json(source), **extra)
        key = self._keys.setdefault(node, f"c{len(self._keys)}")
        self.criteria[key] = node
        book = self.ruleset.book
        limits = tuple(
            n
            for n in walk(node)
            if isinstance(n, Compare)
            and n.op in ("<", "<=", ">", ">=")
            and isinstance(n.left, Fact)
            and isinstance(n.right, Literal)
            and n.left.name in book.facts
            and book.facts[n.left.name].can_change
            and not book.facts[n.left.name].grade_of
        )
        names = tuple(n for n in facts_of(node) if n != "unconfigured")
        plain = isinstance(node, Compare) or (isinstance(node, And) and all(isinstance(p, Compare) for p in node.parts))
        shown = dict.fromkeys(n.split(":")[1] if n.startswith("lies_in:") else n for n in names if n != "on_day")
        return ReadyCriterion(
            key=key,
            id=id,
            node=node,
            names=names,
            shown=tuple(n for n in shown if ":" not in n),
            template=template,
            configured=UNCONFIGURED not in set(walk(node)),
            limits=limits if plain else (),
        )

    def _benefit(self, standing: Standing, benefit: Any) -> ReadyBenefit:
        amount = benefit.amount
        quantity: Quantity | None = None
        amount_names: tuple[str, ...] = ()
        if isinstance(amount, str):
            quantity = compile_value(self.trees[amount])
            amount_names = facts_of(self.trees[amount])
        names = facts_of(self.trees[benefit.when]) if benefit.when else ()
        source = benefit.source or standing.programme.source
        shown: dict[str, Any] = {"id": benefit.id, "say": benefit.say, "evidence": benefit.evidence.mark}
        if benefit.evidence.words:
            shown["words"] = benefit.evidence.words
        shown["source"] = source_json(source)
        if benefit.decision:
            shown["decision"] = benefit.decision
        if benefit.not_configured:
            shown["not_configured"] = True
        if benefit.amount is not None:
            figure = None if isinstance(amount, (str, tuple)) else number(amount)
            shown |= {"amount": figure, "unit": benefit.unit}
        if benefit.share is not None:
            shown["share"] = number(benefit.share)
        if benefit.cap is not None:
            shown |= {"cap": number(benefit.cap), "cap_unit": benefit.cap_unit or benefit.unit}
        if benefit.guide:
            shown["guide"] = True
        dated = amount if isinstance(amount, tuple) else ()
        return ReadyBenefit(benefit, self._holds(benefit.when), names, quantity, amount_names, dated, Frozen(shown))


def ready(ruleset: Ruleset, engine: str | None = None) -> ReadyRuleset:
    """The compiled ruleset, kept with its rulebook.

    Raises:
        EngineError: a programme passes a limit of the engine.
    """
    import os

    engine = engine or os.environ.get("YYASSESS_ENGINE", "durable")
    kept: dict[Any, ReadyRuleset] = ruleset.book.__dict__.setdefault("_ready", {})
    key = (ruleset.place.id, ruleset.on, ruleset.known_on, engine)
    if key not in kept:
        same = next((r for (p, _, _, e), r in kept.items() if e == engine and r.ruleset.hash == ruleset.hash), None)
        if len(kept) > 256:
            kept.clear()
        kept[key] = same or ReadyRuleset(ruleset, engine)
    return kept[key]
