"""Ids that sort by time, so that the newest of anything are found by its key."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime


def new_id(kind: str) -> str:
    """`photo_0199f2c8b1a4...`: kind, milliseconds since 1970 and 64 random bits, in hex."""
    return f"{kind}_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(8)}"


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def in_utc(time: datetime | None) -> datetime | None:
    """A time from the database, which in SQLite comes back without its zone."""
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
