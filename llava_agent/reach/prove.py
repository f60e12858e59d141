"""All attempts, in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

from llava_agent.reach import browser, configured, content, models, start, tools, transport
from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ends import Ends
from llava_agent.reach.ground import Ground
from llava_agent.reach.watch import Watch

Report = Callable[[Attempt], None]


def prove(report: Report = lambda _: None) -> list[Attempt]:
    """Try every path that could open a connection; about a quarter of a minute.

    Only addresses of this machine are spoken to, whatever the outcome.

    Args:
        report: hears of each attempt when it is done.

    Raises:
        ConfigError: the policy in force is wrong.
    """
    found: list[Attempt] = []
    with Ends(browser.page) as ends:
        ground = Ground(ends, Watch())
        for one in _all(ground):
            found.append(one)
            report(one)
    return found


def _all(ground: Ground) -> Iterator[Attempt]:
    yield from configured.attempts()
    yield from transport.attempts(ground)
    yield from _awaited(transport.attempts_too(ground))
    yield from models.attempts(ground)
    yield from content.attempts(ground)
    yield from tools.attempts(ground)
    yield from _awaited(tools.attempts_too(ground))
    yield from _awaited(browser.attempts(ground))
    yield start.attempt()


def _awaited(attempts: AsyncIterator[Attempt]) -> Iterator[Attempt]:
    """Coroutines' attempts one by one, all in one event loop."""
    with asyncio.Runner() as runner:
        while True:
            try:
                yield runner.run(_next(attempts))
            except StopAsyncIteration:
                return


async def _next(attempts: AsyncIterator[Attempt]) -> Attempt:
    return await anext(attempts)
