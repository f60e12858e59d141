"""The pointer head in numpy: which line a hidden state points at.

Runs the weights that `llava_agent.vlm.pointer_head` trained, so that choosing needs no torch.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError

Floats = NDArray[np.float32]

WEIGHTS = "pointer.safetensors"
CALIBRATION = "calibration.json"

#: Names of the tensors of `PointerHead`.
PARTS = frozenset(
    f"{name}.{kind}" for name in ("norm", "target_query", "target_key") for kind in ("weight", "bias")
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures that scores are divided by, fitted on held-out steps (Guo et al., 2017)."""

    verb: float = 1.0
    target: float = 1.0
    span: float = 1.0

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """The folder's temperatures, all 1 where it has none; WeightsError where the file is damaged."""
        path = folder / CALIBRATION
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()
        except (TypeError, ValueError) as error:
            raise WeightsError(f"{path} is not a calibration ({error})", "reinstall the package") from error

    def save(self, folder: Path) -> None:
        """Write `calibration.json` into `folder`."""
        (folder / CALIBRATION).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def log_softmax(scores: Floats, temperature: float = 1.0) -> Floats:
    """Log probabilities of `[N]` scores at a temperature."""
    scaled = scores / temperature
    scaled = scaled - scaled.max()
    result: Floats = scaled - np.log(np.exp(scaled).sum())
    return result


class Pointer:
    """Scores lines against the hidden state of the verb.

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
            weights = load_file(folder / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"the pointer in {folder} cannot be read ({error})", "reinstall the package"
            ) from error
        if set(weights) != PARTS:
            differing = ", ".join(sorted(PARTS ^ set(weights))[:3])
            raise WeightsError(
                f"the pointer in {folder} is of another version ({differing})",
                "reinstall the package",
            )
        return cls(weights)

    def _norm(self, hidden: Floats) -> Floats:
        mean, variance = hidden.mean(-1, keepdims=True), hidden.var(-1, keepdims=True)
        normed: Floats = (hidden - mean) / np.sqrt(variance + 1e-5)
        return normed * self._weights["norm.weight"] + self._weights["norm.bias"]

    def _linear(self, name: str, values: Floats) -> Floats:
        product: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def target(self, query: Floats, keys: Floats) -> Floats:
        """Scores `[N]` of lines with hidden states `[N, H]` for the query `[H]`."""
        asked = self._linear("target_query", self._norm(query))
        known = self._linear("target_key", self._norm(keys))
        scores: Floats = known @ asked / np.sqrt(asked.shape[-1])
        return scores
