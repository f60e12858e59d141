"""What is exported: a preset, or the model that a training run left."""

from __future__ import annotations

from pathlib import Path

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.loading import load_model
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset, load_preset

#: A run's own preset, beside its weights: `--model RUN/preset.yaml` uses what was trained.
PRESET = "preset.yaml"


def preset_of(name: str) -> ComposedPreset | LlavaPreset:
    """The preset of a run's folder, of a YAML file, or by name.

    Raises:
        ConfigError: there is none, or one whose parts are not torch modules.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / PRESET).is_file():
            raise ConfigError(
                f"{folder} holds no finished training run", "name the folder of a run that ended"
            )
        name = str(folder / PRESET)
    preset = load_preset(name)
    if not isinstance(preset, ComposedPreset | LlavaPreset):
        raise ConfigError(
            f"the preset {preset.name!r} is of kind {preset.kind}",
            "only composed and llava presets can be used here",
        )
    return preset


def whole_model(preset: ComposedPreset | LlavaPreset) -> LlavaModel:
    """The model at full precision with its adapter merged into the weights.

    An adapter that was trained over 4-bit weights is merged into the weights that these stand for.
    """
    part: dict[str, object] = {"adapter": None}
    if isinstance(preset, LlavaPreset):
        part["quantisation"] = "none"
    else:
        part["language"] = preset.language.model_copy(update={"quantisation": "none"})
    model = load_model(preset.model_copy(update=part))
    if preset.adapter is not None:
        from peft import PeftModel

        adapted = PeftModel.from_pretrained(model.language.model, str(Path(preset.adapter).expanduser()))
        model.language.model = adapted.merge_and_unload().eval()
    return model
