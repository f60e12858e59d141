"""The machine that parts are mounted on: paint, seams, bolts, ribs, pipes, cables."""

from __future__ import annotations

import math

import cv2
import numpy as np

from training.render.equipment.ink import Canvas, Colour, disc, fixed, line, shade
from training.render.equipment.part import Rng, between, chance, pick
from training.render.equipment.surfaces import brushed, painted, rough

HOUSINGS: tuple[Colour, ...] = (
    (52, 92, 136), (58, 108, 92), (122, 126, 130), (176, 178, 174), (206, 204, 194), (64, 70, 78),
    (150, 60, 48), (196, 150, 60), (92, 112, 124), (40, 66, 104), (216, 218, 216), (104, 108, 96),
)  # fmt: skip


def draw_backdrop(rng: Rng, width: int, height: int, panel: bool) -> Canvas:
    """A surface of that size, seen from straight ahead; `panel` is a cabinet's plain front."""
    colour = pick(rng, HOUSINGS)
    kind = 0.4 if panel else rng.random()
    if kind < 0.6:
        canvas = painted(rng, width, height, colour, between(rng, 0.006, 0.03))
    elif kind < 0.8:
        canvas = rough(rng, width, height, colour)
    else:
        tone = int(between(rng, 120, 190))
        canvas = brushed(rng, width, height, (tone, tone + 2, tone + 4), 0.03, chance(rng, 0.5))
    for _ in range(int(rng.integers(0, 3))):
        _seam(canvas, rng)
    if not panel:
        if chance(rng, 0.3):
            _ribs(canvas, rng)
        for _ in range(int(rng.integers(0, 4))):
            _pipe(canvas, rng)
        if chance(rng, 0.3):
            _cable(canvas, rng)
    _bolts(canvas, rng)
    if chance(rng, 0.5):
        _wear(canvas, rng)
    return canvas


def draw_tube(
    canvas: Canvas,
    upright: bool,
    middle: float,
    half: float,
    span: tuple[float, float],
    colour: Colour,
    gloss: float,
    lift: float = 0.9,
) -> None:
    """A pipe along one axis between two coordinates; its shadow falls `lift` times its radius to one side."""
    view = canvas if upright else canvas.transpose(1, 0, 2)
    first, last = max(0, round(span[0])), min(view.shape[0], round(span[1]))
    fall = half * lift
    x = np.arange(view.shape[1], dtype=np.float32)
    dim = np.clip((half + fall * 0.5 - np.abs(x - middle - fall * 0.5)) / max(2.0, fall), 0, 1) * np.float32(
        0.5
    )
    low, high = max(0, int(middle - 3 * half)), min(view.shape[1], int(middle + 4 * half) + 1)
    shadow = view[first:last, low:high] * (1 - dim[low:high])[None, :, None]
    view[first:last, low:high] = shadow.astype(np.uint8)
    left, right = max(0, math.ceil(middle - half)), min(view.shape[1], int(middle + half) + 1)
    if right <= left or last <= first:
        return
    u = (x[left:right] - middle) / half
    round_light = 0.28 + 0.72 * np.sqrt(np.clip(1 - (u + 0.25) ** 2 / 1.7, 0, 1)) - 0.12 * u
    shine = np.exp(-(((u + 0.38) / 0.16) ** 2)) * np.float32(gloss * 170)
    strip = np.clip(round_light[:, None] * np.asarray(colour, np.float32) + shine[:, None], 0, 255)
    view[first:last, left:right] = strip.astype(np.uint8)[None]


def _pipe(canvas: Canvas, rng: Rng) -> None:
    height, width = canvas.shape[:2]
    upright = chance(rng, 0.5)
    along, across = (height, width) if upright else (width, height)
    half = between(rng, 0.02, 0.08) * min(width, height)
    middle = between(rng, 0.0, 1.0) * across
    colour = pick(rng, (*HOUSINGS, (184, 118, 72), (190, 192, 194), (160, 162, 164)))
    gloss = between(rng, 0.1, 0.9)
    draw_tube(canvas, upright, middle, half, (0, along), colour, gloss)
    for _ in range(int(rng.integers(0, 3))):
        place = between(rng, 0.05, 0.95) * along
        thick = between(rng, 0.3, 0.7) * half
        draw_tube(
            canvas, upright, middle, half * between(rng, 1.25, 1.6), (place, place + thick), colour, gloss
        )


