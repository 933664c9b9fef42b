"""Every fault that `check` knows, planted in a small rulebook: the codes expected, and a clean twin that stays silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rulebooks import BASE, MORE, changed, interaction, money, programme

Files = Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """A fault: what is wrong, the files that hold it, the codes it must be found under, and the same without it."""

    name: str
    codes: frozenset[str]
    faulty: Files
    clean: Files = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


FAULTS: list[Fault] = []


def fault(name: str, codes: str, faulty: Files | str, clean: Files | str | None = None) -> None:
    """Adds a row; a text alone is the programme ``town/a.yaml``."""
    files = [{"town/a.yaml": f} if isinstance(f, str) else f for f in (faulty, clean or {})]
    FAULTS.append(Fault(name, frozenset(codes.split()), files[0], files[1]))


def of(*texts: str) -> dict[str, str]:
    """Several programmes of the town: the file name is the id on the first line."""
    return {f"town/{text.split(maxsplit=2)[1]}.yaml": text for text in texts}


scale, grid, screen, pathway = (
    "instruments/scale.yaml",
    "instruments/grid.yaml",
    "instruments/screen.yaml",
    "pathways/memory.yaml",
)
CUTS = "cuts: [{at: 0, level: 0}, {at: 2, level: 1}]"
RULES = """\
  - id: band
    kind: rules
    name: {zh: 分段, en: Band}
    evidence: verified
    rules:
