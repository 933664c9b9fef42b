"""The audit log of an organisation, for its administrator: to read, never to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import render_template, request
from flask_babel import lazy_gettext as _l

from webapp.access import ORG_ADMIN, allow, organisation
from webapp.app import services
from webapp.privacy.blueprint import blueprint
from webapp.storage import accounts, audit, subjects

PAGE_SIZE = 50
OBJECT_LIMIT = 80
SHORT, LONG = 8, 40
KINDS: dict[str, Any] = {
    "account": _l("Accounts"),
    "consent": _l("Consents"),
    "login": _l("Log-ins"),
    "logins": _l("Log-ins ended"),
    "organisation": _l("Organisation"),
    "password": _l("Passwords"),
    "person": _l("People's data"),
    "records": _l("Exports"),
    "report": _l("Reports"),
    "review": _l("Reviews"),
    "signature": _l("Signatures"),
    "visit": _l("Visits"),
    "wechat": _l("WeChat"),
}
#: Actions in words; one that is missing here is shown as it is written in the log.
ACTIONS: dict[str, Any] = {
    "account.added": _l("Account made"),
    "account.changed": _l("Account changed"),
    "account.unlocked": _l("Account opened again"),
    "consent.given": _l("Consent given"),
    "consent.refused": _l("Consent refused"),
    "consent.withdrawn": _l("Consent taken back"),
    "login.started": _l("Logged in"),
    "login.ended": _l("Logged out"),
    "login.refused": _l("Log-in refused"),
    "logins.ended": _l("Other devices logged out"),
    "organisation.added": _l("Organisation added"),
    "organisation.changed": _l("Organisation changed"),
    "password.changed": _l("Password changed"),
    "password.refused": _l("Wrong password typed again"),
    "password.reset": _l("New first password given"),
    "person.erased": _l("Person erased"),
    "person.handed_out": _l("Person's data handed out"),
    "person.revealed": _l("Identity number shown"),
    "records.exported": _l("Records exported"),
    "report.pdf": _l("Report taken as a file"),
    "review.approved": _l("Record approved"),
    "review.handed_over": _l("Draft handed over"),
    "review.reassigned": _l("Record given to another assessor"),
    "review.returned": _l("Record sent back"),
    "signature.voided": _l("Signatures void"),
    "visit.begun_offline": _l("Visit started without a network"),
    "visit.deleted": _l("Visit deleted"),
    "visit.finished": _l("Visit finished"),
    "visit.joined": _l("Second assessor joined"),
    "visit.reopened": _l("Taken back for editing"),
    "visit.signed": _l("Signed"),
    "visit.started": _l("Visit started"),
    "visit.submitted": _l("Submitted for signing"),
    "wechat.bound": _l("WeChat bound"),
    "wechat.unbound": _l("WeChat taken off"),
}


@blueprint.get("/audit")
@allow(ORG_ADMIN)
def audit_page() -> str:
    """Lines, the newest first; by kind, by account, by what they are about."""
    kind = request.args.get("kind", "")
    object = request.args.get("object", "")[:OBJECT_LIMIT]
    account = _uuid(request.args.get("account", ""))
    before = request.args.get("before", type=int)
    with services().database.reading() as db:
        kinds = audit.kinds(db, organisation())
        found = audit.lines(
            db,
            organisation(),
            kind=f"{kind}." if kind in kinds else "",
            account=account,
            object=object,
            before=before,
            limit=PAGE_SIZE + 1,
        )
        people = accounts.list_accounts(db, organisation())
        numbers = subjects.visit_numbers(
            db, [id for line in found if (id := _uuid(line.object.removeprefix("visit:")))]
        )
    names = {str(a.id): a.name for a in people}
    return render_template(
        "audit.html",
        called=lambda object: called(object, names, numbers),
        in_short=lambda value: in_short(value, names),
        lines=found[:PAGE_SIZE],
        more=len(found) > PAGE_SIZE,
        kinds=kinds,
        kind=kind,
        kind_words=KINDS,
        actions=ACTIONS,
        accounts=people,
        names={a.id: a.name for a in people},
        account=str(account or ""),
        object=object,
    )


def called(object: str, names: Mapping[str, str], numbers: Mapping[UUID, str]) -> str:
    """What a line is about, in short: a person's name, a record's number, or the beginning of an id."""
    kind, _, id = object.partition(":")
    number = numbers.get(_uuid(id) or UUID(int=0))
    return names.get(id) or number or f"{kind} {id[:SHORT]}"


def in_short(value: Any, names: Mapping[str, str]) -> str:
    """A detail in short: names for accounts, the beginning of hashes."""
    if isinstance(value, list):
        return ", ".join(in_short(part, names) for part in value)
    text = str(value)
    if text in names:
        return names[text]
    return text if len(text) <= LONG else text.removeprefix("sha256:")[:SHORT] + "…"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
