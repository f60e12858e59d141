"""What goes wrong with one document. The others go on."""

from __future__ import annotations

from llava_agent.errors import LlavaAgentError


class DocumentError(LlavaAgentError):
    """A document that is missing, damaged, encrypted, empty, too large, or of no known format."""

    http_status = 422
