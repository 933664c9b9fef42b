"""Changes from phones: read by the same readers as the form, and merged with what others changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from webapp.api.answers import BAD_BODY, Refused, Words, fault
from webapp.api.bodies import Changes, Note, posted
from webapp.app import services
from webapp.storage import Visit, visits
from webapp.visits.blueprint import private_facts
from webapp.visits.casework import PERSON_PAGE, Sheet, open_choices, sheets
from webapp.visits.questions import Unreadable, read_fact, read_item, read_setting
from webapp.visits.reasons import cannot_words
from webapp.visits.remarks import BOTH, BadRemark, cannot_field, note_field, read_remark, stored_remark
from yyassess import Rulebook
from yyassess.rulebook.vocabulary import FactDefinition

NO_INSTRUMENT = {"zh": "这次评估没有选这个量表", "en": "This visit has no such instrument"}
NO_ITEM = {"zh": "这个量表没有这一题", "en": "The instrument has no such item"}
NO_SETTING = {"zh": "这一项不由评估员选择", "en": "This point is not for the assessor to choose"}
NO_FACT = {"zh": "没有这项信息，或不能在此填写", "en": "There is no such fact, or it is not entered here"}
NOT_A_LIST = {"zh": "这项信息只有一个值", "en": "This fact has one value only"}
NOT_ONE = {"zh": "这项信息须为列表", "en": "This fact takes a list"}
CONFLICT = {
    "zh": "同一题在别处已改成别的答案，请选定一个",
    "en": "The same question was answered differently elsewhere: choose one of the two",
}

#: One save writes a handful of versions at most, and a phone names the last hundred.
OWN_LIMIT, SPAN = 100, 20

#: Where a value stands in a body: ("answers", instrument, item), ("settings", instrument, setting), ("facts", fact), or
#: ("remarks", instrument, item).
Where = tuple[str, ...]


MARKS = {"answers": "item", "settings": "setting", "remarks": "remark"}


def place_of(key: str, book: Rulebook) -> Where | None:
    """The place that a name in `Visit.changed` stands for; none when it says nothing to today's rules."""
    if key.startswith("fact."):
        return ("facts", key.removeprefix("fact."))
    for part, mark in MARKS.items():
        instrument, found, name = key.partition(f".{mark}.")
        if found and instrument in book.instruments:
            return (part, instrument, name)
    return None


def stored(visit: Visit, where: Where) -> Any:
    """The value that stands there; none when there is none."""
    if where[0] == "facts":
        return visit.facts.get(where[1])
    found = visit.assessment(where[1])
    if found is None:
        return None
    if where[0] == "remarks":
        return stored_remark(found, where[2])
    return (found.answers if where[0] == "answers" else found.settings).get(where[2])


