"""From raw files to a `Rulebook`: read the YAML, validate the shapes, check every reference, parse every condition."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any

from pydantic import BaseModel, ValidationError

from yyassess.conditions.parse import suggest
from yyassess.rulebook.basics import Document, Model
from yyassess.rulebook.book import Origin, ProgrammeTexts, Rulebook, canonical, code_stem, content_hash
from yyassess.rulebook.correspondence import Correspondence
from yyassess.rulebook.events import gather_events
from yyassess.rulebook.instrument import Instrument
from yyassess.rulebook.loading import RawFile, RulebookError, RuleError
from yyassess.rulebook.overlay import apply_overlays
from yyassess.rulebook.pathway import Pathway
from yyassess.rulebook.programme import CoverageRow, PlaceFile, Programme
from yyassess.rulebook.vocabulary import FactDefinition
from yyassess.rulebook.yaml_reader import Lines, YamlProblem, read_yaml

ROLE_KEYS = {
    "vocabulary": "facts",
    "sources": "documents",
    "settings": "settings",
    "coverage": "coverage",
    "correspondences": "correspondences",
}

#: How facts and documents are named, so that conditions and source references can name them.
NAMES = {
    "vocabulary": (re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?"), "small letters, digits and _, one dot at most"),
    "sources": (re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), "small letters and digits, parted by hyphens"),
}
#: Files without which the references of the others cannot be judged.
DEFINES = ("vocabulary", "sources", "place", "instrument")


@dataclass
class Parsed:
    """A rule file with its data and the lines of its parts."""

    file: RawFile
    data: dict[str, Any]
    lines: Lines

    def origin(self) -> Origin:
        return Origin(self.file.name, self.lines)


@dataclass
class Workshop:
    """What is known while a rulebook is being built, and the errors so far."""

    errors: list[RuleError] = field(default_factory=list)
    broken: set[Any] = field(default_factory=set)
    """Names whose own definition is at fault: what refers to them is not blamed."""
    blind: bool = False
    """True when a file that defines names for others could not be read at all."""
    facts: dict[str, FactDefinition] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    programmes: dict[str, dict[str, ProgrammeTexts]] = field(default_factory=dict)
    pathways: dict[str, Pathway] = field(default_factory=dict)
    coverage: list[tuple[CoverageRow, Origin]] = field(default_factory=list)
    correspondences: list[tuple[Correspondence, Origin]] = field(default_factory=list)
    trees: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[tuple[str, str], Origin] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def error(self, origin: Origin | Parsed, path: tuple[str | int, ...], message: str) -> None:
        """Note a fault at a part of a file."""
        if isinstance(origin, Parsed):
            origin = Origin(origin.file.name, origin.lines)
        self.errors.append(RuleError(origin.file, origin.line(*path), ".".join(map(str, path)), message))

    def validate(self, model: type[Any], parsed: Parsed, data: Any, base: tuple[str | int, ...] = ()) -> Any:
        """The model of some data, or None with every fault noted."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            words: dict[tuple[str | int, ...], dict[str, None]] = {}
            for fault in error.errors(include_url=False):
                words.setdefault(_in_file(fault, data), {}).setdefault(_in_words(model, fault))
            for path, messages in words.items():
                # Where something inside is at fault, what pydantic says of the whole only follows from it.
                if not any(len(other) > len(path) and other[: len(path)] == path for other in words):
                    self.error(parsed, base + path, "; or ".join(messages))
        except RecursionError:
            self.error(parsed, base, "nested too deeply")
        return None


