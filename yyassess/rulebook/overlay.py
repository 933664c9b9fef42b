"""A what-if: a small file of changes laid over a rulebook before it is checked, so that it shares all the rest.

    id: mild-opened
    name: {zh: …, en: …}
    changes:
      - programme: national-consumption-subsidy     # or instrument: id; with place: where an id is in several places
        from: 2027-01-01                            # a new text from that day; without it the text itself changes
        set: {criteria: [{id: moderate-or-greater, when: gbt_grade BETWEEN 1 AND 4}]}

Under ``set`` mappings are merged, lists whose parts have an ``id`` are merged part by part (``drop: true`` removes one,
a new id is added), everything else is replaced. The changed rules are then checked like any others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from yyassess.conditions.parse import suggest
from yyassess.rulebook.basics import Kebab, Model, Words

if TYPE_CHECKING:
    from yyassess.rulebook.building import Parsed, Workshop


class Change(Model):
    """What is different in one programme or instrument."""

    programme: Kebab | None = None
    instrument: Kebab | None = None
    place: str | None = None
    start: dt.date | None = Field(default=None, alias="from")
    set: dict[str, Any] = Field(min_length=1)

    @model_validator(mode="after")
    def _one(self) -> Change:
        if (self.programme is None) == (self.instrument is None):
            raise ValueError("a change names exactly one programme or instrument")
        if self.instrument is not None and (self.start or self.place):
            raise ValueError("an instrument is changed as it is: `from` and `place` go with programmes")
        return self


class Overlay(Model):
    """A file of changes."""

    id: Kebab
    name: Words
    changes: tuple[Change, ...] = Field(min_length=1)
    note: Words | None = None


def merged(base: Any, change: Any) -> Any:
    """``base`` with a change laid over it."""
    if isinstance(base, dict) and isinstance(change, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}
    if _named(base) and _named(change):
        parts = {part["id"]: part for part in base}
        for part in change:
            if part.get("drop") is True:
                parts.pop(part["id"], None)
            else:
                parts[part["id"]] = merged(parts.get(part["id"]), part)
        return list(parts.values())
    return change


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(p, dict) and "id" in p for p in value)


def apply_overlays(shop: Workshop, parsed: Sequence[Parsed], overlays: Sequence[Parsed], homes: Any) -> None:
    """Change the raw data of programmes and instruments; what cannot be found is a fault of the overlay."""
    things: dict[tuple[str, Any], list[Parsed]] = {}
    for item in parsed:
        if item.file.role in ("programme", "instrument"):
            things.setdefault((item.file.role, item.data.get("id")), []).append(item)
    for overlay in overlays:
        made = shop.validate(Overlay, overlay, overlay.data)
        for number, change in enumerate(made.changes if made else ()):
            role, id = ("programme", change.programme) if change.programme else ("instrument", change.instrument)
            found = things.get((role, id), [])
            if change.place is not None:
                found = [p for p in found if homes(p) == change.place]
            if len(found) == 1:
                _change(found[0], change)
                continue
            if not found:
                known = [str(k) for r, k in things if r == role]
                message = f"unknown {role} {id!r}{suggest(str(id), known)}"
            else:
                places = ", ".join(sorted(str(homes(p)) for p in found))
                message = f"the {role} {id!r} is in several places ({places}): say which, with place:"
            shop.error(overlay, ("changes", number), message)


def _change(item: Parsed, change: Change) -> None:
    data = item.data
    # Worked examples are about the text as it is.
    data.pop("examples", None)
    versions = data.get("versions")
    versions = [v for v in versions if isinstance(v, dict)] if isinstance(versions, list) else []
    if change.start is None:
        for version in versions:
            version.update({k: merged(version[k], v) for k, v in change.set.items() if k in version})
        data.update({k: merged(data.get(k), v) for k, v in change.set.items()})
        return
    first = {k: v for k, v in data.items() if k != "versions"}
    texts = [first, *({**first, **version} for version in versions)]
    before = [t for t in texts if _start(t) is None or _start(t) <= change.start]
    text = max(before, key=lambda t: _start(t) or dt.date.min) if before else first
    later = {k: v for k, v in merged(text, change.set).items() if k not in ("id", "known_from")}
    end = (text.get("in_force") or {}).get("to")
    later["in_force"] = {"from": change.start, **({"to": end} if end else {})}
    data["versions"] = [*versions, later]


def _start(text: Any) -> Any:
    period = text.get("in_force")
    return period.get("from") if isinstance(period, dict) else None
