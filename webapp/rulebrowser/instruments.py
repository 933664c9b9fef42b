"""An instrument as a page, from its data alone: items and options, scoring, levels, changes, licence, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from webapp.i18n import say
from webapp.rulebrowser.blocks import Cell, Lines, Section, Table, cell, number, sections
from yyassess import Rulebook
from yyassess.rulebook.instrument import Band, Count, Instrument, Item, Matrix, Mean, Mode, Rules, Sum, Worst

STATUS = {
    "government": lambda: _("published by government"),
    "public_domain": lambda: _("in the public domain"),
    "permitted": lambda: _("permitted by its owner"),
    "restricted": lambda: _("restricted by its owner"),
    "unconfirmed": lambda: _("not confirmed"),
}


def instrument_sections(book: Rulebook, it: Instrument) -> list[Section]:
    """Everything the rules say of an instrument."""
    names = Names(book, it)
    return sections(
        _about(it),
        _levels(it),
        *(_dimension(it, dimension) for dimension in it.dimensions),
        Section(_("How it is scored"), tuple(block for step in it.steps for block in _step(names, step))),
        _changes(it),
        _beside(book, it),
        Section(
            _("Contradictions and hints shown while filling in"),
            (Lines(tuple(cell(h.say, formula=h.when) for h in it.hints)),),
            folded=True,
            count=len(it.hints),
        ),
        _settings(it),
        Section(
            _("How open points were read"),
            (Lines(tuple(cell(d.taken, also=(f"{d.id} · {say(d.point)}", say(d.reason))) for d in it.decisions)),),
            folded=True,
            count=len(it.decisions),
        ),
        Section(_("Note"), (say(it.note),)) if it.note else None,
    )


class Names:
    """What the steps of an instrument call things."""

    def __init__(self, book: Rulebook, it: Instrument) -> None:
        self.it = it
        self.steps = {step.id: step for step in it.steps}
        self._names: dict[str, Mapping[str, str]] = {name: fact.name for name, fact in book.facts.items()}
        self._names |= {d.id: d.name for d in it.dimensions}
        self._names |= {item.id: item.name for d in it.dimensions for item in d.items}
        self._names |= {step.id: step.name for step in it.steps}

    def name(self, id: str) -> str:
        """A step, item, dimension or fact in words."""
        return say(self._names[id]) if id in self._names else id

    def dimension(self, id: str) -> str:
        """The items of a dimension, named together; its sum often goes by the same id."""
        name = next((d.name for d in self.it.dimensions if d.id == id), None)
        return _("the items of %(dimension)s", dimension=say(name)) if name else id

    def names(self, ids: Any) -> str:
        """Several of them in one line; ``all`` for all items."""
        if ids == "all":
            return _("all items")
        return (", " if _is_english() else "、").join(self.name(id) for id in ids)

    def level(self, step: str, level: int) -> str:
        """A level of a step in words, with its number."""
        found = self.steps.get(step)
        while isinstance(found, Worst):
            found = self.steps.get(found.of[0])
        if isinstance(found, Band) and level in found.names:
            return f"{level} · {say(found.names[level])}"
        own = isinstance(found, (Band, Matrix)) and not (isinstance(found, Band) and found.names)
        name = next((known.name for known in self.it.levels if known.level == level), None) if own else None
        return f"{level} · {say(name)}" if name else str(level)


def _is_english() -> bool:
    from webapp.i18n import language

    return language() == "en"


def _about(it: Instrument) -> Section:
    licence = it.licence
    asked = {
        "person": _("the person"),
        "informant": _("somebody who knows the person well"),
        "assessor": _("an assessor"),
        "clinician": _("a clinician"),
    }
    direction = {
        "more_able": _("A higher score means more able."),
        "worse": _("A higher score means more help is needed."),
        "neither": "",
    }
    rows = (
        (cell(_("Questions")), number(sum(len(d.items) for d in it.dimensions))),
        (cell(_("Answered by")), cell(", ".join(asked[who] for who in it.respondent))),
        (cell(_("Carried out by")), cell(it.administered_by)) if it.administered_by else (),
        (cell(_("How")), cell(it.method)) if it.method else (),
        (cell(_("Source")), cell("", by=it)),
        (cell(_("Evidence")), Cell("", evidence=it.evidence)),
        (cell(_("Owner")), cell(licence.owner)),
        (cell(_("Licence")), cell(STATUS[licence.status](), by=licence, also=(say(licence.say),))),
        (cell(_("When to assess again")), cell(it.reassess)) if it.reassess else (),
        (cell(_("Worked examples run on every change")), number(len(it.examples))),
    )
    first = say(it.not_computed) if it.not_computed else ""
    return Section(_("About"), (first, direction[it.higher_score], Table("", (), tuple(row for row in rows if row))))


def _levels(it: Instrument) -> Section | None:
    if not it.levels:
        return None
    rows = tuple((number(found.level), cell(found.name, also=(say(found.advice),))) for found in it.levels)
    return Section(_("Levels"), (Table("", (_("Level"), _("What it is called")), rows),))


def _dimension(it: Instrument, dimension: Any) -> Section:
    withheld = _("The wording belongs to its owner and is not printed here: totals only, from a licensed form.")
    title = f"{dimension.code} {say(dimension.name)}" if dimension.code else say(dimension.name)
    blocks: list[Any] = [withheld] if it.licence.items == "withheld" else []
    for item in dimension.items:
        blocks.append(_item(it, item))
    return Section(title, tuple(blocks), folded=True, count=len(dimension.items))


def _item(it: Instrument, item: Item) -> Table | Lines:
    title = f"{item.code} {say(item.name)}" if item.code else say(item.name)
    notes = [say(item.scope), say(item.disagreement)]
    if item.optional:
        notes.append(_("optional"))
    if item.range:
        low, high = item.range
        also = (_("a number from %(low)s to %(high)s", low=low, high=high), *(n for n in notes if n))
        return Lines((Cell(title, item.applies_when, item.evidence, also=also),))
    options = it.ladders[item.ladder] if item.ladder else item.options
    rows = tuple(
        (
            number(option.score if option.score is not None else "–"),
            Cell(say(option.say), evidence=option.evidence),
        )
        for option in options
    )
    caption = " · ".join((title, *(n for n in notes if n)))
    return Table(caption, (_("Score"), _("Answer")), rows)


def _step(names: Names, step: Any) -> Iterator[str | Table | Lines]:
    caption = names.name(step.id)
    match step:
        case Band():
            yield Table(caption, (names.name(step.of), _("Result")), tuple(_band_rows(names, step)))
        case Matrix():
            head = (
                f"{names.name(step.rows)} ＼ {names.name(step.columns)}",
                *(names.level(step.columns, column) for column in range(len(step.cells[0]))),
            )
            rows = tuple(
                (cell(names.level(step.rows, place)), *(cell(names.level(step.id, value)) for value in row))
                for place, row in enumerate(step.cells)
            )
            yield Table(caption, head, rows)
        case Rules():
            rows = tuple(
                (
                    cell(rule.say or (_("in all other cases") if rule.when is None else ""), formula=rule.when),
                    cell(_rule_value(names, step.id, rule.value)),
                )
                for rule in step.rules
            )
            yield Table(caption, (_("The first line that holds"), _("Result")), rows)
        case _:
            yield Lines(
                (Cell(caption, getattr(step, "when", None), step.evidence, step.source, also=_sentence(names, step)),)
            )
            return
    yield Lines((Cell("", None, step.evidence, step.source),))


def _rule_value(names: Names, step: str, value: Any) -> str:
    if value == "unknown":
        return _("not known")
    return names.level(step, value) if isinstance(value, int) else names.name(str(value))


def _band_rows(names: Names, step: Band) -> Iterator[tuple[Cell, Cell]]:
    """Each band with both its ends; of whole numbers the next cut less one is the last that belongs."""
    fractions = isinstance(names.steps.get(step.of), Mean) or any(int(cut.at) != cut.at for cut in step.cuts)
    for place, cut in enumerate(step.cuts):
        if place + 1 == len(step.cuts):
            span = _("%(low)s and above", low=cut.at)
        elif fractions:
            span = _("%(low)s to below %(high)s", low=cut.at, high=step.cuts[place + 1].at)
        else:
            last = step.cuts[place + 1].at - 1
            span = str(cut.at) if last == cut.at else _("%(low)s to %(high)s", low=cut.at, high=last)
        yield cell(span), cell(names.level(step.id, cut.level))


def _sentence(names: Names, step: Any) -> tuple[str, ...]:
    match step:
        case Sum():
            what = names.dimension(step.dimension) if step.dimension else names.names(step.items or step.of)
            lines = [_("The sum of: %(what)s", what=what)]
            if step.reverse:
                reversed_ = names.names(step.reverse.items)
                lines.append(
                    _("counted as %(from_)s less the answer: %(what)s", from_=step.reverse.minuend, what=reversed_)
                )
            lines += [_("plus %(points)s: %(why)s", points=bonus.add, why=say(bonus.say)) for bonus in step.bonus]
            if step.at_least is not None:
                lines.append(_("never below %(low)s", low=step.at_least))
            if step.at_most is not None:
                lines.append(_("never above %(high)s", high=step.at_most))
            return tuple(lines)
        case Mean():
            lines = [_("The mean of: %(what)s", what=names.names(step.items))]
            if step.answered is not None:
                lines.append(_("at least %(count)s of them answered", count=step.answered))
            return tuple(lines)
        case Count():
            return (_("How many of these meet the condition: %(what)s", what=names.names(step.items)),)
        case Worst():
            what = names.names(step.of)
            if step.pick == "most":
                return (_("The largest of: %(what)s", what=what),)
            return (_("The smallest of: %(what)s", what=what),)
        case Mode():
            return (_("The most frequent answer among: %(what)s", what=names.names(step.items)),)
    return ()


def _changes(it: Instrument) -> Section:
    rows = tuple(
        (
            cell(a.say, formula=a.when, by=a),
            cell(
                _("to level %(level)s", level=a.set_level)
                if a.set_level is not None
                else _("up by %(count)s", count=a.raise_by)
            ),
        )
        for a in it.adjustments
    )
    several = _("Several reasons together raise the level once.") if it.raise_once else ""
    raising = [a for a in it.adjustments if a.raise_by]
    first = several if len(raising) > 1 else ""
    return Section(_("Changes of level"), (first, Table("", (_("When"), _("Change")), rows)) if rows else ())


def _beside(book: Rulebook, it: Instrument) -> Section:
    cells = tuple(
        cell(book.facts[use.fact].name, formula=use.matters_when) for use in it.context if use.fact in book.facts
    )
    return Section(_("Asked beside the items"), (Lines(cells),), folded=True, count=len(cells))


def _settings(it: Instrument) -> Section:
    rows = []
    for setting in it.settings:
        chosen = _("chosen with each assessment") if setting.default is None else _choice(setting, setting.default)
        rows.append((cell(setting.say), cell(chosen)))
    return Section(_("Points a place may settle"), (Table("", (_("Point"), _("As shipped")), tuple(rows)),))


def _choice(setting: Any, value: Any) -> str:
    words = setting.names.get(str(value)) or setting.names.get(str(value).lower())
    if words:
        return say(words)
    return {True: _("applies"), False: _("does not apply")}[value] if isinstance(value, bool) else str(value)
