"""Light delivery: text is compressed, and static files are compressed once, versioned, and kept by the browser for good."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, url_for

WORTH_COMPRESSING = 1000
TEXT_TYPES = ("text/", "application/json", "application/javascript", "image/svg+xml")
FOREVER = "public, max-age=31536000, immutable"
RECHECK = "public, no-cache"


def set_up(app: Flask) -> None:
    """Compress answers; give static files their version."""
    folder = Path(app.static_folder or "")

    def asset(name: str) -> str:
        """The address of a static file, with the version of its content."""
        return url_for("static", filename=name, v=_version(*_seen(folder / name)))

    def deliver(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            _deliver_file(response, folder)
        elif _compressible(response):
            body = response.get_data()
            if len(body) >= WORTH_COMPRESSING:
                _compressed(response, gzip.compress(body, 6, mtime=0))
        return response

    app.jinja_env.globals["asset"] = asset
    app.after_request(deliver)


def _deliver_file(response: Response, folder: Path) -> None:
    path = folder / (request.view_args or {})["filename"]
    version = _version(*_seen(path))
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == version else RECHECK
    if (response.mimetype or "").startswith(TEXT_TYPES):
        response.vary.add("Accept-Encoding")
        if _accepts_gzip() and request.method == "GET":
            _compressed(response, _packed(*_seen(path)))
        response.set_etag(f"{version}-gzip" if response.content_encoding else version)
        response.make_conditional(request)


def _compressible(response: Response) -> bool:
    if not (response.mimetype or "").startswith(TEXT_TYPES) or response.direct_passthrough:
        return False
    response.vary.add("Accept-Encoding")
    return response.status_code not in (204, 304) and not response.content_encoding and _accepts_gzip()


def _accepts_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0


def _compressed(response: Response, body: bytes) -> None:
    response.direct_passthrough = False
    response.set_data(body)
    response.content_encoding = "gzip"


def _seen(path: Path) -> tuple[Path, int, int]:
    stat = path.stat()
    return path, stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=64)
def _version(path: Path, _changed: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@lru_cache(maxsize=64)
def _packed(path: Path, _changed: int, _size: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)
