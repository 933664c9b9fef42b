"""SQL boolean text -> the typed tree, through sqlglot; everything outside the small subset is refused.

The names and the types of a condition are checked against a scope (the vocabulary, or an instrument's own
names), so that a misspelt fact or code never reaches a person.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any
from typing import Literal as Choice

from yyassess.conditions.tree import (
    MIRRORED,
    And,
    Arithmetic,
    Call,
    Compare,
    CompareOp,
    Const,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    parts_of,
)

Type = Choice["boolean", "integer", "decimal", "code", "codes", "date", "text", "place"]
NUMBERS = ("integer", "decimal")
ALLOWED = (
    "comparisons, AND, OR, NOT, IN, BETWEEN, + - *, literals, names of facts, CONTAINS(list, 'code'), "
    "ELIGIBLE('programme'), LIES_IN(place fact, 'place'), AGE_ON(birth, day), MONTHS_BETWEEN(from, to), LEAST, GREATEST"
)

#: What every evaluator can walk through without running out of stack.
MAX_DEPTH = 50
_COMMENT = re.compile(r"--|/\*|#")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")


class ConditionError(ValueError):
    """A condition that cannot be accepted; the message says what was written and what is allowed."""

    def __init__(self, message: str, unknown: str | None = None) -> None:
        super().__init__(message)
        self.unknown = unknown
        """The name that nobody defined, where that is the fault."""


@dataclass(frozen=True)
class Name:
    """What is known of a name: its type and, for codes, the codes that exist."""

    type: Type
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """The names a condition may use, and the programmes it may ask about."""

    names: Mapping[str, Name]
    programmes: frozenset[str] = field(default_factory=frozenset)
    places: frozenset[str] = field(default_factory=frozenset)


def suggest(word: str, known: Any) -> str:
    """`` (did you mean …?)`` when a known word is near, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def parse_condition(text: str, scope: Scope) -> Node:
    """The condition tree of a SQL boolean expression.

    Raises:
        ConditionError: not parseable, outside the subset, unknown name or code, or types that do not fit.
    """
    tree = _sql(text)
    try:
        return _shallow(text, _Reader(text, scope).condition(tree))
    except RecursionError:
        raise _too_deep(text) from None


def parse_value(text: str, scope: Scope) -> Node:
    """The value tree of a SQL arithmetic expression (an amount); same errors as `parse_condition`."""
    tree = _sql(text)
    try:
        node, kind = _Reader(text, scope).value(tree)
    except RecursionError:
        raise _too_deep(text) from None
    if kind not in NUMBERS:
        raise ConditionError(f"{text!r} is of type {kind}; an amount must be a number")
    return _shallow(text, node)


def _too_deep(text: str) -> ConditionError:
    return ConditionError(f"{text[:80]!r} is nested deeper than {MAX_DEPTH} levels")


def _shallow(text: str, node: Node) -> Node:
    level = [node]
    for _ in range(MAX_DEPTH):
        level = [part for parent in level for part in parts_of(parent)]
        if not level:
            return node
    raise _too_deep(text)


def _sql(text: str) -> Any:
    import sqlglot
    from sqlglot.errors import SqlglotError

    if len(text) > 2000:
        raise ConditionError(f"a condition of {len(text)} characters; at most 2000 are allowed")
    if _COMMENT.search(re.sub(r"'[^']*'", "''", text)):
        raise ConditionError(f"a comment in {text!r} would hide what follows it; comments stand in YAML, after #")
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except RecursionError:
        raise _too_deep(text) from None
    except SqlglotError as error:
        first = re.sub(r"<class '[\w.]*?(\w+)'>", r"\1", str(error).splitlines()[0])
        raise ConditionError(f"cannot read {text!r} as a condition: {first}") from None
    if len(trees) != 1 or trees[0] is None:
        raise ConditionError(f"{text!r} must be exactly one expression")
    return trees[0]


class _Reader:
    def __init__(self, text: str, scope: Scope) -> None:
        from sqlglot import exp

        self.exp = exp
        self.text = text
        self.scope = scope
        self.compare: dict[Any, CompareOp] = {
            exp.EQ: "=",
            exp.NEQ: "<>",
            exp.LT: "<",
            exp.LTE: "<=",
            exp.GT: ">",
            exp.GTE: ">=",
        }

    def refuse(self, what: str) -> ConditionError:
        return ConditionError(f"{what} in {self.text!r}; allowed: {ALLOWED}")

    # -- conditions ---------------------------------------------------------------------------------
    def condition(self, node: Any) -> Node:
        exp = self.exp
        match node:
            case exp.Paren():
                return self.condition(node.this)
            case exp.And() | exp.Or():
                joined = And if isinstance(node, exp.And) else Or
                parts: list[Node] = []
                for part in (self.condition(node.left), self.condition(node.right)):
                    parts.extend(part.parts if isinstance(part, joined) else (part,))
                return joined(tuple(parts))
            case exp.Not():
                return Not(self.condition(node.this))
            case exp.Boolean():
                return Const(bool(node.this))
            case exp.Column():
                name, known = self.name(node)
                if known.type != "boolean":
                    raise self.refuse(f"{name} is of type {known.type}, not a yes/no fact, and stands alone")
                return Flag(name)
            case exp.In():
                return self.one_of(node)
            case exp.Between() if not node.args.get("symmetric"):
                value, low, high = node.this, node.args["low"], node.args["high"]
                return And((self.comparison(">=", value, low), self.comparison("<=", value, high)))
            case exp.Anonymous() if str(node.this).upper() == "ELIGIBLE":
                return self.eligible(node.expressions)
            case exp.Anonymous() if str(node.this).upper() == "LIES_IN":
                return self.lies_in(node.expressions)
            case _ if self.function_name(node) in ("CONTAINS", "LIST_CONTAINS", "ARRAY_CONTAINS"):
                return self.contains(node)
            case _ if type(node) in self.compare:
                return self.comparison(self.compare[type(node)], node.left, node.right)
        raise self.refuse(f"{node.sql()!r} is not a condition")

    def function_name(self, node: Any) -> str:
        exp = self.exp
        if isinstance(node, exp.Anonymous):
            return str(node.this).upper()
        return str(node.sql_name()).upper() if isinstance(node, exp.Func) else ""

    def contains(self, node: Any) -> Node:
        exp = self.exp
        arguments = node.expressions if isinstance(node, exp.Anonymous) else self.flat_arguments(node)
        if len(arguments) != 2 or not isinstance(arguments[0], exp.Column):
            raise self.refuse("CONTAINS takes a list fact and a code")
        name, known = self.name(arguments[0])
        if known.type != "codes":
            raise self.refuse(f"CONTAINS asks a list of codes, {name} is of type {known.type}")
        return Contains(name, self.code(name, known, arguments[1]))

    def eligible(self, arguments: list[Any]) -> Node:
        if len(arguments) != 1 or not self.is_text(arguments[0]):
            raise self.refuse("ELIGIBLE takes one programme id in quotes")
        programme = str(arguments[0].this)
        if programme not in self.scope.programmes:
            hint = suggest(programme, self.scope.programmes)
            raise ConditionError(f"unknown programme {programme!r} in {self.text!r}{hint}", programme)
        return Flag(f"eligible:{programme}")

    def lies_in(self, arguments: list[Any]) -> Node:
        if len(arguments) != 2 or not isinstance(arguments[0], self.exp.Column) or not self.is_text(arguments[1]):
            raise self.refuse("LIES_IN takes a place fact and a place id in quotes")
        name, known = self.name(arguments[0])
        if known.type != "place":
            raise self.refuse(f"LIES_IN asks a place, {name} is of type {known.type}")
        place = str(arguments[1].this)
        if place not in self.scope.places:
            hint = suggest(place, self.scope.places)
            raise ConditionError(f"unknown place {place!r} in {self.text!r}{hint}", place)
        return Flag(f"lies_in:{name}:{place}")

    def one_of(self, node: Any) -> Node:
        if node.args.get("query") or not node.expressions:
            raise self.refuse("IN takes a list of constants")
        value, kind = self.value(node.this)
        choices = tuple(self.literal_for(value, kind, choice).value for choice in node.expressions)
        return OneOf(value, choices)

    def comparison(self, op: CompareOp, left: Any, right: Any) -> Node:
        if self.is_constant(left):
            left, right, op = right, left, MIRRORED[op]
        first, kind = self.value(left)
        if self.is_constant(right):
            second: Node = self.literal_for(first, kind, right)
        else:
            second, other = self.value(right)
            if kind != other and not (kind in NUMBERS and other in NUMBERS):
                raise self.refuse(f"{kind} and {other} cannot be compared")
        if kind in ("codes", "text", "place"):
            raise self.refuse(f"a fact of type {kind} cannot be compared")
        if kind == "code" and isinstance(first, Fact) and isinstance(second, Fact):
            names = self.scope.names
            if not set(names[first.name].codes) & set(names[second.name].codes):
                raise self.refuse(f"{first.name} and {second.name} have no code in common")
        if kind in ("code", "boolean") and op not in ("=", "<>"):
            raise self.refuse(f"a {kind} has no order, so {op} cannot be used")
        if kind == "boolean" and isinstance(first, Fact) and isinstance(second, Literal):
            flag = Flag(first.name)
            return flag if (op == "=") == bool(second.value) else Not(flag)
        return Compare(op, first, second)

    # -- values -------------------------------------------------------------------------------------
    def value(self, node: Any) -> tuple[Node, Type]:
        exp = self.exp
        match node:
            case exp.Paren():
                return self.value(node.this)
            case exp.Column():
                name, known = self.name(node)
                return Fact(name), known.type
            case exp.Neg() | exp.Literal() if not self.is_text(node):
                return self.number(node)
            case exp.Add() | exp.Sub() | exp.Mul():
                op: Any = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}[type(node)]
                left, left_kind = self.value(node.left)
                right, right_kind = self.value(node.right)
                if left_kind not in NUMBERS or right_kind not in NUMBERS:
                    raise self.refuse(f"{op} needs numbers, not {left_kind} and {right_kind}")
                kind: Type = "integer" if left_kind == right_kind == "integer" else "decimal"
                return Arithmetic(op, left, right), kind
            case exp.Cast() if self.is_date(node):
                return self.day(node.this), "date"
            case exp.Func():
                return self.call(node)
        raise self.refuse(f"{node.sql()!r} is not a value")

    def call(self, node: Any) -> tuple[Node, Type]:
        exp = self.exp
        name = self.function_name(node)
        raw = node.expressions if isinstance(node, exp.Anonymous) else self.flat_arguments(node)
        arguments = [self.value(a) for a in raw]
        kinds = [kind for _, kind in arguments]
        nodes = tuple(part for part, _ in arguments)
        if name in ("AGE_ON", "MONTHS_BETWEEN") and kinds == ["date", "date"]:
            return Call(name.lower(), nodes), "integer"
        if name in ("LEAST", "GREATEST") and len(kinds) > 1 and set(kinds) <= set(NUMBERS):
            return Call(name.lower(), nodes), "integer" if set(kinds) == {"integer"} else "decimal"
        raise self.refuse(f"{node.sql()!r} is not an allowed function of {', '.join(kinds) or 'nothing'}")

    def flat_arguments(self, node: Any) -> list[Any]:
        """The arguments of a function sqlglot knows by itself, in the order written."""
        found: list[Any] = []
        for argument in node.args.values():
            if isinstance(argument, list):
                found.extend(argument)
            elif isinstance(argument, self.exp.Expression):
                found.append(argument)
        return found

    def name(self, node: Any) -> tuple[str, Name]:
        parts = [part.name for part in node.parts]
        name = ".".join(parts)
        if any(part.args.get("quoted") for part in node.parts):
            raise self.refuse(f'"{name}" is quoted: names are written bare, texts in single quotes')
        if name not in self.scope.names:
            hint = suggest(name, self.scope.names)
            raise ConditionError(f"unknown fact {name!r} in {self.text!r}{hint}", name)
        return name, self.scope.names[name]

    # -- constants ----------------------------------------------------------------------------------
    def is_text(self, node: Any) -> bool:
        return isinstance(node, self.exp.Literal) and bool(node.is_string)

    def is_constant(self, node: Any) -> bool:
        exp = self.exp
        if isinstance(node, exp.Neg):
            return self.is_constant(node.this)
        return isinstance(node, (exp.Literal, exp.Boolean, exp.Null)) or self.is_date(node)

    def literal_for(self, value: Node, kind: Type, node: Any) -> Literal:
        """The constant ``node`` read as the type of ``value``."""
        exp = self.exp
        if kind in NUMBERS and isinstance(node, (exp.Literal, exp.Neg)) and not self.is_text(node):
            return self.number(node)[0]
        if kind == "boolean" and isinstance(node, exp.Boolean):
            return Literal(bool(node.this))
        if kind == "date" and (self.is_text(node) or self.is_date(node)):
            return self.day(node if self.is_text(node) else node.this)
        if kind == "code" and isinstance(value, Fact):
            return Literal(self.code(value.name, self.scope.names[value.name], node))
        raise self.refuse(f"{node.sql()} cannot be compared with a value of type {kind}")

    def is_date(self, node: Any) -> bool:
        """``DATE '2026-01-01'``, which sqlglot reads as a cast."""
        exp = self.exp
        return type(node) is exp.Cast and node.is_type("date") and self.is_text(node.this)

    def day(self, node: Any) -> Literal:
        text = str(node.this)
        try:
            if _DAY.fullmatch(text):
                return Literal(dt.date.fromisoformat(text))
        except ValueError:
            pass
        raise self.refuse(f"{text!r} is not a day (YYYY-MM-DD)")

    def number(self, node: Any) -> tuple[Literal, Type]:
        negative = isinstance(node, self.exp.Neg)
        inner = node.this if negative else node
        if not isinstance(inner, self.exp.Literal) or inner.is_string:
            raise self.refuse(f"{node.sql()!r} is not a number")
        if not _NUMBER.fullmatch(str(inner.this)):
            raise self.refuse(f"{str(inner.this)[:40]!r} is not written as a whole number or a decimal")
        exact = Decimal(str(inner.this)) * (-1 if negative else 1)
        if exact == exact.to_integral_value() and "." not in str(inner.this):
            return Literal(int(exact)), "integer"
        return Literal(exact), "decimal"

    def code(self, name: str, known: Name, node: Any) -> str:
        if not self.is_text(node):
            raise self.refuse(f"a code of {name} stands in single quotes, not {node.sql()}")
        code = str(node.this)
        if code not in known.codes:
            raise ConditionError(
                f"unknown code {code!r} of {name} in {self.text!r}{suggest(code, known.codes)}; "
                f"allowed: {', '.join(known.codes)}"
            )
        return code
