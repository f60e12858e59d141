"""Steps to examples: the prompt's token ids and the positions of every label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class _Quoted:
    """The labels of a span; -1 where there is nothing to learn."""

    sources: NDArray[np.int64]
    source: int
    positions: NDArray[np.int64]
    start: int
    end: int


_NOTHING = np.zeros(0, dtype=np.int64)


def _quoted(step: Step, prompt: EncodedPrompt) -> _Quoted | None:
    """Where the step's quote lies; None where it does not fall on token borders."""
    quote = step.quote
    if quote is None or step.verb not in QUOTING_VERBS:
        return _Quoted(_NOTHING, -1, _NOTHING, -1, -1)
    keys = [(part.source, part.index) for part in prompt.quotables]
    if (quote.source, quote.index) not in keys:
        return None
    place = keys.index((quote.source, quote.index))
    part = prompt.quotables[place]
    found = part.positions(quote.begin, quote.end)
    if found is None:
        return None
    sources = np.asarray([part.last for part in prompt.quotables], dtype=np.int64)
    positions = np.arange(part.start, part.last + 1, dtype=np.int64)
    # What is looked for stands in the instruction, and a reading in the line that is pointed at.
    chosen = place if step.verb in ("type", "select") else -1
    return _Quoted(sources, chosen, positions, found[0] - part.start, found[1] - part.start)


def encode(step: Step, encoder: PromptEncoder, answer: str = "") -> Example | None:
    """The example of a step; None where its quote does not fall on token borders.

    Args:
        answer: text that is generated after the verb (for `say`).
    """
    prompt = encoder.encode(step.kind, step.instruction, step.lines, step.facts, step.history)
    quoted = _quoted(step, prompt)
    if quoted is None:
        return None
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
        sources=quoted.sources,
        source=quoted.source,
        spannable=quoted.positions,
        start=quoted.start,
        end=quoted.end,
        verbs=np.asarray([encoder.verb_ids[verb] for verb in step.verbs], dtype=np.int64),
        verb=step.verbs.index(step.verb),
        answer=len(tail) - 1,
    )
