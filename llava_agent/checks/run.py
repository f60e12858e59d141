"""Runs specs: opens what they name, does their steps, and looks until each expectation is decided."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llava_agent.checks.baselines import Written, write_baselines
from llava_agent.checks.expectation import Expectation
from llava_agent.checks.judge import Ask, judge
from llava_agent.checks.look.subject import PageSubject
from llava_agent.checks.opening import opened
from llava_agent.checks.secrets import veil
from llava_agent.checks.sighting import Subject
from llava_agent.checks.spec import Spec, Variant
from llava_agent.checks.steps import Errand
from llava_agent.checks.verdict import CheckResult, SpecResult, Verdict
from llava_agent.egress import ANYWHERE, Reach
from llava_agent.errors import LlavaAgentError

#: Seconds between two looks at a page that does not show yet what it should.
_AGAIN = 0.25

Progress = Callable[[SpecResult, int, int], None]


@dataclass(frozen=True, slots=True)
class Models:
    """What a model is asked for; without one those things stay undecided or are errors.

    Attributes:
        ask: for `asks`.
        errand: for steps in plain words.
    """

    ask: Ask | None = None
    errand: Errand | None = None


async def run_specs(
    specs: Sequence[tuple[Path, Spec]],
    models: Models | None = None,
    *,
    update_baselines: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> CheckResult:
    """Run the specs, each once for each of its variants; one that cannot be run is an error and stops no
    other.

    Args:
        jobs: so many at a time, each in a browser of its own.
        progress: called as each is done.

    Returns:
        Results in the order of the specs.
    """
    numbered: dict[int, SpecResult] = {}
    total = sum(len(spec.variants()) for _, spec in specs)
    async for index, result in stream_specs(specs, models, update_baselines=update_baselines, jobs=jobs):
        numbered[index] = result
        if progress:
            progress(result, len(numbered), total)
    return CheckResult(tuple(numbered[index] for index in sorted(numbered)))


async def stream_specs(
    specs: Sequence[tuple[Path | None, Spec]],
    models: Models | None = None,
    *,
    update_baselines: bool = False,
    jobs: int = 1,
) -> AsyncIterator[tuple[int, SpecResult]]:
    """Yields each result with its place as soon as it is there. Whoever stops listening stops the rest."""
    work = [(file, spec, variant) for file, spec in specs for variant in spec.variants()]
    free = asyncio.Semaphore(max(1, jobs))

    async def one(index: int) -> tuple[int, SpecResult]:
        async with free:
            file, spec, variant = work[index]
            return index, await run_variant(spec, variant, file, models or Models(), update_baselines)

    tasks = [asyncio.create_task(one(index)) for index in range(len(work))]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_variant(
    spec: Spec,
    variant: Variant,
    file: Path | None,
    models: Models,
    update_baselines: bool = False,
    reach: Reach = ANYWHERE,
) -> SpecResult:
    """One spec in one window; what keeps it from being run becomes the result's `problem`."""
    from playwright.async_api import Error

    began = time.perf_counter()
    name = f"{spec.name} [{variant.name}]" if variant.name else spec.name
    verdicts: list[Verdict] = []
    written: list[Written] = []
    problem = ""
    folder = file.parent if file is not None else None
    try:
        async with opened(spec, variant, folder, models.errand, reach) as subject:
            expect = tuple(_own(one, variant) for one in spec.expect)
            if update_baselines and folder is not None:
                written = write_baselines(expect, await subject.look(), folder)
            verdicts = await decided(expect, folder or Path(), subject, spec.timeout, models.ask)
            secrets = subject.secrets if isinstance(subject, PageSubject) else ()
            verdicts = [verdict.without(lambda text: veil(text, secrets)) for verdict in verdicts]
    except LlavaAgentError as error:
        problem = str(error)
    except Error as error:  # the browser was killed between two steps
        problem = f"the browser failed ({str(error).splitlines()[0]}): try again"
    seconds = time.perf_counter() - began
    return SpecResult(name, file or Path(), tuple(verdicts), seconds, problem, tuple(written))


async def decided(
    expect: Sequence[Expectation], folder: Path, subject: Subject, seconds: float, ask: Ask | None = None
) -> list[Verdict]:
    """Look again until everything exact holds at once or the time is over; only then is a model asked.

    Args:
        folder: where baselines are.
        seconds: in which an expectation may still become true; a picture is looked at once.
    """
    deadline = time.monotonic() + (seconds if isinstance(subject, PageSubject) else 0.0)
    verdicts: dict[int, Verdict] = {}
    exact = [index for index, one in enumerate(expect) if one.asks is None]
    while True:
        began = time.monotonic()
        seen = await subject.look()
        for index in exact:
            verdicts[index] = await asyncio.to_thread(judge, expect[index], seen, folder, None)
        waiting = any(verdicts[index].status != "pass" for index in exact)
        # The last look begins when the time is over, however long one takes on a slow machine.
        if not waiting or began >= deadline:
            break
        await asyncio.sleep(_AGAIN)
    for index, one in enumerate(expect):
        if one.asks is not None:
            verdicts[index] = await asyncio.to_thread(judge, one, seen, folder, ask)
    return [verdicts[index] for index in range(len(expect))]


def _own(expectation: Expectation, variant: Variant) -> Expectation:
    """With the variant's own baseline."""
    if expectation.matches is None:
        return expectation
    own = expectation.matches.model_copy(update={"baseline": variant.beside(expectation.matches.baseline)})
    return Expectation(matches=own)
