"""Passwords: argon2id, a least length, and the same time for a user who is not there."""

from __future__ import annotations

import secrets
import threading
from functools import cache
from typing import TYPE_CHECKING

from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST = 12
MOST = 256

#: Each hash takes 64 MiB and a core for tens of milliseconds; more at once would be a way to stop the server.
_AT_ONCE = threading.BoundedSemaphore(2)


def hashed(password: str) -> str:
    """The argon2id hash in its own text form.

    Raises:
        ConfigError: too short, too long, or one character again and again.
    """
    if not LEAST <= len(password) <= MOST or len(set(password)) < 4:
        raise ConfigError(
            f"the password must have {LEAST} to {MOST} characters, and more than a few different ones",
            "a sentence of four words is a good one",
        )
    with _AT_ONCE:
        return _hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the one behind `stored`; None, no such user, costs the same time and is False."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            right = _hasher().verify(stored or _nobody(), password[: MOST + 1])
        except (VerificationError, InvalidHashError):
            return False
    return right and stored is not None


def one_time() -> str:
    """A password that a person can read off a screen; 95 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()  # the library's defaults are RFC 9106's second recommendation


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_hex(16))
