"""Trained heads in numpy: their file, and the two layers that they are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError

Floats = NDArray[np.float32]

_MEND = "reinstall the package"


class Dense:
    """Linear layers and layer norms over tensors by name (`target_query.weight`).

    Args:
        weights: in half or full precision; computed with in full.
    """

    def __init__(self, weights: dict[str, Floats]) -> None:
        self.weights = {
            name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()
        }

    def linear(self, name: str, values: Floats) -> Floats:
        """`[..., in]` to `[..., out]`."""
        product: Floats = values @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return product

    def norm(self, name: str, values: Floats) -> Floats:
        """Layer norm over the last axis (Ba et al., 2016)."""
        mean, variance = values.mean(-1, keepdims=True), values.var(-1, keepdims=True)
        normed: Floats = (values - mean) / np.sqrt(variance + np.float32(1e-5))
        return normed * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def read_head(path: Path, parts: frozenset[str], what: str) -> dict[str, Floats]:
    """The tensors of a head; WeightsError where the file is absent, damaged, or holds other `parts`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights: dict[str, Floats] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"the {what} {path} cannot be read ({error})", _MEND) from error
    if set(weights) != parts:
        differing = ", ".join(sorted(parts ^ set(weights))[:3])
        raise WeightsError(f"the {what} {path} is of another version ({differing})", _MEND)
    return weights
