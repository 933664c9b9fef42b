"""Input that cannot be assessed: every fault at once, each with its place, what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from yyassess.rulebook.basics import Text


class InputError(ValueError):
    """Bad input; ``errors`` is the list of the public contract: where, given, allowed, say."""

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{e['where']}: {e['say']['en']}" for e in self.errors))


class Faults:
    """Collects faults, then raises them together."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []

    def add(self, where: str, given: Any, allowed: Any, zh: str, en: str) -> None:
        """Note one fault; very long input is shown shortened."""
        self.errors.append({"where": where, "given": shown(given), "allowed": allowed, "say": Text(zh=zh, en=en)})

    def raise_if_any(self) -> None:
        """Raise `InputError` when something was noted."""
        if self.errors:
            raise InputError(self.errors)

    def unknown_keys(self, given: Any, allowed: Sequence[str], where: str = "") -> None:
        """Note each key that is not allowed, with the nearest one that is."""
        from difflib import get_close_matches

        for key in given:
            if key not in allowed:
                near = get_close_matches(str(key), allowed, n=1, cutoff=0.6)
                hint_zh, hint_en = (f"，是否为 {near[0]}？", f"; did you mean {near[0]!r}?") if near else ("", "")
                self.add(
                    f"{where}.{key}" if where else str(key),
                    key,
                    list(allowed),
                    f"不认识的键 {str(key)[:80]}{hint_zh}",
                    f"unknown key {str(key)[:80]!r}{hint_en}",
                )


def shown(given: Any) -> Any:
    """A given value fit for a message: JSON types, shortened."""
    if isinstance(given, Decimal):
        return str(given)
    if isinstance(given, float) and given != given:
        return "NaN"
    if given in (float("inf"), float("-inf")):
        return str(given)
    if isinstance(given, int) and given.bit_length() > 60:
        return f"{'-' if given < 0 else ''}{abs(given) >> (given.bit_length() - 60)}… (a number of {given.bit_length()} bits)"
    if isinstance(given, (bool, int, float)) or given is None:
        return given
    text = given if isinstance(given, str) else repr(given)
    return text if len(text) <= 120 else text[:117] + "…"
