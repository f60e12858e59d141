"""Stage 3: LoRA and the pointer head, with a curriculum from words to region tokens."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from llava_agent.vlm.prompt import PromptEncoder
from training import checkpoint
from training.encode import encode, show_words
from training.pointing_model import LORA_TARGETS, Example, PointingModel
from training.tasks.mixture import Sources, steps


@dataclass(frozen=True, slots=True)
class PointConfig:
    """Settings of the stage.

    Attributes:
        seconds: wall clock of the whole stage, over kills and resumes.
        tokens: padded tokens of a batch at most.
        curriculum: seconds in which the chance that a region's words are written out falls from 1 to `words_end`.
        words_end: that chance afterwards; in use the words are always written, as the tower names them.
    """

    seconds: float = 3600.0
    tokens: int = 4096
    rank: int = 16
    alpha: int = 32
    adapter_rate: float = 4e-4
    head_rate: float = 2e-3
    projector_rate: float = 3e-4
    curriculum: float = 420.0
    words_end: float = 0.5
    checkpoint_every: float = 120.0
    seed: int = 0


def adapted(language: nn.Module, config: PointConfig) -> nn.Module:
    """The frozen language model with LoRA on every linear layer of its blocks."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules=list(LORA_TARGETS),
        lora_dropout=0.0,
        bias="none",
    )
    return get_peft_model(language, lora)


def batches(
    seed: int,
    sources: Sources,
    encoder: PromptEncoder,
    named: Sequence[str],
    tokens: int,
    chance: list[float],
    longest: int = 420,
) -> Iterator[list[Example]]:
    """Endless batches of about the same number of padded tokens, each of examples of like length.

    Args:
        chance: one number, read at each example: how likely a region's words are written out.
    """
    rng = Random(f"batches-{seed}")
    stream = steps(seed, sources)
    while True:
        pool: list[Example] = []
        while len(pool) < 256:
            step, answer = next(stream)
            made = encode(show_words(step, rng, chance[0], named), encoder, answer)
            if made is not None and len(made.ids) <= longest:
                pool.append(made)
        pool.sort(key=lambda e: len(e.ids))
        groups: list[list[Example]] = [[]]
        for example in pool:
            if groups[-1] and (len(groups[-1]) + 1) * len(example.ids) > tokens:
                groups.append([])
            groups[-1].append(example)
        rng.shuffle(groups)
        yield from groups


def parameter_groups(model: PointingModel, config: PointConfig) -> list[dict[str, Any]]:
    adapter = [p for p in model.language.parameters() if p.requires_grad]
    return [
        {"params": adapter, "lr": 0.0, "peak": config.adapter_rate},
        {"params": list(model.head.parameters()), "lr": 0.0, "peak": config.head_rate},
        {"params": list(model.projector.parameters()), "lr": 0.0, "peak": config.projector_rate},
    ]


def trainable_state(model: PointingModel) -> dict[str, Tensor]:
    """Everything that the stage trains, and the statistics of the features."""
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in frozen}


def run_point(
    model: PointingModel,
    features: Tensor,
    sources: Sources,
    named: Sequence[str],
    encoder: PromptEncoder,
    config: PointConfig,
    out: Path,
) -> None:
    """Train until `config.seconds` are used up; log to `point.jsonl`, checkpoint to `point.pt`."""
    optimizer = torch.optim.AdamW(parameter_groups(model, config), weight_decay=0.0, betas=(0.9, 0.98))
    state = checkpoint.load(out / "point.pt")
    used, step, seen = 0.0, 0, 0
    if state:
        model.load_state_dict(state["model"], strict=False)
        if state.get("optimizer"):
            optimizer.load_state_dict(state["optimizer"])
        used, step, seen = state["used"], state["step"], state["seen"]
    chance = [1.0]
    stream = batches(config.seed * 1000 + seen, sources, encoder, named, config.tokens, chance)
    clock = saved = time.monotonic()
    recent: dict[str, list[bool]] = defaultdict(list)
    log = (out / "point.jsonl").open("a", encoding="utf-8")
    while used < config.seconds:
        chance[0] = max(config.words_end, 1 - used / config.curriculum)
        share = min(1.0, (step + 1) / 30) * max(0.02, 1 - max(0.0, used / config.seconds - 0.3) / 0.7)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
        batch = next(stream)
        with torch.autocast("cpu", torch.bfloat16):
            loss, results = model(batch, features)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
        optimizer.step()
        step, seen = step + 1, seen + len(batch)
        for result in results:
            recent[result["task"]].append(result["right"])
        now = time.monotonic()
        used, clock = used + now - clock, now
        if step % 40 == 0:
            every = [hit for hits in recent.values() for hit in hits]
            row = {"step": step, "seen": seen, "seconds": round(used, 1), "loss": round(float(loss), 4), "norm": round(float(norm), 2),
                   "right": round(float(np.mean(every)), 3), "words": round(chance[0], 2),
                   "tasks": {task: round(float(np.mean(hits)), 2) for task, hits in sorted(recent.items())}}  # fmt: skip
            log.write(json.dumps(row) + "\n")
            log.flush()
            recent.clear()
        if now - saved > config.checkpoint_every or used >= config.seconds:
            saved = now
            checkpoint.save(out / "point.pt", {"model": trainable_state(model), "optimizer": optimizer.state_dict(), "used": used, "step": step, "seen": seen})  # fmt: skip
    log.close()
