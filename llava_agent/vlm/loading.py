"""From a preset to a model on torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.language import LanguageModel, load_language_model
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.llava_checkpoint import load_llava
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset, TowerSpec
from llava_agent.vlm.vision.hf_tower import load_hf_tower
from llava_agent.vlm.vision.open_clip_tower import load_open_clip_tower
from llava_agent.vlm.vision.tower import VisionTower
from projector import ProjectorConfig, build_projector


def load_model(preset: ComposedPreset | LlavaPreset) -> LlavaModel:
    """The model of a preset, ready to answer.

    Raises:
        ConfigError: parts do not go together, or the projector is still to be trained.
        WeightsError: weights cannot be had, or the projector belongs to other models.
    """
    device = pick_device(preset.device)
    if isinstance(preset, LlavaPreset):
        return _llava(preset, device)
    if preset.projector.folder is None:
        raise ConfigError(
            f"the preset {preset.name!r} has no trained projector", "train one and set projector.folder"
        )
    tower, language, token = load_parts(preset, device)
    return LlavaModel.compose(tower, Path(preset.projector.folder).expanduser(), language, token)


def new_model(preset: ComposedPreset, *, seed: int) -> LlavaModel:
    """The model of a preset with a fresh projector, for training one."""
    tower, language, token = load_parts(preset, pick_device(preset.device))
    spec = preset.projector
    config = ProjectorConfig(spec.kind, tower.hidden_size, language.hidden_size, spec.shuffle)
    projector = build_projector(config, seed=seed).to(language.device)
    return LlavaModel(tower, projector, language, token)


def pick_device(wanted: str) -> str:
    """`auto` becomes a GPU where there is one; ConfigError for a device that is not there."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"the device {wanted!r} cannot be used here", "use auto or cpu") from error
    return wanted


def _llava(preset: LlavaPreset, device: str) -> LlavaModel:
    model = load_llava(
        preset.model,
        quantisation=preset.quantisation,
        revision=preset.revision,
        device=device,
        resize_mode=preset.resize_mode,
    )
    if preset.adapter is not None:
        _adapt(model.language, preset.adapter)
    if preset.projector is None:
        return model
    folder = Path(preset.projector).expanduser()
    return LlavaModel.compose(model.tower, folder, model.language, model.placeholder)


def load_parts(preset: ComposedPreset, device: str) -> tuple[VisionTower, LanguageModel, int]:
    """Tower, language model with its adapter, and the id that stands for an image."""
    spec = preset.language
    language = load_language_model(
        spec.model, quantisation=spec.quantisation, revision=spec.revision, device=device
    )
    token = language.tokenizer.convert_tokens_to_ids(spec.image_token)
    if token is None or token == language.tokenizer.unk_token_id:
        raise ConfigError(
            f"the image token {spec.image_token!r} is not in the vocabulary of {spec.model!r}",
            "name a token that the model has and texts do not use",
        )
    if preset.adapter is not None:
        _adapt(language, preset.adapter)
    return _tower(preset.tower, device, language), language, int(token)


def _tower(spec: TowerSpec, device: str, language: LanguageModel) -> VisionTower:
    common: dict[str, Any] = {
        "layer": spec.layer,
        "resize_mode": spec.resize_mode,
        "quick_gelu": spec.quick_gelu,
        "device": device,
        "dtype": language.dtype,
    }
    if spec.library == "transformers":
        return load_hf_tower(spec.model, **common)
    return load_open_clip_tower(spec.model, pretrained=spec.pretrained, image_size=spec.image_size, **common)


def _adapt(language: LanguageModel, folder: str) -> None:
    """Put a LoRA adapter into the language model, in place; it works on quantised weights too."""
    from peft import PeftModel

    path = Path(folder).expanduser()
    if not (path / "adapter_config.json").is_file():
        raise WeightsError(f"{path} holds no adapter_config.json", "name the folder of a peft adapter")
    try:
        adapted = PeftModel.from_pretrained(language.model, str(path))
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(
            f"the adapter in {path} does not fit {language.identity.id!r} ({str(error).splitlines()[0]})",
            "use the model that it was trained on",
        ) from error
    language.model = adapted.get_base_model().eval()
