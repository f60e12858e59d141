"""Leaves an ill deployment alone for a while, then lets one call through to see whether it is well again."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from llava_agent.gateway.policy import BreakerSettings


@dataclass(slots=True)
class _Circuit:
    """Attributes:
    recent: of the last calls, whether each failed.
    open_until: no call before this; None while all is well.
    probing: one call is on its way to see.
    error: what went wrong last.
    """

    recent: deque[bool]
    in_a_row: int = 0
    open_until: float | None = None
    probing: bool = False
    error: str = ""


class Breakers:
    """One circuit a deployment, kept in this process. Safe to share between threads.

    Args:
        clock: monotonic seconds; another one for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def refusal(self, entry: str) -> str:
        """Why the deployment is left alone now; empty where it is not. Takes nothing."""
        with self._lock:
            circuit = self._circuits.get(entry)
            if circuit is None or circuit.open_until is None:
                return ""
            wait = circuit.open_until - self._clock()
            if wait > 0:
                return f"it failed too often and is left alone for {wait:.0f} s more ({circuit.error})"
            return f"one call is trying whether it is well again ({circuit.error})" if circuit.probing else ""

    def admit(self, entry: str) -> bool:
        """Take the right to call; of those who wait for an open circuit, one gets it."""
        with self._lock:
            circuit = self._circuits.get(entry)
            if circuit is None or circuit.open_until is None:
                return True
            if self._clock() < circuit.open_until or circuit.probing:
                return False
            circuit.probing = True
            return True

    def succeeded(self, entry: str) -> None:
        with self._lock:
            circuit = self._circuits.get(entry)
            if circuit is None:
                return
            circuit.in_a_row, circuit.probing = 0, False
            if circuit.open_until is not None:
                circuit.open_until = None
                circuit.recent.clear()
            circuit.recent.append(False)

    def failed(self, entry: str, error: str, settings: BreakerSettings) -> None:
        """A failure that tells of the deployment, not of the request."""
        with self._lock:
            circuit = self._circuits.get(entry)
            if circuit is None or circuit.recent.maxlen != settings.of_last:
                circuit = self._circuits[entry] = _Circuit(deque(maxlen=settings.of_last))
            circuit.recent.append(True)
            circuit.in_a_row += 1
            circuit.error = error
            full = len(circuit.recent) == settings.of_last
            half = full and sum(circuit.recent) * 2 >= settings.of_last
            if circuit.probing or circuit.in_a_row >= settings.in_a_row or half:
                circuit.open_until, circuit.probing = self._clock() + settings.open_seconds, False

    def neither(self, entry: str) -> None:
        """The call told nothing of the deployment (the request was bad, or the caller left)."""
        with self._lock:
            circuit = self._circuits.get(entry)
            if circuit is not None:
                circuit.probing = False
