"""From the configuration to a toolbox that is ready to be called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.toolset.config import DatabaseTools, KnowledgeTools, ToolsetConfig
from tools.calculate import Calculate
from tools.documents import CreateDocument
from tools.files import Folder, ListFiles, ReadFile, WriteFile
from tools.mcp import McpServer, open_servers
from tools.sql import DescribeDatabase, QueryDatabase, SqlLimits, open_read_only
from tools.tool import SECONDS, Tool, Toolbox

#: Where a run's own files lie inside its folder; its trace is not among them.
FILES = "files"


@asynccontextmanager
async def open_toolbox(
    config: ToolsetConfig,
    folder: Path,
    principal: Principal = LOCAL,
    beside: Path | None = None,
    seconds: float = SECONDS,
) -> AsyncIterator[Toolbox]:
    """The tools, until the block ends: MCP servers are stopped then.

    Args:
        folder: of the run; files and documents lie in its `files`.
        principal: whose manuals are searched.
        beside: folder that relative paths of the configuration start from.
        seconds: limit of one call.

    Raises:
        ConfigError: a database or a listed tool is not there.
        ToolError: the product's database or an MCP server cannot be used.
    """
    servers = tuple(
        McpServer(one.name, one.command, one.arguments, one.environment, one.tools) for one in config.mcp
    )
    async with open_servers(servers) as foreign:
        own = own_tools(config, folder / FILES, principal, beside or Path.cwd())
        yield Toolbox([*own, *foreign], seconds)


def own_tools(config: ToolsetConfig, files: Path, principal: Principal, beside: Path) -> list[Tool]:
    """All but those of MCP servers."""
    tools: list[Tool] = [Calculate()] if config.calculate else []
    if config.files or config.documents:
        folder = Folder(files)
        tools += [ListFiles(folder), ReadFile(folder), WriteFile(folder)] if config.files else []
        tools += [CreateDocument(folder)] if config.documents else []
    if config.knowledge is not None:
        tools += _knowledge(config.knowledge, principal)
    for database in config.databases:
        tools += _database(database, beside)
    return tools


def _knowledge(config: KnowledgeTools, principal: Principal) -> list[Tool]:
    from llava_agent.database import open_database
    from llava_agent.knowledge.search import Search
    from llava_agent.knowledge.tool import AskManuals, SearchManuals
    from llava_agent.vlm.weights import KNOWLEDGE, present

    embedder = None
    if present(KNOWLEDGE):
        from llava_agent.vlm.text_embedder import load_text_embedder

        embedder = load_text_embedder()
    search = Search(open_database(), embedder)
    return [
        AskManuals(search, principal, config.highest),
        SearchManuals(search, principal, config.highest),
    ]


def _database(config: DatabaseTools, beside: Path) -> list[Tool]:
    opened = open_read_only(config.address(beside), SqlLimits(config.rows, config.seconds))
    return [
        QueryDatabase(opened, config.name, config.about),
        DescribeDatabase(opened, config.name, config.about),
    ]
