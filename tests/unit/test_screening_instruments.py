"""The screening and staging scales: every total, every combination where they are finite, every vector and trap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from yyassess import InputError, Rulebook, assess
from yyassess.conditions.tree import facts_of

DAY = "2026-11-22"
EDUCATION = ("illiterate", "primary", "junior_secondary", "senior_secondary", "tertiary")
ADJUSTED = ("mmse", "moca", "spmsq")
SCREENS = (
    "ad8",
    "mini-cog",
    "mmse",
    "moca",
    "clock-drawing",
    "spmsq",
    "gpcog",
    "rudas",
    "cdr",
    "iqcode-16",
    "faq",
    "npi-q",
    "gds-15",
    "phq-2",
    "phq-9",
)


def run(book: Rulebook, id: str, answers: dict[str, Any], context: Any = None, **settings: Any) -> dict[str, Any]:
    return assess(id, {"date": DAY, "answers": answers, "context": context or {}, "settings": settings}, book)


@pytest.fixture(scope="module")
def licensed(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    """The shipped rules in a deployment that has recorded a licence for the CDR."""
    folder = tmp_path_factory.mktemp("licensed")
    (folder / "settings.yaml").write_text("settings:\n  cdr: {cdr_licence_recorded: true}\n", encoding="utf-8")
    return Rulebook.load(folder)


def code(result: dict[str, Any]) -> str | None:
    return result["grade"]["code"] if result["grade"] else None


def warned(result: dict[str, Any]) -> set[str]:
    return {w["id"] for w in result["warnings"]}


# -- all of them ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", SCREENS)
def test_every_scale_says_that_screening_is_not_diagnosis_and_names_who_answers(book: Rulebook, id: str) -> None:
    it = book.instruments[id]
    assert it.note is not None and "诊断" in it.note["zh"] and "diagnosis" in it.note["en"]
    assert it.respondent
    assert any(use.fact == "respondent" for use in it.context), "who answered is recorded"


@pytest.mark.parametrize("id", SCREENS)
def test_no_grade_is_listed_as_if_it_were_a_score(book: Rulebook, id: str) -> None:
    it = book.instruments[id]
    items = [item for dimension in it.dimensions for item in dimension.items]
    options = {i.id: it.ladders[i.ladder] if i.ladder else i.options for i in items}
    answers = {i.id: i.range[0] if i.range else options[i.id][0].answer for i in items}
    chosen = {s.id: s.choices[0] for s in it.settings if s.default is None}
    schooling = {"education": "primary", "education_years": 6}
    context = {use.fact: schooling[use.fact] for use in it.context if use.fact in schooling}
    result = run(book, id, answers, context, **chosen)
    assert bool(result["grade"]) is bool(it.grade and not it.licence.switch)
    assert it.grade not in result["scores"]


def test_scales_without_a_checked_source_are_not_here(book: Rulebook) -> None:
    """T-C12 and the list of scales known from memory only."""
    unwanted = ("zbi", "braden", "morse", "nrs-2002", "mna", "caprini")
    assert not [id for id in book.instruments if id.startswith(unwanted)]


# -- AD8 ------------------------------------------------------------------------------------------------------
def test_ad8_all_totals_with_all_counts_of_not_known(book: Rulebook) -> None:
    """T-C11: positive from 2; "don't know" counts 0, is kept and warned of."""
    for total, unknown in product(range(9), range(9)):
        result = run(book, "ad8", {"total": total, "na_count": unknown})
        assert code(result) == ("positive" if total >= 2 else "negative")
        assert result["grade"]["positive"] is (total >= 2)
        assert ("AD8-H1" in warned(result)) is (unknown > 0)
        assert ("AD8-H2" in warned(result)) is (total + unknown > 8)
        assert [d["id"] for d in result["decisions"]] == (["SCR-D1"] if unknown else [])
        assert result["scores"] == {"total": total, "na_count": unknown}


def test_ad8_does_not_ask_for_education(book: Rulebook) -> None:
    assert {use.fact for use in book.instruments["ad8"].context} == {"respondent"}
    assert code(run(book, "ad8", {"total": 2}, {"respondent": "person"})) == "positive"
    assert "AD8-H3" in warned(run(book, "ad8", {"total": 2}, {"respondent": "person"}))
    assert warned(run(book, "ad8", {"total": 2}, {"respondent": "informant"})) == set()


# -- Mini-Cog -------------------------------------------------------------------------------------------------
def test_mini_cog_all_combinations_and_the_older_algorithm_agrees(book: Rulebook) -> None:
    for recall, clock in product(range(4), (0, 2)):
        result = run(book, "mini-cog", {"recall": recall, "clock": clock})
        older = recall == 0 or (recall in (1, 2) and clock == 0)
        assert (code(result) == "positive") is (recall + clock <= 2) is older
        assert result["scores"]["total"] == recall + clock
        sensitive = run(book, "mini-cog", {"recall": recall, "clock": clock}, minicog_positive_below=4)
        assert (code(sensitive) == "positive") is (recall + clock < 4)


def test_mini_cog_refuses_a_clock_set_to_another_time(book: Rulebook) -> None:
    """T-C10: 11:10, not 8:20."""
    for time in book.facts["clock_time"].codes:
        result = run(book, "mini-cog", {"recall": 3, "clock": 2}, {"clock_time": time})
        found = [w for w in result["warnings"] if w["id"] == "MC-H1"]
        assert bool(found) is (time != "t11_10")
        assert all(w["severity"] == "block" for w in found)
    for clock in (1, 3):
        with pytest.raises(InputError):
            run(book, "mini-cog", {"recall": 3, "clock": clock})


# -- MMSE -----------------------------------------------------------------------------------------------------
MMSE = {
    "zhang_1990": dict(zip(EDUCATION, (17, 20, 24, 24, 24), strict=True)),
    "four_groups_web": dict(zip(EDUCATION, (17, 20, 22, 22, 23), strict=True)),
}


def mmse_code(total: int, cutoff: float) -> str:
    """The cut-off by education first; a band only when positive (SCR-D2)."""
    if total > cutoff:
        return "negative"
    return "severe" if total <= 9 else "moderate" if total <= 20 else "mild"


@pytest.mark.parametrize("norm", MMSE)
def test_mmse_every_total_for_every_education(book: Rulebook, norm: str) -> None:
    """T-C5."""
    for (education, cutoff), total in product(MMSE[norm].items(), range(31)):
        result = run(book, "mmse", {"total": total}, {"education": education}, mmse_norm=norm)
        assert code(result) == mmse_code(total, cutoff), (education, total)
        assert result["scores"]["cutoff"] == cutoff
        contradicted = cutoff < total <= 26
        assert [d["id"] for d in result["decisions"]] == (["SCR-D2"] if contradicted else [])


def test_mmse_shanghai_by_age_and_years(book: Rulebook) -> None:
    for total, age, years in product(range(31), (60, 75, 76, 90), (0, 6, 7, 16)):
        cutoff = 19.5 if age > 75 and years <= 6 else 23.5
        context = {"age": age, "education_years": years, "education": "unknown"}
        result = run(book, "mmse", {"total": total}, context, mmse_norm="shanghai_2021_dementia")
        assert code(result) == mmse_code(total, cutoff), (total, age, years)
        assert result["scores"]["cutoff"] == cutoff


def test_mmse_uses_the_chinese_cut_offs_unless_told_otherwise(book: Rulebook) -> None:
    result = run(book, "mmse", {"total": 21}, {"education": "primary"})
    assert code(result) == "negative" and result["settings"] == {"mmse_norm": "zhang_1990"}
    assert [s.default for s in book.instruments["mmse"].settings] == ["zhang_1990"]


def test_mmse_without_education_has_no_result_but_says_what_is_still_possible(book: Rulebook) -> None:
    for context in ({}, {"education": "unknown"}):
        result = run(book, "mmse", {"total": 18}, context)
        assert result["complete"] is False and result["grade"] is None
    open_education = run(book, "mmse", {"total": 18})
    assert open_education["missing"] == ["education"]
    assert open_education["bounds"] == {"best": 0, "worst": 2}


def test_mmse_norms_are_never_mixed(book: Rulebook) -> None:
    """22 points with secondary school: positive by the first set, and by the second; 23: positive by the first only."""
    context = {"education": "senior_secondary", "education_years": 12, "age": 70}
    by_norm = {
        norm: [code(run(book, "mmse", {"total": total}, context, mmse_norm=norm)) for total in (22, 23, 24)]
        for norm in ("zhang_1990", "four_groups_web", "shanghai_2021_dementia")
    }
    assert by_norm == {
        "zhang_1990": ["mild", "mild", "mild"],
        "four_groups_web": ["mild", "negative", "negative"],
        "shanghai_2021_dementia": ["mild", "mild", "negative"],
    }


# -- MoCA -----------------------------------------------------------------------------------------------------
def moca_cutoff(norm: str, years: int, age: int) -> float:
    if norm == "international":
        return 25
    if norm == "beijing_2011":
        return 13 if years == 0 else 19 if years <= 6 else 24
    old, schooled = age > 75, years > 6
    if norm == "shanghai_2021_mci":
        return 24.5 if schooled else 15.5 if old else 19.5
    return {(False, False): 18.5, (True, False): 10.5, (False, True): 18.5, (True, True): 20.5}[old, schooled]


@pytest.mark.parametrize("norm", ["international", "beijing_2011", "shanghai_2021_mci", "shanghai_2021_dementia"])
def test_moca_every_total_around_every_edge_of_schooling(book: Rulebook, norm: str) -> None:
    """T-C3 (12 years still take the point), T-C4 (none with the Beijing norms; never above 30)."""
    ages = (65, 75, 76) if norm.startswith("shanghai") else (70,)
    for total, years, age in product(range(31), (0, 1, 5, 6, 7, 11, 12, 13, 20), ages):
        result = run(book, "moca", {"total": total}, {"education_years": years, "age": age}, moca_norm=norm)
        point = 1 if norm == "international" and years <= 12 else 0
        adjusted = min(30, total + point)
        assert result["scores"]["adjusted_total"] == adjusted
        assert result["scores"]["total"] == total
        expected = "positive" if adjusted <= moca_cutoff(norm, years, age) else "negative"
        assert code(result) == expected, (total, years, age)


@pytest.mark.parametrize(
    ("norm", "years", "total", "expected", "adjusted"),
    [
        ("beijing_2011", 0, 13, "positive", 13),
        ("beijing_2011", 0, 14, "negative", 14),
        ("beijing_2011", 6, 19, "positive", 19),
        ("beijing_2011", 6, 20, "negative", 20),
        ("beijing_2011", 7, 24, "positive", 24),
        ("beijing_2011", 7, 25, "negative", 25),
        ("international", 12, 25, "negative", 26),
        ("international", 13, 25, "positive", 25),
        ("international", 5, 30, "negative", 30),
    ],
)
def test_moca_vectors(book: Rulebook, norm: str, years: int, total: int, expected: str, adjusted: int) -> None:
    result = run(book, "moca", {"total": total}, {"education_years": years}, moca_norm=norm)
    assert (code(result), result["scores"]["adjusted_total"]) == (expected, adjusted)


def test_moca_has_no_silent_default(book: Rulebook) -> None:
    """SCR-D3."""
    result = run(book, "moca", {"total": 30}, {"education_years": 16})
    assert result["complete"] is False and result["grade"] is None
    assert [w["items"] for w in result["warnings"] if w["id"] == "choose"] == [["moca_norm"]]
    assert result["settings"] == {"moca_norm": None}


def test_moca_serial_sevens_are_described_as_the_checked_copy_has_them(book: Rulebook) -> None:
    """T-C2: 2 or 3 right answers are 2 points."""
    method = book.instruments["moca"].method
    assert method is not None
    assert "2–3个2分" in method["zh"] and "2-3 right 2" in method["en"]


# -- less schooling is never held against a person ------------------------------------------------------------
def scored_by(book: Rulebook, id: str) -> set[str]:
    """The names that the conditions of the scoring steps read."""
    conditions = [
        line.when
        for step in book.instruments[id].steps
        for line in (*getattr(step, "rules", ()), *getattr(step, "bonus", ()))
        if line.when is not None
    ]
    return {name for when in conditions for name in facts_of(book.trees[id][when])}


SCHOOLING: dict[str, Sequence[Any]] = {"education": EDUCATION, "education_years": (0, 1, 6, 7, 12, 13, 20)}


def adjusted(book: Rulebook, id: str) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every norm a scale offers with every fact on schooling it reads, at several ages where it reads the age."""
    it = book.instruments[id]
    facts = [use.fact for use in it.context]
    norms = [{s.id: choice} for s in it.settings if s.id.endswith("_norm") for choice in s.choices] or [{}]
    ages = [{"age": age} for age in (65, 75, 76, 90)] if "age" in facts else [{}]
    for norm, age, fact in product(norms, ages, [f for f in facts if f in SCHOOLING]):
        unsaid = {"education": "unknown"} if fact == "education_years" and "education" in facts else {}
        yield str(*norm.values()), fact, {**age, **unsaid}, norm


