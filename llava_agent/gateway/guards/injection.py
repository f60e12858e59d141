"""Marks of prompt injection: words in a page or a photo that speak to the model, and hidden characters.

Patterns cannot prove that a text is harmless; they take the plain attempts out and leave a trace of them.
What an agent may do is limited by its permissions, never by this guard.
"""

from __future__ import annotations

import re

from llava_agent.gateway.guards.finding import TRUSTED, Finding, Place
from llava_agent.gateway.guards.plain import plain

_OVERRIDE = re.compile(
    r"\b(?:ignore|disregard|forget|override|do not follow|bypass)\b[^.\n]{0,30}"
    r"\b(?:previous|prior|above|earlier|preceding|all|any|your|the system)\b[^.\n]{0,30}"
    r"\b(?:instructions?|prompts?|rules?|directions?|guidelines?|commands?)\b"
    r"|\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt)\s*:"
    r"|\byou are (?:now|no longer)\b[^.\n]{0,60}"
    r"|\b(?:reveal|print|repeat|show|leak)\b[^.\n]{0,20}\b(?:system prompt|hidden instructions?)\b",
    re.IGNORECASE,
)
_CONTROL = re.compile(
    r"<\|[a-z_]{2,30}\|>|<<?/?SYS>>?|\[/?INST\]|</?(?:system|assistant|tool_call|tool_response)>"
    r"|^\s*#{2,3} ?(?:system|instruction)s?\s*:?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
#: Tag characters and direction overrides hide words from a person; single joiners belong to some scripts.
_HIDDEN = re.compile("[\U000e0000-\U000e007f\u202a-\u202e\u2066-\u2069]+|[\u200b\u2060\ufeff]{2,}")


class Injection:
    """`override`: told to leave its instructions; `control`: tokens of a chat format; `hidden` characters.

    Only untrusted places are looked at: whoever gives the instruction may say what they like.
    """

    name = "injection"

    def look(self, text: str, place: Place) -> list[Finding]:
        if place in TRUSTED:
            return []
        seen = plain(text)
        found = [
            Finding(kind, *seen.original(match.start(), match.end()))
            for kind, form in (("override", _OVERRIDE), ("control", _CONTROL))
            for match in form.finditer(seen.text)
        ]
        if not text.isascii():
            found += [Finding("hidden", match.start(), match.end()) for match in _HIDDEN.finditer(text)]
        return found
