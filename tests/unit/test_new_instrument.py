"""A scale nobody has seen before: its file, its own facts and its own source in a folder named by --rules. No Python."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from itertools import product, takewhile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from small_rules import RuleFolder

from yyassess import InputError, Rulebook, RulebookError, UnknownName, assess, crosswalk
from yyassess.assurance.examples import run_examples
from yyassess.cli import main
from yyassess.report.pages import page

DAY = "2026-11-22"

VOCABULARY = """\
facts:
  flights_to_climb:
    type: integer
    range: [0, 30]
    name: {zh: 回家要爬几层楼, en: Flights of stairs to the home}
    ask: {zh: 从街上到家要爬几层楼？, en: How many flights of stairs lead to the home?}
  has_lift:
    type: boolean
    name: {zh: 有电梯, en: There is a lift}
    ask: {zh: 楼里有电梯吗？, en: Is there a lift in the house?}
"""

SOURCES = """\
documents:
  town-form:
    title: {zh: 本镇居家活动评估表, en: Form of the town on moving about at home}
    number: 镇发〔2026〕1号
    date: 2026-05-01
    evidence: single
"""

#: Every kind of step, a setting, a question that is not always asked, rules that move the grade.
INSTRUMENT = """\
id: town-mobility
name: {zh: 本镇居家活动评估, en: Moving about at home (town form)}
short: {zh: 居家活动, en: Moving about}
kind: ability
source: {document: town-form, clause: 附件1}
evidence: single
licence:
  owner: {zh: 本镇, en: the town}
  status: government
  items: shipped
  say: {zh: 镇里公开的表格, en: A public form of the town}
  verified_on: 2026-05
  evidence: single
higher_score: worse
monotone: false
respondent: [person, informant]
levels:
  - {level: 0, code: free, name: {zh: 自如, en: Free}}
  - {level: 1, code: slow, name: {zh: 迟缓, en: Slow}}
  - {level: 2, code: hindered, name: {zh: 受限, en: Hindered}}
  - {level: 3, code: bound, name: {zh: 困在家中, en: Homebound}}
ladders:
  help:
    - {score: 0, say: {zh: 自己能, en: Alone}}
    - {score: 1, say: {zh: 要人帮, en: With help}}
    - {score: 2, say: {zh: 做不到, en: Not at all}}
dimensions:
  - id: body
    name: {zh: 身体, en: Body}
    items:
      - {id: rise, name: {zh: 起身, en: Getting up}, ladder: help}
      - {id: walk, name: {zh: 走路, en: Walking}, ladder: help}
      - {id: carry, name: {zh: 提东西, en: Carrying}, ladder: help}
  - id: outside
    name: {zh: 出门, en: Going out}
    items:
      - id: outings
        name: {zh: 一周出门几次, en: Outings a week}
        range: [0, 7]
      - id: alone
        name: {zh: 一个人出门, en: Goes out alone}
        applies_when: outings >= 1
        options:
          - {id: 'yes', say: {zh: 是, en: 'Yes'}}
          - {id: 'no', say: {zh: 否, en: 'No'}}
context:
  - {fact: flights_to_climb}
  - {fact: has_lift, if_not_given: false}
settings:
  - id: rare
    choices: [1, 2]
    default: 1
    say: {zh: 一周出门不到几次算少, en: Fewer outings a week than this are few}
