"""The small types every rule file uses: texts in two languages, evidence marks, sources, periods.

All models are immutable and refuse unknown keys, so that a misspelt key never passes in silence.
"""

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints, model_validator

Mark = Literal["verified", "single", "recall", "decision", "unknown"]

#: Weakest last. A computed result carries the weakest mark of what it used.
MARKS: tuple[Mark, ...] = ("verified", "single", "decision", "recall", "unknown")

Ident = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
CodeId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Kebab = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
DottedIdent = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]


def _as_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("a number is written in digits, without quotes")
    return value


def _as_day(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError("is not a day that exists") from None
    if not isinstance(value, dt.date):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


# ``true`` is no number, ``"12"`` is text, ``yes`` is a word, 2020 is no day: nothing is bent until it fits.
Whole = Annotated[int, Strict()]
YesNo = Annotated[bool, Strict()]
Exact = Annotated[Decimal, BeforeValidator(_as_number)]
Number = Annotated[int | Decimal, BeforeValidator(_as_number)]
Day = Annotated[dt.date, BeforeValidator(_as_day)]


class Model(BaseModel):
    """Base of every rule model: frozen, strict about keys, short in memory."""

    # Validators are built when a file is first validated: rules from the cache never are, and start twice as quickly.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True, defer_build=True)


class Frozen(dict[str, Any]):
    """A JSON object that cannot be changed, because results share it."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("this part of a result is shared with the rules and cannot be changed")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> Any:
        return (type(self), (dict(self),))

    def __deepcopy__(self, _: Any) -> Any:
        return self


class Text(Frozen):
    """A text in Chinese and English: ``{"zh": …, "en": …}``."""

    __slots__ = ()


def _as_text(value: Any) -> Any:
    if isinstance(value, Text):
        return value
    if not isinstance(value, dict):
        raise ValueError("write a text in both languages: {zh: …, en: …}")
    unknown = sorted(set(value) - {"zh", "en"})
    if unknown:
        raise ValueError(f"a text has the keys zh and en only, not {', '.join(map(str, unknown))}")
    for language in ("zh", "en"):
        if not isinstance(value.get(language), str) or not value[language].strip():
            raise ValueError(f"the text lacks its {language} wording")
    return Text(value)


#: A text in both languages; both are required.
Words = Annotated[Any, BeforeValidator(_as_text)]


class Evidence(Model):
    """How sure the project is of a figure, in the words of the fact sheets."""

    mark: Mark
    words: str | None = None
    """The source in words, e.g. "official page"; shown beside a ``single`` mark."""
    confidence: Literal["high", "mid"] | None = None
    """For ``recall`` only; low confidence is never encoded."""
    decision: str | None = None
    """The decision taken where the source leaves a point open."""
    checked: Day | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"mark": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_how_well_recalled(self) -> Self:
        if (self.mark == "recall") != (self.confidence is not None):
            raise ValueError("confidence (high or mid) goes with the mark recall, and only with it")
        return self

    @property
    def unconfirmed(self) -> bool:
        """True when every result that used it must say 未核对."""
        return self.mark in ("recall", "unknown")


def weakest(marks: Any) -> Mark:
    """The weakest of some marks (``verified`` when there are none)."""
    return max(marks, key=MARKS.index, default="verified")


class SourceRef(Model):
    """A pointer into a document of ``sources.yaml``."""

    document: str
    clause: str | None = None


class Period(Model):
    """From one day to another, both included; open where a day is missing."""

    start: Day | None = Field(default=None, alias="from")
    end: Day | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"the period ends ({self.end}) before it starts ({self.start})")
        return self

    def holds(self, day: dt.date) -> bool:
        """Whether ``day`` lies inside."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


class Document(Model):
    """A document cited by rules."""

    title: Words
    number: str | None = None
    issuer: Words | None = None
    date: Day | None = None
    in_force: Period | None = None
    evidence: Evidence
    link: str | None = None
    note: Words | None = None
