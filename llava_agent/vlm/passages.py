"""What the span reader reads: the field or question that is asked, and the passages that may hold the answer.

One layout for training and serving. Every passage is tokenised on its own, so a token's characters are known
exactly; each token also carries whether it begins or ends its passage, and what its word has in common with
what is asked, as plain numbers (the exact match features of Chen et al., 2017, "Reading Wikipedia to Answer
Open-Domain Questions").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llava_agent.gateway.quotable import Passage, passages_of
from llava_agent.gateway.verbs import QUOTING_VERBS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: A sequence is at most this long; candidates that do not fit are left out.
LONGEST = 512

#: Numbers that a token carries beside its embedding.
MATCHES = 7


class Segment(IntEnum):
    """Which part a token belongs to."""

    ASKED = 0
    BEFORE = 1
    INSTRUCTION = 2
    FACT_NAME = 3
    FACT_VALUE = 4
    CANDIDATE = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be quoted.

    Attributes:
        verb: one of `QUOTING_VERBS`.
        words: the field's line, or the question; empty for `look`.
        name: the part of it that names the thing (the field's label, the question).
        before: text of the mark before the field: its label, where the field has no name of its own.
    """

    verb: str
    words: str = ""
    name: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A sequence of `T` tokens.

    Attributes:
        ids: `[T]` of the language model's tokenizer.
        segments: `[T]` of `Segment`.
        matches: `[T, MATCHES]`.
        passages: `[T]`: which passage a token may be quoted from, -1 where it may not be.
        spans: character range of each token in its passage's text.
        verb: index into `QUOTING_VERBS`.
    """

    ids: NDArray[np.int64]
    segments: NDArray[np.int64]
    matches: NDArray[np.float32]
    passages: NDArray[np.int64]
    spans: tuple[tuple[int, int], ...]
    verb: int

    @property
    def absent(self) -> int | None:
        """The token that stands for *it is not here*: a question's first (Devlin et al., 2019, 5.3).

        None for the other verbs: what is typed, chosen or looked for is known to be there.
        """
        asks = QUOTING_VERBS[self.verb] == "read" and len(self.ids) and self.segments[0] == Segment.ASKED
        return 0 if asks else None

    @property
    def starts(self) -> NDArray[np.bool_]:
        """`[T]`: where a quotation may begin, and where its absence is said."""
        free = self.passages >= 0
        if self.absent is not None:
            free[self.absent] = True
        return free

    def positions(self, passage: int, begin: int, end: int) -> tuple[int, int] | None:
        """First and last token of the characters `begin..end` of a passage; None off the tokens' borders."""
        inside = [t for t in np.flatnonzero(self.passages == passage) if self._overlaps(int(t), begin, end)]
        if not inside:
            return None
        first, last = int(inside[0]), int(inside[-1])
        fits = self.spans[first][0] >= begin and self.spans[last][1] <= end
        return (first, last) if fits else None

    def _overlaps(self, token: int, begin: int, end: int) -> bool:
        start, stop = self.spans[token]
        return start < end and stop > begin


_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def words_of(text: str) -> frozenset[str]:
    """Its words, in small letters; `serialNumber` and `serial_number` are two."""
    return frozenset(word.lower() for word in _WORD.findall(_HUMP.sub(" ", text)))


def agreement(label: str, name: str) -> float:
    """0 to 1: how well `name` says what `label` says: half for its words, half for saying nothing else."""
    asked, said = words_of(label), words_of(name)
    if not asked or not said:
        return 0.0
    shared = len(asked & said)
    return (shared / len(asked) + shared / len(asked | said)) / 2


def asked_of(
    verb: str, instruction: str, lines: Sequence[str], texts: Sequence[str], target: int | None
) -> Asked:
    """What is asked when a verb is applied to a target.

    Args:
        lines: the candidates as the model reads them.
        texts: the part of each that may be quoted.
    """
    if verb == "read":
        return Asked(verb, instruction, instruction)
    if target is None:
        return Asked(verb)
    before = texts[target - 1] if target > 0 else ""
    return Asked(verb, lines[target], texts[target], before)


def passages_for(
    verb: str,
    instruction: str,
    facts: Sequence[str],
    lines: Sequence[str],
    texts: Sequence[str],
    target: int | None,
) -> list[Passage]:
    """What the reader is shown: as `passages_of`, but a reading is searched for in all candidates.

    The line that is pointed at is one opinion, the reader's another (`Reader.chances`). A candidate that is
    no plain text is named by the rest of its line (`dial`, `button`).
    """
    if verb != "read":
        return passages_of(verb, instruction, facts, texts, target)
    return [
        Passage("candidate", index, text, _rest(line, text))
        for index, (line, text) in enumerate(zip(lines, texts, strict=True))
        if text
    ]


