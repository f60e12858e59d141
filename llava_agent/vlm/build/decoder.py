"""A transformers folder of a decoder -> the files that `OnnxEngine` loads. No torch in this process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.build.step import run_step
from llava_agent.vlm.engines.onnx_engine import DECODER, DECODER_CONFIG, EMBEDDINGS

#: int8 is the default: against fp32, its hidden states have cosine 0.9995 and its logits 0.999 (int4: 0.94
#: and 0.90), and it is the faster one at prefill, which is what a pointing agent does most.
Precision = Literal["int8", "int4", "fp32"]

_BLOCKS = {
    "int8": ("block_size=32", "accuracy_level=4"),
    "int4": ("block_size=32", "accuracy_level=4"),
    "fp32": (),
}


def export_decoder(hf_dir: Path, out_dir: Path, precision: Precision, log: Path) -> None:
    """Write decoder, embedding table, tokenizer and shape into `out_dir`.

    The decoder takes embeddings, returns the hidden states of every position and the logits of the last one
    only: the head is a fifth of the work, and nobody reads the others.

    Args:
        hf_dir: `config.json`, `model.safetensors` and `tokenizer.json`.
        out_dir: exists.
        log: what the model builder prints is appended here.
    """
    if precision not in _BLOCKS:
        raise ConfigError(f"unknown precision {precision!r}", f"choose one of {', '.join(_BLOCKS)}")
    work = out_dir / ".builder"
    options = [
        "exclude_embeds=true", "include_hidden_states=true", "prune_lm_head=true",
        f"filename={DECODER}", *_BLOCKS[precision],
    ]  # fmt: skip
    run_step(
        "onnxruntime_genai.models.builder",
        [
            "-i",
            hf_dir,
            "-o",
            work,
            "-p",
            precision,
            "-e",
            "cpu",
            "-c",
            work / "cache",
            "--extra_options",
            *options,
        ],
        log,
    )
    for name in (DECODER, f"{DECODER}.data"):
        (work / name).replace(out_dir / name)
    shutil.rmtree(work)
    np.save(out_dir / EMBEDDINGS, embedding_table(hf_dir))
    shutil.copyfile(hf_dir / "tokenizer.json", out_dir / "tokenizer.json")
    (out_dir / DECODER_CONFIG).write_text(json.dumps(_shape(hf_dir, precision), indent=1) + "\n")


def embedding_table(hf_dir: Path) -> np.ndarray[Any, np.dtype[np.float16]]:
    """Rows `[V, D]` in half precision: it is only looked up, and its rounding is far below the decoder's."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(hf_dir / "model.safetensors", framework="np") as file:
            table = file.get_tensor("model.embed_tokens.weight")
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{hf_dir} holds no embedding table ({error})", "convert the model again"
        ) from error
    return np.asarray(table, dtype=np.float16)


def _shape(hf_dir: Path, precision: Precision) -> dict[str, object]:
    config = json.loads((hf_dir / "config.json").read_text())
    heads = config["num_attention_heads"]
    ends = config.get("eos_token_id")
    return {
        "hidden_size": config["hidden_size"],
        "vocab_size": config["vocab_size"],
        "layers": config["num_hidden_layers"],
        "kv_heads": config.get("num_key_value_heads") or heads,
        "head_dim": config.get("head_dim") or config["hidden_size"] // heads,
        "context": config["max_position_embeddings"],
        "end_tokens": ends if isinstance(ends, list) else [] if ends is None else [ends],
        "precision": precision,
    }
