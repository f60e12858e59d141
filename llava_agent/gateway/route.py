"""Which model takes a call, and why. Deterministic: the same request always goes the same way."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from llava_agent.errors import NoPermittedModel
from llava_agent.gateway.model import ChatModel
from llava_agent.gateway.request import ModelRequest

#: Order of tiers by cost; an escalation goes to the right.
TIERS = ("text", "vision")


def pick(request: ModelRequest, models: Iterable[ChatModel]) -> tuple[ChatModel, str]:
    """The cheapest model that can decide the step, with the reason as a plain sentence.

    Raises:
        NoPermittedModel: the step needs a tier that no configured model has.
    """
    least, why = _need(request)
    able = [model for model in models if TIERS.index(model.tier) >= least]
    if not able:
        raise NoPermittedModel(
            f"no {TIERS[least]} model is configured for a {request.step_kind} step ({why})",
            "pull or configure one: llava-agent models list",
        )
    chosen = min(able, key=_cost)
    if TIERS.index(chosen.tier) > least:
        why += "; there is no text model, so the vision model takes it"
    return chosen, why


def _need(request: ModelRequest) -> tuple[int, str]:
    """Least tier that can decide the request, and the sentence that says why."""
    if request.step_kind == "perceive":
        return 1, "reading an image needs pixels"
    if any(message.images for message in request.messages):
        return 1, request.because or "the conversation shows images"
    if request.needs_pixels:
        return 1, request.because or "the step needs pixels"
    if request.minimum_tier >= 1:
        return min(request.minimum_tier, len(TIERS) - 1), request.because or "escalated by the caller"
    return 0, request.because or "the words of the marks are enough, so the text model decides"


def _cost(model: ChatModel) -> tuple[int, Decimal, str]:
    """Tier first, then the configured price, then the name, so that ties are stable."""
    price = model.price
    rate = price.per_prompt_token + price.per_output_token + price.per_second if price else Decimal(0)
    return TIERS.index(model.tier), rate, model.name
