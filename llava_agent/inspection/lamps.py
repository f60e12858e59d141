"""Signal lamps: found by the word on their label, and whether they are lit, by how bright their glass is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.finding import Line
from llava_agent.inspection.units import plain
from tools.geometry import Box
from tools.mark import Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

#: What labels of lamps that warn say, and of others.
_WARNING = (
    "alarm,fault,trip,tripped,overload,error,failure,fail,warning,high temp,low oil,low level,high level,"
    "high pressure,low pressure,overheat,emergency,störung"
)
WARNING = frozenset(_WARNING.split(","))
#: Not `on` and `auto`: those are positions of switches far more often.
_OTHER = "run,running,ready,ok,power,supply,mains,remote,service,standby"
OTHER = frozenset(_OTHER.split(","))
#: Brightness of the glass against the brightest of its surroundings, above which a lamp is lit and below
#: which it is not; between the two nothing is said.
LIT, UNLIT = 0.86, 0.66
#: A lamp is this much as wide as its label.
_LEAST, _MOST = 0.5, 2.2


@dataclass(frozen=True, slots=True)
class _Glass:
    """The glass of a lamp: how bright against its surroundings, and its colour."""

    ratio: float
    colour: str


def read_lamps(
    image: Image.Image, marks: Sequence[Mark], used: Sequence[Box], sha256: str
) -> tuple[Line, ...]:
    """A line for each labelled lamp whose state can be told.

    Args:
        used: boxes of plate fields; `supply` on a plate names no lamp.
    """
    discs = [mark.box for mark in marks if mark.role == "region" and mark.box]
    lines = []
    for mark in marks:
        words = re.sub(r"[^a-zäöü ]", "", plain(mark.text).lower()).strip()
        if mark.role != "text" or mark.box is None or words not in WARNING | OTHER:
            continue
        if any(mark.box.iou(box) > 0.5 for box in used):
            continue
        lamp = _lamp_of(image, mark.box, discs)
        if lamp is None:
            continue
        glass = _glass(image, lamp)
        if UNLIT < glass.ratio < LIT:
            continue
        lit = glass.ratio >= LIT
        sure = min(1.0, abs(glass.ratio - (LIT + UNLIT) / 2) / 0.2)
        x0, y0, x1, y1 = lamp.as_list()
        lines.append(
            Line(
                kind="lamp",
                key=f"lamp_{words.replace(' ', '_')}",
                name=f"Lamp {plain(mark.text).upper()}",
                value=f"lit ({glass.colour})" if lit else "not lit",
                confidence=mark.score * (0.6 + 0.35 * sure),
                evidence=(Evidence(sha256, (x0, y0, x1, y1), plain(mark.text), "pixels"),),
            )
        )
    return tuple(lines)


def warns(line: Line) -> bool:
    """Whether a lamp of the table is lit and its label is a warning."""
    return line.kind == "lamp" and line.value.startswith("lit") and _words(line) in WARNING


def _words(line: Line) -> str:
    return line.key.removeprefix("lamp_").replace("_", " ")


def _lamp_of(image: Image.Image, label: Box, discs: Sequence[Box]) -> Box | None:
    """The round part right above or below a label: one that was found, else one looked for there."""
    for disc in discs:
        beside = abs(disc.centre[0] - label.centre[0]) < 0.5 * max(disc.width, label.width)
        gap = max(disc.y0 - label.y1, label.y0 - disc.y1)
        fits = _LEAST * label.height * 1.5 <= disc.width <= _MOST * max(label.width, 2 * label.height)
        if beside and fits and -0.3 * disc.height < gap < 0.8 * disc.height:
            return disc
    for above in (True, False):
        found = _circle_at(image, label, above=above)
        if found is not None:
            return found
    return None


def _circle_at(image: Image.Image, label: Box, *, above: bool) -> Box | None:
    """A circle in the square above (or below) a label."""
    import cv2

    side = min(max(1.6 * label.width, 4.0 * label.height), 9 * label.height)
    cx = label.centre[0]
    y0, y1 = (label.y0 - side, label.y0 + 0.1 * label.height) if above else (label.y1, label.y1 + side)
    area = Box(cx - side / 2, y0, cx + side / 2, y1).clipped(image.width, image.height)
    if area.width < 12 or area.height < 12:
        return None
    crop = image.crop((round(area.x0), round(area.y0), round(area.x1), round(area.y1))).convert("L")
    factor = 96 / max(crop.size)
    grey = np.asarray(crop.resize((max(1, round(crop.width * factor)), max(1, round(crop.height * factor)))))
    grey = cv2.medianBlur(np.ascontiguousarray(grey), 3)
    circles = cv2.HoughCircles(
        grey, cv2.HOUGH_GRADIENT, 1.2, 30, param1=120, param2=26, minRadius=14, maxRadius=48
    )
    if circles is None:
        return None
    x, y, radius = np.asarray(circles).reshape(-1, 3)[0].tolist()
    near = abs(x - grey.shape[1] / 2) < 0.22 * grey.shape[1]
    if not near:
        return None
    found = Box(x - radius, y - radius, x + radius, y + radius).scaled(1 / factor)
    return Box(found.x0 + area.x0, found.y0 + area.y0, found.x1 + area.x0, found.y1 + area.y0).clipped(
        image.width, image.height
    )


def _glass(image: Image.Image, lamp: Box) -> _Glass:
    inner = _pixels(image, lamp.grown(0.5))
    around = _pixels(image, lamp.grown(2.4))
    bright = float(np.median(inner.max(axis=2)))
    reference = max(float(np.percentile(around.max(axis=2), 97)), 1.0)
    return _Glass(bright / reference, _colour(inner))


def _pixels(image: Image.Image, box: Box) -> NDArray[np.float32]:
    inside = box.clipped(image.width, image.height)
    corners = (round(inside.x0), round(inside.y0), max(round(inside.x1), round(inside.x0) + 1), 0)
    return np.asarray(
        image.crop((*corners[:3], max(round(inside.y1), round(inside.y0) + 1))).convert("RGB"), np.float32
    )


def _colour(pixels: NDArray[np.float32]) -> str:
    """The colour of the ring of the glass: the middle of a bright lamp is white in every photo."""
    import colorsys

    flat = pixels.reshape(-1, 3)
    spread = flat.max(axis=1) - flat.min(axis=1)
    strong = flat[spread >= np.percentile(spread, 70)].mean(axis=0) / 255
    hue, saturation, _ = colorsys.rgb_to_hsv(*strong.tolist())
    if saturation < 0.22:
        return "white"
    for end, name in ((0.045, "red"), (0.18, "yellow"), (0.47, "green"), (0.72, "blue"), (1.01, "red")):
        if hue < end:
            return name
    return "red"
