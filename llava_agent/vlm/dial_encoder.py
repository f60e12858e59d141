"""The dial head in torch, for training and export: a needle from the tower's early features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from llava_agent.vlm.dial import BINS, DIAL_SIZE
from llava_agent.vlm.region_encoder import Tower

#: Channels of the trunk's stride-8 features that the head starts from.
_CHANNELS = 40


class DialHead(nn.Module):
    """Stride-8 features `[N, 40, 16, 16]` to scores of directions `[N, BINS]` and the hub `[N, 2]`.

    The hub is in fractions of the crop, and within the middle half of it.
    """

    def __init__(self) -> None:
        super().__init__()
        grid = DIAL_SIZE // 16
        self.layers = nn.Sequential(
            nn.Conv2d(_CHANNELS, 64, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(64, 64, 3, padding=1, stride=2),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(64 * grid * grid, 256),
            nn.GELU(),
            nn.Dropout(0.1),
        )
        self.direction = nn.Linear(256, BINS)
        self.hub = nn.Linear(256, 2)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of directions, and hubs."""
        hidden = self.layers(features)
        return self.direction(hidden), 0.5 + 0.25 * torch.tanh(self.hub(hidden))


class DialEncoder(nn.Module):
    """Trunk up to stride 8, frozen, then the head: `[N, 3, 128, 128]` to directions and hubs."""

    def __init__(self, tower: Tower, head: DialHead) -> None:
        super().__init__()
        self.trunk: Any = tower.visual.trunk
        self.head = head

    def features(self, pixel_values: Tensor) -> Tensor:
        """What the head starts from: `[N, 40, 16, 16]`."""
        stages = self.trunk.forward_intermediates(
            pixel_values, indices=[2], norm=False, stop_early=True, intermediates_only=True
        )
        first: Tensor = stages[0]
        return first

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of directions, and hubs, of normalised crops."""
        scores, hub = self.head(self.features(pixel_values))
        return scores, hub
