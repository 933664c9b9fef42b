"""Evidence, documents and facts: what rests on recall, what says no source, what nobody cites or asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from yyassess.assurance.findings import Notebook
from yyassess.conditions.tree import facts_of
from yyassess.rulebook.basics import Document, Evidence, SourceRef
from yyassess.rulebook.book import Origin, Rulebook
from yyassess.rulebook.instrument import Licence
from yyassess.rulebook.programme import Dated, Indicator, Programme, Span

Path = tuple[str | int, ...]


def check_sources(book: Rulebook, notebook: Notebook) -> None:
    """Every evidence mark and every document."""
    cited = {ref.document for ref in _parts(book.events, SourceRef)}
    for kind, things in (("instrument", book.instruments), ("pathway", book.pathways)):
        for id, thing in things.items():
            origin = book.origins[(kind, id)]
            cited |= {ref.document for ref in _parts(thing, SourceRef)}
            _marks(thing, origin, id, (), notebook)
    for place, programmes in book.programmes.items():
        for id, texts in programmes.items():
            origin = book.origins[("programme", f"{place}/{id}")]
            for number, text in enumerate(texts.texts):
                cited |= {ref.document for ref in _parts(text, SourceRef)}
                base: Path = () if number == 0 else ("versions", number - 1)
                _marks(text, origin, id, base, notebook, text.status == "in_force")
    for id, document in book.documents.items():
        origin = book.origins[("sources", id)]
        _mark(document.evidence, document, origin, id, (), id, notebook)
        notebook.count("enumerated", "document-unused", id)
        if id not in cited:
            notebook.add("document-unused", origin, (), id)


def _parts(thing: Any, kind: type[Any]) -> Iterator[Any]:
    if isinstance(thing, kind):
        yield thing
    if isinstance(thing, BaseModel):
        for name in type(thing).model_fields:
            yield from _parts(getattr(thing, name), kind)
    elif isinstance(thing, (tuple, list)):
        for part in thing:
            yield from _parts(part, kind)
    elif isinstance(thing, Mapping):
        for part in thing.values():
            yield from _parts(part, kind)
    elif is_dataclass(thing):
        for field in fields(thing):
            yield from _parts(getattr(thing, field.name), kind)


def _marks(thing: Any, origin: Origin, of: str, base: Path, notebook: Notebook, in_force: bool = False) -> None:
    for path, owner, evidence in _evidence(thing, base):
        label = str(getattr(owner, "id", None) or ".".join(map(str, path[:-1])) or of)
        _mark(evidence, owner, origin, of, path, label, notebook)
        figure = isinstance(owner, (Span, Indicator)) or (isinstance(owner, Dated) and owner.value != "unknown")
        if figure and evidence.mark == "unknown":
            notebook.add("figure-without-evidence", origin, path, of, (label,))
        if in_force and evidence.mark == "recall":
            notebook.add("recall-in-force", origin, path, of, (label,))


def _evidence(thing: Any, path: Path) -> Iterator[tuple[Path, Any, Evidence]]:
    if isinstance(thing, BaseModel):
        for name in type(thing).model_fields:
            value = getattr(thing, name)
            if isinstance(value, Evidence):
                yield (*path, name), thing, value
            elif not (isinstance(thing, Programme) and name == "versions"):
                yield from _evidence(value, (*path, name))
    elif isinstance(thing, (tuple, list)):
        for number, part in enumerate(thing):
            yield from _evidence(part, (*path, number))


def _mark(evidence: Evidence, owner: Any, origin: Origin, of: str, path: Path, label: str, notebook: Notebook) -> None:
    notebook.count("enumerated", "evidence-marks", of)
    decision = evidence.decision or getattr(owner, "decision", None) or getattr(owner, "decisions", ())
    wrong = {
        "single-without-words": evidence.mark == "single" and not evidence.words,
        "decision-without-name": evidence.mark == "decision"
        and not decision
        and not isinstance(owner, (Licence, Document)),
    }
    for code, holds in wrong.items():
        if holds:
            notebook.add(code, origin, path, of, (label,))


# -- facts --------------------------------------------------------------------------------------------------------------
def check_facts(book: Rulebook, notebook: Notebook) -> None:
    """Facts nobody asks, and facts that cannot hold what their instrument yields."""
    used = used_facts(book)
    for name, fact in book.facts.items():
        origin = book.origins[("vocabulary", name)]
        notebook.count("enumerated", "fact-unused", name)
        result = fact.grade_of or fact.code_of or fact.pathway
        if name not in used and not fact.personal and not result:
            notebook.add("fact-unused", origin, (), name)
        if fact.grade_of:
            for level in book.instruments[fact.grade_of].levels:
                if fact.range and not fact.range[0] <= level.level <= fact.range[1]:
                    low, high = fact.range
                    witness = _typed_in(book, fact.grade_of, {"grade": {"level": level.level}})
                    notebook.add(
                        "fact-grade-range", origin, (), name, (str(level.level),), witness,
                        level=level.level, low=low, high=high,
                    )  # fmt: skip
        if fact.code_of:
            for level in book.instruments[fact.code_of].levels:
                if fact.codes and level.code not in fact.codes:
                    witness = _typed_in(book, fact.code_of, {"code": level.code})
                    notebook.add("fact-code-missing", origin, (), name, (level.code,), witness, missing=level.code)


def _typed_in(book: Rulebook, instrument: str, how: dict[str, Any]) -> Any:
    from yyassess.assurance.findings import Evidence as Witness
    from yyassess.assurance.situations import newest_document

    day = newest_document(book).isoformat()
    return Witness({"assessments": [{"instrument": instrument, "date": day, **how}]}, f"yyassess crosswalk --on {day}")


def used_facts(book: Rulebook) -> set[str]:
    """The facts that a rule, an instrument, a pathway or a form asks for."""
    used: set[str] = set()
    for trees in book.trees.values():
        for node in trees.values():
            for name in facts_of(node):
                used.add(name.split(":")[1] if name.startswith("lies_in:") else name)
    for instrument in book.instruments.values():
        used |= {use.fact for use in instrument.context}
        used |= {field.fact for group in instrument.record for field in group.facts}
        used |= {name for hint in instrument.hints for name in hint.items}
    used |= {name for name, fact in book.facts.items() if fact.derive and name in used}
    return used
