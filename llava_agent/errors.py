"""The one error hierarchy of the product.

This module imports nothing, so every room may use it. An error is raised for *bad input* or a *broken
environment*, never for a bug (bugs raise what Python raises) and never for a model's mistake (those become
observations). Each error carries one sentence for the user: what, why, and the mend.
"""

from __future__ import annotations


class LlavaAgentError(Exception):
    """Base of everything that the product raises on purpose.

    Args:
        what: names the thing that is wrong and why, as one clause without a final full stop.
        mend: what the user can do about it, as one clause; empty where nothing can be done.

    Attributes:
        said: words of another program, for a person at the terminal. They may repeat content, so they are
            written into no record and sent to nobody.
    """

    #: Exit status of the command line.
    exit_code: int = 2
    #: HTTP status of the service.
    http_status: int = 400
    said: str = ""

    def __init__(self, what: str, mend: str = "") -> None:
        self.what = what
        self.mend = mend
        super().__init__(f"{what}: {mend}" if mend else what)


class ImageError(LlavaAgentError):
    """An image that is missing, unreadable, too large, or not an image."""


class ConfigError(LlavaAgentError):
    """A configuration file or option that is unknown, misspelt or out of range."""


class WeightsError(LlavaAgentError):
    """Weights that are absent, damaged, or do not belong together."""

    http_status = 503


class ToolError(LlavaAgentError):
    """The world that a tool acts on cannot be reached or is broken (browser, server, disk)."""

    http_status = 502


class PermissionDenied(LlavaAgentError):
    """A guard refused: host not on the allow-list, action not permitted."""

    exit_code = 3
    http_status = 403


class NotFound(LlavaAgentError):
    """There is no such thing, or it belongs to someone else."""

    http_status = 404


class Conflict(LlavaAgentError):
    """What is asked does not fit the state of the thing: changed by another, ended, or done already."""

    http_status = 409


class BudgetExceeded(LlavaAgentError):
    """A hard limit of steps, seconds or tokens was reached."""

    exit_code = 4
    http_status = 429


class NoPermittedModel(LlavaAgentError):
    """No model may or can serve the request."""

    http_status = 503
