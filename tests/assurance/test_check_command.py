"""`yyassess check` and `from yyassess import check`: the report of the contract, exit codes, where rules are read from."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rulebooks import BASE, programme, rulebook

import yyassess
from yyassess import Rulebook, check
from yyassess.assurance.checker import Report
from yyassess.assurance.codes import CODES
from yyassess.cli import main
from yyassess.conditions import smt


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, words)])


CLEAN = {**BASE, "town/a.yaml": programme("a", "age >= 60", "alone")}
FAULTY = {**BASE, "town/a.yaml": programme("a", "age > 130", "alone")}


def test_a_clean_rulebook_leaves_with_0_and_says_what_was_proved(tmp_path: Path) -> None:
    result = run(folder(tmp_path, CLEAN), "--format", "json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["findings"] == []
    assert {"proved", "enumerated", "sampled"} <= set(report)
    claims = {entry["claim"]: entry for entry in report["proved"]}
    assert claims["never-satisfiable"]["count"] == 1
    assert claims["never-satisfiable"]["of"] == ["a"]
    assert set(claims["never-satisfiable"]["say"]) == {"zh", "en"}


def test_an_error_leaves_with_1_and_says_file_line_and_sentence(tmp_path: Path) -> None:
    result = run(folder(tmp_path, FAULTY), "--format", "json")
    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)["findings"]
    assert finding["code"] == "criterion-never-true"
    assert finding["severity"] == "error"
    assert finding["file"].endswith("town/a.yaml")
    line = FAULTY["town/a.yaml"].splitlines()[finding["line"] - 1]
    assert "age > 130" in line
    assert set(finding["say"]) == {"zh", "en"}


def test_the_witness_can_be_given_to_the_command_it_names(tmp_path: Path) -> None:
    rules = folder(tmp_path, {**BASE, "town/a.yaml": programme("a", "grade = 0")})
    [finding] = json.loads(run(rules, "--format", "json").stdout)["findings"]
    words = finding["how"].split()
    book = Rulebook.load(rules, shipped=False)
    for case, status in ((finding["witness"], "ineligible"), (finding["against"], "eligible")):
        found = yyassess.determine(case, place=words[3], on=words[5], rules=book)
        assert found["outcomes"][0]["status"] == status


def test_warnings_alone_leave_with_0(tmp_path: Path) -> None:
    result = run(folder(tmp_path, {**BASE, "town/a.yaml": programme("a", "age >= 0")}), "--format", "json")
    assert result.exit_code == 0
    assert [f["severity"] for f in json.loads(result.stdout)["findings"]] == ["warning"]


def test_rules_that_cannot_be_read_leave_with_2_and_nothing_on_stdout(tmp_path: Path) -> None:
    ring = {
        **BASE,
        "town/a.yaml": programme("a", "ELIGIBLE('b')"),
        "town/b.yaml": programme("b", "ELIGIBLE('a')"),
    }
    result = run(folder(tmp_path, ring), "--format", "json")
    assert result.exit_code == 2
    assert result.stdout == ""
    errors = json.loads(result.stderr)["errors"]
    assert "cycle" in {e["code"] for e in errors}
    assert all(e["file"].endswith(".yaml") and e["line"] >= 1 for e in errors)


def test_a_folder_that_is_not_there_leaves_with_2(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing").exit_code == 2


def test_a_city_may_check_its_own_folder_on_top_of_the_shipped_rules(tmp_path: Path) -> None:
    own = """\
places:
  - {id: demo-city, code: "990100", name: {zh: 示范市, en: Demo city}, level: city, within: national}
