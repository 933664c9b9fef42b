"""A made-up town whose rules use every scoring kind and every kind of programme text, shipped rules or not.

The shipped rules leave some forms of the rule files unused (a mean, a figure that is not known yet, facts compared with
one another, two equally small changes). What evaluates rules must be right for a city's own rules as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from yyassess import Rulebook

TOWN, DAY = "town", "2026-06-01"


def said(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def fact(type: str, **rest: Any) -> dict[str, Any]:
    return {"type": type, "name": said("事实", "Fact"), **rest}


MONTHS = {"range": [0, 60], "can_change": True, "unit": said("个月", "months")}
VOCABULARY = {
    "facts": {
        "birth_date": fact("date", person=True),
        "age": fact("integer", range=[0, 130], derive="AGE_ON(birth_date, on_day)"),
        "home": fact("place", person=True),
        "coma": fact("boolean"),
        "confused": fact("boolean"),
        "visits": fact("integer", range=[0, 3]),
        "falls": fact("code", codes={c: {**said(c, c), "number": n} for n, c in enumerate(("never", "once", "twice"))}),
        "months": fact("integer", **MONTHS),
        "weeks": fact("integer", **MONTHS),
        "savings": fact("decimal", decimals=1, range=[0, 9], can_change=True),
        "rooms": fact("integer", range=[0, 30]),
        "persons": fact("integer", range=[0, 30]),
        "income": fact("decimal", decimals=2, range=[0, 9999], can_change=True, unit=said("元", "yuan")),
        "price": fact("decimal", decimals=2, range=[0, 9999]),
        "scheme": fact("code", codes={c: said(c, c) for c in ("employee", "resident", "none")}),
        "partner_scheme": fact("code", codes={c: said(c, c) for c in ("resident", "employee", "other")}),
        "illnesses": fact("codes", codes={c: said(c, c) for c in ("dementia", "stroke", "other")}),
        "grade": fact("integer", grade_of="scale"),
        "word": fact("code", code_of="scale", codes={f"l{n}": said(f"{n}级", f"Level {n}") for n in range(4)}),
    }
}

OPTIONS = [{"score": n, "say": said(f"{n}", f"{n}")} for n in (0, 0.5, 1, 2)]
ENTERED = {"range": [0, 10], "decimals": 1}


def item(id: str, **rest: Any) -> dict[str, Any]:
    return {"id": id, "name": said(id, id), **({"ladder": "steps"} if "range" not in rest else {}), **rest}


def step(id: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"id": id, "kind": kind, "name": said(id, id), "evidence": "verified", **rest}


def moves(id: str, when: str, **how: Any) -> dict[str, Any]:
    return {"id": id, "when": when, "source": {"document": "notice"}, "evidence": "single", "say": said(id, id), **how}


SCALE: dict[str, Any] = {
    "id": "scale",
    "place": "city",
    "name": said("量表", "Scale"),
    "short": said("量", "Scale"),
    "kind": "ability",
    "source": {"document": "notice"},
    "evidence": "verified",
    "licence": {
        "owner": said("公开", "public"),
        "status": "government",
        "items": "shipped",
        "say": said("可用", "may be used"),
        "verified_on": "2020-01",
        "evidence": "verified",
    },
    "higher_score": "worse",
    "respondent": ["person"],
    "levels": [{"level": n, "code": f"l{n}", "name": said(f"{n}级", f"Level {n}")} for n in range(4)],
    "ladders": {"steps": OPTIONS},
    "dimensions": [
        {"id": "body", "name": said("身体", "Body"), "items": [item("eating"), item("walking"), item("dressing")]},
        {
            "id": "mind",
            "name": said("精神", "Mind"),
            "items": [
                item("memory", evidence="single"),
                item("speech", optional=True),
                item("wandering", applies_when="walking <= 0.5"),
            ],
        },
        {"id": "hours", "name": said("时间", "Hours"), "items": [item("asleep", **ENTERED), item("alone", **ENTERED)]},
    ],
    "context": [
        {"fact": "coma", "if_not_given": False},
        {"fact": "confused"},
        {"fact": "visits"},
        {"fact": "falls", "if_not_given": "never", "matters_when": "eating >= 1"},
        {"fact": "illnesses", "if_not_given": []},
        {"fact": "age"},
    ],
    "settings": [
        {"id": "limit", "choices": [1.5, 2, 3], "say": said("界限", "Limit")},
        {"id": "strict", "choices": [True, False], "default": False, "say": said("从严", "Strict")},
    ],
    "steps": [
        step("body_sum", "sum", dimension="body"),
        step(
            "mind_sum",
            "sum",
            items=["memory", "wandering"],
            of=["falls"],
            reverse={"items": ["eating"], "minuend": 2},
            bonus=[{"when": "strict", "add": 0.5, "say": said("加", "added"), "evidence": "decision"}],
            at_least=1,
            at_most=5.5,
        ),
        step("average", "mean", items=["eating", "walking", "dressing", "memory"], answered=3, decimals=1),
        step("many", "count", items=["eating", "walking", "wandering"], when="value >= 1"),
        step("worst", "extreme", of=["eating", "walking", "memory"]),
        step("best", "extreme", of=["eating", "walking"], pick="least"),
        step("often", "mode", items=["eating", "walking", "dressing"], when="value <> 2", tie_nearest="memory"),
        step(
            "row", "band", of="average", cuts=[{"at": 0, "level": 0}, {"at": 0.4, "level": 1}, {"at": 1.3, "level": 2}]
        ),
        step(
            "column",
            "band",
            of="asleep",
            cuts=[{"at": 1, "level": 0}, {"at": 5, "level": 1}],
            names={0: said("少", "little"), 1: said("多", "much")},
        ),
        step("table", "matrix", rows="row", columns="column", cells=[[0, 1], [1, 1], [2, 3]]),
        step(
            "preliminary",
            "rules",
            report=False,
            rules=[
                {"when": "average > limit", "value": 3},
                {"when": "mind_sum >= 5 AND visits >= 2", "value": "row"},
                {"when": "many = 3 OR asleep + alone > 12.5", "value": "table"},
                {"when": "often = 0.5", "value": "unknown"},
                {"value": "table"},
            ],
        ),
    ],
    "grade": "preliminary",
    "raise_once": False,
    "adjustments": [
        moves("asleep_all_day", "coma AND asleep >= 9.5", set_level=3, without_items=True),
        moves("coma_worst", "coma", set_level=2),
        moves("confused_up", "confused", raise_by=1),
        moves("ill_up", "CONTAINS(illnesses, 'dementia') OR age >= 80", raise_by=2),
    ],
    "decisions": [
        {
            "id": "d1",
            "point": said("点", "Point"),
            "taken": said("取", "Taken"),
            "reason": said("因", "Reason"),
            "when": "raise_triggers >= 1",
        }
    ],
    "hints": [
        {"id": "h1", "when": "eating > walking", "say": said("请核对", "Check"), "severity": "block"},
        {"id": "h2", "when": "missing_items > 2", "items": ["eating"], "say": said("缺", "Missing")},
    ],
}


MARKS: dict[str, Any] = {"unknown": "unknown", "coma": {"mark": "recall", "confidence": "mid"}}


def programme(id: str, *criteria: str, **rest: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": said(id, id),
        "kind": "subsidy",
        "status": "in_force",
        "source": {"document": "notice"},
        "evidence": "verified",
        "criteria": [
            {"id": f"c{n}", "when": when, "say": said(when, when), "evidence": MARKS.get(when, "single")}
            for n, when in enumerate(criteria)
        ],
        **rest,
    }


def money(id: str, amount: Any, **rest: Any) -> dict[str, Any]:
    return {"id": id, "say": said(id, id), "amount": amount, "unit": "CNY/month", "evidence": "verified", **rest}


def towards(kind: str, other: str) -> dict[str, Any]:
    return {"kind": kind, "programme": other, "say": said(kind, kind), "evidence": "verified"}


def service(phase: str, **rest: Any) -> dict[str, Any]:
    return {"say": said(phase, phase), "phase": phase, **rest}


DATED = [
    {"from": "2020-01-01", "value": 100},
    {"from": "2026-07-01", "value": "unknown"},
    {"from": "2027-01-01", "value": 150.5},
]
PROGRAMMES = [
    programme(
        "a-fixed", "grade >= 1", benefits=[money("m", 100), money("g", 999, guide=True)], services=[service("home")]
    ),
    programme(
        "b-formula",
        "months >= 6",
        benefits=[money("m", "LEAST(months * 5, price * 0.35)"), money("n", 20, when="scheme = 'employee'")],
        interactions=[towards("higher_only", "a-fixed")],
        services=[service("money"), service("prevention", when="confused")],
    ),
    programme(
        "c-barred", "scheme <> 'none'", interactions=[towards("cannot_combine", "a-fixed")], benefits=[money("m", 1)]
    ),
    programme("d-first", "coma", interactions=[towards("suspends", "c-barred"), towards("offset", "a-fixed")]),
    programme(
        "e-dated", "weeks <> 24", benefits=[money("m", DATED)], warn_after="2026-12-31", services=[service("hospice")]
    ),
    programme("f-together", "months + weeks >= 30", "savings > 2.5", interactions=[towards("requires", "e-dated")]),
    programme("g-few-rooms", "rooms < persons", "rooms >= 1", "NOT (confused AND coma)"),
    programme("h-poor", "income - price <= 0.5 OR income < 100.25", "scheme = partner_scheme"),
    programme(
        "i-here", "LIES_IN(home, 'city') AND age BETWEEN 60 AND 79", status="announced", services=[service("community")]
    ),
    programme("j-open", "unknown", "months < 12", not_configured=said("没有公布", "Not published")),
    programme(
        "k-graded",
        "grade IN (1, 2, 3)",
        "word <> 'l3'",
        valid_for={"months": 6, "evidence": "verified", "say": said("半年", "Half a year")},
        reassess={"months_at_most": 5, "evidence": "decision"},
        effects=[
            {"when": "confused", "effect": "suspend", "say": said("中止", "Suspended"), "evidence": "verified"},
            {"when": "coma", "effect": "end", "say": said("终止", "Ended"), "evidence": "verified"},
            {"effect": "end", "say": said("死亡", "Death"), "evidence": "verified"},
        ],
        services=[service("institution")],
    ),
    programme(
        "l-lists", "CONTAINS(illnesses, 'stroke') OR NOT CONTAINS(illnesses, 'other')", "birth_date < '1950-03-01'"
    ),
    programme(
        "m-asks",
        "ELIGIBLE('a-fixed') OR NOT ELIGIBLE('j-open')",
        benefits=[money("m", 5, when="ELIGIBLE('g-few-rooms')")],
    ),
    programme("n-later", "months > 3", in_force={"from": "2026-09-01"}),
    programme("o-exact", "months BETWEEN 10 AND 12 OR months = 40", "savings * 1.1 = 3.3"),
]

PLACES = [
    {"id": "city", "code": "330900", "name": said("市", "City"), "level": "city", "aliases": ["海市"]},
    {"id": "town", "code": "330901", "name": said("镇", "Town"), "level": "district", "within": "city"},
    {"id": "other", "code": "440000", "name": said("别处", "Elsewhere"), "level": "province"},
]
ALIAS = {**programme("p-same"), "same_as": "b-formula"}


class Plain(yaml.SafeDumper):
    """YAML without anchors, which rule files may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def made_up(folder: Path) -> Rulebook:
    """The rulebook of the town, written into a folder and read from there."""
    notice = {"title": said("通知", "Notice"), "number": "1", "date": "2020-01-01", "evidence": "verified"}
    files = {
        "vocabulary.yaml": VOCABULARY,
        "sources.yaml": {"documents": {"notice": notice}},
        "instruments/scale.yaml": SCALE,
        "town/place.yaml": {"places": PLACES, "programmes_of": "town"},
        **{f"town/{p['id']}.yaml": p for p in [*PROGRAMMES, ALIAS]},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.dump(content, Dumper=Plain, allow_unicode=True), encoding="utf-8")
    return Rulebook.load(folder, shipped=False, cache=False)
