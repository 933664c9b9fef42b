"""The report of a visit: the standard's parts, the family's words, and the numbers that were stored."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.web.conftest import GBT, TODAY, add_crew, logged_in
from webapp.report.next_date import next_dates
from webapp.report.pictures import SIGNATURE_HEIGHT, SIGNATURE_WIDTH, radar, signature_paths
from webapp.storage import signatures, visits
from webapp.storage.models import AssessmentRow, VisitRow
from webapp.visits.casework import case_for
from yyassess import screen

STROKES = [[[100, 200], [300, 50.5], [480, 390]], [[700, 100]]]


@pytest.fixture
def report(assessor: Any) -> Any:
    """Opens the report of a visit in English, whose texts are the message ids."""

    def opened(visit: str, client: Any = None) -> str:
        client = client or assessor.client
        client.set_cookie("lang", "en")
        page = client.get(f"{visit}/report")
        assert page.status_code == 200, page.text
        text: str = page.text
        return text

    return opened


def rows(page: str, caption: str) -> dict[str, list[str]]:
    """A table by its caption: what names each row, and the other cells."""
    tables = re.findall(r"<table.*?</table>", page, re.S)
    named = re.search(rf'<h2 id="([^"]+)">{re.escape(caption)}</h2>', page)
    table = next(
        t
        for t in tables
        if (named and f'aria-labelledby="{named[1]}"' in t)
        or ("</caption>" in t and plain(caption) in plain(t.split("</caption>")[0]))
    )
    found = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table, re.S)
    return {plain(name): [plain(c) for c in re.findall(r"<td[^>]*>(.*?)</td>", cells, re.S)] for name, cells in found}


def plain(html: str) -> str:
    """Its words alone."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").replace("&#39;", "'").split())


def test_it_has_the_parts_the_standard_asks_for_with_the_stored_numbers(assessor: Any, report: Any) -> None:
    visit = assessor.complete(eating=3, memory=2)
    assessor.context(visit, diagnoses=["dementia"], informant_name="李家属", informant_relation="child")
    assessor.finish(visit)
    stored = assessor.stored(visit)
    result = stored.assessments[0].result
    page = report(visit)
    scores = rows(page, "Scores by dimension")
    for number, part in enumerate(result["dimensions"].values(), 1):
        assert scores[f"{number} {part['name']['en']}"] == [str(part["score"]), str(part["max"])]
    assert next(cells for name, cells in scores.items() if name.startswith("Total")) == [
        str(result["scores"]["total"]),
        "90",
    ]
    how = rows(page, "How the level came about")
    assert how["Preliminary level"] == [
        f"Level {result['preliminary']['level']} · {result['preliminary']['name']['en']}"
    ]
    assert result["adjustments"][0]["say"]["en"] in how["Reasons for a change of level"][0]
    assert how["Final level"] == [f"Level {result['grade']['level']} · {result['grade']['name']['en']}"]
    assert result["grade"]["level"] == result["preliminary"]["level"] + 1
    about = rows(page, "Person and assessment")
    assert about["Place of the assessment"] == ["Zhoushan City"]
    assert about["Date of the assessment"] == [f"{TODAY.day} {TODAY:%b} {TODAY.year}"]
    assert about["Informant"] == ["李家属 (child)"] or about["Informant"][0].startswith("李家属 (")
    assert about["Main assessor"] == ["main 某 · certificate ZS-main"]
    assert about["Second assessor"] == ["second 某 · certificate ZS-second"]
    assert stored.number in page and result["ruleset"]["hash"] in page and stored.ruleset_hash in page


def test_pictures_say_the_same_numbers_as_the_tables(assessor: Any, report: Any) -> None:
    visit = assessor.complete(eating=1, stairs=0, vision=1)
    assessor.finish(visit)
    result = assessor.stored(visit).assessments[0].result
    page = report(visit)
    drawn = re.search(r'<svg class="radar".*?</svg>', page, re.S)[0]
    said = "; ".join(
        f"{n} {p['name']['en']} {p['score']}/{p['max']}" for n, p in enumerate(result["dimensions"].values(), 1)
    )
    assert plain(re.search(r"<desc[^>]*>(.*?)</desc>", drawn, re.S)[1]) == said
    axes = radar([(p["name"], p["score"], p["max"]) for p in result["dimensions"].values()])
    points = re.search(r'class="radar__shape" points="([^"]+)"', drawn)[1].split()
    assert points == [f"{a.x},{a.y}" for a in axes]
    bar = re.search(r'<svg class="bar".*?</svg>', page, re.S)[0]
    here = re.search(r"bar__part_here.*?<text[^>]*>(\d)</text>", bar, re.S)[1]
    assert here == str(result["grade"]["level"])
    assert result["grade"]["name"]["en"] in re.search(r"<title[^>]*>(.*?)</title>", bar)[1]


