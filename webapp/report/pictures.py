"""The geometry of the two pictures of a result: the grade bar and the radar. Templates draw them as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Words = Mapping[str, str]

BAR_WIDTH, BAR_GAP = 340.0, 6.0
RADAR_SIZE, RADAR_RADIUS = 300.0, 104.0
#: A radar with fewer axes is a line.
FEWEST_AXES = 3


@dataclass(frozen=True)
class Segment:
    """One grade of the bar."""

    level: int
    name: Words
    x: float
    width: float
    tone: int
    """Colour step from 0 (mildest) to 5 (gravest)."""
    here: bool
    possible: bool

    @property
    def middle(self) -> float:
        """Where its number stands."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Axis:
    """One dimension of the radar."""

    number: int
    name: Words
    score: float
    highest: float
    share: float
    x: float
    y: float
    end_x: float
    end_y: float
    label_x: float
    label_y: float


def grade_bar(
    levels: Sequence[tuple[int, Words]], level: int | None, bounds: Mapping[str, int] | None
) -> list[Segment]:
    """The grades from mildest to gravest; with ``bounds``, those still possible."""
    if not levels:
        return []
    width = (BAR_WIDTH - BAR_GAP * (len(levels) - 1)) / len(levels)
    low, high = (min(bounds.values()), max(bounds.values())) if bounds else (None, None)
    return [
        Segment(
            level=number,
            name=name,
            x=round(place * (width + BAR_GAP), 1),
            width=round(width, 1),
            tone=round(5 * place / max(len(levels) - 1, 1)),
            here=number == level,
            possible=low is not None and high is not None and low <= number <= high,
        )
        for place, (number, name) in enumerate(levels)
    ]


def radar(dimensions: Sequence[tuple[Words, float | None, float | None]]) -> list[Axis]:
    """One axis a dimension, clockwise from the top; empty when a score is missing or there are too few."""
    known = [(name, score, highest) for name, score, highest in dimensions if score is not None and highest]
    if len(known) < FEWEST_AXES or len(known) != len(dimensions):
        return []
    axes = []
    for place, (name, score, highest) in enumerate(known):
        assert score is not None and highest is not None
        share = min(max(score / highest, 0), 1)
        angle = 2 * math.pi * place / len(known) - math.pi / 2
        across, down = math.cos(angle), math.sin(angle)
        axes.append(
            Axis(
                number=place + 1,
                name=name,
                score=score,
                highest=highest,
                share=share,
                x=_at(across, share),
                y=_at(down, share),
                end_x=_at(across, 1),
                end_y=_at(down, 1),
                label_x=_at(across, 1.24),
                label_y=_at(down, 1.24),
            )
        )
    return axes


def ring(count: int, share: float) -> str:
    """The points of a grid line of the radar."""
    angles = [2 * math.pi * place / count - math.pi / 2 for place in range(count)]
    return " ".join(f"{_at(math.cos(a), share)},{_at(math.sin(a), share)}" for a in angles)


def _at(direction: float, share: float) -> float:
    return round(RADAR_SIZE / 2 + direction * share * RADAR_RADIUS, 1)


#: The field signatures are drawn on.
SIGNATURE_WIDTH, SIGNATURE_HEIGHT = 1000, 400


def signature_paths(drawing: Mapping[str, Any]) -> list[str]:
    """The strokes of a drawn signature as SVG path data; a tap without a line becomes a dot.

    Args:
        drawing: ``{"strokes": [[[x, y], …], …]}`` on a field of 1000 by 400; anything else has no paths.
    """
    paths = []
    for stroke in drawing.get("strokes") or ():
        points = [_on_field(point) for point in stroke]
        if points:
            start, rest = points[0], points[1:] or points
            paths.append(f"M{start}L{' '.join(rest)}")
    return paths


def _on_field(point: Sequence[float]) -> str:
    x = min(max(float(point[0]), 0), SIGNATURE_WIDTH)
    y = min(max(float(point[1]), 0), SIGNATURE_HEIGHT)
    return f"{x:g},{y:g}"
