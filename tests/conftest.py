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
from small_rules import SMALL, RuleFolder

from yyassess import Rulebook
from yyassess.rulebook import loading

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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    told = [
        number
        for report in terminalreporter.getreports("passed")
        for name, number in report.user_properties
        if name == "people decided alike"
    ]
    if told:
        terminalreporter.write_line(f"{sum(told):,} random people were decided alike by every evaluator")


@pytest.fixture(scope="session")
def book() -> Rulebook:
    """The shipped rules."""
    return Rulebook.load()


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
