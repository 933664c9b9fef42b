"""Checks across files: documents, facts, places, steps and conditions must all exist and fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from yyassess.conditions.parse import ConditionError, Name, Scope, parse_condition, parse_value, suggest
from yyassess.conditions.tree import Flag, Node, walk
from yyassess.rulebook.basics import SourceRef
from yyassess.rulebook.book import Origin
from yyassess.rulebook.instrument import Band, Count, Instrument, Item, Matrix, Mean, Mode, Rules, Sum, Worst

if TYPE_CHECKING:
    from yyassess.rulebook.building import Workshop

Path = tuple[str | int, ...]

#: Names every instrument's conditions may use beside its own.
RESERVED = {"missing_items": Name("integer"), "preliminary_level": Name("integer"), "raise_triggers": Name("integer")}


def check_references(shop: Workshop) -> None:
    """Note every dangling reference and every condition that cannot be accepted; fill ``shop.trees``."""
    names = {name: fact.as_name for name, fact in shop.facts.items()}
    with_day = {**names, "on_day": Name("date")}
    ids = frozenset(id for programmes in shop.programmes.values() for id in programmes)
    scope = Scope(with_day, ids, frozenset(shop.places))
    for name, fact in shop.facts.items():
        origin = shop.origins[("vocabulary", name)]
        if fact.derive is not None:
            _value(shop, "programmes", fact.derive, scope, origin, ("derive",))
        if fact.pathway and fact.pathway not in shop.pathways:
            _dangling(shop, origin, (), "pathway", fact.pathway, shop.pathways)
        for graded in (fact.grade_of, fact.code_of):
            if graded and graded not in shop.instruments:
                _dangling(shop, origin, (), "instrument", graded, shop.instruments)
    for id, instrument in shop.instruments.items():
        origin = shop.origins[("instrument", id)]
        _documents(shop, origin, instrument)
        _place(shop, origin, instrument.place)
        _InstrumentCheck(shop, instrument, origin).run()
    for place, programmes in shop.programmes.items():
        for id, texts in programmes.items():
            origin = shop.origins[("programme", f"{place}/{id}")]
            for number, programme in enumerate(texts.texts):
                base: Path = () if number == 0 else ("versions", number - 1)
                _documents(shop, origin, programme, base)
                _programme(shop, programme, scope, origin, base)
    for id, pathway in shop.pathways.items():
        _documents(shop, shop.origins[("pathway", id)], pathway)
        _pathway(shop, pathway, with_day, shop.origins[("pathway", id)])
    for listed, origin in shop.coverage:
        if listed.programme not in shop.programmes.get(listed.place, {}):
            shop.error(origin, (), f"the registry names {listed.place}/{listed.programme}, which is not a programme")
    for row, origin in shop.correspondences:
        _correspondence(shop, row, origin)
    for id, values in shop.settings.items():
        _settings(shop, id, values)
    _cycles(shop)


def _dangling(shop: Workshop, origin: Origin, path: Path, what: str, given: str, known: Any) -> None:
    shop.error(origin, path, f"unknown {what} {given!r}{suggest(given, known)}")


def _place(shop: Workshop, origin: Origin, place: str) -> None:
    if shop.places and place not in shop.places:
        _dangling(shop, origin, ("place",), "place", place, shop.places)


def _source_refs(value: Any, path: Path = ()) -> Iterator[tuple[Path, SourceRef]]:
    if isinstance(value, SourceRef):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _source_refs(getattr(value, name), (*path, name))
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from _source_refs(part, (*path, number))


def _documents(shop: Workshop, origin: Origin, thing: BaseModel, base: Path = ()) -> None:
    for path, ref in _source_refs(thing):
        if ref.document not in shop.documents:
            _dangling(shop, origin, base + path, "document", ref.document, shop.documents)


def _condition(shop: Workshop, scope_name: str, text: str, scope: Scope, origin: Origin, path: Path) -> Node | None:
    trees = shop.trees.setdefault(scope_name, {})
    if text not in trees:
        try:
            trees[text] = parse_condition(text, scope)
        except ConditionError as error:
            shop.error(origin, path, str(error))
            return None
    return trees[text]  # type: ignore[no-any-return]


def _value(shop: Workshop, scope_name: str, text: str, scope: Scope, origin: Origin, path: Path) -> None:
    trees = shop.trees.setdefault(scope_name, {})
    if text not in trees:
        try:
            trees[text] = parse_value(text, scope)
        except ConditionError as error:
            shop.error(origin, path, str(error))


def _programme(shop: Workshop, programme: Any, scope: Scope, origin: Origin, base: Path) -> None:
    def condition(text: str | None, *path: str | int) -> None:
        if text is not None and text != "unknown":
            _condition(shop, "programmes", text, scope, origin, base + path)

    seen: set[str] = set()
    for number, criterion in enumerate(programme.criteria):
        condition(criterion.when, "criteria", number, "when")
        if (criterion.when == "unknown") != (criterion.evidence.mark == "unknown"):
            shop.error(origin, (*base, "criteria", number), "`when: unknown` and `evidence: unknown` go together")
        if criterion.id in seen:
            shop.error(origin, (*base, "criteria", number, "id"), f"the criterion {criterion.id!r} is written twice")
        seen.add(criterion.id)
    for number, benefit in enumerate(programme.benefits):
        condition(benefit.when, "benefits", number, "when")
        if isinstance(benefit.amount, str):
            _value(shop, "programmes", benefit.amount, scope, origin, (*base, "benefits", number, "amount"))
    for number, service in enumerate(programme.services):
        condition(service.when, "services", number, "when")
    for number, effect in enumerate(programme.effects):
        condition(effect.when, "effects", number, "when")
    for number, indicator in enumerate(programme.indicators):
        condition(indicator.numerator, "indicators", number, "numerator")
        condition(indicator.denominator, "indicators", number, "denominator")
    for number, interaction in enumerate(programme.interactions):
        if interaction.programme not in scope.programmes:
            _dangling(
                shop, origin, (*base, "interactions", number), "programme", interaction.programme, scope.programmes
            )
    if programme.same_as and programme.same_as not in scope.programmes:
        _dangling(shop, origin, (*base, "same_as"), "programme", programme.same_as, scope.programmes)
    if not (programme.criteria or programme.not_configured or programme.same_as or programme.ends):
        shop.error(origin, base, "a programme has criteria, or says what is not_configured, or is same_as another")


def _correspondence(shop: Workshop, row: Any, origin: Origin) -> None:
    for side in ("first", "second"):
        ref = getattr(row, side)
        instrument = shop.instruments.get(ref.instrument)
        if instrument is None:
            _dangling(shop, origin, (side,), "instrument", ref.instrument, shop.instruments)
            continue
        items = {i.id: i for d in instrument.dimensions for i in d.items}
        if ref.item not in items:
            _dangling(shop, origin, (side,), "item", ref.item, items)
            continue
        item = items[ref.item]
        options = instrument.ladders.get(item.ladder, ()) if item.ladder else item.options
        for pair in row.same:
            if getattr(pair, side) not in [o.answer for o in options]:
                shop.error(origin, (), f"{getattr(pair, side)!r} is not an answer of {ref.instrument}.{ref.item}")


def pathway_names(pathway: Any, instruments: Mapping[str, Any]) -> dict[str, Name]:
    """The names a pathway's conditions may use beside the vocabulary."""
    names: dict[str, Name] = {}
    for id in instruments:
        word = id.replace("-", "_")
        names |= {
            f"{word}_positive": Name("boolean"),
            f"{word}_done": Name("boolean"),
            f"{word}_level": Name("integer"),
        }
    for stage in pathway.stages:
        names |= {f"{stage.id}_positive": Name("boolean"), f"{stage.id}_conflict": Name("boolean")}
    return names


