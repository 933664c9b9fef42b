"""The command: what each subcommand prints, in both forms and both languages, where, and with which exit code."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import yyassess as library
from yyassess import Rulebook

TODAY = dt.date.today()
GBT = "gbt-42195-2022"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def own_rules(tmp_path: Path) -> Path:
    """A deployment's folder: a place of its own with one programme."""
    folder = tmp_path / "own"
    (folder / "testland").mkdir(parents=True)
    (folder / "testland" / "place.yaml").write_text(
        'places:\n  - {id: testland, code: "990000", name: {zh: 试验省, en: Testland}, level: province, within: national}\n',
        encoding="utf-8",
    )
    (folder / "testland" / "sources.yaml").write_text(
        "documents:\n  testland-1: {title: {zh: 试验通知, en: Notice of Testland}, number: 试1号, evidence: verified}\n",
        encoding="utf-8",
    )
    (folder / "testland" / "testland-care.yaml").write_text(CARE, encoding="utf-8")
    return folder


CARE = """\
id: testland-care
name: {zh: 试验护理, en: Care of Testland}
kind: insurance
status: in_force
source: {document: testland-1, clause: 第一条}
evidence: verified
in_force: {from: 2024-01-01}
criteria:
  - {id: employee, when: insurance_scheme = 'employee', say: {zh: 职工医保, en: Employees' insurance}, evidence: verified}
  - {id: two-years, when: insured_months_continuous >= 24, say: {zh: 参保满24个月, en: Insured for 24 months}, evidence: verified}
  - {id: severe, when: ltci_grade >= 3, say: {zh: 重度失能, en: Severe disability}, evidence: verified}
benefits:
  - {id: daily, say: {zh: 每天补贴, en: A daily amount}, amount: 40, unit: CNY/day, evidence: verified}
"""

CASE: dict[str, Any] = {
    "person": {"birth_date": "1941-05-02", "sex": "female"},
    "facts": {"insurance_scheme": "employee", "insured_months_continuous": 22},
    "assessments": [{"instrument": "ltci-2021-37", "date": "2026-10-01", "grade": {"level": 4}}],
}


def best(book: Rulebook, instrument: str = GBT) -> dict[str, Any]:
    """Every item answered with its best option."""
    from yyassess.assessment.scoring import scorer

    return {id: question.best for id, question in scorer(book, instrument).questions.items()}


def keys(found: dict[str, Any], wanted: str) -> None:
    assert set(wanted.split()) <= set(found), set(wanted.split()) - set(found)


def says(text: Any) -> None:
    assert set(text) >= {"zh", "en"}
    assert text["zh"] and text["en"]


# ---- assess ------------------------------------------------------------------------------------------------------
def test_assess_prints_the_result_of_the_contract(yyassess: Any, book: Rulebook) -> None:
    answers = {**best(book), "eating": 3}
    result = yyassess(
        "assess",
        GBT,
        given={"date": "2026-11-22", "answers": answers, "context": {"coma": False, "diagnoses": ["dementia"]}},
    ).json()
    keys(
        result,
        "instrument date ruleset complete scores dimensions preliminary adjustments grade missing warnings trace",
    )
    assert (result["instrument"], result["date"], result["complete"]) == (GBT, "2026-11-22", True)
    assert result["ruleset"]["hash"].startswith("sha256:")
    assert result["ruleset"]["on"] == "2026-11-22"
    assert result["scores"]["total"] == sum(answers.values())
    assert result["missing"] == []
    for grade in (result["preliminary"], result["grade"]):
        keys(grade, "level code name")
        says(grade["name"])
    [adjustment] = result["adjustments"]
    keys(adjustment, "id levels source evidence say")
    keys(adjustment["source"], "document clause")
    for step in result["trace"]:
        keys(step, "step value because source evidence")
        says(step["because"])
        assert step["source"]["document"] in book.documents
    for dimension in result["dimensions"].values():
        keys(dimension, "name score max")


def test_assess_is_what_the_library_answers(yyassess: Any, book: Rulebook) -> None:
    request = {"date": "2026-11-22", "answers": {"eating": 3}}
    assert yyassess("assess", GBT, given=request).json() == json.loads(json.dumps(library.assess(GBT, request, book)))


def test_an_assessment_with_items_missing_is_incomplete_with_bounds_and_no_error(yyassess: Any, book: Rulebook) -> None:
    answers = best(book)
    del answers["memory"]
    result = yyassess("assess", GBT, given={"answers": answers}).json()
    assert (result["complete"], result["grade"], result["missing"]) == (False, None, ["memory"])
    assert set(result["bounds"]) == {"best", "worst"}


