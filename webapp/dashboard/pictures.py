"""The geometry of a bar chart: a line of words, under it the bar with its number behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 340.0
ROW, THICK = 58.0, 22.0
WORDS, NUMBER = 26.0, 44.0
#: So many letters of a label fit in a line; a Chinese character takes the room of two.
LETTERS = 36


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    label: str
    """In full, for the table."""
    short: str
    """As much of it as fits."""
    count: int
    y: float
    width: float

    @property
    def middle(self) -> float:
        """Where its number stands."""
        return self.y + THICK / 2

    @property
    def words(self) -> float:
        """Where its words stand, above it."""
        return self.y - WORDS + 20


@dataclass(frozen=True)
class Chart:
    """A bar chart with its numbers."""

    bars: tuple[Bar, ...]

    @property
    def height(self) -> float:
        """Of the drawing."""
        return ROW * len(self.bars)

    @property
    def total(self) -> int:
        """Of all bars."""
        return sum(bar.count for bar in self.bars)


def chart(counts: Sequence[tuple[str, int]]) -> Chart:
    """Bars in the order given, the longest as long as there is room; a count of nothing has no length."""
    most = max((count for _label, count in counts), default=0) or 1
    room = WIDTH - NUMBER
    return Chart(
        tuple(
            Bar(label, shortened(label), count, round(place * ROW + WORDS, 1), round(room * count / most, 1))
            for place, (label, count) in enumerate(counts)
        )
    )


def shortened(label: str, letters: int = LETTERS) -> str:
    """As much of a label as fits, with a mark where it was cut."""
    used = 0
    for place, letter in enumerate(label):
        used += 2 if ord(letter) > 0x2E7F else 1
        if used > letters:
            return label[: max(place - 1, 1)] + "…"
    return label
