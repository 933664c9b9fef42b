"""Strategies for `hypothesis`: answer sheets, cases and whole rulesets, to test rules (yours or ours) with.

    from hypothesis import given
    from yyassess import assess, determine
    from yyassess.testing import cases, requests

    @given(requests("gbt-42195-2022"))
    def test_every_sheet_has_a_grade(request):
        assert assess("gbt-42195-2022", request)["grade"]

    @given(cases("zhoushan", on="2026-11-22"))
    def test_nobody_is_refused_for_being_unknown(case):
        ...

Counterexamples shrink to few facts, the best answers and the first values. Needs the ``hypothesis`` package.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from yyassess.assessment.question import Question
from yyassess.assessment.scoring import scorer, shared
from yyassess.assurance.people import asked_facts, asked_grades, constants, derived_from, telling_values
from yyassess.assurance.situations import newest_document, turning_days
from yyassess.assurance.wording import sql_of
from yyassess.conditions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Contains,
    Fact,
    Flag,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
)
from yyassess.rulebook.book import Rulebook, Ruleset
from yyassess.rulebook.vocabulary import read_date

__all__ = ["DrawnRuleset", "answers", "cases", "conditions", "contexts", "requests", "rulesets"]

Json = dict[str, Any]


# -- instruments --------------------------------------------------------------------------------------------------------
def answers(instrument: str, *, rules: Rulebook | None = None, missing: bool = False) -> st.SearchStrategy[Json]:
    """Answer sheets: item -> answer, each one that the instrument allows.

    Args:
        instrument: its id.
        rules: a rulebook; the shipped one if left out.
        missing: answers may be missing; otherwise every item is answered (optional ones too).
    """
    questions = scorer(rules or shared(), instrument).questions
    items = {id: _choices(question) for id, question in questions.items()}
    return st.fixed_dictionaries({}, optional=items) if missing else st.fixed_dictionaries(items)


def _choices(question: Question) -> st.SearchStrategy[Any]:
    """The answers of an item, the best first: a counterexample has as many of those as it can."""
    if question.range is None:
        listed = [_json(a) for a in question.points]
        return st.sampled_from(listed if _json(question.best) == listed[0] else listed[::-1])
    low, high = question.range
    scale = 10**question.item.decimals
    numbers = st.integers(low * scale, high * scale)
    return numbers if scale == 1 else numbers.map(lambda n: n / scale)


def contexts(instrument: str, *, rules: Rulebook | None = None) -> st.SearchStrategy[Json]:
    """The context facts an instrument reads beside its items; any of them may be missing."""
    book = rules or shared()
    machine, trees = scorer(book, instrument), book.trees.get(instrument, {})
    named, day = constants(trees.values()), newest_document(book)
    facts = {use.fact: machine.facts[use.fact] for use in machine.instrument.context}
    values = {n: telling_values(f, named.get(n, set()), book, day) for n, f in facts.items()}
    return st.fixed_dictionaries({}, optional={n: st.sampled_from(v) for n, v in values.items() if v})


@st.composite
def requests(
    draw: st.DrawFn, instrument: str, *, rules: Rulebook | None = None, missing: bool = False, on: dt.date | None = None
) -> Json:
    """Whole requests for `yyassess.assess`: answers, context, and every setting that an assessment may choose."""
    book = rules or shared()
    it = book.instruments[instrument]
    chosen = {s.id: _json(draw(st.sampled_from(s.choices))) for s in it.settings if not s.deployment}
    request: Json = {
        "date": (on or newest_document(book)).isoformat(),
        "answers": draw(answers(instrument, rules=book, missing=missing)),
        "context": draw(contexts(instrument, rules=book)),
    }
    return {**request, "settings": chosen} if chosen else request


# -- cases --------------------------------------------------------------------------------------------------------------
def cases(
    place: str, *, on: dt.date | str | None = None, rules: Rulebook | None = None, known: bool = False
) -> st.SearchStrategy[Json]:
    """People as the programmes of a place see them: facts and grades that tell the rules apart.

    Args:
        place: the id of a place.
        on: the day asked about; the last day on which the rules of the place change, if left out.
        rules: a rulebook; the shipped one if left out.
        known: every fact is known; otherwise any of them may be missing.
    """
    book = rules or shared()
    day = read_date(on) if on is not None else turning_days(book, place, None)[-1]
    return _cases(book.at(place, day), known)


@lru_cache(maxsize=64)
def _cases(ruleset: Ruleset, known: bool) -> st.SearchStrategy[Json]:
    book = ruleset.book
    asked = asked_facts(ruleset)
    inputs = derived_from(book, asked)
    parts: dict[str, dict[str, st.SearchStrategy[Any]]] = {"person": {}, "facts": {}}
    for name, values in asked.items():
        fact = book.facts[name]
        if values and name not in inputs and not (fact.grade_of or fact.code_of):
            parts["person" if fact.person else "facts"][name] = st.sampled_from(values)
    graded = asked_grades(ruleset, asked)
    day = ruleset.on.isoformat()
    assessed = [
        st.sampled_from([{"instrument": id, "date": day, "grade": {"level": n}} for n in levels])
        for id, levels in graded.items()
    ]
    assessments = st.tuples(*assessed).map(list) if known else st.tuples(*map(_or_none, assessed)).map(_given)
    people = {key: _mapping(values, known) for key, values in parts.items()}
    return st.fixed_dictionaries({**people, "assessments": assessments})


def _mapping(values: dict[str, st.SearchStrategy[Any]], known: bool) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(values) if known else st.fixed_dictionaries({}, optional=values)


def _or_none(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _given(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


# -- whole rulesets -----------------------------------------------------------------------------------------------------
#: The vocabulary of drawn rulesets: a fact of every type.
FACTS: Json = {
    "birth": {"type": "date", "person": True, "name": {"zh": "生日", "en": "Birthday"}},
    "age": {
        "type": "integer",
        "range": [0, 130],
        "derive": "AGE_ON(birth, on_day)",
        "name": {"zh": "年龄", "en": "Age"},
    },
    "since": {"type": "date", "name": {"zh": "参保日期", "en": "Insured since"}},
    "months": {"type": "integer", "range": [0, 600], "can_change": True, "name": {"zh": "月数", "en": "Months"}},
    "income": {"type": "decimal", "decimals": 2, "range": [0, 9999], "name": {"zh": "收入", "en": "Income"}},
    "price": {"type": "decimal", "decimals": 2, "range": [0, 9999], "name": {"zh": "价格", "en": "Price"}},
    "alone": {"type": "boolean", "name": {"zh": "独居", "en": "Alone"}},
    "insured": {"type": "boolean", "name": {"zh": "参保", "en": "Insured"}},
    "scheme": {
        "type": "code",
        "name": {"zh": "险种", "en": "Scheme"},
        "codes": {c: {"zh": c, "en": c} for c in ("employee", "resident", "none")},
    },
    "ills": {
        "type": "codes",
        "name": {"zh": "疾病", "en": "Illnesses"},
        "codes": {c: {"zh": c, "en": c} for c in ("dementia", "stroke", "other")},
    },
    "home": {"type": "place", "person": True, "name": {"zh": "户籍地", "en": "Registered at"}},
}
DAY = dt.date(2026, 6, 1)
DAYS = (dt.date(1946, 6, 1), dt.date(1946, 6, 2), dt.date(1966, 2, 28), dt.date(2024, 2, 29), DAY)
NUMBERS = {"age": (0, 59, 60, 80), "months": (0, 6, 12, 24), "income": ("0", "99.5", "500"), "price": ("10", "0.01")}
_OPERATORS: Any = st.sampled_from((">=", "<", "=", "<>", ">", "<="))


@dataclass(frozen=True)
class DrawnRuleset(Ruleset):
    """A ruleset that was drawn; shown as the conditions of its programmes."""

    texts: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        written = "; ".join(f"{id}: {' | '.join(criteria)}" for id, criteria in self.texts)
        return f"DrawnRuleset({written})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How hypothesis shows a counterexample."""
        printer.text(repr(self))

    __hash__ = Ruleset.__hash__


