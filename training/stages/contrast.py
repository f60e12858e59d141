"""Stage 1: contrastive training of the tower on crops of elements against their descriptions.

The loss is CLIP's (Radford et al., 2021) with several positives a row: every caption of the batch that is true of a
crop is a positive, or equal descriptions would be pushed apart. BatchNorm keeps its ImageNet statistics.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from llava_agent.vlm.region_encoder import TOWER_CONFIG, RegionEncoder
from llava_agent.vlm.regions import MEAN, STD
from training import checkpoint
from training.captions import Described, caption, caption_text, truth


@dataclass(frozen=True, slots=True)
class ContrastConfig:
    """Settings of the stage; times are seconds of wall clock."""

    batch_size: int = 96
    learning_rate: float = 4e-4
    text_learning_rate: float = 1e-3
    seconds: float = 600.0
    checkpoint_every: float = 60.0
    seed: int = 0


def train_tokenizer(captions: list[str], vocab_size: int) -> Tokenizer:
    """A small BPE tokenizer over the captions' words; `[PAD]` is 0, `[EOT]` the largest id used (as CLIP pools)."""
    from tokenizers import models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 1, special_tokens=["[PAD]", "[UNK]"], show_progress=False,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789-"),
    )  # fmt: skip
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.add_special_tokens(["[EOT]"])
    return tokenizer


def encode_captions(tokenizer: Tokenizer, captions: list[str]) -> Tensor:
    """Token ids `[M, context_length]`; the end token has the highest id, where open_clip's text tower pools."""
    length = TOWER_CONFIG["text_cfg"]["context_length"]
    end = TOWER_CONFIG["text_cfg"]["vocab_size"] - 1
    ids = torch.zeros(len(captions), length, dtype=torch.long)
    for row, text in enumerate(captions):
        tokens = tokenizer.encode(text.lower()).ids[: length - 1]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        ids[row, len(tokens)] = end
    return ids


def contrast_loss(image: Tensor, text: Tensor, positives: Tensor, scale: Tensor) -> Tensor:
    """CLIP loss for unit embeddings `[N, D]`, `[M, D]` with the truth `[N, M]` (each row and column has a one)."""
    logits = scale.exp() * image @ text.T
    rows = positives / positives.sum(1, keepdim=True)
    columns = positives / positives.sum(0, keepdim=True)
    by_image = -(rows * logits.log_softmax(1)).sum(1).mean()
    by_text = -(columns * logits.log_softmax(0)).sum(0).mean()
    return (by_image + by_text) / 2


def augment(crops: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Normalised `[N, 3, H, W]` with small shifts, zooms, brightness, and noise. Never mirrored: arrows mean something."""
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
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()


def freeze_early(tower: nn.Module) -> None:
    """Keep the stem and the first two blocks: edges and colours are what ImageNet taught them, and their gradients at
    strides 2 and 4 cost half of a step (61 against 126 crops/s on two cores)."""
    trunk = tower.visual.trunk
    for part in (trunk.conv_stem, trunk.bn1, *trunk.blocks[:2]):
        part.requires_grad_(False)


def run_contrast(
    tower: nn.Module,
    tokenizer: Tokenizer,
    crops: NDArray[np.uint8],
    elements: list[Described],
    weights: NDArray[np.float64],
    config: ContrastConfig,
    out: Path,
) -> dict[str, Any]:
    """Train `tower` in place until `config.seconds` are used up, over kills and resumes; log to `contrast.jsonl`.

    Args:
        weights: `[N]` chance of each crop to be drawn (need not sum to one).
    """
    freeze_early(tower)
    # Depthwise convolutions run four times faster in this layout on a CPU.
    tower.visual.to(memory_format=torch.channels_last)
    encoder = RegionEncoder(tower)
    inside = {id(p) for p in tower.visual.parameters()}
    image_parameters = [p for p in tower.visual.parameters() if p.requires_grad]
    text_parameters = [p for p in tower.parameters() if id(p) not in inside]
    optimizer = torch.optim.AdamW(
        [
            {"params": image_parameters, "lr": config.learning_rate, "peak": config.learning_rate},
            {"params": text_parameters, "lr": config.text_learning_rate, "peak": config.text_learning_rate},
        ],
        weight_decay=0.02,
    )
    state = checkpoint.load(out / "contrast.pt")
    used, step, seen = 0.0, 0, 0
    if state:
        tower.load_state_dict(state["tower"])
        optimizer.load_state_dict(state["optimizer"])
        used, step, seen = state["used"], state["step"], state["seen"]
    rng = np.random.default_rng([config.seed, step])
    chooser = Random(f"contrast-{config.seed}-{step}")
    chance = weights / weights.sum()
    tower.train()
    freeze_batch_norm(tower)
    clock = saved = time.monotonic()
    log = (out / "contrast.jsonl").open("a", encoding="utf-8")
    while used < config.seconds:
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 100)
            group["lr"] = (
                group["peak"] * warm * (0.5 + 0.5 * float(np.cos(np.pi * used / config.seconds)) + 0.01)
            )
        rows = rng.choice(len(crops), config.batch_size, replace=False, p=chance)
        batch = [elements[row] for row in rows]
        captions = sorted({caption(element, chooser) for element in batch})
        positives = torch.from_numpy(truth(batch, captions))
        pixels = augment(crops[rows], rng).contiguous(memory_format=torch.channels_last)
        _, image = encoder(pixels)
        tokens = encode_captions(tokenizer, [caption_text(pair) for pair in captions])
        text = nn.functional.normalize(tower.encode_text(tokens), dim=-1)
        loss = contrast_loss(image, text, positives, tower.logit_scale.clamp(max=4.6))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(tower.parameters(), 5.0)
        optimizer.step()
        step, seen = step + 1, seen + len(rows)
        now = time.monotonic()
        used, clock = used + now - clock, now
        if step % 10 == 0:
            hit = (positives.gather(1, (image @ text.T).argmax(1, keepdim=True)) > 0).float().mean()
            log.write(json.dumps({"step": step, "seen": seen, "seconds": round(used, 1), "loss": round(float(loss), 4), "batch_accuracy": round(float(hit), 3)}) + "\n")  # fmt: skip
            log.flush()
        if now - saved > config.checkpoint_every or used >= config.seconds:
            saved = now
            checkpoint.save(out / "contrast.pt", {"tower": tower.state_dict(), "optimizer": optimizer.state_dict(), "used": used, "step": step, "seen": seen})  # fmt: skip
    log.close()
    tower.eval()
    return {"steps": step, "seen": seen, "seconds": used}
