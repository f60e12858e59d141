"""Text lines of an image, read by PP-OCR through RapidOCR on ONNX Runtime.

Three choices make it fast enough to run at every step of an agent:

* One shared engine, made at the first use, from the models inside RapidOCR's wheel. Detection runs on several
  threads of the runtime. Recognition does not gain from them (its convolutions are small: two threads took
  twice the processor time of one, and as long), so each line is read on one thread, several lines at a time,
  which took 0.55 of the time on two cores.
* Recognition, not detection, is the larger cost (20 ms a line), and most lines of a page stay the same from
  one step to the next: recognised lines are cached by the pixels of their crop, whole images by theirs.
* A screenshot is read at its own size; only a photo is enlarged first (`min_side`), which found one more of
  sixteen small prints on real photos and took three times as long to detect.

There is no angle classifier: a line that reads badly is tried upside down, and the others cost nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from PIL import Image

from llava_agent.errors import ToolError
from tools.geometry import Box
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
#: Difference of levels inside a pixel column that is ink. A gap without ink separates two texts, a narrower
#: part is no text; both in heights of the line's box, which is about 1.5 times as high as its letters.
_INK = 24
_GAP = 0.9
_SLIVER = 0.2
#: A tilt from end to end of less than this, in heights of the line's box, is an error of detection.
_LEVEL = 0.15
_MODELS = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Engine:
    """What finds lines, what reads them, the threads that do, and the error for an image without text."""

    detector: Any
    recogniser: Any
    threads: ThreadPoolExecutor
    no_text: type[Exception]


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
    record: dict[str, Any] = {}
    try:
        crops, found = engine.detector.detect_and_crop(pixels, record)
    except engine.no_text:
        return []
    top = record["padding_1"]["top"]
    placed = [
        Box(box.x0, box.y0 + top / factor, box.x1, box.y1 + top / factor).scaled(factor) for box in boxes
    ]
    parts = [
        part
        for crop, corners in zip(crops, found.boxes, strict=True)
        for part in _cut(*_level(pixels, crop, corners, top), placed)
    ]
    texts = _recognise(engine, [crop for crop, _ in parts])
    lines = []
    for (_, corners), (text, score) in zip(parts, texts, strict=True):
        if score >= MIN_SCORE and text.strip():
            lines.append(_line(corners, text.strip(), score, top, factor, image.size))
    return [lines[index] for index in by_rows([line.box for line in lines])]


def _level(
    pixels: NDArray[np.uint8], crop: NDArray[np.uint8], corners: NDArray[np.float32], top: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A level line is cut from the image as it is, not resampled: the same line stays the same pixels."""
    tilt = max(abs(corners[0][1] - corners[1][1]), abs(corners[3][1] - corners[2][1]))
    if tilt > max(2.0, _LEVEL * crop.shape[0]):
        return crop, corners
    if corners[0][0] >= corners[1][0] or corners[0][1] >= corners[3][1]:
        return crop, corners  # turned
    x0, x1 = int(corners[:, 0].min()), int(np.ceil(corners[:, 0].max()))
    y0, y1 = int(corners[:, 1].min()), int(np.ceil(corners[:, 1].max()))
    level = pixels[max(0, y0 - top) : max(0, y1 - top), max(0, x0) : x1]
    if level.shape[0] < 4 or level.shape[1] < 4 or level.shape[0] > 1.5 * level.shape[1]:
        return crop, corners  # at the padding, or an upright line, which was turned
    return level, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)


