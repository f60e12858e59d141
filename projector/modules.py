"""The kinds of projector: linear, MLP of any depth, and pixel shuffle followed by an MLP."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from llava_agent.errors import ConfigError

_MLP = re.compile(r"mlp([1-9]\d?)x_gelu")
_SHUFFLE = "pixel_shuffle_mlp"


@dataclass(frozen=True, slots=True)
class ProjectorConfig:
    """Shape of a projector.

    Attributes:
        kind: `linear`, `mlp{n}x_gelu` (n linear layers with GELU between them) or `pixel_shuffle_mlp`
            (each `shuffle` x `shuffle` block of the feature grid becomes one token, then two linear layers).
        in_dim: channels of the tower's features.
        out_dim: hidden size of the language model.
        shuffle: side of the block of grid cells that one token covers; 1 for kinds that keep the grid.
    """

    kind: str
    in_dim: int
    out_dim: int
    shuffle: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("linear", _SHUFFLE) and not _MLP.fullmatch(self.kind):
            raise ConfigError(
                f"projector kind {self.kind!r} is unknown",
                "use linear, mlp2x_gelu (any depth: mlp3x_gelu, ...) or pixel_shuffle_mlp",
            )
        if min(self.in_dim, self.out_dim) < 1:
            raise ConfigError(f"projector dimensions must be positive, got {self.in_dim} -> {self.out_dim}")
        if (self.kind == _SHUFFLE) != (self.shuffle > 1) or self.shuffle < 1:
            raise ConfigError(
                f"projector kind {self.kind!r} does not go with shuffle {self.shuffle}",
                f"{_SHUFFLE} needs shuffle of 2 or more, every other kind needs 1",
            )

    @property
    def depth(self) -> int:
        """Number of linear layers."""
        match = _MLP.fullmatch(self.kind)
        if match:
            return int(match.group(1))
        return 1 if self.kind == "linear" else 2


class Projector(nn.Module):
    """Features of a grid of cells to language-model embeddings.

    The layers follow LLaVA (Liu et al. 2023): the first maps to the output width, GELU (exact) lies between.
    """

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = [nn.Linear(config.in_dim * config.shuffle**2, config.out_dim)]
        for _ in range(config.depth - 1):
            layers += [nn.GELU(), nn.Linear(config.out_dim, config.out_dim)]
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor, grid: tuple[int, int]) -> Tensor:
        """`[B, rows * cols, in_dim]` features in row-major order to `[B, tokens(grid), out_dim]`."""
        rows, cols = grid
        if features.ndim != 3 or features.shape[1:] != (rows * cols, self.config.in_dim):
            raise ConfigError(
                f"the projector expects features [batch, {rows * cols}, {self.config.in_dim}] for a "
                f"{rows} x {cols} grid, got {list(features.shape)}"
            )
        self.tokens(grid)
        return self.layers(_pixel_shuffle(features, grid, self.config.shuffle))

    def tokens(self, grid: tuple[int, int]) -> int:
        """Number of tokens that a grid becomes; ConfigError where the grid does not divide."""
        rows, cols = grid
        side = self.config.shuffle
        if rows % side or cols % side:
            raise ConfigError(
                f"a feature grid of {rows} x {cols} cannot be shuffled in blocks of {side} x {side}",
                "choose an image size or a shuffle factor that divides the grid",
            )
        return (rows // side) * (cols // side)


def build_projector(config: ProjectorConfig, *, seed: int | None = None) -> Projector:
    """A projector with fresh weights; with `seed` always the same ones, without touching the global RNG."""
    if seed is None:
        return Projector(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Projector(config)


def _pixel_shuffle(features: Tensor, grid: tuple[int, int], side: int) -> Tensor:
    """Join blocks of `side` x `side` cells, row-major inside the block, into the channels of one token."""
    if side == 1:
        return features
    batch, _, channels = features.shape
    rows, cols = grid
    blocks = features.view(batch, rows // side, side, cols // side, side, channels)
    return blocks.permute(0, 1, 3, 2, 4, 5).reshape(batch, -1, side * side * channels)
