"""Write rendered equipment to disk: numbered JPEGs and one JSON line a picture; goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from llava_agent.errors import ConfigError
from training.render.equipment.compose import render_equipment

#: Pictures of one run have the seeds `seed * RUN + index`, so runs of different seeds share none.
RUN = 1_000_000
INDEX = "scenes.jsonl"


def write_equipment(count: int, seed: int, out: Path, difficulty: float = 0.5, progress: bool = True) -> Path:
    """Render `count` scenes into `out/images/<index>.jpg` and `out/scenes.jsonl`; returns the latter.

    Each line is the scene's JSON with its `file`. A run that was cut off goes on after its last whole line.
    Raises ConfigError for counts that make no sense, or a folder that holds a run with another seed.
    """
    if not 0 < count <= RUN:
        raise ConfigError(f"cannot render {count} scenes in one run", f"choose between 1 and {RUN}")
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    index = out / INDEX
    done = _whole_lines(index, seed, difficulty)
    with index.open("a", encoding="utf-8") as lines:
        for number in _counted(done, count, progress):
            scene = render_equipment(seed * RUN + number, difficulty)
            name = f"{number:06d}.jpg"
            partial = images / f"{name}.part"
            scene.image.save(partial, "JPEG", quality=95, subsampling=0)
            partial.replace(images / name)
            record = {"file": f"images/{name}", "difficulty": difficulty, **scene.as_json()}
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            lines.flush()
    return index


def _whole_lines(index: Path, seed: int, difficulty: float) -> int:
    """How many scenes are finished; cuts off a last line that was only half written."""
    if not index.is_file():
        return 0
    kept = 0
    size = 0
    with index.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            record = json.loads(line)
            if record["seed"] != seed * RUN + kept or record["difficulty"] != difficulty:
                raise ConfigError(
                    f"{index} holds another run", "choose an empty folder or that run's settings"
                )
            kept, size = kept + 1, size + len(line)
    os.truncate(index, size)
    return kept


def _counted(done: int, count: int, progress: bool) -> Iterable[int]:
    numbers = range(done, count)
    if not progress:
        return numbers
    return _shown(done, count)


def _shown(done: int, count: int) -> Iterator[int]:
    """The numbers that are still to do, under a progress bar."""
    from rich.progress import MofNCompleteColumn, Progress

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn()) as bar:
        task = bar.add_task("rendering equipment", total=count, completed=done)
        for number in range(done, count):
            yield number
            bar.advance(task)
