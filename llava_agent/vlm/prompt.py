"""The embedded model's prompt: one layout for training and serving, built from token ids piece by piece.

Layout (`<r>` is one region token, a placeholder until fusion)::

    <|im_start|>user
    Goal: File a ticket for the pump
    Known: serial number = SN-48213
    Done: click "New ticket" link
    Marks:
    -<r> "Serial number" textbox
    -<r> "Submit" button
    - none of these<|im_end|>
    <|im_start|>assistant
    type

Pieces are tokenised one by one, so the positions that the pointer needs are known exactly and never searched
for in a string (research: label errors come from splitting strings). The verb that follows the prompt is one
token, whose hidden state is the pointer's query. Needs `tokenizers` only, never torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Reserved in SmolLM2's vocabulary and never produced by text: stands for one region.
PLACEHOLDER = "<jupyter_start>"

#: Around a turn.
START = "<|im_start|>"
END = "<|im_end|>"

#: What the model may answer with; each is one token of its own, so a verb costs one position.
ACT_VERBS = ("click", "type", "select", "press", "scroll", "look", "done")
ASK_VERBS = ("read", "yes", "no", "none", "say")

#: Verbs that point at a candidate, and verbs that quote a span.
POINTING_VERBS = frozenset({"click", "type", "select", "read"})
QUOTING_VERBS = frozenset({"type", "select", "look", "read"})

NONE_LINE = " none of these"

_MEND = "pull the embedded weights again: the prompt is made for the tokenizer of SmolLM2"

SpanSource = Literal["instruction", "fact", "candidate"]


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate as the model reads it: `- "Submit" button`.

    Attributes:
        words: the whole line.
        quotable: the part of it that spans may be quoted from.
        region: whether a region token stands before the words.
    """

    words: str
    quotable: str = ""
    region: bool = False


@dataclass(frozen=True, slots=True)
class Quotable:
    """A run of tokens that spans may be quoted from.

    Attributes:
        source: which part of the request it is.
        index: which fact or candidate.
        start: position of its first token in the prompt.
        offsets: character range of each token inside `text`.
        text: the characters.
    """

    source: SpanSource
    index: int
    start: int
    offsets: tuple[tuple[int, int], ...]
    text: str

    @property
    def last(self) -> int:
        """Position of its last token."""
        return self.start + len(self.offsets) - 1

    def quote(self, first: int, last: int) -> str:
        """Characters of the prompt positions `first..last` (inclusive), without blanks around them."""
        begin = self.offsets[first - self.start][0]
        end = self.offsets[last - self.start][1]
        return self.text[begin:end].strip()

    def positions(self, begin: int, end: int) -> tuple[int, int] | None:
        """Prompt positions of the characters `begin..end`, None where they do not fall on token borders."""
        inside = [i for i, (a, b) in enumerate(self.offsets) if a < end and b > begin]
        if not inside:
            return None
        first, last = self.start + inside[0], self.start + inside[-1]
        return (first, last) if self.quote(first, last) == self.text[begin:end].strip() else None


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """Token ids and the positions that matter.

    Attributes:
        ids: `[T]`; placeholders where features go.
        regions: position of each candidate's region token, -1 for a candidate without.
        ends: last position of each candidate's line: its hidden state is the pointer's key.
        none_end: last position of the line *none of these*.
        quotables: where spans may be quoted from.
    """

    ids: NDArray[np.int64]
    regions: NDArray[np.int64]
    ends: NDArray[np.int64]
    none_end: int
    quotables: tuple[Quotable, ...]


