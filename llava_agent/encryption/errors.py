"""What goes wrong with keys and sealed content. No message holds content or key material."""

from __future__ import annotations

from llava_agent.errors import LlavaAgentError


class KeyUnavailable(LlavaAgentError):
    """A key is missing, of the wrong kind, unreadable or erased; nothing is stored or read without it."""

    http_status = 503


class Unreadable(LlavaAgentError):
    """Sealed bytes that were changed, cut off, or belong to another tenant or name."""

    http_status = 500