def _ribs(canvas: Canvas, rng: Rng) -> None:
    """Cooling ribs over a part of the surface."""
    height, width = canvas.shape[:2]
    count = int(rng.integers(5, 14))
    pitch = height / (count * between(rng, 1.0, 1.6))
    rows = np.arange(height, dtype=np.float32)
    start = between(rng, 0, 0.5) * height
    wave = np.where(
        (rows > start) & (rows < start + pitch * count), np.cos((rows - start) / pitch * 2 * np.pi), 1.0
    )
    light = 0.82 + 0.24 * wave
    first = int(between(rng, 0, 0.3) * width)
    factor = np.ones((height, width), np.float32)
    factor[:, first:] = light[:, None]
    shade(canvas, factor)


def _seam(canvas: Canvas, rng: Rng) -> None:
    height, width = canvas.shape[:2]
    if chance(rng, 0.5):
        x, lean = between(rng, 0.05, 0.95) * width, between(rng, -6, 6)
        a, b, step = (x, -5.0), (x + lean, height + 5.0), (2.0, 0.0)
    else:
        y, lean = between(rng, 0.05, 0.95) * height, between(rng, -6, 6)
        a, b, step = (-5.0, y), (width + 5.0, y + lean), (0.0, 2.0)
    base = canvas[height // 2, width // 2].astype(int)
    dark = tuple(int(c * 0.4) for c in base)
    light = tuple(min(255, int(c * 1.25 + 10)) for c in base)
    line(canvas, a, b, (dark[0], dark[1], dark[2]), 2.6)
    line(
        canvas,
        (a[0] + step[0], a[1] + step[1]),
        (b[0] + step[0], b[1] + step[1]),
        (light[0], light[1], light[2]),
        1.4,
    )


def _bolts(canvas: Canvas, rng: Rng) -> None:
    height, width = canvas.shape[:2]
    radius = between(rng, 0.008, 0.02) * width
    tone = int(between(rng, 60, 200))
    spots = int(rng.integers(0, 6))
    y = between(rng, 0.04, 0.96) * height
    for index in range(spots):
        x = (index + 0.5) / spots * width
        for offset, size, level in (
            (0.25, 1.25, 0.3),
            (0.0, 1.0, 0.75),
            (-0.14, 0.78, 1.0),
            (-0.05, 0.5, 0.82),
        ):
            shade_of = int(tone * level)
            disc(
                canvas,
                (x + offset * radius, y + offset * radius),
                radius * size,
                (shade_of, shade_of, shade_of),
            )


def _cable(canvas: Canvas, rng: Rng) -> None:
    height, width = canvas.shape[:2]
    t = np.linspace(0, 1, 40)
    ends = [(between(rng, -0.1, 1.1) * width, between(rng, -0.1, 1.1) * height) for _ in range(4)]
    weights = [(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3]
    path = sum(w[:, None] * np.asarray(p) for w, p in zip(weights, ends, strict=True))
    thick = max(3, int(between(rng, 0.008, 0.018) * width))
    colour = pick(rng, ((26, 26, 28), (60, 62, 66), (170, 60, 30), (40, 60, 110)))
    base = np.asarray(path)
    for offset, tone, share in ((0.5, 0.25, 1.15), (0.0, 1.0, 1.0), (-0.22, 1.7, 0.3)):
        points = fixed(base + offset * thick)
        fill = tuple(float(min(255, c * tone)) for c in colour)
        cv2.polylines(canvas, [points], False, fill, max(1, round(thick * share)), cv2.LINE_AA, 4)


def _wear(canvas: Canvas, rng: Rng) -> None:
    """Scratches down to the primer, and drips of rust or oil."""
    height, width = canvas.shape[:2]
    for _ in range(int(rng.integers(2, 14))):
        x, y = between(rng, 0, width), between(rng, 0, height)
        base = canvas[int(y), int(x)].astype(int)
        if chance(rng, 0.75):
            tone = tuple(int(min(255, c * 1.25 + 12)) for c in base)
            turn, reach = between(rng, 0, 6.3), between(rng, 0.01, 0.1) * width
            end = (x + math.cos(turn) * reach, y + math.sin(turn) * reach)
            line(canvas, (x, y), end, (tone[0], tone[1], tone[2]), between(rng, 0.6, 1.4))
        else:
            rust = (int(base[0] * 0.6 + 30), int(base[1] * 0.6 + 12), int(base[2] * 0.55))
            line(
                canvas,
                (x, y),
                (x + between(rng, -3, 3), y + between(rng, 0.02, 0.15) * height),
                rust,
                between(rng, 1.5, 5),
            )
