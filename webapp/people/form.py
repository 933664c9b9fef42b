"""The person page's fields: what was typed, read and checked, with one message beside each field that is wrong."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from webapp.people.citizen_id import EARLIEST, BadCitizenId, CitizenId, Fault, read_citizen_id

NAME_LIMIT = 60
FIELDS = ("name", "citizen_id", "birth_date", "sex", "place", "visited_on")


@dataclass(frozen=True)
class Person:
    """The page's fields, read."""

    name: str
    citizen_id: str | None
    birth_date: dt.date
    sex: str
    place: str
    visited_on: dt.date


@dataclass
class PersonForm:
    """What was typed, what is wrong with it, and the person if nothing is."""

    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    person: Person | None = None
    citizen: CitizenId | None = None
    """What the number says, when it is right."""


def read_person(posted: Mapping[str, Any], places: Mapping[str, Any], today: dt.date) -> PersonForm:
    """The person page as posted."""
    typed = {name: str(posted.get(name, "")).strip() for name in FIELDS}
    form = PersonForm(typed)
    name = " ".join(unicodedata.normalize("NFC", typed["name"]).split())
    if not name:
        form.errors["name"] = _("Enter the name")
    elif len(name) > NAME_LIMIT:
        form.errors["name"] = _("At most %(limit)s characters", limit=NAME_LIMIT)
    elif any(unicodedata.category(c) == "Cc" for c in name):
        form.errors["name"] = _("The name contains a character that cannot be printed")
    visited_on = _read_visit_day(form, today)
    if typed["place"] not in places:
        form.errors["place"] = _("Choose the place")
    _read_identity(form, visited_on or today)
    if not form.errors and visited_on is not None:
        birth = form.citizen.birth_date if form.citizen else dt.date.fromisoformat(typed["birth_date"])
        sex = form.citizen.sex if form.citizen else typed["sex"]
        number = form.citizen.number if form.citizen else None
        form.person = Person(name, number, birth, sex, typed["place"], visited_on)
    return form


def citizen_id_message(fault: Fault) -> str:
    """What is wrong with a number, and what to look at."""
    say: dict[Fault, str] = {
        "length": _("An identity number has 18 places. Check that none is missing or doubled."),
        "characters": _("Only digits, and X in the last place."),
        "date": _("Places 7 to 14 are the date of birth, and this date does not exist. Check the digits."),
        "future": _("The date of birth in the number lies after the day of the visit."),
        "check": _("A digit is wrong or two are swapped: the last place does not fit. Check the number."),
    }
    return say[fault]


def _read_visit_day(form: PersonForm, today: dt.date) -> dt.date | None:
    day = _day(form.typed["visited_on"])
    if day is None:
        form.errors["visited_on"] = _("Enter the day of the visit")
    elif day > today:
        form.errors["visited_on"] = _("The day of the visit lies in the future")
        return None
    elif day < EARLIEST:
        form.errors["visited_on"] = _("Check the year")
        return None
    return day


def _read_identity(form: PersonForm, on: dt.date) -> None:
    typed = form.typed
    if typed["citizen_id"]:
        try:
            form.citizen = read_citizen_id(typed["citizen_id"], on)
        except BadCitizenId as error:
            form.errors["citizen_id"] = citizen_id_message(error.fault)
        else:
            # The number decides; what stood in the two fields is replaced by what it says.
            typed["birth_date"], typed["sex"] = form.citizen.birth_date.isoformat(), form.citizen.sex
        return
    birth = _day(typed["birth_date"])
    if birth is None:
        form.errors["birth_date"] = _("Enter the date of birth, or the identity number")
    elif not EARLIEST <= birth <= on:
        form.errors["birth_date"] = _("The date of birth must lie between 1900 and the day of the visit")
    if typed["sex"] not in ("male", "female"):
        form.errors["sex"] = _("Choose the sex, or enter the identity number")


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
