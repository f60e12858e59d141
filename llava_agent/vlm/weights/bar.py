"""Progress as a bar on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llava_agent.vlm.weights.store import Progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """One line a job (steps with one total are one job). Writes to stderr: `--json` output stays clean."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        SpinnerColumn,
        TaskID,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    tasks: dict[int, TaskID] = {}
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bars:

        def show(step: str, done: int, total: int) -> None:
            if total not in tasks:
                tasks[total] = bars.add_task(step, total=total or None)
            bars.update(tasks[total], completed=done, description=step)

        yield show
