"""Bad input: each kind gets its clear message and exit code 2; nothing on stdout, nothing written, no traceback."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yyassess import InputError, Rulebook, assess, determine
from yyassess.cli import main

GBT, LTCI = "gbt-42195-2022", "ltci-2021-37"
SCORES = [4, 3, 2, 1, 0]
TODAY = dt.date.today()
TOMORROW = (TODAY + dt.timedelta(days=1)).isoformat()


# ---- answers -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "shown", "words"),
    [
        ("7", 7, "not one of the options"),
        ("-1", -1, "not one of the options"),
        ("3.5", 3.5, "not one of the options"),
        ("1e300", 1e300, "not one of the options"),
        ('"3"', "3", "not one of the options"),
        ('"three"', "three", "not one of the options"),
        ('""', "", "not one of the options"),
        ("true", True, "true and false are not scores"),
        ("false", False, "true and false are not scores"),
        ("NaN", "NaN", "not a finite number"),
        ("Infinity", "inf", "not a finite number"),
        ("-Infinity", "-inf", "not a finite number"),
        ("1e999", "inf", "not a finite number"),
        ("[3]", "[3]", "not one of the options"),
        ("{}", "{}", "not one of the options"),
        ('{"score": 3}', "{'score': 3}", "not one of the options"),
    ],
)
def test_what_is_no_score_is_shown_with_the_scores_there_are(
    yyassess: Any, answer: str, shown: Any, words: str
) -> None:
    error = yyassess("assess", GBT, given=f'{{"answers": {{"eating": {answer}}}}}').error()
    assert (error["where"], error["given"], error["allowed"]) == ("answers.eating", shown, SCORES)
    assert error["given"] is shown or not isinstance(shown, bool)
    assert error["say"]["en"] == words
    assert error["say"]["zh"].startswith("进食")


@pytest.mark.parametrize("answer", ["3", "3.0", "3.00"])
def test_a_score_may_be_written_as_a_whole_number_with_a_point(yyassess: Any, answer: str) -> None:
    trace = yyassess("assess", GBT, given=f'{{"answers": {{"eating": {answer}}}}}').json()["trace"]
    assert (trace[0]["step"], trace[0]["value"]) == ("eating", 3)


def test_an_unknown_item_is_shown_with_the_nearest_one(yyassess: Any) -> None:
    error = yyassess("assess", GBT, given={"answers": {"bathng": 3}}).error()
    assert (error["where"], error["given"]) == ("answers.bathng", "bathng")
    assert len(error["allowed"]) == 26
    assert error["say"] == {
        "zh": "不认识的键 bathng，是否为 bathing？",
        "en": "unknown key 'bathng'; did you mean 'bathing'?",
    }


def test_an_item_of_another_instrument_is_unknown(yyassess: Any) -> None:
    error = yyassess("assess", LTCI, given={"answers": {"aggression": 1}}).error()
    assert error["where"] == "answers.aggression"


def test_the_items_of_a_form_that_may_not_be_shipped_are_refused_with_the_reason(yyassess: Any, book: Rulebook) -> None:
    id = next(i.id for i in book.instruments.values() if i.licence.items == "withheld")
    error = yyassess("assess", id, given={"answers": {"orientation_of_the_owner": 1}}).error()
    assert book.instruments[id].licence.owner["zh"] in error["say"]["zh"]


@pytest.mark.parametrize(
    ("request_json", "where", "words"),
    [
        ('{"answrs": {}}', "answrs", "did you mean 'answers'?"),
        ('{"answers": [4, 3]}', "answers", "must be a JSON object"),
        ('{"answers": "all best"}', "answers", "must be a JSON object"),
        ('{"context": 5}', "context", "must be a JSON object"),
        ('{"context": {"komma": true}}', "context.komma", "did you mean 'coma'?"),
        ('{"context": {"coma": "yes"}}', "context.coma", "not true or false"),
        ('{"context": {"coma": 1}}', "context.coma", "not true or false"),
        ('{"context": {"diagnoses": "dementia"}}', "context.diagnoses", "not a list of codes"),
        ('{"context": {"diagnoses": ["dementa"]}}', "context.diagnoses", "not one of the codes"),
        ('{"context": {"diagnoses": [["dementia"]]}}', "context.diagnoses", "not a code"),
        ('{"context": {"care_risk_events": {"fall": 2}}}', "context.care_risk_events.fall", "not a code"),
        ('{"context": {"care_risk_events": {"fal": "once"}}}', "context.care_risk_events.fal", "did you mean"),
        ('{"context": {"care_risk_events": "once"}}', "context.care_risk_events", "unknown key"),
        ('{"context": {"height_cm": 1000}}', "context.height_cm", "outside 50 to 250"),
        ('{"context": {"height_cm": 170.25}}', "context.height_cm", "at most 1 decimals"),
        ('{"context": {"height_cm": NaN}}', "context.height_cm", "not a finite number"),
        ('{"context": {"height_cm": "170"}}', "context.height_cm", "not a number"),
        ('{"context": {"height_cm": true}}', "context.height_cm", "not a number"),
        ('{"settings": {"count_other_events": "maybe"}}', "settings.count_other_events", "not one of the choices"),
        ('{"settings": {"count_other_events": 1}}', "settings.count_other_events", "not one of the choices"),
        ('{"settings": {"count_othr_events": true}}', "settings.count_othr_events", "did you mean"),
        ("[]", "", "must be a JSON object"),
        ("null", "", "must be a JSON object"),
        ("5", "", "must be a JSON object"),
        ('"answers"', "", "must be a JSON object"),
    ],
)
def test_anything_else_in_a_request_is_shown_where_it_stands(
    yyassess: Any, request_json: str, where: str, words: str
) -> None:
    error = yyassess("assess", GBT, given=request_json).error()
    assert error["where"] == where
    assert words in error["say"]["en"]


def test_a_personal_fact_is_not_repeated_in_the_message(yyassess: Any) -> None:
    ran = yyassess("assess", GBT, given={"context": {"contact_phone": 13800138000}})
    assert ran.error()["where"] == "context.contact_phone"
    assert "13800138000" not in ran.err


# ---- days --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "date",
    [
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "0000-01-01",
        "2026-1-1",
        "20260101",
        "2026-W01-1",
        "01.02.2026",
        "2026-01-01T08:00",
        "today",
        "",
    ],
)
def test_a_day_that_does_not_exist_is_shown_with_how_days_are_written(yyassess: Any, date: str) -> None:
    error = yyassess("assess", GBT, given={"date": date, "answers": {}}).error()
    assert (error["where"], error["given"], error["allowed"]) == ("date", date, "YYYY-MM-DD")
    assert "not a day" in error["say"]["en"]


@pytest.mark.parametrize("date", [20260101, 0, False, True, 2026.5, ["2026-01-01"], {}])
def test_a_day_is_text(yyassess: Any, date: Any) -> None:
    assert yyassess("assess", GBT, given={"date": date}).error()["where"] == "date"


def test_a_visit_in_the_future_is_refused(yyassess: Any) -> None:
    error = yyassess("assess", GBT, given={"date": TOMORROW, "answers": {"eating": 4}}).error()
    assert (error["where"], error["given"], error["allowed"]) == ("date", TOMORROW, f"<= {TODAY}")
    assert error["say"] == {"zh": "评估日期在将来", "en": "the visit is dated in the future"}


def test_a_visit_of_today_is_accepted(yyassess: Any) -> None:
    assert yyassess("assess", GBT, given={"date": TODAY.isoformat()}).json()["date"] == TODAY.isoformat()


def test_an_assessment_after_the_day_asked_about_is_refused(yyassess: Any) -> None:
    case = {"assessments": [{"instrument": LTCI, "date": "2026-10-02", "grade": {"level": 4}}]}
    error = yyassess("determine", "--place", "zhoushan", "--on", "2026-10-01", given=case).error()
    assert (error["where"], error["allowed"]) == ("assessments.0.date", "<= 2026-10-01")


def test_an_assessment_in_the_future_is_refused(yyassess: Any) -> None:
    case = {"assessments": [{"instrument": LTCI, "date": TOMORROW, "grade": {"level": 4}}]}
    assert yyassess("determine", "--place", "zhoushan", given=case).error()["where"] == "assessments.0.date"


@pytest.mark.parametrize("option", ["--on", "--known-on"])
@pytest.mark.parametrize("day", ["2026-02-30", "2026-W01-1", "tomorrow", ""])
def test_a_day_on_the_command_line_exists(yyassess: Any, option: str, day: str) -> None:
    error = yyassess("determine", "--place", "zhoushan", option, day, given={}).error()
    assert (error["where"], error["given"], error["allowed"]) == (option, day, "YYYY-MM-DD")


# ---- cases -------------------------------------------------------------------------------------------------------
def assessed(**more: Any) -> dict[str, Any]:
    return {"assessments": [{"instrument": LTCI, "date": "2026-01-01", **more}]}


@pytest.mark.parametrize(
    ("case", "where", "words"),
    [
        ({"fact": {}}, "fact", "did you mean 'facts'?"),
        ({"facts": []}, "facts", "must be a JSON object"),
        ({"facts": {"insurance_schem": "employee"}}, "facts.insurance_schem", "did you mean 'insurance_scheme'?"),
        ({"facts": {"insurance_scheme": "employe"}}, "facts.insurance_scheme", "not one of the codes"),
        ({"facts": {"insured_months_continuous": 22.5}}, "facts.insured_months_continuous", "not a whole number"),
        ({"facts": {"insured_months_continuous": "22"}}, "facts.insured_months_continuous", "not a number"),
        ({"facts": {"insured_months_continuous": -1}}, "facts.insured_months_continuous", "outside"),
        ({"facts": {"ltci_grade": 4}}, "facts.ltci_grade", "a grade is given under assessments, with its date"),
        ({"person": {"birth_date": "1941-02-30"}}, "person.birth_date", "not a day that exists"),
        ({"person": {"birth_date": "2999-01-01"}}, "person.birth_date", "born after the day asked about"),
        ({"person": {"birth_date": "1700-01-01"}}, "age", "out of range"),
        ({"person": {"birth_date": "1941-05-02"}, "facts": {"age": 20}}, "facts.age", "contradicts"),
        ({"person": {"sex": "male"}, "facts": {"sex": "female"}}, "facts.sex", "twice with different values"),
        ({"person": {"residence_place": "atlantis"}}, "person.residence_place", "unknown place 'atlantis'"),
        ({"assessments": {}}, "assessments", "must be a list"),
        ({"assessments": [5]}, "assessments.0", "must be a JSON object"),
        (
            assessed(instrument="ltci-2021-38", grade={"level": 1}),
            "assessments.0.instrument",
            "did you mean 'ltci-2021-37'?",
        ),
        (assessed(), "assessments.0", "give exactly one of them"),
        (assessed(grade={"level": 1}, answers={}), "assessments.0", "give exactly one of them"),
        (assessed(grade={"level": 9}), "assessments.0.grade", "not a grade of this instrument"),
        (assessed(grade={"level": True}), "assessments.0.grade", "not a grade of this instrument"),
        (assessed(grade={"level": "4"}), "assessments.0.grade", "not a grade of this instrument"),
        (assessed(code="sever"), "assessments.0.code", "not a grade of this instrument"),
        (assessed(answers={"eating": 7}), "assessments.0.answers.eating", "not one of the options"),
        (assessed(grades={"level": 1}), "assessments.0.grades", "did you mean 'grade'?"),
        (assessed(date="2026-02-30", grade={"level": 1}), "assessments.0.date", "needs its date"),
        (assessed(date=None, grade={"level": 1}), "assessments.0.date", "needs its date"),
    ],
)
def test_anything_wrong_in_a_case_is_shown_where_it_stands(yyassess: Any, case: Any, where: str, words: str) -> None:
    errors = yyassess("determine", "--place", "zhoushan", "--on", "2026-11-22", given=case).errors()
    found = next(e for e in errors if e["where"] == where)
    assert words in found["say"]["en"]


def test_two_results_of_one_day_that_differ_are_refused(yyassess: Any) -> None:
    one = {"instrument": LTCI, "date": "2026-01-01", "grade": {"level": 1}}
    case = {"assessments": [one, {**one, "grade": {"level": 2}}]}
    assert yyassess("determine", "--place", "zhoushan", given=case).error()["where"] == "assessments.1"
    assert yyassess("determine", "--place", "zhoushan", given={"assessments": [one, one]}).code == 0


@pytest.mark.parametrize("command", ["determine", "screen", "crosswalk"])
def test_every_command_that_takes_a_case_refuses_a_bad_one(yyassess: Any, command: str) -> None:
    arguments = ["--place", "zhoushan"] if command == "determine" else []
    errors = yyassess(command, *arguments, given={"facts": {"sex": "x"}, "cats": 1}).errors()
    assert {e["where"] for e in errors} >= {"facts.sex", "cats"}


# ---- names -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "where", "given", "suggestion"),
    [
        (("assess", "gbt-42195-2023"), "instrument", "gbt-42195-2023", GBT),
        (("determine", "--place", "zhousan"), "place", "zhousan", "zhoushan"),
        (("programmes", "--place", "zhousan"), "place", "zhousan", "zhoushan"),
        (("table", "--place", "zhousan"), "place", "zhousan", "zhoushan"),
    ],
)
def test_a_name_that_does_not_exist_is_shown_with_the_nearest(
    yyassess: Any, arguments: tuple[str, ...], where: str, given: str, suggestion: str
) -> None:
    error = yyassess(*arguments, given={}).error()
    assert (error["where"], error["given"]) == (where, given)
    assert suggestion in error["allowed"]
    assert f"did you mean {suggestion!r}?" in error["say"]["en"]
    assert suggestion in error["say"]["zh"]


# ---- files -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"answers": {"eating": 3,}}', "not JSON"),
        (b"{'answers': {}}", "not JSON"),
        (b"answers: {eating: 3}", "not JSON"),
        (b'{"answers": {"eating": 03}}', "not JSON"),
        (b'{"answers": {}} {}', "not JSON"),
        ('{"answers": "老"}'.encode("gb18030"), "not UTF-8"),
        ('{"answers": {}}'.encode("utf-16"), "not UTF-8"),
        (b'{"answers": {"eating": 1, "eating": 2}}', "the key eating is written twice"),
        (b'{"answers": {}, "context": {}, "answers": {}}', "the key answers is written twice"),
        (b'{"answers": {"eating": 1' + b"0" * 5000 + b"}}", "a number of 5001 digits"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(yyassess: Any, raw: bytes, words: str) -> None:
    error = yyassess("assess", GBT, given=raw).error()
    assert words in error["say"]["en"]


def test_what_is_no_json_is_refused_with_line_and_column(yyassess: Any, tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    file.write_text('{"answers":\n  {"eating": }}', encoding="utf-8")
    assert yyassess("assess", GBT, file).error()["where"] == f"{file}:2:14"


def test_a_file_that_is_not_there_is_refused_with_its_path(yyassess: Any, tmp_path: Path) -> None:
    error = yyassess("assess", GBT, tmp_path / "nowhere.json").error()
    assert error["where"] == str(tmp_path / "nowhere.json")
    assert "cannot be read: No such file" in error["say"]["en"]
    assert "cannot be read" in yyassess("assess", GBT, tmp_path).error()["say"]["en"]


@pytest.mark.parametrize("by", ["file", "stdin"])
def test_an_answer_file_of_10_mb_is_refused_unread(yyassess: Any, tmp_path: Path, by: str) -> None:
    raw = b'{"answers": {' + b", ".join(b'"x%d": 1' % n for n in range(900_000)) + b"}}"
    assert len(raw) > 10_000_000
    (tmp_path / "big.json").write_bytes(raw)
    started = time.perf_counter()
    error = yyassess(
        "assess", GBT, tmp_path / "big.json" if by == "file" else "-", given=raw if by == "stdin" else None
    ).error()
    assert "too large" in error["say"]["en"]
    assert "1000000 bytes" in error["allowed"]
    assert time.perf_counter() - started < 5


def test_a_message_never_repeats_long_input_whole(yyassess: Any) -> None:
    ran = yyassess(
        "assess", GBT, given={"answers": {"eating": "x" * 100_000}, "context": {"medications": "y" * 100_000}}
    )
    assert len(ran.errors()) == 2
    assert len(ran.err) < 5000


# ---- all at once -------------------------------------------------------------------------------------------------
def test_all_errors_of_a_request_come_at_once(yyassess: Any) -> None:
    request = (
        f'{{"date": "{TOMORROW}", "answers": {{"eating": 7, "grooming": true, "bathing": NaN, "bathng": 1, "toileting": "2"}},'
        '"context": {"coma": 1, "komma": 2, "diagnoses": ["x"]}, "settings": {"x": 1}, "extra": 0}'
    )
    assert {e["where"] for e in yyassess("assess", GBT, given=request).errors()} == {
        "date",
        "extra",
        "answers.eating",
        "answers.grooming",
        "answers.bathing",
        "answers.bathng",
        "answers.toileting",
        "context.coma",
        "context.komma",
        "context.diagnoses",
        "settings.x",
    }


def test_all_errors_of_a_case_come_at_once(yyassess: Any) -> None:
    case = {
        "person": {"sex": "x", "birth_date": "1941-02-30"},
        "facts": {"care_mode": 3, "nonsense": 1},
        "assessments": [
            {"instrument": "x", "date": "2026-01-01", "answers": {}},
            {"instrument": LTCI, "date": "2026-01-01", "answers": {"eating": 7, "dressing": True}},
        ],
        "extra": 1,
    }
    assert {e["where"] for e in yyassess("determine", "--place", "zhoushan", given=case).errors()} == {
        "extra",
        "person.sex",
        "person.birth_date",
        "facts.care_mode",
        "facts.nonsense",
        "assessments.0.instrument",
        "assessments.1.answers.eating",
        "assessments.1.answers.dressing",
    }


# ---- rules -------------------------------------------------------------------------------------------------------
PROGRAMME = """\
id: own-help
name: {zh: 自有项目, en: Own help}
kind: service
status: in_force
source: {document: own-1}
evidence: verified
criteria:
  - {id: old, when: years >= 60, say: {zh: 年满60周岁, en: Aged 60 or more}, evidence: verified}
