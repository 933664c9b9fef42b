"""The bodies that phones send, as models. A key that is not known is refused: a misspelt one would lose answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic import ValidationError as BodyError

from webapp.people.wordings import WORDINGS
from webapp.visits.questions import TEXT_LIMIT

NAME_LIMIT = 200
ENTRIES_LIMIT = 500


def _whole(given: Any) -> Any:
    """JSON from other languages writes 4 as 4.0."""
    if isinstance(given, float) and given.is_integer() and abs(given) < 2**53:
        return int(given)
    return given


Value = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr | None, BeforeValidator(_whole)]
Code = Annotated[StrictStr, Field(max_length=NAME_LIMIT)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=NAME_LIMIT)]
Named = Annotated[dict[Name, Value], Field(max_length=ENTRIES_LIMIT)]
Whole = Annotated[StrictInt, BeforeValidator(_whole), Field(ge=0, le=2**53)]


class Body(BaseModel):
    """What all bodies share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Note(Body):
    """What was noted to an item, and why it could not be assessed."""

    note: Annotated[StrictStr, Field(max_length=TEXT_LIMIT * 2)] = ""
    cannot: Code = ""


class Changes(Body):
    """Answers, facts and settings that were changed; a null takes one back."""

    op: UUID
    """Names this change, and is its idempotency key."""
    base: Whole = 0
    """The version of the visit that the assessor had before her."""
    own: Annotated[list[Annotated[list[Whole], Field(min_length=2, max_length=2)]], Field(max_length=100)] = []
    """First and last of the versions that this phone itself has written since: no conflict with those."""
    answers: Annotated[dict[Name, Named], Field(max_length=50)] = {}
    """Instrument -> item -> score, option or number."""
    settings: Annotated[dict[Name, Named], Field(max_length=50)] = {}
    facts: Annotated[dict[Name, Value | list[Code]], Field(max_length=ENTRIES_LIMIT)] = {}
    """Fact -> value; a list for facts with several codes, empty for "none of these"."""
    remarks: Annotated[
        dict[Name, Annotated[dict[Name, Note | None], Field(max_length=ENTRIES_LIMIT)]], Field(max_length=50)
    ] = {}
    """Instrument -> item -> note and reason."""
    provisional: dict[str, Any] = {}
    """What the phone made of the answers. Never used: the server scores again, and its result holds."""
    made_at: Annotated[StrictStr, Field(max_length=40)] | None = None
    """What the phone's clock said; never relied on."""
    from_paper: StrictBool | None = None


class Consents(Body):
    """What was answered at the bedside when the person was asked to agree."""

    wording: Name
    """The version of the texts that were read out."""
    by: Literal["self", "guardian", "relative"]
    by_name: Annotated[StrictStr, Field(max_length=60)] = ""
    given: dict[Literal["assessment", "insurer", "photo", "position"], StrictBool]

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.wording not in WORDINGS:
            raise ValueError("no such wording")
        if self.by != "self" and not self.by_name.strip():
            raise ValueError("the name of whoever answered is missing")
        return self


class NewVisit(Body):
    """A visit that was begun on a phone; the fields of the person page, as typed."""

    op: UUID
    visit: UUID
    name: Annotated[StrictStr, Field(max_length=NAME_LIMIT)]
    citizen_id: Annotated[StrictStr, Field(max_length=NAME_LIMIT)] = ""
    birth_date: Annotated[StrictStr, Field(max_length=40)] = ""
    sex: Annotated[StrictStr, Field(max_length=40)] = ""
    place: Annotated[StrictStr, Field(max_length=NAME_LIMIT)]
    visited_on: Annotated[StrictStr, Field(max_length=40)]
    instruments: Annotated[list[Name], Field(min_length=1, max_length=50)]
    consents: Consents | None = None
    made_at: Annotated[StrictStr, Field(max_length=40)] | None = None
    from_paper: StrictBool = False


def posted(value: Any) -> list[str]:
    """A value in the words a form would post, for the same readers."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, float):
        return [format(Decimal(repr(value)), "f")]
    if isinstance(value, list):
        return value or ["-none-"]
    return ["" if value is None else str(value)]


__all__ = ["Body", "BodyError", "Changes", "NewVisit", "posted"]