def test_without_a_date_an_assessment_is_of_today(yyassess: Any) -> None:
    for request in ({}, {"date": None}):
        assert yyassess("assess", GBT, given=request).json()["date"] == TODAY.isoformat()


def test_assess_reads_a_file_or_stdin(yyassess: Any, tmp_path: Path) -> None:
    file = tmp_path / "答案.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"date": "2026-11-22", "answers": {"eating": 4}}).encode())
    from_file = yyassess("assess", GBT, file).json()
    assert from_file == yyassess("assess", GBT, "-", given=file.read_bytes()).json()
    assert from_file == yyassess("assess", GBT, given=file.read_bytes()).json()


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ["等级 1", "总分", "痴呆", "已核实"]), ("en", ["Grade 1", "Total", "verified"])]
)
def test_assess_as_text_is_in_the_language_asked_for(
    yyassess: Any, book: Rulebook, lang: str, words: list[str]
) -> None:
    ran = yyassess(
        "assess",
        GBT,
        "--format",
        "text",
        "--lang",
        lang,
        given={"answers": best(book), "context": {"diagnoses": ["dementia"]}},
    )
    assert (ran.code, ran.err) == (0, "")
    for word in words:
        assert word in ran.out
    assert bool(CHINESE.search(ran.out)) == (lang == "zh")
    assert "▶1" in ran.out
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(ran.out)


def test_an_incomplete_assessment_as_text_names_what_is_missing_and_what_is_possible(yyassess: Any) -> None:
    ran = yyassess("assess", GBT, "--format", "text", given={"answers": {"eating": 4}})
    assert ran.code == 0
    assert "未完成，缺 25" in ran.out
    assert ran.out.count("?") >= 2


# ---- determine ---------------------------------------------------------------------------------------------------
def test_determine_prints_the_determination_of_the_contract(yyassess: Any, own_rules: Path) -> None:
    result = yyassess("determine", "--place", "testland", "--on", "2026-11-22", "--rules", own_rules, given=CASE).json()
    keys(result, "place on ruleset grades outcomes plan warnings")
    assert (result["place"], result["on"]) == ("testland", "2026-11-22")
    assert result["ruleset"]["hash"].startswith("sha256:")
    grade = result["grades"]["ltci-2021-37"]
    assert (grade["level"], grade["date"]) == (4, "2026-10-01")
    outcome = next(o for o in result["outcomes"] if o["programme"] == "testland-care")
    keys(outcome, "programme name kind status criteria missing near benefits interactions apply")
    assert (outcome["status"], outcome["kind"]) == ("ineligible", "insurance")
    for criterion in outcome["criteria"]:
        keys(criterion, "id status say facts evidence source")
        says(criterion["say"])
    assert {c["id"]: c["status"] for c in outcome["criteria"]} == {
        "employee": "true",
        "two-years": "false",
        "severe": "true",
    }
    near = next(n for n in outcome["near"] if n["criterion"] == "two-years")
    assert (near["fact"], near["given"], near["needed"]) == ("insured_months_continuous", 22, 24)
    says(near["say"])


def test_an_eligible_person_is_told_the_benefit(yyassess: Any, own_rules: Path) -> None:
    case = {**CASE, "facts": {**CASE["facts"], "insured_months_continuous": 24}}
    result = yyassess("determine", "--place", "990000", "--on", "2026-11-22", "--rules", own_rules, given=case).json()
    outcome = next(o for o in result["outcomes"] if o["programme"] == "testland-care")
    assert outcome["status"] == "eligible"
    assert [(b["amount"], b["unit"], b["evidence"]) for b in outcome["benefits"]] == [(40, "CNY/day", "verified")]


def test_a_fact_not_given_is_unknown_and_asked_for(yyassess: Any, own_rules: Path) -> None:
    case = {"facts": {"insurance_scheme": "employee"}}
    result = yyassess("determine", "--place", "testland", "--on", "2026-11-22", "--rules", own_rules, given=case).json()
    outcome = next(o for o in result["outcomes"] if o["programme"] == "testland-care")
    assert (outcome["status"], outcome["missing"]) == ("unknown", ["insured_months_continuous", "ltci_grade"])


