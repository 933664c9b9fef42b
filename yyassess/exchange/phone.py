"""All that a phone needs to grade and decide on its own: the rules of one place on one day, as one JSON file.

The phone parses no expression: every condition is the parsed tree that the library itself walks. The file is the same
for every day on which the same texts hold (``from`` to ``to``), so that its hash changes only when the rules do.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from yyassess.assessment.case import EXPIRED
from yyassess.assessment.scoring import scorer
from yyassess.conditions.tree import facts_of
from yyassess.entitlement.determine import decide
from yyassess.entitlement.plan import ReadyProgramme, ReadyRuleset, ready
from yyassess.entitlement.services import PHASES
from yyassess.exchange.phone_instruments import SAYINGS, Json, instrument_json, lean, pathway_json
from yyassess.exchange.trees import exact_json, tree_json
from yyassess.rulebook.book import Rulebook, Ruleset

__all__ = ["phone_file", "phone_instruments", "phone_rules"]

#: The shape of the file; the phone refuses another.
FORM = 1


def phone_instruments(book: Rulebook, place: str, on: dt.date) -> tuple[str, ...]:
    """The instruments a phone has with it in a place: the place's own bundle, then those that its programmes ask for.

    Raises:
        UnknownName: no such place.
    """
    ruleset = book.at(place, on)
    machine = ready(ruleset, "reference")
    asked = [machine.from_instrument[n] for n in _named(machine) if n in machine.from_instrument]
    return tuple(dict.fromkeys([*book.bundle(place), *(id for id in asked if id)]))


def phone_file(book: Rulebook, place: str, on: dt.date, instruments: Iterable[str] | None = None) -> tuple[bytes, str]:
    """`phone_rules` as UTF-8 JSON, always the same bytes for the same rules, with the SHA-256 of them (hex).

    Args:
        book: the rules.
        place: a place's id, administrative code or name.
        on: the day of the visit.
        instruments: ids; `phone_instruments` if left out.

    Raises:
        UnknownName: no such place or instrument.
    """
    rules = phone_rules(book, place, on, instruments)
    content = json.dumps(rules, ensure_ascii=False, separators=(",", ":")).encode()
    return content, hashlib.sha256(content).hexdigest()


def phone_rules(book: Rulebook, place: str, on: dt.date, instruments: Iterable[str] | None = None) -> Json:
    """The rules of a place on a day as plain JSON for ``webapp/static/evaluator``; same arguments as `phone_file`."""
    ruleset = book.at(place, on)
    machine = ready(ruleset, "reference")
    ids = tuple(dict.fromkeys(phone_instruments(book, place, on) if instruments is None else instruments))
    first, last = _holds(ruleset)
    asked = {root for name in _named(machine) for root in machine.roots.get(name, (name,))} | set(_named(machine))
    told = {use.fact for id in ids for use in book.instrument(id).context}
    return {
        "form": FORM,
        "place": ruleset.place.id,
        "hash": ruleset.hash,
        "from": first and first.isoformat(),
        "to": last and last.isoformat(),
        "sayings": {**SAYINGS, "expired": EXPIRED},
        "phases": PHASES,
        "places": [
            lean({"id": p.id, "code": p.code, "name": p.name["zh"], "aliases": p.aliases}) for p in book.places.values()
        ],
        "facts": {name: _fact(book, machine, name, name in asked, name in told) for name in book.facts},
        "instruments": {id: instrument_json(book, id) for id in ids},
        "levels": _levels(book, ids),
        "pathways": {id: pathway_json(book, id) for id in book.pathways},
        **_programmes(machine),
    }


def _named(machine: ReadyRuleset) -> list[str]:
    """The facts of the vocabulary that the programmes of a place ask for, criteria first."""
    found = dict.fromkeys(machine.needs)
    for programme in machine.programmes.values():
        text = programme.standing.programme
        parts: tuple[Any, ...] = (*text.benefits, *text.services, *text.effects)
        for part in parts:
            if part.when is not None:
                found.update(dict.fromkeys(facts_of(machine.trees[part.when])))
        for row in programme.benefits:
            found.update(dict.fromkeys(row.amount_names))
    names = (n.split(":")[1] if n.startswith("lies_in:") else n for n in found)
    return [n for n in dict.fromkeys(names) if n in machine.ruleset.book.facts]


def _fact(book: Rulebook, machine: ReadyRuleset, name: str, asked: bool, told: bool) -> Json:
    """A fact: enough to read it; its words too where this place asks for it."""
    fact = book.facts[name]
    found: Json = {
        "type": fact.type,
        "range": fact.range,
        "decimals": fact.decimals or None,
        "codes": {code: c.name if asked else 0 for code, c in fact.codes.items()},
        "counts": {code: c.number for code, c in fact.codes.items() if c.number is not None},
        "grade_of": fact.grade_of,
        "code_of": fact.code_of,
        "pathway": fact.pathway,
        "personal": fact.personal,
        "derive": tree_json(machine.trees[fact.derive]) if fact.derive else None,
        "roots": machine.roots[name] if fact.derive else None,
        "name": fact.name if asked or told else None,
    }
    if asked:
        found |= {"ask": fact.ask, "unit": fact.unit, "can_change": fact.can_change}
    return lean(found)


def _levels(book: Rulebook, ids: Iterable[str]) -> Json:
    """The levels of the instruments that are not here in full: a grade may still be typed in."""
    here = set(ids)
    others = (id for id in book.instruments if id not in here)
    return {id: list(scorer(book, id).level_json.values()) for id in others}


def _holds(ruleset: Ruleset) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last day on which the same texts stand."""
    one = dt.timedelta(days=1)
    turns: set[dt.date] = set()
    for level in ruleset.book.chain(ruleset.place.id):
        for texts in ruleset.book.programmes.get(level.id, {}).values():
            for text in texts.texts:
                if text.in_force.start is not None:
                    turns.add(text.in_force.start)
                if text.in_force.end is not None:
                    turns.add(text.in_force.end + one)
    first = max((day for day in turns if day <= ruleset.on), default=None)
    after = min((day for day in turns if day > ruleset.on), default=None)
    return first, None if after is None else after - one


