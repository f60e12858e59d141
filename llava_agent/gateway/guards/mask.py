"""Masks: a placeholder for each thing that is hidden, the same thing always the same one within a call."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from llava_agent.gateway.guards.finding import Finding, without_overlap

_PLACEHOLDER = re.compile(r"\[[a-z0-9_]+_\d+\]")


class Masks:
    """What was hidden in one call, so that the answer of a model elsewhere can be read again here.

    It lives as long as the call and shows nothing of its content.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._originals: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Masks({len(self._names)})"

    def __len__(self) -> int:
        return len(self._names)

    def hide(self, text: str, findings: Sequence[Finding]) -> str:
        """`text` with `[email_1]` and the like in place of what was found."""
        pieces, position = [], 0
        for one in without_overlap(findings):
            pieces += [text[position : one.start], self._name(one.kind, text[one.start : one.end])]
            position = one.end
        return "".join([*pieces, text[position:]])

    def restore(self, text: str) -> str:
        """`text` with the originals in place of this call's placeholders."""
        if not self._originals or "[" not in text:
            return text
        return _PLACEHOLDER.sub(lambda match: self._originals.get(match[0], match[0]), text)

    def _name(self, kind: str, original: str) -> str:
        with self._lock:
            if original not in self._names:
                number = self._counts[kind] = self._counts.get(kind, 0) + 1
                name = f"[{kind}_{number}]"
                self._names[original] = name
                self._originals[name] = original
            return self._names[original]