def test_both_engines_decide_the_same(yyassess: Any, own_rules: Path) -> None:
    arguments = ("determine", "--place", "testland", "--on", "2026-11-22", "--rules", own_rules)
    assert yyassess(*arguments, "--engine", "reference", given=CASE).json() == yyassess(*arguments, given=CASE).json()


def test_a_programme_before_its_day_is_not_in_force(yyassess: Any, own_rules: Path) -> None:
    arguments = ("determine", "--place", "testland", "--rules", own_rules, "--on")
    case = {"facts": {"insurance_scheme": "employee"}}
    early, known = (
        next(o for o in yyassess(*arguments, *more, given=case).json()["outcomes"] if o["programme"] == "testland-care")
        for more in (("2023-12-31",), ("2026-11-22", "--known-on", "2023-12-31"))
    )
    assert early["status"] == known["status"] == "not_in_force"


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ["试验省", "不符合", "试验护理", "参保满24个月"]),
        ("en", ["Testland", "not eligible", "Care of Testland", "Insured for 24 months"]),
    ],
)
def test_determine_as_text_says_why(yyassess: Any, own_rules: Path, lang: str, words: list[str]) -> None:
    ran = yyassess(
        "determine",
        "--place",
        "testland",
        "--on",
        "2026-11-22",
        "--rules",
        own_rules,
        "--format",
        "text",
        "--lang",
        lang,
        given=CASE,
    )
    assert (ran.code, ran.err) == (0, "")
    for word in words:
        assert word in ran.out


def test_explain_shows_every_criterion_and_its_clause(yyassess: Any, own_rules: Path) -> None:
    arguments = ("determine", "--place", "testland", "--on", "2026-11-22", "--rules", own_rules, "--format", "text")
    plain, explained = yyassess(*arguments, given=CASE), yyassess(*arguments, "--explain", given=CASE)
    assert "职工医保" not in plain.out
    assert "职工医保" in explained.out
    assert "第一条" in explained.out


# ---- screen, crosswalk, table ------------------------------------------------------------------------------------
def test_screen_follows_the_pathway(yyassess: Any) -> None:
    result = yyassess("screen", "--on", "2026-11-22", given={"person": {"birth_date": "1941-05-02"}}).json()
    keys(result, "pathway on ruleset")
    assert (result["pathway"], result["on"]) == ("dementia", "2026-11-22")
    ran = yyassess("screen", "--on", "2026-11-22", "--format", "text", given={"person": {"birth_date": "1941-05-02"}})
    assert (ran.code, ran.err) == (0, "")
    assert CHINESE.search(ran.out)


def test_crosswalk_sets_grades_side_by_side(yyassess: Any) -> None:
    result = yyassess("crosswalk", "--on", "2026-11-22", given=CASE).json()
    keys(result, "on standards warnings")
    assert yyassess("crosswalk", "--format", "text", given=CASE).code == 0


@pytest.mark.parametrize("kind", ["text", "json", "csv", "html"])
def test_the_table_of_grades_and_programmes_comes_in_four_forms(yyassess: Any, own_rules: Path, kind: str) -> None:
    ran = yyassess("table", "--place", "testland", "--on", "2026-11-22", "--rules", own_rules, "--as", kind)
    assert (ran.code, ran.err) == (0, "")
    assert "试验护理" in ran.out
    if kind == "json":
        keys(json.loads(ran.out), "place on ruleset")


# ---- lists -------------------------------------------------------------------------------------------------------
def test_instruments_are_listed_with_licence_levels_source_and_evidence(yyassess: Any, book: Rulebook) -> None:
    rows = yyassess("instruments", "--format", "json").json()
    assert [r["id"] for r in rows] == list(book.instruments)
    for row in rows:
        keys(row, "id name place source evidence licence levels")
        keys(row["source"], "document title clause")
        says(row["name"])
        assert row["evidence"] in ("verified", "single", "recall", "decision", "unknown")
    levels = {r["id"]: [level["level"] for level in r["levels"]] for r in rows}
    assert levels[GBT] == [0, 1, 2, 3, 4]
    assert levels["ltci-2021-37"] == [0, 1, 2, 3, 4, 5]


def test_programmes_are_listed_with_kind_status_and_period(yyassess: Any, book: Rulebook) -> None:
    rows = yyassess("programmes", "--format", "json").json()
    assert len(rows) == sum(len(group) for group in book.programmes.values())
    for row in rows:
        keys(row, "id name place source evidence kind status in_force")
        keys(row["in_force"], "from to")
        assert row["place"] in book.places


