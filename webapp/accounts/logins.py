"""The log-in of a request: read from its cookie, ended by time, started and ended by the pages."""

from __future__ import annotations

import datetime as dt

from flask import Flask, Response, current_app, g, request

from webapp import moments
from webapp.access import Actor
from webapp.accounts.menu import home
from webapp.settings import Settings
from webapp.storage import Database, accounts
from webapp.storage.accounts import Login

COOKIE = "yyassess_login"
#: How often the time of last use is written down.
NOTED_EVERY = dt.timedelta(minutes=1)


def set_up(app: Flask, database: Database) -> None:
    """Recognise who sends each request."""

    def know_the_actor() -> None:
        g.actor = None
        if request.endpoint == "static":
            return
        token = request.cookies.get(COOKIE)
        if not token:
            return
        with database.reading() as db:
            login = accounts.find_login(db, token)
        # A browser that brings a token was logged in: the log-in page tells it why it must do so again.
        g.login_lost = True
        if login is None:
            return
        now, settings = dt.datetime.now(dt.UTC), limits()
        if now - login.seen_at > settings.idle or now - login.created_at > settings.absolute:
            with database.writing() as db:
                accounts.end_login(db, login.id, "expired")
            return
        g.login_lost = False
        if now - login.seen_at > NOTED_EVERY:
            with database.writing() as db:
                accounts.note_seen(db, login.id)
        g.actor = actor_of(login)

    app.before_request(know_the_actor)
    moments.set_up(app)
    app.jinja_env.globals["actor"] = lambda: g.get("actor")
    app.jinja_env.globals["home"] = lambda: home(g.actor.role if g.get("actor") else None)


def actor_of(login: Login) -> Actor:
    """The person behind a log-in."""
    account = login.account
    return Actor(
        id=account.id,
        organisation=account.organisation,
        name=account.name,
        username=account.username,
        role=account.role,
        certificate=account.certificate,
        place=account.place,
        login=login.id,
        proved_at=login.proved_at,
        must_change=account.must_change,
    )


def hand_over(response: Response, token: str) -> None:
    """Give the browser its token."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(limits().absolute.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )


def take_back(response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"])


def limits() -> Settings:
    """The settings that say how long a log-in lasts."""
    from webapp.app import services

    return services().settings