def test_no_education_adjustment_worsens_a_less_educated_person(book: Rulebook) -> None:
    """Same answers, less schooling: never a worse grade. For every scale that reads education, and every norm of it."""
    adjusting = {id for id in book.instruments if scored_by(book, id) & set(SCHOOLING)}
    assert adjusting == set(ADJUSTED)
    checked = set()
    for id in adjusting:
        [item] = book.instruments[id].dimensions[0].items
        assert item.range is not None
        for norm, fact, context, settings in adjusted(book, id):
            contexts = [{**context, fact: schooling} for schooling in SCHOOLING[fact]]
            if run(book, id, {item.id: 0}, contexts[0], **settings)["grade"] is None:
                continue  # this norm does not go by this fact
            for total in range(item.range[0], item.range[1] + 1):
                levels = [run(book, id, {item.id: total}, c, **settings)["grade"]["level"] for c in contexts]
                assert levels == sorted(levels), (id, norm, context, total)
            checked.add((id, norm, fact))
    assert checked >= {
        ("mmse", "zhang_1990", "education"),
        ("mmse", "four_groups_web", "education"),
        ("mmse", "shanghai_2021_dementia", "education_years"),
        ("moca", "international", "education_years"),
        ("moca", "beijing_2011", "education_years"),
        ("moca", "shanghai_2021_mci", "education_years"),
        ("moca", "shanghai_2021_dementia", "education_years"),
        ("spmsq", "", "education"),
    }