def _cut(
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
    inked = (inner.max(axis=0) - inner.min(axis=0)).max(axis=1) > _INK
    edges = np.flatnonzero(np.diff(np.concatenate(([False], inked, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    return [
        int(end + start) // 2
        for end, start in zip(ends[:-1], starts[1:], strict=True)
        if start - end > _GAP * height
    ]


def _factor(width: int, height: int, min_side: int) -> float:
    """Enlargement (above 1) or reduction (below 1) before detection."""
    factor = min(max(1.0, min_side / min(width, height)), 3.0)
    return min(factor, MAX_SIDE / max(width, height))


def _line(
    corners: NDArray[np.float32], text: str, score: float, top: int, factor: float, size: tuple[int, int]
) -> OcrLine:
    xs = [min(max(float(x) / factor, 0.0), size[0]) for x, _ in corners]
    ys = [min(max((float(y) - top) / factor, 0.0), size[1]) for _, y in corners]
    quad = ((xs[0], ys[0]), (xs[1], ys[1]), (xs[2], ys[2]), (xs[3], ys[3]))
    return OcrLine(text, Box(min(xs), min(ys), max(xs), max(ys)), score, quad)


def _recognise(engine: _Engine, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
    """Text and score of each crop, from the cache where the same pixels were read before."""
    keys = [_key(crop) for crop in crops]
    known = {key: _crops.get(key) for key in keys}
    fresh = {key: crop for key, crop in zip(keys, crops, strict=True) if known[key] is None}
    if fresh:
        read = _run(engine, list(fresh.values()))
        doubtful = [at for at, (_, score) in enumerate(read) if score < DOUBTFUL]
        if doubtful:
            turned = [np.ascontiguousarray(list(fresh.values())[at][::-1, ::-1]) for at in doubtful]
            for at, other in zip(doubtful, _run(engine, turned), strict=True):
                read[at] = max(read[at], other, key=lambda pair: pair[1])
        for key, pair in zip(fresh, read, strict=True):
            known[key] = pair
            _crops.put(key, pair)
    return [known[key] or ("", 0.0) for key in keys]


def _key(crop: NDArray[np.uint8]) -> str:
    """Hash of the inked part: detection places the same line a pixel higher or wider from time to time."""
    ground = np.median(crop.reshape(-1, 3), axis=0)
    ink = np.abs(crop.astype(np.int16) - ground).max(axis=2) > _INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    part = crop[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else crop
    return hashlib.sha256(f"{part.shape} {ground}".encode() + part.tobytes()).hexdigest()


def _run(engine: _Engine, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
    """One at a time: in a batch a line is padded to the widest, and its neighbours decide how it is read."""

    def read(crop: NDArray[np.uint8]) -> tuple[str, float]:
        result = engine.recogniser.recognize_txt([crop])
        return str(result.txts[0]), float(result.scores[0])

    return list(engine.threads.map(read, crops))


def _engine() -> _Engine:
    global _shared
    if _shared is None:
        _shared = _load()
    return _shared


def _load() -> _Engine:
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ToolError("the package rapidocr is not installed", "run `pip install rapidocr`")
    folder = Path(spec.origin).parent / "models"
    # Paths are given and checked here because RapidOCR downloads a model that it does not find.
    missing = [name for name in _MODELS.values() if not (folder / name).is_file()]
    if missing:
        raise ToolError(
            f"the installed rapidocr has no model {missing[0]}",
            "run `pip install --force-reinstall rapidocr`",
        )
    logging.getLogger("RapidOCR").disabled = True
    from rapidocr import RapidOCR
    from rapidocr.main import RapidOCRError

    # Each loads the one model that it is asked for.
    return _Engine(
        detector=RapidOCR(params=_settings(folder, THREADS)),
        recogniser=RapidOCR(params=_settings(folder, 1)),
        threads=ThreadPoolExecutor(THREADS, thread_name_prefix="ocr"),
        no_text=RapidOCRError,
    )


def _settings(models: Path, threads: int) -> dict[str, Any]:
    return {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Det.model_path": str(models / _MODELS["Det"]),
        "Det.use_dilation": False,  # it joins neighbouring lines and columns
        "Det.limit_side_len": 32,  # the size is decided in _factor
        "Rec.model_path": str(models / _MODELS["Rec"]),
        "Rec.rec_img_shape": [3, 48, 96],  # narrow minimum: a short label is not padded to 320 pixels
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
    }
