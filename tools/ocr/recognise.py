"""What a line of text says: a convolutional reader with CTC (Graves et al., 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from tools.ocr.models import RECOGNITION, open_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Height that a line is scaled to, and the narrowest input: a short label is not padded further.
_HEIGHT, _NARROWEST = 48, 96
#: Class 0 of the network says that there is no letter.
_BLANK = 0


class Recogniser:
    """Reads lines of text, `threads` at a time, each on one thread and as if it were alone.

    The network's convolutions are small: two threads inside one took twice the processor time, and as long.
    """

    def __init__(self, threads: int) -> None:
        self._session = open_model(RECOGNITION, threads=1)
        self._input = self._session.get_inputs()[0].name
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ocr")
        letters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._letters = ["", *letters, " "]

    def __call__(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        """Text and score (0 to 1) of each line `[height, width, 3]`, BGR."""
        return list(self._threads.map(self._read, crops))

    def _read(self, crop: NDArray[np.uint8]) -> tuple[str, float]:
        probabilities = self._session.run(None, {self._input: _scaled(crop)})[0][0]  # [steps, letters]
        letters = probabilities.argmax(axis=1)
        begins = np.concatenate(([True], letters[1:] != letters[:-1])) & (letters != _BLANK)
        if not begins.any():
            return "", 0.0
        text = "".join(self._letters[letter] for letter in letters[begins])
        return text, float(probabilities.max(axis=1)[begins].mean())


def _scaled(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network's input `[1, 3, 48, width]`, -1 to 1, with zeros right of a short line."""
    import cv2

    ratio = crop.shape[1] / crop.shape[0]
    width = int(_HEIGHT * max(ratio, _NARROWEST / _HEIGHT))
    inked = min(math.ceil(_HEIGHT * ratio), width)
    inputs = np.zeros((1, 3, _HEIGHT, width), np.float32)
    scaled = cv2.resize(crop, (inked, _HEIGHT)).transpose(2, 0, 1)
    inputs[0, :, :, :inked] = scaled / np.float32(127.5) - 1
    return inputs
