"""The model of a run, before its first step."""

from __future__ import annotations

from pathlib import Path

import torch

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.loading import load_model, load_parts, new_model
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset, load_preset
from training.llava.settings import TrainSettings

PROJECTOR = "projector"


def preset_of(settings: TrainSettings) -> ComposedPreset | LlavaPreset:
    """The preset that is trained, with the quantisation of the stage.

    Raises:
        ConfigError: a preset of another kind, or a quantisation that the stage cannot train over.
    """
    preset = load_preset(settings.model) if isinstance(settings.model, str) else settings.model.preset()
    if not isinstance(preset, ComposedPreset | LlavaPreset):
        raise ConfigError(
            f"the preset {preset.name!r} is of kind {preset.kind}",
            "only composed and llava presets are trained",
        )
    if preset.adapter is not None:
        raise ConfigError(
            f"the preset {preset.name!r} has an adapter", "export the model (export hf) and train that"
        )
    if isinstance(preset, LlavaPreset):
        given = preset.quantisation
        wanted = "4-bit" if settings.stage == "qlora" else given
        preset = preset.model_copy(update={"quantisation": wanted})
    else:
        given = preset.language.quantisation
        wanted = "4-bit" if settings.stage == "qlora" else given
        preset = preset.model_copy(
            update={"language": preset.language.model_copy(update={"quantisation": wanted})}
        )
    if settings.stage == "lora" and wanted != "none":
        raise ConfigError("stage lora trains over full weights", "use stage qlora, or quantisation none")
    return preset


def build(settings: TrainSettings, preset: ComposedPreset | LlavaPreset, device: str) -> LlavaModel:
    """Load the parts; the projector is fresh, the checkpoint's own, or that of `settings.start`.

    Raises:
        ConfigError: parts do not go together, or 4-bit weights cannot be trained over on this device.
        WeightsError: weights cannot be had, or the projector to start from belongs to others (it says which).
    """
    if settings.stage == "qlora":
        require_four_bit(device)
    preset = preset.model_copy(update={"device": device})
    start = None if settings.start is None else _projector_folder(Path(settings.start).expanduser())
    if isinstance(preset, LlavaPreset):
        if start is not None:
            preset = preset.model_copy(update={"projector": str(start)})
        return load_model(preset)
    if start is None:
        return new_model(preset, seed=settings.seed)
    tower, language, token = load_parts(preset, device)
    return LlavaModel.compose(tower, start, language, token)


def _projector_folder(start: Path) -> Path:
    if (start / "adapter").is_dir():
        raise ConfigError(f"{start} trained an adapter too", "export it (export hf) and train what comes out")
    return start / PROJECTOR if (start / PROJECTOR).is_dir() else start


def require_four_bit(device: str) -> None:
    """ConfigError with the reason where no gradient passes through 4-bit weights on `device`: it is tried."""
    try:
        from bitsandbytes.nn.modules import Linear4bit

        layer = Linear4bit(64, 64, bias=False, quant_type="nf4", compute_dtype=torch.float32).to(device)
        layer.eval().requires_grad_(False)
        with torch.no_grad():  # the layer is linear, so what it makes of the unit vectors is its weight
            weight = layer(torch.eye(64, device=device))
        given = torch.randn(8, 64, device=device, requires_grad=True)
        layer(given).sum().backward()
        wanted = weight.sum(1).expand_as(given)
        right = given.grad is not None and torch.allclose(given.grad, wanted, atol=1e-3, rtol=1e-3)
        reason = "" if right else "the gradient that comes through is wrong"
    except (RuntimeError, ImportError, NotImplementedError, AttributeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if reason:
        raise ConfigError(
            f"stage qlora cannot train over 4-bit weights on {device} ({reason})", "use a GPU, or stage lora"
        )
