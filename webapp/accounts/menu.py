"""Where everybody starts, and what their menu holds; both follow the access rules of the routes."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from flask_babel import lazy_gettext as _l

from webapp.access import ANYONE, SYSTEM_ADMIN, rule_of

#: Endpoint and words, in the order of the menu. Those that are missing or closed to somebody are not shown.
ENTRIES: tuple[tuple[str, Any], ...] = (
    ("visits.records", _l("Records")),
    ("people.new", _l("New assessment")),
    ("review.desk", _l("Review desk")),
    ("dashboard.page", _l("Numbers at a glance")),
    ("staff.accounts_page", _l("Accounts")),
    ("privacy.export_page", _l("Export records")),
    ("privacy.people_page", _l("A person's data")),
    ("privacy.audit_page", _l("Audit log")),
    ("organisations.list_page", _l("Organisations")),
    ("rulebook.overview", _l("Rules")),
    ("offline.outbox", _l("Outbox")),
    ("offline.diag", _l("What this phone can do")),
)


def entries(role: str) -> list[tuple[str, Any]]:
    """Addresses and words of the menu for a role."""
    views = current_app.view_functions
    return [
        (url_for(name), words)
        for name, words in ENTRIES
        if name in views and {role, ANYONE} & set(rule_of(views[name]))
    ]


def home(role: str | None) -> str:
    """The first page of a role."""
    return url_for("organisations.list_page" if role == SYSTEM_ADMIN else "visits.records")
