"""Colours: names as people use them, distance as the eye sees it, contrast as WCAG defines it."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import ImageColor

from llava_agent.checks.sighting import Colour

#: Names that stand for a family of colours; any other name or #hex stands for one colour.
FAMILIES = (
    "red",
    "orange",
    "brown",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "pink",
    "grey",
    "black",
    "white",
)
#: Hue in degrees up to which a family reaches.
_HUES = ((14, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (195, "cyan"), (258, "blue"),
         (295, "purple"), (340, "pink"), (360, "red"))  # fmt: skip


def parse(name: str) -> Colour:
    """`#c00`, `#cc0000`, `rgb(204, 0, 0)` or a name of CSS; ValueError for anything else."""
    red, green, blue = ImageColor.getrgb(name.replace("grey", "gray"))[:3]
    return red, green, blue


def hexed(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def family(colour: Colour) -> str:
    """The name that people give it."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    if value < 0.16:
        return "black"
    chroma = saturation * value
    if saturation < 0.1 or chroma < 0.06:
        return "white" if value > 0.95 else "black" if value < 0.25 else "grey"
    name = next(name for end, name in _HUES if hue * 360 <= end)
    if name in ("orange", "red") and value < 0.7 and hue * 360 > 10 and hue < 0.5:
        return "brown"
    if name == "red" and saturation < 0.45 and value > 0.8:
        return "pink"
    return name


def distance(one: Colour, other: Colour) -> float:
    """CIE76 between two colours in Lab: 2 is just seen, 100 is black against white."""
    return float(np.linalg.norm(_lab(one) - _lab(other)))


def matches(colour: Colour, wanted: str, tolerance: float) -> bool:
    """It is the colour that is meant: of the family, where a family is named, else within the tolerance."""
    name = wanted.casefold().replace("gray", "grey")
    if name in FAMILIES and family(colour) == name:
        return True
    return distance(colour, parse(wanted)) <= tolerance


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of WCAG 2.2, 1 (equal) to 21 (black on white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _linear(colour: Colour) -> np.ndarray:
    channels = np.asarray(colour, dtype=float) / 255
    linear: np.ndarray = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear


def _luminance(colour: Colour) -> float:
    return float(_linear(colour) @ np.array([0.2126, 0.7152, 0.0722]))


def _lab(colour: Colour) -> np.ndarray:
    """sRGB to CIE Lab under D65."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = (matrix @ _linear(colour)) / np.array([0.95047, 1.0, 1.08883])
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])
