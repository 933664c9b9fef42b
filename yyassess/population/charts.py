"""Pictures of a simulation as SVG: how people move between outcomes, and which share of each group is helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from yyassess.population.programmes import STATUSES

COLOURS = {
    "eligible": "#07843f",
    "ineligible": "#8a8f98",
    "unknown": "#c98a00",
    "not_configured": "#7a5ea8",
    "not_in_force": "#b9bdc4",
}
LOST = "#b3261e"
PALE = "#8cc8a4"
#: From here on a number is read without its decimals.
LARGE = 100


def number(value: float) -> str:
    """A number with thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= LARGE or value == int(value) else f"{value:,.2f}"


def weight(count: Mapping[str, Any]) -> float:
    """The size of a count for a chart."""
    return float(count["weighted"]["value"]) if "weighted" in count else float(count["n"])


def share(part: float, whole: float) -> str:
    """A share of a whole in percent; a dash of nobody."""
    return f"{part / whole:.1%}" if whole else "—"


def sankey(moves: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> str:
    """How people move between outcomes: before on the left, after on the right, as wide as they are many."""
    total = sum(weight(m) for m in moves) or 1.0
    high, gap, top, least = 300.0, 10.0, 34.0, 20.0
    sizes = {side: {s: sum(weight(m) for m in moves if m[side] == s) for s in STATUSES} for side in ("before", "after")}
    starts: dict[str, dict[str, float]] = {"before": {}, "after": {}}
    boxes, bottom = [], top
    for side, x, anchor, label in (("before", 230, "end", 222), ("after", 550, "start", 578)):
        y = top
        for status, size in sizes[side].items():
            if not size:
                continue
            tall = max(size / total * high, 1.5)
            starts[side][status] = y
            boxes.append(f'<rect x="{x}" y="{y:.1f}" width="20" height="{tall:.1f}" fill="{COLOURS[status]}"/>')
            middle = y + min(tall / 2, 60)
            boxes.append(
                f'<text x="{label}" y="{middle:.1f}" text-anchor="{anchor}" font-size="14">{escape(words[status])}</text>'
                f'<text x="{label}" y="{middle + 16:.1f}" text-anchor="{anchor}" font-size="13" fill="#555">'
                f"{number(size)} · {share(size, total)}</text>"
            )
            # A thin box still needs room for its two lines of words.
            y += max(tall, 2 * least) + gap
        bottom = max(bottom, y)
    flows = []
    for move in sorted(moves, key=lambda m: (STATUSES.index(m["before"]), STATUSES.index(m["after"]))):
        tall = weight(move) / total * high
        a, b = starts["before"][move["before"]], starts["after"][move["after"]]
        changed = move["before"] != move["after"]
        colour = LOST if (move["before"], changed) == ("eligible", True) else COLOURS[move["after"]]
        said = f"{words[move['before']]} → {words[move['after']]}: {number(weight(move))}"
        path = (
            f"M250 {a:.1f}C400 {a:.1f} 400 {b:.1f} 550 {b:.1f}V{b + tall:.1f}"
            f"C400 {b + tall:.1f} 400 {a + tall:.1f} 250 {a + tall:.1f}Z"
        )
        flows.append(
            f'<path d="{path}" fill="{colour}" fill-opacity="{0.7 if changed else 0.16}"><title>{escape(said)}</title></path>'
        )
        starts["before"][move["before"]] += tall
        starts["after"][move["after"]] += tall
    heads = "".join(
        f'<text x="{x}" y="18" text-anchor="middle" font-size="15" font-weight="600">{words[side]}</text>'
        for x, side in ((240, "before"), (560, "after"))
    )
    return f'<svg viewBox="0 0 800 {bottom + 4:.0f}" role="img" aria-label="{words["moves"]}">{heads}{"".join(flows)}{"".join(boxes)}</svg>'


def bars(rows: Sequence[tuple[str, Mapping[str, Any]]], label: str) -> str:
    """Share of each group that is eligible: what was in pale, what is added in full colour, what is lost in red."""
    parts = []
    for place, (name, part) in enumerate(rows):
        size = weight(part["people"]) or 1.0
        before, after = (weight(part[side]["status"]["eligible"]) / size for side in ("before", "after"))
        y = 8 + place * 28
        both, more = min(before, after) * 400, abs(after - before) * 400
        colour = COLOURS["eligible"] if after >= before else LOST
        parts.append(f'<text x="200" y="{y + 14}" text-anchor="end" font-size="14">{escape(name)}</text>')
        parts.append(f'<rect x="210" y="{y}" width="400" height="18" fill="#eceef1"/>')
        parts.append(f'<rect x="210" y="{y}" width="{both:.1f}" height="18" fill="{PALE}"/>')
        parts.append(f'<rect x="{210 + both:.1f}" y="{y}" width="{more:.1f}" height="18" fill="{colour}"/>')
        first, then = f"{before:.1%}", f"{after:.1%}"
        said = first if first == then else f"{first} → {then}"
        parts.append(f'<text x="620" y="{y + 14}" font-size="14">{said}</text>')
    high = 12 + 28 * len(rows)
    return f'<svg viewBox="0 0 800 {high}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
