"""Write rendered equipment to disk: numbered JPEGs and one JSON line a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from training.render.equipment.compose import render_equipment
from training.render.numbered import RUN, write_numbered

INDEX = "scenes.jsonl"


def write_equipment(count: int, seed: int, out: Path, difficulty: float = 0.5, progress: bool = True) -> Path:
    """Render `count` scenes into `out/images/<index>.jpg` and `out/scenes.jsonl`; returns the latter.

    Each line is the scene's JSON with its `file`. A run that was cut off goes on after its last whole line.
    Raises ConfigError for counts that make no sense, or a folder that holds a run with another seed.
    """

    def draw(numbers: range) -> Iterator[tuple[Image.Image, dict[str, Any]]]:
        for number in numbers:
            scene = render_equipment(seed * RUN + number, difficulty)
            yield scene.image, {"difficulty": difficulty, **scene.as_json()}

    def same_run(record: dict[str, Any], number: int) -> bool:
        return bool(record["seed"] == seed * RUN + number and record["difficulty"] == difficulty)

    return write_numbered(
        count, out, out / INDEX, draw, same_run,
        suffix=".jpg", title="rendering equipment", progress=progress, quality=95, subsampling=0,
    )  # fmt: skip
