"""Stage 4: the dial head, on rendered dials, with the tower frozen."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from llava_agent.vlm.dial import BINS, peak
from llava_agent.vlm.dial_encoder import DialEncoder, DialHead
from llava_agent.vlm.regions import normalise
from training.settings import Settings


class DialConfig(Settings):
    """Settings; `sigma` is the width of the label's peak in bins."""

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    sigma: float = 0.8
    seed: int = 0


def soft_labels(angles: Tensor, sigma: float) -> Tensor:
    """`[N, BINS]`: a peak around each direction on the circle."""
    place = (angles % (2 * math.pi)) / (2 * math.pi) * BINS - 0.5
    distance = (torch.arange(BINS)[None] - place[:, None] + BINS / 2) % BINS - BINS / 2
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum(1, keepdim=True)


@torch.no_grad()
def dial_features(encoder: DialEncoder, crops: NDArray[np.uint8], batch: int = 64) -> Tensor:
    """Frozen features of dial crops, fp16, computed once."""
    parts = [
        encoder.features(torch.from_numpy(normalise(crops[i : i + batch]))).half()
        for i in range(0, len(crops), batch)
    ]
    return torch.cat(parts)


def run_dial(
    encoder: DialEncoder,
    crops: NDArray[np.uint8],
    angles: NDArray[np.float32],
    hubs: NDArray[np.float32],
    config: DialConfig,
    out: Path,
) -> DialHead:
    """Train the head on frozen features; one line an epoch in `dial.jsonl`. Returns the trained head.

    Args:
        crops: `[N, 128, 128, 3]`.
        angles: `[N]` of the needles, radians clockwise from up.
        hubs: `[N, 2]`, fractions of the crop.
    """
    torch.manual_seed(config.seed)
    encoder.eval().requires_grad_(False)
    features = dial_features(encoder, crops)
    head = encoder.head.train().requires_grad_(True)
    labels, places = soft_labels(torch.from_numpy(angles), config.sigma), torch.from_numpy(hubs)
    optimizer = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=0.05)
    total = config.epochs * math.ceil(len(crops) / config.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=total)
    with (out / "dial.jsonl").open("w", encoding="utf-8") as log:
        for epoch in range(config.epochs):
            start, losses = time.monotonic(), []
            for rows in torch.randperm(len(crops)).split(config.batch_size):
                scores, hub = head(features[rows].float())
                loss = (
                    nn.functional.cross_entropy(scores, labels[rows])
                    + 20 * (hub - places[rows]).pow(2).sum(1).mean()
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            seconds = time.monotonic() - start
            row = {"epoch": epoch, "loss": round(float(np.mean(losses)), 4), "seconds": round(seconds, 1)}
            log.write(json.dumps(row) + "\n")
            log.flush()
    return head.eval()


@torch.no_grad()
def needle_errors(
    encoder: DialEncoder, crops: NDArray[np.uint8], angles: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Absolute error of the needle's direction in radians, for each crop."""
    encoder.eval()
    features = dial_features(encoder, crops)
    scores = torch.cat([encoder.head(part.float())[0] for part in features.split(256)]).numpy()
    found = np.array([peak(row)[0] for row in scores])
    return np.abs((found - angles + np.pi) % (2 * np.pi) - np.pi).astype(np.float32)