# -- programmes -------------------------------------------------------------------------------------------------------
def _programmes(machine: ReadyRuleset) -> Json:
    standings = machine.ruleset.standings
    keys = {key: number for number, key in enumerate(machine.criteria)}
    # Of a person nobody knows anything about: what is said of a programme whoever asks.
    anybody = {o["programme"]: o for o in decide(machine, {}, machine.ruleset)["outcomes"]}
    return {
        "criteria": [tree_json(node) for node in machine.criteria.values()],
        "whereabouts": machine.whereabouts,
        "told": machine.told,
        "order": list(standings),
        "absent": {id: anybody[id] for id in machine.absent},
        "aliases": {id: [target, standings[id].programme.name] for id, target in machine.aliases.items()},
        "programmes": {id: _programme(machine, p, keys, anybody[id]["apply"]) for id, p in machine.programmes.items()},
        "pathway_facts": machine.pathway_facts,
    }


def _programme(machine: ReadyRuleset, programme: ReadyProgramme, keys: dict[str, int], apply: Json) -> Json:
    text = programme.standing.programme

    def tree(when: str | None) -> Any:
        return None if when is None else tree_json(machine.here(machine.trees[when]))

    return lean(
        {
            "head": programme.head,
            "criteria": [
                lean(
                    {
                        "key": keys[c.key],
                        "id": c.id,
                        "told": c.template,
                        "open": not c.configured,
                        "shown": c.shown,
                        "limits": [tree_json(limit) for limit in c.limits],
                    }
                )
                for c in programme.criteria
            ],
            "benefits": [_benefit(row, machine, tree) for row in programme.benefits],
            "services": [lean({"say": s.say, "phase": s.phase, "when": tree(s.when)}) for s in text.services],
            "effects": [
                {"when": tree(e.when), "effect": e.effect, "say": e.say, "evidence": e.evidence.mark}
                for e in text.effects
                if e.when is not None
            ],
            "interactions": [
                {"kind": i.kind, "with": i.programme, "say": i.say, "evidence": i.evidence.mark}
                for i in text.interactions
            ],
            "grade_facts": programme.grade_facts,
            "unconfirmed": programme.unconfirmed,
            "apply": apply,
            "valid": _span(text.valid_for),
            "reassess": _span(text.reassess),
            "warn_after": text.warn_after and text.warn_after.isoformat(),
            "not_configured": text.not_configured,
        }
    )


def _benefit(row: Any, machine: ReadyRuleset, tree: Any) -> Json:
    amount = row.benefit.amount
    return lean(
        {
            "told": row.template,
            "when": tree(row.benefit.when),
            "names": row.names,
            "amount": tree_json(machine.trees[amount]) if isinstance(amount, str) else None,
            "dated": [
                [d.start and d.start.isoformat(), d.value if d.value == "unknown" else exact_json(d.value)]
                for d in row.dated
            ],
        }
    )


def _span(span: Any) -> Json | None:
    if span is None:
        return None
    months = span.months if span.months is not None else span.months_at_most
    return {"evidence": span.evidence.mark, **({"say": span.say} if span.say else {}), "months": months}
