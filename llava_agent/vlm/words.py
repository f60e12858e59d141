"""Text from tokens as they come: whole characters only, ended by the texts that stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from llava_agent.gateway.request import Completion, ModelRequest, Route, Usage
from llava_agent.vlm.clock import Clock
from llava_agent.vlm.decode import Constraint, Sampling

_UNROUTED = Route(model="local", tier="text", reason="called without a gateway")

#: What a tokenizer writes for a character of which bytes are missing.
_INCOMPLETE = "�"


class Words:
    """Grows by tokens and gives pieces of text that will not change any more.

    Args:
        decode: text of token ids.
        stop: texts that end the output; neither they nor what follows is given out.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: Sequence[str] = ()) -> None:
        self._decode, self._stop = decode, tuple(text for text in stop if text)
        self._held = ""
        #: The tokens so far.
        self.tokens: list[int] = []
        #: Whether a stop text came.
        self.stopped = False
        # Some tokenizers mark a word's beginning by what stands before it, so a piece is what a few more
        # tokens add to the text of the last ones.
        self._start, self._told = 0, 0

    def pieces(self, tokens: Iterable[int]) -> Iterator[str]:
        """The text of `tokens` in pieces; ends early where a stop text comes."""
        for token in tokens:
            self.tokens.append(token)
            if piece := self._released(self._fresh(last=False)):
                yield piece
            if self.stopped:
                return
        if piece := self._released(self._fresh(last=True), last=True):
            yield piece

    def _fresh(self, *, last: bool) -> str:
        """What the newest tokens add; empty while a character is incomplete."""
        before = self._decode(self.tokens[self._start : self._told])
        now = self._decode(self.tokens[self._start :])
        if len(now) <= len(before) or (now.endswith(_INCOMPLETE) and not last):
            return ""
        self._start, self._told = self._told, len(self.tokens)
        return now[len(before) :]

    def _released(self, fresh: str, *, last: bool = False) -> str:
        """What may be given out; what could be the beginning of a stop text is held back."""
        self._held += fresh
        found = [place for text in self._stop if (place := self._held.find(text)) >= 0]
        if found:
            self.stopped = True
            out, self._held = self._held[: min(found)], ""
            return out
        keep = 0 if last else max((_overlap(self._held, text) for text in self._stop), default=0)
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    return next(
        (size for size in range(min(len(text), len(stop) - 1), 0, -1) if stop.startswith(text[-size:])), 0
    )


def sampling_of(request: ModelRequest, preset: Sampling) -> Sampling:
    """How the request wants its words drawn; what it leaves open is the preset's."""
    asked = request.drawing
    return Sampling(
        max_tokens=request.max_tokens,
        temperature=preset.temperature if asked.temperature is None else asked.temperature,
        top_p=preset.top_p if asked.top_p is None else asked.top_p,
        seed=preset.seed if asked.seed is None else asked.seed,
    )


def told(
    words: Words,
    tokens: Iterable[int],
    clock: Clock,
    sampling: Sampling,
    prompt: tuple[int, int],
    constraint: Constraint | None = None,
) -> Iterator[str | Completion]:
    """The pieces of `tokens`, then the whole.

    Args:
        prompt: its tokens, and how many of them are of images.
    """
    said: list[str] = []
    for piece in words.pieces(clock.each("decode", tokens)):
        # No model means the blanks that its template leaves before the answer.
        fresh = piece if said else piece.lstrip()
        if fresh:
            said.append(fresh)
            yield fresh
    ended = words.stopped or (constraint is not None and constraint.finished)
    finish: Literal["stop", "length"] = (
        "length" if len(words.tokens) >= sampling.max_tokens and not ended else "stop"
    )
    usage = Usage(prompt[0], prompt[1], len(words.tokens), 0, clock.milliseconds)
    yield Completion("".join(said).strip(), finish, usage, _UNROUTED)


def whole(pieces: Iterable[str | Completion]) -> Completion:
    """What a stream ends with."""
    *_, last = pieces
    assert isinstance(last, Completion)
    return last
