"""The pointer head in numpy: which line, and which span, a hidden state points at.

Runs the weights that `llava_agent.vlm.pointer_head` trained, so that choosing needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError
from llava_agent.vlm.prompt import Quotable

Floats = NDArray[np.float32]

WEIGHTS = "pointer.safetensors"
CALIBRATION = "calibration.json"

#: A quoted span is at most this many tokens long.
LONGEST_SPAN = 48


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures fitted on held-out steps, by which scores are divided before the softmax (Guo et al., 2017)."""

    verb: float = 1.0
    target: float = 1.0
    span: float = 1.0

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        path = folder / CALIBRATION
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()
        except (TypeError, ValueError) as error:
            raise WeightsError(f"{path} is not a calibration ({error})", "reinstall the package") from error

    def save(self, folder: Path) -> None:
        (folder / CALIBRATION).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Found:
    """A span: prompt positions of its first and last token, and its probability."""

    quotable: Quotable
    first: int
    last: int
    probability: float

    @property
    def text(self) -> str:
        return self.quotable.quote(self.first, self.last)


def log_softmax(scores: Floats, temperature: float = 1.0) -> Floats:
    scaled = scores / temperature
    scaled = scaled - scaled.max()
    result: Floats = scaled - np.log(np.exp(scaled).sum())
    return result


class Pointer:
    """Scores lines and spans against the hidden state of the verb.

    Args:
        weights: tensors of `PointerHead`, by name.
    """

    def __init__(self, weights: dict[str, Floats]) -> None:
        self._weights = {
            name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()
        }

    @classmethod
    def load(cls, folder: Path) -> Pointer:
        """Raises WeightsError where the file is absent or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return cls(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"the pointer in {folder} cannot be read ({error})", "reinstall the package"
            ) from error

    def _norm(self, hidden: Floats) -> Floats:
        mean, variance = hidden.mean(-1, keepdims=True), hidden.var(-1, keepdims=True)
        normed: Floats = (hidden - mean) / np.sqrt(variance + 1e-5)
        return normed * self._weights["norm.weight"] + self._weights["norm.bias"]

    def _linear(self, name: str, values: Floats) -> Floats:
        product: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _scores(self, name: str, query: Floats, keys: Floats) -> Floats:
        asked, known = self._linear(f"{name}_query", query), self._linear(f"{name}_key", keys)
        scores: Floats = known @ asked / np.sqrt(asked.shape[-1])
        return scores

    def target(self, query: Floats, keys: Floats) -> Floats:
        """Scores `[N]` of lines with hidden states `[N, H]` for the query `[H]`."""
        return self._scores("target", self._norm(query), self._norm(keys))

    def span(
        self, query: Floats, hidden: Floats, quotables: Sequence[Quotable], temperature: float = 1.0
    ) -> Found | None:
        """The most probable span that lies within one of `quotables`; None where there is nothing to quote.

        Args:
            hidden: `[T, H]` of the whole prompt.
        """
        if not quotables:
            return None
        places = np.concatenate([np.arange(q.start, q.start + len(q.offsets)) for q in quotables])
        asked, known = self._norm(query), self._norm(hidden[places])
        start = log_softmax(self._scores("start", asked, known), temperature)
        end = log_softmax(self._scores("end", asked, known), temperature)
        best, found, offset = -np.inf, None, 0
        for quotable in quotables:
            length = len(quotable.offsets)
            joint = start[offset : offset + length, None] + end[None, offset : offset + length]
            reach = np.subtract.outer(np.arange(length), np.arange(length))
            joint = np.where((reach <= 0) & (reach > -LONGEST_SPAN), joint, -np.inf)
            first, last = np.unravel_index(int(joint.argmax()), joint.shape)
            if joint[first, last] > best:
                best = float(joint[first, last])
                found = (quotable, quotable.start + int(first), quotable.start + int(last))
            offset += length
        if found is None:
            return None
        return Found(*found, probability=float(np.exp(best)))
