"""Resumable checkpoints: one file, written atomically, with everything that continuing needs."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llava_agent.errors import ToolError


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` and the generators of random numbers; a kill or a full disk leaves the old file whole.

    Raises:
        ToolError: it cannot be written.
    """
    partial = path.with_suffix(".partial")
    rng = {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            torch.save({**state, "rng": rng}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch's own writer raises RuntimeError
        partial.unlink(missing_ok=True)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        kept = "the checkpoint before it is whole" if path.exists() else "there is none before it"
        raise ToolError(
            f"the checkpoint {path} cannot be written ({reason}); {kept}", "free some room and resume the run"
        ) from error


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
