"""The test of a view: cover its foremost region on the photo and do everything anew, from the pixels on.

A view that tells the truth names a region without which the answer falls; another region, drawn by lot, is
covered as the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from llava_agent.agent.perceive import Eyes
from llava_agent.agent.picture import Find
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.principal import Principal
from llava_agent.lab.cover import covered_photo
from llava_agent.lab.explanation import Corners, Deletion, Region
from tools.geometry import Box
from tools.mark import Mark
from tools.photo import Photo


def delete(
    photo: Photo,
    words: str,
    regions: Sequence[Region],
    marks: Sequence[Mark],
    gateway: Gateway,
    find: Find,
    principal: Principal,
) -> Deletion | None:
    """Cover the foremost region, and then another; None where the view shows no region."""
    if not regions:
        return None
    first = regions[0].box

    def answer_without(corners: Corners) -> tuple[str, float]:
        answer = Eyes(gateway, find, principal=principal).ask(covered_photo(photo, [Box(*corners)]), words)
        return answer.answer, answer.confidence

    answer, confidence = answer_without(first)
    other = control(first, regions, marks, photo.sha256)
    if other is None:
        return Deletion(first, answer, confidence)
    return Deletion(first, answer, confidence, other, *answer_without(other))


def control(first: Corners, regions: Sequence[Region], marks: Sequence[Mark], seed: str) -> Corners | None:
    """A mark elsewhere, always the same for a photo; one that the view leaves out, where there is one."""
    named = {region.box for region in regions}
    others = []
    for mark in marks:
        if mark.box is not None and not mark.box.intersection(Box(*first)):
            x0, y0, x1, y1 = mark.box.as_list()
            others.append((x0, y0, x1, y1))
    left_out = [box for box in others if box not in named]
    return Random(seed).choice(left_out or others) if others else None
