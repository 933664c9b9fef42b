"""The engine: a person's facts -> every criterion true, false or unknown -> every programme's outcome.

`DurableEngine` runs the rules in durable_rules by forward chaining, in waves: facts are asserted, criteria fire,
their truths are asserted, outcomes fire, and the criteria that ask for an outcome hear it in the next wave.
`ReferenceEngine` is the same in plain Python: the oracle of the tests, and the fallback where durable_rules cannot
be built.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import ClassVar, Protocol, TypeVar

from yyassess.conditions.reference import Condition, compile_condition
from yyassess.conditions.tree import (
    MIRRORED,
    OPPOSITE,
    And,
    Compare,
    CompareOp,
    Const,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Scalar,
    facts_of,
    negated,
    normal,
)
from yyassess.entitlement.durable_host import (
    LIMIT,
    MOST_OPERATORS,
    MOST_PATHS,
    Board,
    Clause,
    EngineError,
    Network,
    operators,
    paths,
    picker,
)

__all__ = [
    "DurableEngine", "Engine", "EngineError", "Program", "ReferenceEngine", "Status", "Value", "Verdicts"
]  # fmt: skip

Status = bool | None
"""True, false, or ``None``: unknown."""
Value = bool | int | Decimal | str | dt.date | frozenset[str]

ASKS = "eligible:"
#: An ``IN`` with more choices is decided outside durable_rules, which would need a branch for each.
MOST_CHOICES = 16
#: Compiled rulesets that are kept though nobody uses them; one takes up to some MiB and 20 ms.
MOST_KEPT = 32
T = TypeVar("T")
_Evaluator = tuple[str, Condition, str, str]
OUTCOME = {True: "eligible", False: "ineligible", None: "unknown"}


@dataclass(frozen=True)
class Program:
    """What is compiled once for a ruleset.

    A criterion may ask for the outcome of a programme: ``Flag("eligible:ID")`` is true when it is eligible, false
    when it is ineligible. Where ID is not one of ``programmes``, that is an ordinary fact.
    """

    name: str
    """The hash of the ruleset."""
    criteria: Mapping[str, Node]
    """Key -> condition; equal conditions of several programmes are one criterion."""
    programmes: Mapping[str, tuple[str, ...]]
    """Id -> the keys of its criteria, all of which must hold; in any order."""
    types: Mapping[str, str]
    """Each fact's type: ``boolean``, ``integer``, ``decimal``, ``code``, ``codes``, ``date`` or ``text``."""


@dataclass(slots=True)
class Verdicts:
    """What is decided for one person."""

    criteria: dict[str, Status]
    outcomes: dict[str, str]
    """Programme -> ``eligible``, ``ineligible`` or ``unknown``."""


class Engine(Protocol):
    """Decides all programmes for one person."""

    def run(self, facts: Mapping[str, Value]) -> Verdicts:
        """Every criterion and outcome; a name without a value is not known."""


@dataclass(frozen=True)
class _Order:
    """Programmes after those that they ask for, and how many outcomes deep each one and each criterion listens."""

    programmes: tuple[str, ...]
    level: Mapping[str, int]
    criterion_level: Mapping[str, int]


def _order(program: Program) -> _Order:
    """Checks the program and puts its programmes in order.

    Raises:
        EngineError: programmes wait for each other, a criterion is not there, a fact has no type.
    """
    outcomes = {ASKS + id: id for id in program.programmes}
    asked: dict[str, list[str]] = {}
    for key, node in program.criteria.items():
        names = facts_of(node)
        asked[key] = [outcomes[n] for n in names if n in outcomes]
        if strange := [n for n in names if n not in outcomes and n not in program.types]:
            raise EngineError(f"criterion {key!r} asks for {strange[0]!r}, which is no fact and no programme here")
    for id, keys in program.programmes.items():
        if absent := [k for k in keys if k not in program.criteria]:
            raise EngineError(f"programme {id!r} needs criterion {absent[0]!r}, which is not there")
    graph = {id: [a for key in keys for a in asked[key]] for id, keys in program.programmes.items()}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise EngineError(f"programmes wait for each other: {' -> '.join(reversed(error.args[1]))}") from None
    level: dict[str, int] = {}
    for id in order:
        level[id] = max((level[a] + 1 for a in graph[id]), default=0)
    deep = {key: max((level[a] + 1 for a in names), default=0) for key, names in asked.items()}
    return _Order(order, level, deep)


