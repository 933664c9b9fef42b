"""The pages for times without a network. They hold nothing personal: all they show comes from the phone itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, make_response, render_template, url_for
from flask_wtf.csrf import generate_csrf

from webapp import evaluator
from webapp.access import ANYONE, allow
from webapp.app import services
from webapp.delivery import FOREVER, RECHECK
from webapp.display import size
from webapp.i18n import chosen_language, language
from webapp.offline import words
from webapp.people.consents import GIVER_WORDS, consent_questions
from webapp.people.routes import place_choices
from webapp.people.wordings import CURRENT

blueprint = Blueprint("offline", __name__)

PAGES = ("offline", "outbox", "diag")
STYLES = ("vendor/weui-2.6.26/weui.min.css", "app.css", "offline.css")
WORKER = "sw.js"
#: Scripts of pages that never open without a network.
ELSEWHERE = frozenset({WORKER, "signature.js"})


@blueprint.get("/offline")
@allow(ANYONE)
def offline() -> str:
    """Drafts on this phone, their questions and results, and new visits."""
    return _shell("offline.html", words.offline() | words.outbox(), **_new_visit())


@blueprint.get("/outbox")
@allow(ANYONE)
def outbox() -> str:
    """What waits to be sent."""
    return _shell("outbox.html", words.outbox())


@blueprint.get("/diag")
@allow(ANYONE)
def diag() -> str:
    """What this phone can do."""
    return _shell("diag.html", words.diag())


@blueprint.get("/sw.js")
@allow(ANYONE)
def worker() -> Response:
    """The service worker, with the shell it keeps written in front of it."""
    shell = [*(url_for(f"offline.{page}") for page in PAGES), *_assets()]
    body = Path(current_app.static_folder or "", WORKER).read_text("utf-8")
    head = f"const VERSION = {json.dumps(version())};\nconst SHELL = {json.dumps(shell, indent=1)};\n"
    response = make_response(head + body)
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/evaluator/<version>/<name>")
@allow(ANYONE)
def evaluator_module(version: str, name: str) -> Response:
    """A module of the phone's evaluator; they import one another relatively, so all lie under one version."""
    found = evaluator.modules()
    if name not in found:
        abort(404)
    response = make_response(found[name])
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = FOREVER if version == evaluator.version() else RECHECK
    return response


def modules() -> dict[str, str]:
    """Every script of the phone's own by its plain address, and the address that names its content."""
    folder = Path(current_app.static_folder or "")
    asset = current_app.jinja_env.globals["asset"]
    found = sorted(path.name for path in folder.glob("*.js"))
    return {url_for("static", filename=name): asset(name) for name in found if name not in ELSEWHERE}  # type: ignore[operator]


def version() -> str:
    """Names the shell: another one for other files, rules of places, languages and sizes."""
    page = json.dumps([*_assets(), services().rules.hash, chosen_language(), size()])
    return hashlib.sha256(page.encode()).hexdigest()[:12]


def for_scripts() -> dict[str, Any]:
    """What a page tells its scripts: who is logged in, the token against forged posts, and their texts."""
    who = g.get("actor")
    found: dict[str, Any] = {"lang": language(), "version": version(), "words": words.everywhere()}
    found["evaluator"] = _evaluator(evaluator.ENTRY)
    if who is not None:
        found |= {"account": str(who.id), "csrf": generate_csrf()}
    return found


def _assets() -> list[str]:
    asset = current_app.jinja_env.globals["asset"]
    own = [*(asset(name) for name in STYLES), *modules().values()]  # type: ignore[operator]
    return [*own, *(_evaluator(name) for name in evaluator.modules())]


def _evaluator(name: str) -> str:
    return url_for("offline.evaluator_module", version=evaluator.version(), name=name)


def _shell(template: str, more: dict[str, str], **values: Any) -> str:
    # The page is kept on the phone and shown to whoever holds it: it must not say who was logged in.
    g.actor = None
    told = for_scripts()
    told["words"] |= more
    return render_template(template, told=told, shell=True, **values)


def _new_visit() -> dict[str, Any]:
    """What the form of a visit begun without a network asks."""
    return {
        "places": place_choices(services().rules),
        "consents": consent_questions(),
        "wording": CURRENT,
        "givers": GIVER_WORDS,
    }


@blueprint.app_context_processor
def scripts() -> dict[str, Any]:
    """What the base template writes for scripts."""
    return {"phone_modules": modules, "for_scripts": for_scripts}
