"""What a run has met so far: the highest class of its data, and the highest tier that it needed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from llava_agent.errors import PermissionDenied
from llava_agent.gateway.data_class import DataClass, highest
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.model import Tier

#: Runs that are remembered; the ones asked longest ago are forgotten first.
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """Attributes:
    data_class: facts and history of the run come from data of this class.
    tier: the highest that a step was answered by.
    """

    data_class: DataClass = "public"
    tier: Tier = "text"


class Sessions:
    """By run. Safe to share between threads. Calls without a run leave no trace here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._declassified: dict[int, str] = {}

    def restore(self, entries: Iterable[Entry]) -> None:
        """Take up what a ledger of earlier calls says."""
        for entry in entries:
            self.met(entry.run, entry.data_class, entry.tier)

    def of(self, run: str) -> Session:
        with self._lock:
            return self._sessions.get(run, Session())

    def met(self, run: str, data_class: DataClass, tier: Tier) -> None:
        """Both only rise."""
        if not run:
            return
        with self._lock:
            before = self._sessions.pop(run, Session())
            raised: Tier = "vision" if "vision" in (before.tier, tier) else "text"
            self._sessions[run] = Session(highest((before.data_class, data_class)), raised)
            while len(self._sessions) > _KEPT:
                del self._sessions[next(iter(self._sessions))]

    def declassified(self, sequence: int, content: str) -> None:
        """Remember what the audit record `sequence` lowered, by its digest."""
        with self._lock:
            self._declassified[sequence] = content

    def check_declassified(self, sequence: int, content: str) -> None:
        """Raises PermissionDenied where that record is about other content."""
        with self._lock:
            known = self._declassified.get(sequence)
        if known != content:
            raise PermissionDenied(
                f"the declassification {sequence} is not about this request", "have this one declassified"
            )