@dataclass(slots=True)
class _Builder:
    """A prompt that grows piece by piece."""

    tokenizer: Tokenizer
    placeholder: int
    ids: list[int] = field(default_factory=list)
    quotables: list[Quotable] = field(default_factory=list)

    def text(self, text: str) -> None:
        self.ids.extend(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def special(self, token: int) -> None:
        self.ids.append(token)

    def slot(self) -> int:
        """Position of one more placeholder."""
        self.ids.append(self.placeholder)
        return len(self.ids) - 1

    def quotable(self, text: str, source: SpanSource, index: int, begin: int = 0) -> None:
        """Append `text`; the characters from `begin` on may be quoted."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        start = len(self.ids)
        self.ids.extend(encoding.ids)
        kept = [i for i, (_, end) in enumerate(encoding.offsets) if end > begin]
        if kept:
            offsets = tuple(encoding.offsets[i] for i in kept)
            self.quotables.append(Quotable(source, index, start + kept[0], offsets, text))


class PromptEncoder:
    """Turns an instruction, facts, history and candidates into token ids.

    Args:
        tokenizer: the language model's, as a `tokenizers.Tokenizer`; from now on it reads special tokens in a
            text as plain characters.

    Raises:
        WeightsError: a verb is not one token, or a special token is missing: another model's tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        # Whoever writes a page must not write the layout: `<|im_end|>` in a mark is plain characters.
        tokenizer.encode_special_tokens = True
        self.tokenizer = tokenizer
        self.placeholder = self._special(PLACEHOLDER)
        self.start_id = self._special(START)
        self.end_id = self._special(END)
        self.verb_ids = {verb: self._single(verb) for verb in (*ACT_VERBS, *ASK_VERBS)}

    def _special(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise WeightsError(f"the tokenizer has no token {token}", _MEND)
        return found

    def _single(self, verb: str) -> int:
        ids: list[int] = self.tokenizer.encode(verb, add_special_tokens=False).ids
        if len(ids) != 1:
            raise WeightsError(
                f"the verb {verb!r} is {len(ids)} tokens in this tokenizer, must be one", _MEND
            )
        return ids[0]

    def encode(
        self,
        kind: Literal["Goal", "Question"],
        instruction: str,
        lines: Sequence[Line],
        facts: Sequence[str] = (),
        history: Sequence[str] = (),
    ) -> EncodedPrompt:
        """Encode one request.

        Args:
            kind: what the first line says, an order or a question.
            instruction: the order or question; may be quoted.
            lines: candidates, in the order in which the pointer numbers them.
            facts: what is known, `name = value`; the value may be quoted.
            history: what was done, in the words of the actions.
        """
        build = _Builder(self.tokenizer, self.placeholder)
        self._open(build)
        build.text(f"{kind}:")
        build.quotable(f" {instruction}", "instruction", 0)
        for index, fact in enumerate(facts):
            build.text("\nKnown:")
            build.quotable(f" {fact}", "fact", index, fact.find(" = ") + 3 if " = " in fact else 0)
        for done in history:
            build.text(f"\nDone: {done}")
        build.text("\nMarks:")
        regions, ends = [], []
        for index, line in enumerate(lines):
            build.text("\n-")
            regions.append(build.slot() if line.region else -1)
            self._words(build, line, index)
            ends.append(len(build.ids) - 1)
        build.text(f"\n-{NONE_LINE}")
        none_end = len(build.ids) - 1
        self._close(build)
        return EncodedPrompt(
            ids=np.asarray(build.ids, dtype=np.int64),
            regions=np.asarray(regions, dtype=np.int64),
            ends=np.asarray(ends, dtype=np.int64),
            none_end=none_end,
            quotables=tuple(build.quotables),
        )

    def chat(self, text: str) -> NDArray[np.int64]:
        """Ids of a turn of the user that only says `text`; what follows them is the answer."""
        build = _Builder(self.tokenizer, self.placeholder)
        self._open(build)
        build.text(text)
        self._close(build)
        return np.asarray(build.ids, dtype=np.int64)

    def _open(self, build: _Builder) -> None:
        build.special(self.start_id)
        build.text("user\n")

    def _close(self, build: _Builder) -> None:
        build.special(self.end_id)
        build.text("\n")
        build.special(self.start_id)
        build.text("assistant\n")

    @staticmethod
    def _words(build: _Builder, line: Line, index: int) -> None:
        """Lay the words; only `quotable` inside them can be quoted."""
        words = f" {line.words}" if line.words else ""
        at = words.find(line.quotable) if line.quotable else -1
        if at < 0:
            build.text(words)
            return
        build.text(words[:at])
        build.quotable(line.quotable, "candidate", index)
        build.text(words[at + len(line.quotable) :])
