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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from llava_agent.errors import ConfigError
from llava_agent.gateway.quotable import Passage, passages_of
from llava_agent.gateway.request import (
    Candidate,
    Choice,
    Completion,
    Message,
    ModelRequest,
    Route,
    Span,
    Usage,
)
from llava_agent.gateway.verbs import EVIDENCE_VERBS, POINTING_VERBS, QUOTING_VERBS
from llava_agent.gateway.wording import known_text, question_text
from llava_agent.vlm.answer import Answer
from llava_agent.vlm.chat import Chat
from llava_agent.vlm.clock import Clock
from llava_agent.vlm.constrained import Constraint, Vocabulary
from llava_agent.vlm.decode import Sampling, generate
from llava_agent.vlm.engines import Engine, Floats
from llava_agent.vlm.engines.torch_engine import TorchEngine
from llava_agent.vlm.fusion import expand_placeholders, fuse
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.prefix import PrefixCache
from llava_agent.vlm.words import Words, sampling_of, told, whole

if TYPE_CHECKING:
    from llava_agent.vlm.attention import Attended

_MAX_QUOTE = 64
_UNROUTED = Route(model="generating", tier="vision", reason="called without a gateway")


#: What attention to a question is compared with, and the beginning of what is said to it.
_GENERAL, _DESCRIBED = "Describe the image.", "The image shows"

#: Encoded images that are kept, so that a conversation does not encode its images at each turn.
_KEPT_IMAGES = 4


