"""Notes to items, and "could not be assessed" with a reason: read from a posted page, shown under each question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.storage import Assessment
from webapp.visits.casework import cannot_reason
from webapp.visits.questions import TEXT_LIMIT, Words
from webapp.visits.reasons import CANNOT, OTHER

TOO_LONG = {"zh": f"备注最多 {TEXT_LIMIT} 字", "en": f"A note has at most {TEXT_LIMIT} characters"}
NOT_A_REASON = {"zh": "请从列出的原因中选一项", "en": "Choose one of the reasons listed"}
NEEDS_WORDS = {"zh": "选了“其他”，请在备注里写明原因", "en": "For “other”, write the reason in the note"}
BOTH = {
    "zh": "这一题既选了答案，又选了“无法评估”，请只留一个",
    "en": "This item has both an answer and a reason why it could not be assessed: keep only one",
}


@dataclass(frozen=True)
class Remark:
    """What stands folded under a question."""

    item: str
    note: str
    cannot: str
    """The chosen reason's code, or nothing."""
    error: Words | None = None
    last: Words | None = None
    """What was answered last time, shown only when somebody opens it."""
    last_score: str | None = None

    @property
    def open(self) -> bool:
        """Something is in it."""
        return bool(self.note or self.cannot or self.error)


class BadRemark(ValueError):
    """A remark that cannot be kept; ``say`` tells why."""

    def __init__(self, say: Words) -> None:
        self.say = say
        super().__init__(say["en"])


def note_field(item: str) -> str:
    """The form field of an item's note."""
    return f"note.{item}"


def cannot_field(item: str) -> str:
    """The form field of the reason why an item could not be assessed."""
    return f"cannot.{item}"


def stored_remark(assessment: Assessment, item: str) -> dict[str, str]:
    """Note and reason as the page shows them; a reason gives way to an answer."""
    remark = {"note": assessment.remarks.get(item, {}).get("note", "")}
    return {**remark, "cannot": cannot_reason(assessment, item) or ""}


def read_remark(form: Mapping[str, str], item: str, stored: Mapping[str, str]) -> dict[str, str]:
    """Note and reason as posted; what was not posted stays as it is stored.

    Raises:
        BadRemark: a note too long, a reason not in the list, or "other" without words.
    """
    note = form.get(note_field(item))
    text = stored["note"] if note is None else note.replace("\r\n", "\n").strip()
    reason = form.get(cannot_field(item), stored["cannot"])
    if len(text) > TEXT_LIMIT:
        raise BadRemark(TOO_LONG)
    if reason and reason not in CANNOT and reason != stored["cannot"]:
        raise BadRemark(NOT_A_REASON)
    if reason == OTHER and not text:
        raise BadRemark(NEEDS_WORDS)
    return {"note": text, "cannot": reason}
