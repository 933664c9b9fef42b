"""Rulebooks of deployments that settled what only a deployment may settle (``settings.yaml``): licences, releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from yyassess.rulebook.book import Rulebook


def deployed(book: Rulebook, id: str, settings: Mapping[str, Any]) -> Rulebook:
    """The rulebook of a deployment that made these choices, where only a deployment may make them.

    Args:
        book: a rulebook.
        id: the id of an instrument.
        settings: choices of the instrument's open points; those an assessment may make are left to it.
    """
    own = {s.id: settings[s.id] for s in book.instruments[id].settings if s.deployment and s.id in settings}
    return settled(book, id, own)


def settled(book: Rulebook, id: str, settings: Mapping[str, Any]) -> Rulebook:
    """The rulebook of a deployment that chose this for an instrument, whether or not an assessment could."""
    if not settings:
        return book
    kept: dict[tuple[Any, ...], Rulebook] = book.__dict__.setdefault("_deployed", {})
    key = (id, *sorted(settings.items()))
    if key not in kept:
        kept[key] = replace(book, settings={**book.settings, id: {**book.settings.get(id, {}), **settings}})
    return kept[key]


def licensed(book: Rulebook, id: str) -> Rulebook:
    """The rulebook of a deployment that has recorded the licence an instrument waits for; any other as it is.

    Rules are proved and tested in it: whoever records the licence later relies on them.
    """
    switch = book.instruments[id].licence.switch
    return deployed(book, id, {switch: True}) if switch else book
