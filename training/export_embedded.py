"""From training runs to the small weights that ship with the package."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from llava_agent.vlm.build.shipped import ADAPTER, DIAL_HEAD, TOWER
from llava_agent.vlm.dial_encoder import DialHead
from llava_agent.vlm.eyes import REGION_PROJECTOR, STATISTICS
from llava_agent.vlm.language import embedding_hash, tokenizer_fingerprint
from llava_agent.vlm.naming import Vocabulary
from llava_agent.vlm.pointer import WEIGHTS as POINTER
from llava_agent.vlm.pointer import Calibration
from llava_agent.vlm.reader import WEIGHTS as READER
from llava_agent.vlm.reader_head import ReaderHead
from llava_agent.vlm.region_encoder import Tower
from llava_agent.vlm.regions import CROP_SIZE, MEAN, STD
from projector.checkpoint import save_projector
from projector.fingerprint import Fingerprint, LanguageFingerprint, TowerFingerprint, sign_hash
from training.pointing_model import PointingModel


def half(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating tensors in fp16, others as they are."""
    return {k: (v.half() if v.is_floating_point() else v).detach().contiguous() for k, v in state.items()}


def adapter_tensors(model: PointingModel) -> dict[str, Tensor]:
    """LoRA tensors by the language model's own module paths (`model.layers.0.self_attn.q_proj.lora_A`)."""
    found = {}
    for name, parameter in model.language.named_parameters():
        if ".lora_" in name:
            path = name.removeprefix("base_model.model.")
            found[path.removesuffix(".default.weight")] = parameter.detach().half().contiguous()
    return found


def save_adapter(path: Path, tensors: dict[str, Tensor], rank: int, alpha: int) -> None:
    """The file that `merge_adapter` reads; the same weights give the same bytes."""
    # One entry: safetensors writes several in the order of a hash that differs from process to process.
    scale = json.dumps({"alpha": alpha, "r": rank}, sort_keys=True)
    save_file(tensors, path, metadata={"adapter": scale})


def export_embedded(
    out: Path,
    model: PointingModel,
    reader: ReaderHead,
    tower: Tower,
    tower_tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    dial_head: DialHead,
    calibration: Calibration,
    language_tokenizer: Any,
    rank: int,
    alpha: int,
    step: int,
) -> None:
    """Write everything that `EmbeddedModel` and the build need into `out`, in half precision.

    Args:
        tower_tokenizer: of the tower's text side.
        language_tokenizer: of transformers; its hash goes into the projector's fingerprint.
        rank, alpha: of the adapter.
        step: optimizer steps that the model took.
    """
    out.mkdir(parents=True, exist_ok=True)
    save_adapter(out / ADAPTER, adapter_tensors(model), rank, alpha)
    save_file(half(model.head.state_dict()), out / POINTER)
    save_file(half(reader.state_dict()), out / READER)
    save_file(half(tower.state_dict()), out / TOWER)
    save_file(half(dial_head.state_dict()), out / DIAL_HEAD)
    tower_tokenizer.save(str(out / "tower_tokenizer.json"))
    vocabulary.save(out)
    calibration.save(out)
    np.savez(out / STATISTICS, mean=model.feature_mean.numpy(), std=model.feature_std.numpy())
    made_for = _fingerprint(model, tower, language_tokenizer, step)
    save_projector(out / REGION_PROJECTOR, model.projector.half(), made_for)
    model.projector.float()


def _fingerprint(model: PointingModel, tower: Tower, language_tokenizer: Any, step: int) -> Fingerprint:
    """What the region projector was trained between."""
    table = model.language.get_input_embeddings().weight
    return Fingerprint(
        TowerFingerprint(
            id="embedded/tf_efficientnet_lite0",
            tag="contrast",
            quick_gelu=False,
            layer=-1,
            image_size=CROP_SIZE,
            resize_mode="squeeze",
            mean=_triple(MEAN),
            std=_triple(STD),
            hidden_size=model.projector.config.in_dim,
            weights=sign_hash(tower.parameters()),
        ),
        LanguageFingerprint(
            id="HuggingFaceTB/SmolLM2-135M-Instruct",
            revision="",
            hidden_size=table.shape[1],
            tokenizer=tokenizer_fingerprint(language_tokenizer),
            embeddings=embedding_hash(table),
        ),
        {name: version(name) for name in ("torch", "timm", "open_clip_torch", "transformers", "peft")},
        step,
    )


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    first, second, third = (round(float(value), 6) for value in values)
    return first, second, third
