"""Where the tower sees what words say: windows over the image against captions of its vocabulary.

The tower was trained on crops of things, 96 pixels wide, so it is shown crops again: windows of four sizes
that overlap by half. A window gets how much more alike it is to the words than to the other captions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llava_agent.errors import ConfigError
from llava_agent.lab.explanation import Region
from llava_agent.lab.question import Progress, quiet
from llava_agent.vlm.image_embedder import BATCH, ImageEmbedder
from llava_agent.vlm.naming import Vocabulary

#: Sides of the windows as parts of the shorter side of the image.
_SIDES = (1 / 2, 1 / 3, 1 / 5, 1 / 8)
#: Windows that are shown, and the least that one must have of the best one's share.
_SHOWN, LEAST = 6, 0.6
#: A window whose colours spread less (of 255) shows nothing, though the tower has a word for that too.
_FLAT = 4.0
#: Words that say nothing about a thing.
_EMPTY = frozenset(
    {"the", "is", "are", "there", "where", "what", "which", "icon", "an", "of", "on", "in", "any"}
)


class Embedder(Protocol):
    """Pictures to unit vectors in the space of the vocabulary."""

    def embed(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """`[N, D]`."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Attributes:
    captions: of the vocabulary, those that were looked for.
    """

    captions: tuple[str, ...]
    regions: tuple[Region, ...]
    windows: int


def captions_of(words: str, vocabulary: Vocabulary) -> tuple[list[int], int | None]:
    """Kinds and colour of the vocabulary that words name; kinds that share most of the words.

    Raises:
        ConfigError: they name none.
    """
    said = re.findall(r"[a-z]+", words.lower())
    told = set(said) - _EMPTY
    told |= {word[:-1] for word in told if word.endswith("s")}
    shared = [len((set(kind.split()) - _EMPTY) & told) for kind in vocabulary.kinds]
    if not any(shared):
        some = ", ".join(vocabulary.kinds[:: max(1, len(vocabulary.kinds) // 8)])
        raise ConfigError(
            f"the tower has no word for anything in {words!r}", f"it knows things such as {some}"
        )
    colour = next((at for at, name in enumerate(vocabulary.colours) if name and name in said), None)
    return [at for at, count in enumerate(shared) if count == max(shared)], colour


def similar(
    image: Image.Image,
    words: str,
    embedder: Embedder,
    vocabulary: Vocabulary,
    progress: Progress = quiet,
) -> Found:
    """The windows that are most like the words and do not hide each other; shares are relative to the best.

    Raises:
        ConfigError: the vocabulary has no such thing.
    """
    kinds, colour = captions_of(words, vocabulary)
    wanted = vocabulary.plain[kinds] if colour is None else vocabulary.coloured[kinds, colour]
    boxes = windows(image.width, image.height)
    scores = np.empty(len(boxes), dtype=np.float32)
    for start in range(0, len(boxes), BATCH):
        part = boxes[start : start + BATCH]
        crops = [image.crop(box) for box in part]
        vectors = embedder.embed(crops)
        alike = (vectors @ wanted.T).max(1) - np.median(vectors @ vocabulary.plain.T, axis=1)
        bare = [float(np.asarray(crop).std(axis=(0, 1)).max()) < _FLAT for crop in crops]
        scores[start : start + BATCH] = np.where(bare, 0.0, alike)
        progress(min(start + BATCH, len(boxes)), len(boxes))
    before = "" if colour is None else f"{vocabulary.colours[colour]} "
    return Found(tuple(before + vocabulary.kinds[kind] for kind in kinds), _best(boxes, scores), len(boxes))


def windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Square windows of four sizes that overlap by half and reach the edges."""
    found = []
    for part in _SIDES:
        side = max(16, round(min(width, height) * part))
        for y in _starts(height, side):
            for x in _starts(width, side):
                found.append((x, y, min(width, x + side), min(height, y + side)))
    return found


def load_parts() -> tuple[ImageEmbedder, Vocabulary]:
    """The embedded tower and its words.

    Raises:
        WeightsError: they are not there; the message names the command that fetches them.
    """
    from llava_agent.vlm.weights import EMBEDDED, paths

    parts = paths(EMBEDDED)
    return ImageEmbedder(parts["language"]), Vocabulary.load(parts["shipped"])


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    steps = max(1, round((length - side) / (side / 2)))
    return [round(step * (length - side) / steps) for step in range(steps + 1)]


def _best(boxes: list[tuple[int, int, int, int]], scores: NDArray[np.float32]) -> tuple[Region, ...]:
    """The highest windows; one that shares half of itself with a higher one is left out."""
    top = float(scores.max())
    if top <= 0:
        return ()
    kept: list[Region] = []
    for at in np.argsort(-scores):
        share = float(scores[at]) / top
        if share < LEAST or len(kept) == _SHOWN:
            break
        if all(_overlap(boxes[at], one.box) < 0.5 for one in kept):
            kept.append(Region(boxes[at], share))
    return tuple(kept)


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Shared area as a part of the smaller one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return max(0, width) * max(0, height) / max(1, min(areas))
