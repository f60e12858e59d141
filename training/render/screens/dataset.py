"""Rendered screens on disk: crops of every element, and what is true of it.

Layout of a folder: `shard-*.npz` with `crops` `[N, 96, 96, 3]` uint8, `geometry` `[N, 6]` and `pages` (JSON:
seed, kit, elements). Written in shards, so that a killed run goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import ConfigError
from llava_agent.vlm.regions import crop_regions, geometry
from training.render.screens.render import Screen, render_screens

SHARD = 100


@dataclass(frozen=True, slots=True)
class ScreenElement:
    """An element of a rendered page as training sees it; `crop` is its row in the crops."""

    crop: int
    kind: str
    colour: str
    size: str
    role: str
    text: str
    states: tuple[str, ...]
    value: str

    @property
    def words(self) -> str:
        """Full description: `large red gear icon`."""
        return " ".join(part for part in (self.size, self.colour, self.kind) if part)


@dataclass(frozen=True, slots=True)
class ScreenPage:
    """A rendered page: its seed, the name of its kit, and its visible elements in reading order."""

    seed: int
    kit: str
    elements: tuple[ScreenElement, ...]


@dataclass(frozen=True, slots=True)
class ScreenData:
    """All pages of a folder with their crops `[N, 96, 96, 3]` and geometry `[N, 6]`."""

    pages: tuple[ScreenPage, ...]
    crops: NDArray[np.uint8]
    geometry: NDArray[np.float32]


def write_screens(out: Path, count: int, seed: int = 0, *, held_out: bool = False) -> Iterator[int]:
    """Render `count` pages from `seed` on; yields the number of pages done after each shard."""
    out.mkdir(parents=True, exist_ok=True)
    for start in range(seed, seed + count, SHARD):
        stop = min(start + SHARD, seed + count)
        path = out / f"shard-{start:07d}.npz"
        if not path.exists():
            _write_shard(path, list(render_screens(range(start, stop), held_out=held_out)))
        yield stop - seed


def _write_shard(path: Path, screens: list[Screen]) -> None:
    """One shard, written beside its place first, so that a shard that is there is whole."""
    crops, shapes, pages = [], [], []
    for screen in screens:
        boxes = [(p.box.x0, p.box.y0, p.box.x1, p.box.y1) for p in screen.placed]
        if not boxes:
            continue
        crops.append(crop_regions(screen.image, boxes))
        shapes.append(geometry(boxes, screen.image.size))
        elements = [
            {k: v for k, v in dataclasses.asdict(p.element).items() if k != "html"} for p in screen.placed
        ]
        pages.append({"seed": screen.seed, "kit": screen.kit, "elements": elements})
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, crops=np.concatenate(crops), geometry=np.concatenate(shapes), pages=json.dumps(pages))
    partial.replace(path)


def read_screens(folder: Path) -> ScreenData:
    """Everything that `write_screens` has finished in `folder`.

    Raises:
        ConfigError: there is nothing.
    """
    crops, shapes, pages, first = [], [], [], 0
    for path in sorted(folder.glob("shard-*.npz")):
        if path.name.endswith(".partial.npz"):
            continue
        with np.load(path) as shard:
            crops.append(shard["crops"])
            shapes.append(shard["geometry"])
            rows: list[dict[str, Any]] = json.loads(str(shard["pages"]))
        for row in rows:
            elements = []
            for raw in row["elements"]:
                elements.append(ScreenElement(first, **(raw | {"states": tuple(raw["states"])})))
                first += 1
            pages.append(ScreenPage(row["seed"], row["kit"], tuple(elements)))
    if not crops:
        raise ConfigError(f"{folder} holds no rendered screens", "render them first (stage render)")
    return ScreenData(tuple(pages), np.concatenate(crops), np.concatenate(shapes))
