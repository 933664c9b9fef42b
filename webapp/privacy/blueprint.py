"""The blueprint of everything about privacy; the modules beside this one put their pages on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _

from webapp.access import actor
from webapp.accounts import proving
from webapp.accounts.routes import FIELD_LIMIT, wait_words

blueprint = Blueprint("privacy", __name__)


def chosen_reason(reasons: Mapping[str, Any], errors: dict[str, str]) -> str:
    """The reason that was posted; a fault in ``errors`` when none was chosen."""
    reason = request.form.get("reason", "")
    if reason not in reasons:
        errors["reason"] = _("Choose the reason")
    return reason


def ask_password(errors: dict[str, str]) -> None:
    """Check the posted password, unless something else is wrong already; a fault in ``errors`` when it is not right."""
    if errors or proving.prove(actor(), request.form.get("password", "")[:FIELD_LIMIT]):
        return
    wait = proving.wait_of(actor())
    errors["password"] = wait_words(wait) if wait else _("This is not your password.")
