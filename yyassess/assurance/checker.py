"""``check``: everything the library can prove, enumerate or sample about a rulebook, in one report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yyassess.assurance.benefits import check_benefits
from yyassess.assurance.claims import CLAIMS
from yyassess.assurance.dates import check_amounts, check_versions
from yyassess.assurance.fairness import check_fairness
from yyassess.assurance.findings import Finding, How, Notebook
from yyassess.assurance.instruments import check_instrument
from yyassess.assurance.intended import apply_marks
from yyassess.assurance.interactions import check_interactions
from yyassess.assurance.overrides import check_override
from yyassess.assurance.pathways import check_pathway
from yyassess.assurance.programmes import check_criteria, check_twins
from yyassess.assurance.sampling import check_engines
from yyassess.assurance.situations import Situation, situations
from yyassess.assurance.sources import check_facts, check_sources
from yyassess.assurance.tables import check_tables
from yyassess.conditions.smt import need_z3
from yyassess.rulebook.book import Rulebook

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """The result of a check."""

    findings: tuple[Finding, ...]
    looked: Mapping[How, Mapping[str, Mapping[str, int]]]
    """How -> claim -> what it is about -> how often it was proved, enumerated or sampled."""
    unconfirmed: tuple[str, ...]
    """Suspicions of the solver that the reference evaluator did not confirm; they are not reported."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that must be mended."""
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def clean(self) -> bool:
        """No error and no warning: nothing is left that is not marked with its reason."""
        return all(f.severity == "note" for f in self.findings)

    def json(self) -> dict[str, Any]:
        """The report of the public contract."""
        shown: dict[str, Any] = {"findings": [f.json() for f in self.findings]}
        for how in ("proved", "enumerated", "sampled"):
            shown[how] = [
                {"claim": claim, "say": CLAIMS[claim], "count": sum(things.values()), "of": sorted(things)}
                for claim, things in sorted(self.looked[how].items())
                if things
            ]
        return shown


def check(book: Rulebook, *, on: dt.date | None = None, progress: Progress | None = None) -> Report:
    """Check a rulebook against itself.

    Args:
        book: any rulebook.
        on: the day it is checked for: texts that end later count as not yet ended. Without it, every end counts.
        progress: is told what is being looked at.

    Returns:
        The findings, each with file, line, sentence and (where a person or a sheet can show it) a witness that the
        reference evaluator has confirmed; and what was proved, enumerated and sampled, with counts.

    Raises:
        ProofsMissing: the package ``z3-solver`` (the extra ``proofs``) is not installed.
    """
    need_z3()
    notebook = Notebook(on)
    tell = progress or (lambda _: None)
    for id in book.instruments:
        tell(id)
        check_instrument(book, id, notebook)
        check_tables(book, id, notebook)
    for id in book.pathways:
        tell(id)
        check_pathway(book, id, notebook)
    for situation in situations(book, notebook):
        tell(situation.id)
        check_programme(situation, notebook)
    check_twins(book, notebook)
    check_versions(book, notebook)
    check_sources(book, notebook)
    check_facts(book, notebook)
    tell("engines")
    check_engines(book, notebook)
    apply_marks(book, notebook)
    return Report(tuple(notebook.result()), held(notebook), tuple(notebook.unconfirmed))


def held(notebook: Notebook) -> dict[How, dict[str, dict[str, int]]]:
    """What was looked at and holds, without the claims that were refuted."""
    return {
        how: {claim: {of: n for of, n in things.items() if n} for claim, things in claims.items()}
        for how, claims in notebook.looked.items()
    }


def check_programme(situation: Situation, notebook: Notebook) -> None:
    """All checks of one text of a programme as it stands on a day."""
    before = situation.world.undecided
    if check_criteria(situation, notebook):
        check_benefits(situation, notebook)
        check_fairness(situation, notebook)
        check_interactions(situation, notebook)
        check_override(situation, notebook)
        check_amounts(situation, notebook)
    if situation.world.undecided > before:
        notebook.count("sampled", "undecided", situation.id, situation.world.undecided - before)
        notebook.add("undecided", situation.origin, situation.path(), situation.id, claim=situation.id)
