"""Every configuration that ships runs on tiny parts in place of the large ones."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from transformers import CLIPVisionConfig, CLIPVisionModel

import llava_agent
from llava_agent.vlm.loading import load_model
from llava_agent.vlm.presets import load_preset
from training.llava.run import train
from training.llava.settings import TrainSettings, read_settings

FOLDER = Path(llava_agent.__file__).parent / "configs" / "training"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "embedded")


def hf_tower(folder: Path) -> Path:
    config = CLIPVisionConfig(
        hidden_size=24, intermediate_size=32, num_hidden_layers=8, num_attention_heads=2, image_size=32,
        patch_size=8, projection_dim=16, hidden_act="quick_gelu",
    )  # fmt: skip
    if not folder.exists():
        CLIPVisionModel(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_that_ships_runs_on_tiny_parts(made: Path, tmp_path: Path, name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    assert read_settings(path)
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    tower, language = data["model"]["tower"], data["model"]["language"]
    if tower["library"] == "open_clip":
        tower |= {"model": str(made / "tower")}
        tower.pop("pretrained")
    else:
        tower |= {"model": str(hf_tower(made / "hf_tower"))}
        tower["quick_gelu"] = True
    language |= {"model": str(made / "language"), "image_token": "<image>"}
    source = {"file": str(made / "data.json"), "images": str(made / "images")}
    data["data"]["sources"] = [source | {"repeat": one.get("repeat", 1)} for one in data["data"]["sources"]]
    if data["data"].get("prompt") == "images":
        data["data"]["allow_unusable"] = 0.5  # the talk without images
    data |= {"batch": 4, "steps": 1, "start": None}
    if data["stage"] == "qlora":  # refused on a CPU (test_train.py); all else that it sets runs without 4 bit
        data["stage"] = "lora"
    settings = TrainSettings.model_validate_json(json.dumps(data))
    finished = train(settings, tmp_path / "run")
    assert finished.loss is not None
    load_model(load_preset(str(tmp_path / "run" / "preset.yaml")))  # type: ignore[arg-type]
