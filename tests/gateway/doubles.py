"""Deterministic models for tests: they answer by a function and count what they were handed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llava_agent.gateway.model import Price, Tier
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route, Span, Usage

Answer = Callable[[ModelRequest, Sequence[Candidate], Sequence[str]], Choice]


def choice(
    verb: str,
    index: int | None = None,
    *,
    of: int = 0,
    confidence: float = 0.9,
    span: Span | None = None,
    usage: Usage | None = None,
) -> Choice:
    """A choice of `verb` on candidate `index` of `of`, with that confidence."""
    rest = (1 - confidence) / max(of, 1)
    distribution = tuple(confidence if position == index else rest for position in range(of))
    return Choice(
        verb=verb,
        verbs={verb: 1.0},
        index=index,
        distribution=distribution,
        none=rest,
        span=span,
        confidence=confidence,
        usage=usage or Usage(prompt_tokens=100, output_tokens=1, milliseconds={"prefill": 5.0}),
        route=Route("", "text", ""),
    )


@dataclass
class Double:
    """A model whose answers are a function of the request."""

    name: str
    tier: Tier
    answer: Answer
    price: Price | None = None
    text: str = "a pump"
    requests: list[ModelRequest] = field(default_factory=list)

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        self.requests.append(request)
        return self.answer(request, candidates, verbs)

    def complete(self, request: ModelRequest) -> Completion:
        self.requests.append(request)
        usage = Usage(prompt_tokens=50, output_tokens=7, milliseconds={"decode": 9.0})
        return Completion(self.text, "stop", usage, Route("", self.tier, ""))
