"""Choosing with a model that brings no pointer: numbered candidates, and an answer whose form is enforced.

The answer is `{"verb":"click","mark":3,"text":"..."}`. Verb and mark are not drawn: every permitted
continuation is scored, which gives the distribution that constrained generation would draw from. The text is
generated and can only be a run of words that stands in the prompt, so it is a quote. Probabilities are not
calibrated.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from llava_agent.errors import ConfigError
from llava_agent.gateway.quotable import Passage, passages_of
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route, Span, Usage
from llava_agent.gateway.verbs import EVIDENCE_VERBS, POINTING_VERBS, QUOTING_VERBS
from llava_agent.gateway.wording import known_text, question_text
from llava_agent.vlm.answer import Answer
from llava_agent.vlm.constrained import Constraint, Vocabulary
from llava_agent.vlm.decode import Sampling, generate
from llava_agent.vlm.engines import Engine, Floats
from llava_agent.vlm.engines.torch_engine import TorchEngine
from llava_agent.vlm.fusion import expand_placeholders, fuse
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.prefix import PrefixCache

_SENTINEL = "\u241fprompt\u241f"
_MAX_QUOTE = 64
_UNROUTED = Route(model="generating", tier="vision", reason="called without a gateway")


@dataclass(frozen=True, slots=True)
class _Image:
    """The image that was encoded last: its digest and its tokens `[N, D]`."""

    digest: str
    tokens: Floats


class GeneratingModel:
    """Implements `gateway.model.Weights` over a model that only generates. Calls are serialised.

    Args:
        model: tower, projector and language model.
        template: the prompt with `{prompt}` in it; None uses the tokenizer's chat template.
        sampling: for `complete`; choosing has nothing to draw.
    """

    def __init__(
        self, model: LlavaModel, template: str | None = None, sampling: Sampling | None = None
    ) -> None:
        self._model = model
        self._tokenizer = model.language.tokenizer
        self._frame = _frame(self._tokenizer, template)
        self._sampling = sampling or Sampling()
        self._engine: Engine = TorchEngine(model.language)
        self._prefix = PrefixCache(self._engine)
        self._vocabulary = Vocabulary(
            self._tokenizer.backend_tokenizer.to_str(), self._tokenizer.eos_token_id, self._engine.vocab_size
        )
        self._image: _Image | None = None
        self._lock = threading.Lock()

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        """The most probable verb, the distribution over the candidates, and the quoted or generated text."""
        if not verbs:
            raise ConfigError("choosing needs at least one verb")
        with self._lock:
            clock = _Clock()
            start = self._prefill(
                request, question_text(request, candidates, verbs, pixels=pixels), pixels, clock
            )
            try:
                with clock.part("decode"):
                    return self._decide(request, candidates, verbs, start, clock)
            finally:
                self._prefix.cut()

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        """Text for an instruction, under the request's JSON schema if it has one."""
        constraint = None
        if request.json_schema is not None:
            constraint = Constraint.from_schema(request.json_schema, self._vocabulary)
        sampling = replace(self._sampling, max_tokens=request.max_tokens)
        with self._lock:
            clock = _Clock()
            with clock.part("prompt"):
                ids, embeddings, images = self._embeddings(request, known_text(request), pixels)
            self._prefix.forget()
            stop = {self._tokenizer.eos_token_id}
            with clock.part("decode"):
                tokens = list(generate(self._engine, embeddings, sampling, stop, constraint))
            finish: Literal["stop", "length"] = "length" if len(tokens) >= sampling.max_tokens else "stop"
            if constraint is not None and constraint.finished:
                finish = "stop"
            usage = Usage(len(ids), images, len(tokens), 0, clock.milliseconds)
            return Completion(self._text(tokens), finish, usage, _UNROUTED)

    def _decide(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], start: _Start,
        clock: _Clock,
    ) -> Choice:  # fmt: skip
        answer = Answer(self._engine, self._tokenizer, start.logits)
        answer.write('{"verb":"')
        verb_chances = answer.distribution([f'{verb}"' for verb in verbs])
        best = int(np.argmax(verb_chances))
        verb, confidence = verbs[best], float(verb_chances[best])
        answer.write(f'{verb}"')
        index, distribution, none = None, (0.0,) * len(candidates), 1.0
        if candidates and verb in POINTING_VERBS | EVIDENCE_VERBS:
            answer.write(',"mark":')
            chances = answer.distribution([f"{number}," for number in range(len(candidates) + 1)])
            none, distribution = float(chances[0]), tuple(map(float, chances[1:]))
            number = int(np.argmax(chances))
            index = number - 1 if number else None
            answer.write(f"{number},")
            if verb in POINTING_VERBS:
                confidence *= float(chances[number])
        else:
            answer.write(",")
        span, said = None, ""
        if verb in QUOTING_VERBS:
            answer.write('"text":"')
            span = self._quote(answer, _passages(verb, request, candidates, index))
            confidence *= span.probability if span else 1.0
        elif verb == "say":
            answer.write('"text":"')
            pattern = r'([^"\\\x00-\x1f]|\\["\\/bfnrt])*"\}'
            said, _ = answer.text(Constraint.from_regex(pattern, self._vocabulary), request.max_tokens)
        usage = Usage(
            start.prompt_tokens, start.image_tokens, answer.written, start.reused, clock.milliseconds
        )
        table = dict(zip(verbs, map(float, verb_chances), strict=True))
        return Choice(verb, table, index, distribution, none, span, confidence, usage, _UNROUTED, said)

    def _quote(self, answer: Answer, sources: Sequence[Passage]) -> Span | None:
        """Generate text that must be a run of words of one of the sources, and say where it stands."""
        if not sources:
            return None
        rules = [
            f"S{i}: %regex {json.dumps({'substring_chunks': _chunks(s.text)})}" for i, s in enumerate(sources)
        ]
        start = "start: (" + " | ".join(f"S{i}" for i in range(len(sources))) + ') "\\"}"'
        grammar = "\n".join([start, *rules])
        text, probability = answer.text(Constraint(self._vocabulary, grammar), _MAX_QUOTE)
        quote = text.strip()
        found = next((source for source in sources if quote in source.text), None)
        if not quote or found is None:
            return None
        return Span(quote, found.source, found.index, probability)

    def _prefill(self, request: ModelRequest, text: str, pixels: bool, clock: _Clock) -> _Start:
        with clock.part("prompt"):
            ids, embeddings, images = self._embeddings(request, text, pixels)
        with clock.part("prefill"):
            keys: list[object] = list(ids)
            if images and self._image is not None:
                spots = np.flatnonzero(np.asarray(ids) == self._model.placeholder)
                for order, spot in enumerate(spots):
                    keys[int(spot)] = (self._image.digest, order)
            _, logits, reused = self._prefix.forward(keys, embeddings)
        return _Start(logits, len(ids), images, reused)

    def _embeddings(self, request: ModelRequest, text: str, pixels: bool) -> tuple[list[int], Floats, int]:
        """Ids after expansion, their embeddings `[T, D]`, and the number of image tokens.

        The texts around the placeholder are tokenised apart, and the prompt without special tokens: nothing
        that a page says can become an image, or end the user's turn.
        """
        before, after = self._frame
        ids = self._ids(before, special=True)
        image = self._see(request.image) if pixels and request.image is not None else None
        if image is not None:
            ids += [self._model.placeholder, *self._ids("\n")]
        ids += self._ids(text) + self._ids(after, special=True)
        counts = [] if image is None else [len(image.tokens)]
        expanded = expand_placeholders(ids, counts, self._model.placeholder)
        embeddings = self._engine.embed(expanded.ids)
        if image is not None:
            embeddings = fuse(embeddings[None], expanded.ids[None], [image.tokens], self._model.placeholder)[
                0
            ]
        return expanded.ids.tolist(), embeddings, sum(counts)

    def _see(self, content: bytes) -> _Image:
        import torch

        from tools.photo import load_image

        photo = load_image(content)
        if self._image is None or self._image.digest != photo.sha256:
            with torch.inference_mode():
                tokens, _ = self._model.encode(photo.image)
            self._image = _Image(photo.sha256, tokens.float().cpu().numpy())
        return self._image

    def _ids(self, text: str, *, special: bool = False) -> list[int]:
        if not text:
            return []
        encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=not special)
        ids: list[int] = encoded["input_ids"]
        return ids

    def _text(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text.strip()


@dataclass(frozen=True, slots=True)
class _Start:
    """A prompt in the engine."""

    logits: Floats
    prompt_tokens: int
    image_tokens: int
    reused: int


class _Clock:
    """Milliseconds by part of a call."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.milliseconds[name] = (time.perf_counter() - start) * 1000


def _passages(
    verb: str, request: ModelRequest, candidates: Sequence[Candidate], index: int | None
) -> list[Passage]:
    texts = [candidate.text for candidate in candidates]
    found = passages_of(verb, request.instruction, request.facts, texts, index)
    return [passage for passage in found if passage.text.strip()]


def _chunks(text: str) -> list[str]:
    """Words, blanks and signs, each as it is written inside a JSON string."""
    return [json.dumps(part, ensure_ascii=False)[1:-1] for part in re.findall(r"\w+|\s+|[^\w\s]", text)]


def _frame(tokenizer: Any, template: str | None) -> tuple[str, str]:
    """What stands before and after the user's words."""
    if template is not None:
        whole = template.replace("{prompt}", _SENTINEL)
    elif getattr(tokenizer, "chat_template", None):
        message = [{"role": "user", "content": _SENTINEL}]
        whole = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    else:
        raise ConfigError(
            "the tokenizer has no chat template", "set template in the preset, with {prompt} in it"
        )
    before, found, after = whole.partition(_SENTINEL)
    if not found:
        raise ConfigError("the prompt template has no place for the prompt", "write {prompt} in it")
    if template is not None and tokenizer.bos_token and not before.startswith(tokenizer.bos_token):
        before = tokenizer.bos_token + before
    return before, after
