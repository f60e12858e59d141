"""The model tier of checks: claims about a screenshot, and steps in plain words, through the gateway."""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.agent.candidate import candidate
from llava_agent.checks.judges.claim import Ask
from llava_agent.checks.run import Models
from llava_agent.checks.steps import Errand
from llava_agent.gateway.request import ModelRequest

if TYPE_CHECKING:
    from llava_agent.assembly import Core
    from llava_agent.checks.spec import Do
    from tools.browser import BrowserSession
    from tools.mark import Mark
    from tools.observation import Surface


def models_of(core: Core) -> Models:
    """What a core's models do in checks."""
    return Models(ask_with(core), errand_with(core))


def ask_with(core: Core) -> Ask:
    """Asks the core's vision model; it sees the screenshot and the marks that were found on it.

    A spec asks several things of one screenshot, each twice: its marks are read once.
    """
    last: tuple[bytes, Sequence[Mark]] | None = None

    def ask(screenshot: bytes, question: str) -> tuple[str, float]:
        nonlocal last
        from PIL import Image

        from tools.marks.pixels import read_screen

        found = last  # one look at it: other threads ask of other screenshots
        if found is None or found[0] is not screenshot:
            with Image.open(io.BytesIO(screenshot)) as opened:
                found = last = (screenshot, read_screen(opened.convert("RGB")))
        marks = found[1]
        request = ModelRequest(
            "verify",
            question,
            image=screenshot,
            needs_pixels=True,
            because="no exact check can decide this claim",
        )
        choice = core.gateway.choose(request, [candidate(mark) for mark in marks], ("yes", "no"))
        return choice.verb, choice.confidence

    return ask


def errand_with(core: Core) -> Errand:
    """Lets the agent do a step in plain words on the page as it is, under its own policy and within
    bounds.
    """

    async def do(session: BrowserSession, errand: Do) -> str:
        from llava_agent.agent.expect import Shows
        from llava_agent.agent.run import run_task
        from llava_agent.agent.state import Budget
        from tools.browser import PageSurface

        @asynccontextmanager
        async def as_it_is(_address: str) -> AsyncIterator[Surface]:
            yield PageSurface(session)

        with tempfile.TemporaryDirectory() as folder:
            result = await run_task(
                session.page.url,
                errand.task,
                gateway=core.gateway,
                out=Path(folder) / "run",
                budget=Budget(steps=errand.steps, seconds=errand.seconds),
                expectations=[Shows(errand.until)] if errand.until else [],
                stop_when_met=True,
                open_surface=as_it_is,
                find=core.find,
            )
        # Without `until` nothing could confirm it: the expectations of the spec do.
        done = result.status == "passed" or (result.status == "unverified" and not errand.until)
        return "" if done else f"{result.status}: {result.reason}"

    return do
