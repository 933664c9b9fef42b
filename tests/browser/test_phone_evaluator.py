"""The phone's own evaluator gives what the library gives, whole result for whole result, in a real Chromium.

Random sheets and people with a fixed seed: complete and incomplete, best and worst, at and beside every figure, unknown
facts, grades typed in, several screens on several days, and input that must be refused.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phone import Phone, phone
from playwright.sync_api import Browser, Route

from tests.browser.made_up_rules import DAY, TOWN, made_up
from tests.property.strategies import BOOK, INSTRUMENTS, Sheet, Town, as_json, form_of, sheet, town
from webapp.evaluator import ENTRY, modules, version
from yyassess import InputError, Rulebook, screen
from yyassess.assurance.people import asked_facts, random_case
from yyassess.entitlement.determine import decide
from yyassess.entitlement.plan import ready
from yyassess.exchange.phone import phone_file
from yyassess.testing import DrawnRuleset, rulesets

ON = dt.date(2026, 11, 22)
EARLIER = dt.date(2025, 10, 1)
PLACES = ("guangzhou-huadu", "chongqing-jiulongpo", "daishan", "dongying-dongyingqu", "yangquan-kuangqu")
SHEETS, PEOPLE, SCREENED, SPOILT, TOWNSPEOPLE = 100, 60, 120, 250, 120
LEANINGS = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def device() -> Phone:
    return phone()


# -- what is asked -------------------------------------------------------------------------------------------------
def some_answers(rng: random.Random, id: str) -> Json:
    lost = rng.choice((0, 0, 0, 0.03, 0.1, 0.5))
    filled = sheet(id).filled(rng, rng.choice(LEANINGS))
    return {item: as_json(answer) for item, answer in filled.items() if rng.random() >= lost}


def some_context(rng: random.Random, id: str) -> Json:
    known = rng.choice((1.0, 0.7, 0.3, 0.0))
    return {name: value for name, value in sheet(id).context(rng).items() if rng.random() < known}


def request(rng: random.Random, id: str) -> Json:
    """A request for one instrument; now and then one that must be refused."""
    asked: Json = {"answers": some_answers(rng, id), "context": some_context(rng, id)}
    if rng.random() < 0.8:
        asked["settings"] = sheet(id).settings(rng)
    if rng.random() < 0.9:
        asked["date"] = "2026-11-20"
    if rng.random() < 0.05 and asked["answers"]:
        asked["answers"][rng.choice(list(asked["answers"]))] = rng.choice((None, -1, 99, "x", 1.5, True))
    return asked


def assessment(rng: random.Random, id: str, day: str) -> Json:
    """An assessment with answers, or with a level typed in."""
    levels = BOOK.instruments[id].levels
    made: Json = {"instrument": id, "date": day}
    if rng.random() < 0.5:
        made["context"] = nested(some_context(rng, id)) if rng.random() < 0.5 else some_context(rng, id)
    if rng.random() < 0.6:
        made["settings"] = sheet(id).settings(rng)
    if not levels or rng.random() < 0.7:
        return {**made, "answers": some_answers(rng, id)}
    level = rng.choice(levels)
    return {**made, **rng.choice(({"grade": {"level": level.level}}, {"grade": level.level}, {"code": level.code}))}


def nested(facts: Json) -> Json:
    """Facts with a dot in their names, each under its first part."""
    found: Json = {}
    for name, value in facts.items():
        first, _, second = name.partition(".")
        if second:
            found.setdefault(first, {})[second] = value
        else:
            found[name] = value
    return found


def case(rng: random.Random, here: Town) -> Json:
    """A person of whom everything, much or little is known, with up to three instruments answered."""
    made = here.case(here.person(rng, rng.choice((1.0, 0.95, 0.8, 0.5, 0.2))))
    for graded in made["assessments"]:
        graded["date"] = day_before(rng, here.on)
    for id in rng.sample(INSTRUMENTS, rng.choice((0, 1, 2, 3))):
        kept = [a for a in made["assessments"] if a["instrument"] != id or rng.random() < 0.3]
        made["assessments"] = [*kept, assessment(rng, id, day_before(rng, here.on))]
    if rng.random() < 0.1:
        made["person"]["birth_date"] = rng.choice(
            ("1944-02-29", "1946-11-22", "1946-11-23", "1961-02-28", "2030-01-01")
        )
    if rng.random() < 0.03:
        made["facts"]["age"] = 77
    if rng.random() < 0.2:
        made["person"]["registration_place"] = rng.choice(
            ("花都区", "330900", "440000", "440114", "500107", "zhoushan")
        )
    if rng.random() < 0.5:
        made["facts"] = nested(made["facts"])
    for name in rng.sample(sorted(made["facts"]), min(2, len(made["facts"]))) if rng.random() < 0.1 else ():
        made["person"][name] = made["facts"][name]
    return made


def day_before(rng: random.Random, on: dt.date) -> str:
    return (on - dt.timedelta(days=rng.choice((0, 3, 30, 400, 800)))).isoformat()


JUNK = (
    None, True, False, 0, 1, -1, 2.5, 1e300, 0.1, "", "x", "2026-02-30", "2026-11-22", [], ["x"], [1], {}, {"a": 1}, "330921", "舟山",
    "unknown", "moderate", 10**18,
)  # fmt: skip


def spoilt(rng: random.Random, given: Any) -> Any:
    """The same with one part replaced, added or taken away."""
    if isinstance(given, dict) and given and rng.random() < 0.9:
        key, changed, choice = rng.choice(list(given)), dict(given), rng.random()
        if choice < 0.15:
            changed["nonsense"] = rng.choice(JUNK)
        elif choice < 0.2:
            del changed[key]
        else:
            changed[key] = spoilt(rng, given[key])
        return changed
    if isinstance(given, list) and given and rng.random() < 0.9:
        place = rng.randrange(len(given))
        return [*given[:place], spoilt(rng, given[place]), *given[place + 1 :]]
    return rng.choice(JUNK)


# -- what is said --------------------------------------------------------------------------------------------------
def plainly(work: Any) -> Any:
    """The library's answer as JSON; of a refusal, what is wrong where, and what would be allowed."""
    try:
        return json.loads(json.dumps(work()))
    except InputError as error:
        return {"thrown": "InputError", "errors": refusal(json.loads(json.dumps(error.errors)))}


