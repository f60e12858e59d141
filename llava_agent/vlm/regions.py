"""Crops of marked regions: what the tower looks at for one region token. PIL and numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Side of a crop in pixels. Measured on rendered pages: 96 is enough for icons, at 133 crops/s on two cores.
CROP_SIZE = 96

#: How much of the surroundings a crop shows, as a factor on the box.
CONTEXT = 1.3

#: A crop is squeezed at most by this ratio; the shorter side of a longer box gets more surroundings instead.
MAX_SQUEEZE = 2.0

#: ImageNet statistics of the trunk's pre-training (RGB, 0 to 1).
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)

#: Number of values that `geometry` gives for a region.
GEOMETRY_SIZE = 6


def crop_window(box: Sequence[float]) -> tuple[float, float, float, float]:
    """The part of the image that the crop of `box` shows, in image pixels; may reach over the edge."""
    x0, y0, x1, y1 = box
    width, height = max(x1 - x0, 1.0) * CONTEXT, max(y1 - y0, 1.0) * CONTEXT
    longer = max(width, height)
    width, height = max(width, longer / MAX_SQUEEZE), max(height, longer / MAX_SQUEEZE)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def crop_regions(
    image: Image.Image, boxes: Sequence[Sequence[float]], size: int = CROP_SIZE
) -> NDArray[np.uint8]:
    """RGB crops `[N, size, size, 3]` of `boxes` in pixels of `image`; its edge goes on beyond it."""
    crops = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
    for index, box in enumerate(boxes):
        crops[index] = np.asarray(_crop(image, crop_window(box), size))
    return crops


def _crop(image: Image.Image, window: tuple[float, float, float, float], size: int) -> Image.Image:
    """The window resized to a square; where it reaches over the edge, the edge's pixels are repeated."""
    x0, y0, x1, y1 = window
    width, height = image.size
    if x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
        return image.resize((size, size), Image.Resampling.BILINEAR, box=window, reducing_gap=2.0)
    left, top, right, bottom = int(np.floor(x0)), int(np.floor(y0)), int(np.ceil(x1)), int(np.ceil(y1))
    xs = np.clip(np.arange(left, right), 0, width - 1)
    ys = np.clip(np.arange(top, bottom), 0, height - 1)
    inner = image.crop((int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1))
    pixels = np.asarray(inner)[ys - ys[0]][:, xs - xs[0]]
    shifted = (x0 - left, y0 - top, x1 - left, y1 - top)
    return Image.fromarray(pixels).resize(
        (size, size), Image.Resampling.BILINEAR, box=shifted, reducing_gap=2.0
    )


def normalise(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """`[N, H, W, 3]` bytes to `[N, 3, H, W]` floats as the trunk expects."""
    scaled = (crops.astype(np.float32) / 255.0 - MEAN) / STD
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def geometry(boxes: Sequence[Sequence[float]], image_size: tuple[int, int]) -> NDArray[np.float32]:
    """`[N, 6]`: centre, width, height as fractions of the image, log of the area's root, log of the aspect.

    A crop cannot show how large a region is or where it lies; these numbers can.
    """
    width, height = image_size
    rows = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    w, h = np.maximum(rows[:, 2] - rows[:, 0], 1), np.maximum(rows[:, 3] - rows[:, 1], 1)
    columns = [
        (rows[:, 0] + rows[:, 2]) / (2 * width) - 0.5,
        (rows[:, 1] + rows[:, 3]) / (2 * height) - 0.5,
        w / width,
        h / height,
        np.log(np.sqrt(w * h) / np.sqrt(width * height)) + 3.0,
        np.log(w / h),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