def test_clock_drawing_reads_education_only_to_warn(book: Rulebook) -> None:
    best = dict.fromkeys(("circle", "positions", "numbers", "hands"), 1)
    results = [run(book, "clock-drawing", best, {"education": e, "clock_time": "t11_10"}) for e in EDUCATION]
    assert {code(r) for r in results} == {"negative"}
    assert ["CDT-H1" in warned(r) for r in results] == [True, False, False, False, False]


# -- clock drawing --------------------------------------------------------------------------------------------
def test_clock_drawing_all_combinations(book: Rulebook) -> None:
    for marks in product((0, 1), repeat=4):
        answers = dict(zip(("circle", "positions", "numbers", "hands"), marks, strict=True))
        result = run(book, "clock-drawing", answers)
        assert result["scores"]["total"] == sum(marks)
        assert code(result) == ("negative" if sum(marks) >= 3 else "positive")
        assert result["settings"]["clock_method"] == "four_point"
        assert run(book, "clock-drawing", answers, clock_method="other")["grade"] is None


# -- SPMSQ ----------------------------------------------------------------------------------------------------
def test_spmsq_every_count_for_every_education(book: Rulebook) -> None:
    shift = dict(zip(EDUCATION, (-1, -1, 0, 0, 1), strict=True))
    for errors, education in product(range(11), EDUCATION):
        result = run(book, "spmsq", {"total": errors}, {"education": education})
        effective = min(10, max(0, errors + shift[education]))
        assert result["scores"]["effective_errors"] == effective
        expected = ("intact",) * 3 + ("mild",) * 2 + ("moderate",) * 3 + ("severe",) * 3
        assert code(result) == expected[effective], (errors, education)
        assert result["grade"]["positive"] is (effective >= 3)


