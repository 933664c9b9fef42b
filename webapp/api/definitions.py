"""The rules of a place for a phone without a network: one file to grade by, one to draw the questions from."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from flask import url_for

from webapp.i18n import HANT, chosen_language, in_traditional
from webapp.storage import Visit
from webapp.visits.casework import open_choices
from webapp.visits.pages import Group, pages_of
from webapp.visits.questions import Question, fact_question, item_question, setting_question
from webapp.visits.reasons import CANNOT
from yyassess import Rulebook
from yyassess.exchange.phone import phone_file, phone_instruments
from yyassess.rulebook.instrument import Instrument, Item

KINDS = ("rules", "form")
#: The shape of the file of questions; the phone refuses another.
FORM = 1
#: Files of so many places and days are kept ready in each process; one is some 200 kB.
READY = 48


@lru_cache(maxsize=READY)
def definition(
    book: Rulebook, kind: str, place: str, on: dt.date, more: tuple[str, ...] = (), hant: bool = False
) -> tuple[bytes, str]:
    """A file as UTF-8 JSON, always the same bytes for the same rules, and the first 16 places of its SHA-256.

    Args:
        book: the rules.
        kind: ``rules``, what ``static/evaluator`` reads, or ``form``, the questions as the form's pages ask them.
        place: a place's id.
        on: the day of the visit.
        more: ids of instruments beside those that every phone of the place has.
        hant: with its Chinese in traditional characters; what it decides stays the same.

    Raises:
        UnknownName: no such place or instrument.
    """
    ids = tuple(dict.fromkeys([*phone_instruments(book, place, on), *more]))
    content = phone_file(book, place, on, ids)[0] if kind == "rules" else _written(_questions(book, place, ids))
    if hant:
        content = _written(in_traditional(json.loads(content)))
    return content, hashlib.sha256(content).hexdigest()[:16]


def _written(found: Any) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _questions(book: Rulebook, place: str, ids: Sequence[str]) -> dict[str, Any]:
    return {
        "form": FORM,
        "place": book.place(place).id,
        "bundle": [id for id in book.bundle(place) if id in ids],
        "places": [{"id": p.id, "name": p.name} for p in book.places.values()],
        "reasons": [{"value": code, "say": say} for code, say in CANNOT.items()],
        "instruments": {id: instrument_form(book, id) for id in ids},
    }


def addresses(book: Rulebook, place: str, on: dt.date, instruments: tuple[str, ...] = ()) -> dict[str, str] | None:
    """Where a phone fetches both files; an address names its content and never changes it. None for a lost place."""
    if place not in book.places:
        return None
    have = phone_instruments(book, place, on)
    more = tuple(sorted(id for id in instruments if id not in have and id in book.instruments))
    hant = chosen_language() == HANT
    return {
        kind: url_for(
            "api.definitions",
            kind=kind,
            place=place,
            day=on.isoformat(),
            **({"with": ",".join(more)} if more else {}),
            **({"lang": HANT} if hant else {}),
            v=definition(book, kind, place, on, more, hant)[1],
        )
        for kind in KINDS
    }


def instrument_form(book: Rulebook, id: str) -> dict[str, Any]:
    """One instrument as its pages ask it: dimensions with items, settings, and groups of facts, all as JSON."""
    instrument = book.instrument(id)
    # The pages of a visit with this instrument alone; the phone asks a fact only once where two instruments read it.
    alone = SimpleNamespace(id=None, assessments=(SimpleNamespace(instrument=id),))
    pages = pages_of(book, cast(Visit, alone))
    groups = [group for page in pages for group in page.groups]
    licence = instrument.licence
    return _lean(
        {
            "id": id,
            "name": instrument.name,
            "short": instrument.short,
            "kind": instrument.kind,
            "notice": licence.say if licence.items == "withheld" else None,
            "pages": [
                _lean(
                    {
                        "id": dimension.id,
                        "code": dimension.code,
                        "name": dimension.name,
                        "questions": [_item(instrument, item) for item in dimension.items],
                    }
                )
                for dimension in instrument.dimensions
            ],
            "settings": [_question(setting_question(s, {}), s.choices) for s in open_choices(book, instrument)],
            "groups": [_group(book, group) for group in groups],
        }
    )


def _item(instrument: Instrument, item: Item) -> dict[str, Any]:
    options = instrument.ladders[item.ladder] if item.ladder else item.options
    return _question(item_question(instrument, item, {}), [option.answer for option in options])


def _group(book: Rulebook, group: Group) -> dict[str, Any]:
    places = {p.id: p.name for p in book.places.values()}
    asked = [
        fact_question(
            name,
            book.facts[name],
            {},
            code=code,
            optional=not group.main,
            places=places if book.facts[name].type == "place" else None,
        )
        for name, code in group.facts
    ]
    questions = [_question(q, type=book.facts[q.name.removeprefix("fact.")].type) for q in asked]
    return _lean({"id": group.id, "name": group.name, "code": group.code, "main": group.main, "questions": questions})


def _question(question: Question, values: Sequence[Any] = (), **more: Any) -> dict[str, Any]:
    """A question as JSON; ``values`` are the answers that its choices stand for, where those are not texts."""
    found = asdict(question) | more
    for empty in ("value", "answered", "error", "warnings", "applicable"):
        found.pop(empty, None)
    found["choices"] = [_lean({"value": c.value, "say": c.say, "score": c.score}) for c in question.choices]
    for choice, value in zip(found["choices"], values, strict=False):
        if not isinstance(value, str):
            choice["typed"] = _plain(value)
    return _lean(found)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _lean(found: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in found.items() if v is not None and v is not False and v != () and v != []}
