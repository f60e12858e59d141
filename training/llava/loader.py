"""Images of coming micro-batches, read by threads while the model computes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import Row, Seen
from llava_agent.vlm.vision.geometry import Grid
from llava_agent.vlm.vision.preprocess import Preprocess
from training.data.sample import Picture, RowError
from training.llava.batches import Micro
from training.llava.corpus import Entry
from training.llava.feature_cache import FeatureCache

#: Micro-batches that are read ahead.
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Loaded:
    """A micro-batch that can be computed.

    Attributes:
        lines: rows by number, as they are laid out.
        unusable: names and reasons of samples whose images could not be read; they are not among the rows.
    """

    step: int
    rows: tuple[Row, ...]
    lines: tuple[tuple[int, ...], ...]
    unusable: tuple[str, ...]


class Loader:
    """Reads images on threads.

    Args:
        entries: the samples.
        preprocess, grid: of the tower.
        cache: features that need no tower.
        most: how many samples may be unusable before the run stops.

    Attributes:
        waited: seconds that the model waited for data.
        unusable: samples whose images could not be read so far.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        preprocess: Preprocess,
        grid: Grid,
        cache: FeatureCache | None = None,
        most: int = 0,
    ) -> None:
        self._entries = entries
        self._preprocess = preprocess
        self._grid = grid
        self._cache = cache
        self._most = most
        self.waited = 0.0
        self.unusable = 0

    def read(self, steps: Iterable[tuple[int, Micro]]) -> Iterator[Loaded]:
        """Micro-batches in order.

        Raises:
            ConfigError: more samples than allowed have images that cannot be read; the last one is named.
        """
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="images") as pool:
            waiting: list[Future[Loaded]] = []
            coming = iter(steps)
            for step, micro in coming:
                waiting.append(pool.submit(self._load, step, micro))
                if len(waiting) > _AHEAD:
                    yield self._next(waiting)
            while waiting:
                yield self._next(waiting)

    def _next(self, waiting: list[Future[Loaded]]) -> Loaded:
        start = time.perf_counter()
        loaded = waiting.pop(0).result()
        self.waited += time.perf_counter() - start
        self.unusable += len(loaded.unusable)
        if self.unusable > self._most:
            for one in waiting:
                one.cancel()
            raise ConfigError(
                f"{self.unusable} samples cannot be read, more than allowed: {loaded.unusable[-1]}",
                "see llava-agent data check, or raise data.allow_unusable",
            )
        return loaded

    def _load(self, step: int, micro: Micro) -> Loaded:
        rows: list[Row] = []
        lines: list[tuple[int, ...]] = []
        unusable: list[str] = []
        for line in micro:
            kept = []
            for index in line:
                entry = self._entries[index]
                row = Row(entry.ids.tolist(), (), entry.labels.tolist())
                try:
                    row = replace(row, images=tuple(self._seen(picture) for picture in entry.images))
                except RowError as error:
                    unusable.append(f"{entry.name}: {error.what}")
                    continue
                kept.append(len(rows))
                rows.append(row)
            if kept:
                lines.append(tuple(kept))
        return Loaded(step, tuple(rows), tuple(lines), tuple(unusable))

    def _seen(self, picture: Picture) -> Seen:
        if self._cache is not None:
            features = self._cache.get(picture)
            if features is not None:
                return Seen(features=features)
        pixels, _ = self._preprocess(picture.load(), self._grid)
        return Seen(pixels=torch.from_numpy(pixels))
