"""Writes ``docs/assurance.md``: what is proved, enumerated and sampled about the shipped rules, with the counts.

    python -m yyassess.assurance.report            print it
    python -m yyassess.assurance.report --write    write it to docs/assurance.md

The shares of killed mutants are measured by ``scripts/mutate_rules.py`` and ``scripts/mutate_code.py``, which take
longer; the page repeats what they wrote last.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yyassess.assurance.checker import Report, check
from yyassess.assurance.claims import CLAIMS
from yyassess.assurance.codes import CODES
from yyassess.assurance.reading import FAULTS
from yyassess.rulebook.book import Rulebook

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "assurance.md"
#: Written by the two scripts.
MEASURED = TOP / "tests" / "assurance" / "measured.json"

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

`tests/assurance/evaluators.py` is a table of every evaluator of the library: the reference, durable_rules, SQL on DuckDB, the
same SQL as polars columns, and Z3. One test gives all of them the same random rulesets and people, unknown facts included:
21,000 people under 150 rulesets in the profile `ci`, a million under 5,000 in `deep` (`HYPOTHESIS_PROFILE=deep`). All must
give every criterion and every programme the same answer. Another evaluator is one more line in that table.
"""


def page(report: Report, book: Rulebook, on: dt.date, measured: dict[str, Any]) -> str:
    """The whole page."""
    return "\n".join(
        [INTRODUCTION, *_counts(report, book, on), *_notes(report), TESTING, *_mutation(measured), *_codes()]
    )


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
            yield f"| {CLAIMS[claim]['en']} | {sum(things.values())} | {len(things)} |"
        yield ""


def _notes(report: Report) -> Iterator[str]:
    yield "### Findings that stand\n"
    meant = [f for f in report.findings if f.intended]
    open_ones = [f for f in report.findings if not f.intended]
    if meant:
        yield "Marked in the rules as meant:\n\n| programme | finding | reason |\n|---|---|---|"
        for finding in meant:
            yield f"| {finding.of} | {finding.say['en']} | {finding.intended['en'] if finding.intended else ''} |"
        yield ""
    if open_ones:
        yield "Not marked:\n\n| severity | file | finding |\n|---|---|---|"
        for finding in open_ones:
            yield f"| {finding.severity} | {finding.file}:{finding.line} | {finding.of}: {finding.say['en']} |"
        yield ""


def _mutation(measured: dict[str, Any]) -> Iterator[str]:
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
        yield f"### Code (`scripts/mutate_code.py`, measured {code['measured']})\n"
        yield code["words"] + "\n"
        yield "| package | mutants tried | killed | share |\n|---|---:|---:|---:|"
        for package, row in code["packages"].items():
            yield f"| `{package}` | {row['mutants']} | {row['killed']} | {row['killed'] / max(row['mutants'], 1):.1%} |"
        yield ""
        if code.get("explained"):
            yield "Survivors:\n"
            yield from (f"- {line}" for line in code["explained"])
            yield ""
    if not rules and not code:
        yield "Not measured yet.\n"


def _survivors(rules: dict[str, Any]) -> Iterator[str]:
    left = [s for s in rules.get("survivors", ()) if s["decisive"]]
    if not left:
        yield "No fault in a grade, an eligibility, an amount or a period survives.\n"
        return
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
    options.add_argument("--on", type=dt.date.fromisoformat, default=dt.date.today())
    given = options.parse_args()
    book = Rulebook.load()
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
    text = page(check(book, on=given.on), book, given.on, measured)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
