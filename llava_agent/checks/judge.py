"""The verdict on one expectation: hands it to the family that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from llava_agent.checks.expectation import Expectation
from llava_agent.checks.judges import appearance, claim, controls, faults, images, pixels, place, texts, whole
from llava_agent.checks.judges.claim import Ask
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.verdict import Verdict

__all__ = ["Ask", "judge"]

#: The judge of each kind but those that need more than what was seen.
_JUDGES: dict[str, Callable[[Any, Sighting], Verdict]] = {
    "shows": texts.shows,
    "not_shows": texts.not_shows,
    "text": texts.text,
    "pattern": texts.pattern,
    "count": controls.count,
    "state": controls.state,
    "colour": appearance.colour,
    "contrast": appearance.contrast,
    "aligned": place.aligned,
    "overlaps": place.overlaps,
    "no_overlap": place.no_overlap,
    "order": place.order,
    "above": place.above,
    "below": place.below,
    "left_of": place.left_of,
    "right_of": place.right_of,
    "cut_off": whole.cut_off,
    "not_cut_off": whole.not_cut_off,
    "image": images.image,
    "no_errors": faults.no_errors,
}


def judge(expectation: Expectation, seen: Sighting, folder: Path, ask: Ask | None) -> Verdict:
    """The verdict on one expectation.

    Args:
        folder: where baselines are.
        ask: the model; None leaves `asks` undecided.
    """
    if expectation.matches is not None:
        return pixels.matches(expectation.matches, seen, folder)
    if expectation.asks is not None:
        return claim.asks(expectation.asks, seen, ask)
    return _JUDGES[expectation.kind](expectation.value, seen)
