"""The base of tools whose arguments are a pydantic model: schema, checks and parsing from one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from llava_agent.errors import LlavaAgentError
from tools.action import Effect
from tools.tool import ToolResult


class Arguments(BaseModel):
    """Arguments of a tool: an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BadArguments(LlavaAgentError):
    """Arguments that fit the schema and still mean nothing."""

    http_status = 422


Given = TypeVar("Given", bound=Arguments)


class TypedTool(Generic[Given]):
    """A `tools.tool.Tool`. Subclasses give `name`, `description`, `arguments` and `run`."""

    name: str
    description: str
    arguments: type[Given]

    @property
    def parameters(self) -> Mapping[str, object]:
        return self.arguments.model_json_schema()

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        return "read"

    async def call(self, arguments: Mapping[str, object]) -> ToolResult:
        """Raises BadArguments beside what `run` raises."""
        try:
            given = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise BadArguments(f"{self.name}: {where}: {first['msg']}") from None
        return await self.run(given)

    async def run(self, given: Given) -> ToolResult:
        raise NotImplementedError
