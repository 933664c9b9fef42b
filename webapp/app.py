"""The application factory: settings in, a Flask application out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, Response, current_app, jsonify
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import access, delivery, display, errors, i18n, security, wording
from webapp.settings import Settings
from webapp.storage import Database
from yyassess import Rulebook

EXTENSION = "yyassess"


@dataclass(frozen=True)
class Services:
    """What the pages work with."""

    settings: Settings
    rules: Rulebook
    database: Database


def services() -> Services:
    """The services of the running application."""
    return cast(Services, current_app.extensions[EXTENSION])


def create_app(settings: Settings | None = None, *, rules: Rulebook | None = None) -> Flask:
    """The phone form.

    Args:
        settings: how this deployment is set up; from the environment if left out.
        rules: a rulebook that is already loaded; otherwise the shipped one with the folders of ``settings``.

    Raises:
        RulebookError: the rules cannot be used.
        UnknownName: the place of ``settings`` is not in the rules.
        KeyFileError: the key file is missing, readable by others, or another database's.
    """
    settings = settings or Settings.from_environment()
    book = rules or Rulebook.load(*settings.rules)
    if settings.place is not None:
        book.place(settings.place)
    database = Database.open(settings.url, settings.keys)

    app = Flask(__name__)
    app.extensions[EXTENSION] = Services(settings, book, database)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]

    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    # Flask runs what is registered last first: headers are set before the body is compressed.
    delivery.set_up(app)
    security.set_up(app, https=settings.https, session_key=database.keys.session_key)
    i18n.set_up(app)
    display.set_up(app)
    _set_up_access(app, database)
    errors.set_up(app)
    wording.set_up(app, book)
    _set_up_pages(app)

    if settings.demo:
        from webapp.demo import add_demo

        add_demo(database, book, settings)
    return app


def _set_up_access(app: Flask, database: Database) -> None:
    from webapp.accounts import logins

    logins.set_up(app, database)
    access.set_up(app)


def _set_up_pages(app: Flask) -> None:
    from webapp.accounts.me import blueprint as me
    from webapp.accounts.organisations import blueprint as organisations
    from webapp.accounts.routes import blueprint as accounts
    from webapp.accounts.staff import blueprint as staff
    from webapp.accounts.wechat import blueprint as wechat
    from webapp.api.routes import blueprint as api
    from webapp.dashboard.routes import blueprint as dashboard
    from webapp.offline.routes import blueprint as offline
    from webapp.paper.routes import blueprint as paper
    from webapp.people.routes import blueprint as people
    from webapp.privacy.routes import blueprint as privacy
    from webapp.report.page import blueprint as report_page
    from webapp.report.routes import blueprint as report
    from webapp.report.verify import blueprint as verify
    from webapp.review.routes import blueprint as review
    from webapp.rulebrowser.routes import blueprint as rulebook
    from webapp.signing.routes import blueprint as signing
    from webapp.visits.routes import blueprint as visits

    for blueprint in (
        accounts,
        offline,
        paper,
        me,
        organisations,
        staff,
        wechat,
        api,
        people,
        privacy,
        report,
        report_page,
        verify,
        dashboard,
        rulebook,
        visits,
        signing,
        review,
    ):
        app.register_blueprint(blueprint)

    @app.get("/healthz")
    @access.allow(access.ANYONE)
    def health() -> Response:
        services().database.ping()
        return jsonify({"status": "ok", "rules": services().rules.hash})


__all__ = ["Services", "create_app", "services"]
