"""Whole pictures as vectors of the embedded preset's CLIP tower, on ONNX Runtime, without torch.

The tower was trained on crops of marks, 96 pixels wide, so it tells pictures apart by what they are as a
whole (a gauge, a form, a nameplate), and reads nothing in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llava_agent.vlm.engines.session import open_session
from llava_agent.vlm.eyes import REGION_ENCODER
from llava_agent.vlm.regions import CROP_SIZE, normalise

#: Pictures of one pass.
BATCH = 16


class ImageEmbedder:
    """Maps pictures to unit vectors; the dot product of two says how alike they look (-1 to 1).

    Args:
        built: folder of the built weights.

    Raises:
        WeightsError: the tower is absent or damaged.
    """

    name = "embedded-clip"

    def __init__(self, built: Path, threads: int = 2) -> None:
        self._session = open_session(built / REGION_ENCODER, threads)
        self._input = self._session.get_inputs()[0].name

    def embed(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """`[N, D]` for N pictures in RGB; each is squeezed to a square."""
        rows = [
            self._session.run(None, {self._input: normalise(_squares(pictures[start : start + BATCH]))})[1]
            for start in range(0, len(pictures), BATCH)
        ]
        found = np.concatenate(rows).astype(np.float32)
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        result: NDArray[np.float32] = found / np.maximum(norms, 1e-12)
        return result


def _squares(pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
    size = (CROP_SIZE, CROP_SIZE)
    squeezed = [picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0) for picture in pictures]
    return np.stack([np.asarray(picture, dtype=np.uint8) for picture in squeezed])