def test_programmes_of_a_place_are_those_that_apply_there_that_day(yyassess: Any, own_rules: Path) -> None:
    arguments = ("programmes", "--rules", own_rules, "--format", "json", "--place")
    there = {r["id"]: r for r in yyassess(*arguments, "testland", "--on", "2026-11-22").json()}
    assert there["testland-care"]["in_force"] == {"from": "2024-01-01", "to": None, "on_day": True}
    before = {r["id"]: r for r in yyassess(*arguments, "testland", "--on", "2023-12-31").json()}
    assert before["testland-care"]["in_force"]["on_day"] is False
    assert "testland-care" not in {r["id"] for r in yyassess(*arguments, "zhoushan").json()}


def test_places_are_listed_with_code_level_and_what_they_lie_in(yyassess: Any, book: Rulebook) -> None:
    rows = yyassess("places", "--format", "json").json()
    assert {r["id"] for r in rows} == set(book.places)
    for row in rows:
        keys(row, "id name place source evidence code level within programmes")
        assert row["programmes"] == len(book.programmes.get(row["id"], {}))


def test_coverage_is_a_list_of_what_is_encoded(yyassess: Any, book: Rulebook) -> None:
    rows = yyassess("coverage", "--format", "json").json()
    assert len(rows) == len(book.coverage)
    for row in rows:
        keys(row, "id name place source evidence")


