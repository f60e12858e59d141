"""The embedder that costs nothing extra: the mean of the language model's input embeddings, a floor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llava_agent.knowledge.vectors import Floats


class TokenMean:
    """The mean embedding of a text's tokens, centred and of unit length.

    Args:
        folder: the built language model (`llava-agent models pull embedded`).
    """

    name = "token-mean"

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        from llava_agent.vlm.engines.onnx_engine import OnnxEngine

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        engine = OnnxEngine(folder)
        self._embed = engine.embed
        # All embeddings have a large part in common, which would make all texts alike.
        self._centre = engine.embed(np.arange(engine.vocab_size, dtype=np.int64)).mean(0)

    def embed(self, texts: Sequence[str]) -> Floats:
        """`[N, hidden]`."""
        rows = []
        for text in texts:
            ids = np.array(self._tokenizer.encode(text).ids or [0], dtype=np.int64)
            rows.append((self._embed(ids) - self._centre).mean(0))
        found = np.stack(rows).astype(np.float32)
        unit: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return unit
