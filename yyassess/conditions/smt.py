"""The same condition tree for Z3: what can hold, what must hold, and whether two conditions say the same.

Every condition becomes two formulas, "it is true" and "it is false"; where a fact may be unknown neither need hold
(Kleene). A day is the number ``(year * 12 + month - 1) * 31 + day - 1``: it keeps the order of days, and whole years
and months between two days are whole quotients of a difference. Z3 is the extra ``proofs``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial, reduce
from typing import Any

from yyassess.conditions.reference import FUNCTIONS
from yyassess.conditions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    facts_of,
    walk,
)

try:
    import z3
except ImportError:  # the extra is not installed: `need_z3` says so where a proof is asked for
    z3 = None

MONTH = 31
YEAR = 12 * MONTH


class ProofsMissing(ImportError):
    """Z3 is not installed."""

    def __init__(self) -> None:
        super().__init__("proofs need the z3-solver package: install it with  pip install 'yyassess[proofs]'")


def need_z3() -> Any:
    """The ``z3`` module.

    Raises:
        ProofsMissing: the extra ``proofs`` is not installed.
    """
    if z3 is None:
        raise ProofsMissing
    return z3


# -- truth values, folded where they are already known ------------------------------------------------------------
def neg(bit: Any) -> Any:
    """Not, of a Python truth or a formula."""
    return (not bit) if isinstance(bit, bool) else z3.Not(bit)


def conj(bits: Iterable[Any]) -> Any:
    """All of some truths or formulas."""
    left = []
    for bit in bits:
        if bit is False:
            return False
        if bit is not True:
            left.append(bit)
    return True if not left else left[0] if len(left) == 1 else z3.And(left)


def disj(bits: Iterable[Any]) -> Any:
    """Any of some truths or formulas."""
    left = []
    for bit in bits:
        if bit is True:
            return True
        if bit is not False:
            left.append(bit)
    return False if not left else left[0] if len(left) == 1 else z3.Or(left)


def choose(condition: Any, first: Any, second: Any) -> Any:
    """``first`` where ``condition`` holds, else ``second``: of numbers or truths."""
    if isinstance(condition, bool):
        return first if condition else second
    if isinstance(first, bool) or isinstance(second, bool) or (z3.is_expr(first) and z3.is_bool(first)):
        return disj((conj((condition, first)), conj((neg(condition), second))))
    return first if first is second else z3.If(condition, first, second)


# -- days and codes as numbers --------------------------------------------------------------------------------------
def day_key(day: dt.date) -> int:
    """The number of a day."""
    return (day.year * 12 + day.month - 1) * MONTH + day.day - 1


def key_day(key: int) -> dt.date:
    """The day of a number."""
    months, day = divmod(key, MONTH)
    return dt.date(months // 12, months % 12 + 1, day + 1)


def is_day(key: Any) -> Any:
    """That a number is a day of the calendar (no 31 April; 29 February in leap years only)."""
    day, month, year = key % MONTH, (key / MONTH) % 12, key / YEAR
    leap = z3.And(year % 4 == 0, z3.Or(year % 100 != 0, year % 400 == 0))
    short = z3.Or([month == m for m in (3, 5, 8, 10)])
    return z3.And(
        z3.Implies(short, day <= 29), z3.Implies(month == 1, z3.Or(day <= 27, z3.And(leap, day == 28))), key >= 0
    )


_codes: dict[str, int] = {}


def code_id(code: str) -> int:
    """The number that stands for a code, the same for equal codes of all facts."""
    return _codes.setdefault(code, len(_codes))


def constant(value: Any) -> Any:
    """A constant of a condition as Z3 (or Python) has it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else z3.RealVal(format(value, "f"))
    if isinstance(value, dt.date):
        return day_key(value)
    return code_id(value)


