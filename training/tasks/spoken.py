"""Questions whose answer is not written on the image: it is generated, and evidence is still pointed at."""

from __future__ import annotations

from random import Random

from llava_agent.vlm.prompt import ASK_VERBS
from training.render.screens.dataset import ScreenElement, ScreenPage
from training.tasks.step import Step
from training.tasks.visual import line, shown_elements


def colour(rng: Random, page: ScreenPage) -> tuple[Step, str] | None:
    """The colour of something that is named by its kind or its text."""
    shown = shown_elements(rng, page, 9)
    for one in rng.sample(shown, len(shown)):
        if one.colour and sum(e.kind == one.kind for e in shown) == 1:
            text = rng.choice(
                ["What colour is the {}?", "Which colour does the {} have?", "The {} has which colour?"]
            ).format(one.kind)
            return _spoken("colour", text, shown, shown.index(one)), one.colour
        if one.colour and one.text:
            text = f'What colour is the "{one.text}" {one.kind}?'
            return _spoken("colour", text, shown, shown.index(one)), one.colour
    return None


def count(rng: Random, page: ScreenPage) -> tuple[Step, str] | None:
    """How many of a kind there are."""
    shown = shown_elements(rng, page, 9)
    one = rng.choice(shown)
    word = (
        one.kind.split()[-1]
        if one.kind.endswith(("icon", "checkbox", "button", "field")) and rng.random() < 0.5
        else one.kind
    )
    # "gear icons" are counted by their kind, "icons" by the last word of it.
    number = sum(e.kind == word or e.kind.endswith(f" {word}") for e in shown)
    plural = f"{word}es" if word.endswith("x") else f"{word}s"
    return _spoken("count", f"How many {plural} are there?", shown, None), str(number)


def name(rng: Random, page: ScreenPage) -> tuple[Step, str] | None:
    """What stands beside something that is written."""
    shown = shown_elements(rng, page, 9)
    for index in range(1, len(shown)):
        before, one = shown[index - 1], shown[index]
        if before.text and not one.text and one.kind.endswith("icon"):
            return _spoken("name", f'Which icon follows "{before.text}"?', shown, index), one.words
    return None


def _spoken(task: str, instruction: str, shown: list[ScreenElement], target: int | None) -> Step:
    return Step(
        task,
        "Question",
        instruction,
        tuple(line(e, True) for e in shown),
        ASK_VERBS,
        "say",
        target,
        None,
        crops=tuple(e.crop for e in shown),
        words=tuple("" if e.role in ("text", "link") else e.words for e in shown),
    )


SPOKEN = {colour: 3.0, count: 1.0, name: 1.0}
