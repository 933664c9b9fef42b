"""What anybody who scans a report's QR code may see: whether it stands, and nothing that the paper does not say."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from flask import Blueprint, Response, current_app, make_response, render_template, request

from webapp.access import ANYONE, allow
from webapp.app import services
from webapp.report.view import grade_view
from webapp.storage import verification

blueprint = Blueprint("verify", __name__)
#: Looks within a minute from one address; a family scanning a paper needs one.
PER_MINUTE = 30
MINUTE = 60.0
#: Addresses remembered at most.
MOST_ADDRESSES = 10_000
LONGEST_TOKEN = 64


class Limiter:
    """Counts looks of each address within a minute, in this process only: tokens cannot be guessed, this is manners."""

    def __init__(self, most: int = PER_MINUTE, clock: object = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, address: str) -> bool:
        """Whether one more look is within the limit."""
        now: float = self._clock()  # type: ignore[operator]
        with self._lock:
            since, count = self._seen.pop(address, (now, 0))
            if now - since >= MINUTE:
                since, count = now, 0
            self._seen[address] = (since, count + 1)
            while len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
        return count < self._most


def _limiter() -> Limiter:
    found: Limiter = current_app.extensions.setdefault("yyassess.verify", Limiter())
    return found


@blueprint.get("/verify/<token>")
@allow(ANYONE)
def verify(token: str) -> Response:
    """Whether a printed report stands: its number, grade, day and masked name; the same page for every unknown token."""
    if not _limiter().allows(request.remote_addr or ""):
        response = make_response(render_template("verify.html", state="busy", found=None, grades=[]), 429)
        response.headers["Retry-After"] = str(int(MINUTE))
        return _hidden(response)
    known = services()
    found = None
    if len(token) <= LONGEST_TOKEN:
        with known.database.reading() as db:
            found = verification.find_report(db, known.database.cipher, token)
    state = "unknown" if found is None else "valid" if found.valid else "void"
    page = render_template(
        "verify.html",
        state=state,
        found=found,
        name=masked_name(found.name) if found else None,
        grades=[grade_view(known.rules, id, result) for id, result in found.results] if found else [],
    )
    return _hidden(make_response(page, 404 if found is None else 200))


def masked_name(name: str) -> str:
    """The first character, and always two stars: not even the length of a name is told."""
    return f"{name[:1]}**"


def _hidden(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
