"""What is read out before somebody consents. A version that was ever used stays here unchanged; a new text is a new version."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, str]

CURRENT = "2026-11"
#: Version -> kind of consent -> text.
WORDINGS: Mapping[str, Mapping[str, Words]] = {
    "2026-11": {
        "assessment": {
            "zh": (
                "我们要了解您的身体和生活情况，按国家的标准评一个等级，看您能申请哪些帮助。"
                "会记下您的姓名、证件号码和健康情况，只由本机构和审核人员使用。您可以不同意，也可以以后收回同意。"
            ),
            "en": (
                "We would like to learn how you are and how you manage, grade it by the national standard, and see which "
                "help you may apply for. Your name, identity number and health data are written down and used by this "
                "organisation and its reviewers only. You may refuse, and you may take your consent back later."
            ),
        },
        "insurer": {
            "zh": "您申请长期护理保险时，我们把评估结果交给医保经办机构。不同意也能评估，只是不能由我们代交。",
            "en": (
                "When you apply for long-term care insurance, we pass the result on to the insurer. You can be assessed "
                "without agreeing to this; we then cannot pass it on for you."
            ),
        },
        "photo": {
            "zh": "为留存评估过程，可能拍几张现场照片，不拍证件。不同意就不拍，不影响评估。",
            "en": (
                "A few photographs may be taken to show how the assessment was made, never of identity papers. Without "
                "your consent none is taken; the assessment is the same."
            ),
        },
        "position": {
            "zh": "为说明评估在哪里进行，可能记下当时的位置。不同意就不记，不影响评估。",
            "en": (
                "The position may be recorded to show where the assessment was made. Without your consent it is not; the "
                "assessment is the same."
            ),
        },
    }
}


def wording(version: str, kind: str) -> Words | None:
    """The text of a consent, in the version that was read out then."""
    return WORDINGS.get(version, {}).get(kind)
