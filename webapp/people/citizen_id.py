"""Citizen identity numbers (公民身份号码, GB 11643-1999): checked, read, masked.

The first six digits name the county of first registration. They are no test: half the county codes of the
1980s are gone, and residence permits use codes of their own.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
EARLIEST = dt.date(1900, 1, 1)

Fault = Literal["length", "characters", "date", "future", "check"]


class BadCitizenId(ValueError):
    """A number that cannot be right; ``fault`` says which test it failed."""

    def __init__(self, fault: Fault) -> None:
        self.fault: Fault = fault
        super().__init__(fault)


@dataclass(frozen=True)
class CitizenId:
    """A number that passed, and what it says."""

    number: str
    birth_date: dt.date
    sex: Literal["male", "female"]


def read_citizen_id(given: str, on: dt.date) -> CitizenId:
    """The number in its normal form, with birth date and sex.

    Args:
        given: as typed; full-width digits, spaces and a small ``x`` are fine.
        on: the day of the visit; nobody is born after it.

    Raises:
        BadCitizenId: naming the first test that failed.
    """
    number = "".join(unicodedata.normalize("NFKC", given).split()).upper()
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        raise BadCitizenId("length" if len(number) != 18 else "characters")
    try:
        birth = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise BadCitizenId("date") from None
    if birth < EARLIEST:
        raise BadCitizenId("date")
    if birth > on:
        raise BadCitizenId("future")
    if check_digit(number[:17]) != number[17]:
        raise BadCitizenId("check")
    return CitizenId(number, birth, "male" if int(number[16]) % 2 else "female")


def check_digit(body: str) -> str:
    """The last place for the first seventeen digits (MOD 11-2)."""
    return CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


def masked(number: str) -> str:
    """The number as shown: birth date hidden, e.g. ``330901********1234``."""
    return f"{number[:6]}********{number[14:]}"


def age_on(birth: dt.date, day: dt.date) -> int:
    """Whole years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
