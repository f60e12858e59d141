"""GGUF files as ordinary transformers models and folders (the architectures that transformers reads)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llava_agent.errors import WeightsError

if TYPE_CHECKING:
    import torch


def load_gguf(path: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Model and tokenizer of a GGUF file, dequantised to `dtype`.

    transformers marks such a model as quantised and refuses to save it, although its weights are plain
    numbers; the mark is removed.

    Raises:
        WeightsError: the file is missing, damaged, or of an architecture that transformers cannot read.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not path.is_file():
        raise WeightsError(f"there is no GGUF file {path}", "check the path")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise WeightsError(f"{path} is not a GGUF file", "fetch it again")
    folder = str(path.parent)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=path.name)
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, gguf_file=path.name, dtype=dtype)
    except (
        Exception
    ) as error:  # the readers raise bare exceptions too, for a damaged file as for a strange one
        raise WeightsError(
            f"{path} could not be read ({str(error).splitlines()[0]})", "fetch it again"
        ) from error
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.load_state_dict(loaded.state_dict(), strict=True)
    model.tie_weights()
    return model.eval(), tokenizer


def gguf_to_hf(gguf_path: Path, out_dir: Path, dtype: torch.dtype | None = None) -> Path:
    """Write the model and tokenizer of a GGUF file as a transformers folder.

    Args:
        gguf_path: the file.
        out_dir: must not exist or be empty; it appears complete or not at all.
        dtype: of the saved weights, float32 by default.

    Raises:
        WeightsError: the file cannot be read, or `out_dir` holds something.
    """
    import torch

    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise WeightsError(f"{out_dir} exists and is not an empty folder", "remove it or choose another")
    model, tokenizer = load_gguf(gguf_path, dtype or torch.float32)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=out_dir.parent, prefix=f".{out_dir.name}."))
    try:
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        part.chmod(0o755)
        part.replace(out_dir)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out_dir
