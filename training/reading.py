"""Steps to what the span reader learns: what is asked, the passages, and where the quotation stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from tokenizers import Tokenizer

from llava_agent.gateway.quotable import Passage
from llava_agent.gateway.verbs import QUOTING_VERBS
from llava_agent.vlm.passages import Asked, Layout, asked_of, lay_out, passages_for
from llava_agent.vlm.prompt import Line
from training.tasks.interface import noise
from training.tasks.mixture import INTERFACES, pick
from training.tasks.plates import PLATES
from training.tasks.step import Step

#: Share of questions about plates and pages; the others are the typing, choosing and looking of interfaces.
_PLATES = 0.4

#: Share of those questions whose answer is taken away.
_ANSWERLESS = 0.25

#: Share of interface steps with text of the page around them.
_CROWDED = 0.4


@dataclass(frozen=True, slots=True)
class Reading:
    """A sequence, and the first and last token of what is to be quoted; both `layout.absent` where it is not
    there."""

    task: str
    layout: Layout
    first: int
    last: int


def passages_in(step: Step) -> list[Passage]:
    """The passages of a step, as they are laid out in use."""
    texts = [line.quotable for line in step.lines]
    lines = [line.words for line in step.lines]
    return passages_for(step.verb, step.instruction, step.facts, lines, texts, step.target)


def reading_of(step: Step, tokenizer: Tokenizer) -> Reading | None:
    """What the reader learns from a step; None where it quotes nothing, or off the tokens' borders.

    That a question has no answer (the verb `none`) is learned as well.
    """
    if step.verb == "none":
        layout = _layout_of_question(step, tokenizer)
        place = layout.absent
        return None if place is None else Reading(f"{step.task} none", layout, place, place)
    if step.quote is None or step.verb not in QUOTING_VERBS:
        return None
    quote, passages = step.quote, passages_in(step)
    words = [line.words for line in step.lines]
    texts = [line.quotable for line in step.lines]
    asked = asked_of(step.verb, step.instruction, words, texts, step.target)
    keys = [(passage.source, passage.index) for passage in passages]
    if (quote.source, quote.index) not in keys:
        return None
    layout = lay_out(tokenizer, asked, passages)
    found = layout.positions(keys.index((quote.source, quote.index)), quote.begin, quote.end)
    return None if found is None else Reading(f"{step.task} {step.verb}", layout, *found)


def _layout_of_question(step: Step, tokenizer: Tokenizer) -> Layout:
    return lay_out(
        tokenizer, Asked("read", step.instruction, step.instruction), passages_in(replace(step, verb="read"))
    )


def answerless(step: Step, rng: Random) -> Step:
    """A question about a photo whose answer was not found: the value is missing, at times with its label.

    What stands beside the gap looks like an answer, which is how a wrong one comes about.
    """
    assert step.target is not None
    gone = {step.target}
    value = step.lines[step.target].quotable
    before = step.target - 1
    split = step.quote is not None and step.quote.end - step.quote.begin == len(value)
    if split and before >= 0 and rng.random() < 0.5:
        gone.add(before)
    lines = tuple(line for place, line in enumerate(step.lines) if place not in gone)
    return replace(step, lines=lines, verb="none", target=None, quote=None, crops=(), words=())


def crowded(step: Step, rng: Random) -> Step:
    """The step with other things on the page, as real pages have."""
    lines, target, quote = list(step.lines), step.target, step.quote
    for mark in noise(rng, rng.randint(1, 12)):
        place = rng.randint(0, len(lines))
        if place == target:  # what stands before a field may be its label
            continue
        lines.insert(place, Line(mark.line(), mark.text))
        if target is not None and place < target:
            target += 1
        if quote is not None and quote.source == "candidate" and place <= quote.index:
            quote = replace(quote, index=quote.index + 1)
    return replace(step, lines=tuple(lines), target=target, quote=quote, crops=(), words=())


def readings(seed: int, tokenizer: Tokenizer) -> Iterator[Reading]:
    """An endless stream; the same seed gives the same one. Every quoting step of an episode is in it."""
    rng = Random(f"readings-{seed}")
    while True:
        steps = [pick(rng, PLATES)(rng)] if rng.random() < _PLATES else pick(rng, INTERFACES)(rng).steps
        for step in steps:
            if step.verb == "read" and rng.random() < _ANSWERLESS:
                step = answerless(step, rng)
            if step.kind == "Goal" and rng.random() < _CROWDED:
                step = crowded(step, rng)
            made = reading_of(step, tokenizer)
            if made is not None:
                yield made
