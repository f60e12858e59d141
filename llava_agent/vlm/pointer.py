"""The pointer head in numpy: which line a hidden state points at.

Runs the weights that `llava_agent.vlm.pointer_head` trained, so that choosing needs no torch.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from llava_agent.errors import WeightsError
from llava_agent.vlm.dense import Dense, Floats, read_head

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
        self._dense = Dense(weights)

    @classmethod
    def load(cls, folder: Path) -> Pointer:
        """Raises WeightsError where the file is absent, damaged, or of another version."""
        return cls(read_head(folder / WEIGHTS, PARTS, "pointer"))

    def target(self, query: Floats, keys: Floats) -> Floats:
        """Scores `[N]` of lines with hidden states `[N, H]` for the query `[H]`."""
        asked = self._dense.linear("target_query", self._dense.norm("norm", query))
        known = self._dense.linear("target_key", self._dense.norm("norm", keys))
        scores: Floats = known @ asked / np.sqrt(asked.shape[-1])
        return scores