class ReferenceEngine:
    """Plain Python, one condition after the other.

    Raises:
        EngineError: programmes wait for each other (the message has the circle), a criterion or fact is not there.
    """

    def __init__(self, program: Program) -> None:
        order = _order(program)
        self._names = tuple(program.criteria)
        self._outcomes = tuple(program.programmes)
        by_level = sorted(self._names, key=order.criterion_level.__getitem__)
        criteria = [(order.criterion_level[k], k, compile_condition(program.criteria[k])) for k in by_level]
        self._steps: list[tuple[list[tuple[str, Condition]], list[tuple[str, tuple[str, ...]]]]] = [
            (
                [(key, condition) for at, key, condition in criteria if at == level],
                [(id, program.programmes[id]) for id in order.programmes if order.level[id] == level],
            )
            for level in range(1 + max(order.criterion_level.values(), default=0))
        ]

    def run(self, facts: Mapping[str, Value]) -> Verdicts:
        """Every criterion and outcome; a name without a value is not known."""
        record: dict[str, Value | None] = dict(facts)
        for id in self._outcomes:
            record.pop(ASKS + id, None)
        truths: dict[str, Status] = {}
        outcomes: dict[str, str] = {}
        for criteria, programmes in self._steps:
            for key, condition in criteria:
                truths[key] = condition(record)
            for id, keys in programmes:
                record[ASKS + id] = outcome = _all(truths[k] for k in keys)
                outcomes[id] = OUTCOME[outcome]
        return Verdicts({k: truths[k] for k in self._names}, {id: outcomes[id] for id in self._outcomes})


def _all(truths: Iterable[Status]) -> Status:
    result: Status = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


class DurableEngine:
    """durable_rules. Safe from any thread; all engines of a process take turns.

    Equal programs share one compiled ruleset. The last `MOST_KEPT` stay compiled, and those still in use.

    Raises:
        EngineError: as `ReferenceEngine`; a programme (named in the message) passes a limit of durable_rules;
            durable_rules cannot be loaded here.
    """

    _kept: ClassVar[dict[Hashable, _Compiled]] = {}
    _compiling: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, program: Program) -> None:
        content = tuple(tuple(part.items()) for part in (program.criteria, program.programmes, program.types))
        with self._compiling:
            if content not in self._kept:
                while len(self._kept) >= MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[content] = _Compiled(program)
            self._program = self._kept[content]

    def run(self, facts: Mapping[str, Value]) -> Verdicts:
        """Every criterion and outcome; a name without a value is not known.

        Raises:
            EngineError: a value is not of its fact's type, or durable_rules failed.
        """
        return self._program.run(facts)


