"""The tower as the transformers class that other programs know."""

from __future__ import annotations

from typing import Any

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.vision.convert import open_clip_to_hf
from llava_agent.vlm.vision.hf_tower import HfTower
from llava_agent.vlm.vision.open_clip_tower import OpenClipTower


def vision_model(model: LlavaModel) -> Any:
    """A `CLIPVisionModel` or `SiglipVisionModel`; a tower of open_clip is copied into one.

    Raises:
        ConfigError: the tower is no plain ViT.
    """
    if isinstance(model.tower, HfTower):
        return model.tower.model
    if isinstance(model.tower, OpenClipTower):
        return open_clip_to_hf(model.tower.visual).to(model.tower.device, model.tower.dtype)
    raise ConfigError(f"a tower of type {type(model.tower).__name__} has no CLIP layout")
