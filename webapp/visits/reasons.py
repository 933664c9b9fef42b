"""Why an item could not be assessed, and why a signature no longer stands: short lists of codes with their words."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

#: Reasons that stand for themselves; `OTHER` needs words.
OTHER = "other"
CANNOT: Mapping[str, Mapping[str, str]] = {
    "refused": {"zh": "本人或家属不愿意", "en": "The person or the family declined"},
    "unwell": {"zh": "身体情况暂不允许", "en": "The person's condition does not allow it now"},
    "no_contact": {
        "zh": "听不懂、说不清，又没有人能代为说明",
        "en": "No way to communicate, and nobody who could tell",
    },
    "not_seen": {"zh": "现场看不到，也问不到", "en": "Could neither be seen nor asked on the spot"},
    "no_means": {"zh": "缺少场地或用具", "en": "Room or equipment was lacking"},
    OTHER: {"zh": "其他（请在备注里写明）", "en": "Other (say which in the note)"},
}
#: What voided a signature, as stored -> said.
VOIDED = {
    "answers": _l("an answer was changed"),
    "facts": _l("an entry beside the items was changed"),
    "settings": _l("a choice was changed"),
    "remarks": _l("a note to an item was changed"),
    "note": _l("the note was changed"),
    "person": _l("the person's data, the place or the day were changed"),
    "instruments": _l("the choice of instruments was changed"),
    "reopened": _l("taken back for editing"),
    "returned": _l("returned by the reviewer"),
    "reassigned": _l("given to another assessor"),
    "handed_over": _l("handed over to a colleague"),
    "second": _l("the second assessor was changed"),
    "rules": _l("the rules were updated in between"),
}


def cannot_words(code: str) -> Mapping[str, str]:
    """A reason in words; a code that is no longer in the list stands for itself."""
    return CANNOT.get(code, {"zh": code, "en": code})