def test_spmsq_knows_no_race(book: Rulebook) -> None:
    """T-C13."""
    names = {use.fact for use in book.instruments["spmsq"].context} | set(book.facts)
    assert not [n for n in names if "race" in n]
    with pytest.raises(InputError):
        run(book, "spmsq", {"total": 3}, {"education": "primary", "race": "x"})


# -- GPCOG ----------------------------------------------------------------------------------------------------
def test_gpcog_all_combinations_of_the_two_steps(book: Rulebook) -> None:
    for patient in range(10):
        alone = run(book, "gpcog", {"patient": patient})
        asks = 5 <= patient <= 8
        assert alone["complete"] is not asks
        assert alone["missing"] == (["informant"] if asks else [])
        assert ("GPC-H1" in warned(alone)) is asks
        assert ("GPC-H2" in warned(alone)) is (patient == 9)
        for informant in range(7):
            result = run(book, "gpcog", {"patient": patient, "informant": informant})
            positive = patient <= 4 or (asks and informant <= 3)
            assert code(result) == ("positive" if positive else "negative"), (patient, informant)
            assert ("not_counted" in warned(result)) is not asks
            if not asks:
                assert result["grade"] == alone["grade"]


# -- RUDAS, FAQ, NPI-Q, IQCODE --------------------------------------------------------------------------------
def test_rudas_every_total(book: Rulebook) -> None:
    """T-C17: 22, not 24."""
    for total in range(31):
        assert code(run(book, "rudas", {"total": total})) == ("positive" if total <= 22 else "negative")