def _pathway(shop: Workshop, pathway: Any, facts: Mapping[str, Name], origin: Origin) -> None:
    scope = Scope({**facts, **pathway_names(pathway, shop.instruments)}, places=frozenset(shop.places))
    key = f"pathway:{pathway.id}"
    for part in ("entry", "stages", "grading", "cautions", "actions", "rescreen", "flags", "decisions"):
        for number, line in enumerate(getattr(pathway, part)):
            if line.when is not None:
                _condition(shop, key, line.when, scope, origin, (part, number, "when"))
            for place, choice in enumerate(getattr(line, "choose", ())):
                path: Path = (part, number, "choose", place)
                if choice.instrument not in shop.instruments:
                    _dangling(shop, origin, path, "instrument", choice.instrument, shop.instruments)
                if choice.when is not None:
                    _condition(shop, key, choice.when, scope, origin, path)


def _settings(shop: Workshop, id: str, values: Mapping[str, Any]) -> None:
    origin = shop.origins[("settings", id)]
    instrument = shop.instruments.get(id)
    if instrument is None:
        _dangling(shop, origin, ("settings", id), "instrument", id, shop.instruments)
        return
    known = {s.id: s for s in instrument.settings}
    for name, value in values.items():
        if name not in known:
            _dangling(shop, origin, ("settings", id, name), "setting", str(name), known)
        elif value not in known[name].choices:
            shop.error(origin, ("settings", id, name), f"{value!r} is not one of {list(known[name].choices)}")


