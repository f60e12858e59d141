"""Steers one run from outside: pause, go on, stop, answer, approve. Safe to use from any thread.

```
control = Control(on_wait=tell_the_page)
task = asyncio.create_task(run_task(..., control=control))
control.pause(); control.resume(); control.stop("not needed any more")
control.reply("SN-48213")                        # to the question in `control.waiting`
control.decide(proposal.hash, approved=True, by="ada")
```
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Literal

from llava_agent.agent.attendant import Proposal, Question, Verdict
from llava_agent.errors import ConfigError

Phase = Literal["running", "paused", "waiting", "stopped"]
Waiting = Question | Proposal


class Control:
    """A run's remote control, which also answers and approves (`Attendant`).

    Args:
        on_wait: called in the run's thread when it begins to wait for an answer or an approval.
        seconds: how long to wait for a person; None waits until the run is stopped.

    Attributes:
        waiting: what the run waits for; None while it does not.
    """

    def __init__(
        self, on_wait: Callable[[Waiting], None] | None = None, seconds: float | None = None
    ) -> None:
        self.waiting: Waiting | None = None
        self._on_wait = on_wait
        self._seconds = seconds
        self._paused = False
        self._stopped = ""
        self._answer: str | None = None
        self._verdict: Verdict | None = None
        self._lock = threading.Lock()
        self._wakers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def phase(self) -> Phase:
        if self._stopped:
            return "stopped"
        if self.waiting is not None:
            return "waiting"
        return "paused" if self._paused else "running"

    def pause(self) -> None:
        """Hold the run before its next step."""
        self._change(paused=True)

    def resume(self) -> None:
        self._change(paused=False)

    def stop(self, reason: str = "by the user") -> None:
        """End the run before its next step, with a report."""
        self._change(stopped=reason or "by the user")

    def reply(self, text: str) -> None:
        """Answer the question that the run waits for.

        Raises:
            ConfigError: it waits for none.
        """
        with self._lock:
            if not isinstance(self.waiting, Question) or self._answer is not None:
                raise ConfigError("the run waits for no answer")
            self._answer = text
        self._wake()

    def decide(self, hash: str, *, approved: bool, by: str, reason: str = "") -> None:
        """Approve or refuse the action that the run waits for.

        Raises:
            ConfigError: it waits for no approval, or for that of another action.
        """
        with self._lock:
            if not isinstance(self.waiting, Proposal) or self._verdict is not None:
                raise ConfigError("the run waits for no approval")
            if self.waiting.hash != hash:
                raise ConfigError("the run waits for the approval of another action", "look at it again")
            self._verdict = Verdict(approved, hash, by, reason)
        self._wake()

    async def checkpoint(self) -> str:
        """Wait while the run is paused; the reason where it is stopped, else empty."""
        await self._until(lambda: not self._paused or bool(self._stopped), None)
        return self._stopped

    async def answer(self, question: Question) -> str | None:
        self._begin(question)
        try:
            await self._until(lambda: self._answer is not None or bool(self._stopped), self._seconds)
            return self._answer
        finally:
            self._finish()

    async def approve(self, proposal: Proposal) -> Verdict | None:
        self._begin(proposal)
        try:
            await self._until(lambda: self._verdict is not None or bool(self._stopped), self._seconds)
            return self._verdict
        finally:
            self._finish()

    def _begin(self, waiting: Waiting) -> None:
        with self._lock:
            self.waiting, self._answer, self._verdict = waiting, None, None
        if self._on_wait:
            self._on_wait(waiting)

    def _finish(self) -> None:
        with self._lock:
            self.waiting = None

    def _change(self, *, paused: bool | None = None, stopped: str = "") -> None:
        with self._lock:
            self._paused = self._paused if paused is None else paused
            self._stopped = self._stopped or stopped
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            wakers = list(self._wakers)
        for loop, event in wakers:
            loop.call_soon_threadsafe(event.set)

    async def _until(self, ready: Callable[[], bool], seconds: float | None) -> None:
        """Return once `ready` holds or the seconds are over."""
        waker = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._wakers.add(waker)
        try:
            async with asyncio.timeout(seconds):
                while not ready():
                    await waker[1].wait()
                    waker[1].clear()
        except TimeoutError:
            return
        finally:
            with self._lock:
                self._wakers.discard(waker)
