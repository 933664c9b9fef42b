"""Writes ``docs/assurance.md``: what is proved, enumerated and sampled about the shipped rules, with the counts.

    python -m yyassess.assurance.report            print it
    python -m yyassess.assurance.report --write    write it to docs/assurance.md

The page keeps the day it is about unless ``--on`` names another. The shares of killed mutants are measured by
``scripts/mutate_rules.py`` and ``scripts/mutate_code.py``, which take longer; the page repeats what they wrote last.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yyassess.assurance.checker import Report, check
from yyassess.assurance.claims import CLAIMS
from yyassess.assurance.codes import CODES
from yyassess.assurance.reading import FAULTS
from yyassess.assurance.situations import newest_document
from yyassess.rulebook.book import Rulebook

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "assurance.md"
#: Written by the two scripts.
MEASURED = TOP / "tests" / "assurance" / "measured.json"
#: Why a change of the code that no test notices is let live, by `file: change`; written by hand.
REASONS = TOP / "tests" / "assurance" / "survivors.json"
#: More survivors than this in the rule files are counted by file instead of named.
MOST_NAMED = 60

HOW = {
    "proved": (
        "Proved",
        "For everybody: Z3 finds no person and no answer sheet for which the claim fails. A number is the number of proofs; what was refuted stands below as a finding.",
    ),
    "enumerated": (
        "Enumerated",
        "Every case there is was tried by the library itself. A number is the number of cases.",
    ),
    "sampled": ("Sampled", "Random people; no proof. A number is the number of people."),
}

#: What `tests/property` holds the shipped rules to, and over what.
HELD = (
    ("every complete sheet has a grade or its results, and exactly one", "instruments"),
    ("the order of answers never counts, and asking changes nothing that was given", "instruments"),
    ("what is missing is listed, exactly; one answer more never widens the grades still possible", "graded"),
    ("one answer worse never gives a better grade", "monotone"),
    ("a band changes exactly at its cut points, from both sides", "graded"),
    ("a grade typed in again is the same grade", "graded"),
    ("an old result is computed again, to the byte, from its hash and its day", "instruments"),
    ("every programme has exactly one outcome, and it follows from its criteria", "places"),
    ("durable_rules and the reference determine the same, to the last word", "places"),
    ("the order of facts and assessments never counts, and asking changes nothing that was given", "places"),
    ("a fact more never changes what was decided; what was unknown changes only by a fact it asked for", "places"),
    ("every missing fact can decide the outcome", "places"),
    ("an old determination is made again, to the byte, from its hash and its days", "places"),
    ("texts that became known later do not touch what was known then", "places"),
)

INTRODUCTION = """\
# What is known about the rules

*This page is written by `python -m yyassess.assurance.report --write`. Do not edit it by hand.*

`yyassess check [RULES]` (or `from yyassess import check`) looks for contradictions in a rulebook, ours or a city's own. What
is symbolic is proved with Z3 over the same condition tree that every evaluator reads; what is finite is tried out; the rest
is sampled. A finding names its file and line and comes with a *witness*: a person or an answer sheet that shows the fault
when it is given to the command printed with it. Every witness is decided again by the reference evaluator before it is
reported, so that a mistake in a proof cannot become a false alarm.

Exit code 0: no errors; 1: errors; 2: the rules cannot be read (the faults then go to stderr, each with a code).
A finding that is meant is marked in the programme's file, with the reason, and is then shown as a note:

```yaml
intended:
  - code: worse-grade-loses
    of: gbt_grade          # optional: the criterion, benefit, fact or programme meant
    reason: {zh: 预防项目只给能力完好的老人, en: "Prevention, for people whose ability is intact"}
```
"""

TESTING = """\
## Testing your own rules

