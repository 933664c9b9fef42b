"""Identifying data as everybody may see them: enough to recognise somebody, too little to find them."""

from __future__ import annotations

import datetime as dt

from webapp.people.citizen_id import masked


def masked_name(name: str) -> str:
    """The first character, and always two stars: not even the length of a name is told."""
    return f"{name[:1]}**"


def masked_number(number: str | None) -> str | None:
    """The identity number without the birth date in it."""
    return masked(number) if number else None


def masked_birth(birth: dt.date) -> str:
    """The year."""
    return str(birth.year)
