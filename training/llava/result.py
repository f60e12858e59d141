"""What a run leaves: its weights, and a preset that uses them (`--model RUN/preset.yaml`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llava_agent.agent.trace import write_whole
from llava_agent.errors import ConfigError
from llava_agent.vlm.language import LanguageIdentity
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset
from llava_agent.vlm.vision.hf_tower import HfTower
from llava_agent.vlm.vision.tower import TowerIdentity
from training.export.source import PRESET
from training.llava.build import PROJECTOR
from training.llava.settings import TrainSettings


def require_savable(model: LlavaModel, settings: TrainSettings, preset: ComposedPreset | LlavaPreset) -> None:
    """ConfigError before the first step where what is trained could not be kept."""
    if "tower" in settings.rates and not (
        isinstance(model.tower, HfTower) and isinstance(preset, ComposedPreset)
    ):
        raise ConfigError(
            "only a tower of library transformers can be trained and kept",
            "convert it, or leave the tower frozen",
        )
    if "language" in settings.rates and isinstance(preset, LlavaPreset):
        raise ConfigError(
            "the language model inside a LLaVA checkpoint cannot be kept apart",
            "use stage lora, or its parts",
        )


def write_result(
    folder: Path, model: LlavaModel, peft: Any, settings: TrainSettings,
    preset: ComposedPreset | LlavaPreset, step: int, data_hash: str,
) -> None:  # fmt: skip
    """Write every trained part into a folder of its own, and the preset last."""
    changes: dict[str, Any] = {}
    if peft is not None:
        peft.save_pretrained(folder / "adapter")
        changes["adapter"] = "./adapter"
    if isinstance(preset, ComposedPreset):
        if "language" in settings.rates:
            model.language.model.save_pretrained(folder / "language")
            model.language.tokenizer.save_pretrained(folder / "language")
            model.language.identity = LanguageIdentity("language")
            changes["language"] = preset.language.model_copy(update={"model": "./language", "revision": None})
        if "tower" in settings.rates and isinstance(model.tower, HfTower):
            model.tower.model.save_pretrained(folder / "tower")
            _save_normalisation(model.tower, folder / "tower")
            model.tower.identity = TowerIdentity("tower")
            changes["tower"] = preset.tower.model_copy(update={"model": "./tower"})
        changes["projector"] = preset.projector.model_copy(update={"folder": f"./{PROJECTOR}"})
    else:
        changes["projector"] = f"./{PROJECTOR}"
    model.save_projector(folder / PROJECTOR, step=step, data_hash=data_hash)
    import yaml

    made = preset.model_copy(update={**changes, "device": "auto"})
    document = made.model_dump(mode="json", exclude={"name"})
    write_whole(folder / PRESET, yaml.safe_dump(document, sort_keys=False).encode())


def _save_normalisation(tower: HfTower, folder: Path) -> None:
    how = {"image_mean": tower.preprocessing.mean, "image_std": tower.preprocessing.std}
    write_whole(folder / "preprocessor_config.json", (json.dumps(how) + "\n").encode())
