"""The seconds of a run: a hard limit that stands still while the run waits for a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class RunClock:
    """Counts seconds from the beginning of a run.

    Args:
        before: seconds that were spent before a resumption.
        limit: in all; None is no limit.

    Attributes:
        expired: the limit has ended the block of `limited`.
    """

    def __init__(self, before: float, limit: float | None) -> None:
        self.expired = False
        self._before = before
        self._limit = limit
        self._began = time.monotonic()
        self._waited = 0.0
        self._timeout: asyncio.Timeout | None = None

    @property
    def spent(self) -> float:
        """Seconds so far, without those of waiting for a person."""
        return self._before + time.monotonic() - self._began - self._waited

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Cancels what is inside at the limit.

        Raises:
            TimeoutError: at the limit; `expired` tells it from others.
        """
        left = None if self._limit is None else max(0.0, self._limit - self.spent)
        try:
            async with asyncio.timeout(left) as self._timeout:
                yield
        finally:
            self.expired = self._timeout.expired() if self._timeout else False

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The time inside is not the run's."""
        timeout, began = self._timeout, time.monotonic()
        end = timeout.when() if timeout else None
        if timeout and end is not None:
            timeout.reschedule(None)
        try:
            yield
        finally:
            waited = time.monotonic() - began
            self._waited += waited
            if timeout and end is not None and not timeout.expired():
                timeout.reschedule(end + waited)
