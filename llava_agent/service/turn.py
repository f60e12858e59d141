"""Work of a model for one request: in its turn, in a thread, and ended where the client has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

from llava_agent.errors import LlavaAgentError
from llava_agent.service.queue import FairQueue

if TYPE_CHECKING:
    from starlette.requests import Request

Result = TypeVar("Result")


class ClientGone(LlavaAgentError):
    """Nobody waits for the answer any more. 499, as nginx has it."""

    http_status = 400

    def __init__(self) -> None:
        super().__init__("the client closed the connection")


class Stop:
    """Tells a thread to end. It looks between two pieces of its work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def now(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises ClientGone where the work is no longer wanted."""
        if self._event.is_set():
            raise ClientGone


async def in_turn(queue: FairQueue, caller: str, work: Callable[[Stop], Result]) -> Result:
    """Wait for a turn and run `work` in a thread; the turn lasts until the thread is done.

    Raises:
        Busy: too many wait already.
    """
    stop = Stop()
    async with queue.turn(caller):
        # In a task of its own: the turn must not be passed on while the thread still computes.
        thread = asyncio.ensure_future(run_in_threadpool(work, stop))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            stop.now()
            while not thread.done():  # whoever cancels twice may not pass the turn on either
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([thread])
            if not thread.cancelled():
                thread.exception()  # taken note of
            raise


async def unless_gone(
    request: Request, queue: FairQueue, caller: str, work: Callable[[Stop], Result]
) -> Result:
    """`in_turn`, ended when the client closes the connection before the answer.

    Raises:
        ClientGone: it did.
        Busy: too many wait already.
    """
    task = asyncio.ensure_future(in_turn(queue, caller, work))
    watch = asyncio.ensure_future(gone(request))
    try:
        await asyncio.wait([task, watch], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        watch.cancel()
        if not task.done():
            task.cancel()  # leaves the line, or stops the thread, which then passes the turn on
            task.add_done_callback(_noted)


async def gone(request: Request) -> None:
    """Returns once the client has closed the connection; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _noted(task: asyncio.Future[Result]) -> None:
    if not task.cancelled():
        task.exception()
