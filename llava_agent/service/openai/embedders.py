"""The models behind `/v1/embeddings`: sentences as vectors, and pictures as vectors of the CLIP tower.

The two spaces have nothing to do with each other: a text's vector cannot be compared with an image's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from llava_agent.gateway.request import Usage
from llava_agent.vlm.image_embedder import ImageEmbedder
from llava_agent.vlm.text_embedder import load_text_embedder
from tools.photo import Photo

TEXT, IMAGE = "embedded-sentence", "embedded-clip"
EMBEDDERS = (TEXT, IMAGE)


@dataclass(frozen=True, slots=True)
class Vectors:
    """One unit vector for each input, in order, and what they cost."""

    model: str
    rows: NDArray[np.float32]
    usage: Usage


def embed_texts(texts: Sequence[str]) -> Vectors:
    """Raises WeightsError where `models pull knowledge` has not been run."""
    embedder = load_text_embedder()
    return Vectors(TEXT, embedder.embed(texts), Usage(prompt_tokens=embedder.count(texts)))


def embed_images(photos: Sequence[Photo]) -> Vectors:
    """Raises WeightsError where `models pull embedded` has not been run."""
    rows = _clip().embed([photo.image for photo in photos])
    # One vector a picture, as the model sees it: one token.
    return Vectors(IMAGE, rows, Usage(prompt_tokens=len(photos), image_tokens=len(photos)))


@cache
def _clip() -> ImageEmbedder:
    from llava_agent.vlm.weights import EMBEDDED, paths

    return ImageEmbedder(paths(EMBEDDED)["language"])
