"""What the storage functions hand out: plain, opened, unchangeable; no page ever touches a table row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Person:
    """A person, with identity data in the clear."""

    id: UUID
    name: str = field(repr=False)
    citizen_id: str | None = field(repr=False)
    birth_date: dt.date = field(repr=False)
    sex: str
    demo: bool = False


@dataclass(frozen=True)
class Assessment:
    """One instrument of a visit."""

    id: UUID
    instrument: str
    answers: Mapping[str, Any]
    settings: Mapping[str, Any]
    result: Mapping[str, Any] | None = field(default=None, repr=False)
    ruleset_hash: str | None = None


@dataclass(frozen=True)
class Visit:
    """A visit with its person, facts and assessments."""

    id: UUID
    person: Person
    place: str
    visited_on: dt.date
    status: str
    facts: Mapping[str, Any] = field(repr=False)
    """All facts, identifying ones and free text included."""
    note: str = field(repr=False)
    assessments: tuple[Assessment, ...]
    determination: Mapping[str, Any] | None = field(repr=False)
    ruleset_hash: str | None
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    finished_at: dt.datetime | None

    @property
    def done(self) -> bool:
        """Finished: nothing can be changed any more."""
        return self.status == DONE

    def assessment(self, instrument: str) -> Assessment | None:
        """The assessment by that instrument, if the visit has one."""
        return next((a for a in self.assessments if a.instrument == instrument), None)


DRAFT, DONE = "draft", "done"
