"""How a flat part lands in the photo: 3x3 homographies from pixels to pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.geometry import Box

Homography = NDArray[np.float64]
Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


def shift(x: float, y: float) -> Homography:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scale(factor: float) -> Homography:
    return np.diag([factor, factor, 1.0])


def tilt(centre: tuple[float, float], focal: float, yaw: float, pitch: float, roll: float) -> Homography:
    """A plane seen by a pinhole camera after it was turned about `centre` (radians; `focal` in pixels).

    At zero angles it is the identity; `roll` turns clockwise in the image.
    """
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = (
        np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    )
    lens = np.array(
        [
            [focal * turn[0, 0], focal * turn[0, 1], 0.0],
            [focal * turn[1, 0], focal * turn[1, 1], 0.0],
            [turn[2, 0], turn[2, 1], focal],
        ]
    )
    return shift(*centre) @ lens @ shift(-centre[0], -centre[1])


def project(homography: Homography, points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Map n points; returns an array of shape (n, 2)."""
    flat = np.column_stack([np.asarray(points, dtype=np.float64).reshape(-1, 2), np.ones(len(points))])
    mapped = flat @ homography.T
    return mapped[:, :2] / mapped[:, 2:3]


def project_point(homography: Homography, point: tuple[float, float]) -> tuple[float, float]:
    x, y = project(homography, [point])[0]
    return float(x), float(y)


def project_quad(homography: Homography, box: Box) -> Quad:
    """The four corners of a box, clockwise from its top left one."""
    corners = [(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)]
    a, b, c, d = ((float(x), float(y)) for x, y in project(homography, corners))
    return a, b, c, d


def bounds(points: Sequence[tuple[float, float]] | NDArray[np.float64]) -> Box:
    flat = np.asarray(points, dtype=np.float64)
    return Box(*(float(edge) for edge in (*flat.min(0), *flat.max(0))))


def bearing(origin: tuple[float, float], target: tuple[float, float]) -> float:
    """Direction from one point to another in the image, radians clockwise from up, in (-pi, pi]."""
    return float(np.arctan2(target[0] - origin[0], origin[1] - target[1]))
