"""Small deterministic models behind the server, and what a client sends them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from llava_agent.assembly import Core
from llava_agent.errors import ToolError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import LocalModel
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route, Usage
from tests.ui.words import PHOTOS, Words, find_known

PUMP = "data:image/jpeg;base64," + base64.b64encode((PHOTOS / "pump.jpg").read_bytes()).decode()
COMPRESSOR = "data:image/jpeg;base64," + base64.b64encode((PHOTOS / "compressor.jpg").read_bytes()).decode()


def about(question: str, *urls: str) -> list[dict[str, object]]:
    """Messages that ask about images."""
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [{"role": "user", "content": [*images, {"type": "text", "text": question}]}]


def say(words: str) -> list[dict[str, object]]:
    return [{"role": "user", "content": words}]


@dataclass
class Speaker:
    """Weights that say what a function gives, a word at a time.

    Attributes:
        fail_after: words after which the model breaks.
        hold: waited for before each word but the first, if there is one.
        open: calls that go on.
    """

    answer: Callable[[ModelRequest], str] = lambda request: f"echo {request.messages[-1].text}"
    fail_after: int | None = None
    hold: threading.Event | None = None
    requests: list[ModelRequest] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    words_said: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        with self._lock:
            self.requests.append(request)
        return Words().choose(request, candidates, verbs)

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        *_, last = self.stream(request, pixels=pixels)
        assert isinstance(last, Completion)
        return last

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        with self._lock:
            self.requests.append(request)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            words = self.answer(request).split(" ")
            said = words[: request.max_tokens]
            for number, word in enumerate(said):
                if self.fail_after == number:
                    raise ToolError("the server behind said SECRET-CANARY")
                if self.hold is not None and number:
                    self.hold.wait(10)
                self.words_said += 1
                yield word if number == 0 else f" {word}"
            text = " ".join(said)
            finish = "length" if len(said) < len(words) else "stop"
            yield Completion(text, finish, Usage(9, 0, len(said), 2), Route("", "text", ""))  # type: ignore[arg-type]
        finally:
            with self._lock:
                self.open -= 1


def core_with(speaker: Speaker) -> Core:
    """Both tiers from one speaker; questions about the included pump are read by their words."""
    text, vision = LocalModel("small", "text", speaker), LocalModel("eyes", "vision", speaker)
    return Core(Gateway({"small": text, "eyes": vision}), find_known)
