#!/usr/bin/env bash
# Brings the page texts' catalogues up to date: new messages in, old ones out, everything compiled; lists what lacks a
# translation. The message ids are English; webapp/translations/zh_Hans is the language most people see, and the one that
# is edited: zh_Hant is made from it with OpenCC and the corrections of webapp/i18n.py (characters only, the wording stays).
# Safe to run again: without a change of texts, no file changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec .venv/bin/python - "$@" <<'PYTHON'
import datetime as dt
import importlib.util
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from webapp.i18n import traditional

if importlib.util.find_spec("opencc") is None:
    sys.exit("The traditional characters are written with OpenCC. Type: .venv/bin/pip install opencc")

HEADER = "# Texts of the phone form. Written by scripts/translations.sh; the translations are edited here."
KEYWORDS = {"_": None, "gettext": None, "_l": None, "lazy_gettext": None}
# A fixed day: a file changes when its texts do, not when this is run.
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
WHO = "The yyassess authors"
folder = Path("webapp/translations")
with open("babel.cfg") as file:
    methods, options = parse_mapping_cfg(file)

template = Catalog()
for name, _, message, _, context in extract_from_dir("webapp", methods, options, keywords=KEYWORDS):
    # File names without lines: else every edit of a page would change the catalogues.
    template.add(message, None, [(f"webapp/{name}", None)], context=context)

lacking = 0
simplified: dict[str, str] = {}
# Simplified before traditional, which is made from it.
for language in ("zh_Hans", "zh_Hant", "en"):
    path = folder / language / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    old = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=language)
    new = Catalog(
        locale=language,
        project="yyassess",
        version="1",
        fuzzy=False,
        header_comment=HEADER,
        creation_date=DAY,
        revision_date=DAY,
        last_translator=WHO,
        language_team=WHO,
        msgid_bugs_address="",
    )
    for message in sorted((m for m in template if m.id), key=lambda m: (sorted(m.locations)[0], m.id)):
        kept = old.get(message.id, message.context)
        if language == "en":
            text = message.id
        elif language == "zh_Hant":
            text = traditional(simplified[message.id])
        else:
            text = simplified[message.id] = kept.string if kept and not kept.fuzzy else ""
        new.add(message.id, text, sorted(set(message.locations)), context=message.context)
        if not text:
            lacking += 1
            print(f"{path}: no translation of {message.id!r}")
    with path.open("wb") as file:
        write_po(file, new, width=0)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, new)
sys.exit(bool(lacking))
PYTHON
