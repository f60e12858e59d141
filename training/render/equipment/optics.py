"""What a camera does to a view: exposure, colour cast, blur, glare, noise, JPEG. All work on uint8 RGB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.equipment.ink import Canvas
from training.render.equipment.part import Rng, between, chance

_NOISE_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Lens:
    """How a photo was taken. Lengths are in its pixels, `noise` in grey levels; `exposure` 1 is right."""

    exposure: float = 1.0
    contrast: float = 1.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    blur: float = 0.0
    motion: float = 0.0
    motion_angle: float = 0.0
    flare: float = 0.0
    vignette: float = 0.0
    noise: float = 0.0
    quality: int = 92


def random_lens(rng: Rng, difficulty: float, sharp: float) -> Lens:
    """A random camera. `sharp` is the largest blur (sigma in pixels) that the picture may suffer."""
    dark = chance(rng, 0.25 * difficulty + 0.03)
    exposure = (
        between(rng, 0.30, 0.62) if dark else between(rng, 1 - 0.25 * difficulty, 1 + 0.22 * difficulty)
    )
    warmth = between(rng, -0.12, 0.12) * (0.3 + difficulty)
    return Lens(
        exposure=exposure,
        contrast=between(rng, 1 - 0.35 * difficulty, 1 + 0.15 * difficulty),
        cast=(1 + warmth, 1.0 + between(rng, -0.02, 0.02), 1 - warmth),
        blur=between(rng, 0.0, sharp * 2 * difficulty) if chance(rng, 0.75) else 0.0,
        motion=between(rng, 1.0, 1 + 4 * sharp * difficulty) if chance(rng, 0.2 * difficulty) else 0.0,
        motion_angle=between(rng, 0, 3.14),
        flare=between(rng, 0.0, 0.5 * difficulty) if chance(rng, 0.4) else 0.0,
        vignette=between(rng, 0.0, 0.5 * difficulty + 0.1),
        noise=between(rng, 0.5, 2 + 9 * difficulty) * (1.6 if dark else 1.0),
        quality=int(between(rng, 92 - 50 * difficulty, 96)),
    )


def expose(image: Canvas, lens: Lens, rng: Rng) -> Canvas:
    """The view as that camera records it; same shape."""
    height, width = image.shape[:2]
    view = image
    if lens.blur > 0.25:
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), lens.blur), np.uint8)
    if lens.motion >= 2:
        view = np.asarray(cv2.filter2D(view, -1, _streak(lens.motion, lens.motion_angle)), np.uint8)
    if lens.flare > 0.02 or lens.vignette > 0.02:
        view = _light(view, lens, rng)
    view = _tone(view, lens)
    if lens.noise > 0.3:
        view = _grain(view, lens.noise, rng)
    if lens.quality < 96:
        view = jpeg(view, lens.quality)
    assert view.shape == (height, width, 3)
    return view


def jpeg(image: Canvas, quality: int) -> Canvas:
    """The picture after one round of JPEG."""
    swapped = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _tone(image: Canvas, lens: Lens) -> Canvas:
    levels = np.arange(256, dtype=np.float32)
    curves = [
        np.clip(((levels - 128) * lens.contrast + 128) * lens.exposure * cast, 0, 255) for cast in lens.cast
    ]
    table = np.stack(curves, axis=-1).astype(np.uint8).reshape(1, 256, 3)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _light(image: Canvas, lens: Lens, rng: Rng) -> Canvas:
    """Darker corners and a soft flare, computed small and stretched."""
    height, width = image.shape[:2]
    y, x = np.mgrid[-1:1:24j, -1:1:24j].astype(np.float32)
    gain = 1 - lens.vignette * 0.5 * (x**2 + y**2)
    cx, cy, spread = between(rng, -1, 1), between(rng, -1, 1), between(rng, 0.05, 0.5)
    flare = lens.flare * 255 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / spread)
    size = (width, height)
    gain_map = cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR)
    flare_map = cv2.resize(flare, size, interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(image, cv2.merge([gain_map] * 3), dtype=cv2.CV_32F)
    lit += flare_map[..., None]
    return np.asarray(cv2.convertScaleAbs(lit), np.uint8)


@lru_cache(maxsize=1)
def noise_bank() -> NDArray[np.float32]:
    """Standard normal noise that pictures cut their grain from: drawing it anew would be slow."""
    draws = np.random.default_rng(20240917).standard_normal((_NOISE_SIDE, _NOISE_SIDE), dtype=np.float32)
    draws.setflags(write=False)
    return draws


def noise_field(rng: Rng, height: int, width: int) -> NDArray[np.float32]:
    """Standard normal noise of that size, cut at a random place of the bank (tiled where it is too small)."""
    bank = noise_bank()
    top, left = (int(v) for v in rng.integers(0, _NOISE_SIDE, 2))
    if top + height <= _NOISE_SIDE and left + width <= _NOISE_SIDE:
        return bank[top : top + height, left : left + width]
    rows = np.arange(top, top + height) % _NOISE_SIDE
    columns = np.arange(left, left + width) % _NOISE_SIDE
    return np.asarray(bank[rows][:, columns], np.float32)


def _grain(image: Canvas, sigma: float, rng: Rng) -> Canvas:
    """Mostly luminance noise with a little colour in it."""
    height, width = image.shape[:2]
    shared = noise_field(rng, height, width) * np.float32(sigma)
    tint = noise_field(rng, height, width) * np.float32(sigma * 0.45)
    grain = cv2.merge([shared + tint, shared, shared - tint])
    return np.asarray(np.clip(cv2.add(image, grain, dtype=cv2.CV_32F), 0, 255), np.float32).astype(np.uint8)


def _streak(length: float, angle: float) -> NDArray[np.float32]:
    side = int(length) | 1
    kernel = np.zeros((side, side), np.float32)
    middle = side // 2
    dx, dy = np.cos(angle) * middle, np.sin(angle) * middle
    ends = [(round(middle + s * dx), round(middle + s * dy)) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return kernel / max(1.0, float(kernel.sum()))
