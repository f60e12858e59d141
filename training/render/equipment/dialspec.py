"""What a dial shows (its scale and value) and how it looks (its style), apart from any pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass

from training.render.equipment.ink import Colour
from training.render.equipment.part import Rng, between, chance, pick

#: Unit -> the ranges that instruments with it are sold with.
RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "bar": (
        (0, 1), (0, 1.6), (0, 2.5), (0, 4), (0, 6), (0, 10), (0, 16), (0, 25), (0, 40), (0, 60), (0, 100),
        (0, 160), (0, 250), (0, 400), (-1, 0), (-1, 1.5), (-1, 3), (-1, 5), (-1, 9),
    ),
    "psi": ((0, 15), (0, 30), (0, 60), (0, 100), (0, 160), (0, 200), (0, 300), (0, 600), (0, 1000)),
    "kPa": ((0, 60), (0, 100), (0, 160), (0, 250), (0, 400), (0, 600), (0, 1000), (-100, 0)),
    "MPa": ((0, 0.6), (0, 1), (0, 1.6), (0, 2.5), (0, 4), (0, 6), (0, 10), (0, 25)),
    "°C": (
        (0, 60), (0, 100), (0, 120), (0, 160), (0, 200), (0, 250), (0, 400), (-20, 60), (-30, 50), (-40, 40),
    ),
    "%": ((0, 100),),
    "A": ((0, 10), (0, 25), (0, 40), (0, 60), (0, 100)),
    "V": ((0, 30), (0, 250), (0, 400), (0, 500)),
    "l/min": ((0, 25), (0, 40), (0, 60), (0, 100)),
}  # fmt: skip
_UNITS: tuple[str, ...] = (*("bar",) * 8, *("psi",) * 3, *("kPa",) * 2, *("MPa",) * 2, *("°C",) * 4)
_UNITS = (*_UNITS, "%", "A", "V", "l/min")

_STEPS = (1.0, 2.0, 2.5, 4.0, 5.0)

WHITE, CREAM, BLACK = (240, 240, 236), (236, 227, 198), (28, 29, 31)


@dataclass(frozen=True, slots=True)
class DialSpec:
    """The scale of a dial and what it shows. Angles are radians clockwise from up, on the upright dial.

    `start` is the direction of `minimum`; the direction of `maximum` is `start + sweep`.
    `numerals` are the values written on the face, `minor` the number of divisions between two of them.
    `limit` is the value of a second, red hand, or None.
    """

    minimum: float
    maximum: float
    unit: str
    value: float
    start: float
    sweep: float
    numerals: tuple[float, ...]
    minor: int
    limit: float | None = None

    @property
    def fraction(self) -> float:
        """Where the needle stands on the scale, 0 at the minimum and 1 at the maximum."""
        return (self.value - self.minimum) / (self.maximum - self.minimum)

    @property
    def angle(self) -> float:
        """Direction of the needle on the upright dial."""
        return self.direction(self.value)

    def direction(self, value: float) -> float:
        return self.start + self.sweep * (value - self.minimum) / (self.maximum - self.minimum)


@dataclass(frozen=True, slots=True)
class DialStyle:
    """The looks of a dial. Lengths are shares of the radius of its face."""

    face: Colour = WHITE
    ink: Colour = (20, 20, 22)
    needle: Colour = (20, 20, 22)
    bezel: Colour = (196, 198, 200)
    bezel_width: float = 0.12
    flange: bool = False
    shape: str = "taper"
    needle_length: float = 0.80
    needle_width: float = 0.035
    tail: float = 0.25
    tail_disc: bool = False
    hub: float = 0.09
    hub_colour: Colour = (40, 40, 42)
    hub_screw: bool = False
    scale_radius: float = 0.92
    major: float = 0.13
    tick_width: float = 0.016
    scale_line: bool = True
    numerals_inside: bool = True
    font: str = "sans"
    numeral_size: float = 0.16
    unit_size: float = 0.16
    unit_offset: float = 0.38
    unit_first: bool = False
    brand: str = ""
    note: str = ""
    comma: bool = False
    turned_numerals: bool = False
    zones: tuple[tuple[float, float, Colour], ...] = ()
    zone_width: float = 0.05
    limit_colour: Colour = (196, 28, 30)
    light: float = 0.6
    glare: float = 0.0
    dirt: float = 0.0
    second_unit: str = ""
    second_numerals: tuple[tuple[float, str], ...] = ()


def numeral_values(minimum: float, maximum: float, at_most: int) -> tuple[float, ...]:
    """The finest round steps that give at most `at_most` divisions, from the minimum to the maximum."""
    span = maximum - minimum
    for exponent in range(-3, 4):
        for step in (s * 10.0**exponent for s in _STEPS):
            count = span / step
            fits = abs(count - round(count)) < 1e-6 and abs(minimum / step - round(minimum / step)) < 1e-6
            if fits and round(count) <= at_most:
                return tuple(round(minimum + step * i, 6) for i in range(round(count) + 1))
    return (minimum, maximum)


def random_spec(rng: Rng) -> DialSpec:
    unit = pick(rng, _UNITS)
    low, high = (float(edge) for edge in pick(rng, RANGES[unit]))
    numerals = numeral_values(low, high, pick(rng, (5, 6, 8, 8, 10, 12)))
    degrees = pick(rng, (270, 270, 270, 270, 300, 300, 280, 260, 240, 240, 220, 200, 180))
    sweep = math.radians(degrees)
    start = -sweep / 2
    if chance(rng, 0.06):
        start += math.radians(pick(rng, (-45, 45, 90)))
    draw = rng.random()
    fraction = 0.0 if draw < 0.04 else 1.0 if draw < 0.05 else between(rng, 0.0, 1.0)
    if chance(rng, 0.3):
        fraction = fraction**1.5
    limit = low + (high - low) * between(rng, 0.5, 1.0) if chance(rng, 0.16) else None
    return DialSpec(
        low,
        high,
        unit,
        low + (high - low) * fraction,
        start,
        sweep,
        numerals,
        pick(rng, (2, 4, 5, 5, 10)),
        limit,
    )


_BRANDS = (
    "NOVATEK", "Halden", "TERMA", "Brunner", "ISOMET", "KELVO", "Armatek", "PRESSIO", "Veldt", "Orvix",
    "MANOTEC", "Linde & Roth", "SARN", "Calder", "HYDROMESS",
)  # fmt: skip
_NOTES = (
    "CL. 1.6",
    "CL 2.5",
    "EN 837-1",
    "Kl. 1,0",
    "MADE IN EU",
    "NO OIL",
    "Class 1.6",
    "GLYCERINE",
    "316L",
)
_GREENS = ((38, 150, 70), (60, 170, 60), (20, 130, 90))
_REDS = ((205, 35, 35), (220, 50, 30), (180, 20, 40))
_YELLOWS = ((235, 190, 30), (240, 160, 20))


def random_style(rng: Rng, spec: DialSpec, difficulty: float) -> DialStyle:
    """Looks that go with a scale: contrasting needle and ink, numerals that fit between the ticks."""
    dark = chance(rng, 0.2)
    face = (
        pick(rng, (BLACK, (38, 42, 48), (24, 32, 46)))
        if dark
        else pick(
            rng, (WHITE, WHITE, (250, 250, 250), (226, 228, 228), CREAM, (228, 214, 176), (206, 220, 226))
        )
    )
    ink = (236, 236, 230) if dark else pick(rng, ((20, 20, 22), (20, 20, 22), (30, 34, 60), (52, 48, 44)))
    if dark:
        needle = pick(rng, ((240, 240, 236), (235, 90, 30), (225, 40, 40), (245, 190, 40)))
    else:
        needle = pick(
            rng, ((20, 20, 22), (20, 20, 22), (20, 20, 22), (200, 30, 30), (30, 50, 120), (220, 90, 20))
        )
    count = len(spec.numerals)
    size = between(rng, 0.13, 0.19) if count <= 7 else between(rng, 0.10, 0.15)
    if max(len(number(v)) for v in spec.numerals) >= 4:
        size *= 0.82
    inside = chance(rng, 0.82)
    scale_radius = between(rng, 0.84, 0.95) if inside else between(rng, 0.66, 0.74)
    red_needle = needle[0] > 180 and needle[1] < 100
    unit_side = pick(rng, (1, 1, 1, -1)) if spec.sweep >= math.radians(230) and spec.start > -2.8 else -1
    offset = between(rng, 0.30, 0.52) if unit_side == 1 else between(rng, 0.28, 0.38)
    second = _second_scale(rng, spec) if inside and scale_radius > 0.88 and chance(rng, 0.14) else ()
    bezel = pick(
        rng,
        (
            (198, 200, 202),
            (198, 200, 202),
            (170, 172, 176),
            (40, 41, 43),
            (24, 24, 26),
            (176, 146, 88),
            (92, 96, 100),
        ),
    )
    return DialStyle(
        face=face,
        ink=ink,
        needle=needle,
        bezel=bezel,
        bezel_width=between(rng, 0.06, 0.2),
        flange=chance(rng, 0.12),
        shape=pick(rng, ("taper", "taper", "bar", "arrow", "lance", "blade", "thin")),
        needle_length=scale_radius * between(rng, 0.82, 1.0)
        if inside
        else scale_radius * between(rng, 0.85, 1.02),
        needle_width=between(rng, 0.022, 0.055),
        tail=pick(rng, (0.0, between(rng, 0.12, 0.4), between(rng, 0.12, 0.4))),
        tail_disc=chance(rng, 0.22),
        hub=between(rng, 0.05, 0.16),
        hub_colour=pick(rng, (needle, (40, 40, 42), (170, 172, 176), (190, 160, 96), (90, 92, 96))),
        hub_screw=chance(rng, 0.3),
        scale_radius=scale_radius,
        major=between(rng, 0.09, 0.16),
        tick_width=between(rng, 0.010, 0.024),
        scale_line=chance(rng, 0.5),
        numerals_inside=inside,
        font=pick(
            rng,
            ("sans", "sans", "sans-bold", "narrow", "narrow-bold", "wide", "gothic", "gothic-bold", "serif"),
        ),
        numeral_size=size,
        unit_size=between(rng, 0.12, 0.2),
        unit_offset=offset * unit_side,
        brand=pick(rng, _BRANDS) if chance(rng, 0.6) else "",
        note=pick(rng, _NOTES) if chance(rng, 0.5) else "",
        comma=chance(rng, 0.12),
        turned_numerals=chance(rng, 0.1),
        zones=_random_zones(rng) if chance(rng, 0.4) else (),
        zone_width=between(rng, 0.03, 0.08),
        limit_colour=pick(rng, ((235, 200, 40), (60, 160, 80))) if red_needle else pick(rng, _REDS),
        light=between(rng, -3.1, 3.1),
        glare=between(rng, 0.0, 0.75 * difficulty) if chance(rng, 0.7) else 0.0,
        dirt=between(rng, 0.0, difficulty) if chance(rng, 0.4) else 0.0,
        second_unit="psi" if second else "",
        second_numerals=second,
    )


def _random_zones(rng: Rng) -> tuple[tuple[float, float, Colour], ...]:
    """Coloured arcs as (first fraction, last fraction, colour)."""
    a, b = between(rng, 0.3, 0.6), between(rng, 0.65, 0.92)
    green, red, yellow = pick(rng, _GREENS), pick(rng, _REDS), pick(rng, _YELLOWS)
    return pick(
        rng,
        (
            ((b, 1.0, red),),
            ((0.0, b, green), (b, 1.0, red)),
            ((a, b, green),),
            ((0.0, a, green), (a, b, yellow), (b, 1.0, red)),
            ((0.0, 0.2, red), (0.2, b, green), (b, 1.0, red)),
        ),
    )


def _second_scale(rng: Rng, spec: DialSpec) -> tuple[tuple[float, str], ...]:
    """An inner psi scale of a bar gauge, as (fraction of the sweep, numeral)."""
    if spec.unit != "bar" or spec.minimum < 0 or spec.maximum < 2:
        return ()
    top = spec.maximum * 14.5038
    step = next(s * 10.0**e for e in range(4) for s in _STEPS if top / (s * 10.0**e) <= 6)
    return tuple((step * i / top, number(step * i)) for i in range(int(top / step) + 1))


def number(value: float, comma: bool = False) -> str:
    """A value as it is written on a face: `0`, `2.5`, `-20`, or `2,5`."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    return text.replace(".", ",") if comma else text
