"""How the person wants to see the form: language and size. Kept in cookies; changed without a script.

On a page without a form the choices are links. On a page with one they are buttons of that form: it is saved on the
way, so that changing the language in the middle of a page loses nothing.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, after_this_request, current_app, g, redirect, request, url_for

from webapp.access import ANYONE, allow
from webapp.i18n import COOKIE as LANGUAGE_COOKIE
from webapp.i18n import LANGUAGES

#: care: large text and targets, WeUI's care mode (the default); standard: denser; largest: 30 px text.
SIZES = ("care", "standard", "largest")
SIZE_COOKIE = "size"
CHOICES = {"language": (LANGUAGE_COOKIE, LANGUAGES), "size": (SIZE_COOKIE, SIZES)}
YEAR = 365 * 24 * 3600

blueprint = Blueprint("display", __name__)


def size() -> str:
    """The size chosen; care unless the person chose otherwise."""
    if "size" not in g:
        chosen = request.cookies.get(SIZE_COOKIE, "")
        g.size = chosen if chosen in SIZES else SIZES[0]
    found: str = g.size
    return found


def changing() -> bool:
    """This post was sent by one of the display buttons: not a statement that the page is complete."""
    return "display_changed" in g


def local_path(given: str | None) -> str:
    """A path of this site to go back to; the first page for anything else."""
    path = given or ""
    parts = urlsplit(path)
    harmless = path.startswith("/") and not path.startswith("//") and "\\" not in path
    if parts.scheme or parts.netloc or not harmless or any(ord(c) < 32 for c in path):
        return url_for("visits.records")
    return path


@blueprint.get("/display/<what>/<value>")
@allow(ANYONE)
def choose(what: str, value: str) -> Response:
    """Remember a choice and go back to the page it was made on."""
    if what not in CHOICES or value not in CHOICES[what][1]:
        abort(404)
    response = redirect(local_path(request.args.get("back")), 303)
    assert isinstance(response, Response)
    return _remembering(response, what, value)


def choose_on_the_way() -> None:
    """A display button of a form: applies to this very answer, too."""
    if request.method != "POST":
        return
    what, _, value = request.form.get("go", "").partition(":")
    if what in CHOICES and value in CHOICES[what][1]:
        setattr(g, what, value)
        g.display_changed = True
        after_this_request(lambda response: _remembering(response, what, value))


def set_up(app: Flask) -> None:
    """Connect the links, the buttons and the template helper."""
    app.register_blueprint(blueprint)
    app.before_request(choose_on_the_way)
    app.jinja_env.globals.update(size=size)


def _remembering(response: Response, what: str, value: str) -> Response:
    response.set_cookie(
        CHOICES[what][0],
        value,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response
