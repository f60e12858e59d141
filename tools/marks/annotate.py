"""Draw marks, the chosen target and evidence on an image, readable on a phone and on a desktop."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from tools.geometry import Box
from tools.mark import Mark

#: Controls, texts and dials in three quiet colours; the chosen target and the evidence stand out.
_COLOURS = {"text": (90, 110, 140), "heading": (90, 110, 140), "dial": (130, 60, 190)}
_CONTROL = (20, 110, 220)
_CHOSEN = (225, 30, 60)
_EVIDENCE = (0, 140, 70)
_WHITE = (255, 255, 255)


def annotate(
    image: Image.Image,
    marks: Sequence[Mark],
    chosen: Mark | Box | str | None = None,
    evidence: Sequence[Box] = (),
    numbers: Sequence[int] = (),
) -> Image.Image:
    """A copy of `image` with numbered marks.

    Args:
        image: what the boxes belong to.
        marks: drawn thin, with their position (from 1) as a small number; those without a box are left out.
        chosen: a mark, its ref, or a box: drawn thick in red, with a cross at its centre.
        evidence: boxes drawn in green, tinted.
        numbers: of the marks, where they are not their positions.
    """
    unit = max(1.0, min(image.size) / 600)
    drawn = image.convert("RGB").copy()
    pen = ImageDraw.Draw(drawn, "RGBA")
    font = ImageFont.load_default(size=round(11 * unit))
    for number, mark in zip(numbers or range(1, len(marks) + 1), marks, strict=True):
        if mark.box is not None:
            colour = _COLOURS.get(mark.role, _CONTROL)
            pen.rectangle(_corners(mark.box, image.size), outline=(*colour, 190), width=round(unit))
            _tag(pen, mark.box, str(number), colour, font, image.size)
    for box in evidence:
        corners = _corners(box.grown(1.04), image.size)
        pen.rectangle(corners, fill=(*_EVIDENCE, 45), outline=(*_EVIDENCE, 255), width=round(3 * unit))
    target = _box_of(chosen, marks)
    if target is not None:
        _aim(pen, target, unit, image.size)
    return drawn


def _box_of(chosen: Mark | Box | str | None, marks: Sequence[Mark]) -> Box | None:
    if isinstance(chosen, str):
        chosen = next((mark for mark in marks if mark.ref == chosen), None)
    return chosen.box if isinstance(chosen, Mark) else chosen


def _corners(box: Box, size: tuple[int, int]) -> tuple[float, float, float, float]:
    inner = box.clipped(size[0], size[1])
    return inner.x0, inner.y0, max(inner.x0, inner.x1 - 1), max(inner.y0, inner.y1 - 1)


def _aim(pen: ImageDraw.ImageDraw, box: Box, unit: float, size: tuple[int, int]) -> None:
    """A thick frame with a white edge, to show on any ground; in a large one a cross at the centre."""
    for colour, gap, width in ((_WHITE, 5 * unit, 5 * unit), (_CHOSEN, 4 * unit, 3 * unit)):
        around = Box(box.x0 - gap, box.y0 - gap, box.x1 + gap, box.y1 + gap)
        corners = _corners(around, size)
        pen.rounded_rectangle(corners, 4 * unit, outline=(*colour, 255), width=round(width))
    x, y = box.centre
    arm = 6 * unit
    if box.height < 4 * arm:
        return  # the cross would hide what it points at
    for colour, width in ((_WHITE, 4 * unit), (_CHOSEN, 2 * unit)):
        pen.line((x - arm, y, x + arm, y), fill=(*colour, 255), width=round(width))
        pen.line((x, y - arm, x, y + arm), fill=(*colour, 255), width=round(width))


def _tag(
    pen: ImageDraw.ImageDraw,
    box: Box,
    text: str,
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: tuple[int, int],
) -> None:
    """The number left above the box's corner, moved inside where the image ends."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    width, height = right - left + 4, bottom - top + 3
    x = min(max(0.0, box.x0 - width / 3), size[0] - width)
    y = min(max(0.0, box.y0 - height * 0.7), size[1] - height)
    pen.rectangle((x, y, x + width, y + height), fill=(*colour, 225))
    pen.text((x + 2 - left, y + 1 - top), text, fill=_WHITE, font=font)
