"""The embedded model: SmolLM2 with eyes, a pointer, and a kept prefix. It chooses; it seldom generates.

One set of weights serves two tiers: without pixels it reads the marks' words only (`text`), with pixels each
mark also carries its region token and, where it has no text, the tower's own words (`vision`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route, Span, Usage
from llava_agent.gateway.verbs import EVIDENCE_VERBS, POINTING_VERBS, QUOTING_VERBS
from llava_agent.gateway.wording import known_text
from llava_agent.vlm.clock import Clock
from llava_agent.vlm.decode import Sampling, generate
from llava_agent.vlm.engines import Engine, Floats
from llava_agent.vlm.eyes import Eyes, Seen
from llava_agent.vlm.fusion import fuse
from llava_agent.vlm.passages import asked_of, passages_for
from llava_agent.vlm.pointer import Calibration, Pointer, log_softmax
from llava_agent.vlm.prefix import PrefixCache
from llava_agent.vlm.prompt import (
    ASK_VERBS,
    EncodedPrompt,
    Line,
    PromptEncoder,
)
from llava_agent.vlm.reader import Quotation, Read, Reader, multiplied, weighed
from llava_agent.vlm.words import Words, sampling_of, told, whole

if TYPE_CHECKING:
    from llava_agent.vlm.constrained import Constraint, Vocabulary

_UNROUTED = Route(model="embedded", tier="text", reason="called without a gateway")


@dataclass(frozen=True, slots=True)
class _Prefilled:
    """A prompt in the engine's cache: all its hidden states, the last logits, and how much was reused."""

    prompt: EncodedPrompt
    hidden: Floats
    logits: Floats
    reused: int


