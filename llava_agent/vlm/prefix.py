"""The kept prefix: positions that the engine already holds are not computed again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llava_agent.vlm.engines import Engine, Floats


class PrefixCache:
    """Keeps the last prompt in the engine, with its hidden states, and forwards only what differs.

    A position's key says what stands there: a token id, or the digest of a region's pixels. They are reused
    up to the first key that differs, since everything after it was computed from it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys: list[object] = []
        self._hidden: Floats = np.zeros((0, engine.hidden_size), np.float32)

    def forward(self, keys: Sequence[object], embeddings: Floats) -> tuple[Floats, Floats, int]:
        """Bring the prompt into the engine.

        Args:
            keys: one for each position.
            embeddings: `[T, hidden_size]`.

        Returns:
            Hidden states `[T, hidden_size]`, logits of the last position, and how many positions were reused.
        """
        shared = 0
        # The last position is always computed: its logits are not kept.
        for old, new in zip(self._keys, keys[:-1], strict=False):
            if old != new:
                break
            shared += 1
        # Cut first: where the engine refuses the rest, what is written down here is still what it holds.
        self._engine.cut(shared)
        self._keys, self._hidden = self._keys[:shared], self._hidden[:shared]
        hidden, logits = self._engine.forward(embeddings[shared:])
        self._hidden = np.concatenate([self._hidden, hidden])
        self._keys = list(keys)
        return self._hidden, logits, shared

    def cut(self) -> None:
        """Drop what was appended to the engine behind the prompt."""
        self._engine.cut(len(self._keys))

    def forget(self) -> None:
        """Empty the engine."""
        self._engine.cut(0)
        self._keys, self._hidden = [], self._hidden[:0]
