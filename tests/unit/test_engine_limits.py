"""How clauses are put into messages and rules of durable_rules: full up to each limit of its core, and never beyond."""

from __future__ import annotations

from typing import Any

import pytest

from yyassess.conditions.tree import And, Compare, Const, Fact, Literal, Node, Or
from yyassess.entitlement import durable_host
from yyassess.entitlement.durable_host import Clause, EngineError, Network, operators, paths


def is_one(name: str) -> Node:
    return Compare("=", Fact(name), Literal(1))


def any_of(*names: str) -> Node:
    return Or(tuple(map(is_one, names)))


def clause(name: str, when: Node, wave: int = 0, value: int = 1) -> Clause:
    return Clause(wave, name, value, when, f"the clause {name}")


def packed(*clauses: Clause) -> list[tuple[int, list[str], list[str], int]]:
    """The messages: wave, facts, clauses, ways in which they can hold."""
    return [(m.wave, list(m.facts), [c.name for c in m.clauses], m.paths) for m in durable_host._pack(clauses)]


def test_ways_and_operators_are_counted() -> None:
    both = And((any_of("a", "b"), any_of("c", "d", "e"), is_one("f")))
    assert [paths(n) for n in (is_one("a"), Const(True), any_of("a", "b"), both)] == [1, 1, 2, 6]
    assert [operators(n) for n in (is_one("a"), any_of("a", "b"), both, Or((both, is_one("g"))))] == [0, 1, 3, 4]


def test_clauses_share_the_message_whose_facts_they_read_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_host, "ROOM", 3)
    first, second = clause("x", any_of("a", "b")), clause("y", is_one("a"))
    assert packed(first, second) == [(0, ["a", "b"], ["x", "y"], 3)]
    third = clause("z", is_one("a"))
    assert packed(first, second, third) == [(0, ["a", "b"], ["x", "y"], 3), (0, ["a"], ["z"], 1)]
    apart = [clause("x", any_of("a", "b")), clause("y", any_of("c", "d")), clause("z", is_one("c"))]
    assert packed(*apart) == [(0, ["a", "b"], ["x"], 2), (0, ["c", "d"], ["y", "z"], 3)], "the one that grows least"


def test_clauses_of_another_wave_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packed(clause("x", is_one("a")), clause("y", is_one("a"), wave=1)) == [
        (0, ["a"], ["x"], 1),
        (1, ["a"], ["y"], 1),
    ]
    assert Network([clause("x", is_one("a")), clause("y", is_one("x"), wave=1)]).waves == 2
    assert Network([]).waves == 0


def test_two_values_of_one_name_stand_in_one_message() -> None:
    true, false = clause("x", any_of("a", "b")), clause("x", And((is_one("c"), is_one("d"))), value=0)
    assert packed(true, false) == [(0, ["a", "b", "c", "d"], ["x", "x"], 3)]


@pytest.mark.parametrize(
    ("limit", "fits", "too_much"),
    [
        ("MOST_PATHS", any_of("a", "b", "c"), any_of("a", "b", "c", "d")),
        ("MOST_FACTS", And(tuple(map(is_one, "abc"))), And(tuple(map(is_one, "abcd")))),
        ("MOST_OPERATORS", And((any_of("a", "b"), is_one("c"))), And((any_of("a", "b"), any_of("c", "d")))),
    ],
)
def test_a_clause_may_be_as_wide_as_the_limit_and_no_wider(
    monkeypatch: pytest.MonkeyPatch, limit: str, fits: Node, too_much: Node
) -> None:
    monkeypatch.setattr(durable_host, limit, 3)
    assert len(packed(clause("x", fits))) == 1
    with pytest.raises(EngineError, match="the clause x is too wide"):
        packed(clause("x", too_much))


def test_a_message_takes_no_more_facts_than_the_core_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_host, "MOST_FACTS", 3)
    assert len(packed(clause("x", any_of("a", "b")), clause("y", is_one("c")))) == 1
    assert len(packed(clause("x", any_of("a", "b")), clause("y", any_of("c", "d")))) == 2


def test_a_ruleset_takes_as_many_messages_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_host, "MOST_MESSAGES", 2)
    monkeypatch.setattr(durable_host, "ROOM", 1)
    clauses = [clause(name, is_one(name * 2)) for name in "xyz"]
    assert len(packed(*clauses[:2])) == 2
    with pytest.raises(EngineError, match="the clause z is one too many: at most 2 messages"):
        packed(*clauses)


def shared(*clauses: Clause) -> list[list[str]]:
    return [[c.name for _, c in rule] for rule in durable_host._share(durable_host._pack(clauses))]


def test_a_rule_serves_clauses_of_different_messages_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_host, "ROOM", 1)
    clauses = [clause(name, is_one(name * 2)) for name in "vwxyz"]
    assert shared(*clauses) == [["v", "w", "x", "y", "z"]]
    monkeypatch.setattr(durable_host, "MOST_OPERATORS", 3)
    assert shared(*clauses) == [["v", "w", "x"], ["y", "z"]]
    monkeypatch.setattr(durable_host, "MOST_RULES", 2)
    assert len(shared(*clauses)) == 2
    monkeypatch.setattr(durable_host, "MOST_RULES", 1)
    with pytest.raises(EngineError, match="at most 1 rules"):
        shared(*clauses)


def test_clauses_of_one_message_never_share_a_rule() -> None:
    assert shared(clause("x", is_one("a")), clause("y", is_one("a"))) == [["x"], ["y"]]


def test_the_limits_keep_clear_of_the_tables_of_the_core() -> None:
    """Its stack has 64 places for ways, 32 for operators (two each); its tables 512 messages, 4,096 rules, 253 keys."""
    assert durable_host.MOST_PATHS < 64 and 2 * durable_host.MOST_OPERATORS < 32
    assert durable_host.MOST_MESSAGES < 512 and durable_host.MOST_RULES < 4096 and durable_host.MOST_FACTS < 253
    assert durable_host.ROOM <= durable_host.MOST_PATHS


def test_what_holds_is_put_on_the_board_wave_by_wave() -> None:
    network = Network(
        [clause("x", is_one("a")), clause("y", And((is_one("x"), is_one("b"))), wave=1), clause("z", Const(True))]
    )

    def told(**known: int) -> dict[str, Any]:
        board = dict(network.blank) | {name: network.text(name, value) for name, value in known.items()}
        with network:
            for wave in range(network.waves):
                network.tell(wave, board)
        return {name: board[name] == network.text(name, 1) for name in "xyz"}

    assert told(a=1, b=1) == {"x": True, "y": True, "z": True}
    assert told(a=1, b=0) == {"x": True, "y": False, "z": True}
    assert told(b=1) == {"x": False, "y": False, "z": True}
    with pytest.raises(TypeError, match="not part of a clause"):
        Network([clause("x", "a")])  # type: ignore[arg-type]
