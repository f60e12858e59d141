"""From an RGB image to normalised pixel batches. Needs numpy and Pillow only; every engine shares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llava_agent.errors import ConfigError, ImageError
from llava_agent.vlm.vision.geometry import Grid, ImageMap, View

#: `pad`: longest side fits, the rest is padding (nothing is lost; the default). `stretch`: each side fits,
#: the aspect ratio is lost. `crop`: shortest side fits, the middle is kept (what CLIP was trained with; edges
#: are lost). `tiles`: the whole image as in `pad`, then tiles at higher resolution.
ResizeMode = Literal["pad", "stretch", "crop", "tiles"]

Triple = tuple[float, float, float]

CLIP_MEAN: Triple = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Triple = (0.26862954, 0.26130258, 0.27577711)
HALF: Triple = (0.5, 0.5, 0.5)
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How an image becomes the tower's input.

    Attributes:
        size: side of the square canvas in pixels.
        mode: see `ResizeMode`.
        mean, std: normalisation of RGB values in 0 to 1.
        interpolation: `bicubic` or `bilinear`, both with antialiasing when shrinking.
        max_tiles: most tiles beside the whole image (`tiles` only).
    """

    size: int
    mode: ResizeMode = "pad"
    mean: Triple = CLIP_MEAN
    std: Triple = CLIP_STD
    interpolation: str = "bicubic"
    max_tiles: int = 6

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"image size must be positive, got {self.size}")
        if self.mode not in ("pad", "stretch", "crop", "tiles"):
            raise ConfigError(f"resize mode {self.mode!r} is unknown", "use pad, stretch, crop or tiles")
        if self.interpolation not in _FILTERS:
            raise ConfigError(f"interpolation {self.interpolation!r} is unknown", "use bicubic or bilinear")
        if self.max_tiles < 1:
            raise ConfigError(f"max_tiles must be 1 or more, got {self.max_tiles}")

    def views(self, width: int, height: int) -> int:
        """How many canvases an image of that size becomes."""
        return len(self._views(width, height))

    def __call__(self, image: Image.Image, grid: Grid) -> tuple[NDArray[np.float32], ImageMap]:
        """Pixels `[views, 3, size, size]`, normalised, and the map of the tokens that `grid` makes."""
        if image.width < 1 or image.height < 1:
            raise ImageError(f"the image is empty ({image.width} x {image.height} pixels)")
        image = image if image.mode == "RGB" else image.convert("RGB")
        plans = self._views(image.width, image.height)
        pixels = np.stack([self._draw(image, plan) for plan in plans])
        views = tuple(plan.view for plan in plans)
        return pixels, ImageMap(image.width, image.height, views, grid)

    def _views(self, width: int, height: int) -> list[_Plan]:
        size = self.size
        if self.mode == "stretch":
            return [_plan(width, height, size, size, 0, 0, size)]
        if self.mode == "crop":
            scale = size / min(width, height)
            w, h = max(size, round(width * scale)), max(size, round(height * scale))
            return [_plan(width, height, w, h, -((w - size) // 2), -((h - size) // 2), size)]
        whole = _fit(width, height, 1, 1, size)
        if self.mode == "pad":
            return whole
        rows, cols = tile_layout(width, height, size, self.max_tiles)
        return whole if rows * cols == 1 else whole + _fit(width, height, rows, cols, size)

    def _draw(self, image: Image.Image, plan: _Plan) -> NDArray[np.float32]:
        """One canvas; padding has the mean colour, which normalises to about zero."""
        colour = tuple(round(255 * channel) for channel in self.mean)
        canvas = Image.new("RGB", (self.size, self.size), colour)
        part = plan.visible()
        if part is not None:
            left, top, right, bottom = part
            # `box` resamples only the part of the image that is seen, in fractions of its pixels, so a tile
            # costs what its own pixels cost and neighbouring tiles agree at their border.
            view = plan.view
            x0, y0 = view.to_image(left, top)
            x1, y1 = view.to_image(right, bottom)
            source = (max(0.0, x0), max(0.0, y0), min(x1, image.width), min(y1, image.height))
            resized = image.resize((right - left, bottom - top), _FILTERS[self.interpolation], box=source)
            canvas.paste(resized, (left, top))
        values = np.asarray(canvas).astype(np.float32) / np.float32(255)
        normal = (values - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A view in whole pixels: the image becomes `width` x `height` with its corner at `(left, top)`."""

    view: View
    width: int
    height: int
    left: int
    top: int

    def visible(self) -> tuple[int, int, int, int] | None:
        """Canvas rectangle that the image covers."""
        size = self.view.size
        box = (
            max(0, self.left),
            max(0, self.top),
            min(size, self.left + self.width),
            min(size, self.top + self.height),
        )
        return box if box[2] > box[0] and box[3] > box[1] else None


def _plan(width: int, height: int, to_width: int, to_height: int, left: int, top: int, size: int) -> _Plan:
    view = View(to_width / width, to_height / height, float(left), float(top), size)
    return _Plan(view, to_width, to_height, left, top)


def _fit(width: int, height: int, rows: int, cols: int, size: int) -> list[_Plan]:
    """Views of a `rows` x `cols` field of canvases into which the image fits, centred, tile by tile."""
    scale = min(cols * size / width, rows * size / height)
    w = min(cols * size, max(1, round(width * scale)))
    h = min(rows * size, max(1, round(height * scale)))
    left, top = (cols * size - w) // 2, (rows * size - h) // 2
    return [
        _plan(width, height, w, h, left - col * size, top - row * size, size)
        for row in range(rows)
        for col in range(cols)
    ]


def tile_layout(width: int, height: int, size: int, max_tiles: int) -> tuple[int, int]:
    """Rows and columns of tiles: the layout that shows the image largest, and of those the smallest.

    Nothing is enlarged for the sake of tiles: a layout counts only up to the image's own resolution.
    """
    best, best_key = (1, 1), (-1.0, 0)
    for rows in range(1, max_tiles + 1):
        for cols in range(1, max_tiles // rows + 1):
            scale = min(cols * size / width, rows * size / height, 1.0)
            key = (round(scale, 6), -rows * cols)
            if key > best_key:
                best, best_key = (rows, cols), key
    return best
