"""Simulation: every figure is what comes out when the two rulebooks are run one after the other and compared by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from tests.population.people import ON
from yyassess import InputError, Rulebook, RulebookError
from yyassess.cli import main
from yyassess.population import page
from yyassess.population.batch import Job, run_batch
from yyassess.population.figures import Result, reached
from yyassess.population.plan import Wanted
from yyassess.population.simulate import Study, simulate
from yyassess.population.synth import synthetic_plan, write_population

PLACE = "zhoushan"
SUBSIDY = "national-consumption-subsidy"
EXAMPLE = Path(__file__).parents[2] / "yyassess" / "population" / "examples" / "subsidy-for-mild-disability.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("simulation")
    write_population(synthetic_plan(Rulebook.load(), PLACE, ON), made / "people.parquet", 3000, 5)
    people = pl.read_parquet(made / "people.parquet")
    extra = [
        pl.Series("town", ["dinghai", "putuo", None] * 1000),
        pl.Series("stands_for", [10.0, 20.0, 12.5, 1.0] * 750),
    ]
    people.with_columns(extra).write_parquet(made / "people.parquet")
    return made


@pytest.fixture(scope="module")
def changed() -> Rulebook:
    return Rulebook.load(overlays=[EXAMPLE])


def study(folder: Path, book: Rulebook, changed: Rulebook, **rest: object) -> Result:
    made = Study(folder / "people.parquet", PLACE, ON, ignore=("town", "stands_for"), **rest)  # type: ignore[arg-type]
    return simulate(made, book, [("mild", {"zh": "轻度", "en": "Mild"}, changed)])


def outcomes(folder: Path, book: Rulebook, name: str) -> pl.DataFrame:
    keep = ("town", "stands_for", "sex")
    run_batch(Job(folder / "people.parquet", folder / name, PLACE, ON, wanted=Wanted(benefits=True), keep=keep), book)
    return pl.read_parquet(folder / name)


def test_who_gains_and_loses_and_what_it_costs(folder: Path, book: Rulebook, changed: Rulebook) -> None:
    before, after = outcomes(folder, book, "a.parquet"), outcomes(folder, changed, "b.parquet")
    result = study(folder, book, changed, district="town")
    assert list(result.scenarios[1]["programmes"]) == [SUBSIDY]
    figures = result.scenarios[1]["programmes"][SUBSIDY]
    status = f"{SUBSIDY}.status"
    moves = Counter(zip(before[status], after[status], strict=True))
    assert {(m["before"], m["after"]): m["n"] for m in figures["moves"]} == moves
    assert figures["gain"]["n"] == moves["ineligible", "eligible"] > 0
    assert figures["lose"]["n"] == 0
    assert figures["open"]["n"] == sum(n for (a, b), n in moves.items() if a != b and "unknown" in (a, b))
    for side, frame in (("before", before), ("after", after)):
        assert figures[side]["cost"]["CNY"]["value"] == pytest.approx(float(frame[f"{SUBSIDY}.amount"].sum()))
        eligible = frame.filter(pl.col(status) == "eligible")
        assert figures[side]["paid"]["n"] == len(eligible)
        assert figures[side]["amount_unknown"]["n"] > 0
    for dimension, column in (("sex", "sex"), ("district", "town")):
        for name, part in figures["by"][dimension].items():
            wanted = None if name == "unknown" else name
            people = before.with_columns(after=after[status]).filter(pl.col(column).eq_missing(pl.lit(wanted)))
            gained = people.filter((pl.col(status) == "ineligible") & (pl.col("after") == "eligible"))
            assert part["gain"]["n"] == len(gained)
    grades = figures["by"]["grade"]
    assert grades["1"]["gain"]["n"] == figures["gain"]["n"], "only people of level 1 gain"
    assert sum(p["gain"]["n"] for p in figures["by"]["age"].values()) == figures["gain"]["n"]


def test_a_weighted_sample_has_totals_with_intervals(folder: Path, book: Rulebook, changed: Rulebook) -> None:
    before, after = outcomes(folder, book, "a.parquet"), outcomes(folder, changed, "b.parquet")
    result = study(folder, book, changed, weight="stands_for")
    gain = result.scenarios[1]["programmes"][SUBSIDY]["gain"]["weighted"]
    status = f"{SUBSIDY}.status"
    y = [
        w if (a, b) == ("ineligible", "eligible") else 0.0
        for w, a, b in zip(before["stands_for"], before[status], after[status], strict=True)
    ]
    n, total = len(y), sum(y)
    spread = n / (n - 1) * sum((v - total / n) ** 2 for v in y)
    assert gain["value"] == pytest.approx(total)
    assert gain["half"] == pytest.approx(1.959964 * spread**0.5, rel=1e-6)
    assert result.weight == pytest.approx(before["stands_for"].sum())


def test_everything_counts_what_no_change_touches_too(folder: Path, book: Rulebook, changed: Rulebook) -> None:
    before = outcomes(folder, book, "a.parquet")
    result = study(folder, book, changed, everything=True)
    base = result.scenarios[0]["programmes"]
    assert {f"{id}.status" for id in base} == {c for c in before.columns if c.endswith(".status")}
    for id, figures in base.items():
        found = {s: c["n"] for s, c in figures["before"]["status"].items() if c["n"]}
        assert found == dict(Counter(before[f"{id}.status"]))
    indicator = next(i for i in result.indicators if i["id"] == "coverage-all-2035")
    assert indicator["denominator"] == 3000 and 0 < indicator["share"] < 1 and indicator["target"] == 0.75


def test_the_page_opens_offline_and_says_what_an_official_needs(
    folder: Path, book: Rulebook, changed: Rulebook
) -> None:
    result = study(folder, book, changed, district="town", everything=True)
    for lang in ("zh", "en"):
        text = page.html(result, lang)
        assert "<svg" in text and not re.search(r"(src|href)=|https?://|@import|<script", text)
        name = book.at(PLACE, ON).standings[SUBSIDY].programme.name[lang]
        assert name in text
        assert page.NAMES[lang]["unknown"] in text and page.NAMES[lang]["note"] in text
        assert f"{result.scenarios[1]['programmes'][SUBSIDY]['gain']['n']:,}" in text
    rows = list(csv.DictReader(io.StringIO(page.table(result))))
    gain = [
        r
        for r in rows
        if (r["scenario"], r["programme"], r["dimension"], r["figure"]) == ("mild", SUBSIDY, "all", "gain")
    ]
    assert [int(r["value"]) for r in gain] == [result.scenarios[1]["programmes"][SUBSIDY]["gain"]["n"]]


def test_several_changes_share_the_base_and_each_counts_its_own(
    folder: Path, book: Rulebook, changed: Rulebook, tmp_path: Path
) -> None:
    strict = tmp_path / "strict.yaml"
    strict.write_text(
        EXAMPLE.read_text(encoding="utf-8").replace("BETWEEN 1 AND 4", "BETWEEN 3 AND 4"), encoding="utf-8"
    )
    both = [
        ("mild", {"zh": "轻度", "en": "Mild"}, changed),
        ("strict", {"zh": "重度", "en": "Severe"}, Rulebook.load(overlays=[strict])),
    ]
    made = Study(folder / "people.parquet", PLACE, ON, ignore=("town", "stands_for"))
    together = simulate(made, book, both)
    for number, one in enumerate(both, 1):
        alone = simulate(made, book, [one])
        assert together.scenarios[number] == alone.scenarios[1]
    gain, lose = (together.scenarios[n]["programmes"][SUBSIDY] for n in (1, 2))
    assert gain["gain"]["n"] > 0 == gain["lose"]["n"]
    assert lose["lose"]["n"] > 0 == lose["gain"]["n"]
    assert page.NAMES["zh"]["summary"] in page.html(together)


def test_nobody_is_counted_twice(folder: Path, book: Rulebook, changed: Rulebook, tmp_path: Path) -> None:
    people = pl.read_parquet(folder / "people.parquet")
    pl.concat([people, people.head(1)]).write_parquet(tmp_path / "people.parquet", row_group_size=1000)
    with pytest.raises(InputError) as caught:
        study(tmp_path, book, changed)
    assert caught.value.errors[0]["where"] == "id" and caught.value.errors[0]["given"] == ["SYN-000000000"]


@pytest.mark.parametrize("bad", [None, -1.0])
def test_a_weight_that_is_none_is_refused(
    bad: float | None, folder: Path, book: Rulebook, changed: Rulebook, tmp_path: Path
) -> None:
    people = pl.read_parquet(folder / "people.parquet")
    first = pl.col("id") == "SYN-000000000"
    weights = pl.when(first).then(pl.lit(bad, dtype=pl.Float64)).otherwise("stands_for").alias("stands_for")
    people.with_columns(weights).write_parquet(tmp_path / "people.parquet")
    with pytest.raises(InputError) as caught:
        study(tmp_path, book, changed, weight="stands_for")
    assert caught.value.errors[0]["where"] == "stands_for"


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ((80, 100, 0, 0.75, True), True),
        ((60, 100, 0, 0.75, True), False),
        ((60, 100, 30, 0.75, True), None),
        ((90, 100, 10, 0.75, True), True),
        ((0, 100, 100, 0.75, True), None),
        ((0, 0, 0, 0.75, True), None),
        ((2, 100, 0, 0.05, False), True),
        ((2, 100, 10, 0.05, False), None),
        ((20, 100, 10, 0.05, False), False),
    ],
)
def test_a_target_is_reached_only_if_the_unknown_cannot_change_it(figures: Any, said: bool | None) -> None:
    assert reached(*figures) is said


def test_the_command_writes_page_and_table(folder: Path) -> None:
    arguments = ["simulate", "--change", str(EXAMPLE), "--population", str(folder / "people.parquet"), "--place", PLACE, "--on", "2026-11-22",
                 "--weight", "stands_for", "--district", "town", "--html", str(folder / "page.html"), "--csv", str(folder / "all.csv"), "--format", "json", "--quiet"]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["scenarios"][1]["id"] == "subsidy-for-mild-disability"
    assert (folder / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (folder / "all.csv").read_text(encoding="utf-8").startswith("scenario,")


# -- files of changes ---------------------------------------------------------------------------------------
def overlaid(rules, text: str) -> Rulebook:  # type: ignore[no-untyped-def]
    file = rules.path.parent / "change.yaml"
    file.write_text(text, encoding="utf-8")
    return Rulebook.load(rules.path, shipped=False, cache=False, overlays=[file])


HEAD = "id: what-if\nname: {zh: 假设, en: What if}\nchanges:\n"


def test_a_dated_change_is_a_new_text_from_that_day(rules) -> None:  # type: ignore[no-untyped-def]
    change = (
        "  - programme: allowance\n    from: 2026-01-01\n    set: {criteria: [{id: old-enough, when: years >= 70}]}\n"
    )
    book = overlaid(rules, HEAD + change)
    import datetime as dt

    for day, when in ((dt.date(2025, 12, 31), "years >= 80"), (dt.date(2026, 1, 1), "years >= 70")):
        criteria = book.at("city", day).standings["allowance"].programme.criteria
        assert [c.when for c in criteria] == [when, "scheme = 'employee'"]
    assert book.hash != rules.load().hash


def test_a_part_can_be_dropped_and_added_and_an_instrument_changed(rules) -> None:  # type: ignore[no-untyped-def]
    new = "{id: poor, when: income < 500, say: {zh: 穷, en: Poor}, evidence: verified}"
    change = f"  - programme: allowance\n    set: {{criteria: [{{id: insured, drop: true}}, {new}]}}\n"
    change += (
        "  - instrument: scale\n    set: {steps: [{id: preliminary, cuts: [{at: 0, level: 0}, {at: 1, level: 1}]}]}\n"
    )
    book = overlaid(rules, HEAD + change)
    criteria = book.at("city", ON).standings["allowance"].programme.criteria
    assert [c.id for c in criteria] == ["old-enough", "poor"]
    assert [c.at for c in book.instruments["scale"].steps[1].cuts] == [0, 1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("  - programme: alowance\n    set: {note: {zh: 一, en: a}}\n", "did you mean 'allowance'"),
        (
            "  - programme: allowance\n    set: {criteria: [{id: old-enough, when: yeers >= 70}]}\n",
            "unknown fact 'yeers'",
        ),
        ("  - programme: allowance\n    sets: {}\n", "unknown key 'sets'"),
        ("  - {set: {note: 1}}\n", "exactly one programme or instrument"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_with_its_place(change: str, said: str, rules) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RulebookError, match=re.escape(said)):
        overlaid(rules, HEAD + change)
