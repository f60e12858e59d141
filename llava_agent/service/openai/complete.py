"""Answers in words: the conversation goes to the gateway, and the pieces come back as they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Completion, Drawing, Message, ModelRequest, Route
from llava_agent.service.openai.bodies import ChatBody, SchemaFormat
from llava_agent.service.openai.conversation import Conversation
from llava_agent.service.openai.reply import Reply
from llava_agent.service.openai.tools import call_schema, described, offered, read_call
from llava_agent.service.turn import Stop

#: Tokens of an answer where the request does not say.
DEFAULT_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears of an answer while it is made.

    Attributes:
        opened: once, when it is settled which model answers.
        piece: each piece of the words.
    """

    opened: Callable[[Route], None]
    piece: Callable[[str], None]


def request_of(body: ChatBody, said: Conversation, principal: Principal, run: str) -> ModelRequest:
    """What the gateway is asked."""
    tools, must = offered(body), body.tool_choice not in (None, "auto")
    messages: tuple[Message, ...] = said.messages
    schema: object = None
    if tools:
        messages = (described(tools, must=must), *messages)
        schema = call_schema(tools, must=must)
    elif isinstance(body.response_format, SchemaFormat):
        schema = body.response_format.json_schema.schema_
    elif body.response_format is not None and body.response_format.type == "json_object":
        schema = {"type": "object"}
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    return ModelRequest(
        step_kind="tool_args" if tools else "summarise",
        instruction="",
        messages=messages,
        because="a conversation of an outside client, in words",
        run=run,
        max_tokens=body.most_tokens or DEFAULT_TOKENS,
        json_schema=schema if isinstance(schema, dict) else None,
        drawing=Drawing(body.temperature, body.top_p, body.seed, stop),
        offers_tools=bool(tools),
        principal=principal,
    )


def complete(gateway: Gateway, request: ModelRequest, listener: Listener, stop: Stop) -> Reply:
    """The answer; a client that has gone ends it between two pieces."""
    with gateway.recording(Ledger()).stream(request) as stream:
        if not request.offers_tools:  # a call is told once it is whole
            listener.opened(stream.route)
        for piece in stream:
            stop.check()
            if not request.offers_tools:
                listener.piece(piece)
        completion = stream.completion
    reply = Reply(completion.text, completion.usage, stream.route, completion.finish)
    return _with_calls(reply, completion) if request.offers_tools else reply


def _with_calls(reply: Reply, completion: Completion) -> Reply:
    found = read_call(completion.text)
    if found is None:  # cut off by the bound on tokens
        return replace(reply, text="", finish="length")
    if isinstance(found, str):
        return replace(reply, text=found)
    return replace(reply, text=None, finish="tool_calls", calls=(found,))
