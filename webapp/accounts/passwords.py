"""Passwords: hashed with argon2id, compared in the same time whether the account exists or not."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

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
