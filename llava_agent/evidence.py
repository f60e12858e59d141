"""Draws what an answer rests on, and where a step acted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import ToolError

if TYPE_CHECKING:
    from PIL import Image

    from llava_agent.agent.perceive import Answer
    from llava_agent.agent.record import StepRecord


def drawn(path: Path, answer: Answer) -> Image.Image:
    """The image of an answer, upright, with its evidence framed.

    Raises:
        ImageError: the file cannot be read as an image.
    """
    from tools.geometry import Box
    from tools.marks.annotate import annotate
    from tools.photo import load_image

    boxes = [Box(*one.box) for one in answer.evidence if one.box]
    return annotate(load_image(path).image, (), evidence=boxes)


def write_drawn(path: Path, answer: Answer, out: Path) -> None:
    """Write `drawn` to a file whose ending says its format; whole or not at all.

    Raises:
        ToolError: the file cannot be written, or its ending names no image format.
    """
    write_image(drawn(path, answer), out)


def require_place(out: Path) -> None:
    """Raises ToolError where `write_image` could not write, as far as the path alone tells."""
    from PIL import Image

    known = Image.registered_extensions()
    if out.suffix.lower() not in known or not out.absolute().parent.is_dir():
        why = "there is no such folder" if out.suffix.lower() in known else "its ending names no image format"
        raise ToolError(
            f"{out} cannot be written ({why})", "give a path such as seen.png in a folder of yours"
        )


def write_image(picture: Image.Image, out: Path) -> None:
    """Write a picture to a file whose ending says its format; whole or not at all.

    Raises:
        ToolError: the file cannot be written, or its ending names no image format.
    """
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
    """The screenshot that a step of the run in `folder` was decided on, with its marks and its target.

    A step that looked at a photo shows the photo with the region that was read. None where nothing was seen.
    """
    from PIL import Image

    from tools.geometry import Box
    from tools.mark import Mark
    from tools.marks.annotate import annotate

    evidence = step.fact.evidence if step.fact else ()
    shown = evidence[0].image if evidence else step.observation.image
    path = folder / "images" / f"{shown}.png"
    if shown is None or not path.exists():
        return None
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if evidence:
        return annotate(picture, (), evidence=[Box(*one.box) for one in evidence if one.box])
    marks = [
        Mark(mark.ref, mark.role, mark.text, Box(*mark.box) if mark.box else None, "dom")
        for mark in step.observation.marks
    ]
    return annotate(picture, marks, chosen=step.target)
