"""Findings that are meant: marked under ``intended:`` in the programme's file, each with its reason."""

from __future__ import annotations

from yyassess.assurance.codes import CODES
from yyassess.assurance.findings import Finding, Notebook
from yyassess.assurance.situations import text_path
from yyassess.rulebook.book import ProgrammeTexts, Rulebook
from yyassess.rulebook.programme import Intended

#: These say that the mark itself, or the check, is wrong.
NEVER_INTENDED = ("intended-unknown", "intended-stale", "evaluators-disagree", "engine-refuses")


def apply_marks(book: Rulebook, notebook: Notebook) -> None:
    """Turns marked findings into notes; marks that name no code or meet no finding are findings themselves."""
    standing = notebook.result()
    for place, programmes in book.programmes.items():
        for id, texts in programmes.items():
            origin = book.origins[("programme", f"{place}/{id}")]
            mine = [f for f in standing if f.of == id and f.file == origin.file]
            for mark, path in _marks(texts):
                if mark.code not in CODES or mark.code in NEVER_INTENDED:
                    notebook.add("intended-unknown", origin, path, id, (mark.code,))
                    continue
                meant = [f for f in mine if matches(mark, f)]
                for finding in meant:
                    notebook.mark(finding.key, mark.reason)
                if not meant:
                    notebook.add("intended-stale", origin, path, id, (mark.code, mark.of or ""))


def _marks(texts: ProgrammeTexts) -> list[tuple[Intended, tuple[str | int, ...]]]:
    """The marks of all texts of a programme; those that later texts only inherit count once."""
    found: list[tuple[Intended, tuple[str | int, ...]]] = []
    for number, text in enumerate(texts.texts):
        for place, mark in enumerate(text.intended):
            if all(mark != known for known, _ in found):
                found.append((mark, text_path(texts, number, "intended", place)))
    return found


def matches(mark: Intended, finding: Finding) -> bool:
    """Whether a mark speaks of a finding."""
    return mark.code == finding.code and (mark.of is None or mark.of in finding.parts)
