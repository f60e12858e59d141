"""Single crops for a needle reader: dials with their needle's angle, and round things that are no dials."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from tools.geometry import Box
from training.render.equipment.dial import OUTER, draw_dial
from training.render.equipment.dialspec import DialSpec, random_spec, random_style
from training.render.equipment.ink import Canvas, Point, blank, line, polygon, shade
from training.render.equipment.optics import expose, noise_field, random_lens
from training.render.equipment.part import Part, Rng, between, chance, generator, pick
from training.render.equipment.perspective import (
    Homography,
    bearing,
    bounds,
    project,
    project_point,
    scale,
    shift,
    tilt,
)
from training.render.equipment.roundthings import draw_round_thing

_DIAL_STREAM, _OTHER_STREAM = 11, 12


class DialCrop(NamedTuple):
    """A crop of one dial and what is true of it; all places are pixels of the crop.

    `angle`, `first` and `last` are the directions, seen in the crop from `centre`, of the needle and of the
    two ends of the scale: radians clockwise from up, in (-pi, pi]. `dial` bounds the bezel.
    """

    image: Image.Image
    angle: float
    fraction: float
    spec: DialSpec
    centre: Point
    first: float
    last: float
    dial: Box


def render_dial(
    seed: int, size: int = 128, difficulty: float = 0.5
) -> tuple[Image.Image, float, float, DialSpec]:
    """(RGB crop of `size` pixels a side, needle angle in it in radians clockwise from up, fraction, spec)."""
    crop = render_dial_crop(seed, size, difficulty)
    return crop.image, crop.angle, crop.fraction, crop.spec


def render_dial_crop(seed: int, size: int = 128, difficulty: float = 0.5) -> DialCrop:
    """As `render_dial`, with everything that is known about the crop."""
    rng = generator(seed, _DIAL_STREAM)
    spec = random_spec(rng)
    part = draw_dial(spec, random_style(rng, spec, difficulty), max(32, round(size * 1.6)), rng)
    view = _random_view(rng, part, size, difficulty)
    image = _photograph(rng, part, view, size, difficulty)
    centre = project_point(view, part.points["centre"])
    ends = {name: project_point(view, part.points[name]) for name in ("tip", "first", "last")}
    turn = np.linspace(0, 2 * np.pi, 33)
    middle, radius = (part.width - 1) / 2, OUTER * part.width
    outline = project(view, [(middle + radius * math.cos(a), middle + radius * math.sin(a)) for a in turn])
    return DialCrop(
        image,
        bearing(centre, ends["tip"]),
        spec.fraction,
        spec,
        centre,
        bearing(centre, ends["first"]),
        bearing(centre, ends["last"]),
        bounds(outline),
    )


def render_not_dial(seed: int, size: int = 128, difficulty: float = 0.5) -> Image.Image:
    """A crop of `size` pixels a side without a dial: bolts, wheels, buttons, caps, fans, plain surface."""
    rng = generator(seed, _OTHER_STREAM)
    if chance(rng, 0.1):
        empty = Part("nothing", blank(8, 8), np.zeros((8, 8), np.uint8))
        return _photograph(rng, empty, shift(0, 0), size, difficulty)
    part = draw_round_thing(rng, max(32, round(size * 1.6)))
    return _photograph(rng, part, _random_view(rng, part, size, difficulty), size, difficulty)


def _random_view(rng: Rng, part: Part, size: int, difficulty: float) -> Homography:
    """Part pixels to crop pixels: the crop is 1.0 to 1.4 times the part, off-centre, tilted, rolled."""
    context = between(rng, 1.0, 1.4)
    zoom = size / (2 * OUTER * part.width * context)
    middle = (size - 1) / 2
    off = 0.5 * (1 - 1 / context) * size + 0.05 * size * difficulty
    x, y = middle + between(rng, -off, off), middle + between(rng, -off, off)
    lean = 0.15 + 0.6 * difficulty
    roll = between(rng, -0.10, 0.10) if chance(rng, 0.8) else between(rng, -0.45, 0.45) * (0.5 + difficulty)
    camera = tilt(
        (x, y), size * between(rng, 1.8, 4.0), between(rng, -lean, lean), between(rng, -lean, lean), roll
    )
    half = (part.width - 1) / 2
    return camera @ shift(x, y) @ scale(zoom) @ shift(-half, -half)


def _photograph(rng: Rng, part: Part, view: Homography, size: int, difficulty: float) -> Image.Image:
    scene = _surface(rng, size)
    full = (size, size)
    rgb = cv2.warpPerspective(part.rgb, view, full, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(part.alpha, view, full, flags=cv2.INTER_LINEAR)
    reach = between(rng, 0.01, 0.05) * size
    away = np.array([[1, 0, reach * between(rng, -1, 1)], [0, 1, reach]], np.float64)
    box = max(3, int(size * 0.05) | 1)
    shadow = cv2.blur(cv2.warpAffine(alpha, away, full), (box, box))
    shade(scene, 1 - np.asarray(shadow, np.float32) * np.float32(between(rng, 0.2, 0.6) / 255))
    cover = alpha[..., None] * np.float32(1 / 255)
    scene = (scene + (rgb.astype(np.float32) - scene) * cover).astype(np.uint8)
    if chance(rng, 0.35):
        small = max(24, round(size * between(rng, 1 - 0.8 * min(1.0, difficulty + 0.2), 1.0)))
        scene = np.asarray(cv2.resize(scene, (small, small), interpolation=cv2.INTER_AREA), np.uint8)
        scene = np.asarray(cv2.resize(scene, full, interpolation=cv2.INTER_LINEAR), np.uint8)
    return Image.fromarray(expose(scene, random_lens(rng, difficulty, size / 100), rng))


def _surface(rng: Rng, size: int) -> Canvas:
    """A cheap piece of machine around the part: paint, a gradient, a seam or a pipe, some texture."""
    colour = np.array([between(rng, 20, 235) for _ in range(3)])
    colour = colour * (mix := between(rng, 0.05, 0.45)) + colour.mean() * (1 - mix)
    scene = blank(size, size, (int(colour[0]), int(colour[1]), int(colour[2])))
    for _ in range(int(rng.integers(0, 4))):
        tone = float(between(rng, 0.4, 1.5))
        fill = tuple(int(min(255, c * tone)) for c in colour)
        if chance(rng, 0.5):
            a = (between(rng, -0.2, 1.2) * size, between(rng, -0.2, 1.2) * size)
            b = (between(rng, -0.2, 1.2) * size, between(rng, -0.2, 1.2) * size)
            line(scene, a, b, (fill[0], fill[1], fill[2]), between(rng, 0.01, 0.25) * size)
        else:
            x, y = between(rng, -0.5, 1) * size, between(rng, -0.5, 1) * size
            w, h = between(rng, 0.2, 0.8) * size, between(rng, 0.2, 0.8) * size
            polygon(scene, [(x, y), (x + w, y), (x + w, y + h), (x, y + h)], (fill[0], fill[1], fill[2]))
    ramp = np.linspace(between(rng, 0.6, 1.1), between(rng, 0.6, 1.1), size, dtype=np.float32)
    light = np.broadcast_to(ramp[None, :] if chance(rng, 0.5) else ramp[:, None], (size, size))
    grain = noise_field(rng, size, size)
    kernel = pick(rng, ((1, 1), (3, 3), (25, 1), (9, 9), (1, 25)))
    if kernel != (1, 1):
        grain = np.asarray(cv2.blur(grain, kernel), np.float32) * np.float32(math.sqrt(kernel[0] * kernel[1]))
    shade(scene, light + grain * np.float32(between(rng, 0.0, 0.05)))
    return scene
