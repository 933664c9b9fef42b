"""A page that was sent after its log-in had ended: kept inside the log-in page, and sent again afterwards.

Nothing of it is stored on the server, since nobody has proved yet whose it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import request

from webapp.display import local_path

LIMIT = 200_000
TO, FIELDS = "carry_to", "carry_fields"
#: Only pages of a visit are worth it: nothing else is typed at length.
WORTH = "/visits/"


@dataclass(frozen=True)
class Kept:
    """A form on its way."""

    to: str
    """The path it was sent to."""
    fields: list[tuple[str, str]]

    @property
    def written(self) -> str:
        """The fields as one text, for one hidden input."""
        return json.dumps(self.fields, ensure_ascii=False)


def stranded() -> Kept | None:
    """The form of this request, when it is one to keep."""
    if request.method != "POST" or not request.path.startswith(WORTH) or request.is_json or request.files:
        return None
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    kept = Kept(request.path, fields)
    return kept if fields and len(kept.written) <= LIMIT else None


def posted() -> Kept | None:
    """The form that a log-in page carries; in the request that brought it there, that request itself."""
    if request.method != "POST":
        return None
    to = request.form.get(TO, "")
    if not to:
        return stranded()
    if not to.startswith(WORTH) or local_path(to) != to:
        return None
    try:
        fields = json.loads(request.form.get(FIELDS, ""))
        return Kept(to, [(str(name), str(value)) for name, value in fields])
    except (ValueError, TypeError):
        return None