def build(files: Sequence[RawFile]) -> Rulebook:
    """The checked rulebook.

    Raises:
        RulebookError: with every fault found.
    """
    from yyassess.rulebook.checking import check_references

    shop = Workshop()
    parsed = [p for p in (_parse(shop, file) for file in files) if p is not None]
    by_role: dict[str, list[Parsed]] = {}
    for item in parsed:
        by_role.setdefault(item.file.role, []).append(item)
    for role, key in ROLE_KEYS.items():
        for item in by_role.get(role, []):
            _shared(shop, item, role, key)
    homes = _places(shop, by_role.get("place", []))
    if "overlay" in by_role:
        apply_overlays(shop, parsed, by_role["overlay"], lambda item: _home(shop, item, homes))
    for item in by_role.get("instrument", []):
        _instrument(shop, item)
    for item in by_role.get("pathway", []):
        _pathway(shop, item)
    for item in by_role.get("programme", []):
        _programme(shop, item, homes)
    events = gather_events(shop, by_role.get("events", []))
    if not shop.blind:
        check_references(shop)
    if shop.errors:
        raise RulebookError(shop.errors)
    shop.digests["vocabulary"] = content_hash({k: v.model_dump(mode="json") for k, v in shop.facts.items()})
    shop.digests["settings"] = content_hash(shop.settings)
    whole = {
        "shared": shop.digests,
        "programmes": {place: {id: t.digest for id, t in texts.items()} for place, texts in shop.programmes.items()},
        "places": {id: p.model_dump(mode="json") for id, p in shop.places.items()},
        "documents": {id: d.model_dump(mode="json") for id, d in shop.documents.items()},
        "correspondences": sorted(content_hash(row.model_dump(mode="json")) for row, _ in shop.correspondences),
        "events": events.digest(),
    }
    return Rulebook(
        facts=dict(sorted(shop.facts.items())),
        documents=dict(sorted(shop.documents.items())),
        places=shop.places,
        instruments=dict(sorted(shop.instruments.items())),
        programmes=shop.programmes,
        pathways=dict(sorted(shop.pathways.items())),
        settings=shop.settings,
        coverage=tuple(row for row, _ in shop.coverage),
        correspondences=tuple(row for row, _ in shop.correspondences),
        trees=shop.trees,
        origins={key: _short(origin) for key, origin in shop.origins.items()},
        digests=shop.digests,
        hash=content_hash(whole),
        events=events,
    )


def _short(origin: Origin) -> Origin:
    """The lines that are still asked for once a rulebook is built."""
    deep = ("criteria", "versions", "steps")
    kept = {p: n for p, n in origin.lines.items() if len(p) <= 2 or (len(p) <= 5 and p[0] in deep)}
    return Origin(origin.file, kept)


def _parse(shop: Workshop, file: RawFile) -> Parsed | None:
    try:
        data, lines, problems = read_yaml(file.raw)
    except YamlProblem as problem:
        shop.errors.append(RuleError(file.name, problem.line, "", problem.message))
        shop.blind = shop.blind or file.role in DEFINES
        return None
    shop.errors.extend(RuleError(file.name, p.line, "", p.message) for p in problems)
    if not isinstance(data, dict):
        shop.errors.append(RuleError(file.name, 1, "", "a rule file is a mapping of keys to values"))
        shop.blind = shop.blind or file.role in DEFINES
        return None
    return Parsed(file, data, lines)


def _shared(shop: Workshop, item: Parsed, role: str, key: str) -> None:
    for other in set(item.data) - {key}:
        shop.error(item, (other,), f"unknown key {other!r}{suggest(str(other), [key])}; allowed: {key}")
    content = item.data.get(key)
    shape: type[Any] = list if role in ("coverage", "correspondences") else dict
    if not isinstance(content, shape):
        what = "list" if shape is list else "mapping"
        shop.error(item, (key,), f"the file holds one key, {key}, with a {what} under it")
        return
    if role in ("coverage", "correspondences"):
        row_model: Any = CoverageRow if role == "coverage" else Correspondence
        rows: list[Any] = shop.coverage if role == "coverage" else shop.correspondences
        for number, row in enumerate(content):
            made = shop.validate(row_model, item, row, (key, number))
            if made is not None:
                rows.append((made, Origin(item.file.name, {(): item.lines.get((key, number), 1)})))
        return
    if role == "settings":
        for id, values in content.items():
            if not isinstance(values, dict):
                shop.error(item, (key, id), "settings are written as name: value under the id of an instrument")
                continue
            shop.settings.setdefault(str(id), {}).update(values)
            for name in ("", *(f".{name}" for name in values)):
                shop.origins[("settings", f"{id}{name}")] = item.origin()
        return
    model, target = (FactDefinition, shop.facts) if role == "vocabulary" else (Document, shop.documents)
    pattern, rule = NAMES[role]
    for id, value in content.items():
        made = shop.validate(model, item, value, (key, id))
        if not isinstance(id, str) or not pattern.fullmatch(id):
            shop.error(item, (key, id), f"{id!r} is no name: {rule}")
        elif id in target:
            first = shop.origins[(role, id)].file
            shop.error(item, (key, id), f"{id!r} is already defined in {first}")
        elif made is None:
            shop.broken.add(id)
        else:
            target[id] = made
            shop.origins[(role, id)] = Origin(item.file.name, {(): item.lines.get((key, id), 1)})


