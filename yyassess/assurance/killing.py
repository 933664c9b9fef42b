"""What kills a mutant of a rule file: reading it, the worked examples, the check; or a proof that it changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

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
from yyassess.rulebook import building
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.loading import RawFile, RulebookError, read_files
from yyassess.rulebook.yaml_reader import read_yaml

#: Rule files whose lines decide something; the others are lists of sources, places and the like.
ROLES = ("instrument", "pathway", "programme", "vocabulary")


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
        self._digests: dict[int, str] = {}
        self._mutants: dict[str, list[Mutant]] = {}
        self._dependents: dict[str, list[str]] = {}
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
        failed = self._failing(book, [mutant.file])
        if failed:
            return Verdict(mutant, "examples", failed)
        try:
            new = self.findings(book, mutant.file) - self._before(mutant.file)
        except Exception as error:  # a mutant may break anything; that it breaks is what counts
            return Verdict(mutant, "check", f"{type(error).__name__}: {error}")
        if new:
            return Verdict(mutant, "check", ", ".join(sorted({code for code, _, _ in new})))
        failed = self._failing(book, self._hang_on(mutant.file))
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

    def _hang_on(self, file: str) -> list[str]:
        """Other files whose examples may see a change in this one: they name what it defines."""
        if file not in self._dependents:
            role, words = self.files[file].role, [f.encode() for f in self._defined_in(file)]
            self._dependents[file] = [
                name
                for name, other in self.files.items()
                if name != file
                and other.role in ROLES[:3]
                and (role == "vocabulary" or any(w in other.raw for w in words))
                # A grade that is typed in does not depend on how its instrument scores.
                and (role != "instrument" or other.role == "pathway" or b"answers:" in other.raw)
            ]
        return self._dependents[file]

    def _defined_in(self, file: str) -> list[str]:
        ids = [key[1].rpartition("/")[2] for key, origin in self.book.origins.items() if origin.file == file]
        results = [n for n, fact in self.book.facts.items() if {fact.grade_of, fact.code_of, fact.pathway} & set(ids)]
        return [*ids, *results]

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
            return building.build(files)

    @contextmanager
    def _quick(self, read: Mapping[bytes, Any]) -> Iterator[None]:
        """Building from content that is read, validated and parsed already: a run builds thousands of rulebooks."""
        house: Any = building
        before = house.read_yaml, house.Workshop.validate, parse._sql, house._digest

        def validate(shop: Any, model: Any, parsed: Any, data: Any, base: Any = ()) -> Any:
            key = (model, id(data))
            if key in self._valid:
                return self._valid[key]
            made = before[1](shop, model, parsed, data, base)
            if made is not None and id(data) in self._lasting:
                self._valid[key] = made
            return made

        def digest(data: Any) -> Any:
            if id(data) not in self._lasting:
                return before[3](data)
            if id(data) not in self._digests:
                self._digests[id(data)] = before[3](data)
            return self._digests[id(data)]

        house.read_yaml, house.Workshop.validate, parse._sql = read.__getitem__, validate, _parsed
        house._digest = digest
        try:
            yield
        finally:
            house.read_yaml, house.Workshop.validate, parse._sql, house._digest = before


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


def _parts(data: Any) -> Iterator[int]:
    """The identities of everything inside some content, which lives as long as the hunt."""
    yield id(data)
    if isinstance(data, (dict, list)):
        for part in data.values() if isinstance(data, dict) else data:
            yield from _parts(part)


_parsed = lru_cache(maxsize=None)(parse._sql)
