"""Log-in through WeChat (网页授权 of an official account), off unless it is set up. Not verified against WeChat itself.

It binds a WeChat user to an account that exists and has proved its password; it never makes an account.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.access import ANYONE, EVERY_ROLE, actor, allow
from webapp.accounts import proving
from webapp.accounts.routes import FIELD_LIMIT, begin, page, wait_words
from webapp.app import services
from webapp.settings import WeChat
from webapp.storage import accounts, audit

blueprint = Blueprint("wechat", __name__)
#: Where the state of a round trip is kept until it comes back.
TRIP = "wechat"
INDEX = "account.wechat"
ANSWER_SECONDS = 5
ANSWER_BYTES = 65_536


class NotIdentified(RuntimeError):
    """WeChat did not say who it is; the message holds its error code, never a code or a token."""


class Identities(Protocol):
    """Somebody who can say who a person is."""

    def address(self, state: str, back: str) -> str:
        """Where to send the browser; it comes back to ``back`` with ``state`` and a code."""
        ...

    def identify(self, code: str) -> str:
        """The same text for the same person each time; raises `NotIdentified`."""
        ...


@dataclass(frozen=True)
class OfficialAccount:
    """WeChat, as its documentation describes it."""

    settings: WeChat

    def address(self, state: str, back: str) -> str:
        """See `Identities.address`."""
        asked = {
            "appid": self.settings.app_id,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{self.settings.authorize}?{urlencode(asked)}#wechat_redirect"

    def identify(self, code: str) -> str:
        """See `Identities.identify`. WeChat reports failures as ``errcode`` in an answer of status 200."""
        asked = {
            "appid": self.settings.app_id,
            "secret": self.settings.secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        try:
            with urlopen(
                f"{self.settings.api}/sns/oauth2/access_token?{urlencode(asked)}", timeout=ANSWER_SECONDS
            ) as answer:
                told: Any = json.loads(answer.read(ANSWER_BYTES))
        except (URLError, OSError, ValueError) as error:
            # Not the error itself: its text may hold the address, and that holds the secret.
            raise NotIdentified(type(error).__name__) from None
        if not isinstance(told, dict) or told.get("errcode") or not isinstance(told.get("openid"), str):
            raise NotIdentified(f"errcode {told.get('errcode')}" if isinstance(told, dict) else "no object")
        return str(told["openid"])


@blueprint.get("/login/wechat")
@allow(ANYONE)
def leave() -> Response:
    """Send the phone to WeChat."""
    return _travel(bind=None)


@blueprint.get("/login/wechat/back")
@allow(ANYONE)
def arrive() -> Response:
    """The phone comes back with a code: log in, or bind."""
    provider = _provider()
    trip = session.pop(TRIP, None)
    state, code = request.args.get("state", ""), request.args.get("code", "")
    if not isinstance(trip, dict) or not hmac.compare_digest(trip["state"].encode(), state.encode()):
        return page(error=_("This log-in was not started here. Please begin again."), back="", status=400)
    if not code:
        return page(error=_("WeChat did not say who you are. Log in with your password."), back="", status=422)
    try:
        index = services().database.cipher.index(provider.identify(code), INDEX)
    except NotIdentified:
        return page(error=_("WeChat did not say who you are. Log in with your password."), back="", status=422)
    if trip["bind"] is not None:
        return _bind(trip["bind"], index)
    with services().database.reading() as db:
        account = accounts.account_by_wechat(db, index)
    if account is None or not account.active:
        words = _("No account is bound to this WeChat. Log in with your password; then bind it under “My account”.")
        return page(error=words, back="", status=422)
    # No password was typed: signing will ask for it.
    return begin(account, "", proved=False)


@blueprint.get("/me/wechat")
@allow(*EVERY_ROLE)
def binding() -> str:
    """Whether WeChat is bound to my account."""
    return _page({})


@blueprint.post("/me/wechat")
@allow(*EVERY_ROLE)
def bind() -> str | tuple[str, int]:
    """With the password typed again, offer the way to WeChat. A link: forms lead nowhere but to this site."""
    _provider()
    if not proving.prove(actor(), request.form.get("password", "")[:FIELD_LIMIT]):
        wait = proving.wait_of(actor())
        return _page({"password": wait_words(wait) if wait else _("This is not your password.")}), 422
    return _page({}, address=_address(bind=str(actor().id)))


@blueprint.post("/me/wechat/unbind")
@allow(*EVERY_ROLE)
def unbind() -> Response:
    """Take WeChat off my account."""
    with services().database.writing() as db:
        accounts.bind_wechat(db, actor().id, None)
        _note(db, "wechat.unbound")
    flash(_("WeChat is taken off your account."))
    return redirect(url_for("wechat.binding"), 303)


def _bind(account: str, index: bytes) -> Response:
    who = g.get("actor")
    if who is None or str(who.id) != account:
        abort(403)
    with services().database.writing() as db:
        bound = accounts.bind_wechat(db, who.id, index)
        if bound:
            _note(db, "wechat.bound")
    flash(_("WeChat is bound to your account.") if bound else _("This WeChat is bound to another account."))
    return redirect(url_for("wechat.binding"), 303)


def _travel(*, bind: str | None) -> Response:
    return redirect(_address(bind=bind), 303)


def _address(*, bind: str | None) -> str:
    provider = _provider()
    session[TRIP] = {"state": secrets.token_urlsafe(24), "bind": bind}
    scheme = "https" if services().settings.https else None
    back = url_for("wechat.arrive", _external=True, **({"_scheme": scheme} if scheme else {}))
    return provider.address(session[TRIP]["state"], back)


def _provider() -> Identities:
    settings = services().settings.wechat
    if settings is None:
        abort(404)
    return OfficialAccount(settings)


def _page(errors: dict[str, str], address: str | None = None) -> str:
    _provider()
    with services().database.reading() as db:
        bound = accounts.has_wechat(db, actor().id)
    return render_template("wechat.html", bound=bound, errors=errors, address=address)


def _note(db: Any, action: str) -> None:
    who = actor()
    audit.record(db, action, f"account:{who.id}", account=who.id, organisation=who.organisation)