class EmbeddedModel:
    """Implements `gateway.model.Weights`. Calls are serialised: the engine holds one sequence.

    Args:
        engine: the language model.
        encoder: the prompt's layout over the engine's tokenizer.
        pointer, reader, calibration: the trained heads.
        eyes: None for a model that never sees pixels.
    """

    def __init__(
        self,
        engine: Engine,
        encoder: PromptEncoder,
        pointer: Pointer,
        reader: Reader,
        calibration: Calibration,
        eyes: Eyes | None,
    ) -> None:
        self._engine, self._encoder, self._pointer, self._reader = engine, encoder, pointer, reader
        self._calibration, self._eyes = calibration, eyes
        self._prefix = PrefixCache(engine)
        self._lock = threading.Lock()

    @classmethod
    def load(cls, built: Path, shipped: Path, threads: int = 2) -> EmbeddedModel:
        """Load from the folder that `models pull` built and the trained weights that ship with the package.

        Raises:
            WeightsError: a file is absent or damaged.
        """
        from tokenizers import Tokenizer

        from llava_agent.vlm.engines.onnx_engine import OnnxEngine
        from llava_agent.vlm.eyes import REGION_ENCODER

        tokenizer = Tokenizer.from_file(str(built / "tokenizer.json"))
        encoder, engine = PromptEncoder(tokenizer), OnnxEngine(built, threads)
        calibration = Calibration.load(shipped)
        reader = Reader.load(shipped, tokenizer, engine.embed, calibration.span)
        eyes = Eyes(built / REGION_ENCODER, shipped, threads)
        return cls(engine, encoder, Pointer.load(shipped), reader, calibration, eyes)

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        """The most probable verb, the distribution over the candidates, and the quoted span."""
        with self._lock:
            clock = Clock()
            seen = self._see(request, candidates, clock) if pixels else None
            ready = self._prefill(request, candidates, verbs, seen, clock)
            with clock.part("pointer"):
                return self._decide(request, candidates, verbs, ready, clock)

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        """Text for an instruction without candidates: greedy, and under the request's schema if it has one.

        This model's image tokens are region tokens of candidates, so a request without candidates is answered
        from its words alone, whatever `pixels` says.
        """
        return whole(self.stream(request, pixels=pixels))

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        """Pieces of the text, then the whole; see `complete`. Other calls wait until it ends or is closed."""
        del pixels
        with self._lock:
            clock = Clock()
            with clock.part("prefill"):
                turns = [(message.role, message.text) for message in request.messages]
                ids = self._encoder.chat(turns or [("user", known_text(request))])
                embeddings = self._engine.embed(ids)
                self._prefix.forget()
            sampling = sampling_of(request, Sampling())
            constraint = self._constraint(request.json_schema)
            tokens = generate(self._engine, embeddings, sampling, {self._encoder.end_id}, constraint)
            words = Words(self._encoder.tokenizer.decode, request.drawing.stop)
            yield from told(words, tokens, clock, sampling, (len(ids), 0), constraint)

    def _constraint(self, schema: Mapping[str, object] | None) -> Constraint | None:
        if schema is None:
            return None
        from llava_agent.vlm.constrained import Constraint

        return Constraint.from_schema(schema, self._words)

    @cached_property
    def _words(self) -> Vocabulary:
        from llava_agent.vlm.constrained import Vocabulary

        return Vocabulary(self._encoder.tokenizer.to_str(), self._encoder.end_id, self._engine.vocab_size)

    def _see(self, request: ModelRequest, candidates: Sequence[Candidate], clock: Clock) -> Seen | None:
        """The candidates that have a place in the image; None where there is nothing to see or no eyes."""
        regions = [candidate.region for candidate in candidates if candidate.region is not None]
        if self._eyes is None or request.image is None or not regions:
            return None
        with clock.part("tower"):
            return self._eyes.see(request.image, regions)

    def _prefill(
        self,
        request: ModelRequest,
        candidates: Sequence[Candidate],
        verbs: Sequence[str],
        seen: Seen | None,
        clock: Clock,
    ) -> _Prefilled:
        """Bring the prompt into the engine, with the region tokens in their places."""
        with clock.part("prompt"):
            asks = any(verb in ASK_VERBS for verb in verbs)
            prompt = self._encoder.encode(
                "Question" if asks else "Goal",
                request.instruction,
                _lines(candidates, seen),
                request.facts,
                request.history,
            )
        with clock.part("prefill"):
            keys: list[object] = prompt.ids.tolist()
            embeddings = self._engine.embed(prompt.ids)
            if seen is not None:
                embeddings = fuse(
                    embeddings[None], prompt.ids[None], [seen.tokens], self._encoder.placeholder
                )[0]
                for position, digest in zip(prompt.regions[prompt.regions >= 0], seen.digests, strict=True):
                    keys[int(position)] = digest
            hidden, logits, reused = self._prefix.forward(keys, embeddings)
        return _Prefilled(prompt, hidden, logits, reused)

    def _decide(
        self,
        request: ModelRequest,
        candidates: Sequence[Candidate],
        verbs: Sequence[str],
        ready: _Prefilled,
        clock: Clock,
    ) -> Choice:
        """The verb first; its hidden state then points at the line and the span."""
        ids = np.asarray([self._encoder.verb_ids[verb] for verb in verbs], dtype=np.int64)
        chances = np.exp(log_softmax(ready.logits[ids], self._calibration.verb))
        looked = self._look_for(request, candidates, verbs, chances)
        best = int(chances.argmax())
        verb = verbs[best]
        states, logits = self._engine.forward(self._engine.embed(ids[best : best + 1]))
        query = states[0]
        distribution, none = self._target(query, ready)
        read = looked if verb == "read" else self._read(request, candidates, verb, distribution, none)
        if read is not None and verb == "read":
            distribution = _agreed(distribution, read)
        index = _pointed_at(verb, distribution, none)
        found = _quoted(verb, read, index)
        said, output = self._say(request, logits) if verb == "say" else ("", 1)
        self._prefix.cut()
        confidence = float(chances[best])
        if verb in POINTING_VERBS and len(distribution):
            confidence *= none if index is None else float(distribution[index])
        if found is not None:
            confidence *= found.probability
        regions = int((ready.prompt.regions >= 0).sum())
        return Choice(
            verb=verb,
            verbs=dict(zip(verbs, map(float, chances), strict=True)),
            index=index,
            distribution=tuple(map(float, distribution)),
            none=none,
            span=_span(found),
            confidence=confidence,
            usage=Usage(len(ready.prompt.ids), regions, output, ready.reused, clock.milliseconds),
            route=_UNROUTED,
            said=said,
        )

    def _look_for(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], chances: Floats
    ) -> Read | None:
        """The reader's search for what a question asks for; it also has a say in whether it is there at all.

        Args:
            chances: `[V]` of the verbs; changed in place where the reader knows better.
        """
        if "read" not in verbs or verbs[int(chances.argmax())] not in ("read", "none"):
            return None
        read = self._read(request, candidates, "read", np.zeros(0, dtype=np.float32), 1.0)
        absent = read.absent() if read is not None else None
        if absent is not None and "none" in verbs:
            there, away = verbs.index("read"), verbs.index("none")
            chances[there], chances[away] = weighed(float(chances[there]), float(chances[away]), absent)
        return read

    def _target(self, query: Floats, ready: _Prefilled) -> tuple[Floats, float]:
        """Probabilities of the candidates, and of none of them."""
        ends = np.append(ready.prompt.ends, ready.prompt.none_end)
        chances = np.exp(
            log_softmax(self._pointer.target(query, ready.hidden[ends]), self._calibration.target)
        )
        return chances[:-1], float(chances[-1])

    def _read(
        self,
        request: ModelRequest,
        candidates: Sequence[Candidate],
        verb: str,
        pointed: Floats,
        none: float,
    ) -> Read | None:
        """What the span reader makes of the request; None for a verb that quotes nothing.

        What is typed depends on the field that is pointed at; a reading is searched for in every line.
        """
        if verb not in QUOTING_VERBS:
            return None
        lines = [candidate.line for candidate in candidates]
        texts = [candidate.text for candidate in candidates]
        index = _pointed_at(verb, pointed, none)
        asked = asked_of(verb, request.instruction, lines, texts, index)
        passages = passages_for(verb, request.instruction, request.facts, lines, texts, index)
        return self._reader.read(asked, passages) if passages else None

    def _say(self, request: ModelRequest, logits: Floats) -> tuple[str, int]:
        """Go on generating after the verb."""
        tokens: list[int] = []
        for _ in range(request.max_tokens):
            token = int(logits.argmax())
            if token == self._encoder.end_id:
                break
            tokens.append(token)
            _, logits = self._engine.forward(self._engine.embed(np.asarray([token], dtype=np.int64)))
        return self._encoder.tokenizer.decode(tokens).strip(), 1 + len(tokens)