def test_faq_every_total_higher_is_worse(book: Rulebook) -> None:
    """T-C8: 9, not above 5; 0 is normal, 30 fully dependent."""
    for total in range(31):
        assert code(run(book, "faq", {"total": total})) == ("positive" if total >= 9 else "negative")
    assert book.instruments["faq"].higher_score == "worse"


def test_npi_q_has_no_cut_off_and_the_ranges_of_the_form(book: Rulebook) -> None:
    """T-C9: distress runs from 0 to 5 in each of 12 domains, so 0 to 60."""
    for severity in range(37):
        for distress in (0, 30, 60):
            result = run(book, "npi-q", {"severity_total": severity, "distress_total": distress})
            assert result["grade"] is None and result["not_computed"] and result["complete"]
            assert result["scores"]["severity"] == severity and result["scores"]["distress"] == distress
    for answers in ({"severity_total": 37}, {"severity_total": 12, "distress_total": 61}):
        with pytest.raises(InputError):
            run(book, "npi-q", answers)
    for domains in range(13):
        for severity in range(37):
            result = run(book, "npi-q", {"severity_total": severity, "domains_present": domains})
            assert ("NPI-H1" in warned(result)) is not (domains <= severity <= 3 * domains)
        for distress in range(61):
            answers = {"severity_total": domains, "distress_total": distress, "domains_present": domains}
            assert ("NPI-H2" in warned(run(book, "npi-q", answers))) is (distress > 5 * domains)


@pytest.mark.parametrize("cutoff", [3.3, 3.4, 3.5, 3.6])
def test_iqcode_every_mean_with_every_cut_off(book: Rulebook, cutoff: float) -> None:
    for hundredths in range(100, 501):
        result = run(book, "iqcode-16", {"mean": hundredths / 100, "answered": 16}, iqcode_cutoff=cutoff)
        positive = Fraction(hundredths, 100) >= Fraction(str(cutoff))
        assert code(result) == ("positive" if positive else "negative"), hundredths
        assert result["scores"]["cutoff"] == cutoff


def test_iqcode_cut_off_is_chosen_and_missing_answers_are_warned_of(book: Rulebook) -> None:
    result = run(book, "iqcode-16", {"mean": 5, "answered": 16})
    assert result["grade"] is None and "choose" in warned(result)
    for answered in range(1, 17):
        result = run(book, "iqcode-16", {"mean": 4, "answered": answered}, iqcode_cutoff=3.4)
        assert ("IQ-H1" in warned(result)) is (answered < 16)
    for mean in (0.99, 5.01, 3.333):
        with pytest.raises(InputError):
            run(book, "iqcode-16", {"mean": mean, "answered": 16}, iqcode_cutoff=3.4)


# -- CDR ------------------------------------------------------------------------------------------------------
HALVES = (0, 1, 2, 4, 6)
"""Box values doubled, so that the oracle counts in whole numbers: 0, 0.5, 1, 2, 3."""
CARE = (0, 2, 4, 6)
BOXES = (
    "memory",
    "orientation",
    "judgement_problem_solving",
    "community_affairs",
    "home_hobbies",
    "personal_care",
)


