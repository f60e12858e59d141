"""What a frozen tower gives for each image, in memory-mapped shards; computed once, before training.

A shard is `features-NNNN.npy` `[images * views, cells, channels]` fp16, with `index.jsonl` saying where each
image is. Images are found by the SHA-256 of their file's bytes, so a renamed file is found and a changed one
is not; the folder belongs to one tower, whose fingerprint stands in `tower.json` and is compared.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llava_agent.agent.trace import write_whole
from llava_agent.errors import ConfigError, ToolError
from llava_agent.vlm.vision.tower import VisionTower
from projector import TowerFingerprint
from training.data.sample import Picture, RowError

INDEX = "index.jsonl"
TOWER = "tower.json"

#: Images a shard; a kill loses at most one.
SHARD = 256


class FeatureCache:
    """A folder of features, for reading.

    Raises:
        ConfigError: there is none, or it belongs to another tower; the fields that differ are named.
    """

    def __init__(self, folder: Path, tower: TowerFingerprint) -> None:
        _require_tower(folder, tower)
        self._places: dict[str, tuple[str, int, int]] = {}
        for line in (folder / INDEX).read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            self._places[one["image"]] = (one["shard"], one["start"], one["views"])
        self._folder = folder
        self._open: dict[str, NDArray[np.float16]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def get(self, picture: Picture) -> Tensor | None:
        """Features `[views, cells, channels]`, or None; RowError where the file cannot be read."""
        place = self._places.get(picture.digest())
        if place is None:
            return None
        shard, start, views = place
        if shard not in self._open:
            self._open[shard] = np.load(self._folder / shard, mmap_mode="r")
        return torch.from_numpy(np.array(self._open[shard][start : start + views])).float()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Attributes:
    images: different files that are not in the cache yet.
    megabytes: what their features take.
    tower_ms, read_ms: measured, for one image: the tower's pass, and reading its features back.
    """

    images: int
    megabytes: float
    tower_ms: float
    read_ms: float

    @property
    def break_even(self) -> float:
        """Epochs after which the cache has paid for itself (filling is one pass more); infinite if never."""
        saved = self.tower_ms - self.read_ms
        return self.tower_ms / saved if saved > 0 else float("inf")

    def as_dict(self) -> dict[str, object]:
        epochs = self.break_even
        return {
            **asdict(self),
            "break_even_epochs": None if epochs == float("inf") else round(epochs, 2),
        }


def estimate(tower: VisionTower, pictures: Sequence[Picture], folder: Path, most: int = 8) -> Estimate:
    """Measure the tower on the first images and say what caching all would cost and gain."""
    cached = _cached(folder, tower)
    new = [picture for digest, picture in _unique(pictures).items() if digest not in cached]
    seen = views = 0
    spent = 0.0
    sample: Tensor | None = None
    for picture in new[:most]:
        try:
            pixels, _ = tower.preprocess(picture.load())
        except RowError:
            continue
        start = time.perf_counter()
        with torch.no_grad():
            sample = tower.features(pixels)
            if sample.is_cuda:
                torch.cuda.synchronize()
        spent += time.perf_counter() - start
        seen, views = seen + 1, views + len(pixels)
    if sample is None:
        return Estimate(len(new), 0.0, 0.0, 0.0)
    size = sample[0].numel() * 2 * views / seen
    return Estimate(
        len(new), len(new) * size / 1e6, 1000 * spent / seen, 1000 * _read_seconds(sample, folder)
    )


def fill(
    tower: VisionTower,
    pictures: Sequence[Picture],
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, list[str]]:
    """Compute what is missing, shard by shard; a run that was cut off goes on.

    Returns:
        The number of images that were added, and why others could not be.

    Raises:
        ConfigError: the folder belongs to another tower.
        ToolError: the disk is full; what was finished stays.
    """
    cached = _cached(folder, tower)
    new = [(digest, picture) for digest, picture in _unique(pictures).items() if digest not in cached]
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / TOWER).exists():
        write_whole(folder / TOWER, (json.dumps(asdict(tower.fingerprint()), indent=1) + "\n").encode())
        (folder / INDEX).touch()
    problems: list[str] = []
    added = 0
    for start in range(0, len(new), SHARD):
        number = len(list(folder.glob("features-*.npy")))
        try:
            added += _write_shard(tower, new[start : start + SHARD], folder, number, problems)
        except OSError as error:
            raise ToolError(
                f"features cannot be written to {folder} ({error.strerror})",
                "free some room and run it again",
            ) from error
        if progress:
            progress(min(start + SHARD, len(new)), len(new))
    return added, problems


def _write_shard(
    tower: VisionTower, new: Sequence[tuple[str, Picture]], folder: Path, number: int, problems: list[str]
) -> int:
    """Features first, then their lines of the index in one piece: a shard counts from its index on."""
    parts: list[NDArray[np.float16]] = []
    lines: list[str] = []
    name, start = f"features-{number:04d}.npy", 0
    for digest, picture in new:
        try:
            pixels, _ = tower.preprocess(picture.load())
        except RowError as error:
            problems.append(error.what)
            continue
        with torch.no_grad():
            features = tower.features(pixels).half().cpu().numpy()
        parts.append(features)
        place = {"image": digest, "shard": name, "start": start, "views": len(features)}
        lines.append(json.dumps(place) + "\n")
        start += len(features)
    if not parts:
        return 0
    partial = folder / f".{name}.part"
    try:
        with partial.open("wb") as file:
            np.save(file, np.concatenate(parts))
        partial.replace(folder / name)
    finally:
        partial.unlink(missing_ok=True)
    index = folder / INDEX
    write_whole(index, index.read_bytes() + "".join(lines).encode())
    return len(lines)


def _cached(folder: Path, tower: VisionTower) -> FeatureCache | dict[str, Any]:
    return FeatureCache(folder, tower.fingerprint()) if (folder / TOWER).exists() else {}


def _unique(pictures: Iterable[Picture]) -> dict[str, Picture]:
    """Pictures by digest; one that cannot be read is left to the step that needs it."""
    found: dict[str, Picture] = {}
    for picture in pictures:
        try:
            found.setdefault(picture.digest(), picture)
        except RowError:
            continue
    return found


def _require_tower(folder: Path, tower: TowerFingerprint) -> None:
    try:
        stored = json.loads((folder / TOWER).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} holds no features", "make them with llava-agent train cache") from error
    now = json.loads(json.dumps(asdict(tower)))
    differs = [
        f"{name} was {stored.get(name)!r} and is {now[name]!r}"
        for name in now
        if stored.get(name) != now[name]
    ]
    if differs:
        raise ConfigError(
            f"the features in {folder} are of another tower: {'; '.join(differs)}", "name another folder"
        )


def _read_seconds(sample: Tensor, folder: Path) -> float:
    """Time to map and copy one image's features, on the disk where they will lie."""
    place = folder
    while not place.is_dir():
        place = place.parent
    probe = place / ".llava-agent-read-probe.npy"
    try:
        np.save(probe, sample.half().cpu().numpy())
        start = time.perf_counter()
        for _ in range(4):
            torch.from_numpy(np.array(np.load(probe, mmap_mode="r"))).float()
        return (time.perf_counter() - start) / 4
    finally:
        probe.unlink(missing_ok=True)


def room(folder: Path) -> float:
    """Free megabytes on the disk that `folder` is, or will be, on."""
    place = folder
    while not place.is_dir():
        place = place.parent
    return shutil.disk_usage(place).free / 1e6
