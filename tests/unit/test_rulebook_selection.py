"""What stands in a place on a day: nesting, overriding, ending, versions, what was known when, and the content hash."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yyassess import Rulebook, RulebookError, UnknownName, determine
from yyassess.rulebook.book import canonical, content_hash
from yyassess.rulebook.yaml_reader import read_yaml

TODAY = dt.date(2026, 11, 22)

CITYS_OWN = """\
id: allowance
name: {zh: 市津贴, en: Allowance of the city}
kind: allowance
status: in_force
source: {document: notice}
evidence: verified
in_force: {from: 2022-01-01}
criteria:
  - {id: old-enough, when: years >= 70, say: {zh: 年满70周岁, en: Aged 70 or more}, evidence: verified}
"""

LATER_TEXTS = """\
versions:
  - in_force: {from: 2024-01-01}
    name: {zh: 新津贴, en: New allowance}
  - in_force: {from: 2023-01-01, to: 2023-06-30}
    kind: subsidy
  - in_force: {from: 2025-01-01}
    known_from: 2025-09-01
    criteria:
      - {id: old-enough, when: years >= 90, say: {zh: 年满90周岁, en: Aged 90 or more}, evidence: verified}
"""


def standing(
    book: Rulebook, place: str, on: str = "2026-11-22", known_on: str | None = None, id: str = "allowance"
) -> Any:
    known = dt.date.fromisoformat(known_on) if known_on else None
    return book.at(place, dt.date.fromisoformat(on), known).standings.get(id)


# ---- places ----------------------------------------------------------------------------------------------------
def test_a_place_lies_in_all_places_around_it_the_nation_first(rules: Any) -> None:
    assert [p.id for p in rules.load().chain("district")] == ["national", "province", "city", "district"]


@pytest.mark.parametrize("name", ["city", "330900", "市", "海市"])
def test_a_place_goes_by_id_code_name_and_alias(rules: Any, name: str) -> None:
    book = rules.load()
    assert book.place(name).id == "city"
    assert book.at(name, TODAY).hash == book.at("city", TODAY).hash


def test_a_place_that_does_not_exist_is_answered_with_the_nearest_and_all_there_are(rules: Any) -> None:
    with pytest.raises(UnknownName) as caught:
        rules.load().at("distrikt", TODAY)
    assert caught.value.suggestion == "district"
    assert caught.value.allowed == ["city", "district", "national", "province"]
    with pytest.raises(UnknownName, match="unknown instrument 'scael'; did you mean 'scale'"):
        rules.load().instrument("scael")


def test_a_programme_of_the_nation_stands_in_every_place(rules: Any) -> None:
    book = rules.load()
    for place in book.places:
        assert standing(book, place).place == "national"


def test_a_programme_of_a_city_stands_in_its_districts_and_nowhere_else(rules: Any) -> None:
    rules.write("city/own.yaml", CITYS_OWN.replace("id: allowance", "id: own"))
    book = rules.load()
    assert {place for place in book.places if standing(book, place, id="own")} == {"city", "district"}


def test_the_nearer_text_of_one_id_wins(rules: Any) -> None:
    rules.write("city/allowance.yaml", CITYS_OWN)
    book = rules.load()
    assert {place: standing(book, place).place for place in book.places} == {
        "national": "national",
        "province": "national",
        "city": "city",
        "district": "city",
    }


def test_a_nearer_text_wins_only_while_it_is_in_force(rules: Any) -> None:
    rules.write("city/allowance.yaml", CITYS_OWN)
    book = rules.load()
    assert standing(book, "city", "2021-12-31").place == "national"
    assert standing(book, "city", "2022-01-01").place == "city"


def test_a_place_may_end_a_programme_of_the_places_around_it(rules: Any) -> None:
    rules.write("city/allowance.yaml", CITYS_OWN.split("criteria")[0] + "ends: true\n")
    book = rules.load()
    assert standing(book, "city", "2021-12-31").in_force
    assert standing(book, "city", "2022-01-01") is None
    assert standing(book, "district", "2022-01-01") is None
    assert standing(book, "province", "2022-01-01").in_force


def test_a_district_may_take_up_again_what_its_city_ended(rules: Any) -> None:
    rules.write("city/allowance.yaml", CITYS_OWN.split("criteria")[0] + "ends: true\n")
    rules.write("city/district/allowance.yaml", CITYS_OWN)
    book = rules.load()
    assert standing(book, "city") is None
    assert standing(book, "district").place == "district"


def test_a_folder_inside_belongs_to_the_place_it_names(rules: Any) -> None:
    (rules.path / "city/district/place.yaml").unlink()
    rules.change(
        "city/place.yaml",
        (
            "programmes_of",
            '  - {id: district, code: "330921", name: {zh: 区, en: D}, level: district, within: city}\nprogrammes_of',
        ),
    )
    rules.write("city/district/own.yaml", CITYS_OWN.replace("id: allowance", "id: own"))
    assert set(rules.load().programmes) == {"national", "district"}


# ---- days ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("on", "name", "in_force"),
    [
        ("2019-12-31", "Allowance", False),
        ("2020-01-01", "Allowance", True),
        ("2022-12-31", "Allowance", True),
        ("2023-01-01", "Allowance", True),
        ("2023-12-31", "Allowance", True),
        ("2024-01-01", "New allowance", True),
        ("2026-01-01", "Allowance", True),
    ],
)
def test_the_text_that_began_last_stands(rules: Any, on: str, name: str, in_force: bool) -> None:
    rules.write(
        "national/allowance.yaml", (rules.path / "national/allowance.yaml").read_text(encoding="utf-8") + LATER_TEXTS
    )
    found = standing(rules.load(), "city", on)
    assert (found.programme.name["en"], found.in_force) == (name, in_force)


def test_a_version_keeps_what_it_does_not_change(rules: Any) -> None:
    rules.write(
        "national/allowance.yaml", (rules.path / "national/allowance.yaml").read_text(encoding="utf-8") + LATER_TEXTS
    )
    book = rules.load()
    assert [standing(book, "city", day).programme.kind for day in ("2023-06-30", "2023-07-01", "2024-01-01")] == [
        "subsidy",
        "allowance",
        "allowance",
    ]
    assert (
        standing(book, "city", "2024-05-01").programme.criteria
        == standing(book, "city", "2020-05-01").programme.criteria
    )
    assert (
        standing(book, "city", "2025-05-01").programme.benefits
        == standing(book, "city", "2020-05-01").programme.benefits
    )


def test_before_and_after_its_time_a_programme_is_not_in_force_and_shows_its_nearest_text(rules: Any) -> None:
    text = (rules.path / "national/allowance.yaml").read_text(encoding="utf-8")
    text = text.replace("in_force: {from: 2020-01-01}", "in_force: {from: 2020-01-01, to: 2020-12-31}")
    later = "versions:\n  - {in_force: {from: 2024-01-01, to: 2024-12-31}, name: {zh: 三, en: Third}}\n"
    later += "  - {in_force: {from: 2022-01-01, to: 2022-12-31}, name: {zh: 二, en: Second}}\n"
    rules.write("national/allowance.yaml", text + later)
    book = rules.load()
    for on, name, in_force in (
        ("2019-06-01", "Allowance", False),
        ("2020-06-01", "Allowance", True),
        ("2021-06-01", "Allowance", False),
        ("2022-06-01", "Second", True),
        ("2023-06-01", "Second", False),
        ("2024-06-01", "Third", True),
        ("2026-06-01", "Third", False),
    ):
        found = standing(book, "city", on)
        assert (found.programme.name["en"], found.in_force) == (name, in_force), on


def test_a_past_decision_is_recomputed_with_what_was_known_then(rules: Any) -> None:
    rules.write(
        "national/allowance.yaml", (rules.path / "national/allowance.yaml").read_text(encoding="utf-8") + LATER_TEXTS
    )
    book = rules.load()

    def rule(known_on: str | None) -> str:
        return standing(book, "city", "2025-06-01", known_on).programme.criteria[0].when

    assert rule(None) == "years >= 90"
    assert rule("2025-09-01") == "years >= 90"
    assert rule("2025-08-31") == "years >= 80"
    assert not standing(book, "city", "2025-06-01", "2019-12-31").in_force


def test_a_text_is_known_from_its_first_day_unless_it_says_so_and_a_version_does_not_inherit_that_day(
    rules: Any,
) -> None:
    text = (rules.path / "national/allowance.yaml").read_text(encoding="utf-8")
    rules.write(
        "national/allowance.yaml",
        text + "known_from: 2019-06-01\nversions:\n  - {in_force: {from: 2024-01-01}, name: {zh: 新, en: New}}\n",
    )
    book = rules.load()
    assert standing(book, "city", "2020-06-01", "2019-06-01").in_force
    assert standing(book, "city", "2024-06-01", "2023-12-31").programme.name["en"] == "Allowance"
    assert standing(book, "city", "2024-06-01", "2024-01-01").programme.name["en"] == "New"


@pytest.mark.parametrize(
    ("on", "amount"),
    [("2020-01-01", 100), ("2023-12-31", 100), ("2024-01-01", 150), ("2026-11-22", 150)],
)
def test_a_dated_figure_holds_from_its_day_until_the_next(rules: Any, on: str, amount: int) -> None:
    case = {"facts": {"years": 80, "scheme": "employee"}}
    [outcome] = determine(case, place="city", on=on, rules=rules.load())["outcomes"]
    assert (outcome["status"], outcome["benefits"][0]["amount"]) == ("eligible", amount)


def test_a_figure_nobody_knows_from_a_day_on_is_not_configured_from_then(rules: Any) -> None:
    rules.change("national/allowance.yaml", ("{from: 2024-01-01, value: 150}", "{from: 2024-01-01, value: unknown}"))
    case = {"facts": {"years": 80, "scheme": "employee"}}
    before, after = (
        determine(case, place="city", on=on, rules=rules.load())["outcomes"][0]["benefits"][0]
        for on in ("2023-12-31", "2024-01-01")
    )
    assert before["amount"] == 100
    assert (after["amount"], after["not_configured"]) == (None, True)


def test_figures_are_exact(rules: Any) -> None:
    rules.change("national/allowance.yaml", ("value: 150", "value: 150.10"))
    dated = standing(rules.load(), "city").programme.benefits[0].amount[-1]
    assert dated.value == Decimal("150.10")


# ---- the content hash --------------------------------------------------------------------------------------------
def test_the_hash_is_that_of_the_content(rules: Any) -> None:
    first, second = rules.load(), rules.load()
    assert first.hash.startswith("sha256:")
    assert len(first.hash) == len("sha256:") + 64
    assert (first.hash, first) == (second.hash, second)
    assert first.at("city", TODAY).hash == second.at("city", TODAY).hash


def folders(rules: Any) -> dict[str, Any]:
    return {p.relative_to(rules.path).as_posix(): p for p in sorted(rules.path.rglob("*.yaml"))}


def test_comments_spacing_and_quotes_do_not_change_the_hash(rules: Any) -> None:
    before = rules.load()
    for file in folders(rules).values():
        text = file.read_text(encoding="utf-8")
        file.write_text("# a comment\n\n" + text.replace("\n", "   # more\n\n") + "\n\n# the end\n", encoding="utf-8")
    rules.change("instruments/scale.yaml", ("kind: ability", "kind:   'ability'"))
    after = rules.load()
    assert after.hash == before.hash
    assert after.at("district", TODAY).hash == before.at("district", TODAY).hash


def reordered(thing: Any, shuffle: random.Random) -> Any:
    if isinstance(thing, dict):
        keys = list(thing)
        shuffle.shuffle(keys)
        return {k: reordered(thing[k], shuffle) for k in keys}
    return [reordered(t, shuffle) for t in thing] if isinstance(thing, list) else thing


def written(thing: Any) -> str:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _: Any) -> bool:
            return True

    Plain.add_representer(Decimal, lambda dumper, d: dumper.represent_scalar("tag:yaml.org,2002:float", str(d)))
    return yaml.dump(thing, Dumper=Plain, sort_keys=False, allow_unicode=True)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_keys_and_files_and_their_names_do_not_change_the_hash(rules: Any, seed: int) -> None:
    before = rules.load()
    shuffle = random.Random(seed)
    for name, file in folders(rules).items():
        content = read_yaml(file.read_bytes())[0]
        file.write_text(written(reordered(content, shuffle)), encoding="utf-8")
        if not name.endswith(("place.yaml", "vocabulary.yaml", "sources.yaml")):
            file.rename(file.with_name(f"{shuffle.choice('amz')}-{file.name}"))
    facts = read_yaml((rules.path / "vocabulary.yaml").read_bytes())[0]["facts"]
    first = dict(list(facts.items())[:3])
    rules.write("vocabulary.yaml", written({"facts": first}))
    rules.write("city/vocabulary.yaml", written({"facts": {k: v for k, v in facts.items() if k not in first}}))
    after = rules.load()
    assert after.hash == before.hash
    assert after.at("city", TODAY).hash == before.at("city", TODAY).hash


def leaves(thing: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(thing, (dict, list)):
        for key, value in thing.items() if isinstance(thing, dict) else enumerate(thing):
            yield from leaves(value, (*path, key))
    else:
        yield path, thing


def altered(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | Decimal():
            return value + 1
        case dt.date():
            return value + dt.timedelta(days=1)
    return f"{value}x"


def changed(thing: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return altered(thing)
    copy = dict(thing) if isinstance(thing, dict) else list(thing)
    copy[path[0]] = changed(copy[path[0]], path[1:])
    return copy


def test_every_change_of_a_rule_changes_the_hash_or_is_refused(rules: Any) -> None:
    rules.change("city/place.yaml", ("programmes_of: city\n", ""))  # only says what is so anyway
    before, tried, kept = rules.load(), 0, 0
    for name, file in folders(rules).items():
        raw = file.read_bytes()
        content = read_yaml(raw)[0]
        for path, _ in leaves(content):
            rules.write(name, written(changed(content, path)))
            tried += 1
            try:
                after = rules.load()
            except RulebookError:
                continue
            finally:
                file.write_bytes(raw)
            kept += 1
            assert after.hash != before.hash, (name, path)
    assert tried > 150
    assert kept > 50


def test_a_worked_example_is_no_part_of_the_rule(rules: Any) -> None:
    before = rules.load()
    text = (rules.path / "instruments/scale.yaml").read_text(encoding="utf-8")
    rules.write("instruments/scale.yaml", text + "examples:\n  - {name: best, fill: best, expect: {level: 0}}\n")
    assert rules.load().hash == before.hash


def test_the_hash_of_a_place_changes_only_with_what_stands_there(rules: Any) -> None:
    before = rules.load()
    rules.write("city/own.yaml", CITYS_OWN.replace("id: allowance", "id: own"))
    after = rules.load()
    assert after.hash != before.hash
    assert {p for p in before.places if after.at(p, TODAY).hash != before.at(p, TODAY).hash} == {"city", "district"}


def test_the_hash_of_a_place_changes_when_a_text_comes_into_force(rules: Any) -> None:
    book = rules.load()
    days = [dt.date(2019, 12, 31), dt.date(2020, 1, 1), dt.date(2020, 1, 2)]
    first, second, third = (book.at("city", day).hash for day in days)
    assert first != second == third


def test_texts_of_one_period_that_were_known_at_different_times_have_different_hashes(rules: Any) -> None:
    text = (rules.path / "national/allowance.yaml").read_text(encoding="utf-8")
    rules.write(
        "national/allowance.yaml",
        text + "versions:\n  - {in_force: {from: 2020-01-01}, known_from: 2021-01-01, name: {zh: 改, en: Corrected}}\n",
    )
    book = rules.load()
    then = book.at("city", dt.date(2020, 6, 1), dt.date(2020, 6, 1))
    now = book.at("city", dt.date(2020, 6, 1))
    assert [s.standings["allowance"].programme.name["en"] for s in (then, now)] == ["Allowance", "Corrected"]
    assert then.hash != now.hash


def test_settings_change_the_hash(rules: Any) -> None:
    choice = "settings:\n  - {id: strict, choices: [true, false], default: true, say: {zh: 严, en: Strict}}\nsteps:"
    rules.change("instruments/scale.yaml", ("steps:\n  - {id: total", f"{choice}\n  - {{id: total"))
    before = rules.load().hash
    rules.write("settings.yaml", "settings: {scale: {strict: false}}\n")
    assert rules.load().hash != before


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN, st.randoms())
def test_the_order_of_keys_never_counts(thing: Any, shuffle: random.Random) -> None:
    assert content_hash(reordered(thing, shuffle)) == content_hash(thing)


@given(PLAIN, PLAIN)
def test_different_content_has_a_different_hash(one: Any, other: Any) -> None:
    same = repr(canonical(one)) == repr(canonical(other))
    assert (content_hash(one) == content_hash(other)) == same


# ---- immutable ---------------------------------------------------------------------------------------------------
def test_a_rulebook_cannot_be_changed(book: Rulebook) -> None:
    instrument = book.instruments["gbt-42195-2022"]
    with pytest.raises(Exception, match="frozen"):
        instrument.monotone = False
    with pytest.raises(AttributeError):
        book.hash = "sha256:0"  # type: ignore[misc]
    with pytest.raises(TypeError):
        instrument.name["zh"] = "别的"


def test_the_shipped_rules_hold_every_place_of_the_source_documents(book: Rulebook) -> None:
    assert {"zhoushan", "guangzhou-huadu", "chongqing-jiulongpo", "dongying-dongyingqu", "yangquan-kuangqu"} <= set(
        book.places
    )
    for place in book.places:
        assert book.at(place, TODAY).place.id == place


def test_every_error_of_the_shipped_rules_would_name_a_file_that_exists(book: Rulebook) -> None:
    from yyassess.rulebook.loading import shipped_rules

    for origin in book.origins.values():
        assert (shipped_rules().parent / Path(origin.file)).is_file(), origin.file
