"""The keys of a deployment, in one file that only its owner can read."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY_BYTES = 32


class KeyFileError(RuntimeError):
    """The key file cannot be used; the message says what to do."""


@dataclass(frozen=True, repr=False)
class Keys:
    """Field keys by id (the first is used for new values), the search key and the session key."""

    field_keys: dict[str, bytes]
    index_key: bytes
    session_key: bytes

    @property
    def current(self) -> str:
        """The id of the key that seals new values."""
        return next(iter(self.field_keys))

    def fingerprint(self, key_id: str) -> str:
        """What the database remembers of a key, to notice when another file is put in its place."""
        return hashlib.sha256(b"yyassess field key" + self.field_keys[key_id] + self.index_key).hexdigest()


def load_keys(path: Path, *, may_create: bool) -> Keys:
    """The keys of ``path``; a new file (mode 0600) where there is none and ``may_create`` says so.

    Raises:
        KeyFileError: no file and none may be made, a file that others can read, or one that is not a key file.
    """
    if not path.exists():
        if not may_create:
            raise KeyFileError(
                f"The key file {path} is missing, and the database holds data sealed with it. "
                "Put the file back (or name it with YYASSESS_KEY_FILE); a new one could not open the data."
            )
        _create(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise KeyFileError(f"Others can read the key file {path} (mode {mode:04o}). Type: chmod 600 '{path}'")
    try:
        return _parse(json.loads(path.read_text("ascii")))
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} is not a key file of this program: {error}") from None


def _parse(written: Any) -> Keys:
    if written["format"] != 1:
        raise ValueError(f"format {written['format']!r} is not known")
    keys = Keys(
        field_keys={entry["id"]: base64.b64decode(entry["key"]) for entry in written["field_keys"]},
        index_key=base64.b64decode(written["index_key"]),
        session_key=base64.b64decode(written["session_key"]),
    )
    if not keys.field_keys or any(
        len(k) != KEY_BYTES for k in (*keys.field_keys.values(), keys.index_key, keys.session_key)
    ):
        raise ValueError("a key has the wrong length")
    return keys


def add_key(path: Path) -> str:
    """Put a new field key into the file, in front: it seals from now on, and the others still open. Returns its id."""
    content = json.loads(path.read_text("ascii"))
    id = secrets.token_hex(4)
    content["field_keys"].insert(0, {"id": id, "key": _fresh()})
    _replace(path, content)
    return id


def drop_old_keys(path: Path) -> list[str]:
    """Take all field keys but the current one out of the file; returns the ids of those taken."""
    content = json.loads(path.read_text("ascii"))
    old = [entry["id"] for entry in content["field_keys"][1:]]
    if old:
        content["field_keys"] = content["field_keys"][:1]
        _replace(path, content)
    return old


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _create(path: Path) -> None:
    content = {
        "format": 1,
        "field_keys": [{"id": secrets.token_hex(4), "key": _fresh()}],
        "index_key": _fresh(),
        "session_key": _fresh(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: two processes that start together end up with the same file.
    aside = _write_aside(path, content)
    try:
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _replace(path: Path, content: Any) -> None:
    # A reader finds the old file or the new one, never half of one, also after a power cut.
    aside = _write_aside(path, content)
    try:
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_aside(path: Path, content: Any) -> Path:
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside
