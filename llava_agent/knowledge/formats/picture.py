"""Images of pages and labels, read by OCR."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import ImageError
from llava_agent.knowledge.block import CELL, Block, Document
from llava_agent.knowledge.errors import DocumentError

if TYPE_CHECKING:
    from PIL import Image


def read_picture(path: Path) -> Document:
    from tools.photo import load_image

    try:
        photo = load_image(path)
    except ImageError as error:
        raise DocumentError(error.what, error.mend) from error
    text = words_on(photo.image)
    return Document("", (Block("ocr", text, 1),) if text else (), 1)


def words_on(image: Image.Image) -> str:
    """What stands on an image, one line a row; texts that stand apart in a row are divided like cells."""
    from tools.ocr import PHOTO_MIN_SIDE, read_lines

    rows: list[str] = []
    bottom = -1.0
    for line in read_lines(image, min_side=PHOTO_MIN_SIDE):
        middle = line.box.centre[1]
        if rows and middle < bottom:
            rows[-1] += CELL + line.text
        else:
            rows.append(line.text)
            bottom = line.box.y1 - 0.25 * line.box.height
    return "\n".join(rows)
