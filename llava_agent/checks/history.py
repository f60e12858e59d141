"""What became of an expectation over several runs: broken is one thing, flaky another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from llava_agent.checks.verdict import Status

#: `holds` and `broken`: always so in these runs. `broken` and `mended`: it changed once, and stayed.
#: `flaky`: it went there and back.
Standing = Literal["holds", "broken", "mended", "flaky"]


def standing(statuses: Sequence[Status]) -> Standing:
    """How an expectation stands.

    Args:
        statuses: of its runs, the oldest first; at least one. What is not `pass` does not hold, whatever the
            reason: doubt that comes and goes is flaky too.
    """
    held = [status == "pass" for status in statuses]
    changes = sum(now != before for before, now in pairwise(held))
    if changes > 1:
        return "flaky"
    if not held[-1]:
        return "broken"
    return "mended" if changes else "holds"


def since(statuses: Sequence[Status]) -> int | None:
    """The place of the first of the runs at the end that did not hold; None where the last one held."""
    place = len(statuses)
    while place and statuses[place - 1] != "pass":
        place -= 1
    return place if place < len(statuses) else None
