"""The log-in of a request: read from its cookie, ended by time, started and ended by the pages."""

from __future__ import annotations

import datetime as dt

from flask import Flask, Response, current_app, g, request

from webapp.access import Actor
from webapp.storage import Database, accounts
from webapp.storage.accounts import Login

COOKIE = "yyassess_login"
#: Unused for so long, a log-in ends; and after so long in any case.
IDLE = dt.timedelta(hours=4)
ABSOLUTE = dt.timedelta(hours=14)
#: How often the time of last use is written down.
NOTED_EVERY = dt.timedelta(minutes=1)


def set_up(app: Flask, database: Database) -> None:
    """Recognise who sends each request."""

    def know_the_actor() -> None:
        g.actor = None
        token = request.cookies.get(COOKIE)
        if not token:
            return
        with database.reading() as db:
            login = accounts.find_login(db, token)
        if login is None:
            return
        now = dt.datetime.now(dt.UTC)
        if now - login.seen_at > IDLE or now - login.created_at > ABSOLUTE:
            with database.writing() as db:
                accounts.end_login(db, login.id, "expired")
            return
        if now - login.seen_at > NOTED_EVERY:
            with database.writing() as db:
                accounts.note_seen(db, login.id)
        g.actor = actor_of(login)

    app.before_request(know_the_actor)
    app.jinja_env.globals["actor"] = lambda: g.get("actor")


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
        max_age=int(ABSOLUTE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )


def take_back(response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"])
