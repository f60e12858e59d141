"""Questions about a photo or screenshot: every answer carries its region, and *not visible* is an answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llava_agent.agent.candidate import candidate
from llava_agent.agent.fact import Evidence, Fact
from llava_agent.agent.picture import Find, find_marks, png
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.gateway.request import Choice, ModelRequest, Usage
from tools.mark import Mark
from tools.photo import Photo, load_image

NOT_VISIBLE = "not visible"
VERBS = ("read", "yes", "no", "none", "say")
#: A mark below this probability is not shown as the evidence of a yes, a no or a generated answer.
EVIDENT = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer about one image.

    Attributes:
        answer: `not visible` where the image does not show it.
        confidence: 0 to 1.
        evidence: regions that support it, in pixels of the image.
        ms: milliseconds by part.
    """

    answer: str
    confidence: float
    evidence: tuple[Evidence, ...]
    model: str
    image_sha256: str
    usage: Usage
    ms: dict[str, float] = field(default_factory=dict)

    @property
    def visible(self) -> bool:
        return self.answer != NOT_VISIBLE

    def as_dict(self) -> dict[str, object]:
        """The JSON of `llava-agent ask`."""
        return {
            "answer": self.answer,
            "confidence": round(self.confidence, 4),
            "evidence": [
                {"box": list(one.box) if one.box else None, "text": one.text, "source": one.source}
                for one in self.evidence
            ],
            "model": self.model,
            "image_sha256": self.image_sha256,
            "tokens": {
                "prompt": self.usage.prompt_tokens,
                "image": self.usage.image_tokens,
                "output": self.usage.output_tokens,
            },
            "ms": {part: round(value, 1) for part, value in self.ms.items()},
        }


class Eyes:
    """Reads photos through the gateway. The marks of a picture are found once and kept.

    Args:
        gateway: its vision model answers.
        find: the detectors; OCR, shapes and dials where none is given.
        principal: on whose behalf.
    """

    def __init__(self, gateway: Gateway, find: Find | None = None, *, principal: Principal = LOCAL) -> None:
        self.gateway, self.principal = gateway, principal
        self.find = find or find_marks
        self._pictures: dict[Path, Photo] = {}
        self._marks: dict[str, tuple[Mark, ...]] = {}
        self._png: dict[str, bytes] = {}

    def look(
        self, photos: Sequence[Path], what: str, *, run: str = "", step: int | None = None
    ) -> Fact | None:
        """Look for `what` on each photo; the surest answer becomes a fact, None where none shows it."""
        answers = []
        for path in photos:
            picture = self._pictures.get(path) or load_image(path)
            self._pictures[path] = picture
            answers.append(self.ask(picture, question(what), run=run, step=step))
        best = max(
            (answer for answer in answers if answer.visible), key=lambda one: one.confidence, default=None
        )
        return Fact(what, best.answer, best.confidence, best.evidence) if best else None

    def ask(self, picture: Photo, words: str, *, run: str = "", step: int | None = None) -> Answer:
        """Answer a question about one picture.

        Raises:
            ConfigError: an empty question.
            NoPermittedModel: no vision model is configured.
        """
        if not words.strip():
            raise ConfigError("the question is empty", "ask something, such as: what is the serial number?")
        began = time.perf_counter()
        marks = self.marks(picture)
        found = time.perf_counter()
        request = looking(words, self._encoded(picture), run=run, step=step, principal=self.principal)
        choice = self.gateway.choose(request, [candidate(mark) for mark in marks], VERBS)
        text, evidence, usage = self._answer(choice, marks, request, picture.sha256)
        ended = time.perf_counter()
        ms = {
            "marks": (found - began) * 1000,
            **usage.milliseconds,
            "total": (ended - began) * 1000,
        }
        model = choice.route.model
        return Answer(text, choice.confidence, evidence, model, picture.sha256, usage, ms)

    def marks(self, picture: Photo) -> tuple[Mark, ...]:
        """The candidates on a picture, in reading order."""
        if picture.sha256 not in self._marks:
            self._marks[picture.sha256] = tuple(self.find(picture))
        return self._marks[picture.sha256]

    def _encoded(self, picture: Photo) -> bytes:
        if picture.sha256 not in self._png:
            self._png[picture.sha256] = png(picture)
        return self._png[picture.sha256]

    def _answer(
        self, choice: Choice, marks: Sequence[Mark], request: ModelRequest, sha256: str
    ) -> tuple[str, tuple[Evidence, ...], Usage]:
        if choice.verb == "read":
            text, mark = _read(choice, marks)
            return text, (_evidence(mark, text, sha256),) if mark else (), choice.usage
        if choice.verb == "none":
            return NOT_VISIBLE, (), choice.usage
        mark = _evident(choice, marks)
        shown = (_evidence(mark, mark.text, sha256),) if mark else ()
        if choice.verb in ("yes", "no"):
            return choice.verb, shown, choice.usage
        if choice.said:
            return choice.said, shown, choice.usage
        completion = self.gateway.complete(request)
        return completion.text.strip() or NOT_VISIBLE, shown, _both(choice.usage, completion.usage)


