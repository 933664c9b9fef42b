"""What a determination says beside yes and no: interactions, the plan, terms, warnings and questions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from town_rules import DAY, HEAD, decided, money, outcome, programme, with_facts

from yyassess import determine
from yyassess.entitlement import determine as determining
from yyassess.entitlement.plan import ready


@pytest.fixture
def town(rules: Any) -> Any:
    """The small rules with facts that can change, and no programme yet."""
    return with_facts(rules)


# -- interactions -------------------------------------------------------------------------------------------------------
def two(town: Any, kind: str, mine: str, other: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two programmes with benefit rows; the first says how they go together."""
    say = f"interactions: [{{kind: {kind}, programme: b, say: {{zh: 衔接, en: Together}}, evidence: verified}}]\n"
    programme(town, "a", "years >= 60", rest=(f"benefits:\n{mine}" if mine else "") + say)
    programme(town, "b", "years >= 60 AND NOT coma", rest=f"benefits:\n{other}" if other else "")
    book = town.load()
    return outcome(book, "a", years=60, coma=False), outcome(book, "b", years=60, coma=False)


@pytest.mark.parametrize(
    ("mine", "other", "dropped"),
    [
        (money("100"), money("150"), "a"),
        (money("150"), money("100"), "b"),
        (money("100"), money("100"), "b"),
        (money("60") + money("60", id="more"), money("100"), "b"),
        (money("60") + money("999", id="more", more=", guide: true"), money("100"), "a"),
        (money("100, when: years >= 80") + money("120", id="more"), money("110"), "b"),
    ],
)
def test_of_two_amounts_only_the_higher_is_paid(town: Any, mine: str, other: str, dropped: str) -> None:
    first, second = two(town, "higher_only", mine, other)
    loser, winner = (first, second) if dropped == "a" else (second, first)
    assert loser["dropped_for"] == winner["programme"] and "dropped_for" not in winner
    assert loser["would_have"] == loser["benefits"] and "would_have" not in winner
    [entry] = first["interactions"]
    assert entry["applies"] is True
    assert entry["result"] == {"dropped": loser["programme"], "for": winner["programme"]}


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (money("100"), money("100", "CNY/day")),
        (money("100"), ""),
        ("", money("100")),
        (money("100") + money("1", "CNY/day", id="daily"), money("100")),
        (money("100"), money('"income * 2"')),
        (money("100"), money("100") + money("50, when: income < 10", id="more")),
        (money("100, guide: true"), money("100")),
    ],
)
def test_amounts_that_cannot_be_compared_are_a_question_and_nothing_is_taken_away(
    town: Any, mine: str, other: str
) -> None:
    first, second = two(town, "higher_only", mine, other)
    assert [e["result"] for e in first["interactions"]] == ["ask"]
    assert "dropped_for" not in first and "dropped_for" not in second


@pytest.mark.parametrize(
    ("kind", "dropped"), [("cannot_combine", "a"), ("suspends", "b"), ("offset", None), ("unknown", None)]
)
def test_which_of_two_gives_way(town: Any, kind: str, dropped: str | None) -> None:
    first, second = two(town, kind, money("100"), money("100"))
    assert [o["programme"] for o in (first, second) if "dropped_for" in o] == ([dropped] if dropped else [])
    [entry] = first["interactions"]
    assert (entry["kind"], entry["with"], entry["applies"]) == (kind, "b", True)
    assert ("result" in entry) is (dropped is not None)
    assert second["interactions"] == []


def test_an_interaction_applies_only_to_somebody_who_could_have_both(town: Any) -> None:
    two(town, "cannot_combine", money("100"), money("100"))
    book = town.load()
    for coma, status in ((True, "ineligible"), (None, "unknown")):
        first, second = (outcome(book, id, years=60, coma=coma) for id in "ab")
        assert second["status"] == status
        assert first["interactions"][0]["applies"] is False and "dropped_for" not in first


def test_an_interaction_with_a_programme_of_another_place_is_not_shown(town: Any) -> None:
    say = "interactions: [{kind: cannot_combine, programme: b, say: {zh: 衔接, en: Together}, evidence: verified}]\n"
    programme(town, "a", "years >= 60", rest=say)
    programme(town, "b", "years >= 60", place="city")
    book = town.load()
    assert outcome(book, years=60)["interactions"] == []
    assert len(outcome(book, place="city", years=60)["interactions"]) == 1