steps:
  - {id: body, kind: sum, dimension: body, name: {zh: 身体得分, en: Body score}, evidence: single}
  - {id: average, kind: mean, items: [rise, walk, carry], decimals: 1, name: {zh: 平均, en: Mean}, evidence: single}
  - {id: cannot, kind: count, items: [rise, walk, carry], when: value = 2, name: {zh: 做不到的项数, en: Things not done}, evidence: single}
  - {id: worst, kind: extreme, of: [rise, walk, carry], name: {zh: 最差, en: Worst}, evidence: single}
  - {id: usual, kind: mode, items: [rise, walk, carry], when: value >= 0, tie_nearest: worst, name: {zh: 多数, en: Usual}, evidence: single}
  - id: body_level
    kind: band
    of: body
    name: {zh: 身体分级, en: Body grade}
    evidence: single
    cuts: [{at: 0, level: 0}, {at: 2, level: 1}, {at: 5, level: 2}]
  - id: outside_level
    kind: rules
    level_of: outside
    report: false
    name: {zh: 出门分级, en: Going out grade}
    evidence: single
    rules:
      - {when: outings < rare, value: 2}
      - {when: alone = 'no', value: 1}
      - {value: 0}
  - id: table
    kind: matrix
    rows: body_level
    columns: outside_level
    name: {zh: 组合, en: Table}
    evidence: single
    cells: [[0, 1, 2], [1, 1, 2], [2, 2, 3]]
  - id: preliminary
    kind: rules
    report: false
    name: {zh: 初步等级, en: Preliminary grade}
    evidence: single
    rules:
      - {when: usual = 2 AND cannot >= 2, value: 3}
      - {value: table}
grade: preliminary
adjustments:
  - id: stairs_raise
    when: flights_to_climb >= 4 AND NOT has_lift
    raise_by: 1
    source: {document: town-form, clause: 第3条}
    evidence: single
    say: {zh: 四层及以上没有电梯，提高一级, en: 'Fourth floor or higher without a lift: up one level'}
decisions:
  - id: TOWN-D1
    point: {zh: 电梯没填怎么办, en: What if nobody said whether there is a lift}
    taken: {zh: 按没有算, en: Counted as none}
    reason: {zh: 宁可多帮, en: Rather help too much}
    when: flights_to_climb >= 4 AND NOT has_lift
hints:
  - id: TOWN-H1
    when: outings = 0 AND body = 0
    items: [outings]
    say: {zh: 身体好却不出门：问问原因, en: 'Fit, yet never out: ask why'}
examples:
  - name: all well
    fill: best
    answers: {outings: 5, alone: 'yes'}
    context: {flights_to_climb: 0}
    expect: {level: 0, code: free, scores: {body: 0, average: 0, usual: 0}, warnings: []}
  - name: fifth floor
    fill: best
    answers: {outings: 5, alone: 'yes'}
    context: {flights_to_climb: 5}
    expect: {level: 1, adjustments: [stairs_raise], decisions: [TOWN-D1]}
  - name: does not go out
    fill: best
    answers: {outings: 0}
    context: {flights_to_climb: 5, has_lift: true}
    expect: {level: 2, code: hindered, warnings: [TOWN-H1, not_counted]}
  - {name: floors not known, fill: best, answers: {outings: 5}, expect: {complete: false}}
  - {name: eight days a week, answers: {outings: 8}, expect: {error: [answers.outings]}}
"""


def drop(top: Path, instrument: str) -> Path:
    (top / "instruments").mkdir()
    (top / "vocabulary.yaml").write_text(VOCABULARY, encoding="utf-8")
    (top / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    (top / "instruments" / "town-mobility.yaml").write_text(instrument, encoding="utf-8")
    return top


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a town would drop in: three YAML files."""
    return drop(tmp_path_factory.mktemp("town"), INSTRUMENT)


@pytest.fixture(scope="module")
def town(folder: Path) -> Rulebook:
    return Rulebook.load(folder)


def yyassess(*arguments: str, given: Any = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=None if given is None else json.dumps(given))


ANSWERS = {"rise": 1, "walk": 1, "carry": 0, "outings": 3, "alone": "no"}
REQUEST = {"date": DAY, "answers": ANSWERS, "context": {"flights_to_climb": 6}}


# -- the library ----------------------------------------------------------------------------------------------
def oracle(body: tuple[int, ...], outings: int, alone: str, rare: int, climbs: bool) -> tuple[int, int]:
    """The preliminary and the final level of the form."""
    total = sum(body)
    body_level = 2 if total >= 5 else 1 if total >= 2 else 0
    outside = 2 if outings < rare else 1 if outings >= 1 and alone == "no" else 0
    level = ((0, 1, 2), (1, 1, 2), (2, 2, 3))[body_level][outside]
    if body.count(2) >= 2:
        level = 3
    return level, min(3, level + climbs)


