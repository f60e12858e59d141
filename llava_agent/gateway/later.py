"""Safeguards that are opened when a call needs them: their packages and their database take time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from llava_agent.gateway.budget import Accounts, Hold, Room
from llava_agent.gateway.screen import AuditLog


class LaterAudit:
    """An audit log that is opened at its first record. A failure to open it is that record's failure."""

    def __init__(self, open_audit: Callable[[], AuditLog]) -> None:
        self._audit = cache(open_audit)

    def intent(self, record: Mapping[str, object]) -> int:
        return self._audit().intent(record)

    def outcome(self, sequence: int, record: Mapping[str, object]) -> None:
        self._audit().outcome(sequence, record)


class LaterAccounts:
    """Accounts that are opened where a budget first applies."""

    def __init__(self, open_accounts: Callable[[], Accounts]) -> None:
        self._accounts = cache(open_accounts)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def left(self, room: Room) -> Decimal:
        return self._accounts().left(room)

    def hold(self, rooms: Iterable[Room], amount: Decimal, seconds: float) -> Hold:
        return self._accounts().hold(rooms, amount, seconds)

    def settle(self, hold: Hold, cost: Decimal) -> None:
        self._accounts().settle(hold, cost)
