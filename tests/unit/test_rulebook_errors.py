"""A fault in a rule file is named with file, line, field and what is allowed; all faults at once; none is guessed away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from yyassess import Rulebook, RulebookError

VOCABULARY = "vocabulary.yaml"
SOURCES = "sources.yaml"
SCALE = "instruments/scale.yaml"
ALLOWANCE = "national/allowance.yaml"
CITY = "city/place.yaml"

WHEN = "when: years >= 80"
DATED = "amount:\n      - {from: 2020-01-01, value: 100}\n      - {from: 2024-01-01, value: 150}\n"
SAID = "Aged 80 or more}\n    evidence: verified"
KIND = "kind: allowance"
CUTS = "cuts: [{at: 0, level: 0}, {at: 2, level: 1}]"


def table(cells: str) -> str:
    return (
        "  - {id: combined, kind: matrix, rows: preliminary, columns: preliminary, name: {zh: 表, en: Table},\n"
        f"     evidence: verified, cells: {cells}}}\ngrade: combined"
    )


# sentence: file, (what stands there, what is written instead), (words on the line to be named, field), words of the message
FAULTS: dict[str, tuple[str, tuple[str, str], tuple[str, str], list[str]]] = {
    # ---- keys
    "a misspelt key is shown with the nearest one and all that are allowed": (
        ALLOWANCE, (KIND, f"{KIND}\nkritera: []"), ("kritera", "kritera"),
        ["unknown key 'kritera'", "did you mean 'criteria'?", "allowed: apply, benefits, criteria"],
    ),
    "a misspelt key of a scoring step is shown with the keys of that kind of step": (
        SCALE, ("    of: total\n", "    of: total\n    cells: []\n"), ("cells: []", "steps.1.cells"),
        ["unknown key 'cells'", "allowed: cuts, decision, evidence, id, kind, level_of, name, names, of, report, source"],
    ),
    "a key that is missing is named": (
        ALLOWANCE, ("source: {document: notice, clause: 第一条}\n", ""), ("id: allowance", "source"), ["is missing"],
    ),
    "a criterion without evidence is refused": (
        ALLOWANCE, (SAID, "Aged 80 or more}"), ("id: old-enough", "criteria.0.evidence"), ["is missing"],
    ),
    "a benefit without evidence is refused": (
        ALLOWANCE, ("unit: CNY/month\n    evidence: verified", "unit: CNY/month"), ("id: money", "benefits.0.evidence"),
        ["is missing"],
    ),
    "a scoring step without evidence is refused": (
        SCALE, ("en: Total}, evidence: verified}", "en: Total}}"), ("id: total", "steps.0.evidence"), ["is missing"],
    ),
    "a document without evidence is refused": (
        SOURCES, ("    evidence: verified\n", ""), ("notice:", "documents.notice.evidence"), ["is missing"],
    ),
    "a key written twice is refused": (
        ALLOWANCE, (KIND, f"{KIND}\nstatus: pilot"), ("status: in_force", ""), ["'status' is written twice"],
    ),
    # ---- words and marks
    "a text in one language is refused": (
        ALLOWANCE, ("say: {zh: 年满80周岁, en: Aged 80 or more}", "say: {zh: 年满80周岁}"),
        ("年满80周岁", "criteria.0.say"), ["lacks its en wording"],
    ),
    "a text in a third language is refused": (
        ALLOWANCE, ("name: {zh: 津贴, en: Allowance}", "name: {zh: 津贴, en: Allowance, de: Zuschuss}"), ("津贴", "name"),
        ["zh and en only", "de"],
    ),
    "an unknown mark of evidence is shown with the marks there are": (
        ALLOWANCE, (SAID, "Aged 80 or more}\n    evidence: sure"), ("evidence: sure", "criteria.0.evidence"),
        ["'verified', 'single', 'recall', 'decision' or 'unknown'", "'sure'"],
    ),
    "what is recalled says with what confidence": (
        ALLOWANCE, (SAID, "Aged 80 or more}\n    evidence: recall"), ("evidence: recall", "criteria.0.evidence"),
        ["confidence (high or mid)"],
    ),
    "low confidence is never encoded": (
        ALLOWANCE, (SAID, "Aged 80 or more}\n    evidence: {mark: recall, confidence: low}"),
        ("confidence: low", "criteria.0.evidence.confidence"), ["'high' or 'mid'"],
    ),
    "a clause that nobody knows is marked unknown in both places": (
        ALLOWANCE, (WHEN, "when: unknown"), ("id: old-enough", "criteria.0"), ["`when: unknown` and `evidence: unknown`"],
    ),
    "a figure of unknown evidence stays out": (
        ALLOWANCE, ("unit: CNY/month\n    evidence: verified", "unit: CNY/month\n    evidence: unknown"),
        ("id: money", "benefits.0"), ["not_configured: true"],
    ),
    "a kind of programme that does not exist is shown with those that do": (
        ALLOWANCE, (KIND, "kind: gift"), ("kind: gift", "kind"), ["'insurance', 'subsidy', 'allowance'"],
    ),
    # ---- types: nothing is bent until it fits
    "true is no score": (SCALE, ("score: 1", "score: true"), ("score: true", "ladders.steps.1.score"), ["in digits"]),
    "a score is not text": (SCALE, ("score: 1", 'score: "1"'), ('score: "1"', "ladders.steps.1.score"), ["in digits"]),
    "true is no level": (SCALE, ("level: 1, code", "level: true, code"), ("level: true", "levels.1.level"), ["valid integer"]),
    "yes is no boolean": (
        SCALE, ("higher_score: worse", "higher_score: worse\nmonotone: yes"), ("monotone", "monotone"), ["valid boolean", "'yes'"],
    ),
    "1 is no boolean": (
        SCALE, ("higher_score: worse", "higher_score: worse\nraise_once: 1"), ("raise_once", "raise_once"), ["valid boolean"],
    ),
    "true is no number of months": (
        ALLOWANCE, (KIND, f"{KIND}\nvalid_for: {{months: true, evidence: verified}}"), ("valid_for", "valid_for.months"),
        ["valid integer"],
    ),
    "a number of months is not text": (
        ALLOWANCE, (KIND, f'{KIND}\nvalid_for: {{months: "12", evidence: verified}}'), ("valid_for", "valid_for.months"),
        ["valid integer", "'12'"],
    ),
    "true is no amount": (
        ALLOWANCE, ("value: 150", "value: true"), ("value: true", "benefits.0.amount.1.value"), ["in digits", "'unknown'"],
    ),
    "a share lies between 0 and 1": (
        ALLOWANCE, ("unit: CNY/month", "share: 70\n    unit: CNY/month"), ("share: 70", "benefits.0.share"),
        ["less than or equal to 1"],
    ),
    "a year is no day": (
        ALLOWANCE, ("in_force: {from: 2020-01-01}", "in_force: {from: 2020}"), ("in_force", "in_force.from"), ["YYYY-MM-DD"],
    ),
    "a number of seconds is no day": (
        ALLOWANCE, ("in_force: {from: 2020-01-01}", "in_force: {from: 86400}"), ("in_force", "in_force.from"), ["YYYY-MM-DD"],
    ),
    "a day has no clock": (
        ALLOWANCE, ("in_force: {from: 2020-01-01}", 'in_force: {from: "2020-01-01T00:00:00"}'), ("in_force", "in_force.from"),
        ["YYYY-MM-DD"],
    ),
    "a list is no mapping": (ALLOWANCE, (KIND, f"{KIND}\napply: []"), ("apply", "apply"), ["valid dictionary"]),
    # ---- ranges and periods
    "a period that ends before it starts is refused": (
        ALLOWANCE, ("in_force: {from: 2020-01-01}", "in_force: {from: 2020-01-01, to: 2019-12-31}"), ("in_force", "in_force"),
        ["ends (2019-12-31) before it starts (2020-01-01)"],
    ),
    "a range that is upside down is refused": (
        VOCABULARY, ("range: [0, 130]", "range: [130, 0]"), ("years:", "facts.years"), ["upside down"],
    ),
    "the range of an item that is upside down is refused": (
        SCALE, ("en: Eating}, ladder: steps", "en: Eating}, range: [5, 1]"), ("id: eating", "dimensions.0.items.0"),
        ["upside down"],
    ),
    "a number fact says its range": (
        VOCABULARY, ("    range: [0, 130]\n", ""), ("years:", "facts.years"), ["needs a range: [lowest, highest]"],
    ),
    "an amount says its unit": (ALLOWANCE, ("    unit: CNY/month\n", ""), ("id: money", "benefits.0"), ["needs a unit"]),
    "dated figures stand in the order of their days": (
        ALLOWANCE, ("{from: 2024-01-01, value: 150}", "{from: 2019-01-01, value: 150}"), ("id: money", "benefits.0"),
        ["in the order of their days"],
    ),
    "two figures of one day are refused": (
        ALLOWANCE, ("{from: 2024-01-01, value: 150}", "{from: 2020-01-01, value: 150}"), ("id: money", "benefits.0"),
        ["each day once"],
    ),
    # ---- facts
    "the name of a fact can be written in a condition": (
        VOCABULARY, ("  born:\n", "  Day of birth:\n"), ("Day of birth", "facts.Day of birth"), ["'Day of birth' is no name"],
    ),
    "the name of a fact is no number": (VOCABULARY, ("  born:\n", "  12:\n"), ("  12:", "facts.12"), ["12 is no name"]),
    "a code fact lists its codes": (
        VOCABULARY, ("type: boolean", "type: code"), ("coma:", "facts.coma"), ["a fact of type code needs codes"],
    ),
    "a code is text": (
        VOCABULARY, ("      stroke:", "      7:"), ("codes:", "facts.illnesses.codes"), ["7 is not text; put it in quotes"],
    ),
    "a fact derived from itself is refused": (
        VOCABULARY, ("range: [0, 130]", "range: [0, 130]\n    derive: years + 1"), ("years:", "derive"),
        ["'years' is derived from itself"],
    ),
    "a derived fact is a number": (
        VOCABULARY, ("type: date", "type: date\n    derive: years + 1"), ("born:", "derive"), ["born is of type date"],
    ),
    "a grade of an instrument that does not exist is refused": (
        VOCABULARY, ("range: [0, 130]", "range: [0, 130]\n    grade_of: scael"), ("years:", ""),
        ["unknown instrument 'scael'", "did you mean 'scale'?"],
    ),
    # ---- conditions
    "a condition about a fact that does not exist is refused": (
        ALLOWANCE, (WHEN, "when: yaers >= 80"), ("yaers", "criteria.0.when"), ["unknown fact 'yaers'", "did you mean 'years'?"],
    ),
    "a condition about a code that does not exist is refused": (
        ALLOWANCE, ("scheme = 'employee'", "scheme = 'employees'"), ("employees'", "criteria.1.when"),
        ["unknown code 'employees'", "did you mean 'employee'?", "allowed: employee, resident"],
    ),
    "a condition about a programme that does not exist is refused": (
        ALLOWANCE, (WHEN, "when: ELIGIBLE('alowance')"), ("ELIGIBLE", "criteria.0.when"),
        ["unknown programme 'alowance'", "did you mean 'allowance'?"],
    ),
    "a condition of wrong types is refused": (
        ALLOWANCE, (WHEN, "when: years >= '80'"), ("years >= '80'", "criteria.0.when"), ["type integer"],
    ),
    "a condition that hides its end in a comment is refused": (
        ALLOWANCE, (WHEN, 'when: "years >= 80 -- AND coma"'), ("-- AND", "criteria.0.when"), ["comment"],
    ),
    "a condition left empty is refused": (
        ALLOWANCE, (WHEN, "when:"), ("when:", "criteria.0.when"), ["valid string"],
    ),
    "an amount about a fact that does not exist is refused": (
        ALLOWANCE, (DATED, "amount: LEAST(incom * 0.4, 300)\n"), ("LEAST", "benefits.0.amount"), ["unknown fact 'incom'"],
    ),
    "an amount is a number": (
        ALLOWANCE, (DATED, "amount: coma\n"), ("amount: coma", "benefits.0.amount"), ["an amount must be a number"],
    ),
    "the condition of a benefit is checked": (
        ALLOWANCE, ("unit: CNY/month", "when: komma\n    unit: CNY/month"), ("komma", "benefits.0.when"), ["unknown fact 'komma'"],
    ),
    "the condition of a later version is checked": (
        ALLOWANCE,
        (KIND, f"{KIND}\nversions:\n  - in_force: {{from: 2025-01-01}}\n    criteria:\n"
         "      - {id: old, when: yaers > 1, say: {zh: 老, en: old}, evidence: verified}"),
        ("yaers", "versions.0.criteria.0.when"), ["unknown fact 'yaers'"],
    ),
    # ---- programmes
    "a criterion is written once": (
        ALLOWANCE, ("id: insured", "id: old-enough"), ("id: old-enough", "criteria.1.id"), ["'old-enough' is written twice"],
    ),
    "a document that does not exist is refused": (
        ALLOWANCE, ("document: notice", "document: notic"), ("notic,", "source"), ["unknown document 'notic'", "'notice'"],
    ),
    "an interaction with a programme that does not exist is refused": (
        ALLOWANCE,
        (KIND, f"{KIND}\ninteractions:\n  - {{kind: offset, programme: alowance, say: {{zh: 抵, en: offset}}, evidence: verified}}"),
        ("alowance", "interactions.0"), ["unknown programme 'alowance'"],
    ),
    "programmes that wait for one another are named": (
        ALLOWANCE, (WHEN, "when: ELIGIBLE('allowance')"), ("criteria:", "criteria"), ["ring: allowance -> allowance"],
    ),
    "a version says from when it holds": (
        ALLOWANCE, (KIND, f"{KIND}\nversions: [{{kind: subsidy}}]"), ("versions", "versions.0"), ["in_force: {from: …}"],
    ),
    "a version has no id of its own": (
        ALLOWANCE, (KIND, f"{KIND}\nversions: [{{id: other, in_force: {{from: 2025-01-01}}}}]"), ("versions", "versions.0.id"),
        ["no id of its own"],
    ),
    "a misspelt key of a version is refused": (
        ALLOWANCE, (KIND, f"{KIND}\nversions: [{{kritera: [], in_force: {{from: 2025-01-01}}}}]"), ("versions", "versions.0.kritera"),
        ["unknown key 'kritera'"],
    ),
    # ---- places
    "a place within a place that does not exist is refused": (
        CITY, ("within: province", "within: provinz"), ("id: city", ""), ["'provinz', which is not a place", "'province'"],
    ),
    "a code that belongs to another place is refused": (
        CITY, ('"330900"', '"330000"'), ("id: city", ""), ["'330000' already names the place 'province'"],
    ),
    "a second name that belongs to another place is refused": (
        CITY, ("[海市]", "[province]"), ("id: city", ""), ["'province' already names the place 'province'"],
    ),
    "a code that lies elsewhere is refused": (
        "city/district/place.yaml", ('"330921"', '"440921"'), ("id: district", ""), ["the code 440921 does not lie within that of city"],
    ),
    "programmes of a place that does not exist are refused": (
        CITY, ("programmes_of: city", "programmes_of: ctiy"), ("programmes_of", "programmes_of"), ["unknown place 'ctiy'", "'city'"],
    ),
    "an instrument preselected in a place exists": (
        CITY, ("aliases: [海市]", "bundle: [scael]"), ("id: city", ""), ["unknown instrument 'scael'", "'scale'"],
    ),
    # ---- instruments
    "an item has one way of answering": (
        SCALE, ("en: Eating}, ladder: steps", "en: Eating}"), ("id: eating", "dimensions.0.items.0"),
        ["exactly one of options, ladder and range"],
    ),
    "a ladder that does not exist is refused": (
        SCALE, ("en: Eating}, ladder: steps", "en: Eating}, ladder: stpes"), ("stpes", "dimensions.0.items.0.ladder"),
        ["unknown ladder 'stpes'", "did you mean 'steps'?"],
    ),
    "two items of one name are refused": (
        SCALE, ("id: walking", "id: eating"), ("en: Walking", "dimensions.0.items.1"), ["'eating' is used twice"],
    ),
    "two levels of one code are refused": (SCALE, ("code: ill", "code: well"), ("en: Ill", "levels.1"), ["'well' is written twice"]),
    "cut points rise": (
        SCALE, (CUTS, "cuts: [{at: 2, level: 1}, {at: 0, level: 0}]"), ("id: preliminary", "steps.1"), ["must rise"],
    ),
    "a band yields levels of the instrument": (
        SCALE, (CUTS, "cuts: [{at: 0, level: 0}, {at: 2, level: 7}]"), ("grade: preliminary", "grade"),
        ["can yield 7", "not one of the levels [0, 1]"],
    ),
    "a table has a row for every level": (
        SCALE, ("grade: preliminary", table("[[0, 1]]")), ("cells: ", "steps.2.cells"), ["preliminary can be 1", "1 rows"],
    ),
    "a table has a column for every level": (
        SCALE, ("grade: preliminary", table("[[0], [1]]")), ("cells: ", "steps.2.cells"), ["preliminary can be 1", "1 columns"],
    ),
    "a table is a rectangle": (
        SCALE, ("grade: preliminary", table("[[0, 1], [1]]")), ("id: combined", "steps.2"), ["same length"],
    ),
    "a table yields levels of the instrument": (
        SCALE, ("grade: preliminary", table("[[0, 1], [1, 9]]")), ("grade: combined", "grade"), ["can yield 9"],
    ),
    "ordered rules end with a line that always holds": (
        SCALE,
        ("grade: preliminary", "  - id: chosen\n    kind: rules\n    rules: [{when: total > 1, value: 1}]\n"
         "    name: {zh: 选, en: Chosen}\n    evidence: verified\ngrade: chosen"),
        ("id: chosen", "steps.2"), ["no `when`"],
    ),
    "a step asks only for steps before it": (
        SCALE, ("    of: total\n", "    of: totla\n"), ("totla", "steps.1.of"), ["unknown step or item 'totla'", "'total'"],
    ),
    "a sum is of items that exist": (
        SCALE, ("items: all", "items: [eating, wlaking]"), ("wlaking", "steps.0.items"), ["unknown item 'wlaking'", "'walking'"],
    ),
    "a kind of step that does not exist is shown with those that do": (
        SCALE, ("kind: band", "kind: bnad"), ("id: preliminary", "steps.1"), ["'bnad'", "'sum', 'mean', 'count'"],
    ),
    "the grade is a step": (
        SCALE, ("grade: preliminary", "grade: prelimnary"), ("grade: prelimnary", "grade"), ["did you mean 'preliminary'?"],
    ),
    "an adjustment leads to a level of the instrument": (
        SCALE, ("set_level: 1", "set_level: 9"), ("set_level", "adjustments.0.set_level"), ["9 is not one of the levels [0, 1]"],
    ),
    "an adjustment has one effect": (
        SCALE, ("set_level: 1", "set_level: 1\n    raise_by: 1"), ("id: coma_worst", "adjustments.0"), ["exactly one"],
    ),
    "an adjustment raises and never lowers": (
        SCALE, ("set_level: 1", "raise_by: -1"), ("raise_by", "adjustments.0.raise_by"), ["greater than or equal to 1"],
    ),
    "the condition of an adjustment is checked": (
        SCALE, ("when: coma", "when: komma"), ("when: komma", "adjustments.0.when"), ["unknown fact 'komma'", "'coma'"],
    ),
    "what is assumed of a fact is a value of it": (
        SCALE, ("if_not_given: false", "if_not_given: never"), ("if_not_given", "context.0.if_not_given"), ["not true or false"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_is_named_with_file_line_field_and_what_is_allowed(rules: Any, sentence: str) -> None:
    file, change, (words, field), message = FAULTS[sentence]
    rules.change(file, change)
    lines = (rules.path / file).read_text(encoding="utf-8").splitlines()
    fault = rules.fault()
    assert fault.file == f"small/{file}"
    assert words in lines[fault.line - 1]
    assert fault.field == field
    for word in message:
        assert word in fault.message


def test_the_small_rulebook_has_no_fault(rules: Any) -> None:
    assert rules.load().instruments["scale"].grade == "preliminary"


def test_all_faults_of_all_files_are_reported_at_once_in_order(rules: Any) -> None:
    rules.change(ALLOWANCE, (WHEN, "when: yaers >= 80"), ("value: 150", "value: true"))
    rules.change(SCALE, ("set_level: 1", "set_level: 9"))
    rules.change(SOURCES, ("date: 2020-01-01", "date: 2020-02-30"))
    rules.write("city/broken.yaml", "id: [1\n")
    rules.write("city/latin.yaml", "id: é".encode("latin-1"))
    faults = rules.faults()
    assert [(f.file.removeprefix("small/"), f.field) for f in faults] == [
        ("city/broken.yaml", ""),
        ("city/latin.yaml", ""),
        (SCALE, "adjustments.0.set_level"),
        (ALLOWANCE, "benefits.0.amount.1.value"),
        (SOURCES, ""),
        (SOURCES, "documents.notice.date"),
    ]


def test_all_faulty_conditions_are_reported_at_once(rules: Any) -> None:
    rules.change(ALLOWANCE, (WHEN, "when: yaers >= 80"), ("scheme = 'employee'", "scheme = 'x'"))
    rules.change(SCALE, ("when: coma", "when: komma"))
    assert [f.field for f in rules.faults()] == ["adjustments.0.when", "criteria.0.when", "criteria.1.when"]


def test_a_fault_repeated_is_reported_where_it_is_repeated(rules: Any) -> None:
    rules.change(ALLOWANCE, (WHEN, "when: yaers >= 80"), ("unit: CNY/month", "when: yaers >= 80\n    unit: CNY/month"))
    assert [f.field for f in rules.faults()] == ["criteria.0.when", "benefits.0.when"]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (VOCABULARY, ("range: [0, 130]", "range: [130, 0]")),
        (VOCABULARY, ("type: boolean", "type: bool")),
        (SOURCES, ("    evidence: verified\n", "")),
        (SCALE, ("higher_score: worse", "higher_score: worst")),
        (CITY, ('"330900"', "330900")),
    ],
)
def test_what_refers_to_a_faulty_definition_is_not_blamed(rules: Any, file: str, change: tuple[str, str]) -> None:
    rules.write("settings.yaml", "settings:\n  scale: {}\n")
    rules.write(
        "city/extra.yaml", (rules.path / ALLOWANCE).read_text(encoding="utf-8").replace("id: allow", "id: allow2")
    )
    assert rules.load()
    rules.change(file, change)
    assert rules.fault().file == f"small/{file}"


@pytest.mark.parametrize("file", [VOCABULARY, SOURCES, SCALE, CITY])
@pytest.mark.parametrize("content", ["facts: [", "- 1\n", b"\xff"])
def test_what_refers_to_an_unreadable_file_is_not_blamed(rules: Any, file: str, content: str | bytes) -> None:
    rules.write(
        "city/extra.yaml", (rules.path / ALLOWANCE).read_text(encoding="utf-8").replace("id: allow", "id: allow2")
    )
    rules.write(file, content)
    assert rules.fault().file == f"small/{file}"


def test_a_value_is_no_condition_even_where_the_same_words_are_a_value_elsewhere(rules: Any) -> None:
    rules.change(VOCABULARY, ("range: [0, 130]", "range: [0, 130]\n    derive: income"))
    assert rules.load()
    rules.change(ALLOWANCE, (WHEN, "when: income"))
    assert "income is of type decimal, not a yes/no fact" in rules.fault().message


def test_a_condition_is_no_amount_even_where_the_same_words_are_a_condition_elsewhere(rules: Any) -> None:
    rules.change(ALLOWANCE, (WHEN, "when: coma"))
    assert rules.load()
    rules.change(ALLOWANCE, (DATED, "amount: coma\n"))
    assert "an amount must be a number" in rules.fault().message


def test_two_programmes_of_one_id_in_one_place_are_refused(rules: Any) -> None:
    rules.write("national/zweite.yaml", (rules.path / ALLOWANCE).read_bytes())
    fault = rules.fault()
    assert (fault.file, fault.line, fault.field) == ("small/national/zweite.yaml", 1, "id")
    assert fault.message == "the programme 'allowance' is already defined in small/national/allowance.yaml"


def test_two_instruments_of_one_id_are_refused(rules: Any) -> None:
    rules.write("instruments/second/scale.yaml", (rules.path / SCALE).read_bytes())
    assert "the instrument 'scale' is already defined in" in rules.fault().message


def test_a_fact_defined_twice_is_refused(rules: Any) -> None:
    rules.write("city/vocabulary.yaml", "facts:\n\n  coma: {type: boolean, name: {zh: 昏, en: C}}\n")
    fault = rules.fault()
    assert (fault.file, fault.line) == ("small/city/vocabulary.yaml", 3)
    assert "'coma' is already defined in small/vocabulary.yaml" in fault.message


def test_a_place_defined_twice_is_refused(rules: Any) -> None:
    rules.write(
        "other/place.yaml",
        'places:\n  - {id: city, code: "330900", name: {zh: 市, en: C}, level: city, within: province}\n',
    )
    assert "the place 'city' is defined twice" in rules.fault().message


def test_a_place_that_lies_within_itself_is_refused(rules: Any) -> None:
    rules.change("national/place.yaml", ("level: national", "level: national, within: district"))
    assert {f.message for f in rules.faults() if "within itself" in f.message} == {
        f"the place {place} lies within itself" for place in ("national", "province", "city", "district")
    }


def test_programmes_that_wait_for_one_another_in_a_long_ring_are_named(rules: Any) -> None:
    text = (rules.path / ALLOWANCE).read_text(encoding="utf-8")
    for one, other in (("one", "two"), ("two", "three"), ("three", "one")):
        changed = text.replace("id: allowance", f"id: {one}").replace(WHEN, f"when: ELIGIBLE('{other}')")
        rules.write(f"city/{one}.yaml", changed)
    assert "ring: one -> two -> three -> one" in rules.fault().message


def test_facts_derived_from_one_another_in_a_ring_are_named(rules: Any) -> None:
    rules.change(
        VOCABULARY,
        ("range: [0, 130]", "range: [0, 130]\n    derive: months * 12"),
        ("  born:", "  months:\n    {type: integer, range: [0, 9], derive: years + 1, name: {zh: 月, en: M}}\n  born:"),
    )
    assert sorted(f.message for f in rules.faults()) == [
        "the fact 'months' is derived from itself",
        "the fact 'years' is derived from itself",
    ]


def test_a_programme_outside_every_place_is_refused(rules: Any) -> None:
    rules.write("nowhere/allowance.yaml", (rules.path / ALLOWANCE).read_bytes())
    assert "a programme lies in the folder of a place" in rules.fault().message


def test_a_programme_without_criteria_says_what_is_not_configured(rules: Any) -> None:
    rules.write("national/empty.yaml", ENDING.replace("id: allowance", "id: empty").replace("ends: true\n", ""))
    assert "or says what is not_configured" in rules.fault().message
    rules.write(
        "national/empty.yaml",
        ENDING.replace("id: allowance", "id: empty").replace("ends: true", "not_configured: {zh: 无, en: no}"),
    )
    assert "empty" in rules.load().programmes["national"]


def test_ending_a_programme_that_no_place_around_has_is_refused(rules: Any) -> None:
    rules.write("city/end.yaml", ENDING.replace("id: allowance", "id: alowance"))
    fault = rules.fault()
    assert (fault.line, fault.field) == (7, "ends")
    assert "no place around city has a programme 'alowance'" in fault.message


ENDING = """\
id: allowance
name: {zh: 津贴, en: Allowance}
kind: allowance
status: in_force
source: {document: notice}
evidence: verified
ends: true
"""


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("settings: {scael: {}}\n", "settings.scael", "unknown instrument 'scael' (did you mean 'scale'?)"),
        ("settings: {scale: {colour: 1}}\n", "settings.scale.colour", "unknown setting 'colour'"),
        ("settings: [scale]\n", "settings", "with a mapping under it"),
        ("settings: {scale: 5}\n", "settings.scale", "name: value under the id of an instrument"),
        ("settigns: {}\n", "settigns", "did you mean 'settings'?"),
    ],
)
def test_a_faulty_settings_file_is_refused(rules: Any, text: str, field: str, message: str) -> None:
    rules.write("settings.yaml", text)
    fault = next(f for f in rules.faults() if f.field == field)
    assert message in fault.message


def test_a_setting_takes_one_of_its_choices_and_the_fault_names_the_file_that_made_it(
    rules: Any, tmp_path: Path
) -> None:
    choice = "settings:\n  - {id: strict, choices: [true, false], default: true, say: {zh: 严, en: Strict}}\nsteps:"
    rules.change(SCALE, ("steps:\n  - {id: total", f"{choice}\n  - {{id: total"))
    rules.write("settings.yaml", "settings: {scale: {strict: false}}\n")
    assert rules.load().settings == {"scale": {"strict": False}}
    own = tmp_path / "own"
    own.mkdir()
    for wrong in ("maybe", "1"):
        (own / "settings.yaml").write_text(f"settings:\n  scale:\n    strict: {wrong}\n", encoding="utf-8")
        with pytest.raises(RulebookError) as caught:
            Rulebook.load(rules.path, own, shipped=False, cache=False)
        [fault] = caught.value.errors
        assert (fault.file, fault.line, fault.field) == ("own/settings.yaml", 3, "settings.scale.strict")
        assert "is not one of [True, False]" in fault.message


@pytest.mark.parametrize("text", ["coverage: none\n", "coverage: {}\n", "coverage:\n"])
def test_a_registry_that_is_no_list_is_refused(rules: Any, text: str) -> None:
    rules.write("coverage.yaml", text)
    assert "with a list under it" in rules.fault().message


def test_a_registry_names_programmes_that_exist(rules: Any) -> None:
    row = "  - {place: national, programme: allowance, checked: 2026-11-01}\n"
    rules.write("coverage.yaml", "coverage:\n" + row)
    assert rules.load().coverage[0].programme == "allowance"
    rules.write("coverage.yaml", "coverage:\n" + row + row.replace("allowance", "alowance"))
    assert (rules.fault().line, "national/alowance" in rules.fault().message) == (3, True)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"- 1\n", b"just words\n"])
def test_a_rule_file_is_a_mapping(rules: Any, content: bytes) -> None:
    rules.write("national/e.yaml", content)
    assert rules.fault().message == "a rule file is a mapping of keys to values"


def test_a_file_with_the_short_ending_is_a_rule_file_too(rules: Any) -> None:
    (rules.path / VOCABULARY).rename(rules.path / "vocabulary.yml")
    assert "coma" in rules.load().facts


def test_other_files_and_hidden_folders_are_left_alone(rules: Any) -> None:
    before = rules.load().hash
    rules.write("notes.txt", "id: [").write(".git/x.yaml", "id: [").write("_drafts/x.yaml", "id: [").write(
        "city/.x.yaml", "id: ["
    )
    assert rules.load().hash == before


def test_a_folder_that_does_not_exist_is_refused_with_its_path(rules: Any, tmp_path: Path) -> None:
    with pytest.raises(RulebookError) as caught:
        Rulebook.load(tmp_path / "nowhere", rules.path, tmp_path / "nor here", shipped=False)
    assert [str(e) for e in caught.value.errors] == [
        f"{tmp_path}/nor here: there is no such folder of rules",
        f"{tmp_path}/nowhere: there is no such folder of rules",
    ]


def test_a_folder_without_rule_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="holds no rule file"):
        Rulebook.load(tmp_path, shipped=False)


def test_two_folders_of_one_name_are_told_apart_in_messages(rules: Any, tmp_path: Path) -> None:
    second = tmp_path / "elsewhere" / "small"
    second.mkdir(parents=True)
    (second / "sources.yaml").write_text("documents: 5\n", encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        Rulebook.load(rules.path, second, shipped=False, cache=False)
    assert caught.value.errors[0].file == f"{second}/sources.yaml"


def test_the_folder_one_stands_in_is_named_by_its_name(rules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rules.path)
    rules.change(ALLOWANCE, (KIND, "kind: gift"))
    with pytest.raises(RulebookError) as caught:
        Rulebook.load(".", shipped=False, cache=False)
    assert caught.value.errors[0].file == "small/national/allowance.yaml"


def test_a_rule_file_that_is_far_too_large_is_refused(rules: Any) -> None:
    rules.write("national/big.yaml", b"#" * 10_000_000)
    assert "10000000 bytes" in rules.fault().message


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_rule_file_that_may_not_be_read_is_named(rules: Any) -> None:
    (rules.path / ALLOWANCE).chmod(0)
    assert "cannot be read" in rules.fault().message


def test_deployment_folders_come_from_the_environment(
    rules: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yyassess.rulebook.loading import rule_folders, shipped_rules

    monkeypatch.setenv("YYASSESS_RULES", os.pathsep.join([str(rules.path), "", str(tmp_path)]))
    assert rule_folders(["x"]) == [shipped_rules(), rules.path, tmp_path, Path("x")]
