"""Clauses in durable_rules: the only place that touches that library, and the recipe for using it safely.

The library's C core is fast and its chaining is right, but misuse ends the process, so:

- The core is called directly. ``durable.engine.Host`` adds timer threads that race with the caller, an update of the
  state after each action, and swallows what an action raises; here the actions that fired come back as data.
- One lock around a whole session, one session at a time, always under the same ``sid`` (the core compares session
  ids by hash only), deleted when it ends, however it ends.
- A session in which no action ever ran must not be deleted, as the core would free a pointer that it never set.
  So a ruleset runs one session when it is made, which sets the pointers of the slot that all later sessions reuse,
  and a rule that matches every message acknowledges each: a message that got lost is an error, not an "unknown".
- Messages carry whole numbers only, under names made here; every condition starts with the name of its message.
- Messages have ids of their own, else the core identifies them by a hash of their content.
- The core's tables have fixed sizes and it does not always look; what could overflow one is refused beforehand.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import string
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from types import TracebackType
from typing import Any

from yyassess.conditions.tree import And, Compare, Const, Fact, Literal, Node, Or

#: Numbers lie strictly between -LIMIT and LIMIT: the core keeps the constants of a rule in a C ``long``.
LIMIT = 2**31 - 1
#: Ways to satisfy the clauses of one message; the core's stack holds 64 and is not checked in time.
MOST_PATHS = 60
#: AND and OR in one rule take two of 32 places each, and the outer OR of a shared rule two.
MOST_OPERATORS = 14
#: Messages and rules in a ruleset; the core's tables hold 512 and 4,096.
MOST_MESSAGES = 400
MOST_RULES = 4000
#: Keys in a message; the core holds 253.
MOST_KEYS = 250

Board = dict[str, str]
"""What is known so far: a name -> its JSON text in a message, empty while it is not known."""

_SID = "0"
_MARK = "~"  # starts the id of a message and occurs nowhere else in its text
_RECEIPT = "all"
_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child must not inherit a session that another thread had open
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class EngineError(Exception):
    """The compiled engine cannot take a ruleset or a fact, or failed; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Clause:
    """When ``when`` holds, ``name`` gets ``value``.

    ``when`` is of `And`, `Or`, `Const` and `Compare(op, Fact(name), Literal(int))`. Clauses of one wave see what was
    on the board before the wave. ``owner`` says in errors whose clause it is.
    """

    wave: int
    name: str
    value: int
    when: Node
    owner: str


@cache
def core() -> Any:
    """The C module of durable_rules.

    Raises:
        EngineError: it is not installed, or cannot be loaded here.
    """
    try:
        if sys.version_info < (3, 13) or not hasattr(sys, "setdlopenflags"):
            return importlib.import_module("durable_rules_engine")
        # It refers to a function that Python 3.13 removed, but only calls it for callbacks that are not used here.
        flags = sys.getdlopenflags()
        sys.setdlopenflags(os.RTLD_LAZY)
        try:
            return importlib.import_module("durable_rules_engine")
        finally:
            sys.setdlopenflags(flags)
    except ImportError as error:
        raise EngineError(f"durable_rules cannot be loaded: {error}") from error


def paths(node: Node) -> int:
    """In how many ways a clause can hold at once."""
    match node:
        case Or(parts):
            return sum(map(paths, parts))
        case And(parts):
            product = 1
            for part in parts:
                product *= paths(part)
            return product
    return 1


def operators(node: Node) -> int:
    """How many AND and OR a clause has."""
    return 1 + sum(map(operators, node.parts)) if isinstance(node, (And, Or)) else 0


