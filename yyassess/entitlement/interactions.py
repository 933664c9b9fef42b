"""How outcomes affect one another (衔接): what may not be combined, what gives way to what."""

from __future__ import annotations

from typing import Any

from yyassess.entitlement.plan import ReadyRuleset


def settle(machine: ReadyRuleset, outcomes: dict[str, dict[str, Any]]) -> None:
    """Write each interaction that touches an outcome into it, and into its counterpart.

    "Higher one only" compares amounts of the same unit; where they cannot be compared both stay, marked to ask.
    """
    for id, programme in machine.programmes.items():
        mine = outcomes[id]
        for interaction in programme.standing.programme.interactions:
            other = outcomes.get(interaction.programme)
            if other is None:
                continue
            entry: dict[str, Any] = {
                "kind": interaction.kind,
                "with": interaction.programme,
                "say": interaction.say,
                "evidence": interaction.evidence.mark,
                "applies": mine["status"] == "eligible" and other["status"] == "eligible",
            }
            if entry["applies"] and interaction.kind == "higher_only":
                _higher_only(id, mine, interaction.programme, other, entry)
            elif entry["applies"] and interaction.kind in ("cannot_combine", "suspends"):
                loser, winner = (mine, interaction.programme) if interaction.kind == "cannot_combine" else (other, id)
                _drop(loser, winner, entry)
            mine["interactions"].append(entry)


def _higher_only(id: str, mine: dict[str, Any], other_id: str, other: dict[str, Any], entry: dict[str, Any]) -> None:
    first, second = _comparable(mine), _comparable(other)
    if first is None or second is None or first[1] != second[1]:
        entry["result"] = "ask"
        return
    loser, winner = (mine, other_id) if first[0] < second[0] else (other, id)
    _drop(loser, winner, entry)


def _drop(loser: dict[str, Any], winner: str, entry: dict[str, Any]) -> None:
    entry["result"] = {"dropped": loser["programme"], "for": winner}
    loser["dropped_for"] = winner
    loser["would_have"] = loser["benefits"]


def _comparable(outcome: dict[str, Any]) -> tuple[Any, str] | None:
    """The one amount of an outcome, with its unit; None while a row of it, or a figure, is not known."""
    rows = [b for b in outcome["benefits"] if "unit" in b and not b.get("guide")]
    if len({b["unit"] for b in rows}) != 1 or any(b["amount"] is None or "depends_on" in b for b in rows):
        return None
    return sum(b["amount"] for b in rows), rows[0]["unit"]
