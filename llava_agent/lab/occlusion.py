"""How much an answer loses when a region is covered (Zeiler and Fergus, 2014).

A mark is covered in both ways in which the model knows it: its pixels in the image, and its words, which text
recognition would no longer find. The embedded model sees nothing of an image but its marks, so no other
region is left out. Groups of neighbours are covered first, and taken apart where that changed something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llava_agent.gateway.request import Choice
from llava_agent.lab.cover import covered, wordless
from llava_agent.lab.explanation import Region
from llava_agent.lab.question import Asker, Progress, quiet, said, support
from tools.mark import Mark
from tools.photo import Photo

#: Losses below this part of the answer's probability are noise of the numbers, and not shown.
LEAST = 0.02
#: Marks whose pixels are also covered alone, the foremost first.
_LOOKED_INTO = 3


def occlude(
    asker: Asker, photo: Photo, marks: Sequence[Mark], first: Choice, progress: Progress = quiet
) -> tuple[Region, ...]:
    """The marks whose covering makes the first answer less probable, the largest loss first.

    Args:
        first: the choice with nothing covered.
        progress: is told how many marks are settled.
    """
    whole = max(support(first, first), 1e-9)
    answer = said(first, marks)
    placed = [at for at, mark in enumerate(marks) if mark.box is not None]
    found: dict[int, Region] = {}

    def lost(which: Sequence[int], *, words: bool) -> tuple[float, str]:
        image = covered(photo.image, [box for at in which if (box := marks[at].box)])
        left = wordless(marks, which) if words else list(marks)
        choice = asker.ask(image, left)
        instead = said(choice, left)
        return min(1.0, 1 - support(choice, first) / whole), "" if instead == answer else instead

    done = 0
    for group in _groups(placed):
        if len(group) == 1 or lost(group, words=True)[0] >= LEAST:
            for at in group:
                share, instead = lost([at], words=True)
                if share >= LEAST or instead:
                    found[at] = _region(marks[at], max(0.0, share), instead)
        done += len(group)
        progress(done, len(placed))
    order = sorted(found, key=lambda at: -found[at].share)
    for at in order[:_LOOKED_INTO]:
        share = max(0.0, lost([at], words=False)[0])
        region = found[at]
        found[at] = Region(region.box, region.share, region.text, region.role, share, region.instead)
    return tuple(found[at] for at in order)


def _groups(places: Sequence[int]) -> list[Sequence[int]]:
    """Neighbours in reading order, about as many groups as each has members."""
    size = max(1, math.isqrt(len(places)))
    return [places[start : start + size] for start in range(0, len(places), size)]


def _region(mark: Mark, share: float, instead: str) -> Region:
    assert mark.box is not None
    x0, y0, x1, y1 = mark.box.as_list()
    words = mark.value or mark.text
    return Region((x0, y0, x1, y1), share, words, mark.role, None, instead)
