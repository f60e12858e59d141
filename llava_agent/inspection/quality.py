"""Whether a photo is good enough to be read: darkness, blur and glare, measured on its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from tools.geometry import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

Trouble = Literal["dark", "blurred", "glare", "small"]

#: Longer side in pixels at which light is measured; blur is measured at a larger one.
_LIGHT_SIDE, _BLUR_SIDE = 320, 1280
#: Level (0 to 255) that the bright part of a photo reaches at least; below, noise is as strong as print.
DARK_LEVEL = 75.0
#: Crete's measure of blur, 0 sharp to 1 flat, above which small print is lost.
BLUR_LEVEL = 0.52
#: Part of the picture that one burnt-out spot may take.
GLARE_SHARE = 0.012
#: Shorter side in pixels below which a plate cannot be read.
SMALL_SIDE = 300
_BURNT = 250

_SENTENCES: dict[Trouble, str] = {
    "dark": "too dark to read: switch on a light, or take it closer with the flash from the side",
    "blurred": "blurred: hold the phone still, tap on the plate to focus, and take it again",
    "glare": "a reflection hides a part: step to the side and take it again without the flash",
    "small": "too few pixels to read small print: take it closer",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a photo, and what to do about it.

    Attributes:
        box: where, in pixels; None for the whole photo.
    """

    trouble: Trouble
    box: Box | None = None

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.trouble]


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured.

    Attributes:
        light: level of the bright part, 0 to 255 (95th percentile).
        blur: 0 sharp to 1 flat (Crete et al. 2007).
        glare: share of the picture in its largest burnt-out spot.
        complaints: empty for a good photo.
    """

    light: float
    blur: float
    glare: float
    complaints: tuple[Complaint, ...]

    @property
    def good(self) -> bool:
        return not self.complaints

    def as_dict(self) -> dict[str, object]:
        return {
            "light": round(self.light, 1),
            "blur": round(self.blur, 3),
            "glare": round(self.glare, 4),
            "complaints": [
                {
                    "trouble": one.trouble,
                    "sentence": one.sentence,
                    "box": one.box.as_list() if one.box else None,
                }
                for one in self.complaints
            ],
        }


def measure(image: Image.Image) -> Quality:
    """Measure an upright RGB photo."""
    light = float(np.percentile(_grey(image, _LIGHT_SIDE), 95))
    blur = _blur(_grey(image, _BLUR_SIDE))
    glare, where = _glare(image)
    complaints = []
    if min(image.size) < SMALL_SIDE:
        complaints.append(Complaint("small"))
    if light < DARK_LEVEL:
        complaints.append(Complaint("dark"))
    # A dark photo has no edges to judge by; light comes first.
    elif blur > BLUR_LEVEL:
        complaints.append(Complaint("blurred"))
    if glare > GLARE_SHARE:
        complaints.append(Complaint("glare", where))
    return Quality(light, blur, glare, tuple(complaints))


def _grey(image: Image.Image, side: int) -> NDArray[np.float32]:
    factor = min(1.0, side / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return np.asarray(image.convert("L").resize(size, Image.Resampling.BOX), np.float32)


def _blur(grey: NDArray[np.float32]) -> float:
    """How little a picture changes when it is blurred once more (Crete et al., "The blur effect", 2007).

    Only where there are edges: a plain wall is not blurred, it has nothing to show.
    """
    import cv2

    values = []
    for axis, kernel in ((0, (1, 9)), (1, (9, 1))):
        again = np.asarray(cv2.blur(grey, kernel), np.float32)
        before, after = np.abs(np.diff(grey, axis=axis)), np.abs(np.diff(again, axis=axis))
        edges = before > max(6.0, float(np.percentile(before, 97)))
        total = float(before[edges].sum())
        if total > 0:
            lost = np.maximum(0.0, before - after)[edges].sum()
            values.append(1 - float(lost) / total)
    return max(values) if values else 1.0


def _glare(image: Image.Image) -> tuple[float, Box | None]:
    """The largest spot in which all three colours are burnt out, as a share of the picture, and its box."""
    import cv2

    factor = min(1.0, _LIGHT_SIDE / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    pixels = np.asarray(image.resize(size, Image.Resampling.BOX))
    burnt = np.asarray((pixels >= _BURNT).all(axis=2), np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(burnt, connectivity=8)
    if count < 2:
        return 0.0, None
    spots = stats[1:]
    x, y, width, height, area = spots[int(spots[:, 4].argmax())].tolist()
    return area / burnt.size, Box(x, y, x + width, y + height).scaled(1 / factor)
