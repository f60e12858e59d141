"""Marks from pixels alone: text lines and shapes of a screenshot, texts and dials of a photo.

What a shape is (a button, a field, an icon) is not decided here: it becomes a `region`, and the vision tower
sees its pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from PIL import Image

from tools.geometry import Box
from tools.mark import Mark
from tools.marks.dials import detect_dials, detect_discs
from tools.marks.shapes import Shape, find_icons, find_shapes
from tools.ocr import PHOTO_MIN_SIDE, OcrLine, read_lines
from tools.reading_order import by_plates, by_rows

#: The box of a line may be this much higher than the box that it stands in (cells of a dense table).
_FITS = 1.5


def read_screen(image: Image.Image) -> tuple[Mark, ...]:
    """Marks of a screenshot, with its text read so that no line runs over the border of a control.

    A text inside a button-like box and the box are one `region` with that text; a text beside an empty box
    stays a `text`, and the box a `region` without text. Refs are `pixel:<n>`, in reading order.
    """
    shapes = find_shapes(image)
    return _screen(image, read_lines(image, boxes=[shape.box for shape in shapes]), shapes)


def photo_marks(image: Image.Image, lines: Sequence[OcrLine] | None = None) -> tuple[Mark, ...]:
    """Marks of a photo: its text lines (read here where not given), gauges (`dial`), discs (`region`)."""
    with ThreadPoolExecutor(1) as beside:  # neither reading nor this keeps all cores busy
        circles = beside.submit(lambda: (detect_dials(image), detect_discs(image)))
        if lines is None:
            lines = read_lines(image, min_side=PHOTO_MIN_SIDE)
        dials, discs = circles.result()
    words = [line.box for line in lines]
    discs = [disc for disc in discs if not any(_meet(disc, box) for box in (*dials, *words))]
    marks = [_text(line) for line in lines]
    marks += [Mark("", "dial", "", dial, "dial") for dial in dials]
    marks += [Mark("", "region", "", disc, "pixels") for disc in discs]
    return _numbered(marks, by_plates)


def _screen(image: Image.Image, lines: Sequence[OcrLine], shapes: Sequence[Shape]) -> tuple[Mark, ...]:
    small = [shape.box for shape in shapes if shape.kind == "small" and not _letter(shape.box, lines)]
    boxes = [shape.box for shape in shapes if shape.kind != "small"]
    inside = {at: _holder(line, boxes) for at, line in enumerate(lines)}
    boxes = [box for box in boxes if not _paragraph(box, [lines[at] for at in inside if inside[at] == box])]
    marks: list[Mark] = []
    for box in boxes:
        held = [lines[at] for at in inside if inside[at] == box]
        text = " ".join(line.text for line in held if len(held) == 1 or not _sign(line))
        score = min((line.score for line in held), default=1.0)
        marks.append(Mark("", "region", text, box, "pixels", score=score))
    marks += [_text(line) for at, line in enumerate(lines) if inside[at] not in boxes]
    marks += [
        Mark("", "region", "", box, "pixels") for box in small if not any(_covers(b, box) for b in boxes)
    ]
    taken = [mark.box.grown(1.05) for mark in marks if mark.box is not None] + [line.box for line in lines]
    marks += [Mark("", "region", "", box, "pixels", score=0.5) for box in find_icons(image, taken)]
    return _numbered(marks, lambda boxes, _: by_rows(boxes))


def _holder(line: OcrLine, boxes: Iterable[Box]) -> Box | None:
    """The smallest box that the line stands in."""
    around = []
    for box in boxes:
        wide = min(line.box.x1, box.x1) - max(line.box.x0, box.x0) >= 0.8 * line.box.width
        if wide and box.contains(*line.box.centre) and line.box.height <= _FITS * box.height:
            around.append(box)
    return min(around, key=lambda box: box.area, default=None)


def _paragraph(box: Box, held: Sequence[OcrLine]) -> bool:
    """A frame around several texts that do not start at one place: a card or a row, not a control."""
    if len(held) < 2:
        return False
    starts = [line.box.x0 for line in held]
    middles = [line.box.centre[1] for line in held]
    if max(middles) - min(middles) < min(line.box.height for line in held):
        return len(held) > 3
    return max(starts) - min(starts) > 12


def _letter(box: Box, lines: Iterable[OcrLine]) -> bool:
    """A small ring or square amid a line of text, and no taller than its letters: an `o`, not a radio."""
    for line in lines:
        if line.box.intersection(box) < 0.8 * box.area:
            continue
        if box.height < 0.75 * line.box.height or line.box.width < 2 * box.width:
            return box.height < 0.95 * line.box.height
    return False


def _sign(line: OcrLine) -> bool:
    """One character by itself: the arrow of a list or the cross of a field, read as a letter."""
    return len(line.text) == 1 and line.box.width < line.box.height


def _covers(outer: Box, inner: Box) -> bool:
    return inner.intersection(outer) >= 0.7 * inner.area


def _meet(one: Box, other: Box) -> bool:
    return one.intersection(other) >= 0.3 * min(one.area, other.area)


def _text(line: OcrLine) -> Mark:
    return Mark("", "text", line.text, line.box, "ocr", score=line.score)


def _numbered(
    marks: Sequence[Mark], order: Callable[[Sequence[Box], Sequence[str]], list[int]]
) -> tuple[Mark, ...]:
    """In reading order, with refs `pixel:<n>`."""
    placed = [(mark, mark.box) for mark in marks if mark.box is not None]
    return tuple(
        replace(placed[index][0], ref=f"pixel:{at}")
        for at, index in enumerate(
            order([box for _, box in placed], [mark.text for mark, _ in placed]), start=1
        )
    )
