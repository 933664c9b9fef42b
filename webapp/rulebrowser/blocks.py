"""What a page of the rule browser is made of: sections of paragraphs and tables, whatever rule they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.i18n import say
from yyassess.rulebook.basics import Evidence, SourceRef


@dataclass(frozen=True)
class Cell:
    """One cell of a table, or one line of a list."""

    text: str
    formula: str | None = None
    """The condition as the rules write it."""
    evidence: Evidence | None = None
    source: SourceRef | None = None
    href: str | None = None
    number: bool = False
    also: tuple[str, ...] = ()
    """Further lines under the text."""


@dataclass(frozen=True)
class Table:
    """A table: the first cell of a row names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Lines:
    """A list."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """A part of a page."""

    title: str
    blocks: tuple[str | Table | Lines, ...]
    folded: bool = False
    count: int | None = None


def cell(
    words: Mapping[str, str] | str | None,
    *,
    formula: str | None = None,
    by: Any = None,
    href: str | None = None,
    also: Sequence[str] = (),
) -> Cell:
    """Words of the rules as a cell, with evidence and source of the thing they are about (``by``)."""
    return Cell(
        say(words),
        formula,
        getattr(by, "evidence", None),
        getattr(by, "source", None),
        href,
        also=tuple(line for line in also if line),
    )


def number(value: Any) -> Cell:
    """A figure as a cell."""
    return Cell(str(value), number=True)


def sections(*found: Section | None) -> list[Section]:
    """Those that have anything to say."""
    return [s for s in found if s is not None and any(_filled(block) for block in s.blocks)]


def _filled(block: str | Table | Lines) -> bool:
    if isinstance(block, Table):
        return bool(block.rows)
    return bool(block.cells) if isinstance(block, Lines) else bool(block)
