"""Reading an analogue gauge: where the needle points, against the numerals that OCR found on the dial.

The needle's direction comes from a small head on the tower's features (`dial_encoder.onnx`); the scale is not
assumed but fitted to the printed numerals, so that any range works. What cannot be fitted is not read.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llava_agent.vlm.engines.session import open_session
from llava_agent.vlm.regions import normalise

DIAL_ENCODER = "dial_encoder.onnx"

#: Side of the crop in pixels, and how much of the surroundings it shows.
DIAL_SIZE = 128
DIAL_CONTEXT = 1.1

#: Directions that the head distinguishes, clockwise from up.
BINS = 72

#: Below this probability around the peak, there is probably no needle.
LEAST_CONFIDENCE = 0.35

_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_UNIT = re.compile(
    r"(?i)\b(bar|mbar|psi|k?pa|mpa|kg/cm2|°c|°f|ºc|c|f|%|rpm|v|a|kv|hz|m3/h|l/min|kw)\b|°[cf]|%"
)


class ReadText(Protocol):
    """A text line of the photo, as OCR gives it."""

    @property
    def text(self) -> str: ...

    @property
    def box(self) -> HasSides: ...


class HasSides(Protocol):
    """A box in pixels of the image."""

    @property
    def x0(self) -> float: ...
    @property
    def y0(self) -> float: ...
    @property
    def x1(self) -> float: ...
    @property
    def y1(self) -> float: ...


@dataclass(frozen=True, slots=True)
class DialReading:
    """A value read from a dial.

    Attributes:
        unit: as printed; empty where none was found.
        confidence: probability of the needle's direction times the share of numerals that fit one scale.
        angle: direction of the needle in radians clockwise from up.
    """

    value: float
    unit: str
    confidence: float
    angle: float

    @property
    def text(self) -> str:
        """`6.2 bar`."""
        return f"{self.value:.3g} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Needle:
    """Where a needle points.

    Attributes:
        angle: radians clockwise from up, -pi to pi.
        hub: what it turns around, in image pixels.
        confidence: probability around the peak.
    """

    angle: float
    hub: tuple[float, float]
    confidence: float


class DialReader:
    """Reads dials; ONNX Runtime and numpy only.

    Args:
        encoder: the exported dial encoder.
        threads: cores to use.

    Raises:
        WeightsError: the file is absent or damaged.
    """

    def __init__(self, encoder: Path, threads: int = 2) -> None:
        self._session = open_session(encoder, threads)

    def needle(self, image: Image.Image, box: HasSides) -> Needle:
        """Where the needle of the dial in `box` (pixels of `image`) points."""
        window = _window(box)
        crop = np.asarray(_padded(image, window).resize((DIAL_SIZE, DIAL_SIZE), Image.Resampling.BILINEAR))
        scores, hub = self._session.run(None, {self._session.get_inputs()[0].name: normalise(crop[None])})
        angle, confidence = peak(scores[0])
        side = window[2] - window[0]
        x, y = window[0] + float(hub[0, 0]) * side, window[1] + float(hub[0, 1]) * side
        return Needle(angle, (x, y), confidence)

    def read(self, image: Image.Image, box: HasSides, lines: Sequence[ReadText]) -> DialReading | None:
        """The dial's value; None where no needle or no scale can be made out."""
        needle = self.needle(image, box)
        if needle.confidence < LEAST_CONFIDENCE:
            return None
        inside = [line for line in lines if _inside(line.box, box)]
        marks = [mark for line in inside if (mark := _numeral(line, needle.hub)) is not None]
        scale = fit_scale(marks)
        if scale is None:
            return None
        value = read_scale(scale, turn(needle.angle))
        units = (_UNIT.search(unicodedata.normalize("NFKC", line.text)) for line in inside)
        unit = next((found.group(0) for found in units if found), "")
        return DialReading(value, unit, needle.confidence * len(scale) / len(marks), needle.angle)


def peak(scores: NDArray[np.float32]) -> tuple[float, float]:
    """Direction and probability of the peak of circular scores `[BINS]`.

    The direction is the mean of the best bin and two on either side, weighted by their probabilities.
    """
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    best = int(chances.argmax())
    near = np.arange(best - 2, best + 3)
    weights = chances[near % BINS]
    centre = float((near * weights).sum() / weights.sum())
    return _signed((centre + 0.5) * 2 * math.pi / BINS), float(weights.sum())


def turn(angle: float) -> float:
    """Radians clockwise from straight down, 0 to 2 pi.

    Dials have their gap at the bottom, so this grows along the scale.
    """
    return (angle - math.pi) % (2 * math.pi)


def fit_scale(marks: Sequence[tuple[float, float]]) -> list[tuple[float, float]] | None:
    """The numerals that lie on one linear scale, sorted by turn; None where fewer than two do.

    Args:
        marks: `(turn, value)` of each number on the dial; some may be misread or mean something else.
    """
    best: list[tuple[float, float]] = []
    for (t0, v0), (t1, v1) in combinations(sorted(marks), 2):
        if t1 - t0 < math.radians(12) or v1 <= v0:
            continue
        slope = (v1 - v0) / (t1 - t0)
        fits = sorted((t, v) for t, v in marks if abs(v0 + slope * (t - t0) - v) <= slope * math.radians(9))
        if len(fits) > len(best):
            best = fits
    return best if len(best) >= 2 else None


def read_scale(scale: Sequence[tuple[float, float]], at: float) -> float:
    """Value at a turn: between the two numerals around it, or along the outer pair beyond the ends."""
    turns, values = [t for t, _ in scale], [v for _, v in scale]
    right = min(max(int(np.searchsorted(turns, at)), 1), len(scale) - 1)
    t0, t1, v0, v1 = turns[right - 1], turns[right], values[right - 1], values[right]
    if t1 - t0 < math.radians(4):  # too close to extrapolate from
        t0, t1, v0, v1 = turns[0], turns[-1], values[0], values[-1]
    return v0 + (v1 - v0) * (at - t0) / (t1 - t0)


def _numeral(line: ReadText, hub: tuple[float, float]) -> tuple[float, float] | None:
    """`(turn, value)` of a line that is a number and nothing else."""
    text = line.text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    dx = (line.box.x0 + line.box.x1) / 2 - hub[0]
    dy = (line.box.y0 + line.box.y1) / 2 - hub[1]
    return turn(math.atan2(dx, -dy)), float(text.replace(",", "."))


def _window(box: HasSides) -> tuple[float, float, float, float]:
    """A square around the dial with some of its surroundings."""
    side = max(box.x1 - box.x0, box.y1 - box.y0) * DIAL_CONTEXT
    cx, cy = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return cx - side / 2, cy - side / 2, cx + side / 2, cy + side / 2


def _padded(image: Image.Image, window: tuple[float, float, float, float]) -> Image.Image:
    return image.crop((round(window[0]), round(window[1]), round(window[2]), round(window[3])))


def _inside(inner: HasSides, outer: HasSides) -> bool:
    cx, cy = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    return outer.x0 <= cx <= outer.x1 and outer.y0 <= cy <= outer.y1


def _signed(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi
