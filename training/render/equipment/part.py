"""What is drawn and what is known about it: a flat part, a part in a photo, and the whole photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.geometry import Box
from training.render.equipment.ink import Canvas, Mask, Point
from training.render.equipment.perspective import Quad

Rng = np.random.Generator
T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """A piece of equipment drawn flat, seen from straight ahead.

    `rgb` is uint8 (height, width, 3), `alpha` uint8 (height, width). `points` and `boxes` name places in its
    pixels; they travel through the same perspective as the pixels. `height` is how far it stands out of its
    surface, as a share of its width (its shadow's length).
    """

    kind: str
    rgb: Canvas
    alpha: Mask
    attributes: dict[str, Any] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    height: float = 0.03

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def length(self) -> int:
        """Pixels from top to bottom."""
        return int(self.rgb.shape[0])


@dataclass(frozen=True)
class Item:
    """A part as it lies in the photo; all places are pixels of the photo.

    `box` bounds `quad`, the corners of the part clockwise from its own top left one. `attributes` depend on
    `kind` (see `render_equipment`) and are plain JSON values.
    """

    kind: str
    box: Box
    quad: Quad
    attributes: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "box": self.box.as_list(),
            "quad": [[round(x, 1), round(y, 1)] for x, y in self.quad],
            **self.attributes,
        }


@dataclass(frozen=True)
class Scene:
    """A rendered photo and everything that is known to be in it."""

    seed: int
    image: Image.Image
    items: tuple[Item, ...]

    def of_kind(self, kind: str) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == kind)

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "width": self.image.width,
            "height": self.image.height,
            "items": [item.as_json() for item in self.items],
        }


def pick(rng: Rng, options: Sequence[T]) -> T:
    """One of the options, all alike."""
    return options[int(rng.integers(len(options)))]


def chance(rng: Rng, probability: float) -> bool:
    return bool(rng.random() < probability)


def between(rng: Rng, low: float, high: float) -> float:
    return float(low + (high - low) * rng.random())


def generator(seed: int, stream: int) -> Rng:
    """Independent random numbers for one seed and one kind of picture."""
    return np.random.default_rng([stream, seed])


def grey(level: NDArray[np.floating]) -> Canvas:
    """A map of grey levels 0 to 255 as an RGB canvas."""
    flat = np.clip(level, 0, 255).astype(np.uint8)
    return np.repeat(flat[..., None], 3, axis=2)