def _places(shop: Workshop, items: Sequence[Parsed]) -> dict[tuple[int, str], str]:
    """The places, and which place's programmes each folder holds."""
    homes: dict[tuple[int, str], str] = {}
    claims: list[tuple[Parsed, str]] = []
    for item in items:
        made = shop.validate(PlaceFile, item, item.data)
        if made is None:
            shop.blind = True
            continue
        for number, place in enumerate(made.places):
            if place.id in shop.places:
                shop.error(item, ("places", number, "id"), f"the place {place.id!r} is defined twice")
            shop.places[place.id] = place
            shop.origins[("place", place.id)] = Origin(item.file.name, {(): item.lines.get(("places", number), 1)})
        homes[(item.file.root, item.file.folder)] = home = made.programmes_of or made.places[-1].id
        claims.append((item, home))
    for item, home in claims:
        if home not in shop.places:
            shop.error(item, ("programmes_of",), f"unknown place {home!r}{suggest(home, shop.places)}")
    names: dict[str, str] = {}
    for place in shop.places.values():
        origin = shop.origins[("place", place.id)]
        for name in (place.id, place.code, *place.aliases):
            if names.setdefault(name, place.id) != place.id:
                shop.error(origin, (), f"{name!r} already names the place {names[name]!r}")
        if place.within and place.within not in shop.places:
            if shop.blind:
                continue
            shop.error(
                origin,
                (),
                f"{place.id} lies within {place.within!r}, which is not a place{suggest(place.within, shop.places)}",
            )
            continue
        if place.within and not place.code.startswith(code_stem(shop.places[place.within].code)):
            shop.error(origin, (), f"the code {place.code} does not lie within that of {place.within}")
        seen, here = {place.id}, place.within
        while here in shop.places:
            if here in seen:
                shop.error(origin, (), f"the place {place.id} lies within itself")
                break
            seen.add(here)
            here = shop.places[here].within
    return homes


def _instrument(shop: Workshop, item: Parsed) -> None:
    made = shop.validate(Instrument, item, item.data)
    if made is None:
        shop.broken.add(str(item.data.get("id")))
        return
    if made.id in shop.instruments:
        shop.error(
            item,
            ("id",),
            f"the instrument {made.id!r} is already defined in {shop.origins[('instrument', made.id)].file}",
        )
        return
    shop.instruments[made.id] = made
    shop.origins[("instrument", made.id)] = item.origin()
    shop.digests[made.id] = _digest(item.data)


def _pathway(shop: Workshop, item: Parsed) -> None:
    made = shop.validate(Pathway, item, item.data)
    if made is None:
        shop.broken.add(str(item.data.get("id")))
        return
    if made.id in shop.pathways:
        shop.error(
            item, ("id",), f"the pathway {made.id!r} is already defined in {shop.origins[('pathway', made.id)].file}"
        )
        return
    shop.pathways[made.id] = made
    shop.origins[("pathway", made.id)] = item.origin()
    shop.digests[f"pathway:{made.id}"] = _digest(item.data)


def _home(shop: Workshop, item: Parsed, homes: dict[tuple[int, str], str]) -> str | None:
    """The place a programme's folder belongs to."""
    folder = item.file.folder.rsplit("/", 1)[-1]
    return homes.get((item.file.root, item.file.folder)) or (folder if folder in shop.places else None)


