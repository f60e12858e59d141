"""The parts of a request that travel to a model: every text with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from llava_agent.gateway.guards.finding import Place
from llava_agent.gateway.request import ModelRequest

Change = Callable[[str, Place], str]


def rewritten(request: ModelRequest, change: Change) -> ModelRequest:
    """The request with each maskable text put through `change`."""
    return replace(
        request,
        instruction=change(request.instruction, "instruction"),
        facts=tuple(change(fact, "fact") for fact in request.facts),
        history=tuple(change(line, "history") for line in request.history),
        messages=tuple(
            replace(message, text=change(message.text, "system" if message.role == "system" else "message"))
            for message in request.messages
        ),
        candidates=tuple(
            replace(one, line=change(one.line, "candidate"), text=change(one.text, "candidate"))
            for one in request.candidates
        ),
    )


def texts(request: ModelRequest) -> Iterator[tuple[str, Place]]:
    """Every text that `rewritten` changes."""
    yield request.instruction, "instruction"
    yield from ((fact, "fact") for fact in request.facts)
    yield from ((line, "history") for line in request.history)
    for message in request.messages:
        yield message.text, "system" if message.role == "system" else "message"
    for one in request.candidates:
        yield one.line, "candidate"
        yield one.text, "candidate"


def fixed_texts(request: ModelRequest) -> Iterator[tuple[str, Place]]:
    """Texts that travel too and cannot be masked without another meaning: the schema's, the stop texts."""
    yield from ((text, "schema") for text in _strings(request.json_schema))
    yield from ((text, "stop") for text in request.drawing.stop)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
