"""From a stored visit to what the library says about it: results, gaps, outcomes. Nothing here decides a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.storage import Assessment, Visit
from yyassess import InputError, Rulebook, assess, determine
from yyassess.rulebook.instrument import Instrument, Item, Setting

#: Facts the person page and the visit itself hold; no other page asks for them.
PERSON_PAGE = frozenset({"name", "citizen_id", "birth_date", "sex", "reference_date"})
#: Warnings that the check page words itself, as gaps.
GAP_WARNINGS = frozenset({"assumed", "choose"})


@dataclass(frozen=True)
class Sheet:
    """One assessment of a visit as it stands: the instrument, the result so far, what is still open."""

    instrument: Instrument
    assessment: Assessment
    result: Mapping[str, Any] = field(repr=False)
    answered: int
    total: int
    inapplicable: frozenset[str]
    open_items: tuple[str, ...]
    open_facts: tuple[str, ...]
    open_settings: tuple[str, ...]
    warnings: tuple[Mapping[str, Any], ...]
    cannot: tuple[str, ...]
    """Items without an answer, with a reason why they could not be assessed: treated, but never scored."""
    stale: tuple[str, ...]
    """Stored answers and facts that the rules of today no longer accept."""

    @property
    def blocks(self) -> bool:
        """A contradiction that must be resolved before the visit can be finished."""
        return any(w.get("severity") == "block" for w in self.warnings)

    @property
    def complete(self) -> bool:
        """Nothing is left to answer."""
        return not (self.open_items or self.open_facts or self.open_settings)

    @property
    def ready(self) -> bool:
        """May be signed."""
        return self.complete and not self.blocks

    @property
    def not_graded(self) -> bool:
        """All that could be asked was asked, and it is not enough for a result."""
        return bool(self.cannot) and not self.result["complete"]


def sheet(book: Rulebook, visit: Visit, assessment: Assessment) -> Sheet:
    """The assessment graded as far as it goes; answers that today's rules refuse are left out and named."""
    instrument = book.instrument(assessment.instrument)
    request = request_for(book, visit, assessment)
    result, stale = _graded(book, instrument.id, request)
    given = request["answers"]
    items = [item for dimension in instrument.dimensions for item in dimension.items]
    inapplicable = _inapplicable(items, given, result)
    required = [item.id for item in items if not item.optional and item.id not in inapplicable]
    missing = [name for name in result["missing"] if name not in PERSON_PAGE]
    wanted = [name for name in missing if any(item.id == name for item in items)]
    cannot = tuple(name for name in wanted if cannot_reason(assessment, name))
    return Sheet(
        instrument=instrument,
        assessment=assessment,
        result=result,
        answered=sum(1 for id in required if id in given or id in cannot),
        total=len(required),
        inapplicable=inapplicable,
        open_items=tuple(name for name in wanted if name not in cannot),
        open_facts=_open_facts(instrument, missing, request["context"], result),
        open_settings=tuple(s.id for s in open_choices(book, instrument) if s.id not in request["settings"]),
        warnings=tuple(w for w in result["warnings"] if w["id"] not in GAP_WARNINGS),
        cannot=cannot,
        stale=stale,
    )


def cannot_reason(assessment: Assessment, item: str) -> str | None:
    """Why an item could not be assessed, as a code; an answer is worth more than a reason."""
    if item in assessment.answers:
        return None
    return assessment.remarks.get(item, {}).get("cannot")


def sheets(book: Rulebook, visit: Visit) -> list[Sheet]:
    """All assessments of a visit whose instruments are in the rulebook."""
    return [sheet(book, visit, a) for a in visit.assessments if a.instrument in book.instruments]


def request_for(book: Rulebook, visit: Visit, assessment: Assessment) -> dict[str, Any]:
    """What the library's ``assess`` is asked."""
    instrument = book.instrument(assessment.instrument)
    known = {use.fact for use in instrument.context} | {f.fact for g in instrument.record for f in g.facts}
    return {
        "date": visit.visited_on.isoformat(),
        "answers": dict(assessment.answers),
        "context": {n: v for n, v in visit.facts.items() if n in known and n not in PERSON_PAGE},
        "settings": dict(assessment.settings),
    }


