"""The engine over torch: any causal language model of transformers, on any device."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llava_agent.errors import ConfigError
from llava_agent.vlm.engines import Floats
from llava_agent.vlm.language import LanguageModel


class TorchEngine:
    """One sequence with a KV cache (implements `Engine`). Not for use from several threads at once.

    Args:
        language: the model; it is used in evaluation mode, in its own precision, on its own device.
    """

    def __init__(self, language: LanguageModel) -> None:
        self._language = language.eval()
        self._cache = _empty_cache()
        self._length = 0

    @property
    def hidden_size(self) -> int:
        return self._language.hidden_size

    @property
    def vocab_size(self) -> int:
        return self._language.vocab_size

    @property
    def length(self) -> int:
        return self._length

    def embed(self, token_ids: NDArray[np.int64]) -> Floats:
        with torch.inference_mode():
            return _to_numpy(self._language.embed(torch.from_numpy(token_ids).to(self._language.device)))

    def forward(self, embeddings: Floats) -> tuple[Floats, Floats]:
        if embeddings.ndim != 2 or embeddings.shape[0] == 0 or embeddings.shape[1] != self.hidden_size:
            raise ConfigError(
                f"the engine expects embeddings [T >= 1, {self.hidden_size}], got {list(embeddings.shape)}"
            )
        language = self._language
        inputs = torch.from_numpy(np.ascontiguousarray(embeddings)).to(language.device, language.dtype)
        hidden: list[Tensor] = []
        # The decoder's output is read on its way to the head, because the head's own forward may scale or cap
        # its logits and does not return what it was given.
        hook = language.model.get_decoder().register_forward_hook(lambda _m, _i, out: hidden.append(out[0]))
        try:
            with torch.inference_mode():
                out = language.model(
                    inputs_embeds=inputs[None], past_key_values=self._cache, use_cache=True, logits_to_keep=1
                )
        except BaseException:
            self._take_back()
            raise
        finally:
            hook.remove()
        self._length += len(embeddings)
        return _to_numpy(hidden[0][0]), _to_numpy(out.logits[0, -1])

    def _take_back(self) -> None:
        """After a failed pass: the layers that already hold the new positions drop them."""
        if self._length == 0:
            self._cache = _empty_cache()
            return
        for layer in self._cache.layers:
            extra = layer.get_seq_length() - self._length
            if extra > 0:
                layer.crop(-extra)

    def cut(self, length: int) -> None:
        if not 0 <= length <= self._length:
            raise ConfigError(f"the cache holds {self._length} positions and cannot be cut to {length}")
        if length == 0:
            self._cache = _empty_cache()
        elif length < self._length:
            self._cache.crop(length - self._length)
        self._length = length


def _empty_cache() -> Any:
    """A cache that keeps every position in every layer, so that cutting is exact for any model."""
    from transformers import DynamicCache

    return DynamicCache()


def _to_numpy(tensor: Tensor) -> Floats:
    return tensor.float().cpu().numpy()