"""


@pytest.fixture
def own(shipped: Any, tmp_path: Path) -> Any:
    """A deployment's folder of rules without a fault, on top of a small rulebook; called, it writes a file there."""
    folder = tmp_path / "own"

    def write(name: str, content: str | bytes) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    write("sources.yaml", "documents:\n  own-1: {title: {zh: 通知, en: Notice}, evidence: verified}\n")
    write("national/own-help.yaml", PROGRAMME)
    return write


def test_a_folder_of_good_rules_is_accepted(yyassess: Any, own: Any, tmp_path: Path) -> None:
    rows = yyassess("programmes", "--rules", tmp_path / "own", "--format", "json").json()
    assert "own-help" in {r["id"] for r in rows}


def alias_bomb() -> str:
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'x'}]" for n in range(12)]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("file", "content", "where", "words"),
    [
        ("national/own-help.yaml", PROGRAMME.replace("years >= 60", "yaers >= 60"), "own/national/own-help.yaml:8 criteria.0.when",
         "unknown fact 'yaers' in 'yaers >= 60' (did you mean 'years'?)"),
        ("national/own-help.yaml", PROGRAMME + "kritera: []\n", "own/national/own-help.yaml:9 kritera", "did you mean 'criteria'?"),
        ("national/own-help.yaml", PROGRAMME.replace("evidence: verified\ncriteria", "criteria"), "own/national/own-help.yaml:1 evidence",
         "is missing"),
        ("national/own-help.yaml", PROGRAMME + "kind: bed\n", "own/national/own-help.yaml:9", "the key 'kind' is written twice"),
        ("national/broken.yaml", "id: {own\nx: 5\n", "own/national/broken.yaml:2", "(in what begins on line 1)"),
        ("national/second.yaml", PROGRAMME, "own/national/second.yaml:1 id",
         "the programme 'own-help' is already defined in own/national/own-help.yaml"),
        ("bomb.yaml", alias_bomb(), "own/bomb.yaml:1", "anchors and aliases"),
        ("deep.yaml", "a: " + "[" * 100_000, "own/deep.yaml:1", "nested deeper than"),
        ("latin.yaml", "name: é".encode("latin-1"), "own/latin.yaml:1", "not UTF-8"),
        ("empty.yaml", "", "own/empty.yaml:1", "a rule file is a mapping"),
        ("national/own-help.yaml", PROGRAMME + "in_force: {from: 2026-02-30}\n", "own/national/own-help.yaml:9",
         "2026-02-30 is not a day that exists"),
        ("national/own-help.yaml", PROGRAMME.replace("years >= 60", "years >= 1e999999999"), "own/national/own-help.yaml:8 criteria.0.when",
         "not written as a whole number"),
        ("big.yaml", b"#" * 3_000_000, "own/big.yaml:1", "3000000 bytes"),
    ],
)  # fmt: skip
def test_a_broken_rule_file_is_shown_with_file_line_and_field(
    yyassess: Any, own: Any, file: str, content: str | bytes, where: str, words: str
) -> None:
    folder = own(file, content)
    started = time.perf_counter()
    errors = yyassess("places", "--rules", folder).errors()
    found = next(e for e in errors if e["where"] == where)
    assert words in found["say"]["en"]
    assert found["where"].startswith(f"{found['file']}:{found['line']}")
    assert time.perf_counter() - started < 30