class _Compiled:
    """A program as clauses of a network.

    durable_rules itself compares a whole number, code, yes/no or day with a constant. All else (lists, decimals,
    arithmetic, functions, two facts, very wide conditions) the reference evaluator decides, and it is asserted.
    """

    def __init__(self, program: Program) -> None:
        self._order = _order(program)
        self._asks = {ASKS + id: id for id in program.programmes}
        self._types = {**program.types, **dict.fromkeys(self._asks, "boolean")}
        self._codes: dict[str, dict[str, int]] = {}
        self._native: dict[str, None] = {}
        self._decided: dict[Node, str] = {}
        self._network = Network(self._clauses(program))
        self._blank = self._network.blank
        self._encoders = [(n, _fact(n), self._encoder(n)) for n in self._native if n not in self._asks]
        self._evaluators: list[list[_Evaluator]] = [[] for _ in range(self._network.waves)]
        for node, name in self._decided.items():
            yes, no = self._network.text(name, 1), self._network.text(name, 0)
            self._evaluators[2 * self._depth(node)].append((name, compile_condition(node), yes, no))
        self._keys, self._ids = tuple(program.criteria), tuple(program.programmes)
        self._criteria = self._reader([_criterion(key) for key in self._keys], (True, False, None))
        words = ("eligible", "ineligible", "unknown")
        self._outcomes = self._reader([_fact(ASKS + id) for id in self._ids], words)

    def run(self, facts: Mapping[str, Value]) -> Verdicts:
        board = self._blank.copy()
        for name, place, encode in self._encoders:
            value = facts.get(name)
            if value is not None:
                try:
                    board[place] = encode(value)
                except TypeError:
                    raise EngineError(f"{name} is of type {self._types[name]}; {value!r} was given") from None
        with self._network as network:
            for wave, evaluators in enumerate(self._evaluators):
                if evaluators:
                    self._decide(evaluators, self._heard(facts, board) if wave else facts, board)
                network.tell(wave, board)
        return Verdicts(
            dict(zip(self._keys, self._criteria(board), strict=True)),
            dict(zip(self._ids, self._outcomes(board), strict=True)),
        )

    def _decide(self, evaluators: list[_Evaluator], record: Mapping[str, Value], board: Board) -> None:
        for place, condition, yes, no in evaluators:
            try:
                truth = condition(record)
            except (TypeError, AttributeError) as error:
                raise EngineError(f"a fact is not of its type: {error}") from error
            if truth is not None:
                board[place] = yes if truth else no

    def _heard(self, facts: Mapping[str, Value], board: Board) -> Mapping[str, Value]:
        """The facts and the outcomes known so far."""
        known = zip(self._asks, self._outcomes(board), strict=True)
        heard = {name: outcome == "eligible" for name, outcome in known if outcome != "unknown"}
        return {**{n: v for n, v in facts.items() if n not in self._asks}, **heard}

    def _reader(self, places: Sequence[str], words: tuple[T, T, T]) -> Callable[[Board], Iterable[T]]:
        """Reads what is on the board at some places: the word for true, for false, or for unknown."""
        pick = picker(places)
        meaning = {"": words[2]}
        for place in places:
            meaning[self._network.text(place, 1)] = words[0]
            meaning[self._network.text(place, 0)] = words[1]
        return lambda board: map(meaning.__getitem__, pick(board))

    # -- clauses ----------------------------------------------------------------------------------------
    def _clauses(self, program: Program) -> Iterator[Clause]:
        users = {key: id for id, keys in reversed(tuple(program.programmes.items())) for key in keys}
        for key, node in program.criteria.items():
            yes, no = self._lower(normal(node)), self._lower(negated(node))
            if paths(yes) + paths(no) > MOST_PATHS or max(operators(yes), operators(no)) >= MOST_OPERATORS:
                yes, no = self._outside(node, True), self._outside(node, False)
            owner = f"criterion {key!r}" + (f" of programme {users[key]!r}" if key in users else "")
            yield from _both(2 * self._order.criterion_level[key], _criterion(key), yes, no, owner)
        for id, keys in program.programmes.items():
            needs = [_criterion(key) for key in dict.fromkeys(keys)]
            yes = _joined(And, [_is(need, True) for need in needs])
            no = _joined(Or, [_is(need, False) for need in needs])
            yield from _both(2 * self._order.level[id] + 1, _fact(ASKS + id), yes, no, f"programme {id!r}")

    def _lower(self, node: Node) -> Node:
        """A condition in negation normal form, as comparisons of what is on the board with whole numbers."""
        match node:
            case Const():
                return node
            case And(parts):
                return _joined(And, [self._lower(p) for p in parts])
            case Or(parts):
                return _joined(Or, [self._lower(p) for p in parts])
            case Not(part):
                return self._atom(part, False)
        return self._atom(node, True)

    def _atom(self, node: Node, truth: bool) -> Node:
        match node:
            case Flag(name) if self._types[name] == "boolean":
                return self._compare("=", name, int(truth))
            case Compare(op, Literal() as literal, Fact() as fact):
                return self._atom(Compare(MIRRORED[op], fact, literal), truth)
            case Compare(op, Fact(name), Literal(value)):
                number = self._number(name, value, op)
                if number is not None:
                    return self._compare(op if truth else OPPOSITE[op], name, number)
            case OneOf(Fact(name), choices) if 0 < len(choices) <= MOST_CHOICES:
                numbers = [n for c in choices if (n := self._number(name, c, "=")) is not None]
                if len(numbers) == len(choices):
                    each = [self._compare("=" if truth else "<>", name, n) for n in numbers]
                    return _joined(Or if truth else And, each)
        return self._outside(node, truth)

    def _number(self, name: str, value: Scalar, op: CompareOp) -> int | None:
        """What stands for ``value`` in a rule; ``None`` where durable_rules cannot compare with it."""
        kind = self._types[name]
        if kind == "integer" and type(value) is int and -LIMIT < value < LIMIT:
            return value
        if kind == "date" and type(value) is dt.date:
            return value.toordinal()
        if op not in ("=", "<>"):
            return None
        if kind == "boolean" and type(value) is bool:
            return int(value)
        if kind in ("code", "text") and isinstance(value, str):
            codes = self._codes.setdefault(name, {})
            return codes.setdefault(value, len(codes) + 1)
        return None

    def _compare(self, op: CompareOp, name: str, number: int) -> Node:
        self._native.setdefault(name)
        return Compare(op, Fact(_fact(name)), Literal(number))

    def _outside(self, node: Node, truth: bool) -> Node:
        """What the reference evaluator decides, as a fact; a comparison and its opposite are one fact."""
        if isinstance(node, Compare) and node.op in ("<>", ">", ">="):
            node, truth = Compare(OPPOSITE[node.op], node.left, node.right), not truth
        return _is(self._decided.setdefault(node, f"decided {len(self._decided)}"), truth)

    def _depth(self, node: Node) -> int:
        """The first level at which everything that ``node`` asks for is known."""
        asked = [self._asks[n] for n in facts_of(node) if n in self._asks]
        return max((self._order.level[id] + 1 for id in asked), default=0)

    def _encoder(self, name: str) -> Callable[[Value], str]:
        """How a fact is written on the board; raises TypeError for a value of another type."""
        place, kind = _fact(name), self._types[name]
        label, text = self._network.label(place), self._network.text
        if kind == "boolean":
            return _Texts({True: text(place, 1), False: text(place, 0)}).__getitem__
        if kind == "date":

            def day(value: Value) -> str:
                if type(value) is not dt.date:
                    raise TypeError
                return f"{label}{value.toordinal()}"

            return day
        if kind == "integer":

            def whole(value: Value) -> str:
                if type(value) is not int:
                    raise TypeError
                # All constants lie within the limit, so a number beyond it compares as the limit itself does.
                return f"{label}{value if -LIMIT < value < LIMIT else LIMIT if value > 0 else -LIMIT}"

            return whole
        known = _Texts({code: text(place, number) for code, number in self._codes.get(name, {}).items()})
        known.other = text(place, 0)
        return known.__getitem__


