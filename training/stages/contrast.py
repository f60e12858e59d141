"""Stage 1: contrastive training of the tower on crops of elements against their descriptions.

The loss is CLIP's (Radford et al., 2021) with several positives a row: every caption of the batch that is
true of a crop is a positive, or equal descriptions would be pushed apart. BatchNorm keeps its ImageNet
statistics.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TextIO

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from llava_agent.vlm.region_encoder import TOWER_CONFIG, RegionEncoder, Tower
from llava_agent.vlm.regions import MEAN, STD
from training import checkpoint
from training.budget import Budget
from training.captions import Described, caption, caption_text, truth
from training.settings import Settings

CHECKPOINT = "contrast.pt"
TOKENIZER = "tokenizer.json"


class ContrastConfig(Settings):
    """Settings of the stage.

    Attributes:
        learning_rate, text_learning_rate: highest ones of the image and of the text side.
        seconds: wall clock of the whole stage, over kills and resumes.
        steps: number of steps instead of `seconds`; the schedule then follows the steps.
        checkpoint_every: seconds between two checkpoints.
    """

    batch_size: int = 96
    learning_rate: float = 4e-4
    text_learning_rate: float = 1e-3
    seconds: float = 600.0
    checkpoint_every: float = 60.0
    seed: int = 0
    steps: int | None = None


def train_tokenizer(captions: list[str], vocab_size: int) -> Tokenizer:
    """A small BPE tokenizer over the captions' words; `[PAD]` is 0."""
    from tokenizers import models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 1,
        special_tokens=["[PAD]", "[UNK]"],
        show_progress=False,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789-"),
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.add_special_tokens(["[EOT]"])
    return tokenizer


def encode_captions(tokenizer: Tokenizer, captions: list[str]) -> Tensor:
    """Token ids `[M, context_length]`; the end has the highest id, where open_clip's text tower pools."""
    length = TOWER_CONFIG["text_cfg"]["context_length"]
    end = TOWER_CONFIG["text_cfg"]["vocab_size"] - 1
    ids = torch.zeros(len(captions), length, dtype=torch.long)
    for row, text in enumerate(captions):
        tokens = tokenizer.encode(text.lower()).ids[: length - 1]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        ids[row, len(tokens)] = end
    return ids


def contrast_loss(image: Tensor, text: Tensor, positives: Tensor, scale: Tensor) -> Tensor:
    """CLIP's loss with several positives.

    Args:
        image, text: unit embeddings `[N, D]` and `[M, D]`.
        positives: `[N, M]`, 1 where a text is true of an image; every row and column has a one.
        scale: logarithm of the factor on the similarities.
    """
    logits = scale.exp() * image @ text.T
    rows = positives / positives.sum(1, keepdim=True)
    columns = positives / positives.sum(0, keepdim=True)
    by_image = -(rows * logits.log_softmax(1)).sum(1).mean()
    by_text = -(columns * logits.log_softmax(0)).sum(0).mean()
    return (by_image + by_text) / 2


