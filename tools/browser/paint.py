"""Paints over parts of a screenshot that nobody may see."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from tools.geometry import Box

#: Pixels around a place: letters may reach beyond their box.
_MARGIN = 2
_COLOUR = (16, 16, 16)


def paint_over(image: Image.Image, places: Sequence[Box]) -> tuple[bytes, Image.Image]:
    """The picture without these places, as PNG and decoded."""
    painted = image.copy()
    draw = ImageDraw.Draw(painted)
    for box in places:
        draw.rectangle((box.x0 - _MARGIN, box.y0 - _MARGIN, box.x1 + _MARGIN, box.y1 + _MARGIN), fill=_COLOUR)
    buffer = io.BytesIO()
    painted.save(buffer, "PNG")
    return buffer.getvalue(), painted