def test_each_answer_stands_in_it_with_its_words_as_graded(assessor: Any, report: Any, book: Any) -> None:
    visit = assessor.complete(bathing=2)
    assessor.finish(visit)
    page = report(visit)
    trace = {t["step"]: t for t in assessor.stored(visit).assessments[0].result["trace"]}
    for dimension in book.instruments[GBT].dimensions:
        table = rows(page, f"· {dimension.name['en']}")
        for item in dimension.items:
            assert table[f"{item.code} {item.name['en']}"] == [
                plain(trace[item.id]["because"]["en"]),
                str(trace[item.id]["value"]),
            ]


def test_a_draft_is_marked_as_provisional_and_unsigned_and_has_no_code(assessor: Any, report: Any) -> None:
    visit = assessor.start()
    page = report(visit)
    assert "Provisional, not signed." in page
    assert "/verify/" not in page and 'class="qr"' not in page
    assessor.fill(visit)
    assessor.context(visit)
    assessor.submit(visit)
    page = report(visit)
    assert "Provisional, not signed." in page and "Provisional level" in page and "Final level</span>" not in page


def test_a_finished_report_is_what_was_stored_and_nothing_is_graded_anew(assessor: Any, report: Any) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    with assessor.database.writing() as db:
        row = db.scalars(select(AssessmentRow)).one()
        changed = {
            **row.result,
            "grade": {"level": 3, "code": "severe", "name": {"zh": "存", "en": "as it was stored"}},
        }
        row.result = changed
    page = report(visit)
    assert "Level 3 · as it was stored" in page and "Provisional level" not in page


def test_signatures_are_drawn_as_they_were_written(assessor: Any, report: Any) -> None:
    visit = assessor.complete()
    assessor.submit(visit)
    id = UUID(visit.rsplit("/", 1)[1])
    with assessor.database.writing() as db:
        found = visits.get_visit(db, assessor.database.cipher, id)
        signatures.add_signature(
            db,
            assessor.database.cipher,
            visit=id,
            account=found.assessor,
            role="main",
            name="main 某",
            certificate="ZS-main",
            method="drawn",
            drawing={"strokes": STROKES},
            content_hash="sha256:" + "0" * 64,
        )
    page = report(visit)
    drawn = re.search(r'<svg class="rp-signature".*?</svg>', page, re.S)[0]
    assert re.findall(r' d="([^"]+)"', drawn) == ["M100,200L300,50.5 480,390", "M700,100L700,100"]
    assert "Signature of main 某" in drawn
    signers = rows(page, "Signatures")
    assert signers["Informant"][0] == "not signed"
    assert next(cells for name, cells in signers.items() if name.startswith("Second assessor"))[0] == "not signed"


def test_strokes_cannot_leave_their_field() -> None:
    wild = {"strokes": [[[-5, 1e9], [2000, 3]], []]}
    assert signature_paths(wild) == [f"M0,{SIGNATURE_HEIGHT}L{SIGNATURE_WIDTH},3"]
    assert signature_paths({"text": "某"}) == []


def test_typed_signatures_stand_as_typed(assessor: Any, report: Any) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    page = report(visit)
    signers = rows(page, "Signatures")
    assert next(cells for name, cells in signers.items() if "ZS-second" in name)[0] == "second 某 (typed)"
    assert "not a “reliable electronic signature”" in page
    assert "No signatures are on record." not in page


def test_what_is_unknown_is_said_plainly(assessor: Any, report: Any) -> None:
    visit = assessor.complete()
    assessor.finish(visit)
    page = plain(report(visit))
    stored = assessor.stored(visit).determination
    opens = [o for o in stored["outcomes"] if o["status"] == "eligible" and o["standing"] != "announced"]
    assert opens
    for outcome in opens:
        assert outcome["name"]["en"] in page
        for benefit in outcome["benefits"]:
            assert plain(benefit["say"]["en"]) in page
    assert "No list was found. Please ask before you go." in page
    assert "The rules known for this place set no date." in page
    for step in stored["plan"]:
        assert plain(step["service"]["en"]) in page


