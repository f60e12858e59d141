"""Language model + adapter -> one transformers folder, with a probe of what it computes. Needs torch.

Run as `python -m llava_agent.vlm.build.merge SOURCE OUT [ADAPTER]`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from llava_agent.vlm.build.adapter import merge_adapter
from llava_agent.vlm.build.probe import record


def merge(source: Path, out: Path, adapter: Path | None) -> None:
    """Write config, fp32 weights, tokenizer and probe into the new folder `out`.

    Args:
        source: a GGUF file, or a transformers folder.
        adapter: see `merge_adapter`.
    """
    model, tokenizer = _load(source)
    if adapter is not None:
        merge_adapter(model, adapter)
    out.mkdir(parents=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    if (source / "tokenizer.json").is_file():  # as it was, not as it was written anew
        shutil.copyfile(source / "tokenizer.json", out / "tokenizer.json")
    record(model, out)


def _load(source: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if source.is_file():
        from llava_agent.vlm.gguf import load_gguf

        return load_gguf(source, torch.float32)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(source)


if __name__ == "__main__":
    merge(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
