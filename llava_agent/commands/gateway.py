"""`llava-agent gateway`: what the models cost, and why which one is taken."""

from __future__ import annotations

import typer

from llava_agent.commands.policy import explain, learn, policy
from llava_agent.commands.usage import usage

gateway = typer.Typer(help="Which model is taken and why, and what it costs.", no_args_is_help=True)
gateway.command("usage")(usage)
gateway.command("explain")(explain)
gateway.command("learn")(learn)
gateway.add_typer(policy, name="policy")
