"""The model tier of checks: a claim about a screenshot, affirmed or denied through the gateway."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from llava_agent.agent.decision import candidate
from llava_agent.checks.judge import Ask
from llava_agent.gateway.request import ModelRequest

if TYPE_CHECKING:
    from llava_agent.assembly import Core


def ask_with(core: Core) -> Ask:
    """Asks the core's vision model; it sees the screenshot and the marks that were found on it."""

    def ask(screenshot: bytes, question: str) -> tuple[str, float]:
        from PIL import Image

        from tools.marks.pixels import read_screen

        with Image.open(io.BytesIO(screenshot)) as opened:
            marks = read_screen(opened.convert("RGB"))
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
