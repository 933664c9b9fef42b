"""A programme, a pathway or the list of documents as a page, from the data alone."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from webapp.i18n import day, say
from webapp.rulebrowser.blocks import Cell, Lines, Section, Table, cell, number, sections
from yyassess import Rulebook
from yyassess.rulebook.book import ProgrammeTexts
from yyassess.rulebook.pathway import Pathway
from yyassess.rulebook.programme import Benefit, Programme, Span

STANDING = {
    "in_force": lambda: _("in force"),
    "pilot": lambda: _("pilot"),
    "announced": lambda: _("announced, not in force"),
    "none_known": lambda: _("no local rule found"),
}
KINDS = {
    "insurance": lambda: _("insurance"),
    "subsidy": lambda: _("subsidy"),
    "allowance": lambda: _("allowance"),
    "service": lambda: _("service"),
    "screening": lambda: _("screening"),
    "check-up": lambda: _("check-up"),
    "sign-up": lambda: _("sign-up"),
    "bed": lambda: _("bed"),
    "placement": lambda: _("placement"),
    "channel": lambda: _("channel"),
    "standard": lambda: _("standard"),
}


def programme_sections(book: Rulebook, texts: ProgrammeTexts, text: Programme) -> list[Section]:
    """Everything the rules say of one text of a programme."""
    return sections(
        _about(book, texts, text),
        Section(
            _("Conditions, all of which must hold"),
            (
                Lines(
                    tuple(
                        cell(
                            c.say,
                            formula=None if c.when == "unknown" else c.when,
                            by=c,
                            also=(_("What this asks for was not found."),) if c.when == "unknown" else (),
                        )
                        for c in text.criteria
                    )
                ),
            ),
        ),
        Section(_("What somebody gets"), (Lines(tuple(_benefit(b) for b in text.benefits)),)),
        Section(_("Steps it opens in a plan"), (Lines(tuple(cell(s.say, formula=s.when) for s in text.services)),)),
        Section(
            _("Beside other programmes"),
            (
                Lines(
                    tuple(cell(i.say, by=i, href=_address(book, texts.place, i.programme)) for i in text.interactions)
                ),
            ),
        ),
        Section(
            _("What suspends or ends it"), (Lines(tuple(cell(e.say, formula=e.when, by=e) for e in text.effects)),)
        ),
        _applying(text),
        Section(
            _("Targets for a whole population, nobody's right"),
            (
                Table(
                    "",
                    (_("Target"), _("Figure")),
                    tuple((cell(i.say, by=i, also=(day(i.by),)), number(i.target)) for i in text.indicators),
                ),
            ),
        ),
        Section(_("Note"), (say(text.note),)) if text.note else None,
        Section(
            _("Worked examples run on every change"),
            (Lines(tuple(Cell(e.name) for e in texts.texts[0].examples)),),
            folded=True,
            count=len(texts.texts[0].examples),
        ),
    )


def _about(book: Rulebook, texts: ProgrammeTexts, text: Programme) -> Section:
    period = text.in_force
    rows: list[tuple[Cell, Cell]] = [
        (cell(_("Kind")), cell(KINDS[text.kind]())),
        (cell(_("Standing")), cell(STANDING[text.status]())),
        (cell(_("Place")), cell(book.places[texts.place].name, href=url_for("rulebook.place", id=texts.place))),
        (
            cell(_("In force")),
            cell(
                _(
                    "%(start)s to %(end)s",
                    start=day(period.start) if period.start else "…",
                    end=day(period.end) if period.end else "…",
                )
            ),
        ),
        (cell(_("Source")), cell("", by=text)),
        (cell(_("Evidence")), Cell("", evidence=text.evidence)),
    ]
    if text.serves:
        rows.append((cell(_("For whom")), cell(text.serves)))
    if text.warn_after:
        rows.append((cell(_("May have lapsed after")), cell(day(text.warn_after))))
    if text.same_as:
        href = _address(book, texts.place, text.same_as)
        rows.append((cell(_("The same as")), cell(text.same_as, href=href)))
    checked = [row.checked for row in book.coverage if (row.place, row.programme) == (texts.place, texts.id)]
    if checked:
        rows.append((cell(_("Last checked against its source")), cell(day(checked[-1]))))
    first = say(text.not_configured) if text.not_configured else ""
    ends = _("Here this programme of the wider place does not apply.") if text.ends else ""
    return Section(_("About"), (first, ends, Table("", (), tuple(rows))))


def _benefit(b: Benefit) -> Cell:
    lines = []
    if b.not_configured:
        lines.append(_("The figure was not found and stays out."))
    if isinstance(b.amount, tuple):
        for dated in b.amount:
            start = day(dated.start) if dated.start else "…"
            figure = _("not known") if dated.value == "unknown" else f"{dated.value} {b.unit}"
            lines.append(_("from %(day)s: %(figure)s", day=start, figure=figure))
    elif b.amount is not None:
        lines.append(f"{b.amount} {b.unit}")
    if b.share is not None:
        lines.append(_("%(share)s%% of the cost", share=f"{b.share * 100:f}".rstrip("0").rstrip(".")))
    if b.cap is not None:
        lines.append(_("at most %(cap)s", cap=b.cap) + f" {b.cap_unit or ''}")
    if b.guide:
        lines.append(_("national guide value"))
    return cell(b.say, formula=b.when, by=b, also=lines)


def _applying(text: Programme) -> Section:
    lines: list[Cell] = []
    if text.apply:
        if text.apply.where:
            lines.append(cell(text.apply.where, by=text.apply))
        lines += [cell(paper) for paper in text.apply.papers]
        if text.apply.decision_within:
            lines.append(_span(_("The decision is made within"), text.apply.decision_within))
    if text.valid_for:
        lines.append(_span(_("The assessment counts for"), text.valid_for))
    if text.reassess:
        lines.append(_span(_("Assess again after"), text.reassess))
    return Section(_("Applying"), (Lines(tuple(lines)),))


def _span(title: str, span: Span) -> Cell:
    lengths = (
        (span.working_days, lambda n: _("%(count)s working days", count=n)),
        (span.days, lambda n: _("%(count)s days", count=n)),
        (span.months, lambda n: _("%(count)s months", count=n)),
        (span.months_at_most, lambda n: _("%(count)s months at most", count=n)),
        (span.years, lambda n: _("%(count)s years", count=n)),
    )
    length = next((words(n) for n, words in lengths if n is not None), "")
    return cell(f"{title} {length}".strip(), by=span, also=(say(span.say),))


def _address(book: Rulebook, place: str, programme: str) -> str | None:
    """The page of a programme as seen from a place: its own, or that of the nearest place around it."""
    for level in reversed(book.chain(place)):
        if programme in book.programmes.get(level.id, {}):
            return url_for("rulebook.programme", place=level.id, id=programme)
    return None


def pathway_sections(book: Rulebook, path: Pathway) -> list[Section]:
    """Everything the rules say of a screening pathway."""
    names = {result.code: result.name for result in path.results}

    def when(results: Any) -> tuple[str, ...]:
        return (" / ".join(say(names[code]) for code in results),) if results else ()

    def choice(found: Any) -> Cell:
        instrument = book.instruments.get(found.instrument)
        href = url_for("rulebook.instrument", id=found.instrument) if instrument else None
        title = say(instrument.name) if instrument else found.instrument
        return Cell(title, found.when, found.evidence, found.source, href, also=(say(found.say),) if found.say else ())

    return sections(
        Section(_("About"), (say(path.note), Lines((Cell("", None, path.evidence, path.source),)))),
        Section(_("Who enters"), (Lines(tuple(cell(c.say, formula=c.when, by=c) for c in path.entry)),)),
        *(
            Section(
                say(stage.name),
                (
                    Lines((Cell(_("When"), stage.when, stage.evidence, stage.source),)),
                    Lines(tuple(map(choice, stage.choose))),
                ),
            )
            for stage in path.stages
        ),
        Section(
            _("Results"),
            (
                Table(
                    "",
                    (_("Level"), _("Result")),
                    tuple((number(r.level), cell(r.name, also=(say(r.advice),))) for r in path.results),
                ),
            ),
        ),
        Section(
            _("The first line that holds"),
            (Lines(tuple(cell(g.say, formula=g.when, by=g, also=(say(names[g.result]),)) for g in path.grading)),),
        ),
        Section(
            _("What to do"),
            (Lines(tuple(cell(a.say, formula=a.when, by=a, also=when(a.results)) for a in path.actions)),),
        ),
        Section(
            _("When to screen again"),
            (Lines(tuple(cell(r.say, formula=r.when, by=r, also=when(r.results)) for r in path.rescreen)),),
        ),
        Section(
            _("Cautions"), (Lines(tuple(cell(c.say, formula=c.when, by=c) for c in (*path.cautions, *path.flags))),)
        ),
        Section(
            _("How open points were read"),
            (Lines(tuple(cell(c.say, by=c) for c in path.decisions)),),
            folded=True,
            count=len(path.decisions),
        ),
    )


def document_cells(book: Rulebook) -> list[Cell]:
    """Every document cited, by its title."""
    return [
        Cell(
            f"{say(d.number)} {say(d.title)}".strip(),
            None,
            d.evidence,
            also=tuple(line for line in (say(d.issuer), day(d.date) if d.date else "", say(d.note)) if line),
        )
        for d in book.documents.values()
    ]
