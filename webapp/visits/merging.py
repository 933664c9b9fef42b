"""Two phones in one draft: a page never overwrites what somebody else answered after it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from webapp.storage import Visit

Words = Mapping[str, str]

NOTHING: Words = {"zh": "空", "en": "nothing"}
OWN_LIMIT, SPAN = 100, 20


class Overtaken(ValueError):
    """Somebody changed the answer after the page was made, and this page wants another one still."""


@dataclass(frozen=True)
class Base:
    """What a posted page says about itself."""

    version: int | None
    """The visit's version when it was made; none when it does not say, and then nothing is checked."""
    own: frozenset[int] = frozenset()
    """Versions that this very phone wrote since."""

    @classmethod
    def posted(cls, form: Mapping[str, str]) -> Base:
        """Read from the form's hidden fields; what cannot be read checks nothing."""
        try:
            version = int(form.get("version", ""))
        except ValueError:
            return cls(None)
        return cls(version, _versions(form.get("own", "")))

    def settle(self, visit: Visit, key: str, posted: list[str], stored: list[str]) -> bool:
        """Whether a posted answer is to be written.

        Args:
            visit: as stored now.
            key: the answer's name in `Visit.changed`.
            posted: what the page sent.
            stored: what the page would have to send for what is stored now.

        Raises:
            Overtaken: somebody changed it since; what is stored stays.
        """
        if posted == stored:
            return False
        changed_at = visit.changed.get(key, 0)
        if self.version is None or changed_at <= self.version or changed_at in self.own:
            return True
        raise Overtaken(key)


class Theirs(dict[str, str]):
    """Said at a question that somebody else has answered meanwhile; the page then shows what is stored."""


def theirs(stored: Words | None, posted: Words | None) -> Theirs:
    """Both answers: what somebody else chose, which stays, and what this page had."""
    kept, had = stored or NOTHING, posted or NOTHING
    return Theirs(
        zh=f"打开本页之后，别处把这一题改成了“{kept['zh']}”，已保留；本页是“{had['zh']}”。要用本页的，请重新选一次再保存。",
        en=f"After this page was opened, somebody else set this to “{kept['en']}”, and that was kept; this page had "
        f"“{had['en']}”. To use that, choose it again and save.",
    )


def _versions(text: str) -> frozenset[int]:
    try:
        spans = json.loads(text or "[]")
        found = [range(int(first), min(int(last), int(first) + SPAN) + 1) for first, last in spans[-OWN_LIMIT:]]
    except (ValueError, TypeError, RecursionError):
        return frozenset()
    return frozenset(version for span in found for version in span)
