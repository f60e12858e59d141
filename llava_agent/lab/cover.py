"""Takes a region away: its pixels from the image, its words from the marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from tools.geometry import Box
from tools.mark import Mark
from tools.photo import Photo, pixel_sha256

#: Pixels around a box that are covered too: letters and needles reach over their boxes.
_EDGE = 2


def covered(image: Image.Image, boxes: Iterable[Box]) -> Image.Image:
    """A copy whose boxes are filled with the median colour around them, so that no new thing appears."""
    copy = image.copy()
    pen = ImageDraw.Draw(copy)
    for box in boxes:
        x0, y0 = max(0, int(box.x0) - _EDGE), max(0, int(box.y0) - _EDGE)
        x1, y1 = min(image.width, int(box.x1) + _EDGE), min(image.height, int(box.y1) + _EDGE)
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), fill=_around(image, x0, y0, x1, y1))
    return copy


def covered_photo(photo: Photo, boxes: Iterable[Box]) -> Photo:
    """The photo as if these regions had never been on it; detectors find what is left."""
    image = covered(photo.image, boxes)
    return replace(photo, image=image, sha256=pixel_sha256(image))


def wordless(marks: Sequence[Mark], which: Iterable[int]) -> list[Mark]:
    """The marks, of which some keep their place but lose words and value."""
    gone = set(which)
    return [replace(mark, text="", value=None) if at in gone else mark for at, mark in enumerate(marks)]


def _around(image: Image.Image, x0: int, y0: int, x1: int, y1: int) -> tuple[int, int, int]:
    """Median colour of the frame of 4 pixels around a box."""
    outer = np.asarray(image.crop((max(0, x0 - 4), max(0, y0 - 4), x1 + 4, y1 + 4)).convert("RGB"))
    inside = np.zeros(outer.shape[:2], dtype=bool)
    top, left = min(4, y0), min(4, x0)
    inside[top : top + y1 - y0, left : left + x1 - x0] = True
    frame = outer[~inside]
    red, green, blue = np.median(frame if len(frame) else outer.reshape(-1, 3), axis=0)
    return int(red), int(green), int(blue)
