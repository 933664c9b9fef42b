"""The vocabulary: every fact a rule may ask about, with its type, range, names and question."""

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from yyassess.conditions.parse import Name, Type
from yyassess.rulebook.basics import CodeId, Model, Text, Whole, Words, YesNo

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Code(Model):
    """One answer of a code fact; ``number`` is what it counts where codes stand for counts."""

    name: Words
    number: Whole | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, dict) and set(value) <= {"zh", "en"}:
            return {"name": value}
        if isinstance(value, dict) and "zh" in value:
            number = {"number": value["number"]} if "number" in value else {}
            rest = {k: v for k, v in value.items() if k not in ("zh", "en", "number")}
            return {"name": {k: value[k] for k in ("zh", "en") if k in value}, **number, **rest}
        return value


class FactDefinition(Model):
    """A fact of the vocabulary."""

    type: Type
    name: Words
    ask: Words | None = None
    """The question as put to a person; the name serves where it is missing."""
    help: Words | None = None
    unit: Words | None = None
    range: tuple[Whole, Whole] | None = None
    codes: dict[CodeId, Code] = Field(default_factory=dict)
    derive: str | None = None
    """A value expression over other facts and ``on_day`` (the day asked about)."""
    grade_of: str | None = None
    """The instrument whose level this fact is."""
    code_of: str | None = None
    """The instrument whose result code this fact is."""
    pathway: str | None = None
    """The screening pathway whose graded result this fact is."""
    decimals: Whole = Field(default=0, ge=0, le=6)
    can_change: YesNo = False
    """True when the fact changes with time or effort, so that "two more months" makes sense."""
    person: YesNo = False
    """True for facts given under ``person``."""
    personal: YesNo = False
    """True for identifying data that results and logs never repeat."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type in ("code", "codes")) != bool(self.codes) and not self.code_of:
            raise ValueError(f"a fact of type {self.type} {'needs' if not self.codes else 'has no'} codes")
        if self.range and self.type not in ("integer", "decimal"):
            raise ValueError(f"a fact of type {self.type} has no range")
        if self.grade_of and self.type != "integer":
            raise ValueError("a grade is a level, so grade_of needs the type integer")
        if self.code_of and self.type != "code":
            raise ValueError("code_of needs the type code")
        if self.range and self.range[0] > self.range[1]:
            raise ValueError(f"the range {list(self.range)} is upside down")
        if self.type in ("integer", "decimal") and not self.range and not self.grade_of:
            raise ValueError(f"a fact of type {self.type} needs a range: [lowest, highest]")
        return self

    @field_validator("codes", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"the code {key!r} is not text; put it in quotes")
        return value

    @property
    def as_name(self) -> Name:
        """What the condition parser needs to know."""
        return Name(self.type, tuple(self.codes))

    def allowed(self) -> Any:
        """What may be given, for error messages."""
        if self.codes:
            return list(self.codes)
        if self.type == "boolean":
            return [True, False]
        if self.range:
            return {"from": self.range[0], "to": self.range[1]}
        return {"date": "YYYY-MM-DD", "text": "text", "place": "id of a place"}.get(self.type, self.type)

    def read(self, given: Any) -> Any:
        """A JSON value as the value of this fact; ``None`` stays ``None`` (not known).

        Raises:
            ValueError: the value is of another type, out of range or not one of the codes.
        """
        if given is None:
            return None
        reader = {
            "boolean": _read_boolean,
            "integer": self._read_integer,
            "decimal": self._read_decimal,
            "code": self._read_code,
            "codes": self._read_codes,
            "date": _read_date,
            "text": _read_text,
            "place": _read_text,
        }[self.type]
        return reader(given)

    def _read_integer(self, given: Any) -> int:
        number = _read_number(given)
        if number != number.to_integral_value():
            raise ValueError("not a whole number")
        self._in_range(number)
        return int(number)

    def _read_decimal(self, given: Any) -> Decimal:
        number = _read_number(given)
        if -number.as_tuple().exponent > self.decimals:  # type: ignore[operator]
            raise ValueError(f"at most {self.decimals} decimals")
        self._in_range(number)
        return number

    def _in_range(self, number: Decimal) -> None:
        if self.range and not self.range[0] <= number <= self.range[1]:
            raise ValueError(f"outside {self.range[0]} to {self.range[1]}")

    def _read_code(self, given: Any) -> str:
        if not isinstance(given, str):
            raise ValueError("not a code (text)")
        if given not in self.codes:
            raise ValueError("not one of the codes")
        return given

    def _read_codes(self, given: Any) -> frozenset[str]:
        if not isinstance(given, (list, tuple, set, frozenset)):
            raise ValueError("not a list of codes")
        return frozenset(self._read_code(code) for code in given)


def _read_boolean(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("not true or false")
    return given


def _read_number(given: Any) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, (int, float, Decimal)):
        raise ValueError("not a number")
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("not a finite number")
    number = Decimal(str(given)) if isinstance(given, float) else Decimal(given)
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number.normalize() if number.as_tuple().exponent else number


def _read_date(given: Any) -> dt.date:
    if isinstance(given, dt.date) and not isinstance(given, dt.datetime):
        return given
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("not a day (YYYY-MM-DD)")
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise ValueError("not a day that exists (YYYY-MM-DD)") from None


def _read_text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("not text")
    if len(given) > 2000:
        raise ValueError("longer than 2000 characters")
    return given


def read_date(given: Any) -> dt.date:
    """A day from JSON.

    Raises:
        ValueError: not text in the form YYYY-MM-DD, or a day that does not exist.
    """
    return _read_date(given)


__all__ = ["Code", "FactDefinition", "Text", "read_date"]