def test_it_has_a_part_for_every_instrument_of_the_visit(assessor: Any, report: Any, book: Any) -> None:
    offered = [i.id for i in book.instruments.values() if i.in_force.holds(TODAY)]
    visit = assessor.start(*offered)
    page = report(visit)
    for id in offered:
        assert f">{book.instruments[id].name['en'].replace(chr(39), '&#39;')}</h2>" in page, id


def test_remarks_stand_in_it_and_cannot_break_out(assessor: Any, report: Any) -> None:
    visit = assessor.complete()
    id = UUID(visit.rsplit("/", 1)[1])
    with assessor.database.writing() as db:
        cipher = assessor.database.cipher
        visits.save_remarks(db, cipher, id, GBT, {"eating": {"note": "<script>alert(1)</script>"}})
        visits.save_facts(db, cipher, id, {}, private=(), note="整条备注 <b>")
    page = report(visit)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "整条备注 &lt;b&gt;" in page
    assert "alert(1)</script>" not in page


def test_nobody_else_reads_it(app: Any, assessor: Any, log_in: Any, database: Any) -> None:
    visit = assessor.complete()
    stranger = logged_in(app, add_crew(database, "另一家", "x-").ids["main"])
    for page in ("report", "report.pdf"):
        assert stranger.get(f"{visit}/{page}").status_code == 404
        assert log_in("system").get(f"{visit}/{page}").status_code == 403
        assert app.test_client().get(f"{visit}/{page}").status_code == 303
    assert log_in("reviewer").get(f"{visit}/report").status_code == 200


@pytest.mark.parametrize(
    ("instrument", "level", "due"),
    [("ltci-2021-37", 3, dt.date(2028, 3, 31)), ("ltci-2021-37", 2, None), ("gbt-42195-2022", 4, None)],
)
def test_the_next_date_is_known_where_a_rule_says_so(
    book: Any, instrument: str, level: int, due: dt.date | None
) -> None:
    result = {"complete": True, "grade": {"level": level}}
    found = next_dates(book, "zhoushan", dt.date(2026, 3, 31), [(instrument, result)], None)
    assert [d.day for d in found] == ([due] if due else [])
    if due:
        assert found[0].say and found[0].evidence == "verified" and found[0].source


def test_a_programme_s_term_counts_while_its_outcome_is_open(book: Any) -> None:
    outcome = {
        "name": {"zh": "保险", "en": "Insurance"},
        "status": "eligible",
        "source": {"document": "yibaofa-2023-29", "clause": None},
        "valid": {"until": "2027-01-31", "evidence": "single"},
    }
    day = dt.date(2026, 1, 31)
    found = next_dates(book, "zhoushan", day, [], {"outcomes": [outcome]})
    assert [(d.day, d.evidence) for d in found] == [(dt.date(2027, 1, 31), "single")]
    assert next_dates(book, "zhoushan", day, [], {"outcomes": [{**outcome, "status": "ineligible"}]}) == []


def test_the_screening_pathway_is_told_as_the_library_walks_it(assessor: Any, report: Any, book: Any) -> None:
    visit = assessor.complete()
    expected = screen(case_for(assessor.stored(visit)), on=TODAY, rules=book)
    assert expected["enters"]
    page = plain(report(visit))
    assert plain(expected["note"]["en"]) in page
    brief = next(s for s in expected["stages"] if s["status"] == "needed")
    assert f"{brief['name']['en']} still to do, with one of:" in page
    for action in expected["actions"]:
        assert plain(action["say"]["en"]) in page
    assessor.client.set_cookie("lang", "en")
    assert plain(expected["note"]["en"]) in plain(assessor.client.get(f"{visit}/result").text)
    assessor.finish(visit)
    assert plain(expected["note"]["en"]) in plain(report(visit))
    with assessor.database.writing() as db:
        db.scalars(select(VisitRow)).one().ruleset_hash = "sha256:of-other-rules"
    assert plain(expected["note"]["en"]) in plain(report(visit)), "as it was told, whatever the rules say since"