def _programme(shop: Workshop, item: Parsed, homes: dict[tuple[int, str], str]) -> None:
    home = _home(shop, item, homes)
    if home is None and shop.blind:
        return
    if home is None:
        shop.error(
            item, (), "a programme lies in the folder of a place: a folder with a place.yaml, or named as a known place"
        )
        return
    first = {k: v for k, v in item.data.items() if k not in ("versions", "examples", "known_from")}
    made = shop.validate(Programme, item, item.data)
    if made is None:
        shop.broken.add(str(item.data.get("id")))
        return
    texts = [made]
    for number, change in enumerate(made.versions):
        raw = item.data["versions"][number]
        later = shop.validate(Programme, item, {**first, **raw}, ("versions", number))
        if later is not None:
            texts.append(later)
        if not isinstance(change, dict) or "in_force" not in change:
            shop.error(item, ("versions", number), "each version says from when it holds: in_force: {from: …}")
        for fixed in {"id", "versions", "examples"} & set(raw):
            shop.error(item, ("versions", number, fixed), f"a version has no {fixed} of its own")
    there = shop.programmes.setdefault(home, {})
    if made.id in there:
        first_file = shop.origins[("programme", f"{home}/{made.id}")].file
        shop.error(item, ("id",), f"the programme {made.id!r} is already defined in {first_file}")
        return
    there[made.id] = ProgrammeTexts(home, tuple(texts), _digest(item.data))
    shop.origins[("programme", f"{home}/{made.id}")] = item.origin()


def _digest(data: dict[str, Any]) -> str:
    """The content hash of a rule; worked examples and marks for the check are not part of the rule."""
    return content_hash(canonical({k: v for k, v in data.items() if k not in ("examples", "intended")}))


# -- pydantic's faults in our words ---------------------------------------------------------------------------
def _in_file(fault: Any, data: Any) -> tuple[str | int, ...]:
    """The location of a fault without the parts (union tags) that are not in the file."""
    path: list[str | int] = []
    here: Any = data
    last = len(fault["loc"]) - 1
    for place, part in enumerate(fault["loc"]):
        if place and isinstance(fault["loc"][place - 1], int) and isinstance(here, dict) and here.get("kind") == part:
            continue  # the tag of a step, which may be spelt like a key of it
        inside: Any = dict(enumerate(here)) if isinstance(here, (list, tuple)) else here
        if isinstance(inside, dict) and part in inside:
            here = inside[part]
        elif place < last or fault["type"] != "missing":
            continue
        path.append(part)
    return tuple(path)


def _in_words(model: type[BaseModel], fault: Any) -> str:
    kind, given = fault["type"], fault.get("input")
    if kind == "extra_forbidden":
        keys = [k for m in _models_at(model, fault["loc"][:-1]) for k in _keys(m)]
        word = str(fault["loc"][-1])
        return f"unknown key {word!r}{suggest(word, keys)}; allowed: {', '.join(sorted(set(keys)))}"
    if kind == "missing":
        return "is missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    shown = repr(given)
    return message if isinstance(given, (dict, list)) or len(shown) > 80 else f"{message} (given: {shown})"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name


def _models_at(model: Any, loc: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models that may stand at a location, for the list of allowed keys."""
    here: list[Any] = [model]
    for part in loc:
        following: list[Any] = []
        for candidate in (m for h in here for m in _models_in(h)):
            for name, info in candidate.model_fields.items():
                if part in (name, info.alias):
                    following.append(info.annotation)
            if part in typing.get_args(getattr(candidate.model_fields.get("kind"), "annotation", None)):
                following.append(candidate)
        here = following or here
    return [m for h in here for m in _models_in(h)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return [annotation]
    if typing.get_origin(annotation) is typing.Literal:
        return []
    parts = annotation.__args__ if isinstance(annotation, UnionType) else typing.get_args(annotation)
    return [m for part in parts for m in _models_in(part)]
