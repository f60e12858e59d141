"""The pixels of a detected line: level, turned upright, and cut where one text ends and another begins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tools.geometry import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Difference of levels inside a pixel column that is ink. A gap without ink separates two texts, a narrower
#: part is no text; both in heights of the line's box, which is about 1.5 times as high as its letters.
INK = 24
_GAP = 0.9
_SLIVER = 0.2
#: A tilt from end to end of less than this, in heights of the line's box, is an error of detection.
_LEVEL = 0.15
#: A line that is so many times as high as wide is an upright one.
_UPRIGHT = 1.5

#: Pixels `[height, width, 3]` of a line, and its corners `[4, 2]` in the image.
Part = tuple["NDArray[np.uint8]", "NDArray[np.float32]"]


def cut_out(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> Part:
    """The pixels of a line; those of a level one are not resampled, so that the same line stays the same."""
    level = _level(pixels, corners)
    return level if level is not None else (_turned(pixels, corners), corners)


def _level(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> Part | None:
    tilt = max(abs(corners[0][1] - corners[1][1]), abs(corners[3][1] - corners[2][1]))
    if tilt > max(2.0, _LEVEL * np.linalg.norm(corners[0] - corners[3])):
        return None
    if corners[0][0] >= corners[1][0] or corners[0][1] >= corners[3][1]:
        return None  # turned
    x0, x1 = int(corners[:, 0].min()), int(np.ceil(corners[:, 0].max()))
    y0, y1 = int(corners[:, 1].min()), int(np.ceil(corners[:, 1].max()))
    part = pixels[y0:y1, x0:x1]
    if part.shape[0] > _UPRIGHT * part.shape[1]:
        return None
    return part, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)


def _turned(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The quadrangle as a level rectangle; an upright line is laid down."""
    import cv2

    width = int(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[3] - corners[2])))
    height = int(max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2])))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    turn = cv2.getPerspectiveTransform(corners, target)
    part = cv2.warpPerspective(
        pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    laid = np.rot90(part) if height >= _UPRIGHT * width else part
    return np.ascontiguousarray(laid, np.uint8)


def cut(
    crop: NDArray[np.uint8], corners: NDArray[np.float32], boxes: Sequence[Box]
) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """A detected line cut at the borders of boxes, and where it is empty for longer than a space.

    Cells of a table, links of a menu, a label and the field beside it are texts of their own. On a photo the
    ground is rarely so even that a cut is made.
    """
    height, width = crop.shape[:2]
    if width < 2 * height:
        return [(crop, corners)]
    across, across_low = (corners[1] - corners[0]) / width, (corners[2] - corners[3]) / width
    cuts, marks = _borders(corners, width, height, boxes) if across[0] > 0 else ([], [])
    bounds = [0, *sorted({*cuts, *_gaps(crop)}), width]
    parts = []
    for left, right in pairwise(bounds):
        inside_mark = any(start <= (left + right) / 2 <= end for start, end in marks)
        if right - left < _SLIVER * height or inside_mark:
            continue
        quad = [corners[0] + across * left, corners[0] + across * right]
        quad += [corners[3] + across_low * right, corners[3] + across_low * left]
        parts.append((np.ascontiguousarray(crop[:, left:right]), np.stack(quad)))
    return parts


def _borders(
    corners: NDArray[np.float32], width: int, height: int, boxes: Sequence[Box]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Columns of the crop where a box begins or ends, and the extent of those no taller than the line.

    The latter are check marks and icons, whose pixels are no text.
    """
    left, right = float(corners[0][0]), float(corners[1][0])
    middle = float(corners[:, 1].mean())
    cuts: list[int] = []
    marks: list[tuple[int, int]] = []
    for box in boxes:
        if not (box.y0 < middle < box.y1 and box.x0 < right and box.x1 > left):
            continue
        start, end = (round((x - left) / (right - left) * width) for x in (box.x0, box.x1))
        if box.width <= 1.6 * height and box.height <= 1.6 * height:
            marks.append((start, end))
        cuts += [at for at in (start, end) if 0 < at < width]
    return cuts, marks


def _gaps(crop: NDArray[np.uint8]) -> list[int]:
    """The middles of stretches of columns without ink that are longer than a space."""
    height = crop.shape[0]
    inner = crop[round(height * 0.15) : round(height * 0.85)].astype(np.int16)
    inked = (inner.max(axis=0) - inner.min(axis=0)).max(axis=1) > INK
    edges = np.flatnonzero(np.diff(np.concatenate(([False], inked, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    return [
        int(end + start) // 2
        for end, start in zip(ends[:-1], starts[1:], strict=True)
        if start - end > _GAP * height
    ]