def test_a_programme_that_requires_another_is_refused_without_it(town: Any) -> None:
    two(town, "requires", money("100"), money("100"))
    book = town.load()
    found = outcome(book, years=60, coma=True)
    assert [(c["id"], c["status"]) for c in found["criteria"]] == [("c0", "true"), ("requires-b", "false")]
    assert found["status"] == "ineligible"
    assert outcome(book, years=60)["missing"] == ["coma"]


# -- the plan -----------------------------------------------------------------------------------------------------------
def services(*rows: str) -> str:
    return "services:\n" + "".join(f"  - {{phase: {row}}}\n" for row in rows)


def test_the_plan_is_in_the_order_of_the_phases_and_then_of_the_programmes(town: Any) -> None:
    programme(
        town, "b", "years >= 60", rest=services("home, say: {zh: 二, en: two}", "prevention, say: {zh: 一, en: one}")
    )
    programme(
        town,
        "a",
        "years >= 60",
        rest=services("hospice, say: {zh: 五, en: five}", "home, say: {zh: 三, en: home of a}, when: coma"),
    )
    programme(town, "c", "years >= 90", rest=services("home, say: {zh: 无, en: never}"))
    programme(town, "d", "years >= 60", rest=services("money, say: {zh: 钱, en: money}"), status="announced")
    book = town.load()
    plan = decided(book, years=60, coma=True)["plan"]
    assert [(s["order"], s["because"], s["phase"]) for s in plan] == [
        (1, "b", "prevention"), (2, "d", "money"), (3, "a", "home"), (4, "b", "home"), (5, "a", "hospice")
    ]  # fmt: skip
    assert [s["because"] for s in plan if "announced" in s] == ["d"]
    for coma in (False, None):
        assert [s["because"] for s in decided(book, years=60, coma=coma)["plan"]] == ["b", "d", "b", "a"]


def test_what_is_lost_or_ended_is_not_in_the_plan_and_what_is_suspended_says_so(town: Any) -> None:
    effect = "effects: [{{when: coma, effect: {}, say: {{zh: 停, en: Stopped}}, evidence: verified}}]\n"
    visit = services("home, say: {zh: 上门, en: Visit}")
    programme(town, "a", "years >= 60", rest=visit + effect.format("suspend"))
    programme(town, "b", "years >= 60", rest=visit + effect.format("end"))
    lost = "interactions: [{kind: cannot_combine, programme: a, say: {zh: 衔接, en: Together}, evidence: verified}]\n"
    programme(town, "c", "years >= 60", rest=visit + lost)
    book = town.load()
    [step] = decided(book, years=60, coma=True)["plan"]
    assert (step["because"], step["suspended"]) == ("a", {"zh": "停", "en": "Stopped"})
    assert [("suspended" in s, s["because"]) for s in decided(book, years=60, coma=False)["plan"]] == [
        (False, "a"),
        (False, "b"),
    ]
    stopped = {id: outcome(book, id, years=60, coma=True) for id in "ab"}
    assert stopped["a"]["suspended"]["effect"] == "suspend" and "ended" not in stopped["a"]
    assert stopped["b"]["ended"]["effect"] == "end" and "suspended" not in stopped["b"]
    assert stopped["a"]["effects"] == [stopped["a"]["suspended"]]
    for facts in ({"years": 60}, {"years": 59, "coma": True}):
        assert "effects" not in outcome(book, **facts)


# -- terms and warnings -------------------------------------------------------------------------------------------------
def test_an_assessment_holds_for_its_term_to_the_day(town: Any) -> None:
    programme(
        town,
        "a",
        "scale_grade = 1",
        rest="valid_for: {months: 1, evidence: verified}\nreassess: {months: 6, evidence: single}\n",
    )
    book = town.load()
    found = outcome(book, grade=1, on="2026-02-28")
    assert found["valid"] == {"evidence": "verified", "until": "2026-02-28"}
    assert found["reassess"] == {"evidence": "single", "due": "2026-07-31"}
    assert "warnings" not in found and decided(book, grade=1, on="2026-02-28")["warnings"] == []
    late = decided(book, grade=1, on="2026-03-01")
    assert [(w["id"], w["programme"], w["items"]) for w in late["warnings"]] == [("expired", "a", ["scale_grade"])]
    assert outcome(book, grade=1, on="2026-03-01")["warnings"] == late["warnings"]
    assert "until" not in outcome(book)["valid"], "no assessment, no day"


def test_a_term_that_is_only_an_upper_limit_counts_as_the_term(town: Any) -> None:
    say = ", say: {zh: 至多两年, en: Two years at most}"
    programme(town, "a", "scale_grade = 1", rest="valid_for: {months_at_most: 24, evidence: verified" + say + "}\n")
    assert outcome(town, grade=1)["valid"] == {
        "evidence": "verified", "say": {"zh": "至多两年", "en": "Two years at most"}, "until": "2028-01-31"
    }  # fmt: skip


def test_a_text_that_may_have_lapsed_warns_from_the_next_day_whoever_is_not_refused(town: Any) -> None:
    programme(town, "a", "years >= 60", rest="warn_after: 2026-06-30\n")
    book = town.load()
    for on, years, warned in (
        ("2026-06-30", 60, []),
        ("2026-07-01", 60, ["lapsed"]),
        ("2026-07-01", None, ["lapsed"]),
        ("2026-07-01", 59, []),
    ):
        assert [w["id"] for w in decided(book, on=on, years=years)["warnings"]] == warned
        assert [w["id"] for w in outcome(book, on=on, years=years).get("warnings", ())] == warned


def test_applying_shows_papers_and_the_time_for_a_decision(town: Any) -> None:
    rest = "apply: {papers: [{zh: 证, en: Card}], decision_within: {working_days: 30, evidence: single}}\n"
    programme(town, "a", "years >= 60", rest=rest)
    programme(
        town,
        "b",
        "years >= 60",
        rest="apply: {where: {zh: 街道, en: Street office}, decision_within: {days: 0, months: 2, evidence: verified}}\n",
    )
    programme(town, "c", "years >= 60")
    book = town.load()
    assert outcome(book, "a")["apply"] == {
        "papers": [{"zh": "证", "en": "Card"}], "where": {}, "decision_within": {"working_days": 30, "evidence": "single"}
    }  # fmt: skip
    assert outcome(book, "b")["apply"]["decision_within"] == {"days": 0, "months": 2, "evidence": "verified"}
    assert outcome(book, "b")["apply"]["where"] == {"zh": "街道", "en": "Street office"}
    assert outcome(book, "c")["apply"] == {"papers": [], "where": {}}


# -- criteria and questions ---------------------------------------------------------------------------------------------
def test_a_question_says_what_kind_of_answer_is_wanted_and_from_where(town: Any) -> None:
    programme(town, "a", "scale_grade = 1", "scheme = 'employee'", "years >= 60", "LIES_IN(lives_in, 'city')")
    found = outcome(town, place="city")
    asked = {q["fact"]: q for q in found["ask"]}
    assert found["missing"] == list(asked) == ["scale_grade", "scheme", "years", "lives_in"]
    assert asked["scale_grade"]["instrument"] == "scale" and "codes" not in asked["scale_grade"]
    assert asked["scheme"]["codes"] == {
        "employee": {"zh": "职工", "en": "employees"},
        "resident": {"zh": "居民", "en": "residents"},
    }
    assert asked["years"] == {"fact": "years", "say": {"zh": "周岁", "en": "Years of age"}, "type": "integer"}
    shown = {c["id"]: c["facts"] for c in outcome(town, place="city", lives_in="district", years=61)["criteria"]}
    assert shown == {"c0": {}, "c1": {}, "c2": {"years": 61}, "c3": {"lives_in": "district"}}


def test_what_nobody_could_find_out_is_told_and_never_asked(town: Any) -> None:
    body = "criteria:\n  - {id: c0, when: years >= 60, say: {zh: 甲, en: A}, evidence: verified}\n"
    body += "  - {id: c1, when: unknown, say: {zh: 另有条件, en: More}, evidence: unknown}\n"
    town.write("national/a.yaml", HEAD.format(id="a", status="in_force", rest=body))
    programme(town, "b")
    book = town.load()
    found = outcome(book, years=60)
    assert found["status"] == "not_configured" and found["missing"] == [] and "ask" not in found
    assert found["not_configured"] == {"zh": "另有条件", "en": "More"}
    assert [c.get("not_configured", False) for c in found["criteria"]] == [False, True]
    assert outcome(book, years=59)["status"] == "ineligible"
    assert outcome(book)["missing"] == ["years"]
    assert outcome(book, "b")["not_configured"] == {"zh": "未知", "en": "Not known"}


