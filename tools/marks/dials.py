"""Round gauges, lamps, buttons and knobs on a photo (Hough circles that the gradient confirms)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tools.geometry import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Longer side in pixels to which the photo is reduced first: gauges are large, noise and texture are not.
_SIDE = 640
#: Radius in parts of the shorter side: of a gauge, and of a lamp, a push button or a knob.
_GAUGE = (0.08, 0.55)
_DISC = (0.03, 0.08)
#: Part of the circle along which the gradient must point at or from the centre; and in its poorest quarter.
_SUPPORT, _QUARTER = 0.6, 0.3
_DISC_SUPPORT, _DISC_QUARTER = 0.75, 0.5
#: Cosine of the angle to the radius up to which a gradient counts.
_RADIAL = 0.95
#: Weakest gradient that means anything, in Sobel's units.
_CLEAR = 24.0
#: A circle with less support is not worth centring.
_WORTH = 0.45
#: Circles of Hough's that are looked at, its surest first.
_TRIED = 40
_ANGLES = np.linspace(0, 2 * np.pi, 72, endpoint=False)
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)
_MOST = 8


def detect_dials(image: Image.Image) -> list[Box]:
    """Boxes of round gauges in pixels of `image`, the best supported first; empty where there are none."""
    return _circles(image, _GAUGE, _SUPPORT, _QUARTER, rim=1.32)


def detect_discs(image: Image.Image) -> list[Box]:
    """Boxes of smaller round parts: lamps (lit or not), push buttons, knobs; empty where there are none."""
    return _circles(image, _DISC, _DISC_SUPPORT, _DISC_QUARTER, rim=1.1)


def _circles(
    image: Image.Image, radii: tuple[float, float], support: float, quarter: float, rim: float
) -> list[Box]:
    """Circles with radii in parts of the shorter side; `rim` is how much wider the outermost ring may be."""
    import cv2

    factor = min(1.0, _SIDE / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.BOX))
    grey = cv2.medianBlur(np.ascontiguousarray(grey), 3)
    low, high = (max(6, round(part * min(size))) for part in radii)
    found = cv2.HoughCircles(
        grey, cv2.HOUGH_GRADIENT, 1.5, low, param1=120, param2=0.9 * low + 20, minRadius=low, maxRadius=high
    )
    if found is None:
        return []
    field = _directions(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    rings = np.arange(0.92, rim, 0.03)  # Hough's radius may be that of the scale's ring, or between two
    scored = []
    for x, y, radius in np.asarray(found).reshape(-1, 3)[:_TRIED].tolist():
        x, y, best = _centred(field, x, y, radius * rings)
        points = _confirmed(field, x, y, radius * rings)
        quarters = points[points.mean(axis=1).argmax()].reshape(4, -1).mean(axis=1)
        if best < support or quarters.min() < quarter:
            continue
        outer = float((radius * rings)[points.mean(axis=1) >= max(support, 0.8 * best)].max())
        scored.append((best, x, y, outer))
    return [
        Box(x - radius, y - radius, x + radius, y + radius).scaled(1 / factor).clipped(*image.size)
        for x, y, radius in _apart(scored)
    ]


def _directions(across: NDArray[Any], down: NDArray[Any]) -> NDArray[np.float32]:
    """Unit vectors of the gradient, [height, width, 2]; zero where it is too weak to mean anything."""
    strength = np.hypot(across, down)
    unit = np.stack((across, down), axis=-1) / np.maximum(strength, 1e-6)[..., None]
    return np.where((strength > _CLEAR)[..., None], unit, 0).astype(np.float32)


def _centred(
    field: NDArray[np.float32], x: float, y: float, radii: NDArray[np.float64]
) -> tuple[float, float, float]:
    """The centre moved, by some pixels, to where the best of the rings has most support; and that support."""

    def support(x: float, y: float) -> float:
        return float(_confirmed(field, x, y, radii).mean(axis=1).max())

    best = support(x, y)
    for step in (4, 2, 1):
        if best < _WORTH:  # nothing to centre
            break
        for dx, dy in ((step, 0), (-step, 0), (0, step), (0, -step)):
            moved = support(x + dx, y + dy)
            if moved > best:
                best, x, y = moved, x + dx, y + dy
    return x, y, best


def _confirmed(
    field: NDArray[np.float32], x: float, y: float, radii: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether a clear gradient is radial at each point of each circle, within two pixels: [radii, points].

    Only points of one polarity (bright inside, or dark inside) count: in a texture, where some gradient
    always points the right way, that halves what chance confirms.
    """
    height, width = field.shape[:2]
    reach = (radii[:, None] + np.arange(-2, 3))[:, :, None]  # [radii, steps, 1]
    px = np.rint(x + reach * _COS).astype(int)
    py = np.rint(y + reach * _SIN).astype(int)
    within = (px >= 0) & (px < width) & (py >= 0) & (py < height)
    unit = field[py.clip(0, height - 1), px.clip(0, width - 1)]
    outward = (unit[..., 0] * _COS + unit[..., 1] * _SIN) * within
    bright, dark = (outward > _RADIAL).any(axis=1), (outward < -_RADIAL).any(axis=1)
    darker = dark.sum(axis=1) > bright.sum(axis=1)
    return np.where(darker[:, None], dark, bright)


def _apart(scored: list[tuple[float, float, float, float]]) -> list[tuple[float, float, float]]:
    """Best first, without circles inside, around or across a better one."""
    kept: list[tuple[float, float, float]] = []
    for _, x, y, radius in sorted(scored, key=lambda one: (-round(one[0], 1), -one[3])):
        if all(np.hypot(x - ox, y - oy) > 0.8 * max(radius, other) for ox, oy, other in kept):
            kept.append((x, y, radius))
    return kept[:_MOST]
