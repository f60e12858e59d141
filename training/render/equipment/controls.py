"""Draw what panels carry beside meters: signal lamps, selector and toggle switches, buttons, valves."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tools.geometry import Box
from training.render.equipment.fonts import glyphs
from training.render.equipment.ink import (
    Canvas,
    Colour,
    Mask,
    Point,
    blank,
    disc,
    letter_centred,
    line,
    polygon,
    ring,
    rounded,
)
from training.render.equipment.part import Part, Rng, between, chance, pick
from training.render.equipment.roundthings import bolt, dome, polar, wheel
from training.render.equipment.surfaces import bevel, plain

GLOW: dict[str, Colour] = {
    "red": (255, 56, 46), "green": (60, 232, 92), "yellow": (255, 200, 50), "blue": (80, 140, 255),
    "white": (244, 244, 240),
}  # fmt: skip
_LAMP_NAMES = {
    "red": ("ALARM", "FAULT", "TRIP", "STOP", "OVERLOAD"), "green": ("RUN", "READY", "ON", "OK", "POWER"),
    "yellow": ("WARNING", "SERVICE", "STANDBY", "AUTO"), "blue": ("REMOTE", "RESET", "MANUAL"),
    "white": ("POWER", "SUPPLY", "MAINS"),
}  # fmt: skip
_LABEL_INK: Colour = (22, 22, 24)


def _paste_round(canvas: Canvas, picture: Canvas, centre: Point, radius: float) -> None:
    """Put a round picture of its own middle onto the canvas."""
    side = picture.shape[0]
    x, y = round(centre[0] - (side - 1) / 2), round(centre[1] - (side - 1) / 2)
    region = canvas[y : y + side, x : x + side]
    cover = np.clip(radius - polar(side)[0] + 0.5, 0, 1)[..., None]
    region[:] = region + (picture.astype(np.float32) - region) * cover


def _label(canvas: Canvas, alpha: Mask, text: str, centre: Point, size: int) -> Box:
    """A small white label with its text, outside of the round body."""
    width = canvas.shape[1]
    wide = glyphs(text, "sans-bold", size).width
    size = max(6, min(size, int(size * 0.9 * width / wide)))
    y0, y1 = round(centre[1] - size * 0.75), round(centre[1] + size * 0.75)
    canvas[y0:y1] = (236, 236, 232)
    alpha[y0:y1] = 255
    return letter_centred(canvas, text, centre, ("sans-bold", size), _LABEL_INK)


def draw_led(rng: Rng, width: int, colour: str, lit: bool, name: str) -> Part:
    """A signal lamp with its label below. Boxes: `lamp`, `label`."""
    height = round(width * 1.42)
    canvas, alpha = blank(width, height, (150, 152, 154)), np.zeros((height, width), np.uint8)
    centre, radius = ((width - 1) / 2, (width - 1) / 2), width * 0.46
    light = between(rng, -1.2, 1.2)
    disc(alpha, centre, radius, 255)
    rim = pick(rng, ((190, 192, 194), (40, 41, 44), (160, 162, 166)))
    _paste_round(canvas, dome(width, rim, radius, light, 0.6, 0.6), centre, radius)
    hue = GLOW[colour]
    body = hue if lit else (int(hue[0] * 0.32 + 10), int(hue[1] * 0.32 + 10), int(hue[2] * 0.32 + 10))
    glass = dome(width, body, radius * 0.76, light, 0.9, 0.8)
    if lit:
        glow = np.clip(1 - polar(width)[0] / (radius * 0.76), 0, 1)[..., None] * np.float32(170)
        glass = np.clip(glass * np.float32(1.2) + glow, 0, 255).astype(np.uint8)
    _paste_round(canvas, glass, centre, radius * 0.76)
    boxes = {"lamp": Box(centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)}
    boxes["label"] = _label(canvas, alpha, name, (centre[0], width * 1.22), round(width * 0.26))
    return Part("led", canvas, alpha, {"colour": colour, "lit": lit, "label": name}, {}, boxes, 0.05)


def random_led(rng: Rng, width: int) -> Part:
    colour = pick(rng, ("red", "green", "green", "yellow", "blue", "white"))
    return draw_led(rng, width, colour, chance(rng, 0.5), pick(rng, _LAMP_NAMES[colour]))


def selector(rng: Rng, width: int, positions: tuple[str, ...] = (), position: int = -1) -> Part:
    """A rotary selector switch with its positions written around it; attribute `state` is where it points."""
    positions = positions or pick(
        rng,
        (
            ("OFF", "ON"),
            ("MAN", "0", "AUTO"),
            ("HAND", "OFF", "AUTO"),
            ("LOCAL", "REMOTE"),
            ("0", "1"),
            ("1", "0", "2"),
        ),
    )
    position = position if position >= 0 else int(rng.integers(len(positions)))
    spread = (-0.8, 0.8) if len(positions) == 2 else (-0.9, 0.0, 0.9)
    canvas = plain(rng, width, width, (206, 208, 206) if chance(rng, 0.6) else (238, 206, 60))
    alpha = rounded(width, width, width * 0.05)
    bevel(canvas, alpha, max(1, width // 60))
    centre, radius = ((width - 1) / 2, width * 0.6), width * 0.25
    for turn, text in zip(spread, positions, strict=True):
        place = (centre[0] + math.sin(turn) * width * 0.37, centre[1] - math.cos(turn) * width * 0.42)
        letter_centred(
            canvas, text, place, ("sans-bold", round(width * (0.13 if len(text) < 4 else 0.095))), _LABEL_INK
        )
    side = round(radius * 2.1)
    _paste_round(canvas, dome(side, (58, 60, 63), radius, -0.7, 0.5, 0.5), centre, radius)
    turn = spread[position]
    tip = (centre[0] + math.sin(turn) * radius * 0.98, centre[1] - math.cos(turn) * radius * 0.98)
    foot = (centre[0] - math.sin(turn) * radius * 0.98, centre[1] + math.cos(turn) * radius * 0.98)
    line(canvas, (foot[0] + 2, foot[1] + 3), (tip[0] + 2, tip[1] + 3), (10, 10, 12), radius * 0.52)
    line(canvas, foot, tip, (30, 31, 34), radius * 0.5)
    mark = (centre[0] + math.sin(turn) * radius * 0.5, centre[1] - math.cos(turn) * radius * 0.5)
    line(canvas, mark, tip, (244, 244, 240), radius * 0.12)
    attributes = {"switch": "selector", "state": positions[position], "positions": list(positions)}
    return Part("switch", canvas, alpha, attributes, {"centre": centre, "tip": tip}, {}, 0.05)


def rocker(rng: Rng, width: int) -> Part:
    """A rocker switch; `state` ON or OFF."""
    height = round(width * 1.35)
    on = chance(rng, 0.5)
    canvas = plain(rng, width, height, (36, 37, 40))
    alpha = rounded(width, height, width * 0.08)
    bevel(canvas, alpha, max(1, width // 40), 0.6)
    colour = pick(rng, ((30, 31, 33), (170, 26, 28), (36, 120, 60)))
    x0, x1, y0, y1 = width * 0.18, width * 0.82, height * 0.14, height * 0.86
    middle = (y0 + y1) / 2
    for upper in (True, False):
        top, bottom = (y0, middle) if upper else (middle, y1)
        tone = 1.5 if upper != on else 0.72
        fill = (
            min(255, int(colour[0] * tone + 14)),
            min(255, int(colour[1] * tone + 14)),
            min(255, int(colour[2] * tone + 14)),
        )
        polygon(canvas, [(x0, top), (x1, top), (x1, bottom), (x0, bottom)], fill)
    letter_centred(
        canvas, "I", (width / 2, y0 + (middle - y0) / 2), ("sans-bold", round(width * 0.24)), (240, 240, 240)
    )
    letter_centred(
        canvas,
        "O",
        (width / 2, middle + (y1 - middle) / 2),
        ("sans-bold", round(width * 0.24)),
        (240, 240, 240),
    )
    return Part(
        "switch",
        canvas,
        alpha,
        {"switch": "rocker", "state": "ON" if on else "OFF", "positions": ["ON", "OFF"]},
    )


def push_button(rng: Rng, width: int) -> Part:
    """A labelled push button; box `label`."""
    colour, name = pick(
        rng,
        (
            ((40, 150, 70), "START"),
            ((196, 30, 32), "STOP"),
            ((30, 80, 170), "RESET"),
            ((226, 180, 40), "TEST"),
        ),
    )
    height = round(width * 1.42)
    canvas, alpha = blank(width, height, (150, 152, 154)), np.zeros((height, width), np.uint8)
    centre, radius = ((width - 1) / 2, (width - 1) / 2), width * 0.46
    disc(alpha, centre, radius, 255)
    _paste_round(canvas, dome(width, (180, 182, 184), radius, -0.6, 0.5, 0.7), centre, radius)
    disc(canvas, centre, radius * 0.8, (20, 20, 22))
    _paste_round(canvas, dome(width, colour, radius * 0.74, -0.6, 0.5, 0.5), centre, radius * 0.74)
    box = _label(canvas, alpha, name, (centre[0], width * 1.22), round(width * 0.26))
    return Part("button", canvas, alpha, {"label": name}, {}, {"label": box}, 0.06)


def emergency_stop(rng: Rng, width: int) -> Part:
    """A red mushroom on its yellow plate."""
    canvas = plain(rng, width, width, (240, 206, 40))
    alpha = rounded(width, width, width * 0.5)
    centre = ((width - 1) / 2, (width - 1) / 2)
    ring(canvas, centre, width * 0.478, (30, 30, 30), max(1, width // 120))
    letter_centred(
        canvas, "EMERGENCY", (centre[0], width * 0.135), ("sans-bold", round(width * 0.07)), _LABEL_INK
    )
    letter_centred(canvas, "STOP", (centre[0], width * 0.88), ("sans-bold", round(width * 0.085)), _LABEL_INK)
    radius = width * 0.31
    disc(canvas, (centre[0] + width * 0.02, centre[1] + width * 0.04), radius, (150, 120, 16))
    _paste_round(canvas, dome(width, (206, 26, 30), radius, -0.6, 0.8, 0.6), centre, radius)
    return Part("emergency_stop", canvas, alpha, {}, {}, {}, 0.05)


def lever_valve(rng: Rng, width: int) -> Part:
    """A ball valve on a vertical pipe: the lever lies along the pipe when it is open."""
    opened = chance(rng, 0.5)
    height = width
    canvas, alpha = blank(width, height, (150, 130, 84)), np.zeros((height, width), np.uint8)
    middle = (width - 1) / 2
    across = np.abs(np.arange(width) - middle)
    for half, first, last in ((0.11, 0.0, 1.0), (0.17, 0.16, 0.84), (0.2, 0.16, 0.27), (0.2, 0.73, 0.84)):
        inside = across < half * width
        tone = 0.35 + 0.75 * np.cos(np.clip((across - 0.04 * width) / (half * width), -1, 1) * 1.4)
        rows = slice(round(first * height), round(last * height))
        metal = np.clip(tone[inside, None] * np.array([196, 164, 100]), 0, 255).astype(np.uint8)
        canvas[rows, inside] = metal
        alpha[rows, inside] = 255
    handle = pick(rng, ((200, 30, 32), (34, 84, 170), (230, 190, 40), (40, 130, 70)))
    end = (middle, height * 0.03) if opened else (width * 0.97, middle)
    dark = (handle[0] // 2, handle[1] // 2, handle[2] // 2)
    for offset, colour, thick in ((2.0, dark, 0.12), (0.0, handle, 0.11)):
        a, b = (middle + offset, middle + offset), (end[0] + offset, end[1] + offset)
        line(canvas, a, b, colour, thick * width)
        line(alpha, a, b, 255, thick * width)
    nut = bolt(rng, max(8, round(width * 0.16)))
    _paste_round(canvas, nut.rgb, (middle, middle), nut.width * 0.47)
    return Part(
        "valve", canvas, alpha, {"valve": "lever", "state": "open" if opened else "closed"}, {}, {}, 0.06
    )


def hand_wheel(rng: Rng, width: int) -> Part:
    part = wheel(rng, width)
    return Part("valve", part.rgb, part.alpha, {"valve": "wheel", "state": None}, {}, {}, 0.1)


_CONTROLS: tuple[Callable[[Rng, int], Part], ...] = (
    selector, selector, rocker, push_button, emergency_stop, random_led, random_led,
)  # fmt: skip


def random_control(rng: Rng, width: int) -> Part:
    """Something for a panel's front, `width` pixels wide."""
    return pick(rng, _CONTROLS)(rng, width)


def random_valve(rng: Rng, width: int) -> Part:
    return pick(rng, (lever_valve, hand_wheel))(rng, width)
