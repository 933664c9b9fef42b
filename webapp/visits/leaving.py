"""Where a form goes after it was saved: on, back, out, or back to itself."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.display import changing


def leave(onward: str, here: str, *, back: str | None = None) -> Response:
    """The answer after saving; the buttons of a form page are named ``go``.

    Args:
        onward: the next page.
        here: this page.
        back: the page before.
    """
    go = request.form.get("go", "")
    if changing() or go == "stay":
        return redirect(here, 303)
    if go == "back" and back is not None:
        return redirect(back, 303)
    if go == "leave":
        return redirect(url_for("visits.records"), 303)
    if go == "check" and request.view_args and "visit" in request.view_args:
        return redirect(url_for("visits.check", visit=request.view_args["visit"]), 303)
    return redirect(onward, 303)
