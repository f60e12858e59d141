"""Steps to examples: the prompt's token ids and the positions of every label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from llava_agent.gateway.verbs import POINTING_VERBS
from llava_agent.vlm.prompt import PromptEncoder
from training.pointing_model import Example
from training.tasks.step import Step


def show_words(step: Step, rng: Random, chance: float, named: Sequence[str] | None = None) -> Step:
    """The step with the words of its region tokens written out behind some lines, as the tower's naming does.

    Args:
        chance: of writing the words for a line that has any.
        named: for each crop the tower's own words (which may be wrong); the true ones where None.
    """
    lines = list(step.lines)
    for index, words in enumerate(step.words):
        if words and rng.random() < chance:
            said = named[step.crops[index]] if named is not None else words
            lines[index] = replace(lines[index], words=f"{lines[index].words} ({said})")
    return replace(step, lines=tuple(lines))


def encode(step: Step, encoder: PromptEncoder, answer: str = "") -> Example:
    """The example of a step.

    Args:
        answer: text that is generated after the verb (for `say`).
    """
    prompt = encoder.encode(step.kind, step.instruction, step.lines, step.facts, step.history)
    target = -1
    if step.verb in POINTING_VERBS or step.verb in ("yes", "no", "say"):
        if step.target is not None:
            target = step.target
        elif step.verb in POINTING_VERBS:
            target = len(step.lines)
    tail = [encoder.verb_ids[step.verb]]
    if answer:
        tail += [*encoder.tokenizer.encode(f" {answer}", add_special_tokens=False).ids, encoder.end_id]
    seen = prompt.regions >= 0
    return Example(
        task=step.task,
        ids=np.concatenate([prompt.ids, np.asarray(tail, dtype=np.int64)]),
        prompt=len(prompt.ids),
        regions=prompt.regions[seen],
        crops=np.asarray(step.crops, dtype=np.int64)[seen] if seen.any() else np.zeros(0, dtype=np.int64),
        ends=np.append(prompt.ends, prompt.none_end),
        target=target,
        verbs=np.asarray([encoder.verb_ids[verb] for verb in step.verbs], dtype=np.int64),
        verb=step.verbs.index(step.verb),
        answer=len(tail) - 1,
    )
