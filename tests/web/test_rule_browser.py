"""The rule browser: every rule is a page, made from its data alone."""

from __future__ import annotations

import datetime as dt
import html
import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import TODAY
from webapp.rulebrowser.instruments import Names, instrument_sections
from yyassess import Rulebook
from yyassess.entitlement.table import correspondence_table
from yyassess.rulebook.instrument import Band, Matrix

CELLS = {"open": "opens", "closed": "closed", "depends": "depends on other facts", "not_configured": "rule not known"}


@pytest.fixture
def reader(client: Any) -> Any:
    """Reads English, whose texts are the message ids."""
    client.set_cookie("lang", "en")

    def read(address: str) -> str:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        found: str = answer.text
        return found

    return read


def words(page: str) -> str:
    """A page without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def tidy(text: Any) -> str:
    """A text as `words` leaves it."""
    return " ".join(str(text).split())


def test_each_instrument_shows_its_items_options_levels_and_source(reader: Any, book: Any) -> None:
    for it in book.instruments.values():
        page = words(reader(f"/rules/instruments/{it.id}"))
        for dimension in it.dimensions:
            for item in dimension.items:
                assert tidy(item.name["en"]) in page, (it.id, item.id)
                for option in it.ladders[item.ladder] if item.ladder else item.options:
                    assert tidy(option.say["en"]) in page, (it.id, item.id)
        for level in it.levels:
            assert tidy(level.name["en"]) in page
        for change in it.adjustments:
            assert tidy(change.say["en"]) in page and tidy(change.when) in page
        assert tidy(book.documents[it.source.document].title["en"]) in page
        assert tidy(it.licence.say["en"]) in page


def test_bands_are_tables_with_both_ends(reader: Any, book: Any) -> None:
    page = reader("/rules/instruments/gbt-42195-2022")
    band = next(s for s in book.instruments["gbt-42195-2022"].steps if isinstance(s, Band))
    shown = re.findall(r'<th scope="row">\s*([^<]+?)\s*</th><td>\s*(\d) · ', page)
    cuts = list(band.cuts)
    expected = [
        (f"{cut.at} to {following.at - 1}" if following.at - 1 != cut.at else str(cut.at), str(cut.level))
        for cut, following in itertools.pairwise(cuts)
    ]
    assert [row for row in shown if row in expected] == expected
    assert (f"{cuts[-1].at} and above", str(cuts[-1].level)) in shown


def test_a_matrix_is_a_table_with_every_cell(app: Any, book: Any) -> None:
    it = book.instruments["ltci-2021-37"]
    matrix = next(s for s in it.steps if isinstance(s, Matrix))
    with app.test_request_context():
        tables = [
            b for s in instrument_sections(book, it) for b in s.blocks if getattr(b, "caption", "") == matrix.name["zh"]
        ]
        names = Names(book, it)
        assert len(tables) == 1
        assert [[c.text for c in row[1:]] for row in tables[0].rows] == [
            [names.level(matrix.id, value) for value in row] for row in matrix.cells
        ]
        assert len(tables[0].head) == len(matrix.cells[0]) + 1


def test_withheld_wording_is_named_and_not_printed(reader: Any, book: Any) -> None:
    withheld = [it for it in book.instruments.values() if it.licence.items == "withheld"]
    assert withheld
    for it in withheld:
        page = words(reader(f"/rules/instruments/{it.id}"))
        assert "The wording belongs to its owner and is not printed here" in page
        assert tidy(it.licence.owner["en"]) in page


def test_each_text_of_each_programme_shows_its_conditions_and_benefits(reader: Any, book: Any) -> None:
    for place, programmes in book.programmes.items():
        for id, texts in programmes.items():
            for number, text in enumerate(texts.texts):
                page = words(reader(f"/rules/programmes/{place}/{id}?text={number}"))
                assert tidy(text.name["en"]) in page
                for criterion in text.criteria:
                    assert tidy(criterion.say["en"]) in page, (place, id, criterion.id)
                    if criterion.when != "unknown":
                        assert tidy(criterion.when) in page
                for benefit in text.benefits:
                    assert tidy(benefit.say["en"]) in page
                    if benefit.not_configured:
                        assert "The figure was not found and stays out." in page


def test_the_table_of_a_place_is_the_library_s(reader: Any, book: Any) -> None:
    for place in ("zhoushan", "guangzhou-huadu"):
        page = html.unescape(reader(f"/rules/places/{place}"))
        expected = correspondence_table(book, place, TODAY)
        assert expected["instruments"]
        for found in expected["instruments"]:
            for column in found["columns"]:
                row = re.search(
                    rf'<tr><th scope="row"><a class="inline-link" href="/rules/programmes/{column["place"]}/{column["id"]}".*?</tr>',
                    page.split(f">{found['name']['en']}</h3>", 1)[1],
                    re.S,
                )[0]
                shown = re.findall(r'<span class="visually-hidden">([^<]+)</span>', row)
                assert shown == [CELLS[r["cells"][column["id"]]["cell"]] for r in found["rows"]]


@pytest.mark.parametrize("on", ["2020-01-01", "2026-11-22", "2027-06-30"])
def test_a_place_is_shown_as_it_stands_on_a_day(reader: Any, book: Any, on: str) -> None:
    page = reader(f"/rules/places/guangzhou?on={on}")
    ruleset = book.at("guangzhou", dt.date.fromisoformat(on), None)
    standing = page.split("Programmes that stand here", 1)[1].split("Not in force on that day")[0]
    shown = re.findall(r'href="/rules/programmes/[^/]+/([^/"]+)"', standing)
    assert shown == [s.id for s in ruleset.standings.values() if s.in_force]


@pytest.mark.parametrize("on", ["", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "<script>"])
def test_a_day_that_cannot_be_is_today(reader: Any, on: str) -> None:
    assert f'name="on" value="{TODAY.isoformat()}"' in reader(f"/rules/places/zhoushan?on={on}")


def test_every_link_of_the_overview_leads_somewhere(reader: Any, book: Any) -> None:
    page = reader("/rules")
    links = set(re.findall(r'href="(/rules/[^"]+)"', page))
    assert len(links) == len(book.instruments) + len(book.pathways) + len(book.places) + 2
    assert book.hash in page
    for link in links:
        reader(link)


def test_coverage_names_what_is_still_unknown(reader: Any, book: Any) -> None:
    page = words(reader("/rules/coverage"))
    for row in book.coverage:
        text = book.programmes[row.place][row.programme].texts[-1]
        assert tidy(text.name["en"]) in page
        if text.not_configured:
            assert tidy(text.not_configured["en"]) in page


def test_documents_and_pathways_are_pages(reader: Any, book: Any) -> None:
    page = words(reader("/rules/documents"))
    assert all(tidy(d.title["en"]) in page for d in book.documents.values())
    for path in book.pathways.values():
        page = words(reader(f"/rules/pathways/{path.id}"))
        assert all(tidy(stage.name["en"]) in page for stage in path.stages)
        assert all(tidy(line.say["en"]) in page for line in path.grading)


@pytest.mark.parametrize(
    "address",
    [
        "instruments/nothing",
        "programmes/zhoushan/nothing",
        "programmes/nowhere/zs-ltci",
        "programmes/zhoushan/zs-ltci?text=99",
        "pathways/nothing",
        "places/nowhere",
    ],
)
def test_what_is_not_there_is_not_found(client: Any, address: str) -> None:
    assert client.get(f"/rules/{address}").status_code == 404


@pytest.mark.parametrize("who", ["main", "reviewer", "admin", "system"])
def test_every_role_may_read_the_rules(log_in: Any, who: str) -> None:
    assert log_in(who).get("/rules").status_code == 200


def test_they_are_not_public(app: Any) -> None:
    assert app.test_client().get("/rules").status_code == 303


def test_a_new_instrument_is_a_page_without_a_template(
    make_app: Any, settings: Any, signed_in: Any, tmp_path: Path
) -> None:
    source = (Path(__file__).parents[2] / "rules/instruments/screening/phq-2.yaml").read_text("utf-8")
    folder = tmp_path / "rules"
    (folder / "instruments").mkdir(parents=True)
    new = re.sub(r"^id: phq-2$", "id: brand-new", source, flags=re.M)
    (folder / "instruments" / "brand-new.yaml").write_text(new.replace("phq2", "brand_new"), "utf-8")
    client = signed_in(make_app(settings, Rulebook.load(folder, cache=False)))
    page = client.get("/rules/instruments/brand-new")
    assert page.status_code == 200
