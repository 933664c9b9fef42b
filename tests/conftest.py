"""What all tests share: hypothesis profiles, a cache of their own, the shipped rulebook, small rulebooks on disk."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings

from yyassess import Rulebook, RulebookError
from yyassess.rulebook import loading
from yyassess.rulebook.loading import RuleError

# ``ci`` for every run, ``deep`` for a night, ``dev`` while writing; chosen by HYPOTHESIS_PROFILE.
QUIET = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile("ci", max_examples=150, deadline=None, print_blob=True, suppress_health_check=QUIET)
settings.register_profile("deep", parent=settings.get_profile("ci"), max_examples=5000)
settings.register_profile("dev", parent=settings.get_profile("ci"), max_examples=25)

SHIPPED_RULES = loading.shipped_rules
CACHE = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
    os.environ.pop("YYASSESS_RULES", None)
    if "PYTEST_XDIST_WORKER" not in os.environ:  # workers share the cache of the process that started them
        config.stash[CACHE] = tempfile.mkdtemp(prefix="yyassess-tests-")
        os.environ["XDG_CACHE_HOME"] = config.stash[CACHE]


def pytest_unconfigure(config: pytest.Config) -> None:
    if CACHE in config.stash:
        shutil.rmtree(config.stash[CACHE], ignore_errors=True)


@pytest.fixture(scope="session")
def book() -> Rulebook:
    """The shipped rules."""
    return Rulebook.load()


VOCABULARY = """\
facts:
  coma:
    type: boolean
    name: {zh: 昏迷, en: Coma}
  years:
    type: integer
    range: [0, 130]
    name: {zh: 周岁, en: Years of age}
  income:
    type: decimal
    decimals: 2
    range: [0, 100000]
    name: {zh: 收入, en: Income}
  born:
    type: date
    name: {zh: 出生日期, en: Day of birth}
  scheme:
    type: code
    name: {zh: 险种, en: Scheme}
    codes:
      employee: {zh: 职工, en: employees}
      resident: {zh: 居民, en: residents}
  illnesses:
    type: codes
    name: {zh: 疾病, en: Illnesses}
    codes:
      dementia: {zh: 痴呆, en: dementia}
      stroke: {zh: 中风, en: stroke}
"""

SOURCES = """\
documents:
  notice:
    title: {zh: 通知, en: Notice}
    number: 一号
    date: 2020-01-01
    evidence: verified
"""

SCALE = """\
id: scale
name: {zh: 小量表, en: Small scale}
short: {zh: 小, en: Small}
kind: ability
source: {document: notice, clause: 附件}
evidence: verified
licence:
  owner: {zh: 公开, en: public}
  status: government
  items: shipped
  say: {zh: 可用, en: may be used}
  verified_on: 2020-01
  evidence: verified
higher_score: worse
respondent: [person]
levels:
  - {level: 0, code: well, name: {zh: 好, en: Well}}
  - {level: 1, code: ill, name: {zh: 差, en: Ill}}
ladders:
  steps:
    - {score: 0, say: {zh: 能, en: Does it}}
    - {score: 1, say: {zh: 要帮, en: With help}}
    - {score: 2, say: {zh: 不能, en: Does not}}
dimensions:
  - id: body
    name: {zh: 身体, en: Body}
    items:
      - {id: eating, name: {zh: 进食, en: Eating}, ladder: steps}
      - {id: walking, name: {zh: 行走, en: Walking}, ladder: steps}
context:
  - {fact: coma, if_not_given: false}
steps:
  - {id: total, kind: sum, items: all, name: {zh: 总分, en: Total}, evidence: verified}
  - id: preliminary
    kind: band
    of: total
    name: {zh: 初步等级, en: Preliminary grade}
    evidence: verified
    cuts: [{at: 0, level: 0}, {at: 2, level: 1}]
grade: preliminary
adjustments:
  - id: coma_worst
    when: coma
    set_level: 1
    source: {document: notice}
    evidence: verified
    say: {zh: 昏迷即为差, en: Coma is ill}
