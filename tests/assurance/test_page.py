"""docs/assurance.md: written by a command, true to what the check and the measurements say; its example runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import test_all_evaluators_agree as agreement
from hypothesis import settings
from rulebooks import interaction, money, programme

from yyassess import Rulebook, check
from yyassess.assurance import report
from yyassess.assurance.codes import CODES

PAGE = report.PAGE.read_text(encoding="utf-8")
#: By package; nothing until it is measured (`scripts/mutate_code.py --save`).
MEASURED: dict[str, Any] = (
    json.loads(report.MEASURED.read_text(encoding="utf-8")).get("code", {}) if report.MEASURED.is_file() else {}
)
REASONS: dict[str, str] = json.loads(report.REASONS.read_text(encoding="utf-8"))

PLACE = """\
places:
  - {id: our-city, code: "990100", name: {zh: 我市, en: Our city}, level: city, within: national}
"""
GIVES_WAY = interaction("cannot_combine", "allowance")


def test_the_page_is_what_the_command_writes() -> None:
    book = Rulebook.load()
    day = report.page_day(book)
    assert report.page(check(book, on=day), book, day) == PAGE, "run: python -m yyassess.assurance.report --write"


def test_the_page_names_every_code_and_the_counts_of_the_evaluators() -> None:
    assert all(f"| `{code}` |" in PAGE for code in CODES)
    told = {int(n.replace(",", "")) for n in re.findall(r"\d[\d,]+", PAGE.split("## Evaluators")[1].split("##")[0])}
    for profile in agreement.LEAST:
        number, each = agreement.plan(settings.get_profile(profile))
        assert {agreement.PARTS * number, agreement.PARTS * number * each} <= told


# -- what was measured --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("package", sorted(MEASURED))
def test_nine_of_ten_code_mutants_are_killed_in_every_package_that_decides(package: str) -> None:
    row = MEASURED[package]
    assert row["tried"] >= min(150, row["there"])
    assert row["killed"] / row["tried"] >= 0.9
    assert row["tried"] - row["killed"] == len(row["survivors"])


@pytest.mark.parametrize("package", sorted(MEASURED))
def test_every_survivor_in_the_code_is_named_with_its_reason(package: str) -> None:
    left = {f"{one['file']}: {one['what']}" for one in MEASURED[package]["survivors"]}
    assert left <= set(REASONS)
    assert all(REASONS[one] in PAGE for one in left)


# -- a city's own rules -------------------------------------------------------------------------------------------------
def example() -> str:
    """The program under "Testing your own rules"."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    return str(code)


@pytest.fixture
def our_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A city's folder with an old and a new allowance, of which one gives way."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "our-rules" / "our-city"
    folder.mkdir(parents=True)
    (folder / "place.yaml").write_text(PLACE, encoding="utf-8")
    for id, rest in (("allowance", ""), ("old-allowance", GIVES_WAY)):
        text = programme(id, "age >= 80", rest=money("100") + rest)
        text = text.replace("document: notice", "document: project-decisions")
        (folder / f"{id}.yaml").write_text(text, encoding="utf-8")
    yield folder


def run_example() -> None:
    space: dict[str, Any] = {}
    exec(compile(example(), "docs/assurance.md", "exec"), space)
    space["test_nobody_gets_the_allowance_twice"]()


def test_the_example_of_the_page_passes_on_rules_that_keep_its_promise(our_rules: Path) -> None:
    run_example()


def test_the_example_of_the_page_finds_rules_that_break_its_promise(our_rules: Path) -> None:
    file = our_rules / "old-allowance.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(GIVES_WAY, ""), encoding="utf-8")
    with pytest.raises(AssertionError):
        run_example()