def case_for(visit: Visit) -> dict[str, Any]:
    """What the library's ``determine`` is asked; assessments may be incomplete."""
    facts = {n: v for n, v in visit.facts.items() if n not in PERSON_PAGE}
    return {
        "person": {"birth_date": visit.person.birth_date.isoformat(), "sex": visit.person.sex},
        "facts": facts,
        "assessments": [
            {
                "instrument": a.instrument,
                "date": visit.visited_on.isoformat(),
                "answers": dict(a.answers),
                "settings": dict(a.settings),
            }
            for a in visit.assessments
        ],
    }


def outcomes(book: Rulebook, visit: Visit) -> dict[str, Any] | None:
    """The determination for the visit's place and day; none when the place has left the rules."""
    if visit.place not in book.places:
        return None
    case = case_for(visit)
    case["assessments"] = [a for a in case["assessments"] if a["instrument"] in book.instruments]
    while True:
        try:
            return determine(case, place=visit.place, on=visit.visited_on, rules=book)
        except InputError as error:
            if not _drop_case_faults(case, error):
                raise


def open_choices(book: Rulebook, instrument: Instrument) -> list[Setting]:
    """Points the instrument leaves open and this deployment has not settled: chosen with each assessment."""
    if not instrument.settings:
        return []
    open_ids = _chosen_first(assess(instrument.id, {}, rules=book))
    return [s for s in instrument.settings if s.id in open_ids]


def _graded(book: Rulebook, id: str, request: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    stale: list[str] = []
    while True:
        try:
            return assess(id, request, rules=book), tuple(stale)
        except InputError as error:
            dropped = _drop_faults(request, error)
            if not dropped:
                raise
            stale.extend(dropped)


def _drop_faults(request: dict[str, Any], error: InputError) -> list[str]:
    """Take what the library refused out of a request; the names taken out."""
    dropped = []
    for fault in error.errors:
        part, _, name = fault["where"].partition(".")
        known = request.get(part)
        if isinstance(known, dict) and known.pop(name, None) is not None:
            dropped.append(name)
        elif isinstance(known, dict) and fault["given"] in known:
            dropped.append(fault["given"])
            del known[fault["given"]]
    return dropped


def _drop_case_faults(case: dict[str, Any], error: InputError) -> bool:
    dropped = False
    for fault in error.errors:
        path = fault["where"].split(".", 2)
        if path[0] in ("facts", "person") and len(path) > 1:
            name = fault["where"].split(".", 1)[1]
            dropped |= case[path[0]].pop(name, None) is not None
        elif path[0] == "assessments" and len(path) == 3:
            inner = InputError([{**fault, "where": path[2].replace("context.", "facts.")}])
            taken = _drop_faults({**case["assessments"][int(path[1])], "facts": case["facts"]}, inner)
            dropped |= bool(taken)
    return dropped


def _inapplicable(items: list[Item], given: Mapping[str, Any], result: Mapping[str, Any]) -> frozenset[str]:
    """Items that other answers make pointless: not asked for, or given and not counted."""
    if result["complete"] and not result["scores"]:
        return frozenset()
    uncounted = {name for w in result["warnings"] if w["id"] == "not_counted" for name in w["items"]}
    return frozenset(
        item.id
        for item in items
        if item.applies_when
        and (item.id in uncounted if item.id in given else not item.optional and item.id not in result["missing"])
    )


def _open_facts(
    instrument: Instrument, missing: list[str], context: Mapping[str, Any], result: Mapping[str, Any]
) -> tuple[str, ...]:
    """Context that nobody answered: what the library had to assume, and what the grade cannot do without."""
    assumed = {name for w in result["warnings"] if w["id"] == "assumed" for name in w["items"]}
    needed = (
        set()
        if result["complete"]
        else {u.fact for u in instrument.context if u.if_not_given is None and not u.optional}
    )
    wanted = (assumed | needed | set(missing)) - set(context) - PERSON_PAGE
    return tuple(use.fact for use in instrument.context if use.fact in wanted)


def _chosen_first(result: Mapping[str, Any]) -> set[str]:
    return {name for w in result["warnings"] if w["id"] == "choose" for name in w["items"]}
