"""The same question about the same photos, asked of two models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llava_agent.agent.perceive import Answer, Eyes
from llava_agent.assembly import Core
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.principal import LOCAL, Principal
from tools.photo import Photo

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Pair:
    """Attributes:
    answers: of the first and of the second model.
    """

    photo: Photo
    answers: tuple[Answer, Answer]

    @property
    def same(self) -> bool:
        one, other = (answer.answer.strip().casefold() for answer in self.answers)
        return one == other

    def as_dict(self) -> dict[str, object]:
        return {"same": self.same, "answers": [answer.as_dict() for answer in self.answers]}


def compare(
    photos: Sequence[Photo],
    words: str,
    cores: tuple[Core, Core],
    progress: Progress,
    principal: Principal = LOCAL,
) -> list[Pair]:
    """Both models see the same marks of each photo, which are found once.

    Raises:
        ConfigError: an empty question.
        NoPermittedModel: a model may not answer.
    """
    find = cores[0].find
    one, other = (Eyes(core.gateway.recording(Ledger()), find, principal=principal) for core in cores)
    pairs = []
    for at, photo in enumerate(photos, start=1):
        pairs.append(Pair(photo, (one.ask(photo, words), other.ask(photo, words))))
        progress(at, len(photos))
    return pairs
