"""Rendered pictures on disk: numbered files and one JSON line each; goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from llava_agent.errors import ConfigError

#: Pictures of one run have the seeds `seed * RUN + index`, so runs of different seeds share none.
RUN = 1_000_000

#: A picture and what is known about it, for each number that is still to do.
Draw = Callable[[range], Iterable[tuple[Image.Image, dict[str, Any]]]]


def write_numbered(
    count: int,
    out: Path,
    index: Path,
    draw: Draw,
    same_run: Callable[[dict[str, Any], int], bool],
    *,
    suffix: str,
    title: str,
    progress: bool = True,
    **saving: Any,
) -> Path:
    """Write pictures `0` to `count - 1` into `out/images`, and `index`, which is returned.

    A run that was cut off goes on after its last whole line.

    Args:
        draw: makes the pictures of a range of numbers, in order.
        same_run: whether a line that is there already is what this run writes for that number.
        suffix: of the files; Pillow chooses the format by it.
        title: of the progress bar.
        saving: options of Pillow.

    Raises:
        ConfigError: a count that makes no sense, or a folder that holds another run.
    """
    if not 0 < count <= RUN:
        raise ConfigError(f"cannot render {count} pictures in one run", f"choose between 1 and {RUN}")
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    done = _whole_lines(index, same_run)
    with index.open("a", encoding="utf-8") as lines:
        for number, (image, known) in _counted(draw, done, count, title if progress else ""):
            name = f"{number:06d}{suffix}"
            partial = images / f"{name}.part{suffix}"
            image.save(partial, **saving)
            partial.replace(images / name)
            record = {"file": f"images/{name}", **known}
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            lines.flush()
    return index


def read_lines(index: Path, count: int) -> list[dict[str, Any]]:
    """The first `count` records of an index."""
    with index.open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


def _whole_lines(index: Path, same_run: Callable[[dict[str, Any], int], bool]) -> int:
    """How many pictures are finished; cuts off a last line that was only half written."""
    if not index.is_file():
        return 0
    kept = size = 0
    with index.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            if not same_run(json.loads(line), kept):
                raise ConfigError(
                    f"{index} holds another run", "choose an empty folder or that run's settings"
                )
            kept, size = kept + 1, size + len(line)
    os.truncate(index, size)
    return kept


def _counted(
    draw: Draw, done: int, count: int, title: str
) -> Iterator[tuple[int, tuple[Image.Image, dict[str, Any]]]]:
    """The numbers that are still to do with their pictures, under a progress bar where there is a title."""
    if done >= count:
        return
    drawn = enumerate(draw(range(done, count)), start=done)
    if not title:
        yield from drawn
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=count, completed=done)
        for pair in drawn:
            yield pair
            bar.advance(task)
