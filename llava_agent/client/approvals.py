"""Approvals that wait for the caller's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llava_agent.client.address import one
from llava_agent.client.connection import Connection
from llava_agent.service.shapes import Approval, Listed


@dataclass(frozen=True, slots=True)
class Approvals:
    """What the caller may decide; never what they asked for themselves."""

    _connection: Connection

    def waiting(self) -> tuple[Approval, ...]:
        """The oldest first."""
        return self._connection.read(Listed[Approval], "GET", "/api/approvals").items

    def approve(self, id: str, reason: str = "") -> Approval:
        return self._decide(id, "approve", reason)

    def refuse(self, id: str, reason: str = "") -> Approval:
        return self._decide(id, "refuse", reason)

    def _decide(self, id: str, verdict: Literal["approve", "refuse"], reason: str) -> Approval:
        body = {"verdict": verdict, "reason": reason}
        return self._connection.read(Approval, "POST", f"/api/approvals/{one(id)}", json=body)
