"""What a call can cost at most, and what it did cost."""

from __future__ import annotations

from decimal import Decimal

from llava_agent.egress import EgressTimeout
from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.classify import Case
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.failure import ModelFailure
from llava_agent.gateway.model import Price
from llava_agent.gateway.request import Choice, Completion, Usage

#: A server that tells of fewer tokens than one for so many bytes is not believed: no tokenizer is that good.
_BYTES_PER_TOKEN = 16


def most(case: Case, deployment: Deployment, seconds: float) -> Decimal:
    """An upper bound in the policy's currency, for a call of at most `seconds`."""
    price = deployment.model.price or Price()
    prompt = case.most_prompt_tokens(deployment.image_tokens, pixels=deployment.tier == "vision")
    return (
        price.per_prompt_token * prompt
        + price.per_output_token * case.output_tokens
        + price.per_second * Decimal(str(seconds))
    )


def actual(case: Case, deployment: Deployment, answer: Choice | Completion, bound: Decimal | None) -> Decimal:
    """What the usage comes to; all that was held back where the usage cannot be true."""
    price = deployment.model.price or Price()
    if bound is not None and (price.per_prompt_token or price.per_output_token):
        said = answer.text if isinstance(answer, Completion) else answer.said
        if not _credible(answer.usage, case.text_bytes, len(said.encode("utf-8", errors="surrogatepass"))):
            return bound
    return price.of(answer.usage)


def of_failure(
    deployment: Deployment, error: BaseException, elapsed: float, bound: Decimal | None
) -> Decimal:
    """What a call that failed after `elapsed` seconds is charged.

    A server that refused or could not be reached did no work. One that took too long, broke off, or answered
    with nonsense may bill all of it, and so may one whose answer the caller did not wait for.
    """
    price = deployment.model.price or Price()
    unusable = isinstance(error, ModelFailure) and error.status is None
    worked = unusable or isinstance(error, EgressTimeout) or not isinstance(error, LlavaAgentError)
    if worked and bound is not None and (price.per_prompt_token or price.per_output_token):
        return bound
    return price.per_second * Decimal(str(elapsed))


def _credible(usage: Usage, prompt_bytes: int, answer_bytes: int) -> bool:
    return (
        usage.prompt_tokens * _BYTES_PER_TOKEN >= prompt_bytes
        and usage.output_tokens * _BYTES_PER_TOKEN >= answer_bytes
    )
