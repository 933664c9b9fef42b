"""What an account or an organisation is made of, as typed on a page or a command line, and what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _

from webapp.storage.accounts import ASSESSOR, ORG_ADMIN, REVIEWER, plain_username

NAME_LIMIT = 60
#: What an administrator of an organisation may give away.
ROLES_TO_GIVE = (ASSESSOR, REVIEWER, ORG_ADMIN)
USERNAME = re.compile(r"[^\W_][\w.@+-]{1,59}")


@dataclass
class AccountForm:
    """An account as typed; ``errors`` says which fields cannot be taken."""

    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def certificate(self) -> str | None:
        """The certificate number, if there is one."""
        return self.typed["certificate"] or None


def read_account(posted: Mapping[str, str], *, new: bool) -> AccountForm:
    """The fields of an account; the user name only when it is a new one."""
    typed = {name: one_line(posted.get(name, "")) for name in ("username", "name", "role", "certificate")}
    form = AccountForm(typed)
    if new:
        typed["username"] = plain_username(typed["username"])
        if not USERNAME.fullmatch(typed["username"]):
            form.errors["username"] = _("2 to 60 letters or digits, without spaces")
    name_fault = fault_of_name(typed["name"])
    if name_fault:
        form.errors["name"] = name_fault
    if typed["role"] not in ROLES_TO_GIVE:
        form.errors["role"] = _("Choose what this person does")
    if len(typed["certificate"]) > NAME_LIMIT:
        form.errors["certificate"] = _("At most %(limit)s characters", limit=NAME_LIMIT)
    return form


def fault_of_name(name: str) -> str | None:
    """What is wrong with the name of a person or an organisation; none when it is fine."""
    if not name:
        return _("Enter the name")
    if len(name) > NAME_LIMIT:
        return _("At most %(limit)s characters", limit=NAME_LIMIT)
    return None


def one_line(text: str) -> str:
    """Typed text without line breaks, signs that cannot be printed, and spaces around."""
    shown = "".join(c if unicodedata.category(c) not in ("Cc", "Cf") else " " for c in text)
    return " ".join(unicodedata.normalize("NFC", shown).split())
