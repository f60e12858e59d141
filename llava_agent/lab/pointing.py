"""What the pointer points at: the probability of each mark, from the one call that gave the answer."""

from __future__ import annotations

from collections.abc import Sequence

from llava_agent.gateway.request import Choice
from llava_agent.lab.explanation import Region
from tools.mark import Mark

#: Marks below this probability are not shown.
LEAST = 0.005


def pointed(first: Choice, marks: Sequence[Mark]) -> tuple[Region, ...]:
    """The marks by their probability, the most probable first."""
    regions = []
    for mark, chance in zip(marks, first.distribution, strict=True):
        if mark.box is not None and chance >= LEAST:
            x0, y0, x1, y1 = mark.box.as_list()
            regions.append(Region((x0, y0, x1, y1), chance, mark.value or mark.text, mark.role))
    return tuple(sorted(regions, key=lambda region: -region.share))