def test_a_criterion_shows_its_own_source_words_and_decision(town: Any) -> None:
    own = "source: {document: notice, clause: 第九条}, evidence: {mark: single, words: 官网}, decision: X-D1"
    body = f"criteria:\n  - {{id: mine, when: years >= 60, say: {{zh: 甲, en: A}}, {own}}}\n"
    body += "  - {id: theirs, when: coma, say: {zh: 乙, en: B}, evidence: {mark: decision, decision: X-D2}}\n"
    town.write("national/a.yaml", HEAD.format(id="a", status="in_force", rest=body))
    mine, theirs = outcome(town)["criteria"]
    assert (mine["source"]["clause"], mine["words"], mine["decision"]) == ("第九条", "官网", "X-D1")
    assert (theirs["source"]["clause"], theirs["decision"]) == ("第二条", "X-D2") and "words" not in theirs


def test_a_programme_that_rests_on_recall_is_marked_unconfirmed(town: Any) -> None:
    body = "criteria: [{id: c, when: years >= 60, say: {zh: 甲, en: A}, evidence: {mark: recall, confidence: high}}]\n"
    town.write("national/a.yaml", HEAD.format(id="a", status="in_force", rest=body))
    programme(town, "b", "years >= 60")
    book = town.load()
    assert outcome(book, "a")["unconfirmed"] == {"zh": "未核对", "en": "Unconfirmed"}
    assert "unconfirmed" not in outcome(book, "b")


def test_a_pointer_says_what_the_programme_it_points_to_says(town: Any) -> None:
    programme(town, "real", "years >= 60", rest="benefits:\n" + money("100"))
    head = HEAD.format(id="alias", status="in_force", rest="same_as: real\n")
    town.write("national/alias.yaml", head)
    book = town.load()
    alias, real = outcome(book, "alias", years=60), outcome(book, "real", years=60)
    assert alias == {**real, "programme": "alias", "name": {"zh": "甲", "en": "alias"}, "same_as": "real"}


def test_the_day_up_to_which_texts_were_known_is_repeated_only_when_asked_for(town: Any) -> None:
    programme(town, "a", "years >= 60", rest="in_force: {from: 2020-01-01, to: 2026-12-31}\n")
    book = town.load()
    assert "known_on" not in decided(book)
    early = determine({}, place="national", on=DAY, known_on="2019-12-31", rules=book)
    assert early["known_on"] == "2019-12-31"
    [absent] = early["outcomes"]
    assert absent["status"] == "not_in_force" and absent["in_force"] == {"from": "2020-01-01", "to": "2026-12-31"}
    assert (absent["kind"], absent["standing"], absent["place"]) == ("subsidy", "in_force", "national")
    assert absent["source"] == {"document": "notice", "clause": "第二条"}


# -- what is said in words ----------------------------------------------------------------------------------------------
def test_a_programme_without_criteria_says_that_it_is_not_configured_in_its_own_words(town: Any) -> None:
    own = "not_configured: {zh: 条文未找到, en: The clause was not found}\n"
    town.write("national/a.yaml", HEAD.format(id="a", status="in_force", rest=own))
    found = outcome(town, "a", years=60)
    assert found["status"] == "not_configured"
    assert [c["say"]["en"] for c in found["criteria"]] == ["The clause was not found"]


def test_a_benefit_says_what_its_evidence_is_in_words(town: Any) -> None:
    rows = (
        "benefits:\n"
        "  - {id: plain, amount: 100, unit: CNY/month, say: {zh: 一, en: One}, evidence: verified}\n"
        "  - {id: told, amount: 50, unit: CNY/month, say: {zh: 二, en: Two}, evidence: {mark: single, words: a news page}}\n"
    )
    programme(town, "a", "years >= 60", rest=rows)
    shown = {b["id"]: b.get("words") for b in outcome(town, "a", years=60)["benefits"]}
    assert shown == {"plain": None, "told": "a news page"}


def test_what_is_remembered_about_missing_facts_is_emptied_before_it_grows_without_end(
    town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme(town, "a", "years >= 60 AND months >= 3 AND visits >= 1")
    book = town.load()
    monkeypatch.setattr(determining, "MOST_SITUATIONS", 5)
    for number in range(40):
        assert outcome(book, "a", months=3 + number)["missing"] == ["years", "visits"]
    assert len(ready(book.at("national", dt.date.fromisoformat(DAY)), "durable").missing) <= 7