def test_an_instrument_that_is_shipped_cannot_be_redefined(yyassess: Any, own: Any, shipped: Any) -> None:
    raw = (shipped.path / "instruments/scale.yaml").read_bytes()
    error = yyassess("places", "--rules", own("instruments/mine.yaml", raw)).error()
    assert error["where"] == "own/instruments/mine.yaml:1 id"
    assert error["say"]["en"] == "the instrument 'scale' is already defined in small/instruments/scale.yaml"


def test_all_errors_of_all_rule_files_come_at_once(yyassess: Any, own: Any) -> None:
    own("national/own-help.yaml", PROGRAMME.replace("years >= 60", "yaers >= 60") + "kind: bed\n")
    own("national/another.yaml", PROGRAMME.replace("own-help", "another").replace("own-1", "own-2"))
    errors = yyassess("places", "--rules", own("national/broken.yaml", "id: [own")).errors()
    assert [(e["file"], e["field"]) for e in errors] == [
        ("own/national/another.yaml", "source"),
        ("own/national/broken.yaml", ""),
        ("own/national/own-help.yaml", "criteria.0.when"),
        ("own/national/own-help.yaml", ""),
    ]


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_refuses_a_missing_folder_of_rules(yyassess: Any, tmp_path: Path, command: str) -> None:
    some = tmp_path / "some.csv"
    some.write_text("id\n1\n", encoding="utf-8")
    more: list[Any] = []
    for needed in (p for p in main.commands[command].params if p.required):
        value = {"instrument": GBT, "place": "zhoushan"}.get(str(needed.name), some)
        more += [value] if isinstance(needed, click.Argument) else [needed.opts[0], value]
    error = yyassess(command, *more, "--rules", tmp_path / "nowhere", given={}).error()
    if error["where"].startswith("yyassess["):
        pytest.skip(f"{error['where']} is not installed")
    assert error["where"] == str(tmp_path / "nowhere")
    assert error["say"]["en"] == "there is no such folder of rules"


