"""The span reader in numpy: which characters are quoted into a field, looked for, or read from a line.

Runs the weights that `llava_agent.vlm.reader_head` trained, so that choosing needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from llava_agent.gateway.quotable import Passage
from llava_agent.vlm.dense import Dense, Floats, read_head
from llava_agent.vlm.passages import Asked, Layout, lay_out
from llava_agent.vlm.pointer import log_softmax

WEIGHTS = "reader.safetensors"

#: Of `reader_head`, which needs torch; a test compares them.
HEADS = 6
LAYERS = 4

#: A quotation is at most this many tokens long.
LONGEST_SPAN = 48

_FREE = ("embedding_norm", "embedded", "matched", "norm", "start", "end_key", "end_given")
_BLOCK = ("attention_norm", "mixed", "joined", "feed_norm", "wide", "narrow")
#: Names of the tensors of `ReaderHead`.
PARTS = frozenset(
    [f"{name}.{kind}" for name in _FREE for kind in ("weight", "bias")]
    + [f"blocks.{i}.{name}.{kind}" for i in range(LAYERS) for name in _BLOCK for kind in ("weight", "bias")]
    + ["segment.weight", "verb.weight"]
)


#: What the reader leaves to a line that it finds nothing in: the pointer may still be right.
UNREAD = 0.02


def multiplied(pointed: Floats, read: Floats, indices: Sequence[int]) -> Floats:
    """The pointer's and the reader's opinions of where a reading stands (product of experts: Hinton, 2002).

    The pointer sees pixels and the whole prompt, the reader both sides of every word; a line is meant where
    both find it likely.

    Args:
        pointed: `[N]` probabilities of the candidates; the sum of the result stays theirs.
        read: `[M]` of the passages, which are the candidates `indices`.
    """
    chances = np.full(len(pointed), UNREAD, dtype=np.float32)
    chances[list(indices)] += read
    both = pointed * chances
    result: Floats = both * (pointed.sum() / both.sum())
    return result


def weighed(read: float, none: float, absent: float) -> tuple[float, float]:
    """Probabilities of `read` and of `none`, by the language model and the reader together; their sum stays.

    Args:
        read, none: of the verbs, by the language model.
        absent: that what is asked for stands nowhere, by the reader.
    """
    absent = min(max(absent, UNREAD), 1 - UNREAD)
    there, away = read * (1 - absent), none * absent
    share = (read + none) / (there + away) if there + away else 0.0
    return there * share, away * share


@dataclass(frozen=True, slots=True)
class Quotation:
    """Characters `begin..end` of a passage, and the probability that they are meant."""

    passage: Passage
    begin: int
    end: int
    probability: float

    @property
    def text(self) -> str:
        return self.passage.text[self.begin : self.end]


class Reader:
    """Reads passages for what is asked.

    Args:
        weights: tensors of `ReaderHead`, by name.
        tokenizer, embed: of the language model; `embed` gives `[T, embedding_size]` of its input table.
        temperature: scores are divided by it.
    """

    def __init__(
        self,
        weights: dict[str, Floats],
        tokenizer: Tokenizer,
        embed: Callable[[NDArray[np.int64]], Floats],
        temperature: float = 1.0,
    ) -> None:
        self._dense = Dense(weights)
        self._tokenizer, self._embed, self._temperature = tokenizer, embed, temperature

    @classmethod
    def load(
        cls,
        folder: Path,
        tokenizer: Tokenizer,
        embed: Callable[[NDArray[np.int64]], Floats],
        temperature: float = 1.0,
    ) -> Reader:
        """Raises WeightsError where the file is absent, damaged, or of another version."""
        return cls(read_head(folder / WEIGHTS, PARTS, "span reader"), tokenizer, embed, temperature)

    def read(self, asked: Asked, passages: Sequence[Passage]) -> Read:
        """One pass over what is asked and the passages."""
        layout = lay_out(self._tokenizer, asked, passages)
        scores, states = self.scores(layout)
        known, given = self._dense.linear("end_key", states), self._dense.linear("end_given", states)
        return Read(tuple(passages), layout, scores, known, given, self._temperature)

    def scores(self, layout: Layout) -> tuple[Floats, Floats]:
        """Start scores `[T]`, and states `[T, WIDTH]`."""
        dense = self._dense
        states = dense.linear("embedded", dense.norm("embedding_norm", self._embed(layout.ids)))
        states = states + dense.linear("matched", layout.matches)
        states = states + dense.weights["segment.weight"][layout.segments]
        states = states + dense.weights["verb.weight"][layout.verb]
        for index in range(LAYERS):
            states = self._block(f"blocks.{index}", states)
        states = dense.norm("norm", states)
        return dense.linear("start", states)[:, 0], states

    def _block(self, name: str, states: Floats) -> Floats:
        dense, (length, width) = self._dense, states.shape
        size = width // HEADS
        mixed = dense.linear(f"{name}.mixed", dense.norm(f"{name}.attention_norm", states))
        query, key, value = mixed.reshape(length, 3, HEADS, size).transpose(1, 2, 0, 3)
        scores = _rotated(query) @ _rotated(key).transpose(0, 2, 1) / np.float32(sqrt(size))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True)) @ value
        states = states + dense.linear(f"{name}.joined", seen.transpose(1, 0, 2).reshape(length, width))
        wide = _gelu(dense.linear(f"{name}.wide", dense.norm(f"{name}.feed_norm", states)))
        fed: Floats = states + dense.linear(f"{name}.narrow", wide)
        return fed


@dataclass(frozen=True, slots=True)
class Read:
    """Passages that were read.

    Attributes:
        scores: `[T]` of each token as the first.
        known, given: `[T, WIDTH]`; their products score a token as the last, given the first.
    """

    passages: tuple[Passage, ...]
    layout: Layout
    scores: Floats
    known: Floats
    given: Floats
    temperature: float

    @property
    def whole(self) -> bool:
        """Whether every passage could be read; a page may be too long."""
        of = self.layout.passages
        return set(of[of >= 0].tolist()) == set(range(len(self.passages)))

    def absent(self) -> float | None:
        """Probability that what is asked for stands in no passage; None where not all could be read."""
        place = self.layout.absent
        if place is None or not self.whole:
            return None
        return float(self._likely(self.scores, self.layout.starts)[place])

    def chances(self) -> Floats | None:
        """`[N]` probability that the quotation begins in each passage, if it is there at all; None where not
        all could be read."""
        of, free = self.layout.passages, self.layout.passages >= 0
        if not self.whole:
            return None
        return np.bincount(of[free], self._likely(self.scores, free)[free]).astype(np.float32)

    def quote(self, within: Passage | None = None) -> Quotation | None:
        """The most probable first token, then the most probable last; None where nothing can be quoted.

        Args:
            within: the only passage that may be quoted; all of them where None.
        """
        of = self.layout.passages
        free = of >= 0 if within is None else of == self.passages.index(within)
        if not free.any():
            return None
        starts = self._likely(self.scores, free)
        first = int(starts.argmax())
        places = np.arange(len(of))
        reach = (of == of[first]) & (places >= first) & (places < first + LONGEST_SPAN)
        scores = self.known @ self.given[first] / np.float32(sqrt(self.known.shape[-1]))
        ends = self._likely(scores, reach)
        last = int(ends.argmax())
        begin, end = self.layout.spans[first][0], self.layout.spans[last][1]
        return Quotation(self.passages[int(of[first])], begin, end, float(starts[first] * ends[last]))

    def _likely(self, scores: Floats, free: NDArray[np.bool_]) -> Floats:
        """Probabilities `[T]` of the tokens that are free."""
        return np.exp(log_softmax(np.where(free, scores, np.float32(-1e9)), self.temperature))


def _rotated(values: Floats) -> Floats:
    """Rotary positions for `[heads, T, size]`."""
    half = values.shape[-1] // 2
    rates = 10000.0 ** (-np.arange(half, dtype=np.float32) / half)
    angles = np.arange(values.shape[1], dtype=np.float32)[:, None] * rates
    cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first, second = values[..., :half], values[..., half:]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


#: Abramowitz and Stegun, 7.1.26: off by at most 1.5e-7, which fp16 weights do not notice.
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


def _gelu(values: Floats) -> Floats:
    """The exact GELU, by a rational approximation of the error function (numpy has none)."""
    size = np.abs(values) / np.float32(sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * size)
    poly = t * (_ERF[0] + t * (_ERF[1] + t * (_ERF[2] + t * (_ERF[3] + t * _ERF[4]))))
    erf = np.sign(values) * (1 - poly * np.exp(-size * size))
    result: Floats = (0.5 * values * (1 + erf)).astype(np.float32)
    return result