"""
    rule = programme("demo-subsidy", "age > 130").replace("document: notice", "document: project-decisions")
    rules = folder(tmp_path, {"demo-city/place.yaml": own, "demo-city/demo-subsidy.yaml": rule})
    result = run(rules, "--format", "json")
    assert result.exit_code == 1, result.stderr
    mine = [f for f in json.loads(result.stdout)["findings"] if f["of"] == "demo-subsidy"]
    assert [f["code"] for f in mine] == ["criterion-never-true"]


def test_a_fault_in_a_copy_of_the_shipped_rules_is_told_of_the_copy(tmp_path: Path) -> None:
    from yyassess.rulebook.loading import shipped_rules

    for file in shipped_rules().rglob("*.yaml"):
        target = tmp_path / "rules" / file.relative_to(shipped_rules())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    broken = tmp_path / "rules" / "national" / "national-consumption-subsidy.yaml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("age >= 60", "aeg >= 60"), encoding="utf-8")
    result = run(tmp_path / "rules", "--format", "json")
    assert result.exit_code == 2
    errors = json.loads(result.stderr)["errors"]
    assert {e["code"] for e in errors} == {"fact-unknown"}
    assert {e["file"] for e in errors} == {"rules/national/national-consumption-subsidy.yaml"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_text_output_reads_as_sentences_in_both_languages(tmp_path: Path, lang: str) -> None:
    result = run(folder(tmp_path, FAULTY), "--format", "text", "--lang", lang)
    assert result.exit_code == 1
    words = {"zh": ("错误", "永远不成立", "已证明"), "en": ("error", "can never be true", "proved")}[lang]
    assert all(word in result.stdout for word in words)
    assert "yyassess determine --place town" in result.stdout


def test_the_day_may_be_given(tmp_path: Path) -> None:
    rules = folder(
        tmp_path, {**BASE, "town/a.yaml": programme("a", "alone", since="{from: 2020-01-01, to: 2030-12-31}")}
    )
    for day, codes in (("2026-01-01", []), ("2031-01-01", ["expired"])):
        found = json.loads(run(rules, "--on", day, "--format", "json").stdout)["findings"]
        assert [f["code"] for f in found] == codes
    assert run(rules, "--on", "yesterday").exit_code == 2


def test_without_the_solver_a_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt, "z3", None)
    result = run(folder(tmp_path, CLEAN), "--format", "text", "--lang", "en")
    assert result.exit_code == 2
    assert "pip install 'yyassess[proofs]'" in result.stderr
    with pytest.raises(smt.ProofsMissing, match="proofs"):
        check(rulebook({}))


def test_a_fault_that_is_meant_is_a_note_with_its_reason() -> None:
    mark = "intended: [{code: worse-grade-loses, of: grade, reason: {zh: 预防, en: Prevention}}]\n"
    report = check(rulebook({"town/a.yaml": programme("a", "grade = 0", rest=mark)}))
    [finding] = report.findings
    assert (finding.severity, finding.intended) == ("note", {"zh": "预防", "en": "Prevention"})
    assert report.clean and not report.errors


def test_a_mark_for_one_part_does_not_cover_another() -> None:
    mark = "intended: [{code: older-loses, of: birth, reason: {zh: 原因, en: Reason}}]\n"
    report = check(rulebook({"town/a.yaml": programme("a", "age < 80", rest=mark)}))
    assert {f.code for f in report.findings} == {"older-loses", "intended-stale"}


def test_a_mark_does_not_change_the_hash_of_the_rule() -> None:
    mark = "intended: [{code: older-loses, reason: {zh: 原因, en: Reason}}]\n"
    books = [rulebook({"town/a.yaml": programme("a", "age < 80", rest=rest)}) for rest in ("", mark)]
    hashes = {book.at("town", dt.date(2025, 1, 1)).hash for book in books}
    assert len(hashes) == 1


# -- the shipped rules --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def shipped() -> tuple[Report, float]:
    started = time.process_time()
    report = check(Rulebook.load(), on=dt.date(2026, 11, 22))
    return report, time.process_time() - started


def test_the_shipped_rules_are_clean_or_say_why_not(shipped: tuple[Report, float]) -> None:
    open_ones = [f"{f.code} {f.file}:{f.line} {f.of}" for f in shipped[0].findings if f.severity != "note"]
    assert open_ones == []


def test_the_shipped_rules_are_checked_in_under_a_minute(shipped: tuple[Report, float]) -> None:
    assert shipped[1] < 60


def test_no_witness_on_the_shipped_rules_was_a_false_alarm(shipped: tuple[Report, float]) -> None:
    assert shipped[0].unconfirmed == ()


def test_everything_the_report_claims_was_looked_at(shipped: tuple[Report, float]) -> None:
    told: dict[str, Any] = shipped[0].json()
    assert sum(entry["count"] for entry in told["proved"]) > 1500
    assert all(entry["count"] > 0 for how in ("proved", "enumerated", "sampled") for entry in told[how])
    assert {f.code for f in shipped[0].findings} <= set(CODES)
