"""`llava-agent mcp`: the product's tools for other programs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from llava_agent.commands.options import Preset


def mcp(
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Images and specs are read below it, and nowhere else.")
    ] = Path(),
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Files, documents and runs are written there.")
    ] = Path("llava-agent-files"),
    tools: Annotated[
        Path | None, typer.Option(metavar="YAML", help="Which tools there are; configs/tools/default.yaml.")
    ] = None,
    allow_run: Annotated[
        bool, typer.Option("--allow-run", help="Also offer agent.run, which acts on web pages.")
    ] = False,
    model: Preset = "auto",
) -> None:
    """Serve the tools over the Model Context Protocol, on standard input and output.

    Another program starts this command and speaks to it; nothing listens on the network. Offered are
    image.ask, photo.inspect, check.run, and what the tools' YAML names: knowledge.ask, knowledge.search,
    calculate, files, documents, databases, tools of other MCP servers.

    \b
    Examples:
      llava-agent mcp --folder photos --out work
      llava-agent mcp --tools tools.yaml --allow-run

    \b
    In a client's configuration:
      {"mcpServers": {"llava-agent": {"command": "llava-agent", "args": ["mcp", "--folder", "/data/photos"]}}}
    """
    asyncio.run(_serve(folder, out, tools, model, allow_run))


async def _serve(folder: Path, out: Path, config: Path | None, model: str, allow_run: bool) -> None:
    from llava_agent.toolset.config import DEFAULT, read_toolset
    from llava_agent.toolset.mcp_server import serve
    from llava_agent.toolset.open import open_toolbox
    from llava_agent.toolset.sight import AskImage, Inputs, InspectPhotos, RunAgent, RunChecks

    inputs = Inputs(folder, out)
    chosen = config or DEFAULT
    # A question to a model on a CPU, or a run, takes longer than a tool inside a run may.
    async with open_toolbox(read_toolset(chosen), out, beside=chosen.parent, seconds=1800) as toolbox:
        for tool in (AskImage(inputs, model), InspectPhotos(inputs, model), RunChecks(inputs, model)):
            toolbox.add(tool)
        if allow_run:
            toolbox.add(RunAgent(inputs, model, out / "runs"))
        await serve(toolbox)
