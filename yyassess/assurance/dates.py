"""Time: holes and overlaps between the texts of a programme, ends with nothing after, amounts against their sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from yyassess.assurance.amounts import row_nodes
from yyassess.assurance.findings import Evidence, Notebook
from yyassess.assurance.situations import ONE_DAY, Situation, text_path
from yyassess.conditions.smt import conj
from yyassess.entitlement.determine import determine
from yyassess.entitlement.plan import ReadyBenefit
from yyassess.rulebook.book import Origin, ProgrammeTexts, Rulebook
from yyassess.rulebook.programme import Programme

START, END = dt.date.min, dt.date.max


def check_versions(book: Rulebook, notebook: Notebook, file: str | None = None) -> None:
    """The periods of all texts of every programme, or of those of one file."""
    for place, programmes in book.programmes.items():
        for id, texts in programmes.items():
            origin = book.origins[("programme", f"{place}/{id}")]
            if file in (None, origin.file):
                _Versions(book, notebook, place, texts, origin).run()


class _Versions:
    def __init__(self, book: Rulebook, notebook: Notebook, place: str, texts: ProgrammeTexts, origin: Origin) -> None:
        self.book, self.notebook, self.place, self.texts, self.origin = book, notebook, place, texts, origin
        self.order = sorted(enumerate(texts.texts), key=lambda nt: (_start(nt[1]), nt[0]))

    def run(self) -> None:
        if any(text.ends for _, text in self.order):
            return
        self.notebook.count("enumerated", "version-gap", self.texts.id, len(self.order))
        for (_, first), (number, second) in zip(self.order, self.order[1:], strict=False):
            ends = first.in_force.end
            if _start(first) == _start(second) or (ends is not None and ends >= _start(second)):
                day = second.in_force.start or ends
                self._add("version-overlap", number, day, day=day)
            elif ends is not None and ends + ONE_DAY < _start(second):
                start, end = ends + ONE_DAY, _start(second) - ONE_DAY
                if self._nothing(start):
                    self._add("version-gap", number, start, start=start, end=end)
        self._never_used()
        self._expired()

    def _never_used(self) -> None:
        for number, text in self.order:
            starts = [_start(t) for _, t in self.order if t is not text]
            days = {d for s in [_start(text), *starts] for d in (s, s - ONE_DAY if s > START else s)} | {_end(text)}
            inside = [d for d in days if text.in_force.holds(d)]
            if not any(self._chosen(d) is text for d in inside):
                self._add("version-never", number, text.in_force.start or text.in_force.end)

    def _chosen(self, day: dt.date) -> Programme | None:
        standing = self.book.at(self.place, day).standings.get(self.texts.id)
        return standing.programme if standing is not None and standing.in_force else None

    def _expired(self) -> None:
        number, last = max(self.order, key=lambda nt: _end(nt[1]))
        end = last.in_force.end
        if end is None or end == END or (self.notebook.on is not None and end >= self.notebook.on):
            return
        if self._nothing(end + ONE_DAY):
            self._add("expired", number, end + ONE_DAY, end=end)

    def _nothing(self, day: dt.date) -> bool:
        """Whether the library finds no text in force that day, here or in a place around."""
        outcomes = {o["programme"]: o for o in self._decide(day)["outcomes"]}
        return self.texts.id in outcomes and outcomes[self.texts.id]["status"] == "not_in_force"

    def _decide(self, day: dt.date) -> dict[str, Any]:
        return determine({}, place=self.place, on=day, rules=self.book, engine="reference")

    def _add(self, code: str, number: int, asked: dt.date | None, **fields: Any) -> None:
        how = f"yyassess determine --place {self.place} --on {asked}" if asked else None
        path = text_path(self.texts, number, "in_force")
        self.notebook.add(code, self.origin, path, self.texts.id, (f"text {number + 1}",), Evidence({}, how), **fields)


def _start(text: Programme) -> dt.date:
    return text.in_force.start or START


def _end(text: Programme) -> dt.date:
    return text.in_force.end or END


# -- amounts ------------------------------------------------------------------------------------------------------------
def check_amounts(situation: Situation, notebook: Notebook) -> None:
    """Dated amounts of one text whose criteria somebody can meet, and the days of their sources."""
    for number, row in enumerate(situation.ready.benefits):
        amount = row.benefit.amount
        if isinstance(amount, tuple):
            _dated(situation, notebook, number, row)
        for start, document, path in figures(situation, number, row):
            issued = situation.world.book.documents[document].date
            if issued is not None and issued > start and situation.programme.known_from is None:
                _found(
                    situation, notebook, "amount-older-than-source", path, row,
                    start=start, day=issued, document=document,
                )  # fmt: skip
    _lapsed(situation, notebook)


def _dated(situation: Situation, notebook: Notebook, number: int, row: ReadyBenefit) -> None:
    """Dated figures begin on the first day of the text; that they stand in order is checked when the rules are read."""
    dated, day = row.benefit.amount, situation.world.day
    notebook.count("enumerated", "amount-hole", situation.id, len(dated))
    begun = [d for d in dated if d.start is None or d.start <= day]
    first = min((d.start or START for d in dated), default=START)
    if not begun and first > day and situation.programme.in_force.holds(day):
        _found(situation, notebook, "amount-hole", ("benefits", number), row, start=day, day=first)


def figures(
    situation: Situation, number: int, row: ReadyBenefit
) -> Iterator[tuple[dt.date, str, tuple[str | int, ...]]]:
    """The figures of a row: from which day each counts, by which document, and where it is written."""
    text, benefit = situation.programme, row.benefit
    begins = text.in_force.start
    source = benefit.source or text.source
    if isinstance(benefit.amount, tuple):
        for dated in benefit.amount:
            start = max((d for d in (dated.start, begins) if d), default=None)
            if start is not None and dated.value != "unknown":
                yield start, (dated.source or source).document, ("benefits", number)
    elif begins is not None and any(v is not None for v in (benefit.amount, benefit.share, benefit.cap)):
        yield begins, source.document, ("benefits", number)


def _lapsed(situation: Situation, notebook: Notebook) -> None:
    text, documents = situation.programme, situation.world.book.documents
    cited: list[tuple[Any, tuple[str | int, ...]]] = [(text.source, ("source",))]
    cited += [(c.source, ("criteria", n)) for n, c in enumerate(text.criteria)]
    cited += [(b.source, ("benefits", n)) for n, b in enumerate(text.benefits)]
    for ref, path in cited:
        if ref is None:
            continue
        period = documents[ref.document].in_force
        if period is not None and period.end is not None and (text.in_force.end or END) > period.end:
            if notebook.on is not None and period.end >= notebook.on:
                continue
            notebook.add(
                "source-lapsed", situation.origin, situation.path(*path), situation.id, (ref.document,),
                day=period.end, document=ref.document,
            )  # fmt: skip


def _found(
    situation: Situation, notebook: Notebook, code: str, path: tuple[str | int, ...], row: ReadyBenefit, **fields: Any
) -> None:
    """A finding about a benefit row, with somebody who gets it."""
    world, nodes = situation.world, (*situation.nodes, *row_nodes(situation, row))
    holds = world.person.yes(world.machine.trees[row.benefit.when]) if row.benefit.when else True
    model = world.find(conj((situation.granted, holds)), nodes)
    case = world.case(model, nodes) if model is not None else {}
    notebook.add(
        code, situation.origin, situation.path(*path), situation.id, (row.benefit.id,), situation.evidence(case),
        **fields,
    )  # fmt: skip
