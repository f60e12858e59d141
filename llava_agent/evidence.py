"""Draws what an answer rests on, and where a step acted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import ToolError

if TYPE_CHECKING:
    from PIL import Image

    from llava_agent.agent.perceive import Answer
    from llava_agent.agent.record import StepRecord

Box = tuple[float, float, float, float]

_TARGET = (13, 148, 136)
_MARK = (234, 88, 12)


def drawn(path: Path, answer: Answer) -> Image.Image:
    """The image of an answer, upright, with its evidence framed and quoted.

    Raises:
        ImageError: the file cannot be read as an image.
    """
    from tools.photo import load_image

    picture = load_image(path).image
    for one in answer.evidence:
        if one.box:
            _frame(picture, one.box, one.text)
    return picture


def write_drawn(path: Path, answer: Answer, out: Path) -> None:
    """Write `drawn` to a file whose ending says its format; whole or not at all.

    Raises:
        ToolError: the file cannot be written, or its ending names no image format.
    """
    picture = drawn(path, answer)
    part = out.with_name(f".{out.stem}.{os.getpid()}{out.suffix}")
    try:
        picture.save(part)
        part.replace(out)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ToolError(
            f"{out} cannot be written ({reason})", "give a path such as seen.png in a folder of yours"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def drawn_step(folder: Path, step: StepRecord) -> Image.Image | None:
    """The screenshot that a step of the run in `folder` was decided on, with all marks and the target framed.

    A step that looked at a photo shows the photo with the region that was read. None where nothing was seen.
    """
    from PIL import Image

    evidence = step.fact.evidence if step.fact else ()
    shown = evidence[0].image if evidence else step.observation.image
    if shown is None:
        return None
    path = folder / "images" / f"{shown}.png"
    if not path.exists():
        return None
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if evidence:
        for one in evidence:
            if one.box:
                _frame(picture, one.box, one.text)
        return picture
    marks = step.observation.marks
    _outline(picture, [mark.box for mark in marks if mark.box])
    target = next((mark for mark in marks if mark.ref == step.target), None)
    if target and target.box:
        _frame(picture, target.box, step.line)
    return picture


def _outline(picture: Image.Image, boxes: Sequence[Box]) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    for box in boxes:
        draw.rectangle(box, outline=_MARK, width=1)


def _frame(picture: Image.Image, box: Box, words: str) -> None:
    """A frame with a light rim around a box, clear of what it frames, and its words on a label beside it."""
    from PIL import ImageDraw, ImageFont

    size = max(14, round(max(picture.size) / 50))
    line = max(2, size // 6)
    draw = ImageDraw.Draw(picture)
    for colour, reach in (("white", 2 * line + 1), (_TARGET, 2 * line), ("white", line)):
        draw.rectangle(_grown(box, reach), outline=colour, width=1 if colour == "white" else line)
    if not words:
        return
    frame = _grown(box, 2 * line + 1)
    font = ImageFont.load_default(size)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    width, height = right - left + size, bottom - top + size * 0.8
    x = min(max(0.0, frame[0]), max(0.0, picture.width - width))
    # Above the frame, or below it where there is no room above.
    y = frame[1] - height if frame[1] >= height else min(frame[3], picture.height - height)
    draw.rectangle((x, y, x + width, y + height), fill=_TARGET)
    draw.text((x + size / 2 - left, y + size * 0.4 - top), words, fill="white", font=font)


def _grown(box: Box, reach: float) -> Box:
    return box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach
