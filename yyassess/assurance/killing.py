"""What kills a mutant of a rule file: reading it, the worked examples, the check; or a proof that it changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from yyassess.assurance.checker import check_programme
from yyassess.assurance.dates import check_versions
from yyassess.assurance.equivalence import same_for_everybody
from yyassess.assurance.examples import run_examples
from yyassess.assurance.findings import Notebook
from yyassess.assurance.instruments import check_instrument
from yyassess.assurance.mutants import Mutant, mutants
from yyassess.assurance.pathways import check_pathway
from yyassess.assurance.situations import situations
from yyassess.assurance.tables import check_tables
from yyassess.conditions import parse
from yyassess.conditions.tree import Node
from yyassess.entitlement import determine as explaining
from yyassess.rulebook import building, checking
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.loading import RawFile, RulebookError, read_files
from yyassess.rulebook.yaml_reader import read_yaml

#: Rule files whose lines decide something; the others are lists of sources, places and the like.
ROLES = ("instrument", "pathway", "programme", "vocabulary", "events")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    killed_by: str | None
    """``reading``, ``examples``, ``check``; ``equivalent`` where it is proved to change nothing; ``None``: it lives."""
    detail: str = ""
    witness: Mapping[str, Any] | None = None
    """Of a survivor: a case or sheet that the mutant decides otherwise; made an example, it would kill it."""

    @property
    def survived(self) -> bool:
        return self.killed_by is None


class Hunt:
    """The mutants of one folder of rules, and what kills them."""

    def __init__(self, folder: Path) -> None:
        self.files = {file.name: file for file in read_files([folder])}
        self.read = {name: read_yaml(file.raw) for name, file in self.files.items()}
        self._lasting = {part for content, _, _ in self.read.values() for part in _parts(content)}
        self._valid: dict[Any, Any] = {}
        self._models: set[int] = set()
        self._digests: dict[int, Any] = {}
        self._sources: dict[int, list[Any]] = {}
        self._origins: dict[Any, Any] = {}
        self._scopes: list[tuple[Any, dict[str, Node]]] = []
        self._held: list[Any] = []
        self._mutants: dict[str, list[Mutant]] = {}
        self._dependents: dict[tuple[str, bool], list[str]] = {}
        self._looked_at: dict[str, frozenset[str]] = {}
        self.book = self._build({})
        self.trees: dict[str, Node] = {t: n for trees in self.book.trees.values() for t, n in trees.items()}
        self.codes = {name: tuple(fact.codes) for name, fact in self.book.facts.items()}
        self._found: dict[str, frozenset[Any]] = {}

    def mutants(self, file: str | None = None) -> Iterator[Mutant]:
        """Every mutant of every file, or of one."""
        for name, raw in self.files.items():
            if raw.role in ROLES and file in (None, name):
                if name not in self._mutants:
                    self._mutants[name] = list(mutants(name, self.read[name][0], self.trees.get, self.codes))
                yield from self._mutants[name]

    def judge(self, mutant: Mutant) -> Verdict:
        """Read the mutated rules, run the examples, check them; if all pass, look for somebody who sees a difference."""
        with _reference():
            return self._judged(mutant)

    def _judged(self, mutant: Mutant) -> Verdict:
        try:
            book = self._build({mutant.file: mutant.data})
        except RulebookError as error:
            return Verdict(mutant, "reading", str(error.errors[0]))
        with _asked_of(self._ids(mutant.file)):
            failed = self._failing(book, [mutant.file])
        if failed:
            return Verdict(mutant, "examples", failed)
        try:
            new = self.findings(book, mutant.file) - self._before(mutant.file)
        except Exception as error:  # a mutant may break anything; that it breaks is what counts
            return Verdict(mutant, "check", f"{type(error).__name__}: {error}")
        if new:
            return Verdict(mutant, "check", ", ".join(sorted({code for code, _, _ in new})))
        for file in self._hang_on(mutant.file, typed=mutant.path[0] == "levels"):
            with _asked_of(self._ids(file)):
                failed = self._failing(book, [file])
            if failed:
                return Verdict(mutant, "examples", failed)
        same, witness = same_for_everybody(self.book, book, mutant.file)
        return Verdict(mutant, "equivalent" if same else None, "", witness)

    def mutated(self, mutant: Mutant) -> Rulebook:
        """The rulebook with a mutant in it.

        Raises:
            RulebookError: it cannot be read.
        """
        return self._build({mutant.file: mutant.data})

    @staticmethod
    def _failing(book: Rulebook, files: Iterable[str]) -> str | None:
        """The first worked example of some files that fails."""
        for file in files:
            try:
                for result in run_examples(book, file):
                    if not result.passed:
                        return f"{result.file}: {result.name}: {result.problem}"
            except Exception as error:  # as above
                return f"{file}: {type(error).__name__}: {error}"
        return None

    def _hang_on(self, file: str, typed: bool = False) -> list[str]:
        """Other files whose examples may see a change in this one: they name what it defines.

        With ``typed``, also those that only type in a grade of it: its levels changed.
        """
        if (file, typed) not in self._dependents:
            role, words = self.files[file].role, [f.encode() for f in self._defined_in(file)]
            self._dependents[file, typed] = [
                name
                for name, other in self.files.items()
                if name != file
                and other.role in ROLES[:3]
                and (role == "vocabulary" or any(w in other.raw for w in words))
                # A grade that is typed in does not depend on how its instrument scores.
                and (typed or role != "instrument" or other.role == "pathway" or b"answers:" in other.raw)
            ]
        return self._dependents[file, typed]

    def _defined_in(self, file: str) -> list[str]:
        ids = [key[1].rpartition("/")[2] for key, origin in self.book.origins.items() if origin.file == file]
        results = [n for n, fact in self.book.facts.items() if {fact.grade_of, fact.code_of, fact.pathway} & set(ids)]
        return [*ids, *results]

    def _ids(self, file: str) -> frozenset[str]:
        """The programmes that the examples of a file look at: those written in it, and those they point to."""
        if file not in self._looked_at:
            mine = [key[1] for key, o in self.book.origins.items() if key[0] == "programme" and o.file == file]
            texts = [self.book.programmes[place][id].texts for place, _, id in (key.partition("/") for key in mine)]
            found = {text.id for written in texts for text in written}
            self._looked_at[file] = frozenset(found | {t.same_as for written in texts for t in written if t.same_as})
        return self._looked_at[file]

    def findings(self, book: Rulebook, file: str) -> frozenset[Any]:
        """What the check finds in one file: code, what it is about, parts."""
        notebook = Notebook()
        for id in book.instruments:
            if book.origins[("instrument", id)].file == file:
                check_instrument(book, id, notebook)
                check_tables(book, id, notebook)
        for id in book.pathways:
            if book.origins[("pathway", id)].file == file:
                check_pathway(book, id, notebook)
        own = {key: o for key, o in book.origins.items() if key[0] == "programme" and o.file == file}
        if own:
            for situation in situations(book, notebook, file):
                check_programme(situation, notebook)
            check_versions(book, notebook, file)
        return frozenset((f.code, f.of, f.parts) for f in notebook.result() if f.file == file)

    def _before(self, file: str) -> frozenset[Any]:
        if file not in self._found:
            self._found[file] = self.findings(self.book, file)
        return self._found[file]

    def _build(self, changed: Mapping[str, Any]) -> Rulebook:
        read = dict(self.read)
        for name, data in changed.items():
            read[name] = (data, read[name][1], [])
        by_raw = {name.encode(): content for name, content in read.items()}
        files = [RawFile(f.name, f.folder, f.root, f.name.encode()) for f in self.files.values()]
        with self._quick(by_raw):
            made = building.build(files)
        first: Rulebook | None = getattr(self, "book", None)
        if first is not None and made.facts == first.facts:
            # One vocabulary is one key of what is remembered about missing facts.
            object.__setattr__(made, "facts", first.facts)
        return made

    @contextmanager
    def _quick(self, read: Mapping[bytes, Any]) -> Iterator[None]:
        """Building from content that is read, validated and parsed already: a run builds thousands of rulebooks."""
        house, inspector = cast(Any, building), cast(Any, checking)
        patched = [
            (house, "read_yaml", read.__getitem__),
            (house.Workshop, "validate", self._validate(house.Workshop.validate)),
            (house, "_digest", self._remembered(house._digest, self._digests)),
            (house, "_short", self._shortened(house._short)),
            (parse, "_sql", _parsed),
            (inspector, "parse_condition", self._conditions(inspector.parse_condition)),
            (inspector, "_source_refs", self._references(inspector._source_refs)),
        ]
        before = [(where, name, getattr(where, name)) for where, name, _ in patched]
        for where, name, instead in patched:
            setattr(where, name, instead)
        try:
            yield
        finally:
            for where, name, original in before:
                setattr(where, name, original)

    def _validate(self, original: Any) -> Any:
        def validate(shop: Any, model: Any, parsed: Any, data: Any, base: Any = ()) -> Any:
            key = (model, id(data))
            if key in self._valid:
                return self._valid[key]
            made = original(shop, model, parsed, data, base)
            if made is not None and id(data) in self._lasting:
                self._valid[key] = made
                self._models.add(id(made))
            return made

        return validate

    def _remembered(self, original: Any, kept: dict[int, Any]) -> Any:
        """The result for content that lives as long as the hunt, worked out once."""

        def remembered(data: Any) -> Any:
            if id(data) not in self._lasting:
                return original(data)
            if id(data) not in kept:
                kept[id(data)] = original(data)
            return kept[id(data)]

        return remembered

    def _shortened(self, original: Any) -> Any:
        lasting = {id(lines) for _, lines, _ in self.read.values()}

        def short(origin: Any) -> Any:
            if id(origin.lines) not in lasting:
                return original(origin)
            key = (origin.file, id(origin.lines))
            if key not in self._origins:
                self._origins[key] = original(origin)
            return self._origins[key]

        return short

    def _references(self, original: Any) -> Any:
        def references(value: Any, path: Any = ()) -> Any:
            if path or id(value) not in self._models:
                return original(value, path)
            if id(value) not in self._sources:
                self._sources[id(value)] = list(original(value))
            return self._sources[id(value)]

        return references

    def _conditions(self, original: Any) -> Any:
        here: dict[int, dict[str, Node]] = {}

        def condition(text: str, scope: Any) -> Node:
            if id(scope) not in here:
                known = next((parsed for alike, parsed in self._scopes if alike == scope), None)
                if known is None:
                    known = {}
                    self._scopes.append((scope, known))
                here[id(scope)] = known
                self._held.append(scope)
            parsed = here[id(scope)]
            if text not in parsed:
                parsed[text] = original(text, scope)
            return parsed[text]

        self._held.clear()
        return condition


@contextmanager
def _reference() -> Iterator[None]:
    """Decide by the reference evaluator: durable_rules keeps every ruleset it ever compiled, and here they are thousands."""
    before = os.environ.get("YYASSESS_ENGINE")
    os.environ["YYASSESS_ENGINE"] = "reference"
    try:
        yield
    finally:
        if before is None:
            del os.environ["YYASSESS_ENGINE"]
        else:
            os.environ["YYASSESS_ENGINE"] = before


@contextmanager
def _asked_of(ids: frozenset[str]) -> Iterator[None]:
    """Decide all programmes, but explain only these: what is missing or near in the others no example looks at."""
    explainer: Any = explaining._Explainer
    house: Any = explaining
    before = explainer.missing, house.near_misses, house.least_change

    def missing(self: Any, programme: Any) -> list[str]:
        found: list[str] = before[0](self, programme) if programme.standing.id in ids else ["not looked at"]
        return found

    def question(found: Any, nothing: Any) -> Any:
        return lambda book, programme, *rest: found(book, programme, *rest) if programme.standing.id in ids else nothing

    asked = explainer._question
    explainer._question = lambda self, name: asked(self, name) if name != "not looked at" else {}
    explainer.missing = missing
    house.near_misses, house.least_change = question(before[1], []), question(before[2], None)
    try:
        yield
    finally:
        explainer.missing, house.near_misses, house.least_change = before
        explainer._question = asked


def _parts(data: Any) -> Iterator[int]:
    """The identities of everything inside some content, which lives as long as the hunt."""
    yield id(data)
    if isinstance(data, (dict, list)):
        for part in data.values() if isinstance(data, dict) else data:
            yield from _parts(part)


_parsed = lru_cache(maxsize=None)(parse._sql)