"""


def lines(*rules: str) -> dict[str, str]:
    """The scale graded by ordered lines instead of a band."""
    old = BASE[scale][BASE[scale].index("  - id: band") : BASE[scale].index("grade: band")]
    return changed(scale, (old, RULES + "".join(f"      - {{{rule}}}\n" for rule in rules)))


def worse_screen(cuts: str) -> dict[str, str]:
    return changed(screen, ("cuts: [{at: 0, level: 0}, {at: 1, level: 1}]", cuts))


def record(line: str) -> dict[str, str]:
    """The scale with one more block."""
    return changed(scale, ("record:\n", line + "record:\n"))


# -- bands, tables, levels ----------------------------------------------------------------------------------------------
fault(
    "a score below the first cut",
    "band-gap",
    changed(scale, (CUTS, "cuts: [{at: 1, level: 0}, {at: 2, level: 1}]")),
    changed(scale, (CUTS, "cuts: [{at: -1, level: 0}, {at: 2, level: 1}]")),
)
fault(
    "a gap in a range typed in",
    "band-gap",
    worse_screen("cuts: [{at: 1, level: 0}, {at: 2, level: 1}]"),
    worse_screen("cuts: [{at: 0, level: 0}, {at: 3, level: 1}]"),
)
fault(
    "a cut above the highest score",
    "cut-unreachable",
    changed(scale, (CUTS, "cuts: [{at: 0, level: 0}, {at: 2, level: 1}, {at: 5, level: 1}]")),
    changed(scale, (CUTS, "cuts: [{at: 0, level: 0}, {at: 2, level: 1}, {at: 4, level: 1}]")),
)
fault(
    "a level that no cut gives",
    "level-unreachable",
    changed(
        scale,
        (
            "  - {level: 1, code: ill, name: {zh: 差, en: Ill}}\n",
            "  - {level: 1, code: ill, name: {zh: 差, en: Ill}}\n  - {level: 2, code: bad, name: {zh: 重, en: Bad}}\n",
        ),
        ("ladders:", "ladders:"),
    )
    | {
        "vocabulary.yaml": BASE["vocabulary.yaml"]
        .replace("range: [0, 1], grade_of", "range: [0, 2], grade_of")
        .replace("ill: {zh: 差, en: ill}", "ill: {zh: 差, en: ill}, bad: {zh: 重, en: bad}")
    },
)
fault(
    "a level that is not listed",
    "level-not-listed",
    lines("when: total >= 3, value: total", "value: 0"),
    lines("when: total >= 3, value: 1", "value: 0"),
)
fault(
    "a lookup beside the table",
    "table-out-of-range",
    changed(grid, ("  two: [{score: 0", "  two: [{score: 2, say: {zh: 全, en: All}}, {score: 0")),
)
fault(
    "a cell nobody lands on",
    "cell-unreachable",
    changed(grid, ("      - [1, 2]\n", "      - [1, 2]\n      - [2, 2]\n")),
)
fault("two cells swapped", "table-not-monotone grade-not-monotone", changed(grid, ("[0, 1]", "[1, 0]")))
fault(
    "a grade that gets better with worse answers",
    "grade-not-monotone",
    changed(scale, (CUTS, "cuts: [{at: 0, level: 1}, {at: 2, level: 0}]")),
    changed(scale, (CUTS, "cuts: [{at: 0, level: 0}, {at: 3, level: 1}]")),
)
fault(
    "a line that never comes first",
    "line-never",
    lines("when: total >= 2, value: 1", "when: total >= 3, value: 0", "value: 0"),
    lines("when: total >= 3, value: 1", "when: total >= 2, value: 1", "value: 0"),
)
fault(
    "two ranges that overlap",
    "line-overlap",
    lines("when: total BETWEEN 0 AND 2, value: 0", "when: total BETWEEN 2 AND 3, value: 1", "value: 1"),
    lines("when: total BETWEEN 0 AND 2, value: 0", "when: total BETWEEN 3 AND 4, value: 1", "value: 1"),
)
fault(
    "a value between two ranges",
    "line-gap",
    lines("when: total BETWEEN 0 AND 1, value: 0", "when: total BETWEEN 3 AND 4, value: 1", "value: unknown"),
    lines("when: total BETWEEN 0 AND 1, value: 0", "when: total BETWEEN 2 AND 4, value: 1", "value: unknown"),
)
fault(
    "an item nobody counts",
    "item-unused",
    changed(scale, ("kind: sum, items: all", "kind: sum, items: [eating]")),
    changed(scale, ("kind: sum, items: all", "kind: sum, items: [eating, walking]")),
)
fault(
    "a setting without effect",
    "setting-unused",
    record("settings: [{id: method, choices: [one, two], default: one, say: {zh: 方法, en: Method}}]\n"),
)
fault("an adjustment that cannot hold", "adjustment-never", changed(scale, ("when: coma,", "when: coma AND NOT coma,")))
fault(
    "an adjustment that always holds",
    "adjustment-always level-unreachable",
    changed(scale, ("when: coma, set_level: 1", "when: coma OR NOT coma, raise_by: 1")),
)
fault(
    "an adjustment that makes the grade milder",
    "adjustment-lowers",
    changed(scale, ("when: coma, set_level: 1", "when: coma, set_level: 0")),
)
fault(
    "two adjustments against each other",
    "adjustment-conflict adjustment-lowers grade-not-monotone",
    changed(
        scale,
        (
            "adjustments:\n",
            "adjustments:\n  - {id: total_best, when: total >= 1, set_level: 0, source: {document: notice}, evidence: verified, say: {zh: 好, en: Well}}\n",
        ),
    ),
)
fault(
    "a hint nobody sees",
    "hint-never",
    record("hints: [{id: H1, when: total > 4, say: {zh: 查, en: Check}}]\n"),
    record("hints: [{id: H1, when: total > 3, say: {zh: 查, en: Check}}]\n"),
)
fault(
    "a decision that is never named",
    "decision-never",
    record(
        "decisions: [{id: X-D1, point: {zh: 点, en: Point}, taken: {zh: 取, en: Taken}, reason: {zh: 由, en: Reason}, when: total < 0}]\n"
    ),
    record(
        "decisions: [{id: X-D1, point: {zh: 点, en: Point}, taken: {zh: 取, en: Taken}, reason: {zh: 由, en: Reason}, when: total < 1}]\n"
    ),
)

# -- criteria -----------------------------------------------------------------------------------------------------------
fault(
    "criteria that exclude each other",
    "never-satisfiable",
    programme("a", "scheme = 'employee'", "alone", "scheme = 'none' OR scheme = 'resident'"),
    programme(
        "a",
        "scheme = 'employee'",
        "alone",
        "scheme = 'employee' OR scheme = 'resident'",
        rest="intended: [{code: criterion-never-matters, reason: {zh: 两处都写, en: Written in both places}}]\n",
    ),
)
fault(
    "criteria that exclude each other through another programme",
    "never-satisfiable",
    of(programme("a", "age >= 60"), programme("b", "ELIGIBLE('a')", "age < 60")),
    of(programme("a", "age >= 60"), programme("b", "ELIGIBLE('a')", "months >= 6")),
)
fault(
    "a threshold beyond the range",
    "criterion-never-true",
    programme("a", "age > 130", "alone"),
    programme("a", "age > 129", "alone"),
)
fault(
    "a grade and its code that never go together",
    "never-satisfiable",
    programme("a", "grade = 1", "letter = 'well'"),
    programme(
        "a",
        "grade = 1 AND letter = 'ill'",
        "alone",
        rest="intended: [{code: part-never-matters, reason: {zh: 两处都写, en: Written twice}}]\n",
    ),
)
fault(
    "days in the wrong order",
    "never-satisfiable",
    programme("a", "birth >= DATE '1980-01-01'", "age >= 60"),
    programme(
        "a",
        "birth <= DATE '1980-01-01'",
        "age < 90",
        rest="intended: [{code: older-loses, reason: {zh: 仅限九十岁以下, en: Below ninety only}}]\n",
    ),
)
fault("everybody is eligible", "always-eligible", programme("a", "age >= 0"), programme("a", "age >= 1"))
fault(
    "a criterion true of everybody",
    "criterion-always-true",
    programme("a", "alone OR NOT alone", "age >= 60"),
    programme("a", "alone OR NOT insured", "age >= 60"),
)
fault(
    "a criterion that follows from another",
    "criterion-never-matters",
    programme("a", "age >= 80", "age >= 60"),
    programme("a", "age >= 80", "months >= 6"),
)
fault(
    "a part that follows from another",
    "part-never-matters",
    programme("a", "alone AND (age >= 80 OR age >= 60)"),
    programme("a", "alone AND age >= 60 OR age >= 80"),
)
fault(
    "a code listed beside all others",
    "part-never-matters",
    programme("a", "alone AND (scheme IN ('none', 'resident') OR NOT scheme = 'employee')"),
    programme("a", "alone AND scheme IN ('none', 'resident')"),
)
fault(
    "two programmes that say the same in other words",
    "same-programme",
    of(
        programme("a", "age >= 60", "alone", rest=money("100")),
        programme("b", "alone", "NOT age < 60", rest=money("100")),
    ),
    of(
        programme("a", "age >= 60", "alone", rest=money("100")),
        programme("b", "alone", "NOT age < 61", rest=money("100")),
    ),
)
CITY = programme("a", "age >= 60", rest=money("100"))
fault(
    "a town that contradicts its city",
    "override-contradicts older-loses",
    {"city/a.yaml": CITY, "town/a.yaml": programme("a", "age < 60", rest=money("100"))},
    {"city/a.yaml": CITY, "town/a.yaml": programme("a", "age >= 55", rest=money("100"))},
)
fault(
    "a town that takes away what the city gives",
    "override-takes-away",
    {"city/a.yaml": CITY, "town/a.yaml": programme("a", "age >= 65", rest=money("100"))},
    {"city/a.yaml": CITY, "town/a.yaml": programme("a", "age >= 59", rest=money("100"))},
)
fault(
    "a town that pays less than its city",
    "override-pays-less",
    {"city/a.yaml": CITY, "town/a.yaml": programme("a", "age >= 60", rest=money("1100, CNY/year"))},
    {"city/a.yaml": CITY, "town/a.yaml": programme("a", "age >= 60", rest=money("1200, CNY/year"))},
)

# -- benefits -----------------------------------------------------------------------------------------------------------
fault(
    "two rows for one age",
    "benefit-overlap older-gets-less",
    programme("a", "age >= 60", rest=money("100 if age BETWEEN 60 AND 80", "200 if age >= 80")),
    programme("a", "age >= 60", rest=money("100 if age BETWEEN 60 AND 79", "200 if age >= 80")),
)
fault(
    "two rows in different units of time",
    "benefit-overlap older-gets-less",
    programme("a", "alone", rest=money("100 if age <= 80", "1300, CNY/year if age >= 80")),
    programme("a", "alone", rest=money("100 if age < 80", "1300, CNY/year if age >= 80")),
)
fault(
    "no row for some",
    "benefit-gap",
    programme("a", "alone", rest=money("100 if scheme = 'employee'", "100 if scheme = 'resident'")),
    programme("a", "alone", "scheme <> 'none'", rest=money("100 if scheme = 'employee'", "100 if scheme = 'resident'")),
)
fault(
    "a row nobody can get",
    "benefit-never",
    programme("a", "age >= 80", rest=money("100", "50 if age < 80")),
    programme("a", "age >= 60", rest=money("200 if age >= 80", "50 if age < 80")),
)
SERVICES = "services: [{{phase: home, say: {{zh: 上门, en: Visit}}, when: {}}}]\n"
fault(
    "a service nobody is offered",
    "service-never",
    programme("a", "age >= 80", rest=SERVICES.format("age < 80")),
    programme("a", "age >= 80", rest=SERVICES.format("age < 90")),
)
EFFECTS = "effects: [{{when: {}, effect: suspend, say: {{zh: 暂停, en: Suspended}}, evidence: verified}}]\n"
fault(
    "a suspension that never happens",
    "effect-never",
    programme("a", "age >= 80", rest=EFFECTS.format("age < 80")),
    programme("a", "age >= 80", rest=EFFECTS.format("alone")),
)
fault(
    "a suspension of everybody",
    "effect-always",
    programme("a", "age >= 80", rest=EFFECTS.format("age >= 70")),
    programme("a", "age >= 80", rest=EFFECTS.format("age >= 90")),
)
fault(
    "an amount below nothing",
    "amount-negative",
    programme("a", "alone", rest=money("500 - income")),
    programme("a", "alone", rest=money("GREATEST(0, 500 - income)")),
)
CAP = "benefits: [{{id: money, say: {{zh: 补贴, en: Money}}, amount: {}, unit: CNY/month, cap: 800, evidence: verified}}]\n"
fault(
    "an amount above its cap",
    "amount-above-cap",
    programme("a", "alone", rest=CAP.format("income * 0.5")),
    programme("a", "alone", rest=CAP.format('"LEAST(800, income * 0.5)"')),
)
INDICATOR = "indicators: [{{id: share, say: {{zh: 指标, en: Target}}, numerator: {}, denominator: {}, target: 0.9, by: 2030-12-31, evidence: verified}}]\n"
fault(
    "an indicator that counts nobody",
    "indicator-never",
    programme("a", "alone", rest=INDICATOR.format("alone AND age >= 60", "NOT alone")),
    programme("a", "alone", rest=INDICATOR.format("age >= 60", "alone")),
)

# -- interactions -------------------------------------------------------------------------------------------------------
OTHER = programme("b", "age >= 60", rest=money("100"))
fault(
    "each gives way to the other",
    "exclusive-both-lost",
    of(programme("a", "alone", rest=interaction("cannot_combine", "b")), OTHER + interaction("cannot_combine", "a")),
    of(programme("a", "alone", rest=interaction("cannot_combine", "b")), OTHER),
)
fault(
    "nobody ever gets what gives way",
    "always-dropped",
    of(programme("a", "alone", "age >= 70", rest=interaction("cannot_combine", "b")), OTHER),
    of(programme("a", "alone", "age >= 50", rest=interaction("cannot_combine", "b")), OTHER),
)
fault(
    "lost for something that is not paid",
    "dropped-for-dropped",
    of(
        programme("a", "alone", rest=interaction("cannot_combine", "b")),
        OTHER + interaction("cannot_combine", "c"),
        programme("c", "insured"),
    ),
    of(programme("a", "alone", rest=interaction("cannot_combine", "b")), OTHER, programme("c", "insured")),
)
fault(
    "the higher of two that do not compare",
    "higher-only-incomparable",
    of(programme("a", "alone", rest=money("100, CNY/visit") + interaction("higher_only", "b")), OTHER),
    of(programme("a", "alone", rest=money("150") + interaction("higher_only", "b")), OTHER),
)
fault(
    "the higher of two, one without an amount",
    "higher-only-incomparable",
    of(programme("a", "alone", rest=interaction("higher_only", "b")), OTHER),
)
fault(
    "an interaction of two that exclude each other",
    "interaction-never",
    of(programme("a", "scheme = 'none'", rest=interaction("offset", "b")), programme("b", "scheme = 'employee'")),
    of(programme("a", "scheme <> 'none'", rest=interaction("offset", "b")), programme("b", "scheme = 'employee'")),
)
fault(
    "an interaction with a programme of another place",
    "interaction-elsewhere",
    {
        "town/a.yaml": programme("a", "alone", rest=interaction("offset", "b")),
        "far/b.yaml": programme("b", "age >= 60"),
    },
    {
        "town/a.yaml": programme("a", "alone", rest=interaction("offset", "b")),
        "city/b.yaml": programme("b", "age >= 60"),
    },
)

# -- fairness -----------------------------------------------------------------------------------------------------------
fault("a worse grade is refused", "worse-grade-loses", programme("a", "grade = 0"), programme("a", "grade >= 1"))
fault(
    "a worse grade, given as a code, is refused",
    "worse-grade-loses",
    programme("a", "letter = 'well'"),
    programme("a", "letter = 'ill'"),
)
fault(
    "a worse grade gets less",
    "worse-grade-gets-less",
    programme("a", "alone", rest=money("200 if grade = 0", "100 if grade = 1")),
    programme("a", "alone", rest=money("100 if grade = 0", "200 if grade = 1")),
)
fault(
    "older people are refused",
    "older-loses",
    programme("a", "age BETWEEN 60 AND 79"),
    programme("a", "age BETWEEN 60 AND 130"),
)
fault(
    "people born earlier are refused",
    "older-loses",
    programme("a", "birth >= DATE '1950-01-01'"),
    programme("a", "birth <= DATE '1950-01-01'"),
)
fault(
    "older people get less",
    "older-gets-less",
    programme("a", "age >= 60", rest=money("150 if age < 80", "1200, CNY/year if age >= 80")),
    programme("a", "age >= 60", rest=money("100 if age < 80", "1300, CNY/year if age >= 80")),
)
fault("longer disability is refused", "longer-loses", programme("a", "months <= 24"), programme("a", "months >= 24"))
fault(
    "longer disability gets less",
    "longer-gets-less",
    programme("a", "alone", rest=money("GREATEST(0, 600 - months)")),
    programme("a", "alone", rest=money("months * 2")),
)
fault(
    "a fault that is meant is a note",
    "",
    programme(
        "a", "grade = 0", rest="intended: [{code: worse-grade-loses, of: grade, reason: {zh: 预防, en: Prevention}}]\n"
    ),
)


# -- time ---------------------------------------------------------------------------------------------------------------
def versions(first: str, *later: str) -> str:
    rows = "".join(f"  - {{in_force: {period}, note: {{zh: 新, en: New}}}}\n" for period in later)
    return programme("a", "alone", since=first, rest="versions:\n" + rows)


fault(
    "a hole between two texts",
    "version-gap",
    versions("{from: 2020-01-01, to: 2021-12-31}", "{from: 2022-02-01}"),
    versions("{from: 2020-01-01, to: 2022-01-31}", "{from: 2022-02-01}"),
)
fault(
    "two texts at once",
    "version-overlap",
    versions("{from: 2020-01-01, to: 2022-02-01}", "{from: 2022-02-01}"),
    versions("{from: 2020-01-01}", "{from: 2022-02-01}"),
)
fault(
    "a text that is never used", "version-overlap version-never", versions("{from: 2022-01-01}", "{from: 2022-01-01}")
)
fault(
    "a text that ended",
    "expired",
    programme("a", "alone", since="{from: 2020-01-01, to: 2021-12-31}"),
    {
        "town/a.yaml": programme("a", "alone", since="{from: 2020-01-01, to: 2021-12-31}"),
        "city/a.yaml": programme("a", "alone"),
    },
)
DATED = "benefits: [{{id: money, say: {{zh: 补贴, en: Money}}, amount: [{}], unit: CNY/month, evidence: verified}}]\n"
fault(
    "no amount for the first year",
    "amount-hole",
    programme("a", "alone", rest=DATED.format("{from: 2021-01-01, value: 200}")),
    programme("a", "alone", rest=DATED.format("{from: 2020-01-01, value: unknown}, {from: 2021-01-01, value: 200}")),
)
fault(
    "an amount older than its source",
    "amount-older-than-source",
    programme("a", "alone", rest=money("100"), since="{from: 2019-01-01}"),
    programme("a", "alone", rest=money("100") + "known_from: 2020-01-01\n", since="{from: 2019-01-01}"),
)
ENDED = changed("sources.yaml", ("evidence: verified", "evidence: verified, in_force: {to: 2021-12-31}"))
fault(
    "a source that is no longer in force",
    "source-lapsed",
    {**ENDED, "town/a.yaml": programme("a", "alone")},
    {
        **ENDED,
        "town/a.yaml": programme(
            "a",
            "alone",
            since="{from: 2020-01-01, to: 2021-12-31}",
            rest="intended: [{code: expired, reason: {zh: 试点结束, en: The pilot is over}}]\n",
        ),
    },
)


# -- sources and facts --------------------------------------------------------------------------------------------------
def marked(mark: str, status: str = "in_force") -> str:
    return programme("a", "alone", status=status).replace(
        "en: Criterion 0}, evidence: verified", "en: Criterion 0}, evidence: " + mark
    )


fault(
    "recall in a programme in force",
    "recall-in-force",
    marked("{mark: recall, confidence: high}"),
    marked("{mark: recall, confidence: high}", "announced"),
)
fault("one source, not named", "single-without-words", marked("single"), marked("{mark: single, words: official page}"))
fault(
    "a reading without a name", "decision-without-name", marked("decision"), marked("{mark: decision, decision: X-D1}")
)
SPAN = "valid_for: {{months: 24, evidence: {}}}\n"
fault(
    "a term without evidence",
    "figure-without-evidence",
    programme("a", "alone", rest=SPAN.format("unknown")),
    programme("a", "alone", rest=SPAN.format("verified")),
)
fault(
    "a document nobody cites",
    "document-unused",
    changed("sources.yaml", ("documents:\n", "documents:\n  old: {title: {zh: 旧, en: Old}, evidence: verified}\n")),
)
fault(
    "a fact nobody asks",
    "fact-unused",
    changed(scale, ("scheme, ills, home]", "scheme, ills]")),
    {
        **changed(scale, ("scheme, ills, home]", "scheme, ills]")),
        "town/a.yaml": programme("a", "LIES_IN(home, 'town')"),
    },
)
fault(
    "a fact too narrow for its grade",
    "fact-grade-range",
    changed("vocabulary.yaml", ("range: [0, 1], grade_of", "range: [0, 0], grade_of")),
)
fault(
    "a fact without the code of a result",
    "fact-code-missing",
    changed("vocabulary.yaml", (", ill: {zh: 差, en: ill}", "")),
)


# -- pathways -----------------------------------------------------------------------------------------------------------
def path(*changes: tuple[str, str]) -> dict[str, str]:
    return {**MORE, **changed(pathway, *changes)}


CAUTION = "cautions: [{{id: x, when: {}, say: {{zh: 注意, en: Mind}}, evidence: verified}}]\nrescreen:"
fault(
    "a caution nobody sees",
    "path-line-never",
    path(("rescreen:", CAUTION.format("screen_done AND screen_level > 1"))),
    path(("rescreen:", CAUTION.format("screen_done AND screen_level > 0"))),
)
fault(
    "a result nobody reaches",
    "path-line-never path-result-unreachable",
    path(("when: first_positive, result", "when: first_positive AND NOT first_positive, result")),
)
fault(
    "nobody is told when to come again",
    "path-rescreen-gap",
    path(("results: [fine], months", "results: [fine], when: alone, months")),
)

# -- marks --------------------------------------------------------------------------------------------------------------
MARK = "intended: [{{code: {}, reason: {{zh: 原因, en: Reason}}}}]\n"
fault(
    "a mark for a code that does not exist",
    "intended-unknown",
    programme("a", "alone", rest=MARK.format("no-such-code")),
)
fault(
    "a mark without a finding",
    "intended-stale",
    programme("a", "alone", rest=MARK.format("older-loses")),
    programme("a", "age < 80", rest=MARK.format("older-loses")),
)
