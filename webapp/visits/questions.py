"""Items, facts and settings as questions a page can show, and posted text as answers. Pure data in, pure data out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from yyassess.rulebook.instrument import Instrument, Item, Setting
from yyassess.rulebook.vocabulary import FactDefinition

Words = Mapping[str, str]
Kind = Literal["choice", "select", "number", "many", "text", "long", "date"]

#: The value of the box "none of these" where the vocabulary has no code of its own for it.
NONE_OF_THESE = "-none-"
#: The value of the button that takes an answer back.
NOT_ANSWERED = ""
KINDS: Mapping[str, Kind] = {
    "boolean": "choice",
    "code": "choice",
    "codes": "many",
    "place": "select",
    "integer": "number",
    "decimal": "number",
    "date": "date",
    "text": "text",
}
LONG_TEXTS = frozenset({"medications", "other_health"})
TEXT_LIMIT = 2000

YES, NO = {"zh": "是", "en": "Yes"}, {"zh": "否", "en": "No"}
NONE = {"zh": "以上都没有", "en": "None of these"}
UNSAID = {"zh": "暂不填写", "en": "Leave open"}

NOT_AN_OPTION = {"zh": "请从列出的选项中选一项", "en": "Choose one of the options listed"}
NOT_A_NUMBER = {"zh": "请填数字", "en": "Enter a number"}
NOT_A_DAY = {"zh": "请填有效日期", "en": "Enter a valid date"}
TOO_LONG = {"zh": f"最多 {TEXT_LIMIT} 字", "en": f"At most {TEXT_LIMIT} characters"}
UNCONFIRMED = {"zh": "本题的分值未核对", "en": "The scores of this item are unconfirmed"}
NONE_AND_MORE = {"zh": "选了“没有”，就不能再选其他项", "en": "“None” cannot be ticked together with others"}


@dataclass(frozen=True)
class Choice:
    """One answer that can be chosen."""

    value: str
    say: Words
    chosen: bool
    score: str | None = None


@dataclass(frozen=True)
class Question:
    """One question of a page."""

    kind: Kind
    name: str
    """The name of the form field."""
    anchor: str
    title: Words
    code: str | None = None
    hint: Words | None = None
    unit: Words | None = None
    choices: tuple[Choice, ...] = ()
    value: str = ""
    low: str | None = None
    high: str | None = None
    optional: bool = False
    applicable: bool = True
    counted: bool = False
    """Counts towards the progress shown."""
    answered: bool = False
    note: Words | None = None
    error: Words | None = None
    warnings: tuple[Words, ...] = ()


class Unreadable(ValueError):
    """Posted text that is no answer; ``say`` tells the person why."""

    def __init__(self, say: Words) -> None:
        self.say = say
        super().__init__(say["en"])


# -- items of an instrument --------------------------------------------------------------------------------


def item_field(item: str) -> str:
    """The form field of an item."""
    return f"item.{item}"


def item_question(
    instrument: Instrument,
    item: Item,
    answers: Mapping[str, Any],
    *,
    posted: str | None = None,
    error: Words | None = None,
    inapplicable: Collection[str] = (),
    warnings: Sequence[Words] = (),
    treated: bool = False,
) -> Question:
    """An item as a question, with the stored answer, or with what was posted when that was wrong.

    An item that could not be assessed is ``treated``: it counts as done without an answer.
    """
    given = answers.get(item.id)
    shown = posted if posted is not None else "" if given is None else str(given)
    options = instrument.ladders[item.ladder] if item.ladder else item.options
    choices = tuple(
        Choice(str(o.answer), o.say, str(o.answer) == shown, _score(o.score) if o.score is not None else None)
        for o in options
    )
    evidence = item.evidence or instrument.evidence
    low, high = (str(item.range[0]), str(item.range[1])) if item.range else (None, None)
    return Question(
        kind="number" if item.range else "choice",
        name=item_field(item.id),
        anchor=f"item-{item.id}",
        title=item.name,
        code=item.code,
        hint=item.scope,
        choices=choices,
        value=shown,
        low=low,
        high=high,
        optional=item.optional,
        applicable=item.id not in inapplicable,
        counted=not item.optional and item.id not in inapplicable and not treated,
        answered=given is not None,
        note=item.disagreement or (UNCONFIRMED if evidence.unconfirmed else None),
        error=error,
        warnings=tuple(warnings),
    )


def read_item(instrument: Instrument, item: Item, posted: str) -> Any:
    """The answer in the posted text: a score, an option's id or a number; ``None`` for an empty field.

    Raises:
        Unreadable: not an answer of this item.
    """
    text = _plain(posted)
    if not text:
        return None
    if item.range:
        return _read_number(text, item.range[0], item.range[1], item.decimals)
    for option in instrument.ladders[item.ladder] if item.ladder else item.options:
        if str(option.answer) == text:
            return _json(option.answer)
    raise Unreadable(NOT_AN_OPTION)


# -- facts of the vocabulary -------------------------------------------------------------------------------


def fact_field(name: str) -> str:
    """The form field of a fact."""
    return f"fact.{name}"


def fact_anchor(name: str) -> str:
    """Where the fact stands on its page."""
    return "fact-" + name.replace(".", "-").replace("_", "-")


def fact_question(
    name: str,
    fact: FactDefinition,
    facts: Mapping[str, Any],
    *,
    code: str | None = None,
    posted: Sequence[str] | None = None,
    error: Words | None = None,
    optional: bool = False,
    places: Mapping[str, Words] | None = None,
    warnings: Sequence[Words] = (),
) -> Question:
    """A fact as a question. Nothing is ever preset: an answer is shown only when somebody gave it."""
    given = facts.get(name)
    shown = list(posted) if posted is not None else stored_as_posted(fact, given)
    kind = KINDS[fact.type]
    if name in LONG_TEXTS:
        kind = "long"
    choices: tuple[Choice, ...] = ()
    if fact.type == "boolean":
        choices = tuple(Choice(v, say, v in shown) for v, say in (("yes", YES), ("no", NO)))
    elif fact.type in ("code", "codes"):
        choices = tuple(Choice(c, definition.name, c in shown) for c, definition in fact.codes.items())
        if fact.type == "codes" and "none" not in fact.codes:
            choices += (Choice(NONE_OF_THESE, NONE, NONE_OF_THESE in shown),)
    elif fact.type == "place":
        choices = tuple(Choice(id, say, id in shown) for id, say in (places or {}).items())
    if kind == "choice" and optional:
        # A radio button cannot be taken back without one that says so.
        choices += (Choice(NOT_ANSWERED, UNSAID, False),)
    return Question(
        kind=kind,
        name=fact_field(name),
        anchor=fact_anchor(name),
        title=fact.ask or fact.name,
        code=code,
        hint=fact.help,
        unit=fact.unit,
        choices=choices,
        value=shown[0] if shown else "",
        low=str(fact.range[0]) if fact.range else None,
        high=str(fact.range[1]) if fact.range else None,
        optional=optional,
        answered=given is not None,
        error=error,
        warnings=tuple(warnings),
    )


def stored_as_posted(fact: FactDefinition, value: Any) -> list[str]:
    """A stored value in the words a form would post."""
    if value is None:
        return []
    if fact.type == "boolean":
        return ["yes" if value else "no"]
    if fact.type == "codes":
        return list(value) or [NONE_OF_THESE]
    return [str(value)]


def read_fact(fact: FactDefinition, posted: Sequence[str], places: Collection[str] = ()) -> Any:
    """The value in the posted texts, as JSON; ``None`` when nothing was said.

    Raises:
        Unreadable: not a value of this fact.
    """
    texts = [t for t in map(_plain, posted) if t]
    if not texts:
        return None
    if fact.type == "codes":
        return _read_codes(fact, texts)
    text = texts[0]
    if fact.type == "boolean":
        if text not in ("yes", "no"):
            raise Unreadable(NOT_AN_OPTION)
        return text == "yes"
    if fact.type in ("integer", "decimal"):
        assert fact.range is not None
        return _read_number(text, fact.range[0], fact.range[1], fact.decimals)
    if fact.type == "date":
        return _read_day(text).isoformat()
    if fact.type == "text":
        if len(text) > TEXT_LIMIT:
            raise Unreadable(TOO_LONG)
        return text
    if text not in (places if fact.type == "place" else fact.codes):
        raise Unreadable(NOT_AN_OPTION)
    return text


def _read_codes(fact: FactDefinition, texts: Sequence[str]) -> list[str]:
    if any(t not in fact.codes and t != NONE_OF_THESE for t in texts):
        raise Unreadable(NOT_AN_OPTION)
    if NONE_OF_THESE in texts:
        if len(set(texts)) > 1:
            raise Unreadable(NONE_AND_MORE)
        return []
    return [code for code in fact.codes if code in texts]


# -- settings ----------------------------------------------------------------------------------------------


def setting_field(name: str) -> str:
    """The form field of a setting."""
    return f"setting.{name}"


def setting_question(
    setting: Setting, settings: Mapping[str, Any], *, posted: str | None = None, error: Words | None = None
) -> Question:
    """A point the instrument leaves open, as a question."""
    given = settings.get(setting.id)
    shown = posted if posted is not None else "" if given is None else str(given)
    choices = tuple(
        Choice(str(_json(c)), setting.names.get(str(c)) or _choice_words(c), str(_json(c)) == shown)
        for c in setting.choices
    )
    return Question(
        kind="choice",
        name=setting_field(setting.id),
        anchor=f"setting-{setting.id}",
        title=setting.say,
        choices=choices,
        value=shown,
        answered=given is not None,
        error=error,
    )


def read_setting(setting: Setting, posted: str) -> Any:
    """The choice in the posted text; ``None`` for an empty field.

    Raises:
        Unreadable: not one of the choices.
    """
    text = _plain(posted)
    if not text:
        return None
    for choice in setting.choices:
        if str(_json(choice)) == text:
            return _json(choice)
    raise Unreadable(NOT_AN_OPTION)


def not_asked(field: str) -> Words:
    """Said of a field the page does not have."""
    name = field.split(".", 1)[1][:60]
    return {"zh": f"本页没有“{name}”这一题，未保存", "en": f"This page does not ask “{name}”; it was not saved"}


# -- texts and numbers -------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _score(score: Any) -> str:
    return str(_json(score))


def _choice_words(choice: Any) -> Words:
    if isinstance(choice, bool):
        return YES if choice else NO
    return {"zh": str(choice), "en": str(choice)}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _read_number(text: str, low: int, high: int, decimals: int) -> int | float:
    text = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise Unreadable(NOT_A_NUMBER)
    number = Decimal(text)
    if not low <= number <= high:
        raise Unreadable({"zh": f"应在 {low} 到 {high} 之间", "en": f"Must lie between {low} and {high}"})
    if number != round(number, decimals):
        if not decimals:
            raise Unreadable({"zh": "请填整数", "en": "Enter a whole number"})
        raise Unreadable({"zh": f"最多 {decimals} 位小数", "en": f"At most {decimals} decimals"})
    found: int | float = _json(number)
    return found


def _read_day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Unreadable(NOT_A_DAY) from None
    if len(text) != 10:
        raise Unreadable(NOT_A_DAY)
    return day
