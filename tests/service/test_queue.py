"""Turns: fair, bounded, and given back whatever happens."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.service.errors import Busy
from llava_agent.service.queue import FairQueue


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_caller_with_many_requests_does_not_keep_another_waiting() -> None:
    queue, order, go = FairQueue(1, 64, 64), [], asyncio.Event()

    async def ask(caller: str) -> None:
        async with queue.turn(caller):
            await go.wait()
            order.append(caller)

    tasks = [asyncio.create_task(ask(caller)) for caller in ("greedy", *["greedy"] * 5, "modest")]
    await settle()
    assert (queue.running, queue.waiting) == (1, 6)
    go.set()
    await asyncio.gather(*tasks)
    assert order.index("modest") == 2
    assert (queue.running, queue.waiting) == (0, 0)


async def test_a_full_line_is_refused_with_a_time() -> None:
    queue, go = FairQueue(1, 3, 2), asyncio.Event()

    async def ask(caller: str) -> None:
        async with queue.turn(caller):
            await go.wait()

    tasks = [asyncio.create_task(ask(caller)) for caller in ("a", "a", "a")]
    await settle()
    with pytest.raises(Busy) as refused:
        await ask("a")
    assert refused.value.seconds >= 1
    tasks.append(asyncio.create_task(ask("b")))
    await settle()
    with pytest.raises(Busy):
        await ask("c")
    go.set()
    await asyncio.gather(*tasks)
    assert queue.running == 0


async def test_a_failure_gives_the_turn_back() -> None:
    queue = FairQueue(1, 4, 4)
    with pytest.raises(KeyError):
        async with queue.turn("a"):
            raise KeyError
    async with asyncio.timeout(5), queue.turn("b"):
        pass


@given(
    st.integers(1, 3), st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=25), st.integers()
)
async def test_turns_are_never_lost_nor_doubled(width: int, asks: list[tuple[str, bool]], seed: int) -> None:
    """Some callers leave at a random moment: the rest are all served, never more than `width` at once."""
    queue, chance, at_once, most, served = FairQueue(width, 100, 100), random.Random(seed), 0, 0, 0

    async def ask(caller: str) -> None:
        nonlocal at_once, most, served
        async with queue.turn(caller):
            at_once += 1
            most = max(most, at_once)
            try:
                await asyncio.sleep(0)
            finally:
                at_once -= 1
            served += 1

    tasks = [(asyncio.create_task(ask(caller)), leaves) for caller, leaves in asks]
    for task, leaves in tasks:
        if leaves:
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            task.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
    assert most <= width and served >= sum(not leaves for _, leaves in asks)
    assert (queue.running, queue.waiting) == (0, 0)