def _lines(candidates: Sequence[Candidate], seen: Seen | None) -> list[Line]:
    """Candidates as the prompt shows them; one without text that is seen also gets the tower's words."""
    lines, row = [], 0
    for candidate in candidates:
        words, region = candidate.line, False
        if seen is not None and candidate.region is not None:
            region = True
            if not candidate.text:
                words = f"{words} ({seen.names[row].words})".strip()
            row += 1
        lines.append(Line(words, candidate.text, region))
    return lines


def _pointed_at(verb: str, distribution: Floats, none: float) -> int | None:
    """The candidate of a verb that points or shows evidence; None where *none of these* is more probable."""
    if verb not in POINTING_VERBS | EVIDENCE_VERBS or not len(distribution):
        return None
    index = int(distribution.argmax())
    return index if distribution[index] >= none else None


def _agreed(pointed: Floats, read: Read) -> Floats:
    """Where a reading stands by the pointer and the span reader together; by the pointer alone on a page that
    is too long for the reader."""
    chances = read.chances()
    if chances is None:
        return pointed
    return multiplied(pointed, chances, [passage.index for passage in read.passages])


def _quoted(verb: str, read: Read | None, index: int | None) -> Quotation | None:
    """The words; a reading's come from the line that was chosen."""
    if read is None or verb != "read":
        return read.quote() if read else None
    line = next((passage for passage in read.passages if passage.index == index), None)
    return read.quote(line) if line else None


def _span(found: Quotation | None) -> Span | None:
    if found is None:
        return None
    return Span(found.text, found.passage.source, found.passage.index, found.probability)
