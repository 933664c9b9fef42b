"""A new field key for everything that is sealed: made, taken into use, all values sealed anew, the old key dropped.

The form may run meanwhile, on this machine: every transaction looks whether the key file was changed. What was broken
off goes on where it stood, because each value names its key. The blind index key stays: to change it, every search
index would have to be made anew from the opened texts, and a leaked index key opens nothing.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, literal, select, text, tuple_, update
from sqlalchemy.orm import Session

from webapp.storage import audit
from webapp.storage.database import KEY_LOCK, MIGRATION_LOCK, Database
from webapp.storage.keys import add_key, drop_old_keys, load_keys
from webapp.storage.models import Base, KeyRow
from webapp.storage.sealing import FieldCipher, key_of

BATCH = 200
SUFFIX = "_sealed"
#: Sealed under ``table.column``, unless it stands here.
FIELDS = {("signature", "strokes_sealed"): "signature.drawing"}


class RotationRunning(RuntimeError):
    """Another process is changing the keys just now."""


@dataclass(frozen=True)
class Rotation:
    """What became of it."""

    current: str
    """The id of the key that seals everything now."""
    dropped: tuple[str, ...]
    """Former keys, no longer in the file."""
    values: int
    """So many values were sealed anew."""
    resumed: bool
    """An earlier rotation was brought to its end; no further key was made."""


def sealed_columns() -> dict[Table, list[str]]:
    """The tables with sealed columns, and those columns."""
    found = {
        table: [column.name for column in table.columns if column.name.endswith(SUFFIX)]
        for table in Base.metadata.sorted_tables
    }
    return {table: names for table, names in found.items() if names}


def rotate(database: Database, progress: Callable[[str, int], None] = lambda table, values: None) -> Rotation:
    """Seal everything with a new key, and drop the old one.

    Args:
        database: opened with the key file that is to change.
        progress: told the table and the values sealed anew so far.

    Raises:
        RotationRunning: another process is at it.
        SealBroken: a value cannot be opened; nothing was dropped, and all else can still be read.
    """
    with _alone(database):
        resumed = len(load_keys(database.key_file, may_create=False).field_keys) > 1
        if not resumed:
            add_key(database.key_file)
        _wait_for_writers(database)
        current, values = database.keys.current, 0
        while True:
            changed = sum(
                _reseal(database, table, names, current, progress) for table, names in sealed_columns().items()
            )
            values += changed
            if not changed:
                break
        with database.writing() as db:
            _forget_old(db, current)
            audit.record(
                db,
                "keys.rotated",
                f"key:{current}",
                account=None,
                organisation=None,
                detail={"values": values, "dropped": [id for id in database.keys.field_keys if id != current]},
            )
        with database.writing() as db:
            if database.engine.dialect.name == "postgresql":
                db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            # Once more: a form that started just now has noted the old key again.
            _forget_old(db, current)
            dropped = drop_old_keys(database.key_file)
        database.look_at_keys()
    return Rotation(current, tuple(dropped), values, resumed)


def _wait_for_writers(database: Database) -> None:
    with database.writing() as db:
        if database.engine.dialect.name == "postgresql":
            db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": KEY_LOCK})
        known = set(db.scalars(select(KeyRow.id)))
        for id in database.keys.field_keys:
            if id not in known:
                db.add(KeyRow(id=id, fingerprint=database.keys.fingerprint(id)))


def _forget_old(db: Session, current: str) -> None:
    db.execute(delete(KeyRow).where(KeyRow.id != current))


def _reseal(
    database: Database, table: Table, names: list[str], current: str, progress: Callable[[str, int], None]
) -> int:
    keys = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    changed = 0
    while True:
        with database.writing() as db:
            wanted = select(*keys, *(table.c[name] for name in names)).order_by(*keys).limit(BATCH).with_for_update()
            if last is not None:
                bound = [literal(value, key.type) for value, key in zip(last, keys, strict=True)]
                wanted = wanted.where(tuple_(*keys) > tuple_(*bound))
            rows = db.execute(wanted).all()
            for row in rows:
                changed += _reseal_row(db, database.cipher, table, names, row, current)
        if not rows:
            return changed
        last = tuple(rows[-1][: len(keys)])
        progress(table.name, changed)


def _reseal_row(db: Session, cipher: FieldCipher, table: Table, names: list[str], row: Any, current: str) -> int:
    found = row._mapping
    id = UUID(found["key"]) if table.name == "operation" else found["id"]
    new = {}
    for name in names:
        value = found[name]
        if value is not None and key_of(value) != current:
            field = FIELDS.get((table.name, name), f"{table.name}.{name.removesuffix(SUFFIX)}")
            new[name] = cipher.seal(cipher.open(value, field, id), field, id)
    if new:
        db.execute(update(table).where(*(key == found[key.name] for key in table.primary_key.columns)).values(new))
    return len(new)


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    # The folder is locked, because the key file itself is replaced on the way.
    folder = os.open(database.key_file.parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RotationRunning("The keys are being changed by another process just now.") from None
        yield
    finally:
        os.close(folder)
