"""Low-rank adapters merged into the weights they adapt, so that running them costs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import WeightsError

if TYPE_CHECKING:
    from torch import nn


def merge_adapter(model: nn.Module, adapter: Path) -> int:
    """Add `B @ A * alpha / r` to every weight that the adapter names; returns how many there were.

    The file is a safetensors with `<module path>.lora_A` `[r, in]` and `<module path>.lora_B` `[out, r]`; its
    metadata gives `alpha` and `r`, as entries of their own or inside one entry that is a JSON object.

    Raises:
        WeightsError: the file is damaged, incomplete, or made for another model; then the model is untouched.
    """
    import torch

    tensors, scale = _read(adapter)
    modules = dict(model.named_modules())
    changes = []
    for name in sorted({key.rpartition(".lora_")[0] for key in tensors}):
        weight = getattr(modules.get(name), "weight", None)
        a, b = tensors.get(f"{name}.lora_A"), tensors.get(f"{name}.lora_B")
        if not isinstance(weight, torch.Tensor) or a is None or b is None:
            raise WeightsError(f"{adapter.name} adapts {name!r}, which it or the model lacks a part of")
        delta = (b.float() @ a.float()) * scale
        if delta.shape != weight.shape:
            raise WeightsError(
                f"{adapter.name} was made for another model ({name}: {list(delta.shape)}, not "
                f"{list(weight.shape)})",
                "use the language model that it was trained with",
            )
        changes.append((weight, delta))
    with torch.no_grad():
        for weight, delta in changes:
            weight += delta.to(weight)
    return len(changes)


def _read(adapter: Path) -> tuple[dict, float]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(adapter, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
        scale = _scale(metadata)
    except (OSError, SafetensorError, ValueError, KeyError, ZeroDivisionError) as error:
        raise WeightsError(f"the adapter {adapter} cannot be read ({error})", "restore the file") from error
    if not tensors or not all(".lora_" in key for key in tensors):
        raise WeightsError(f"{adapter} holds no adapter", "restore the file")
    return tensors, scale


def _scale(metadata: dict[str, str]) -> float:
    """Raises KeyError, ValueError or ZeroDivisionError where `alpha / r` is not given."""
    found: dict[str, object] = dict(metadata)
    for text in metadata.values():
        if text.lstrip().startswith("{"):
            found |= json.loads(text)
    return float(str(found["alpha"])) / float(str(found["r"]))
