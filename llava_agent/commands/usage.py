"""`llava-agent gateway usage`: what the models cost, how often they succeed, and how long they take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say
from llava_agent.errors import ToolError


def usage(
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 30,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show calls, success, tokens, cost and latency percentiles by model and kind of step.

    \b
    Examples:
      llava-agent gateway usage
      llava-agent gateway usage --days 7 --plot usage.png
      llava-agent gateway usage --json
    """
    from datetime import UTC, datetime, timedelta

    from llava_agent.database import open_database
    from llava_agent.gateway.usage import usage_by

    rows = usage_by(open_database(), ("model", "kind"), datetime.now(UTC) - timedelta(days=days))
    if plot is not None and rows:
        from llava_agent.gateway.usage_plot import usage_png

        try:
            plot.write_bytes(usage_png(rows))
        except OSError as error:
            raise ToolError(f"{plot} cannot be written ({error.strerror})", "choose another path") from error
        note(f"drawn into {plot}")
    if as_json:
        print_json({"days": days, "usage": [{**row.group, **row.figures()} for row in rows]})
        return
    if not rows:
        say(f"No calls in the last {days} days.")
        return
    from rich.console import Console
    from rich.table import Table as Grid

    table = Grid(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "step"):
        table.add_column(name, no_wrap=True)
    for name in ("calls", "ok", "tokens in", "out", "cost", "p50 ms", "p95", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        figures = (f"{row.calls:,}", f"{row.success:.1%}", f"{row.prompt_tokens:,}", f"{row.output_tokens:,}")
        times = (f"{row.p50:,.0f}", f"{row.p95:,.0f}", f"{row.p99:,.0f}")
        table.add_row(*row.group.values(), *figures, row.cost or "-", *times)
    Console(highlight=False).print(table)
