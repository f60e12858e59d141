"""Looks at a screenshot or photo in a file; its text is read from the pixels."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from llava_agent.checks.sighting import Colour, Part, Sighting, Word
from tools.geometry import Box

if TYPE_CHECKING:
    from PIL import Image

    from tools.ocr import OcrLine

PictureKind = Literal["photo", "screenshot"]
_SCREENSHOTS = (".png", ".webp", ".gif", ".bmp")


def kind_of(path: Path) -> PictureKind:
    """What a file most likely is, by its name."""
    return "screenshot" if path.suffix.lower() in _SCREENSHOTS else "photo"


class PictureSubject:
    """A picture in a file.

    Args:
        kind: of a screenshot, boxes and icons are found; of a photo, dials and small print.
    """

    def __init__(self, path: Path, kind: PictureKind | None = None) -> None:
        self._path, self._kind = path, kind or kind_of(path)

    async def look(self) -> Sighting:
        return await asyncio.to_thread(look_at_picture, self._path, self._kind)


def look_at_picture(path: Path, kind: PictureKind) -> Sighting:
    """ImageError where it is no picture."""
    from llava_agent.agent.picture import png
    from tools.marks.pixels import photo_marks, read_screen
    from tools.ocr import PHOTO_MIN_SIDE, read_lines
    from tools.photo import load_image

    photo = load_image(path)
    if kind == "screenshot":
        marks, lines = read_screen(photo.image), read_lines(photo.image)
    else:
        lines = read_lines(photo.image, min_side=PHOTO_MIN_SIDE)
        marks = photo_marks(photo.image, lines)
    part = Part(marks, png(photo), tuple(words_of(lines, np.asarray(photo.image))))
    return Sighting((part,), exact=False)


def words_of(lines: list[OcrLine], pixels: np.ndarray) -> list[Word]:
    """The words of lines that were read, each with its share of the line's box and its measured colours."""
    found = []
    for run, line in enumerate(lines, start=1):
        colour, ground = ink_and_ground(pixels, line.box)
        length = max(1, len(line.text))
        for match in re.finditer(r"\S+", line.text):
            left, right = (line.box.x0 + line.box.width * at / length for at in match.span())
            box = Box(left, line.box.y0, right, line.box.y1)
            word = Word(match[0], run, False, box, "ocr", score=line.score)
            found.append(replace(word, colour=colour, ground=ground))
    return found


def ink_and_ground(pixels: np.ndarray, box: Box) -> tuple[Colour | None, Colour | None]:
    """The colours of the letters in a box and of what they stand on: the ground is what most pixels have."""
    inner = box.clipped(pixels.shape[1], pixels.shape[0])
    part = pixels[int(inner.y0) : int(np.ceil(inner.y1)), int(inner.x0) : int(np.ceil(inner.x1))].reshape(
        -1, 3
    )
    if len(part) < 12:
        return None, None
    ground = most_common(part)
    away = np.abs(part.astype(int) - ground).max(axis=1)
    ink = part[away >= max(INK_LEAST, float(np.quantile(away, 0.97)))]
    if not len(ink):
        return None, ground
    red, green, blue = (round(float(value)) for value in np.median(ink, axis=0))
    return (red, green, blue), ground


#: Levels that letters differ from their ground at least.
INK_LEAST = 16.0


def most_common(pixels: np.ndarray) -> Colour:
    """The middle of the fullest of 16 x 16 x 16 bins."""
    bins = (pixels >> 4).astype(np.int32) @ np.array([256, 16, 1])
    fullest = np.bincount(bins).argmax()
    red, green, blue = (round(float(value)) for value in np.median(pixels[bins == fullest], axis=0))
    return red, green, blue


def read_opaque(image: Image.Image, boxes: tuple[Box, ...]) -> list[Word]:
    """The words in places of a page whose text the page does not know."""
    from tools.ocr import read_lines

    found: list[Word] = []
    for box in boxes:
        inner = box.clipped(image.width, image.height)
        crop = image.crop((int(inner.x0) - 2, int(inner.y0) - 2, int(inner.x1) + 2, int(inner.y1) + 2))
        if crop.width < 16 or crop.height < 8:
            continue
        words = words_of(read_lines(crop), np.asarray(crop))
        first = found[-1].run if found else 0
        found += [
            replace(
                word,
                run=word.run + first,
                box=Box(
                    word.box.x0 + int(inner.x0) - 2,
                    word.box.y0 + int(inner.y0) - 2,
                    word.box.x1 + int(inner.x0) - 2,
                    word.box.y1 + int(inner.y0) - 2,
                ),
            )
            for word in words
        ]
    return found