@dataclass(frozen=True, slots=True)
class _Image:
    """An encoded image: its digest and its tokens `[N, D]`."""

    digest: str
    tokens: Floats


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A prompt of `T` positions.

    Attributes:
        ids: after expansion.
        keys: what stands at each position, for the kept prefix.
        embeddings: `[T, D]`.
        image_tokens: how many positions are of images.
    """

    ids: list[int]
    keys: list[object]
    embeddings: Floats
    image_tokens: int


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
        self._chat = Chat(self._tokenizer, model.placeholder, template)
        self._sampling = sampling or Sampling()
        self._engine: Engine = TorchEngine(model.language)
        self._prefix = PrefixCache(self._engine)
        self._vocabulary = Vocabulary(
            self._tokenizer.backend_tokenizer.to_str(), self._tokenizer.eos_token_id, self._engine.vocab_size
        )
        self._images: dict[str, _Image] = {}
        self._lock = threading.Lock()

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        """The most probable verb, the distribution over the candidates, and the quoted or generated text."""
        if not verbs:
            raise ConfigError("choosing needs at least one verb")
        with self._lock:
            clock = Clock()
            start = self._prefill(
                request, question_text(request, candidates, verbs, pixels=pixels), pixels, clock
            )
            try:
                with clock.part("decode"):
                    return self._decide(request, candidates, verbs, start, clock)
            finally:
                self._prefix.cut()

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        """Text for an instruction or a conversation, under the request's JSON schema if it has one."""
        return whole(self.stream(request, pixels=pixels))

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        """Pieces of the text, then the whole; see `complete`. Other calls wait until it ends or is closed."""
        constraint = None
        if request.json_schema is not None:
            constraint = Constraint.from_schema(request.json_schema, self._vocabulary)
        sampling = sampling_of(request, self._sampling)
        with self._lock:
            clock = Clock()
            with clock.part("prompt"):
                encoded = self._encode(request, known_text(request), pixels)
            self._prefix.forget()
            stops = self._chat.stops
            tokens = generate(self._engine, encoded.embeddings, sampling, stops, constraint)
            words = Words(self._text, request.drawing.stop)
            prompt = (len(encoded.ids), encoded.image_tokens)
            yield from told(words, tokens, clock, sampling, prompt, constraint)

    def attention(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], choice: Choice
    ) -> Attended:
        """The cells of the request's image while the model writes `choice`, against a general instruction.

        Raises:
            ConfigError: the request has no image, or the model gives no attention.
        """
        from llava_agent.vlm.attention import Attended, image_attention, relative
        from tools.photo import load_image

        if request.image is None:
            raise ConfigError("attention to an image needs an image")
        image = load_image(request.image).image
        general = replace(request, instruction=_GENERAL, facts=(), history=())
        answer = self._tokenizer(_written(choice), add_special_tokens=False)["input_ids"]
        said = self._tokenizer(_DESCRIBED, add_special_tokens=False)["input_ids"]
        with self._lock:
            words = question_text(request, candidates, verbs, pixels=True)
            asked = image_attention(self._model, self._prompt(words), answer, image)
            plain = image_attention(self._model, self._prompt(known_text(general)), said, image)
            _, places = self._model.encode(image)
        boxes = [places.box(token) for token in range(places.tokens)]
        seen = [token for token, box in enumerate(boxes) if box is not None]
        return Attended(tuple(box for box in boxes if box is not None), relative(asked, plain)[seen])

    def _prompt(self, text: str) -> list[int]:
        """Ids of one user's turn with an image before its words, as `_encode` writes them."""
        before, after = self._chat.frame(["user"])
        ids = [*self._chat.ids(before, special=True), self._model.placeholder, *self._chat.ids("\n")]
        return [*ids, *self._chat.ids(text), *self._chat.ids(after, special=True)]

    def _decide(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], start: _Start,
        clock: Clock,
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

    def _prefill(self, request: ModelRequest, text: str, pixels: bool, clock: Clock) -> _Start:
        with clock.part("prompt"):
            encoded = self._encode(request, text, pixels)
        with clock.part("prefill"):
            _, logits, reused = self._prefix.forward(encoded.keys, encoded.embeddings)
        return _Start(logits, len(encoded.ids), encoded.image_tokens, reused)

    def _encode(self, request: ModelRequest, text: str, pixels: bool) -> _Encoded:
        """The messages of the request, or `text` as the only one, with their images.

        The texts around the placeholders are tokenised apart, and the words without special tokens: nothing
        that a page says can become an image, or end the user's turn.
        """
        alone = Message("user", text, () if request.image is None else (request.image,))
        turns = request.messages or (alone,)
        ids: list[int] = []
        images: list[_Image] = []
        frame = self._chat.frame([turn.role for turn in turns])
        for before, turn in zip(frame, turns, strict=False):
            ids += self._chat.ids(before, special=True)
            for content in turn.images if pixels else ():
                images.append(self._see(content))
                ids += [self._model.placeholder, *self._chat.ids("\n")]
            ids += self._chat.ids(turn.text)
        ids += self._chat.ids(frame[-1], special=True)
        expanded = expand_placeholders(ids, [len(image.tokens) for image in images], self._model.placeholder)
        embeddings = self._engine.embed(expanded.ids)
        keys: list[object] = expanded.ids.tolist()
        if images:
            features = [image.tokens for image in images]
            embeddings = fuse(embeddings[None], expanded.ids[None], [np.concatenate(features)],
                              self._model.placeholder)[0]  # fmt: skip
        for image, (start, end) in zip(images, expanded.spans, strict=True):
            keys[start:end] = [(image.digest, order) for order in range(end - start)]
        return _Encoded(expanded.ids.tolist(), keys, embeddings, sum(len(image.tokens) for image in images))

    def _see(self, content: bytes) -> _Image:
        import torch

        from tools.photo import load_image

        photo = load_image(content)
        image = self._images.pop(photo.sha256, None)
        if image is None:
            with torch.inference_mode():
                tokens, _ = self._model.encode(photo.image)
            image = _Image(photo.sha256, tokens.float().cpu().numpy())
        self._images[photo.sha256] = image
        while len(self._images) > _KEPT_IMAGES:
            del self._images[next(iter(self._images))]
        return image

    def _text(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text


def _written(choice: Choice) -> str:
    """The answer of `choose` as the model wrote it."""
    mark = "" if choice.index is None else f'"mark":{choice.index + 1},'
    words = choice.span.text if choice.span else choice.said
    return f'{{"verb":"{choice.verb}",{mark}"text":{json.dumps(words)}}}'


@dataclass(frozen=True, slots=True)
class _Start:
    """A prompt in the engine."""

    logits: Floats
    prompt_tokens: int
    image_tokens: int
    reused: int


def _passages(
    verb: str, request: ModelRequest, candidates: Sequence[Candidate], index: int | None
) -> list[Passage]:
    texts = [candidate.text for candidate in candidates]
    found = passages_of(verb, request.instruction, request.facts, texts, index)
    return [passage for passage in found if passage.text.strip()]


def _chunks(text: str) -> list[str]:
    """Words, blanks and signs, each as it is written inside a JSON string."""
    return [json.dumps(part, ensure_ascii=False)[1:-1] for part in re.findall(r"\w+|\s+|[^\w\s]", text)]
