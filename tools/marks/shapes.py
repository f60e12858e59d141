"""Shapes in a screenshot that look like controls, from edges alone (OpenCV)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from tools.geometry import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Sides in pixels of what can be a check mark, a radio or a small icon.
SMALL = (9, 26)
#: Heights of fields and buttons, and of fields with several lines.
_BAR = (14, 80)
_AREA = 240
#: Part of each side of a rectangle along which there must be an edge (corners may be round).
_SIDE = 0.72
_ICON = (10, 72)
#: Letters of a word are closer together than this many pixels; a check mark is farther from its label.
_NEAR = 4
#: More components than this are a picture, not a page.
_MOST = 400

Kind = Literal["bar", "area", "small", "icon"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A rectangle (`bar` of one line, `area` of several), a `small` square or ring, or an `icon`."""

    box: Box
    kind: Kind


def find_shapes(image: Image.Image) -> list[Shape]:
    """Rectangles and small squares or rings with an outline; a container of other rectangles is left out."""
    import cv2

    edges = _edges(image)
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    found: list[Shape] = []
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        kind = _kind(width, height, image.width)
        if kind is None:
            continue
        framed = _framed(edges, x, y, width, height)
        if kind == "small":
            framed = (framed or _round(np.asarray(contour, np.int32), width, height)) and _alone(
                edges, x, y, width, height
            )
        if framed:
            found.append(Shape(Box(x, y, x + width, y + height), kind))
    return _outermost(found)


def find_icons(image: Image.Image, taken: list[Box]) -> list[Box]:
    """Compact drawings that lie in none of the boxes `taken` (text lines, rectangles)."""
    import cv2

    edges = cv2.dilate(_edges(image), np.ones((3, 3), np.uint8))
    for box in taken:
        x0, y0, x1, y1 = box.clipped(image.width, image.height).as_list()
        edges[y0:y1, x0:x1] = 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
    low, high = _ICON
    icons = []
    for left, top, width, height, area in stats[1:count].tolist():
        fits = low <= width <= high and low <= height <= high and 0.4 < width / height < 2.6
        if fits and area >= 0.2 * width * height:
            icons.append(Box(left + 1, top + 1, left + width - 1, top + height - 1))
    return icons if len(icons) <= _MOST else []


def _edges(image: Image.Image) -> NDArray[np.uint8]:
    """Edges of any of the three channels; faint ones count, for fields are often drawn in light grey."""
    import cv2

    pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    found: NDArray[np.uint8] = np.zeros(pixels.shape[:2], np.uint8)
    for channel in range(3):
        edges = cv2.Canny(np.ascontiguousarray(pixels[:, :, channel]), 12, 40)
        found |= np.asarray(edges, np.uint8)
    return found


def _kind(width: int, height: int, page: int) -> Kind | None:
    low, high = SMALL
    if low <= width <= high and low <= height <= high and abs(width - height) <= 2:
        return "small"
    if not (20 <= width <= 0.97 * page):
        return None
    if _BAR[0] <= height <= _BAR[1] and width >= 0.9 * height:
        return "bar"
    return "area" if _BAR[1] < height <= _AREA and width >= 1.2 * height else None


def _framed(edges: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> bool:
    """Edges run along all four sides of the rectangle, except where its corners are round."""
    inset_x, inset_y = max(1, min(width // 5, height // 4)), max(1, height // 4)
    top = edges[y : y + 2, x + inset_x : x + width - inset_x]
    bottom = edges[y + height - 2 : y + height, x + inset_x : x + width - inset_x]
    left = edges[y + inset_y : y + height - inset_y, x : x + 2]
    right = edges[y + inset_y : y + height - inset_y, x + width - 2 : x + width]
    across = min(float(side.any(axis=0).mean()) for side in (top, bottom))
    down = min(float(side.any(axis=1).mean()) for side in (left, right))
    return across >= _SIDE and down >= _SIDE


def _round(contour: NDArray[np.int32], width: int, height: int) -> bool:
    """A ring: all its points lie at one distance from the middle."""
    points = contour[:, 0, :].astype(np.float32)
    if len(points) < 16 or abs(width - height) > 1:
        return False
    centre = points.min(axis=0) + (np.array([width, height], np.float32) - 1) / 2
    distance = np.linalg.norm(points - centre, axis=1)
    return bool(distance.std() < 0.06 * width and distance.mean() > 0.42 * width)


def _alone(edges: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> bool:
    """Nothing stands close to its left or right: a check mark or radio, not a letter in a word."""
    rows = slice(y + height // 5, y + height - height // 5)
    left, right = (
        edges[rows, max(0, x - _NEAR) : max(0, x - 1)],
        edges[rows, x + width + 1 : x + width + _NEAR],
    )
    return not (left.any() or right.any())


def _outermost(found: list[Shape]) -> list[Shape]:
    """One shape for the two edges of one border, and no container of other rectangles."""
    kept: list[Shape] = []
    for shape in sorted(found, key=lambda shape: -shape.box.area):
        twin = any(shape.box.iou(other.box) > 0.55 for other in kept)
        dot = shape.kind == "small" and any(
            other.kind == "small" and _inside(shape.box, other.box) for other in kept
        )
        if not (twin or dot):
            kept.append(shape)
    return [
        shape
        for shape in kept
        if sum(_inside(other.box, shape.box) for other in kept if other.kind != "small") <= 1
        or shape.kind == "small"
    ]


def _inside(inner: Box, outer: Box) -> bool:
    """Nine tenths of one box lie in the other (a box lies in itself)."""
    return inner.intersection(outer) >= 0.9 * inner.area
