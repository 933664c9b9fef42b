"""The report of a visit: everything the standard asks for, and what the family needs, from the stored record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from webapp.people.citizen_id import age_on
from webapp.report.next_date import NextDate, next_dates
from webapp.report.pictures import Words, signature_paths
from webapp.report.screening import screenings
from webapp.report.view import GradeView, by_status, grade_view
from webapp.storage import Assessment, Visit
from webapp.storage.accounts import Account
from webapp.storage.signatures import INFORMANT, MAIN, SECOND, Signature
from webapp.visits.casework import outcomes, sheets
from yyassess import Rulebook

ROLES = (MAIN, SECOND, INFORMANT)


class Citations:
    """The documents a report rests on, numbered in the order they are first named."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._numbers: dict[str, int] = {}

    def number(self, source: Mapping[str, Any] | None) -> int | None:
        """The number of a source's document."""
        if not source:
            return None
        return self._numbers.setdefault(source["document"], len(self._numbers) + 1)

    def documents(self) -> list[tuple[int, str, Any]]:
        """Number, id and document of all that were named so far; the document is none when it left the rules."""
        return [(number, id, self._book.documents.get(id)) for id, number in self._numbers.items()]


@dataclass(frozen=True)
class Answer:
    """One item as it was answered."""

    code: str | None
    name: Words
    value: Any
    """The printed score, or the id or figure that was given; none when it was not answered."""
    say: Words | None
    note: str = field(repr=False)
    cannot: str = field(repr=False)
    """Why it could not be assessed: a reason's id or words."""


@dataclass(frozen=True)
class Group:
    """The answers of one dimension."""

    name: Words
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Part:
    """One instrument of the report."""

    grade: GradeView
    groups: tuple[Group, ...]
    remarks: tuple[Answer, ...]
    """Answers with a note or a reason, those that must not be overlooked."""


@dataclass(frozen=True)
class Signer:
    """A place to sign: with the signature, or empty for signing on paper."""

    role: str
    name: str | None = field(repr=False)
    certificate: str | None
    signature: Signature | None

    @property
    def paths(self) -> list[str]:
        """The drawn lines as SVG paths."""
        return signature_paths(self.signature.drawing) if self.signature else []

    @property
    def typed(self) -> str | None:
        """The name typed in place of a drawing."""
        return self.signature.drawing.get("text") if self.signature else None


@dataclass(frozen=True)
class Report:
    """A report as page and PDF show it."""

    visit: Visit
    final: bool
    """Done and signed by the flow; anything else is provisional."""
    place: Words
    age: int
    number: str
    informant: str | None
    relation: Words | None
    parts: list[Part]
    determination: Mapping[str, Any] | None
    groups: list[tuple[str, list[Mapping[str, Any]]]]
    screenings: list[Mapping[str, Any]]
    next_dates: list[NextDate]
    signers: list[Signer]
    citations: Citations
    programmes: Mapping[str, Words]

    @property
    def complete(self) -> bool:
        """Every assessment has its result."""
        return bool(self.parts) and all(p.grade.result.get("complete") for p in self.parts)

    @property
    def signed(self) -> bool:
        """Both assessors' signatures stand."""
        return all(s.signature for s in self.signers if s.role != INFORMANT)

    @property
    def signed_hash(self) -> str | None:
        """The hash of what the main assessor signed."""
        return next((s.signature.content_hash for s in self.signers if s.signature), None)

    @property
    def remarks(self) -> bool:
        """Somebody wrote something down beside the answers."""
        return bool(self.visit.note or any(p.remarks for p in self.parts))


def report_of(
    book: Rulebook, visit: Visit, *, signatures: Sequence[Signature], people: Mapping[UUID, Account]
) -> Report:
    """The report of a visit as it stands.

    A done visit is shown as it was stored and nothing is computed anew; any other is graded now and is provisional.
    """
    live = {} if visit.done else {s.assessment.id: s.result for s in sheets(book, visit)}
    results = [(a, result) for a in visit.assessments if (result := a.result if visit.done else live.get(a.id))]
    determination = visit.determination if visit.done else outcomes(book, visit)
    plain = [(a.instrument, result) for a, result in results]
    return Report(
        visit=visit,
        final=visit.done,
        place=book.places[visit.place].name if visit.place in book.places else {"zh": visit.place, "en": visit.place},
        age=age_on(visit.person.birth_date, visit.visited_on),
        number=visit.number,
        informant=visit.facts.get("informant_name"),
        relation=_code_name(book, "informant_relation", visit.facts.get("informant_relation")),
        parts=[_part(book, a, result) for a, result in results],
        determination=determination,
        groups=by_status(determination) if determination else [],
        screenings=screenings(book, visit),
        next_dates=next_dates(book, visit.place, visit.visited_on, plain, determination),
        signers=_signers(visit, signatures, people),
        citations=Citations(book),
        programmes={o["programme"]: o["name"] for o in (determination or {}).get("outcomes", ())},
    )


def _part(book: Rulebook, assessment: Assessment, result: Mapping[str, Any]) -> Part:
    instrument = book.instruments.get(assessment.instrument)
    # The words of an answer are those of the day it was graded: the trace keeps them, whatever the rules say now.
    said = {step["step"]: step["because"] for step in result.get("trace") or ()}
    groups, seen = [], set()
    for dimension in instrument.dimensions if instrument else ():
        answers = []
        for item in dimension.items:
            seen.add(item.id)
            value = assessment.answers.get(item.id)
            remark = assessment.remarks.get(item.id, {})
            if value is None and not remark and item.optional:
                continue
            options = instrument.ladders[item.ladder] if instrument and item.ladder else item.options
            option = next((o for o in options if str(o.answer) == str(value)), None)
            say = said.get(item.id) or (option.say if option else None)
            answers.append(_answer(item.code, item.name, value, say if value is not None else None, remark))
        if answers:
            groups.append(Group(dimension.name, tuple(answers)))
    rest = [
        _answer(None, {"zh": id, "en": id}, value, said.get(id), assessment.remarks.get(id, {}))
        for id, value in assessment.answers.items()
        if id not in seen
    ]
    if rest:
        groups.append(Group({"zh": assessment.instrument, "en": assessment.instrument}, tuple(rest)))
    return Part(
        grade=grade_view(book, assessment.instrument, result),
        groups=tuple(groups),
        remarks=tuple(a for g in groups for a in g.answers if a.note or a.cannot),
    )


def _answer(code: str | None, name: Words, value: Any, say: Words | None, remark: Mapping[str, str]) -> Answer:
    return Answer(code, name, value, say, remark.get("note", ""), remark.get("cannot", ""))


def _signers(visit: Visit, signatures: Sequence[Signature], people: Mapping[UUID, Account]) -> list[Signer]:
    """Two assessors and the informant, signed or not; a voided signature is as none."""
    standing = {s.role: s for s in signatures if s.standing}
    planned = {MAIN: visit.assessor, SECOND: visit.second}
    found = []
    for role in ROLES:
        signature = standing.get(role)
        account = people.get(id) if (id := planned.get(role)) else None
        if signature is not None:
            found.append(Signer(role, signature.name, signature.certificate, signature))
        elif role == INFORMANT:
            found.append(Signer(role, visit.facts.get("informant_name"), None, None))
        else:
            found.append(Signer(role, account.name if account else None, account and account.certificate, None))
    return found


def _code_name(book: Rulebook, fact: str, code: Any) -> Words | None:
    definition = book.facts.get(fact)
    if definition is None or code is None or not definition.codes or code not in definition.codes:
        return None
    name: Words = definition.codes[code].name
    return name