def fnv(text: str) -> int:
    """The hash by which the core tells names and ids apart (FNV-1a, 32 bits)."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


_RESERVED = frozenset(map(fnv, ("id", "sid", "$s", "$i", "$m", "$forward", f"sid-{_SID}", "$pulse")))
_DIGITS = string.digits + string.ascii_lowercase


class _Keys:
    """Short names for a message's keys, no two with the same hash.

    A table of the core starts a search at one of 32 places and walks to the next free one. Messages are told apart
    by keys that start at the last place, so that a search for any other key ends where it begins.
    """

    def __init__(self) -> None:
        self._used = set(_RESERVED)
        self._spare: dict[int, list[str]] = {place: [] for place in range(32)}
        self._names = (
            first + "".join(rest)
            for length in itertools.count(1)
            for first in string.ascii_lowercase
            for rest in itertools.product(_DIGITS, repeat=length)
        )
        self._turn = itertools.cycle(range(31))

    def of_message(self) -> str:
        return self._at(31)

    def of_fact(self) -> str:
        return self._at(next(self._turn))

    def _at(self, place: int) -> str:
        while not self._spare[place]:
            name = next(self._names)
            if (code := fnv(name)) not in self._used:
                self._used.add(code)
                self._spare[code % 32].append(name)
        return self._spare[place].pop(0)


@dataclass(slots=True)
class _Message:
    """What is told to the core at once: the facts that some clauses of one wave ask about."""

    wave: int
    names: dict[str, None] = field(default_factory=dict)
    clauses: list[Clause] = field(default_factory=list)
    paths: int = 0


class Network:
    """Clauses compiled into one ruleset of durable_rules; never freed.

    Args:
        clauses: every clause, in any order.

    Raises:
        EngineError: durable_rules is missing, or a clause passes a limit of its core; the owner is named.
    """

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self._core = core()
        self._keys: dict[str, str] = {}
        self._source = _Keys()
        messages = _pack(clauses)
        self.waves = 1 + max((m.wave for m in messages), default=-1)
        self.blank: Board = {}
        self._meaning: dict[str, dict[str, tuple[str, str]]] = {}
        self._waves: list[tuple[Callable[[Board], tuple[str, ...]], int]] = []
        if messages:
            self._compile(messages)

    def text(self, name: str, value: int) -> str:
        """What to put on the board for ``name`` when it is ``value`` (between -LIMIT and LIMIT)."""
        return f"{self.label(name)}{value}"

    def label(self, name: str) -> str:
        """The part of `text` before the number."""
        return f',"{self._key(name)}":'

    def _key(self, name: str) -> str:
        if name not in self._keys:
            self._keys[name] = self._source.of_fact()
        return self._keys[name]

    # -- compiling --------------------------------------------------------------------------------------
    def _compile(self, messages: Sequence[_Message]) -> None:
        kinds = [self._source.of_message() for _ in messages]
        ids = ["".join(pair) for pair in itertools.islice(itertools.product(_DIGITS, repeat=2), len(messages))]
        definition: dict[str, Any] = {_RECEIPT: _rule([{kind: 1} for kind in kinds])}
        for rule, branches in zip(_rule_names(), _share_rules(messages), strict=False):
            definition[rule] = _rule([self._branch(kinds[at], c.when) for at, c in branches.items()])
            self._meaning[rule] = {ids[at]: (c.name, self.text(c.name, c.value)) for at, c in branches.items()}
        for clause in itertools.chain.from_iterable(m.clauses for m in messages):
            self.blank[clause.name] = ""
        for wave in range(self.waves):
            told: list[str] = []
            count = 0
            for at, message in enumerate(messages):
                if message.wave != wave:
                    continue
                head = f"message {at}"
                opening = "},{" if count else "[{"
                self.blank[head] = f'{opening}"id":"{_MARK}{ids[at]}","sid":"{_SID}","{kinds[at]}":1'
                self.blank.update((name, "") for name in message.names if name not in self.blank)
                told += [head, *message.names]
                count += 1
            self._waves.append((picker([*told, "end"]), count))
        self.blank["end"] = "}]"
        self._register(json.dumps(definition), f'{{"id":"{_MARK}{ids[0]}","sid":"{_SID}","{kinds[0]}":1}}')

    def _branch(self, kind: str, when: Node) -> Any:
        """One clause of a message, as durable_rules writes conditions."""
        here = {kind: 1}
        match when:
            case Const(True):
                return here
            case And(parts):
                return {"$and": [here, *map(self._condition, parts)]}
        return {"$and": [here, self._condition(when)]}

    def _condition(self, node: Node) -> Any:
        match node:
            case And(parts):
                return {"$and": [self._condition(p) for p in parts]}
            case Or(parts):
                return {"$or": [self._condition(p) for p in parts]}
            case Compare("=", Fact(name), Literal(value)):
                return {self._key(name): value}
            case Compare(op, Fact(name), Literal(value)):
                return {_OPERATORS[op]: {self._key(name): value}}
        raise TypeError(f"not part of a clause: {node!r}")

    def _register(self, definition: str, first: str) -> None:
        bytearray(8 << 20)
        with _lock:
            try:
                self._handle = self._core.create_ruleset("yyassess", definition)
                state = self._core.assert_fact(self._handle, first)[1]
                self._fired(state)
                self._core.delete_state(self._handle, _SID)
            except self._core.error as error:
                raise EngineError(f"durable_rules refuses the ruleset: {error}") from error

    # -- running ----------------------------------------------------------------------------------------
    def __enter__(self) -> Network:
        """Opens the session, for `tell`; nobody else runs any ruleset until it is closed."""
        _lock.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            if self._waves:
                self._core.delete_state(self._handle, _SID)
        except self._core.error as error:  # none was made, if the very first message failed
            if kind is None:
                raise EngineError(f"durable_rules cannot end a session: {error}") from error
        finally:
            _lock.release()

    def tell(self, wave: int, board: Board) -> None:
        """Asserts what the clauses of a wave ask about, and puts on the board what they conclude.

        Raises:
            EngineError: the core failed, or did not take every message.
        """
        pick, count = self._waves[wave]
        if not count:
            return
        try:
            result, state = self._core.assert_facts(self._handle, "".join(pick(board)))
            fired = self._fired(state)
        except self._core.error as error:
            raise EngineError(f"durable_rules failed: {error}") from error
        received = 0
        for text in fired:
            rule, ids = text[2:5], text.split(_MARK)
            if rule == _RECEIPT:
                received += len(ids) - 1
                continue
            meaning = self._meaning[rule]
            del ids[0]
            for id in ids:
                name, known = meaning[id[:2]]
                board[name] = known
        if result or received != count:
            raise EngineError(f"durable_rules took {received} of {count} messages (result {result})")

    def _fired(self, state: int) -> list[str]:
        """The actions that fired, each ``{"RULE":[{"m":MESSAGE}, …]}``."""
        complete, handle = self._core.complete_and_start_action, self._handle
        started = self._core.start_action_for_state(handle, state)
        text = started[1] if started else None
        fired = []
        while text:
            fired.append(text)
            text = complete(handle, state)
        return fired


_OPERATORS: Mapping[str, str] = {"<>": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


def picker(names: Sequence[str]) -> Callable[[Mapping[str, str]], tuple[str, ...]]:
    """A fast ``lambda board: tuple(board[n] for n in names)``."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda board: tuple(board[n] for n in names)


