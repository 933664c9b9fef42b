"""The cache only saves time: a warm load equals a cold one, and a cache that cannot be trusted is not used."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from yyassess import Rulebook, assess, determine
from yyassess.rulebook import building

CASE = {"facts": {"years": 80, "scheme": "employee"}}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "yyassess"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often rules were read the long way."""
    done: list[int] = []
    build = building.build

    def counted(files: Any) -> Any:
        done.append(len(files))
        return build(files)

    monkeypatch.setattr(building, "build", counted)
    return done


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("*")) if cache.exists() else []


def test_the_second_load_comes_from_the_cache(rules: Any, cache: Path, builds: list[int]) -> None:
    rules.load(cache=True)
    rules.load(cache=True)
    assert len(builds) == 1
    [file] = kept(cache)
    assert file.name.startswith("rules-")


def test_the_cache_is_for_its_owner_only(rules: Any, cache: Path) -> None:
    rules.load(cache=True)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept(cache)[0].stat().st_mode) == 0o600


def test_without_the_cache_nothing_is_read_or_written(rules: Any, cache: Path, builds: list[int]) -> None:
    rules.load()
    rules.load()
    assert len(builds) == 2
    assert kept(cache) == []


def same(one: Rulebook, other: Rulebook) -> None:
    for name in Rulebook.__dataclass_fields__:
        assert getattr(one, name) == getattr(other, name), name


def test_a_warm_load_equals_a_cold_one(rules: Any, cache: Path, builds: list[int]) -> None:
    cold = rules.load(cache=True)
    determine(CASE, place="city", on="2026-11-22", rules=cold)
    warm = rules.load(cache=True)
    assert len(builds) == 1
    same(cold, warm)
    answers = {"answers": {"eating": 1, "walking": 2}, "context": {"coma": False}}
    assert assess("scale", answers, warm) == assess("scale", answers, cold)
    assert determine(CASE, place="city", on="2026-11-22", rules=warm) == determine(
        CASE, place="city", on="2026-11-22", rules=cold
    )


def test_a_warm_load_of_the_shipped_rules_equals_a_cold_one(book: Rulebook, cache: Path, builds: list[int]) -> None:
    cold, warm = Rulebook.load(), Rulebook.load()
    assert len(builds) == 1
    same(cold, warm)
    same(book, warm)


def test_texts_from_the_cache_still_cannot_be_changed(rules: Any, cache: Path, builds: list[int]) -> None:
    rules.load(cache=True)
    warm = rules.load(cache=True)
    assert len(builds) == 1
    with pytest.raises(TypeError):
        warm.instruments["scale"].name["zh"] = "别的"


def test_any_change_of_any_file_is_read_anew(rules: Any, cache: Path, builds: list[int]) -> None:
    rules.load(cache=True)
    rules.change("national/allowance.yaml", ("years >= 80", "years >= 70"))
    assert rules.load(cache=True).programmes["national"]["allowance"].texts[0].criteria[0].when == "years >= 70"
    rules.write("vocabulary.yaml", (rules.path / "vocabulary.yaml").read_text(encoding="utf-8") + "# a comment\n")
    rules.load(cache=True)
    (rules.path / "national/allowance.yaml").rename(rules.path / "national/renamed.yaml")
    assert rules.load(cache=True).origins[("programme", "national/allowance")].file == "small/national/renamed.yaml"
    assert len(builds) == 4


def test_a_file_that_keeps_its_size_and_time_but_not_its_content_is_read_anew(rules: Any, cache: Path) -> None:
    file = rules.path / "national/allowance.yaml"
    before = file.stat()
    rules.load(cache=True)
    rules.change("national/allowance.yaml", ("years >= 80", "years >= 70"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert rules.load(cache=True).programmes["national"]["allowance"].texts[0].criteria[0].when == "years >= 70"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle at all",
        b"\x80\x05cno_such_module\nNothing\n.",
        pickle.dumps({"hash": "sha256:0"}),
        pickle.dumps(None),
        pickle.dumps("rulebook"),
    ],
)
def test_a_broken_cache_is_ignored_and_replaced(rules: Any, cache: Path, builds: list[int], content: bytes) -> None:
    good = rules.load(cache=True)
    [file] = kept(cache)
    file.write_bytes(content)
    same(rules.load(cache=True), good)
    assert len(builds) == 2
    rules.load(cache=True)
    assert len(builds) == 2


def test_a_cache_cut_short_is_ignored(rules: Any, cache: Path, builds: list[int]) -> None:
    rules.load(cache=True)
    [file] = kept(cache)
    file.write_bytes(file.read_bytes()[:-100])
    assert rules.load(cache=True).instruments["scale"].grade == "preliminary"
    assert len(builds) == 2


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_may_write_to_is_not_trusted(
    rules: Any, cache: Path, builds: list[int], tmp_path: Path, mode: int
) -> None:
    rules.load(cache=True)
    [file] = kept(cache)
    file.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    cache.chmod(mode)
    rules.load(cache=True)
    assert len(builds) == 2
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users here")
def test_a_folder_of_somebody_else_is_not_trusted(
    rules: Any, cache: Path, builds: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules.load(cache=True)
    [file] = kept(cache)
    file.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    stranger = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    rules.load(cache=True)
    assert not (tmp_path / "sprung").exists()


def test_where_no_folder_can_be_made_the_rules_load_all_the_same(
    rules: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    assert rules.load(cache=True).instruments["scale"].grade == "preliminary"


def test_a_full_disk_leaves_no_rubbish_and_does_no_harm(
    rules: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pickle, "dump", full)
    assert rules.load(cache=True).instruments["scale"].grade == "preliminary"
    assert kept(cache) == []


def test_faulty_rules_are_not_kept(rules: Any, cache: Path) -> None:
    rules.change("national/allowance.yaml", ("years >= 80", "yaers >= 80"))
    for _ in range(2):
        with pytest.raises(ValueError, match="unknown fact 'yaers'"):
            rules.load(cache=True)
    assert kept(cache) == []


def test_only_a_few_rulebooks_are_kept(rules: Any, cache: Path) -> None:
    text = (rules.path / "national/allowance.yaml").read_text(encoding="utf-8")
    for years in range(60, 75):
        rules.write("national/allowance.yaml", text.replace("years >= 80", f"years >= {years}"))
        rules.load(cache=True)
    assert 1 <= len(kept(cache)) <= 8


def test_another_python_or_another_version_of_the_library_does_not_use_it(
    rules: Any, cache: Path, builds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from yyassess.rulebook import loading

    rules.load(cache=True)
    monkeypatch.setattr(sys, "version", "3.99.0 (another)")
    rules.load(cache=True)
    assert len(builds) == 2
    monkeypatch.setattr(loading, "_code_stamp", lambda: b"changed")
    rules.load(cache=True)
    assert len(builds) == 3
    assert len(kept(cache)) == 3


def test_two_processes_may_fill_the_cache_at_once(rules: Any, cache: Path) -> None:
    code = f"from yyassess import Rulebook; print(Rulebook.load({str(rules.path)!r}, shipped=False).hash)"
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = [process.communicate(timeout=60) for process in running]
    assert [err for _, err in printed] == [""] * 3
    assert {out.strip() for out, _ in printed} == {rules.load().hash}
    [file] = kept(cache)
    assert file.name.startswith("rules-")