def ask(image: Path, words: str, gateway: Gateway, find: Find | None = None) -> Answer:
    """Answer a question about one image file; `ms` also tells what loading took.

    Raises:
        ImageError: the file cannot be read as an image.
        ConfigError: an empty question.
    """
    if not words.strip():
        raise ConfigError("the question is empty", "ask something, such as: what is the serial number?")
    began = time.perf_counter()
    picture = load_image(image)
    loaded = (time.perf_counter() - began) * 1000
    answer = Eyes(gateway, find).ask(picture, words)
    answer.ms["load"] = loaded
    answer.ms["total"] += loaded
    return answer


def looking(
    words: str, image: bytes, *, run: str = "", step: int | None = None, principal: Principal = LOCAL
) -> ModelRequest:
    """A question about an encoded image as models are asked it."""
    return ModelRequest(
        step_kind="perceive",
        instruction=words.strip(),
        image=image,
        needs_pixels=True,
        because="reading an image needs pixels",
        run=run,
        step=step,
        principal=principal,
    )


def worded(choice: Choice, marks: Sequence[Mark]) -> str:
    """What a choice among `VERBS` says; empty where the model wants to say more than one verb."""
    if choice.verb == "read":
        return _read(choice, marks)[0]
    if choice.verb == "none":
        return NOT_VISIBLE
    return choice.verb if choice.verb in ("yes", "no") else choice.said


def question(what: str) -> str:
    """`serial number` as a question; what is one already stays as it is."""
    return what if what.endswith("?") else f"What is the {what}?"


def _read(choice: Choice, marks: Sequence[Mark]) -> tuple[str, Mark | None]:
    """The quoted part of the chosen mark, or all of it; a measured value before words."""
    span = choice.span if choice.span and choice.span.source == "candidate" else None
    index = choice.index if choice.index is not None else (span.index if span else None)
    if index is None:
        return NOT_VISIBLE, None
    mark = marks[index]
    quoted = span.text.strip() if span and span.index == index else ""
    return quoted or mark.value or mark.text or NOT_VISIBLE, mark


def _evident(choice: Choice, marks: Sequence[Mark]) -> Mark | None:
    if choice.index is None or choice.distribution[choice.index] < EVIDENT:
        return None
    return marks[choice.index]


def _evidence(mark: Mark, text: str, sha256: str) -> Evidence:
    box = mark.box
    region = (round(box.x0), round(box.y0), round(box.x1), round(box.y1)) if box else None
    return Evidence(sha256, region, mark.text or text, mark.source)


def _both(first: Usage, second: Usage) -> Usage:
    parts = dict(first.milliseconds)
    for part, value in second.milliseconds.items():
        parts[part] = parts.get(part, 0.0) + value
    return Usage(
        first.prompt_tokens + second.prompt_tokens,
        first.image_tokens + second.image_tokens,
        first.output_tokens + second.output_tokens,
        first.reused_tokens + second.reused_tokens,
        parts,
    )
