"""How a model behind a server fails, with what decides whether to try again."""

from __future__ import annotations

from llava_agent.egress import EgressTimeout
from llava_agent.errors import LlavaAgentError, ToolError, WeightsError


class ModelFailure(ToolError):
    """A model's server refused the request or answered with nothing usable. What it said is in `said` alone.

    Attributes:
        status: HTTP status; None where there was an answer, but an unusable one.
        retry_after: seconds that the server asks to wait; None where it does not.
    """

    def __init__(
        self,
        what: str,
        mend: str = "",
        *,
        said: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, mend)
        self.said, self.status, self.retry_after = shown(said), status, retry_after


#: Of a server's words that are shown.
_SHOWN = 200


def shown(text: str) -> str:
    """The beginning of what a server said, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + " ..."


#: What is the model's or its server's fault; anything else is the request's, and no other model would help.
FAILURES = (ToolError, WeightsError)


def counts(error: LlavaAgentError) -> bool:
    """Whether the deployment is ill: a 4xx other than 408 and 429 tells of the request, not of it."""
    status = error.status if isinstance(error, ModelFailure) else None
    return isinstance(error, FAILURES) and (status is None or status in (408, 429) or status >= 500)


def may_pass(error: LlavaAgentError) -> bool:
    """Whether the same call to the same deployment may go well a moment later."""
    if isinstance(error, ModelFailure):
        return error.status is not None and (error.status in (408, 429) or error.status >= 500)
    # A connection that broke may come back; who took all the time allowed would take it again.
    return isinstance(error, ToolError) and not isinstance(error, EgressTimeout)