def refusal(errors: list[Json]) -> list[Json]:
    return [{"where": e["where"], "allowed": e["allowed"]} for e in errors]


def heard(answer: Any) -> Any:
    """The phone's answer, its refusals reduced in the same way."""
    return {**answer, "errors": refusal(answer["errors"])} if "errors" in answer else answer


def differences(library: Any, device: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ. True is not 1 here."""
    if isinstance(library, Mapping) and isinstance(device, Mapping):
        for key in {**library, **device}:
            if key not in library or key not in device:
                yield f"{path}.{key} is only on {'the phone' if key in device else 'the server'}"
            else:
                yield from differences(library[key], device[key], f"{path}.{key}")
    elif isinstance(library, list) and isinstance(device, list) and len(library) == len(device):
        for place, (first, second) in enumerate(zip(library, device, strict=True)):
            yield from differences(first, second, f"{path}[{place}]")
    elif library != device or isinstance(library, bool) != isinstance(device, bool):
        yield f"{path}: {library!r} on the server, {device!r} on the phone"


def agree(asked: list[Any], library: list[Any], device: list[Any]) -> None:
    assert len(asked) == len(library) == len(device)
    for question, first, second in zip(asked, library, device, strict=True):
        wrong = list(differences(first, heard(second)))
        assert wrong == [], f"{wrong[:5]} for {json.dumps(question, ensure_ascii=False)}"


def take(device: Phone, place: str, on: dt.date, all_of_them: bool = True) -> None:
    device.take(phone_file(BOOK, place, on, BOOK.instruments if all_of_them else None)[0])


# -- the same in every result --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def with_all_instruments(device: Phone) -> Phone:
    take(device, "guangzhou-huadu", ON)
    return device


@pytest.mark.parametrize("id", INSTRUMENTS)
def test_every_sheet_has_the_same_result(with_all_instruments: Phone, id: str) -> None:
    rng = random.Random(f"sheets of {id}")
    asked = [request(rng, id) for _ in range(SHEETS)]
    library = [plainly(lambda one=one: sheet(id).scorer.assess(one)) for one in asked]
    agree(asked, library, with_all_instruments.call("assess", [[id, one] for one in asked]))
    assert {True, False} <= {one.get("complete") for one in library}, "both complete and incomplete sheets were tried"


@pytest.mark.parametrize("on", [ON, EARLIER], ids=str)
@pytest.mark.parametrize("place", PLACES)
def test_every_person_has_the_same_determination(device: Phone, place: str, on: dt.date) -> None:
    take(device, place, on)
    rng = random.Random(f"people of {place} on {on}")
    ruleset = BOOK.at(place, on)
    machine = ready(ruleset, "reference")
    asked = [case(rng, town(place, on)) for _ in range(PEOPLE)]
    library = [plainly(lambda one=one: decide(machine, one, ruleset)) for one in asked]
    agree(asked, library, device.call("determine", [[one, on.isoformat()] for one in asked]))
    told = {o["status"] for one in library for o in one.get("outcomes", ())}
    assert {"eligible", "ineligible", "unknown", "not_configured"} <= told


def test_every_person_has_the_same_screening_result(device: Phone) -> None:
    take(device, "daishan", ON)
    rng = random.Random("screens")
    asked = [case(rng, town("daishan", ON)) for _ in range(SCREENED)]
    library = [plainly(lambda one=one: screen(one, on=ON, rules=BOOK)) for one in asked]
    agree(asked, library, device.call("screen", [[one, ON.isoformat()] for one in asked]))
    assert len({(one.get("result") or {}).get("code") for one in library}) > 4


def test_what_cannot_be_read_is_refused_at_the_same_places(device: Phone) -> None:
    take(device, "daishan", ON)
    rng = random.Random("spoilt")
    asked = [spoilt(rng, case(rng, town("daishan", ON))) for _ in range(SPOILT)]
    ruleset = BOOK.at("daishan", ON)
    library = [plainly(lambda one=one: decide(ready(ruleset, "reference"), one, ruleset)) for one in asked]
    agree(asked, library, device.call("determine", [[one, ON.isoformat()] for one in asked]))
    assert sum("thrown" in one for one in library) > SPOILT // 2


# -- rules that are not shipped ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def book_of_the_town(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return made_up(tmp_path_factory.mktemp("rules"))


def scale_request(rng: random.Random, form: Sheet) -> Json:
    """A request for the made-up scale."""
    answered, known = rng.choice((1, 1, 0.9, 0.6)), rng.choice((1, 0.7))
    filled = form.filled(rng, rng.choice(LEANINGS))
    asked: Json = {"answers": {id: as_json(answer) for id, answer in filled.items() if rng.random() < answered}}
    asked["context"] = {name: value for name, value in form.context(rng).items() if rng.random() < known}
    return {**asked, "settings": form.settings(rng)} if rng.random() < 0.8 else asked


def test_every_scoring_kind_and_adjustment_of_a_made_up_scale_is_the_same(
    device: Phone, book_of_the_town: Rulebook
) -> None:
    device.take(phone_file(book_of_the_town, TOWN, dt.date.fromisoformat(DAY))[0])
    form, rng = form_of(book_of_the_town, "scale"), random.Random("scale")
    asked = [scale_request(rng, form) for _ in range(150)]
    library = [plainly(lambda one=one: form.scorer.assess(one)) for one in asked]
    agree(asked, library, device.call("assess", [["scale", one] for one in asked]))
    moved = {a["id"] for one in library for a in one.get("adjustments", ())}
    assert moved == {"asleep_all_day", "coma_worst", "confused_up", "ill_up"}
    assert len({json.dumps(one.get("bounds")) for one in library}) > 4


@pytest.mark.parametrize("on", [DAY, "2026-07-01", "2026-12-31", "2027-01-01"])
def test_every_kind_of_programme_of_a_made_up_town_is_the_same(
    device: Phone, book_of_the_town: Rulebook, on: str
) -> None:
    book, day = book_of_the_town, dt.date.fromisoformat(on)
    device.take(phone_file(book, TOWN, day)[0])
    form, here, rng = form_of(book, "scale"), Town(TOWN, day, book), random.Random(on)
    asked = [town_case(rng, here, form) for _ in range(TOWNSPEOPLE)]
    ruleset = book.at(TOWN, day)
    library = [plainly(lambda one=one: decide(ready(ruleset, "reference"), one, ruleset)) for one in asked]
    agree(asked, library, device.call("determine", [[one, on] for one in asked]))
    outcomes = [o for one in library for o in one.get("outcomes", ())]
    results = {json.dumps(i["result"]) for o in outcomes for i in o["interactions"] if "result" in i}
    assert len(results) >= 4, "one or the other gave way, or it must be asked"
    assert {1, 2} <= {len(o.get("what_if", ())) for o in outcomes}
    assert any("suspended" in o for o in outcomes) and any("ended" in o for o in outcomes)


def town_case(rng: random.Random, here: Town, form: Sheet) -> Json:
    made = here.case(here.person(rng, rng.choice((1.0, 0.95, 0.8, 0.5, 0.2))))
    # Of the two facts that are the grade and its code, only one can be typed in.
    made["assessments"] = made["assessments"][:1]
    if rng.random() < 0.3:
        days = rng.sample(("2025-11-30", "2025-12-01", "2026-01-31", DAY), rng.choice((1, 2)))
        made["assessments"] = [{"instrument": "scale", "date": day, **scale_request(rng, form)} for day in days]
    return made


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(drawn=rulesets(), seed=st.integers(0, 2**32 - 1))
def test_drawn_rulesets_decide_the_same(drawn: DrawnRuleset, seed: int) -> None:
    rng, asked_for, device = random.Random(seed), asked_facts(drawn), phone()
    device.take(phone_file(drawn.book, drawn.place.id, drawn.on)[0])
    asked = [random_case(drawn, asked_for, rng) for _ in range(20)]
    ruleset = drawn.book.at(drawn.place.id, drawn.on)
    library = [plainly(lambda one=one: decide(ready(ruleset, "reference"), one, ruleset)) for one in asked]
    agree(asked, library, device.call("determine", [[one, drawn.on.isoformat()] for one in asked]))


# -- the comparison itself ----------------------------------------------------------------------------------------------
def test_a_figure_that_is_one_off_on_the_phone_is_found(device: Phone) -> None:
    """Otherwise the tests above would prove nothing."""
    rules = json.loads(phone_file(BOOK, "guangzhou-huadu", ON)[0])
    step = next(s for s in rules["instruments"]["gbt-42195-2022"]["steps"] if s["kind"] == "band")
    step["cuts"][-1][0] += 1
    device.take(json.dumps(rules).encode())
    rng = random.Random("off by one")
    asked = [request(rng, "gbt-42195-2022") for _ in range(400)]
    library = [plainly(lambda one=one: sheet("gbt-42195-2022").scorer.assess(one)) for one in asked]
    with pytest.raises(AssertionError, match="on the phone"):
        agree(asked, library, device.call("assess", [["gbt-42195-2022", one] for one in asked]))


# -- exact numbers and days ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tree", "record", "truth"),
    [
        (["=", ["+", "a", "b"], ["n", "0.3"]], {"a": {"n": "0.1"}, "b": {"n": "0.2"}}, True),
        (["=", ["*", "a", ["n", "1.1"]], ["n", "3.63"]], {"a": {"n": "3.3"}}, True),
        (["<", "a", ["n", "9007199254740993"]], {"a": {"n": "9007199254740992"}}, True),
        (["=", ["-", "a", 1], ["n", "9007199254740992"]], {"a": {"n": "9007199254740993"}}, True),
        (["=", "a", 2], {"a": {"n": "2.000"}}, True),
        (["in", "a", [["n", "0.50"], 7]], {"a": {"n": "0.5"}}, True),
        (["=", ["least", "a", "b"], 1], {"a": 1, "b": {"n": "1.01"}}, True),
        (["=", ["greatest", "a", "b"], 1], {"a": 1, "b": None}, None),
        (["=", ["age_on", "a", "b"], 59], {"a": "1964-02-29", "b": "2024-02-28"}, True),
        (["=", ["age_on", "a", "b"], 61], {"a": "1964-02-29", "b": "2025-03-01"}, True),
        (["=", ["age_on", "a", "b"], 60], {"a": "1964-02-29", "b": "2025-02-28"}, True),
        (["=", ["months_between", "a", "b"], 0], {"a": "2024-01-31", "b": "2024-02-29"}, True),
        (["=", ["months_between", "a", "b"], -1], {"a": "2024-03-31", "b": "2024-02-29"}, True),
        (["<", "a", ["d", "2024-01-01"]], {"a": "0999-12-31"}, True),
        (["&", ["?", "a"], ["?", "b"]], {"a": None, "b": False}, False),
        (["|", ["?", "a"], ["?", "b"]], {"b": False}, None),
        (["!", ["has", "a", "x"]], {}, None),
        (["!", ["has", "a", "x"]], {"a": []}, True),
    ],
)
def test_conditions_are_exact_and_know_the_unknown(device: Phone, tree: Any, record: Json, truth: bool | None) -> None:
    [[found]] = device.call("decideAll", [[{"criteria": {"c": tree}, "programmes": {"p": ["c"]}}, [record]]])
    assert found["criteria"]["c"] is truth
    assert found["outcomes"]["p"] == {True: "eligible", False: "ineligible", None: "unknown"}[truth]


# -- what the phone does not have ------------------------------------------------------------------------------------------
def test_rules_are_not_used_on_a_day_they_do_not_hold(device: Phone) -> None:
    take(device, "guangzhou-huadu", ON, all_of_them=False)
    last = json.loads(phone_file(BOOK, "guangzhou-huadu", ON)[0])["to"]
    after = (dt.date.fromisoformat(last) + dt.timedelta(days=1)).isoformat()
    held, late = device.call("determine", [[{}, last], [{}, after]])
    assert held["on"] == last
    assert late["thrown"] == "NotHere" and after in late["message"]


def test_an_instrument_that_is_not_on_the_phone_is_never_graded(device: Phone) -> None:
    take(device, "guangzhou-huadu", ON, all_of_them=False)
    [alone] = device.call("assess", [["phq-9", {}]])
    assert alone["thrown"] == "NotHere"
    answered = {"instrument": "phq-9", "date": "2026-11-22", "answers": {}}
    typed_in = {"instrument": "ad8", "date": "2026-11-22", "grade": {"level": 1}}
    wrong, right = device.call("determine", [[{"assessments": [a]}, "2026-11-22"] for a in (answered, typed_in)])
    assert wrong["errors"][0]["where"] == "assessments.0"
    assert right["grades"]["ad8"]["level"] == 1


def test_rules_of_another_form_are_refused(device: Phone) -> None:
    rules = json.loads(phone_file(BOOK, "yangquan-kuangqu", ON)[0])
    device.take(json.dumps({**rules, "form": rules["form"] + 1}).encode())
    [refused] = device.call("determine", [[{}, ON.isoformat()]])
    assert refused["thrown"] == "NotHere"


# -- how the modules are served ------------------------------------------------------------------------------------------
PAGE = """<!doctype html><html lang="zh"><title>page</title><script type="module" nonce="once">
import { holdOn } from "%s"; document.title = holdOn({ from: null, to: "2026-12-31" }, "2026-11-22");
</script></html>"""


def test_one_folder_with_a_version_serves_all_modules_to_a_page_that_runs_only_its_own_scripts(
    browser: Browser,
) -> None:
    folder = f"/evaluator/{version()}/"
    asked: list[str] = []

    def serve(route: Route) -> None:
        address = route.request.url.removeprefix("http://form.test")
        if address == "/":
            headers = {"content-security-policy": "default-src 'self'; script-src 'nonce-once'; base-uri 'none'"}
            route.fulfill(body=PAGE % (folder + ENTRY), content_type="text/html", headers=headers)
        elif address.startswith(folder):
            asked.append(address.removeprefix(folder))
            route.fulfill(body=modules()[asked[-1]], content_type="text/javascript")
        else:
            route.fulfill(status=404)

    page = browser.new_page()
    page.route("http://form.test/**", serve)
    page.goto("http://form.test/")
    page.wait_for_function("document.title !== 'page'")
    assert page.title() == "true"
    assert sorted(asked) == sorted(modules())
    page.close()


def test_the_version_follows_the_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, content in modules().items():
        (tmp_path / name).write_bytes(content)
    before = version()
    monkeypatch.setattr("webapp.evaluator.FOLDER", tmp_path)
    assert version() == before
    (tmp_path / ENTRY).write_bytes(b"// changed")
    assert version() != before
