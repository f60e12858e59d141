"""What is seen, as a model is shown it. Reading a photo needs this much and no schema of actions."""

from __future__ import annotations

from dataclasses import replace

from llava_agent.gateway.request import Candidate
from tools.mark import Mark

#: Roles of things that are only read.
READ_ONLY = frozenset({"text", "heading", "image", "img", "status", "alert", "dial", "cell", "label"})

LONGEST_TEXT = 120


def candidate(mark: Mark) -> Candidate:
    """A mark as the model is shown it. What is only read quotes its value, a control quotes its name."""
    shown = mark if len(mark.text) <= LONGEST_TEXT else replace(mark, text=mark.text[:LONGEST_TEXT].rstrip())
    box = mark.box
    return Candidate(
        line=shown.line(),
        text=shown.value if shown.value and shown.role in READ_ONLY else shown.text,
        region=(box.x0, box.y0, box.x1, box.y1) if box else None,
    )
