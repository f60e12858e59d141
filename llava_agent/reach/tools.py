"""What an agent's tools could be made to reach: APIs, databases, other programs."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from llava_agent.egress import AllowList
from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ground import Ground


async def attempts_too(ground: Ground) -> AsyncIterator[Attempt]:
    """APIs, whose documents name servers."""
    from tools.api import load

    host, trap = ground.ends.host.url, ground.ends.trap.url
    document, allow = f"{host}/openapi.json", AllowList.of(host)
    by = "the host of its document"
    yield await ground.permitted_too("API", "its document", lambda: load(document, allow), by)
    yield await ground.forbidden_too(
        "API", "the other server that its document names", lambda: _call(document)
    )
    yield await ground.forbidden_too(
        "API", "a document elsewhere", lambda: load(f"{trap}/openapi.json", allow)
    )


async def _call(document: str) -> None:
    from llava_agent.agent.surfaces import open_api

    async with open_api(document) as surface:
        await surface.observe()


def attempts(ground: Ground) -> Iterator[Attempt]:
    """Databases and MCP servers."""
    trap = ground.ends.trap.url
    yield ground.forbidden("SQL", "a database file at an address", lambda: _query(f"ATTACH '{trap}/x' AS x"))
    yield ground.forbidden("SQL", "an extension", lambda: _query("SELECT load_extension('x')"))
    yield ground.forbidden("MCP", "a server at an address", lambda: _mcp(f"url: '{trap}'"))


def _query(sql: str) -> object:
    from tools.sql import open_read_only

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.db"
        path.touch()
        return open_read_only(str(path)).query(sql)


def _mcp(line: str) -> object:
    from llava_agent.toolset.config import read_toolset

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tools.yaml"
        path.write_text(f"mcp: [{{name: far, {line}, tools: {{forecast: read}}}}]\n")
        return read_toolset(path)
