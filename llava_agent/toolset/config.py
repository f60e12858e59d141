"""The tools of an installation: one strict YAML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llava_agent.errors import ConfigError
from llava_agent.gateway.data_class import DataClass
from llava_agent.strict_yaml import read_yaml
from tools.action import Effect

#: The shipped one: what needs no configuration.
DEFAULT = Path(__file__).parent.parent / "configs" / "tools" / "default.yaml"
_NAME = r"^[a-z][a-z0-9_-]{0,39}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KnowledgeTools(_Strict):
    """Search in manuals.

    Attributes:
        highest: most sensitive class that a run gets to see.
    """

    highest: DataClass = "internal"


class DatabaseTools(_Strict):
    """A database that may be read.

    Attributes:
        url: `sqlite:///FILE` or `postgresql://...`; a relative file is looked for beside the YAML.
        url_env: environment variable that holds the URL, where it has a password in it.
        about: what it holds, in a few words.
    """

    name: str = Field(pattern=_NAME)
    url: str = ""
    url_env: str = ""
    about: str = Field(default="the database", max_length=100)
    rows: int = Field(default=200, ge=1, le=10_000)
    seconds: float = Field(default=10.0, gt=0, le=300)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("give url or url_env")
        return self

    def address(self, beside: Path) -> str:
        """Raises ConfigError where the environment variable is not set."""
        if self.url_env:
            if self.url_env not in os.environ:
                raise ConfigError(f"the environment variable {self.url_env} is not set", "set it to a URL")
            return os.environ[self.url_env]
        file = self.url.removeprefix("sqlite:///")
        return self.url if "://" in file else str(beside / Path(file).expanduser())


class McpTools(_Strict):
    """An MCP server, and which of its tools may be called (see `tools.mcp.McpServer`)."""

    name: str = Field(pattern=_NAME)
    command: str = Field(min_length=1)
    arguments: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    tools: dict[str, Effect] = Field(min_length=1)


class ToolsetConfig(_Strict):
    """Every tool beside pages and APIs; what is not named is not there.

    Attributes:
        files, documents: in the run's own folder.
        knowledge: None for none.
    """

    calculate: bool = False
    files: bool = False
    documents: bool = False
    knowledge: KnowledgeTools | None = None
    databases: tuple[DatabaseTools, ...] = ()
    mcp: tuple[McpTools, ...] = ()


def read_toolset(path: Path = DEFAULT) -> ToolsetConfig:
    """Raises ConfigError: unreadable, an unknown key, or a bad value."""
    config: ToolsetConfig = read_yaml(path, ToolsetConfig)
    return config
