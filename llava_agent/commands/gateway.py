"""`llava-agent gateway`: what the models cost, and why which one is taken."""

from __future__ import annotations

import typer

from llava_agent.commands.usage import usage

gateway = typer.Typer(help="The models' usage.", no_args_is_help=True)


@gateway.callback()
def common() -> None:
    """Keeps `usage` a sub-command although it is the only one."""


gateway.command("usage")(usage)
