"""The server's secret is a test's own, and passwords are hashed cheaply: there are many of them."""

from __future__ import annotations

import base64

import pytest
from argon2 import PasswordHasher

from llava_agent.service.auth import passwords
from llava_agent.service.auth.secret import SECRET
from tests.service.stores import store

__all__ = ["store"]

_CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture(autouse=True)
def server_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, base64.b64encode(bytes(range(32))).decode())


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", lambda: _CHEAP)
    passwords._nobody.cache_clear()
