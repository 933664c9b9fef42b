"""Posted signatures: strokes on a field of fixed size, or a typed name. What is no signature is refused."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

#: The field's size in its own units; the screen scales it, so that turning the phone changes nothing.
WIDTH, HEIGHT = 1000, 400
STROKES_LIMIT, POINTS_LIMIT = 300, 6000
#: Less ink than this is a dot or a slip of the finger, not a name.
LEAST_INK = 150
#: And it must reach this far in one direction.
LEAST_REACH = 60

Stroke = list[list[int]]


class NoSignature(ValueError):
    """What was posted is no signature; ``why`` is ``empty``, ``dot``, ``format`` or ``long``."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def read_strokes(posted: str) -> list[Stroke]:
    """The strokes in a posted JSON text: lists of ``[x, y]`` in whole units of the field.

    Raises:
        NoSignature: none, too little ink, too many points, or not of this shape.
    """
    try:
        given = json.loads(posted or "[]")
    except (ValueError, RecursionError):
        raise NoSignature("format") from None
    if not isinstance(given, list):
        raise NoSignature("format")
    if not given:
        raise NoSignature("empty")
    if len(given) > STROKES_LIMIT or sum(len(s) for s in given if isinstance(s, list)) > POINTS_LIMIT:
        raise NoSignature("long")
    strokes = [_stroke(stroke) for stroke in given]
    xs = [x for stroke in strokes for x, _y in stroke]
    ys = [y for stroke in strokes for _x, y in stroke]
    reach = max(max(xs) - min(xs), max(ys) - min(ys)) if xs else 0
    ink = sum(math.dist(a, b) for stroke in strokes for a, b in itertools.pairwise(stroke))
    if ink < LEAST_INK or reach < LEAST_REACH:
        raise NoSignature("dot")
    return strokes


def same_name(typed: str, name: str) -> bool:
    """Whether the typed name is that name; spaces and case do not count."""
    return bool(typed.strip()) and _bare(typed) == _bare(name)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def _stroke(given: Any) -> Stroke:
    if not isinstance(given, list) or not given:
        raise NoSignature("format")
    for point in given:
        whole = isinstance(point, list) and len(point) == 2 and all(type(n) is int for n in point)
        if not whole or not (0 <= point[0] <= WIDTH and 0 <= point[1] <= HEIGHT):
            raise NoSignature("format")
    return given
