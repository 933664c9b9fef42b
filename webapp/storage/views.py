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
    remarks: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Item -> its ``note``, and ``cannot``, the reason why it could not be assessed."""
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
    organisation: UUID
    number: str
    assessor: UUID | None = None
    """The main assessor."""
    second: UUID | None = None
    """The second assessor."""
    previous: UUID | None = None
    """The visit this one repeats or disputes."""
    occasion: str = "first"
    """first, regular, change or dispute."""
    reason: str = field(default="", repr=False)
    """Why it was made, in the assessor's words."""
    salt: str = field(default="", repr=False)
    """Random; part of what is signed, so that nobody can guess sealed content from its hash."""
    from_paper: bool = False
    review: str = "none"
    """none, waiting, approved or returned."""
    changed: Mapping[str, int] = field(default_factory=dict, repr=False)
    """Answer, fact or setting -> the version that last changed it."""

    @property
    def done(self) -> bool:
        """Finished: nothing can be changed any more."""
        return self.status == DONE

    @property
    def to_sign(self) -> bool:
        """Complete, and waiting for signatures."""
        return self.status == TO_SIGN

    def may_edit(self, account: UUID) -> bool:
        """Whether that account is one of the visit's two assessors."""
        return account in (self.assessor, self.second)

    def assessment(self, instrument: str) -> Assessment | None:
        """The assessment by that instrument, if the visit has one."""
        return next((a for a in self.assessments if a.instrument == instrument), None)


#: A draft can be edited; one to be signed, too, but that voids its signatures; a done visit cannot.
DRAFT, TO_SIGN, DONE = "draft", "to_sign", "done"
