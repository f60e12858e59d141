"""Resumable checkpoints: one file, written atomically, with everything that continuing needs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` and the generators of random numbers; a kill leaves the old file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    rng = {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()}
    torch.save({**state, "rng": rng}, partial)
    partial.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """The state that `save` wrote, with the generators set back; None where there is no checkpoint."""
    if not path.exists():
        return None
    # The file is our own and holds Python's random state, which the safe unpickler refuses.
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    rng = state.pop("rng")
    random.setstate(rng["python"])
    np.random.set_state(rng["numpy"])
    torch.set_rng_state(rng["torch"])
    return state
