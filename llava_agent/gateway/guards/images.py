"""Images that would leave the machine: read by OCR, blackened where something was found, written anew.

What leaves is made of the very pixels that were read, with no more detail than was read: no metadata, no
second frame, nothing small that the OCR did not see.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from llava_agent.gateway.guards.finding import Finding

if TYPE_CHECKING:
    from PIL.Image import Image

    from tools.ocr import OcrLine

#: Pixels around a line that are blackened with it.
_MARGIN = 3

Look = Callable[[str], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class ReadImage:
    """An image that was decoded and read.

    Attributes:
        lines: of text, in reading order.
    """

    image: Image
    lines: tuple[OcrLine, ...]

    def findings(self, look: Look) -> dict[int, tuple[str, ...]]:
        """Kinds of what was found, by line; a number that is broken over lines counts for each of them."""
        found: dict[int, set[str]] = {}
        for index, line in enumerate(self.lines):
            for one in look(line.text):
                found.setdefault(index, set()).add(one.kind)
        texts = [line.text for line in self.lines]
        starts = [0, *accumulate(len(text) + 1 for text in texts)]
        for one in look(" ".join(texts)):
            for index, text in enumerate(texts):
                if one.start < starts[index] + len(text) and starts[index] < one.end:
                    found.setdefault(index, set()).add(one.kind)
        return {index: tuple(sorted(kinds)) for index, kinds in found.items()}

    def written(self, blackened: Sequence[int]) -> bytes:
        """PNG without the lines at these indices."""
        from PIL import ImageDraw

        image = self.image.copy()
        draw = ImageDraw.Draw(image)
        for index in blackened:
            box = self.lines[index].box
            corners = (box.x0 - _MARGIN, box.y0 - _MARGIN, box.x1 + _MARGIN, box.y1 + _MARGIN)
            draw.rectangle(corners, fill="black")
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()


def read_image(content: bytes) -> ReadImage:
    """Decode and read.

    Raises:
        ImageError: not an image, too large, or damaged: it cannot be looked at, so it may not leave.
        ToolError: there is no OCR.
    """
    from PIL.Image import Resampling

    from tools.ocr import MAX_SIDE, PHOTO_MIN_SIDE, read_lines
    from tools.photo import load_image

    image = load_image(content).image
    if max(image.size) > MAX_SIDE:
        # Seen at the size of the OCR, and back to its own: regions of the request keep their places.
        size = image.size
        image = image.copy()
        image.thumbnail((MAX_SIDE, MAX_SIDE), Resampling.BICUBIC)
        image = image.resize(size, Resampling.BICUBIC)
    return ReadImage(image, tuple(read_lines(image, min_side=PHOTO_MIN_SIDE)))
