"""An answer, and the JSON that OpenAI's clients expect for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llava_agent.gateway.request import Route, Usage

Finish = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A region of one of the request's images that supports the answer.

    Attributes:
        image: number of the image, from 0.
        box: x0, y0, x1, y1 in pixels of that image as it is upright; None for the image as a whole.
        text: what stands there.
        source: what found it (`ocr`, `dial`, ...).
        field: which field of a JSON answer it supports; empty for the answer itself.
    """

    image: int
    box: tuple[int, int, int, int] | None
    text: str
    source: str
    field: str = ""

    def as_dict(self) -> dict[str, object]:
        found: dict[str, object] = {
            "image": self.image,
            "box": list(self.box) if self.box else None,
            "text": self.text,
            "source": self.source,
        }
        return {**found, "field": self.field} if self.field else found


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants called; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """What came out.

    Attributes:
        text: None where there are only tool calls or a refusal.
        confidence: 0 to 1; None where the words were generated freely.
        refusal: why the wanted form cannot be filled.
    """

    text: str | None
    usage: Usage
    route: Route
    finish: Finish = "stop"
    evidence: tuple[Shown, ...] = ()
    confidence: float | None = None
    calls: tuple[Call, ...] = ()
    refusal: str | None = None

    def message(self) -> dict[str, object]:
        return {"role": "assistant", "content": self.text, "refusal": self.refusal, **self.beside()}

    def beside(self) -> dict[str, object]:
        """What stands beside the words: tool calls, evidence, confidence."""
        found: dict[str, object] = {}
        if self.calls:
            found["tool_calls"] = [call.as_dict() for call in self.calls]
        if self.confidence is not None:
            found["evidence"] = [one.as_dict() for one in self.evidence]
            found["confidence"] = round(self.confidence, 4)
        return found


def usage_json(usage: Usage) -> dict[str, object]:
    """Tokens as OpenAI counts them; those of images are among the prompt's."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.reused_tokens,
            "image_tokens": usage.image_tokens,
        },
    }


def added(usages: Sequence[Usage]) -> Usage:
    """The sum of several calls."""
    return Usage(
        sum(one.prompt_tokens for one in usages),
        sum(one.image_tokens for one in usages),
        sum(one.output_tokens for one in usages),
        sum(one.reused_tokens for one in usages),
        {},
    )


def completion_json(name: str, reply: Reply) -> dict[str, object]:
    """The body of a whole answer."""
    return {
        "id": name,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": reply.route.model,
        "choices": [
            {"index": 0, "message": reply.message(), "finish_reason": reply.finish, "logprobs": None}
        ],
        "usage": usage_json(reply.usage),
    }


def route_headers(route: Route) -> dict[str, str]:
    """Which model answered and why; header values are ASCII."""
    reason = " ".join(route.reason.split()).encode("ascii", "replace").decode()
    model = route.model.encode("ascii", "replace").decode()
    return {"x-route-model": model[:200], "x-route-reason": reason[:500]}
