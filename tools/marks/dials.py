"""Round gauges, lamps, buttons and knobs on a photo (Hough circles that the gradient confirms)."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
_POINTS = 96
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
    across = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 1, 0), np.float32)
    down = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)
    scored = []
    for x, y, radius in np.asarray(found).reshape(-1, 3)[:80].tolist():
        # Hough's radius may be that of the scale's ring, or between two rings: try those around it.
        tried = [
            (radius * by, _confirmed(across, down, x, y, radius * by)) for by in np.arange(0.92, rim, 0.03)
        ]
        best = max((points for _, points in tried), key=lambda points: float(points.mean()))
        if best.mean() < support or best.reshape(4, -1).mean(axis=1).min() < quarter:
            continue
        enough = max(support, 0.8 * float(best.mean()))
        outer = max(wide for wide, points in tried if points.mean() >= enough)
        scored.append((float(best.mean()), x, y, outer))
    return [
        Box(x - radius, y - radius, x + radius, y + radius).scaled(1 / factor).clipped(*image.size)
        for x, y, radius in _apart(scored)
    ]


def _confirmed(
    across: NDArray[np.float32], down: NDArray[np.float32], x: float, y: float, radius: float
) -> NDArray[np.bool_]:
    """Whether a clear gradient is radial at each of the circle's points, within two pixels of it.

    Only points of one polarity (bright inside, or dark inside) count: in a texture, where some gradient
    always points the right way, that halves what chance confirms.
    """
    angles = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    height, width = across.shape
    found = np.zeros((2, _POINTS), bool)
    for step in (-2, -1, 0, 1, 2):
        px = np.rint(x + (radius + step) * np.cos(angles)).astype(int)
        py = np.rint(y + (radius + step) * np.sin(angles)).astype(int)
        within = (px >= 0) & (px < width) & (py >= 0) & (py < height)
        gx = across[py.clip(0, height - 1), px.clip(0, width - 1)]
        gy = down[py.clip(0, height - 1), px.clip(0, width - 1)]
        strength = np.hypot(gx, gy)
        outward = gx * np.cos(angles) + gy * np.sin(angles)
        clear = within & (strength > 24)
        found[0] |= clear & (outward > _RADIAL * strength)
        found[1] |= clear & (outward < -_RADIAL * strength)
    return found[int(found[1].sum() > found[0].sum())]


def _apart(scored: list[tuple[float, float, float, float]]) -> list[tuple[float, float, float]]:
    """Best first, without circles inside, around or across a better one."""
    kept: list[tuple[float, float, float]] = []
    for _, x, y, radius in sorted(scored, key=lambda one: (-round(one[0], 1), -one[3])):
        if all(np.hypot(x - ox, y - oy) > 0.8 * max(radius, other) for ox, oy, other in kept):
            kept.append((x, y, radius))
    return kept[:_MOST]
