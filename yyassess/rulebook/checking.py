"""Checks across files: documents, facts, places, steps and conditions must all exist and fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from yyassess.conditions.parse import NUMBERS, ConditionError, Name, Scope, parse_condition, parse_value, suggest
from yyassess.conditions.tree import Arithmetic, Call, Fact, Flag, Literal, Node, facts_of, walk
from yyassess.rulebook.basics import SourceRef
from yyassess.rulebook.book import Origin

if TYPE_CHECKING:
    from yyassess.rulebook.building import Workshop

Path = tuple[str | int, ...]

_VALUES = (Fact, Literal, Arithmetic, Call)


def check_references(shop: Workshop) -> None:
    """Note every dangling reference and every condition that cannot be accepted; fill ``shop.trees``."""
    from yyassess.rulebook.instrument_check import InstrumentCheck

    names = {name: fact.as_name for name, fact in shop.facts.items()}
    with_day = {**names, "on_day": Name("date")}
    ids = frozenset(id for programmes in shop.programmes.values() for id in programmes)
    scope = Scope(with_day, ids, frozenset(shop.places))
    for name, fact in shop.facts.items():
        origin = shop.origins[("vocabulary", name)]
        if fact.derive is not None:
            value(shop, "programmes", fact.derive, scope, origin, ("derive",))
            if fact.type not in NUMBERS:
                shop.error(origin, ("derive",), f"a derived fact is a number, {name} is of type {fact.type}")
        if fact.pathway and fact.pathway not in shop.pathways:
            _dangling(shop, origin, (), "pathway", fact.pathway, shop.pathways)
        for graded in (fact.grade_of, fact.code_of):
            if graded and graded not in shop.instruments:
                _dangling(shop, origin, (), "instrument", graded, shop.instruments)
    _rings_of_facts(shop)
    for place in shop.places.values():
        for id in place.bundle:
            if id not in shop.instruments:
                _dangling(shop, shop.origins[("place", place.id)], (), "instrument", id, shop.instruments)
    for id, instrument in shop.instruments.items():
        origin = shop.origins[("instrument", id)]
        _documents(shop, origin, instrument)
        _place(shop, origin, instrument.place)
        InstrumentCheck(shop, instrument, origin).run()
    for place, programmes in shop.programmes.items():
        for id, texts in programmes.items():
            origin = shop.origins[("programme", f"{place}/{id}")]
            for number, programme in enumerate(texts.texts):
                base: Path = () if number == 0 else ("versions", number - 1)
                _documents(shop, origin, programme, base)
                _programme(shop, programme, scope, origin, base)
                if programme.ends and not _stands_above(shop, place, id):
                    shop.error(
                        origin, (*base, "ends"), f"no place around {place} has a programme {id!r} that could end"
                    )
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


def _stands_above(shop: Workshop, place: str, programme: str) -> bool:
    above = shop.places[place].within if place in shop.places else None
    while above in shop.places:
        if programme in shop.programmes.get(above, {}):
            return True
        above = shop.places[above].within
    return False


def _rings_of_facts(shop: Workshop) -> None:
    trees = shop.trees.get("programmes", {})
    asks = {n: facts_of(trees[f.derive]) for n, f in shop.facts.items() if f.derive in trees}
    for name in asks:
        seen: set[str] = set()
        ahead = list(asks[name])
        while ahead:
            fact = ahead.pop()
            if fact == name:
                origin = shop.origins[("vocabulary", name)]
                shop.error(origin, ("derive",), f"the fact {name!r} is derived from itself")
                break
            if fact not in seen:
                seen.add(fact)
                ahead.extend(asks.get(fact, ()))


def _dangling(shop: Workshop, origin: Origin, path: Path, what: str, given: str, known: Any) -> None:
    if given not in shop.broken:  # its own file says what is wrong with it
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


def condition(shop: Workshop, scope_name: str, text: str, scope: Scope, origin: Origin, path: Path) -> None:
    """Parse a condition once and keep its tree, or note why it cannot be accepted."""
    trees = shop.trees.setdefault(scope_name, {})
    if text not in trees or isinstance(trees[text], _VALUES) or "value" in scope.names:
        try:
            trees[text] = parse_condition(text, scope)
        except ConditionError as error:
            _refused(shop, error, origin, path)


def value(shop: Workshop, scope_name: str, text: str, scope: Scope, origin: Origin, path: Path) -> None:
    """Parse a value expression once and keep its tree, or note why it cannot be accepted."""
    trees = shop.trees.setdefault(scope_name, {})
    if text not in trees or not isinstance(trees[text], _VALUES):
        try:
            trees[text] = parse_value(text, scope)
        except ConditionError as error:
            _refused(shop, error, origin, path)


def _refused(shop: Workshop, error: ConditionError, origin: Origin, path: Path) -> None:
    if error.unknown not in shop.broken:
        shop.error(origin, path, str(error))


def _programme(shop: Workshop, programme: Any, scope: Scope, origin: Origin, base: Path) -> None:
    def check(text: str | None, *path: str | int) -> None:
        if text is not None and text != "unknown":
            condition(shop, "programmes", text, scope, origin, base + path)

    seen: set[str] = set()
    for number, criterion in enumerate(programme.criteria):
        check(criterion.when, "criteria", number, "when")
        if (criterion.when == "unknown") != (criterion.evidence.mark == "unknown"):
            shop.error(origin, (*base, "criteria", number), "`when: unknown` and `evidence: unknown` go together")
        if criterion.id in seen:
            shop.error(origin, (*base, "criteria", number, "id"), f"the criterion {criterion.id!r} is written twice")
        seen.add(criterion.id)
    for number, benefit in enumerate(programme.benefits):
        check(benefit.when, "benefits", number, "when")
        if isinstance(benefit.amount, str):
            value(shop, "programmes", benefit.amount, scope, origin, (*base, "benefits", number, "amount"))
    for number, service in enumerate(programme.services):
        check(service.when, "services", number, "when")
    for number, effect in enumerate(programme.effects):
        check(effect.when, "effects", number, "when")
    for number, indicator in enumerate(programme.indicators):
        check(indicator.numerator, "indicators", number, "numerator")
        check(indicator.denominator, "indicators", number, "denominator")
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
        names |= {f"{stage.id}_{what}": Name("boolean") for what in ("done", "positive", "conflict")}
    return names


def _pathway(shop: Workshop, pathway: Any, facts: Mapping[str, Name], origin: Origin) -> None:
    scope = Scope({**facts, **pathway_names(pathway, shop.instruments)}, places=frozenset(shop.places))
    key = f"pathway:{pathway.id}"
    for part in ("entry", "stages", "grading", "cautions", "actions", "rescreen", "flags", "decisions"):
        for number, line in enumerate(getattr(pathway, part)):
            if line.when is not None:
                condition(shop, key, line.when, scope, origin, (part, number, "when"))
            for place, choice in enumerate(getattr(line, "choose", ())):
                path: Path = (part, number, "choose", place)
                if choice.instrument not in shop.instruments:
                    _dangling(shop, origin, path, "instrument", choice.instrument, shop.instruments)
                if choice.when is not None:
                    condition(shop, key, choice.when, scope, origin, path)


def _settings(shop: Workshop, id: str, values: Mapping[str, Any]) -> None:
    origin = shop.origins[("settings", id)]
    instrument = shop.instruments.get(id)
    if instrument is None:
        _dangling(shop, origin, ("settings", id), "instrument", id, shop.instruments)
        return
    known = {s.id: s for s in instrument.settings}
    for name, value in values.items():
        origin = shop.origins[("settings", f"{id}.{name}")]
        if name not in known:
            _dangling(shop, origin, ("settings", id, name), "setting", str(name), known)
        elif not any(value == c and isinstance(value, bool) == isinstance(c, bool) for c in known[name].choices):
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
