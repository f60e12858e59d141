"""Accuracy of the embedded model on held-out steps, by task, with intervals and against the floors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import torch
from torch import Tensor

from llava_agent.vlm.prompt import Line, PromptEncoder
from training.encode import encode, show_words
from training.intervals import wilson
from training.pointing_model import Example, PointingModel
from training.tasks.mixture import Sources, steps
from training.tasks.step import Step


def held_out_steps(seed: int, sources: Sources, count: int) -> list[tuple[Step, str]]:
    """`count` steps of the mixture from a seed that training never uses."""
    stream = steps(seed, sources)
    return [next(stream) for _ in range(count)]


def examples_of(
    drawn: Sequence[tuple[Step, str]],
    encoder: PromptEncoder,
    named: Sequence[str],
    words: float,
    seed: int = 0,
) -> list[Example]:
    """Examples of the steps that can be encoded.

    Args:
        named: for each crop the tower's words.
        words: chance that they are written out: 1 as in use, 0 for region tokens alone.
    """
    rng = Random(f"evaluate-{seed}")
    made = [encode(show_words(step, rng, words, named), encoder, answer) for step, answer in drawn]
    return [example for example in made if example is not None]


def blinded(step: Step) -> Step:
    """The step without what the marks say or show: only their number and order are left."""
    return replace(step, lines=tuple(Line("mark") for _ in step.lines), words=(), crops=())


@torch.no_grad()
def run(
    model: PointingModel, examples: Sequence[Example], features: Tensor, tokens: int = 4096
) -> list[dict[str, Any]]:
    """Results of `PointingModel` for each example, batched by length."""
    model.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    results: list[dict[str, Any]] = [{} for _ in examples]
    batch: list[int] = []
    for position, index in enumerate(order):
        batch.append(index)
        following = order[position + 1] if position + 1 < len(order) else None
        if following is None or (len(batch) + 1) * len(examples[following].ids) > tokens:
            with torch.autocast("cpu", torch.bfloat16):
                _, found = model([examples[i] for i in batch], features)
            for i, result in zip(batch, found, strict=True):
                results[i] = result
            batch = []
    return results


def table(results: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Right, total, accuracy and 95 % interval by task, and over all."""
    by_task: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        by_task[result["task"]].append(bool(result["right"]))
        by_task["all"].append(bool(result["right"]))
    rows = {}
    for task, hits in sorted(by_task.items()):
        low, high = wilson(sum(hits), len(hits))
        rows[task] = {
            "right": sum(hits),
            "total": len(hits),
            "accuracy": round(sum(hits) / len(hits), 4),
            "interval": [round(low, 4), round(high, 4)],
        }
    return rows


def random_floor(examples: Sequence[Example]) -> float:
    """Expected accuracy of choosing verb, line, source of a quotation and its borders at random."""
    chances = []
    for example in examples:
        chance = 1 / len(example.verbs)
        if example.target >= 0:
            chance /= len(example.ends)
        if example.start >= 0:
            chance /= len(example.spannable) ** 2
            if example.source >= 0:
                chance /= len(example.sources)
        chances.append(chance)
    return sum(chances) / len(chances)
