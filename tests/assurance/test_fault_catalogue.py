"""Every fault planted in a small rulebook is found under its code, with a witness that shows it; its clean twin is silent."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from fault_catalogue import FAULTS, Fault
from rulebooks import BASE, MORE, interaction, money, programme, rulebook

from yyassess import Rulebook, RulebookError, assess, check, crosswalk, determine, screen
from yyassess.assurance import interactions, sampling, world
from yyassess.assurance.claims import CLAIMS
from yyassess.assurance.codes import CODES
from yyassess.assurance.findings import Finding
from yyassess.assurance.reading import FAULTS as LOAD_FAULTS
from yyassess.assurance.reading import fault_code

#: Codes that no rule file can bring about by itself; they have tests of their own below.
BY_THEMSELVES = {"exclusive-both-granted", "evaluators-disagree", "engine-refuses", "undecided"}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_fault_is_found_and_its_twin_is_silent(fault: Fault) -> None:
    book = rulebook(fault.faulty)
    report = check(book)
    assert {f.code for f in report.findings if not f.intended} == fault.codes
    assert not report.unconfirmed
    for finding in report.findings:
        assert finding.file in {f"rules/{name}" for name in {**BASE, **fault.faulty}}
        assert finding.line >= 1
        assert finding.say["zh"].strip() and finding.say["en"].strip()
        assert "{" not in finding.say["zh"] + finding.say["en"]
        give_to_the_command(book, finding)
    twin = check(rulebook(fault.clean))
    assert [f for f in twin.findings if not f.intended] == []


def give_to_the_command(book: Rulebook, finding: Finding) -> Any:
    """The witness, given to the command that the finding names."""
    if finding.how is None:
        return None
    words = finding.how.split()
    option = dict(re.findall(r"--(\S+) (\S+)", finding.how))
    match words[1]:
        case "determine":
            return determine(finding.witness, place=option["place"], on=option["on"], rules=book)
        case "assess" if finding.code not in ("level-not-listed", "table-out-of-range"):
            return assess(words[2], finding.witness, book)
        case "screen":
            return screen(finding.witness, on=option["on"], pathway=option["pathway"], rules=book)
        case "crosswalk":
            return crosswalk(finding.witness, on=option["on"], rules=book)
    return None


def test_every_code_has_a_fault_and_no_fault_an_unknown_code() -> None:
    planted = {code for fault in FAULTS for code in fault.codes}
    assert planted | BY_THEMSELVES == set(CODES)
    assert len(planted) >= 30


def test_no_two_faults_bear_the_same_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_every_claim_of_the_report_has_its_sentence() -> None:
    report = check(rulebook(MORE))
    assert {claim for claims in report.looked.values() for claim in claims} <= set(CLAIMS)
    shown = report.json()
    assert [entry["count"] for how in ("proved", "enumerated", "sampled") for entry in shown[how]]


# -- faults of the engine and the solver, which no rule file can bring about -----------------------------------------------
def test_two_programmes_that_exclude_each_other_are_never_both_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "town/a.yaml": programme("a", "alone", rest=interaction("cannot_combine", "b")),
        "town/b.yaml": programme("b", "age >= 60", rest=money("100")),
    }
    assert not check(rulebook(files)).findings
    monkeypatch.setattr("yyassess.entitlement.determine.settle", lambda machine, outcomes: None)
    assert "exclusive-both-granted" in {f.code for f in check(rulebook(files)).findings}
    assert interactions.EXCLUSIVE


def test_an_engine_that_decides_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    book = rulebook({"town/a.yaml": programme("a", "age >= 60", "alone")})
    honest = sampling.determine

    def swapped(*given: Any, engine: str, **options: Any) -> Any:
        result = honest(*given, engine=engine, **options)
        for outcome in result["outcomes"] if engine == "durable" else ():
            outcome["status"] = {"eligible": "ineligible"}.get(outcome["status"], outcome["status"])
        return result

    monkeypatch.setattr(sampling, "determine", swapped)
    [finding] = check(book).findings
    assert finding.code == "evaluators-disagree"
    assert determine(finding.witness, place="town", on="2025-01-01", rules=book)["outcomes"][0]["status"] == "eligible"


def test_rules_that_the_engine_cannot_take_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from yyassess.entitlement.engine import EngineError

    def refuse(*_: Any, **__: Any) -> Any:
        raise EngineError("programme 'a' passes a limit")

    book = rulebook({"town/a.yaml": programme("a", "alone")})
    monkeypatch.setattr(sampling, "determine", refuse)
    [finding] = check(book).findings
    assert finding.code == "engine-refuses" and "'a'" in finding.say["en"]


def test_what_the_solver_cannot_decide_in_time_is_sampled_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "PATIENCE", 1)
    book = rulebook({"town/a.yaml": programme("a", "income * income * income * months = 7919", "alone")})
    report = check(book)
    assert "undecided" in {f.code for f in report.findings}
    assert report.json()["sampled"]


# -- rules that cannot be read ----------------------------------------------------------------------------------------------
ONE = programme("a", "alone")
UNREADABLE = {
    "cycle": {"town/a.yaml": programme("a", "ELIGIBLE('b')"), "town/b.yaml": programme("b", "ELIGIBLE('a')")},
    "name-missing": {"vocabulary.yaml": BASE["vocabulary.yaml"].replace("{zh: 独居, en: Living alone}", "{zh: 独居}")},
    "document-unknown": {"town/a.yaml": ONE.replace("document: notice", "document: notise")},
    "fact-unknown": {"town/a.yaml": programme("a", "alon")},
    "code-unknown": {"town/a.yaml": programme("a", "scheme = 'employees'")},
    "programme-unknown": {"town/a.yaml": programme("a", "alone", rest=interaction("offset", "z"))},
    "place-unknown": {"elsewhere/a.yaml": ONE},
    "name-unknown": {"instruments/scale.yaml": BASE["instruments/scale.yaml"].replace("of: total", "of: totl")},
    "key-unknown": {"town/a.yaml": ONE + "benefit: []\n"},
    "cuts-out-of-order": {
        "instruments/scale.yaml": BASE["instruments/scale.yaml"].replace("{at: 0, level: 0}, {at: 2", "{at: 3, level: 0}, {at: 2")
    },
    "period-upside-down": {"town/a.yaml": programme("a", "alone", since="{from: 2022-01-01, to: 2021-01-01}")},
    "level-not-listed": {"instruments/scale.yaml": BASE["instruments/scale.yaml"].replace("set_level: 1", "set_level: 7")},
    "defined-twice": {"town/a.yaml": ONE, "town/b.yaml": ONE},
    "written-twice": {"town/a.yaml": ONE + "kind: allowance\n"},
    "type-mismatch": {"town/a.yaml": programme("a", "age = 'old'")},
    "condition-unreadable": {"town/a.yaml": programme("a", "age >> 60")},
    "figure-without-evidence": {"town/a.yaml": ONE + "benefits: [{id: m, say: {zh: 钱, en: Money}, amount: 9, unit: CNY}]\n"},
    "amounts-out-of-order": {
        "town/a.yaml": ONE
        + "benefits: [{id: m, say: {zh: 钱, en: Money}, unit: CNY, evidence: verified, "
        + "amount: [{from: 2022-01-01, value: 2}, {from: 2020-01-01, value: 1}]}]\n"
    },
    "recall-without-confidence": {"town/a.yaml": ONE + "apply: {evidence: recall}\n"},
    "no-last-line": {
        "instruments/scale.yaml": BASE["instruments/scale.yaml"].replace(
            "    kind: band\n    of: total\n", "    kind: rules\n    rules: [{when: total > 1, value: 1}]\n"
        ).replace("    cuts: [{at: 0, level: 0}, {at: 2, level: 1}]\n", "")
    },
    "table-ragged": {"instruments/grid.yaml": MORE["instruments/grid.yaml"].replace("- [1, 2]", "- [1]")},
    "not-yaml": {"town/a.yaml": "id: [\n"},
}  # fmt: skip


@pytest.mark.parametrize("code", UNREADABLE)
def test_a_fault_that_keeps_rules_from_being_read_has_its_code_and_place(code: str) -> None:
    with pytest.raises(RulebookError) as caught:
        rulebook(UNREADABLE[code])
    faults = caught.value.errors
    assert code in {fault_code(fault) for fault in faults}, [str(f) for f in faults]
    assert all(fault.line >= 1 for fault in faults)


def test_every_code_for_unreadable_rules_is_tried() -> None:
    assert {code for code, _ in LOAD_FAULTS} <= set(UNREADABLE)


def test_the_day_decides_whether_a_text_has_ended() -> None:
    book = rulebook({"town/a.yaml": programme("a", "alone", since="{from: 2020-01-01, to: 2030-12-31}")})
    assert [f.code for f in check(book, on=dt.date(2026, 1, 1)).findings] == []
    assert [f.code for f in check(book, on=dt.date(2031, 1, 1)).findings] == ["expired"]
