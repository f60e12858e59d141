"""Features of a frozen tower, computed once and kept on disk, keyed by what they were computed from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from llava_agent.errors import ConfigError
from llava_agent.vlm.naming import Vocabulary
from llava_agent.vlm.region_encoder import RegionEncoder, Tower, new_tower
from llava_agent.vlm.regions import normalise
from training.captions import caption_text
from training.stages.contrast import CHECKPOINT, TOKENIZER, encode_captions


@dataclass(frozen=True, slots=True)
class Features:
    """Of `N` crops: region features with geometry `[N, REGION_FEATURES + 6]`, and the tower's words."""

    values: NDArray[np.float32]
    named: tuple[str, ...]


def load_tower(run: Path) -> tuple[Tower, Tokenizer]:
    """The tower of a contrast run, frozen, and its text side's tokenizer; ConfigError where there is none."""
    if not (run / CHECKPOINT).exists():
        raise ConfigError(f"{run / CHECKPOINT} does not exist", "train it first (stage contrast)")
    tower = new_tower()
    # The run's own file; it also holds the states of random generators, which the safe unpickler refuses.
    tower.load_state_dict(torch.load(run / CHECKPOINT, map_location="cpu", weights_only=False)["tower"])
    tower.visual.to(memory_format=torch.channels_last)
    tower.eval().requires_grad_(False)
    return tower, Tokenizer.from_file(str(run / TOKENIZER))


@torch.no_grad()
def build_vocabulary(tower: Tower, tokenizer: Tokenizer, kinds: list[str], colours: list[str]) -> Vocabulary:
    """Caption embeddings of every kind, alone and in every colour."""

    def embed(captions: list[str]) -> NDArray[np.float32]:
        parts = [
            tower.encode_text(encode_captions(tokenizer, captions[i : i + 512]))
            for i in range(0, len(captions), 512)
        ]
        unit: NDArray[np.float32] = nn.functional.normalize(torch.cat(parts), dim=-1).numpy()
        return unit

    coloured = embed([caption_text((kind, colour)) for kind in kinds for colour in colours])
    return Vocabulary(
        tuple(kinds), tuple(colours), embed(kinds), coloured.reshape(len(kinds), len(colours), -1)
    )


def fingerprint(tower: Tower) -> str:
    """Hash of the tower's weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tower.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


@torch.no_grad()
def features_of(
    tower: Tower,
    vocabulary: Vocabulary,
    crops: NDArray[np.uint8],
    geometry: NDArray[np.float32],
    cache: Path,
    batch: int = 128,
) -> Features:
    """Features of `crops`; read from `cache` (a folder) where these crops went through this tower before."""
    cache.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(
        f"{fingerprint(tower)} {len(crops)}".encode() + crops[:: max(1, len(crops) // 64)].tobytes()
    ).hexdigest()
    path = cache / f"features-{key[:16]}.npz"
    if not path.exists():
        encoder = RegionEncoder(tower).eval()
        values, named = [], []
        for start in range(0, len(crops), batch):
            pixels = torch.from_numpy(normalise(crops[start : start + batch])).contiguous(
                memory_format=torch.channels_last
            )
            features, embeddings = encoder(pixels)
            values.append(features.numpy())
            named += [name.words for name in vocabulary.name(embeddings.numpy())]
        partial = path.with_suffix(".partial.npz")
        np.savez(
            partial, values=np.concatenate([np.concatenate(values), geometry], axis=1), named=np.array(named)
        )
        partial.replace(path)
    with np.load(path) as kept:
        return Features(kept["values"], tuple(str(word) for word in kept["named"]))