def test_every_answer_sheet_is_graded_as_the_form_says(town: Rulebook) -> None:
    for body in product(range(3), repeat=3):
        for outings, alone, rare, flights, lift in product(
            range(4), ("yes", "no"), (1, 2), (3, 4), (None, True, False)
        ):
            answers = {**dict(zip(("rise", "walk", "carry"), body, strict=True)), "outings": outings, "alone": alone}
            context = {"flights_to_climb": flights, **({} if lift is None else {"has_lift": lift})}
            request = {"date": DAY, "answers": answers, "context": context, "settings": {"rare": rare}}
            result = assess("town-mobility", request, town)
            climbs = flights >= 4 and not lift
            preliminary, level = oracle(body, outings, alone, rare, climbs)
            assert (result["preliminary"]["level"], result["grade"]["level"]) == (preliminary, level), answers
            assert [a["id"] for a in result["adjustments"]] == (["stairs_raise"] if climbs else [])
            counts = [(body.count(v), -abs(v - max(body)), -v, v) for v in set(body)]
            mean = (Decimal(sum(body)) / 3).quantize(Decimal("0.1"), ROUND_HALF_UP)
            assert result["scores"] == {
                "outings": outings,
                "body": sum(body),
                "average": float(mean),
                "cannot": body.count(2),
                "worst": max(body),
                "usual": max(counts)[-1],
            }
            warned = {w["id"] for w in result["warnings"]}
            assert ("not_counted" in warned) is (outings == 0)
            assert ("assumed" in warned) is (lift is None)


def test_its_result_has_source_evidence_trace_and_decisions_like_any_other(town: Rulebook) -> None:
    result = assess("town-mobility", REQUEST, town)
    assert result["complete"] and result["evidence"] == "single"
    assert {line["source"]["document"] for line in result["trace"]} == {"town-form"}
    assert [line["step"] for line in result["trace"]][-2:] == ["stairs_raise", "grade"]
    assert [d["id"] for d in result["decisions"]] == ["TOWN-D1"]
    assert result["settings"] == {"rare": 1} and result["assumed"] == {"has_lift": False}


def test_what_is_missing_and_the_bounds_come_from_the_data(town: Rulebook) -> None:
    half = assess("town-mobility", {"date": DAY, "answers": {"rise": 0, "walk": 0}}, town)
    assert half["complete"] is False and half["missing"] == ["carry", "outings", "alone"]
    assert half["bounds"] == {"best": 0, "worst": 3}
    open_floor = assess("town-mobility", {"date": DAY, "answers": ANSWERS}, town)
    assert open_floor["missing"] == ["flights_to_climb"]
    assert open_floor["bounds"] == {"best": 1, "worst": 2}


def test_bad_answers_are_refused_by_its_own_options_and_facts(town: Rulebook) -> None:
    request = {"answers": {"rise": 3, "alone": "maybe", "jump": 1}, "context": {"flights_to_climb": 31}}
    with pytest.raises(InputError) as caught:
        assess("town-mobility", request, town)
    assert [e["where"] for e in caught.value.errors] == [
        "answers.rise",
        "answers.alone",
        "answers.jump",
        "context.flights_to_climb",
    ]


def test_its_examples_pass_and_the_shipped_ones_still_do(town: Rulebook, book: Rulebook) -> None:
    results = list(takewhile(lambda r: r.of in town.instruments, run_examples(town)))
    assert [r for r in results if not r.passed] == []
    assert [r.of for r in results] == [id for id, it in town.instruments.items() for _ in it.examples]
    assert [r.name for r in results if r.of not in book.instruments] == [
        "all well",
        "fifth floor",
        "does not go out",
        "floors not known",
        "eight days a week",
    ]


