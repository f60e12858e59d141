"""`llava-agent replay`: the same steps again, without a model, or healing what has changed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import print_json, say
from llava_agent.commands.run import supervision_of, terminal_here
from llava_agent.commands.steps import live_steps


def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run that passed.")],
    heal: Annotated[
        bool,
        typer.Option("--heal/--strict", help="Repair what has drifted; --strict fails there and names it."),
    ] = False,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where the page is now.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the replay; runs/replay-<time> if not given."),
    ] = None,
    permissions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What may be done; as for `run`.")
    ] = None,
    secrets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What {{secret:NAME}} stands for; as for `run`.")
    ] = None,
    model: Preset = "embedded",
    as_json: AsJson = False,
) -> None:
    """Do again what a verified run did.

    Strict (the default) calls no model: it fails on the first difference and names it. With --heal, a target
    that moved is found by its name, and the model decides what still cannot be found; heal.diff and
    healed.json show what to review.

    \b
    Exit codes: as for `run`; 1 where something has drifted.

    \b
    Examples:
      llava-agent replay runs/20260102-101500
      llava-agent replay runs/20260102-101500 --heal --url http://localhost:9000/
    """
    from llava_agent.agent.replay import replay as play

    terminal = terminal_here()
    supervision = supervision_of(permissions, terminal, secrets)
    gateway, target = None, out or Path("runs") / datetime.now().strftime("replay-%Y%m%d-%H%M%S")
    if heal:
        from llava_agent.assembly import assemble

        gateway = assemble(model).gateway
    with live_steps(terminal) as progress:
        done = asyncio.run(
            play(
                folder,
                out=target,
                gateway=gateway,
                heal=heal,
                address=url,
                supervision=supervision,
                progress=progress,
            )
        )
    if as_json:
        print_json(done.as_dict())
    else:
        say(f"{done.result.status}: {done.result.reason}")
        for one in done.heals:
            say(f"  step {one.step} healed by {one.by}: {one.recorded} -> {one.now}")
        if done.heals:
            say(f"Review: {target / 'heal.diff'}")
        say(f"Report: {done.result.report}")
    raise typer.Exit(done.result.exit_code)
