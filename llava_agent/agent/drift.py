"""The world is not as it was recorded."""

from __future__ import annotations

from llava_agent.errors import LlavaAgentError


class Drift(LlavaAgentError):
    """A replay met something that was not recorded; the sentence names the step and the difference."""

    exit_code = 1
