"""Tools of other programs over the Model Context Protocol: servers that the user named, tools that he listed.

What a server says about itself decides nothing: which of its tools may be called, and what a call does to the
world, stands in the user's configuration. Descriptions and results are untrusted text.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llava_agent.errors import ConfigError, ToolError
from tools.action import Effect
from tools.tool import ToolResult

if TYPE_CHECKING:
    from mcp import Client

#: Characters of a server's description that are shown.
_DESCRIPTION = 300
#: Seconds for a server to start and to list its tools, and for one call.
START_S = 20.0
CALL_S = 60.0


@dataclass(frozen=True, slots=True)
class McpServer:
    """A program that is started and spoken to over its standard input and output.

    Attributes:
        name: before the names of its tools (`weather.forecast`).
        command, arguments: started as they are, without a shell.
        environment: names of variables that it gets; it gets no others of this process.
        tools: those that may be called, with what a call does.
    """

    name: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    tools: Mapping[str, Effect] = field(default_factory=dict, hash=False)


class McpTool:
    """One tool of a server, as a `tools.tool.Tool`."""

    def __init__(self, client: Client, server: str, tool: Any, effect: Effect) -> None:
        self._client, self._tool, self._effect = client, tool, effect
        self.name = f"{server}.{re.sub(r'[^a-z0-9_.-]', '-', tool.name.lower())}"
        said = " ".join((tool.description or tool.name).split())
        self.description = said if len(said) <= _DESCRIPTION else f"{said[:_DESCRIPTION]}…"

    @property
    def parameters(self) -> Mapping[str, object]:
        schema: Mapping[str, object] = self._tool.input_schema
        return schema

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        return self._effect

    async def call(self, arguments: Mapping[str, object]) -> ToolResult:
        """Raises ToolError where the server is gone, too slow, or answers with an error of the protocol."""
        import anyio
        from mcp import MCPError

        try:
            answer = await self._client.call_tool(
                self._tool.name, dict(arguments), read_timeout_seconds=CALL_S
            )
        except (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError) as error:
            raise ToolError(f"{self.name} failed ({_line(error)})", "check its server") from error
        text = "\n".join(map(_words, answer.content))
        data = answer.structured_content if isinstance(answer.structured_content, dict) else {}
        if answer.is_error:
            return ToolResult(text or "the tool failed", data, ok=False, reason="page_error")
        return ToolResult(text, data)


@asynccontextmanager
async def open_servers(servers: tuple[McpServer, ...]) -> AsyncIterator[list[McpTool]]:
    """Start the servers; their listed tools, until the block ends.

    Raises:
        ConfigError: a listed tool that its server does not have, or the package `mcp` is missing.
        ToolError: a server does not start or does not speak the protocol.
    """
    try:
        async with AsyncExitStack() as stack:
            tools: list[McpTool] = []
            for server in servers:
                tools += await _opened(server, stack)
            yield tools
    except BaseExceptionGroup as group:
        # The clients' task groups wrap whatever is raised inside the block; one exception stays itself.
        only = _only(group)
        if isinstance(only, BaseExceptionGroup):
            raise
        raise only from None


async def _opened(server: McpServer, stack: AsyncExitStack) -> list[McpTool]:
    import asyncio

    try:
        from mcp import Client, MCPError, StdioServerParameters
    except ImportError:
        raise ConfigError("the package mcp is not installed", "run `pip install llava-agent[mcp]`") from None
    missing = [name for name in server.environment if name not in os.environ]
    if missing:
        raise ConfigError(f"{server.name} needs the environment variable {missing[0]}", "set it")
    parameters = StdioServerParameters(
        command=server.command,
        args=list(server.arguments),
        env={name: os.environ[name] for name in server.environment},
    )
    try:
        async with asyncio.timeout(START_S):
            client = await stack.enter_async_context(Client(parameters, read_timeout_seconds=START_S))
            return listed(client, server, await _all_tools(client))
    except (MCPError, OSError, TimeoutError, ValueError, ExceptionGroup) as error:
        raise ToolError(
            f"the MCP server {server.name!r} cannot be started ({_line(error)})", "check its command"
        ) from error


async def _all_tools(client: Client) -> list[Any]:
    found: list[Any] = []
    cursor = None
    for _ in range(50):  # a server may not list for ever
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def listed(client: Client, server: McpServer, offered: list[Any]) -> list[McpTool]:
    """The tools that the configuration lists, in its order.

    Raises:
        ConfigError: the server does not have one of them.
    """
    by_name = {tool.name: tool for tool in offered}
    for name in server.tools:
        if name not in by_name:
            raise ConfigError(
                f"the MCP server {server.name!r} has no tool {name!r}",
                f"it has: {', '.join(sorted(by_name)) or 'none'}",
            )
    return [McpTool(client, server.name, by_name[name], effect) for name, effect in server.tools.items()]


def _words(part: Any) -> str:
    """Text as it is; of pictures and other content that there is some."""
    text = getattr(part, "text", None)
    return text if isinstance(text, str) else f"({getattr(part, 'type', 'content')}, not shown)"


def _only(error: BaseException) -> BaseException:
    """The exception inside groups of one; a group of several stays."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _line(error: BaseException) -> str:
    error = _only(error)
    return " ".join(str(error).split()) or type(error).__name__
