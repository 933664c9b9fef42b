"""Adds to rules/coverage.yaml a row for every programme that has none; a person then sets the day of checking.

Usage: python scripts/coverage.py CHECKED-ON (a day, YYYY-MM-DD)
"""

from __future__ import annotations

import sys
from pathlib import Path

from yyassess import Rulebook

FILE = Path(__file__).resolve().parents[1] / "rules" / "coverage.yaml"
HEAD = """# The registry: every programme of every place, the row of the source documents it answers, and when it was last checked
# against its source. What is encoded, on what evidence and what is still unknown is read from the rules: `yyassess coverage`.
coverage:
"""


def main(checked: str) -> None:
    """Append the missing rows, place by place."""
    book = Rulebook.load()
    known = {(row.place, row.programme) for row in book.coverage}
    text = FILE.read_text(encoding="utf-8") if FILE.exists() else HEAD
    for place in sorted(book.programmes, key=lambda p: book.places[p].code):
        for id in sorted(book.programmes[place]):
            if (place, id) in known:
                continue
            source = book.programmes[place][id].texts[0].source
            where = f"{source.document}{' ' + source.clause if source.clause else ''}"
            text += f'  - {{place: {place}, programme: {id}, row: "{where}", checked: {checked}}}\n'
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
