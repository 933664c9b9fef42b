"""Programmes written in a line for the small rulebook, and what is decided under them."""

from __future__ import annotations

from typing import Any

from yyassess import Rulebook, determine

DAY = "2026-11-22"
HEAD = """\
id: {id}
name: {{zh: 甲, en: {id}}}
kind: subsidy
status: {status}
source: {{document: notice, clause: 第二条}}
evidence: verified
{rest}"""
MORE_FACTS = """\
  months:
    type: integer
    range: [0, 600]
    can_change: true
    unit: {zh: 个月, en: months}
    name: {zh: 参保月数, en: Months insured}
  visits:
    type: integer
    range: [0, 9]
    can_change: true
    name: {zh: 次数, en: Visits}
  savings:
    type: decimal
    decimals: 2
    range: [0, 9999]
    can_change: true
    unit: {zh: 元, en: yuan}
    name: {zh: 存款, en: Savings}
  lives_in: {type: place, name: {zh: 居住地, en: Lives in}}
  scale_grade: {type: integer, range: [0, 1], grade_of: scale, name: {zh: 小量表等级, en: Grade}}
"""


def programme(
    rules: Any, id: str, *criteria: str, rest: str = "", status: str = "in_force", place: str = "national"
) -> None:
    """Writes a programme: criteria by their conditions, the rest as YAML."""
    lines = [
        f'  - {{id: c{n}, when: "{c}", say: {{zh: 条件, en: C{n}}}, evidence: verified}}\n'
        for n, c in enumerate(criteria)
    ]
    body = "criteria:\n" + "".join(lines) if criteria else "not_configured: {zh: 未知, en: Not known}\n"
    rules.write(f"{place}/{id}.yaml", HEAD.format(id=id, status=status, rest=body + rest))


def money(amount: str, unit: str = "CNY/month", id: str = "money", more: str = "") -> str:
    """One benefit row."""
    return f"  - {{id: {id}, say: {{zh: 钱, en: Money}}, amount: {amount}, unit: {unit}, evidence: verified{more}}}\n"


def with_facts(rules: Any) -> Any:
    """The small rules with facts that can change, and no programme yet."""
    (rules.path / "national/allowance.yaml").unlink()
    text = (rules.path / "vocabulary.yaml").read_text(encoding="utf-8")
    return rules.write("vocabulary.yaml", text + MORE_FACTS)


def decided(
    rules: Any, place: str = "national", on: str = DAY, grade: int | None = None, **facts: Any
) -> dict[str, Any]:
    case: dict[str, Any] = {"facts": facts}
    if grade is not None:
        case["assessments"] = [{"instrument": "scale", "date": "2026-01-31", "grade": {"level": grade}}]
    book = rules if isinstance(rules, Rulebook) else rules.load()
    return determine(case, place=place, on=on, rules=book)


def outcome(rules: Any, id: str = "a", **given: Any) -> dict[str, Any]:
    [found] = [o for o in decided(rules, **given)["outcomes"] if o["programme"] == id]
    return dict(found)
