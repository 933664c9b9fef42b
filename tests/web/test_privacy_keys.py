"""A new key for everything that is sealed: nothing is lost, whatever happens on the way."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import CITIZEN_ID
from flask import Flask
from quick import quick_hashes  # noqa: F401
from sqlalchemy import select, update

from webapp import Settings
from webapp.storage import Database, KeyFileError, audit, operations, people, rotation, visits
from webapp.storage.keys import add_key
from webapp.storage.models import AuditRow, Base, KeyRow, PersonRow
from webapp.storage.sealing import AesGcmCipher, SealBroken, key_of


def values(database: Database) -> dict[str, list[bytes]]:
    """Every sealed value of the database, by table and column."""
    with database.reading() as db:
        return {
            f"{table.name}.{name}": [v for v in db.scalars(select(table.c[name])) if v is not None]
            for table, names in rotation.sealed_columns().items()
            for name in names
        }


def keys_in_use(database: Database) -> set[str]:
    return {key_of(value) for found in values(database).values() for value in found}


@pytest.fixture
def filled(assessor: Any, database: Database) -> str:
    """A finished visit, a draft, and a value in every sealed column there is."""
    from webapp.storage.models import AssessmentRow, ConsentRow, ReviewRow, VisitRow
    from webapp.storage.opening import REMARKS
    from webapp.storage.verification import ensure_token

    visit = assessor.complete()
    assessor.context(visit, contact_name="联系人赵六")
    assessor.finish(visit)
    assessor.start()
    id = UUID(visit.rsplit("/")[-1])
    cipher = database.cipher
    with database.writing() as db:
        ensure_token(db, cipher, id)
        row = db.scalars(select(AssessmentRow).where(AssessmentRow.visit_id == id)).one()
        row.remarks_sealed = cipher.seal('{"eating": {"note": "n"}}', REMARKS, row.id)
        account = db.get_one(VisitRow, id).assessor_id
        assert account
        review = ReviewRow(id=uuid4(), visit_id=id, account_id=account, verdict="approved", at=row_time())
        review.comment_sealed = cipher.seal("gut", "review.comment", review.id)
        consent = db.scalars(select(ConsentRow)).first() or ConsentRow(
            id=uuid4(),
            person_id=db.get_one(VisitRow, id).person_id,
            kind="assessment",
            given=True,
            by="self",
            wording="1",
            given_at=row_time(),
        )
        consent.by_name_sealed = cipher.seal("儿子", "consent.by_name", consent.id)
        db.add_all([review, consent])
        key = uuid4()
        operations.keep_answer(
            db, cipher, account=account, key=key, body_hash=b"x", answer=operations.Answer(200, {"ok": True})
        )
    return visit


def row_time() -> Any:
    import datetime as dt

    return dt.datetime.now(dt.UTC)


def test_every_sealed_column_gets_the_new_key_and_opens_as_before(
    filled: str, assessor: Any, database: Database
) -> None:
    assert all(values(database).values()), "the test covers every sealed column"
    before, count = assessor.stored(filled), sum(len(v) for v in values(database).values())
    old = database.keys.current
    done = rotation.rotate(database)
    assert done.values == count and done.dropped == (old,) and not done.resumed
    assert keys_in_use(database) == {done.current} == set(database.keys.field_keys) and done.current != old
    assert assessor.stored(filled) == before
    for path in ("/", f"{filled}/result", f"{filled}/report"):
        assert assessor.client.get(path).status_code == 200
    with database.reading() as db:
        assert list(db.scalars(select(KeyRow.id))) == [done.current]
        line = db.scalars(select(AuditRow).where(AuditRow.action == "keys.rotated")).one()
        assert line.detail == {"values": count, "dropped": [old]}
        assert list(audit.faults(db)) == []


def test_search_goes_on_working(filled: str, assessor: Any, database: Database) -> None:
    rotation.rotate(database)
    for words in ("王测试", CITIZEN_ID):
        assert filled in assessor.client.post("/search", data={"words": words}).text


def test_the_key_file_stays_its_owners_and_the_old_key_is_gone_from_it(
    filled: str, database: Database, settings: Settings
) -> None:
    before = json.loads(settings.keys.read_text())
    rotation.rotate(database)
    after = json.loads(settings.keys.read_text())
    assert stat.S_IMODE(settings.keys.stat().st_mode) == 0o600
    assert before["field_keys"][0] not in after["field_keys"] and len(after["field_keys"]) == 1
    assert (after["index_key"], after["session_key"]) == (before["index_key"], before["session_key"])
    assert [p.name for p in settings.keys.parent.iterdir() if p.name.startswith(settings.keys.name)] == [
        settings.keys.name
    ], "nothing is left lying about"


def test_what_was_broken_off_goes_on_where_it_stood(
    filled: str, assessor: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = assessor.stored(filled)
    reseal, calls = rotation._reseal, []

    def fails_in_the_middle(*arguments: Any) -> int:
        calls.append(arguments[1].name)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return reseal(*arguments)

    monkeypatch.setattr(rotation, "_reseal", fails_in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(database)
    assert len(keys_in_use(database)) == 2 and len(database.keys.field_keys) == 2
    assert assessor.stored(filled) == before, "half way, everything opens"
    monkeypatch.undo()
    current = database.keys.current
    done = rotation.rotate(database)
    assert done.resumed and done.current == current, "no third key is made"
    assert keys_in_use(database) == {current} and assessor.stored(filled) == before


@pytest.mark.parametrize("moment", ["_forget_old", "drop_old_keys"])
def test_a_crash_at_the_very_end_leaves_a_database_that_opens(
    filled: str, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def crash(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(rotation, moment, crash)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(database)
    monkeypatch.undo()
    again = Database.open(settings.url, settings.keys)
    assert rotation.rotate(again).resumed
    again.close()
    third = Database.open(settings.url, settings.keys)
    assert keys_in_use(third) == set(third.keys.field_keys) and len(third.keys.field_keys) == 1
    third.close()


def test_a_form_that_runs_meanwhile_takes_the_new_key_over(
    filled: str, assessor: Any, database: Database, settings: Settings
) -> None:
    """The command has a database object of its own, as another process would."""
    elsewhere = Database.open(settings.url, settings.keys)
    done = rotation.rotate(elsewhere)
    elsewhere.close()
    assert assessor.client.get(f"{filled}/result").status_code == 200, "it opens what was sealed anew"
    visit = assessor.start(name="新人", citizen_id="", birth_date="1940-01-01", sex="male")
    assert assessor.stored(visit).person.name == "新人"
    assert keys_in_use(database) == {done.current}, "and seals with the new key"


def test_an_open_transaction_that_meets_the_new_key_reads_on(
    filled: str, database: Database, settings: Settings
) -> None:
    elsewhere = Database.open(settings.url, settings.keys)
    with database.reading() as db:
        rotation.rotate(elsewhere)
        person = db.scalars(select(PersonRow)).first()
        assert person and people.open_person(person, database.cipher).name
    elsewhere.close()


def test_phones_that_save_during_the_rotation_lose_nothing(
    filled: str, assessor: Any, database: Database, settings: Settings
) -> None:
    draft = assessor.start(name="新人", citizen_id="", birth_date="1940-01-01", sex="male")
    id, failures, saved, stop = UUID(draft.rsplit("/")[-1]), [], [], threading.Event()

    def save() -> None:
        while not stop.is_set():
            try:
                with database.writing() as db:
                    visits.save_facts(db, database.cipher, id, {}, private=[], note=f"note {len(saved)}")
                saved.append(1)
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=save)
    thread.start()
    elsewhere = Database.open(settings.url, settings.keys)
    try:
        for _ in range(3):
            current = rotation.rotate(elsewhere).current
    finally:
        stop.set()
        thread.join()
        elsewhere.close()
    assert failures == [] and saved
    assert assessor.stored(draft).note == f"note {len(saved) - 1}"
    assert keys_in_use(database) == {current}, "no value was left behind with a dropped key"


def test_a_value_that_does_not_open_stops_it_and_no_key_is_dropped(
    filled: str, assessor: Any, database: Database
) -> None:
    old = database.keys.current
    with database.writing() as db:
        row = db.scalars(select(PersonRow)).first()
        assert row
        good, id = row.name_sealed, row.id
        db.execute(update(PersonRow).where(PersonRow.id == id).values(name_sealed=good[:-1] + bytes([good[-1] ^ 1])))
    with pytest.raises(SealBroken, match=r"person\.name"):
        rotation.rotate(database)
    assert old in database.keys.field_keys
    with database.writing() as db:
        db.execute(update(PersonRow).where(PersonRow.id == id).values(name_sealed=good))
    assert rotation.rotate(database).resumed and assessor.stored(filled).person.name == "王测试"


def test_two_rotations_at_once_are_refused(database: Database) -> None:
    with rotation._alone(database), pytest.raises(rotation.RotationRunning):
        rotation.rotate(database)


def test_a_backup_of_the_key_file_from_before_is_refused(
    filled: str, database: Database, settings: Settings, tmp_path: Path
) -> None:
    shutil.copy2(settings.keys, tmp_path / "backup.key")
    rotation.rotate(database)
    os.replace(tmp_path / "backup.key", settings.keys)
    with pytest.raises(KeyFileError, match="not the key file"):
        Database.open(settings.url, settings.keys)


def test_a_running_form_keeps_its_keys_when_the_file_is_spoilt_or_another_databases(
    filled: str, assessor: Any, database: Database, settings: Settings, tmp_path: Path, caplog: Any
) -> None:
    spoilt = ["", json.dumps({"format": 1})]
    other = Settings(database=str(tmp_path / "other.sqlite3"))
    Database.open(other.url, other.keys).close()
    spoilt.append(other.keys.read_text())
    good = settings.keys.read_text()
    for content in spoilt:
        settings.keys.write_text(content)
        assert assessor.client.get(f"{filled}/result").status_code == 200
        assert "key file" in caplog.text
        caplog.clear()
    settings.keys.write_text(good)
    assert assessor.client.get(f"{filled}/result").status_code == 200


def test_a_cipher_asks_once_for_a_key_it_does_not_know(database: Database) -> None:
    asked: list[int] = []
    cipher = AesGcmCipher(database.keys, look_again=lambda: asked.append(1))
    with pytest.raises(SealBroken, match="not in the key file"):
        cipher.open(b"\x01" + b"deadbeef" + bytes(40), "person.name", uuid4())
    assert asked == [1]


def test_every_sealed_column_of_the_tables_is_known(make_app: Callable[..., Flask]) -> None:
    found = {f"{t.name}.{n}" for t, names in rotation.sealed_columns().items() for n in names}
    named = {f"{t.name}.{c.name}" for t in Base.metadata.sorted_tables for c in t.columns if "sealed" in c.name}
    assert found == named and len(found) >= 12


def test_a_new_key_is_in_front(database: Database, settings: Settings) -> None:
    id = add_key(settings.keys)
    database.look_at_keys()
    assert database.keys.current == id and len(database.keys.field_keys) == 2
