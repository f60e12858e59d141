"""Engines run the language model. They share one small protocol and numpy at the border."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Engine(Protocol):
    """A causal language model with a KV cache of one sequence.

    `forward` appends to the sequence; `cut` shortens it, so that a prefix can be kept between calls.
    """

    @property
    def hidden_size(self) -> int: ...

    @property
    def vocab_size(self) -> int: ...

    @property
    def length(self) -> int:
        """Number of positions in the KV cache."""
        ...

    def embed(self, token_ids: NDArray[np.int64]) -> Floats:
        """Embedding rows `[T, hidden_size]` of token ids `[T]`."""
        ...

    def forward(self, embeddings: Floats) -> tuple[Floats, Floats]:
        """Append `[T, hidden_size]` embeddings; return the last hidden states `[T, hidden_size]` (after the
        final norm) and the logits `[vocab_size]` of the last position."""
        ...

    def cut(self, length: int) -> None:
        """Drop every position from `length` on."""
        ...
