"""Where lines of text are: differentiable binarization (Liao et al., 2020, arXiv:1911.08947)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tools.ocr.models import DETECTION, open_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A pixel of the probability map above this belongs to a line.
_THRESHOLD = 0.3
#: A line whose mean probability is lower is none.
_BOX_THRESHOLD = 0.5
#: The map shows the shrunk core of a line: it grows by this times its area over its perimeter.
_UNCLIP = 1.6
#: Smallest side of a core in pixels of the map, and of a line in pixels of the image.
_SMALLEST, _SMALLEST_LINE = 3, 4
#: The network takes sides that are multiples of this.
_STRIDE = 32
#: A strip is read with margins: the network needs some height.
_FLATTEST, _LOWEST = 8, 30


class Detector:
    """Finds lines of text. May be used from several threads at once."""

    def __init__(self, threads: int) -> None:
        self._session = open_model(DETECTION, threads)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """The corners `[4, 2]` of each line, clockwise from its top left, in pixels of `pixels`.

        Args:
            pixels: `[height, width, 3]`, BGR.
        """
        import cv2

        height, width = pixels.shape[:2]
        margin = _margin(height, width)
        if margin:
            padded = cv2.copyMakeBorder(pixels, margin, margin, 0, 0, cv2.BORDER_CONSTANT)
            pixels = np.asarray(padded, np.uint8)
        grown = max(1.0, _STRIDE / min(pixels.shape[:2]))
        size = [round(int(side * grown) / _STRIDE) * _STRIDE for side in (pixels.shape[1], pixels.shape[0])]
        inputs = cv2.dnn.blobFromImage(cv2.resize(pixels, size), 1 / 127.5, mean=(127.5, 127.5, 127.5))
        found = _lines(self._session.run(None, {self._input: inputs})[0][0, 0])
        scale = np.array([pixels.shape[1] / size[0], pixels.shape[0] / size[1]])
        lines = [np.rint(corners * scale) - (0, margin) for corners in found]
        lines = [corners.clip(0, (width - 1, height - 1)).astype(np.float32) for corners in lines]
        return [corners for corners in lines if min(_sides(corners)) >= _SMALLEST_LINE]


def _margin(height: int, width: int) -> int:
    """Rows to add above and below: an image is at least `_LOWEST` rows high and no flatter than 1 to 8."""
    if height > _LOWEST and width <= _FLATTEST * height:
        return 0
    return abs(2 * max(width // _FLATTEST, _LOWEST) - height) // 2


def _lines(probability: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The corners of each line on the probability map `[height, width]`, in its pixels."""
    import cv2

    mask = (probability > _THRESHOLD).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < _SMALLEST:
            continue
        core = _clockwise(cv2.boxPoints(rectangle))
        if _mean_inside(probability, core) >= _BOX_THRESHOLD:
            lines.append(_grown(core))
    return lines


def _mean_inside(probability: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    import cv2

    height, width = probability.shape
    x0, y0 = np.floor(corners.min(axis=0)).astype(int).clip(0, [width - 1, height - 1])
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int).clip(0, [width - 1, height - 1])
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - [x0, y0]).astype(np.int32)], 1)
    return float(cv2.mean(probability[y0 : y1 + 1, x0 : x1 + 1], mask)[0])


def _grown(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rectangle with each side moved outwards by the same distance."""
    width, height = _sides(corners)
    distance = _UNCLIP * width * height / (2 * (width + height))
    along, down = (corners[1] - corners[0]) / width, (corners[3] - corners[0]) / height
    out = np.stack((-along - down, along - down, along + down, down - along))
    return np.asarray(np.rint(corners + distance * out), np.float32)


def _sides(corners: NDArray[np.float32]) -> tuple[float, float]:
    return float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[3] - corners[0]))


def _clockwise(points: NDArray[Any]) -> NDArray[np.float32]:
    """Four corners in the order top left, top right, bottom right, bottom left."""
    by_x = points[np.argsort(points[:, 0], kind="stable")]
    left, right = (pair[np.argsort(pair[:, 1], kind="stable")] for pair in (by_x[:2], by_x[2:]))
    return np.stack((left[0], right[0], right[1], left[1])).astype(np.float32)
