"""Crops of rendered equipment on disk: parts for the tower, dials for the needle reader."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import ConfigError
from llava_agent.vlm.regions import crop_regions, geometry
from training.render.equipment import render_dial_crop, render_equipment
from training.render.equipment.part import Item

SHARD = 60
DIAL_SHARD = 500
DIAL_SIZE = 128

#: Kind of a rendered part -> the words that the tower learns for it.
_WORDS = {
    "dial": "pressure gauge",
    "nameplate": "nameplate",
    "tag": "label plate",
    "meter": "digital meter",
    "warning": "warning sign",
    "valve": "valve handle",
    "switch": "rotary switch",
    "emergency_stop": "emergency stop button",
    "button": "push button",
}


@dataclass(frozen=True, slots=True)
class EquipmentPart:
    """A part as a caption sees it; `crop` is its row."""

    crop: int
    kind: str
    colour: str
    photo: int

    @property
    def words(self) -> str:
        """`red light on`."""
        return f"{self.colour} {self.kind}".strip()


def describe(item: Item) -> tuple[str, str] | None:
    """`(kind, colour)` of a part, None for one that has no words."""
    if item.kind == "led":
        return ("light on" if item.attributes.get("lit") else "light off"), str(
            item.attributes.get("colour", "")
        )
    words = _WORDS.get(item.kind)
    return (words, "") if words else None


def write_parts(out: Path, count: int, seed: int = 0) -> Iterator[int]:
    """Render `count` photos from `seed` on and keep their parts' crops; yields the photos done so far."""
    out.mkdir(parents=True, exist_ok=True)
    for start in range(seed, seed + count, SHARD):
        path = out / f"parts-{start:07d}.npz"
        stop = min(start + SHARD, seed + count)
        if not path.exists():
            _write_parts(path, range(start, stop))
        yield stop - seed


def _parts_of(item: Item) -> Iterator[tuple[Sequence[float], str, str]]:
    """Box, kind and colour of a part and of the texts on it."""
    said = describe(item)
    if said:
        yield (item.box.x0, item.box.y0, item.box.x1, item.box.y1), *said
    for field in item.attributes.get("fields", ()):
        yield field["box"], "text", ""


def _write_parts(path: Path, seeds: range) -> None:
    crops, shapes, rows = [], [], []
    for seed in seeds:
        scene = render_equipment(seed)
        for item in scene.items:
            found = list(_parts_of(item))
            if found:
                boxes = [box for box, _, _ in found]
                crops.append(crop_regions(scene.image, boxes))
                shapes.append(geometry(boxes, scene.image.size))
                rows += [[kind, colour, seed] for _, kind, colour in found]
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, crops=np.concatenate(crops), geometry=np.concatenate(shapes), rows=json.dumps(rows))
    partial.replace(path)


def read_parts(folder: Path) -> tuple[list[EquipmentPart], NDArray[np.uint8], NDArray[np.float32]]:
    """All parts that `write_parts` has finished, their crops `[N, 96, 96, 3]` and geometry `[N, 6]`.

    Raises:
        ConfigError: there are none.
    """
    parts: list[EquipmentPart] = []
    crops, shapes = [], []
    for path in sorted(folder.glob("parts-???????.npz")):
        with np.load(path) as shard:
            crops.append(shard["crops"])
            shapes.append(shard["geometry"])
            for kind, colour, photo in json.loads(str(shard["rows"])):
                parts.append(EquipmentPart(len(parts), kind, colour, photo))
    if not parts:
        raise ConfigError(f"{folder} holds no rendered equipment", "render it first (stage render)")
    return parts, np.concatenate(crops), np.concatenate(shapes)


def write_dials(out: Path, count: int, seed: int = 0) -> Iterator[int]:
    """Render `count` crops of dials with the direction of the needle; yields the crops done so far."""
    out.mkdir(parents=True, exist_ok=True)
    for start in range(seed, seed + count, DIAL_SHARD):
        path = out / f"dials-{start:07d}.npz"
        stop = min(start + DIAL_SHARD, seed + count)
        if not path.exists():
            made = [render_dial_crop(index, DIAL_SIZE) for index in range(start, stop)]
            partial = path.with_suffix(".partial.npz")
            np.savez(
                partial,
                crops=np.stack([np.asarray(one.image) for one in made]),
                angles=np.array([one.angle for one in made], dtype=np.float32),
                centres=np.array([one.centre for one in made], dtype=np.float32) / DIAL_SIZE,
            )
            partial.replace(path)
        yield stop - seed


def read_dials(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Crops `[N, 128, 128, 3]`, needle angles `[N]` and hubs `[N, 2]` that `write_dials` has finished.

    Angles are radians clockwise from up, hubs fractions of the crop.

    Raises:
        ConfigError: there are none.
    """
    crops, angles, hubs = [], [], []
    for path in sorted(folder.glob("dials-???????.npz")):
        with np.load(path) as shard:
            crops.append(shard["crops"])
            angles.append(shard["angles"])
            hubs.append(shard["centres"])
    if not crops:
        raise ConfigError(f"{folder} holds no rendered dials", "render them first (stage render)")
    return np.concatenate(crops), np.concatenate(angles), np.concatenate(hubs)
