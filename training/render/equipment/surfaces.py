"""Textures of flat material: brushed and painted metal, plastic, stickers, concrete."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.equipment.ink import Canvas, Colour
from training.render.equipment.optics import noise_field
from training.render.equipment.part import Rng, between


def tinted(light: NDArray[np.floating], colour: Colour) -> Canvas:
    """A map of light (1 is the colour itself) in that colour."""
    level = np.asarray(light, np.float32)
    return np.clip(cv2.merge([level * np.float32(channel) for channel in colour]), 0, 255).astype(np.uint8)


def clouds(rng: Rng, width: int, height: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise with about `cells` blots along the longer side, standard deviation near 1."""
    columns = max(2, round(cells * width / max(width, height)))
    rows = max(2, round(cells * height / max(width, height)))
    coarse = np.ascontiguousarray(noise_field(rng, rows, columns))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def brushed(
    rng: Rng, width: int, height: int, colour: Colour, depth: float = 0.05, upright: bool = False
) -> Canvas:
    """Metal brushed along one direction, with the broad reflections that such sheets show."""
    grain = np.ascontiguousarray(noise_field(rng, height, width))
    long = max(9, (height if upright else width) // 6)
    kernel = (1, long) if upright else (long, 1)
    grain = np.asarray(cv2.blur(grain, kernel), np.float32) * np.float32(np.sqrt(long))
    across = np.linspace(0, 1, height if upright else width, dtype=np.float32)
    wave = 0.09 * np.sin(across * between(rng, 3, 8) + between(rng, 0, 6)) + 0.04 * np.sin(
        across * between(rng, 9, 20)
    )
    sheen = wave[:, None] if upright else wave[None, :]
    return tinted(1 + grain * np.float32(depth) + sheen, colour)


def painted(rng: Rng, width: int, height: int, colour: Colour, depth: float = 0.02) -> Canvas:
    """Paint with orange peel, faint blots and a slope of light."""
    grain = np.asarray(cv2.blur(np.ascontiguousarray(noise_field(rng, height, width)), (3, 3)), np.float32)
    light = 1 + grain * np.float32(depth * 2) + clouds(rng, width, height, 5) * np.float32(0.03)
    light += np.linspace(between(rng, -0.12, 0.12), between(rng, -0.12, 0.12), width, dtype=np.float32)[
        None, :
    ]
    light += np.linspace(between(rng, 0, 0.14), between(rng, -0.14, 0), height, dtype=np.float32)[:, None]
    return tinted(light, colour)


def rough(rng: Rng, width: int, height: int, colour: Colour) -> Canvas:
    """Cast iron or concrete: grain at several sizes."""
    light = 1 + sum(clouds(rng, width, height, cells) * np.float32(0.045) for cells in (4, 16, 60, 200))
    light = light + noise_field(rng, height, width) * np.float32(0.05)
    return tinted(np.asarray(light), colour)


def plain(rng: Rng, width: int, height: int, colour: Colour) -> Canvas:
    """Plastic or a printed sticker: one colour and a slope of light."""
    slope = np.linspace(between(rng, 0.94, 1.04), between(rng, 0.94, 1.04), width, dtype=np.float32)
    return tinted(np.broadcast_to(slope[None, :], (height, width)), colour)


def bevel(canvas: Canvas, alpha: NDArray[np.uint8], width: int, strength: float = 0.4) -> None:
    """Light the upper left edge of a shape and darken the lower right one, in place."""
    soft = np.asarray(cv2.blur(alpha, (width * 2 + 1, width * 2 + 1)), np.float32)
    slope = (np.roll(soft, -width, (0, 1)) - np.roll(soft, width, (0, 1))) * np.float32(strength / 255)
    np.copyto(canvas, np.clip(canvas * (1 + slope[..., None]), 0, 255).astype(np.uint8))
