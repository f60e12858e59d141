"""A question about a photo, asked again and again with something changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from llava_agent.agent.candidate import candidate
from llava_agent.agent.perceive import VERBS, looking, worded
from llava_agent.agent.picture import encoded
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.gateway.request import Choice, ModelRequest
from tools.mark import Mark

#: Is told how many of how many questions were asked; what it raises ends the work.
Progress = Callable[[int, int], None]


def quiet(done: int, total: int) -> None:
    """The progress nobody looks at."""


@dataclass(slots=True)
class Asker:
    """Asks the same question of changed images and marks; counts how often.

    Args:
        words: the question.
        principal: on whose behalf.
    """

    gateway: Gateway
    words: str
    principal: Principal = LOCAL
    calls: int = field(default=0, init=False)

    def request(self, image: Image.Image) -> ModelRequest:
        return looking(self.words, encoded(image), principal=self.principal)

    def ask(self, image: Image.Image, marks: Sequence[Mark]) -> Choice:
        """Raises what `Gateway.choose` raises."""
        self.calls += 1
        return self.gateway.choose(self.request(image), [candidate(mark) for mark in marks], VERBS)


def support(choice: Choice, first: Choice) -> float:
    """Probability that `choice` gives to what the first answer was: its verb, and the mark that was read."""
    chance = choice.verbs.get(first.verb, 0.0)  # a server may tell those alone that it thought of
    if first.verb == "read" and first.index is not None:
        chance *= choice.distribution[first.index]
    return chance


def said(choice: Choice, marks: Sequence[Mark]) -> str:
    """The answer in words, without asking for more of them."""
    return worded(choice, marks) or choice.said or choice.verb
