"""Stage 2: align the region projector in the language model's embedding space, without running the model.

A region token is regressed on the mean of the embeddings of its description's tokens (cosine and squared
error), so that pointing starts from tokens that already mean something.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.pointing_model import PointingModel


def description_targets(words: list[str], tokenizer: Tokenizer, table: Tensor) -> Tensor:
    """`[len(words), hidden_size]`: the mean embedding of each description's tokens."""
    rows = [
        table[tokenizer.encode(f" {text}", add_special_tokens=False).ids].float().mean(0) for text in words
    ]
    return torch.stack(rows)


def run_align(
    model: PointingModel,
    features: Tensor,
    targets: Tensor,
    of: NDArray[np.int64],
    steps: int,
    seed: int = 0,
    batch: int = 512,
) -> float:
    """Train the projector for `steps`; returns the mean cosine of the last batches.

    Args:
        features: `[N, feature_size]`.
        targets: `[M, hidden_size]`.
        of: `[N]`, the target of each row of `features`.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.projector.parameters(), lr=1e-3, weight_decay=0.01)
    index = torch.from_numpy(of)
    scale = targets.pow(2).mean()
    cosines: list[float] = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - step / steps) + 1e-5
        rows = torch.randint(len(features), (batch,), generator=generator)
        said, wanted = model.region_tokens(features[rows]), targets[index[rows]]
        cosine = nn.functional.cosine_similarity(said, wanted).mean()
        loss = (1 - cosine) + (said - wanted).pow(2).mean() / scale
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cosines.append(cosine.item())
    return float(np.mean(cosines[-20:]))
