"""Who is next at a model: one after the other, fairly among callers, and not without end."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llava_agent.service.errors import Busy

#: How much the newest turn counts in the mean of what a turn takes.
_NEWEST = 0.2
_FIRST_GUESS_S = 1.0


class FairQueue:
    """Gives out turns. Callers take turns among each other, so one with many requests delays only itself.

    Lives in one event loop.

    Args:
        width: turns at once.
        waiting: requests that may wait.
        each: of which one caller may have.
    """

    def __init__(self, width: int, waiting: int, each: int) -> None:
        self._width, self._most, self._each = width, waiting, each
        self._running = 0
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._mean_s = _FIRST_GUESS_S

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return sum(len(line) for line in self._lines.values())

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it. A caller that is cancelled while it waits leaves the line at once.

        Raises:
            Busy: too many wait already.
        """
        await self._enter(caller)
        began = time.perf_counter()
        try:
            yield
        finally:
            self._mean_s += _NEWEST * (time.perf_counter() - began - self._mean_s)
            self._pass_on()

    async def _enter(self, caller: str) -> None:
        if self._running < self._width and not self._lines:
            self._running += 1
            return
        line = self._lines.get(caller, deque())
        if self.waiting >= self._most or len(line) >= self._each:
            raise Busy(
                "the model has as many requests as it can serve soon",
                "try again later",
                self._soon(len(line)),
            )
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        self._lines.setdefault(caller, line)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the turn came in the same moment
                self._pass_on()
            else:
                self._leave(caller, place)
            raise

    def _leave(self, caller: str, place: asyncio.Future[None]) -> None:
        line = self._lines.get(caller)
        if line is not None and place in line:
            line.remove(place)
            if not line:
                del self._lines[caller]

    def _pass_on(self) -> None:
        """Give the turn to the first in line of the caller who was served longest ago."""
        while self._lines:
            caller, line = self._lines.popitem(last=False)
            place = line.popleft()
            if line:
                self._lines[caller] = line
            if not place.done():
                place.set_result(None)
                return
        self._running -= 1

    def _soon(self, own: int) -> float:
        """Seconds until a place is likely to be free."""
        ahead = own if own >= self._each else self.waiting
        return max(1.0, self._mean_s * ahead / self._width / 2)
