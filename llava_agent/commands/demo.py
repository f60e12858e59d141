"""`llava-agent demo`: the main job, from a photo to a verified ticket."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import INTERRUPTED, note, print_json, say
from llava_agent.commands.steps import live_steps


def demo(
    photo: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="Your own equipment photo instead of the included one."),
    ] = None,
    observation: Annotated[
        Literal["pixels", "hybrid"],
        typer.Option(help="See by pixels alone, or also by the page's accessibility tree."),
    ] = "hybrid",
    compare: Annotated[
        bool, typer.Option(help="Measure afterwards what the vision model alone would have cost.")
    ] = True,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the demo; runs/demo-<time> where not given.")
    ] = None,
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Read an equipment photo, file a ticket in a web application, look it up through its API, verify both.

    Exit code 0 only where the right values are in the application's database afterwards.

    \b
    Examples:
      llava-agent demo
      llava-agent demo --photo my-pump.jpg --out runs/mine
      llava-agent demo --observation pixels --json
    """
    from llava_agent.assembly import assemble
    from llava_agent.demo import run_demo, summary

    folder = out or Path("runs") / datetime.now().strftime("demo-%Y%m%d-%H%M%S")
    core = assemble(model)
    try:
        with live_steps() as progress:
            result = asyncio.run(
                run_demo(
                    core.gateway,
                    folder,
                    photo=photo,
                    observation=observation,
                    compare=compare,
                    find=core.find,
                    progress=progress,
                    say=note if as_json else say,
                )
            )
    except KeyboardInterrupt:
        note(f"interrupted; what was done is in {folder}")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(result.as_dict())
    else:
        say(summary(result))
    raise typer.Exit(result.exit_code)
