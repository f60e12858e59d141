"""A tiny random llama, exported by the same builder as the real one. Made once a test run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaForCausalLM

from tests.vlm.language_models import llama_config, tiny_tokenizer

RANK, ALPHA = 2, 4


@dataclass(frozen=True)
class Built:
    """Folders of one tiny model: transformers, adapter, int8 with the adapter merged, fp32 without it."""

    source: Path
    shipped: Path
    int8: Path
    fp32: Path


def tiny_source(folder: Path) -> Path:
    torch.manual_seed(3)
    config = llama_config(
        hidden_size=64, intermediate_size=128, num_attention_heads=4, num_key_value_heads=2,
        tie_word_embeddings=True, initializer_range=0.15, max_position_embeddings=256,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def tiny_adapter(folder: Path, seed: int = 5) -> Path:
    """An adapter on two linears, strong enough to be seen in the outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, rows, columns in (
        ("model.layers.0.self_attn.q_proj", 64, 64),
        ("model.layers.1.mlp.down_proj", 64, 128),
    ):
        tensors[f"{name}.lora_A"] = torch.randn(RANK, columns, generator=random) * 0.3
        tensors[f"{name}.lora_B"] = torch.randn(rows, RANK, generator=random) * 0.3
    path = folder / "adapter.safetensors"
    save_file(tensors, path, {"alpha": str(ALPHA), "r": str(RANK)})
    return path


def build_all(folder: Path) -> Built:
    from llava_agent.vlm.build import build_embedded
    from llava_agent.vlm.build.decoder import export_decoder

    source, shipped = tiny_source(folder / "source"), folder / "shipped"
    tiny_adapter(shipped)
    build_embedded(folder / "int8", source, shipped)
    fp32 = folder / "fp32"
    fp32.mkdir()
    export_decoder(source, fp32, "fp32", folder / "log")
    return Built(source, shipped, folder / "int8", fp32)
