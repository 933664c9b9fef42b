"""Clauses in durable_rules: the only place that touches that library, and the recipe for using it safely.

The library's C core is fast and its chaining is right, but misuse ends the process. Therefore:

- The core is called directly. ``durable.engine.Host`` adds timer threads that race with the caller, and swallows
  what an action raises; here the rules that fired come back as data.
- One lock around a whole session, one session at a time, always under the same ``sid`` (the core compares
  session ids by hash only), deleted when it ends, however it ends.
- A session in which no rule ever fired must not be deleted: the core would free a pointer that it never set.
  So a ruleset runs a session when it is made, which sets the pointers of the slot that all later sessions use,
  and one rule matches every message. It is the receipt: a lost message is an error, not an "unknown".
- Messages carry whole numbers only, under names made here, and every condition starts with its message's name.
- Messages have ids of their own; the core would identify them by a hash of their content.
- The core's tables have fixed sizes, and it does not always look; what could overflow one is refused here.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import string
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from operator import itemgetter
from types import TracebackType
from typing import Any

from yyassess.conditions.tree import And, Compare, Const, Fact, Literal, Node, Or

#: Numbers in clauses lie strictly between -LIMIT and LIMIT: the core keeps them in a C ``long``.
LIMIT = 2**31 - 1
#: Ways in which the clauses of one message can hold at once. The core's stack has 64 places.
MOST_PATHS = 60
#: AND and OR in one rule. Each takes two of the core's 32 places, and so does the OR between branches.
MOST_OPERATORS = 14
#: Messages and rules in a ruleset. The core's tables hold 512 and 4,096.
MOST_MESSAGES = 400
MOST_RULES = 4000
#: Facts in a message. The core holds 253 keys.
MOST_FACTS = 240
#: Clauses with more paths than this start a new message. Measured: small messages search less, but cost more.
ROOM = 25

Board = dict[str, str]
"""What is known so far: a name -> its text in a message, empty while it is not known."""

_SID = "0"
_RECEIPT = "all"
_DIGITS = string.digits + string.ascii_lowercase
# The ids of messages are of letters that occur nowhere else in what the core returns.
_MARKS = string.ascii_uppercase + "!#%&()*+./;<=>?@^_`|~"
_SYMBOLS: Mapping[str, str] = {"<>": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}

_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child must not inherit a session that another thread has open
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


# Rulesets that nobody holds any more. The next one to be made frees them: a finalizer must not wait for the lock.
_dropped: list[int] = []


class EngineError(Exception):
    """The engine cannot take a ruleset or a fact, or failed; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Clause:
    """When ``when`` holds, ``name`` becomes ``value``.

    ``when`` is of `And`, `Or`, `Const` and ``Compare(op, Fact(name), Literal(int))``. Clauses see what is on the
    board before their wave. ``owner`` says in errors whose clause it is.
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
    lazy = hasattr(sys, "setdlopenflags")
    if lazy:
        # It names a function that Python 3.13 removed, but calls it only for callbacks that are not used here.
        flags = sys.getdlopenflags()
        sys.setdlopenflags(os.RTLD_LAZY)
    try:
        return importlib.import_module("durable_rules_engine")
    except ImportError as error:
        raise EngineError(f"durable_rules cannot be loaded: {error}") from error
    finally:
        if lazy:
            sys.setdlopenflags(flags)


def paths(node: Node) -> int:
    """In how many ways a clause can hold at once."""
    match node:
        case Or(parts):
            return sum(map(paths, parts))
        case And(parts):
            return prod(map(paths, parts))
    return 1


def operators(node: Node) -> int:
    """How many AND and OR a clause has."""
    return 1 + sum(map(operators, node.parts)) if isinstance(node, (And, Or)) else 0


class Network:
    """Clauses compiled into one ruleset of durable_rules: about 500 KiB for four programmes, 3 MiB for forty.

    A session is ``with network: network.tell(0, board); network.tell(1, board); …``; all networks of a process
    take turns.

    Args:
        clauses: every clause, in any order.

    Raises:
        EngineError: durable_rules is missing, or a clause passes a limit of its core; the owner is named.
    """

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self._core = core()
        self._names = _Names()
        self._keys: dict[str, str] = {}
        messages = _pack(clauses)
        self.waves = 1 + max((m.wave for m in messages), default=-1)
        self.blank: Board = {}
        self._waves: list[tuple[Callable[[Board], tuple[str, ...]], int]] = []
        self._meaning: dict[str, list[tuple[str, str, str]]] = {}
        if messages:
            self._compile(messages)

    def text(self, name: str, value: int) -> str:
        """What stands on the board for ``name`` when it is ``value``."""
        return sys.intern(f"{self.label(name)}{value}")

    def label(self, name: str) -> str:
        """The part of `text` before the number."""
        if name not in self._keys:
            self._keys[name] = self._names.of_fact()
        return f',"{self._keys[name]}":'

    # -- compiling ----------------------------------------------------------------------------------------
    def _compile(self, messages: Sequence[_Message]) -> None:
        letters = itertools.product(_MARKS, repeat=1 if len(messages) <= len(_MARKS) else 2)
        marks = list(map("".join, itertools.islice(letters, len(messages))))
        kinds = [self._names.of_message() for _ in messages]
        heads = [f'{{"id":"{m}","sid":"{_SID}","{k}":1' for m, k in zip(marks, kinds, strict=True)]
        rules: dict[str, Any] = {_RECEIPT: _rule([{kind: 1} for kind in kinds])}
        names = (name for name in map("".join, itertools.product(_DIGITS, repeat=3)) if name != _RECEIPT)
        for name, branches in zip(names, _share(messages), strict=False):
            rules[name] = _rule([self._branch(kinds[at], c.when) for at, c in branches])
            self._meaning[name] = [(marks[at], c.name, self.text(c.name, c.value)) for at, c in branches]
        for wave in range(self.waves):
            told = [at for at, message in enumerate(messages) if message.wave == wave]
            self._waves.append((self._wave(told, heads, messages), len(told)))
        self._register(json.dumps(rules), heads[0] + "}")

    def _wave(
        self, told: Sequence[int], heads: Sequence[str], messages: Sequence[_Message]
    ) -> Callable[[Board], tuple[str, ...]]:
        """What picks the text of a wave's messages from a board, which holds their fixed parts too."""
        order: list[str] = []
        for at in told:
            head = f"message {at}"
            self.blank[head] = ("},{" if order else "[{") + heads[at][1:]
            self.blank |= {name: "" for name in (*messages[at].facts, *(c.name for c in messages[at].clauses))}
            order += [head, *messages[at].facts]
        self.blank["end"] = "}]"
        return picker([*order, "end"])

    def _branch(self, kind: str, when: Node) -> Any:
        """A clause in a rule: it holds for the messages of one name."""
        match when:
            case Const(True):
                return {kind: 1}
            case And(parts):
                return {"$and": [{kind: 1}, *map(self._condition, parts)]}
        return {"$and": [{kind: 1}, self._condition(when)]}

    def _condition(self, node: Node) -> Any:
        match node:
            case And(parts):
                return {"$and": [self._condition(p) for p in parts]}
            case Or(parts):
                return {"$or": [self._condition(p) for p in parts]}
            case Compare(op, Fact(name), Literal(value)):
                self.label(name)
                equal = {self._keys[name]: value}
                return equal if op == "=" else {_SYMBOLS[op]: equal}
        raise TypeError(f"not part of a clause: {node!r}")

    def _register(self, rules: str, message: str) -> None:
        # Once a block of this size was freed, glibc keeps as much at hand for the next session, instead of
        # returning the memory of each session to the kernel: a session takes half the time.
        bytearray(8 << 20)
        with _lock:
            try:
                while _dropped:
                    self._core.delete_ruleset(_dropped.pop())
                self._handle = self._core.create_ruleset("yyassess", rules)
                weakref.finalize(self, _dropped.append, self._handle)
                self._fired(self._core.assert_fact(self._handle, message)[1])
                self._core.delete_state(self._handle, _SID)
            except self._core.error as error:
                raise EngineError(f"durable_rules refuses the ruleset: {error}") from error

    # -- running ------------------------------------------------------------------------------------------
    def __enter__(self) -> Network:
        """Starts a session; no other runs until it ends."""
        _lock.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if self._waves:
                self._core.delete_state(self._handle, _SID)
        except self._core.error as failure:
            if kind is None:  # otherwise the session may have failed before it was there
                raise EngineError(f"durable_rules cannot end a session: {failure}") from failure
        finally:
            _lock.release()

    def tell(self, wave: int, board: Board) -> None:
        """Asserts what the clauses of a wave ask for, and puts on the board what they conclude.

        Raises:
            EngineError: durable_rules failed, or did not take every message.
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
            rule = text[2:5]
            if rule == _RECEIPT:
                received += text.count('"id"')
                continue
            for mark, name, known in self._meaning[rule]:
                if mark in text:
                    board[name] = known
        if result or received != count:
            raise EngineError(f"durable_rules took {received} of {count} messages (result {result})")

    def _fired(self, state: int) -> list[str]:
        """The rules that fired, each ``{"RULE":[{"m":MESSAGE}, …]}``."""
        complete, handle = self._core.complete_and_start_action, self._handle
        started = self._core.start_action_for_state(handle, state)
        text = started[1] if started else None
        fired = []
        while text:
            fired.append(text)
            text = complete(handle, state)
        return fired


def picker(names: Sequence[str]) -> Callable[[Board], tuple[str, ...]]:
    """A fast ``lambda board: tuple(board[n] for n in names)``."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda board: tuple(board[n] for n in names)


# -- clauses into messages and rules ----------------------------------------------------------------------
@dataclass(slots=True)
class _Message:
    """What the core is told at once: the facts that some clauses of one wave ask for."""

    wave: int
    facts: dict[str, None] = field(default_factory=dict)
    clauses: list[Clause] = field(default_factory=list)
    paths: int = 0


def _pack(clauses: Iterable[Clause]) -> list[_Message]:
    """Puts clauses about the same facts into the same message, as far as there is room."""
    subjects: dict[tuple[int, str], list[Clause]] = {}
    for clause in clauses:
        subjects.setdefault((clause.wave, clause.name), []).append(clause)
    messages: list[_Message] = []
    for (wave, _), same in subjects.items():
        facts = dict.fromkeys(itertools.chain.from_iterable(_facts(c.when) for c in same))
        size = sum(paths(c.when) for c in same)
        owner = same[0].owner
        if size > MOST_PATHS or len(facts) > MOST_FACTS or max(operators(c.when) for c in same) >= MOST_OPERATORS:
            raise EngineError(f"{owner} is too wide: {size} branches over {len(facts)} facts, at most {MOST_PATHS}")
        free = [
            m for m in messages
            if m.wave == wave and m.paths + size <= ROOM and len(m.facts | facts) <= MOST_FACTS
        ]  # fmt: skip
        best = min(free, key=lambda m: len(m.facts | facts) - len(m.facts), default=None)
        if best is None:
            best = _Message(wave)
            messages.append(best)
            if len(messages) > MOST_MESSAGES:
                raise EngineError(f"{owner} is one too many: at most {MOST_MESSAGES} messages fit a ruleset")
        best.facts |= facts
        best.clauses += same
        best.paths += size
    return messages


