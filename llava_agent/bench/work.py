"""How many bytes a decoded token must read, and how much arithmetic a prompt is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from llava_agent.vlm.engines.onnx_engine import DECODER


@dataclass(frozen=True, slots=True)
class Work:
    """What one model costs to run.

    Attributes:
        linear_weights: numbers in the layers' matrices.
        head_weights: numbers in the head, which is used for one position of a prompt.
        weight_bytes: read for each token: layers and head, as stored.
        kv_bytes: read for each earlier position (kept in fp32).
    """

    linear_weights: int
    head_weights: int
    weight_bytes: int
    kv_bytes: int

    def bytes_per_token(self, positions: float) -> float:
        return self.weight_bytes + self.kv_bytes * positions

    def prefill_flop(self, tokens: int) -> float:
        """Multiplications and additions in the matrices; attention adds under 2 % at 128 tokens."""
        return 2.0 * (self.linear_weights * tokens + self.head_weights)


def model_work(reference: Path, built: Path | None) -> Work:
    """Of the fp32 transformers folder `reference`, as stored in `built` (None: as it is itself)."""
    config = json.loads((reference / "config.json").read_text())
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    head_dim = config.get("head_dim") or hidden // heads
    attention = hidden * head_dim * (2 * heads + 2 * kv_heads)
    linear = config["num_hidden_layers"] * (attention + 3 * hidden * config["intermediate_size"])
    head = hidden * config["vocab_size"]
    stored = 4 * (linear + head) if built is None else (built / f"{DECODER}.data").stat().st_size
    return Work(linear, head, stored, config["num_hidden_layers"] * 2 * kv_heads * head_dim * 4)