def augment(crops: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Normalised `[N, 3, H, W]` with small shifts, zooms, brightness, and noise.

    Never mirrored: arrows mean something.
    """
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
    count = len(crops)
    zoom = torch.from_numpy(rng.uniform(0.85, 1.12, (count, 1)).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-0.1, 0.1, (count, 2)).astype(np.float32))
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = zoom[:, 0]
    theta[:, :, 2] = shift
    grid = nn.functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    pixels = nn.functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    gain = torch.from_numpy(rng.uniform(0.9, 1.1, (count, 1, 1, 1)).astype(np.float32))
    pixels = (pixels * gain + torch.randn_like(pixels) * 0.01).clamp(0, 1)
    return (pixels - torch.from_numpy(MEAN)[:, None, None]) / torch.from_numpy(STD)[:, None, None]


def freeze_batch_norm(module: nn.Module) -> None:
    """Let BatchNorm use its statistics and not gather new ones."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()


def freeze_early(tower: Tower) -> None:
    """Keep the stem and the first two blocks.

    Edges and colours are what ImageNet taught them, and their gradients at strides 2 and 4 cost half of a
    step (61 against 126 crops/s on two cores).
    """
    trunk = tower.visual.trunk
    for part in (trunk.conv_stem, trunk.bn1, *trunk.blocks[:2]):
        part.requires_grad_(False)


def run_contrast(
    tower: Tower,
    tokenizer: Tokenizer,
    crops: NDArray[np.uint8],
    elements: Sequence[Described],
    weights: NDArray[np.float64],
    config: ContrastConfig,
    out: Path,
) -> dict[str, Any]:
    """Train `tower` in place until the budget is spent; log to `contrast.jsonl`, checkpoint to `contrast.pt`.

    A run that was killed goes on from its checkpoint with the crops that would have come next.

    Args:
        crops: `[N, 96, 96, 3]`.
        elements: what is true of each crop.
        weights: `[N]` chance of each crop to be drawn (need not sum to one).
    """
    freeze_early(tower)
    # Depthwise convolutions run four times faster in this layout on a CPU.
    tower.visual.to(memory_format=torch.channels_last)
    encoder = RegionEncoder(tower)
    optimizer = _optimizer(tower, config)
    budget = Budget(config.seconds, config.steps)
    state = checkpoint.load(out / CHECKPOINT)
    if state:
        tower.load_state_dict(state["tower"])
        optimizer.load_state_dict(state["optimizer"])
        budget.resume(state)
    chance = weights / weights.sum()
    tower.train()
    freeze_batch_norm(tower)
    with (out / "contrast.jsonl").open("a", encoding="utf-8") as log:
        while budget.done < 1:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_share(budget.step, budget.done)
            rng = np.random.default_rng([config.seed, budget.step])
            rows = rng.choice(len(crops), config.batch_size, replace=False, p=chance)
            chooser = Random(f"contrast-{config.seed}-{budget.step}")
            told = _captioned([elements[row] for row in rows], chooser)
            loss, hit = _train(tower, encoder, tokenizer, optimizer, augment(crops[rows], rng), told)
            budget.count()
            if budget.step % 10 == 0:
                _report(log, budget, config, loss, hit)
            if budget.save_is_due(config.checkpoint_every):
                saved = {"tower": tower.state_dict(), "optimizer": optimizer.state_dict()}
                checkpoint.save(out / CHECKPOINT, saved | budget.state())
    tower.eval()
    return {"steps": budget.step, "seen": budget.step * config.batch_size, "seconds": budget.used}


def rate_share(step: int, done: float) -> float:
    """Share of the highest learning rate: 100 steps of warming up, then a half cosine."""
    return min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done) + 0.01)


@dataclass(frozen=True, slots=True)
class _Told:
    """The captions of a batch, and `[N, M]` which of them are true of which crop."""

    captions: list[str]
    positives: Tensor


def _captioned(batch: Sequence[Described], rng: Random) -> _Told:
    pairs = sorted({caption(element, rng) for element in batch})
    return _Told([caption_text(pair) for pair in pairs], torch.from_numpy(truth(batch, pairs)))


def _optimizer(tower: Tower, config: ContrastConfig) -> torch.optim.AdamW:
    """The text side starts from nothing and learns faster than the trunk."""
    inside = {id(p) for p in tower.visual.parameters()}
    image = [p for p in tower.visual.parameters() if p.requires_grad]
    text = [p for p in tower.parameters() if id(p) not in inside]
    groups = [
        {"params": image, "lr": config.learning_rate, "peak": config.learning_rate},
        {"params": text, "lr": config.text_learning_rate, "peak": config.text_learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.02)


def _train(
    tower: Tower,
    encoder: RegionEncoder,
    tokenizer: Tokenizer,
    optimizer: torch.optim.Optimizer,
    pixels: Tensor,
    told: _Told,
) -> tuple[float, float]:
    """One step: the loss, and the share of crops whose best caption is true."""
    _, image = encoder(pixels.contiguous(memory_format=torch.channels_last))
    tokens = encode_captions(tokenizer, told.captions)
    text = nn.functional.normalize(tower.encode_text(tokens), dim=-1)
    loss = contrast_loss(image, text, told.positives, tower.logit_scale.clamp(max=4.6))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(tower.parameters(), 5.0)
    optimizer.step()
    best = (image @ text.T).argmax(1, keepdim=True)
    return loss.item(), (told.positives.gather(1, best) > 0).float().mean().item()


def _report(log: TextIO, budget: Budget, config: ContrastConfig, loss: float, hit: float) -> None:
    row = {
        "step": budget.step,
        "seen": budget.step * config.batch_size,
        "seconds": round(budget.used, 1),
        "loss": round(loss, 4),
        "batch_accuracy": round(hit, 3),
    }
    log.write(json.dumps(row) + "\n")
    log.flush()
