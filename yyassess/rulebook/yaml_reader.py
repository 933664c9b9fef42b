"""YAML text -> plain data with the line of every part.

Stricter than YAML allows, because people correct these files by hand: duplicate keys, anchors, aliases, tags
and deep nesting are errors; only ``true``/``false`` are booleans (never yes, no, on, off); decimals are exact.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: slower, same answers
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
#: No figure of a rule is this long; a longer one is a slip or an attack.
MAX_DIGITS = 40

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class YamlProblem(Exception):
    """What is wrong with a YAML text, and on which line (from 1)."""

    line: int
    message: str


def read_yaml(raw: bytes) -> tuple[Any, Lines, list[YamlProblem]]:
    """The data of a YAML text, the line of each part, and the problems that do not stop the reading.

    Raises:
        YamlProblem: the text is no UTF-8, no YAML, too large or too deep.
    """
    if len(raw) > MAX_BYTES:
        raise YamlProblem(1, f"the file has {len(raw)} bytes; at most {MAX_BYTES} are allowed")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise YamlProblem(line, "the file is not UTF-8 text") from None
    try:
        return _Composer(yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        mark, began = error.problem_mark or error.context_mark, error.context_mark
        where = f" (in what begins on line {began.line + 1})" if began and mark and began.line != mark.line else ""
        raise YamlProblem(
            (mark.line + 1) if mark else 1, f"not YAML: {error.problem or error.context}{where}"
        ) from None
    except yaml.YAMLError as error:
        raise YamlProblem(1, f"not YAML: {str(error).splitlines()[0]}") from None


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Composer:
    def __init__(self, events: Any) -> None:
        self.events = events
        self.lines: Lines = {}
        self.problems: list[YamlProblem] = []

    def document(self) -> tuple[Any, Lines, list[YamlProblem]]:
        data: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlProblem(_line(event), "one YAML document a file")
            elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent, yaml.AliasEvent)):
                data = self.node(event, (), 0)
        return data, self.lines, self.problems

    def node(self, event: Any, path: Path, depth: int) -> Any:
        line = _line(event)
        self.refuse_marks(event, line)
        if depth > MAX_DEPTH:
            raise YamlProblem(line, f"nested deeper than {MAX_DEPTH} levels")
        self.lines[path] = line
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            for inner in self.events:
                if isinstance(inner, yaml.SequenceEndEvent):
                    return items
                items.append(self.node(inner, (*path, len(items)), depth + 1))
        mapping: dict[Any, Any] = {}
        for inner in self.events:
            if isinstance(inner, yaml.MappingEndEvent):
                return mapping
            key_line = _line(inner)
            self.refuse_marks(inner, key_line)
            if not isinstance(inner, yaml.ScalarEvent):
                raise YamlProblem(key_line, "a key must be a word or a number")
            key = self.scalar(inner, key_line)
            if not isinstance(key, (str, int)) or isinstance(key, bool):
                key = inner.value
            if key in mapping:
                self.problems.append(YamlProblem(key_line, f"the key {key!r} is written twice"))
            mapping[key] = self.node(next(self.events), (*path, key), depth + 1)
            self.lines[(*path, key)] = key_line
        raise YamlProblem(line, "the text ends in the middle")  # pragma: no cover - libyaml reports it first

    def refuse_marks(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise YamlProblem(line, "anchors and aliases (& and *) are not used in rule files: write the value out")
        if event.tag:
            raise YamlProblem(line, f"the tag {event.tag} is not allowed")

    def scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if len(text) > MAX_DIGITS and _NUMBER.fullmatch(text):
            self.problems.append(YamlProblem(line, f"a number of {len(text)} digits; at most {MAX_DIGITS} are allowed"))
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
        if _DAY.fullmatch(text):
            try:
                return dt.date.fromisoformat(text)
            except ValueError:
                self.problems.append(YamlProblem(line, f"{text} is not a day that exists"))
        return text