`yyassess.testing` holds strategies for [hypothesis](https://hypothesis.readthedocs.io):

| strategy | draws |
|---|---|
| `answers(instrument)` | an answer sheet; `missing=True` leaves answers out |
| `contexts(instrument)` | the facts an instrument reads beside its items |
| `requests(instrument)` | a whole request for `assess` |
| `cases(place, on=…)` | a person as the programmes of a place see them, at and beside every threshold; `known=True` leaves nothing unknown |
| `rulesets()` | a random ruleset over a small vocabulary, to hold two evaluators against each other |

All take `rules=` for a rulebook of your own. Counterexamples shrink to the facts that matter and the best answers:

```python
from hypothesis import given
from yyassess import Rulebook, determine
from yyassess.testing import cases

RULES = Rulebook.load("our-rules")


@given(cases("our-city", on="2026-11-22", rules=RULES))
def test_nobody_gets_the_allowance_twice(case):
    outcomes = determine(case, place="our-city", on="2026-11-22", rules=RULES)["outcomes"]
    granted = [o["programme"] for o in outcomes if o["status"] == "eligible" and "dropped_for" not in o]
    assert not {"allowance", "old-allowance"} <= set(granted)
```

## Evaluators

`tests/assurance/evaluators.py` is a table of every evaluator of the library: the reference, durable_rules, Z3, SQL on DuckDB,
the same SQL as polars columns, and the phone's own in JavaScript. One test gives all of them the same random rulesets and
people, unknown facts included: 21,280 people under 152 rulesets in the profile `ci`, 1,000,000 under 5,000 in `deep`
(`HYPOTHESIS_PROFILE=deep pytest tests/assurance/test_all_evaluators_agree.py`). All must give every criterion and every
programme the same answer. Another evaluator is one more line in that table.
"""


def page(report: Report, book: Rulebook, on: dt.date) -> str:
    """The whole page: what the check of a day says, and what was measured last."""
    parts = (_counts(report, book, on), _notes(report), [TESTING], _mutation(_kept(MEASURED), _kept(REASONS)), _codes())
    return "\n".join([INTRODUCTION, *(line for part in parts for line in part)])


def page_day(book: Rulebook) -> dt.date:
    """The day that the page is about: as it says, or that of the newest document."""
    found = re.search(r"^## .*(\d{4}-\d\d-\d\d)$", PAGE.read_text(encoding="utf-8"), re.M) if PAGE.is_file() else None
    return dt.date.fromisoformat(found[1]) if found else newest_document(book)


def _kept(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _counts(report: Report, book: Rulebook, on: dt.date) -> Iterator[str]:
    programmes = sum(len(p) for p in book.programmes.values())
    yield f"## What holds for the shipped rules on {on.isoformat()}\n"
    yield (
        f"{len(book.instruments)} instruments, {len(book.pathways)} pathway, {programmes} programmes in "
        f"{len(book.places)} places, {len(book.facts)} facts."
    )
    number = Counter(f.severity for f in report.findings)
    yield f"Findings: {number['error']} errors, {number['warning']} warnings, {number['note']} notes.\n"
    for how, (title, words) in HOW.items():
        claims = report.looked[how]  # type: ignore[index]
        yield f"### {title}\n\n{words}\n"
        yield "| claim | number | of |\n|---|---:|---:|"
        for claim, things in sorted(claims.items()):
            if things:
                yield f"| {CLAIMS[claim]['en']} | {sum(things.values())} | {len(things)} |"
        yield ""
    yield "### Held by tests\n"
    yield (
        "`tests/property` tries these on random sheets and people, at and beside every threshold, in every run; in the "
        "profile `deep` on thirty times as many.\n"
    )
    yield "| claim | over |\n|---|---|"
    graded = [it for it in book.instruments.values() if it.grade]
    over = {
        "instruments": f"{len(book.instruments)} instruments",
        "graded": f"{len(graded)} instruments with a grade",
        "monotone": f"{sum(it.monotone for it in graded)} monotone instruments",
        "places": f"{len(book.places)} places",
    }
    yield from (f"| {claim} | {over[what]} |" for claim, what in HELD)
    yield ""


def _notes(report: Report) -> Iterator[str]:
    yield "### Findings that stand\n"
    meant = [f for f in report.findings if f.intended]
    open_ones = [f for f in report.findings if not f.intended]
    if meant:
        # Not their sentences: the figures in them are those of whatever witness the solver found this time.
        yield "Marked in the rules as meant:\n\n| in | finding | about | reason |\n|---|---|---|---|"
        rows = {(f.of, f.code, ", ".join(f.parts), f.intended["en"]) for f in meant if f.intended}
        yield from (f"| {of} | `{code}` | {parts} | {reason} |" for of, code, parts, reason in sorted(rows))
        yield ""
    if open_ones:
        yield "Not marked:\n\n| severity | file | finding |\n|---|---|---|"
        for finding in open_ones:
            yield f"| {finding.severity} | {finding.file}:{finding.line} | {finding.of}: {finding.say['en']} |"
        yield ""


def _mutation(measured: dict[str, Any], reasons: dict[str, str]) -> Iterator[str]:
    yield "## Mutants\n"
    yield (
        "A mutant is a deliberate fault: a cut point moved by one, a criterion dropped, two cells swapped, `>=` written as `>`. "
        "It is killed when reading the rules, a worked example or the check notices it. A mutant that Z3 proves to change "
        "nothing for anybody is equivalent and does not count.\n"
    )
    rules = measured.get("rules")
    if rules:
        yield f"### Rule files (`scripts/mutate_rules.py`, measured {rules['measured']})\n"
        yield "| faults | mutants | reading | examples | check | equivalent | survived | killed |\n|---|---:|---:|---:|---:|---:|---:|---:|"
        names = {"decisive": "in a grade, an eligibility, an amount or a period", "beside": "in plans, hints, advice"}
        for kind, words in names.items():
            row = rules[kind]
            cells = [row[k] for k in ("mutants", "reading", "examples", "check", "equivalent", "survived")]
            share = f"{row['killed_share']:.1%}" if row["killed_share"] is not None else "-"
            yield f"| {words} | {' | '.join(map(str, cells))} | {share} |"
        yield ""
        yield from _survivors(rules)
    code = measured.get("code")
    if code:
        yield from _code(code, reasons)
    if not rules and not code:
        yield "Not measured yet.\n"


def _code(code: dict[str, Any], reasons: dict[str, str]) -> Iterator[str]:
    yield "### Code (`scripts/mutate_code.py`)\n"
    yield (
        "One operator, constant, branch, result or call changed at a time, in the packages that decide. Killed by a worked "
        "example beside the rules, by a test that reaches the line, or because it never ends.\n"
    )
    yield "| package | there are | tried at random | examples | tests | never end | survived | killed | measured |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---|"
    for package, row in sorted(code.items()):
        by = row["by"]
        ended = sum(n for how, n in by.items() if how not in ("examples", "tests"))
        cells = [
            row["there"],
            row["tried"],
            by.get("examples", 0),
            by.get("tests", 0),
            ended,
            row["tried"] - row["killed"],
        ]
        share = f"{row['killed'] / row['tried']:.1%}" if row["tried"] else "-"
        yield f"| `{package}` | {' | '.join(map(str, cells))} | {share} | {row['measured']} |"
    yield ""
    left = [s for _, row in sorted(code.items()) for s in row["survivors"]]
    if left:
        yield "Survivors, and why each is let live:\n\n| where | change | why |\n|---|---|---|"
        for one in left:
            why = reasons.get(f"{one['file']}: {one['what']}", "no test tells it yet")
            what = one["what"].replace("|", "\\|")
            yield f"| {one['file'].removeprefix('yyassess/')}:{one['line']} | `{what}` | {why} |"
        yield ""


def _survivors(rules: dict[str, Any]) -> Iterator[str]:
    left = [s for s in rules.get("survivors", ()) if s["decisive"]]
    if not left:
        yield "No fault in a grade, an eligibility, an amount or a period survives.\n"
        return
    if len(left) <= MOST_NAMED:
        yield "Faults that decide something and survive:\n\n| fault | why |\n|---|---|"
        for one in left:
            fault = one["mutant"].replace("|", "\\|")
            yield f"| {fault} | {one.get('why', 'an example at the threshold would kill it')} |"
    else:
        by_file = Counter(s["mutant"].split(":")[0] for s in left)
        yield "Faults that decide something and survive, by file (an example at the threshold would kill each):\n"
        yield "| file | survivors |\n|---|---:|"
        yield from (f"| {file} | {number} |" for file, number in sorted(by_file.items()))
    yield ""


def _codes() -> Iterator[str]:
    yield "## Finding codes\n\n| code | severity | sentence |\n|---|---|---|"
    for code, known in CODES.items():
        words = known.en.replace("|", "\\|").replace("!r}", "}")
        yield f"| `{code}` | {known.severity} | {words} |"
    yield "\nRules that cannot be read (exit code 2): " + ", ".join(f"`{code}`" for code, _ in FAULTS) + ".\n"


def main() -> None:
    """The command."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="write docs/assurance.md")
    options.add_argument("--on", type=dt.date.fromisoformat)
    given = options.parse_args()
    book = Rulebook.load()
    on = given.on or page_day(book)
    text = page(check(book, on=on), book, on)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
