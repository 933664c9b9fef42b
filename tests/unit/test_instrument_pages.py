"""The pages of the instruments: as the program writes them today, and fit for an assessor to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from yyassess import Rulebook
from yyassess.report.pages import both, main, page, write_pages
from yyassess.report.text import LICENCES, MARKS
from yyassess.rulebook.instrument import Instrument, Item

PAGES = Path(__file__).resolve().parents[2] / "docs" / "instruments"
INSTRUMENTS = sorted(Rulebook.load().instruments)


def options_of(it: Instrument, item: Item) -> list[object]:
    return [o.say for o in (it.ladders[item.ladder] if item.ladder else item.options)]


def test_the_pages_are_as_the_program_writes_them(book: Rulebook, tmp_path: Path) -> None:
    """Refresh them with: python -m yyassess.report.pages docs/instruments"""
    written = write_pages(book, tmp_path)
    assert {p.name for p in PAGES.iterdir()} == {p.name for p in written}
    stale = [p.name for p in written if (PAGES / p.name).read_bytes() != p.read_bytes()]
    assert stale == []


def test_the_command_writes_them(tmp_path: Path, book: Rulebook) -> None:
    main([str(tmp_path / "pages")])
    assert {p.name for p in (tmp_path / "pages").iterdir()} == {f"{id}.md" for id in book.instruments} | {"README.md"}


@pytest.mark.parametrize("id", INSTRUMENTS)
def test_a_page_has_items_scores_bands_sources_licence_evidence_and_decisions(book: Rulebook, id: str) -> None:
    it = book.instruments[id]
    text = page(book, it)
    said = [it.name, it.licence.owner, it.licence.say, book.documents[it.source.document].title]
    said += [level.name for level in it.levels]
    for dimension in it.dimensions:
        said.append(dimension.name)
        for item in dimension.items:
            said += [item.name, *options_of(it, item)]
            assert f"`{item.id}`" in text
    for decision in it.decisions:
        said += [decision.point, decision.taken, decision.reason]
        assert decision.id in text
    said += [step.name for step in it.steps] + [hint.say for hint in it.hints]
    said += [a.say for a in it.adjustments] + [s.say for s in it.settings]
    said += [t for t in (it.method, it.note, it.reassess, it.not_computed, it.administered_by) if t]
    for words in said:
        assert both(words) in text, words
    assert " / ".join(LICENCES[it.licence.status]) in text and it.licence.verified_on in text
    assert MARKS[it.evidence.mark][0] in text and MARKS[it.licence.evidence.mark][0] in text
    for step in it.steps:
        assert f"`{step.id}`" in text


@pytest.mark.parametrize("id", INSTRUMENTS)
def test_every_table_of_a_page_is_whole(book: Rulebook, id: str) -> None:
    """Each row has as many cells as its head: no bar in a text breaks it."""
    columns = 0
    for line in page(book, book.instruments[id]).splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        cells = line.replace("\\|", "").count("|") - 1
        columns = columns or cells
        assert cells == columns, line


def test_the_index_names_every_page(book: Rulebook) -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    for it in book.instruments.values():
        assert f"[{it.id}]({it.id}.md)" in index and both(it.name) in index