@dataclass
class Reading:
    """A body's values by place, and what is wrong with the others."""

    values: dict[Where, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def take(self, where: Where, given: Any, read: Callable[[], Any]) -> None:
        """One value, or its fault."""
        try:
            self.values[where] = read()
        except (Unreadable, BadRemark) as error:
            self.faults.append(fault(where, given, error.say))


def read(book: Rulebook, visit: Visit, body: Changes) -> Reading:
    """Every value of the body, read as the form's pages read it."""
    found = Reading()
    for name, items in body.answers.items():
        for id, given in items.items():
            found.take(("answers", name, id), given, lambda n=name, i=id, v=given: _item(book, visit, n, i, v))
    for name, settings in body.settings.items():
        for id, given in settings.items():
            found.take(("settings", name, id), given, lambda n=name, i=id, v=given: _setting(book, visit, n, i, v))
    for name, remarks in body.remarks.items():
        for id, note in remarks.items():
            found.take(("remarks", name, id), None, lambda n=name, i=id, v=note: _remark(book, visit, n, i, v))
    _either(visit, found)
    for id, given in body.facts.items():
        found.take(("facts", id), given, lambda i=id, v=given: _fact(book, i, v))
    return found


def _item(book: Rulebook, visit: Visit, name: str, id: str, given: Any) -> Any:
    instrument = book.instruments.get(name)
    if instrument is None or visit.assessment(name) is None:
        raise Unreadable(NO_INSTRUMENT)
    for dimension in instrument.dimensions:
        for item in dimension.items:
            if item.id == id:
                return read_item(instrument, item, posted(given)[0])
    raise Unreadable(NO_ITEM)


def _remark(book: Rulebook, visit: Visit, name: str, id: str, given: Note | None) -> dict[str, str]:
    assessment = visit.assessment(name)
    if name not in book.instruments or assessment is None:
        raise Unreadable(NO_INSTRUMENT)
    if all(item.id != id for dimension in book.instruments[name].dimensions for item in dimension.items):
        raise Unreadable(NO_ITEM)
    note = given or Note()
    form = {note_field(id): note.note, cannot_field(id): note.cannot}
    return read_remark(form, id, stored_remark(assessment, id))


def _either(visit: Visit, found: Reading) -> None:
    """An item has an answer, or a reason why it has none: the one that comes takes the other away; both are a fault."""
    for where in list(found.values):
        part, *path = where
        if part != "remarks" or not found.values[where]["cannot"]:
            continue
        answer = ("answers", *path)
        if found.values.get(answer) is not None:
            found.faults.append(fault(where, None, BOTH))
        elif stored(visit, answer) is not None:
            found.values[answer] = None


def _setting(book: Rulebook, visit: Visit, name: str, id: str, given: Any) -> Any:
    instrument = book.instruments.get(name)
    if instrument is None or visit.assessment(name) is None:
        raise Unreadable(NO_INSTRUMENT)
    for setting in open_choices(book, instrument):
        if setting.id == id:
            # A setting's own true and false are written as words of Python on the form.
            return read_setting(setting, str(given) if isinstance(given, bool) else posted(given)[0])
    raise Unreadable(NO_SETTING)


def _fact(book: Rulebook, id: str, given: Any) -> Any:
    fact: FactDefinition | None = book.facts.get(id)
    if fact is None or id in PERSON_PAGE or fact.derive or fact.grade_of or fact.code_of:
        raise Unreadable(NO_FACT)
    if given is None:
        return None
    if isinstance(given, list) != (fact.type == "codes"):
        raise Unreadable(NOT_ONE if fact.type == "codes" else NOT_A_LIST)
    return read_fact(fact, posted(given), book.places)


def apply(db: Session, visit: Visit, body: Changes) -> dict[str, Any]:
    """Write the changes into a draft; the answer's body.

    Raises:
        Refused: 422 with every value that is wrong, or 409 with every value that somebody else changed meanwhile.
            Nothing is written then.
    """
    known = services()
    book, cipher = known.rules, known.database.cipher
    reading = read(book, visit, body)
    if reading.faults:
        raise Refused(422, "invalid", BAD_BODY, faults=reading.faults)
    # A base ahead of the visit comes from before the database was put back: nothing is taken for seen then.
    base = body.base if body.base <= visit.version else 0
    mine = {version for first, last in body.own[-OWN_LIMIT:] for version in range(first, min(last, first + SPAN) + 1)}
    since = {
        place
        for key, version in visit.changed.items()
        if version > base and version not in mine and (place := place_of(key, book)) is not None
    }
    conflicts = [w for w, value in reading.values.items() if w in since and stored(visit, w) != value]
    if conflicts:
        raise Refused(
            409,
            "conflict",
            CONFLICT,
            version=visit.version,
            conflicts=[_both(book, visit, where, reading.values[where]) for where in conflicts],
            theirs=values_at(visit, since - set(reading.values)),
        )
    changed = {w: value for w, value in reading.values.items() if stored(visit, w) != value}
    _write(db, visit, changed)
    now = visits.get_visit(db, cipher, visit.id)
    return {
        "visit": str(now.id),
        "version": now.version,
        "status": now.status,
        "wrote": [visit.version + 1, now.version] if now.version > visit.version else None,
        "changed": len(changed),
        "saved": values_at(now, set(reading.values)),
        "theirs": values_at(now, since - set(reading.values)),
        "sheets": [sheet_json(s) for s in sheets(book, now)],
    }


def _write(db: Session, visit: Visit, changed: Mapping[Where, Any]) -> None:
    known = services()
    for part, save in (("answers", visits.save_answers), ("settings", visits.save_settings)):
        for instrument in dict.fromkeys(where[1] for where in changed if where[0] == part):
            save(db, visit.id, instrument, {w[2]: v for w, v in changed.items() if w[:2] == (part, instrument)})
    for instrument in dict.fromkeys(where[1] for where in changed if where[0] in ("answers", "remarks")):
        remarks = _remarks(visit, instrument, changed)
        if remarks:
            visits.save_remarks(db, known.database.cipher, visit.id, instrument, remarks)
    facts = {where[1]: value for where, value in changed.items() if where[0] == "facts"}
    if facts:
        private = private_facts(known.rules)
        visits.save_facts(db, known.database.cipher, visit.id, facts, private=private)


def _remarks(visit: Visit, instrument: str, changed: Mapping[Where, Any]) -> dict[str, Any]:
    """The remarks to write: those that came, and those whose reason gives way to an answer."""
    found = {w[2]: value for w, value in changed.items() if w[:2] == ("remarks", instrument)}
    assessment = visit.assessment(instrument)
    for where, value in changed.items():
        if where[:2] == ("answers", instrument) and value is not None and assessment and where[2] not in found:
            old = assessment.remarks.get(where[2], {})
            if old.get("cannot"):
                found[where[2]] = {**old, "cannot": ""}
    return found


# -- telling -----------------------------------------------------------------------------------------------


def values_at(visit: Visit, places: set[Where]) -> dict[str, Any]:
    """The stored values of some places, shaped like a body; null where there is none."""
    found: dict[str, Any] = {"answers": {}, "settings": {}, "facts": {}, "remarks": {}}
    for where in sorted(places):
        inner = found[where[0]] if where[0] == "facts" else found[where[0]].setdefault(where[1], {})
        inner[where[-1]] = stored(visit, where)
    return found


def sheet_json(sheet: Sheet) -> dict[str, Any]:
    """How far an assessment is, and what the server makes of it."""
    result = sheet.result
    return {
        "instrument": sheet.instrument.id,
        "answered": sheet.answered,
        "total": sheet.total,
        "complete": sheet.complete,
        "grade": result["grade"],
        "bounds": result.get("bounds"),
        "scores": result["scores"],
        "warnings": [{k: w[k] for k in ("id", "items", "say", "severity") if k in w} for w in sheet.warnings],
    }


def _both(book: Rulebook, visit: Visit, where: Where, mine: Any) -> dict[str, Any]:
    theirs = stored(visit, where)
    name, say = _words(book, where)
    return {
        "where": list(where),
        "name": dict(name),
        "mine": mine,
        "theirs": theirs,
        "mine_say": dict(say(mine)),
        "theirs_say": dict(say(theirs)),
    }


OPEN = {"zh": "未答", "en": "not answered"}


def _words(book: Rulebook, where: Where) -> tuple[Words, Callable[[Any], Words]]:
    """The question's name, and how its values are said."""
    if where[0] == "facts":
        fact = book.facts[where[1]]
        return fact.ask or fact.name, lambda value: _said_fact(fact, value)
    instrument = book.instruments[where[1]]
    if where[0] == "settings":
        setting = next(s for s in instrument.settings if s.id == where[2])
        return setting.say, lambda v: OPEN if v is None else setting.names.get(str(v)) or _plain(v)
    item = next(i for d in instrument.dimensions for i in d.items if i.id == where[2])
    if where[0] == "remarks":
        return item.name, _said_remark
    options = instrument.ladders[item.ladder] if item.ladder else item.options
    said = {str(option.answer): option.say for option in options}
    return item.name, lambda v: OPEN if v is None else said.get(str(v)) or _plain(v)


def _said_fact(fact: FactDefinition, value: Any) -> Words:
    if value is None:
        return OPEN
    if isinstance(value, bool):
        return {"zh": "是", "en": "Yes"} if value else {"zh": "否", "en": "No"}
    if isinstance(value, list):
        return (
            _joined([fact.codes[code].name for code in value]) if value else {"zh": "以上都没有", "en": "None of these"}
        )
    return fact.codes[value].name if value in fact.codes else _plain(value)


def _said_remark(value: Mapping[str, str]) -> Words:
    parts = [cannot_words(value["cannot"])] if value["cannot"] else []
    return _joined([*parts, *([_plain(value["note"])] if value["note"] else [])]) if any(value.values()) else OPEN


def _joined(parts: Sequence[Words]) -> Words:
    return {"zh": "、".join(p["zh"] for p in parts), "en": ", ".join(p["en"] for p in parts)}


def _plain(value: Any) -> Words:
    return {"zh": str(value), "en": str(value)}
