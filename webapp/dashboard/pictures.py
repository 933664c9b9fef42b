"""The geometry of a bar chart: one bar a line, with its words before it and its number behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 340.0
ROW, THICK = 34.0, 22.0
LABEL, NUMBER = 140.0, 44.0
#: So many letters of a label fit before its bar; a Chinese character takes the room of two.
LETTERS = 15


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
        """Where its words stand."""
        return self.y + THICK / 2


@dataclass(frozen=True)
class Chart:
    """A bar chart with its numbers."""

    bars: tuple[Bar, ...]

    @property
    def start(self) -> float:
        """Where the bars begin."""
        return LABEL

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
    room = WIDTH - LABEL - NUMBER
    return Chart(
        tuple(
            Bar(
                label, shortened(label), count, round(place * ROW + (ROW - THICK) / 2, 1), round(room * count / most, 1)
            )
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