@pytest.mark.parametrize("command", ["instruments", "programmes", "places"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_list_as_text_is_a_table_in_the_language_asked_for(yyassess: Any, command: str, lang: str) -> None:
    ran = yyassess(command, "--format", "text", "--lang", lang)
    assert (ran.code, ran.err) == (0, "")
    head = ran.out.splitlines()[0]
    assert bool(CHINESE.search(head)) == (lang == "zh"), head
    assert len(ran.out.splitlines()) > len(yyassess(command, "--format", "json").json())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_coverage_as_text_names_every_place_of_the_registry(yyassess: Any, book: Rulebook, lang: str) -> None:
    ran = yyassess("coverage", "--format", "text", "--lang", lang)
    assert (ran.code, ran.err) == (0, "")
    for place in {row.place for row in book.coverage}:
        assert book.places[place].name[lang] in ran.out


# ---- test --------------------------------------------------------------------------------------------------------
def test_the_worked_examples_of_the_shipped_rules_pass(yyassess: Any) -> None:
    found = yyassess("test", "--format", "json").json()
    assert found["failed"] == []
    assert found["passed"] > 100


@pytest.fixture
def few_examples(shipped: Any) -> None:
    """A small rulebook in the place of the shipped one, with one example."""
    text = (shipped.path / "instruments/scale.yaml").read_text(encoding="utf-8")
    shipped.write("instruments/scale.yaml", text + "examples:\n  - {name: best, fill: best, expect: {level: 0}}\n")


EXAMPLES = """\
id: another
name: {zh: 另一项, en: Another}
kind: allowance
status: in_force
source: {document: notice}
evidence: verified
criteria:
  - {id: old, when: years >= 60, say: {zh: 年满60周岁, en: Aged 60 or more}, evidence: verified}
examples:
  - {name: 六十岁, on: 2026-01-01, given: {years: 60}, expect: eligible}
  - name: 五十九岁
    on: 2026-01-01
    given: {years: 59}
    expect: eligible
"""


def test_the_examples_of_a_folder_are_run_on_top(yyassess: Any, few_examples: Any, tmp_path: Path) -> None:
    assert yyassess("test", "--format", "json").json() == {"passed": 1, "failed": []}
    (tmp_path / "own" / "city").mkdir(parents=True)
    (tmp_path / "own" / "city" / "another.yaml").write_text(
        EXAMPLES.replace("years: 59", "years: 61"), encoding="utf-8"
    )
    for arguments in ((tmp_path / "own",), ("--rules", tmp_path / "own")):
        assert yyassess("test", *arguments, "--format", "json").json() == {"passed": 3, "failed": []}


def test_a_failing_example_is_named_with_file_and_line_and_exit_code_1(
    yyassess: Any, few_examples: Any, tmp_path: Path
) -> None:
    (tmp_path / "own" / "city").mkdir(parents=True)
    (tmp_path / "own" / "city" / "another.yaml").write_text(EXAMPLES, encoding="utf-8")
    ran = yyassess("test", tmp_path / "own", "--format", "json")
    assert (ran.code, ran.err) == (1, "")
    found = json.loads(ran.out)
    [failed] = found["failed"]
    assert found["passed"] == 2
    assert (failed["of"], failed["example"], failed["file"]) == ("another", "五十九岁", "own/city/another.yaml")
    assert EXAMPLES.splitlines()[failed["line"] - 1] == "  - name: 五十九岁"
    assert "eligible" in failed["problem"] and "ineligible" in failed["problem"]
    text = yyassess("test", tmp_path / "own", "--format", "text", "--lang", "en")
    assert text.code == 1
    assert f"own/city/another.yaml:{failed['line']}" in text.out.replace("\n", "")
    assert text.out.splitlines()[-1] == "2 passed, 1 failed"


# ---- all commands ------------------------------------------------------------------------------------------------
EVERY = [
    "assess",
    "screen",
    "crosswalk",
    "determine",
    "table",
    "instruments",
    "programmes",
    "places",
    "coverage",
    "test",
    "check",
    "monitor",
    "serve",
]


def test_every_command_is_listed_and_explains_itself(yyassess: Any) -> None:
    from yyassess.cli import main

    listed = yyassess("--help")
    assert listed.code == 0
    assert set(EVERY) <= set(main.commands)
    for command in main.commands:
        assert command in listed.out
        ran = yyassess(command, "--help")
        assert (ran.code, ran.err) == (0, "")
        for option in ("--format", "--lang", "--rules"):
            assert option in ran.out, (command, option)


def test_the_version_is_that_of_the_library(yyassess: Any) -> None:
    ran = yyassess("--version")
    assert (ran.code, ran.out) == (0, f"yyassess, version {library.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("assess",),
        ("determine",),
        ("places", "--format", "xml"),
        ("places", "--lang", "fr"),
        ("places", "--colour"),
        ("serve", "--port", "99999"),
        ("serve", "--port", "eight"),
        ("determine", "--place", "zhoushan", "--engine", "guess"),
        ("assess", GBT, "-", "one more"),
    ],
)
def test_a_wrong_call_is_answered_on_stderr_with_exit_code_2(yyassess: Any, arguments: tuple[str, ...]) -> None:
    ran = yyassess(*arguments, given="{}")
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: yyassess" in ran.err
    assert "Error: " in ran.err


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_errors_go_to_stderr_in_the_form_and_language_asked_for(yyassess: Any, form: str, lang: str) -> None:
    ran = yyassess("assess", GBT, "--format", form, "--lang", lang, given={"answers": {"eating": 7, "eatin": 1}})
    assert (ran.code, ran.out) == (2, "")
    if form == "json":
        assert [e["where"] for e in ran.errors()] == ["answers.eating", "answers.eatin"]
    else:
        first, second = ran.err.splitlines()
        assert first.startswith("answers.eating: ")
        assert "7" in first and "4, 3, 2, 1, 0" in first
        assert "eating" in second.split(": ", 1)[1]
        assert ("允许" in first, "allowed" in first) == (lang == "zh", lang == "en")


def run(*arguments: object, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "yyassess.cli", *map(str, arguments)],
        input=given,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
    )


def test_away_from_a_terminal_the_form_is_json(own_rules: Path) -> None:
    done = run("places", "--rules", own_rules)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "testland" in {row["id"] for row in json.loads(done.stdout)}


@pytest.mark.parametrize("encoding", ["ascii", "gb18030"])
def test_json_is_utf8_whatever_the_locale(encoding: str) -> None:
    done = run("places", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "全国" in {row["name"]["zh"] for row in json.loads(done.stdout.decode("utf-8"))}
    refused = run("assess", GBT, given=b'{"answers": {"eating": 9}}', PYTHONIOENCODING=encoding)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert json.loads(refused.stderr.decode("utf-8"))["errors"][0]["say"]["zh"].startswith("进食")


@pytest.mark.parametrize("encoding", ["latin-1", "gbk"])
def test_text_that_a_terminal_cannot_show_is_no_reason_to_fail(encoding: str) -> None:
    done = run("assess", GBT, "--format", "text", given=b'{"answers": {"eating": 4}}', PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert GBT.encode() in done.stdout


def test_serve_without_its_parts_installed_says_what_to_install(yyassess: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webapp", None)
    error = yyassess("serve").error()
    assert "pip install 'yyassess[web]'" in error["say"]["en"]
    assert "pip install 'yyassess[web]'" in error["say"]["zh"]
