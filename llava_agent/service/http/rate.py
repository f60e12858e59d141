"""How fast somebody may ask: a bucket of requests for each caller, filled at a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

#: Callers that are remembered; the one that has been quiet longest is forgotten first.
_KEPT = 10_000


class Buckets:
    """Lives in one event loop.

    Args:
        per_minute: requests in the long run; 0 for no limit.
        burst: requests at once.
    """

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one request out; the seconds to wait where there is none, else 0."""
        if not self._rate:
            return 0.0
        now = self._clock()
        level, then = self._levels.pop(caller, (float(self._burst), now))
        level = min(float(self._burst), level + (now - then) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._levels[caller] = (level if wait else level - 1, now)
        if len(self._levels) > _KEPT:
            self._levels.popitem(last=False)
        return wait
