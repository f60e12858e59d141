"""What the fp32 model computes on a few tokens, kept so that an exported decoder can be held against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llava_agent.vlm.engines.onnx_engine import OnnxEngine

PROBE = "probe.npz"
PROBE_TOKENS = 48


def record(model: Any, folder: Path) -> None:
    """Save hidden states and last logits of a transformers model for ids spread over its vocabulary."""
    import torch

    ids = np.linspace(0, model.config.vocab_size - 1, PROBE_TOKENS).astype(np.int64)
    with torch.inference_mode():
        hidden = model.get_decoder()(input_ids=torch.from_numpy(ids)[None]).last_hidden_state
        logits = model.get_output_embeddings()(hidden[:, -1])
    np.savez(folder / PROBE, ids=ids, hidden=hidden[0].numpy(), logits=logits[0].numpy())


def compare(built: Path, merged: Path) -> dict[str, float]:
    """Cosines of a built decoder with the fp32 folder's record: `hidden` (mean) and last `logits`."""
    with np.load(merged / PROBE) as saved:
        ids, hidden, logits = saved["ids"], saved["hidden"], saved["logits"]
    engine = OnnxEngine(built)
    found, found_logits = engine.forward(engine.embed(ids))
    return {"hidden": float(cosines(found, hidden).mean()), "logits": float(cosines(found_logits, logits))}


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Along the last axis."""
    result: NDArray[np.float32] = (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    return result
