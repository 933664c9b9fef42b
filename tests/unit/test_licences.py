"""Whose form it is, what may be shipped, and that the library keeps to it."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from click.testing import CliRunner
from small_rules import RuleFolder

from yyassess import InputError, Rulebook, assess, crosswalk, screen
from yyassess.cli import main

DAY = "2026-11-22"
OURS = {"gbt-42195-2022", "ltci-2021-37", "ltci-self-screen"}

#: Licence remarks of the research sheet: id -> may the items be in the product.
SHEET = {
    "mzt-039-2013": True,
    "nursing-need-2019-48": True,
    "phs-self-care": True,
    "phs-cognitive-brief": True,
    "phs-mood-brief": True,
    "tcm-constitution-33": True,
    "gds-15": True,
    "phq-2": True,
    "phq-9": True,
    "iqcode-16": True,
    "clock-drawing": True,
    "mini-cog": False,
    "ad8": False,
    "gpcog": False,
    "rudas": False,
    "spmsq": False,
    "faq": False,
    "mmse": False,
    "moca": False,
    "cdr": False,
    "npi-q": False,
}
WITHHELD = sorted(id for id, shipped in SHEET.items() if not shipped)

#: What is taken from the paper form instead: totals, part scores, the rater's boxes.
ENTRIES = {
    "ad8": {"total", "na_count"},
    "mini-cog": {"recall", "clock"},
    "gpcog": {"patient", "informant"},
    "rudas": {"total"},
    "spmsq": {"total"},
    "faq": {"total"},
    "mmse": {"total"},
    "moca": {"total"},
    "npi-q": {"severity_total", "distress_total", "domains_present"},
    "cdr": {
        "memory",
        "orientation",
        "judgement_problem_solving",
        "community_affairs",
        "home_hobbies",
        "personal_care",
        "rated_global",
    },
}
#: Questions of the owners' forms, by the names somebody would send them under.
ITEMS = {
    "ad8": ("q01", "judgement", "repeats_questions"),
    "mini-cog": ("word_1", "clock_hands"),
    "gpcog": ("date", "news", "informant_1"),
    "rudas": ("memory", "praxis"),
    "spmsq": ("q01", "president", "mothers_maiden_name"),
    "faq": ("bills", "q10"),
    "mmse": ("orientation", "registration", "q19"),
    "moca": ("naming", "serial_sevens", "delayed_recall"),
    "npi-q": ("delusions", "apathy"),
    "cdr": ("question_1", "sum_of_boxes"),
}


def test_every_scale_of_the_field_is_here_with_the_licence_of_the_sheet(book: Rulebook) -> None:
    assert set(book.instruments) == set(SHEET) | OURS
    for id, shipped in SHEET.items():
        assert (book.instruments[id].licence.items == "shipped") is shipped, id


def test_every_licence_says_who_owns_the_form_when_it_was_checked_and_on_what_evidence(book: Rulebook) -> None:
    for it in book.instruments.values():
        licence = it.licence
        assert licence.owner["zh"] and licence.owner["en"] and licence.say["zh"] and licence.say["en"]
        assert licence.verified_on and licence.evidence.mark
        assert licence.items == "shipped" or licence.status in ("restricted", "unconfirmed")
        assert licence.status not in ("restricted", "unconfirmed") or licence.items == "withheld"


@pytest.mark.parametrize("id", WITHHELD)
def test_a_withheld_scale_holds_totals_only(book: Rulebook, id: str) -> None:
    assert {i.id for d in book.instruments[id].dimensions for i in d.items} == ENTRIES[id]


@pytest.mark.parametrize("id", WITHHELD)
def test_items_of_a_withheld_scale_are_refused_with_its_owner_and_the_reason(book: Rulebook, id: str) -> None:
    licence = book.instruments[id].licence
    for item in ITEMS[id]:
        with pytest.raises(InputError) as caught:
            assess(id, {"date": DAY, "answers": {item: 1}}, book)
        [error] = caught.value.errors
        assert error["where"] == f"answers.{item}"
        assert set(error["allowed"]) == ENTRIES[id]
        for lang in ("zh", "en"):
            assert licence.owner[lang] in error["say"][lang]
            assert licence.say[lang] in error["say"][lang]


@pytest.mark.parametrize("id", sorted(set(SHEET) - set(WITHHELD)))
def test_an_unknown_item_of_a_scale_that_may_be_shipped_is_an_ordinary_mistake(book: Rulebook, id: str) -> None:
    with pytest.raises(InputError) as caught:
        assess(id, {"date": DAY, "answers": {"no_such_item": 1}}, book)
    [error] = caught.value.errors
    assert book.instruments[id].licence.owner["en"] not in error["say"]["en"]


@pytest.mark.parametrize("id", WITHHELD)
def test_the_refusal_names_the_place_in_a_case_too(book: Rulebook, id: str) -> None:
    item = ITEMS[id][0]
    case = {"assessments": [{"instrument": id, "date": DAY, "answers": {item: 1}}]}
    for follow in (screen, crosswalk):
        with pytest.raises(InputError) as caught:
            follow(case, on=DAY, rules=book)
        [error] = caught.value.errors
        assert error["where"] == f"assessments.0.answers.{item}"
        assert book.instruments[id].licence.owner["zh"] in error["say"]["zh"]


def test_the_command_refuses_items_with_exit_code_2(book: Rulebook) -> None:
    given = json.dumps({"date": DAY, "answers": {"orientation": 10, "recall": 3}})
    shown = CliRunner().invoke(main, ["assess", "mmse", "-", "--format", "json"], input=given)
    assert shown.exit_code == 2 and shown.stdout == ""
    errors = json.loads(shown.stderr)["errors"]
    assert [e["where"] for e in errors] == ["answers.orientation", "answers.recall"]
    assert all("MiniMental" in e["say"]["en"] for e in errors)
    text = CliRunner().invoke(main, ["assess", "mmse", "-", "--format", "text"], input=given)
    assert text.exit_code == 2 and "MiniMental" in text.stderr


# -- CDR: nothing is computed without a licence on record -----------------------------------------------------
BOXES = (
    "memory",
    "orientation",
    "judgement_problem_solving",
    "community_affairs",
    "home_hobbies",
    "personal_care",
)
SWITCH = "cdr_licence_recorded"


@pytest.fixture(scope="module")
def licensed(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    """The shipped rules in a deployment that has recorded a licence for the CDR."""
    folder = tmp_path_factory.mktemp("licensed")
    (folder / "settings.yaml").write_text(f"settings:\n  cdr: {{{SWITCH}: true}}\n", encoding="utf-8")
    return Rulebook.load(folder)


def boxes(*values: float) -> dict[str, float]:
    return dict(zip(BOXES, values, strict=True))


def test_only_the_cdr_waits_for_a_licence_and_it_is_off(book: Rulebook) -> None:
    switches = {id: it.licence.switch for id, it in book.instruments.items() if it.licence.switch}
    assert switches == {"cdr": SWITCH}
    [setting] = [s for s in book.instruments["cdr"].settings if s.id == SWITCH]
    assert setting.default is False


def test_without_a_licence_nothing_of_the_result_can_be_seen(book: Rulebook, licensed: Rulebook) -> None:
    """No score, no preliminary or final stage, no bounds, no step, and nothing that differs with the result."""
    seen = set()
    for values in product((0, 0.5, 1, 2, 3), (0, 1, 3), (0, 2), (0.5, 2), (0, 3), (0, 1, 3)):
        answers = boxes(*values)
        result = assess("cdr", {"date": DAY, "answers": answers}, book)
        assert result["complete"] is False
        assert result["grade"] is None and result["preliminary"] is None
        assert result["scores"] == {} and result["dimensions"] == {} and result["adjustments"] == []
        assert result["not_computed"] == book.instruments["cdr"].licence.say
        assert "bounds" not in result and result["missing"] == [] and result["decisions"] == []
        assert [line["step"] for line in result["trace"]] == list(BOXES)
        assert [line["value"] for line in result["trace"]] == list(values)
        blank = {k: v for k, v in result.items() if k != "trace"}
        seen.add(json.dumps(blank, ensure_ascii=False))
        assert assess("cdr", {"date": DAY, "answers": answers}, licensed)["scores"]["global_score"] is not None
    assert len(seen) == 1, "something other than the boxes entered depends on the boxes"


def test_without_a_licence_incomplete_boxes_have_no_bounds_either(book: Rulebook) -> None:
    result = assess("cdr", {"date": DAY, "answers": {"memory": 3}}, book)
    assert "bounds" not in result and result["grade"] is None and result["complete"] is False
    assert set(result["missing"]) == set(BOXES) - {"memory"}


def test_without_a_licence_the_boxes_lead_nowhere_but_the_raters_own_rating_does(
    book: Rulebook, licensed: Rulebook
) -> None:
    answered = {"assessments": [{"instrument": "cdr", "date": DAY, "answers": boxes(3, 3, 3, 3, 3, 3)}]}
    assert screen(answered, on=DAY, rules=book)["result"] is None
    [row] = crosswalk(answered, on=DAY, rules=book)["standards"]
    assert row["grade"] is None and "bounds" not in row
    entered = {"assessments": [{"instrument": "cdr", "date": DAY, "grade": {"level": 4}}]}
    assert screen(entered, on=DAY, rules=book)["result"]["code"] == "suspected-severe"
    assert screen(answered, on=DAY, rules=licensed)["result"]["code"] == "suspected-severe"


def test_with_a_licence_on_record_the_stage_is_computed(licensed: Rulebook) -> None:
    result = assess("cdr", {"date": DAY, "answers": boxes(2, 2, 2, 2, 2, 2)}, licensed)
    assert result["complete"] and result["grade"]["code"] == "moderate" and "not_computed" not in result
    assert result["scores"] == {"global_score": 2}


def test_a_licence_recorded_as_anything_but_true_is_none(book: Rulebook) -> None:
    for claim in ("true", 1, "yes"):
        with pytest.raises(InputError):
            assess("cdr", {"date": DAY, "answers": boxes(2, 2, 2, 2, 2, 2), "settings": {SWITCH: claim}}, book)


# -- the list -------------------------------------------------------------------------------------------------
def test_the_list_of_instruments_shows_licence_and_evidence(book: Rulebook) -> None:
    shown = CliRunner().invoke(main, ["instruments", "--format", "json"])
    assert shown.exit_code == 0
    rows = {row["id"]: row for row in json.loads(shown.stdout)}
    assert list(rows) == list(book.instruments)
    for id, row in rows.items():
        it = book.instruments[id]
        assert row["evidence"] == it.evidence.mark
        assert row["licence"] == {
            "owner": it.licence.owner,
            "status": it.licence.status,
            "items": it.licence.items,
            "say": it.licence.say,
            "verified_on": it.licence.verified_on,
            "evidence": it.licence.evidence.mark,
        }
        assert [level["level"] for level in row["levels"]] == [level.level for level in it.levels]
        assert row["source"]["title"]["zh"] and row["place"] and row["name"]["zh"]
    assert rows["nursing-need-2019-48"]["not_computed"]["en"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_list_as_text_names_every_scale_its_licence_and_its_evidence(book: Rulebook, lang: str) -> None:
    evidence = {"verified": ("已核实", "verified"), "single": ("单一来源", "single source")}
    shown = CliRunner().invoke(main, ["instruments", "--format", "text", "--lang", lang], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for it in book.instruments.values():
        [line] = [row for row in shown.stdout.splitlines() if f" {it.id} " in f" {row} "]
        assert LICENCE_WORDS[it.licence.status][lang == "en"] in line
        assert (("只录总分", "totals only")[lang == "en"] in line) is (it.licence.items == "withheld")
        assert evidence[it.evidence.mark][lang == "en"] in line


LICENCE_WORDS = {
    "government": ("政府表单", "government form"),
    "public_domain": ("公有领域", "public domain"),
    "permitted": ("允许使用", "permitted"),
    "restricted": ("受限", "restricted"),
    "unconfirmed": ("待确认", "unconfirmed"),
}


# -- an instrument without a licence --------------------------------------------------------------------------
def test_an_instrument_without_a_licence_is_not_loaded(rules: RuleFolder) -> None:
    text = (rules.path / "instruments/scale.yaml").read_text(encoding="utf-8")
    start, end = text.index("licence:\n"), text.index("higher_score:")
    fault = rules.write("instruments/scale.yaml", text[:start] + text[end:]).fault()
    assert "licence" in f"{fault.field} {fault.message}"


@pytest.mark.parametrize("part", ["owner", "status", "items", "say", "verified_on", "evidence"])
def test_a_licence_is_complete_or_the_instrument_is_not_loaded(rules: RuleFolder, part: str) -> None:
    text = (rules.path / "instruments/scale.yaml").read_text(encoding="utf-8")
    start, end = text.index("licence:\n"), text.index("higher_score:")
    lines = text[start:end].splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(f"  {part}:"))
    assert kept != text[start:end]
    fault = rules.write("instruments/scale.yaml", text[:start] + kept + text[end:]).fault()
    assert part in f"{fault.field} {fault.message}" and fault.file.endswith("scale.yaml")


def refusal(rules: RuleFolder, answers: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(InputError) as caught:
        assess("scale", {"answers": answers}, rules.load())
    [error] = caught.value.errors
    return error


def test_withholding_is_a_matter_of_the_data_alone(rules: RuleFolder) -> None:
    """The same scale, once withheld in its file, answers with its owner."""
    assert "public" not in refusal(rules, {"q01": 1})["say"]["en"]
    rules.change("instruments/scale.yaml", ("items: shipped", "items: withheld"), ("en: public}", "en: Somebody}"))
    assert "Somebody" in refusal(rules, {"q01": 1})["say"]["en"]
