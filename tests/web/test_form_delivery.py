"""Weight: what a phone on an island has to load."""

from __future__ import annotations

import gzip
import re
from typing import Any

from flask.testing import FlaskClient

ZIP = {"Accept-Encoding": "gzip"}
#: Bytes of the first page with everything it needs, as sent.
FIRST_LOAD = 60_000


def assets(page: str) -> list[str]:
    """The files a page loads from its own host."""
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page)


def test_the_first_page_with_everything_weighs_at_most_60_kilobytes(client: FlaskClient) -> None:
    page = client.get("/", headers=ZIP)
    loaded = {"/": len(page.data)}
    html = gzip.decompress(page.data).decode()
    # What the page's own script imports comes with it.
    imported = [f"/static/{name}.js" for name in ("store", "sender", "words")]
    for asset in [*assets(html), *imported]:
        answer = client.get(asset, headers=ZIP)
        assert answer.status_code == 200 and answer.headers["Content-Encoding"] == "gzip"
        loaded[asset] = len(answer.data)
    print(loaded, "together", sum(loaded.values()))
    assert len(loaded) == 8 and sum(loaded.values()) <= FIRST_LOAD


def test_static_files_carry_their_version_and_are_kept_for_good(client: FlaskClient) -> None:
    for asset in assets(client.get("/").text):
        assert re.search(r"\?v=[0-9a-f]{12}$", asset)
        answer = client.get(asset)
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Vary" in answer.headers and answer.headers["ETag"]


def test_a_static_file_without_its_version_is_asked_for_again(client: FlaskClient) -> None:
    first = client.get("/static/app.css", headers=ZIP)
    assert "no-cache" in first.headers["Cache-Control"]
    again = client.get("/static/app.css", headers={**ZIP, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data


def test_those_who_cannot_unpack_get_plain_text(client: FlaskClient) -> None:
    for path in ("/", "/static/app.css", "/static/app.js"):
        for headers in ({}, {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip;q=0"}):
            answer = client.get(path, headers=headers)
            assert "Content-Encoding" not in answer.headers
            assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_a_compressed_file_is_the_same_file(client: FlaskClient) -> None:
    for path in ("/static/app.css", "/static/vendor/weui-2.6.26/weui.min.css"):
        assert gzip.decompress(client.get(path, headers=ZIP).data) == client.get(path).data


def test_long_pages_shrink_and_short_answers_stay(assessor: Any) -> None:
    visit = assessor.complete()
    plain, packed = (assessor.client.get(f"{visit}/result", headers=h) for h in ({}, ZIP))
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.data) < len(plain.data) / 4
    assert "Content-Encoding" not in assessor.client.get("/healthz", headers=ZIP).headers
