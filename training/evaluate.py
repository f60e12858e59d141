"""Accuracy of the embedded model on held-out steps, by task, with intervals and against the floors.

A step is right when verb, target and quotation are; each is judged given the right choice before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import torch
from torch import Tensor

from llava_agent.exam.share import Share
from llava_agent.gateway.verbs import POINTING_VERBS
from llava_agent.vlm.prompt import Line, PromptEncoder
from llava_agent.vlm.reader import multiplied, weighed
from llava_agent.vlm.reader_head import ReaderHead
from training.encode import encode, show_words
from training.pointing_model import Example, PointingModel
from training.reading import passages_in, reading_of
from training.stages.read import judge
from training.tasks.mixture import Sources, steps
from training.tasks.step import Step

Drawn = Sequence[tuple[Step, str]]


@dataclass(frozen=True, slots=True)
class Trained:
    """The parts that decide a step: the pointing model for verb and target, the span reader for the words."""

    model: PointingModel
    reader: ReaderHead
    encoder: PromptEncoder

    def results(
        self, drawn: Drawn, features: Tensor, named: Sequence[str], words: float
    ) -> list[dict[str, Any]]:
        """What was chosen for each step, and whether it is right.

        Args:
            features: `[N, feature_size]` of the crops that the steps name.
            named: for each crop the tower's words.
            words: chance that they are written out: 1 as in use, 0 for region tokens alone.
        """
        found = run(self.model, examples_of(drawn, self.encoder, named, words), features)
        table = self.model.language.get_input_embeddings().weight.detach()
        for (step, _), result in zip(drawn, found, strict=True):
            absent = step.verb == "none" and "read" in step.verbs
            if step.quote is None and not absent:
                continue
            reading = reading_of(step, self.encoder.tokenizer)
            # What is not made of whole tokens cannot be quoted.
            result |= judge(self.reader, table, reading) if reading else {"span": False}
            if step.verb in ("read", "none") and reading is not None:
                result["verb"] = _read_verb(step, result) == step.verb
            if step.verb == "read" and reading is not None:
                result["target"] = _read_target(step, result) == step.target
            result["right"] = all(result.get(part, True) for part in ("verb", "target", "span"))
        return found


def _read_verb(step: Step, result: dict[str, Any]) -> str:
    """The verb of a question by the language model and the reader together, as in use."""
    chances = torch.as_tensor(result["verb_scores"]).float().softmax(-1).tolist()
    by_verb = dict(zip(step.verbs, chances, strict=True))
    if max(by_verb, key=by_verb.__getitem__) in ("read", "none") and _whole(step, result):
        by_verb["read"], by_verb["none"] = weighed(by_verb["read"], by_verb["none"], result["absent"])
    return max(by_verb, key=by_verb.__getitem__)


def _whole(step: Step, result: dict[str, Any]) -> bool:
    """Whether the reader could read every line; a page may be too long."""
    return len(result["chances"]) == len(passages_in(replace(step, verb="read")))


def _read_target(step: Step, result: dict[str, Any]) -> int | None:
    """The line of a reading by pointer and reader together, as in use; None for *none of these*."""
    chances = result["target_scores"].float().softmax(-1).numpy()
    indices = [passage.index for passage in passages_in(step)]
    lines = chances[:-1]
    if _whole(step, result):
        lines = multiplied(lines, result["chances"], indices)
    return int(lines.argmax()) if lines.max() >= chances[-1] else None


def held_out_steps(seed: int, sources: Sources, count: int) -> list[tuple[Step, str]]:
    """`count` steps of the mixture from a seed that training never uses."""
    stream = steps(seed, sources)
    return [next(stream) for _ in range(count)]


def examples_of(
    drawn: Drawn, encoder: PromptEncoder, named: Sequence[str], words: float, seed: int = 0
) -> list[Example]:
    """An example for each step; see `Trained.results`."""
    rng = Random(f"evaluate-{seed}")
    return [encode(show_words(step, rng, words, named), encoder, answer) for step, answer in drawn]


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
        low, high = Share(sum(hits), len(hits)).interval
        rows[task] = {
            "right": sum(hits),
            "total": len(hits),
            "accuracy": round(sum(hits) / len(hits), 4),
            "interval": [round(low, 4), round(high, 4)],
        }
    return rows


def by_part(results: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Right and total of each part of a decision: the verb, the target, the quotation."""
    parts = {}
    for name in ("verb", "target", "span"):
        hits = [bool(result[name]) for result in results if name in result]
        parts[name] = {"right": sum(hits), "total": len(hits)}
    return parts


def random_floor(drawn: Drawn, encoder: PromptEncoder) -> float:
    """Expected accuracy of choosing verb, line and the borders of a quotation at random."""
    chances = []
    for step, _ in drawn:
        chance = 1 / len(step.verbs)
        if step.verb in POINTING_VERBS:
            chance /= len(step.lines) + 1
        reading = reading_of(step, encoder.tokenizer)
        if reading is not None:
            places = reading.layout.passages
            chance /= int((places >= 0).sum()) * int((places == places[reading.first]).sum())
        chances.append(chance)
    return sum(chances) / len(chances)