def _facts(node: Node) -> Iterator[str]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _facts(part)
        case Compare(_, Fact(name), _):
            yield name


def _share(messages: Sequence[_Message]) -> list[list[tuple[int, Clause]]]:
    """Rules, each of clauses of different messages (given by number): every session pays for every rule."""
    rules: list[list[tuple[int, Clause]]] = []
    used: list[int] = []
    for at, message in enumerate(messages):
        for clause in message.clauses:
            need = operators(clause.when) + (not isinstance(clause.when, And))
            for rule, branches in enumerate(rules):
                if branches[-1][0] != at and used[rule] + need <= MOST_OPERATORS:
                    branches.append((at, clause))
                    used[rule] += need
                    break
            else:
                rules.append([(at, clause)])
                used.append(need)
                if len(rules) > MOST_RULES:
                    raise EngineError(f"{clause.owner} is one too many: at most {MOST_RULES} rules fit a ruleset")
    return rules


def _rule(branches: Sequence[Any]) -> dict[str, Any]:
    """A rule that fires once for all the messages that satisfy a branch (``cap``), not once for each."""
    return {"all": [{"m": branches[0] if len(branches) == 1 else {"$or": branches}}], "cap": 1000}


# -- names ------------------------------------------------------------------------------------------------
def fnv(text: str) -> int:
    """The hash by which the core tells names and ids apart (FNV-1a, 32 bits)."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


_RESERVED = frozenset(map(fnv, ("id", "sid", "$s", "$i", "$m", "$forward")))


class _Names:
    """Short names for the keys of messages, no two with the same hash.

    The core's tables start a search at one of 32 places and walk on to the next free one. The names of messages
    all start at the last place, so that in the table of messages the search for any fact ends where it begins.
    """

    def __init__(self) -> None:
        self._used = set(_RESERVED)
        self._spare: dict[int, list[str]] = {place: [] for place in range(32)}
        self._candidates = (
            first + "".join(rest)
            for length in itertools.count(1)
            for first in string.ascii_lowercase
            for rest in itertools.product(_DIGITS, repeat=length)
        )
        self._turns = itertools.cycle(range(31))

    def of_message(self) -> str:
        return self._at(31)

    def of_fact(self) -> str:
        return self._at(next(self._turns))

    def _at(self, place: int) -> str:
        while not self._spare[place]:
            name = next(self._candidates)
            code = fnv(name)
            if code not in self._used:
                self._used.add(code)
                self._spare[code % 32].append(name)
        return self._spare[place].pop(0)