def _rule(branches: list[Any]) -> dict[str, Any]:
    """A rule that fires once for all messages that satisfy a branch (``cap``), instead of once for each."""
    return {"all": [{"m": branches[0] if len(branches) == 1 else {"$or": branches}}], "cap": 1000}


def _rule_names() -> Iterator[str]:
    names = map("".join, itertools.product(_DIGITS, repeat=3))
    return (name for name in names if name != _RECEIPT)


def _pack(clauses: Iterable[Clause]) -> list[_Message]:
    """Puts clauses into messages: those about the same facts together, as far as the core's stack allows."""
    messages: list[_Message] = []
    together = itertools.groupby(sorted(clauses, key=lambda c: c.wave), key=lambda c: (c.wave, c.name))
    for (wave, _), group in together:
        same = tuple(group)
        names = dict.fromkeys(itertools.chain.from_iterable(_names(c.when) for c in same))
        size = sum(paths(c.when) for c in same)
        if size > MOST_PATHS or len(names) > MOST_KEYS or any(operators(c.when) >= MOST_OPERATORS for c in same):
            raise EngineError(f"{same[0].owner} is too wide: {size} branches over {len(names)} facts; at most {MOST_PATHS}")
        free = [m for m in messages if m.wave == wave and m.paths + size <= BUDGET[wave % 2]]
        best = min(free, key=lambda m: len(names.keys() - m.names.keys()), default=None)
        if best is None or len(names.keys() | best.names.keys()) > MOST_KEYS:
            best = _Message(wave)
            messages.append(best)
            if len(messages) > MOST_MESSAGES:
                raise EngineError(f"{same[0].owner} is one too many: the ruleset needs over {MOST_MESSAGES} messages")
        best.names.update(names)
        best.clauses += same
        best.paths += size
    return messages


BUDGET = (int(os.environ.get("B0", 25)), int(os.environ.get("B1", 25)))


def _share_rules(messages: Sequence[_Message]) -> list[dict[int, Clause]]:
    """Puts clauses of different messages into one rule each, by the message's number: a session pays for each rule."""
    rules: list[tuple[int, dict[int, Clause]]] = []
    for at, message in enumerate(messages):
        for clause in message.clauses:
            need = 1 + operators(clause.when) - isinstance(clause.when, And)
            for index, (used, branches) in enumerate(rules):
                if at not in branches and used + need <= MOST_OPERATORS:
                    rules[index] = (used + need, branches | {at: clause})
                    break
            else:
                rules.append((need, {at: clause}))
        if len(rules) > MOST_RULES:
            raise EngineError(f"{clause.owner} is one too many: the ruleset needs over {MOST_RULES} rules")
    return [branches for _, branches in rules]


def _names(node: Node) -> Iterator[str]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _names(part)
        case Compare(_, Fact(name), _):
            yield name
