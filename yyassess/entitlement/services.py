"""The plan (梯度服务序列): the services that the outcomes open, in the order of the phases of care."""

from __future__ import annotations

from typing import Any

from yyassess.entitlement.plan import ReadyRuleset

PHASES = ("prevention", "money", "home", "community", "institution", "treatment", "hospice")


def service_plan(
    machine: ReadyRuleset, outcomes: dict[str, dict[str, Any]], facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """The ordered services of eligible programmes; announced ones are marked as such."""
    found = []
    for id, programme in machine.programmes.items():
        outcome = outcomes[id]
        if outcome["status"] != "eligible" or "dropped_for" in outcome or "ended" in outcome:
            continue
        for service, holds in programme.services:
            if holds is None or holds(facts):
                found.append((PHASES.index(service.phase), id, service, outcome))
    found.sort(key=lambda f: f[:2])
    return [
        {
            "order": place,
            "service": service.say,
            "phase": service.phase,
            "because": id,
            **({"announced": True} if outcome["standing"] == "announced" else {}),
            **({"suspended": outcome["suspended"]["say"]} if "suspended" in outcome else {}),
        }
        for place, (_, id, service, outcome) in enumerate(found, 1)
    ]