"""

ALLOWANCE = """\
id: allowance
name: {zh: 津贴, en: Allowance}
kind: allowance
status: in_force
source: {document: notice, clause: 第一条}
evidence: verified
in_force: {from: 2020-01-01}
criteria:
  - id: old-enough
    when: years >= 80
    say: {zh: 年满80周岁, en: Aged 80 or more}
    evidence: verified
  - id: insured
    when: scheme = 'employee'
    say: {zh: 参加职工医保, en: In the employees' scheme}
    evidence: verified
benefits:
  - id: money
    say: {zh: 每月补贴, en: A monthly allowance}
    amount:
      - {from: 2020-01-01, value: 100}
      - {from: 2024-01-01, value: 150}
    unit: CNY/month
    evidence: verified
"""

#: A small rulebook without a fault: four places, one in the other, one scale, one programme for the whole nation.
SMALL = {
    "vocabulary.yaml": VOCABULARY,
    "sources.yaml": SOURCES,
    "instruments/scale.yaml": SCALE,
    "national/place.yaml": 'places:\n  - {id: national, code: "000000", name: {zh: 国, en: Nation}, level: national}\n',
    "national/allowance.yaml": ALLOWANCE,
    "city/place.yaml": """\
places:
  - {id: province, code: "330000", name: {zh: 省, en: Province}, level: province, within: national}
  - {id: city, code: "330900", name: {zh: 市, en: City}, level: city, within: province, aliases: [海市]}
programmes_of: city
""",
    "city/district/place.yaml": """\
places:
  - {id: district, code: "330921", name: {zh: 区, en: District}, level: district, within: city}
""",
}


class RuleFolder:
    """A folder of rules to be broken: write files, change words in them, load."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: str | bytes) -> RuleFolder:
        """Writes a file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def change(self, name: str, *changes: tuple[str, str]) -> RuleFolder:
        """Replaces words that stand exactly once in a file."""
        text = (self.path / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
            text = text.replace(old, new)
        return self.write(name, text)

    def line(self, name: str, words: str) -> int:
        """The number of the one line that holds some words."""
        lines = (self.path / name).read_text(encoding="utf-8").splitlines()
        [number] = [n for n, line in enumerate(lines, 1) if words in line]
        return number

    def load(self, *, cache: bool = False) -> Rulebook:
        """The rulebook of this folder alone."""
        return Rulebook.load(self.path, shipped=False, cache=cache)

    def faults(self) -> list[RuleError]:
        """What is wrong with the rules, all of it."""
        with pytest.raises(RulebookError) as caught:
            self.load()
        return caught.value.errors

    def fault(self) -> RuleError:
        """The one thing that is wrong with the rules."""
        found = self.faults()
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]


@pytest.fixture
def rules(tmp_path: Path) -> RuleFolder:
    """A small rulebook without a fault, in a folder of its own."""
    folder = RuleFolder(tmp_path / "small")
    for name, content in SMALL.items():
        folder.write(name, content)
    return folder


@pytest.fixture
def shipped(rules: RuleFolder, monkeypatch: pytest.MonkeyPatch) -> RuleFolder:
    """The small rulebook in the place of the shipped one."""
    monkeypatch.setattr(loading, "shipped_rules", lambda: rules.path)
    return rules


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and what it wrote to stdout and stderr."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The JSON of a command that succeeded."""
        assert self.code == 0, self.err
        assert self.err == ""
        return json.loads(self.out)

    def errors(self) -> list[dict[str, Any]]:
        """The errors of a command that refused its input, as the public contract promises them."""
        assert self.code == 2, (self.code, self.out[:500], self.err[:500])
        assert self.out == "", "nothing is written to stdout when the input is refused"
        assert "Traceback" not in self.err
        errors = json.loads(self.err)["errors"]
        assert errors
        for error in errors:
            assert set(error["say"]) == {"zh", "en"}, error
            assert error["say"]["zh"] and error["say"]["en"], error
            assert "where" in error, error
        return errors

    def error(self) -> dict[str, Any]:
        """The one error of a command that refused its input."""
        [error] = self.errors()
        return error


@pytest.fixture(scope="session")
def loaded(book: Rulebook) -> dict[str, Rulebook]:
    """Rulebooks by their hash, so that commands need not compile the same rules again and again."""
    return {book.hash: book}


@pytest.fixture
def yyassess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book: Rulebook, loaded: dict[str, Rulebook]
) -> Callable[..., Ran]:
    """Runs a command in an empty folder and checks that it leaves nothing there."""
    from yyassess.cli import main

    load = Rulebook.load

    def load_once(*folders: Any) -> Rulebook:
        if "YYASSESS_RULES" in os.environ or loading.shipped_rules is not SHIPPED_RULES:
            return load(*folders)
        found = load(*folders) if folders else book
        return loaded.setdefault(found.hash, found)

    monkeypatch.setattr(Rulebook, "load", load_once)
    folder = tmp_path / "working folder"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments: object, given: Any = None) -> Ran:
        raw = given if isinstance(given, (str, bytes)) or given is None else json.dumps(given)
        done = CliRunner().invoke(main, [str(a) for a in arguments], input=raw, prog_name="yyassess")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert list(folder.iterdir()) == [], "a command writes no file unless told to"
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run
