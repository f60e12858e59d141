"""CLIP and SigLIP vision towers of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.vision.geometry import Grid
from llava_agent.vlm.vision.preprocess import CLIP_MEAN, CLIP_STD, HALF, Preprocess, ResizeMode
from llava_agent.vlm.vision.tower import (
    Layers,
    TowerIdentity,
    VisionTower,
    absolute_layers,
    require_quick_gelu,
)

#: Class token and normalisation by `model_type`; a checkpoint's own preprocessor_config.json wins.
_CLIP_TYPES = {"clip_vision_model": (1, CLIP_MEAN, CLIP_STD), "siglip_vision_model": (0, HALF, HALF)}


class HfTower(VisionTower):
    """Patch features of a `CLIPVisionModel` or `SiglipVisionModel`.

    Args:
        model: the vision model.
        identity: its name for the fingerprint.
        preprocess: size, resize mode and normalisation.
        layer: as in `hidden_states`: -1 is the output of the last block, -2 of the one before; or several.
    """

    def __init__(
        self, model: Any, identity: TowerIdentity, preprocess: Preprocess, *, layer: Layers = -2
    ) -> None:
        super().__init__(identity, layer, preprocess)
        config = model.config
        if config.model_type not in _CLIP_TYPES:
            raise ConfigError(
                f"a vision tower of type {config.model_type!r} is not supported",
                "use a CLIP or SigLIP vision model",
            )
        if preprocess.size != config.image_size:
            raise ConfigError(
                f"image size {preprocess.size} differs from the tower's {config.image_size}",
                "position embeddings are fixed in this tower; use its own size",
            )
        self.model: Any = model
        self._prefix = _CLIP_TYPES[config.model_type][0]
        self._depths = absolute_layers(layer, config.num_hidden_layers)
        side = config.image_size // config.patch_size
        self._grid = Grid(side, side, float(config.patch_size))
        self._freeze()

    @property
    def hidden_size(self) -> int:
        return int(self.model.config.hidden_size) * len(self._depths)

    @property
    def grid(self) -> Grid:
        return self._grid

    @property
    def quick_gelu(self) -> bool:
        return self.model.config.hidden_act == "quick_gelu"

    def features(self, pixel_values: Tensor) -> Tensor:
        hidden = self.model.embeddings(pixel_values)
        if hasattr(self.model, "pre_layrnorm"):  # CLIP's own spelling; SigLIP has none
            hidden = self.model.pre_layrnorm(hidden)
        chosen = []
        for depth, block in enumerate(self.model.encoder.layers[: self._depths[-1]], start=1):
            hidden = block(hidden, attention_mask=None)
            if depth in self._depths:
                chosen.append(hidden[:, self._prefix :])
        return chosen[0] if len(chosen) == 1 else torch.cat(chosen, dim=-1)


def load_hf_tower(
    model: str,
    *,
    layer: Layers = -2,
    resize_mode: ResizeMode = "pad",
    quick_gelu: bool | None = None,
    revision: str | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> HfTower:
    """Load the vision side of a CLIP or SigLIP checkpoint (hub id or folder).

    Raises:
        ConfigError: another kind of model, or another activation than `quick_gelu` says.
        WeightsError: the weights cannot be had or do not fit.
    """
    from safetensors import SafetensorError
    from transformers import AutoConfig, CLIPVisionModel, SiglipVisionModel

    folder = Path(model).expanduser()
    source = str(folder) if folder.is_dir() else model
    try:
        config = AutoConfig.from_pretrained(source, revision=revision)
        kind = config.model_type.removesuffix("_vision_model")
        if kind not in ("clip", "siglip"):
            raise ConfigError(
                f"{model!r} is a {config.model_type!r} model", "name a CLIP or SigLIP checkpoint"
            )
        loader = CLIPVisionModel if kind == "clip" else SiglipVisionModel
        options: dict[str, Any] = {"revision": revision} if revision else {}
        loaded: Any = loader.from_pretrained(source, dtype=dtype, output_loading_info=True, **options)
        vision, report = loaded
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsError(
            f"the vision tower {model!r} could not be loaded ({str(error).splitlines()[0]})",
            "check the name and that its weights are on this machine or can be fetched",
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise WeightsError(f"the vision tower {model!r} lacks weights, first {missing[0]!r}")
    name = folder.resolve().name if folder.is_dir() else model
    tower = HfTower(
        vision.to(device),
        TowerIdentity(name, revision or ""),
        hf_preprocess(vision.config, source, resize_mode),
        layer=layer,
    )
    require_quick_gelu(quick_gelu, tower.quick_gelu, model)
    return tower


def hf_preprocess(config: Any, source: str | None, mode: ResizeMode) -> Preprocess:
    """Size from the model, normalisation from the checkpoint's own file or, without one, by its kind."""
    if config.model_type not in _CLIP_TYPES:
        raise ConfigError(
            f"a vision tower of type {config.model_type!r} is not supported", "use CLIP or SigLIP"
        )
    _, mean, std = _CLIP_TYPES[config.model_type]
    stored = _stored_preprocessing(source) if source else {}
    mean = tuple(stored.get("image_mean", mean))
    std = tuple(stored.get("image_std", std))
    return Preprocess(int(config.image_size), mode, mean, std)


def _stored_preprocessing(source: str) -> dict[str, Any]:
    from transformers import ImageProcessingMixin

    try:
        stored, _ = ImageProcessingMixin.get_image_processor_dict(source)
    except OSError:
        return {}
    return stored