def listens_to(shop_trees: Mapping[str, Node], programme: Any) -> set[str]:
    """The programmes whose outcome a programme's criteria ask about."""
    found: set[str] = set()
    for criterion in programme.criteria:
        tree = shop_trees.get(criterion.when)
        if tree is not None:
            found |= {
                n.name.removeprefix("eligible:")
                for n in walk(tree)
                if isinstance(n, Flag) and n.name.startswith("eligible:")
            }
    found |= {i.programme for i in programme.interactions if i.kind == "requires"}
    return found


def _cycles(shop: Workshop) -> None:
    graph: dict[str, set[str]] = {}
    origin: dict[str, Origin] = {}
    for place, programmes in shop.programmes.items():
        for id, texts in programmes.items():
            origin.setdefault(id, shop.origins[("programme", f"{place}/{id}")])
            for text in texts.texts:
                graph.setdefault(id, set()).update(listens_to(shop.trees.get("programmes", {}), text))
    done: set[str] = set()

    def visit(id: str, trail: tuple[str, ...]) -> None:
        if id in trail:
            ring = " -> ".join((*trail[trail.index(id) :], id))
            shop.error(origin[id], ("criteria",), f"programmes ask about one another in a ring: {ring}")
            return
        if id in done or id not in graph:
            return
        for other in sorted(graph[id]):
            visit(other, (*trail, id))
        done.add(id)

    for id in sorted(graph):
        visit(id, ())


