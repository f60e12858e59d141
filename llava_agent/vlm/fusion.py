"""Where image features meet the text: one function expands placeholders, one fuses features into embeddings.

Training, serving and export all go through these two, so their positions cannot drift apart. Arrays may be
numpy arrays or torch tensors (fusing keeps gradients); torch is not imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import LlavaAgentError

#: Label of positions without supervision.
IGNORE = -100

Array = TypeVar("Array", bound=Any)


class FusionError(LlavaAgentError):
    """Placeholders and image features do not match, or a text does not fit with its images."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A row whose image placeholders stand once for each image token.

    Attributes:
        ids: `[T]` token ids.
        source: `[T]` position of each id in the row before expansion.
        spans: `(start, end)` of each image in `ids`, `end` exclusive.
    """

    ids: NDArray[np.int64]
    source: NDArray[np.int64]
    spans: tuple[tuple[int, int], ...]

    def labels(self, labels: Sequence[int]) -> NDArray[np.int64]:
        """Labels of the row before expansion, moved along; image positions are never supervised."""
        moved = np.asarray(labels, dtype=np.int64)[self.source]
        for start, end in self.spans:
            moved[start:end] = IGNORE
        return moved

    def truncated(self, limit: int, row: int = 0) -> Expanded:
        """The first `limit` positions; FusionError where that would cut an image or drop one."""
        if len(self.ids) <= limit:
            return self
        needed = self.spans[-1][1] if self.spans else 0
        if needed > limit:
            raise FusionError(
                f"row {row}: the last image ends at position {needed} of {len(self.ids)}, "
                f"the length limit is {limit}",
                "raise the limit, shorten the text before the image, or use fewer image tokens",
            )
        return Expanded(self.ids[:limit], self.source[:limit], self.spans)


def expand_placeholders(
    ids: Sequence[int], tokens: Sequence[int], placeholder: int, *, row: int = 0
) -> Expanded:
    """Repeat the n-th `placeholder` in `ids` `tokens[n]` times.

    Args:
        ids: token ids with one placeholder an image.
        tokens: number of image tokens of each image.
        placeholder: id of the image token.
        row: named in the error.

    Raises:
        FusionError: the numbers of placeholders and images differ, or an image has no token.
    """
    array = np.asarray(ids, dtype=np.int64)
    places = np.flatnonzero(array == placeholder)
    if len(places) != len(tokens):
        raise FusionError(
            f"row {row}: the text has {len(places)} image placeholders, but {len(tokens)} images were given",
            "write one placeholder for each image",
        )
    if any(count < 1 for count in tokens):
        raise FusionError(f"row {row}: an image has {min(tokens)} tokens")
    repeats = np.ones(len(array), dtype=np.int64)
    repeats[places] = tokens
    starts = np.cumsum(repeats) - repeats
    spans = tuple((int(starts[place]), int(starts[place] + repeats[place])) for place in places)
    return Expanded(np.repeat(array, repeats), np.repeat(np.arange(len(array)), repeats), spans)


def fuse(
    embeddings: Array, ids: Any, features: Sequence[Array], placeholder: int, *, limit: int | None = None
) -> Array:
    """Put image features at the placeholder positions.

    Args:
        embeddings: `[B, T, D]` embeddings of `ids`.
        ids: `[B, T]` token ids after expansion.
        features: for each row `[N_row, D]`, the tokens of all its images in order; `N_row` may be 0.
        placeholder: id of the image token.
        limit: the length limit that rows were cut to, named in the error.

    Returns:
        A new `[B, T, D]`; the given embeddings are left alone.

    Raises:
        FusionError: a row's placeholders and features differ in number (checked before anything is fused).
    """
    mask = ids == placeholder
    if len(features) != len(ids):
        raise FusionError(f"{len(ids)} rows of ids came with features of {len(features)} rows")
    for row, part in enumerate(features):
        places = int(mask[row].sum())
        if places != len(part):
            note = "" if limit is None else f" (length limit {limit})"
            raise FusionError(
                f"row {row}: {places} image placeholders but {len(part)} image features{note}",
                "expand the placeholders with expand_placeholders and do not cut inside an image",
            )
    fused = embeddings.clone() if hasattr(embeddings, "clone") else embeddings.copy()
    for row, part in enumerate(features):
        if len(part):
            fused[row, mask[row]] = part
    return fused
