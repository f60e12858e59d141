"""`llava-agent`: one command with sub-commands that only delegate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from llava_agent import __version__
from llava_agent.commands import check_init, check_rules  # noqa: F401  (they add to `check`)
from llava_agent.commands.approvals import approvals
from llava_agent.commands.ask import ask
from llava_agent.commands.audit import audit
from llava_agent.commands.backup import backup
from llava_agent.commands.bench import bench
from llava_agent.commands.check import check
from llava_agent.commands.data import data
from llava_agent.commands.demo import demo
from llava_agent.commands.doctor import doctor
from llava_agent.commands.eval import evaluate as exams
from llava_agent.commands.evaluate import evaluate
from llava_agent.commands.export import export
from llava_agent.commands.file import file
from llava_agent.commands.gateway import gateway
from llava_agent.commands.inspect import inspect
from llava_agent.commands.keys import keys
from llava_agent.commands.knowledge import knowledge
from llava_agent.commands.mcp import mcp
from llava_agent.commands.models import models
from llava_agent.commands.output import show_error
from llava_agent.commands.replay import replay
from llava_agent.commands.run import run
from llava_agent.commands.serve import serve
from llava_agent.commands.tokens import tokens
from llava_agent.commands.train import train
from llava_agent.commands.users import users
from llava_agent.errors import LlavaAgentError

app = typer.Typer(
    name="llava-agent",
    help="A private multimodal agent that looks, acts and verifies, on your own machine.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("ask")(ask)
app.command("inspect")(inspect)
app.command("file")(file)
app.command("run")(run)
app.command("replay")(replay)
app.add_typer(check, name="check")
app.command("demo")(demo)
app.command("serve")(serve)
app.add_typer(users, name="users")
app.add_typer(tokens, name="tokens")
app.add_typer(knowledge, name="knowledge")
app.command("mcp")(mcp)
app.add_typer(models, name="models")
app.add_typer(approvals, name="approvals")
app.add_typer(audit, name="audit")
app.add_typer(gateway, name="gateway")
app.add_typer(keys, name="keys")
app.add_typer(backup, name="backup")
app.command("doctor")(doctor)
app.add_typer(bench, name="bench")
app.add_typer(exams, name="eval")
app.command("evaluate")(evaluate)
app.add_typer(data, name="data")
app.command("train")(train)
app.add_typer(export, name="export")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"llava-agent {__version__}\n")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    policy_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Policy of the models; see `llava-agent gateway --help`."),
    ] = None,
) -> None:
    if policy_file is not None:
        from llava_agent.commands.policy import use

        use(policy_file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run a command and exit with its status.

    Args:
        arguments: words after the program's name; those of the process if None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(words, prog_name="llava-agent")
    except LlavaAgentError as error:
        show_error(error, as_json="--json" in words)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
