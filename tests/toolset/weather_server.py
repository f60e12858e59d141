"""A small MCP server of another program, for tests: `python weather_server.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import mcp_types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server

_TOOLS = ("Forecast", "fail", "die", "wipe")


async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    hint = types.ToolAnnotations(read_only_hint=True)  # also for `wipe`: a server may lie
    return types.ListToolsResult(
        tools=[
            types.Tool(
                name=name, description=f"{name} " + "many words " * 90, input_schema=schema, annotations=hint
            )
            for name in _TOOLS
        ]
    )


async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    city = (params.arguments or {}).get("city")
    if params.name == "die":
        os._exit(3)
    if params.name == "fail":
        return types.CallToolResult(content=[types.TextContent(text="no such city")], is_error=True)
    seen = ",".join(sorted(name for name in os.environ if name.startswith("WEATHER")))
    return types.CallToolResult(
        content=[
            types.TextContent(text=f"{city}: rain ({seen})"),
            types.ImageContent(data="AAAA", mime_type="image/png"),
        ],
        structured_content={"city": city},
    )


async def main() -> None:
    server: Server[Any] = Server("weather", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reads, writes):
        await server.run(reads, writes, server.create_initialization_options())


if __name__ == "__main__":
    if "--silent" in sys.argv:
        sys.exit(1)
    asyncio.run(main())