def _rest(line: str, text: str) -> str:
    """`dial` of `dial = 6.3 bar`, and nothing of `"6.3 bar" text`."""
    rest = line.replace(text, "", 1).replace('"', "").strip(" =")
    return "" if rest == "text" else rest


def lay_out(tokenizer: Tokenizer, asked: Asked, passages: Sequence[Passage]) -> Layout:
    """The sequence of what is asked and the passages, in their order.

    Passages that do not fit any more are left out; what is asked never is, at most cut.
    """
    writer = _Writer(tokenizer, asked, [p.name for p in passages if p.source == "fact"])
    writer.add(asked.words, Segment.ASKED)
    writer.add(asked.before, Segment.BEFORE)
    for index, passage in enumerate(passages):
        # Only the instruction is looked in for names; the facts tell what need not be looked for.
        quotable = index if asked.verb != "look" or passage.source == "instruction" else -1
        if passage.source == "fact":
            shared = agreement(asked.name or asked.before, passage.name)
            writer.add(passage.name, Segment.FACT_NAME, shared=shared)
            writer.add(passage.text, Segment.FACT_VALUE, quotable, shared)
        else:
            kind = Segment.INSTRUCTION if passage.source == "instruction" else Segment.CANDIDATE
            writer.add(passage.name, Segment.BEFORE)
            writer.add(passage.text, kind, quotable)
    return writer.layout()


class _Writer:
    """Grows the sequence."""

    def __init__(self, tokenizer: Tokenizer, asked: Asked, known: Sequence[str]) -> None:
        self._tokenizer, self._asked, self._known = tokenizer, asked, known
        self._name = asked.name or asked.before
        self._named = words_of(self._name)
        self._known_words = frozenset(word for name in known for word in words_of(name))
        self._ids: list[int] = []
        self._segments: list[int] = []
        self._matches: list[tuple[float, ...]] = []
        self._passages: list[int] = []
        self._spans: list[tuple[int, int]] = []

    def add(self, text: str, segment: Segment, passage: int = -1, shared: float = 0.0) -> None:
        """Append `text`, as a piece of its own; nothing where it does not fit."""
        encoding = self._tokenizer.encode(f" {text}", add_special_tokens=False) if text else None
        if encoding is None:
            return
        if segment == Segment.CANDIDATE and len(self._ids) + len(encoding.ids) > LONGEST:
            return
        words = [(found.span(), found.group().lower()) for found in _WORD.finditer(text)]
        whole, known = _places(text, [self._name]), _places(text, self._known)
        room, end = LONGEST - len(self._ids), len(encoding.ids) - 1
        pieces = zip(encoding.ids[:room], encoding.offsets[:room], strict=True)
        for place, (token, (start, stop)) in enumerate(pieces):
            # The blank that was laid before the text is not part of it.
            span = (max(start - 1, 0), max(stop - 1, 0))
            word = next((w for (a, b), w in words if a < span[1] and b > span[0]), "")
            self._ids.append(token)
            self._segments.append(segment)
            self._passages.append(passage if span[1] > span[0] else -1)
            self._spans.append(_without_blank(text, span))
            self._matches.append(
                (
                    float(word in self._named),
                    float(word in self._known_words),
                    float(any(a <= span[0] and span[1] <= b for a, b in whole)),
                    float(any(a <= span[0] and span[1] <= b for a, b in known)),
                    shared,
                    float(place == 0),
                    float(place == end),
                )
            )

    def layout(self) -> Layout:
        return Layout(
            np.asarray(self._ids, dtype=np.int64),
            np.asarray(self._segments, dtype=np.int64),
            np.asarray(self._matches, dtype=np.float32).reshape(-1, MATCHES),
            np.asarray(self._passages, dtype=np.int64),
            tuple(self._spans),
            QUOTING_VERBS.index(self._asked.verb),
        )


def _without_blank(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A token's characters without the blank before them."""
    begin, end = span
    while begin < end and text[begin].isspace():
        begin += 1
    return begin, end


def _places(text: str, names: Sequence[str]) -> list[tuple[int, int]]:
    """Where one of the names stands as a whole, with the blank before it."""
    found = []
    for name in names:
        if name.strip():
            pattern = rf"\s?(?<!\w){re.escape(name.strip())}(?!\w)"
            found += [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]
    return found
