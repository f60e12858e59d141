"""Texts as vectors: all-MiniLM-L6-v2 on ONNX Runtime, without torch.

`llava-agent models pull knowledge` fetches and builds it. Sources: Reimers and Gurevych, Sentence-BERT
(2019); Wang et al., MiniLM (2020).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError
from llava_agent.vlm.engines.session import open_session

if TYPE_CHECKING:
    from tokenizers import Encoding

MODEL = "embedder.onnx"
TOKENIZER = "tokenizer.json"

#: Tokens that are read of a text; what follows has no effect.
LONGEST = 256
#: Texts of one pass: they are padded to the longest, so like lengths go together.
BATCH = 16


class TextEmbedder:
    """Maps texts to unit vectors; the dot product of two says how alike they are in meaning (-1 to 1).

    Safe to share between threads.

    Args:
        folder: where `models pull knowledge` built it.

    Raises:
        WeightsError: a file is absent or damaged.
    """

    #: Named in every stored vector; vectors of different models are never compared.
    name = "all-MiniLM-L6-v2-int8"

    def __init__(self, folder: Path, threads: int = 2) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the library raises bare Exception
            raise WeightsError(
                f"{folder / TOKENIZER} cannot be read ({error})",
                "fetch it again with: llava-agent models pull knowledge",
            ) from error
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        self._session = open_session(folder / MODEL, threads)
        #: Length of a vector.
        self.width: int = self._session.get_outputs()[0].shape[1]
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """`[N, width]` unit vectors, in the order of the texts."""
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        encoded: list[Encoding] = self._tokenizer.encode_batch(list(texts))
        by_length = sorted(range(len(texts)), key=lambda index: len(encoded[index].ids))
        for start in range(0, len(texts), BATCH):
            batch = by_length[start : start + BATCH]
            vectors[batch] = self._run([encoded[index].ids for index in batch])
        return vectors

    def tokens(self, text: str) -> list[int]:
        """The token ids that are read of a text."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def count(self, texts: Sequence[str]) -> int:
        """Tokens that are read of the texts together, for accounts of usage."""
        return sum(len(one.ids) for one in self._tokenizer.encode_batch(list(texts)))

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        with self._lock:
            (vectors,) = self._session.run(None, {"ids": ids, "mask": mask})
        return np.asarray(vectors, dtype=np.float32)


@lru_cache(maxsize=1)
def _loaded(folder: Path) -> TextEmbedder:
    return TextEmbedder(folder)


def load_text_embedder() -> TextEmbedder:
    """The embedder that was pulled, loaded once in a process.

    Raises:
        WeightsError: it is not there; the message names the command that fetches it.
    """
    from llava_agent.vlm.weights import KNOWLEDGE, paths

    return _loaded(paths(KNOWLEDGE)["embedder"])
