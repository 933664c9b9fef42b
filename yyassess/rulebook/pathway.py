"""The shape of a screening pathway file: ordered stages, graded results, actions, flags."""

from __future__ import annotations

from typing import Any

from yyassess.rulebook.basics import Evidence, Kebab, Model, SourceRef, Words


class Pathway(Model):
    """A screening pathway (筛查路径)."""

    id: Kebab
    name: Words
    place: str = "national"
    source: SourceRef
    evidence: Evidence
    stages: tuple[dict[str, Any], ...] = ()
    examples: tuple[dict[str, Any], ...] = ()
