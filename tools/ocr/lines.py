"""Reading the text of a screenshot or photo.

Three choices make it fast enough to run at every step of an agent:

* One shared engine, made at the first use. Its detector runs on several threads; lines are read side by side.
* Recognition, not detection, is the larger cost (20 ms a line), and most lines of a page stay the same from
  one step to the next: recognised lines are cached by the pixels of their crop, whole images by theirs.
* A screenshot is read at its own size; only a photo is enlarged first (`min_side`), which found one more of
  sixteen small prints on real photos and took three times as long to detect.

There is no angle classifier: a line that reads badly is tried upside down, and the others cost nothing.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from PIL import Image

from tools.geometry import Box
from tools.ocr.crop import INK, cut, cut_out
from tools.ocr.detect import Detector
from tools.ocr.recognise import Recogniser
from tools.photo import pixel_sha256
from tools.reading_order import by_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Shorter side in pixels to which an image is enlarged before detection.
SCREEN_MIN_SIDE = 320
PHOTO_MIN_SIDE = 736
#: Longer side in pixels to which it is reduced.
MAX_SIDE = 2000
#: Lines with a lower recognition score are noise.
MIN_SCORE = 0.5
#: Below this score a line is tried upside down.
DOUBTFUL = 0.9
THREADS = min(4, len(os.sched_getaffinity(0)))

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Engine:
    detect: Detector
    recognise: Recogniser


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line of text.

    Attributes:
        text: as recognised.
        box: axis-aligned hull of `quad`, in pixels of the image.
        score: recognition confidence, 0 to 1.
        quad: the corners clockwise from the line's own top left (a slanted line has a slanted quad).
    """

    text: str
    box: Box
    score: float
    quad: Quad


class _Recent(Generic[_Value]):
    """A mapping that keeps the `size` entries used last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[str, _Value] = OrderedDict()

    def get(self, key: str) -> _Value | None:
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: str, value: _Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)


# Guards the engine (its sessions are shared) and both caches.
_lock = threading.Lock()
_shared: _Engine | None = None
_images: _Recent[tuple[OcrLine, ...]] = _Recent(64)
_crops: _Recent[tuple[str, float]] = _Recent(8192)


def read_lines(
    image: Image.Image, *, min_side: int = SCREEN_MIN_SIDE, boxes: Sequence[Box] = ()
) -> list[OcrLine]:
    """Lines of text in reading order (rows from the top, each from the left).

    Args:
        image: RGB.
        min_side: the image is enlarged (at most three times) until its shorter side has that many pixels;
            `SCREEN_MIN_SIDE` for screenshots, `PHOTO_MIN_SIDE` for photos.
        boxes: of controls; no line crosses the left or right border of one.

    Raises:
        ToolError: RapidOCR or its models are not installed.
    """
    image = image if image.mode == "RGB" else image.convert("RGB")
    key = f"{pixel_sha256(image)} {min_side} {[box.as_list() for box in boxes]}"
    with _lock:
        lines = _images.get(key)
        if lines is None:
            lines = tuple(_read(image, min_side, boxes))
            _images.put(key, lines)
    return list(lines)


def _read(image: Image.Image, min_side: int, boxes: Sequence[Box]) -> list[OcrLine]:
    engine = _engine()
    factor = _factor(image.width, image.height, min_side)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    scaled = image if factor == 1 else image.resize(size, Image.Resampling.BICUBIC)
    pixels = np.ascontiguousarray(np.asarray(scaled)[:, :, ::-1])  # the models were trained on BGR
    placed = [box.scaled(factor) for box in boxes]
    parts = [part for corners in engine.detect(pixels) for part in cut(*cut_out(pixels, corners), placed)]
    texts = _recognise(engine.recognise, [crop for crop, _ in parts])
    lines = []
    for (_, corners), (text, score) in zip(parts, texts, strict=True):
        if score >= MIN_SCORE and text.strip():
            lines.append(_line(corners, text.strip(), score, factor, image.size))
    return [lines[index] for index in by_rows([line.box for line in lines])]


def _factor(width: int, height: int, min_side: int) -> float:
    """Enlargement (above 1) or reduction (below 1) before detection."""
    factor = min(max(1.0, min_side / min(width, height)), 3.0)
    return min(factor, MAX_SIDE / max(width, height))


def _line(
    corners: NDArray[np.float32], text: str, score: float, factor: float, size: tuple[int, int]
) -> OcrLine:
    xs = [min(max(float(x) / factor, 0.0), size[0]) for x, _ in corners]
    ys = [min(max(float(y) / factor, 0.0), size[1]) for _, y in corners]
    quad = ((xs[0], ys[0]), (xs[1], ys[1]), (xs[2], ys[2]), (xs[3], ys[3]))
    return OcrLine(text, Box(min(xs), min(ys), max(xs), max(ys)), score, quad)


def _recognise(read: Recogniser, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
    """Text and score of each crop, from the cache where the same pixels were read before."""
    keys = [_key(crop) for crop in crops]
    known = {key: _crops.get(key) for key in keys}
    fresh = {key: crop for key, crop in zip(keys, crops, strict=True) if known[key] is None}
    if fresh:
        texts = read(list(fresh.values()))
        doubtful = [at for at, (_, score) in enumerate(texts) if score < DOUBTFUL]
        turned = [np.ascontiguousarray(list(fresh.values())[at][::-1, ::-1]) for at in doubtful]
        for at, other in zip(doubtful, read(turned), strict=True):
            texts[at] = max(texts[at], other, key=lambda pair: pair[1])
        for key, pair in zip(fresh, texts, strict=True):
            known[key] = pair
            _crops.put(key, pair)
    return [known[key] or ("", 0.0) for key in keys]


def _key(crop: NDArray[np.uint8]) -> str:
    """Hash of the inked part: detection places the same line a pixel higher or wider from time to time."""
    ground = np.median(crop.reshape(-1, 3), axis=0)
    ink = np.abs(crop.astype(np.int16) - ground).max(axis=2) > INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    part = crop[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else crop
    return hashlib.sha256(f"{part.shape} {ground}".encode() + part.tobytes()).hexdigest()


def _engine() -> _Engine:
    global _shared
    if _shared is None:
        _shared = _Engine(Detector(THREADS), Recogniser(THREADS))
    return _shared
