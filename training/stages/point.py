"""Stage 3: LoRA and the pointer head, with a curriculum from words to region tokens."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, TextIO

import numpy as np
import torch
from torch import Tensor, nn

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.prompt import PromptEncoder
from training import checkpoint
from training.budget import Budget
from training.encode import encode, show_words
from training.pointing_model import LORA_TARGETS, Example, PointingModel
from training.settings import Settings
from training.tasks.mixture import Sources, steps

CHECKPOINT = "point.pt"

#: Pools that one run may take, each with a seed of its own.
SEEDS_OF_A_RUN = 100_000

#: Share of the run after which the learning rate falls.
FULL_UNTIL = 0.65

#: Steps between two lines of the log.
REPORT_EVERY = 40


class PointConfig(Settings):
    """Settings of the stage.

    Attributes:
        seconds: wall clock of the whole stage, over kills and resumes.
        steps: number of steps instead of `seconds`; the schedules then follow the steps.
        tokens: padded tokens of a batch at most.
        pool: examples whose batches are made together, so that those of a batch are of like length.
        longest: tokens of an example at most; longer ones are left out.
        rank, alpha: of the adapter.
        adapter_rate, head_rate, projector_rate: highest learning rates.
        curriculum: seconds (of `seconds`) in which the chance that a region's words are written out falls
            from 1 to `words_end`.
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
    steps: int | None = None
    pool: int = 256
    longest: int = 420


def adapted(language: Any, config: PointConfig) -> Any:
    """The frozen language model with LoRA on every linear layer of its blocks."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules=list(LORA_TARGETS),
        lora_dropout=0.0,
        bias="none",
    )
    wrapped = get_peft_model(language, lora)
    for parameter in wrapped.parameters():
        if parameter.requires_grad:  # small updates are lost in half precision
            parameter.data = parameter.data.float()
    return wrapped


def make_batches(
    seed: int,
    sources: Sources,
    encoder: PromptEncoder,
    named: Sequence[str],
    config: PointConfig,
    chance: float,
) -> list[list[Example]]:
    """Batches of about the same number of padded tokens, each of examples of like length, in random order.

    Args:
        seed: the same one gives the same batches.
        named: for each crop the tower's words.
        chance: how likely a region's words are written out.
    """
    rng = Random(f"batches-{seed}")
    stream = steps(seed, sources)
    examples: list[Example] = []
    while len(examples) < config.pool:
        step, answer = next(stream)
        made = encode(show_words(step, rng, chance, named), encoder, answer)
        if len(made.ids) <= config.longest:
            examples.append(made)
    examples.sort(key=lambda e: len(e.ids))
    groups: list[list[Example]] = [[]]
    for example in examples:
        if groups[-1] and (len(groups[-1]) + 1) * len(example.ids) > config.tokens:
            groups.append([])
        groups[-1].append(example)
    rng.shuffle(groups)
    return groups


def parameter_groups(model: PointingModel, config: PointConfig) -> list[dict[str, Any]]:
    """Trainable parameters with their highest learning rates (`peak`)."""
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


def read_trained(run: Path) -> dict[str, Any]:
    """The last checkpoint of a run; ConfigError where it has none."""
    path = run / CHECKPOINT
    if not path.exists():
        raise ConfigError(f"{path} does not exist", "train it first (stage align+point)")
    # The run's own file; it also holds the states of random generators, which the safe unpickler refuses.
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return state


def load_trained(model: PointingModel, weights: dict[str, Tensor]) -> None:
    """Fill everything that the stage trains; WeightsError where a tensor is missing or unknown."""
    wanted = trainable_state(model)
    wrong = sorted(wanted.keys() ^ weights.keys())
    if wrong:
        raise WeightsError(
            f"the checkpoint does not fit the model: {wrong[0]}", "train it with this version of the code"
        )
    model.load_state_dict(weights, strict=False)


@dataclass(slots=True)
class _Place:
    """Where in the data a run is: batch `taken` of pool `pool`, whose words were shown with `chance`."""

    pool: int = 0
    taken: int = 0
    chance: float = 1.0
    seen: int = 0


def run_point(
    model: PointingModel,
    features: Tensor,
    sources: Sources,
    named: Sequence[str],
    encoder: PromptEncoder,
    config: PointConfig,
    out: Path,
) -> None:
    """Train until the budget is spent; log to `point.jsonl`, checkpoint to `point.pt`.

    A run that was killed goes on from its checkpoint with the data that would have come next.

    Args:
        features: `[N, feature_size]` of all crops.
        named: for each crop the tower's words.
    """
    optimizer = torch.optim.AdamW(parameter_groups(model, config), weight_decay=0.0, betas=(0.9, 0.98))
    budget, place = Budget(config.seconds, config.steps), _Place()
    _resume(out / CHECKPOINT, model, optimizer, budget, place)

    def pool() -> list[list[Example]]:
        seed = config.seed * SEEDS_OF_A_RUN + place.pool
        return make_batches(seed, sources, encoder, named, config, place.chance)

    waiting = pool()
    with (out / "point.jsonl").open("a", encoding="utf-8") as log:
        report = _Report(log)
        while budget.done < 1:
            if place.taken == len(waiting):
                place.pool, place.taken, place.chance = place.pool + 1, 0, words_chance(budget.done, config)
                waiting = pool()
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_share(budget.step, budget.done)
            batch = waiting[place.taken]
            loss, norm, results = _train(model, optimizer, batch, features)
            place.taken, place.seen = place.taken + 1, place.seen + len(batch)
            budget.count()
            report.add(results)
            if budget.step % REPORT_EVERY == 0:
                report.write(budget, place, loss, norm)
            if budget.save_is_due(config.checkpoint_every):
                state = {"model": trainable_state(model), "optimizer": optimizer.state_dict()}
                checkpoint.save(out / CHECKPOINT, state | budget.state() | asdict(place))


def words_chance(done: float, config: PointConfig) -> float:
    """How likely a region's words are written out: falls from 1 to `words_end` over the curriculum."""
    return max(config.words_end, 1 - done * config.seconds / config.curriculum)


def rate_share(step: int, done: float) -> float:
    """Share of the highest learning rate: 30 steps of warming up, then full, then falling to the end."""
    return min(1.0, (step + 1) / 30) * min(1.0, max(0.02, (1 - done) / (1 - FULL_UNTIL)))


def _train(
    model: PointingModel, optimizer: torch.optim.Optimizer, batch: list[Example], features: Tensor
) -> tuple[float, float, list[dict[str, Any]]]:
    """One step: the loss, the norm of its gradient, and the result of each example."""
    with torch.autocast("cpu", torch.bfloat16):
        loss, results = model(batch, features)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
    optimizer.step()
    return loss.item(), norm.item(), results


def _resume(
    path: Path, model: PointingModel, optimizer: torch.optim.Optimizer, budget: Budget, place: _Place
) -> None:
    """Take over a checkpoint, if there is one; one of weights alone starts with a fresh optimizer."""
    state = checkpoint.load(path)
    if state is None:
        return
    # The frozen language model is not part of it.
    model.load_state_dict(state["model"], strict=False)
    if state.get("optimizer"):
        optimizer.load_state_dict(state["optimizer"])
    budget.resume(state)
    place.seen = state["seen"]
    if "pool" in state:
        place.pool, place.taken, place.chance = state["pool"], state["taken"], state["chance"]


class _Report:
    """Accuracy by task since the last line of the log."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._right: dict[str, list[bool]] = defaultdict(list)

    def add(self, results: Sequence[dict[str, Any]]) -> None:
        for result in results:
            self._right[result["task"]].append(result["right"])

    def write(self, budget: Budget, place: _Place, loss: float, norm: float) -> None:
        """One line; counting starts anew."""
        every = [hit for hits in self._right.values() for hit in hits]
        tasks = {task: round(float(np.mean(hits)), 2) for task, hits in sorted(self._right.items())}
        row = {
            "step": budget.step,
            "seen": place.seen,
            "seconds": round(budget.used, 1),
            "loss": round(loss, 4),
            "norm": round(norm, 2),
            "right": round(float(np.mean(every)), 3),
            "words": round(place.chance, 2),
            "tasks": tasks,
        }
        self._log.write(json.dumps(row) + "\n")
        self._log.flush()
        self._right.clear()
