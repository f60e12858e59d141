"""A model behind an OpenAI-compatible server (vLLM, Ollama, llama.cpp): it chooses by structured output.

The answer is `{"verb": ..., "mark": ..., "text": ...}` under a JSON schema (`response_format`). A server may
ignore the schema, so the answer is checked here as well: one that does not fit is refused, and text that does
not stand in the request is not taken. The confidence is the probability that the server reports for the
tokens of the answer; it is not calibrated. The request goes to the preset's own origin and nowhere else.
"""

from __future__ import annotations

import base64
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from llava_agent.egress import AllowList, Limits, client
from llava_agent.errors import ConfigError
from llava_agent.gateway.classify import CHOICE_TOKENS
from llava_agent.gateway.failure import ModelFailure
from llava_agent.gateway.providers.events import Reading, usage_of
from llava_agent.gateway.quotable import passages_of
from llava_agent.gateway.request import (
    Candidate,
    Choice,
    Completion,
    Drawing,
    Message,
    ModelRequest,
    Route,
    Span,
    Usage,
)
from llava_agent.gateway.verbs import EVIDENCE_VERBS, POINTING_VERBS, QUOTING_VERBS
from llava_agent.gateway.wording import known_text, question_text

if TYPE_CHECKING:
    import httpx

_UNROUTED = Route(model="server", tier="vision", reason="called without a gateway")


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came back; the probability is that of its tokens, 1 where the server reports none."""

    text: str
    finish: Literal["stop", "length"]
    probability: float
    usage: Usage


class OpenAIServer:
    """Implements `gateway.model.Weights` over HTTP.

    Args:
        base_url: up to and including `/v1`.
        model: the name that the server knows.
        vision: whether it takes images; without, no image is ever sent.
        api_key_env: environment variable that holds the key; None for a server without.
        seconds: longest wait for an answer.

    Raises:
        ConfigError: the address is none, or the environment variable is not set.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        vision: bool = True,
        api_key_env: str | None = None,
        seconds: float = 120.0,
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._model, self._vision, self._seconds = model, vision, seconds
        headers = {}
        if api_key_env is not None:
            key = os.environ.get(api_key_env)
            if not key:
                raise ConfigError(
                    f"the environment variable {api_key_env} is not set", "set it to the key of the server"
                )
            headers["authorization"] = f"Bearer {key}"
        self._client = client(AllowList.of(base_url), Limits(seconds=seconds), headers=headers)

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        """The verb, candidate and quotation that the server answers with; ToolError where it is no answer."""
        pixels = pixels and self._vision
        words = question_text(request, candidates, verbs, pixels=pixels)
        schema = _answer_schema(verbs, len(candidates))
        turn = Message("user", words, () if request.image is None else (request.image,))
        reply = self._ask(self._body((turn,), pixels, schema, CHOICE_TOKENS, Drawing()), request.seconds)
        verb, number, text = _parsed(reply.text, verbs, len(candidates))
        index = number - 1 if number and verb in POINTING_VERBS | EVIDENCE_VERBS else None
        sure = reply.probability
        distribution = tuple(sure if position == index else 0.0 for position in range(len(candidates)))
        return Choice(
            verb=verb,
            verbs={one: float(one == verb) for one in verbs},
            index=index,
            distribution=distribution,
            none=1 - sure if index is not None else 1.0,
            span=_quoted(verb, text, request, candidates, index, sure),
            confidence=sure,
            usage=reply.usage,
            route=_UNROUTED,
            said=text if verb == "say" else "",
        )

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        """Text for an instruction, under the request's JSON schema if it has one."""
        body = self._body(_turns(request), pixels, request.json_schema, request.max_tokens, request.drawing)
        reply = self._ask(body, request.seconds)
        return Completion(reply.text.strip(), reply.finish, reply.usage, _UNROUTED)

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        """Pieces of the text, then the whole; closing the iterator closes the connection.

        Raises (while it runs):
            ModelFailure: the server refused, sent something that is no event, or stopped before the end.
        """
        body = self._body(_turns(request), pixels, request.json_schema, request.max_tokens, request.drawing)
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        began = time.perf_counter()
        with self._client.stream(
            "POST", self._url, json=body, timeout=self._patience(request.seconds)
        ) as response:
            if response.status_code != 200:
                response.read()
                raise _refusal(self._url, response)
            reading = Reading(self._url)
            yield from reading.pieces(response.iter_lines())
        spent = (time.perf_counter() - began) * 1000
        usage = replace(reading.usage, milliseconds={"server": spent})
        yield Completion(reading.text.strip(), reading.finish, usage, _UNROUTED)

    def _body(
        self,
        turns: Sequence[Message],
        pixels: bool,
        schema: Mapping[str, object] | None,
        max_tokens: int,
        drawing: Drawing,
    ) -> dict[str, object]:
        sees = pixels and self._vision
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": _content(turn, sees)} for turn in turns],
            "max_tokens": max_tokens,
            "temperature": drawing.temperature or 0,
            "logprobs": True,
        }
        asked = {"top_p": drawing.top_p, "seed": drawing.seed, "stop": list(drawing.stop) or None}
        body |= {name: value for name, value in asked.items() if value is not None}
        if schema is not None:
            named = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return body

    def _patience(self, seconds: float | None) -> float:
        """Longest silence in seconds: the preset's, or what is left of the request's time."""
        return self._seconds if seconds is None else max(0.1, min(self._seconds, seconds))

    def _ask(self, body: Mapping[str, object], seconds: float | None) -> _Reply:
        began = time.perf_counter()
        response = self._client.post(self._url, json=body, timeout=self._patience(seconds))
        spent = (time.perf_counter() - began) * 1000
        if response.status_code != 200:
            raise _refusal(self._url, response)
        return _reply(response.text, self._url, spent)


