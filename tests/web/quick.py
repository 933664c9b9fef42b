"""For tests that log in many times: passwords hashed in no time."""

from __future__ import annotations

from collections.abc import Iterator

import conftest
import pytest
from argon2 import PasswordHasher

from webapp.accounts import passwords


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hashing is slow on purpose; here it only has to be right."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_nobody", hasher.hash("nobody"))
    conftest.hashed_password.cache_clear()
    yield
    conftest.hashed_password.cache_clear()