def test_it_changes_nothing_else(town: Rulebook, book: Rulebook) -> None:
    assert set(town.instruments) - set(book.instruments) == {"town-mobility"}
    assert set(town.facts) - set(book.facts) == {"flights_to_climb", "has_lift"}
    assert town.hash != book.hash
    assert {i: d for i, d in town.digests.items() if i in book.instruments} == {
        i: d for i, d in book.digests.items() if i in book.instruments
    }
    with pytest.raises(UnknownName):
        assess("town-mobility", REQUEST, book)


def test_it_stands_beside_the_others_in_a_case(town: Rulebook) -> None:
    case = {
        "facts": {"flights_to_climb": 6},
        "assessments": [
            {"instrument": "town-mobility", "date": DAY, "answers": ANSWERS},
            {"instrument": "gbt-42195-2022", "date": DAY, "grade": {"level": 1}},
        ],
    }
    rows = {s["instrument"]: s["grade"]["level"] for s in crosswalk(case, on=DAY, rules=town)["standards"]}
    assert rows == {"town-mobility": 2, "gbt-42195-2022": 1}


def test_it_has_a_page(town: Rulebook) -> None:
    text = page(town, town.instruments["town-mobility"])
    for words in (
        "town-mobility",
        "镇发〔2026〕1号",
        "附件1",
        "TOWN-D1",
        "TOWN-H1",
        "`rare`",
        "Homebound",
        "stairs_raise",
    ):
        assert words in text


def test_what_a_result_rests_on_follows_the_questions_that_were_asked(rules: RuleFolder) -> None:
    """A hidden question lends a result neither its evidence nor, once it is asked, less than that."""
    rules.change(
        "instruments/scale.yaml",
        ("en: Walking}, ladder: steps}", "en: Walking}, ladder: steps, applies_when: eating = 2, evidence: single}"),
    )
    scale = rules.load()
    evidence = [
        assess("scale", {"answers": {"eating": eating, "walking": 0}}, scale)["evidence"] for eating in (0, 2, 1, 2)
    ]
    assert evidence == ["verified", "single", "verified", "single"]


# -- the command ----------------------------------------------------------------------------------------------
def test_assess_on_the_command_line(folder: Path, town: Rulebook) -> None:
    shown = yyassess("assess", "town-mobility", "-", "--rules", str(folder), "--format", "json", given=REQUEST)
    assert shown.exit_code == 0, shown.stderr
    assert json.loads(shown.stdout) == json.loads(json.dumps(assess("town-mobility", REQUEST, town)))
    for lang, words in (("zh", "受限"), ("en", "Hindered")):
        options = ("--rules", str(folder), "--format", "text", "--lang", lang)
        text = yyassess("assess", "town-mobility", "-", *options, given=REQUEST)
        assert text.exit_code == 0 and words in text.stdout