def _turns(request: ModelRequest) -> tuple[Message, ...]:
    alone = Message("user", known_text(request), () if request.image is None else (request.image,))
    return request.messages or (alone,)


def _content(turn: Message, sees: bool) -> object:
    """The text alone, or the images and the text as parts."""
    if not turn.images or not sees:
        return turn.text
    images = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in turn.images]
    return [*images, {"type": "text", "text": turn.text}]


def _refusal(url: str, response: httpx.Response) -> ModelFailure:
    wait = response.headers.get("retry-after", "")
    return ModelFailure(
        f"{url} refused the request with status {response.status_code}",
        "check the model's name, the key, and what the server supports",
        said=response.text,
        status=response.status_code,
        retry_after=float(wait) if wait.isdigit() else None,
    )


def _data_url(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _answer_schema(verbs: Sequence[str], candidates: int) -> dict[str, object]:
    """`strict` servers want every property required and no others."""
    return {
        "type": "object",
        "properties": {
            "verb": {"type": "string", "enum": list(verbs)},
            "mark": {"type": "integer", "minimum": 0, "maximum": candidates},
            "text": {"type": "string"},
        },
        "required": ["verb", "mark", "text"],
        "additionalProperties": False,
    }


def _reply(body: str, url: str, spent: float) -> _Reply:
    """The first choice of a response; ToolError where it has none."""
    try:
        answer = json.loads(body)
        first = answer["choices"][0]
        text = first["message"]["content"] or ""
        if not isinstance(text, str):
            raise TypeError("the content is no text")
        usage = replace(usage_of(answer.get("usage")), milliseconds={"server": spent})
        finish: Literal["stop", "length"] = "length" if first.get("finish_reason") == "length" else "stop"
        return _Reply(text, finish, _probability(first.get("logprobs")), usage)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelFailure(
            f"{url} answered with something that is no chat completion",
            "check that base_url ends with the server's /v1",
            said=body,
        ) from error


def _probability(logprobs: Any) -> float:
    """Product over the tokens of the answer; 1 where the server reports none."""
    tokens = (logprobs or {}).get("content") or []
    return min(1.0, math.exp(sum(float(token["logprob"]) for token in tokens)))


def _parsed(text: str, verbs: Sequence[str], candidates: int) -> tuple[str, int, str]:
    """Verb, number and text; ToolError where the answer does not fit the schema."""
    try:
        answer = json.loads(text)
        verb, number, words = answer["verb"], answer.get("mark", 0), answer.get("text", "")
        fits = verb in verbs and isinstance(number, int) and 0 <= number <= candidates
    except (ValueError, LookupError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise ModelFailure(
            "the model's answer does not fit the schema that was asked for",
            "use a server that supports response_format json_schema",
            said=text,
        )
    return verb, int(number), words if isinstance(words, str) else ""


def _quoted(
    verb: str,
    text: str,
    request: ModelRequest,
    candidates: Sequence[Candidate],
    index: int | None,
    probability: float,
) -> Span | None:
    """Where the text stands in what may be quoted; None where it stands nowhere."""
    words = text.strip()
    if verb not in QUOTING_VERBS or not words:
        return None
    texts = [candidate.text for candidate in candidates]
    passages = passages_of(verb, request.instruction, request.facts, texts, index)
    found = next((passage for passage in passages if words in passage.text), None)
    return Span(words, found.source, found.index, probability) if found else None
