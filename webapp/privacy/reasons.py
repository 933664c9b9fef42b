"""Why somebody looked at, took out or deleted personal data: chosen from lists, so that the audit log holds no free text."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

#: Why an identity number is shown in full.
REVEAL: dict[str, Any] = {
    "card": _l("To compare it with the identity card"),
    "authority": _l("An office or the insurer asks for it"),
    "mix_up": _l("To sort out a mix-up of two people"),
    "asked": _l("The person or the family asks"),
}
#: Why records are taken out.
EXPORT: dict[str, Any] = {
    "statistics": _l("Statistics and planning"),
    "quality": _l("To check the quality of assessments"),
    "settlement": _l("Settlement with the insurer or the office"),
    "handover": _l("Handing over to the authority"),
    "move": _l("Moving to another system"),
}
#: These need to know who it is; the others get names and numbers masked.
FULL = frozenset({"settlement", "handover", "move"})
#: Why one person's data are handed out.
ACCESS: dict[str, Any] = {
    "person": _l("The person asks"),
    "guardian": _l("The guardian or representative asks"),
    "court": _l("A court or an authority orders it"),
}
#: Why one person's data are erased.
ERASE: dict[str, Any] = {
    "consent": _l("The person or the guardian takes the consent back"),
    "mistake": _l("Recorded by mistake, or twice"),
    "order": _l("A court or an authority orders it"),
}
#: Why a draft is deleted.
DRAFT: dict[str, Any] = {
    "mistake": _l("Started by mistake, or twice"),
    "refused": _l("The person does not want the assessment"),
    "gone": _l("The visit will not take place"),
}
