"""The engine over ONNX Runtime: the CPU default of the embedded preset. Never imports torch.

Every run goes through IO binding with buffers that this module owns: the attention operator appends to the KV
buffers in place (past and present are the same memory), so a step copies nothing, and cutting the sequence is
setting a counter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import BudgetExceeded, ConfigError, WeightsError
from llava_agent.vlm.engines import Floats
from llava_agent.vlm.engines.session import open_session

#: File names inside a built folder.
DECODER = "decoder.onnx"
EMBEDDINGS = "embeddings.npy"
DECODER_CONFIG = "decoder.json"

#: Positions that the KV buffers hold at first; they double when a sequence outgrows them.
FIRST_CAPACITY = 1024


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Shape of a built decoder, as `decoder.json` stores it.

    Attributes:
        context: most positions of a sequence.
        end_tokens: ids that end a generation.
    """

    hidden_size: int
    vocab_size: int
    layers: int
    kv_heads: int
    head_dim: int
    context: int
    end_tokens: tuple[int, ...]
    precision: str

    @classmethod
    def load(cls, folder: Path) -> DecoderConfig:
        """Raises WeightsError where the folder holds no readable decoder."""
        path = folder / DECODER_CONFIG
        try:
            raw = json.loads(path.read_text())
            return cls(**(raw | {"end_tokens": tuple(raw["end_tokens"])}))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"{folder} holds no built decoder ({error})", "build it again") from error


class OnnxEngine:
    """One sequence with a KV cache (implements `Engine`). Not for use from several threads at once.

    Args:
        model_dir: folder that `llava_agent.vlm.build` wrote.
        threads: cores to use, at most those that this process may use.

    Raises:
        WeightsError: a file is absent or damaged.
    """

    def __init__(self, model_dir: Path, threads: int = 2) -> None:
        self.config = DecoderConfig.load(model_dir)
        self._session = open_session(model_dir / DECODER, threads)
        self._embeddings = _embedding_table(model_dir / EMBEDDINGS, self.config)
        self._logits = np.empty((1, 1, self.config.vocab_size), np.float32)
        self._length = 0
        self._allocate(min(FIRST_CAPACITY, self.config.context))

    @property
    def hidden_size(self) -> int:
        return self.config.hidden_size

    @property
    def vocab_size(self) -> int:
        return self.config.vocab_size

    @property
    def length(self) -> int:
        return self._length

    def embed(self, token_ids: NDArray[np.int64]) -> Floats:
        if token_ids.size and not 0 <= int(token_ids.min()) <= int(token_ids.max()) < self.vocab_size:
            raise ConfigError(f"token ids must be within 0..{self.vocab_size - 1}")
        return self._embeddings[token_ids].astype(np.float32)

    def forward(self, embeddings: Floats) -> tuple[Floats, Floats]:
        if embeddings.ndim != 2 or embeddings.shape[0] == 0 or embeddings.shape[1] != self.hidden_size:
            raise ConfigError(
                f"the engine expects embeddings [T >= 1, {self.hidden_size}], got {list(embeddings.shape)}"
            )
        total = self._length + len(embeddings)
        self._reserve(total)
        # The binding holds bare pointers: every array must outlive the run, so each has a name here.
        inputs = np.ascontiguousarray(embeddings[None], np.float32)
        mask = np.ones((1, total), np.int64)
        hidden = np.empty((1, len(embeddings), self.hidden_size), np.float32)
        values = [_value(array) for array in (inputs, mask, hidden)]
        self._binding.bind_ortvalue_input("inputs_embeds", values[0])
        self._binding.bind_ortvalue_input("attention_mask", values[1])
        self._binding.bind_ortvalue_output("hidden_states", values[2])
        self._session.run_with_iobinding(self._binding)
        self._length = total  # only now: a run that failed leaves the sequence as it was
        return hidden[0], self._logits[0, 0].copy()

    def cut(self, length: int) -> None:
        if not 0 <= length <= self._length:
            raise ConfigError(f"the cache holds {self._length} positions and cannot be cut to {length}")
        self._length = length

    def _reserve(self, positions: int) -> None:
        if positions > self.config.context:
            raise BudgetExceeded(
                f"{positions} positions do not fit the model's context of {self.config.context}",
                "shorten the prompt or the history",
            )
        if positions > self._capacity:
            self._allocate(min(max(positions, 2 * self._capacity), self.config.context))

    def _allocate(self, capacity: int) -> None:
        """New KV buffers that hold what the old ones held. Untouched zero pages cost no memory."""
        config = self.config
        kept = getattr(self, "_kv", {})
        self._kv: dict[str, NDArray[np.float32]] = {}
        self._capacity = capacity
        self._binding: Any = self._session.io_binding()
        for name in (f"{layer}.{part}" for layer in range(config.layers) for part in ("key", "value")):
            buffer = np.zeros((1, config.kv_heads, capacity, config.head_dim), np.float32)
            if name in kept:
                buffer[:, :, : self._length] = kept[name][:, :, : self._length]
            value = _value(buffer)
            self._kv[name] = buffer
            self._binding.bind_ortvalue_input(f"past_key_values.{name}", value)
            self._binding.bind_ortvalue_output(f"present.{name}", value)
        self._binding.bind_ortvalue_output("logits", _value(self._logits))


def _embedding_table(path: Path, config: DecoderConfig) -> NDArray[Any]:
    try:
        table: NDArray[Any] = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error})", "build it again") from error
    if table.shape != (config.vocab_size, config.hidden_size):
        raise WeightsError(f"{path} has shape {table.shape}, which is not the decoder's", "build it again")
    return table


def _value(array: NDArray[Any]) -> Any:
    """An OrtValue over the array's own memory."""
    import onnxruntime

    return onnxruntime.OrtValue.ortvalue_from_numpy(array)