# -- conditions -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Symbol:
    """A name as Z3 sees it: its value (for a list of codes, one truth a code) and whether it is known."""

    value: Any
    known: Any = True


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition as two formulas; neither holds where it is unknown."""

    yes: Any
    no: Any


class Encoder:
    """Turns condition and value trees into formulas over the symbols of a scope."""

    def __init__(self, symbol: Callable[[str], Symbol]) -> None:
        need_z3()
        self.symbol = symbol
        self._truths: dict[Node, Truth] = {}

    def truth(self, node: Node) -> Truth:
        """A condition."""
        found = self._truths.get(node)
        if found is None:
            found = self._truths[node] = self._truth(node)
        return found

    def yes(self, node: Node) -> Any:
        """That a condition is true."""
        return self.truth(node).yes

    def _truth(self, node: Node) -> Truth:
        match node:
            case Const(value):
                return Truth(value, not value)
            case Flag(name):
                return self._known(self.symbol(name), lambda value: value)
            case Contains(name, code):
                return self._known(self.symbol(name), lambda value: value.get(code, False))
            case Not(part):
                inner = self.truth(part)
                return Truth(inner.no, inner.yes)
            case And(parts) | Or(parts):
                truths = [self.truth(p) for p in parts]
                both, either = (conj, disj) if isinstance(node, And) else (disj, conj)
                return Truth(both(t.yes for t in truths), either(t.no for t in truths))
            case Compare(op, left, right):
                first, second = self.value(left), self.value(right)
                holds = compare(op, first.value, second.value)
                return self._known(Symbol(holds, conj((first.known, second.known))), lambda value: value)
            case OneOf(value, choices):
                given = self.value(value)
                holds = disj(compare("=", given.value, constant(c)) for c in choices)
                return self._known(Symbol(holds, given.known), lambda value: value)
        raise TypeError(f"not a condition: {node!r}")

    @staticmethod
    def _known(symbol: Symbol, holds: Callable[[Any], Any]) -> Truth:
        value = holds(symbol.value)
        return Truth(conj((symbol.known, value)), conj((symbol.known, neg(value))))

    def value(self, node: Node) -> Symbol:
        """A value, and whether it is known."""
        match node:
            case Fact(name):
                return self.symbol(name)
            case Literal(value):
                return Symbol(constant(value))
            case Arithmetic(op, left, right):
                first, second = self.value(left), self.value(right)
                known = conj((first.known, second.known))
                a, b = first.value, second.value
                return Symbol(a + b if op == "+" else a - b if op == "-" else a * b, known)
            case Call(name, arguments):
                parts = [self.value(a) for a in arguments]
                return Symbol(_call(name, [p.value for p in parts]), conj(p.known for p in parts))
        raise TypeError(f"not a value: {node!r}")


def compare(op: str, a: Any, b: Any) -> Any:
    """``a op b`` of numbers or truths."""
    if isinstance(a, bool) and z3.is_expr(b):
        a = z3.BoolVal(a)
    if isinstance(b, bool) and z3.is_expr(a):
        b = z3.BoolVal(b)
    match op:
        case "=":
            return a == b
        case "<>":
            return a != b
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
    return a >= b


def _call(name: str, values: list[Any]) -> Any:
    match name:
        case "age_on":
            return _quotient(values[1] - values[0], YEAR)
        case "months_between":
            start, day = values
            backwards = -_quotient(start - day, MONTH)
            return choose(compare("<", day, start), backwards, _quotient(day - start, MONTH))
        case "least":
            return reduce(lambda a, b: choose(compare("<=", a, b), a, b), values)
        case "greatest":
            return reduce(lambda a, b: choose(compare(">=", a, b), a, b), values)
    raise TypeError(f"not a function: {name!r}; known: {', '.join(FUNCTIONS)}")


def _quotient(number: Any, by: int) -> Any:
    return number // by if isinstance(number, int) else number / by


# -- one record at a time: an evaluator like all the others, for the tests of equality ---------------------------------
def record_evaluator(
    conditions: Mapping[str, Node], types: Mapping[str, str]
) -> Callable[[Mapping[str, Any]], dict[str, bool | None]]:
    """Decides some conditions for one record at a time, with Z3 as the calculator.

    Args:
        conditions: key -> condition.
        types: the type of every fact they ask for.
    """
    need_z3()
    names = tuple(dict.fromkeys(n for node in conditions.values() for n in facts_of(node)))
    codes: dict[str, dict[str, None]] = {name: {} for name in names}
    for node in conditions.values():
        for part in walk(node):
            if isinstance(part, Contains):
                codes[part.name].setdefault(part.code)
    variables: dict[str, list[tuple[Any, Callable[[Any], Any]]]] = {}
    known = {name: z3.Bool(f"known {name}") for name in names}
    symbols: dict[str, Symbol] = {}
    for name in names:
        kind = types[name]
        if kind == "codes":
            members = {code: z3.Bool(f"{name} has {code}") for code in codes[name]}
            symbols[name] = Symbol(members, known[name])
            variables[name] = [(v, partial(_has, code)) for code, v in members.items()]
            continue
        make, read = _SORTS.get(kind, _SORTS["code"])()
        variable = make(name)
        symbols[name] = Symbol(variable, known[name])
        variables[name] = [(variable, read)]
    encoder = Encoder(symbols.__getitem__)
    answers = [encoder.truth(node) for node in conditions.values()]
    # All answers in one number, two bits each: a single formula to fill in and to read.
    bits = [z3.If(_formula(bit), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)) for t in answers for bit in (t.yes, t.no)]
    whole = z3.Concat(*bits) if len(bits) > 1 else None
    kept: dict[Any, tuple[tuple[Any, Any], ...]] = {}

    def filled(name: str, value: Any) -> tuple[tuple[Any, Any], ...]:
        key = (name, value)
        if key not in kept:
            known_here = (known[name], z3.BoolVal(value is not None))
            values = [] if value is None else [(variable, read(value)) for variable, read in variables[name]]
            kept[key] = (known_here, *values)
        return kept[key]

    keys = tuple(conditions)

    def evaluate(record: Mapping[str, Any]) -> dict[str, bool | None]:
        if whole is None:
            return {}
        pairs = [pair for name in names for pair in filled(name, record.get(name))]
        number = z3.simplify(z3.substitute(whole, *pairs)).as_long()
        truths: dict[str, bool | None] = {}
        for key in reversed(keys):
            truths[key] = _ANSWER[number & 3]
            number >>= 2
        return {key: truths[key] for key in keys}

    return evaluate


_ANSWER: dict[int, bool | None] = {2: True, 1: False, 0: None}


def _formula(bit: Any) -> Any:
    return z3.BoolVal(bit) if isinstance(bit, bool) else bit


def _has(code: str, given: Any) -> Any:
    return z3.BoolVal(code in given)


_SORTS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "boolean": lambda: (z3.Bool, z3.BoolVal),
    "integer": lambda: (z3.Int, z3.IntVal),
    "decimal": lambda: (z3.Real, lambda value: z3.RealVal(format(Decimal(value), "f"))),
    "date": lambda: (z3.Int, lambda value: z3.IntVal(day_key(value))),
    "code": lambda: (z3.Int, lambda value: z3.IntVal(code_id(value))),
}
