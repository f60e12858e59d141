"""Questions about images: the way of `llava-agent ask`, so that answers are read and carry evidence."""

from __future__ import annotations

from dataclasses import dataclass

from llava_agent.agent.perceive import Answer, Eyes
from llava_agent.agent.picture import Find
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Route
from llava_agent.service.openai.reply import Reply, Shown, added
from llava_agent.service.turn import Stop
from tools.photo import Photo


@dataclass(frozen=True, slots=True)
class Seen:
    """The surest answer over some images.

    Attributes:
        image: number of the image that shows it.
        all: the answers of all images, for what they cost.
    """

    answer: Answer
    image: int
    all: tuple[Answer, ...]

    def shown(self, field: str = "") -> tuple[Shown, ...]:
        return tuple(Shown(self.image, one.box, one.text, one.source, field) for one in self.answer.evidence)


class Looker:
    """Reads the images of one request.

    Args:
        run: what the calls are recorded under.
        stop: asked before each look.
    """

    def __init__(self, gateway: Gateway, find: Find, principal: Principal, run: str, stop: Stop) -> None:
        self._ledger = Ledger()
        self._eyes = Eyes(gateway.recording(self._ledger), find, principal=principal)
        self._run, self._stop = run, stop

    def look(self, photos: tuple[Photo, ...], question: str) -> Seen:
        """Ask each image; an image that shows it goes before one that does not, then the surer one."""
        answers = []
        for photo in photos:
            self._stop.check()
            answers.append(self._eyes.ask(photo, question, run=self._run))
        best = max(range(len(answers)), key=lambda one: (answers[one].visible, answers[one].confidence))
        return Seen(answers[best], best, tuple(answers))

    def route(self) -> Route:
        """Of the last call."""
        last = self._ledger.entries[-1]
        return Route(last.model, last.tier, last.reason)


def look_reply(looker: Looker, photos: tuple[Photo, ...], question: str) -> Reply:
    """The answer to one question about some images."""
    seen = looker.look(photos, question)
    return Reply(
        seen.answer.answer,
        added([one.usage for one in seen.all]),
        looker.route(),
        evidence=seen.shown(),
        confidence=seen.answer.confidence,
    )
