"""Tools as words and as a schema: the model's next words must be a call that fits, or an answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from llava_agent.gateway.request import Message
from llava_agent.service.openai.bodies import ChatBody, NamedTool, Tool
from llava_agent.service.openai.reply import Call


def offered(body: ChatBody) -> list[Tool]:
    """The tools that may be called in this turn."""
    if not body.tools or body.tool_choice == "none":
        return []
    if isinstance(body.tool_choice, NamedTool):
        return [tool for tool in body.tools if tool.function.name == body.tool_choice.function.name]
    return body.tools


def described(tools: Sequence[Tool], *, must: bool) -> Message:
    """What the model is told of the tools."""
    lines = ["You can call these tools:"]
    for tool in tools:
        function = tool.function
        parameters = json.dumps(function.parameters, ensure_ascii=False)
        lines.append(f"- {function.name}: {function.description} Parameters: {parameters}")
    lines.append('To call one, answer with JSON: {"tool": NAME, "arguments": {...}}.')
    if not must:
        lines.append('To answer without a tool: {"answer": TEXT}.')
    return Message("system", "\n".join(lines))


def call_schema(tools: Sequence[Tool], *, must: bool) -> dict[str, object]:
    """Every output that is a call of one of the tools, or an answer."""
    forms = [
        _object({"tool": {"const": tool.function.name}, "arguments": tool.function.parameters})
        for tool in tools
    ]
    if not must:
        forms.append(_object({"answer": {"type": "string"}}))
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def read_call(text: str) -> Call | str | None:
    """The call in an output, or the words of the answer; None where it was cut off."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if "tool" in said:
        arguments = json.dumps(said.get("arguments", {}), ensure_ascii=False)
        return Call(f"call_{secrets.token_hex(12)}", str(said["tool"]), arguments)
    return str(said.get("answer", ""))


def _object(properties: Mapping[str, Any]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
