"""Reading the rules to be checked: a whole rulebook, or a city's own folder on top of the shipped rules."""

from __future__ import annotations

import re
from pathlib import Path

from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.loading import RulebookError, RuleError

#: What is wrong with rules that cannot be read, by the words of the message; the first that fits.
FAULTS: tuple[tuple[str, str], ...] = (
    ("cycle", r"in a ring|within itself"),
    ("name-missing", r"lacks its (zh|en) wording|in both languages"),
    ("document-unknown", r"unknown document"),
    ("fact-unknown", r"unknown fact"),
    ("code-unknown", r"unknown code"),
    ("programme-unknown", r"unknown programme|which is not a programme"),
    ("place-unknown", r"unknown place|which is not a place|folder of a place"),
    ("name-unknown", r"unknown (instrument|step|item|dimension|ladder|setting)"),
    ("key-unknown", r"unknown key"),
    ("cuts-out-of-order", r"cut points must rise"),
    ("amounts-out-of-order", r"in the order of their days"),
    ("recall-without-confidence", r"confidence \(high or mid\)"),
    ("period-upside-down", r"before it starts"),
    ("level-not-listed", r"not one of the levels"),
    ("defined-twice", r"already defined|defined twice"),
    ("written-twice", r"written twice"),
    ("type-mismatch", r"cannot be compared|stands alone|needs numbers|must be a number|has no order"),
    ("figure-without-evidence", r"unknown evidence stays out|go together"),
    ("condition-unreadable", r"as a condition|not a condition|not a value|exactly one expression|allowed: comparisons"),
    ("no-last-line", r"last line of ordered rules|only the last line"),
    ("table-ragged", r"rows of a matrix"),
    ("not-yaml", r"not YAML|not UTF-8|anchors and aliases|nested deeper"),
)


def fault_code(error: RuleError) -> str:
    """The finding code of a fault that keeps rules from being read."""
    if error.message.startswith("is missing"):
        return "figure-without-evidence" if error.field.rsplit(".", 1)[-1] == "evidence" else "key-missing"
    return next((code for code, words in FAULTS if re.search(words, error.message)), "unreadable")


def read_rules(folder: Path | None, further: tuple[Path, ...] = ()) -> Rulebook:
    """The rulebook to check: the shipped rules, a whole rulebook of its own, or a folder on top of the shipped rules.

    A folder that can stand alone is read alone; else it is read on top. A copy of the shipped rules with a fault in
    it can do neither: then it is the copy's own faults that count.

    Raises:
        RulebookError: the rules cannot be read.
    """
    if folder is None:
        return Rulebook.load(*further)
    try:
        return Rulebook.load(folder, *further, shipped=False)
    except RulebookError as alone:
        try:
            return Rulebook.load(*further, folder)
        except RulebookError as on_top:
            again = any(fault_code(e) == "defined-twice" for e in on_top.errors)
            raise (alone if again else on_top) from None