def _atoms() -> st.SearchStrategy[Node]:
    compared = [
        st.builds(Compare, _OPERATORS, st.just(Fact(name)), st.sampled_from([Literal(_exact(v)) for v in values]))
        for name, values in NUMBERS.items()
    ]
    days = [
        st.builds(Compare, _OPERATORS, st.just(Fact(name)), st.sampled_from([Literal(d) for d in DAYS]))
        for name in ("birth", "since", "on_day")
    ]
    schemes = tuple(FACTS["scheme"]["codes"])
    sums: st.SearchStrategy[Node] = st.sampled_from(
        (
            Arithmetic("+", Fact("income"), Fact("price")),
            Arithmetic("-", Fact("months"), Fact("age")),
            Arithmetic("*", Fact("price"), Literal(2)),
            Call("least", (Fact("income"), Fact("price"))),
            Call("greatest", (Fact("months"), Fact("age"))),
            Call("months_between", (Fact("since"), Fact("on_day"))),
            Call("age_on", (Fact("birth"), Fact("since"))),
        )
    )
    return st.one_of(
        st.sampled_from([Flag("alone"), Flag("insured")]),
        *compared,
        st.sampled_from(schemes).map(lambda c: Compare("=", Fact("scheme"), Literal(c))),
        st.lists(st.sampled_from(schemes), min_size=1, max_size=2, unique=True).map(
            lambda c: OneOf(Fact("scheme"), tuple(c))
        ),
        st.sampled_from(tuple(FACTS["ills"]["codes"])).map(lambda c: Contains("ills", c)),
        st.sampled_from(("town", "city")).map(lambda p: Flag(f"lies_in:home:{p}")),
        *days,
        st.builds(Compare, _OPERATORS, sums, st.sampled_from([Literal(n) for n in (0, 12, 100)])),
        st.just(Compare("<=", Fact("birth"), Fact("since"))),
    )


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and "." in value else int(value)


