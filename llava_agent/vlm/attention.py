"""Where on an image a generating model looks while it writes an answer.

The answer is put after the prompt, and the attention of each position that foretells one of its tokens is
read. A model attends much to a few cells whatever it is asked, so each cell's attention is divided by what it
gets under a general instruction (relative attention, Zhang et al., 2025). Attention shows what was read, not
what decided: covering a region says more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from llava_agent.errors import ConfigError
from llava_agent.gateway.request import Candidate, Choice, ModelRequest
from llava_agent.vlm.fusion import expand_placeholders, fuse
from llava_agent.vlm.llava import LlavaModel
from tools.geometry import Box


@dataclass(frozen=True, slots=True)
class Attended:
    """Cells of an image with the attention that they got.

    Attributes:
        boxes: of the cells that cover a part of the image, in its pixels.
        weights: `[cells]`, not negative.
    """

    boxes: tuple[Box, ...]
    weights: NDArray[np.float32]


@runtime_checkable
class Attending(Protocol):
    """Weights whose attention can be read."""

    def attention(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], choice: Choice
    ) -> Attended:
        """The cells of the request's image while the model writes `choice`."""
        ...


@torch.inference_mode()
def image_attention(
    model: LlavaModel, prompt: Sequence[int], answer: Sequence[int], image: Image.Image
) -> NDArray[np.float32]:
    """`[image tokens]`: mean attention over layers, heads and the tokens of the answer.

    Args:
        prompt: ids with one placeholder.
        answer: ids that follow it, at least one.

    Raises:
        ConfigError: the language model gives no attention.
    """
    from transformers import DynamicCache

    tokens, _ = model.encode(image)
    one = expand_placeholders(list(prompt), [len(tokens)], model.placeholder)
    ids = torch.from_numpy(np.concatenate([one.ids, np.asarray(answer, dtype=np.int64)]))
    ids = ids.to(model.language.device)[None]
    embeddings = fuse(model.language.embed(ids), ids, [tokens], model.placeholder)
    last = len(one.ids) - 1  # foretells the first token of the answer
    cache = DynamicCache()
    language: Any = model.language.model
    if last:
        language(inputs_embeds=embeddings[:, :last], past_key_values=cache, use_cache=True, logits_to_keep=1)
    with _eager(language):
        found = language(
            inputs_embeds=embeddings[:, last:-1],
            past_key_values=cache,
            use_cache=True,
            output_attentions=True,
        ).attentions
    if not found or any(layer is None for layer in found):
        raise ConfigError(
            f"{type(language).__name__} does not give its attention", "explain its answers by occlusion"
        )
    start, end = one.spans[0]
    layers = [layer[0, :, :, start:end].float().mean((0, 1)) for layer in found]
    return torch.stack(layers).mean(0).cpu().numpy()


def relative(attention: NDArray[np.float32], general: NDArray[np.float32]) -> NDArray[np.float32]:
    """How many times as much attention each cell gets as under a general instruction."""
    return (attention / np.maximum(general, 1e-9)).astype(np.float32)


@contextmanager
def _eager(language: Any) -> Iterator[None]:
    """The kernels that are usual give no attention; these do."""
    before = language.config._attn_implementation
    language.set_attn_implementation("eager")
    try:
        yield
    finally:
        language.set_attn_implementation(before)
