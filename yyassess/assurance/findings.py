"""What ``yyassess check`` says: findings with a place in a file and a witness, and what was looked at how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from yyassess.assurance.codes import CODES, Severity
from yyassess.rulebook.basics import Text
from yyassess.rulebook.book import Origin

How = Literal["proved", "enumerated", "sampled"]


@dataclass(frozen=True)
class Finding:
    """One fault, doubt or remark."""

    code: str
    severity: Severity
    file: str
    line: int
    say: Text
    of: str
    """The instrument, pathway, programme, fact or document it is about."""
    parts: tuple[str, ...] = ()
    """The criteria, benefits, steps or other programmes it is about."""
    witness: Mapping[str, Any] = field(default_factory=dict)
    """A case for ``determine`` or ``screen``, or a request for ``assess``."""
    how: str | None = None
    """The command that shows the fault when the witness is given to it."""
    against: Mapping[str, Any] | None = None
    """The case to compare the witness with, where two people are compared."""
    intended: Text | None = None
    """Why it is meant, as written beside the rule; then the severity is ``note``."""

    def json(self) -> dict[str, Any]:
        """The finding of the public contract."""
        shown: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "of": self.of,
            "say": self.say,
            "witness": dict(self.witness),
        }
        if self.parts:
            shown["parts"] = list(self.parts)
        if self.how:
            shown["how"] = self.how
        if self.against is not None:
            shown["against"] = dict(self.against)
        if self.intended:
            shown["intended"] = self.intended
        return shown

    @property
    def key(self) -> tuple[str, str, int, str, tuple[str, ...]]:
        """Equal for findings that say the same of the same part."""
        return (self.code, self.file, self.line, self.of, self.parts)


@dataclass(frozen=True)
class Evidence:
    """A witness ready to be reported: what to give, to which command, and what to compare it with."""

    witness: Mapping[str, Any] = field(default_factory=dict)
    how: str | None = None
    against: Mapping[str, Any] | None = None


NOTHING = Evidence()
#: Findings that refute a claim of another name.
CLAIM_OF = {
    "criterion-never-true": "never-satisfiable",
    "criterion-always-true": "criterion-never-matters",
    "effect-always": "effect-never",
    "override-takes-away": "override-contradicts",
    "version-overlap": "version-gap",
    "version-never": "version-gap",
    "expired": "version-gap",
    "adjustment-always": "adjustment-never",
    "fact-grade-range": "fact-unused",
    "fact-code-missing": "fact-unused",
}


class Notebook:
    """Collects findings and counts what was proved, enumerated and sampled."""

    def __init__(self, on: dt.date | None = None) -> None:
        self.on = on
        self.findings: dict[Any, Finding] = {}
        self.looked: dict[How, dict[str, dict[str, int]]] = {"proved": {}, "enumerated": {}, "sampled": {}}
        self.refuted: set[tuple[str, str, str, tuple[str, ...]]] = set()
        self.unconfirmed: list[str] = []
        """Suspicions that the reference evaluator did not confirm; empty unless a proof is wrong."""

    def add(
        self,
        code: str,
        origin: Origin,
        path: tuple[str | int, ...],
        of: str,
        parts: tuple[str, ...] = (),
        evidence: Evidence = NOTHING,
        severity: Severity | None = None,
        **fields: Any,
    ) -> None:
        """Note a finding; the same one is noted once."""
        known = CODES[code]
        words = {"of": of, "parts": parts, "part": parts[0] if parts else "", **fields}
        say = Text(
            zh=known.zh.format_map(_Words("zh", words)),
            en=known.en.format_map(_Words("en", words)),
        )
        finding = Finding(
            code,
            severity or known.severity,
            origin.file,
            origin.line(*path),
            say,
            of,
            parts,
            evidence.witness,
            evidence.how,
            evidence.against,
        )
        self.findings.setdefault(finding.key, finding)
        self._not_so(CLAIM_OF.get(code, code), of)

    def _not_so(self, claim: str, of: str) -> None:
        """A claim that was just refuted does not count among those that hold."""
        for claims in self.looked.values():
            if claims.get(claim, {}).get(of):
                claims[claim][of] -= 1
                return

    def refute(self, code: str, origin: Origin, of: str, parts: tuple[str, ...] = ()) -> None:
        """Say that a "never" or "always" does not hold on some day: it is not reported of any other day either."""
        self.refuted.add((code, origin.file, of, parts))

    def result(self) -> list[Finding]:
        """The findings that stand, in the order of files and lines."""
        standing = [
            f
            for f in self.findings.values()
            if not {(f.code, f.file, f.of, f.parts), (f.code, f.file, f.of, ())} & self.refuted
        ]
        return sorted(standing, key=lambda f: (f.file, f.line, f.code, f.of, f.parts))

    def mark(self, key: Any, reason: Text) -> None:
        """A finding is meant: it becomes a note with its reason."""
        self.findings[key] = replace(self.findings[key], severity="note", intended=reason)

    def count(self, how: How, claim: str, of: str, number: int = 1) -> None:
        """Say that a claim about something was proved, enumerated or sampled."""
        things = self.looked[how].setdefault(claim, {})
        things[of] = things.get(of, 0) + number

    def doubt(self, code: str, of: str) -> None:
        """A witness of the solver that the reference evaluator does not confirm: never reported, but not forgotten."""
        self.unconfirmed.append(f"{code}: {of}")


class _Words(dict[str, Any]):
    """Fields of a sentence in one language: texts by language, lists joined."""

    def __init__(self, language: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.language = language

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, Text):
            return value[self.language]
        if isinstance(value, (list, tuple)):
            return ("、" if self.language == "zh" else ", ").join(map(str, value))
        return value
