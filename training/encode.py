"""Steps to examples: the prompt's token ids and the positions of every label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from llava_agent.vlm.prompt import POINTING_VERBS, QUOTING_VERBS, EncodedPrompt, PromptEncoder
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


def spannable(prompt: EncodedPrompt) -> np.ndarray:
    """All prompt positions that a span may be quoted from, in order."""
    return np.concatenate(
        [np.arange(q.start, q.start + len(q.offsets), dtype=np.int64) for q in prompt.quotables]
    )


def encode(step: Step, encoder: PromptEncoder, answer: str = "") -> Example | None:
    """The example of a step; None where its quote does not fall on token borders.

    Args:
        answer: text that is generated after the verb (for `say`).
    """
    prompt = encoder.encode(step.kind, step.instruction, step.lines, step.facts, step.history)
    places = spannable(prompt)
    start = end = -1
    if step.quote is not None and step.verb in QUOTING_VERBS:
        quote = step.quote
        found = next(
            (q for q in prompt.quotables if (q.source, q.index) == (quote.source, quote.index)), None
        )
        ends = found.positions(quote.begin, quote.end) if found else None
        if ends is None:
            return None
        start, end = (int(np.searchsorted(places, position)) for position in ends)
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
        spannable=places,
        start=start,
        end=end,
        verbs=np.asarray([encoder.verb_ids[verb] for verb in step.verbs], dtype=np.int64),
        verb=step.verbs.index(step.verb),
        answer=len(tail) - 1,
    )
