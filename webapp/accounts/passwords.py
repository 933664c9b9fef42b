"""Passwords: hashed with argon2id, compared in the same time whether the account exists or not.

Rules for new ones ask for length, not for signs: ten characters, not the user name, nothing that everybody tries first.
"""

from __future__ import annotations

import itertools
import secrets
import unicodedata
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 200
#: So much must be left when the user name is taken out.
LEFT_WITHOUT_NAME = 6
#: What is tried first. Rows of one letter and rows that count up or down are refused without a list.
OBVIOUS = frozenset(
    [
        "1234567890",
        "0123456789",
        "0987654321",
        "1234512345",
        "1234554321",
        "1122334455",
        "1231231231",
        "1357924680",
        "5201314520",
        "1314520520",
        "13145201314",
        "woaini1314",
        "woaini5201314",
        "woaini520520",
        "a123456789",
        "aa12345678",
        "abc1234567",
        "abcd123456",
        "qwe1234567",
        "123456789a",
        "qwertyuiop",
        "asdfghjkl1",
        "1qaz2wsx3edc",
        "1q2w3e4r5t",
        "zxcvbnm123",
        "password12",
        "password123",
        "password1234",
        "passw0rd12",
        "passw0rd123",
        "adminadmin",
        "admin12345",
        "admin123456",
        "admin888888",
        "iloveyou12",
        "yanshi-demo",
        "yyassess12",
        "changeme12",
        "welcome123",
    ]
)
#: Letters and digits that nobody mixes up when a password is read from a slip of paper.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"

Fault = Literal["short", "long", "name", "obvious"]

_hasher = PasswordHasher()
#: Checked when there is no such account, so that a stranger cannot tell by the time the answer takes.
_nobody = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    """What is stored of a password."""
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether it is the password; ``None`` stands for no account, and never matches."""
    try:
        return _hasher.verify(stored or _nobody, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Hashed with weaker settings than today's."""
    return _hasher.check_needs_rehash(stored)


def fault_of(password: str, username: str) -> Fault | None:
    """Why it may not become a password; none when it may."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    name = unicodedata.normalize("NFKC", username).casefold()
    if len(password) < LEAST:
        return "short"
    if len(password) > MOST:
        return "long"
    if name and name in plain and len(plain.replace(name, "")) < LEFT_WITHOUT_NAME:
        return "name"
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(plain)}
    if plain in OBVIOUS or len(set(plain)) <= 2 or steps in ({1}, {-1}):
        return "obvious"
    return None


def one_time() -> str:
    """A first password to hand over on paper: twelve letters in groups, about 59 bits."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(12))
    return "-".join(letters[i : i + 4] for i in (0, 4, 8))