def test_a_missing_folder_of_examples_is_refused(yyassess: Any, tmp_path: Path) -> None:
    assert yyassess("test", tmp_path / "nowhere").error()["where"] == str(tmp_path / "nowhere")


def test_a_missing_folder_named_in_the_environment_is_refused(
    yyassess: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YYASSESS_RULES", str(tmp_path / "nowhere"))
    assert yyassess("places").error()["where"] == str(tmp_path / "nowhere")


# ---- as a program ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "raw"),
    [
        (["assess", GBT, "--format", "json"], b'{"answers": {"eating": NaN}}'),
        (["assess", GBT, "--format", "json"], b"[" * 500_000),
        (["assess", GBT, "--format", "json"], b" " * 10_000_001),
        (["assess", GBT, "--format", "text"], b'{"answers": {"\\ud800": "\\udfff", "eating": 7}}'),
        (["determine", "--place", "zhoushan", "--format", "json"], b'{"facts": {"sex": "\\ud800", "\\u0000": 1}}'),
        (["places", "--rules", "nowhere", "--format", "text"], b""),
    ],
)
def test_a_program_started_with_bad_input_ends_quietly(tmp_path: Path, arguments: list[str], raw: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "yyassess.cli", *arguments],
        input=raw,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    if "json" in arguments:
        assert json.loads(done.stderr)["errors"]


