"""What templates call things: names of places, instruments, facts and steps, and masked numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext as _

from webapp.people.citizen_id import masked
from webapp.report.pictures import ring
from webapp.report.view import RANKED_KINDS
from yyassess import Rulebook

Words = Mapping[str, str]


def set_up(app: Flask, book: Rulebook) -> None:
    """Give the templates their words."""

    def plain(text: str) -> Words:
        return {"zh": text, "en": text}

    def place_name(id: str) -> Words:
        place = book.places.get(id)
        return place.name if place else plain(id)

    def instrument_name(id: str) -> Words:
        instrument = book.instruments.get(id)
        return instrument.short if instrument else plain(id)

    def fact_name(name: str) -> Words:
        fact = book.facts.get(name)
        return fact.name if fact else plain(name)

    def step_name(view: Any, step: str) -> Words:
        """The name of a step of a trace: an item, a sum, an adjustment, or the grade."""
        instrument = view.instrument
        if instrument is not None:
            for dimension in instrument.dimensions:
                for item in dimension.items:
                    if item.id == step:
                        return item.name
            for written in instrument.steps:
                if written.id == step:
                    return written.name
            if any(a.id == step for a in instrument.adjustments):
                return {"zh": "等级变更", "en": "Change of level"}
        return {"zh": "最终等级", "en": "Final level"} if step == "grade" else plain(step)

    def part_level(view: Any, level: int | None) -> Words | None:
        """The name of a level, for instruments with several results."""
        levels = view.instrument.levels if view.instrument else ()
        return next((found.name for found in levels if found.level == level), None)

    def ranked(id: str) -> bool:
        """People say "level 2" of that instrument."""
        return id not in book.instruments or book.instruments[id].kind in RANKED_KINDS

    def masked_number(number: str | None) -> str:
        """An identity number as every page shows it."""
        return masked(number) if number else _("no identity number")

    app.jinja_env.globals.update(
        place_name=place_name,
        instrument_name=instrument_name,
        fact_name=fact_name,
        step_name=step_name,
        part_level=part_level,
        masked=masked_number,
        ranked=ranked,
        ring=ring,
    )
