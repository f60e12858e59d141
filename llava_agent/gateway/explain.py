"""How a request of an outside client would be routed now: nothing is asked, reserved or recorded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llava_agent.errors import ConfigError
from llava_agent.gateway.data_class import DATA_CLASSES, UNCLASSIFIED, DataClass
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.records import candidates
from llava_agent.gateway.request import Message, ModelRequest, StepKind

#: A request is read into memory whole; more is no request.
_MOST_BYTES = 64 * 2**20


class _Url(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str
    detail: str | None = None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["text", "image_url"]
    text: str = ""
    image_url: _Url | None = None


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None


class _Chat(BaseModel):
    """What of a chat completion request bears on its route; everything else in it does not."""

    model_config = ConfigDict(extra="ignore")
    messages: list[_Message] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: list[dict[str, Any]] | None = None
    response_format: dict[str, Any] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None


def read_request(path: Path, principal: Principal, step: str | None, data_class: str | None) -> ModelRequest:
    """A chat completion request in OpenAI's form as the gateway sees it.

    Its `metadata` may say `step_kind`, `data_class`, `department` and `run`; what is given here comes first.

    Raises:
        ConfigError: unreadable, no JSON, no such request, an unknown class or kind of step, or an image that
            is no `data:` URL.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path} is larger than {_MOST_BYTES // 2**20} MB", "take smaller images")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path} ({error.strerror})", "check the path") from error
    return parse_request(content, str(path), principal, step, data_class)


def parse_request(
    content: bytes | str, name: str, principal: Principal, step: str | None, data_class: str | None
) -> ModelRequest:
    """As `read_request`, from a text that errors call `name`."""
    try:
        chat = _Chat.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"{name}: {where}: {first['msg']}", "give a chat completion request") from error
    said = chat.metadata or {}
    found = _known(data_class or said.get("data_class") or UNCLASSIFIED, DATA_CLASSES, "class of data")
    messages = tuple(_message(one, cast("DataClass", found)) for one in chat.messages)
    images = any(message.images for message in messages)
    default = "tool_args" if chat.tools else "perceive" if images else "summarise"
    kind = _known(step or said.get("step_kind") or default, get_args(StepKind), "kind of step")
    if principal.user == "local" and (chat.user or said.get("department")):
        principal = Principal(chat.user or "local", said.get("department", ""), principal.roles)
    return ModelRequest(
        step_kind=cast("StepKind", kind),
        instruction="",
        messages=messages,
        because="the words are enough" if not images else "the conversation shows images",
        run=said.get("run", ""),
        max_tokens=chat.max_completion_tokens or chat.max_tokens or 512,
        json_schema=_schema(chat.response_format),
        offers_tools=bool(chat.tools),
        principal=principal,
    )


def explanation(gateway: Gateway, request: ModelRequest) -> dict[str, object]:
    """What the command prints: the class and why, what is needed, and each candidate."""
    case, verdicts = gateway.explain(request)
    taken = next((one.model for one in verdicts if one.verdict == "taken"), None)
    return {
        "model": taken,
        "step_kind": request.step_kind,
        "data_class": case.data_class,
        "sources": list(case.sources),
        "needs": sorted(case.needs),
        "user": request.principal.user,
        "department": request.principal.department,
        "roles": sorted(request.principal.roles),
        "policy": gateway.policy.version_hash,
        "candidates": candidates(verdicts),
    }


def _message(message: _Message, data_class: DataClass) -> Message:
    role = {"developer": "system", "tool": "user"}.get(message.role, message.role)
    parts = message.content if isinstance(message.content, list) else []
    text = message.content if isinstance(message.content, str) else "\n".join(one.text for one in parts)
    images = tuple(_image(one.image_url.url) for one in parts if one.image_url is not None)
    return Message(cast("Literal['system', 'user', 'assistant']", role), text, images, data_class)


def _image(url: str) -> bytes:
    head, comma, content = url.partition(",")
    try:
        if head.startswith("data:image/") and head.endswith(";base64") and comma:
            return base64.b64decode(content, validate=True)
    except binascii.Error:
        pass
    raise ConfigError(
        "an image of the request is no data: URL in base64", "nothing is fetched from elsewhere"
    )


def _schema(wanted: Mapping[str, Any] | None) -> Mapping[str, object] | None:
    if wanted is None or wanted.get("type") == "text":
        return None
    return {"type": "object"}


def _known(word: str, words: tuple[str, ...], what: str) -> str:
    if word not in words:
        raise ConfigError(f"{word!r} is no {what}", f"one of {', '.join(words)}")
    return word
