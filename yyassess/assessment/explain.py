"""The words and numbers of a result: scores, dimensions, results, and the trace step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yyassess.assessment.question import number as _number
from yyassess.assessment.steps import SKIPPED
from yyassess.rulebook.basics import Frozen, Text
from yyassess.rulebook.instrument import Band, Instrument, Matrix, Rules, Sum

#: Kept for an instrument at most; a scale has a few hundred.
MOST_SENTENCES = 5000


class Explainer:
    """Everything about one instrument's results that is only wording and layout."""

    def __init__(self, instrument: Instrument, levels: Mapping[int, Frozen]) -> None:
        self.it = instrument
        self.levels = levels
        self.steps = {step.id: step for step in instrument.steps}
        self.reported = [step.id for step in instrument.steps if step.report and not isinstance(step, (Band, Matrix))]
        self.sources = {
            step.id: Frozen(
                document=(step.source or instrument.source).document,
                clause=(step.source or instrument.source).clause,
            )
            for step in instrument.steps
        }
        self.dimension_steps = self._dimension_steps()
        self._said: dict[Any, Text] = {}

    def _dimension_steps(self) -> dict[str, tuple[str | None, str | None, Any]]:
        """For each dimension: its sum step, its level step, its highest sum."""
        found: dict[str, tuple[str | None, str | None, Any]] = {}
        for dimension in self.it.dimensions:
            ids = {i.id for i in dimension.items}
            total = next(
                (
                    s.id
                    for s in self.it.steps
                    if isinstance(s, Sum) and (s.dimension == dimension.id or set(s.items) == ids)
                ),
                None,
            )
            level = next(
                (
                    s.id
                    for s in self.it.steps
                    if s.level_of == dimension.id or (isinstance(s, Band) and total is not None and s.of == total)
                ),
                None,
            )
            if level == self.it.grade and len(self.it.dimensions) == 1:
                level = None
            highest: Any = 0
            for item in dimension.items:
                options = self.it.ladders[item.ladder] if item.ladder else item.options
                scores = [o.score for o in options if o.score is not None]
                highest += max(scores, default=item.range[1] if item.range else 0)
            found[dimension.id] = (total, level, _number(highest))
        return found

    def scores(self, points: Mapping[str, Any]) -> dict[str, Any]:
        """The reported steps by id; ``None`` where answers are missing."""
        return {id: _number(points.get(id)) for id in self.reported}

    def dimensions(self, points: Mapping[str, Any]) -> dict[str, Any]:
        """Each dimension's score, highest score and (where the instrument grades it) level."""
        result: dict[str, Any] = {}
        for dimension in self.it.dimensions:
            total, level, highest = self.dimension_steps[dimension.id]
            part: dict[str, Any] = {"name": dimension.name}
            if total is not None:
                part["score"] = _number(points.get(total))
                part["max"] = highest
            if level is not None:
                part["level"] = points.get(level)
                step = self.steps[level]
                if isinstance(step, Band) and points.get(level) in step.names:
                    part["level_name"] = step.names[points[level]]
            result[dimension.id] = part
        return result

    def results(self, points: Mapping[str, Any]) -> dict[str, Any]:
        """The results of an instrument that has several."""
        return {
            r.id: {
                "name": r.name,
                **(self.levels[points[r.of]] if points.get(r.of) is not None else {"level": None, "code": None}),
                **({"score": _number(points.get(r.score))} if r.score else {}),
            }
            for r in self.it.results
        }

    def trace(
        self,
        questions: Mapping[str, Any],
        given: Mapping[str, Any],
        points: Mapping[str, Any],
        used: frozenset[str],
        adjustments: list[dict[str, Any]],
        level: int | None,
    ) -> list[Any]:
        """The steps in order: items as answered, sums and tables, adjustments, the grade."""
        trace: list[Any] = []
        for id, question in questions.items():
            if id in given and points.get(id) is not SKIPPED:
                if question.range is None:
                    trace.append(question.trace[given[id]])
                else:
                    trace.append({**question.trace[None], "value": _number(given[id])})
        if given:
            for step in self.it.steps:
                value = points.get(step.id)
                if value is not None and (step.id in used or step.id in self.reported):
                    trace.append(
                        {
                            "step": step.id,
                            "value": _number(value),
                            "because": self.because(step, value, points),
                            "source": self.sources[step.id],
                            "evidence": step.evidence.mark,
                        }
                    )
        for adjustment in adjustments:
            trace.append(
                {
                    "step": adjustment["id"],
                    "value": adjustment["levels"],
                    "because": adjustment["say"],
                    "source": adjustment["source"],
                    "evidence": adjustment["evidence"],
                }
            )
        if level is not None and level in self.levels:
            trace.append(
                {
                    "step": "grade",
                    "value": level,
                    "because": self.levels[level]["name"],
                    "source": Frozen(document=self.it.source.document, clause=self.it.source.clause),
                    "evidence": self.it.evidence.mark,
                }
            )
        return trace

    def because(self, step: Any, value: Any, points: Mapping[str, Any]) -> Text:
        """One step in words; sentences are kept, as the same few come again and again."""
        inputs = (step.of,) if isinstance(step, Band) else (step.rows, step.columns) if isinstance(step, Matrix) else ()
        key = (step.id, value, *((points[name], type(points[name])) for name in inputs))
        said = self._said.get(key)
        if said is None:
            if len(self._said) > MOST_SENTENCES:
                self._said.clear()
            said = self._said[key] = self._because(step, value, points)
        return said

    def _because(self, step: Any, value: Any, points: Mapping[str, Any]) -> Text:
        shown = _number(value)
        name = step.name
        if isinstance(step, Band):
            score = _number(points.get(step.of))
            zh, en = self._level_words(step, value)
            stretch_zh, stretch_en = _stretch(step, points[step.of])
            return Text(
                zh=f"{name['zh']}：{score} 分落在 {stretch_zh}，{zh}",
                en=f"{name['en']}: {score} lies in {stretch_en}, {en}",
            )
        if isinstance(step, Matrix):
            row, column = points[step.rows], points[step.columns]
            return Text(
                zh=f"{name['zh']}：第 {row} 行、第 {column} 列为 {shown}",
                en=f"{name['en']}: row {row}, column {column} gives {shown}",
            )
        if isinstance(step, Rules):
            return Text(zh=f"{name['zh']}：{shown}", en=f"{name['en']}: {shown}")
        return Text(
            zh=f"{name['zh']}合计 {shown}" if isinstance(step, Sum) else f"{name['zh']} {shown}",
            en=f"{name['en']}: {shown}",
        )

    def _level_words(self, step: Band, value: Any) -> tuple[str, str]:
        named = step.names.get(value) or (self.levels[value]["name"] if value in self.levels else None)
        return (named["zh"], named["en"]) if named else (str(value), str(value))


def _stretch(step: Band, score: Any) -> tuple[str, str]:
    """The scores around ``score`` that get the same level, in words."""
    cuts = step.cuts
    first = last = max(n for n, cut in enumerate(cuts) if cut.at <= score)
    while first and cuts[first - 1].level == cuts[first].level:
        first -= 1
    while last + 1 < len(cuts) and cuts[last + 1].level == cuts[last].level:
        last += 1
    low = _number(cuts[first].at)
    if last + 1 == len(cuts):
        return f"{low}及以上", f"{low} and above"
    above = cuts[last + 1].at
    if isinstance(score, int) and all(isinstance(cut.at, int) for cut in cuts):
        return f"{low}–{above - 1}", f"{low}–{above - 1}"
    return f"{low}到不足{_number(above)}", f"{low} to below {_number(above)}"
