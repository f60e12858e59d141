"""Draws an explanation on its image: what counted glows, the rest is dimmed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from llava_agent.lab.explanation import Region

#: How dark and grey the image becomes where nothing counted.
_DIM = 0.45
#: From little to much, readable for the colour-blind (a part of matplotlib's `inferno`).
_RAMP = ((120, 28, 109), (187, 55, 84), (237, 105, 37), (251, 180, 26), (252, 255, 164))
#: Regions that get a number.
_NUMBERED = 5


def heat(image: Image.Image, regions: Sequence[Region], numbers: bool = True) -> Image.Image:
    """The image with its regions in the colour of their share.

    Args:
        numbers: write the rank on the foremost regions; cells of attention get none.
    """
    base = Image.blend(image.convert("RGB"), image.convert("L").convert("RGB"), 0.75)
    base = Image.eval(base, lambda value: int(value * _DIM))
    shares = Image.new("F", image.size, 0.0)
    for region in sorted(regions, key=lambda one: one.share):
        ImageDraw.Draw(shares).rectangle(_inside(region, image.size), fill=region.share)
    seen = np.asarray(shares)[..., None]
    lit = np.clip(np.sqrt(seen), 0.0, 1.0)  # a tenth of the probability is still to be seen
    pixels = np.asarray(base) * (1 - lit) + np.asarray(image.convert("RGB")) * lit
    tint = _coloured(seen[..., 0])
    outlines = Image.fromarray(np.where(seen > 0, 0.72 * pixels + 0.28 * tint, pixels).astype(np.uint8))
    _frame(outlines, regions, numbers)
    return outlines


def write_heat(image: Image.Image, regions: Sequence[Region], path: Path) -> None:
    """Write `heat` to a file whose ending says its format; whole or not at all.

    Raises:
        ToolError: the file cannot be written, or its ending names no image format.
    """
    from llava_agent.evidence import write_image

    write_image(heat(image, regions), path)


def _coloured(
    shares: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    ramp = np.asarray(_RAMP, dtype=np.float64)
    at = np.clip(shares, 0, 1) * (len(_RAMP) - 1)
    low = np.floor(at).astype(int).clip(0, len(_RAMP) - 2)
    part = (at - low)[..., None]
    return ramp[low] * (1 - part) + ramp[low + 1] * part


def _frame(image: Image.Image, regions: Sequence[Region], numbers: bool) -> None:
    unit = max(1, round(min(image.size) / 400))
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=11 * unit)
    marked = [region for region in regions if region.role] if numbers else []
    for rank, region in reversed(list(enumerate(marked[:_NUMBERED], start=1))):
        colour = tuple(int(value) for value in _coloured(np.asarray([region.share], dtype=np.float32))[0])
        x0, y0, x1, y1 = _inside(region, image.size)
        pen.rectangle((x0 - unit, y0 - unit, x1 + unit, y1 + unit), outline=colour, width=2 * unit)
        text = f"{rank}  {region.share:.0%}"
        left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
        width, height = right - left + 6 * unit, bottom - top + 4 * unit
        x = min(max(0, x0 - unit), image.width - width)
        y = y0 - height - unit if y0 >= height + unit else min(y1 + unit, image.height - height)
        pen.rectangle((x, y, x + width, y + height), fill=(20, 20, 28), outline=colour)
        pen.text((x + 3 * unit - left, y + 2 * unit - top), text, fill=(255, 255, 255), font=font)


def _inside(region: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = region.box
    x0, y0 = min(max(0, x0), size[0] - 1), min(max(0, y0), size[1] - 1)
    return x0, y0, max(x0, min(x1, size[0]) - 1), max(y0, min(y1, size[1]) - 1)