class _InstrumentCheck:
    """One instrument: its names, options, steps, conditions."""

    def __init__(self, shop: Workshop, instrument: Instrument, origin: Origin) -> None:
        self.shop, self.it, self.origin = shop, instrument, origin
        self.names: dict[str, Name] = dict(RESERVED)
        self.kinds: dict[str, str] = {}
        self.counted: set[str] = set()

    def error(self, path: Path, message: str) -> None:
        self.shop.error(self.origin, path, message)

    def add(self, name: str, known: Name, kind: str, path: Path) -> None:
        if name in self.names:
            self.error(path, f"the name {name!r} is used twice in this instrument")
        self.names[name] = known
        self.kinds[name] = kind

    def run(self) -> None:
        self.items_and_context()
        for number, step in enumerate(self.it.steps):
            self.step(number, step)
        levels = [level.level for level in self.it.levels]
        if len(set(levels)) != len(levels) or levels != sorted(levels):
            self.error(("levels",), "levels are written in rising order, each once")
        if self.it.grade:
            self.must("step", self.it.grade, ("grade",), {n for n, k in self.kinds.items() if k == "step"})
            if not levels:
                self.error(("levels",), "an instrument with a grade lists its levels")
        for number, result in enumerate(self.it.results):
            self.must("step", result.of, ("results", number, "of"), self.names)
            if result.score:
                self.must("step", result.score, ("results", number, "score"), self.names)
        for number, adjustment in enumerate(self.it.adjustments):
            self.condition(adjustment.when, "adjustments", number, "when")
            if adjustment.set_level is not None and adjustment.set_level not in levels:
                self.error(
                    ("adjustments", number, "set_level"), f"{adjustment.set_level} is not one of the levels {levels}"
                )
        for number, decision in enumerate(self.it.decisions):
            self.condition(decision.when, "decisions", number, "when")
        known = {*self.names, *(f for f in self.shop.facts)}
        for number, hint in enumerate(self.it.hints):
            self.condition(hint.when, "hints", number, "when")
            for name in hint.items:
                self.must("item or fact", name, ("hints", number, "items"), known)
        for number, group in enumerate(self.it.record):
            for place, field in enumerate(group.facts):
                self.must("fact", field.fact, ("record", number, "facts", place), self.shop.facts)

    def must(self, what: str, name: str, path: Path, known: Any) -> None:
        if name not in known:
            self.error(path, f"unknown {what} {name!r}{suggest(name, known)}")

    def condition(self, text: str | None, *path: str | int, extra: Mapping[str, Name] | None = None) -> None:
        if text is not None:
            scope = Scope({**self.names, **(extra or {})})
            _condition(self.shop, self.it.id, text, scope, self.origin, path)

    def items_and_context(self) -> None:
        for d, dimension in enumerate(self.it.dimensions):
            for i, item in enumerate(dimension.items):
                path: Path = ("dimensions", d, "items", i)
                options = item.options
                if item.ladder is not None:
                    self.must("ladder", item.ladder, (*path, "ladder"), self.it.ladders)
                    options = self.it.ladders.get(item.ladder, ())
                answers = [o.answer for o in options]
                if len(set(answers)) != len(answers):
                    self.error((*path, "options"), f"two options of {item.id} have the same answer")
                self.add(item.id, item_name(item, answers), "item", path)
        for number, use in enumerate(self.it.context):
            fact = self.shop.facts.get(use.fact)
            if fact is None:
                self.must("fact", use.fact, ("context", number), self.shop.facts)
                continue
            if use.if_not_given is not None:
                try:
                    fact.read(use.if_not_given)
                except ValueError as error:
                    self.error(("context", number, "if_not_given"), f"{use.if_not_given!r}: {error}")
            if any(code.number is not None for code in fact.codes.values()):
                self.counted.add(use.fact)
            self.add(use.fact, fact.as_name, "fact", ("context", number))
        for number, setting in enumerate(self.it.settings):
            if setting.default is not None and setting.default not in setting.choices:
                self.error(
                    ("settings", number, "default"), f"{setting.default!r} is not one of {list(setting.choices)}"
                )
            self.add(setting.id, setting_name(setting.choices), "setting", ("settings", number))
        for number, use in enumerate(self.it.context):
            self.condition(use.matters_when, "context", number, "matters_when")
        for d, dimension in enumerate(self.it.dimensions):
            for i, item in enumerate(dimension.items):
                self.condition(item.applies_when, "dimensions", d, "items", i, "applies_when")

    def step(self, number: int, step: Any) -> None:
        path: Path = ("steps", number)
        items = {n for n, k in self.kinds.items() if k == "item"}
        numbers = {n for n, known in self.names.items() if known.type in ("integer", "decimal")}
        listed = step.items if isinstance(step, (Sum, Mean, Count, Mode)) and step.items != "all" else ()
        for name in listed:
            self.must("item", name, (*path, "items"), items)
        kind: Any = "integer"
        match step:
            case Sum():
                if step.dimension is not None:
                    self.must("dimension", step.dimension, (*path, "dimension"), {d.id for d in self.it.dimensions})
                for name in step.of:
                    self.must("step, item or counted fact", name, (*path, "of"), numbers | self.counted | items)
                for name in step.reverse.items if step.reverse else ():
                    self.must("item", name, (*path, "reverse"), items)
                for place, bonus in enumerate(step.bonus):
                    self.condition(bonus.when, *path, "bonus", place, "when")
                if not (step.items or step.dimension or step.of):
                    self.error(path, "a sum says what it adds: items, dimension or of")
            case Mean():
                kind = "decimal"
            case Count():
                self.condition(step.when, *path, "when", extra={"value": self.value_name(step.items, items)})
            case Mode():
                self.condition(step.when, *path, "when", extra={"value": self.value_name(step.items, items)})
                self.must("step or item", step.tie_nearest, (*path, "tie_nearest"), numbers)
                kind = "decimal"
            case Worst():
                for name in step.of:
                    self.must("step, item or counted fact", name, (*path, "of"), numbers | self.counted | items)
            case Band():
                self.must("step or item", step.of, (*path, "of"), numbers)
            case Matrix():
                self.must("step", step.rows, (*path, "rows"), numbers)
                self.must("step", step.columns, (*path, "columns"), numbers)
            case Rules():
                for place, rule in enumerate(step.rules):
                    self.condition(rule.when, *path, "rules", place, "when")
                    if isinstance(rule.value, str) and rule.value != "unknown":
                        self.must("step or item", rule.value, (*path, "rules", place, "value"), numbers | self.counted)
                    elif isinstance(rule.value, Decimal):
                        kind = "decimal"
        self.add(step.id, Name(kind), "step", path)

    def value_name(self, items: Any, all_items: set[str]) -> Name:
        chosen = sorted(all_items if items == "all" else set(items) & all_items)
        kinds = [self.names[name] for name in chosen]
        if kinds and all(k.type == "code" for k in kinds):
            return Name("code", tuple(dict.fromkeys(c for k in kinds for c in k.codes)))
        return Name("decimal" if any(k.type == "decimal" for k in kinds) else "integer")


def item_name(item: Item, answers: list[Any]) -> Name:
    """The type of an item inside its instrument's conditions."""
    if item.range is not None:
        return Name("decimal" if item.decimals else "integer")
    if any(isinstance(a, str) for a in answers):
        return Name("code", tuple(str(a) for a in answers))
    return Name("decimal" if any(isinstance(a, Decimal) for a in answers) else "integer")


def setting_name(choices: tuple[Any, ...]) -> Name:
    """The type of a setting inside its instrument's conditions."""
    if all(isinstance(c, bool) for c in choices):
        return Name("boolean")
    if all(isinstance(c, int) for c in choices):
        return Name("integer")
    if all(isinstance(c, (int, Decimal)) and not isinstance(c, bool) for c in choices):
        return Name("decimal")
    return Name("code", tuple(map(str, choices)))
