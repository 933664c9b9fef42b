"""The report as PDF: A4, tagged for screen readers, complete in itself, and never in the way where it cannot be made."""

from __future__ import annotations

import itertools
import re
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from webapp.report import pdf
from webapp.storage.models import AuditRow


def objects(made: bytes) -> list[str]:
    """A PDF's objects as text, those packed into streams one by one, and its plain streams unpacked."""
    found = []
    for head, packed in re.findall(rb"obj\s*(<<.*?>>)\s*stream\r?\n(.*?)\nendstream", made, re.S):
        content = zlib.decompressobj().decompress(packed) if b"/FlateDecode" in head else packed
        text = content.decode("latin-1")
        if b"/ObjStm" not in head:
            found.append(head.decode("latin-1") + text)
            continue
        first = int(re.search(rb"/First (\d+)", head)[1])
        starts = [int(n) for n in text[:first].split()[1::2]]
        found += [text[first + start : first + end] for start, end in itertools.pairwise([*starts, len(text)])]
    return found


def title_of(parts: list[str]) -> str:
    """The document's title; a bookmark has one, too."""
    information = next(o for o in parts if "/Producer" in o)
    return text_of(re.search(r"/Title (\([^)]*\)|<[0-9a-fA-F]+>)", information)[1])


def text_of(literal: str) -> str:
    """A PDF text string: UTF-16 where it is not plain."""
    if literal.startswith("<"):
        return bytes.fromhex(literal[1:-1]).decode("utf-16")
    return literal[1:-1]


@pytest.fixture
def made(assessor: Any) -> tuple[Any, list[str]]:
    """A finished visit's report as PDF, and the visit."""
    visit = assessor.complete()
    assessor.finish(visit)
    answer = assessor.client.get(f"{visit}/report.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-1.7")
    return assessor.stored(visit), objects(answer.data)


def test_it_is_tagged_titled_and_in_a_language(made: tuple[Any, list[str]]) -> None:
    visit, parts = made
    found = "\n".join(parts)
    assert re.search(r"/MarkInfo\s*<<\s*/Marked true", found)
    assert "/StructTreeRoot" in found and "/DisplayDocTitle true" in found
    assert text_of(re.search(r"/Lang (\([^)]*\)|<[^>]*>)", found)[1]) == "zh-Hans"
    assert visit.number in title_of(parts)
    part = re.search(r"pdfuaid:part[^>]*>\s*(\d)|pdfuaid:part=\"(\d)\"", found)
    assert part and "1" in part.groups()


def test_every_figure_has_words_and_every_table_its_headings(made: tuple[Any, list[str]]) -> None:
    _visit, found = made
    elements = [o for o in found if "/StructElem" in o]
    figures = [o for o in elements if re.search(r"/S /Figure\b", o)]
    assert len(figures) == 3, "bar, radar and QR code"
    assert all(re.search(r"/Alt (\(.+?\)|<[0-9a-fA-F]{8,}>)", o, re.S) for o in figures)
    tables = [o for o in elements if re.search(r"/S /Table\b", o)]
    headings = [o for o in elements if re.search(r"/S /TH\b", o)]
    cells = [o for o in elements if re.search(r"/S /TD\b", o)]
    assert len(tables) >= 8 and len(headings) > len(tables)
    assert all("/Headers" in o for o in cells), "each cell names its headings"
    levels = [int(n) for n in re.findall(r"/S /H(\d)\b", "\n".join(elements))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels


def test_fonts_are_in_it_and_it_is_a4(made: tuple[Any, list[str]]) -> None:
    found = "\n".join(made[1])
    boxes = {tuple(round(float(n)) for n in box.split()) for box in re.findall(r"/MediaBox \[([^\]]+)\]", found)}
    assert boxes == {(0, 0, 595, 842)}
    fonts = [o for o in made[1] if re.search(r"/Type /FontDescriptor\b", o)]
    assert fonts and all("/FontFile" in o for o in fonts)


def test_making_one_is_written_down_without_personal_data(made: tuple[Any, list[str]], database: Any) -> None:
    visit, _found = made
    with database.reading() as db:
        line = db.scalars(select(AuditRow).where(AuditRow.action == "report.pdf")).one()
        assert (line.object, line.organisation_id, line.detail) == (
            f"visit:{visit.id}",
            visit.organisation,
            {"final": True},
        )


@pytest.fixture
def visitors() -> Iterator[tuple[str, list[str]]]:
    """A server that notes who comes."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_outside_is_ever_fetched(visitors: tuple[str, list[str]]) -> None:
    url, came = visitors
    html = (
        f'<html lang="zh"><head><title>t</title><link rel="stylesheet" href="{url}/a.css">'
        f"<style>@import url({url}/b.css); body {{ background: url({url}/c.png) }}</style></head>"
        f'<body><img alt="x" src="{url}/d.png"><img alt="y" src="file:///etc/hostname"><p>text</p></body></html>'
    )
    made = pdf.render(html)
    assert made.startswith(b"%PDF") and came == []
    assert not [o for o in objects(made) if "/Subtype /Image" in o]


def test_without_weasyprint_the_way_leads_to_printing(assessor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = assessor.start()

    def missing() -> Any:
        raise pdf.NoPdf("no Pango")

    monkeypatch.setattr(pdf, "_weasyprint", missing)
    assessor.client.set_cookie("lang", "en")
    answer = assessor.client.get(f"{visit}/report.pdf")
    assert (answer.status_code, answer.location) == (303, f"{visit}/report?no-pdf=1")
    page = assessor.client.get(answer.location).text
    assert "This server cannot make a PDF." in page and "report.pdf" not in page and "data-print" in page
    monkeypatch.setattr(pdf, "available", lambda: False)
    page = assessor.client.get(f"{visit}/report").text
    assert "This server cannot make a PDF." in page and "report.pdf" not in page


def test_a_provisional_one_says_so_in_its_title(assessor: Any) -> None:
    visit = assessor.start()
    assessor.client.set_cookie("lang", "en")
    parts = objects(assessor.client.get(f"{visit}/report.pdf").data)
    assert "Provisional, not signed." in title_of(parts)
    found = "\n".join(parts)
    assert len([o for o in re.findall(r"/S /Figure\b", found)]) == 1, "a bar of what is still possible, and no code"
