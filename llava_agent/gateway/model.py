"""What the gateway needs of a model, and how one set of local weights serves both tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol, runtime_checkable

from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Usage

#: `text` never sees pixels; `vision` does and is dearer.
Tier = Literal["text", "vision"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in the currency of the installation; local models cost seconds of the machine."""

    per_prompt_token: Decimal = Decimal(0)
    per_output_token: Decimal = Decimal(0)
    per_second: Decimal = Decimal(0)

    def of(self, usage: Usage) -> Decimal:
        seconds = Decimal(str(usage.total_ms)) / 1000
        return (
            self.per_prompt_token * usage.prompt_tokens
            + self.per_output_token * usage.output_tokens
            + self.per_second * seconds
        )


class ChatModel(Protocol):
    """A model that the gateway may route to. The `route` of what it returns is filled in by the gateway."""

    @property
    def name(self) -> str: ...

    @property
    def tier(self) -> Tier: ...

    @property
    def price(self) -> Price | None:
        """None where nobody has set one."""
        ...

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        """A distribution over `verbs` and `candidates`."""
        ...

    def complete(self, request: ModelRequest) -> Completion: ...


class Weights(Protocol):
    """Weights loaded once in this process; `pixels` says whether the image and region tokens are used."""

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice: ...

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion: ...


@runtime_checkable
class Streaming(Protocol):
    """Weights that tell their words as they come."""

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        """Pieces of the text, then the whole as a Completion. Closing the iterator ends the call.

        Weights that serve one call at a time are held until the iterator ends or is closed.
        """
        ...


def stream_of(weights: Weights, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
    """Pieces of the text, then the whole; one piece where the weights tell no words as they come."""
    if isinstance(weights, Streaming):
        yield from weights.stream(request, pixels=pixels)
        return
    whole = weights.complete(request, pixels=pixels)
    yield whole.text
    yield whole


def pieces_of(model: ChatModel, request: ModelRequest) -> Iterator[str | Completion]:
    """The same of a model that may or may not tell its words as they come."""
    if isinstance(model, LocalModel):
        yield from model.stream(request)
        return
    whole = model.complete(request)
    yield whole.text
    yield whole


@dataclass(frozen=True, slots=True)
class LocalModel:
    """In-process weights seen as one tier's model."""

    name: str
    tier: Tier
    weights: Weights
    price: Price | None = None

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        return self.weights.choose(request, candidates, verbs, pixels=self._pixels(request))

    def complete(self, request: ModelRequest) -> Completion:
        return self.weights.complete(request, pixels=self._pixels(request))

    def stream(self, request: ModelRequest) -> Iterator[str | Completion]:
        """Pieces of the text, then the whole."""
        return stream_of(self.weights, request, pixels=self._pixels(request))

    def _pixels(self, request: ModelRequest) -> bool:
        return self.tier == "vision" and bool(request.images)


def both_tiers(name: str, weights: Weights) -> dict[str, ChatModel]:
    """The same weights twice: `name-text` decides without pixels, `name-vision` with them."""
    text = LocalModel(f"{name}-text", "text", weights)
    vision = LocalModel(f"{name}-vision", "vision", weights)
    return {text.name: text, vision.name: vision}