# ---- the library -------------------------------------------------------------------------------------------------
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=10)
    | st.dates()
    | st.sampled_from(["dementia", "once", "employee", LTCI, "2026-01-01", 4, 3.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@given(answer=ANYTHING, fact=ANYTHING, day=ANYTHING, setting=ANYTHING)
@example(answer=Decimal("sNaN"), fact=Decimal("NaN"), day=None, setting=float("nan"))
@example(answer=Decimal("-Infinity"), fact=float("nan"), day=Decimal("sNaN"), setting=Decimal("sNaN"))
@example(answer=10**5000, fact=-(10**5000), day="", setting=10**400)
def test_whatever_is_given_is_graded_or_refused(book: Rulebook, answer: Any, fact: Any, day: Any, setting: Any) -> None:
    request = {
        "date": day,
        "answers": {"eating": answer},
        "context": {"coma": fact, "diagnoses": fact, "height_cm": fact, "care_risk_events": {"fall": fact}},
        "settings": {"count_other_events": setting},
    }
    try:
        assess(GBT, request, book)
    except InputError as error:
        assert error.errors
        json.dumps(error.errors, allow_nan=False)


@given(fact=ANYTHING, other=ANYTHING)
@example(fact=Decimal("sNaN"), other=Decimal("Infinity"))
def test_whatever_case_is_given_is_decided_or_refused(book: Rulebook, fact: Any, other: Any) -> None:
    for case in (
        {
            "person": {"birth_date": fact, "sex": other},
            "facts": {"insured_months_continuous": other, "service_price": fact},
        },
        {
            "assessments": [
                {"instrument": LTCI, "date": "2026-01-01", "grade": fact},
                {"instrument": GBT, "date": other, "answers": fact},
            ]
        },
        {
            "assessments": [
                {
                    "instrument": LTCI,
                    "date": "2026-01-01",
                    "answers": {"eating": fact},
                    "context": other,
                    "settings": other,
                }
            ]
        },
        {"assessments": fact, "person": other},
        fact,
    ):
        try:
            determine(case, place="zhoushan", on="2026-11-22", rules=book)
        except InputError as error:
            assert error.errors
            json.dumps(error.errors, allow_nan=False)
