"""Draw digital meters: seven-segment displays that glow, and liquid crystal ones."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tools.geometry import Box
from training.render.equipment.ink import (
    Canvas,
    Colour,
    Point,
    blank,
    disc,
    letter,
    letter_centred,
    polygon,
    rounded,
    shade,
)
from training.render.equipment.part import Part, Rng, between, chance, pick
from training.render.equipment.surfaces import bevel, plain

#: Lit segments of each sign: top, upper right, lower right, bottom, lower left, upper left, middle.
_SEGMENTS = {
    "0": "1111110", "1": "0110000", "2": "1101101", "3": "1111001", "4": "0110011", "5": "1011011",
    "6": "1011111", "7": "1110000", "8": "1111111", "9": "1111011", "-": "0000001", " ": "0000000",
}  # fmt: skip
_GLOWS: tuple[Colour, ...] = (
    (255, 52, 44), (255, 52, 44), (70, 240, 110), (90, 190, 255), (255, 176, 40), (235, 240, 245),
)  # fmt: skip
_CRYSTALS: tuple[tuple[Colour, Colour], ...] = (
    ((168, 182, 156), (28, 34, 30)), ((184, 192, 184), (24, 28, 32)), ((120, 196, 90), (14, 34, 18)),
    ((40, 82, 190), (226, 236, 250)),
)  # fmt: skip

#: Unit -> (smallest, largest, decimals, names), what a meter with it shows and is called.
_QUANTITIES: dict[str, tuple[float, float, int, tuple[str, ...]]] = {
    "bar": (0, 25, 1, ("PRESSURE", "LINE A", "DISCHARGE")),
    "psi": (0, 300, 0, ("PRESSURE", "SUCTION")),
    "kPa": (0, 1000, 0, ("PRESSURE", "TANK 2")),
    "°C": (-20, 180, 1, ("TEMP 1", "OIL TEMP", "TEMPERATURE")),
    "V": (0, 480, 1, ("SUPPLY", "VOLTAGE L1")),
    "A": (0, 120, 1, ("MOTOR", "CURRENT L2")),
    "kW": (0, 90, 1, ("OUTPUT", "POWER")),
    "Hz": (48, 61, 2, ("FREQUENCY", "OUTPUT")),
    "rpm": (0, 3600, 0, ("SPEED", "MOTOR")),
    "%": (0, 100, 0, ("LEVEL", "TANK 2", "LOAD")),
    "m³/h": (0, 320, 1, ("FLOW",)),
    "mm/s": (0, 12, 2, ("VIBRATION",)),
    "h": (0, 9999, 0, ("HOURS RUN",)),
    "mA": (4, 20, 2, ("LOOP", "PV")),
}


@dataclass(frozen=True, slots=True)
class Meter:
    """A digital meter before it is drawn; `text` is what it shows, with `.` for the decimal point."""

    text: str
    unit: str
    name: str = ""
    glow: Colour | None = (255, 52, 44)
    crystal: tuple[Colour, Colour] = _CRYSTALS[0]
    body: Colour = (44, 46, 50)
    slant: float = 0.1
    buttons: int = 3
    unit_on_display: bool = False
    cells: int = 4


def random_meter(rng: Rng) -> Meter:
    unit = pick(rng, tuple(_QUANTITIES))
    low, high, decimals, names = _QUANTITIES[unit]
    text = f"{between(rng, low, high):.{decimals}f}"
    liquid = chance(rng, 0.42)
    return Meter(
        text,
        unit,
        pick(rng, ("", *names)),
        None if liquid else pick(rng, _GLOWS),
        pick(rng, _CRYSTALS),
        pick(rng, ((44, 46, 50), (30, 30, 32), (196, 198, 196), (84, 90, 98), (214, 208, 192))),
        pick(rng, (0.0, 0.08, 0.12)),
        pick(rng, (0, 2, 3, 4)),
        chance(rng, 0.4),
        max(4, len(text.replace(".", "")) + int(rng.integers(0, 2))),
    )


def draw_meter(meter: Meter, width: int, rng: Rng) -> Part:
    """The meter as a part. Boxes: `display`, `value` (the lit digits), `unit`."""
    height = round(width * (0.56 if meter.buttons else 0.46))
    canvas = plain(rng, width, height, meter.body)
    alpha = rounded(width, height, width * 0.03)
    bevel(canvas, alpha, max(1, width // 70), 0.6)
    top = round(height * (0.2 if meter.name else 0.1))
    low = round(height * (0.74 if meter.buttons else 0.88))
    display = Box(round(width * 0.07), top, round(width * 0.93), low)
    pane, value, unit = _display(meter, int(display.width), int(display.height))
    x, y = int(display.x0), int(display.y0)
    edge = max(2, width // 90)
    canvas[y - edge : y + pane.shape[0] + edge, x - edge : x + pane.shape[1] + edge] = (14, 14, 16)
    canvas[y : y + pane.shape[0], x : x + pane.shape[1]] = pane
    ink: Colour = (226, 228, 228) if sum(meter.body) < 330 else (30, 32, 34)
    boxes = {"display": display, "value": Box(value.x0 + x, value.y0 + y, value.x1 + x, value.y1 + y)}
    if meter.name:
        letter(canvas, meter.name, (x, top - height * 0.055), ("sans-bold", round(height * 0.1)), ink)
    if unit is not None:
        boxes["unit"] = Box(unit.x0 + x, unit.y0 + y, unit.x1 + x, unit.y1 + y)
    else:
        size = round(height * 0.1)
        spot = (width * 0.86, top - height * 0.1) if meter.name else (width * 0.5, low + height * 0.055)
        boxes["unit"] = letter_centred(canvas, meter.unit, spot, ("sans-bold", size), ink)
    for index in range(meter.buttons):
        spot = (width * (0.2 + 0.6 * (index + 0.5) / meter.buttons), height * 0.89)
        disc(canvas, (spot[0] + 1, spot[1] + 2), height * 0.05, (12, 12, 14))
        disc(canvas, spot, height * 0.048, (92, 96, 102))
    attributes = {"value": float(meter.text), "text": meter.text, "unit": meter.unit, "name": meter.name,
                  "display": "led" if meter.glow else "lcd"}  # fmt: skip
    return Part("meter", canvas, alpha, attributes, {}, boxes, 0.03)


def _display(meter: Meter, width: int, height: int) -> tuple[Canvas, Box, Box | None]:
    """The pane with its digits, right-aligned; the boxes of the digits and of a unit on the pane."""
    if meter.glow:
        ground: Colour = (16, 10, 10)
        on, off = meter.glow, tuple(int(14 + c * 0.07) for c in meter.glow)
    else:
        ground, on = meter.crystal
        off = tuple(int(g + (o - g) * 0.07) for g, o in zip(ground, on, strict=True))
    pane = blank(width, height, ground)
    unit_box = None
    right = width * 0.95
    if meter.unit_on_display:
        size = round(height * 0.24)
        right -= width * 0.2
        unit_box = letter_centred(
            pane, meter.unit, (right + width * 0.11, height * 0.74), ("sans-bold", size), on
        )
    digit_h = height * 0.7
    pitch = min(digit_h * 0.68, (right - width * 0.05) / meter.cells)
    digit_h = min(digit_h, pitch * 1.75)
    y = (height - digit_h) / 2
    signs = _cells(meter.text, meter.cells)
    first = width
    for index, (sign, point) in enumerate(signs):
        x = right - pitch * (len(signs) - index)
        _digit(
            pane, sign, point, (x, y), (pitch * 0.74, digit_h), meter.slant, (on, (off[0], off[1], off[2]))
        )
        if sign != " ":
            first = min(first, int(x))
    if meter.glow:
        halo = cv2.GaussianBlur(pane, (0, 0), max(1.0, height * 0.05))
        pane = np.asarray(cv2.addWeighted(pane, 1.0, halo, 0.45, 0), np.uint8)
    else:
        depth = np.ones((height, width), np.float32)
        rim = max(2, height // 14)
        depth[:rim] = np.linspace(0.62, 1, rim, dtype=np.float32)[:, None]
        shade(pane, depth)
    return pane, Box(max(0, first), y, right, y + digit_h), unit_box


def _cells(text: str, count: int) -> list[tuple[str, bool]]:
    """Signs with whether a point follows, padded with blanks on the left."""
    signs: list[tuple[str, bool]] = []
    for char in text:
        if char == "." and signs:
            signs[-1] = (signs[-1][0], True)
        else:
            signs.append((char, False))
    return [(" ", False)] * (count - len(signs)) + signs


def _digit(
    pane: Canvas,
    sign: str,
    point: bool,
    origin: tuple[float, float],
    size: tuple[float, float],
    slant: float,
    colours: tuple[Colour, Colour],
) -> None:
    (x, y), (w, h) = origin, size
    t = min(w, h / 2) * 0.2
    m = h / 2
    gap = t * 0.16

    def flat(cy: float) -> list[Point]:
        a, b, inner, outer = t / 2 + gap, w - t / 2 - gap, t + gap, w - t - gap
        return [
            (a, cy),
            (inner, cy - t / 2),
            (outer, cy - t / 2),
            (b, cy),
            (outer, cy + t / 2),
            (inner, cy + t / 2),
        ]

    def tall(cx: float, top: float, bottom: float) -> list[Point]:
        a, b, upper, lower = top + gap, bottom - gap, top + t / 2 + gap, bottom - t / 2 - gap
        return [
            (cx, a),
            (cx + t / 2, upper),
            (cx + t / 2, lower),
            (cx, b),
            (cx - t / 2, lower),
            (cx - t / 2, upper),
        ]

    lo, hi, left, right = h - t / 2, t / 2, t / 2, w - t / 2
    shapes = [
        flat(hi),
        tall(right, hi, m),
        tall(right, m, lo),
        flat(lo),
        tall(left, m, lo),
        tall(left, hi, m),
        flat(m),
    ]
    for lit, shape in zip(_SEGMENTS[sign], shapes, strict=True):
        placed = [(x + px + (h - py) * slant, y + py) for px, py in shape]
        polygon(pane, placed, colours[0] if lit == "1" else colours[1])
    disc(pane, (x + w + t * 0.75, y + h - t * 0.55), t * 0.55, colours[0] if point else colours[1])
