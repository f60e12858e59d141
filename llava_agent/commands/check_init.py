"""`llava-agent check init`: a first spec from a page as it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from llava_agent.commands.check import check
from llava_agent.commands.output import note, say
from llava_agent.errors import ConfigError


@check.command("init")
def init(
    page: Annotated[str, typer.Argument(metavar="URL", help="An address, or an HTML file or picture.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the spec goes; printed where not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a first spec from a page: headings, buttons, boxes and texts that stay the same between looks.

    All of it holds on the page as it is; keep what must stay true.

    \b
    Examples:
      llava-agent check init http://localhost:8000/orders --out checks/orders.yaml
      llava-agent check init page.html
    """
    from llava_agent.agent.trace import write_whole
    from llava_agent.checks.first_spec import first_spec, written

    if out is not None and out.exists() and not force:
        raise ConfigError(f"{out} is there already", "choose another file, or add --force")
    folder = (out.parent if out is not None else Path()).resolve()
    named = page
    if not page.startswith(("http://", "https://")):
        named = os.path.relpath(Path(page).resolve(), folder)
    spec = asyncio.run(first_spec(named, folder))
    if not spec["expect"]:
        raise ConfigError(f"nothing on {page} stays the same between two looks", "write the spec by hand")
    text = written(spec)
    if out is None:
        say(text.rstrip())
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text.encode())
    note(f"{len(spec['expect'])} expectations in {out}; try: llava-agent check {out}")
