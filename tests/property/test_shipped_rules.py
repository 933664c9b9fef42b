"""What the documents claim of every shipped instrument and every shipped place, tried on people nobody chose.

The people and sheets come from `yyassess.testing`, which any city can use on rules of its own.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import BOOK, DAYS, INSTRUMENTS, PLACES, with_licences

from yyassess import Rulebook, assess, determine
from yyassess.entitlement.plan import ready
from yyassess.rulebook.loading import shipped_rules
from yyassess.testing import cases, requests

GRADED = [id for id in INSTRUMENTS if BOOK.instruments[id].grade]
STATUSES = {"eligible", "ineligible", "unknown", "not_configured", "not_in_force"}
some = settings(
    max_examples=max(6, settings().max_examples // 12), deadline=None, suppress_health_check=list(HealthCheck)
)
days = st.sampled_from(DAYS)


def written(result: Any) -> str:
    """The bytes of a result."""
    return json.dumps(result, ensure_ascii=False, sort_keys=True, allow_nan=False)


def people(place: str, on: dt.date | None = None) -> st.SearchStrategy[tuple[dict[str, Any], dt.date]]:
    """A case of a place, and the day asked about."""
    chosen = days if on is None else st.just(on)
    return chosen.flatmap(lambda day: st.tuples(cases(place, on=day), st.just(day)))


@pytest.fixture(scope="module")
def again() -> Rulebook:
    """The shipped rules, read a second time from their files."""
    return with_licences(Rulebook.load(cache=False))


def later_texts(folder: Path) -> Rulebook:
    """The shipped rules with one more text of every programme, which goes back to 2000 and is known only from 2040."""
    later = "  - {in_force: {from: 2000-01-01}, known_from: 2040-01-01, criteria: [{id: new, when: age >= 1, evidence: verified, say: {zh: 新, en: New}}]}\n"
    programmes = {origin.file for (kind, _), origin in BOOK.origins.items() if kind == "programme"}
    for file in shipped_rules().rglob("*.yaml"):
        name = file.relative_to(shipped_rules())
        text = file.read_text(encoding="utf-8")
        if f"rules/{name.as_posix()}" in programmes and "\nsame_as:" not in text and "\nends:" not in text:
            before, _, after = text.partition("\nversions:\n")
            text = f"{before.rstrip()}\nversions:\n{later}{after}"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return Rulebook.load(folder, shipped=False, cache=False)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return later_texts(tmp_path_factory.mktemp("later"))


# -- instruments --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", INSTRUMENTS)
@some
@given(data=st.data())
def test_every_sheet_has_one_result_and_asking_changes_nothing(id: str, again: Rulebook, data: st.DataObject) -> None:
    request = data.draw(requests(id, missing=data.draw(st.booleans())))
    before = copy.deepcopy(request)
    first = written(assess(id, request, BOOK))
    assert request == before
    assert written(assess(id, request, BOOK)) == first
    assert written(assess(id, request, again)) == first


@pytest.mark.parametrize("id", INSTRUMENTS)
@some
@given(data=st.data())
def test_an_old_result_is_computed_again_from_its_hash_and_day(id: str, again: Rulebook, data: st.DataObject) -> None:
    request = data.draw(requests(id, missing=True))
    old = assess(id, request, BOOK)
    assert again.instrument(id)
    assert old["ruleset"]["hash"] == assess(id, {}, again)["ruleset"]["hash"], "the hash is that of the rules alone"
    assert old["date"] == old["ruleset"]["on"] == request["date"]
    assert written(assess(id, {**request, "date": old["date"]}, again)) == written(old)


@pytest.mark.parametrize("id", GRADED)
@some
@given(data=st.data())
def test_one_answer_more_never_widens_what_is_possible(id: str, data: st.DataObject) -> None:
    request = data.draw(requests(id))
    known = data.draw(st.sets(st.sampled_from(sorted(request["answers"]))))
    less = {**request, "answers": {i: a for i, a in request["answers"].items() if i in known}}
    hidden = sorted(set(request["answers"]) - known)
    assume(hidden)
    one = data.draw(st.sampled_from(hidden))
    more = {**request, "answers": {**less["answers"], one: request["answers"][one]}}
    narrow, wide = possible(assess(id, more, BOOK)), possible(assess(id, less, BOOK))
    assume(narrow is not None and wide is not None)
    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]  # type: ignore[index]


def possible(result: dict[str, Any]) -> tuple[int, int] | None:
    """The best and the worst grade that are still possible."""
    if result["grade"]:
        return result["grade"]["level"], result["grade"]["level"]
    return (result["bounds"]["best"], result["bounds"]["worst"]) if "bounds" in result else None


@pytest.mark.parametrize("id", GRADED)
@some
@given(data=st.data())
def test_a_grade_typed_in_again_is_the_same_grade(id: str, data: st.DataObject) -> None:
    request = data.draw(requests(id))
    answered = {"assessments": [{"instrument": id, **request}]}
    graded = determine(answered, place="national", on=request["date"], rules=BOOK)["grades"]
    level = graded[id]["level"]
    assume(level is not None)
    assert level == assess(id, request, BOOK)["grade"]["level"]
    typed = {"instrument": id, "date": request["date"], "grade": {"level": level}}
    found = determine({"assessments": [typed]}, place="national", on=request["date"], rules=BOOK)["grades"][id]
    assert {k: found[k] for k in ("level", "code", "date") if k in found} == {
        k: graded[id][k] for k in ("level", "code", "date") if k in graded[id]
    }


# -- places -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", PLACES)
@some
@given(data=st.data())
def test_every_programme_has_one_outcome_that_follows_from_its_criteria(place: str, data: st.DataObject) -> None:
    case, on = data.draw(people(place))
    outcomes = determine(case, place=place, on=on)["outcomes"]
    assert [o["programme"] for o in outcomes] == sorted(BOOK.at(place, on).standings)
    for outcome in outcomes:
        truths = [c["status"] for c in outcome["criteria"]]
        status = outcome["status"]
        assert status in STATUSES
        assert (status == "not_in_force") is (BOOK.at(place, on).standings[real(outcome)].in_force is False)
        if status != "not_in_force":
            assert (status == "ineligible") is ("false" in truths)
            assert (status == "eligible") is (set(truths) == {"true"})
        assert bool(outcome["missing"]) is (status == "unknown")
        assert status not in ("ineligible", "not_in_force") or outcome["benefits"] == []


def real(outcome: dict[str, Any]) -> str:
    """The programme that a row stands for."""
    return str(outcome.get("same_as", outcome["programme"]))


@pytest.mark.parametrize("place", PLACES)
@some
@given(data=st.data())
def test_asking_changes_nothing_and_the_order_of_a_case_never_counts(place: str, data: st.DataObject) -> None:
    case, on = data.draw(people(place))
    before = copy.deepcopy(case)
    first = written(determine(case, place=place, on=on))
    assert case == before
    assert written(determine(case, place=place, on=on)) == first
    turned = {key: dict(reversed(part.items())) if isinstance(part, dict) else part[::-1] for key, part in case.items()}
    assert written(determine(dict(reversed(turned.items())), place=place, on=on)) == first


@pytest.mark.parametrize("place", PLACES)
@some
@given(data=st.data())
def test_what_was_not_known_changes_only_what_asked_for_it(place: str, data: st.DataObject) -> None:
    """Fewer facts: whatever is decided all the same stays so, and whatever is not names a fact that was left out."""
    case, on = data.draw(people(place))
    # Where somebody lives is taken to be the place asked about until another is named.
    keep = {
        part: {n: v for n, v in case[part].items() if n == "residence_place" or data.draw(st.booleans())}
        for part in ("person", "facts")
    }
    kept = [a for a in case["assessments"] if data.draw(st.booleans())]
    less = determine({**keep, "assessments": kept}, place=place, on=on)["outcomes"]
    more = determine(case, place=place, on=on)["outcomes"]
    roots = ready(BOOK.at(place, on), "reference").roots
    left_out = {r for part in keep for n in case[part] if n not in keep[part] for r in (n, *roots.get(n, ()))}
    for assessment in (a for a in case["assessments"] if a not in kept):
        left_out |= {n for n, f in BOOK.facts.items() if assessment["instrument"] in (f.grade_of, f.code_of)}
    derived = {n for n, f in BOOK.facts.items() if f.pathway}
    for before, after in zip(less, more, strict=True):
        if before["status"] == after["status"]:
            continue
        if before["status"] == "unknown":
            assert set(before["missing"]) & (left_out | derived), (before["programme"], left_out)
        else:  # what else there is to know can still fail
            assert (before["status"], after["status"]) == ("not_configured", "ineligible"), before["programme"]


@pytest.mark.parametrize("place", PLACES)
@some
@given(data=st.data())
def test_an_old_determination_is_made_again_from_its_hash_and_days(
    place: str, again: Rulebook, data: st.DataObject
) -> None:
    case, on = data.draw(people(place))
    known_on = data.draw(st.sampled_from((None, on, dt.date(2022, 6, 1))))
    old = determine(case, place=place, on=on, known_on=known_on)
    days = {"on": old["on"], "known_on": old.get("known_on")}
    ruleset = again.at(old["place"], *(dt.date.fromisoformat(d) if d else None for d in days.values()))
    assert ruleset.hash == old["ruleset"]["hash"]
    assert written(determine(case, place=old["place"], rules=again, **days)) == written(old)


@pytest.mark.parametrize("place", PLACES)
@some
@given(data=st.data())
def test_texts_that_became_known_later_do_not_touch_what_was_known_then(
    place: str, grown: Rulebook, data: st.DataObject
) -> None:
    case, on = data.draw(people(place, dt.date(2026, 11, 22)))
    old = determine(case, place=place, on=on, known_on=on)
    now = determine(case, place=place, on=on, known_on=on, rules=grown)
    assert now["ruleset"]["hash"] != old["ruleset"]["hash"], "another rulebook never passes for the old one"
    assert written({**now, "ruleset": old["ruleset"]}) == written(old)


@pytest.mark.parametrize("place", [p for p in PLACES if BOOK.at(p, dt.date(2026, 11, 22)).standings])
def test_those_later_texts_would_have_decided_otherwise(place: str, grown: Rulebook) -> None:
    def new_ones(on: str, **known: str) -> list[str]:
        outcomes = determine({}, place=place, on=on, rules=grown, **known)["outcomes"]
        return [o["programme"] for o in outcomes if [c["id"] for c in o["criteria"]] == ["new"]]

    assert new_ones("2026-11-22")
    assert new_ones("2026-11-22", known_on="2040-01-01") == new_ones("2026-11-22")
    assert new_ones("1999-12-31") == new_ones("2026-11-22", known_on="2039-12-31") == []