def test_instruments_on_the_command_line(folder: Path, book: Rulebook) -> None:
    shown = yyassess("instruments", "--rules", str(folder), "--format", "json")
    rows = {row["id"]: row for row in json.loads(shown.stdout)}
    assert set(rows) == {*book.instruments, "town-mobility"}
    row = rows["town-mobility"]
    assert row["licence"]["owner"]["en"] == "the town" and row["evidence"] == "single" and row["items"] == 5
    assert row["source"]["number"] == "镇发〔2026〕1号" and len(row["levels"]) == 4
    assert "town-mobility" in yyassess("instruments", "--rules", str(folder), "--format", "text").stdout


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the shipped rules: their examples have a run of their own and take their time."""
    monkeypatch.setattr("yyassess.rulebook.book.rule_folders", lambda folders=(): [Path(f) for f in folders])


@pytest.mark.usefixtures("alone")
def test_test_on_the_command_line(folder: Path) -> None:
    for arguments in (("test", "--rules", str(folder)), ("test", str(folder))):
        shown = yyassess(*arguments, "--format", "json")
        assert shown.exit_code == 0
        assert json.loads(shown.stdout) == {"passed": 5, "failed": []}


@pytest.mark.usefixtures("alone")
def test_a_failing_example_is_named_with_file_and_line(tmp_path: Path) -> None:
    text = INSTRUMENT.replace("expect: {level: 1, adjustments", "expect: {level: 3, adjustments")
    shown = yyassess("test", str(drop(tmp_path, text)), "--format", "json")
    assert shown.exit_code == 1
    report = json.loads(shown.stdout)
    [failed] = report["failed"]
    line = text.splitlines().index("  - name: fifth floor") + 1
    assert (failed["of"], failed["example"], failed["line"]) == ("town-mobility", "fifth floor", line)
    assert failed["file"].endswith("instruments/town-mobility.yaml") and "expected 3, got 1" in failed["problem"]
    assert report["passed"] == 4


def test_crosswalk_and_screen_take_the_folder_too(folder: Path) -> None:
    case = {"assessments": [{"instrument": "town-mobility", "date": DAY, "grade": {"level": 3}}]}
    options = ("-", "--on", DAY, "--rules", str(folder), "--format", "json")
    [row] = json.loads(yyassess("crosswalk", *options, given=case).stdout)["standards"]
    assert row["grade"]["code"] == "bound"
    assert json.loads(yyassess("screen", *options, given=case).stdout)["result"] is None


def test_without_the_folder_the_name_is_unknown(folder: Path) -> None:
    shown = yyassess("assess", "town-mobility", "-", "--format", "json", given=REQUEST)
    assert shown.exit_code == 2 and "town-mobility" in shown.stderr


def test_the_folder_may_be_named_in_the_environment(
    folder: Path, town: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YYASSESS_RULES", str(folder))
    assert Rulebook.load() == town
    shown = yyassess("assess", "town-mobility", "-", "--format", "json", given=REQUEST)
    assert shown.exit_code == 0 and json.loads(shown.stdout)["grade"]["level"] == 2


def test_a_deployment_settles_its_open_point_in_the_same_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("settings:\n  town-mobility: {rare: 2}\n", encoding="utf-8")
    strict = Rulebook.load(folder, tmp_path)
    request = {"date": DAY, "answers": {**ANSWERS, "outings": 1}, "context": {"flights_to_climb": 0}}
    assert assess("town-mobility", request, strict)["grade"]["level"] == 2
    assert assess("town-mobility", request, Rulebook.load(folder))["grade"]["level"] == 1


# -- what is wrong with a file is said with file, line and field ----------------------------------------------
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("document: town-form, clause: 附件1", "document: no-such-form", "no-such-form"),
        ("- {fact: flights_to_climb}", "- {fact: flights_to_clim}", "flights_to_climb"),
        ("of: body\n", "of: bodi\n", "body"),
        ("cells: [[0, 1, 2], [1, 1, 2], [2, 2, 3]]", "cells: [[0, 1, 2], [1, 1, 2]]", "body_level can be 2"),
        ("cells: [[0, 1, 2], [1, 1, 2], [2, 2, 3]]", "cells: [[0, 1, 2], [1, 1, 2], [2, 2, 7]]", "7"),
        ("usual = 2 AND cannot >= 2", "usual = 2 AND cannot >=", "cannot >="),
        ("when: value = 2", "when: values = 2", "values"),
        ("kind: extreme", "kind: extremum", "extremum"),
    ],
)
def test_a_fault_in_the_file_names_file_and_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert INSTRUMENT.count(old) == 1
    with pytest.raises(RulebookError) as caught:
        Rulebook.load(drop(tmp_path, INSTRUMENT.replace(old, new)), shipped=False)
    assert all(e.file.endswith("town-mobility.yaml") and e.line > 0 for e in caught.value.errors)
    assert any(words in f"{e.field} {e.message}" for e in caught.value.errors), caught.value


def test_the_id_of_a_shipped_scale_is_taken(tmp_path: Path) -> None:
    with pytest.raises(RulebookError) as caught:
        Rulebook.load(drop(tmp_path, INSTRUMENT.replace("id: town-mobility\n", "id: phq-9\n")))
    [error] = caught.value.errors
    assert error.file.endswith("town-mobility.yaml") and "phq-9" in error.message
