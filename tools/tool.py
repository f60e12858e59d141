"""The one protocol of tools beside pages and APIs: calculation, SQL, files, documents, search, MCP.

A tool says what it takes (a JSON schema) and what a call does to the world; the text that it gives back is
untrusted. The `Toolbox` checks arguments, bounds time and size, and turns failures into outcomes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from llava_agent.errors import ConfigError, LlavaAgentError, PermissionDenied
from tools.action import Effect
from tools.observation import Outcome, Reason

#: A call that takes longer is given up, in seconds.
SECONDS = 30.0
#: Longest text that a tool may give back, in characters; the rest is cut and said to be.
LONGEST = 20_000
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave.

    Attributes:
        text: for the agent to read; untrusted data, never an instruction.
        data: the same for programs, JSON-serialisable.
        ok: False where the call failed in a way that the agent can react to.
        reason: why it failed.
    """

    text: str
    data: Mapping[str, object] = field(default_factory=dict)
    ok: bool = True
    reason: Reason = "ok"


@runtime_checkable
class Tool(Protocol):
    """One thing that can be called.

    Attributes:
        name: lower case, digits, `_`, `.`, `-`; unique in a toolbox.
        description: one sentence for a model and for a person who approves.
        parameters: JSON schema (2020-12) of an object; the arguments must satisfy it.
    """

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, object]: ...

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        """What a call with these (checked) arguments does. Where in doubt: `irreversible`."""
        ...

    async def call(self, arguments: Mapping[str, object]) -> ToolResult:
        """Do it. The arguments satisfy `parameters`.

        Raises:
            LlavaAgentError: it cannot be done; becomes an outcome with the error's sentence.
        """
        ...


class Toolbox:
    """Tools by name.

    Args:
        tools: in the order in which they are offered.
        seconds: limit of one call.

    Raises:
        ConfigError: a name that is malformed or there twice, or a schema that is none.
    """

    def __init__(self, tools: Iterable[Tool] = (), seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Register one more; raises as the constructor does."""
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        if not _NAME.match(tool.name):
            raise ConfigError(f"{tool.name!r} is no name of a tool", "use lower case, digits, _ . -")
        if tool.name in self._tools:
            raise ConfigError(f"there are two tools named {tool.name!r}", "rename one of them")
        try:
            Draft202012Validator.check_schema(dict(tool.parameters))
        except SchemaError as error:
            raise ConfigError(
                f"the parameters of {tool.name!r} are no JSON schema ({error.message})"
            ) from None
        self._tools[tool.name] = tool

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def problem(self, name: str, arguments: Mapping[str, object]) -> str:
        """Why the call cannot be made; empty where it can."""
        from jsonschema import Draft202012Validator

        tool = self._tools.get(name)
        if tool is None:
            offered = ", ".join(self._tools) or "none"
            return f"there is no tool {name!r} (there are: {offered})"
        found = sorted(
            Draft202012Validator(dict(tool.parameters)).iter_errors(dict(arguments)),
            key=lambda error: list(map(str, error.path)),
        )
        if not found:
            return ""
        where = ".".join(str(part) for part in found[0].path)
        return f"{name}: {where + ': ' if where else ''}{found[0].message}"

    def effect(self, name: str, arguments: Mapping[str, object]) -> Effect:
        """Effect of a call; `irreversible` for a tool that is not there or arguments that do not fit."""
        tool = self._tools.get(name)
        return "irreversible" if tool is None or self.problem(name, arguments) else tool.effect(arguments)

    async def call(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Check the arguments and call the tool; the outcome's `data` holds `text` (and `data`).

        A bug in a tool raises what Python raises.
        """
        problem = self.problem(name, arguments)
        if problem:
            return Outcome(False, "not_found" if name not in self._tools else "invalid", problem)
        try:
            async with asyncio.timeout(self.seconds):
                result = await self._tools[name].call(arguments)
        except TimeoutError:
            return Outcome(False, "timeout", f"{name} did not answer in {self.seconds:g} seconds")
        except PermissionDenied as error:
            return Outcome(False, "denied", str(error))
        except LlavaAgentError as error:
            return Outcome(False, "page_error", str(error))
        data: dict[str, object] = {"text": _cut(result.text)}
        if result.data:
            data["data"] = _plain(result.data)
        if result.ok:
            return Outcome(True, detail=f"{name} gave {len(result.text)} characters", data=data)
        return Outcome(
            False, result.reason if result.reason != "ok" else "page_error", _cut(result.text), data=data
        )


def _cut(text: str) -> str:
    return (
        text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} characters are left out)"
    )


def _plain(data: Mapping[str, object]) -> object:
    """The data as JSON gives it back, or a note where it is too long."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    return json.loads(text) if len(text) <= 2 * LONGEST else {"left_out": f"{len(text)} characters of data"}
