"""Steps as they happen: one line each, with a line that moves below them on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

    from llava_agent.agent.attendant import Terminal
    from llava_agent.agent.loop import Progress
    from llava_agent.agent.record import StepRecord

_COLOURS = {"held": "green", "failed": "red", "uncertain": "yellow"}


@contextmanager
def live_steps(terminal: Terminal | None = None) -> Iterator[Progress]:
    """Prints each step to stderr, so that stdout holds the result alone.

    Args:
        terminal: whoever is asked there; the moving line makes room for the question.
    """
    from llava_agent.agent.progress import step_line

    if not sys.stderr.isatty():
        yield lambda step: print(step_line(step), file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    with console.status("step 1: looking and deciding") as status:

        def show(step: StepRecord) -> None:
            console.print(Text(step_line(step), style=_COLOURS[step.verification.status]))
            status.update(f"step {step.step + 2}: looking and deciding")

        if terminal is not None:
            terminal.hear = _quietly(status, terminal.hear)
        yield show


def _quietly(status: Status, hear: Callable[[str], str]) -> Callable[[str], str]:
    def hearing(prompt: str) -> str:
        status.stop()
        try:
            return hear(prompt)
        finally:
            status.start()

    return hearing
