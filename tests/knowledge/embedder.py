"""An embedder for tests that need vectors and no meaning: words hashed into a few directions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from llava_agent.knowledge.vectors import Floats


class HashedWords:
    name = "hashed-words"

    def __init__(self) -> None:
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> Floats:
        self.texts += len(texts)
        found = np.zeros((len(texts), 64), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                digest = hashlib.sha256(word.encode()).digest()
                found[row, digest[0] % 64] += 1 if digest[1] % 2 else -1
            found[row, 0] += 0.01
        unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit
