"""Write rendered screens to disk: numbered PNGs and one JSON line a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from training.render.numbered import RUN, write_numbered
from training.render.screens.render import Screen, render_screens

INDEX = "screens.jsonl"


def write_screen_images(
    count: int, seed: int, out: Path, *, held_out: bool = False, progress: bool = True
) -> Path:
    """Render `count` pages into `out/images/<index>.png` and `out/screens.jsonl`; returns the latter.

    A line has the page's `file`, `seed`, `kit`, `held_out`, `width`, `height` and its visible `elements` with
    their `box` in pixels. A run that was cut off goes on after its last whole line.

    Raises:
        ConfigError: a count that makes no sense, or a folder that holds another run.
        ToolError: the UI kits or the browser are not there.
    """

    def draw(numbers: range) -> Iterator[tuple[Image.Image, dict[str, Any]]]:
        seeds = range(seed * RUN + numbers.start, seed * RUN + numbers.stop)
        for screen in render_screens(seeds, held_out=held_out):
            yield screen.image, {"held_out": held_out, **as_json(screen)}

    def same_run(record: dict[str, Any], number: int) -> bool:
        return bool(record["seed"] == seed * RUN + number and record["held_out"] == held_out)

    return write_numbered(
        count, out, out / INDEX, draw, same_run, suffix=".png", title="rendering screens", progress=progress
    )


def as_json(screen: Screen) -> dict[str, Any]:
    """What is known about a page."""
    elements = []
    for placed in screen.placed:
        known = {key: value for key, value in asdict(placed.element).items() if key != "html"}
        elements.append({**known, "words": placed.element.words, "box": placed.box.as_list()})
    return {
        "seed": screen.seed,
        "kit": screen.kit,
        "width": screen.image.width,
        "height": screen.image.height,
        "elements": elements,
    }