def cdr(memory: int, others: Sequence[int]) -> tuple[int, set[str]]:
    """The global score (doubled) by the published rules, and which special rules it took."""
    if memory == 0:
        return (1 if sum(o >= 1 for o in others) >= 2 else 0), {"1"}
    if memory == 1:
        return (2 if sum(o >= 2 for o in others) >= 3 else 1), {"2"}
    worse = [o for o in others if o > memory]
    better = [o for o in others if o < memory]
    if len(others) - len(worse) - len(better) >= 3:
        return memory, {"3a"}
    if sorted((len(worse), len(better))) == [2, 3]:
        return memory, {"3b"}
    for side in (worse, better):
        if len(side) >= 3:
            counts = Counter(side)
            most = [value for value, n in counts.items() if n == max(counts.values())]
            used = {"3c"} | ({"tie"} if len(most) > 1 else set())
            chosen = min(most, key=lambda value: abs(value - memory))
            return (1, used | {"floor"}) if chosen == 0 else (chosen, used)
    return memory, {"3d"}


def box(doubled: int) -> float:
    return doubled / 2


def test_cdr_all_12500_boxes(licensed: Rulebook) -> None:
    """T-C1: rule 1 comes before rule 3a. 1,188 combinations need the tie rule, 1,108 the floor."""
    used: Counter[str] = Counter()
    stages = {0: 0, 1: 1, 2: 2, 4: 3, 6: 4}
    count = 0
    for values in product(HALVES, HALVES, HALVES, HALVES, HALVES, CARE):
        memory, others = values[0], values[1:]
        expected, rules = cdr(memory, others)
        used.update(rules)
        count += 1
        answers = dict(zip(BOXES, map(box, values), strict=True))
        result = run(licensed, "cdr", answers)
        assert result["scores"]["global_score"] == box(expected), answers
        assert result["grade"]["level"] == stages[expected], answers
        assert ("CDR-H1" in warned(result)) is (expected != memory), answers
    assert count == 12500
    assert (used["tie"], used["floor"]) == (1188, 1108)


@pytest.mark.parametrize(
    ("memory", "others", "expected"),
    [
        (0, (0.5, 0, 0, 0, 0), 0),
        (0, (0.5, 0.5, 0, 0, 0), 0.5),
        (0, (3, 3, 3, 3, 3), 0.5),
        (0.5, (0, 0, 0, 0, 0), 0.5),
        (0.5, (1, 1, 1, 0, 0), 1),
        (0.5, (1, 1, 0.5, 0, 0), 0.5),
        (1, (1, 1, 1, 0, 0), 1),
        (1, (2, 2, 2, 0, 0), 1),
        (1, (2, 2, 2, 1, 0), 2),
        (1, (0, 0, 0, 1, 1), 0.5),
        (2, (1, 1, 1, 3, 3), 2),
        (3, (3, 2, 2, 1, 1), 2),
        (2, (2, 3, 3, 1, 1), 2),
        (1, (2, 2, 3, 3, 1), 2),
        (2, (1, 1, 0.5, 0.5, 0), 1),
        (1, (0.5, 0.5, 0.5, 1, 0), 0.5),
    ],
)
def test_cdr_vectors(licensed: Rulebook, memory: float, others: tuple[float, ...], expected: float) -> None:
    answers = dict(zip(BOXES, (memory, *others), strict=True))
    assert run(licensed, "cdr", answers)["scores"]["global_score"] == expected
    assert cdr(round(memory * 2), [round(o * 2) for o in others])[0] == expected * 2


def test_cdr_personal_care_has_no_half_and_no_box_lies_between(licensed: Rulebook) -> None:
    for answers in ({"personal_care": 0.5}, {"memory": 1.5}, {"memory": 4}, {"memory": 0.25}):
        with pytest.raises(InputError):
            run(licensed, "cdr", answers)


def test_cdr_says_where_the_rater_differs(licensed: Rulebook) -> None:
    ones = dict.fromkeys(BOXES, 1)
    for rated in (0, 0.5, 1, 2, 3):
        result = run(licensed, "cdr", {**ones, "rated_global": rated})
        assert ("CDR-H2" in warned(result)) is (rated != 1)
        assert result["scores"]["global_score"] == 1


