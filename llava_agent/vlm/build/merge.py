"""Language model + adapter -> one transformers folder, with a probe of what it computes. Needs torch.

Run as `python -m llava_agent.vlm.build.merge SOURCE OUT [ADAPTER]`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from llava_agent.vlm.build.adapter import merge_adapter

#: Inputs and outputs of the fp32 model, kept beside it: the exported decoder is compared with them.
PROBE = "probe.npz"
PROBE_TOKENS = 48


def merge(source: Path, out: Path, adapter: Path | None) -> None:
    """Write config, fp32 weights, tokenizer and probe into the new folder `out`.

    Args:
        source: a GGUF file, or a transformers folder.
        adapter: see `merge_adapter`.
    """
    import torch

    model, tokenizer = _load(source)
    if adapter is not None:
        merge_adapter(model, adapter)
    out.mkdir(parents=True)
    model.save_pretrained(out)
    if (source / "tokenizer.json").is_file():
        shutil.copyfile(source / "tokenizer.json", out / "tokenizer.json")
    else:
        tokenizer.backend_tokenizer.save(str(out / "tokenizer.json"))
    tokenizer.save_pretrained(out)
    np.savez(out / PROBE, **_probe(model, torch))


def _load(source: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if source.is_file():
        from llava_agent.vlm.gguf import load_gguf

        return load_gguf(source, torch.float32)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(source)


def _probe(model: Any, torch: Any) -> dict[str, Any]:
    """Hidden states and last logits of a fixed spread of token ids."""
    ids = np.linspace(0, model.config.vocab_size - 1, PROBE_TOKENS).astype(np.int64)
    with torch.inference_mode():
        hidden = model.get_decoder()(input_ids=torch.from_numpy(ids)[None]).last_hidden_state
        logits = model.get_output_embeddings()(hidden[:, -1])
    return {"ids": ids, "hidden": hidden[0].numpy(), "logits": logits[0].numpy()}


if __name__ == "__main__":
    merge(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
