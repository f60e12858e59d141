"""What every vision tower offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from llava_agent.errors import ConfigError
from llava_agent.vlm.vision.geometry import Grid, ImageMap
from llava_agent.vlm.vision.preprocess import Preprocess
from projector import TowerFingerprint, sign_hash


@dataclass(frozen=True, slots=True)
class TowerIdentity:
    """Name of a tower for its fingerprint: `id` is never a path, `tag` is the pretrained tag or revision."""

    id: str
    tag: str = ""


#: One block's output, or those of several blocks.
Layers = int | Sequence[int]


class VisionTower(nn.Module, ABC):
    """Patch features of one chosen layer, or of several, joined along the channels.

    A tower is put into evaluation mode and frozen when it is built; training decides what to thaw.
    """

    def __init__(self, identity: TowerIdentity, layer: Layers, preprocess: Preprocess) -> None:
        super().__init__()
        self.identity = identity
        self.layer = layer if isinstance(layer, int) else tuple(layer)
        self.preprocessing = preprocess

    @property
    @abstractmethod
    def hidden_size(self) -> int:
        """Channels of the features."""

    @property
    @abstractmethod
    def grid(self) -> Grid:
        """Feature grid of one canvas of `image_size`."""

    @property
    @abstractmethod
    def quick_gelu(self) -> bool:
        """Whether the tower's activation is QuickGELU."""

    @property
    def image_size(self) -> int:
        return self.preprocessing.size

    @abstractmethod
    def features(self, pixel_values: Tensor) -> Tensor:
        """`[B, 3, H, W]` normalised pixels to `[B, N, hidden_size]`, cells row by row, no class token.

        Runs only as far as the last chosen layer.
        """

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.features(pixel_values)

    def preprocess(self, image: Image.Image) -> tuple[Tensor, ImageMap]:
        """Pixels `[views, 3, H, W]` on the tower's device and in its precision, and the map to the image."""
        pixels, image_map = self.preprocessing(image, self.grid)
        return torch.from_numpy(pixels).to(device=self.device, dtype=self.dtype), image_map

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    def fingerprint(self) -> TowerFingerprint:
        """What a projector on this tower depends on."""
        how = self.preprocessing
        return TowerFingerprint(
            id=self.identity.id,
            tag=self.identity.tag,
            quick_gelu=self.quick_gelu,
            layer=self.layer,
            image_size=how.size,
            resize_mode=how.mode,
            mean=how.mean,
            std=how.std,
            hidden_size=self.hidden_size,
            weights=sign_hash(self.state_dict().values(), samples=1 << 14),
        )

    def _freeze(self) -> None:
        self.eval()
        self.requires_grad_(False)


def require_quick_gelu(wanted: bool | None, found: bool, model: str) -> None:
    """ConfigError if a tower's activation is not the one its weights were trained with.

    The wrong one changes every feature a little and no shape, so nothing else would notice.
    """
    if wanted is not None and wanted != found:
        raise ConfigError(
            f"quick_gelu of {model!r} is {str(found).lower()}, but its weights were trained with "
            f"quick_gelu: {str(wanted).lower()}",
            "name the matching architecture (open_clip calls it '...-quickgelu') or correct quick_gelu",
        )


def absolute_layers(layer: Layers, count: int) -> tuple[int, ...]:
    """Blocks to run for each of `layer`; ConfigError where they are none, or not in rising order.

    Other orders would mean other channels in each library, so they are not accepted.
    """
    wanted = (layer,) if isinstance(layer, int) else tuple(layer)
    depths = tuple(absolute_layer(one, count) for one in wanted)
    if not depths or list(depths) != sorted(set(depths)):
        raise ConfigError(
            f"layers {list(wanted)} are not in rising order", "name each layer once, lowest first"
        )
    return depths


def absolute_layer(layer: int, count: int) -> int:
    """Number of blocks to run for `layer` of `count` (negative counts from the end, -1 is the last)."""
    depth = layer + 1 if layer >= 0 else count + layer + 1
    if not 1 <= depth <= count:
        raise ConfigError(f"layer {layer} does not exist in a tower of {count} blocks")
    return depth