def conditions(programmes: Iterable[str] = ()) -> st.SearchStrategy[Node]:
    """Condition trees over the vocabulary of drawn rulesets; they may ask for the outcomes of ``programmes``."""
    asked = [Flag(f"eligible:{id}") for id in programmes]
    leaves = _atoms() | st.sampled_from(asked) if asked else _atoms()
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(_flat(And, parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(_flat(Or, parts))),
        ),
        max_leaves=5,
    )


def _flat(kind: type[Node], parts: list[Node]) -> tuple[Node, ...]:
    """As the parser reads ``a AND b AND c``: one node."""
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))  # type: ignore[attr-defined]


@st.composite
def rulesets(draw: st.DrawFn, *, most: int = 4) -> DrawnRuleset:
    """Whole rulesets over a small vocabulary: up to ``most`` programmes that may ask for one another's outcome."""
    files = {
        "vocabulary.yaml": {"facts": FACTS},
        "sources.yaml": {"documents": {"notice": {"title": _text("通知", "Notice"), "evidence": "verified"}}},
        "town/place.yaml": {
            "places": [
                {"id": "city", "code": "330900", "name": _text("市", "City"), "level": "city"},
                {"id": "town", "code": "330901", "name": _text("镇", "Town"), "level": "district", "within": "city"},
                {"id": "other", "code": "440000", "name": _text("别处", "Elsewhere"), "level": "city"},
            ],
            "programmes_of": "town",
        },
    }
    texts: list[tuple[str, tuple[str, ...]]] = []
    for number in range(draw(st.integers(1, most))):
        id = f"p{number}"
        trees = draw(st.lists(conditions([name for name, _ in texts]), min_size=1, max_size=3))
        written = tuple(map(sql_of, trees))
        files[f"town/{id}.yaml"] = _programme(id, written, draw(st.sampled_from((None, *written))))
        texts.append((id, written))
    ruleset = _build(files).at("town", DAY)
    return DrawnRuleset(
        ruleset.book, ruleset.place, ruleset.on, ruleset.known_on, ruleset.standings, ruleset.hash, tuple(texts)
    )


def _programme(id: str, written: tuple[str, ...], when: str | None) -> Json:
    criteria = [
        {"id": f"c{n}", "when": text, "say": _text(text, text), "evidence": "verified"}
        for n, text in enumerate(written)
    ]
    benefit = {"id": "money", "say": _text("补贴", "Money"), "amount": 100, "unit": "CNY/month", "evidence": "verified"}
    return {
        "id": id,
        "name": _text(id, id),
        "kind": "subsidy",
        "status": "in_force",
        "source": {"document": "notice"},
        "evidence": "verified",
        "criteria": criteria,
        "benefits": [benefit if when is None else {**benefit, "when": when}],
    }


def _build(files: dict[str, Any]) -> Rulebook:
    """A rulebook from file contents, through the same reading and checking as any other."""
    from yyassess.rulebook.building import build
    from yyassess.rulebook.loading import RawFile

    raw = [
        RawFile(f"rules/{name}", name.rpartition("/")[0], 0, json.dumps(content, ensure_ascii=False).encode())
        for name, content in sorted(files.items())
    ]
    return build(raw)


def _text(zh: str, en: str) -> Json:
    return {"zh": zh, "en": en}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