class _Texts(dict[Value, str]):
    """The text of each value that a rule names, and one for all other codes."""

    other: str | None = None

    def __missing__(self, value: Value) -> str:
        if self.other is None or not isinstance(value, str):
            raise TypeError
        return self.other


def _fact(name: str) -> str:
    return sys.intern(f"fact {name}")


def _criterion(key: str) -> str:
    return sys.intern(f"criterion {key}")


def _is(place: str, truth: bool) -> Node:
    return Compare("=", Fact(place), Literal(int(truth)))


def _joined(kind: type[And] | type[Or], parts: Iterable[Node]) -> Node:
    """AND or OR of parts without constants, repetitions and needless nesting."""
    decisive = Const(kind is Or)
    flat: dict[Node, None] = {}
    for part in parts:
        if part == decisive:
            return decisive
        if not isinstance(part, Const):
            flat.update(dict.fromkeys(part.parts if isinstance(part, kind) else (part,)))
    if len(flat) > 1:
        return kind(tuple(flat))
    return next(iter(flat), Const(kind is And))


def _both(wave: int, name: str, yes: Node, no: Node, owner: str) -> Iterator[Clause]:
    for value, when in ((1, yes), (0, no)):
        if when != Const(False):
            yield Clause(wave, name, value, when, owner)
