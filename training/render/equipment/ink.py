"""Paint on numpy canvases: uint8 RGB arrays of shape (height, width, 3), anti-aliased."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.geometry import Box
from training.render.equipment.fonts import Glyphs, glyphs

Canvas = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Colour = tuple[int, int, int]
Point = tuple[float, float]

_SHIFT = 4
_ONE = 1 << _SHIFT


def fixed(points: Sequence[Point] | NDArray[np.floating]) -> NDArray[np.int32]:
    """Points in OpenCV's fixed point format, for drawing calls with `shift=4`."""
    return np.round(np.asarray(points, dtype=np.float64) * _ONE).astype(np.int32)


def blank(width: int, height: int, colour: Colour = (0, 0, 0)) -> Canvas:
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = colour
    return canvas


def polygon(canvas: NDArray[np.uint8], points: Sequence[Point], colour: Colour | int) -> None:
    cv2.fillPoly(canvas, [fixed(points)], _scalar(colour), cv2.LINE_AA, _SHIFT)


def line(canvas: NDArray[np.uint8], a: Point, b: Point, colour: Colour | int, width: float) -> None:
    """A straight stroke with square ends, `width` pixels wide (OpenCV's own lines have whole widths only)."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = max(1e-6, float(np.hypot(dx, dy)))
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    corners = [(a[0] + nx, a[1] + ny), (b[0] + nx, b[1] + ny), (b[0] - nx, b[1] - ny), (a[0] - nx, a[1] - ny)]
    cv2.fillConvexPoly(canvas, fixed(corners), _scalar(colour), cv2.LINE_AA, _SHIFT)


def disc(canvas: NDArray[np.uint8], centre: Point, radius: float, colour: Colour | int) -> None:
    x, y = fixed([centre])[0]
    cv2.circle(
        canvas, (int(x), int(y)), max(1, round(radius * _ONE)), _scalar(colour), -1, cv2.LINE_AA, _SHIFT
    )


def ring(canvas: NDArray[np.uint8], centre: Point, radius: float, colour: Colour | int, width: int) -> None:
    x, y = fixed([centre])[0]
    size = max(1, round(radius * _ONE))
    cv2.circle(canvas, (int(x), int(y)), size, _scalar(colour), max(1, width), cv2.LINE_AA, _SHIFT)


def arc(
    canvas: NDArray[np.uint8],
    centre: Point,
    radii: tuple[float, float],
    angles: tuple[float, float],
    colour: Colour | int,
) -> None:
    """A band between two radii, from one angle to the other, radians clockwise from up."""
    steps = max(2, int(abs(angles[1] - angles[0]) / 0.06) + 1)
    along = np.linspace(angles[0], angles[1], steps)
    outline = np.column_stack([np.sin(along), -np.cos(along)])
    points = np.concatenate([outline * radii[1], outline[::-1] * radii[0]]) + np.asarray(centre)
    cv2.fillPoly(canvas, [fixed(points)], _scalar(colour), cv2.LINE_AA, _SHIFT)


def rounded(width: int, height: int, radius: float, margin: float = 1.0) -> Mask:
    """Coverage of a rounded rectangle that fills the canvas but for `margin` pixels."""
    half_w, half_h = width / 2 - margin, height / 2 - margin
    radius = min(radius, half_w, half_h)
    x = np.abs(np.arange(width, dtype=np.float32) - (width - 1) / 2) - np.float32(half_w - radius)
    y = np.abs(np.arange(height, dtype=np.float32) - (height - 1) / 2) - np.float32(half_h - radius)
    outside = np.hypot(np.maximum(x, 0)[None, :], np.maximum(y, 0)[:, None])
    inside = np.minimum(np.maximum(x[None, :], y[:, None]), 0)
    return np.clip((radius - outside - inside + 0.5) * 255, 0, 255).astype(np.uint8)


def stamp(canvas: Canvas, mask: Mask, x: float, y: float, colour: Colour, opacity: float = 1.0) -> None:
    """Blend a colour through a coverage mask with its top left corner at (x, y); the rest is cut."""
    left, top = round(x), round(y)
    height, width = mask.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, canvas.shape[1]), min(top + height, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    cover = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    if cover.size > 4096:  # most of a large mask is often empty: blend only where there is ink
        filled = cv2.boundingRect(cover)
        x0, y0, cover = x0 + filled[0], y0 + filled[1], _window(cover, filled)
        x1, y1 = x0 + filled[2], y0 + filled[3]
    share = cover[..., None] * np.float32(opacity / 255)
    region = canvas[y0:y1, x0:x1]
    region[:] = region + (np.asarray(colour, np.float32) - region) * share + np.float32(0.5)


def _window(mask: Mask, rectangle: Sequence[int]) -> Mask:
    x, y, width, height = rectangle
    return mask[y : y + height, x : x + width]


def letter(
    canvas: Canvas, text: str, origin: Point, font: tuple[str, int], colour: Colour, relief: int = 0
) -> Box:
    """Write text with its baseline starting at `origin`; `relief` 1 is engraved, -1 embossed, 0 printed.

    Returns the box of the ink.
    """
    shape = glyphs(text, *font)
    x, y = round(origin[0]) + shape.left, round(origin[1]) + shape.top
    if relief:
        step = max(1, round(font[1] / 22)) * relief
        stamp(canvas, shape.mask, x + step, y + step, (255, 255, 255), 0.55)
        stamp(canvas, shape.mask, x - step, y - step, (0, 0, 0), 0.35)
    stamp(canvas, shape.mask, x, y, colour)
    return Box(x, y, x + shape.width, y + shape.height)


def letter_centred(
    canvas: Canvas, text: str, centre: Point, font: tuple[str, int], colour: Colour, relief: int = 0
) -> Box:
    """Write text with the middle of its ink at `centre`; returns the box of the ink."""
    shape: Glyphs = glyphs(text, *font)
    origin = (centre[0] - shape.width / 2 - shape.left, centre[1] - shape.height / 2 - shape.top)
    return letter(canvas, text, origin, font, colour, relief)


def shade(canvas: Canvas, factor: NDArray[np.float32]) -> None:
    """Multiply a canvas in place by a (height, width) map of light, 1 leaves it as it is."""
    np.copyto(canvas, np.clip(canvas * factor[..., None], 0, 255).astype(np.uint8))


def _scalar(colour: Colour | int) -> tuple[float, ...]:
    return (float(colour),) if isinstance(colour, int) else tuple(float(channel) for channel in colour)
