"""What the detectors find on a photo, and the photo as a model is handed it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tools.mark import Mark

if TYPE_CHECKING:
    from PIL import Image

    from tools.photo import Photo

#: Finds the marks of a photo: OCR lines, shapes, dials with their readings.
Find = Callable[["Photo"], Sequence[Mark]]


def png(photo: Photo) -> bytes:
    """The decoded pixels, losslessly and fast."""
    return encoded(photo.image)


def encoded(image: Image.Image) -> bytes:
    """The pixels as a model is handed them."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def find_marks(photo: Photo) -> Sequence[Mark]:
    """OCR lines, shapes and dials in reading order."""
    from tools.marks.pixels import photo_marks

    return photo_marks(photo.image)
