"""Refusals that only a server knows."""

from __future__ import annotations

from llava_agent.errors import LlavaAgentError


class NotLoggedIn(LlavaAgentError):
    """Nobody known asks."""

    http_status = 401


class TooLarge(LlavaAgentError):
    """More bytes than the server takes at once."""

    http_status = 413


class RetryLater(LlavaAgentError):
    """The same may succeed in a while.

    Attributes:
        seconds: until it is worth another try.
    """

    http_status = 429

    def __init__(self, what: str, mend: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(what, mend)


class TooManyRequests(RetryLater):
    """The caller asks faster than the server permits."""


class Busy(RetryLater):
    """The queue of a model is full."""


class BadRequest(LlavaAgentError):
    """A request that cannot be carried out as it is.

    Attributes:
        param: the field that is wrong, as a path; empty where none is.
        line: of a text in that field, from 1; None where that cannot be told.
    """

    def __init__(self, what: str, mend: str = "", param: str = "", line: int | None = None) -> None:
        self.param, self.line = param, line
        super().__init__(what, mend)
