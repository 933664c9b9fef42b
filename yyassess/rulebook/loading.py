"""Reading folders of rule files into a checked `Rulebook`; every error at once, with file, line and field.

A warm load reads the bytes, finds the pickled rulebook of exactly these bytes in the user's cache and is done.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Files that mean the same in any folder.
SPECIAL = ("vocabulary", "sources", "settings", "place", "coverage", "correspondences", "events")
MAX_FILES = 5000
#: Stands for a folder's number in a file of changes.
OVERLAY = -1


@dataclass(frozen=True)
class RuleError:
    """One fault of a rulebook."""

    file: str
    line: int
    field: str
    message: str

    @property
    def where(self) -> str:
        """File and line, as editors understand them."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: {self.message}" if self.field else f"{self.where}: {self.message}"


class RulebookError(ValueError):
    """The rules cannot be used; ``errors`` lists every fault found."""

    def __init__(self, errors: Iterable[RuleError]) -> None:
        self.errors = sorted(set(errors), key=lambda e: (e.file, e.line, e.field))
        super().__init__("\n".join(map(str, self.errors)))


@dataclass
class RawFile:
    """A rule file as bytes, with its folder's role."""

    name: str
    """Path as shown in messages: the rules folder's name (its path, where two have one name) and the path inside it."""
    folder: str
    """The folder inside the rules folder, ``""`` for the top."""
    root: int
    raw: bytes = field(repr=False)

    @property
    def role(self) -> str:
        """What the file holds, by its name and folder."""
        if self.root == OVERLAY:
            return "overlay"
        base = self.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if base in SPECIAL:
            return base
        top = self.folder.split("/", 1)[0]
        return {"instruments": "instrument", "pathways": "pathway"}.get(top, "programme")


def shipped_rules() -> Path:
    """The rules that come with the library: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def rule_folders(extra: Sequence[str | os.PathLike[str]] = ()) -> list[Path]:
    """The shipped rules, then those of ``YYASSESS_RULES`` (``os.pathsep`` between folders), then ``extra``."""
    named = [part for part in os.environ.get("YYASSESS_RULES", "").split(os.pathsep) if part]
    return [shipped_rules(), *(Path(p) for p in [*named, *extra])]


def read_files(folders: Sequence[Path]) -> list[RawFile]:
    """The bytes of all rule files under the folders.

    Raises:
        RulebookError: a folder is missing or cannot be read.
    """
    found: list[RawFile] = []
    errors: list[RuleError] = []
    titles = [root.resolve().name for root in folders]
    for number, root in enumerate(folders):
        top = titles[number] if titles.count(titles[number]) == 1 or number == 0 else str(root)
        if not root.is_dir():
            errors.append(RuleError(str(root), 0, "", "there is no such folder of rules"))
            continue
        for folder, inner, names in os.walk(root):
            inner[:] = sorted(name for name in inner if not name.startswith((".", "_")))
            inside = os.path.relpath(folder, root).replace(os.sep, "/")
            inside = "" if inside == "." else inside
            for name in sorted(names):
                if not name.endswith((".yaml", ".yml")) or name.startswith("."):
                    continue
                shown = f"{top}/{inside}/{name}" if inside else f"{top}/{name}"
                try:
                    found.append(RawFile(shown, inside, number, Path(folder, name).read_bytes()))
                except OSError as error:
                    errors.append(RuleError(shown, 0, "", f"cannot be read: {error.strerror}"))
    if len(found) > MAX_FILES:
        errors.append(RuleError(str(folders[-1]), 0, "", f"{len(found)} rule files; at most {MAX_FILES}"))
    if not found and not errors:
        errors.append(RuleError(str(folders[0]), 0, "", "the folder holds no rule file (*.yaml)"))
    if errors:
        raise RulebookError(errors)
    return found


def read_overlays(overlays: Sequence[Path]) -> list[RawFile]:
    """The bytes of files of changes.

    Raises:
        RulebookError: a file is missing or cannot be read.
    """
    found, errors = [], []
    for path in overlays:
        try:
            found.append(RawFile(path.name, "", OVERLAY, path.read_bytes()))
        except OSError as error:
            errors.append(RuleError(str(path), 0, "", f"cannot be read: {error.strerror}"))
    if errors:
        raise RulebookError(errors)
    return found


def load(folders: Sequence[Path], *, cache: bool = True, overlays: Sequence[Path] = ()) -> Any:
    """The checked rulebook of some folders, with files of changes laid over it.

    Raises:
        RulebookError: with every fault found.
    """
    files = read_files(folders) + read_overlays(overlays)
    place = _cache_file(files) if cache else None
    if place is not None:
        kept = _read_cache(place)
        if kept is not None:
            return kept
    from yyassess.rulebook.building import build

    rulebook = build(files)
    if place is not None:
        _write_cache(place, rulebook)
    return rulebook


# -- the cache ----------------------------------------------------------------------------------------------
def _code_stamp() -> bytes:
    """Changes whenever the library's own code does, so that no stale shape is ever unpickled."""
    parts = []
    for folder in ("rulebook", "conditions"):
        for entry in sorted(os.scandir(Path(__file__).resolve().parents[1] / folder), key=lambda e: e.name):
            if entry.name.endswith(".py"):
                status = entry.stat()
                parts.append(f"{entry.name}:{status.st_size}:{status.st_mtime_ns}")
    return "|".join(parts).encode()


def _cache_file(files: Sequence[RawFile]) -> Path | None:
    import sys

    digest = hashlib.sha256(_code_stamp() + sys.version.encode())
    for file in files:
        digest.update(f"\0{file.root}\0{file.name}\0{len(file.raw)}\0".encode())
        digest.update(file.raw)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "yyassess"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return None
    # A pickle is code: only a folder that nobody else can write to is trusted.
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        return None
    return folder / f"rules-{digest.hexdigest()[:32]}.pickle"


def _read_cache(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            kept = pickle.load(stream)
    except FileNotFoundError:
        return None
    except Exception:  # a broken or foreign cache is never worse than none
        kept = None
    from yyassess.rulebook.book import Rulebook

    if isinstance(kept, Rulebook):
        return kept
    with suppress(OSError):
        file.unlink()
    return None


def _write_cache(file: Path, rulebook: Any) -> None:
    try:
        old = sorted(file.parent.glob("rules-*.pickle"), key=lambda p: p.stat().st_mtime)
        for stale in old[:-7]:
            stale.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".rules-")
        try:
            with os.fdopen(handle, "wb") as stream:
                pickle.dump(rulebook, stream, protocol=pickle.HIGHEST_PROTOCOL)
            os.replace(name, file)
        except BaseException:
            os.unlink(name)
            raise
    except OSError:
        return