# -- GDS-15 ---------------------------------------------------------------------------------------------------
GDS = [f"q{n:02}" for n in range(1, 16)]
REVERSED = {"q01", "q05", "q07", "q11", "q13"}


def gds(total: int) -> dict[str, str]:
    """Answers of which the first ``total`` items score."""
    return {id: ("no" if (id in REVERSED) == (n < total) else "yes") for n, id in enumerate(GDS)}


def test_gds_each_item_scores_on_its_own_side(book: Rulebook) -> None:
    """T-C6: no on 1, 5, 7, 11 and 13, yes on the others."""
    for id in GDS:
        for other in ("yes", "no"):
            scoring = "no" if id in REVERSED else "yes"
            result = run(book, "gds-15", {**gds(0), id: other}, gds_cutoff=5)
            assert result["scores"]["total"] == (1 if other == scoring else 0), (id, other)


@pytest.mark.parametrize("cutoff", [5, 6, 8, 9])
def test_gds_every_total_with_every_cut_off(book: Rulebook, cutoff: int) -> None:
    """T-C6 (9-11 is moderate) and T-C7 (the cut-off is chosen and shown)."""
    for total in range(16):
        result = run(book, "gds-15", gds(total), gds_cutoff=cutoff)
        assert result["scores"] == {"total": total, "cutoff": cutoff}
        band = "mild" if total <= 8 else "moderate" if total <= 11 else "severe"
        assert code(result) == (band if total >= cutoff else "negative")
        assert [d["id"] for d in result["decisions"]] == (["SCR-D4"] if 5 <= total <= 8 else [])
        assert result["settings"] == {"gds_cutoff": cutoff}


def test_gds_has_no_silent_cut_off(book: Rulebook) -> None:
    result = run(book, "gds-15", gds(15))
    assert result["grade"] is None and "choose" in warned(result)
    with pytest.raises(InputError):
        run(book, "gds-15", gds(15), gds_cutoff=7)


# -- PHQ ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cutoff", [3, 2])
def test_phq_2_all_combinations(book: Rulebook, cutoff: int) -> None:
    """T-C17: 3; the more sensitive 2 is named as such."""
    for first, second in product(range(4), repeat=2):
        result = run(book, "phq-2", {"q01": first, "q02": second}, phq2_cutoff=cutoff)
        assert code(result) == ("positive" if first + second >= cutoff else "negative")
        assert result["scores"] == {"total": first + second, "cutoff": cutoff}
    assert [s.default for s in book.instruments["phq-2"].settings] == [3]


def phq9(total: int, ninth: int) -> dict[str, int]:
    answers = {"q09": ninth}
    rest = total - ninth
    for n in range(1, 9):
        answers[f"q{n:02}"] = min(3, rest)
        rest -= answers[f"q{n:02}"]
    assert rest == 0
    return answers


def test_phq_9_every_total_with_every_answer_to_item_9(book: Rulebook) -> None:
    """T-C14: an answer above 0 to item 9 calls for help at once, whatever the total."""
    names = ("minimal", "mild", "moderate", "moderately-severe", "severe")
    seen = set()
    for ninth in range(4):
        for total in range(ninth, ninth + 25):
            result = run(book, "phq-9", phq9(total, ninth))
            seen.add(total)
            assert result["scores"]["total"] == total
            assert code(result) == names[min(total // 5, 4)]
            assert result["grade"]["positive"] is (total >= 10)
            alerts = [w for w in result["warnings"] if w["severity"] == "safety"]
            assert [w["items"] for w in alerts] == ([["q09"]] if ninth else [])
            assert [d["id"] for d in result["decisions"]] == (["SCR-D5"] if ninth else [])
    assert seen == set(range(28))


def test_phq_9_item_9_alone_raises_the_alert_before_anything_else_is_answered(book: Rulebook) -> None:
    for ninth in range(4):
        result = run(book, "phq-9", {"q09": ninth})
        assert result["complete"] is False
        assert ("PHQ9-SAFETY" in warned(result)) is (ninth > 0)


def test_phq_2_is_the_first_two_items_of_phq_9(book: Rulebook) -> None:
    short, long = (book.instruments[id].dimensions[0].items for id in ("phq-2", "phq-9"))
    assert [i.name for i in short] == [i.name for i in long[:2]]
