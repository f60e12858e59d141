"""The one door to models: two calls, each routed, each recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from llava_agent.gateway.ledger import Entry, Ledger
from llava_agent.gateway.model import ChatModel, pieces_of
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route
from llava_agent.gateway.route import pick
from llava_agent.gateway.stream import Stream

Answer = TypeVar("Answer", Choice, Completion)


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice as it was asked, kept so that another model can be measured on the same question."""

    request: ModelRequest
    candidates: tuple[Candidate, ...]
    verbs: tuple[str, ...]
    choice: Choice


class Gateway:
    """Picks the model by the kind of step and writes a ledger line for every call.

    Args:
        models: every model that may be used, by name.
        ledger: where the calls are recorded; one in memory if None.
        keep_asked: remember each choice in `asked` (with its image) for a measured comparison.
    """

    def __init__(
        self, models: Mapping[str, ChatModel], ledger: Ledger | None = None, *, keep_asked: bool = False
    ) -> None:
        self.models = dict(models)
        self.ledger = ledger if ledger is not None else Ledger()
        self.keep_asked = keep_asked
        self.asked: list[Asked] = []

    def recording(self, ledger: Ledger, *, keep_asked: bool = False) -> Gateway:
        """The same models, recorded elsewhere: each run has a ledger of its own."""
        return Gateway(self.models, ledger, keep_asked=keep_asked)

    @property
    def one_set_of_weights(self) -> bool:
        """Whether every model runs the same weights, so that pixels alone set its tiers apart."""
        return len({id(getattr(model, "weights", model)) for model in self.models.values()}) == 1

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        """Distribution over `verbs` and `candidates` of the cheapest model that can decide the step.

        Raises:
            NoPermittedModel: no configured model can.
        """
        request = replace(request, candidates=tuple(candidates))
        model, reason = pick(request, self.models.values())
        choice = self._call(
            model, reason, request, lambda seen: model.choose(seen, seen.candidates, verbs), shadow=False
        )
        if self.keep_asked:
            self.asked.append(Asked(request, tuple(candidates), tuple(verbs), choice))
        return choice

    def complete(self, request: ModelRequest) -> Completion:
        """Generated text, or JSON text where the request carries a schema.

        Raises:
            NoPermittedModel: no configured model can.
        """
        model, reason = pick(request, self.models.values())
        return self._call(model, reason, request, model.complete, shadow=False)

    def stream(self, request: ModelRequest) -> Stream:
        """`complete`, told as it comes. Returns once the first piece is there, so the route is settled.

        Raises:
            NoPermittedModel: no configured model can.
        """
        model, reason = pick(request, self.models.values())
        route = Route(model.name, model.tier, reason)
        pieces = self._told(model, reason, request)
        first = next(pieces)
        return Stream(route, _resumed(first, pieces))

    def _told(self, model: ChatModel, reason: str, request: ModelRequest) -> Iterator[str | Completion]:
        """The pieces of a model, recorded at their end; an end before the whole is recorded as an error."""
        seen = request.without_pixels() if model.tier == "text" else request
        started = time.perf_counter()
        whole: Completion | None = None
        try:
            for piece in pieces_of(model, seen):
                if isinstance(piece, Completion):
                    whole = piece = replace(piece, route=Route(model.name, model.tier, reason))
                yield piece
        except BaseException as error:
            self._record(model, reason, request, started, None, shadow=False, error=error)
            raise
        self._record(model, reason, request, started, whole, shadow=False)

    def shadow(self, asked: Asked, model: ChatModel, reason: str) -> Choice:
        """Ask `model` the same again, only to measure it; the ledger line is marked as shadow."""
        return self._call(
            model,
            reason,
            asked.request,
            lambda seen: model.choose(seen, asked.candidates, asked.verbs),
            shadow=True,
        )

    def _call(
        self,
        model: ChatModel,
        reason: str,
        request: ModelRequest,
        ask: Callable[[ModelRequest], Answer],
        *,
        shadow: bool,
    ) -> Answer:
        # A text model is never handed pixels, whatever the caller attached.
        seen = request.without_pixels() if model.tier == "text" else request
        started = time.perf_counter()
        try:
            answer = ask(seen)
        except BaseException as error:
            self._record(model, reason, request, started, None, shadow=shadow, error=error)
            raise
        self._record(model, reason, request, started, answer, shadow=shadow)
        return replace(answer, route=Route(model.name, model.tier, reason))

    def _record(
        self,
        model: ChatModel,
        reason: str,
        request: ModelRequest,
        started: float,
        answer: Choice | Completion | None,
        *,
        shadow: bool,
        error: BaseException | None = None,
    ) -> None:
        elapsed = (time.perf_counter() - started) * 1000
        usage = answer.usage if answer else None
        parts = dict(usage.milliseconds) if usage else {}
        cost = model.price.of(usage) if model.price and usage else None
        self.ledger.write(
            Entry(
                run=request.run,
                step=request.step,
                kind=request.step_kind,
                call="complete" if isinstance(answer, Completion) else "choose",
                model=model.name,
                tier=model.tier,
                reason=reason,
                prompt_tokens=usage.prompt_tokens if usage else 0,
                image_tokens=usage.image_tokens if usage else 0,
                output_tokens=usage.output_tokens if usage else 0,
                reused_tokens=usage.reused_tokens if usage else 0,
                ms={**{part: round(ms, 2) for part, ms in parts.items()}, "total": round(elapsed, 2)},
                confidence=round(answer.confidence, 4) if isinstance(answer, Choice) else None,
                verb=answer.verb if isinstance(answer, Choice) else None,
                cost=str(cost) if cost is not None else None,
                shadow=shadow,
                outcome="error" if error else "ok",
                error=f"{type(error).__name__}: {error}" if error else None,
            )
        )


def _resumed(first: str | Completion, rest: Iterator[str | Completion]) -> Iterator[str | Completion]:
    """`rest` with its first item, which was taken already, put back; closing it closes `rest`."""
    yield first
    yield from rest
