"""What a run would have cost with the vision model alone: measured on the same questions, not estimated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llava_agent.errors import NoPermittedModel
from llava_agent.gateway.gateway import Asked, Gateway
from llava_agent.gateway.ledger import Total, total
from llava_agent.gateway.request import ModelRequest


@dataclass(frozen=True, slots=True)
class Comparison:
    """Routed against vision only, over the choices of a run that could be asked again.

    Attributes:
        routed: what these steps cost as they were taken.
        vision: what the vision model cost on the same questions; a step it took anyway counts as it was.
        asked_again: how many choices of the text model were asked of the vision model.
        agreed: how many of those came out with the same verb and target.
    """

    routed: Total
    vision: Total
    asked_again: int
    agreed: int

    @property
    def saved_tokens(self) -> int:
        return self.vision.tokens - self.routed.tokens

    @property
    def saved_ms(self) -> float:
        return self.vision.ms - self.routed.ms


def compare_with_vision(
    gateway: Gateway, asked: Sequence[Asked], progress: Callable[[int, int], None] | None = None
) -> Comparison:
    """Ask the vision model every question that the text model decided, as shadow calls of `gateway`.

    Raises:
        NoPermittedModel: there is no vision model to compare with.
    """
    models = [model for model in gateway.models.values() if model.tier == "vision"]
    if not models:
        raise NoPermittedModel("there is no vision model to compare with", "pull or configure one")
    seen = {_key(one.choice.route.tier, one.request) for one in asked}
    repeated = [
        one
        for one in asked
        if one.choice.route.tier == "text"
        and one.request.image is not None
        # A step that was escalated has its measured vision call already.
        and _key("vision", one.request) not in seen
    ]
    agreed = 0
    for position, one in enumerate(repeated):
        again = gateway.shadow(one, models[0], "asked again to measure the vision model on a text step")
        agreed += (again.verb, again.index) == (one.choice.verb, one.choice.index)
        if progress:
            progress(position + 1, len(repeated))
    entries = [entry for entry in gateway.ledger.entries if entry.outcome == "ok"]
    vision = [entry for entry in entries if entry.shadow or entry.tier == "vision"]
    comparable = {(entry.step, entry.kind) for entry in vision}
    routed = [entry for entry in entries if not entry.shadow and (entry.step, entry.kind) in comparable]
    return Comparison(total(routed), total(vision), len(repeated), agreed)


def _key(tier: str, request: ModelRequest) -> tuple[str, str, int | None]:
    return tier, request.step_kind, request.step
