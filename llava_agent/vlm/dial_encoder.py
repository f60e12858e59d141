"""The dial head in torch: needle direction and hub from the tower's early features. For training and export."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from llava_agent.vlm.dial import BINS, DIAL_SIZE

#: Channels of the trunk's stride-8 features that the head starts from.
_CHANNELS = 40


class DialHead(nn.Module):
    """Stride-8 features `[N, 40, 16, 16]` to scores over directions `[N, BINS]` and the hub `[N, 2]` (crop fractions)."""

    def __init__(self) -> None:
        super().__init__()
        grid = DIAL_SIZE // 16
        self.layers = nn.Sequential(
            nn.Conv2d(_CHANNELS, 64, 3, padding=1), nn.GELU(),
            nn.Conv2d(64, 64, 3, padding=1, stride=2), nn.GELU(),
            nn.Flatten(), nn.Linear(64 * grid * grid, 256), nn.GELU(), nn.Dropout(0.1),
        )  # fmt: skip
        self.direction = nn.Linear(256, BINS)
        self.hub = nn.Linear(256, 2)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.layers(features)
        return self.direction(hidden), 0.5 + 0.25 * torch.tanh(self.hub(hidden))


class DialEncoder(nn.Module):
    """Trunk up to stride 8, frozen, then the head: `[N, 3, 128, 128]` to directions and hubs."""

    def __init__(self, tower: nn.Module, head: DialHead) -> None:
        super().__init__()
        self.trunk = tower.visual.trunk
        self.head = head

    def features(self, pixel_values: Tensor) -> Tensor:
        stages = self.trunk.forward_intermediates(
            pixel_values, indices=[2], norm=False, stop_early=True, intermediates_only=True
        )
        first: Tensor = stages[0]
        return first

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        scores, hub = self.head(self.features(pixel_values))
        return scores, hub
